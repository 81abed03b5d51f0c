"""The whole book, at the smallest scale, with every network trained from nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.book
def test_the_book_builds_from_nothing(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "book" / "build.py"), "--scale", "smoke", "--fresh"]
    command.append("--check")
    for option in ("out", "data", "runs", "stage"):
        command += [f"--{option}", str(tmp_path / option)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "out" / "index.html").is_file()
