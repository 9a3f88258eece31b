"""Activation maximisation: filters whose favourite picture we know, and an answer that really rises."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result
from dlviz.vision.activation_maximisation import maximise, picture, shake
from dlviz.vision.attribution_results import Dream
from dlviz.vision.classifier import Classifier, Preprocessing
from dlviz.vision.residual_cnn import ResidualCNN


def classifier(network: nn.Module, size: int = 32) -> Classifier:
    return Classifier(network, ("a", "b"), Preprocessing(size)).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def residual() -> Classifier:
    torch.manual_seed(0)
    network = ResidualCNN(2, 8, 7, (8, 16), (1, 1), (1, 2))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return classifier(network)


@pytest.fixture
def known() -> Classifier:
    """Filter 0 answers to red against green, filter 1 to upright edges, filter 2 never (at first)."""
    network = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        network[0].weight.zero_()
        network[0].bias.copy_(torch.tensor([0.0, 0.0, -1.0]))
        network[0].weight[0, 0, 1, 1], network[0].weight[0, 1, 1, 1] = 1.0, -1.0
        network[0].weight[1] = torch.tensor([-1.0, 0.0, 1.0])
        network[0].weight[2, 2, 1, 1] = 1.0
    return classifier(network)


def dream(model: Classifier, **given: object) -> Dream:
    *_, last = maximise(model, **given)
    assert isinstance(last, Result)
    return last.value


def test_the_picture_shows_what_the_filter_is_made_for(known: Classifier) -> None:
    red = dream(known, layer="0", channel=0, steps=200).image.astype(float)
    assert red[..., 0].mean() > red[..., 1].mean() + 50
    edges = dream(known, layer="1", channel=1, steps=60, robust=False).image.astype(float).mean(axis=2)
    across, down = np.abs(edges[:, 2:] - edges[:, :-2]).mean(), np.abs(edges[2:] - edges[:-2]).mean()
    assert across > 1.4 * down  # of plain noise the two are alike


def test_a_silent_filter_wakes_up(known: Classifier) -> None:
    found = dream(known, layer="1", channel=2, steps=60)
    assert found.first == 0
    assert found.last > 0.1


@pytest.mark.parametrize("layer", ["stem.conv", "stem.act", "stages.0.0.sum", "stages.1.0.act2", "head"])
@pytest.mark.parametrize("unit", ["channel", "cell"])
def test_the_answer_rises(residual: Classifier, layer: str, unit: str) -> None:
    found = dream(residual, layer=layer, channel=1, steps=60, size=48, unit=unit)
    assert found.last > found.first + 0.05
    assert found.activations[-10:].mean() > found.activations[:10].mean()
    assert found.image.shape == (48, 48, 3)
    assert found.image.dtype == np.uint8


def test_the_reported_answer_is_the_layers_own(residual: Classifier) -> None:
    """Run the last picture through the network by hand: bytes round it a little, no more."""
    found = dream(residual, layer="stages.1.0.act2", channel=3, steps=40, size=32)
    kept: list[torch.Tensor] = []
    layer = residual.network.get_submodule("stages.1.0.act2")
    handle = layer.register_forward_hook(lambda _m, _i, out: kept.append(out))
    with torch.no_grad():
        residual(residual.prepare(found.image)[0])
    handle.remove()
    assert kept[0][0, 3].mean().item() == pytest.approx(found.last, rel=0.03)


def test_one_seed_one_picture(residual: Classifier) -> None:
    given = {"layer": "stages.0.0.act2", "channel": 2, "steps": 8, "size": 32}
    first, again = dream(residual, seed=7, **given), dream(residual, seed=7, **given)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.activations, again.activations)
    assert (first.image != dream(residual, seed=8, **given).image).any()


def test_it_streams_and_leaves_the_model_alone_between_steps(residual: Classifier) -> None:
    layer = residual.network.get_submodule("stem.act")
    work = maximise(residual, layer="stem.act", channel=0, steps=8, size=32, frame_every=4)
    events = []
    for event in work:
        assert not layer._forward_hooks
        assert not layer._forward_pre_hooks
        events.append(event)
    assert [e.done for e in events if isinstance(e, Progress)] == list(range(1, 9))
    assert [e.value.step for e in events if isinstance(e, Frame)] == [0, 4]
    work = maximise(residual, layer="stem.act", channel=0, steps=10**9, size=32)
    assert len(list(itertools.islice(work, 3))) == 3
    work.close()


def test_the_first_picture_is_nearly_grey_and_natural() -> None:
    """Noise whose amplitude falls with the frequency, as that of photos does."""
    spectrum = torch.randn(3, 64, 33, 2, generator=torch.Generator().manual_seed(0)) * 0.01
    image = picture(spectrum, 64)
    assert image.shape == (1, 3, 64, 64)
    assert 0.4 < image.mean() < 0.6
    power = torch.fft.rfft2(image[0] - image[0].mean()).abs().mean(dim=0)
    assert power[1:4, 1:4].mean() > 4 * power[20:30, 20:30].mean()


def test_shaking_moves_but_keeps_the_colours() -> None:
    random = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 32, 32, generator=random)
    shaken = shake(image, random)
    assert shaken.shape == image.shape
    assert not torch.allclose(shaken, image)
    assert shaken.mean().item() == pytest.approx(image.mean().item(), abs=0.03)


def test_transformers_take_their_own_size() -> None:
    from torchvision.models.vision_transformer import VisionTransformer

    torch.manual_seed(0)
    network = VisionTransformer(32, 8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=2)
    model = classifier(network)
    found = dream(model, layer="encoder.layers.encoder_layer_1", channel=4, steps=30)
    assert found.image.shape == (32, 32, 3)
    assert found.last > found.first


@pytest.mark.parametrize("wish", [{"layer": "nowhere", "channel": 0}, {"layer": "stem.conv", "channel": 8}])
def test_wrong_wishes_are_refused(residual: Classifier, wish: dict) -> None:
    with pytest.raises(Refused):
        list(maximise(residual, **wish))
