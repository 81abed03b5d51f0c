"""Pictures of what networks look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from builders import bright_population, tiny_data, tiny_experiment
from numpy.testing import assert_allclose, assert_array_equal

from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.exams.attribution import METHODS, Attribution, subjects
from lensy.exams.saliency import LENS, differentiable, guided_gradcam, occlusion_map
from lensy.models.ou import FAMILY
from lensy.runs.library import obtain
from lensy.runs.run import Run
from lensy.telescope.bands import band
from lensy.training.fit import fit
from lensy.training.kinds import experiment_of, scorer_of
from lensy.training.ou import OuExperiment, OuTraining

CPU = {"accelerator": "cpu", "devices": 1}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Lenses and others in all bands that OU-200 sees."""
    folder = tmp_path_factory.mktemp("data") / "tiny"
    population = bright_population(source_magnitude=(20.0, 21.0))
    return tiny_data(
        folder,
        population=population,
        bands=("VIS", "Y", "J", "H"),
        n_test=6,
        n_validation=8,
        n_train=8,
    )


@pytest.fixture(scope="module")
def unet(images: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("unet")
    return fit(tiny_experiment(images.recipe), images, folder, trainer_options=CPU)


@pytest.fixture(scope="module")
def ou_200(images: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Run:
    training = OuTraining(batch=4, n_epochs=1, steps_per_epoch=2, n_check=8)
    wanted = OuExperiment(
        name="ou-200-trained",
        scale="smoke",
        network="ou-200",
        training=training,
        recipe=images.recipe,
    )
    return fit(wanted, images, tmp_path_factory.mktemp("ou"), trainer_options=CPU)


def quick(run: Run, data: DataSet) -> Attribution:
    return Attribution.of(run, data.recipe, side=50, stride=50, n_steps=2)


def test_every_subject_is_what_its_name_says(images: DataSet) -> None:
    bands = FAMILY["ou-200"].bands
    found = subjects(images, bands)
    assert {tuple(flux.shape) for flux in found.values()} == {(1, 4, 200, 200)}
    seen = {name: flux[0, bands.index("VIS")].numpy() for name, flux in found.items()}
    frames = [images.observed("test", k, "VIS") for k in range(6)]
    labels = images.labels("test")
    for name, is_lens in (("a lens", True), ("no lens", False)):
        same = [k for k, frame in enumerate(frames) if np.array_equal(frame, seen[name])]
        assert [bool(labels[k]) for k in same] == [is_lens]
    # pixels without data are 0, and nothing else is
    assert (seen["a chip gap"] == 0).sum() > 100
    assert not (seen["no lens"] == 0).any()
    sigma = band("VIS").background_sigma
    assert seen["empty sky"].std() == pytest.approx(sigma, rel=0.02)
    assert seen["a blue ring"].max() > 10 * sigma


def test_a_network_that_reconstructs_is_asked_by_every_method(
    unet: Run, images: DataSet, tmp_path: Path
) -> None:
    made = quick(unet, images).make(images, tmp_path, start=None, progress=False)
    assert made.name == "tiny-attribution"
    rows = made.scores()
    flux = subjects(images, ("VIS",))
    assert list(rows["subject"]) == list(flux)
    for name in METHODS:
        assert rows[name].shape == (len(flux), 200, 200)
        assert rows[name].dtype == np.float16
        assert np.isfinite(rows[name]).all()
    network = differentiable(scorer_of(unet))
    lens = flux["a lens"]
    half = {"rtol": 1e-3, "atol": 1e-4}
    assert_allclose(rows["image"][0], lens[0, 0], **half)
    assert_allclose(rows["occlusion"][0], occlusion_map(network, lens, side=50, stride=50), **half)
    assert_allclose(rows["Guided Grad-CAM"][0], guided_gradcam(network, lens), **half)
    assert_allclose(
        rows["painting"][0], experiment_of(unet).trunk(unet).reconstruct(lens)[0, 0], **half
    )
    with torch.inference_mode():
        assert rows["score"][0] == pytest.approx(float(torch.diff(network(lens))[0, 0]), rel=1e-5)


def test_the_image_most_like_a_lens_is_more_like_one(unet: Run, images: DataSet) -> None:
    exam = Attribution.of(unet, images.recipe, side=100, stride=100, n_steps=20)
    network = differentiable(scorer_of(unet))
    flux = subjects(images, ("VIS",))["no lens"]
    made = exam.pictures(network, flux, ("VIS",))["most like a lens"]
    with torch.inference_mode():
        before, after = (
            float(network(each)[0, LENS]) for each in (flux, torch.from_numpy(made)[None, None])
        )
    assert after > before


def test_a_network_that_does_not_reconstruct_has_no_painting(
    ou_200: Run, images: DataSet, tmp_path: Path
) -> None:
    exam = quick(ou_200, images)
    rows = exam.make(images, tmp_path, start=None, progress=False).scores()
    assert set(METHODS) - set(rows) == {"painting"}
    vis = subjects(images, ("VIS",))["a lens"][0, 0].numpy()
    assert_allclose(rows["image"][0], vis, rtol=1e-3, atol=1e-3)


def test_pictures_are_kept_and_found_again(unet: Run, images: DataSet, tmp_path: Path) -> None:
    (tmp_path / images.recipe.name).symlink_to(images.folder)
    places = {"data_folder": tmp_path, "runs": tmp_path / "runs", "use_shipped": False}
    exam = Attribution.of(unet, images.recipe, stride=50, n_steps=2)
    assert exam.side == 50
    made = obtain(exam, **places)  # type: ignore[arg-type]
    again = obtain(exam, **places)  # type: ignore[arg-type]
    assert made.folder == again.folder
    assert_array_equal(made.scores()["dream"], again.scores()["dream"])


def test_a_data_set_without_lenses_is_refused(tmp_path: Path) -> None:
    dark = tiny_data(tmp_path, population=bright_population(lens_fraction=0.0))
    with pytest.raises(LensyError, match="needs a lens and an image without one"):
        subjects(dark, ("VIS",))
