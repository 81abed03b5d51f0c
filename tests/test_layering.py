"""What each kind of code may do. Who may import whom is said in `pyproject.toml`: `make lint`.

Read from the sources with `ast`, nothing is imported.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


TREES = {
    module_name(path): ast.parse(path.read_text("utf-8"))
    for package in ("lensy", "data_sim")
    for path in sorted((ROOT / package).rglob("*.py"))
}
LENSY = [name for name in TREES if name.split(".")[0] == "lensy"]
BOOK = {path.name: ast.parse(path.read_text("utf-8")) for path in (ROOT / "book").glob("*.py")}


def imports(tree: ast.Module) -> set[str]:
    """Modules that a file imports, anywhere in it. `from a import b` is a.b where that is one."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a module comes from"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in TREES else str(node.module) for name in names}
    return found


def top(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def ours(names: set[str]) -> set[str]:
    return {name for name in names if name.split(".")[0] in ("lensy", "data_sim", "book", "tests")}


@pytest.mark.parametrize("name", LENSY)
def test_only_the_command_line_prints(name: str) -> None:
    calls = [node.func for node in ast.walk(TREES[name]) if isinstance(node, ast.Call)]
    printing = [func for func in calls if isinstance(func, ast.Name) and func.id == "print"]
    assert not printing or name == "lensy.errors" or name.startswith("lensy.cli.")


@pytest.mark.parametrize("name", TREES)
def test_no_pickle_is_loaded(name: str) -> None:
    """Weights are safetensors, arrays npz or HDF5; Lightning's own checkpoints tensors only."""
    assert not top(imports(TREES[name])) & {"pickle", "cloudpickle", "dill", "shelve"}
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Call):
            words = {word.arg: ast.unparse(word.value) for word in node.keywords}
            assert words.get("allow_pickle", "False") == "False"
            unguarded = ast.unparse(node.func) in ("torch.load", "joblib.load")
            assert not unguarded or words.get("weights_only") == "True"


@pytest.mark.parametrize("name", LENSY)
def test_errors_are_raised_and_not_asserted(name: str) -> None:
    """`python -O` drops an assert."""
    assert not [node for node in ast.walk(TREES[name]) if isinstance(node, ast.Assert)]


def test_a_function_lives_with_its_subject() -> None:
    stems = {name.split(".")[-1] for name in TREES}
    assert not stems & {"utils", "helpers", "common", "misc"}


@pytest.mark.parametrize("name", BOOK)
def test_the_book_uses_what_is_public(name: str) -> None:
    """Its scripts import from below, and no name with a leading underscore."""
    assert top(ours(imports(BOOK[name]))) <= {"lensy", "data_sim"}
    froms = [node for node in ast.walk(BOOK[name]) if isinstance(node, ast.ImportFrom)]
    assert not [a.name for node in froms for a in node.names if a.name.startswith("_")]
