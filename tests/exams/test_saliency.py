"""Maps of small networks of which it is known what they look at."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from builders import untrained
from numpy.testing import assert_allclose
from torch import Tensor, nn

from lensy.exams.saliency import (
    class_image,
    deep_dream,
    guided_gradcam,
    last_convolution,
    likeness,
    occlusion_map,
    points_at,
    randomised,
    share_pointing,
)
from lensy.models.classifier import N_TURNS, Differentiable, log_odds
from lensy.models.ou import FAMILY, Ou


class Watcher(nn.Module):
    """Its logit of "lens" is the light within a square of 6 x 6 pixels, no more."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Conv2d(1, 1, kernel_size=1, bias=False)
        nn.init.ones_(self.look.weight)
        self.relu = nn.ReLU()
        window = torch.zeros(20, 20)
        window[4:10, 8:14] = 1.0
        self.register_buffer("window", window)

    def forward(self, flux: Tensor) -> Tensor:
        light = (self.relu(self.look(flux)) * self.window).sum(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(light), light], dim=1)


def flat() -> Tensor:
    return torch.ones(1, 1, 20, 20)


def hooks(network: nn.Module) -> int:
    return sum(
        len(each._forward_hooks) + len(each._backward_hooks) + len(each._forward_pre_hooks)
        for each in network.modules()
    )


def test_occlusion_is_the_light_that_a_square_hides() -> None:
    """Squares of 2 x 2 that do not overlap: each pixel gets the four that vanish with it."""
    found = occlusion_map(Watcher(), flat(), side=2, stride=2)
    expected = np.zeros((20, 20))
    expected[4:10, 8:14] = 4.0
    assert_allclose(found, expected)


def test_guided_gradcam_stays_where_the_network_looks() -> None:
    network = Watcher()
    found = guided_gradcam(network, flat())
    assert np.isfinite(found).all()
    assert (found[4:10, 8:14] > 0).all()
    assert_allclose(found[:4], 0)
    assert hooks(network) == 0


@pytest.mark.parametrize("name", ["ou-200", "ou-h"])
def test_networks_of_the_predecessor_can_be_asked(name: str) -> None:
    torch.manual_seed(1)
    network = Ou(name).eval()
    side = 200 if FAMILY[name].wide else 66
    image = torch.rand(1, len(FAMILY[name].bands), side, side)
    # of random weights, Grad-CAM may say that nothing speaks for a lens
    cam, hidden = guided_gradcam(network, image), occlusion_map(network, image, side=40, stride=20)
    assert cam.shape == hidden.shape == (side, side)
    assert np.isfinite(cam).all()
    assert np.isfinite(hidden).all()
    assert hidden.any()
    assert hooks(network) == 0


def test_a_classifier_lets_gradients_through_and_stays_as_it_was() -> None:
    classifier = untrained()
    network = Differentiable(classifier)
    image = torch.randn(1, 1, 48, 48)
    looks = [log_odds(network(image.rot90(n, dims=(2, 3)))) for n in range(N_TURNS)]
    assert_allclose(torch.stack(looks).mean(0).detach(), classifier.score(image), atol=1e-5)
    assert guided_gradcam(network, image).any()
    assert last_convolution(network) in list(network.unet.bottleneck.modules())
    assert hooks(network) == 0
    assert any(each.inplace for each in classifier.modules() if isinstance(each, nn.ReLU))


def test_an_image_for_a_class_is_brighter_where_the_network_looks() -> None:
    made = class_image(Watcher(), flat(), steps=30)[0, 0].numpy()
    assert (made[4:10, 8:14] > 1.5).all()
    # where it does not look, nothing changes
    assert_allclose(made[12:], flat()[0, 0, 12:])


def test_a_dream_excites_the_layer_and_leaves_no_hook() -> None:
    network = Watcher()
    made = deep_dream(network, network.look, flat(), steps=10)
    assert (made > flat()).all()
    assert hooks(network) == 0


def test_random_weights_are_others_and_the_network_keeps_its_own() -> None:
    network = Ou("ou-h")
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    blank = randomised(network)
    assert all(torch.equal(network.state_dict()[name], weight) for name, weight in before.items())
    assert not any(torch.equal(blank.state_dict()[name], weight) for name, weight in before.items())
    again = randomised(network)
    assert torch.equal(blank.fc_layer[0].weight, again.fc_layer[0].weight)  # type: ignore[index,union-attr]


def test_likeness_of_maps() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(2, 30, 30))
    assert likeness(one, -(one**3)) == pytest.approx(1)
    assert abs(likeness(one, other)) < 0.15
    assert np.isnan(likeness(one, np.ones((30, 30))))


def test_the_pointing_game() -> None:
    truth, found = np.zeros((20, 20), bool), np.zeros((20, 20))
    truth[5, 5] = True
    found[5, 9] = 1.0
    assert not points_at(found, truth)
    assert points_at(found, truth, slack=4)
    assert not points_at(found, np.zeros((20, 20), bool))
    assert share_pointing([(found, truth), (truth.astype(float), truth)]) == 0.5
