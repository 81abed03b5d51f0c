"""Mask R-CNN on frames of one band: torchvision's, whole, with sizes that fit 200 x 200 pixels.

Source: He et al. 2017, arXiv 1703.06870; the talk used torchvision's. Nothing of it is rewritten.
What differs is what has to: one channel in, no statistics of photographs, no enlargement to 800
pixels, anchors of the size of arcs and galaxies. torchvision's own default, a ResNet-50, takes two
seconds per training image on two cores. The light network stands on Naberrie's encoder, as the
talk's classifier does: it can take what that has learned, and needs a fraction of the time.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN, maskrcnn_resnet50_fpn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import MultiScaleRoIAlign

from lensy.errors import LensyError
from lensy.models.precision import SinglePrecision
from lensy.models.unet import DEPTH, Naberrie

Size = Literal["light", "full"]

SIDE = 200
"""Pixels on a side of a VIS frame; torchvision leaves images of this size as they are."""

FRAMES: dict[str, Any] = {
    "min_size": SIDE,
    "max_size": SIDE,
    "image_mean": [0.0],
    "image_std": [1.0],
    "_skip_resize": True,
}
"""What torchvision does to images before the network sees them: nothing, crops in training
included."""

ANCHORS = (8, 16, 32, 64)
"""Sides of the anchors per level of the light network, pixels: from a galaxy's core to a ring of
2.5 arcsec with its halo."""

WIDTH, CHANNELS, HIDDEN = 16, 64, 256
"""Channels of the light network: of the trunk's first block, of the pyramid, of the box head."""


def encoder_blocks(painter: Naberrie) -> list[nn.Module]:
    """The five blocks of Naberrie that lead down to its bottleneck, that included."""
    return [*painter.encoder.blocks, painter.bottleneck]


def trunk() -> tuple[nn.Sequential, list[int]]:
    """Naberrie's encoder and bottleneck one after the other, and the channels of each block."""
    painter = Naberrie(WIDTH)
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for k, block in enumerate(encoder_blocks(painter)):
        parts[f"block{k}"] = block
        parts[f"pool{k}"] = nn.MaxPool2d(2)
    parts.popitem()
    return nn.Sequential(parts), [*painter.encoder.widths, painter.bottleneck_width]


def light_network(n_classes: int) -> MaskRCNN:
    """Naberrie's encoder and heads of a quarter of the usual width: 2.5 million parameters.

    The pyramid takes the three deepest of its blocks, every 4th, 8th and 16th pixel.
    n_classes: of objects, the background apart.
    """
    blocks, channels = trunk()
    stages = {f"block{k}": str(k) for k in range(DEPTH - 2, DEPTH + 1)}
    backbone = BackboneWithFPN(blocks, stages, channels[-len(stages) :], CHANNELS)
    levels = list(stages.values())
    return MaskRCNN(
        backbone,
        num_classes=None,
        rpn_anchor_generator=AnchorGenerator(
            tuple((side,) for side in ANCHORS), ((0.5, 1.0, 2.0),) * len(ANCHORS)
        ),
        rpn_pre_nms_top_n_train=200,
        rpn_post_nms_top_n_train=100,
        rpn_pre_nms_top_n_test=200,
        rpn_post_nms_top_n_test=100,
        # one sample per bin: boxes have no more cells of the pyramid than bins
        box_roi_pool=MultiScaleRoIAlign(levels, output_size=7, sampling_ratio=1),
        box_head=TwoMLPHead(CHANNELS * 7**2, HIDDEN),
        box_predictor=FastRCNNPredictor(HIDDEN, n_classes + 1),
        # on validation frames 32 and 128 could not be told from it
        box_batch_size_per_image=64,
        # a frame of 20 arcsec has a dozen objects
        box_detections_per_img=30,
        mask_roi_pool=MultiScaleRoIAlign(levels, output_size=14, sampling_ratio=1),
        mask_head=MaskRCNNHeads(CHANNELS, (CHANNELS,) * 4, 1),
        mask_predictor=MaskRCNNPredictor(CHANNELS, CHANNELS, n_classes + 1),
        **FRAMES,
        size_divisible=2**DEPTH,
    )


def full_network(n_classes: int) -> MaskRCNN:
    """Torchvision's default on a ResNet-50 without weights from photographs: 44 million parameters.

    n_classes: of objects, the background apart.
    """
    network = maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=n_classes + 1, **FRAMES
    )
    network.backbone.body.conv1 = one_channel(network.backbone.body.conv1)
    return network


def one_channel(convolution: nn.Conv2d) -> nn.Conv2d:
    """A new convolution like a given one, but for images of one channel, in single precision."""
    return SinglePrecision(
        1,
        convolution.out_channels,
        convolution.kernel_size,  # type: ignore[arg-type]
        convolution.stride,  # type: ignore[arg-type]
        convolution.padding,  # type: ignore[arg-type]
        bias=convolution.bias is not None,
    )


class MaskRcnn(nn.Module):
    """Boxes and masks of the objects in a frame, each with a class and a score.

    n_classes: of objects, the background apart. sigma: flux of the background noise, in the images'
    unit; images pass through arcsinh(flux / sigma), as in Naberrie. The scale is saved with the
    weights.
    """

    sigma: Tensor

    def __init__(self, n_classes: int, sigma: float = 1.0, size: Size = "light") -> None:
        super().__init__()
        self.register_buffer("sigma", torch.tensor(sigma).float())
        self.network = light_network(n_classes) if size == "light" else full_network(n_classes)

    def begin_with(self, painter: Naberrie) -> None:
        """Take the weights of Naberrie's encoder and bottleneck for the trunk, and keep them.

        The trunk learns no more, as the encoder under Naberrie's classifier does not.
        Raises LensyError where the two do not have the same shape, as in the full network.
        """
        body = self.network.backbone.body
        if "block0" not in body or painter.width != WIDTH:
            raise LensyError(
                f"A light Mask R-CNN can begin with a Naberrie of width {WIDTH}; this network is "
                f"{'light' if 'block0' in body else 'full'} and that of width {painter.width}."
            )
        for k, block in enumerate(encoder_blocks(painter)):
            body[f"block{k}"].load_state_dict(block.state_dict())
        body.requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        """Let the network learn, a trunk apart that keeps its weights."""
        super().train(mode)
        body = self.network.backbone.body
        if not any(parameter.requires_grad for parameter in body.parameters()):
            body.eval()
        return self

    def forward(self, flux: Tensor, targets: list[dict[str, Tensor]] | None = None) -> Any:
        """Losses in training, detections otherwise, as torchvision gives them.

        flux: (batch, 1, y, x). targets: one per image, with `boxes` (n, 4), `labels` (n,) and
        `masks` (n, y, x); n may be 0.
        """
        return self.network(list(torch.asinh(flux / self.sigma)), targets)

    @torch.inference_mode()
    def detect(self, flux: Tensor) -> list[dict[str, Tensor]]:
        """Detections in images (batch, 1, y, x), one dictionary each, best first.

        `boxes` (n, 4): x and y of two corners, pixels. `labels` and `scores` (n,). `masks`
        (n, 1, y, x): probability that a pixel belongs to the object.
        """
        self.eval()
        found: list[dict[str, Tensor]] = self(flux)
        return found

    @torch.inference_mode()
    def propose(self, flux: Tensor) -> tuple[Tensor, Tensor]:
        """What detection begins with, for one image (1, 1, y, x): anchors and proposals.

        Both are boxes (n, 4), x and y of two corners in pixels; proposals come best first.
        """
        self.eval()
        images, _ = self.network.transform(list(torch.asinh(flux / self.sigma)))
        features = self.network.backbone(images.tensors)
        anchors = self.network.rpn.anchor_generator(images, list(features.values()))
        proposals, _ = self.network.rpn(images, features)
        return anchors[0], proposals[0]


def image_score(detections: list[dict[str, Tensor]], label: int) -> Tensor:
    """Score of each image: the highest among its detections of a class, 0 without any; (n,)."""
    scores = [each["scores"][each["labels"] == label] for each in detections]
    return torch.stack([s.max() if len(s) else s.new_zeros(()) for s in scores])
