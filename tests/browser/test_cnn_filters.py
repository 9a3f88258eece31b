"""The CNN filters page as a visitor uses it: own photo, layers, cells under the pointer, heat maps, export."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from dlviz import samples
from dlviz.i18n import translate
from tests.browser.conftest import Visit, settle, shoot

pytestmark = pytest.mark.browser

PAGE = "cnn_filters?lang={language}&cnn_filters_photo=motorcycle"


def jpeg(size: tuple[int, int] = (900, 600)) -> bytes:
    """A photo that no sample is: the flower, mirrored."""
    packed = io.BytesIO()
    picture = Image.fromarray(samples.load("flower").pixels[:, ::-1]).resize(size)
    picture.save(packed, "JPEG")
    return packed.getvalue()


def upload(page: Page, name: str, data: bytes, kind: str = "image/jpeg") -> None:
    """Hand a file to the photo input, as a drop does."""
    page.get_by_text(re.compile("^(Your picture|Votre image)$")).first.click()
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": kind, "buffer": data})
    settle(page)


def test_an_own_photo_goes_through_the_network(visit: Visit) -> None:
    page = visit(PAGE.format(language="en"))
    upload(page, "mine.jpg", jpeg())
    expect(page.get_by_text("Your picture: mine.jpg, 900 × 600 pixels.")).to_be_visible()
    expect(page.locator(".explorer canvas.map")).to_be_visible()
    assert "sha256" in page.url
    shoot(page, "cnn_filters-own-photo")
    page.get_by_text("Français", exact=True).first.click()
    page.wait_for_function("() => document.querySelector('h1')?.innerText.includes('Filtres')")
    settle(page)
    expect(page.get_by_text(re.compile("mine.jpg, 900 × 600"))).to_be_visible()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("empty.png", b"", "The file is empty: it holds 0 bytes."),
        ("cut.jpg", jpeg()[:900], "The file was cut short: its end is missing. Copy or download it again."),
    ],
)
def test_a_broken_file_is_refused_and_the_last_picture_stays(
    visit: Visit, name: str, data: bytes, message: str
) -> None:
    page = visit(PAGE.format(language="fr"))
    upload(page, "bonne.jpg", jpeg())
    expect(page.get_by_text(re.compile("bonne.jpg"))).to_be_visible()
    upload(page, name, data)
    expect(page.get_by_text(translate("fr", message))).to_be_visible()
    expect(page.get_by_text(re.compile("bonne.jpg"))).to_be_visible()


def test_hovering_a_cell_explains_it_without_the_server(visit: Visit) -> None:
    page = visit(PAGE.format(language="en"))
    canvas = page.locator(".explorer canvas.map")
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    sent: list[object] = []
    page.evaluate(
        "() => { const send = WebSocket.prototype.send; window.sent = 0;"
        " WebSocket.prototype.send = function (...a) { window.sent++; return send.apply(this, a); }; }"
    )
    box = canvas.bounding_box()
    assert box
    seen = set()
    for share in (0.2, 0.35, 0.5, 0.65, 0.8):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
        page.wait_for_timeout(60)
        seen.add(page.locator(".explorer .side").inner_text())
    sent.append(page.evaluate("() => window.sent"))
    assert len(seen) == 5
    assert sent == [0]
    assert "The parts give" in page.locator(".explorer .check").inner_text()


def test_the_explained_parts_add_up_to_the_networks_number(visit: Visit) -> None:
    page = visit(PAGE.format(language="en") + "&cnn_filters_layer=stages.1.0.act1&cnn_filters_cell=8,7")
    expect(page.locator(".explorer .check")).to_contain_text("The parts give")
    numbers = re.findall(r"-?[\d.]+", page.locator(".explorer .check").inner_text().replace("−", "-"))
    assert float(numbers[0]) == pytest.approx(float(numbers[1].rstrip(".")), abs=2e-3)


def test_choosing_a_map_moves_the_explorer_and_the_link(visit: Visit) -> None:
    page = visit(PAGE.format(language="en"))
    title = page.locator(".explorer .map-title")
    before = title.inner_text()
    gallery = page.locator(".gallery canvas").first
    box = gallery.bounding_box()
    assert box
    gallery.click(position={"x": box["width"] * 0.5, "y": box["height"] * 0.3})
    page.wait_for_function("() => location.search.includes('cnn_filters_map=')")
    settle(page)
    expect(title).not_to_have_text(before)


def test_a_click_on_the_strip_goes_to_that_layer(visit: Visit) -> None:
    page = visit(PAGE.format(language="en"))
    layers = page.locator(".network .slot")
    expect(page.locator(".network .slot[aria-selected=true]")).to_have_count(1)
    layers.nth(5).hover()
    said = page.locator(".network .told").inner_text()
    layers.nth(5).click()
    page.wait_for_function("() => location.search.includes('cnn_filters_layer=')")
    settle(page)
    expect(layers.nth(5)).to_have_attribute("aria-selected", "true")
    expect(page.locator(".explorer .map-title")).to_have_text(
        re.compile(re.escape(said.split(" · ")[0]) + "$")
    )


def test_the_strip_follows_the_keyboard(visit: Visit) -> None:
    page = visit(PAGE.format(language="fr"))
    bars = page.locator(".network .bars")
    bars.focus()
    bars.press("End")
    bars.press("Home")
    bars.press("ArrowRight")
    bars.press("Enter")
    page.wait_for_function("() => location.search.includes('cnn_filters_layer=')")
    settle(page)
    expect(page.locator(".network .slot").nth(1)).to_have_attribute("aria-selected", "true")


def test_pinning_a_cell_is_in_the_link_and_a_link_pins_it_again(visit: Visit) -> None:
    page = visit(PAGE.format(language="en"))
    canvas = page.locator(".explorer canvas.map")
    canvas.scroll_into_view_if_needed()
    canvas.click()
    page.wait_for_function("() => location.search.includes('cnn_filters_cell=')")
    settle(page)
    cell = page.locator(".explorer .cell").inner_text()
    again = visit(page.url.split("/", 3)[3])
    expect(again.locator(".explorer .cell")).to_have_text(cell)


def test_heat_maps_stand_side_by_side(visit: Visit) -> None:
    page = visit(
        PAGE.format(language="fr") + "&cnn_filters_view=why&cnn_filters_methods=grad_cam,layer_cam,occlusion"
    )
    expect(page.get_by_text(re.compile("confiance")).first).to_be_visible(timeout=60_000)
    expect(page.get_by_text(re.compile(r"Occlusion.*confiance"))).to_be_visible(timeout=60_000)
    shoot(page, "cnn_filters-why-fr")


def test_the_climb_streams_and_can_be_stopped(visit: Visit) -> None:
    page = visit(PAGE.format(language="en") + "&cnn_filters_view=dream")
    page.get_by_role("button", name="Start the climb").click()
    expect(page.get_by_text(re.compile(r"Step \d+, answer"))).to_be_visible(timeout=60_000)
    page.wait_for_timeout(700)  # the first picture moves what stands below it
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Start again")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Start again").click()
    expect(page.get_by_text(re.compile(r"From -?[\d.]+ to"))).to_be_visible(timeout=120_000)
    shoot(page, "cnn_filters-dream")


def test_filters_at_the_start_of_training_are_noise(visit: Visit) -> None:
    page = visit(PAGE.format(language="en") + "&cnn_filters_view=filters&cnn_filters_epoch=0")
    expect(page.get_by_text(re.compile("After epoch 0"))).to_be_visible()
    shoot(page, "cnn_filters-filters")


def test_pictures_and_data_can_be_taken_home(visit: Visit) -> None:
    page = visit(PAGE.format(language="en"))
    page.get_by_text("Export", exact=True).click()
    settle(page)
    for kind, magic in (("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("CSV", b"\xef\xbb\xbfname"), ("NPZ", b"PK")):
        with page.expect_download() as caught:
            page.get_by_role("button", name=kind, exact=True).first.click()
        data = caught.value.path().read_bytes()
        assert data.startswith(magic), kind
        if kind == "NPZ":
            assert np.load(io.BytesIO(data), allow_pickle=False)["maps"].ndim == 3


def test_the_other_networks_are_offered_and_an_offline_server_says_so(visit: Visit) -> None:
    page = visit(PAGE.format(language="en"))
    page.get_by_text("More models", exact=True).click()
    expect(page.get_by_text(re.compile(r"ResNet-50.*103"))).to_be_visible()
    page.get_by_role("button", name="Download", exact=True).first.click()
    expect(page.get_by_text(re.compile("This server works offline"))).to_be_visible(timeout=30_000)
    expect(page.locator(".explorer canvas.map")).to_be_visible()
