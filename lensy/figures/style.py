"""The colours and the stretch that all figures share."""

from __future__ import annotations

BAND_COLOURS = {"VIS": "#0072B2", "Y": "#E69F00", "J": "#009E73", "H": "#D55E00"}

CURVE_COLOURS = {
    **BAND_COLOURS,
    "OU": "#CC79A7",
    "MRC-995": "#009E73",
    "MRC-99": "#E69F00",
    "MRC-95": "#56B4E9",
    "MRC-3": "#D55E00",
    "MRC-4": "black",
}
"""Colour of a curve by how its name begins, the first that fits: bands, the predecessor's networks,
Mask R-CNNs in the talk's order of colours."""

LENSED_LIGHT, LENS_GALAXY = "cyan", "red"

ARTEFACT = "#D55E00"
"""Colour of the outline of an artefact's mask: orange-red of Wong 2011, apart from viridis."""

PUBLISHED = "0.45"
"""Grey, for every published curve or number behind ours."""

VIS_SIGMA = 2.0
"""Softening of the arcsinh stretch in nJy, the VIS noise; a display setting."""
