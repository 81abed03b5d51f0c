"""Mask R-CNN: torchvision's, on one channel, with images that may be empty."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from lensy.errors import LensyError
from lensy.models.mask_rcnn import ANCHORS, SIDE, MaskRcnn, Size, image_score
from lensy.models.unet import Naberrie


@pytest.fixture(scope="module")
def network() -> MaskRcnn:
    torch.manual_seed(1)
    return MaskRcnn(n_classes=3, sigma=2.0)


def flux(n: int = 2, seed: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(n, 1, SIDE, SIDE, generator=generator)


def square(label: int = 1) -> dict[str, Tensor]:
    """A target with one square object."""
    masks = torch.zeros(1, SIDE, SIDE, dtype=torch.uint8)
    masks[0, 60:90, 100:140] = 1
    boxes = torch.tensor([[100.0, 60.0, 140.0, 90.0]])
    return {"boxes": boxes, "labels": torch.tensor([label]), "masks": masks}


def nothing() -> dict[str, Tensor]:
    """A target without objects."""
    return {
        "boxes": torch.zeros(0, 4),
        "labels": torch.zeros(0, dtype=torch.int64),
        "masks": torch.zeros(0, SIDE, SIDE, dtype=torch.uint8),
    }


def test_the_light_network_has_two_and_a_half_million_parameters(network: MaskRcnn) -> None:
    n = sum(parameter.numel() for parameter in network.parameters())
    assert 2.2e6 < n < 2.8e6


def test_the_trunk_begins_as_the_painter_ended() -> None:
    """The same features, at the same places, as the painter has from the same image."""
    torch.manual_seed(2)
    painter, model = Naberrie(sigma=2.0).eval(), MaskRcnn(n_classes=1, sigma=2.0).eval()
    image = flux()[..., :192, :192]
    bottom, skips = painter.encode(image)
    body, compressed = model.network.backbone.body, torch.asinh(image / 2.0)
    assert not torch.allclose(body(compressed)["4"], bottom, atol=1e-3)
    model.begin_with(painter)
    features = body(compressed)
    assert list(features) == ["2", "3", "4"]
    for mine, theirs in zip(features.values(), [*skips[2:], bottom], strict=True):
        assert_close(mine, theirs)


def test_a_trunk_from_the_painter_stays_as_it_is() -> None:
    """Weights and averages, through a step that moves the rest; a random trunk learns."""
    torch.manual_seed(3)
    for begins in (True, False):
        model = MaskRcnn(n_classes=1, sigma=2.0)
        if begins:
            model.begin_with(Naberrie(sigma=2.0))
        before = {name: each.clone() for name, each in model.state_dict().items()}
        model.train()
        optimiser = torch.optim.SGD(model.parameters(), lr=1e-2)
        torch.stack(list(model(flux(1), [square()]).values())).sum().backward()
        optimiser.step()
        moved = {
            name for name, each in model.state_dict().items() if not torch.equal(each, before[name])
        }
        trunk = {name for name in before if "backbone.body" in name}
        assert moved - trunk
        assert bool(moved & trunk) is not begins


@pytest.mark.parametrize(
    ("size", "width", "words"),
    [("full", 16, "this network is full"), ("light", 8, "that of width 8")],
)
def test_trunks_of_another_shape_are_refused(size: Size, width: int, words: str) -> None:
    with pytest.raises(LensyError, match=rf"can begin with a Naberrie of width 16.*{words}"):
        MaskRcnn(n_classes=1, size=size).begin_with(Naberrie(width))


def test_images_are_neither_enlarged_nor_shifted(network: MaskRcnn) -> None:
    images, _ = network.network.transform(list(flux()))
    padded = images.tensors
    assert images.image_sizes == [(SIDE, SIDE)] * 2
    assert torch.equal(padded[:, :, :SIDE, :SIDE], flux())
    assert padded.shape[2:] == (208, 208)


@pytest.mark.parametrize("targets", [[square(), nothing()], [nothing(), nothing()]])
def test_images_without_objects_train_without_nan(
    network: MaskRcnn, targets: list[dict[str, Tensor]]
) -> None:
    network.train()
    losses = network(flux(), targets)
    assert losses.keys() >= {"loss_classifier", "loss_mask", "loss_objectness"}
    total = sum(losses.values())
    total.backward()
    assert torch.isfinite(total)
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert gradients
    assert all(torch.isfinite(each).all() for each in gradients)
    network.zero_grad()


def test_detections_lie_in_the_frame(network: MaskRcnn) -> None:
    for found in network.detect(flux()):
        assert found["masks"].shape[1:] == (1, SIDE, SIDE)
        assert ((found["boxes"] >= 0) & (found["boxes"] <= SIDE)).all()
        assert torch.equal(found["scores"], found["scores"].sort(descending=True).values)


def test_another_unit_of_flux_changes_nothing(network: MaskRcnn) -> None:
    other = MaskRcnn(n_classes=3)
    other.load_state_dict(network.state_dict())
    other.sigma.fill_(6.0)
    here, there = network.detect(flux())[0], other.detect(3 * flux())[0]
    assert torch.allclose(here["scores"], there["scores"], atol=1e-5)


def test_the_score_of_an_image_is_its_best_lens() -> None:
    labels, scores = torch.tensor([2, 1, 1]), torch.tensor([0.9, 0.6, 0.4])
    found = [{"labels": labels, "scores": scores}, {"labels": labels[:1], "scores": scores[:1]}]
    assert image_score(found, label=1).tolist() == pytest.approx([0.6, 0.0])
    assert image_score(found, label=2).tolist() == pytest.approx([0.9, 0.9])


def test_proposals_come_from_anchors_and_stay_in_the_frame(network: MaskRcnn) -> None:
    anchors, proposals = network.propose(flux(1))
    sides = (anchors[:, 2:] - anchors[:, :2]).prod(1).sqrt()
    assert {round(float(side) / 8) * 8 for side in sides} == set(ANCHORS)
    assert 0 < len(proposals) <= 100
    assert proposals.min() >= 0
    assert proposals.max() <= SIDE
