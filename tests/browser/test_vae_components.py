"""The drawing, the latent pad and the film in a real browser: hands, links, frames a second, bytes on the wire."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page

from dlviz.settings import ROOT
from dlviz.ui.components import latent_pad, script
from dlviz.vision import vae_browser
from dlviz.vision.vae_network import ConvVAE
from tests.browser.conftest import SCREENSHOTS, serving_script

pytestmark = pytest.mark.browser

APP = ROOT / "tests" / "browser" / "components_app.py"


@pytest.fixture(scope="module")
def components(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving_script(APP, tmp_path_factory.mktemp("components") / "log.txt") as address:
        yield address


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, components: str) -> Iterator[Open]:
    """``open_page("?lang=fr", phone=True)``: a visit whose page must log no error."""
    contexts, errors = [], []

    def opened(link: str = "", *, dark: bool = False, phone: bool = False) -> Page:
        size = {"width": 390, "height": 840} if phone else {"width": 1300, "height": 1500}
        context = browser.new_context(
            viewport=size, color_scheme="dark" if dark else "light", locale="en-US", has_touch=phone
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.wires = []
        page.on("websocket", lambda wire: wire.on("framereceived", lambda data: page.wires.append(len(data))))
        page.goto(f"{components}/{link}")
        page.locator(".pad[data-state=exact]").wait_for()
        page.locator(".film[data-n]").wait_for()
        rest(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors, errors


def rest(page: Page) -> None:
    page.wait_for_timeout(300)
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
    )
    page.wait_for_timeout(200)


def said(page: Page, what: str) -> str:
    text = page.locator("[data-testid=stMain]").inner_text()
    return re.search(rf"^{what} (.+)$", text, re.MULTILINE)[1]


def wait_for(page: Page, what: str, wanted: Callable[[str], bool]) -> str:
    """Wait until the page says of ``what`` something that is ``wanted``; a busy machine takes its time."""
    for _ in range(300):
        text = said(page, what)
        if wanted(text):
            rest(page)
            return said(page, what)
        page.wait_for_timeout(100)
    raise AssertionError(f"{what}: {text}")


def middle(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def stroke(page: Page, *places: tuple[float, float]) -> str:
    """Draw through places given as shares of the canvas; what Python then makes of the drawing."""
    before = said(page, "drawing")
    box = page.locator(".drawing canvas").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()
    return wait_for(page, "drawing", lambda text: text != before)


def shoot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=str(SCREENSHOTS / f"{name}.png"), full_page=True)


# ---- the drawing


def test_a_drawing_reaches_python_and_its_link_gives_it_back(open_page: Open) -> None:
    page = open_page()
    assert said(page, "drawing") == "none"
    first = stroke(page, (0.3, 0.2), (0.7, 0.2), (0.4, 0.8))
    assert first != "none" and "t_drawing=" in page.url
    both = stroke(page, (0.3, 0.5), (0.6, 0.5))
    link = page.url.partition("/?")[2]
    assert said(open_page(f"?{link}"), "drawing") == both


def test_undo_redo_clear_and_the_eraser(open_page: Open) -> None:
    page = open_page()
    one = stroke(page, (0.2, 0.5), (0.8, 0.5))
    page.locator(".drawing .eraser").click()
    erased = stroke(page, (0.5, 0.2), (0.5, 0.8))
    assert erased != "none"
    for button, expected in (("undo", one), ("redo", erased), ("clear", "none"), ("undo", erased)):
        page.locator(f".drawing .{button}").click()
        wait_for(page, "drawing", lambda text, expected=expected: text == expected)


def test_a_drawing_survives_a_change_of_language_pixel_by_pixel(open_page: Open) -> None:
    page = open_page()
    stroke(page, (0.3, 0.2), (0.7, 0.6), (0.3, 0.7))
    canvas = page.locator(".drawing canvas")
    before, digest = canvas.evaluate("c => c.toDataURL()"), said(page, "drawing")
    page.get_by_text("Français").click()
    page.locator(".drawing .pen[title=Crayon]").wait_for()
    rest(page)
    assert canvas.evaluate("c => c.toDataURL()") == before and said(page, "drawing") == digest
    page.locator(".drawing .undo").click()
    wait_for(page, "drawing", lambda text: text == "none")


def test_the_keyboard_draws(open_page: Open) -> None:
    page = open_page()
    page.locator(".drawing canvas").focus()
    for key in [" ", *["ArrowRight"] * 5, *["ArrowDown"] * 5, " "]:
        page.keyboard.press(key)
    wait_for(page, "drawing", lambda text: text != "none")
    page.keyboard.press("Control+z")
    wait_for(page, "drawing", lambda text: text == "none")


def test_a_finger_draws_and_drags(open_page: Open) -> None:
    page = open_page(phone=True)
    wire = page.context.new_cdp_session(page)

    def drag(selector: str, dx: float, dy: float) -> None:
        page.locator(selector).first.scroll_into_view_if_needed()
        x, y = middle(page, selector)
        for step in range(9):
            kind = "touchStart" if step == 0 else "touchMove"
            place = {"x": x + dx * step / 8, "y": y + dy * step / 8}
            wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
        wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    drag(".drawing canvas", 60, 80)
    wait_for(page, "drawing", lambda text: text != "none")
    drag(".pad .handle", 70, -50)
    x, y, _walk, steps = wait_for(page, "place", lambda text: not text.endswith("walk 0")).split()
    assert float(x) > 0.3 and float(y) > 0.2 and int(steps) > 2


def test_a_hostile_link_is_a_message_and_nothing_else(open_page: Open) -> None:
    page = open_page("?t_drawing=%3Cscript%3Ealert(1)%3C/script%3E&t_z=NaN,1")
    assert page.locator("[data-testid=stAlert]").count() == 2
    assert said(page, "drawing") == "none" and said(page, "place").startswith("0.0000 0.0000")
    assert stroke(page, (0.2, 0.5), (0.8, 0.5)) != "none"
    assert page.locator("[data-testid=stAlert]").count() == 1


# ---- the latent pad


def test_chromium_decodes_as_pytorch_does(open_page: Open) -> None:
    torch.manual_seed(3)
    network = ConvVAE(2)
    for parameter in network.decoder.parameters():
        parameter.data.mul_(2.0)
    network = network.half().float().eval().requires_grad_(False)
    codes = torch.randn(12, 2) * 2
    block = latent_pad.decoder_block(vae_browser.decoder_payload(network))
    told = open_page().evaluate(
        """async ({ source, block, codes }) => {
            const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
            const { network, picture } = await import(url);
            const decoder = network(Uint8Array.from(block));
            return codes.map((z) => [...picture(decoder, z)]);
        }""",
        {
            "source": script("latent_pad", after=("pictures", "depot")),
            "block": list(block),
            "codes": codes.tolist(),
        },
    )
    expected = torch.sigmoid(network.decode(codes)).reshape(12, -1).numpy()
    difference = float(np.abs(np.array(told) - expected).max())
    print(json.dumps({"largest difference of a pixel's probability": difference}))
    assert expected.std() > 0.05 and difference < 1e-3


def frames(page: Page) -> int:
    return int(page.locator(".pad").get_attribute("data-frames") or 0)


def busy(wire: object) -> float:
    """Seconds of processor time that the page's main thread has used."""
    metrics = wire.send("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


def test_the_picture_follows_the_drag_twenty_times_a_second(open_page: Open) -> None:
    """In processor time, which other work on the machine does not change; the clock's own rate is printed."""
    page = open_page("?t_z=0.5,0.5")
    wire = page.context.new_cdp_session(page)
    wire.send("Performance.enable", {"timeDomain": "threadTicks"})
    x, y = middle(page, ".pad .handle")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 5, y)
    page.wait_for_timeout(200)
    before, used, started = frames(page), busy(wire), time.monotonic()
    for step in range(80):
        page.mouse.move(x + 90 * math.sin(step / 9), y + 90 * math.cos(step / 9))
    elapsed, used, shown = time.monotonic() - started, busy(wire) - used, frames(page) - before
    assert page.locator(".pad").get_attribute("data-state") == "preview"
    page.mouse.up()
    page.locator(".pad[data-state=exact]").wait_for()
    rest(page)
    cost = 1000 * used / shown
    print(json.dumps({"frames a second": shown / elapsed, "ms of processor a frame": cost}))
    assert shown >= 40 and cost < 50
    assert len(page.url.partition("t_z=")[2].split("&")[0]) > 5


def test_release_undo_home_replay_and_the_link(open_page: Open) -> None:
    page = open_page()
    for dx, dy in ((60, -80), (-90, -20)):
        before = said(page, "place")
        x, y = middle(page, ".pad .handle")
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + dx, y + dy, steps=8)
        page.mouse.up()
        two = wait_for(page, "place", lambda text, before=before: text != before)
    z = page.locator(".pad").get_attribute("data-z")
    assert [f"{float(part):.4f}" for part in z.split(",")] == two.split()[:2]
    link = page.url.partition("/?")[2]
    assert said(open_page(f"?{link}"), "place").split()[:2] == two.split()[:2]
    page.locator(".pad .replay").click()
    page.locator(".pad .replay[title='Replay the walk']").wait_for()
    assert page.locator(".pad").get_attribute("data-z") == z
    page.locator(".pad .undo").click()
    one = wait_for(page, "place", lambda text: text != two)
    assert int(one.split()[3]) < int(two.split()[3])
    page.locator(".pad .home").click()
    wait_for(page, "place", lambda text: text == "0.0000 0.0000 walk 0")
    assert "t_z" not in page.url


def test_the_arrow_keys_and_a_click_move_the_point(open_page: Open) -> None:
    page = open_page()
    page.locator(".pad .handle").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    wait_for(page, "place", lambda text: text.startswith("0.3000 0.0000"))
    box = page.locator(".pad .map").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.25)
    place = wait_for(page, "place", lambda text: not text.startswith("0.3000 0.0000"))
    x, y = map(float, place.split()[:2])
    assert x > 1 and y > 1


def test_hovering_tells_of_a_picture_and_the_legend_filters(open_page: Open) -> None:
    page = open_page()
    box = page.locator(".pad .map").bounding_box()

    def hover() -> bool:
        for step in range(12):
            page.mouse.move(box["x"] + box["width"] * (0.5 + 0.03 * step), box["y"] + box["height"] * 0.5)
            page.wait_for_timeout(60)
            if page.locator(".pad .pointed.shown").count():
                return True
        return False

    assert hover()
    assert "class" in page.locator(".pad .who").inner_text()
    page.get_by_role("button", name="class 3").click()
    assert page.locator(".pad .chip[aria-pressed=true]").count() == 1
    page.get_by_role("button", name="All classes").click()
    assert page.locator(".pad .chip[aria-pressed=true]").count() == 11


def test_the_weights_are_sent_once(open_page: Open) -> None:
    page = open_page()
    assert max(page.wires) > 400_000
    first = sum(page.wires)
    page.wires.clear()
    page.locator(".pad .handle").focus()
    page.keyboard.press("ArrowRight")
    wait_for(page, "place", lambda text: text.startswith("0.06"))
    moved = sum(page.wires)
    page.wires.clear()
    page.get_by_text("Français").click()
    page.locator(".pad .undo[title^=Annuler]").wait_for()
    rest(page)
    print(
        json.dumps(
            {"first visit": first, "after a move": moved, "after a change of language": sum(page.wires)}
        )
    )
    assert moved < 80_000 and sum(page.wires) < 160_000


# ---- the film


def test_a_film_plays_steps_and_scrubs_without_the_server(open_page: Open) -> None:
    page = open_page()
    at = page.locator(".film")
    page.locator(".film .play").click()
    page.wait_for_function("film => Number(film.dataset.n) > 5", arg=at.element_handle())
    page.locator(".film .play").click()
    n = int(at.get_attribute("data-n"))
    wait_for(page, "film", lambda text: text == str(n))
    page.locator(".film .forward").click()
    page.keyboard.press("ArrowRight")
    assert int(at.get_attribute("data-n")) == (n + 2 if n < 22 else 23)
    page.locator(".film .slider").fill("3")
    assert at.get_attribute("data-n") == "3" and page.locator(".film .label").inner_text() == "frame 3"
    page.locator(".film .strip").click(position={"x": 8, "y": 20})
    assert at.get_attribute("data-n") == "0"


def test_a_film_that_plays_sends_nothing(open_page: Open) -> None:
    page = open_page()
    page.wires.clear()
    page.locator(".film .play").click()
    page.wait_for_timeout(1500)
    assert not [size for size in page.wires if size > 500]


@pytest.mark.parametrize("looks", [{"phone": True}, {"dark": True}, {}])
def test_the_components_fit_the_page(open_page: Open, looks: dict[str, bool]) -> None:
    page = open_page("?t_z=1,0.5&lang=fr", **looks)
    stroke(page, (0.3, 0.2), (0.7, 0.2), (0.4, 0.8))
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
    tall = int(main.evaluate("e => e.scrollHeight")) + 20
    page.set_viewport_size({"width": page.viewport_size["width"], "height": tall})
    page.wait_for_timeout(400)
    shoot(page, f"vae-components-{'-'.join(looks) or 'light'}")
