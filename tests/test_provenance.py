"""Files are whole or absent, and results say where they come from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lensy.provenance import (
    PACKAGES,
    commit,
    hardware,
    provenance,
    sha256,
    whole_file,
    write_json,
)


def test_a_file_appears_when_its_block_ends(tmp_path: Path) -> None:
    with whole_file(tmp_path / "new" / "file.txt") as path:
        path.write_text("content", "utf-8")
        assert not (tmp_path / "new" / "file.txt").exists()
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["file.txt"]


def test_an_error_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("old", "utf-8")

    def write_half() -> None:
        with whole_file(tmp_path / "file.txt") as path:
            path.write_text("ne", "utf-8")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_half()
    assert [each.name for each in tmp_path.iterdir()] == ["file.txt"]
    assert (tmp_path / "file.txt").read_text("utf-8") == "old"


def test_the_temporary_file_is_in_the_same_folder(tmp_path: Path) -> None:
    """Only then is a rename one step on every file system."""
    with whole_file(tmp_path / "file.txt") as path:
        path.write_text("content", "utf-8")
        assert path.parent == tmp_path


def test_json_has_one_form(tmp_path: Path) -> None:
    write_json(tmp_path / "one.json", {"b": 1, "a": [1.5, None]})
    write_json(tmp_path / "other.json", {"a": [1.5, None], "b": 1})
    text = (tmp_path / "one.json").read_text("utf-8")
    assert text == (tmp_path / "other.json").read_text("utf-8")
    assert json.loads(text) == {"a": [1.5, None], "b": 1}
    assert text.endswith("\n")


def test_sha256_of_the_standards_example(tmp_path: Path) -> None:
    """Source: FIPS 180-2, appendix B.1."""
    (tmp_path / "abc").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "abc") == expected


def test_provenance_is_complete_and_travels_as_json() -> None:
    made = json.loads(json.dumps(provenance()))
    assert set(made) == {"date", "commit", "python", "hardware", "packages"}
    assert set(made["packages"]) == set(PACKAGES)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", made["date"])


def test_hardware_is_architecture_and_cores() -> None:
    assert re.fullmatch(r"\w+, \d+ cores", hardware())


def test_commit_is_a_hash_or_says_that_there_is_none() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}\+?|not in a checkout", commit())


def test_without_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert commit() == "not in a checkout"
