"""Networks: their shape is the talk's, their numbers the published ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from lensy.errors import LensyError
from lensy.models.classifier import Head
from lensy.models.ou import FAMILY, Ou
from lensy.models.precision import computing_in
from lensy.models.unet import DEPTH, Naberrie, Upsampling, enlargement
from lensy.training.ou import published

PUBLISHED_WEIGHTS = Path(__file__).resolve().parents[3] / "shared" / "ou"


@pytest.fixture
def naberrie() -> Naberrie:
    torch.manual_seed(1)
    return Naberrie(width=2, sigma=2.0).eval()


def n_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def kinds(module: nn.Module) -> list[str]:
    """Names of the layers; a convolution in single precision is a convolution."""
    layers = [each for each in module.modules() if not list(each.children())]
    return ["Conv2d" if isinstance(each, nn.Conv2d) else type(each).__name__ for each in layers]


# Naberrie


@pytest.mark.parametrize("shape", [(200, 200), (66, 66), (37, 50), (16, 16)])
def test_the_output_has_the_shape_of_the_input(naberrie: Naberrie, shape: tuple[int, int]) -> None:
    with torch.inference_mode():
        assert naberrie(torch.randn(2, 1, *shape)).shape == (2, 1, *shape)


@pytest.mark.parametrize(("upsampling", "n_up"), [("transposed", 4), ("bilinear", 1)])
def test_parameters_at_the_first_level_of_16_channels(upsampling: Upsampling, n_up: int) -> None:
    """By hand from the talk's figure: 3 x 3 convolutions without bias, two parameters per channel
    of a batch normalisation, 2 x 2 transposed convolutions (or 1 x 1 ones before interpolation) and
    a 1 x 1 one with bias."""

    def block(n_in: int, n: int) -> int:
        return 9 * n * (n_in + n) + 4 * n

    widths = [16, 32, 64, 128]
    encoder = sum(block(n_in, n) for n_in, n in zip([1, *widths], widths, strict=False))
    decoder = sum(block(2 * n, n) for n in widths)
    ups = sum(2 * n * n * n_up + n for n in widths)
    expected = encoder + block(128, 256) + decoder + ups + 16 + 1
    assert n_parameters(Naberrie(width=16, upsampling=upsampling)) == expected
    assert expected == {4: 1_942_289, 1: 1_811_729}[n_up]


def test_blocks_are_those_of_the_talk(naberrie: Naberrie) -> None:
    """Four encoder blocks, a bottleneck, four decoder blocks; conv, BatchNorm, ReLU, twice."""
    block = ["Conv2d", "BatchNorm2d", "ReLU"] * 2
    blocks = [*naberrie.encoder.blocks, naberrie.bottleneck, *naberrie.decoder.blocks]
    assert [kinds(each) for each in blocks] == [block] * 9
    assert kinds(naberrie).count("MaxPool2d") == 1  # used after each of the encoder's blocks
    assert kinds(naberrie)[-1] == "Conv2d"
    assert kinds(naberrie).count("Upsample") == 4
    assert kinds(naberrie).count("Conv2d") == 2 * 9 + 4 + 1
    talk = kinds(Naberrie(width=2, upsampling="transposed"))
    assert talk.count("ConvTranspose2d") == 4
    assert talk.count("Conv2d") == 2 * 9 + 1


def test_interpolation_leaves_flat_features_flat() -> None:
    """A transposed convolution does not: each pixel's four have weights of their own."""
    torch.manual_seed(1)
    flat = torch.ones(1, 16, 6, 6) * torch.randn(1, 16, 1, 1)
    with torch.inference_mode():
        ripple = {
            kind: float(enlargement(16, 8, kind)(flat).std(dim=(2, 3)).max())
            for kind in ("bilinear", "transposed")
        }
    assert ripple["bilinear"] < 1e-6
    assert ripple["transposed"] > 0.05


def test_four_bands_in_one_painting_out() -> None:
    """Each band on its own noise; the painting is on that of the first."""
    torch.manual_seed(1)
    model = Naberrie(width=2, sigma=(2.0, 10.0, 12.0, 8.0)).eval()
    flux = torch.randn(3, 4, 50, 50)
    assert model.reconstruct(flux).shape == (3, 1, 50, 50)
    sigma = np.array([2.0, 10.0, 12.0, 8.0]).reshape(1, 4, 1, 1)
    assert_allclose(model.compress(flux), np.arcsinh(flux.numpy() / sigma), rtol=1e-5, atol=1e-7)
    assert_allclose(
        model.compress_light(flux[:, :1]), np.arcsinh(flux[:, :1].numpy() / 2), rtol=1e-5
    )


def test_bands_that_the_other_network_did_not_see_begin_without_weight(
    naberrie: Naberrie,
) -> None:
    """So the first painting of four bands is that of the one."""
    four = Naberrie(2, [*naberrie.sigma[0, 0].tolist(), 4.0, 5.0, 6.0]).eval()
    four.begin_with(naberrie)
    image = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        assert_allclose(four(image).numpy(), naberrie(image[:, :1]).numpy(), rtol=1e-5, atol=1e-6)
    assert four.sigma.flatten().tolist()[1:] == [4.0, 5.0, 6.0]


@pytest.mark.parametrize("other", [Naberrie(3), Naberrie(2, upsampling="transposed")])
def test_weights_of_another_shape_are_refused(naberrie: Naberrie, other: Naberrie) -> None:
    with pytest.raises(LensyError, match="A network of width 2 cannot begin with the weights"):
        naberrie.begin_with(other)


def test_a_second_output_marks_pixels_and_leaves_the_painting_alone(naberrie: Naberrie) -> None:
    torch.manual_seed(5)
    marking = Naberrie(width=2, sigma=2.0, marks_artefacts=True).eval()
    own = marking.decoder.last.weight[1:].clone()
    marking.begin_with(naberrie)
    assert torch.equal(marking.decoder.last.weight[1:], own)
    image = torch.randn(2, 1, 37, 50)
    with torch.inference_mode():
        assert_allclose(marking(image), naberrie(image), rtol=1e-5, atol=1e-6)
    marks = marking.mark(image)
    assert marks.shape == image.shape
    assert ((marks > 0) & (marks < 1)).all()
    assert_allclose(marking.fused().mark(image), marks, rtol=1e-4)
    with pytest.raises(LensyError, match="marks no artefacts"):
        naberrie.mark(image)


def test_fused_for_inference_it_paints_the_same() -> None:
    """With statistics that training has moved; the network itself stays as it is."""
    torch.manual_seed(4)
    network = Naberrie(width=2, sigma=2.0)
    for _ in range(3):
        network(torch.randn(2, 1, 32, 32))
    before = {name: each.clone() for name, each in network.state_dict().items()}
    image = torch.randn(2, 1, 37, 50)
    with torch.inference_mode():
        assert_allclose(network.fused()(image), network.eval()(image), rtol=1e-4, atol=1e-5)
    after = network.state_dict()
    assert all(torch.equal(each, after[name]) for name, each in before.items())
    assert "BatchNorm2d" not in kinds(network.fused())


def test_four_skips_and_features_a_sixteenth_as_wide(naberrie: Naberrie) -> None:
    features, skips = naberrie.encoder(torch.zeros(1, 1, 64, 64))
    assert features.shape == (1, 16, 4, 4)
    assert [skip.shape[1:] for skip in skips] == [(2, 64, 64), (4, 32, 32), (8, 16, 16), (16, 8, 8)]
    assert len(skips) == DEPTH == 4


def test_the_network_sees_arcsinh_of_flux_over_noise(naberrie: Naberrie) -> None:
    flux = np.array([-3.0, 0.0, 1.0, 500.0], np.float32).reshape(1, 1, 2, 2)
    assert_allclose(naberrie.compress(torch.from_numpy(flux)), np.arcsinh(flux / 2), rtol=1e-6)


def test_the_scale_is_saved_with_the_weights(naberrie: Naberrie) -> None:
    assert float(naberrie.state_dict()["sigma"]) == 2.0
    other = Naberrie(width=2, sigma=9.0)
    other.load_state_dict(naberrie.state_dict())
    image = torch.randn(1, 1, 32, 32)
    with torch.inference_mode():
        assert_allclose(other.eval()(image), naberrie(image))


def test_another_unit_of_flux_changes_nothing_but_the_unit(naberrie: Naberrie) -> None:
    other = Naberrie(width=2)
    other.load_state_dict(naberrie.state_dict() | {"sigma": torch.full((1, 1, 1), 2000.0)})
    flux = torch.randn(1, 1, 32, 32)
    in_thousandths = other.eval().reconstruct(1000 * flux)
    assert_allclose(in_thousandths / 1000, naberrie.reconstruct(flux), rtol=1e-4, atol=1e-6)


def test_reconstruct_inverts_the_scale(naberrie: Naberrie) -> None:
    image = torch.randn(1, 1, 32, 32)
    light = naberrie.reconstruct(image)
    with torch.inference_mode():
        assert_allclose(naberrie.compress(light), naberrie(image), rtol=1e-4, atol=1e-6)


def test_an_image_does_not_depend_on_its_company(naberrie: Naberrie) -> None:
    images = torch.randn(4, 1, 40, 40)
    with torch.inference_mode():
        assert_allclose(naberrie(images)[2:3], naberrie(images[2:3]), atol=1e-5)


# OU-VIS


@pytest.mark.parametrize(("name", "n"), [("ou-200", 331_632), ("ou-vis", 327_882)])
def test_parameters_of_the_predecessor(name: str, n: int) -> None:
    """Printed in the predecessor's code for four channels; one has 3 x 50 x 25 fewer."""
    assert n_parameters(Ou(name)) == n


@pytest.mark.skipif(not PUBLISHED_WEIGHTS.exists(), reason=f"{PUBLISHED_WEIGHTS} is not there")
@pytest.mark.parametrize("name", FAMILY)
def test_published_weights_load_and_score(name: str) -> None:
    model = published(name, PUBLISHED_WEIGHTS / f"{name.upper().replace('-', '_')}.safetensors")
    side = 200 if model.design.wide else 66
    scores = model.score(torch.rand(3, len(model.design.bands), side, side))
    assert scores.shape == (3,)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_an_unknown_network_of_the_family_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LensyError, match="no network 'ou-1'; the networks are ou-200, ou-vis, "):
        published("ou-1", tmp_path)


def test_a_score_does_not_depend_on_the_batch() -> None:
    """The published code's softmax over the batch gives an image alone the score 1."""
    torch.manual_seed(2)
    model, images = Ou("ou-vis").eval(), torch.randn(3, 1, 200, 200)
    together = model.score(images)
    alone = torch.cat([model.score(image[None]) for image in images])
    assert_allclose(together, alone, atol=1e-6)


def test_the_predecessor_sees_each_image_from_zero_to_one() -> None:
    torch.manual_seed(3)
    model, images = Ou("ou-vis").eval(), torch.randn(2, 1, 200, 200)
    other_units = images * torch.tensor([5.0, 0.1]).reshape(2, 1, 1, 1) + 7.0
    assert_allclose(model.score(other_units), model.score(images), atol=1e-5)


# Mixed precision


def test_half_precision_sees_the_image_with_all_its_digits(naberrie: Naberrie) -> None:
    first = naberrie.encoder.blocks[0][0]
    # next to 8, bfloat16 has steps of 1/32
    image = 8 + 0.01 * torch.rand(1, 1, 32, 32)
    with torch.inference_mode():
        single = first(image)
        with computing_in("bf16-mixed"):
            assert torch.equal(first(image), single)
            assert naberrie.encoder(image)[0].dtype == torch.bfloat16


@pytest.mark.parametrize("precision", ["32-true", "64-true"])
def test_other_precisions_change_nothing(naberrie: Naberrie, precision: str) -> None:
    flux = torch.rand(1, 1, 32, 32)
    with torch.inference_mode():
        single = naberrie(flux)
        with computing_in(precision):
            assert torch.equal(naberrie(flux), single)


def test_dense_layers_compute_in_single_precision() -> None:
    torch.manual_seed(4)
    head = Head(12)
    features = torch.randn(8, 12)
    with torch.inference_mode():
        single = head(features)
        with computing_in("bf16-mixed"):
            assert torch.equal(head(features), single)
