"""Outline, kernels, feature maps and the training history, each against what a network does by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from dlviz.errors import Refused
from dlviz.vision.classifier import Classifier, Preprocessing
from dlviz.vision.cnn_filters import feature_maps, filter_history, filter_slices, first_kernels, kernels
from dlviz.vision.outline import layers, outline, same_depth
from dlviz.vision.tape import tape
from tests.vision.networks import BUILDERS, classifier, photo


@pytest.mark.parametrize("name", BUILDERS)
def test_the_outline_holds_every_parameter_that_acts(name):
    model = classifier(name)
    found = outline(model)
    tokens = getattr(model.network, "class_token", torch.empty(0)).numel()
    assert sum(stage.parameters for stage in found.stages) + tokens == found.parameters
    assert [layer.stage for layer in found.layers] == sorted(layer.stage for layer in found.layers)
    assert len({layer.name for layer in found.layers}) == len(found.layers)
    assert found.layers[-1].depth == 1 and all(0 <= layer.depth <= 1 for layer in found.layers)
    assert len({stage.name for stage in found.stages}) == len(found.stages)


@pytest.mark.parametrize("name", BUILDERS)
def test_the_tape_repeats_what_the_network_does(name):
    model = classifier(name)
    pixels, _ = model.prepare(photo())
    maps = feature_maps(model, photo(), layer=layers(model)[-1].name)
    np.testing.assert_allclose(maps.maps[:, 0, 0], model(pixels)[0].numpy(), rtol=1e-3, atol=1e-4)
    assert tape(model, pixels) is tape(model, pixels)


def test_stages_of_a_residual_network():
    found = outline(classifier("residual_cnn"))
    assert [stage.name for stage in found.stages] == [
        "stem", "stages.0", "stages.1", "stages.2", "stages.3", "head",
    ]  # fmt: skip
    assert found.stages[1].shape == (48, 16, 16)
    assert found.layer("stages.0.0.sum").kind == "sum"
    with pytest.raises(KeyError):
        found.layer("nowhere")


def test_stages_of_networks_without_named_stages():
    vgg, vit = outline(classifier("vgg16")), outline(classifier("vit"))
    assert [stage.shape[0] for stage in vgg.stages] == [64, 128, 256, 512, 512, 10]
    assert vgg.stages[0].name == "features.0 – features.4"
    assert sum("encoder_layer" in stage.name for stage in vit.stages) == 3


def test_a_sum_that_stands_in_no_block_leaves_no_gap_in_a_stages_name():
    """timm's transformer adds the positions in its own forward."""
    network = timm.create_model("vit_tiny_patch16_224", num_classes=2, img_size=32, depth=1)
    model = Classifier(network, ("a", "b"), Preprocessing(32)).eval().requires_grad_(False)
    found = outline(model)
    assert found.layers[1].name == "sum"
    assert all(stage.name == stage.name.strip(" –") != "" for stage in found.stages)


def test_maps_are_the_modules_own():
    model, seen = classifier("residual_cnn"), []
    hook = model.network.stages[1][0].act1.register_forward_hook(lambda _m, _a, out: seen.append(out))
    model(model.prepare(photo())[0])
    hook.remove()
    made = feature_maps(model, photo(), layer="stages.1.0.act1")
    np.testing.assert_array_equal(made.maps, seen[0][0].numpy())
    np.testing.assert_allclose(made.peak, made.maps.max((1, 2)))
    assert (np.diff(made.strength[made.order]) <= 0).all()
    assert made.picture.shape == (64, 64, 3) and (made.box.width, made.box.height) == (120, 90)


def test_the_picture_is_what_the_network_received():
    made = feature_maps(
        classifier("residual_cnn"), np.full((50, 70, 3), (10, 120, 250), np.uint8), layer="stem.conv"
    )
    assert (made.picture == np.array((10, 120, 250), np.uint8)).all()


def dying() -> Classifier:
    """Four filters: the first answers, the second never does, the third does a little, the fourth always."""
    conv, act = nn.Conv2d(3, 4, 1), nn.ReLU()
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[0, 0] = 1.0
        conv.bias.copy_(torch.tensor([0.0, -1.0, 0.001, 5.0]))
    network = nn.Sequential(conv, act, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    return Classifier(network, ("a", "b"), Preprocessing(16)).eval().requires_grad_(False)


def test_dead_maps_are_those_that_the_activation_closes():
    for layer in ("0", "1"):
        made = feature_maps(dying(), photo(), layer=layer)
        assert made.dead.tolist() == [False, True, False, False] and made.dead_count == 1
        assert made.dead_after == "1"
    assert feature_maps(dying(), photo(), layer="4").dead_after == ""
    assert feature_maps(dying(), photo(), layer="0").signed
    assert not feature_maps(dying(), photo(), layer="1").signed


def test_kernels_and_their_norms():
    found = first_kernels(classifier("residual_cnn"))
    weight = classifier("residual_cnn").network.stem.conv.weight
    assert found.layer == "stem.conv" and found.weights.shape == (48, 3, 7, 7)
    np.testing.assert_allclose(found.norms, weight.flatten(1).norm(dim=1).numpy(), rtol=1e-5)
    with pytest.raises(Refused):
        kernels(classifier("residual_cnn"), layer="stem.norm")


@pytest.mark.parametrize(
    ("name", "layer", "filter"), [("residual_cnn", "stages.1.0.conv1", 7), ("grouped", "0", 9)]
)
def test_slices_and_what_each_input_channel_adds(name, layer, filter):
    model = classifier(name)
    made = filter_slices(model, photo(), layer=layer, filter=filter)
    module = model.network.get_submodule(layer)
    x = model.prepare(photo())[0] if name == "grouped" else None
    if x is None:
        x = torch.from_numpy(feature_maps(model, photo(), layer=made.source).maps)[None]
    for k in (0, len(made.channels) - 1):
        one = F.conv2d(
            x[:, [int(made.channels[k])]], module.weight[filter, k][None, None], None,
            module.stride, module.padding, module.dilation,
        )  # fmt: skip
        np.testing.assert_allclose(made.response[k], one.abs().mean().item(), rtol=1e-4)
    np.testing.assert_array_equal(made.weights, module.weight[filter].numpy())
    with pytest.raises(Refused):
        filter_slices(model, photo(), layer=layer, filter=10_000)


def test_layers_of_two_networks_are_paired_by_depth():
    ours, theirs = outline(classifier("residual_cnn")), outline(classifier("vit"))
    assert same_depth(ours, "stages.1.0.act1", ours).name == "stages.1.0.act1"
    assert same_depth(ours, "stem.conv", theirs).name == "conv_proj"
    assert same_depth(ours, "head", theirs).name == "heads.head"
    for layer in ours.layers:
        assert abs(same_depth(ours, layer.name, theirs).depth - layer.depth) <= 0.15


def test_history_of_the_first_kernels(tmp_path):
    weights = torch.rand(3, 8, 3, 5, 5).half()
    moments = {"epoch": torch.tensor([0, 2, 9]), "train_loss": torch.rand(3), "test_accuracy": torch.rand(3)}
    other = torch.rand(3, 4, 8, 3, 3).half()
    save_file(
        {**moments, "stem.conv.weight": weights, "stages.0.0.conv1.weight": other},
        tmp_path / "history.safetensors",
    )
    made = filter_history(tmp_path / "history.safetensors")
    assert made.layer == "stem.conv" and made.layers == ("stem.conv", "stages.0.0.conv1")
    np.testing.assert_allclose(made.weights, weights.float().numpy())
    assert made.epochs.tolist() == [0, 2, 9]
    assert filter_history(tmp_path / "history.safetensors", layer=made.layers[1]).weights.shape == (
        3,
        4,
        8,
        3,
        3,
    )
    with pytest.raises(Refused):
        filter_history(tmp_path / "history.safetensors", layer="head")


def test_two_input_sizes_have_two_tapes():
    model = classifier("residual_cnn")
    small, large = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 96, 96)
    assert tape(model, small)[1].shape == (48, 32, 32) and tape(model, large)[1].shape == (48, 48, 48)
    assert (
        replace(tape(model, small)[1], shape=(48, 48, 48), layout=tape(model, large)[1].layout)
        == tape(model, large)[1]
    )
