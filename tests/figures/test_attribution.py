import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from dlviz.figures import attribution
from dlviz.figures.palette import DIVERGING, SEQUENTIAL
from dlviz.vision.attribution_results import AttributionMap, Box, Prediction, TrustCurves

PHOTO = np.zeros((90, 120, 3), np.uint8)
PHOTO[:, 60:] = 200


def found(values: np.ndarray, *, signed: bool) -> AttributionMap:
    return AttributionMap(values, "occlusion", signed, 0, "cat", 1.0, 0.5, None, Box(15, 0, 90, 90))


def test_the_map_lies_over_its_box_and_the_photo_below_it() -> None:
    figure = attribution.heat_map(PHOTO, found(np.eye(9), signed=False), value="Evidence", opacity=0.4)
    heat = figure.data[0]
    # The outer edges of the first and the last cell are the edges of the box.
    assert (heat.x0 - heat.dx / 2, heat.x0 + heat.dx * 8.5) == (15, 105)
    assert (heat.y0 - heat.dy / 2, heat.y0 + heat.dy * 8.5) == (0, 90)
    assert heat.opacity == 0.4
    assert heat.hovertemplate.startswith("Evidence ")
    image = figure.layout.images[0]
    assert (image.x, image.y, image.sizex, image.sizey, image.layer) == (0, 0, 120, 90, "below")
    assert tuple(figure.layout.yaxis.range) == (90, 0)  # row 0 on top
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(image.source.split(",")[1]))))
    assert np.abs(shown.astype(int) - PHOTO).mean() < 2


def test_signed_maps_are_neutral_at_zero() -> None:
    signed = attribution.heat_map(PHOTO, found(np.array([[-1.0, 4.0]]), signed=True), value="v").data[0]
    assert signed.zmin == -signed.zmax < 0
    assert [colour for _, colour in signed.colorscale] == list(DIVERGING)
    plain = attribution.heat_map(PHOTO, found(np.array([[1.0, 4.0]]), signed=False), value="v").data[0]
    assert plain.zmin == 0
    assert [colour for _, colour in plain.colorscale] == list(SEQUENTIAL)


def test_the_limit_passes_over_single_pixels_and_can_be_shared() -> None:
    spiky = np.ones((50, 50))
    spiky[0, 0] = 1000
    one, two = found(spiky, signed=True), found(np.full((50, 50), 3.0), signed=True)
    assert attribution.colour_limit([one]) == 1
    assert attribution.colour_limit([one, two]) == 3
    assert attribution.colour_limit([found(np.zeros((4, 4)), signed=False)]) == 1
    lonely = np.zeros((50, 50))
    lonely[3, 3] = 7
    assert attribution.colour_limit([found(lonely, signed=False)]) == 7
    assert attribution.heat_map(PHOTO, one, value="v", limit=5.0).data[0].zmax == 5


@pytest.mark.parametrize("kind", ["deletion", "insertion"])
def test_curves_show_the_map_and_its_control(kind: str) -> None:
    share = np.array([0.0, 0.5, 1.0])
    control = np.array([[1.0, 0.6, 0.0], [1.0, 0.2, 0.0]])
    result = TrustCurves(
        share, np.array([1.0, 0.1, 0.0]), np.array([0.0, 0.9, 1.0]), control, control, "cat", 0
    )
    words = attribution.CurveWords("Share", "Probability", "This map", "Random order")
    figure = getattr(attribution, kind)(result, words)
    band, random, ours = figure.data
    assert ours.name == "This map"
    assert random.name == "Random order"
    np.testing.assert_allclose(ours.y, getattr(result, kind))
    np.testing.assert_allclose(random.y, [1.0, 0.4, 0.0])
    np.testing.assert_allclose(band.y, [1.0, 0.6, 0.0, 0.0, 0.2, 1.0])
    assert figure.layout.xaxis.title.text == "Share"
    assert figure.layout.yaxis.title.text == "Probability"


def test_bars_name_the_first_class_on_top() -> None:
    result = Prediction(np.array([2, 0]), ("cat", "dog"), np.array([0.9, 0.1], np.float32), np.zeros(3))
    figure = attribution.top_classes(
        result, names=["chat", "chien"], shares=["90 %", "10 %"], probability="Probabilité"
    )
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis.ticktext == ("chat", "chien")
    assert figure.data[0].text == ("90 %", "10 %")
    json.loads(figure.to_json())
