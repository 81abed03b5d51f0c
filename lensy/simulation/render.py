"""Turn a scene into noiseless images, one layer per object, in every band at once.

lenstronomy supplies the lens models; how light becomes pixels is done here (`canvas.py`, `arcs.py`)
because lenstronomy's way (supersample the whole frame, convolve with a pixelised kernel) is slow
where it is accurate. The sky is the same in every band but for flux and blur: each object is drawn
once, with unit flux, under the VIS point-spread function. What NISP sees is the same drawing under
a further Gaussian blur, summed over 3 x 3 pixels, because Gaussians blur to Gaussians.

Where an object is fainter than half the step to which layers are stored it is not drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial, wraps
from typing import ParamSpec, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from lensy.errors import LensyError
from lensy.simulation.arcs import draw_lensed
from lensy.simulation.canvas import BRIGHT_CORE, MARGIN, VIS_PIXEL, VIS_SIDE, Canvas, Patch
from lensy.sky.profiles import sersic_profile, sersic_radius
from lensy.sky.scene import Deflector, Galaxy, Pattern, Scene
from lensy.telescope import bands as known_bands
from lensy.telescope.bands import Band
from lensy.values import Floats, Image

P = ParamSpec("P")

R = TypeVar("R")

LIBRARIES = ThreadpoolController()


def one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """Keeps a function's matrix products to one thread.

    The matrices are small, threads cost more than they bring, and how many there are would change
    the last bits of an image.
    """

    @wraps(function)
    def limited(*words: P.args, **names: P.kwargs) -> R:
        with LIBRARIES.limit(limits=1, user_api="blas"):
            return function(*words, **names)

    return limited


Brightness = Callable[[Floats, Floats], Floats]

Drawing = tuple[Galaxy | Pattern, Patch]

LENS_LIGHT, LENSED_LIGHT, COMPANIONS = 0, 1, 2
"""Where each layer lies in a stack of them; masks begin in the same order."""


@dataclass(frozen=True)
class Layers:
    """Noiseless light of a scene in one band, nJy per pixel, float32.

    lens_light, arc: (y, x). companions: (n_companions, y, x). magnification: lensed flux over the
    flux of the source without the lens; 0 where there is no source. n_images: of the source's
    centre. Of two sources the larger magnification, and the images of the nearer one.
    """

    lens_light: Image
    arc: Image
    companions: Image
    magnification: float = 0.0
    n_images: int = 0

    @property
    def stack(self) -> Image:
        """Lens light, arc and all companions together, (3, y, x): see LENS_LIGHT and the others."""
        together = self.companions.sum(axis=0, dtype=np.float32)
        return np.stack([self.lens_light, self.arc, together])

    @property
    def image(self) -> Image:
        """What a perfect detector would see, (y, x): the sum of `stack`."""
        total: Image = self.stack.sum(axis=0, dtype=np.float32)
        return total


@one_thread
def render(scene: Scene, band: Band | str) -> Layers:
    """Layers of `scene` in one band, with point-spread function and pixels but without noise.

    Raises LensyError for a band that is none, or where an object has no magnitude in it.
    """
    (layers,) = render_bands(scene, [band]).values()
    return layers


@one_thread
def render_bands(scene: Scene, names: Sequence[Band | str]) -> dict[str, Layers]:
    """Layers of `scene` by the name of the band, as `render`; each object is drawn once."""
    bands = [known_bands.band(each) for each in names]
    canvas = Canvas(bands)

    def radius(galaxy: Galaxy) -> float:
        return _visible_radius(galaxy, bands)

    lens: list[Drawing] = [
        (scene.lens, canvas.galaxy(scene.lens, radius(scene.lens), core=BRIGHT_CORE))
    ]
    lens += [(pattern, canvas.pattern(pattern)) for pattern in scene.structure]
    companions = [[(each, canvas.galaxy(each, radius(each)))] for each in scene.companions]
    arcs, magnification, n_images = draw_lensed(canvas, scene, radius)
    objects_of_layers: list[Sequence[Drawing]] = [lens, arcs, *companions]
    layers = {}
    for band in bands:
        drawn = [_expose(objects, band, canvas.sigma) for objects in objects_of_layers]
        rest = np.stack(drawn[2:]) if companions else np.zeros((0, *band.shape), np.float32)
        layers[band.name] = Layers(drawn[0], drawn[1], rest, magnification, n_images)
    return layers


@one_thread
def render_galaxy(galaxy: Galaxy, band: Band | str) -> Image:
    """Light of one galaxy without lensing, (y, x), nJy per pixel."""
    return render(Scene(lens=galaxy), band).lens_light


@one_thread
def render_arc(source: Galaxy, deflector: Deflector, band: Band | str) -> tuple[Image, float]:
    """Light of `source` as lensed by `deflector`, (y, x) in nJy per pixel, and its magnification.

    The magnification is the lensed flux in the frame, and around it up to 8 arcsec from the lens,
    over the flux of the unlensed source.
    """
    band = known_bands.band(band)
    canvas = Canvas([band])
    scene = Scene(lens=source, deflector=deflector, source=source)
    arcs, magnification, _ = draw_lensed(canvas, scene, partial(_visible_radius, bands=[band]))
    return _expose(arcs, band, canvas.sigma), magnification


def brightness(galaxy: Galaxy, band: Band | str) -> Brightness:
    """Surface brightness of a galaxy, a function of x and y (arcsec) in nJy per arcsec^2."""
    band = known_bands.band(band)
    profile, flux = sersic_profile(galaxy), band.flux(_magnitude(galaxy, band))

    def shine(x: Floats, y: Floats) -> Floats:
        light: Floats = flux * profile(x - galaxy.x, y - galaxy.y)
        return light

    return shine


def _magnitude(shape: Galaxy | Pattern, band: Band) -> float:
    if band.name not in shape.magnitudes:
        raise LensyError(
            f"A galaxy has no magnitude in {band.name}, only in {', '.join(shape.magnitudes)}: "
            "draw it from a population that covers this band."
        )
    return shape.magnitudes[band.name]


def _visible_radius(galaxy: Galaxy, bands: Sequence[Band]) -> float:
    """Radius (arcsec, geometric mean of the axes) beyond which no band stores anything."""
    faintest = min(
        0.5 * band.flux_step / (band.flux(_magnitude(galaxy, band)) * band.pixel_scale**2)
        for band in bands
    )
    return sersic_radius(galaxy, faintest)


def _expose(drawings: Sequence[Drawing], band: Band, sigma: float) -> Image:
    """Drawings in a band's own flux, blur and pixels, added up: (y, x), nJy per pixel."""
    frame = np.zeros(band.shape, np.float32)
    reduce = _reduction(band, sigma)
    for shape, patch in drawings:
        flux = np.float32(band.flux(_magnitude(shape, band)))
        if reduce is None:
            rows, columns, light = patch.crop()
            frame[rows, columns] += flux * light
            continue
        row, column = patch.row + MARGIN, patch.column + MARGIN
        down = reduce[:, row : row + patch.light.shape[0]]
        across = reduce[:, column : column + patch.light.shape[1]]
        frame += flux * (down @ patch.light @ across.T)
    return frame


@lru_cache(maxsize=16)
def _reduction(band: Band, sigma: float) -> Image | None:
    """Weight of every canvas pixel in every pixel of a band, (pixel, canvas pixel), on one axis.

    sigma: blur of the canvas in its pixels. None where the band's image is the canvas itself.
    A frame of 66 pixels of 0.3 arcsec stands in the middle of one of 200 pixels of 0.1.
    """
    factor = round(band.pixel_scale / VIS_PIXEL)
    further = (band.psf_sigma / VIS_PIXEL) ** 2 - sigma**2
    if factor == 1 and further < 1e-9:
        return None
    side = VIS_SIDE + 2 * MARGIN
    first = 0.5 * (side - band.n_pixels * factor)
    distance = np.arange(band.n_pixels * factor)[:, None] + first - np.arange(side)[None, :]
    kernel = _blur(np.asarray(distance, np.float64), further)
    summed: Image = kernel.reshape(band.n_pixels, factor, side).sum(axis=1).astype(np.float32)
    return summed


def _blur(distance: Floats, variance: float) -> Floats:
    """Weight of a sample at each distance, in pixels, in a Gaussian blur of a sampled image.

    The Fourier transform of the Gaussian up to the sampling's highest frequency, and so right for
    the narrowest blurs too, which fall between the samples.
    """
    steps = 4 * VIS_SIDE
    frequency = np.pi * (np.arange(steps) + 0.5) / steps
    damping = np.exp(-0.5 * variance * frequency**2)
    places, inverse = np.unique(np.abs(distance), return_inverse=True)
    weights = np.cos(places[:, None] * frequency) @ damping / steps
    return np.asarray(weights[inverse].reshape(distance.shape))
