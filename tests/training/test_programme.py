"""A network in a few minutes at a time: stopped, handed over, gone on with."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from builders import tiny_experiment, tiny_recipe
from safetensors.torch import load_file
from typer.testing import CliRunner

from lensy.cli.reproduce import reproduce as command
from lensy.errors import LensyError
from lensy.provenance import write_json
from lensy.runs.run import Run
from lensy.training import handover, programme
from lensy.training.handover import LARGEST, LAST, MOST, hand_over, loaded, take_back
from lensy.training.programme import Deadline, OutOfTimeError, reproduce

CPU = {"accelerator": "cpu", "devices": 1}

RECIPE = tiny_recipe(name="talk-smoke", n_train=8, n_validation=8, n_test=8)

PLENTY = 1000.0
"""Minutes: the alarm does not ring."""


@pytest.fixture(scope="module", autouse=True)
def small(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tiny network on tiny data, made once, in place of the smallest of the programme."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(USUAL, "data_folder", folder)
        patch.setattr(programme, "recipe", lambda _: RECIPE)
        alone = partial(programme.make_data_set, n_jobs=1)
        patch.setattr(programme, "make_data_set", alone)
        patch.setattr(programme, "experiment", lambda *_: tiny_experiment(RECIPE, n_epochs=3))
        yield


def after(n_epochs: int) -> Callable[[], float]:
    """A clock that stands still until so many epochs have begun, and then is far ahead."""
    calls = iter(range(1000))
    return lambda: 0.0 if next(calls) <= n_epochs else 1e9


USUAL: dict[str, Any] = {"minutes": PLENTY, "scale": "smoke", "trainer_options": CPU}


def call(folder: Path, **changes: Any) -> dict[str, Any]:
    options = USUAL | {"runs": folder / "runs"} | changes
    return reproduce("tiny", folder / "result", **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that was never stopped."""
    folder = tmp_path_factory.mktemp("whole")
    assert call(folder)["finished"]
    return folder


def assert_same_run(found: Path, expected: Path) -> None:
    for name in ("model.safetensors", "head.safetensors"):
        one, other = load_file(found / name), load_file(expected / name)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
    np.testing.assert_array_equal(Run(found).scores()["score"], Run(expected).scores()["score"])
    assert Run(found).info["best_epoch"] == Run(expected).info["best_epoch"]
    epochs = [[row["epoch"] for row in Run(each).history_rows()] for each in (found, expected)]
    assert epochs[0] == epochs[1] == ["1", "2", "3"]


@pytest.mark.parametrize("n_epochs", [1, 2])
def test_stopped_and_gone_on_with_elsewhere_it_has_the_same_weights(
    tmp_path: Path, whole: Path, n_epochs: int
) -> None:
    """On another machine, that has neither the data nor the run."""
    here, there = tmp_path / "here", tmp_path / "there"
    said = call(here, clock=after(n_epochs))
    assert (said["finished"], said["epochs"], said["form"]) == (False, n_epochs, "exact")
    assert not (here / "runs/smoke/tiny/run.json").exists()
    said = call(there, resume=here / "result", data_folder=there / "data")
    assert said["finished"]
    assert [each["epochs"] for each in said["calls"]] == [n_epochs, 3]
    assert_same_run(there / "runs/smoke/tiny", whole / "runs/smoke/tiny")


def test_a_finished_result_is_a_run_wherever_it_is_brought(tmp_path: Path, whole: Path) -> None:
    said = call(tmp_path, resume=whole / "result", data_folder=tmp_path / "data")
    assert said["finished"]
    assert not (tmp_path / "data").exists()
    assert_same_run(tmp_path / "runs/smoke/tiny", whole / "runs/smoke/tiny")


def test_time_that_is_over_while_scoring_loses_no_epoch(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ringing(*_: Any, **__: Any) -> None:
        raise OutOfTimeError

    with monkeypatch.context() as patch:
        patch.setattr("lensy.training.fit.finish", ringing)
        said = call(tmp_path)
    assert (said["finished"], said["epochs"]) == (False, 3)
    assert call(tmp_path / "there", resume=tmp_path / "result")["finished"]
    assert_same_run(tmp_path / "there/runs/smoke/tiny", whole / "runs/smoke/tiny")


def test_the_alarm_rings_in_the_middle_of_anything() -> None:
    deadline = Deadline(0.05)
    with pytest.raises(OutOfTimeError), deadline.kept():
        threading.Event().wait(60)


def test_no_time_for_data_is_said_and_handed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ringing(*_: Any, **__: Any) -> None:
        raise OutOfTimeError

    monkeypatch.setattr(programme, "make_data_set", ringing)
    said = call(tmp_path)
    assert (said["epochs"], said["form"], said["parts"]) == (0, "none", 0)


def test_an_epoch_that_would_not_fit_is_not_begun() -> None:
    times = iter([0.0, 0.0, 40.0, 80.0])
    deadline = Deadline(100.0, clock=lambda: next(times))
    deadline.on_train_epoch_start()
    deadline.on_train_epoch_start()
    with pytest.raises(OutOfTimeError):
        deadline.on_train_epoch_start()


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was stopped after two epochs."""
    folder = tmp_path_factory.mktemp("begun")
    call(folder, clock=after(2))
    return folder


def test_files_are_few_and_small(
    tmp_path: Path, begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a limit that the tiny checkpoint reaches, and put together again."""
    files = list((begun / "result").iterdir())
    assert len(files) <= MOST == 8
    assert max(path.stat().st_size for path in files) <= LARGEST <= 16e6
    run = begun / "runs/smoke/tiny"
    size = (run / LAST).stat().st_size
    monkeypatch.setattr(handover, "LARGEST", size)
    about = {"name": "tiny", "scale": "smoke", "fingerprint": "x", "finished": False}
    said = hand_over(run, tmp_path / "parts", about, limit=7 * size)
    sizes = [path.stat().st_size for path in (tmp_path / "parts").glob("run.tar.*")]
    assert said["parts"] == len(sizes) > 1
    assert max(sizes) == size
    take_back(tmp_path / "parts", tmp_path / "run", fingerprint="x")
    one, other = loaded(run / LAST), loaded(tmp_path / "run" / LAST)
    assert all(torch.equal(one["state_dict"][k], other["state_dict"][k]) for k in one["state_dict"])
    (tmp_path / "parts/run.tar.1").unlink()
    with pytest.raises(LensyError, match=r"run\.tar\.1 is missing: copy all files"):
        take_back(tmp_path / "parts", tmp_path / "again", fingerprint="x")


@pytest.mark.parametrize("form", ["halved", "last alone"])
def test_what_does_not_fit_is_handed_over_lighter_and_can_be_gone_on_with(
    tmp_path: Path, begun: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = dict(handover.forms(begun / "runs/smoke/tiny"))
    with monkeypatch.context() as patch:
        patch.setattr(handover, "forms", lambda _: [(form, found[form])])
        said = call(tmp_path / "here", resume=begun / "result", clock=after(0))
    assert (said["form"], said["epochs"]) == (form, 2)
    said = call(tmp_path / "there", resume=tmp_path / "here/result")
    run = Run(tmp_path / "there/runs/smoke/tiny")
    assert said["finished"]
    assert np.isfinite(run.scores()["score"]).all()
    if form == "last alone":
        assert run.info["best_epoch"] in (2, 3)


def test_forms_get_lighter_and_the_first_that_fits_is_taken(begun: Path) -> None:
    run = begun / "runs/smoke/tiny"
    sizes = {
        form: sum(len(handover.saved(each)) for each in checkpoints.values())
        for form, checkpoints in handover.forms(run)
    }
    assert list(sizes) == ["exact", "halved", "last alone"]
    assert sizes["exact"] > sizes["halved"] >= sizes["last alone"]
    for limit, form in ((10**9, "exact"), (1000, "none")):
        assert handover.archive(run, limit)[0] == form


def test_what_has_come_further_here_is_not_overwritten(tmp_path: Path, begun: Path) -> None:
    call(tmp_path, clock=after(1))
    further = tmp_path / "further"
    for result in (begun / "result", tmp_path / "result"):
        said = call(further, resume=result, clock=after(0))
        assert said["epochs"] == 2


def test_bad_input_is_one_sentence(tmp_path: Path, begun: Path) -> None:
    with pytest.raises(LensyError, match="0 minutes are no time"):
        call(tmp_path, minutes=0)
    with pytest.raises(LensyError, match="holds no result: give a folder"):
        call(tmp_path, resume=tmp_path)
    other = tmp_path / "other"
    shutil.copytree(begun / "result", other)
    said = json.loads((other / "result.json").read_text("utf-8"))
    write_json(other / "result.json", said | {"fingerprint": "y"})
    with pytest.raises(LensyError, match=r"holds tiny at scale smoke \(y\), not what is asked"):
        call(tmp_path, resume=other)


def test_an_experiment_that_begins_with_another_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tiny_experiment(RECIPE)
    second = first.model_copy(update={"name": "second", "start": first})
    monkeypatch.setattr(programme, "experiment", lambda *_: second)
    with pytest.raises(LensyError, match="second begins with the weights of tiny"):
        call(tmp_path, data_folder=tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_an_archive_of_somebody_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LensyError, match=r"holds no \.\./evil\.json"):
        handover.unpack(handover.packed({"../evil.json": b"{}"}), tmp_path / "run")
    assert not (tmp_path / "evil.json").exists()


def test_the_command_says_how_far_it_came_and_what_was_wrong(
    tmp_path: Path, begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.command()(command)
    words = ["--only", "tiny", "--scale", "smoke", "--minutes", "0.001"]
    runner = CliRunner()
    found = runner.invoke(app, [*words, "--resume", str(begun / "result"), "--quiet"])
    assert found.exit_code == 0, found.output
    assert "tiny: 2 of 3 epochs, checkpoint exact: go on with --resume." in found.stdout
    found = runner.invoke(app, [*words, "--resume", str(tmp_path / "absent")])
    assert found.exit_code == 2
    assert "holds no result" in found.stderr
