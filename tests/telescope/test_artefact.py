"""A tenth artefact is one class: at rate 0 it moves nothing, at rate 1 it is in everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from builders import EUCLID, tiny_recipe
from numpy.testing import assert_array_equal

from lensy.datasets.store import make_data_set
from lensy.simulation.example import Example, simulate
from lensy.telescope.artefact import ARTEFACTS, FIRST_KINDS, Artefact, Setting, Sharing, Spoil
from lensy.telescope.bands import Band
from lensy.telescope.instrument import Instrument, expose
from lensy.telescope.rates import realistic_rates

EVERY = Instrument.model_validate(
    {"rates": {kind.replace(" ", "_"): 0.7 for kind in FIRST_KINDS}, "correlated_noise": True}
)


@pytest.fixture
def dust() -> Iterator[type[Artefact]]:
    """A grain on the filter, known as long as a test runs."""
    yield dust_class("frame")
    del ARTEFACTS["dust"]


def dust_class(sharing: Sharing) -> type[Artefact]:
    @dataclass(frozen=True)
    class Dust(Artefact):
        bands: tuple[str, ...]
        row: int
        kind: ClassVar[str] = "dust"
        words: ClassVar[str] = "a grain of dust on a filter"
        per: ClassVar[Sharing] = sharing

        @classmethod
        def draw(cls, rng: np.random.Generator, setting: Setting) -> Any:
            return cls(setting.bands, int(rng.integers(60)))

        def spoil(self, band: Band) -> Spoil:
            mask = np.zeros(band.shape, bool)
            mask[self.row] = True
            return Spoil(mask=mask, blank=mask)

    return Dust


def everything(example: Example) -> list[Any]:
    return [
        part
        for name in EUCLID
        for part in (example.observed(name), *example.exposure(name).masks.values())
    ]


def examples() -> list[Example]:
    recipe = tiny_recipe(instrument=EVERY)
    return [simulate(recipe, "test", index) for index in range(3)]


def test_the_nine_come_first_in_their_order() -> None:
    assert tuple(ARTEFACTS) == FIRST_KINDS
    assert all(each.kind == kind and each.words for kind, each in ARTEFACTS.items())


def test_at_rate_0_a_further_kind_moves_nothing(request: pytest.FixtureRequest) -> None:
    recipes = [tiny_recipe(), tiny_recipe(instrument=EVERY)]
    marks = [each.fingerprint for each in recipes]
    rates, before = realistic_rates("coadd"), examples()
    rng = np.random.default_rng(3)
    drawn, following = EVERY.draw(rng), rng.random()
    request.getfixturevalue("dust")
    assert tuple(ARTEFACTS) == (*FIRST_KINDS, "dust")
    assert [tiny_recipe().fingerprint, tiny_recipe(instrument=EVERY).fingerprint] == marks
    assert realistic_rates("coadd") == rates
    for one, other in zip(before, examples(), strict=True):
        for a, b in zip(everything(one), everything(other), strict=True):
            assert_array_equal(a, b)
        assert other.row.pop("has_dust") is False
        assert str(other.row) == str(one.row)
    rng = np.random.default_rng(3)
    assert EVERY.draw(rng) == drawn
    assert rng.random() == following


def test_at_rate_1_it_is_drawn_and_spoils_pixels(dust: type[Artefact], tmp_path: Any) -> None:
    instrument = Instrument.only("dust")
    recipe = tiny_recipe(instrument=instrument)
    assert recipe.fingerprint != tiny_recipe().fingerprint
    data = make_data_set(recipe, tmp_path / "data", n_jobs=1, progress=False)
    assert data.catalogue("test")["has_dust"].all()
    for index in range(2):
        for name in EUCLID:
            exposure = data.exposure("test", index, name)
            assert set(exposure.masks) == {"dust"}
            assert exposure.masks["dust"].sum() == exposure.image.shape[1]
            assert_array_equal(exposure.image == 0, exposure.masks["dust"])
            assert_array_equal(exposure.spoilt, exposure.masks["dust"])
    (one,) = instrument.draw(np.random.default_rng(1))
    assert isinstance(one, dust)
    assert one.bands == EUCLID


def test_it_comes_on_top_of_the_nine(dust: type[Artefact]) -> None:
    """Which are drawn as they were, whatever its rate."""
    rates = EVERY.rates.model_dump() | {"dust": 1.0}
    both = Instrument.model_validate({"rates": rates})
    for seed in range(5):
        drawn = both.draw(np.random.default_rng(seed))
        assert drawn[:-1] == EVERY.draw(np.random.default_rng(seed))
        assert isinstance(drawn[-1], dust)


@pytest.mark.parametrize(("sharing", "number"), [("band", 4), ("instrument", 2), ("frame", 1)])
def test_who_shares_it(sharing: Sharing, number: int) -> None:
    dust_class(sharing)
    try:
        drawn = Instrument.only("dust").draw(np.random.default_rng(1))
        assert len(drawn) == number
        assert tuple(name for each in drawn for name in each.bands) == EUCLID
        image = np.zeros((200, 200), np.float32)
        seen = expose(image, "VIS", np.random.default_rng(1), artefacts=drawn)
        assert seen.masks["dust"].sum() == 200
    finally:
        del ARTEFACTS["dust"]


def test_harmless_kinds_spoil_no_light() -> None:
    artefacts = Instrument.only("noise step").draw(np.random.default_rng(1))
    image = np.zeros((200, 200), np.float32)
    seen = expose(image, "VIS", np.random.default_rng(1), artefacts=artefacts)
    assert seen.masks["noise step"].any()
    assert not seen.spoilt.any()
