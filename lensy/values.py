"""Validated values: the frozen base class, and number types that several wings share."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

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
