"""One server for the whole tier, and a fresh browser context for every test."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dlviz.settings import ROOT
from tests.browser.chromium import FLAGS, executable

SCREENSHOTS = ROOT / "screenshots"
IGNORED = re.compile(r"/_stcore/(health|host-config)")
"""A cold deep link makes Streamlit look for its server under the page's own path first."""


@pytest.fixture(scope="session")
def server_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server writes about itself, the ends of jobs included."""
    return tmp_path_factory.mktemp("server") / "log.txt"


@pytest.fixture(scope="session")
def server(server_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running app, offline, as ``make run`` starts it."""
    home = tmp_path_factory.mktemp("home")
    with serving(server_log, "--offline", "--verbose", DLVIZ_HOME=str(home)) as address:
        yield address


@contextmanager
def serving(log: Path, *options: str, **environment: str) -> Iterator[str]:
    """Start an app of its own with these options and variables; gives its address once it is ready."""
    command = ["-m", "dlviz", "--host", "127.0.0.1", "--port", "PORT", *options]
    with _running(command, "/ready", log, environment) as address:
        yield address


@contextmanager
def serving_script(script: Path, log: Path) -> Iterator[str]:
    """Start a Streamlit script of the tests, which shows components without their page."""
    command = [
        "-m",
        "streamlit",
        "run",
        str(script),
        "--server.port",
        "PORT",
        "--server.address",
        "127.0.0.1",
    ]
    with _running(command, "/_stcore/health", log, {"PYTHONPATH": str(ROOT)}) as address:
        yield address


@contextmanager
def _running(command: list[str], ready: str, log: Path, environment: dict[str, str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    filled = [sys.executable, *(part.replace("PORT", str(port)) for part in command)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            filled, cwd=ROOT, stdout=output, stderr=output, env={**os.environ, **environment}
        )
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}{ready}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert process.poll() is None, log.read_text("utf-8", errors="replace")
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(log.read_text("utf-8", errors="replace"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = executable(playwright)
        assert path, "no Chromium: run scripts/browser.sh"
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Visit]:
    """``visit("cnn_filters?lang=fr", dark=True, width=390)``: a cold visit, whose page must log no error."""
    contexts = []
    errors: list[str] = []

    def visited(
        path: str = "", *, dark: bool = False, width: int = 1400, height: int = 1000, locale: str = "en-US"
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            locale=locale,
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: _note(message, errors))
        page.goto(f"{server}/{path}")
        settle(page)
        return page

    yield visited
    for context in contexts:
        context.close()
    assert not errors, errors


def _note(message: object, errors: list[str]) -> None:
    location = message.location.get("url", "")
    if message.type == "error" and not IGNORED.search(location):
        errors.append(f"{message.text} ({location})")


def settle(page: Page) -> None:
    """Wait until the page stands and its script is no longer running."""
    page.wait_for_timeout(300)
    page.wait_for_function(
        "() => document.querySelector('h1')"
        " && document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
        " && document.querySelector('[data-testid=stMain]').innerText.includes('dlviz 0.')"
    )
    page.wait_for_timeout(200)


def shoot(page: Page, name: str) -> None:
    """Save a screenshot of the whole page under ``screenshots/``."""
    SCREENSHOTS.mkdir(exist_ok=True)
    size = page.viewport_size or {"width": 1400, "height": 1000}
    main = page.locator("[data-testid=stMain]")
    tall = min(int(main.evaluate("e => e.scrollHeight")) + 20, 8000)
    page.set_viewport_size({"width": size["width"], "height": max(tall, size["height"])})
    page.wait_for_timeout(400)
    page.screenshot(path=str(SCREENSHOTS / f"{name}.png"))
    page.set_viewport_size(size)
