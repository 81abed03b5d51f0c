"""The doctor finds what is wrong, and says what to do about it."""

from __future__ import annotations

import os
import shutil
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from lensy.cli import doctor
from lensy.cli.doctor import Check, examine
from lensy.cli.main import app
from lensy.errors import LensyError
from lensy.runs import library

Usage = namedtuple("Usage", "total used free")


def test_this_machine_is_ready(tmp_path: Path) -> None:
    """The trial trains and finds a lens; where these tests run, threads may be limited to one."""
    found = {each.name: each for each in examine(tmp_path)}
    assert list(found) == [
        "python", "packages", "disk", "memory", "threads", "weights",
        "simulate", "train", "find", "speed",
    ]  # fmt: skip
    assert not [each for each in found.values() if each.state == "problem"]
    assert "a lens, with probability" in found["find"].says
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("free", "state"), [(1e9, "problem"), (5e9, "advice"), (50e9, "ok")])
def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: float, state: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1e12, 0, free))
    check = doctor.disk(tmp_path)
    assert check.state == state
    assert (str(tmp_path) in check.says) == (state != "ok")


def test_memory_that_nobody_knows_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: str) -> int:
        raise ValueError

    monkeypatch.setattr(os, "sysconf", unknown)
    assert doctor.memory().state == "advice"


def test_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 500_000, "SC_PAGE_SIZE": 4096}.get)
    assert doctor.memory().state == "problem"


def test_an_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert doctor.python() == Check("python", "problem", "3.9.2: install Python 3.11 or newer.")


def test_packages_of_another_version_or_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["numpy>=99", "no-such-package", 'winonly; sys_platform == "nowhere"']
    monkeypatch.setattr(doctor, "requires", lambda _: wanted)
    check = doctor.packages()
    assert check.state == "problem"
    assert check.says.startswith("numpy is ")
    assert "not >=99; no-such-package is missing: run `make env`." in check.says


def test_fewer_threads_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    check = doctor.threads()
    assert check.state == "advice"
    assert "torch uses 1 of 3 cores" in check.says


def test_weights_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> Any:
        raise LensyError("No run of 'naberrie-vis' is shipped.")

    monkeypatch.setattr(library, "shipped_run", missing)
    check = doctor.weights()
    assert check.state == "problem"
    assert "is shipped. Install the package again" in check.says


def test_a_trial_stops_at_what_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Path) -> str:
        raise LensyError("no such thing")

    monkeypatch.setattr(doctor, "_train", broken)
    monkeypatch.setattr(doctor, "_simulate", lambda _: "scenes")
    assert [(each.name, each.state) for each in doctor.trials()] == [
        ("simulate", "ok"),
        ("train", "problem"),
    ]


def test_a_slow_machine_gets_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    for step in ("_simulate", "_train", "_find"):
        monkeypatch.setattr(doctor, step, lambda _: "done")
    monkeypatch.setattr(doctor, "TRIAL_SECONDS", -1.0)
    *_, last = doctor.trials()
    assert (last.name, last.state) == ("speed", "advice")


def test_the_command_says_all_and_exits_with_one_where_there_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = CliRunner()
    good = runner.invoke(app, ["doctor", str(tmp_path), "--no-trial"])
    assert good.exit_code == 0
    assert len(good.stdout.splitlines()) == 6
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1e12, 0, 1e9))
    bad = runner.invoke(app, ["doctor", str(tmp_path), "--no-trial"])
    assert bad.exit_code == 1
    assert "problem  disk" in bad.stdout
    nowhere = runner.invoke(app, ["doctor", str(tmp_path / "none")])
    assert nowhere.exit_code == 2
    assert "is not a folder: give the one where you want to work" in nowhere.stderr
