"""Catalogues and number formats, free of Streamlit.

English sentences in the source are the message ids. ``locale/fr/LC_MESSAGES``
holds one catalogue a page (``cnn_filters.po``) and one for the rest
(``dlviz.po``); they are read as text at first use, so that there is no compiled
file to forget.
"""

from __future__ import annotations

import gettext
import io
from functools import cache
from pathlib import Path

from babel.core import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent, format_scientific

LANGUAGES = {"en": "English", "fr": "Français"}
LOCALE_DIR = Path(__file__).parent / "locale"


def N_(message: str) -> str:
    """Mark a message for the catalogues without translating it yet."""
    return message


def language_of(locale: str | None) -> str:
    """The language of ours that a browser locale such as ``fr-CA`` asks for."""
    code = (locale or "en").replace("_", "-").split("-")[0].lower()
    return code if code in LANGUAGES else "en"


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """All messages of a language; English needs none, its messages are the ids."""
    merged = gettext.NullTranslations()
    for path in sorted((LOCALE_DIR / language / "LC_MESSAGES").glob("*.po")):
        compiled = io.BytesIO()
        with path.open("rb") as source:
            write_mo(compiled, read_po(source))
        compiled.seek(0)
        translations = gettext.GNUTranslations(compiled)
        translations.add_fallback(merged)
        merged = translations
    return merged


def translate(language: str, message: str, **values: object) -> str:
    """Say ``message`` in ``language``; numbers among ``values`` are written as that language does."""
    said = catalogue(language).gettext(message) if message else ""
    return said.format(**{k: _written(v, language) for k, v in values.items()}) if values else said


def translate_plural(language: str, singular: str, plural: str, count: int, **values: object) -> str:
    """``singular`` or ``plural`` by ``count``, which also fills the ``{count}`` placeholder."""
    said = catalogue(language).ngettext(singular, plural, count)
    return said.format(
        count=_written(count, language), **{k: _written(v, language) for k, v in values.items()}
    )


def number(value: float, language: str, digits: int = 3) -> str:
    """Write ``value`` with up to ``digits`` decimals; very small or large values in scientific form."""
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    if value and not 10**-digits <= abs(value) < 1e9:
        return format_scientific(value, format="0." + "#" * digits + "E0", locale=language)
    return format_decimal(value, format="#,##0." + "#" * digits if digits else "#,##0", locale=language)


def percent(value: float, language: str, digits: int = 1) -> str:
    """Write a share of one as a percentage, with the space before the sign that the language wants."""
    pattern = Locale.parse(language).percent_formats[None].pattern
    if digits:
        pattern = pattern.replace("##0", "##0." + "0" * digits)
    return format_percent(value, format=pattern, locale=language)


def _written(value: object, language: str) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return number(value, language)
