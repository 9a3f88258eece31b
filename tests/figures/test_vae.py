"""The figures of the VAE page: what is drawn is what was measured."""

from __future__ import annotations

import base64
import io
import subprocess
import sys

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image, ImageColor

from dlviz.figures import vae as figures
from dlviz.figures.palette import CLASSES
from dlviz.settings import ROOT

RNG = np.random.default_rng(0)
CODES = RNG.normal(size=(400, 2)).astype(np.float32)
LABELS = np.arange(400) % 10
NAMES = [f"class {i}" for i in range(10)]


def whole(figure: go.Figure) -> str:
    """Drawing the figure to JSON is what the page does; it fails on what Plotly does not take."""
    return str(figure.to_json())


def drawn(**changes: object) -> go.Figure:
    arguments = {"codes": CODES, "labels": LABELS, "classes": NAMES, "axes": ("a", "b"), **changes}
    return figures.latent_map(**arguments)


def picture(figure: go.Figure) -> np.ndarray:
    """The points of a map as the browser gets them."""
    data = figure.layout.images[0].source.split(",", 1)[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_a_point_stands_at_its_place_in_the_colour_of_its_class() -> None:
    corners = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1], [0.5, 0.25]], np.float32)
    sheet = np.asarray(figures.dots(corners, np.array([0, 1, 2, -1, 9]), (-2, 2, -1.5, 1.5), side=400))
    assert sheet.shape == (300, 400, 4)
    for (x, y), colour in zip(
        corners, [CLASSES[0], CLASSES[1], CLASSES[2], figures.OTHERS, CLASSES[9]], strict=True
    ):
        seen = sheet[round((1.5 - float(y)) * 100), round((float(x) + 2) * 100)]
        np.testing.assert_allclose(seen[:3], ImageColor.getrgb(colour), atol=2)
    assert sheet[150, 200, 3] == 0


def test_each_class_is_named_in_its_middle_and_the_scale_is_one() -> None:
    figure = drawn()
    named = {note.text: (note.x, note.y) for note in figure.layout.annotations}
    np.testing.assert_allclose(named["<b>class 3</b>"], np.median(CODES[LABELS == 3], axis=0), rtol=1e-6)
    assert figure.layout.yaxis.scaleanchor == "x"
    image = figure.layout.images[0]
    height, width = picture(figure).shape[:2]
    assert width / height == pytest.approx(image.sizex / image.sizey, rel=0.01)
    assert (image.x, image.y) == (figure.layout.xaxis.range[0], figure.layout.yaxis.range[1])


def test_an_own_code_far_away_is_still_on_the_map() -> None:
    figure = drawn(own=[figures.Own(np.array([40.0, -30.0]), None, "mine")])
    assert figure.layout.xaxis.range[1] > 40 and figure.layout.yaxis.range[0] < -30


def test_the_ellipses_stand_at_one_and_two_standard_deviations() -> None:
    own = figures.Own(np.array([0.5, -1.0]), np.array([0.2, 0.1]), "mine")
    figure = drawn(own=[own])
    boxes = [(s.x0, s.x1, s.y0, s.y1) for s in figure.layout.shapes]
    np.testing.assert_allclose(boxes, [(0.3, 0.7, -1.1, -0.9), (0.1, 0.9, -1.2, -0.8)])
    assert (figure.data[-1].x[0], figure.data[-1].y[0]) == (0.5, -1.0)
    whole(figure)


def test_a_plain_autoencoder_has_a_cross_and_no_ellipse() -> None:
    figure = drawn(own=[figures.Own(np.zeros(2), None, "mine")])
    assert not figure.layout.shapes
    assert figure.data[-1].marker.symbol == "x"


def test_pictures_without_a_class_are_grey_and_unnamed() -> None:
    figure = drawn(labels=np.full(400, -1))
    seen = picture(figure)
    inked = seen[seen[..., 3] == seen[..., 3].max()]
    np.testing.assert_allclose(
        inked[:, :3], np.tile(ImageColor.getrgb(figures.OTHERS), (len(inked), 1)), atol=2
    )
    assert not figure.layout.annotations


def test_the_two_terms_are_stacked_in_the_order_of_the_rows() -> None:
    figure = figures.two_terms(["mine", "test"], [80.0, 130.0], [6.0, 7.0], names=("r", "k"), axis="nats")
    assert figure.layout.barmode == "stack"
    assert list(figure.data[0].x) == [80.0, 130.0] and list(figure.data[1].x) == [6.0, 7.0]
    assert list(figure.layout.yaxis.ticktext) == ["mine", "test"]


def test_dimensions_stand_in_the_order_given_and_silent_ones_are_pale() -> None:
    mine, test = np.array([0.1, 3.0, 0.0]), np.array([0.2, 2.0, 0.001])
    figure = figures.by_dimension([1, 0, 2], mine, test, names=("m", "t"), axis="KL", inactive=(2,))
    assert list(figure.data[0].y) == [3.0, 0.1, 0.0]
    assert list(figure.layout.xaxis.ticktext) == ["z<sub>2</sub>", "z<sub>1</sub>", "z<sub>3</sub>"]
    assert list(figure.data[0].marker.opacity) == [1.0, 1.0, 0.35]


@pytest.mark.parametrize("own", [50.0, 1e6])
def test_an_error_far_outside_stays_on_the_histogram(own: float) -> None:
    errors = RNG.normal(100, 20, 2000).astype(np.float32)
    figure = figures.place_among(errors, own, figures.PlaceWords("error", "count", "mine"))
    assert sum(figure.data[0].y) >= 1990
    line = next(s for s in figure.layout.shapes if s.type == "line")
    low, high = figure.layout.xaxis.range
    assert low <= line.x0 < high
    whole(figure)


def test_the_arrow_leads_from_the_mean_to_the_draw() -> None:
    mean, code = np.array([1.0, 2.0]), np.array([1.3, 1.8])
    figure = figures.one_draw(
        mean, np.array([0.2, 0.1]), code, CODES, axes=("a", "b"), mean_name="μ", code_name="z"
    )
    arrow = next(note for note in figure.layout.annotations if note.showarrow)
    assert (arrow.ax, arrow.ay, arrow.x, arrow.y) == (1.0, 2.0, 1.3, 1.8)
    whole(figure)


def test_every_estimate_is_a_dot_and_every_mean_a_bar() -> None:
    rows = [("one", RNG.normal(5, 1, 256)), ("two", RNG.normal(5, 100, 256))]
    figure = figures.gradients(rows, axis="nats", said=["s", "t"])
    assert [len(trace.x) for trace in figure.data] == [256, 256]
    assert [shape.x0 for shape in figure.layout.shapes] == [pytest.approx(v.mean()) for _, v in rows]
    assert list(figure.layout.yaxis.ticktext) == ["one<br>s", "two<br>t"]


def test_a_grid_names_its_rows_and_columns_in_the_middle_of_the_pictures() -> None:
    mosaic = RNG.integers(0, 255, (3 * 28, 5 * 28), np.uint8)
    figure = figures.picture_grid(mosaic, ["a", "b", "c"], list("12345"), axis="value")
    assert list(figure.layout.xaxis.tickvals) == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert list(figure.layout.yaxis.ticktext) == ["a", "b", "c"]
    assert figure.layout.yaxis.scaleratio == pytest.approx(1)
    assert figure.layout.images[0].source.startswith("data:image/png;base64,")


def test_training_curves_are_means_of_the_last_ten_steps() -> None:
    values = np.arange(40, dtype=np.float32)
    figure = figures.training(values, values / 10, steps=100, names=("r", "k"), axes=("step", "nats"))
    smooth = figure.data[0].y
    assert smooth[0] == 0 and smooth[9] == pytest.approx(4.5) and smooth[39] == pytest.approx(34.5)
    assert list(figure.layout.xaxis.range) == [0, 100]


def test_ways_are_added_to_the_map() -> None:
    ways = [("straight", CODES[:5]), ("round", CODES[5:10])]
    figure = figures.ways_on_map(drawn(), ways)
    assert [trace.name for trace in figure.data[-2:]] == ["straight", "round"]
    whole(figure)


def test_figures_load_no_torch() -> None:
    code = "import dlviz.figures.vae, sys; print([m for m in ('torch', 'streamlit') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
