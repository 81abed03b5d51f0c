"""Validated values: the frozen base class, what tells values apart, and shared number types."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel

from lensy.errors import LensyError

Floats = NDArray[np.float64]
Image = NDArray[np.float32]
"""A picture, (y, x), in nJy per pixel unless said otherwise."""
Images = NDArray[np.float32]
"""Several pictures, (n, y, x)."""
Mask = NDArray[np.bool_]
"""Which pixels of a picture, (y, x)."""
Masks = NDArray[np.bool_]
"""Masks of all objects of an example, (object, y, x): lens galaxy, lensed light, companions."""
Columns = dict[str, NDArray[Any]]
"""A table by the names of its columns, (n,) each."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

Finite = Annotated[float, Field(allow_inf_nan=False)]

AxisRatio = Annotated[float, Field(gt=0, le=1)]

Redshift = Annotated[float, Field(gt=0, le=20)]


class Frozen(BaseModel):
    """A validated value: no field can be changed, none can be misspelt."""

    model_config = ConfigDict(frozen=True, extra="forbid")


ALWAYS_KEPT = ("kind", "version")
"""Fields that a value shows even at their default: they say what all the others mean."""


def canonical(value: Any, *, leave_out: Collection[str] = ()) -> Any:
    """A value as plain JSON content: alike for equal values, never alike for others of its kind.

    Of a model or a dataclass only the fields that differ from their default are kept, so that a
    field added later changes nothing; but `kind` and `version` always are. What is inside and has a
    fingerprint of its own stands as that. Names of classes are never kept. leave_out: fields of the
    value itself. Raises LensyError for what JSON does not know.

    >>> class Star(Frozen):
    ...     kind: str = "star"
    ...     magnitude: float = 15.0
    >>> canonical([Star(), Star(magnitude=14)])
    [{'kind': 'star'}, {'kind': 'star', 'magnitude': 14.0}]
    """
    if isinstance(value, RootModel):
        return canonical(value.root, leave_out=leave_out)
    if isinstance(value, BaseModel) or is_dataclass(value):
        return {
            name: _inner(getattr(value, name))
            for name, default in _defaults(value).items()
            if name not in leave_out
            and (name in ALWAYS_KEPT or _inner(getattr(value, name)) != _inner(default))
        }
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _inner(each) for key, each in value.items() if key not in leave_out}
    if isinstance(value, list | tuple):
        return [_inner(each) for each in value]
    if value is None or isinstance(value, bool | int | float | str) or value is MISSING:
        return value
    raise LensyError(
        f"A fingerprint is of models, mappings by word, lists, numbers and words, not of {value!r}."
    )


def fingerprint(kind: str, value: Any, *, leave_out: Collection[str] = ()) -> str:
    """Twelve hexadecimal digits that tell a value of a kind from all others: see `canonical`.

    value: a model, a dataclass or a mapping. The digits begin the SHA-256 of its canonical JSON,
    with sorted keys and without spaces, to which the kind is added as "kind". Raises LensyError for
    a value that says itself that it is of another kind.

    >>> fingerprint("shape", {"sides": 3}) == fingerprint("shape", {"sides": 4})
    False
    """
    content = canonical(value, leave_out=leave_out)
    if content.get("kind", kind) != kind:
        raise LensyError(f"This is of the kind {content['kind']!r} and not {kind!r}: give that.")
    text = json.dumps({**content, "kind": kind}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _inner(value: Any) -> Any:
    return getattr(value, "fingerprint", None) or canonical(value)


def _defaults(value: Any) -> dict[str, Any]:
    """The default of each field of a model or a dataclass; MISSING where there is none."""
    if isinstance(value, BaseModel):
        return {
            name: MISSING if field.is_required() else field.get_default(call_default_factory=True)
            for name, field in type(value).model_fields.items()
        }
    return {
        each.name: each.default if each.default_factory is MISSING else each.default_factory()
        for each in fields(value)
    }


def in_order(limits: tuple[float, float]) -> tuple[float, float]:
    """The limits of an interval, if the first does not exceed the second."""
    if not limits[0] <= limits[1]:
        raise ValueError("the first number must not exceed the second")
    return limits


Fraction = Annotated[float, Field(ge=0, le=1)]

PopulationAxisRatio = Annotated[float, Field(ge=0.05, le=1)]

Interval = Annotated[tuple[Finite, Finite], AfterValidator(in_order)]

PositiveInterval = Annotated[tuple[Positive, Positive], AfterValidator(in_order)]

AxisRatios = Annotated[tuple[PopulationAxisRatio, PopulationAxisRatio], AfterValidator(in_order)]

Shear = Annotated[float, Field(ge=-0.5, le=0.5)]

Shears = Annotated[tuple[Shear, Shear], AfterValidator(in_order)]

Count = Annotated[int, Field(ge=0, le=100)]

SersicIndex = Annotated[float, Field(ge=0.3, le=8)]

SersicIndices = Annotated[tuple[SersicIndex, SersicIndex], AfterValidator(in_order)]

MedianAndScatter = tuple[Positive, Annotated[float, Field(ge=0, le=3)]]
