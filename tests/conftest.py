"""Fixtures that several test modules share."""

from __future__ import annotations

import pytest
from builders import tiny_data

from lensy.datasets.store import DataSet


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Eight examples in each split, lenses and non-lenses in each."""
    folder = tmp_path_factory.mktemp("data") / "tiny"
    return tiny_data(folder, n_test=8, n_validation=8, n_train=8)
