"""How often a frame has an artefact of each kind: rates, and those of the survey."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, RootModel
from pydantic_core import PydanticCustomError

# what the next two define is registered when they are imported
import lensy.telescope.detector_artefacts
import lensy.telescope.optical_artefacts  # noqa: F401
from lensy.telescope.artefact import ARTEFACTS
from lensy.telescope.noise import ExposureMode
from lensy.values import Frozen

Probability = Annotated[float, Field(ge=0, le=1)]


class PerInstrument(Frozen):
    """One probability for VIS and one for NISP."""

    VIS: Probability = 0.0
    NISP: Probability = 0.0


def _for_both(value: Any) -> Any:
    return {"VIS": value, "NISP": value} if isinstance(value, int | float) else value


Rate = Annotated[PerInstrument, BeforeValidator(_for_both)]
"""Probabilities for VIS and NISP; a single number stands for both."""

NEVER = PerInstrument()


def field_name(kind: str) -> str:
    """A kind of artefact as it is spelt in JSON and in names of columns: chip_gap."""
    return kind.replace(" ", "_")


def _known(name: str) -> str:
    if name.replace("_", " ") not in ARTEFACTS:
        kinds = ", ".join(map(field_name, ARTEFACTS))
        raise PydanticCustomError(
            "artefact", "there is no such artefact; the kinds are {kinds}", {"kinds": kinds}
        )
    return name


def _in_order(rates: dict[str, PerInstrument]) -> dict[str, PerInstrument]:
    """Without the kinds that never occur, in the order of ARTEFACTS."""
    for name, rate in rates.items():
        if ARTEFACTS[name.replace("_", " ")].per == "frame" and rate.VIS != rate.NISP:
            raise PydanticCustomError("rate", "{kind} is in all bands or none", {"kind": name})
    names = map(field_name, ARTEFACTS)
    return {name: rates[name] for name in names if rates.get(name, NEVER) != NEVER}


KindName = Annotated[str, AfterValidator(_known)]


class Rates(RootModel[Annotated[dict[KindName, Rate], AfterValidator(_in_order)]]):
    """Probability that a frame of 20 arcsec has an artefact of each kind, from 0 to 1, no unit.

    A frame is that of one band, of an instrument, or all bands together: see `Artefact.per`. Kinds
    that are not given, or given as 0, never occur. Raises ValidationError for a kind that is none.

    >>> rates = Rates(chip_gap=0.5, hole={"VIS": 0.1})
    >>> rates.of("chip gap", "NISP"), rates.of("hole", "NISP"), rates.of("star", "VIS")
    (0.5, 0.0, 0.0)
    """

    model_config = ConfigDict(frozen=True)

    def __init__(self, rates: Any = None, /, **by_kind: Any) -> None:
        super().__init__(by_kind if rates is None else rates)

    def __hash__(self) -> int:
        return hash(tuple(self.root.items()))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that may occur."""
        return tuple(name.replace("_", " ") for name in self.root)

    def of(self, kind: str, instrument: str) -> float:
        """The probability of a kind in VIS or NISP."""
        return float(getattr(self.root.get(field_name(kind), NEVER), instrument))

    def without(self, kind: str) -> Rates:
        """The same but for one kind, which never occurs."""
        return Rates({name: rate for name, rate in self.root.items() if name != field_name(kind)})


def realistic_rates(exposure: ExposureMode) -> Rates:
    """What a frame of the survey has, to the best of what is public.

    From the geometry: chip gaps of an exposure, noise steps. From counts: stars, ghosts, trails.
    From four public Q1 cutouts: holes, and cosmic rays that a coadd keeps. Reading: hot pixels and
    columns, edges of the mosaic. Each class of artefact carries its own, with its source.
    """
    return Rates(
        {field_name(kind): each.realistic_rate(exposure) for kind, each in ARTEFACTS.items()}
    )
