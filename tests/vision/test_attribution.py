"""Heat maps: parity with Captum, the equations by hand, and networks whose answer we know the place of."""

import threading

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result
from dlviz.vision.attention_relevance import attention_layers, kept_attention, self_attention
from dlviz.vision.attribution import (
    attribute,
    attribution_steps,
    layer_evidence,
    methods_for,
    network_input,
    predict,
)
from dlviz.vision.attribution_results import METHODS
from dlviz.vision.class_activation import default_layer, grad_cam, layer_cam, maps_and_gradient, tapped
from dlviz.vision.classifier import Classifier, Preprocessing
from dlviz.vision.readable import make_readable
from dlviz.vision.residual_cnn import ResidualCNN

CNN_METHODS = METHODS[:4]


class OneQuadrant(nn.Module):
    """Class 1 is how bright the top left quadrant is; the rest of the photo does not matter."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.act = nn.ReLU()
        self.pool = nn.AvgPool2d(4)
        self.head = nn.Linear(64, 2)
        nn.init.constant_(self.conv.weight, 1 / 27)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        with torch.no_grad():
            self.head.weight[1].view(8, 8)[:4, :4] = 1.0

    def forward(self, pixels: Tensor) -> Tensor:
        maps = self.pool(self.act(self.conv(pixels)))
        return self.head(maps.mean(dim=1).flatten(1))


class TinyViT(nn.Module):
    """Two blocks of torch's own attention over a 4 x 4 grid of patches, class token in front."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, stride=8)
        self.token = nn.Parameter(torch.zeros(1, 1, 16))
        self.attention = nn.ModuleList(nn.MultiheadAttention(16, 2, batch_first=True) for _ in range(2))
        self.head = nn.Linear(16, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        patches = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(patches), -1, -1), patches], dim=1)
        for attention in self.attention:
            x = x + attention(x, x, x, need_weights=False)[0]
        return self.head(x[:, 0])


def classifier(
    network: nn.Module, size: int = 32, count: int | None = None, **preprocessing: object
) -> Classifier:
    names = tuple(f"class {i}" for i in range(count or 2))
    model = Classifier(network, names, Preprocessing(size, **preprocessing))
    return model.eval().requires_grad_(False)


@pytest.fixture
def quadrant() -> Classifier:
    return classifier(OneQuadrant())


@pytest.fixture(scope="module")
def residual() -> Classifier:
    torch.manual_seed(0)
    network = ResidualCNN(5, 8, 7, (8, 16), (1, 1), (1, 2))
    for module in network.modules():  # a trained network's blocks do not add nothing
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.running_mean, std=0.1)
    return classifier(network, 64, 5)


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


BRIGHT = np.full((32, 32, 3), 255, np.uint8)


@pytest.mark.parametrize(
    ("method", "options"),
    [("layer_cam", {}), ("integrated_gradients", {"steps": 8}), ("occlusion", {"window": 4})],
)
def test_the_mass_lies_on_the_only_place_that_matters(
    quadrant: Classifier, method: str, options: dict
) -> None:
    """Grad-CAM has one weight a map and cannot tell these places apart: its test is the next one."""
    found = attribute(quadrant, BRIGHT, method=method, target=1, **options)
    side = found.values.shape[0] // 2
    mass = np.abs(found.values)
    assert mass[:side, :side].sum() / mass.sum() > 0.9
    assert found.values[:side, :side].mean() > 0


def test_grad_cam_follows_the_filter_that_the_class_reads() -> None:
    """Class 1 reads filter 0 only, which answers to red; red stands in one quadrant only."""
    network = nn.Sequential(nn.Conv2d(3, 2, 1, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        network[0].weight.zero_()
        network[0].weight[0, 0] = 1.0
        network[0].weight[1, 2] = 1.0
    network.append(nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        network[4].weight.copy_(torch.tensor([[0.0, 1.0], [1.0, -0.5]]))
    image = np.zeros((32, 32, 3), np.uint8)
    image[:16, :16, 0] = 255
    image[16:, :, 2] = 255
    found = attribute(classifier(network), image, method="grad_cam", target=1)
    assert found.layer == "1"
    assert found.values[:16, :16].sum() == pytest.approx(found.values.sum())
    assert found.values[:16, :16].min() > 0
    other = attribute(classifier(network), image, method="grad_cam", target=0)
    assert other.values[16:].sum() == pytest.approx(other.values.sum())


def test_attention_relevance_finds_the_patch_that_the_class_token_reads() -> None:
    """Queries and keys are set so that the class token attends to red patches; the head reads their value."""
    torch.manual_seed(0)
    network = TinyViT()
    with torch.no_grad():
        network.patches.weight.zero_()
        network.patches.bias.zero_()
        network.patches.weight[0, 0] = 1 / 16  # feature 0: red
        network.token[0, 0, 1] = 1.0  # feature 1 marks the class token
        for attention in network.attention:
            attention.in_proj_weight.zero_()
            attention.in_proj_bias.zero_()
            attention.out_proj.weight.copy_(torch.eye(16))
            attention.out_proj.bias.zero_()
            attention.in_proj_weight[0, 1] = 4.0  # query of the class token
            attention.in_proj_weight[16, 0] = 1.0  # key of a red patch
            attention.in_proj_weight[32, 0] = 1.0  # value: red
        network.head.weight.zero_()
        network.head.weight[2, 0] = 1.0
    image = np.full((32, 32, 3), 120, np.uint8)
    image[8:16, 16:24, 0] = 255
    found = attribute(classifier(network, count=3), image, method="attention_relevance", target=2)
    assert found.values.shape == (4, 4)
    assert np.unravel_index(found.values.argmax(), (4, 4)) == (1, 2)
    assert found.values[1, 2] > 2 * np.sort(found.values.ravel())[-2]


@pytest.mark.parametrize("layer", ["stem.act", "stages.0.0.act2", "stages.1.0.sum"])
@pytest.mark.parametrize("target", [0, 3])
def test_grad_cam_equals_captums(residual: Classifier, photo: np.ndarray, layer: str, target: int) -> None:
    from captum.attr import LayerGradCam

    pixels, _ = network_input(residual, photo)
    expected = LayerGradCam(residual, residual.network.get_submodule(layer)).attribute(
        pixels.requires_grad_(), target, relu_attributions=True
    )
    found = attribute(residual, photo, method="grad_cam", layer=layer, target=target)
    assert found.values.max() > 0
    np.testing.assert_allclose(found.values, expected[0, 0].detach().numpy(), rtol=1e-4, atol=1e-7)


def test_layer_cam_equals_its_equation(residual: Classifier, photo: np.ndarray) -> None:
    """Eq. 5 to 7 of the paper, cell by cell, with the gradient of a plain full backward pass."""
    pixels, _ = network_input(residual, photo)
    kept: list[Tensor] = []
    layer = residual.network.get_submodule("stages.0.0.act2")
    handle = layer.register_forward_hook(lambda _m, _i, out: kept.append(out))
    logits = residual(pixels.requires_grad_())
    handle.remove()
    maps = kept[0]
    gradient = torch.autograd.grad(logits[0, 2], maps)[0][0].numpy()
    maps = maps[0].detach().numpy()
    expected = np.zeros(maps.shape[1:])
    for k in range(maps.shape[0]):
        for i in range(maps.shape[1]):
            for j in range(maps.shape[2]):
                expected[i, j] += max(gradient[k, i, j], 0) * maps[k, i, j]
    found = attribute(residual, photo, method="layer_cam", layer="stages.0.0.act2", target=2)
    np.testing.assert_allclose(found.values, np.maximum(expected, 0), rtol=1e-4, atol=1e-7)


def test_both_cams_equal_torchcams(residual: Classifier, photo: np.ndarray) -> None:
    methods = pytest.importorskip("torchcam.methods")
    pixels, _ = network_input(residual, photo)
    for name, ours in (("GradCAM", "grad_cam"), ("LayerCAM", "layer_cam")):
        with methods.__dict__[name](residual.network, "stages.1.0.act2") as extractor:
            scores = residual.network(pixels.requires_grad_())
            (expected,) = extractor(2, scores, normalized=False)
        found = attribute(residual, photo, method=ours, layer="stages.1.0.act2", target=2)
        np.testing.assert_allclose(found.values, expected[0].detach().numpy(), rtol=1e-4, atol=1e-7)


def test_cams_by_hand() -> None:
    maps = torch.tensor([[[1.0, 2.0], [0.0, 1.0]], [[0.0, 1.0], [3.0, 0.0]]])
    gradient = torch.tensor([[[1.0, 1.0], [1.0, -1.0]], [[-1.0, 0.0], [-1.0, 0.0]]])
    # weights 0.5 and -0.5: 0.5 * maps[0] - 0.5 * maps[1], negatives cut
    assert grad_cam(maps, gradient).tolist() == [[0.5, 0.5], [0.0, 0.5]]
    # only the cells whose own gradient is positive: maps[0] without its last cell
    assert layer_cam(maps, gradient).tolist() == [[1.0, 2.0], [0.0, 0.0]]


def test_one_pass_gives_the_maps_their_weights_and_the_heat_map(
    residual: Classifier, photo: np.ndarray
) -> None:
    layer = "stages.0.0.sum"  # signed maps, so that the cut at zero can be seen
    found = layer_evidence(residual, photo, layer=layer, target=2)
    alone = attribute(residual, photo, method="grad_cam", layer=layer, target=2)
    np.testing.assert_array_equal(found.heat.values, alone.values)
    kept: list[Tensor] = []
    handle = residual.network.get_submodule(layer).register_forward_hook(lambda _m, _i, out: kept.append(out))
    with torch.no_grad():
        residual(network_input(residual, photo)[0])
    handle.remove()
    np.testing.assert_allclose(found.maps, kept[0][0].numpy(), rtol=1e-5, atol=1e-6)
    uncut = np.tensordot(found.alpha, found.maps, axes=1)
    np.testing.assert_allclose(found.heat.values, np.maximum(uncut, 0), rtol=1e-4, atol=1e-6)
    assert found.share.sum() == pytest.approx(uncut.mean(), rel=1e-3, abs=1e-6)


def test_integrated_gradients_are_complete_and_equal_captums(residual: Classifier, photo: np.ndarray) -> None:
    from captum.attr import IntegratedGradients

    pixels, _ = network_input(residual, photo)
    found = attribute(residual, photo, method="integrated_gradients", target=1, steps=128)
    assert found.completeness is not None
    assert found.completeness.steps == 128
    assert found.completeness.relative_error < 0.02
    assert found.completeness.attribution_sum == pytest.approx(found.values.sum(), rel=1e-4)
    baseline = residual(torch.zeros_like(pixels))[0, 1].item()
    assert found.completeness.logit_difference == pytest.approx(found.logit - baseline, abs=1e-5)
    expected = IntegratedGradients(residual).attribute(pixels, target=1, n_steps=300, internal_batch_size=50)
    expected = expected[0].sum(dim=0).detach().numpy()
    assert np.abs(found.values - expected).mean() < 0.05 * np.abs(expected).mean()
    coarse = attribute(residual, photo, method="integrated_gradients", target=1, steps=2)
    assert coarse.completeness is not None
    assert coarse.completeness.relative_error > found.completeness.relative_error


@pytest.mark.parametrize(("window", "stride"), [(16, 8), (20, 20), (13, 7)])
def test_occlusion_equals_captums(residual: Classifier, photo: np.ndarray, window: int, stride: int) -> None:
    from captum.attr import Occlusion

    pixels, _ = network_input(residual, photo)
    with torch.no_grad():
        expected = Occlusion(residual).attribute(
            pixels, (3, window, window), (3, stride, stride), target=2, perturbations_per_eval=4
        )
    found = attribute(residual, photo, method="occlusion", target=2, window=window, stride=stride)
    np.testing.assert_allclose(found.values, expected[0, 0].numpy(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion"])
def test_slow_methods_tell_how_far_they_are(residual: Classifier, photo: np.ndarray, method: str) -> None:
    events = list(attribution_steps(residual, photo, method=method, target=0))
    progress = [event for event in events if isinstance(event, Progress)]
    assert len(progress) > 4
    assert progress[-1].done == progress[-1].total
    assert [event.done for event in progress] == sorted(event.done for event in progress)
    assert isinstance(events[-1], Result)
    if method == "occlusion":
        frames = [event.value for event in events if isinstance(event, Frame)]
        assert np.count_nonzero(frames[0].values) < np.count_nonzero(frames[-1].values)
        np.testing.assert_array_equal(frames[-1].values, events[-1].value.values)


def test_self_attention_equals_torchs() -> None:
    torch.manual_seed(1)
    layer = nn.MultiheadAttention(24, 3, batch_first=True).eval()
    nn.init.normal_(layer.in_proj_bias)
    x = torch.randn(2, 7, 24)
    expected, expected_weights = layer(x, x, x, need_weights=True, average_attn_weights=False)
    out, weights = self_attention(layer, x)
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(weights, expected_weights, rtol=1e-4, atol=1e-5)


def test_a_transformer_answers_the_same_step_by_step(photo: np.ndarray) -> None:
    torch.manual_seed(2)
    model = classifier(TinyViT(), count=3)
    pixels, _ = network_input(model, photo)
    expected = model(pixels)
    layers = attention_layers(model)
    with kept_attention(layers) as kept:
        torch.testing.assert_close(model(pixels), expected, rtol=1e-4, atol=1e-5)
    assert [tuple(weights.shape) for weights in kept] == [(1, 2, 17, 17)] * 2
    assert not any(layer._forward_hooks for layer in layers)


def test_predict_names_the_most_probable_first(quadrant: Classifier) -> None:
    found = predict(quadrant, BRIGHT)
    assert found.names == ("class 1", "class 0")
    assert found.indices.tolist() == [1, 0]
    assert found.probabilities.sum() == pytest.approx(1)
    exps = np.exp(found.logits - found.logits.max())
    np.testing.assert_allclose(found.probabilities, np.sort(exps / exps.sum())[::-1], rtol=1e-5)


@pytest.mark.parametrize("method", CNN_METHODS)
def test_without_a_target_the_most_probable_class_is_explained(
    residual: Classifier, photo: np.ndarray, method: str
) -> None:
    best = predict(residual, photo)
    found = attribute(residual, photo, method=method)
    assert found.target == best.indices[0]
    assert found.target_name == best.names[0]
    assert found.probability == pytest.approx(best.probabilities[0], rel=1e-4)
    chosen = attribute(residual, photo, method=method, target=found.target)
    np.testing.assert_array_equal(found.values, chosen.values)


def test_the_box_is_what_the_network_saw(photo: np.ndarray) -> None:
    model = classifier(OneQuadrant(), mode="crop", resize=40)
    box = attribute(model, photo, method="layer_cam", target=1).box
    assert (box.width, box.height) == pytest.approx((38.4, 38.4), abs=0.5)  # 32 of 40 of the shorter side, 48
    assert (box.left + box.width / 2, box.top + box.height / 2) == pytest.approx((32, 24), abs=0.7)


def test_shallow_layers_pay_no_gradient_above_and_leave_no_hook(
    residual: Classifier, photo: np.ndarray
) -> None:
    pixels, _ = network_input(residual, photo)
    layer = residual.network.get_submodule("stages.1.0.act2")
    maps, gradient, _ = maps_and_gradient(residual, pixels, layer, 0)
    assert maps.shape == gradient.shape
    assert not maps.requires_grad
    assert not layer._forward_hooks
    assert all(p.grad is None for p in residual.parameters())


def test_another_threads_pass_goes_by_untouched(residual: Classifier, photo: np.ndarray) -> None:
    pixels, _ = network_input(residual, photo)
    layer = residual.network.get_submodule("stages.0.0.act2")
    with tapped(layer) as tap:
        other = threading.Thread(target=lambda: residual(pixels))
        other.start()
        other.join()
        assert tap.maps is None
        residual(pixels)
        assert tap.maps is not None


def test_wrong_wishes_are_refused(residual: Classifier, quadrant: Classifier, photo: np.ndarray) -> None:
    wishes = (
        {"method": "grad_cam", "target": 99},
        {"method": "grad_cam", "layer": "nowhere"},
        {"method": "layer_cam", "layer": "head"},
        {"method": "attention_relevance"},
    )
    for wish in wishes:
        with pytest.raises(Refused):
            attribute(residual, photo, **wish)
    with pytest.raises(Refused):
        default_layer(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), torch.zeros(1, 3, 2, 2))


@pytest.mark.parametrize(
    ("name", "size", "layer", "side"),
    [
        ("resnet18", 64, "layer4.1.act2", 2),
        ("resnet50", 64, "layer4.2.act3", 2),
        ("vgg16", 64, "features.29", 4),
        ("mobilenet_v3_small", 64, "features.12.2", 2),
        ("convnext_tiny", 64, "features.7.2.sum", 2),
    ],
)
def test_public_convolutional_networks(
    name: str, size: int, layer: str, side: int, photo: np.ndarray
) -> None:
    from torchvision import models

    torch.manual_seed(0)
    network = models.get_model(name, weights=None, num_classes=10)
    model = classifier(make_readable(network), size, 10)
    assert methods_for(model) == CNN_METHODS
    for method in ("grad_cam", "layer_cam"):
        found = attribute(model, photo, method=method, target=3)
        assert found.layer == layer
        assert found.values.shape == (side, side)
    assert np.isfinite(found.values).all()
    slow = attribute(model, photo, method="integrated_gradients", target=3, steps=4)
    assert slow.values.shape == (size, size)
    assert np.abs(slow.values).max() > 0


def test_public_transformer(photo: np.ndarray) -> None:
    from torchvision.models.vision_transformer import VisionTransformer

    torch.manual_seed(0)
    network = VisionTransformer(64, 16, num_layers=3, num_heads=4, hidden_dim=32, mlp_dim=64, num_classes=10)
    nn.init.normal_(network.heads.head.weight)
    model = classifier(network, 64, 10)
    assert "attention_relevance" in methods_for(model)
    assert "grad_cam" not in methods_for(model)
    first, second = (attribute(model, photo, method="attention_relevance", target=t) for t in (1, 2))
    assert first.values.shape == (4, 4)
    assert first.values.min() >= 0
    assert first.values.max() > 0
    assert not np.allclose(first.values, second.values)  # it depends on the class, unlike plain rollout
