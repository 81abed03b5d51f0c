"""What benchmarks recorded is there, whole, and says where it comes from."""

from __future__ import annotations

import pytest

from lensy.errors import LensyError
from lensy.talk.notebook import benchmark

NAMES = ("classifier_features", "inference_speed", "mask_rcnn_speed", "time_to_beat", "upsampling")


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_benchmark_names_commit_and_machine(name: str) -> None:
    found = benchmark(name)
    assert len(found["commit"].rstrip("+")) == 12
    assert found["hardware"].endswith("cores")
    assert found["rows"]


def test_an_unknown_benchmark_is_refused() -> None:
    with pytest.raises(LensyError, match="No benchmark 'x' is recorded; there are classifier_"):
        benchmark("x")
