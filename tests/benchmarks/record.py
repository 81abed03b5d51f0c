"""Where benchmarks leave their results, so that the book shows what was measured.

`lensy/talk/benchmarks.json` has an entry per benchmark, with the commit and the machine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lensy.provenance import commit, hardware, write_json

PATH = Path(__file__).resolve().parents[2] / "lensy" / "talk" / "benchmarks.json"


def record(name: str, rows: list[dict[str, Any]], **about: Any) -> None:
    """Write the rows of a benchmark in place of those of its last recorded run."""
    known = json.loads(PATH.read_text("utf-8")) if PATH.exists() else {}
    known[name] = {"commit": commit(), "hardware": hardware(), "rows": rows, **about}
    write_json(PATH, known)
