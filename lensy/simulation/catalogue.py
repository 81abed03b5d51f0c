"""The row of the catalogue that describes an example: what was drawn, and what follows from it.

Columns that no example of a data set needs are there all the same, so that every data set has the
same ones; NaN stands where there is nothing, a lens without a second source, say.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lensy.simulation import targets
from lensy.simulation.render import Layers
from lensy.sky.scene import Deflector, Galaxy, Pattern, Scene
from lensy.telescope.bands import FILTERS, band

Row = dict[str, Any]

_GALAXY = {
    "x": "arcsec",
    "y": "arcsec",
    "redshift": "",
    "half_light_radius": "arcsec",
    "sersic_index": "",
    "axis_ratio": "",
    "position_angle": "rad",
}

_DEFLECTOR = {
    "einstein_radius": "arcsec",
    "mass_axis_ratio": "",
    "mass_position_angle": "rad",
    "shear_1": "",
    "shear_2": "",
}

_PER_BAND = {"magnitude": "mag", "arc_flux": "nJy"}


def column_unit(name: str) -> str:
    """Unit of a column as astropy writes it; empty where it has none."""
    words = name.removeprefix("second_")
    for prefix in ("lens_", "source_"):
        words = words.removeprefix(prefix)
    stem = words.rsplit("_", 1)[0] if words.rsplit("_", 1)[-1] in FILTERS else words
    stem = "magnitude" if stem.endswith("magnitude") else stem
    return (_GALAXY | _DEFLECTOR | _PER_BAND).get(stem, "")


def catalogue_row(scene: Scene, layers: dict[str, Layers]) -> Row:
    """Everything about an example but its name, its noise and its artefacts.

    layers: noiseless, by band, VIS among them: the label is what VIS shows.
    """
    vis = layers["VIS"]
    n_lensed = int(targets.lensed_pixels(vis.arc, band("VIS")).sum())
    row: Row = {
        "is_lens": targets.is_lens(vis.magnification, n_lensed),
        "has_source": scene.source is not None,
        "kind": kind(scene),
        "x": scene.lens.x,
        "y": scene.lens.y,
        **_of_galaxy("lens", scene.lens, layers),
        **{f"lens_magnitude_{name}": _total(scene, name) for name in layers},
        **_of_deflector("", scene.deflector),
        **_of_galaxy("source", scene.source, layers),
        **_of_deflector("second_", scene.second_deflector),
        **_of_galaxy("second_source", scene.second_source, layers),
        "magnification": vis.magnification,
        "n_images": vis.n_images,
        "n_lensed_pixels": n_lensed,
        "n_companions": len(scene.companions),
    }
    for name, each in layers.items():
        row |= _of_lensed_light(name, each)
    return row


def kind(scene: Scene) -> str:
    """What the candidate is: a lens, a compound lens, or what it is without a source."""
    if scene.source is None:
        return scene.kind
    return "lens" if scene.second_source is None else "compound lens"


def _total(scene: Scene, band_name: str) -> float:
    """Magnitude of the candidate with its rings and arms."""
    shapes: tuple[Galaxy | Pattern, ...] = (scene.lens, *scene.structure)
    fluxes = [band(band_name).flux(each.magnitudes[band_name]) for each in shapes]
    return band(band_name).magnitude(sum(fluxes))


def _of_galaxy(whose: str, galaxy: Galaxy | None, layers: dict[str, Layers]) -> Row:
    values: Row = {
        f"{whose}_{name}": _number(getattr(galaxy, name, None))
        for name in _GALAXY
        if not (whose == "lens" and name in ("x", "y"))
    }
    for name in layers:
        values[f"{whose}_magnitude_{name}"] = galaxy.magnitudes[name] if galaxy else np.nan
    return values


def _of_deflector(prefix: str, deflector: Deflector | None) -> Row:
    fields = {"mass_axis_ratio": "axis_ratio", "mass_position_angle": "position_angle"}
    return {
        prefix + name: _number(getattr(deflector, fields.get(name, name), None))
        for name in _DEFLECTOR
    }


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _of_lensed_light(name: str, layers: Layers) -> Row:
    """Lensed light in one band: flux and magnitude within the frame, signal-to-noise, contrast."""
    flux = float(layers.arc.sum(dtype=np.float64))
    return {
        f"arc_flux_{name}": flux,
        f"arc_magnitude_{name}": band(name).magnitude(flux) if flux > 0 else np.nan,
        f"arc_signal_to_noise_{name}": targets.arc_signal_to_noise(
            layers.arc, layers.image, band(name)
        ),
        f"arc_contrast_{name}": targets.arc_contrast(layers.arc, layers.lens_light, band(name)),
    }
