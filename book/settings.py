"""What stands in `book/scales/<scale>.yml`: parameters and limits of the chapters at one scale.

scale: laptop             # handed to every chapter that has a parameter of that name
minutes: 15               # time limit of a chapter that has none of its own
megabytes: 4000           # the same for its memory, with all processes that it starts
chapters:
  naberrie:
    minutes: 30           # time limit of the whole chapter
    megabytes: 6000       # its memory
    figures: 5            # the page must show at least so many figures
    parameters:           # each must stand in the chapter's cell tagged `parameters`
      n_examples: 200
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lensy.errors import LensyError

Positive = Annotated[float, Field(gt=0)]


class Chapter(BaseModel):
    """What a scale says about one chapter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    minutes: Positive | None = None
    megabytes: Positive | None = None
    figures: Annotated[int, Field(ge=0)] = 0
    parameters: dict[str, Any] = {}


class Settings(BaseModel):
    """A scale: one word, limits, and what differs from chapter to chapter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: str
    minutes: Positive
    fresh_minutes: Positive | None = None
    megabytes: Positive = 4000
    chapters: dict[str, Chapter] = {}

    def chapter(self, name: str) -> Chapter:
        """What this scale says about a chapter, if anything."""
        return self.chapters.get(name, Chapter())

    def limit(self, name: str, *, fresh: bool) -> float:
        """Minutes that a chapter may take; `fresh` where it has to train."""
        limit = self.chapter(name).minutes or self.minutes
        return max(limit, self.fresh_minutes or limit) if fresh else limit

    def memory_of(self, name: str) -> float:
        """Megabytes that a chapter may take."""
        return self.chapter(name).megabytes or self.megabytes


def read_settings(path: Path, names: Sequence[str]) -> Settings:
    """The settings in a YAML file.

    names: the chapters there are. Raises LensyError where the file is not there, says what is not
    allowed, or speaks of another chapter.
    """
    if not path.exists():
        scales = ", ".join(sorted(file.stem for file in path.parent.glob("*.yml")))
        raise LensyError(f"There is no scale {path.stem!r} in {path.parent}; there are {scales}.")
    try:
        settings = Settings.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise LensyError(
            f"{path}: {where} is {first['input']!r}: {first['msg']}; book/settings.py says what "
            "may stand there."
        ) from None
    for name in settings.chapters:
        if name not in names:
            raise LensyError(
                f"{path} speaks of a chapter {name!r}; the chapters with code are "
                f"{', '.join(names)}."
            )
    return settings


def choose_parameters(
    name: str, defined: Mapping[str, Any], settings: Settings, shared: Mapping[str, Any]
) -> dict[str, Any]:
    """The parameters to hand to a chapter: all that it defines, because its page shows these.

    defined: the chapter's cell tagged `parameters`. shared: values for any chapter that defines
    them. Raises LensyError where the scale names one that the chapter does not define.
    """
    own = settings.chapter(name).parameters
    for unknown in own.keys() - defined.keys():
        raise LensyError(
            f"Scale {settings.scale!r} sets the parameter {unknown!r} of chapter {name!r}, whose "
            f"cell tagged `parameters` defines {', '.join(defined) or 'none'}."
        )
    values = {"scale": settings.scale, **shared, **own}
    return {key: values.get(key, default) for key, default in defined.items()}
