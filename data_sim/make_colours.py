"""How `lensy/sky/colours.json` was made: template spectra, redshifted, through the passbands.

Not part of any set-up; the table it writes is. To make it again, install `desc-bpz` (spectra) and
`speclite` (passbands), which lensy does not depend on, and run `python -m data_sim.make_colours`.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TEMPLATES = {
    "elliptical": "El_B2004a",
    "Sbc": "Sbc_B2004a",
    "Scd": "Scd_B2004a",
    "irregular": "Im_B2004a",
    "starburst": "SB2_B2004a",
    "young burst": "ssp_25Myr_z008",
}
"""Name of each spectral type, in the order that `colours.colours` counts them, and of its file."""

BANDS = ("VIS", "Y", "J", "H")
REDSHIFT_STEP, N_REDSHIFTS = 0.025, 281
TABLE = Path(__file__).resolve().parents[1] / "lensy/sky/colours.json"

SOURCE = (
    "Spectra: the templates of Coleman, Wu & Weedman 1980, ApJS 43, 393 (elliptical, Sbc, Scd, "
    "irregular) and the starburst SB2 of Kinney et al. 1996, ApJ 467, 38, as extended and "
    "recalibrated by Benitez et al. 2004, ApJS 150, 1; a burst of 25 million years and metallicity "
    "0.008 of Bruzual & Charlot 2003, MNRAS 344, 1000, which Coe et al. 2006, AJ 132, 926, added "
    "because faint galaxies are bluer than nearby ones; from the package desc-bpz 0.4.0 (MIT). "
    "Passbands: the Euclid throughputs at end of life, from the package speclite 1.0.0. "
    "Absorption by intergalactic hydrogen: Madau 1995, ApJ 441, 18."
)
NOTE = (
    "AB magnitude in a band less that in VIS, per type (rows) and redshift (columns). The spectra "
    "are those of nearby galaxies at every redshift: no passive evolution, so that an elliptical "
    "above redshift one is redder here than on the sky. No dust other than the templates' own."
)


def intergalactic_transmission(wavelength: Floats, redshift: float) -> Floats:
    """Share of the light that intergalactic hydrogen lets through, per observed wavelength.

    wavelength: observed, Angstrom. The first four Lyman lines and the Lyman continuum.
    Source: Madau 1995, ApJ 441, 18, equations 12 and 15 and footnote 3.
    """
    depth = np.zeros_like(wavelength)
    lines = ((1216.0, 0.0036), (1026.0, 0.0017), (973.0, 0.0012), (950.0, 0.00093))
    for rest_wavelength, strength in lines:
        blueward = wavelength < rest_wavelength * (1 + redshift)
        depth += np.where(blueward, strength * (wavelength / rest_wavelength) ** 3.46, 0.0)
    edge, emitted = wavelength / 912.0, 1 + redshift
    continuum = (
        0.25 * edge**3 * (emitted**0.46 - edge**0.46)
        + 9.4 * edge**1.5 * (emitted**0.18 - edge**0.18)
        - 0.7 * edge**3 * (edge**-1.32 - emitted**-1.32)
        - 0.023 * (emitted**1.68 - edge**1.68)
    )
    depth += np.where(edge < emitted, np.maximum(continuum, 0.0), 0.0)
    return np.asarray(np.exp(-depth))


def ab_magnitude(spectrum: Floats, passband: Floats, redshift: float) -> float:
    """AB magnitude, up to a constant, of a redshifted spectrum as a photon counter sees it.

    spectrum: rows of rest wavelength (Angstrom) and flux per Angstrom. passband: rows of observed
    wavelength (Angstrom) and photons counted per photon, on a grid fine enough to integrate on.
    """
    wavelength, response = passband.T
    flux = np.interp(wavelength / (1 + redshift), spectrum[:, 0], spectrum[:, 1])
    flux = flux * intergalactic_transmission(wavelength, redshift)
    photons = np.trapezoid(flux * wavelength * response, wavelength)
    reference = np.trapezoid(response / wavelength, wavelength)
    return float(-2.5 * np.log10(photons / reference))


def offsets_from_vis(
    spectrum: Floats, passbands: dict[str, Floats], redshifts: Floats
) -> dict[str, Floats]:
    """Magnitude in each band less that in VIS, per band name and redshift."""
    magnitudes = {
        name: np.array([ab_magnitude(spectrum, passband, z) for z in redshifts])
        for name, passband in passbands.items()
    }
    return {name: magnitudes[name] - magnitudes["VIS"] for name in BANDS if name != "VIS"}


def installed(package: str) -> Path:
    """Folder of an installed package. Nothing of it is run."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"make_colours needs the data of {package}: install it, for this once.")
    return Path(spec.submodule_search_locations[0])


def read_spectrum(name: str) -> Floats:
    """Rest wavelength (Angstrom) and flux per Angstrom of a template, (n, 2)."""
    return np.loadtxt(installed("desc_bpz") / f"data_files/SED/{name}.sed")


def read_passband(name: str) -> Floats:
    """Wavelength (Angstrom) and response of a Euclid band on a grid of 2 Angstrom, (n, 2)."""
    lines = (installed("speclite") / f"data/filters/Euclid-{name}.ecsv").read_text("utf-8")
    rows = [line.split() for line in lines.splitlines() if line[0] not in "#w"]
    coarse = np.array(rows, float)
    wavelength = np.arange(coarse[0, 0], coarse[-1, 0], 2.0)
    return np.stack([wavelength, np.interp(wavelength, *coarse.T)], axis=1)


def make_table(redshifts: Floats) -> dict[str, list[list[float]]]:
    """Offsets from VIS per band: rows are types, columns redshifts, rounded to 0.001."""
    passbands = {name: read_passband(name) for name in BANDS}
    rows = [
        offsets_from_vis(read_spectrum(file), passbands, redshifts) for file in TEMPLATES.values()
    ]
    names = [name for name in BANDS if name != "VIS"]
    return {name: [np.round(row[name], 3).tolist() for row in rows] for name in names}


def main() -> None:
    """Write the table that comes with the package."""
    table = {
        "source": SOURCE,
        "note": NOTE,
        "types": list(TEMPLATES),
        "redshift_step": REDSHIFT_STEP,
        "offset_from_vis": make_table(np.arange(N_REDSHIFTS) * np.float64(REDSHIFT_STEP)),
    }
    one_row_a_line = json.dumps(table, separators=(",", ":")).replace("],", "],\n")
    TABLE.write_text(one_row_a_line + "\n", "utf-8")


if __name__ == "__main__":
    main()
