"""Data sets on disk: the same bytes however they are made, and what is said when they are not."""

from __future__ import annotations

import errno
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import h5py
import joblib
import numpy as np
import pytest
from builders import bright_population, file_bytes, tiny_data, tiny_recipe
from filelock import FileLock
from numpy.testing import assert_allclose

from lensy.datasets.store import DataSet, make_data_set
from lensy.errors import LensyError
from lensy.provenance import sha256
from lensy.simulation import targets
from lensy.simulation.example import simulate
from lensy.simulation.recipe import SPLITS
from lensy.simulation.render import render
from lensy.telescope.bands import band

FILES = {
    "recipe.json",
    "begun.json",
    "catalogue.ecsv",
    "checksums.json",
    "test-0000.h5",
    "validation-0000.h5",
    "train-0000.h5",
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Two examples in each split, made in one process. Tests only read it."""
    return tiny_data(tmp_path_factory.mktemp("store") / "tiny")


@pytest.fixture
def own(tmp_path: Path) -> DataSet:
    """A data set of one example that a test may damage."""
    return tiny_data(tmp_path / "own", n_test=1, n_validation=0, n_train=0)


# The same bytes


def test_a_data_set_is_its_files(tiny: DataSet) -> None:
    assert set(file_bytes(tiny.folder)) == FILES
    assert (tiny.folder / "provenance.json").is_file()


def test_two_processes_write_what_one_writes(tiny: DataSet, tmp_path: Path) -> None:
    make_data_set(tiny_recipe(), tmp_path / "two", n_jobs=2, progress=False)
    assert file_bytes(tmp_path / "two") == file_bytes(tiny.folder)


def test_a_missing_shard_is_made_again(tiny: DataSet, tmp_path: Path) -> None:
    folder = tiny_data(tmp_path / "again").folder
    (folder / "validation-0000.h5").unlink()
    untouched = (folder / "test-0000.h5").stat().st_mtime_ns
    tiny_data(folder)
    assert file_bytes(folder) == file_bytes(tiny.folder)
    assert (folder / "test-0000.h5").stat().st_mtime_ns == untouched


KILLED_IN_THE_SECOND_SHARD = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from builders import tiny_recipe
from lensy.datasets import store

whole_file = store.whole_file
calls = []

@contextmanager
def half_a_file(path):
    calls.append(1)
    with whole_file(path) as temporary:
        yield temporary
        if len(calls) == 2:
            os.truncate(temporary, 1000)
            os.kill(os.getpid(), signal.SIGKILL)

store.whole_file = half_a_file
store.make_data_set(tiny_recipe(), Path(sys.argv[1]), n_jobs=1, progress=False)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a job that got SIGKILL while its second shard was half written."""
    folder = tmp_path_factory.mktemp("killed") / "tiny"
    here = str(Path(__file__).parents[1])
    words = [sys.executable, "-c", KILLED_IN_THE_SECOND_SHARD, str(folder), here]
    done = subprocess.run(words, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == -signal.SIGKILL
    return folder


def test_a_killed_job_leaves_whole_shards_or_none(killed: Path, tiny: DataSet) -> None:
    (shard,) = killed.glob("[!.]*.h5")
    assert list(killed.glob(".*.partial"))
    assert shard.read_bytes() == (tiny.folder / "test-0000.h5").read_bytes()
    with pytest.raises(LensyError, match="is not finished: make it with `python -m data_sim"):
        DataSet(killed)


def test_a_killed_job_is_finished_by_the_next(killed: Path, tiny: DataSet, tmp_path: Path) -> None:
    """Same bytes, and nothing half-written is left lying about."""
    shutil.copytree(killed, tmp_path / "resumed")
    tiny_data(tmp_path / "resumed")
    assert {name: sha256(tmp_path / "resumed" / name) for name in FILES} == {
        name: sha256(tiny.folder / name) for name in FILES
    }
    assert not list((tmp_path / "resumed").glob("*.partial"))


def test_a_finished_data_set_is_left_alone(own: DataSet) -> None:
    before = {path: path.stat().st_mtime_ns for path in own.folder.iterdir()}
    make_data_set(own.recipe, own.folder, progress=False)
    assert {path: path.stat().st_mtime_ns for path in own.folder.iterdir()} == before


# What is in it


def test_layers_are_those_of_the_simulation(tiny: DataSet) -> None:
    for split in SPLITS:
        expected = simulate(tiny_recipe(), split, 1)
        assert np.array_equal(tiny.layers(split, 1, "VIS"), expected.layers["VIS"].stack)


def test_the_frozen_noise_is_that_of_the_simulation(tiny: DataSet) -> None:
    """Companions are stored as one layer, so float32 sums may differ in the last place."""
    expected = simulate(tiny_recipe(), "test", 1).observed("VIS")
    assert_allclose(tiny.observed("test", 1, "VIS"), expected, rtol=1e-5, atol=1e-2)
    assert np.array_equal(tiny.observed("test", 1, "VIS"), tiny.observed("test", 1, "VIS"))


@pytest.mark.parametrize("percentile", targets.PERCENTILES)
def test_masks_are_those_of_the_exact_layers(tiny: DataSet, percentile: float) -> None:
    """The second example, so that the first one's masks have to be skipped."""
    exact = render(simulate(tiny_recipe(), "train", 1).scene, band("VIS"))
    objects = [exact.lens_light, exact.arc, *exact.companions]
    expected = [targets.percentile_mask(light, percentile) for light in objects]
    assert np.array_equal(tiny.masks("train", 1, percentile), expected)


def test_the_catalogue_is_the_rows_with_units(tiny: DataSet) -> None:
    catalogue = tiny.catalogue()
    assert list(catalogue["split"]) == [split for split in SPLITS for _ in range(2)]
    assert str(catalogue["einstein_radius"].unit) == "arcsec"
    expected = simulate(tiny_recipe(), "validation", 1).row
    stored = tiny.catalogue("validation")[1]
    words = [key for key, value in expected.items() if isinstance(value, str)]
    assert [stored[key] for key in words] == [expected[key] for key in words]
    numbers = [key for key in expected if key not in words]
    assert_allclose([stored[key] for key in numbers], [expected[key] for key in numbers])


def test_labels_are_the_catalogues(data: DataSet) -> None:
    for split in SPLITS:
        expected = [simulate(data.recipe, split, i).label for i in range(2)]
        assert list(data.labels(split)[:2]) == expected
        assert set(data.labels(split)) == {True, False}


def test_shards_continue_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of two, in this process: workers would import a module with shards of a hundred."""
    monkeypatch.setattr("lensy.datasets.store.SHARD_SIZE", 2)
    sharded = tiny_data(tmp_path / "sharded", n_test=3, n_validation=0, n_train=0)
    assert {path.name for path in sharded.folder.glob("*.h5")} == {"test-0000.h5", "test-0001.h5"}
    expected = simulate(sharded.recipe, "test", 2).layers["VIS"].stack
    assert np.array_equal(sharded.layers("test", 2, "VIS"), expected)
    assert list(sharded.catalogue()["index"]) == [0, 1, 2]


def test_a_split_may_be_empty(own: DataSet) -> None:
    assert len(own.catalogue("train")) == 0
    assert own.labels("train").size == 0


def test_an_open_data_set_travels_to_a_worker(tiny: DataSet) -> None:
    before = tiny.layers("test", 0, "VIS")
    copy = pickle.loads(pickle.dumps(tiny))
    assert np.array_equal(copy.layers("test", 0, "VIS"), before)


# What is refused


def test_another_recipe_in_the_same_folder_is_refused(tiny: DataSet) -> None:
    message = r"already holds the data set 'tiny' .*, not 'tiny' .*give another folder"
    with pytest.raises(LensyError, match=message):
        make_data_set(tiny_recipe(seed=2), tiny.folder, n_jobs=1, progress=False)


def test_a_missing_data_set_says_how_to_make_it(tmp_path: Path) -> None:
    message = rf"{tmp_path} holds no data set: make it with `python -m data_sim NAME {tmp_path}`"
    with pytest.raises(LensyError, match=message):
        DataSet(tmp_path)


@pytest.mark.parametrize(("split", "index"), [("test", 2), ("train", -1)])
def test_an_example_that_is_not_there_is_named(tiny: DataSet, split: str, index: int) -> None:
    with pytest.raises(LensyError, match=rf"2 examples in '{split}'; there is no number {index}"):
        tiny.layers(split, index, "VIS")  # type: ignore[arg-type]


def test_a_truncated_shard_is_named(own: DataSet) -> None:
    path = own.folder / "test-0000.h5"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(LensyError, match=rf"{path} cannot be read .*Remove it and make") as caught:
        own.layers("test", 0, "VIS")
    assert "\n" not in str(caught.value)


def test_verify_is_content_with_a_whole_data_set(tiny: DataSet) -> None:
    tiny.verify()


@pytest.mark.parametrize("name", ["recipe.json", "catalogue.ecsv", "test-0000.h5"])
def test_verify_names_the_damaged_file(own: DataSet, name: str) -> None:
    content = bytearray((own.folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (own.folder / name).write_bytes(content)
    with pytest.raises(LensyError, match=rf"{own.folder / name} is missing or damaged"):
        own.verify()


def test_what_verify_advises_mends_the_data_set(own: DataSet) -> None:
    before = file_bytes(own.folder)
    (own.folder / "test-0000.h5").unlink()
    (own.folder / "checksums.json").unlink()
    make_data_set(own.recipe, own.folder, n_jobs=1, progress=False)
    assert file_bytes(own.folder) == before
    own.verify()


def test_a_scene_comes_back_whole(tiny: DataSet) -> None:
    assert tiny.scene("train", 1) == simulate(tiny_recipe(), "train", 1).scene


def test_a_band_that_is_not_there_is_named(own: DataSet) -> None:
    with pytest.raises(LensyError, match=r"has no band 'K', only VIS, Y, J, H"):
        own.layers("test", 0, "K")


# Other versions, other processes


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def test_a_set_of_another_version_is_refused(own: DataSet) -> None:
    """By its reader, and by the job that would go on with it."""
    edit(own.folder / "recipe.json", version=1)
    message = (
        r"was made by version 1 of the simulation, this is version \d+: make the data set anew"
    )
    with pytest.raises(LensyError, match=message):
        DataSet(own.folder)
    with pytest.raises(LensyError, match=message):
        make_data_set(own.recipe, own.folder, n_jobs=1, progress=False)


def test_shards_of_two_library_versions_do_not_mix(own: DataSet) -> None:
    """A finished set may be read with any; an unfinished one needs those it was begun with."""
    edit(own.folder / "begun.json", numpy="1.99.0")
    make_data_set(own.recipe, own.folder, n_jobs=1, progress=False)
    (own.folder / "test-0000.h5").unlink()
    with pytest.raises(LensyError, match=r"was begun with numpy 1.99.0, which is not installed"):
        make_data_set(own.recipe, own.folder, n_jobs=1, progress=False)


def test_one_process_makes_a_set_at_a_time(own: DataSet) -> None:
    """The lock is held by this process as another would hold it."""
    before = file_bytes(own.folder)
    with FileLock(own.folder / ".lock"):
        words = [sys.executable, "-m", "data_sim", "talk-smoke", str(own.folder), "--quiet"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"Another process is making {own.folder}: wait for it" in done.stderr
    assert file_bytes(own.folder) == before


def test_a_flipped_bit_is_found_when_it_is_read(own: DataSet) -> None:
    """In the middle of the largest array of the file, the layers in VIS."""
    path = own.folder / "test-0000.h5"
    with h5py.File(path) as file:
        chunk = file["VIS/layers"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(LensyError, match=rf"{path} cannot be read .*Remove it and make"):
        own.layers("test", 0, "VIS")


# A full disk


def write_half(path: Path, content: bytes) -> None:
    """What writing does where no room is left."""
    with path.open("wb") as file:
        file.write(bytes(content)[:1000])
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_a_full_disk_is_one_sentence_and_loses_nothing(tiny: DataSet, tmp_path: Path) -> None:
    """No shard is left half-written, and the job that is started again ends with the same bytes."""
    folder = tmp_path / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_half)
        with pytest.raises(LensyError, match=r"No room is left for .*tiny: make some, then start"):
            tiny_data(folder)
    assert {path.name for path in folder.iterdir()} == {".lock", "recipe.json", "begun.json"}
    tiny_data(folder)
    assert file_bytes(folder) == file_bytes(tiny.folder)


FULL_DISK = """
mount -t tmpfs -o size=60k none "$1" || exit 77
"$2" -m data_sim "$3" "$1/out" --jobs 1 --quiet
code=$?
ls -A "$1/out"
exit $code
"""


def test_a_disk_that_is_really_full_ends_with_exit_code_2(tmp_path: Path) -> None:
    """A file system of 60 kB of its own, where this user may make one; a shard has 80."""
    recipe = tmp_path / "tiny.json"
    recipe.write_text(tiny_recipe(bands=("VIS",)).model_dump_json(), "utf-8")
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["unshare", "-rm", "sh", "-c", FULL_DISK, "sh", disk, sys.executable, recipe]
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode == 77 or "unshare:" in done.stderr:
        pytest.skip(f"no file system of our own here: {done.stderr}")
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: No room is left for {disk / 'out'}: make some")
    assert done.stderr.count("\n") == 1
    assert set(done.stdout.split()) == {".lock", "recipe.json", "begun.json"}


# A cluster


def test_a_cluster_that_loses_a_worker_writes_the_same_bytes(tmp_path: Path) -> None:
    """A real scheduler and two workers; one gets SIGKILL when the first shard is there."""
    distributed = pytest.importorskip("distributed", reason="needs lensy[cluster]")
    size = {"n_test": 300, "n_validation": 0, "n_train": 0, "bands": ("VIS",)}
    recipe = tiny_recipe(**size, population=bright_population(lens_fraction=0.1))
    local = make_data_set(recipe, tmp_path / "local", n_jobs=2, progress=False)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        first, _ = client.run(os.getpid).values()
        killer = threading.Thread(target=kill_later, args=(first, tmp_path / "far"))
        killer.start()
        with joblib.parallel_config("dask"):
            make_data_set(recipe, tmp_path / "far", progress=False)
        killer.join()
        assert first not in client.run(os.getpid).values()
    assert file_bytes(tmp_path / "far") == file_bytes(local.folder)


def kill_later(process: int, folder: Path) -> None:
    """SIGKILL once a data set has its first shard."""
    while not list(folder.glob("[!.]*.h5")):
        time.sleep(0.02)
    os.kill(process, signal.SIGKILL)
