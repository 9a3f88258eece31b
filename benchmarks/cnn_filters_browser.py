"""From a click on a layer to its painted picture, in a browser: ``python -m benchmarks.cnn_filters_browser``.

The server and headless Chromium, which draws in software, share this machine. The layers are one a stage, the
photos fresh ones, so the server has no answer at hand. Printed are milliseconds on the clock and, because other
programs stretch those, the milliseconds of processor time that the browser's page and the server spent.
"""

from __future__ import annotations

import argparse
import os
import statistics
from typing import Literal

from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.browser.chromium import FLAGS, executable
from tests.load.client import APP, Server, serving

How = Literal["strip", "list"]

LAYERS = ("stages.3.1.act2", "stages.0.1.act2", "stages.2.1.act2", "stages.1.1.act2", "stem.act")
"""One activation a stage of the bundled model, never two neighbours after each other; none is the first one shown."""

WATCH = """name => {
  window.painted = new Promise((done) => {
    let start;
    const begin = () => { start ??= performance.now(); };
    for (const kind of ["mousedown", "keydown"]) window.addEventListener(kind, begin, { capture: true, once: true });
    const inside = (found, selector) => found ?? [...document.querySelectorAll("*")]
      .map((element) => element.shadowRoot?.querySelector(selector)).find(Boolean);
    const spent = {};
    let gallery, explorer;
    const after = (what) => requestAnimationFrame(() => setTimeout(() => { spent[what] = performance.now() - start; }));
    const look = () => {
      gallery = inside(gallery?.isConnected ? gallery : null, ".gallery canvas");
      explorer = inside(explorer?.isConnected ? explorer : null, ".explorer .map-title");
      if (!("maps" in spent) && gallery?.ariaLabel?.includes(`${name}.`)) { spent.maps = null; after("maps"); }
      if (!("cell" in spent) && explorer?.textContent.endsWith(` ${name}`)) { spent.cell = null; after("cell"); }
      if (spent.maps && spent.cell) done(spent); else setTimeout(look, 4);
    };
    look();
  });
}"""
"""Resolves to milliseconds until the maps, and until the one that is taken apart, have been painted."""


def aim(page: Page, layer: str, how: How) -> None:
    """All that goes before a visitor's choice of a layer: the pointer over its bar, or its name in the list."""
    if how == "strip":
        page.locator(f'.network .slot[aria-label^="{layer} "]').hover()
    else:
        field = page.locator(".st-key-cnn_filters_layer_choice input")
        field.click()
        field.fill(layer)
    page.wait_for_timeout(400)


def choose(page: Page, how: How) -> dict[str, float]:
    """The choice itself; milliseconds until each picture was painted."""
    if how == "strip":
        page.mouse.down()
        page.mouse.up()
    else:
        page.keyboard.press("Enter")
    spent: dict[str, float] = page.evaluate("() => window.painted")
    return spent


def processor(page: CDPSession, server: Server) -> tuple[float, float]:
    """Milliseconds of processor time so far: of the page in the browser, and of the server."""
    metrics = {entry["name"]: entry["value"] for entry in page.send("Performance.getMetrics")["metrics"]}
    return 1000 * metrics["TaskDuration"], 1000 * server.cpu()


def visit(page: Page, server: Server, photo: str, how: How) -> list[dict[str, float]]:
    """All layers on one photo."""
    page.goto(f"http://127.0.0.1:{server.port}/cnn_filters?lang=en&cnn_filters_photo={photo}")
    page.wait_for_selector(".explorer canvas.map")
    page.wait_for_timeout(2500)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    found = []
    for layer in LAYERS:
        aim(page, layer, how)
        page.evaluate(WATCH, layer)
        before = processor(devtools, server)
        spent = choose(page, how)
        after = processor(devtools, server)
        found.append({**spent, "page": after[0] - before[0], "server": after[1] - before[1]})
        page.wait_for_timeout(900)
    return found


def main() -> None:
    """Print the medians of both ways to choose a layer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", nargs="+", default=["motorcycle", "coffee", "astronaut"])
    chosen = parser.parse_args()
    with serving(*APP, ready="/ready") as server, sync_playwright() as playwright:
        path = executable(playwright)
        if path is None:
            print("no Chromium here: scripts/browser.sh installs it")
            return
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        server.rest()
        for how, way in (("strip", "a click on the strip"), ("list", "Enter in the list")):
            found = []
            for photo in chosen.photos:
                page = browser.new_page(viewport={"width": 1400, "height": 1000})
                found += visit(page, server, photo, how)
                page.close()
            middle = {name: statistics.median(entry[name] for entry in found) for name in found[0]}
            print(f"{way}, {len(found)} changes, load average {os.getloadavg()[0]:.1f}")
            print(
                f"  maps painted after {middle['maps']:.0f} ms (at most 200), cell after {middle['cell']:.0f} ms"
            )
            print(f"  processor: page {middle['page']:.0f} ms, server {middle['server']:.0f} ms")
        browser.close()


if __name__ == "__main__":
    main()
