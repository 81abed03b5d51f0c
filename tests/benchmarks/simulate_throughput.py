"""How long a VIS example takes on one core: ours against a straight lenstronomy script.

    python tests/benchmarks/simulate_throughput.py

The same scenes of the talk's population, all with a source, are drawn

* by `lensy`: layers, masks and noise, as a data set stores them;
* by SimAPI with its defaults (one sample per pixel, pixelised kernel), which is quick and wrong by
  several per cent in the cores: image, lensed light alone, noise;
* by SimAPI with five samples per pixel and axis, which comes as close to the truth as ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy as np
import typer
from lenstronomy.SimulationAPI.ObservationConfig.Euclid import Euclid
from lenstronomy.SimulationAPI.sim_api import SimAPI
from lenstronomy.Util.param_util import phi_q2_ellipticity
from threadpoolctl import threadpool_limits

from lensy import targets
from lensy.bands import band
from lensy.detector import observe
from lensy.populations import TalkPopulation
from lensy.render import render
from lensy.scene import Deflector, Galaxy, Scene

VIS = band("VIS")


def ours(scene: Scene) -> None:
    """Layers, masks and noise of a scene."""
    layers = render(scene, VIS)
    for light in [layers.lens_light, layers.arc, *layers.companions]:
        targets.mask_rings(light)
    observe(layers.image, VIS, np.random.default_rng(1))


def script(scene: Scene, numerics: dict[str, Any]) -> None:
    """Image, lensed light and noise of a scene, the way lenstronomy's manual does it."""
    galaxies = [scene.lens, *scene.companions]
    settings = Euclid("VIS").kwargs_single_band() | {"pixel_scale": VIS.pixel_scale}
    simulator = SimAPI(
        VIS.n_pixels,
        settings,
        {
            "lens_model_list": ["SIE", "SHEAR"],
            "lens_light_model_list": ["SERSIC_ELLIPSE"] * len(galaxies),
            "source_light_model_list": ["SERSIC_ELLIPSE"],
        },
    )
    model = simulator.image_model_class(numerics)
    lights, lensed, _ = simulator.magnitude2amplitude(
        [light(each) for each in galaxies], [light(scene.source)]
    )
    image = model.image(mass(scene.deflector), lensed, lights)
    model.image(mass(scene.deflector), lensed, lights, lens_light_add=False)
    simulator.noise_for_model(image)


def light(galaxy: Galaxy) -> dict[str, Any]:
    """Settings of a galaxy's light for SimAPI."""
    e1, e2 = phi_q2_ellipticity(galaxy.position_angle, galaxy.axis_ratio)
    shape = {"R_sersic": galaxy.half_light_radius, "n_sersic": galaxy.sersic_index}
    place = {"e1": e1, "e2": e2, "center_x": galaxy.x, "center_y": galaxy.y}
    return {"magnitude": galaxy.magnitudes["VIS"]} | shape | place


def mass(sie: Deflector) -> list[dict[str, float]]:
    """Settings of a deflector for SimAPI."""
    e1, e2 = phi_q2_ellipticity(sie.position_angle, sie.axis_ratio)
    place = {"center_x": sie.x, "center_y": sie.y}
    shear = {"gamma1": sie.shear_1, "gamma2": sie.shear_2, "ra_0": sie.x, "dec_0": sie.y}
    return [{"theta_E": sie.einstein_radius, "e1": e1, "e2": e2} | place, shear]


def milliseconds(draw: Callable[[Scene], None], scenes: Sequence[Scene]) -> float:
    """Median processor time of a drawing, the first scene drawn once before the clock starts."""
    draw(scenes[0])
    times = []
    for scene in scenes:
        started = time.process_time()
        draw(scene)
        times.append(time.process_time() - started)
    return 1000 * float(np.median(times))


def main(
    n_scenes: Annotated[int, typer.Option(help="Scenes of the talk's population.")] = 40,
    n_fine: Annotated[int, typer.Option(help="Scenes of the slow script.")] = 3,
) -> None:
    """Time the three ways on the same scenes and print medians and ratios."""
    population, rng = TalkPopulation(lens_fraction=1.0), np.random.default_rng(20220711)
    fine = {"supersampling_factor": 5, "supersampling_convolution": True}
    with threadpool_limits(1):
        started = time.process_time()
        scenes = [population.draw(rng) for _ in range(n_scenes)]
        drawing = 1000 * (time.process_time() - started) / n_scenes
        quick = milliseconds(ours, scenes)
        plain = milliseconds(lambda scene: script(scene, {}), scenes)
        slow = milliseconds(lambda scene: script(scene, fine), scenes[:n_fine])
        quick_on_few = milliseconds(ours, scenes[:n_fine])
    typer.echo(f"{n_scenes} VIS scenes, median processor time on one core")
    typer.echo(f"  lensy, layers + masks + noise:      {quick:7.1f} ms (and {drawing:.1f} to draw)")
    typer.echo(f"  lenstronomy, one sample per pixel:  {plain:7.1f} ms, {plain / quick:.2f} x ours")
    typer.echo(f"{n_fine} of them")
    typer.echo(f"  lensy:                              {quick_on_few:7.1f} ms")
    typer.echo(
        f"  lenstronomy, 5 x 5 samples:         {slow:7.1f} ms, {slow / quick_on_few:.1f} x ours"
    )


if __name__ == "__main__":
    typer.run(main)
