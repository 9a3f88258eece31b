"""The frame in a real browser: cold deep links, languages, themes, the projector preset, headers."""

from __future__ import annotations

import re
import urllib.error
import urllib.request

import pytest

from dlviz.i18n import LANGUAGES, translate
from dlviz.lessons import LESSONS, PARTS, lesson, lessons_of
from tests import messages
from tests.browser.conftest import Visit, settle, shoot

pytestmark = pytest.mark.browser

STEMS = [entry.stem for entry in LESSONS]
HOME = LESSONS[0].stem


def address(stem: str, link: str) -> str:
    """Where a page is: the first one stands at the root."""
    return f"{'' if stem == HOME else stem}?{link}"


def untranslated() -> list[str]:
    """English messages long enough to be unmistakable, whose French is another text."""
    return [
        message.id
        for _, message in messages.entries()
        if isinstance(message.id, str)
        and len(message.id) > 24
        and "{" not in message.id
        and message.id != message.string
    ]


def stands_in(message: str, text: str) -> bool:
    """Whether a message stands in a page's text, and not only as the beginning of a longer word."""
    return bool(re.search(re.escape(re.sub(r"[*`]", "", message)) + r"(?!\w)", text))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stem", STEMS)
def test_a_cold_deep_link_opens_whole(visit: Visit, stem: str, language: str, dark: bool) -> None:
    page = visit(address(stem, f"lang={language}"), dark=dark)
    assert page.locator("h1").inner_text() == translate(language, lesson(stem).title)
    navigation = page.locator("[data-testid=stSidebarNav]").inner_text()
    for part in PARTS:
        if lessons_of(part.number):
            assert translate(language, part.title) in navigation
    assert "float32" in page.locator("[data-testid=stMain]").inner_text()
    assert page.locator("[data-testid=stAlertContentError]").count() == 0
    assert page.locator("[data-testid=stException]").count() == 0
    shoot(page, f"{stem}-{language}-{'dark' if dark else 'light'}")
    if language == "fr":
        text = page.locator("[data-testid=stMain]").inner_text()
        assert [message for message in untranslated() if stands_in(message, text)] == []


@pytest.mark.parametrize("stem", STEMS)
def test_fits_a_phone(visit: Visit, stem: str) -> None:
    page = visit(address(stem, "lang=fr"), width=390, height=840)
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
    shoot(page, f"{stem}-fr-phone")


@pytest.mark.parametrize("stem", STEMS)
def test_the_projector_preset_enlarges_the_type(visit: Visit, stem: str) -> None:
    normal = (
        visit(address(stem, "lang=en"))
        .locator("h1")
        .evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    )
    page = visit(address(stem, "lang=en&projector=true"))
    page.wait_for_function("() => parseFloat(getComputedStyle(document.documentElement).fontSize) >= 20")
    large = page.locator("h1").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    shoot(page, f"{stem}-en-projector")
    assert large >= 1.2 * normal


@pytest.mark.parametrize(("locale", "title"), [("fr-FR", "Carte du cours"), ("en-GB", "Map of the course")])
def test_a_first_visit_follows_the_browser(visit: Visit, locale: str, title: str) -> None:
    assert visit("", locale=locale).locator("h1").inner_text() == title


def test_the_choice_of_language_is_in_the_link(visit: Visit) -> None:
    page = visit("?lang=en")
    page.get_by_role("radio", name="Français").or_(page.get_by_text("Français", exact=True)).first.click()
    page.wait_for_function("() => document.querySelector('h1')?.innerText === 'Carte du cours'")
    settle(page)
    assert "lang=fr" in page.url


def test_back_undoes_a_choice_of_page(visit: Visit) -> None:
    page = visit("?lang=en")
    page.locator("[data-testid=stSidebarNav] a", has_text="CNN filters").click()
    page.wait_for_function("() => document.querySelector('h1')?.innerText === 'CNN filters'")
    page.go_back()
    page.wait_for_function("() => document.querySelector('h1')?.innerText === 'Map of the course'")


def test_security_headers_stand_on_every_answer(server: str) -> None:
    for path in ("", "_stcore/health", "ready", "dlviz/plotly.min.js"):
        with urllib.request.urlopen(f"{server}/{path}", timeout=10) as answer:
            assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_plain_command_serves_the_same_app() -> None:
    """``streamlit run`` finds the app by reading the file: the literal call must stand there."""
    from streamlit.web.server.app_discovery import discover_asgi_app

    from dlviz.settings import ROOT

    found = discover_asgi_app(ROOT / "streamlit_app.py")
    assert found.is_asgi_app
    assert found.app_name == "app"
