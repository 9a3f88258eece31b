"""The CNN filters page: every section in both languages, its snippets, hostile links, a second network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from streamlit.testing.v1 import AppTest
from torch import nn
from torchvision import models

from dlviz import samples, zoo
from dlviz.vision import attribution
from dlviz.vision.classifier import Classifier, Preprocessing
from dlviz.vision.readable import make_readable
from dlviz.vision.results import Dissection, FeatureMaps
from dlviz.zoo import catalogue
from tests.pages.conftest import Opener

VIEWS = ("maps", "filters", "why", "dream", "compare")


def opened(open_page: Opener, language: str = "en", **link: str) -> AppTest:
    return open_page("cnn_filters", language, **{f"cnn_filters_{name}": code for name, code in link.items()})


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_section_opens(open_page: Opener, view: str, language: str) -> None:
    app = opened(open_page, language, view=view, photo="motorcycle")
    assert not app.exception
    assert not app.error
    assert app.segmented_control(key="cnn_filters_view_choice").value == view


def test_the_answer_is_the_networks(open_page: Opener) -> None:
    app = opened(open_page, photo="motorcycle")
    model = zoo.load("caltech-cnn")
    best = attribution.predict(model, samples.load("motorcycle").pixels).names[0]
    assert best in app.get("plotly_chart")[0].proto.spec


@pytest.mark.parametrize("view", ["maps", "filters", "why"])
def test_the_snippets_run_and_give_a_result(open_page: Opener, view: str) -> None:
    app = opened(open_page, view=view, photo="coffee")
    snippets = [block.value for block in app.code if "zoo.load(" in block.value]
    assert snippets
    for snippet in snippets:
        names: dict[str, object] = {}
        exec(snippet, names)
        assert names["result"] is not None


def test_a_snippet_gives_what_the_page_shows(open_page: Opener) -> None:
    app = opened(open_page, photo="coffee", layer="stem.act", map="5")
    results = []
    for block in app.code:
        if "zoo.load(" in block.value:
            names: dict[str, object] = {}
            exec(block.value, names)
            results.append(names["result"])
    maps, dissection = results
    assert isinstance(maps, FeatureMaps) and isinstance(dissection, Dissection)
    assert dissection.channel == 5
    np.testing.assert_allclose(dissection.values, maps.maps[5], atol=1e-5)


@pytest.mark.parametrize(
    "link",
    [
        {"layer": "no.such.layer"},
        {"map": "99999"},
        {"map": "-1"},
        {"map": "<script>"},
        {"cell": "900,900"},
        {"cell": "nan,nan"},
        {"photo": "sha256:0123456789abcdef"},
        {"photo": "../../etc/passwd"},
        {"model": "resnet50"},
        {"view": "nonsense"},
        {"view": "why", "targets": "9999,abc", "methods": "nonsense"},
        {"view": "filters", "filter": "999999", "epoch": "nan"},
        {"view": "dream", "dream_filter": "100000", "dream_seed": "-3"},
    ],
)
def test_a_hostile_link_opens_on_something_sensible(open_page: Opener, link: dict[str, str]) -> None:
    app = opened(open_page, **link)
    assert not app.exception
    assert not app.error


def test_a_preset_is_a_link_with_its_reason(open_page: Opener) -> None:
    app = opened(open_page)
    links = app.get("page_link")
    assert len(links) >= 4
    assert any("cnn_filters_view=why" in link.proto.query_string for link in links)


@pytest.fixture
def second_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A torchvision checkpoint of the operator's own, random weights, two classes."""
    folder = tmp_path / "own"
    folder.mkdir()
    torch.manual_seed(0)
    torch.save(models.resnet18(num_classes=2).state_dict(), folder / "mine.pth")
    described = {
        "library": "torchvision",
        "architecture": "resnet18",
        "weights": "mine.pth",
        "classes": ["cat", "dog"],
        "preprocessing": {"size": 64, "mode": "crop", "resize": 72},
    }
    (folder / "config.json").write_text(json.dumps(described))
    monkeypatch.setenv("DLVIZ_MODEL_DIRS", str(folder))
    zoo.unload("folder-own")  # another test's model of that name may still be in memory
    return "folder-own"


def test_two_networks_stand_side_by_side(open_page: Opener, second_network: str) -> None:
    app = opened(open_page, view="compare", depth="50", other=second_network)
    assert not app.exception
    assert not app.error
    text = " ".join(block.value for block in app.markdown)
    assert "dog" in text or "cat" in text
    assert app.slider(key="cnn_filters_depth").value == 50
    assert second_network in zoo.names()


def test_the_second_network_can_be_the_first(open_page: Opener, second_network: str) -> None:
    app = opened(open_page, model=second_network)
    assert not app.exception
    assert app.selectbox(key="cnn_filters_model_choice").value == second_network
    assert "layer" in app.selectbox(key="cnn_filters_layer_choice").label.lower()


@pytest.mark.parametrize(
    ("language", "said"), [("en", "own/mine.pth"), ("fr", "fichier de poids own/mine.pth")]
)
@pytest.mark.parametrize("view", ["maps", "compare"])
def test_a_damaged_model_is_named_and_the_page_goes_on_with_another(
    open_page: Opener, second_network: str, tmp_path: Path, language: str, said: str, view: str
) -> None:
    """No network can be built from a file cut short: it has no sum to be held by, so only the load finds out."""
    weights = tmp_path / "own" / "mine.pth"
    weights.write_bytes(weights.read_bytes()[:1000])
    chooser = "other" if view == "compare" else "model"
    app = opened(open_page, language, view=view, **{chooser: second_network})
    assert not app.exception
    assert not app.error
    assert [said in warning.value for warning in app.warning[:1]] == [True]
    assert sum("mine.pth" in warning.value for warning in app.warning) == 1
    offered = app.selectbox(key=f"cnn_filters_{chooser}_choice")
    assert offered.value.startswith("caltech-cnn") and "own" not in offered.options
    assert any("dlviz 0." in caption.value for caption in app.caption), "the footer stands"


def test_a_mended_model_is_offered_again(open_page: Opener, second_network: str, tmp_path: Path) -> None:
    weights = tmp_path / "own" / "mine.pth"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1000])
    assert len(opened(open_page, model=second_network).warning) > 1
    weights.write_bytes(whole)
    app = opened(open_page, model=second_network)
    assert app.selectbox(key="cnn_filters_model_choice").value == second_network


class Plain(nn.Sequential):
    """Convolutions one after the other, without normalisation or residual sums, as in VGG."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(16 * 16 * 16, 3),
        )  # fmt: skip


ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {
    "plain": Plain,
    "squeeze": lambda: make_readable(models.mobilenet_v3_small(num_classes=3)),
    "transformer": lambda: models.VisionTransformer(64, 16, 2, 4, 64, 128, num_classes=3),
    "timm_transformer": lambda: timm.create_model(
        "vit_tiny_patch16_224", num_classes=3, img_size=64, depth=1
    ),
}


def small_classifier(folder: Path, *, kind: str) -> Classifier:
    """A builder for a card: each kind of network that the page offers, small, with random weights."""
    torch.manual_seed(0)
    network = ARCHITECTURES[kind]()
    if kind == "transformer":
        nn.init.normal_(network.heads.head.weight)  # torchvision starts it at zero: every class the same
    return Classifier(network, ("cat", "dog", "owl"), Preprocessing(64, mode="crop", resize=72))


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """``small("plain")`` puts such a network in the zoo and gives its name."""
    names = []

    def added(kind: str) -> str:
        (tmp_path / kind).mkdir()
        for file in ("config.json", "model.safetensors"):
            (tmp_path / kind / file).write_text("{}")
        card = catalogue._folder_card(f"folder-{kind}", tmp_path / kind)
        card = replace(card, builder=f"{__name__}:small_classifier", options={"kind": kind})
        monkeypatch.setenv("DLVIZ_MODEL_DIRS", str(tmp_path / kind))
        monkeypatch.setattr(catalogue, "_folder_card", lambda name, folder: card)
        names.append(card.name)
        return card.name

    yield added
    for name in names:
        zoo.unload(name)


@pytest.mark.parametrize(
    ("kind", "layer"),
    [
        ("plain", "1"),
        ("squeeze", "features.4.block.2.gate"),
        ("transformer", "encoder.layers.encoder_layer_1.self_attention"),
        ("timm_transformer", "blocks.0.sum"),
    ],
)
def test_a_cell_of_each_kind_of_network_is_taken_apart(
    open_page: Opener, small: Callable[[str], str], kind: str, layer: str
) -> None:
    app = opened(open_page, model=small(kind), layer=layer, cell="1,2")
    assert not app.exception
    assert not app.error
    assert app.selectbox(key="cnn_filters_layer_choice").value == layer
    assert "1,2" in " ".join(block.value for block in app.latex)


@pytest.mark.parametrize("view", ["filters", "why", "dream", "compare"])
@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_section_takes_every_kind_of_network(
    open_page: Opener, small: Callable[[str], str], kind: str, view: str
) -> None:
    name = small(kind)
    chosen = {"model": "caltech-cnn", "other": name} if view == "compare" else {"model": name}
    app = opened(open_page, "fr", view=view, **chosen)
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize(
    ("kind", "methods"),
    [
        ("plain", ["grad_cam", "layer_cam"]),
        ("transformer", ["attention_relevance", "integrated_gradients"]),
        ("timm_transformer", ["integrated_gradients", "occlusion"]),
    ],
)
def test_each_kind_of_network_has_methods_that_suit_it(
    open_page: Opener, small: Callable[[str], str], kind: str, methods: list[str]
) -> None:
    app = opened(open_page, model=small(kind), view="why")
    assert app.multiselect(key="cnn_filters_methods_choice").value == methods
    drawn = [m.value for m in app.markdown if "**" in m.value and "trust" in m.value]
    assert len(drawn) == 2
