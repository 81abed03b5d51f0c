"""Naberrie: a U-Net that paints the lensed light of one band.

Four encoder blocks, a bottleneck and four decoder blocks with a skip each. A block is convolution,
batch normalisation, ReLU, twice; then max-pooling in the encoder, a transposed convolution in the
bottleneck and the decoder, and one convolution at the end. Source: the talk's architecture figure;
Ronneberger, Fischer & Brox 2015 for the idea.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

DEPTH = 4


def double_convolution(n_in: int, n_out: int) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU, twice. Keeps height and width."""

    def once(n_in: int) -> list[nn.Module]:
        convolution = nn.Conv2d(n_in, n_out, kernel_size=3, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]

    return nn.Sequential(*once(n_in), *once(n_out))


class Encoder(nn.Module):
    """Image to features: halves the image four times while the channels double."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widths = [width * 2**level for level in range(DEPTH)]
        inputs = [1, *self.widths[:-1]]
        self.blocks = nn.ModuleList(map(double_convolution, inputs, self.widths))
        self.pool = nn.MaxPool2d(2)

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Features (batch, 8 width, y/16, x/16), and what each block hands across as a skip."""
        skips = []
        for block in self.blocks:
            image = block(image)
            skips.append(image)
            image = self.pool(image)
        return image, skips


class Decoder(nn.Module):
    """Features and skips to an image. `widths` as the encoder's."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        rising = list(widths)[::-1]
        outputs = [*rising[1:], None]
        self.blocks = nn.ModuleList(double_convolution(2 * n, n) for n in rising)
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(n, m, kernel_size=2, stride=2)
            for n, m in zip(rising, outputs, strict=True)
            if m is not None
        )
        self.last = nn.Conv2d(rising[-1], 1, kernel_size=1)

    def forward(self, features: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """Image (batch, 1, y, x) of the first skip's size."""
        for level, (block, skip) in enumerate(zip(self.blocks, reversed(skips), strict=True)):
            features = block(torch.cat([features, skip], dim=1))
            if level < len(self.ups):
                features = self.ups[level](features)
        image: Tensor = self.last(features)
        return image


class Naberrie(nn.Module):
    """Paints the lensed light of one band.

    width: channels at the first level; 16 gives 1.9 million parameters.
    sigma: flux of the background noise, in the images' unit. Images pass through
    arcsinh(flux / sigma) on the way in; the network works on that scale, which is linear in the
    noise and logarithmic in bright cores. The scale is saved with the weights.
    """

    sigma: Tensor

    def __init__(self, width: int = 16, sigma: float = 1.0) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("sigma", torch.tensor(float(sigma)))
        self.encoder = Encoder(width)
        deepest = self.encoder.widths[-1]
        self.bottleneck = double_convolution(deepest, 2 * deepest)
        self.up = nn.ConvTranspose2d(2 * deepest, deepest, kernel_size=2, stride=2)
        self.decoder = Decoder(self.encoder.widths)

    def compress(self, flux: Tensor) -> Tensor:
        """Flux to the network's scale: arcsinh(flux / sigma)."""
        return torch.asinh(flux / self.sigma)

    def forward(self, flux: Tensor) -> Tensor:
        """Lensed light on the network's scale, (batch, 1, y, x), from flux of the same shape.

        Sizes that are not multiples of 16 are padded by reflection and cropped again.
        """
        height, width = flux.shape[-2:]
        step = 2**DEPTH
        pad = (0, -width % step, 0, -height % step)
        features, skips = self.encoder(functional.pad(self.compress(flux), pad, mode="reflect"))
        image = self.decoder(self.up(self.bottleneck(features)), skips)
        cropped: Tensor = image[..., :height, :width]
        return cropped

    @torch.inference_mode()
    def reconstruct(self, flux: Tensor) -> Tensor:
        """Lensed light in the unit of `flux`, same shape."""
        return torch.sinh(self(flux)) * self.sigma


class Stage(NamedTuple):
    """What one block of the network puts out: channels, and pixels on a side."""

    name: str
    n_channels: int
    n_pixels: int


def stages(model: Naberrie, n_pixels: int) -> list[Stage]:
    """The blocks in the order in which an image of n_pixels x n_pixels runs through them.

    Read off the model itself, by sending an empty image through it.
    """
    blocks: dict[str, nn.Module] = {}
    blocks |= {f"encoder {i + 1}": block for i, block in enumerate(model.encoder.blocks)}
    blocks["bottleneck"] = model.bottleneck
    blocks |= {f"decoder {i + 1}": block for i, block in enumerate(model.decoder.blocks)}
    blocks["output"] = model.decoder.last
    found: list[Stage] = []

    def note(name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            found.append(Stage(name, output.shape[1], output.shape[-1]))

        return hook

    handles = [block.register_forward_hook(note(name)) for name, block in blocks.items()]
    was_training = model.training
    with torch.inference_mode():
        model.eval()(torch.zeros(1, 1, n_pixels, n_pixels))
    model.train(was_training)
    for handle in handles:
        handle.remove()
    return found
