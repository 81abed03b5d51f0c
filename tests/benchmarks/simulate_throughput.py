"""How long a four-band example takes on one core, and how wrong it is: ours against lenstronomy.

    python tests/benchmarks/simulate_throughput.py

The same scenes of TALK are drawn

* by `lensy`: layers of four bands and masks, as a data set stores them, and noise;
* by the straight script, SimAPI with its defaults (one sample per pixel, pixelised kernel): image,
  lensed light alone and noise, in four bands;
* by the same script with five samples per pixel and axis.

Beside the times stand errors of the picture and of its lensed light, in units of the noise of each
pixel, against pictures by brute force (`tests/brute_force.py`): the largest, and the 99.9th
percentile of pixels, median over scenes and, in brackets, the worst scene. Of each band the
outermost arcsec is left out, because the script adds nothing from beyond the frame. Last, the
memory that data sets of growing size take.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from lenstronomy.SimulationAPI.ObservationConfig.Euclid import Euclid
from lenstronomy.SimulationAPI.sim_api import SimAPI
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))
from brute_force import light_settings, mass, sample_galaxy, sample_source

from lensy.datasets.store import make_data_set
from lensy.simulation import targets
from lensy.simulation.recipe import Recipe
from lensy.simulation.render import render_bands
from lensy.sky.populations import TalkPopulation
from lensy.sky.scene import Scene
from lensy.telescope.bands import Band, band
from lensy.telescope.noise import noise_sigma, observe

BANDS = [band(name) for name in Recipe(name="x").bands]
VIS = BANDS[0]
FIVE = {"supersampling_factor": 5, "supersampling_convolution": True}
COMPARED = ("VIS", "H")
Picture = tuple[NDArray[Any], NDArray[Any]]
Pictures = dict[str, Picture]
"""Lensed light and all light by the name of the band, nJy."""


def ours(scene: Scene) -> Pictures:
    """Layers, masks and noise of a scene."""
    layers = render_bands(scene, BANDS)
    vis = layers["VIS"]
    for light in [vis.lens_light, vis.arc, *vis.companions]:
        targets.mask_rings(light)
    for each in BANDS:
        observe(layers[each.name].image, each, np.random.default_rng(1))
    return {name: (each.arc, each.image) for name, each in layers.items()}


def script(scene: Scene, numerics: dict[str, Any]) -> Pictures:
    """Images, lensed light and noise of a scene in four bands, as lenstronomy's manual does it."""
    return {each.name: _script_in(each, scene, numerics) for each in BANDS}


def _script_in(each: Band, scene: Scene, numerics: dict[str, Any]) -> Picture:
    galaxies = [scene.lens, *scene.companions]
    sources = [scene.source] if scene.source else []
    settings = Euclid(each.name).kwargs_single_band() | {"pixel_scale": each.pixel_scale}
    simulator = SimAPI(
        each.n_pixels,
        settings,
        {
            "lens_model_list": ["SIE", "SHEAR"] if scene.deflector else [],
            "lens_light_model_list": ["SERSIC_ELLIPSE"] * len(galaxies),
            "source_light_model_list": ["SERSIC_ELLIPSE"] * len(sources),
        },
    )
    model = simulator.image_model_class(numerics)
    lights, lensed, _ = simulator.magnitude2amplitude(
        *(
            [light_settings(g) | {"magnitude": g.magnitudes[each.name]} for g in drawn]
            for drawn in (galaxies, sources)
        )
    )
    lens = mass(scene.deflector) if scene.deflector else []
    image = model.image(lens, lensed, lights)
    arc = model.image(lens, lensed, lights, lens_light_add=False)
    simulator.noise_for_model(image)
    unit = each.flux(each.zero_point)
    return arc * unit, image * unit


def exact(scene: Scene) -> Pictures:
    """Lensed light and all light by brute force."""
    source = sample_source(scene.source, scene.deflector)
    galaxies = [(each, sample_galaxy(each)) for each in (scene.lens, *scene.companions)]
    pictures = {}
    for name in COMPARED:
        each = band(name)
        arc = source.seen(each) * each.flux(scene.source.magnitudes[name])
        rest = [points.seen(each) * each.flux(g.magnitudes[name]) for g, points in galaxies]
        pictures[name] = arc, arc + np.sum(rest, axis=0)
    return pictures


def milliseconds(draw: Callable[[Scene], Pictures], scenes: Sequence[Scene]) -> float:
    """Median processor time of a drawing, the first scene drawn once before the clock starts."""
    draw(scenes[0])
    times = []
    for scene in scenes:
        started = time.process_time()
        draw(scene)
        times.append(time.process_time() - started)
    return 1000 * float(np.median(times))


def errors(
    draw: Callable[[Scene], Pictures], scenes: Sequence[Scene], truth: Sequence[Pictures]
) -> list[str]:
    """One line per band and kind of light: largest error and 99.9th percentile."""
    drawn = [draw(scene) for scene in scenes]
    lines = []
    for name in COMPARED:
        edge = round(1 / band(name).pixel_scale)
        for kind, what in enumerate(("lensed light", "all light")):
            off = [
                (np.abs(a[name][kind] - b[name][kind]) / noise_sigma(b[name][1], band(name)))[
                    edge:-edge, edge:-edge
                ]
                for a, b in zip(drawn, truth, strict=True)
            ]
            columns = [[each.max() for each in off], [np.quantile(each, 0.999) for each in off]]
            words = "".join(f"{np.median(c):11.4f} ({np.max(c):.4f})".ljust(22) for c in columns)
            lines.append(f"    {name:4}{what:14}{words}")
    return lines


def peak_memory(n_examples: int) -> float:
    """Largest memory, MB, of a process that makes a data set of n examples by itself."""
    done = subprocess.run(
        [sys.executable, __file__, "--memory", str(n_examples)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout)


def _make(n_examples: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        recipe = Recipe(name="memory", n_train=n_examples)
        make_data_set(recipe, Path(folder) / "data", n_jobs=1, progress=False)
    typer.echo(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


def main(
    n_scenes: Annotated[int, typer.Option(help="Scenes of the talk's population.")] = 40,
    n_fine: Annotated[int, typer.Option(help="Scenes of the slow script, and of errors.")] = 5,
    memory: Annotated[int, typer.Option(help="Only make so many examples.")] = 0,
) -> None:
    """Time the three ways on the same scenes and print medians, ratios and errors."""
    if memory:
        _make(memory)
        return
    rng = np.random.default_rng(20220711)
    lensed = TalkPopulation(lens_fraction=1.0)
    with threadpool_limits(1):
        scenes = [lensed.draw(rng) for _ in range(n_scenes)]
        mixed = [TalkPopulation().draw(rng) for _ in range(n_scenes)]
        few = scenes[:n_fine]
        truth = [exact(scene) for scene in few]
        ways: dict[str, tuple[Callable[[Scene], Pictures], bool]] = {
            "lensy": (ours, True),
            "lenstronomy, 1 sample": (lambda scene: script(scene, {}), True),
            "lenstronomy, 5 x 5": (lambda scene: script(scene, FIVE), False),
        }
        typer.echo(
            f"{n_scenes} scenes in four bands: lenses alone, as TALK mixes them; {n_fine} lenses "
            "for errors (largest, 99.9th percentile) and for the slow script"
        )
        base: list[float] = []
        for name, (draw, quick) in ways.items():
            times = [
                milliseconds(draw, each if quick else few) for each in (scenes, mixed)[: 1 + quick]
            ]
            base = base or times
            each = [f"{t:.1f} ms ({t / b:.2f} x ours)" for t, b in zip(times, base, strict=False)]
            typer.echo(f"{name}: {', '.join(each)}")
            typer.echo("\n".join(errors(draw, few, truth)))
    for n_examples in (100, 400):
        typer.echo(
            f"a data set of {n_examples}: at most {peak_memory(n_examples):.0f} MB of memory"
        )


if __name__ == "__main__":
    typer.run(main)
