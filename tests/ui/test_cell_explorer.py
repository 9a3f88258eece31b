"""The browser's arithmetic beside PyTorch's: the component's own JavaScript, run by node."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dlviz.figures import cell_explorer as scene
from dlviz.ui.components import FOLDER, script
from dlviz.ui.components.cell_explorer import HTML, words
from dlviz.vision.cnn_filters import feature_maps, first_kernels
from dlviz.vision.dissect import dissect
from dlviz.vision.outline import layers
from tests.vision.networks import BUILDERS, classifier, photo
from tests.vision.reference import then, total

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

EXPLAIN = """
import { readFileSync } from "node:fs";
import { decode, explain } from "./cell_explorer.mjs";
const told = JSON.parse(readFileSync("cells.json", "utf8")).map(({ file, cells }) => {
  const payload = decode(new Uint8Array(readFileSync(file)));
  const all = cells.map((cell) => explain(cell, payload));
  return all.map(({ parts, steps, result, value, difference, box }) => (
    { total: parts.total, steps: steps.map(({ after }) => after), result, value, difference, box }));
});
console.log(JSON.stringify(told));
"""


def unpack(block):
    (length,) = struct.unpack_from("<I", block)
    header = json.loads(block[4 : 4 + length])
    types = {"f4": np.float32, "i4": np.int32, "u1": np.uint8}
    arrays = {
        name: np.frombuffer(
            block, types[a["type"]], int(np.prod(a["shape"])), 4 + length + a["offset"]
        ).reshape(a["shape"])
        for name, a in header["arrays"].items()
    }
    return header, arrays


def in_node(folder, made, cells):
    (folder / "cell_explorer.mjs").write_text(script("cell_explorer", after=("pictures",)))
    jobs = []
    for i, (dissection, own) in enumerate(zip(made, cells, strict=True)):
        (folder / f"{i}.bin").write_bytes(scene.dissection(dissection, {}))
        jobs.append({"file": f"{i}.bin", "cells": own})
    (folder / "cells.json").write_text(json.dumps(jobs))
    (folder / "run.mjs").write_text(EXPLAIN)
    done = subprocess.run(["node", "run.mjs"], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def one_of_each_kind(name):
    found = {(layer.kind, layer.function): layer for layer in reversed(layers(classifier(name)))}
    return list(found.values())


@needs_node
@pytest.mark.parametrize("name", BUILDERS)
def test_the_browser_explains_every_kind_of_layer_as_pytorch_computes_it(name, tmp_path):
    rng, model, image = np.random.default_rng(3), classifier(name), photo()
    made, cells = [], []
    for layer in one_of_each_kind(name):
        made.append(dissect(model, image, layer=layer.name, channel=int(rng.integers(layer.shape[0]))))
        height, width = layer.shape[1:]
        corners = [[0, 0], [height - 1, width - 1]]
        cells.append(corners + [[int(rng.integers(height)), int(rng.integers(width))] for _ in range(4)])
    for dissection, own, told in zip(made, cells, in_node(tmp_path, made, cells), strict=True):
        largest = max(float(np.abs(dissection.values).max()), 1e-6)
        for (row, column), answer in zip(own, told, strict=True):
            value = total(dissection, row, column)
            assert answer["total"] == pytest.approx(value, rel=1e-9, abs=1e-9)
            for follow, after in zip(dissection.follows, answer["steps"], strict=True):
                value = then(follow, value, row, column)
                assert after == pytest.approx(value, rel=1e-9, abs=1e-9)
            assert answer["value"] == dissection.values[row, column]
            assert abs(answer["result"] - dissection.values[row, column]) <= 1e-4 * largest
            assert tuple(answer["box"]) == dissection.field.box(row, column)


@needs_node
def test_the_browser_adds_the_channels_that_were_not_sent(tmp_path, monkeypatch):
    monkeypatch.setattr("dlviz.vision.dissect.INPUT_BYTES", 8 * 4 * 64)
    made = dissect(classifier("residual_cnn"), photo(), layer="stages.1.0.act1", channel=2)
    ((answer,),) = in_node(tmp_path, [made], [[[3, 4]]])
    assert abs(answer["difference"]) <= 1e-5 * np.abs(made.values).max()


def test_what_is_sent_stays_under_four_megabytes():
    """VGG-16 at 224 pixels reads 12.8 MB into its second convolution."""
    from torchvision import models

    from dlviz.vision.classifier import Classifier, Preprocessing

    network = models.vgg16(num_classes=2, init_weights=False).features[:5]
    model = Classifier(network, ("a", "b"), Preprocessing(224)).eval().requires_grad_(False)
    for layer in ("2", "3", "4"):
        made = dissect(model, photo(), layer=layer, channel=0)
        assert len(scene.dissection(made, {"words": words_in_english()})) <= 4_000_000
    row, column = 100, 57
    assert total(made, row, column) == pytest.approx(float(made.base[row, column]), rel=1e-5)


def words_in_english():
    return AppTest.from_function(_say_words).run().session_state["words"]


def _say_words():
    import streamlit as st

    from dlviz.ui.components.cell_explorer import words

    st.session_state["words"] = words()


def test_packing_keeps_every_bit():
    arrays = {"odd": np.arange(5, dtype=np.uint8), "real": np.float32([[1.5, -2]]), "whole": np.int32([7])}
    header, back = unpack(scene.pack({"name": "é"}, arrays))
    assert header["name"] == "é" and all(np.array_equal(back[name], arrays[name]) for name in arrays)


def test_the_tiles_of_a_gallery():
    made = feature_maps(classifier("residual_cnn"), photo(), layer="stem.act")
    own, shared = scene.map_tiles(made, shared=False), scene.map_tiles(made, shared=True)
    assert own.shape == made.maps.shape and shared.max() == 255 and not made.signed
    alive = ~made.dead
    assert (own[alive].max((1, 2)) == 255).all() and not own[made.dead].any()
    signed = feature_maps(classifier("residual_cnn"), photo(), layer="stem.conv")
    tiles = scene.map_tiles(signed, shared=False)
    assert (
        signed.signed
        and (
            (tiles >= 128)
            == (np.round(127 * signed.maps / np.abs(signed.maps).max((1, 2), keepdims=True)) >= 0)
        ).all()
    )


def test_large_maps_are_averaged_down(monkeypatch):
    monkeypatch.setattr(scene, "TILE_BYTES", 48 * 16 * 16)
    made = feature_maps(classifier("residual_cnn"), photo(), layer="stem.act")
    assert scene.map_tiles(made, shared=True).shape == (48, 16, 16)


def test_kernels_are_grey_where_they_are_zero():
    kernels = first_kernels(classifier("residual_cnn"))
    tiles = scene.kernel_tiles(kernels)
    assert tiles.shape == (48, 7, 7, 3)
    positive = kernels.weights.transpose(0, 2, 3, 1) > 0
    assert (tiles[positive] >= 128).all() and (tiles[~positive] <= 127).all()


def test_every_word_and_every_element_that_the_script_asks_for_is_there():
    import re

    script = (FOLDER / "cell_explorer.js").read_text("utf-8")
    for name in re.findall(r'this\.find\("([\w-]+)', script):
        assert f'class="{name}' in HTML, name
    said = words_in_english()
    for name in set(re.findall(r"words\.(\w+)", script)) - {"norm"}:
        assert name in said, name
    assert {"norm", "scale", "sum", "copy", "product", "maximum", "mean"} <= set(said)


def page():
    import numpy as np
    import streamlit as st

    from dlviz.ui.components.cell_explorer import cell_explorer
    from dlviz.ui.components.map_gallery import kernel_gallery, map_gallery
    from dlviz.vision.cnn_filters import feature_maps, first_kernels
    from dlviz.vision.dissect import dissect
    from tests.vision.networks import classifier, photo

    model = classifier("residual_cnn")
    maps = feature_maps(model, photo(), layer="stem.act")
    chosen = map_gallery(maps, key="maps", chosen=3)
    kernel_gallery(first_kernels(model), key="kernels", order=np.arange(48), values=maps.strength)
    made = dissect(model, photo(), layer="stem.act", channel=chosen)
    st.session_state["answer"] = (chosen, cell_explorer(made, key="explorer", cell=(2, 5)))


def test_the_components_give_back_what_the_link_says_until_the_visitor_chooses():
    test = AppTest.from_function(page).run(timeout=60)
    assert not test.exception
    assert test.session_state["answer"] == (3, (2, 5))


def test_words_are_translated_where_they_are_said(monkeypatch):
    monkeypatch.setattr("dlviz.ui.components.cell_explorer._", lambda message: f"[{message}]")
    flat = [w for value in words().values() for w in (value if isinstance(value, list) else [value])]
    assert all(word.startswith("[") for word in flat)
