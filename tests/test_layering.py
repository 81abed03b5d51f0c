"""The house: imports go down only, and each kind of work has its place.

Read from the sources with `ast`, nothing is imported. A new module needs a level here.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LEVELS = {
    # words that everything may use
    "lensy": 0,
    "lensy.errors": 0,
    "lensy.scene": 0,
    "lensy.figures": 0,
    "lensy.models": 0,
    # one subject each
    "lensy.bands": 1,
    "lensy.focal_plane": 1,
    "lensy.forecast": 1,
    "lensy.frame": 1,
    "lensy.lensing": 1,
    "lensy.light": 1,
    "lensy.metrics": 1,
    "lensy.provenance": 1,
    "lensy.band_charts": 1,
    "lensy.mask_figures": 1,
    "lensy.charts": 1,
    "lensy.population_charts": 1,
    "lensy.result_charts": 1,
    "lensy.published": 1,
    "lensy.benchmarks": 1,
    "lensy.view_figures": 1,
    "lensy.background": 1,
    "lensy.models.precision": 0,
    "lensy.models.mask_rcnn": 2,
    "lensy.models.naberrie": 1,
    "lensy.models.ou": 1,
    "lensy.painting": 1,
    "lensy.traits": 1,
    # from sky to picture
    "lensy.canvas": 2,
    "lensy.models.classifier": 2,
    "lensy.operating": 2,
    "lensy.pages": 2,
    "lensy.colours": 2,
    "lensy.composites": 2,
    "lensy.defects": 2,
    "lensy.detector": 2,
    "lensy.published_weights": 2,
    "lensy.real_sky": 2,
    "lensy.weights": 2,
    "lensy.windows": 2,
    "lensy.stray_light": 2,
    "lensy.arcs": 3,
    "lensy.field_galaxies": 3,
    "lensy.rates": 3,
    "lensy.artefacts": 4,
    "lensy.candidates": 4,
    "lensy.cutouts": 3,
    "lensy.impostors": 4,
    "lensy.search": 3,
    "lensy.targets": 3,
    "lensy.populations": 5,
    "lensy.render": 4,
    # data
    "lensy.catalogue": 5,
    "lensy.limits": 5,
    "lensy.simulate": 6,
    "lensy.store": 7,
    "lensy.experiments": 7,
    "lensy.coco": 8,
    "lensy.datasets": 8,
    "lensy.runs": 8,
    "lensy.finished": 9,
    "lensy.instances": 8,
    "lensy.views": 8,
    # results
    "lensy.classifying": 9,
    "lensy.inspection": 9,
    "lensy.play": 9,
    "lensy.learning": 9,
    "lensy.mask_experiments": 9,
    "lensy.mask_learning": 10,
    "lensy.mask_training": 12,
    "lensy.mask_scores": 9,
    "lensy.interpret": 9,
    "lensy.scorecard": 9,
    "lensy.evaluation": 10,
    "lensy.finder": 10,
    "lensy.painter": 10,
    "lensy.doctor": 11,
    "lensy.predecessor": 11,
    "lensy.ou_training": 12,
    "lensy.training": 11,
    # what a person starts
    "data_sim.recipes": 8,
    "data_sim": 9,
    "data_sim.contact_sheet": 9,
    "data_sim.make_colours": 9,
    "data_sim.__main__": 10,
    "lensy.scorers": 13,
    "lensy.questions": 11,
    "lensy.describing": 14,
    "lensy.rings": 14,
    "lensy.pointing": 15,
    "lensy.artefact_exam": 15,
    "lensy.shortlist": 16,
    "lensy.looks": 16,
    "lensy.combining": 11,
    "lensy.claims": 17,
    "lensy.cli_runs": 18,
    "lensy.mask_finder": 13,
    "lensy.cli": 19,
    "book": 20,
}
"""Level of each module. An import goes from a module to one of a lower level."""


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


@pytest.mark.parametrize("name", TREES)
def test_imports_go_down(name: str) -> None:
    assert name in LEVELS, f"{name} is new: give it a level in tests/test_layering.py"
    upwards = {other for other in ours(imports(TREES[name])) if LEVELS[other] >= LEVELS[name]}
    assert not upwards, f"{name} (level {LEVELS[name]}) imports {upwards}"


@pytest.mark.parametrize("name", LENSY)
def test_the_package_knows_no_recipe_and_no_chapter(name: str) -> None:
    assert not top(imports(TREES[name])) & {"data_sim", "book", "tests"}


def test_lenstronomy_is_behind_two_modules() -> None:
    users = {name for name in TREES if "lenstronomy" in top(imports(TREES[name]))}
    assert users == {"lensy.bands", "lensy.lensing"}


@pytest.mark.parametrize("name", [name for name in LENSY if name.startswith("lensy.models.")])
def test_models_know_no_astronomy_and_no_disk(name: str) -> None:
    used = imports(TREES[name])
    allowed = ("lensy.models", "lensy.errors")
    assert all(each.startswith(allowed) for each in ours(used))
    assert not top(used) & {"astropy", "h5py", "lenstronomy", "pathlib", "os", "lightning"}


@pytest.mark.parametrize(
    "name", ["lensy.metrics", "lensy.figures", "lensy.simulate", "lensy.store"]
)
def test_numbers_figures_and_data_need_no_torch(name: str) -> None:
    assert not top(imports(TREES[name])) & {"torch", "lightning", "torchvision"}


def needed(name: str) -> set[str]:
    """Every module of ours that is loaded with one, itself included."""
    found, waiting = set(), [name]
    while waiting:
        module = waiting.pop()
        found.add(module)
        waiting += ours(imports(TREES[module])) - found
    return found


def test_data_sim_needs_no_torch() -> None:
    """Nor does anything it imports; tests/test_data_sim.py sees it run."""
    modules = needed("data_sim.__main__") | {"data_sim", "lensy"}
    assert not top(set().union(*(imports(TREES[name]) for name in modules))) & {
        "torch",
        "lightning",
    }


@pytest.mark.parametrize("name", LENSY)
def test_only_the_command_line_prints(name: str) -> None:
    calls = [node.func for node in ast.walk(TREES[name]) if isinstance(node, ast.Call)]
    printing = [func for func in calls if isinstance(func, ast.Name) and func.id == "print"]
    assert not printing or name in ("lensy.errors", "lensy.cli")


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


def test_every_level_has_its_module() -> None:
    """Names that are planned and not there yet."""
    planned = {"book"}
    assert set(LEVELS) - planned <= set(TREES)


@pytest.mark.parametrize("name", BOOK)
def test_the_book_uses_what_is_public(name: str) -> None:
    """Its scripts import from below, and no name with a leading underscore."""
    used = ours(imports(BOOK[name]))
    assert all(LEVELS[module] < LEVELS["book"] for module in used)
    froms = [node for node in ast.walk(BOOK[name]) if isinstance(node, ast.ImportFrom)]
    assert not [a.name for node in froms for a in node.names if a.name.startswith("_")]
