"""What `tests/benchmarks` measured, for the book: speed, and what takes too long there."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from lensy.errors import LensyError


def benchmark(name: str) -> dict[str, Any]:
    """The recorded result of a benchmark: `rows`, `commit`, `hardware`, and what else it keeps.

    Raises LensyError where none is recorded.
    """
    path = files("lensy").joinpath("data/benchmarks.json")
    known = json.loads(path.read_text("utf-8"))
    if name not in known:
        raise LensyError(
            f"No benchmark {name!r} is recorded; there are {', '.join(known)}. Record one with "
            f"`python tests/benchmarks/{name}.py --record`."
        )
    return dict(known[name])
