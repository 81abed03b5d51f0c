"""Training on a handful of images: it learns, it resumes, it writes what it says."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import bright_population, tiny_data, tiny_experiment, untrained
from numpy.testing import assert_allclose
from safetensors.torch import load_file
from torch.nn import functional

from lensy.datasets.frames import Crops, Frames, example_columns
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.metrics.ranking import auroc, balanced, ranking_results
from lensy.models.ou import Ou
from lensy.models.precision import computing_in
from lensy.models.unet import Naberrie
from lensy.provenance import write_json
from lensy.runs.library import find_run, obtain, runs_folder, shipped_run
from lensy.runs.run import Run
from lensy.runs.weights import round_trip_half
from lensy.telescope.bands import FILTERS
from lensy.training import fit as fitting
from lensy.training import learner
from lensy.training.fit import fit, score_again
from lensy.training.kinds import experiment, experiment_of
from lensy.training.predecessor import predecessor_scores
from lensy.training.unet import UnetExperiment, fit_head
from lensy.training.unet_learner import UnetLearner
from lensy.training.unet_scores import (
    choose_painting_score,
    score_frames,
)

CPU = {"accelerator": "cpu", "devices": 1}


def loaded(run: Run) -> Any:
    """The whole network of a run."""
    return experiment_of(run).load(run)


def again_on(run: Run, data: DataSet, folder: Path) -> Run:
    """Other data scored with a run's network."""
    wanted = experiment_of(run).elsewhere(run, data.recipe, "on")
    return score_again(wanted, run, data, folder)


def again_for(run: Run, data: DataSet, folder: Path) -> Run:
    """Dense layers taught anew for other data."""
    wanted = experiment_of(run).elsewhere(run, data.recipe, "for")
    return fit_head(wanted, run, data, folder)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Sums of one thread have one order, so that weights can be compared bit by bit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tiny(data: DataSet) -> UnetExperiment:
    return tiny_experiment(data.recipe)


@pytest.fixture(scope="module")
def run(tiny: UnetExperiment, data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of two epochs without interruption. Tests only read it."""
    folder = tmp_path_factory.mktemp("runs") / "smoke" / "tiny"
    return fit(tiny, data, folder, trainer_options=CPU)


# Learning


def test_steps_on_one_batch_lower_the_loss(data: DataSet, tiny: UnetExperiment) -> None:
    torch.manual_seed(1)
    module = UnetLearner(tiny, data)
    crops = Crops(data, ("VIS",), size=32, seed=1, start=0, count=4)
    batch = torch.utils.data.default_collate([crops[k] for k in range(4)])
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-2)
    losses = []
    for step in range(20):
        loss = module.training_step(batch, step)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def one_batch(data: DataSet) -> Any:
    item = Crops(data, ("VIS",), size=32, seed=1, start=0, count=1)[0]
    return {key: value[None] for key, value in item.items()}


def test_the_loss_is_the_squared_error_of_arcsinh(data: DataSet) -> None:
    module = UnetLearner(tiny_experiment(data.recipe, coarse_weight=0), data).eval()
    batch = one_batch(data)
    with torch.inference_mode():
        output = module.model(batch["image"])
        expected = np.mean((output.numpy() - np.arcsinh(batch["target"].numpy() / 2.0221)) ** 2)
        # the noise is typed to five digits
        assert_allclose(float(module.training_step(batch, 0)), expected, rtol=1e-3)


def test_the_coarse_painting_is_held_against_means_of_blocks(data: DataSet) -> None:
    torch.manual_seed(3)
    module = UnetLearner(tiny_experiment(data.recipe, coarse_weight=2.5), data).eval()
    batch = one_batch(data)
    with torch.inference_mode():
        features, skips = module.model.encode(batch["image"])
        fine = module.model.paint(features, skips)[0, 0].numpy()
        coarse = module.coarse(features)[0, 0].numpy()
        target = module.model.compress_light(batch["target"])[0, 0].numpy()
        blocks = target.reshape(2, 16, 2, 16).mean(axis=(1, 3))
        expected = np.mean((fine - target) ** 2) + 2.5 * np.mean((coarse - blocks) ** 2)
        assert_allclose(float(module.training_step(batch, 0)), expected, rtol=1e-5)


def test_a_mask_of_artefacts_is_learned_beside_the_painting(data: DataSet, tmp_path: Path) -> None:
    wanted = tiny_experiment(data.recipe, artefacts=True).model_copy(
        update={"marks_artefacts": True}
    )
    torch.manual_seed(3)
    module = UnetLearner(wanted, data).eval()
    batch = one_batch(data) | {"spoilt": (torch.rand(1, 1, 32, 32) > 0.8).float()}
    with torch.inference_mode():
        logits = module.model.paint(*module.model.encode(batch["image"]))[:, 1:]
        alone = float(module.training_step(batch, 0)) - 0.2 * float(
            functional.binary_cross_entropy_with_logits(logits, batch["spoilt"])
        )
        module.model.marks_artefacts = False
        assert_allclose(float(module.training_step(batch, 0)), alone, rtol=1e-5)
    made = fit(wanted, data, tmp_path, trainer_options=CPU)
    assert experiment_of(made).trunk(made).mark(batch["image"]).shape == (1, 1, 32, 32)
    assert wanted.fingerprint != tiny_experiment(data.recipe, artefacts=True).fingerprint


@pytest.mark.parametrize("bands", [("H",), ("VIS", "Y", "J", "H")])
def test_other_bands_run_from_training_to_scores(
    data: DataSet, tmp_path: Path, bands: tuple[str, ...]
) -> None:
    """66 x 66 frames, and all four bands at once; the network is as wide as its input."""
    wanted = tiny_experiment(data.recipe, bands=bands, n_epochs=1, artefacts=True)
    made = fit(wanted, data, tmp_path, trainer_options=CPU)
    assert experiment_of(made).trunk(made).encoder.blocks[0][0].in_channels == len(bands)  # type: ignore[index, union-attr]
    stored, catalogue = made.scores(), data.catalogue("test")
    assert np.isfinite(stored["score"]).all()
    name = f"arc_signal_to_noise_{bands[0]}"
    assert_allclose(stored["arc_signal_to_noise"], catalogue[name], rtol=1e-6)


# The classifier


def test_the_encoder_of_the_classifier_is_that_of_the_painter(run: Run) -> None:
    """Bit by bit, statistics included: dense layers were trained, nothing else."""
    stored = load_file(run.folder / "model.safetensors")
    inside = loaded(run).encoder.unet.state_dict()
    assert inside.keys() == stored.keys()
    assert all(torch.equal(inside[name].to(each.dtype), each) for name, each in stored.items())


def test_new_dense_layers_leave_the_encoder_as_it_was(run: Run, tmp_path: Path) -> None:
    other = tiny_data(tmp_path / "data", n_test=8, n_validation=8, n_train=8, seed=5)
    again = again_for(run, other, tmp_path / "again")
    assert_same_weights(again.folder, run.folder)
    heads = [load_file(each.folder / "head.safetensors") for each in (again, run)]
    assert not torch.equal(heads[0]["layers.0.weight"], heads[1]["layers.0.weight"])
    assert again.info["encoder_of"]["fingerprint"] == run.info["fingerprint"]
    assert again.info["experiment"]["name"] == "tiny-for-tiny"
    assert np.array_equal(again.scores()["label"], other.labels("test"))


def test_a_run_may_stand_on_the_encoder_of_the_run_beside_it(run: Run, tmp_path: Path) -> None:
    other = tiny_data(tmp_path / "data", n_test=2, n_validation=8, n_train=8, seed=5)
    again = again_for(run, other, tmp_path / "again")
    image = torch.from_numpy(other.observed("test", 0, "VIS"))[None, None]
    own = loaded(again).score(image)
    (again.folder / "model.safetensors").unlink()
    with pytest.raises(LensyError, match="there is no such run"):
        loaded(Run(again.folder))
    shutil.copytree(run.folder, tmp_path / "tiny")
    assert torch.equal(loaded(Run(again.folder)).score(image), own)
    about = json.loads((again.folder / "run.json").read_text("utf-8"))
    about["encoder_of"]["fingerprint"] = "another"
    write_json(again.folder / "run.json", about)
    with pytest.raises(LensyError, match=r"fingerprint another, but there is no such run"):
        loaded(Run(again.folder))


def test_scored_again_on_other_images(run: Run, data: DataSet, tmp_path: Path) -> None:
    """On the same data the scores are those that were stored; no weights are written."""
    again = again_on(run, data, tmp_path / "again")
    assert_allclose(again.scores()["score"], run.scores()["score"], rtol=1e-4, atol=1e-4)
    assert again.info["experiment"]["name"] == "tiny-on-tiny"
    assert again.info["trained_on"] == run.info["experiment"]["recipe"]
    assert "trained on tiny" in again.summary()
    assert not list(again.folder.glob("*.safetensors"))
    with pytest.raises(
        LensyError, match=r"again keeps scores and no weights \(model\.safetensors\)"
    ):
        loaded(again)


def test_non_lenses_alone_are_scored_and_nothing_is_ranked(run: Run, tmp_path: Path) -> None:
    """What the scores mean stays what the run's own validation frames said."""
    alone = bright_population(lens_fraction=0.0)
    others = tiny_data(tmp_path / "data", population=alone, n_test=3, n_validation=0, n_train=0)
    again = again_on(run, others, tmp_path / "again")
    assert again.info["test"] == {"n": 3, "n_lenses": 0}
    assert again.info["score"] == run.info["score"]
    assert np.isfinite(again.scores()["score"]).all()


def test_a_balanced_set_is_the_first_of_each_class() -> None:
    labels = np.array([0, 1, 0, 0, 1, 0], bool)
    assert np.array_equal(np.flatnonzero(balanced(labels)), [0, 1, 2, 4])


# The run


def test_a_run_is_its_files(run: Run) -> None:
    names = {path.name for path in run.folder.iterdir() if path.is_file()}
    assert {"run.json", "history.csv", "scores.npz", "model.safetensors"} <= names
    assert not [name for name in names if name.endswith(".partial")]


def test_the_history_has_a_row_per_epoch(run: Run) -> None:
    history = run.history()
    assert_allclose(history["epoch"], [1, 2])
    assert_allclose(history["step"], [2, 4])
    assert np.all(history["train_loss"] > 0)
    assert np.all((history["val_auroc"] >= 0) & (history["val_auroc"] <= 1))
    assert np.all(np.diff(history["minutes"]) > 0)


def test_the_history_is_a_plain_table(run: Run) -> None:
    with (run.folder / "history.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    assert header == ["epoch", "step", "train_loss", "val_loss", "val_auroc", "minutes"]
    assert len(rows) == 2


def test_run_json_says_what_was_made(run: Run, tiny: UnetExperiment) -> None:
    assert run.info["fingerprint"] == tiny.fingerprint
    assert run.info["experiment"] == json.loads(tiny.model_dump_json())
    assert run.info["score"]["painting"]["n_brightest"] in FILTERS["VIS"].n_brightest
    assert run.info["classifier"]["best_epoch"] in (1, 2)
    assert {"commit", "hardware", "packages", "date"} <= set(run.info["provenance"])
    assert run.info["best_epoch"] in (1, 2)


def test_scores_come_with_labels_and_what_the_examples_are(run: Run, data: DataSet) -> None:
    scores = run.scores()
    assert np.array_equal(scores["label"], data.labels("test"))
    assert_allclose(scores["einstein_radius"], data.catalogue("test")["einstein_radius"], rtol=1e-6)
    assert run.info["test"]["auroc"]["value"] == auroc(scores["label"], scores["score"])


def test_the_loaded_network_gives_the_stored_scores(run: Run, data: DataSet) -> None:
    """Weights were rounded to half precision before scoring, so only the order of sums differs."""
    again = score_frames(loaded(run), Frames(data, "test", ("VIS",)))
    stored = run.scores()
    brightest = again[f"brightest_{run.info['score']['painting']['n_brightest']}"]
    assert_allclose(brightest, stored["brightest"], rtol=1e-4, atol=1e-5)
    assert_allclose(again["score"], stored["score"], rtol=1e-4, atol=1e-4)
    assert_allclose(again["squared_error"], stored["squared_error"], rtol=1e-4)


def test_weights_are_stored_in_half_precision(run: Run) -> None:
    stored = load_file(run.folder / "model.safetensors")
    kinds = {tensor.dtype for tensor in stored.values() if tensor.is_floating_point()}
    assert kinds == {torch.float16}
    loaded = experiment_of(run).trunk(run).state_dict()
    assert all(torch.equal(loaded[name].to(each.dtype), each) for name, each in stored.items())


def test_rounding_to_half_precision_is_done_once() -> None:
    model = Naberrie(width=2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    round_trip_half(model)
    once = {name: value.clone() for name, value in model.state_dict().items()}
    round_trip_half(model)
    for name, value in model.state_dict().items():
        assert torch.equal(value, once[name])
        assert_allclose(value, before[name], rtol=2**-11, atol=1e-7)


def test_a_run_in_mixed_precision_says_so_and_is_scored_in_it(
    data: DataSet, tmp_path: Path
) -> None:
    made = fit(
        tiny_experiment(data.recipe),
        data,
        tmp_path / "half",
        trainer_options=CPU | {"precision": "bf16-mixed"},
    )
    assert made.arithmetic == "bf16-mixed"
    assert "precision bf16-mixed, commit" in made.summary()
    frames = Frames(data, "test", ("VIS",))
    single = score_frames(loaded(made), frames)["score"]
    stored = made.scores()["score"]
    with computing_in("bf16-mixed"):
        half = score_frames(loaded(made), frames)["score"]
    assert_allclose(stored, half, rtol=1e-6)
    assert not np.allclose(stored, single, rtol=1e-6)
    again = again_on(made, data, tmp_path / "again")
    assert_allclose(again.scores()["score"], stored, rtol=1e-6)


def test_the_summary_is_a_sentence_for_a_page(run: Run) -> None:
    sentence = run.summary()
    assert sentence.startswith("tiny at scale smoke, trained here: ")
    assert run.info["provenance"]["commit"] in sentence
    assert "precision" not in sentence
    assert not run.is_shipped


# Interruption


class PowerCutError(Exception):
    """What ends a job in these tests."""


def never(*_: Any, **__: Any) -> None:
    raise AssertionError("nothing is to be made here")


def weights(folder: Path) -> dict[str, Any]:
    return load_file(folder / "model.safetensors")


def assert_same_weights(one: Path, other: Path) -> None:
    expected = weights(other)
    assert weights(one).keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in weights(one).items())


def cut_in(epoch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a job end at its first step in an epoch."""
    whole = UnetLearner.training_step

    def training_step(self: UnetLearner, batch: Any, batch_idx: int) -> Any:
        if self.trainer.current_epoch == epoch:
            raise PowerCutError(f"in epoch {epoch}")
        return whole(self, batch, batch_idx)

    monkeypatch.setattr(UnetLearner, "training_step", training_step)


def test_a_run_cut_after_an_epoch_ends_with_the_same_weights(
    run: Run, tiny: UnetExperiment, data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as cut:
        cut_in(1, cut)
        with pytest.raises(PowerCutError, match="in epoch 1"):
            fit(tiny, data, tmp_path, trainer_options=CPU)
    assert not (tmp_path / "run.json").exists()
    cut_in(0, monkeypatch)  # the finished epoch is not trained again
    resumed = fit(tiny, data, tmp_path, trainer_options=CPU)
    assert_same_weights(tmp_path, run.folder)
    columns = ["step", "train_loss", "val_loss", "val_auroc"]
    assert all(np.array_equal(resumed.history()[c], run.history()[c]) for c in columns)
    assert np.array_equal(resumed.scores()["score"], run.scores()["score"])


def test_a_run_cut_while_it_is_scored_is_not_trained_again(
    tiny: UnetExperiment, data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no epoch was better than the first, so that the best weights are the oldest."""
    monkeypatch.setattr(learner, "auroc", lambda *_: 0.5)
    with monkeypatch.context() as cut:
        cut.setattr(fitting, "finish", never)
        with pytest.raises(AssertionError, match="nothing is to be made here"):
            fit(tiny, data, tmp_path, trainer_options=CPU)
    monkeypatch.setattr(UnetLearner, "training_step", never)
    resumed = fit(tiny, data, tmp_path, trainer_options=CPU)
    assert_allclose(resumed.history()["epoch"], [1, 2])
    assert resumed.info["best_epoch"] == 1


def test_a_training_goes_on_where_its_folder_was_moved(
    tiny: UnetExperiment, data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It still knows which epoch was best, also when that is none of the new ones."""
    areas = iter([0.9, 0.6])
    monkeypatch.setattr(learner, "auroc", lambda *_: next(areas, 0.5))
    step, left = UnetLearner.training_step, [tiny.training.steps_per_epoch]

    def one_epoch(self: UnetLearner, batch: Any, number: int) -> Any:
        left[0] -= 1
        return step(self, batch, number) if left[0] >= 0 else never()

    with monkeypatch.context() as cut:
        cut.setattr(UnetLearner, "training_step", one_epoch)
        with pytest.raises(AssertionError, match="nothing is to be made here"):
            fit(tiny, data, tmp_path / "here", trainer_options=CPU)
    shutil.move(tmp_path / "here", tmp_path / "there")
    moved = fit(tiny, data, tmp_path / "there", trainer_options=CPU)
    assert_allclose(moved.history()["val_auroc"], [0.9, 0.6])
    assert moved.info["best_epoch"] == 1


def test_another_seed_gives_other_weights(run: Run, data: DataSet, tmp_path: Path) -> None:
    fit(tiny_experiment(data.recipe, seed=2), data, tmp_path, trainer_options=CPU)
    name = "encoder.blocks.0.0.weight"
    assert not torch.equal(weights(tmp_path)[name], weights(run.folder)[name])


# Beginning with the weights of another network


def after(run: Run, **changes: Any) -> UnetExperiment:
    """An experiment that begins with the network of `run`."""
    first = UnetExperiment.model_validate(run.info["experiment"])
    return tiny_experiment(first.recipe, **changes).model_copy(update={"start": first})


def test_the_first_weights_are_those_of_the_other_run(
    run: Run, data: DataSet, tmp_path: Path
) -> None:
    """Steps of no length leave them as they were; only batch statistics move."""
    wanted = after(run, learning_rate=1e-30, weight_decay=0, n_epochs=1)
    made = fit(wanted, data, tmp_path, start=run, trainer_options=CPU)
    found, expected = (
        dict(experiment_of(made).trunk(made).named_parameters()),
        dict(experiment_of(run).trunk(run).named_parameters()),
    )
    assert all(torch.equal(each, expected[name]) for name, each in found.items())
    assert made.info["experiment"]["start"]["name"] == "tiny"


@pytest.mark.parametrize("given", [False, True])
def test_a_start_that_was_not_asked_for_is_refused(
    run: Run, tiny: UnetExperiment, data: DataSet, tmp_path: Path, given: bool
) -> None:
    wanted, start = (tiny, run) if given else (after(run), None)
    expected = "begins with the weights of no other network" if given else "but was given none"
    with pytest.raises(LensyError, match=expected):
        fit(wanted, data, tmp_path, start=start)
    assert not list(tmp_path.iterdir())


def test_obtaining_a_run_obtains_its_start_first(
    run: Run, data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(run.folder, tmp_path / "runs" / "smoke" / "tiny")
    shutil.copytree(data.folder, tmp_path / "data" / "tiny")
    monkeypatch.setattr(fitting, "fit", lambda *_, **words: words["start"])
    wanted = after(run, width=2).model_copy(update={"name": "later"})
    start = obtain(wanted, data_folder=tmp_path / "data", runs=tmp_path / "runs")
    assert start.folder == tmp_path / "runs" / "smoke" / "tiny"


def test_the_fingerprint_changes_with_the_start(run: Run, tiny: UnetExperiment) -> None:
    assert after(run).fingerprint != tiny.fingerprint


def test_nisp_begins_with_vis_of_the_same_seed(data: DataSet) -> None:
    start = experiment("naberrie-h", "laptop", data.recipe, seed=3).start
    assert start == experiment("naberrie-vis", "laptop", data.recipe, seed=3)
    assert start.start is None


# What is refused


def test_data_of_another_recipe_are_refused(data: DataSet, tmp_path: Path) -> None:
    other = tiny_experiment(data.recipe.model_copy(update={"seed": 99, "name": "other"}))
    with pytest.raises(LensyError, match=r"holds 'tiny', but tiny .* is defined on 'other'"):
        fit(other, data, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_of_other_settings_is_refused(data: DataSet, run: Run) -> None:
    with pytest.raises(LensyError, match=rf"{run.folder} holds an unfinished run with other"):
        fit(tiny_experiment(data.recipe, learning_rate=0.1), data, run.folder)


def test_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(LensyError, match=rf"{tmp_path} holds no finished run: make one with"):
        Run(tmp_path)


def test_a_run_that_is_not_shipped_says_how_to_make_it() -> None:
    with pytest.raises(LensyError, match=r"No run of 'tiny' is shipped .*`lensy train tiny`"):
        shipped_run("tiny")


# Obtaining


def test_a_finished_run_is_loaded_and_not_trained(
    run: Run, tiny: UnetExperiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "fit", never)
    monkeypatch.setattr("lensy.datasets.store.make_data_set", never)
    found = obtain(tiny, runs=run.folder.parent.parent)
    assert found.folder == run.folder


def test_without_a_run_data_are_made_and_a_network_trained(
    tiny: UnetExperiment, data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data are there already, so making them means opening them."""
    shutil.copytree(data.folder, tmp_path / "data" / "tiny")
    monkeypatch.setattr(fitting, "fit", lambda *words, **_: words)
    chosen, made, folder = obtain(tiny, data_folder=tmp_path / "data", runs=tmp_path / "runs")  # type: ignore[misc]
    assert chosen == tiny
    assert made.folder == tmp_path / "data" / "tiny"
    assert folder == tmp_path / "runs" / "smoke" / "tiny"


def test_a_run_with_other_settings_is_not_found(
    run: Run, tiny: UnetExperiment, data: DataSet
) -> None:
    runs = run.folder.parent.parent
    other = tiny_experiment(data.recipe, batch=5)
    assert find_run(other, runs=runs, use_shipped=False) is None
    assert find_run(tiny, runs=runs, use_shipped=False).folder == runs_folder(tiny, runs)


# Experiments and scores


@pytest.mark.parametrize("changes", [{"width": 3}, {"crop": 48}, {"seed": 5}, {"n_epochs": 3}])
def test_the_fingerprint_changes_with_the_training(
    data: DataSet, tiny: UnetExperiment, changes: dict[str, int]
) -> None:
    assert tiny_experiment(data.recipe, **changes).fingerprint != tiny.fingerprint


def test_the_fingerprint_changes_with_the_data(data: DataSet, tiny: UnetExperiment) -> None:
    other = data.recipe.model_copy(update={"seed": 99})
    assert tiny_experiment(other).fingerprint != tiny.fingerprint


def test_unknown_experiments_and_scales_are_refused(data: DataSet) -> None:
    with pytest.raises(LensyError, match=r"no experiment 'x'; the experiments are naberrie-vis"):
        experiment("x", "smoke", data.recipe)
    with pytest.raises(LensyError, match=r"no scale 'big'; the scales are smoke, laptop, talk"):
        experiment("naberrie-vis", "big", data.recipe)  # type: ignore[arg-type]


def test_validation_chooses_the_score_that_ranks_best() -> None:
    labels = np.arange(40) < 20
    rng = np.random.default_rng(1)
    columns = {f"brightest_{n}": rng.standard_normal(40) for n in FILTERS["VIS"].n_brightest}
    chosen = choose_painting_score({"label": labels, **columns, "brightest_300": labels + 0.1})
    assert chosen["n_brightest"] == 300
    assert chosen["validation_auroc"]["300"] == 1.0
    assert chosen["threshold_at_false_positive_rate"]["0.1"] == pytest.approx(0.1)


def test_scores_of_frames_by_hand(data: DataSet) -> None:
    """One frame at a time through the network, brightest pixels by sorting."""
    classifier, frames = untrained(seed=4), Frames(data, "test", ("VIS",), limit=3)
    scores = score_frames(classifier, frames)
    images = [frames[k]["image"][None] for k in range(3)]
    with torch.inference_mode():
        outputs = [classifier.encoder.unet(image).numpy().ravel() for image in images]
        logits = [classifier(image)[0].numpy() for image in images]
    expected = [np.sort(output)[-30:].mean() for output in outputs]
    assert_allclose(scores["brightest_30"], expected, rtol=1e-4, atol=1e-6)
    assert_allclose(scores["score"], [lens - other for other, lens in logits], atol=1e-5)
    assert_allclose(scores["lens_logit"], [lens for _, lens in logits], atol=1e-5)
    assert list(scores["label"]) == list(data.labels("test")[:3])


def test_the_predecessor_scores_the_same_frames(data: DataSet) -> None:
    torch.manual_seed(5)
    model, frames = Ou("ou-vis").eval(), Frames(data, "test", ("VIS",), limit=2)
    probability = np.array([float(model.score(frames[k]["image"][None])) for k in range(2)])
    expected = np.log(probability / (1 - probability))
    assert_allclose(predecessor_scores(model, frames)["score"], expected, rtol=1e-4, atol=1e-6)


def test_columns_of_examples_are_those_of_the_catalogue(data: DataSet) -> None:
    columns = example_columns(data, "VIS", "validation")
    assert columns["has_source"].dtype == bool
    assert {len(values) for values in columns.values()} == {8}


def test_results_hold_their_intervals() -> None:
    labels = np.arange(60) < 30
    scores = labels + np.random.default_rng(2).standard_normal(60)
    results = ranking_results(labels, scores)
    assert (results["n"], results["n_lenses"]) == (60, 30)
    area = results["auroc"]
    assert area["low"] < area["value"] == auroc(labels, scores) < area["high"]
