"""French is complete, keeps every placeholder, and no page says a bare string."""

from __future__ import annotations

import ast
import re
import string

import pytest

from dlviz import i18n
from dlviz.settings import ROOT
from tests import messages

PLACEHOLDER = re.compile(r"(?<!\{)\{([a-z_]+)[^}]*\}(?!\})")
TEXT_CALLS = {
    "title", "header", "subheader", "markdown", "caption", "text", "write", "button", "checkbox", "toggle",
    "radio", "selectbox", "multiselect", "slider", "select_slider", "text_input", "text_area", "number_input",
    "file_uploader", "camera_input", "expander", "popover", "metric", "info", "warning", "error", "success",
    "toast", "spinner", "status", "segmented_control", "pills",
    "download_button", "link_button", "form_submit_button",
}  # fmt: skip
WORDS = re.compile(r"[A-Za-zÀ-ÿ]{3,}")
ICON = re.compile(r":material/\w+:")


def test_every_message_is_translated() -> None:
    translated = {messages.key(message.id) for _, message in messages.entries() if _is_whole(message)}
    missing = {messages.key(message) for message, _, _ in messages.source_messages()} - translated
    assert not missing


def test_no_message_hides_in_an_f_string() -> None:
    """There the extraction of messages sees it from Python 3.12 on only, so 3.11 would never miss its French."""
    hidden = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for folder in ("dlviz", "pages")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for text in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in messages.KEYWORDS
        if call.args and isinstance(call.args[0], ast.Constant)
    ]
    assert not hidden


def _is_whole(message: object) -> bool:
    texts = message.string if isinstance(message.string, (tuple, list)) else [message.string]
    return all(texts) and not message.fuzzy


def test_no_message_is_stale_or_said_twice() -> None:
    used = {messages.key(message) for message, _, _ in messages.source_messages()}
    known = [messages.key(message.id) for _, message in messages.entries()]
    assert not set(known) - used
    assert len(known) == len(set(known))


def test_translations_keep_their_placeholders() -> None:
    for name, message in messages.entries():
        if isinstance(message.id, str):
            assert _placeholders(message.id) == _placeholders(message.string), (name, message.id)
        else:
            for text in message.string:
                assert _placeholders(text) <= _placeholders(message.id[1]), (name, message.id)


def _placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def test_french_typography() -> None:
    """A space before a colon, semicolon, question or exclamation mark must not break the line."""
    for name, message in messages.entries():
        texts = [message.string] if isinstance(message.string, str) else message.string
        for text in texts:
            assert not re.search(r"(?<=\w) [;!?](?=\s|$)", text), (name, text)
            assert '"' not in text or '"' in str(message.id), (name, text)


@pytest.mark.parametrize("folder", ["pages", "dlviz/ui"])
def test_no_bare_string_is_shown(folder: str) -> None:
    bare = [
        f"{path.name}:{node.lineno}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and _says_a_bare_string(node)
    ]
    allowed = {line for line in bare if line.startswith("language.py")}
    assert set(bare) == allowed


def _says_a_bare_string(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in TEXT_CALLS or not call.args:
        return False
    first = call.args[0]
    if isinstance(first, ast.JoinedStr):
        literal = "".join(v.value for v in first.values if isinstance(v, ast.Constant))
        return bool(WORDS.search(ICON.sub("", literal)))
    return (
        isinstance(first, ast.Constant) and isinstance(first.value, str) and bool(WORDS.search(first.value))
    )


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (1234.5, "1,234.5", "1\u202f234,5"),
        (0.25, "0.25", "0,25"),
        (0, "0", "0"),
        (float("nan"), "nan", "nan"),
    ],
)
def test_numbers_are_written_as_the_language_does(value: float, english: str, french: str) -> None:
    assert i18n.number(value, "en") == english
    assert i18n.number(value, "fr") == french


def test_percentages() -> None:
    assert i18n.percent(0.123, "en") == "12.3%"
    assert i18n.percent(0.123, "fr").replace("\u202f", " ").replace("\xa0", " ") == "12,3 %"


@pytest.mark.parametrize(
    ("locale", "language"), [("fr-CA", "fr"), ("fr_FR", "fr"), ("en-US", "en"), ("de", "en"), (None, "en")]
)
def test_first_visit_follows_the_browser(locale: str | None, language: str) -> None:
    assert i18n.language_of(locale) == language


def test_placeholders_are_plain_names() -> None:
    for message, path, line in messages.source_messages():
        for field in string.Formatter().parse(messages.key(message)):
            if field[1] is not None:
                assert field[1].isidentifier(), (path, line, message)
