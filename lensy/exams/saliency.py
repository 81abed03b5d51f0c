"""What a network looks at, by the methods of the predecessor: maps over the pixels of an image.

Occlusion and Guided Grad-CAM are Captum's; Captum has no tool that makes an image for a class, so
that gradient ascent is written here. A map says how much each pixel speaks for "lens".
Sources: Zeiler & Fergus 2014 (occlusion), Selvaraju et al. 2017 (Guided Grad-CAM), Simonyan et al.
2014 (class-generated images), Mordvintsev et al. 2015 (Deep Dream), Adebayo et al. 2018 (the check
with random weights).
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from captum.attr import GuidedGradCam, Occlusion
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from scipy.stats import spearmanr
from torch import Tensor, nn

from lensy.errors import LensyError
from lensy.models.classifier import Differentiable
from lensy.models.unet import Naberrie
from lensy.training.scorer import Scorer

Map = NDArray[np.float64]

LENS = 1
"""Number of the class of lenses among a network's two outputs."""


def differentiable(scorer: Scorer) -> nn.Module:
    """A copy of a network's logits with gradients down to the image, which is on VIS pixels.

    Raises LensyError for a Mask R-CNN, which has no single score to ask about, for networks without
    gradients or convolutions, and for those that do not see VIS.
    """
    if scorer.detector is not None:
        raise LensyError(f"{scorer.name} says itself what it looks at: look at its masks.")
    if scorer.grid != "VIS" or "VIS" not in scorer.bands:
        raise LensyError(
            f"{scorer.name} sees pixels of {scorer.grid} in {', '.join(scorer.bands)}; maps of "
            "attention are made of VIS images on their own pixels."
        )
    network = copy.deepcopy(scorer.differentiable)
    if network is None or not any(isinstance(each, nn.Conv2d) for each in network.modules()):
        raise LensyError(
            f"{scorer.name} cannot be asked what it looks at, which takes gradients and "
            "convolutions: give an `nn.Module` with both, as `module` or as `differentiable`."
        )
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            # guided backpropagation changes what comes back through each
            module.inplace = False
    return network.eval()


def reconstruction(unet: Naberrie, flux: Tensor) -> Map:
    """Lensed light (y, x) in nJy that a U-Net sees in one image (1, n_bands, y, x)."""
    return np.asarray(unet.reconstruct(flux)[0, 0].double().numpy())


def last_convolution(network: nn.Module) -> nn.Module:
    """The last convolution that the logits depend on: where Grad-CAM looks."""
    part = network.unet.bottleneck if isinstance(network, Differentiable) else network
    return [each for each in part.modules() if isinstance(each, nn.Conv2d)][-1]


def first_convolution(network: nn.Module) -> nn.Module:
    """The first convolution that an image meets: whatever excites it is simple."""
    return next(each for each in network.modules() if isinstance(each, nn.Conv2d))


def occlusion_map(network: nn.Module, flux: Tensor, *, side: int = 4, stride: int = 2) -> Map:
    """How much the logit of "lens" falls when a square of the image is set to zero, (y, x).

    flux: one image (1, n_bands, y, x) in nJy; all bands are hidden together. side, stride: of the
    square, pixels; 4 for OU-200 in Wilde et al. 2022.
    """
    n_bands = flux.shape[1]
    with torch.inference_mode():
        found = Occlusion(network).attribute(
            flux,
            sliding_window_shapes=(n_bands, side, side),
            strides=(n_bands, stride, stride),
            baselines=0.0,
            target=LENS,
            perturbations_per_eval=32,
        )
    return _over_bands(found)


def guided_gradcam(network: nn.Module, flux: Tensor) -> Map:
    """Guided Grad-CAM for "lens", (y, x), of one image (1, n_bands, y, x) in nJy."""
    method = GuidedGradCam(network, last_convolution(network))
    with warnings.catch_warnings():
        # that it sets hooks and removes them again
        warnings.filterwarnings("ignore", message="Setting backward hooks on ReLU")
        found = method.attribute(
            flux.clone().requires_grad_(), target=LENS, interpolate_mode="bilinear"
        )
    return _over_bands(found)


def _over_bands(found: Tensor) -> Map:
    return np.asarray(found.detach()[0].sum(dim=0).double().numpy())


def class_image(
    network: nn.Module,
    start: Tensor,
    *,
    steps: int = 200,
    rate: float = 0.1,
    weight: float = 1e-3,
    sigma: float = 1.0,
) -> Tensor:
    """An image like `start` that the network finds more like a lens.

    Gradient ascent on the logit of "lens" less the square of what has changed, in arcsinh(flux /
    sigma), so that steps are alike for faint and bright pixels. start, and what comes back:
    (1, n_bands, y, x) in nJy. weight: of the square, summed over pixels. (Simonyan et al. begin
    with an empty image, where the change is the image.)
    """
    return _ascent(
        lambda flux: network(flux)[0, LENS],
        start,
        steps=steps,
        rate=rate,
        weight=weight,
        sigma=sigma,
    )


def deep_dream(
    network: nn.Module,
    layer: nn.Module,
    start: Tensor,
    *,
    steps: int = 60,
    rate: float = 0.05,
    sigma: float = 1.0,
) -> Tensor:
    """An image in which whatever excites a layer is made stronger; as `class_image`."""
    seen: list[Tensor] = []
    handle = layer.register_forward_hook(lambda _module, _inputs, output: seen.append(output))

    def excitement(flux: Tensor) -> Tensor:
        seen.clear()
        network(flux)
        return seen[-1].square().mean()

    try:
        return _ascent(excitement, start, steps=steps, rate=rate, weight=0.0, sigma=sigma)
    finally:
        handle.remove()


def _ascent(
    quantity: Callable[[Tensor], Tensor],
    start: Tensor,
    *,
    steps: int,
    rate: float,
    weight: float,
    sigma: float,
) -> Tensor:
    begun = torch.asinh(start / sigma)
    compressed = begun.clone().requires_grad_()
    optimiser = torch.optim.Adam([compressed], lr=rate)
    for _ in range(steps):
        loss = weight * (compressed - begun).square().sum() - quantity(
            torch.sinh(compressed) * sigma
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return torch.sinh(compressed.detach()) * sigma


def randomised(network: nn.Module, *, seed: int = 0) -> nn.Module:
    """A copy whose convolutions and dense layers have random weights: the check of Adebayo et al.

    A map that stays the same does not explain what was learned.
    """
    torch.manual_seed(seed)
    blank = copy.deepcopy(network)
    for module in blank.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.reset_parameters()
    return blank


def likeness(first: Map, second: Map) -> float:
    """Spearman's rank correlation of two maps' absolute values, from -1 to 1.

    NaN where one of them is the same everywhere.
    """
    if np.ptp(np.abs(first)) == 0 or np.ptp(np.abs(second)) == 0:
        return float("nan")
    return float(spearmanr(np.abs(first).ravel(), np.abs(second).ravel()).statistic)


def points_at(found: Map, truth: NDArray[np.bool_], *, slack: int = 3) -> bool:
    """The pointing game: whether a map's highest pixel lies on, or near, what it should show.

    truth: (y, x). slack: pixels by which it may miss. Source: Zhang et al. 2016.
    """
    if not truth.any():
        return False
    near = binary_dilation(truth, iterations=slack) if slack else truth
    return bool(near[np.unravel_index(int(np.argmax(found)), found.shape)])


def share_pointing(pairs: Sequence[tuple[Map, NDArray[np.bool_]]], **options: Any) -> float:
    """Share of maps that point at the truth; of (map, truth) pairs."""
    return float(np.mean([points_at(found, truth, **options) for found, truth in pairs]))
