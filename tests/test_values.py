"""What tells values apart: canonical content and fingerprints."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import RootModel

from lensy.errors import LensyError
from lensy.values import Frozen, canonical, fingerprint


class Inner(Frozen):
    kind: str = "inner"
    size: float = 1.0


class Outer(Frozen):
    name: str
    version: int = 1
    inner: Inner = Inner()
    limits: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Facts:
    share: float
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    further: bool = False


class Named(Frozen):
    fingerprint: str = "0123456789ab"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Outer(name="a"), {"name": "a", "version": 1}),
        (
            Outer(name="a", inner=Inner(size=2.0), limits=(0.0, 2.0)),
            {
                "name": "a",
                "version": 1,
                "inner": {"kind": "inner", "size": 2.0},
                "limits": [0.0, 2.0],
            },
        ),
        (Facts(0.5), {"share": 0.5}),
        (Facts(0.5, {"a": ("b",)}, True), {"share": 0.5, "classes": {"a": ["b"]}, "further": True}),
        ({"who": Named(), "many": [Named()]}, {"who": "0123456789ab", "many": ["0123456789ab"]}),
        (RootModel[dict[str, float]]({"a": 1.0}), {"a": 1.0}),
        ([None, True, "a"], [None, True, "a"]),
    ],
)
def test_content_by_hand(value: Any, expected: Any) -> None:
    assert canonical(value) == expected


def test_a_fingerprint_begins_the_hash_of_sorted_json_without_spaces() -> None:
    text = '{"kind":"outer","limits":[0.0,3.0],"version":1}'
    expected = hashlib.sha256(text.encode()).hexdigest()[:12]
    value = Outer(name="a", limits=(0.0, 3.0))
    assert fingerprint("outer", value, leave_out=("name",)) == expected
    assert fingerprint("other", value, leave_out=("name",)) != expected
    assert fingerprint("outer", json.loads(text)) == expected


def test_names_of_classes_do_not_matter() -> None:
    class Renamed(Inner):
        pass

    assert fingerprint("inner", Renamed(size=3.0)) == fingerprint("inner", Inner(size=3.0))


@pytest.mark.parametrize("value", [{1: "a"}, {"a": object()}, {"a": {1, 2}}])
def test_what_json_does_not_know_is_refused(value: Any) -> None:
    with pytest.raises(LensyError, match="A fingerprint is of models, mappings by word"):
        fingerprint("thing", value)


def test_a_value_of_another_kind_is_refused() -> None:
    with pytest.raises(LensyError, match="of the kind 'inner' and not 'outer'"):
        fingerprint("outer", Inner())
