"""Figures of the projector: every point where it is, and sheets of small pictures in order."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from dlviz.figures import projection as figures
from dlviz.figures.palette import CLASSES
from dlviz.foundations.projection_results import Faithfulness


def test_a_sheet_holds_the_pictures_in_reading_order():
    squares = np.zeros((7, 28, 28, 3), np.uint8)
    squares[:] = (np.arange(7) * 36)[:, None, None, None]
    sheet = figures.sheet(squares)
    pixels = np.asarray(Image.open(io.BytesIO(sheet.image)).convert("L")).astype(int)
    assert sheet.columns == 3 and pixels.shape == (3 * figures.TILE,) * 2
    half = figures.TILE // 2
    told = [pixels[half + figures.TILE * (i // 3), half + figures.TILE * (i % 3)] for i in range(9)]
    assert np.abs(np.array(told) - [*(np.arange(7) * 36), 0, 0]).max() < 6


@pytest.mark.parametrize("axes", [2, 3])
def test_a_cloud_by_category_and_by_value(axes):
    points = np.random.default_rng(0).normal(size=(60, axes)).astype(np.float32)
    names = [f"p{i}" for i in range(60)]
    kinds = figures.Colours("kind", np.arange(60) % 3, ("a", "b", "c"))
    figure = figures.cloud(points, names, colours=kinds, labelled=np.array([4, 5]))
    assert [trace.name for trace in figure.data[:3]] == ["a", "b", "c"]
    assert [trace.marker.color for trace in figure.data[:3]] == list(CLASSES[:3])
    np.testing.assert_allclose(figure.data[1].x, points[1::3, 0])
    assert list(figure.data[3].text) == ["p4", "p5"]
    shares = figures.Colours("size", np.linspace(0, 1, 60), (), ("1", "900"))
    (one,) = figures.cloud(points, names, colours=shares).data
    assert list(one.marker.colorbar.ticktext) == ["1", "900"] and len(one.text) == 60
    assert len(figures.cloud(points, names).data) == 1


def test_faithfulness_has_two_lines_a_picture_and_chance():
    counts = np.array([1, 5, 10])
    one = Faithfulness(
        counts,
        np.array([0.9, 0.9, 0.8]),
        np.array([0.1, 0.2, 0.3]),
        counts / 99,
        np.arange(100),
        np.zeros((100, 3), np.float32),
        100,
    )
    words = figures.FaithfulWords("k", "share", "trust", "kept", "chance")
    figure = figures.faithfulness({"UMAP": one, "PCA": one}, words)
    assert [trace.name for trace in figure.data] == [
        "UMAP: trust",
        "UMAP: kept",
        "PCA: trust",
        "PCA: kept",
        "chance",
    ]
    assert len(figures.faithfulness({"PCA": one}, words).data) == 3
