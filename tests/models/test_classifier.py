"""The classifier: its encoder stays as it is, and what it sees does not ask where."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.special import expit, logit
from torch import Tensor, nn
from torch.nn import functional

from lensy.models.classifier import (
    HIDDEN,
    Classifier,
    FrozenEncoder,
    Head,
    log_odds,
    pooled,
)
from lensy.models.unet import Naberrie


def lived_in(width: int = 2, n_bands: int = 1) -> Naberrie:
    """A network whose batch normalisations have seen images and learned some weights."""
    torch.manual_seed(1)
    unet = Naberrie(width, sigma=[2.0 + band for band in range(n_bands)])
    for each in unet.modules():
        if isinstance(each, nn.BatchNorm2d):
            nn.init.uniform_(each.weight, 0.5, 1.5)
            nn.init.normal_(each.bias, std=0.1)
            each.momentum = 1.0
    with torch.no_grad():
        unet.train()(flux(8, n_bands, 32, 32))
    return unet


@pytest.fixture
def encoder() -> FrozenEncoder:
    return FrozenEncoder(lived_in())


@pytest.fixture
def classifier(encoder: FrozenEncoder) -> Classifier:
    torch.manual_seed(2)
    return Classifier(encoder, Head(encoder.n_features))


def flux(*shape: int) -> Tensor:
    return 5 * torch.randn(*shape, generator=torch.Generator().manual_seed(3))


def copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def unchanged(module: nn.Module, before: dict[str, Tensor]) -> list[str]:
    return [n for n, value in module.state_dict().items() if torch.equal(value, before[n])]


# the encoder is frozen


def test_training_changes_the_head_and_nothing_of_the_encoder(classifier: Classifier) -> None:
    """Weights and statistics of the batch normalisations, bit by bit, after three steps."""
    classifier.train()
    encoder, head = copied(classifier.encoder), copied(classifier.head)
    for kind in ("running_mean", "running_var", "num_batches_tracked"):
        assert sum(name.endswith(kind) for name in encoder) == 18  # nine blocks of two
    learning = [each for each in classifier.parameters() if each.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=0.01, weight_decay=0.1)
    labels = torch.tensor([0, 1, 1, 0])
    for _ in range(3):
        loss = functional.cross_entropy(classifier(flux(4, 1, 32, 32)), labels)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert unchanged(classifier.encoder, encoder) == list(encoder)
    assert unchanged(classifier.head, head) == ["mean", "scatter"]


def test_the_same_steps_would_change_a_network_that_is_not_frozen() -> None:
    """What the test above guards against: training mode alone moves the statistics."""
    unet = lived_in().train()
    before = copied(unet)
    unet.encode(flux(4, 1, 32, 32))
    moved = set(before) - set(unchanged(unet, before))
    assert "bottleneck.1.running_mean" in moved
    assert "bottleneck.1.num_batches_tracked" in moved


def test_no_weight_of_the_encoder_asks_for_a_gradient(classifier: Classifier) -> None:
    assert not any(each.requires_grad for each in classifier.encoder.parameters())
    assert all(each.requires_grad for each in classifier.head.parameters())
    assert not classifier.encoder(flux(1, 1, 32, 32)).requires_grad
    assert classifier(flux(1, 1, 32, 32)).requires_grad


def test_training_mode_leaves_the_encoder_in_evaluation(classifier: Classifier) -> None:
    classifier.eval()
    assert classifier.train() is classifier
    assert classifier.training
    assert classifier.head.training
    assert not any(each.training for each in classifier.encoder.unet.modules())
    assert classifier.encoder.train() is classifier.encoder
    assert not any(each.training for each in classifier.encoder.unet.modules())


def test_features_are_the_same_in_training_mode(encoder: FrozenEncoder) -> None:
    images = flux(3, 1, 32, 32)
    assert torch.equal(encoder.train()(images), encoder.eval()(images))


# features


@pytest.mark.parametrize("width", [2, 4])
@pytest.mark.parametrize("n_bands", [1, 4])
def test_features_are_two_for_each_channel(width: int, n_bands: int) -> None:
    """Blocks have 1, 2, 4, 8 and 16 times `width` channels, whatever the bands."""
    encoder = FrozenEncoder(lived_in(width, n_bands))
    assert encoder.n_features == 2 * 31 * width
    assert encoder(flux(3, n_bands, 32, 32)).shape == (3, encoder.n_features)


def test_pooled_by_hand() -> None:
    one = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[-1.0, -2.0], [-3.0, -6.0]]]])
    other = torch.tensor([[[[5.0]]]])
    assert_allclose(pooled([one, other]), [[6.0, -1.0, 5.0, 3.0, -3.0, 5.0]])


def test_features_are_largest_and_mean_of_every_block(encoder: FrozenEncoder) -> None:
    """Blocks caught on their way, with numpy's largest value and mean."""
    blocks: list[np.ndarray] = []

    def note(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        blocks.append(output.numpy().copy())

    for block in [*encoder.unet.encoder.blocks, encoder.unet.bottleneck]:
        block.register_forward_hook(note)
    features = encoder(flux(2, 1, 48, 32))
    largest = [block.max(axis=(2, 3)) for block in blocks]
    mean = [block.mean(axis=(2, 3), dtype=float) for block in blocks]
    assert_allclose(features, np.concatenate([*largest, *mean], axis=1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(66, 66), (50, 37)])
def test_odd_sizes_are_reflected_at_the_edge(
    classifier: Classifier, shape: tuple[int, int]
) -> None:
    images = flux(2, 1, *shape)
    pad = [(0, 0), (0, 0), *((0, -n % 16) for n in shape)]
    padded = torch.from_numpy(np.pad(images.numpy(), pad, mode="reflect"))
    assert padded.shape[2] % 16 == padded.shape[3] % 16 == 0
    assert_allclose(classifier.encoder(images), classifier.encoder(padded), rtol=1e-5)
    assert classifier(images).shape == (2, 2)


def test_features_do_not_ask_where_a_lens_stands(encoder: FrozenEncoder) -> None:
    """Moved by 16 pixels, the stride of four poolings, everything moves by whole pixels.

    A feature of the bottleneck sees 77 pixels around it: 2 per block of two convolutions, and 1
    for a pooling, at strides of 1, 2, 4, 8 and 16. The lens is 16 pixels wide in the middle of 384,
    so no feature sees both the lens and the frame's edge, where the zeros of the convolutions'
    padding leave a mark. What remains is rounding.
    """
    lens = 200 * torch.rand(16, 16, generator=torch.Generator().manual_seed(4))
    images = torch.zeros(3, 1, 384, 384)
    images[0, 0, 176:192, 176:192] = lens
    images[1, 0, 192:208, 176:192] = lens
    here, there, nowhere = encoder(images).numpy()
    assert_allclose(there, here, rtol=1e-5, atol=1e-6)
    for block in np.split(here - nowhere, np.cumsum([2, 4, 8, 16, 32] * 2)[:-1]):
        assert np.abs(block).max() > 1e-3  # largest values and means of every block see the lens


# the head


def test_six_dense_layers(classifier: Classifier) -> None:
    layers = [each for each in classifier.head.modules() if isinstance(each, nn.Linear)]
    assert len(layers) == 6
    widths = [classifier.encoder.n_features, *HIDDEN, 2]
    assert [each.in_features for each in layers] == widths[:-1]
    assert [each.out_features for each in layers] == widths[1:]
    kinds = [type(each) for each in classifier.head.layers]
    assert kinds == [nn.Linear, nn.ReLU] * 5 + [nn.Linear]


def test_the_head_by_hand() -> None:
    """Matrix products in numpy, of standardised features."""
    torch.manual_seed(5)
    head, features = Head(7, hidden=(5, 4)), flux(6, 7)
    head.standardise(features + 1)
    value = (features.numpy() - head.mean.numpy()) / head.scatter.numpy()
    layers = [each for each in head.layers if isinstance(each, nn.Linear)]
    for layer in layers:
        value = value @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        if layer is not layers[-1]:
            value = np.maximum(value, 0)
    with torch.inference_mode():
        assert_allclose(head(features), value, rtol=1e-4, atol=1e-6)


def test_standardised_features_have_mean_0_and_scatter_1() -> None:
    scale, centre = torch.tensor([0.01, 1.0, 300.0]), torch.tensor([5.0, -1.0, 100.0])
    features = flux(50, 3) * scale + centre
    head = Head(3)
    head.standardise(features)
    seen: list[Tensor] = []
    head.layers.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        head(features)
    assert_allclose(seen[0].mean(dim=0), 0.0, atol=1e-4)
    assert_allclose(seen[0].std(dim=0, correction=0), 1.0, rtol=1e-4)


def test_constant_features_do_not_divide_by_zero() -> None:
    features = flux(20, 3)
    features[:, 1] = 0.0
    head = Head(3)
    head.standardise(features)
    with torch.inference_mode():
        assert torch.isfinite(head(features)).all()
        assert (head.scatter > 0).all()


def test_the_scale_of_features_is_saved_with_the_weights() -> None:
    features, other = flux(20, 3), Head(3)
    head = Head(3)
    head.standardise(100 + 7 * features)
    other.load_state_dict(head.state_dict())
    with torch.inference_mode():
        assert torch.equal(other(features), head(features))


# scores


def test_logits_have_two_columns(classifier: Classifier) -> None:
    assert classifier(flux(3, 1, 32, 32)).shape == (3, 2)
    assert classifier.score(flux(3, 1, 32, 32)).shape == (3,)


def test_probability_is_the_softmax_over_classes(classifier: Classifier) -> None:
    """Over classes and not over the batch: an image alone has the probability it has in company."""
    images = flux(5, 1, 32, 32)
    logits = classifier(images).detach().numpy().astype(float)
    expected = np.exp(logits[:, 1]) / np.exp(logits).sum(axis=1)
    assert len(set(expected)) == 5
    assert_allclose(classifier.probability(images), expected, rtol=1e-5)
    assert_allclose(classifier.probability(images[:1]), expected[:1], rtol=1e-5)


def test_logits_are_the_mean_over_four_turns(classifier: Classifier) -> None:
    images = flux(2, 1, 32, 32)
    turns = [torch.from_numpy(np.rot90(images, n, (2, 3)).copy()) for n in range(4)]
    once = [classifier.head(classifier.encoder(turned)) for turned in turns]
    with torch.inference_mode():
        expected = np.mean([each.detach().numpy() for each in once], axis=0)
        assert np.ptp([each.detach().numpy() for each in once], axis=0).min() > 1e-4
        assert_allclose(classifier(images), expected, rtol=1e-5, atol=1e-6)


def test_a_turned_image_has_the_same_score(classifier: Classifier) -> None:
    images = flux(2, 1, 32, 32)
    expected = classifier.score(images)
    assert_allclose(classifier.score(images.rot90(1, (2, 3))), expected, rtol=1e-4, atol=1e-6)


def test_score_is_the_log_odds(classifier: Classifier) -> None:
    images = flux(5, 1, 32, 32)
    logits = classifier(images).detach()
    score = classifier.score(images)
    assert_allclose(score, log_odds(logits), rtol=1e-6)
    assert_allclose(expit(score.numpy()), classifier.probability(images), rtol=1e-5)


def test_log_odds_of_a_softmax() -> None:
    logits = torch.tensor([[0.3, 1.2], [2.0, -1.0], [0.0, 0.0]], dtype=torch.float64)
    assert_allclose(log_odds(logits), logit(torch.softmax(logits, dim=1)[:, 1].numpy()), atol=1e-12)


def test_log_odds_are_not_rounded_to_certainty() -> None:
    logits = torch.tensor([[0.0, 60.0], [0.0, 70.0]])
    assert_allclose(log_odds(logits), [60.0, 70.0])
    assert (torch.softmax(logits, dim=1)[:, 1] == 1).all()
