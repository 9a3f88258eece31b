"""The text chooser, in English and in French."""

from __future__ import annotations

import ast
import io
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from dlviz.i18n import translate
from dlviz.intake.texts import document, pasted
from dlviz.language import sample_texts

KEY = "bpe_text"
FRENCH = "Où est-ce ? Là-bas, près de l'été.\n\tÀ demain."


def page() -> None:
    """A page of three lines."""
    import streamlit as st

    from dlviz.language import sample_texts
    from dlviz.ui import language, texts

    language.switch()
    shown = texts.text_input("bpe_text", samples=sample_texts.SAMPLE_TEXTS, default="souris")
    st.code(repr(shown.text))
    source = texts.notebook_source("bpe_text", package="dlviz.language.sample_texts", default="souris")
    st.code("\n".join([*source.imports, source.expression]))


def opened(language: str = "en", **link: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=30)
    app.query_params["lang"] = language
    for name, value in link.items():
        app.query_params[name] = value
    return run(app)


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def widget(app: AppTest, name: str):
    return next(group for group in app.get("button_group") if group.key == f"{KEY}_{name}")


def shown(app: AppTest) -> str:
    return ast.literal_eval(app.code[0].value)


def link(app: AppTest) -> str | None:
    values = app.query_params.get(KEY)
    return values[0] if isinstance(values, list) else values


def turn_to(app: AppTest, source: str) -> AppTest:
    widget(app, "source").set_value(source)
    return run(app)


def type_in(app: AppTest, text: str) -> AppTest:
    if not app.text_area:
        turn_to(app, "typed")
    app.text_area[0].set_value(text)
    return run(app)


def upload(app: AppTest, data: bytes, name: str = "mine.txt") -> AppTest:
    if not app.get("file_uploader"):
        turn_to(app, "file")
    app.file_uploader[0].set_value((name, data, "application/octet-stream"))
    return run(app)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_first_run_shows_the_default_sample_without_a_click(language: str) -> None:
    app = opened(language)
    assert shown(app) == sample_texts.COURSE_BPE
    assert not link(app)
    assert widget(app, "source").label == translate(language, "Text")
    labels = [option.content for option in widget(app, "sample").proto.options]
    assert labels == [translate(language, one.title) for one in sample_texts.SAMPLE_TEXTS]


def test_a_sample_is_chosen_by_hand_and_by_link() -> None:
    app = opened()
    widget(app, "sample").set_value("marche")
    run(app)
    assert shown(app) == sample_texts.sample("marche").text
    assert link(app) == "marche"
    assert shown(opened(**{KEY: "marche"})) == sample_texts.sample("marche").text
    assert shown(opened(**{KEY: "../../etc/passwd"})) == sample_texts.COURSE_BPE


def test_a_short_text_is_in_the_link_whole_and_comes_back_from_it() -> None:
    app = type_in(opened(), FRENCH)
    assert shown(app) == FRENCH
    carried = link(app)
    assert carried is not None and carried.startswith("text:") and "\n" not in carried
    again = opened("fr", **{KEY: carried})
    assert shown(again) == FRENCH
    assert again.text_area[0].value == FRENCH


@pytest.mark.parametrize("text", ["a\\nb", "\\", "\\\\n\n\\t\t", "é" * 500])
def test_the_link_keeps_every_character(text: str) -> None:
    carried = link(type_in(opened(), text))
    assert shown(opened(**{KEY: str(carried)})) == text


@pytest.mark.parametrize("text", ["x" * 501, "\n" * 400 + "x"])
def test_a_longer_text_is_known_by_its_digest(text: str) -> None:
    app = type_in(opened(), text)
    assert shown(app) == text
    assert link(app) == f"sha256:{pasted(text).digest[:16]}"
    assert widget(app, "source").value == "typed"


def test_typing_begins_with_the_text_that_is_shown() -> None:
    app = turn_to(opened(), "typed")
    assert app.text_area[0].value == sample_texts.COURSE_BPE
    assert not link(app)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The text is empty."),
        (b"\n \n", "The text holds nothing but white space."),
        (b"\x89PNG\r\n\x1a\n", "The file holds no text but binary data. Texts can be {formats}."),
        (
            b"a\0b\0",
            "The file holds NUL bytes: it is binary, or UTF-16 without its mark. Save it again as UTF-8.",
        ),
    ],
)
def test_a_bad_file_gives_its_message_and_the_last_good_text_stays(
    language: str, data: bytes, message: str
) -> None:
    app = upload(opened(language), FRENCH.encode())
    before = link(app)
    upload(app, data, "bad.bin")
    formats = {"formats": "TXT, MD, CSV, DOCX, PDF"} if "{formats}" in message else {}
    assert [error.value for error in app.error] == [translate(language, message, **formats)]
    assert shown(app) == FRENCH
    assert link(app) == before
    upload(app, "été".encode("latin-1") * 20, "latin.txt")
    assert not app.error


def test_an_empty_field_refuses_and_keeps_the_text() -> None:
    app = type_in(opened(), "bonjour")
    type_in(app, "")
    assert app.error[0].value == "The text is empty."
    assert shown(app) == "bonjour"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_file_is_named_noted_and_linked_by_its_digest(language: str) -> None:
    data = ("Les élèves étaient déjà là, près du café. " * 30).encode("cp1252")
    app = upload(opened(language), data, "../<b>mine</b>.txt")
    taken = document(data)
    assert shown(app) == taken.text
    assert link(app) == f"sha256:{taken.digest[:16]}"
    assert "b>.txt" in app.text[0].value
    note = taken.notes[0]
    assert translate(language, note.message, encoding=note.encoding) in [c.value for c in app.caption]


def test_a_word_document_is_read() -> None:
    import docx

    made = docx.Document()
    made.add_paragraph("la souris rit")
    data = io.BytesIO()
    made.save(data)
    assert shown(upload(opened(), data.getvalue(), "a.docx")) == "la souris rit"


def test_an_archive_is_refused() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.txt", "hello")
    app = upload(opened(), data.getvalue(), "a.zip")
    assert "archive" in app.error[0].value
    assert shown(app) == sample_texts.COURSE_BPE


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_link_to_a_text_that_is_not_here_opens_on_the_sample_and_says_so(language: str) -> None:
    digest = f"sha256:{document(FRENCH.encode()).digest[:16]}"
    app = opened(language, **{KEY: digest})
    assert shown(app) == sample_texts.COURSE_BPE
    assert {"en": "fingerprint", "fr": "empreinte"}[language] in app.info[0].value
    upload(app, FRENCH.encode())
    assert shown(app) == FRENCH
    assert not app.info


def test_the_bytes_are_dropped_and_only_a_few_texts_kept() -> None:
    app = opened()
    for number in range(6):
        upload(app, f"text number {number}".encode())
        assert app.file_uploader[0].value is None
    kept = app.session_state["visitor_texts"]
    assert [own.text[-1] for own in kept.values()] == ["3", "4", "5"]


def test_going_to_the_samples_and_back_brings_the_texts_back() -> None:
    app = upload(opened(), FRENCH.encode())
    turn_to(app, "sample")
    assert shown(app) == sample_texts.COURSE_BPE
    turn_to(app, "file")
    assert shown(app) == FRENCH
    type_in(app, "bonjour")
    turn_to(app, "sample")
    turn_to(app, "typed")
    assert shown(app) == "bonjour"


def test_a_switch_of_language_keeps_text_and_message() -> None:
    app = type_in(opened(), FRENCH)
    type_in(app, " ")
    app.text_input(key="lang").set_value("fr")
    run(app)
    assert shown(app) == FRENCH
    assert app.error[0].value == translate("fr", "The text holds nothing but white space.")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda app: app, "from dlviz.language import sample_texts\nsample_texts.sample('souris').text"),
        (lambda app: type_in(app, "a\nb"), "'a\\nb'"),
        (
            lambda app: upload(app, b"hello"),
            "from pathlib import Path\nfrom dlviz.intake import texts\n"
            'texts.document(Path("your-text.txt").read_bytes()).text',
        ),
    ],
)
def test_a_notebook_gets_the_same_text(change, expected: str) -> None:
    assert change(opened()).code[1].value == expected
