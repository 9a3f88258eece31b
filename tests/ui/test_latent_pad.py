"""The latent pad: the browser's decoder beside PyTorch's, and places that a link or a browser may name."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from dlviz.ui.components import FOLDER, latent_pad, script
from dlviz.vision.vae_browser import decoder_payload
from dlviz.vision.vae_network import ConvVAE

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

NODE = """
import { readFileSync } from "node:fs";
import { fromHalf, network, picture, thin, ticks } from "./pad.mjs";
const { codes } = JSON.parse(readFileSync("in.json", "utf8"));
const decoder = network(new Uint8Array(readFileSync("decoder.bin")));
const every = new Uint8Array(new Uint16Array(65536).map((_, i) => i).buffer);
console.log(JSON.stringify({
  pictures: codes.map((z) => [...picture(decoder, z)]),
  halves: [...fromHalf(every)].map((x) => (Number.isFinite(x) ? x : String(x))),
  ticks: [ticks(-4, 4, 4), ticks(-0.31, 0.52, 5)],
  thin: thin([...Array(1000).keys()], 5),
  whole: thin([1, 2, 3], 5),
}));
"""


@needs_node
@pytest.mark.parametrize("latent", [2, 16])
def test_the_browser_decodes_as_pytorch_does(latent, tmp_path):
    torch.manual_seed(0)
    network = ConvVAE(latent).half().float().eval()
    with torch.no_grad():
        for parameter in network.decoder.parameters():
            parameter.mul_(2.0)  # logits as large as trained ones
    codes = torch.randn(12, latent) * 2
    told = in_node(tmp_path, network, codes)
    with torch.no_grad():
        expected = torch.sigmoid(network.decode(codes)).reshape(12, -1).numpy()
    assert expected.std() > 0.05
    assert np.abs(np.array(told["pictures"]) - expected).max() < 1e-4


def in_node(folder, network, codes):
    (folder / "pad.mjs").write_text(script("latent_pad", after=("pictures", "depot")), "utf-8")
    (folder / "decoder.bin").write_bytes(latent_pad.decoder_block(decoder_payload(network)))
    (folder / "in.json").write_text(json.dumps({"codes": codes.tolist()}))
    (folder / "run.mjs").write_text(NODE, "utf-8")
    done = subprocess.run(["node", "run.mjs"], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_node
def test_half_precision_ticks_and_thinning(tmp_path):
    told = in_node(tmp_path, ConvVAE(2), torch.zeros(1, 2))
    halves = np.arange(65536, dtype=np.uint16).view(np.float16)
    for value, half in zip(told["halves"], halves, strict=True):
        assert (value == half) or (isinstance(value, str) and not np.isfinite(half))
    assert told["ticks"][0] == [-4, -2, 0, 2, 4]
    assert np.allclose(told["ticks"][1], [-0.2, 0, 0.2, 0.4])
    assert told["thin"] == [0, 250, 500, 749, 999] or told["thin"] == [0, 250, 500, 750, 999]
    assert told["whole"] == [1, 2, 3]


def test_the_decoder_travels_in_under_half_a_megabyte():
    assert len(latent_pad.decoder_block(decoder_payload(ConvVAE(2)))) < 500_000


@given(st.text() | st.lists(st.floats(), max_size=3).map(lambda xs: ",".join(map(str, xs))))
def test_a_link_names_a_finite_place_or_none(link):
    z = latent_pad._read(link)
    assert z is None or (len(z) == 2 and all(np.isfinite(z)) and max(map(abs, z)) <= latent_pad.FARTHEST)


@given(st.tuples(*[st.floats(-1000, 1000, allow_nan=False)] * 2))
def test_a_place_survives_its_link(told):
    z = latent_pad._pair(told)
    assert z is not None and latent_pad._read(latent_pad._written(z)) == z


def page():
    import numpy as np
    import streamlit as st

    from dlviz.ui.components import latent_pad
    from dlviz.vision.vae_browser import decoder_payload
    from dlviz.vision.vae_network import ConvVAE

    told = st.session_state.pop("told", None)
    if told is not None:
        st.session_state["t_pad"] = {"place": told}
        latent_pad._let_go("t")
        del st.session_state["t_pad"]
    rng = np.random.default_rng(0)
    before = latent_pad.where("t", (0.5, -0.25))
    pad = latent_pad.latent_pad(
        "t",
        points=rng.normal(size=(300, 2)),
        labels=rng.integers(-1, 3, 300),
        classes=["a", "b", "c"],
        decoder=decoder_payload(ConvVAE(2)),
        start=(0.5, -0.25),
        posterior=latent_pad.Posterior(np.zeros(2), np.ones(2), rng.normal(size=(9, 2)), name="own"),
        background=latent_pad.Background(np.zeros((10, 12), np.uint8), (-1, 1, -1, 1)),
        exact=lambda z: np.full((28, 28), 7, np.uint8),
        follow=st.session_state.get("follow"),
    )
    st.session_state["answer"] = (before, pad.z, len(pad.walk))
    st.session_state["link"] = st.session_state["t"]


def opened(link=None):
    test = AppTest.from_function(page)
    if link is not None:
        test.query_params["t"] = link
    return test.run(timeout=60)


def test_the_point_stands_where_the_link_says():
    assert opened().session_state["answer"] == ((0.5, -0.25), (0.5, -0.25), 0)
    assert opened("1.25,-3").session_state["answer"][1] == (1.25, -3.0)


@pytest.mark.parametrize(
    "link", ["nan,1", "inf,0", "1", "1,2,3", "1e9,0", "a,b", "<b>,1", "١,٢", ",", "0x1,2"]
)
def test_a_hostile_link_leaves_the_point_at_its_start(link):
    test = opened(link)
    assert not test.exception and len(test.warning) == 1
    assert test.session_state["answer"][1] == (0.5, -0.25)


def test_letting_go_moves_the_link_and_another_picture_moves_the_point_back():
    test = opened()
    turn = test.session_state["t_turn"]
    test.session_state["told"] = {"z": [1.5, 2.00004], "walk": [[0.5, -0.25], [1, 1], [1.5, 2.00004]]}
    test.run()
    assert test.session_state["answer"][1:] == ((1.5, 2.0), 3) and test.session_state["link"] == "1.5,2"
    assert test.session_state["t_turn"] == turn  # the browser moved it itself
    test.session_state["follow"] = "another picture"
    test.run()
    assert test.session_state["answer"][1:] == ((0.5, -0.25), 0) and test.session_state["link"] == ""
    assert test.session_state["t_turn"] == turn + 1


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"z": None, "walk": []},
        {"z": [1, "b"], "walk": []},
        {"z": [float("nan"), 1], "walk": []},
        {"z": [1, 2], "walk": "x"},
        {"z": [1e300, 2], "walk": [[1, 2]]},
    ],
)
def test_what_no_pad_tells_changes_nothing(told):
    test = opened("1,2")
    test.session_state["told"] = told
    test.run()
    assert not test.exception and test.session_state["answer"][1] == (1.0, 2.0)


def test_a_walk_is_bounded_and_its_hostile_steps_are_left_out():
    test = opened()
    test.session_state["told"] = {"z": [1, 1], "walk": [[0, 0], ["x", 1], None, [float("inf"), 2]] * 500}
    test.run()
    assert test.session_state["answer"] == ((1.0, 1.0), (1.0, 1.0), 100)


def test_the_extent_holds_nearly_all_points_in_equal_units():
    points = np.random.default_rng(1).normal(size=(5000, 2)) * [1, 3]
    left, right, bottom, top = latent_pad._around(points, None)
    assert right - left == pytest.approx(top - bottom)
    inside = (points > [left, bottom]).all(1) & (points < [right, top]).all(1)
    assert inside.mean() > 0.99
    assert latent_pad._around(np.zeros((0, 2)), None)[0] < 0


def test_every_word_and_every_element_that_the_script_asks_for_is_there(monkeypatch):
    import re

    monkeypatch.setattr("dlviz.ui.components.latent_pad._", lambda message: message)
    source = (FOLDER / "latent_pad.js").read_text("utf-8")
    assert set(re.findall(r"words\.(\w+)", source)) <= set(latent_pad._words())
    assert {"undo", "home", "replay", "stop"} <= set(latent_pad._words())
    for name in re.findall(r'find\("(\w+)"\)', source):
        assert f'class="{name}"' in latent_pad.HTML, name
