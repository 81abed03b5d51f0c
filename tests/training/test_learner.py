"""Options that all trainings share."""

from __future__ import annotations

import pytest

from lensy.training import learner
from lensy.training.learner import arithmetic, usual_options


@pytest.mark.parametrize(
    ("gpu", "options", "precision"),
    [
        (False, None, "32-true"),
        (True, None, "bf16-mixed"),
        (True, {"accelerator": "gpu", "devices": 2}, "bf16-mixed"),
        (True, {"accelerator": "cpu"}, "32-true"),
        (True, {"precision": "32-true"}, "32-true"),
        (False, {"precision": "bf16-mixed"}, "bf16-mixed"),
    ],
)
def test_precision_is_mixed_where_a_gpu_can(
    monkeypatch: pytest.MonkeyPatch, gpu: bool, options: dict[str, object] | None, precision: str
) -> None:
    monkeypatch.setattr(learner, "_has_bfloat16", lambda: gpu)
    assert arithmetic(options) == precision
    found = usual_options(options)
    assert found["precision"] == precision
    assert found["devices"] == (options or {}).get("devices", "auto")
