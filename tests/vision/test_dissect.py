"""Every kind of layer of every kind of network: the parts sum to the network's own number."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dlviz.errors import Refused
from dlviz.vision.cnn_filters import feature_maps
from dlviz.vision.dissect import dissect, look
from dlviz.vision.outline import layers
from dlviz.vision.results import AttentionParts, SumParts, WindowParts
from tests.vision.networks import BUILDERS, classifier, photo
from tests.vision.reference import then, total


def some_of_each_kind(name):
    """The first and the last layer of each kind and function, and those that are read by several."""
    found = {}
    for layer in layers(classifier(name)):
        found.setdefault((layer.kind, layer.function), []).append(layer)
    return {layer.name: layer for group in found.values() for layer in (group[0], group[-1])}.values()


@pytest.mark.parametrize("name", BUILDERS)
def test_the_parts_sum_to_the_networks_own_number(name):
    model, image, rng = classifier(name), photo(), np.random.default_rng(1)
    for layer in some_of_each_kind(name):
        own = module_output(model, image, layer.name)
        channel = int(rng.integers(layer.shape[0]))
        made = dissect(model, image, layer=layer.name, channel=channel)
        assert made.values.shape == layer.shape[1:]
        if own is not None:
            np.testing.assert_allclose(made.values, own[channel], atol=1e-5 * np.abs(own).max())
        height, width = layer.shape[1:]
        corners = [(0, 0), (height - 1, width - 1), (0, width - 1)]
        cells = corners + [(int(rng.integers(height)), int(rng.integers(width))) for _ in range(6)]
        for row, column in cells:
            value = total(made, row, column)
            scale = max(np.abs(made.base).max(), 1e-6)
            assert abs(value - made.base[row, column]) <= 1e-4 * scale, (layer.name, "base")
            for follow in made.follows:
                value = then(follow, value, row, column)
                scale = max(np.abs(follow.output).max(), 1e-6)
                assert abs(value - follow.output[row, column]) <= 1e-4 * scale, (layer.name, follow.layer)


def module_output(model, image, name):
    """What a plain forward hook sees, where the layer is a module that runs once and holds its maps first."""
    module = dict(model.network.named_modules()).get(name)
    if module is None or any(getattr(m, "inplace", False) for m in model.modules()):
        return None
    seen = []
    hook = module.register_forward_hook(lambda _m, _a, out: seen.append(out))
    model(model.prepare(image)[0])
    hook.remove()
    tensor = seen[0][0] if isinstance(seen[0], tuple) else seen[0]
    if len(seen) != 1 or tensor.ndim != 4 or type(module).__name__ in {"LayerNorm", "Linear", "GELU"}:
        return None
    return tensor[0].numpy()


@pytest.mark.parametrize("name", BUILDERS)
def test_one_pass_gives_the_maps_and_the_strongest_one_taken_apart(name):
    model = classifier(name)
    for entry in some_of_each_kind(name):
        seen = look(model, photo(), layer=entry.name)
        maps = feature_maps(model, photo(), layer=entry.name)
        apart = dissect(model, photo(), layer=entry.name, channel=int(maps.order[0]))
        np.testing.assert_array_equal(seen.maps.maps, maps.maps)
        np.testing.assert_array_equal(seen.maps.dead, maps.dead)
        assert seen.dissection.channel == apart.channel
        np.testing.assert_array_equal(seen.dissection.values, apart.values)
        assert total(seen.dissection, 0, 0) == total(apart, 0, 0)


def test_a_residual_block_is_its_two_terms():
    model = classifier("residual_cnn")
    made = dissect(model, photo(), layer="stages.1.0.act2", channel=5)
    assert made.base_layer == "stages.1.0.sum" and made.base_kind == "sum"
    assert made.sources == ("stages.1.0.norm2", "stages.1.0.shortcut.1")
    assert isinstance(made.parts, SumParts) and made.parts.names == made.sources
    assert [follow.function for follow in made.follows] == ["relu"]


def test_an_activation_is_explained_back_to_its_convolution():
    made = dissect(classifier("residual_cnn"), photo(), layer="stem.act", channel=0)
    assert made.base_layer == "stem.conv" and made.sources == ("",)
    assert [follow.layer for follow in made.follows] == ["stem.norm", "stem.act"]
    assert isinstance(made.parts, WindowParts) and made.parts.kernel.shape == (3, 7, 7)


def test_attention_is_taken_apart_by_head_and_token():
    name = next(x.name for x in layers(classifier("vit")) if x.kind == "attention")
    made = dissect(classifier("vit"), photo(), layer=name, channel=3)
    assert isinstance(made.parts, AttentionParts)
    assert made.parts.weights.shape == (4, 16, 17)
    np.testing.assert_allclose(made.parts.weights.sum(-1), 1, rtol=1e-5)


def test_attention_that_does_not_fit_is_told_by_head(monkeypatch):
    monkeypatch.setattr("dlviz.vision.dissect.INPUT_BYTES", 1000)
    name = next(x.name for x in layers(classifier("vit")) if x.kind == "attention")
    made = dissect(classifier("vit"), photo(), layer=name, channel=3)
    assert isinstance(made.parts, SumParts) and made.parts.names == ("#1", "#2", "#3", "#4", "")
    np.testing.assert_allclose(made.parts.terms.sum(0), made.base, atol=1e-5)


def test_what_does_not_fit_is_sent_as_an_exact_rest(monkeypatch):
    monkeypatch.setattr("dlviz.vision.dissect.INPUT_BYTES", 8 * 4 * 64)
    made = dissect(classifier("residual_cnn"), photo(), layer="stages.1.0.conv2", channel=2)
    assert isinstance(made.parts, WindowParts) and made.parts.rest is not None
    assert len(made.parts.channels) == 8 and made.parts.channel_count == 96
    for row, column in [(0, 0), (3, 5), (7, 7)]:
        assert abs(total(made, row, column) - made.base[row, column]) <= 1e-5 * np.abs(made.base).max()


def test_a_pass_leaves_the_network_as_it_was():
    model = classifier("resnet18_in_place")
    before = model(model.prepare(photo())[0])
    dissect(model, photo(), layer="layer2.0.sum", channel=0)
    feature_maps(model, photo(), layer="bn1")
    assert torch.equal(before, model(model.prepare(photo())[0]))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize(
    ("layer", "channel"), [("nowhere", 0), ("stem.conv", 48), ("stem.conv", -1), ("", 0)]
)
def test_what_is_not_there_is_refused(layer, channel):
    with pytest.raises(Refused):
        dissect(classifier("residual_cnn"), photo(), layer=layer, channel=channel)
