"""Executed chapters kept by what they depend on, so that an unchanged one costs nothing.

A chapter is executed again when its text, its parameters, the package, the recipes, a shipped run
or a library has changed. jupyter-cache, which Jupyter Book knows, looks at a notebook's own code
alone, and would show old numbers after the package has changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

DEPENDENCIES = (
    "lensy/**/*.py",
    "lensy/*/*.json",
    "lensy/*/*.csv",
    "lensy/*/*.html",
    "lensy/shipped/**/*",
    "data_sim/*.py",
    "book/execute.py",
    "requirements.lock",
)
"""What every chapter depends on."""


def surroundings(root: Path = ROOT) -> str:
    """A fingerprint of everything but the chapter itself."""
    found = hashlib.sha256(sys.version.encode())
    found.update(os.environ.get("LENSY_REAL_SKY", "").encode())
    for pattern in DEPENDENCIES:
        for path in sorted(root.glob(pattern)):
            if path.is_file():
                found.update(path.relative_to(root).as_posix().encode())
                found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def key(notebook: Path, parameters: Mapping[str, Any], around: str) -> str:
    """Sixteen hexadecimal digits that change with whatever a chapter shows.

    around: from `surroundings`.
    """
    content = [notebook.read_text("utf-8"), json.dumps(parameters, sort_keys=True), around]
    return hashlib.sha256("\0".join(content).encode()).hexdigest()[:16]


class Cache:
    """Executed notebooks in a folder, the last one of each chapter."""

    def __init__(self, folder: Path) -> None:
        """folder: made when something is kept."""
        self.folder = folder

    def fetch(self, name: str, key: str, notebook: Path) -> bool:
        """Put the executed chapter in place of the notebook; whether there is one."""
        kept = self.folder / f"{name}-{key}.ipynb"
        if not kept.exists():
            return False
        shutil.copy(kept, notebook)
        return True

    def keep(self, name: str, key: str, notebook: Path) -> None:
        """Keep an executed chapter, and no earlier one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.glob(f"{name}-{'[0-9a-f]' * 16}.ipynb"):
            old.unlink()
        part = self.folder / f"{name}.part"
        shutil.copy(notebook, part)
        part.replace(self.folder / f"{name}-{key}.ipynb")
