"""The CNN filters page: every section in both languages, its snippets, hostile links, a second network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torchvision import models

from dlviz import samples, zoo
from dlviz.vision import attribution
from dlviz.vision.results import Dissection, FeatureMaps
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


def test_a_damaged_model_is_named_and_the_page_goes_on_with_another(
    open_page: Opener, second_network: str, tmp_path: Path
) -> None:
    weights = tmp_path / "own" / "mine.pth"
    opened(open_page, model=second_network)
    weights.write_bytes(weights.read_bytes()[:1000])
    app = opened(open_page, model=second_network)
    assert not app.exception
    assert app.segmented_control(key="cnn_filters_view_choice").value == "maps"
