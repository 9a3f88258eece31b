"""The figures draw what the results hold."""

from __future__ import annotations

import numpy as np

from dlviz.figures.cnn_filters import (
    KIND_COLOURS,
    activation_histogram,
    network_strip,
    sorted_values,
    training_curve,
)
from dlviz.vision.attribution_results import Box
from dlviz.vision.results import FeatureMaps, FilterHistory, Layer, NetworkOutline, ReceptiveField, Stage


def outline() -> NetworkOutline:
    def layer(name, kind, shape, stage):
        return Layer(name, kind, kind, shape, 10, stage, 0.5, (3, 3), (1, 1), False, ())

    rows = (
        layer("conv", "conv", (8, 32, 32), 0),
        layer("act", "activation", (8, 32, 32), 0),
        layer("pool", "pool", (8, 4, 4), 1),
        layer("head", "linear", (5, 1, 1), 2),
    )
    stages = (
        Stage("a", (8, 32, 32), 20, 0, 1),
        Stage("b", (8, 4, 4), 10, 2, 2),
        Stage("c", (5, 1, 1), 10, 3, 3),
    )
    return NetworkOutline(rows, stages, 40, (3, 64, 64))


def test_the_strip_has_one_bar_a_layer_in_forward_order():
    kinds = {kind: kind.upper() for kind in KIND_COLOURS}
    figure = network_strip(outline(), chosen="act", kinds=kinds, hover=list("wxyz"), stages=["1", "2", "3"])
    bars = [trace for trace in figure.data if trace.type == "bar"]
    drawn = sorted(
        (x, name, text)
        for bar in bars
        for x, name, text in zip(bar.x, bar.customdata, bar.hovertext, strict=True)
    )
    assert [(name, text) for _, name, text in drawn] == [
        ("conv", "w"),
        ("act", "x"),
        ("pool", "y"),
        ("head", "z"),
    ]
    assert {bar.name for bar in bars} == {"CONV", "ACTIVATION", "POOL", "LINEAR"}
    heights = {name: y for bar in bars for name, y in zip(bar.customdata, bar.y, strict=True)}
    assert heights["conv"] > heights["pool"] > heights["head"] > 0
    (mark,) = [trace for trace in figure.data if trace.type == "scatter"]
    assert mark.x[0] == next(x for x, name, _ in drawn if name == "act")
    assert [a.text for a in figure.layout.annotations] == ["1", "2", "3"]


def test_the_strip_without_a_choice_marks_nothing():
    kinds = dict.fromkeys(KIND_COLOURS, "kind")
    figure = network_strip(outline(), chosen=None, kinds=kinds, hover=[""] * 4, stages=[""] * 3)
    assert all(trace.type == "bar" for trace in figure.data)


def test_the_histogram_counts_every_cell():
    maps = np.random.default_rng(0).normal(size=(3, 8, 8)).astype(np.float32)
    field = ReceptiveField(np.zeros((8, 2), int), np.zeros((8, 2), int), (3, 3), (1, 1), (0, 0))
    one = np.zeros(3, np.float32)
    made = FeatureMaps(
        "a",
        maps,
        one,
        one,
        one,
        np.arange(3),
        one > 0,
        "",
        field,
        np.zeros((9, 9, 3), np.uint8),
        Box(0, 0, 9, 9),
    )
    figure = activation_histogram(made, channel=1, names=("all", "map"), titles=("value", "share"))
    assert [trace.name for trace in figure.data] == ["all", "map"]
    for trace in figure.data:
        np.testing.assert_allclose(np.nansum(trace.y), 1)
    assert len(activation_histogram(made, channel=None, names=("a", "b"), titles=("v", "s")).data) == 1


def test_values_are_sorted_and_keep_their_numbers():
    figure = sorted_values(np.array([1.0, 3.0, 2.0]), chosen=2, titles=("a", "b"), hover="%{customdata}")
    bar = figure.data[0]
    assert list(bar.customdata) == [1, 2, 0] and list(bar.y) == [3, 2, 1]
    assert bar.marker.color[1] != bar.marker.color[0] == bar.marker.color[2]


def test_the_training_curve_marks_its_moment():
    history = FilterHistory(
        "stem", ("stem",), np.array([0.0, 3, 9]), np.array([4.0, 2, 1]), np.array([0.1, 0.5, 0.8]),
        np.ones((3, 2, 3, 5, 5), np.float32),
    )  # fmt: skip
    figure = training_curve(history, moment=1, names=("acc", "loss"), titles=("epoch", "acc", "loss"))
    assert figure.layout.shapes[0].x0 == 3 and list(figure.data[0].y) == [0.1, 0.5, 0.8]
    kernels = history.at(2)
    assert kernels.weights.shape == (2, 3, 5, 5)
    np.testing.assert_allclose(kernels.norms, np.sqrt(75))
