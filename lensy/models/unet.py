"""Naberrie: a U-Net that paints the lensed light of one band.

Four encoder blocks, a bottleneck and four decoder blocks with a skip each. A block is convolution,
batch normalisation, ReLU, twice; then max-pooling in the encoder, enlargement in the bottleneck and
the decoder, and one convolution at the end. Source: the talk's architecture figure; Ronneberger,
Fischer & Brox 2015 for the idea.

The talk enlarges with transposed convolutions, which leave a checkerboard in its pictures (Odena,
Dumoulin & Olah 2016, Distill, doi 10.23915/distill.00003): each of the four pixels that come from
one has weights of its own. Here a 1x1 convolution is followed by bilinear interpolation, which
cannot; `upsampling="transposed"` gives the talk's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lensy.errors import LensyError
from lensy.models.precision import SinglePrecision

DEPTH = 4

MARKED = 0.5
"""Probability from which on a pixel counts as spoilt by an artefact."""

Upsampling = Literal["bilinear", "transposed"]


def double_convolution(n_in: int, n_out: int, first: type[nn.Conv2d] = nn.Conv2d) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU, twice. Keeps height and width."""

    def once(kind: type[nn.Conv2d], n_in: int) -> list[nn.Module]:
        convolution = kind(n_in, n_out, kernel_size=3, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]

    return nn.Sequential(*once(first, n_in), *once(nn.Conv2d, n_out))


def enlargement(n_in: int, n_out: int, kind: Upsampling) -> nn.Module:
    """Doubles height and width."""
    if kind == "transposed":
        return nn.ConvTranspose2d(n_in, n_out, kernel_size=2, stride=2)
    # the two commute, and on the small image the convolution costs a quarter
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, kernel_size=1), nn.Upsample(scale_factor=2, mode="bilinear")
    )


class Encoder(nn.Module):
    """Image (batch, n_bands, y, x) to features: halves it four times while the channels double."""

    def __init__(self, width: int, n_bands: int) -> None:
        super().__init__()
        self.widths = [width * 2**level for level in range(DEPTH)]
        deeper = (double_convolution(n, m) for n, m in pairwise(self.widths))
        self.blocks = nn.ModuleList(
            [double_convolution(n_bands, width, first=SinglePrecision), *deeper]
        )
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
    """Features and skips to images. `widths` as the encoder's."""

    def __init__(self, widths: Sequence[int], upsampling: Upsampling, n_outputs: int) -> None:
        super().__init__()
        rising = list(widths)[::-1]
        self.blocks = nn.ModuleList(double_convolution(2 * n, n) for n in rising)
        self.ups = nn.ModuleList(enlargement(n, m, upsampling) for n, m in pairwise(rising))
        self.last = nn.Conv2d(rising[-1], n_outputs, kernel_size=1)

    def forward(self, features: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """Images (batch, n_outputs, y, x) of the first skip's size."""
        for level, (block, skip) in enumerate(zip(self.blocks, reversed(skips), strict=True)):
            features = block(torch.cat([features, skip], dim=1))
            if level < len(self.ups):
                features = self.ups[level](features)
        image: Tensor = self.last(features)
        return image


class Naberrie(nn.Module):
    """Paints the lensed light of one band, from an image in that band or in several.

    width: channels at the first level; 16 gives 1.8 million parameters.
    sigma: flux of the background noise, in the images' unit, one for each band; the first is the
    band that is painted. Images pass through arcsinh(flux / sigma) on the way in; the network works
    on that scale, which is linear in the noise and logarithmic in bright cores. The scale is saved
    with the weights.
    marks_artefacts: whether it has a second output that says which pixels an artefact spoils.
    """

    sigma: Tensor

    def __init__(
        self,
        width: int = 16,
        sigma: float | Sequence[float] = 1.0,
        upsampling: Upsampling = "bilinear",
        *,
        marks_artefacts: bool = False,
    ) -> None:
        super().__init__()
        self.width = width
        self.marks_artefacts = marks_artefacts
        self.register_buffer("sigma", torch.tensor(sigma).reshape(-1, 1, 1).float())
        self.encoder = Encoder(width, n_bands=len(self.sigma))
        deepest = self.encoder.widths[-1]
        self.bottleneck = double_convolution(deepest, 2 * deepest)
        self.up = enlargement(2 * deepest, deepest, upsampling)
        self.decoder = Decoder(self.encoder.widths, upsampling, n_outputs=1 + marks_artefacts)

    @property
    def bottleneck_width(self) -> int:
        """Channels of the bottleneck."""
        return 16 * self.width

    def begin_with(self, other: Naberrie) -> None:
        """Take the weights of a network of the same width, the scales of the images excepted.

        The first input band begins as the other network's first; what the other did not see begins
        without weight, and a second output as it is.
        Raises LensyError where the two do not have the same shape.
        """
        mine, theirs = self.state_dict(), other.state_dict()
        if self.width != other.width or mine.keys() != theirs.keys():
            raise LensyError(
                f"A network of width {self.width} cannot begin with the weights of one of width "
                f"{other.width}, or of one that enlarges otherwise."
            )
        name = "encoder.blocks.0.0.weight"
        first = torch.zeros_like(mine[name])
        first[:, :1] = theirs[name][:, :1]
        kept = {"sigma": mine["sigma"], name: first}
        for name in ("decoder.last.weight", "decoder.last.bias"):
            kept[name] = torch.cat([theirs[name][:1], mine[name][1:]])
        self.load_state_dict(theirs | kept)

    def fused(self) -> Naberrie:
        """A copy for inference only, with the normalisations made part of the convolutions.

        A fifth faster on CPUs, and equal but for rounding.
        """
        copy = deepcopy(self).eval()
        for block in (*copy.encoder.blocks, copy.bottleneck, *copy.decoder.blocks):
            for place in (0, 3):
                block[place] = fuse_conv_bn_eval(block[place], block[place + 1])
                block[place + 1] = nn.Identity()
        return copy.requires_grad_(False)

    def compress(self, flux: Tensor) -> Tensor:
        """Flux (..., n_bands, y, x) to the network's scale: arcsinh(flux / sigma)."""
        return torch.asinh(flux / self.sigma)

    def compress_light(self, light: Tensor) -> Tensor:
        """Flux (..., 1, y, x) in the band that is painted to the network's scale."""
        return torch.asinh(light / self.sigma[:1])

    def encode(self, flux: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The bottleneck's features (batch, 16 width, y/16, x/16) and the skips, largest first.

        Sizes that are not multiples of 16 are padded by reflection, so that no edge is lost.
        """
        height, width = flux.shape[-2:]
        step = 2**DEPTH
        pad = (0, -width % step, 0, -height % step)
        features, skips = self.encoder(functional.pad(self.compress(flux), pad, mode="reflect"))
        return self.bottleneck(features), skips

    def paint(self, features: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """What `encode` gave to lensed light on the network's scale, padding included.

        With `marks_artefacts` a second channel: log-odds that an artefact spoils a pixel.
        """
        painted: Tensor = self.decoder(self.up(features), skips)
        return painted

    def forward(self, flux: Tensor) -> Tensor:
        """Lensed light (batch, 1, y, x) on the network's scale from flux (batch, n_bands, y, x)."""
        height, width = flux.shape[-2:]
        return self.paint(*self.encode(flux))[:, :1, :height, :width]

    @torch.inference_mode()
    def reconstruct(self, flux: Tensor) -> Tensor:
        """Lensed light (batch, 1, y, x) in the unit of `flux` (batch, n_bands, y, x)."""
        return torch.sinh(self(flux)) * self.sigma[:1]

    @torch.inference_mode()
    def mark(self, flux: Tensor) -> Tensor:
        """Probability (batch, 1, y, x) that an artefact spoils each pixel of `flux`.

        Raises LensyError where the network has no such output.
        """
        mask = self.outputs(flux)[1]
        if mask is None:
            raise LensyError("This network paints lensed light and marks no artefacts.")
        return mask

    @torch.inference_mode()
    def outputs(self, flux: Tensor) -> tuple[Tensor, Tensor | None]:
        """What `forward` and `mark` give, in one pass; None for a mask that it does not make."""
        height, width = flux.shape[-2:]
        out = self.paint(*self.encode(flux))[..., :height, :width].float()
        return out[:, :1], torch.sigmoid(out[:, 1:]) if self.marks_artefacts else None


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
        model.eval()(torch.zeros(1, len(model.sigma), n_pixels, n_pixels))
    model.train(was_training)
    for handle in handles:
        handle.remove()
    return found
