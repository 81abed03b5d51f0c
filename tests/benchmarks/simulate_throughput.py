"""How long a four-band example takes on one core, and how wrong it is: ours against lenstronomy.

    python tests/benchmarks/simulate_throughput.py

The same scenes of TALK are drawn

* by `lensy`: layers of four bands and masks, as a data set stores them, and noise;
* by the straight script, SimAPI with its defaults (one sample per pixel, pixelised kernel): image,
  lensed light alone and noise, in four bands;
* by the same script with five samples per pixel and axis.

Beside each time stand the errors of the lensed light and of all light in VIS, largest pixel of each
scene in units of the noise there, against pictures by brute force (`tests/brute_force.py`). Last,
the memory that data sets of growing size take.
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

from lensy import targets
from lensy.bands import GRIDS, Band, band
from lensy.detector import noise_sigma, observe
from lensy.populations import TalkPopulation
from lensy.render import render_bands
from lensy.scene import Scene
from lensy.simulate import Recipe
from lensy.store import make_data_set

BANDS = [band(name) for name in GRIDS]
VIS = BANDS[0]
FIVE = {"supersampling_factor": 5, "supersampling_convolution": True}
Picture = tuple[NDArray[Any], NDArray[Any]]


def ours(scene: Scene) -> Picture:
    """Layers, masks and noise of a scene. Returns its lensed light and all its light in VIS."""
    layers = render_bands(scene, BANDS)
    vis = layers["VIS"]
    for light in [vis.lens_light, vis.arc, *vis.companions]:
        targets.mask_rings(light)
    for each in BANDS:
        observe(layers[each.name].image, each, np.random.default_rng(1))
    return vis.arc, vis.image


def script(scene: Scene, numerics: dict[str, Any]) -> Picture:
    """Images, lensed light and noise of a scene in four bands, as lenstronomy's manual does it."""
    pictures = [_script_in(each, scene, numerics) for each in BANDS]
    return pictures[0]


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


def exact(scene: Scene) -> Picture:
    """Lensed light and all light in VIS by brute force."""
    arc = sample_source(scene.source, scene.deflector).seen(VIS)
    arc = arc * VIS.flux(scene.source.magnitudes["VIS"])
    image = arc.copy()
    for galaxy in (scene.lens, *scene.companions):
        image += sample_galaxy(galaxy).seen(VIS) * VIS.flux(galaxy.magnitudes["VIS"])
    return arc, image


def milliseconds(draw: Callable[[Scene], Picture], scenes: Sequence[Scene]) -> float:
    """Median processor time of a drawing, the first scene drawn once before the clock starts."""
    draw(scenes[0])
    times = []
    for scene in scenes:
        started = time.process_time()
        draw(scene)
        times.append(time.process_time() - started)
    return 1000 * float(np.median(times))


def errors(
    draw: Callable[[Scene], Picture], scenes: Sequence[Scene], truth: Sequence[Picture]
) -> list[str]:
    """Error of lensed light and of all light: median and maximum over scenes of the worst pixel."""
    worst = np.array(
        [
            [
                np.max(np.abs(a - b) / noise_sigma(right[1], VIS))
                for a, b in zip(drawn, right, strict=True)
            ]
            for drawn, right in zip(map(draw, scenes), truth, strict=True)
        ]
    )
    return [f"{np.median(w):9.4f} (at most {w.max():.4f})" for w in worst.T]


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
        ways: dict[str, tuple[Callable[[Scene], Picture], bool]] = {
            "lensy": (ours, True),
            "lenstronomy, 1 sample": (lambda scene: script(scene, {}), True),
            "lenstronomy, 5 x 5": (lambda scene: script(scene, FIVE), False),
        }
        typer.echo(f"{n_scenes} scenes in four bands, median processor time on one core, ms;")
        typer.echo(f"errors in VIS in units of the noise, worst pixel of {n_fine} scenes")
        typer.echo(f"{'':24}{'lenses':>8}{'TALK':>8}   lensed light{'':15}all light")
        for name, (draw, quick) in ways.items():
            times = [
                milliseconds(draw, each if quick else few) for each in (scenes, mixed)[: 1 + quick]
            ]
            columns = "".join(f"{each:8.1f}" for each in times).ljust(16)
            typer.echo(f"{name:24}{columns}" + " ".join(errors(draw, few, truth)))
    for n_examples in (100, 400):
        typer.echo(
            f"a data set of {n_examples}: at most {peak_memory(n_examples):.0f} MB of memory"
        )


if __name__ == "__main__":
    typer.run(main)
