"""Every page opens without a click, in both languages, inside the whole frame."""

from __future__ import annotations

import pytest

from dlviz.errors import Refused
from dlviz.i18n import LANGUAGES, N_, translate
from dlviz.lessons import LESSONS, PARTS, lesson
from dlviz.ui import lesson as lesson_ui
from tests.pages.conftest import Opener

STEMS = [entry.stem for entry in LESSONS]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stem", STEMS)
def test_opens_without_an_error(open_page: Opener, stem: str, language: str) -> None:
    app = open_page(stem, language)
    assert not app.exception
    assert not app.error
    assert app.title[0].value == translate(language, lesson(stem).title)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stem", STEMS)
def test_has_its_frame(open_page: Opener, stem: str, language: str) -> None:
    app = open_page(stem, language)
    assert app.sidebar.segmented_control(key="lang_choice").value == language
    assert app.sidebar.toggle(key="projector") is not None
    footer = app.caption[-1].value
    assert "dlviz" in footer and "float32" in footer


@pytest.mark.parametrize("stem", STEMS)
def test_switching_the_language_keeps_every_widget(open_page: Opener, stem: str) -> None:
    app = open_page(stem, "en")
    before = _values(app)
    app.segmented_control(key="lang_choice").set_value("fr").run()
    assert not app.exception
    assert app.title[0].value == translate("fr", lesson(stem).title)
    after = _values(app)
    assert {key: value for key, value in before.items() if not key.startswith("lang")} == {
        key: value for key, value in after.items() if not key.startswith("lang")
    }


def _values(app: object) -> dict[str, object]:
    kinds = ("slider", "select_slider", "selectbox", "segmented_control", "pills", "toggle", "number_input",
             "text_input", "multiselect", "checkbox", "radio")  # fmt: skip
    widgets = (widget for kind in kinds for widget in getattr(app, kind, []))
    return {widget.key: widget.value for widget in widgets if widget.key}


def test_the_map_shows_every_part_and_every_built_page(open_page: Opener) -> None:
    app = open_page("home", "fr")
    shown = " ".join(str(element.value) for element in app.main.get("html")) if app.main.get("html") else ""
    text = shown + " ".join(caption.value for caption in app.caption)
    for part in PARTS[1:]:
        assert translate("fr", part.title) in text
    for entry in LESSONS[1:]:
        assert translate("fr", entry.summary) in text


def test_the_timeline_follows_the_slider(open_page: Opener) -> None:
    app = open_page("home", "en")
    app.select_slider(key="home_year").set_value(2015).run()
    assert any("ResNet" in block.value for block in app.markdown)


def test_a_page_that_did_not_foresee_an_error_says_so_and_keeps_its_frame(open_page, monkeypatch):
    def broken(*_given: object) -> None:
        raise Refused(N_("The text is empty."))

    monkeypatch.setattr(lesson_ui, "presets", broken)
    page = open_page("bpe", "fr")
    assert [error.value for error in page.error] == ["Le texte est vide."]
    assert any("dlviz 0." in caption.value for caption in page.caption)
