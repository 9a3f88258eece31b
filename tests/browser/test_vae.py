"""The VAE page as a visitor uses it: draw, drag, walk, replay, switch, upload, train; and how long drawing takes."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, settle, shoot

pytestmark = pytest.mark.browser

VIEWS = ("map", "draws", "terms", "beta", "between", "sixteen", "training")
SEVEN = ((0.25, 0.25), (0.75, 0.25), (0.45, 0.8))


def opened(visit: Visit, link: str = "", **looks: object) -> Page:
    page = visit(f"vae?lang=en{link}", **looks)
    page.locator(".drawing canvas, .st-key-vae_sample_choice, .st-key-vae_photo_source").first.wait_for()
    return page


def draw(page: Page, shares: tuple[tuple[float, float], ...] = SEVEN) -> None:
    """Draw a line with the mouse; places are shares of the canvas."""
    canvas = page.locator(".drawing canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in shares]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def lands(page: Page) -> str:
    return page.get_by_text(re.compile("It lands at")).inner_text()


def wait_for_another_place(page: Page, before: str) -> str:
    page.wait_for_function(
        "before => [...document.querySelectorAll('p')].some("
        "p => p.innerText.startsWith('It lands at') && p.innerText !== before)",
        arg=before,
    )
    return lands(page)


def drag(page: Page, dx: float, dy: float) -> None:
    handle = page.locator(".pad .handle")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=12)
    page.mouse.up()


def test_a_drawing_moves_the_ellipse_and_travels_in_the_link(visit: Visit) -> None:
    page = opened(visit)
    before = lands(page)
    draw(page)
    mine = wait_for_another_place(page, before)
    page.wait_for_url(re.compile("vae_drawing="))
    settle(page)
    shoot(page, "vae-map")
    again = opened(visit, "&" + page.url.split("lang=en&", 1)[-1].split("?", 1)[-1])
    assert lands(again) == mine


def test_the_pen_is_answered_quickly(visit: Visit, record_property) -> None:
    page = opened(visit)
    draw(page)
    wait_for_another_place(page, "")
    settle(page)
    times = []
    for i in range(7):
        before = lands(page)
        page.evaluate(
            """before => { window.answered = null; const look = () => {
              const told = [...document.querySelectorAll('p')].find(p => p.innerText.startsWith('It lands at'));
              if (told && told.innerText !== before) window.answered = performance.now();
              else requestAnimationFrame(look); };
              addEventListener('pointerup', () => { window.lifted = performance.now(); look(); },
                               {once: true, capture: true}); }""",
            before,
        )
        turn = 2 * math.pi * i / 7
        draw(page, ((0.5, 0.5), (0.5 + 0.35 * math.cos(turn), 0.5 + 0.35 * math.sin(turn))))
        page.wait_for_function("() => window.answered !== null")
        times.append(page.evaluate("() => window.answered - window.lifted"))
        page.wait_for_timeout(400)
    record_property("pen_up_to_place", times)
    print(json.dumps({"pen_up_to_place": times}))
    assert sorted(times)[len(times) // 2] < 1000


def test_a_walk_is_dragged_undone_and_kept_as_a_film(visit: Visit) -> None:
    page = opened(visit, "&vae_source=sample")
    page.locator(".pad .handle").wait_for()
    settle(page)
    drag(page, 70, -60)
    page.wait_for_url(re.compile("vae_z="))
    drag(page, -90, 30)
    page.locator(".film canvas.picture").wait_for()
    settle(page)
    place = page.url
    page.locator(".pad button.undo").click()
    page.wait_for_function("place => location.href !== place", arg=place)
    settle(page)
    shoot(page, "vae-walk")


def test_another_picture_ends_the_walk(visit: Visit) -> None:
    page = opened(visit, "&vae_source=sample&vae_z=1,1")
    page.locator(".st-key-vae_sample_choice button").nth(7).click()
    page.wait_for_function("() => !location.search.includes('vae_z=')")


@pytest.mark.parametrize("ground", ["the decoded plane", "density of the codes"])
def test_the_ground_of_the_map_changes(visit: Visit, ground: str) -> None:
    page = opened(visit, "&vae_source=sample")
    page.locator(".pad .handle").wait_for()
    page.get_by_text(ground, exact=True).click()
    settle(page)
    shoot(page, f"vae-{ground.replace(' ', '-')}")


def test_language_and_theme_keep_the_drawing(visit: Visit) -> None:
    page = opened(visit, dark=True)
    before = lands(page)
    draw(page)
    mine = wait_for_another_place(page, before)
    page.get_by_text("Français", exact=True).first.click()
    page.wait_for_function("() => document.body.innerText.includes('Elle arrive en')")
    settle(page)
    told = page.get_by_text(re.compile("Elle arrive en")).inner_text()
    assert re.findall(r"\d+", told) == re.findall(r"\d+", mine)
    shoot(page, "vae-map-fr-dark")


def paper(size: int = 300) -> bytes:
    """A photo of a 1 in dark ink on light paper, the light falling from one side."""
    rows, columns = np.mgrid[:size, :size]
    grey = 215 - 60 * columns / size
    ink = (abs(columns - 150) < 12) & (abs(rows - 150) < 90)
    packed = io.BytesIO()
    Image.fromarray(np.where(ink, 40, grey).astype(np.uint8)).convert("RGB").save(packed, "JPEG")
    return packed.getvalue()


def upload(page: Page, name: str, data: bytes, kind: str) -> None:
    page.locator("input[type=file]").last.set_input_files({"name": name, "mimeType": kind, "buffer": data})
    settle(page)


def test_a_photo_of_a_digit_on_paper_is_read_as_ink(visit: Visit) -> None:
    page = opened(visit, "&vae_source=photo")
    page.get_by_role("radio", name="Your picture").click()
    page.locator("input[type=file]").wait_for(state="attached")
    upload(page, "paper.jpg", paper(), "image/jpeg")
    expect(page.get_by_text(re.compile("paper.jpg, 300 × 300"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"nearest test pictures, \d+ are: 1\."))).to_be_visible()
    page.get_by_text("How the picture was made ready").click()
    expect(page.get_by_text(re.compile("on light paper is turned over: ink is white."))).to_be_visible()
    shoot(page, "vae-paper")


def archive(count: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for i in range(count):
            picture = io.BytesIO()
            Image.fromarray(np.roll(np.tri(48, dtype=np.uint8) * 255, i, 0)).save(picture, "PNG")
            target.writestr(f"picture{i}.png", picture.getvalue())
        target.writestr("notes.txt", "no picture")
    return packed.getvalue()


def test_a_zip_of_own_pictures_is_trained_on(visit: Visit) -> None:
    page = opened(visit, "&vae_source=sample&vae_view=training&vae_train_on=zip&vae_train_steps=100")
    page.locator("input[type=file]").wait_for(state="attached")
    upload(page, "mine.zip", archive(60), "application/zip")
    expect(page.get_by_text("60 pictures of your own")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Start the training").click()
    expect(page.get_by_text(re.compile("On pictures that it was not trained on"))).to_be_visible(
        timeout=180_000
    )


def test_the_training_streams_stops_starts_again_and_is_kept(visit: Visit) -> None:
    page = opened(visit, "&vae_source=sample&vae_view=training&vae_train_on=digits&vae_train_steps=200")
    page.get_by_role("button", name="Start the training").click()
    expect(page.get_by_text(re.compile(r"What the decoder makes of the plane, step \d+"))).to_be_visible(
        timeout=120_000
    )
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Start again")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Start again").click()
    expect(page.get_by_text(re.compile("On pictures that it was not trained on"))).to_be_visible(
        timeout=180_000
    )
    shoot(page, "vae-training")
    page.get_by_role("button", name="Keep this network").click()
    page.get_by_text("your own training", exact=True).click()
    settle(page)
    page.get_by_text("Latent map", exact=True).click()
    page.locator(".pad .handle").wait_for()
    settle(page)
    shoot(page, "vae-own-network")


@pytest.mark.parametrize("view", VIEWS)
def test_every_section_fits_a_phone(visit: Visit, view: str) -> None:
    page = visit(f"vae?lang=fr&vae_view={view}", width=390, height=840)
    page.wait_for_timeout(1000)
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
    shoot(page, f"vae-{view}-fr-phone")


@pytest.mark.parametrize("view", VIEWS)
def test_every_section_in_the_dark_and_on_a_projector(visit: Visit, view: str) -> None:
    page = visit(f"vae?lang=fr&vae_view={view}&projector=true&vae_source=sample", dark=True)
    page.wait_for_timeout(1000)
    assert page.locator("[data-testid=stAlertContentError]").count() == 0
    shoot(page, f"vae-{view}-fr-dark-projector")
