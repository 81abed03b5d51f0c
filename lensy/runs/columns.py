"""Columns of numbers on disk: npz files, as numpy reads them, and what several runs share of them.

What each example of a data set is does not depend on the network that is asked about it. So runs
that come with the package name a file beside their folders, `examples-<recipe>.npz`, and keep only
what is theirs. Columns of one band carry its name there, as in `VIS/arc_signal_to_noise`.
"""

from __future__ import annotations

import io
from pathlib import Path
from zipfile import ZIP_LZMA, ZipFile, ZipInfo

import numpy as np

from lensy.errors import LensyError
from lensy.provenance import whole_file
from lensy.values import Columns


def read_columns(path: Path) -> Columns:
    """All columns of a file. Raises LensyError where it is missing."""
    if not path.exists():
        raise LensyError(
            f"{path} is missing: put it back, or make the run anew with `lensy train`."
        )
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def write_columns(path: Path, columns: Columns) -> None:
    """Write columns as small as they get without loss; equal columns give equal bytes."""
    with whole_file(path) as temporary, ZipFile(temporary, "w") as file:
        for name, values in columns.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, values, allow_pickle=False)
            # an entry without a date: a tenth smaller than with numpy's own compression
            file.writestr(ZipInfo(f"{name}.npy"), content.getvalue(), ZIP_LZMA)


def single_precision(columns: Columns) -> Columns:
    """Columns in double precision made single: what a run keeps."""
    return {
        name: values.astype(np.float32) if values.dtype == np.float64 else values
        for name, values in columns.items()
    }


def shared_columns(path: Path, band: str, n: int) -> Columns:
    """What a file says of the first n examples in a band, by names without the band's."""
    parts = {tuple(name.rpartition("/")[::2]): each for name, each in read_columns(path).items()}
    return {name: values[:n] for (of, name), values in parts.items() if of in ("", band)}
