"""What is loaded before anything is to be done: nothing that takes time."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command

import lensy
from lensy.cli.main import app

SLOW = ("astropy", "h5py", "lenstronomy", "lightning", "matplotlib", "numpy", "scipy", "torch")
"""Not pydantic, which typer itself loads."""

COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]


def output(code: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def slow_ones(code: str) -> str:
    return f"{code}\nimport sys\nprint('loaded', *[each for each in {SLOW} if each in sys.modules])"


def test_the_package_loads_nothing() -> None:
    code = "import sys\nbefore = set(sys.modules)\nimport lensy\nprint(*set(sys.modules) - before)"
    loaded = {name.split(".")[0] for name in output(code).split()}
    assert loaded <= {"lensy", "typing", "_typing", "collections"}


@pytest.mark.parametrize("words", [["--help"], ["--version"], *([c, "--help"] for c in COMMANDS)])
def test_help_loads_nothing_slow(words: list[str]) -> None:
    call = f"from lensy.cli.main import app\napp({words}, standalone_mode=False)"
    *said, loaded = output(slow_ones(call)).splitlines()
    assert loaded == "loaded"
    expected = lensy.__version__ if words == ["--version"] else "Usage: "
    assert "\n".join(said).startswith(expected)


def test_the_program_has_one_command_for_each_kind_of_work() -> None:
    kinds = "doctor evaluate exam find reproduce scorecard train"
    assert kinds.split() == COMMANDS


def test_the_scorecard_needs_no_torch() -> None:
    call = "from lensy.cli.main import app\napp(['scorecard'], standalone_mode=False)"
    said = output(f"{call}\nimport sys\nprint('torch' in sys.modules)").splitlines()
    assert said[-1] == "False"
