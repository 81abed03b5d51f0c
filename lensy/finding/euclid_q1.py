"""Four public Euclid Q1 lenses: fetched when asked for, checked, never part of this package.

Credit line of the images: ESA/Euclid/Euclid Consortium, Q1.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pooch
from astropy.table import Table

from lensy.errors import LensyError
from lensy.provenance import sha256
from lensy.runs.run import SHIPPED

FOLDER_VARIABLE = "LENSY_REAL_SKY"
"""Environment variable that may name a folder in which the files already are."""

ON_THE_LENS = 25.0
"""Pixels of 0.1 arcsec: the largest Einstein radius that is simulated."""


@dataclass(frozen=True)
class RealSkyFile:
    """A public file: where it is, its checksum, what it shows and whom to credit.

    lens: where the lens is in the VIS image, x and y in pixels from 0, read off the picture.
    """

    name: str
    url: str
    sha256: str
    shows: str
    lens: tuple[float, float]
    credit: str

    def is_at(self, x: float, y: float) -> bool:
        """Whether a place in the VIS image lies within 2.5 arcsec of the lens."""
        return math.dist((x, y), self.lens) <= ON_THE_LENS

    @property
    def file_name(self) -> str:
        """Name of the file on disk."""
        return f"{self.name}.fits"


@lru_cache
def real_sky() -> dict[str, RealSkyFile]:
    """The public files by name, from `euclid_q1.json`."""
    content = json.loads(files("lensy.finding").joinpath("euclid_q1.json").read_text("utf-8"))
    return {
        name: RealSkyFile(name=name, credit=content["credit"], **entry)
        for name, entry in content["files"].items()
    }


def fetch(name: str, folder: Path | None = None) -> Path:
    """Path of a public file, downloaded into `folder` unless it is there.

    folder: the user's cache by default. A file in the folder that LENSY_REAL_SKY names comes first.
    Raises LensyError where the name is unknown, a checksum differs or there is no network.
    """
    if name not in real_sky():
        raise LensyError(f"There is no public file {name!r}; there are {', '.join(real_sky())}.")
    entry = real_sky()[name]
    if FOLDER_VARIABLE in os.environ:
        path = Path(os.environ[FOLDER_VARIABLE]) / entry.file_name
        if path.exists():
            return _checked(path, entry)
    return _download(entry, Path(folder or pooch.os_cache("lensy")))


def _checked(path: Path, entry: RealSkyFile) -> Path:
    if sha256(path) != entry.sha256:
        raise LensyError(
            f"{path} is not the file it should be (its SHA-256 is not {entry.sha256}): remove it "
            f"or point {FOLDER_VARIABLE} elsewhere, and it is downloaded again."
        )
    return path


def _download(entry: RealSkyFile, folder: Path) -> Path:
    try:
        path = pooch.retrieve(
            entry.url, f"sha256:{entry.sha256}", fname=entry.file_name, path=folder
        )
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise LensyError(
            f"{entry.file_name} could not be downloaded ({reason[:120]}): check the network, or "
            f"put the file from {entry.url} into a folder and set {FOLDER_VARIABLE} to it."
        ) from None
    return Path(path)


def recorded_real_sky() -> Table | None:
    """Candidates in the public Euclid cutouts as the shipped run scored them; None without."""
    for scale in ("talk", "laptop"):
        path = SHIPPED / scale / "naberrie-vis" / "real_sky.ecsv"
        if path.exists():
            table = Table.read(path, format="ascii.ecsv")
            # an empty string comes back from ECSV as a missing value
            table["flags"] = np.ma.filled(table["flags"], "")
            return table
    return None
