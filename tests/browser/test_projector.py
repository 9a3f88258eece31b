"""The projector in a real browser: 50,000 points, hands and keys, frames a second, bytes on the wire."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from dlviz.settings import ROOT
from tests.browser.conftest import SCREENSHOTS, serving_script

pytestmark = pytest.mark.browser

APP = ROOT / "tests" / "browser" / "projector_app.py"
NO_WEBGL = """
const before = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  return kind === "webgl2" ? null : before.call(this, kind, ...more);
};
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving_script(APP, tmp_path_factory.mktemp("projector") / "log.txt") as address:
        yield address


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, app: str) -> Iterator[Open]:
    """``open_page("?count=2000", dark=True)``: a visit whose page must log no error."""
    contexts, errors = [], []

    def opened(link: str = "", *, dark: bool = False, phone: bool = False, before: str = "") -> Page:
        size = {"width": 390, "height": 840} if phone else {"width": 1300, "height": 1300}
        context = browser.new_context(
            viewport=size, color_scheme="dark" if dark else "light", locale="en-US", has_touch=phone
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.wires = []
        page.on("websocket", lambda wire: wire.on("framereceived", lambda data: page.wires.append(len(data))))
        if before:
            page.add_init_script(before)
        page.goto(f"{app}/{link}")
        page.locator(".projector[data-frames]" if not before else ".projector .note.shown").wait_for()
        rest(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors, errors


def rest(page: Page) -> None:
    """Wait until the script no longer runs and the picture no longer moves."""
    page.wait_for_timeout(300)
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
    )
    page.wait_for_timeout(1200)


def told(page: Page, name: str) -> str:
    return page.locator(".projector").evaluate("(e, name) => e.dataset[name] ?? ''", name)


def said(page: Page, what: str) -> str:
    text = page.locator("[data-testid=stMain]").inner_text()
    return re.search(rf"^{what} (.+)$", text, re.MULTILINE)[1]


def wait_for(page: Page, what: str, wanted: Callable[[str], bool]) -> str:
    for _ in range(200):
        text = said(page, what)
        if wanted(text):
            return text
        page.wait_for_timeout(100)
    raise AssertionError(f"{what}: {text}")


def stage(page: Page) -> dict[str, float]:
    box = page.locator(".projector .over").bounding_box()
    assert box
    return box


def over_a_point(page: Page) -> int:
    """Bring the mouse over some point; which one it is."""
    box = stage(page)
    for step in range(400):
        x, y = (0.5 + 0.42 * (step % 20 - 10) / 10, 0.5 + 0.42 * (step // 20 - 10) / 10)
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if int(told(page, "hovered") or -1) >= 0:
            return int(told(page, "hovered"))
    raise AssertionError("no point anywhere")


def coloured(page: Page) -> int:
    """How many pixels of the picture are not empty."""
    return page.locator(".projector .points").evaluate(
        """(canvas) => {
          const copy = document.createElement("canvas");
          [copy.width, copy.height] = [canvas.width, canvas.height];
          const context = copy.getContext("2d", { willReadFrequently: true });
          context.drawImage(canvas, 0, 0);
          const { data } = context.getImageData(0, 0, copy.width, copy.height);
          let count = 0;
          for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
          return count;
        }"""
    )


def frames_a_second(page: Page) -> float:
    """While the picture is dragged for two seconds."""
    box = stage(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    before, started = int(told(page, "frames")), time.monotonic()
    step = 0
    while time.monotonic() - started < 2:
        step += 1
        page.mouse.move(x + 60 * ((step % 20) / 10 - 1), y + 30 * ((step % 14) / 7 - 1))
    seconds = time.monotonic() - started
    frames = int(told(page, "frames")) - before
    page.mouse.up()
    return frames / seconds


@pytest.mark.parametrize("dims", [2, 3])
def test_fifty_thousand_points_are_drawn_and_move(open_page, dims, record_property):
    page = open_page(f"?t_dims={dims}" if dims == 3 else "")
    assert told(page, "dims") == str(dims) and coloured(page) > 20_000
    assert int(told(page, "labels")) > 20
    rate = frames_a_second(page)
    record_property(f"frames_a_second_{dims}d_50000_points", round(rate, 1))
    print(f"50,000 points in {dims} dimensions, drawn in software: {rate:.1f} frames a second")
    assert rate > 1
    shoot(page, f"projector_{dims}d")


def test_the_points_travel_once(open_page):
    page = open_page()
    assert sum(page.wires) > 50_000 * 8  # places, names, colours
    page.wires.clear()
    row = over_a_point(page)
    page.mouse.down()
    page.mouse.up()
    assert wait_for(page, "chosen", lambda text: text == str(row))
    rest(page)
    assert sum(page.wires) < 150_000  # of more than a million bytes
    # Another picture of the same points brings places, and neither names nor colours; the points fly there.
    page.wires.clear()
    page.get_by_text("second", exact=True).click()
    rest(page)
    assert 300_000 < sum(page.wires) < 900_000


def test_hover_names_a_point_and_a_click_chooses_it(open_page):
    page = open_page("?count=3000")
    row = over_a_point(page)
    tip = page.locator(".projector .tip")
    assert tip.is_visible() and f"point {row} · group" in tip.inner_text()
    page.mouse.down()
    page.mouse.up()
    wait_for(page, "chosen", lambda text: text == str(row))
    assert f"t_point=point+{row}" in page.url
    page.get_by_role("button", name="Clear search, selection and choice").click()
    wait_for(page, "chosen", lambda text: text == "None")


def test_search_finds_isolates_and_chooses(open_page):
    page = open_page("?count=3000")
    page.get_by_role("searchbox").fill("POINT 12")
    page.wait_for_timeout(300)
    assert told(page, "found") == "111"  # 12, 120 to 129, 1200 to 1299
    page.get_by_role("searchbox").press("Enter")
    wait_for(page, "chosen", lambda text: text == "12")
    page.get_by_role("button", name="Show only what is selected or found").click()
    page.wait_for_timeout(300)
    few = coloured(page)
    assert told(page, "isolated") == "111"
    page.get_by_role("button", name="Show all points again").click()
    page.wait_for_timeout(300)
    assert told(page, "isolated") == "" and coloured(page) > few


def test_a_lasso_reaches_python(open_page):
    page = open_page("?count=3000&t_dims=3")
    page.get_by_role("button", name="Select with a lasso").click()
    box = stage(page)
    corners = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8), (0.2, 0.21)]
    for step, (x, y) in enumerate(corners):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5)
        if not step:
            page.mouse.down()
    page.mouse.up()
    picked = int(wait_for(page, "lasso", lambda text: not text.startswith("0 ")).split()[0])
    assert picked == int(told(page, "picked")) > 200
    # Other points: nothing of the old selection is left.
    page.get_by_text("group 3", exact=True).click()
    assert wait_for(page, "lasso", lambda text: not text.startswith(f"{picked} "))


def test_keys_turn_zoom_and_choose(open_page):
    page = open_page("?count=3000&t_dims=3")
    page.locator(".projector .over").focus()
    before = int(told(page, "frames"))
    for key in ("ArrowLeft", "ArrowUp", "+", "-", "0"):
        page.keyboard.press(key)
        page.wait_for_timeout(80)
    assert int(told(page, "frames")) >= before + 4
    page.keyboard.press("Enter")
    assert int(wait_for(page, "chosen", lambda text: text != "None")) >= 0
    page.keyboard.press("Escape")
    wait_for(page, "chosen", lambda text: text == "None")


def test_the_wheel_scrolls_the_page_until_the_picture_is_clicked(open_page):
    page = open_page("?count=3000")
    box = stage(page)
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    frames = told(page, "frames")
    page.mouse.wheel(0, -200)
    page.wait_for_timeout(300)
    assert page.locator(".projector .note").inner_text().startswith("Click the picture first")
    page.locator(".projector .over").click(position={"x": 5, "y": 5})
    page.mouse.wheel(0, -200)
    page.wait_for_timeout(300)
    assert int(told(page, "frames")) > int(frames)


def test_moments_of_a_computation_move_the_points(open_page):
    page = open_page("?count=3000")
    page.get_by_text("Move live").click()
    page.wait_for_function("() => document.querySelectorAll('*').length > 0")
    for _ in range(100):
        if int(told(page, "moments") or 0) >= 5:
            break
        page.wait_for_timeout(100)
    assert int(told(page, "moments")) >= 5


def test_pictures_are_points(open_page):
    page = open_page("?count=800&pictures=1")
    dots = coloured(page)
    button = page.get_by_role("button", name="Pictures as points")
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    page.wait_for_timeout(400)
    assert coloured(page) < 0.8 * dots
    button.click()
    shoot(page, "projector_pictures")


def test_a_browser_without_webgl_says_so(open_page):
    page = open_page("?count=3000", before=NO_WEBGL)
    assert "no WebGL 2" in page.locator(".projector .note").inner_text()


@pytest.mark.parametrize(
    ("link", "looks"), [("?lang=fr&t_dims=3", {"dark": True}), ("?count=5000&t_paint=value", {"phone": True})]
)
def test_dark_french_and_phone(open_page, link, looks):
    page = open_page(link, **looks)
    assert coloured(page) > 3000
    wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    shoot(page, "projector_" + "_".join(looks))


def shoot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=str(SCREENSHOTS / f"{name}.png"), full_page=True)
