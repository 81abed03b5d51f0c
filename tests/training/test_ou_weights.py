"""The predecessor's weights: fetched once, read without running anything, and known by content."""

from __future__ import annotations

from pathlib import Path

import pooch
import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from lensy.cli.main import app
from lensy.errors import LensyError
from lensy.models.ou import FAMILY, Ou
from lensy.training import ou_weights
from lensy.training.ou import published
from lensy.training.ou_weights import CONTENT, content, fetch_weights, file_name

SHARED = Path(__file__).parents[3] / "shared" / "ou"


class Repository:
    """Stands in for the network: hands out files of a folder, and counts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, list[str]()

    def retrieve(self, url: str, _known_hash: None, *, fname: str, path: Path) -> str:
        self.asked.append(url)
        path.mkdir(parents=True, exist_ok=True)
        (path / fname).write_bytes((self.folder / fname).read_bytes())
        return str(path / fname)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with the weights of a new OU-H, whose content is the one on record."""
    torch.manual_seed(1)
    weights = Ou("ou-h").state_dict()
    folder = tmp_path / "repository"
    folder.mkdir()
    torch.save(weights, folder / file_name("ou-h"))
    monkeypatch.setitem(CONTENT, "ou-h", content(weights))
    stand_in = Repository(folder)
    monkeypatch.setattr(pooch, "retrieve", stand_in.retrieve)
    return stand_in


def test_weights_are_fetched_once_and_fit_the_network(
    repository: Repository, tmp_path: Path
) -> None:
    path = fetch_weights("ou-h", tmp_path / "cache")
    assert path.suffix == ".safetensors"
    assert published("ou-h", path).design == FAMILY["ou-h"]
    (url,) = repository.asked
    assert url.startswith("https://raw.githubusercontent.com/JoshWilde/")
    assert url.endswith("/CNN%20Models/OU_H_Weights.pt")
    assert fetch_weights("ou-h", tmp_path / "cache") == path
    assert len(repository.asked) == 1


def test_other_weights_are_refused_and_removed(repository: Repository, tmp_path: Path) -> None:
    torch.save(Ou("ou-h").state_dict(), repository.folder / file_name("ou-h"))
    with pytest.raises(LensyError, match="does not hold the published weights of OU-H"):
        fetch_weights("ou-h", tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_a_file_with_code_in_it_is_not_run(repository: Repository, tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "harm",))  # type: ignore[return-value]

    torch.save({"layer": Harmful()}, repository.folder / file_name("ou-h"))
    with pytest.raises(LensyError, match="does not hold the published weights"):
        fetch_weights("ou-h", tmp_path / "cache")
    assert not (tmp_path / "harm").exists()


def test_without_a_network_it_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise OSError("no route to host")

    monkeypatch.setattr(pooch, "retrieve", fail)
    with pytest.raises(LensyError, match=r"OU_Y_Weights\.pt could not be fetched \(no route"):
        fetch_weights("ou-y", tmp_path)
    with pytest.raises(LensyError, match="no network 'ou-z'; the networks are ou-200"):
        fetch_weights("ou-z", tmp_path)


def test_evaluate_wants_one_network() -> None:
    result = CliRunner().invoke(app, ["evaluate", "--data", "x", "--out", "y"])
    assert result.exit_code == 2
    assert "Give either --run" in result.stderr


@pytest.mark.skipif(not SHARED.exists(), reason="the published weights are not beside the checkout")
@pytest.mark.parametrize("network", FAMILY)
def test_the_record_is_that_of_the_published_weights(network: str) -> None:
    path = SHARED / f"{network.replace('-', '_').upper()}.safetensors"
    assert content(load_file(path)) == CONTENT[network]
    assert ou_weights.file_name(network).startswith(path.stem)
