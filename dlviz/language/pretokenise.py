"""What happens to a text before the first merge: its normal form, and the borders no token crosses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

import regex

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language.results import END_OF_WORD, Normalisation, Split

# White space as Unicode's White_Space property has it. Python's own \s adds four control characters that
# tokenizers written in Rust do not count.
_SPACE = r"\t\n\x0b\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

GPT2_PATTERN = (
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+"
    rf"| ?[^{_SPACE}\p{{L}}\p{{N}}]+|[{_SPACE}]+(?![^{_SPACE}])|[{_SPACE}]+"
)
"""GPT-2's borders (Radford et al. 2019): contractions, words, numbers, signs, with the space before."""

GPT2_PLAIN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
"""The same as GPT-2 writes it, for libraries whose ``\\s`` is Unicode's white space."""

_WORDS = rf"[^{_SPACE}]+"
_BERT = rf"[^{_SPACE}\p{{P}}$+<=>^`|~]+|[\p{{P}}$+<=>^`|~]"
_PATTERNS: dict[Split, str] = {"words": _WORDS, "gpt2": GPT2_PATTERN, "bert": _BERT}

# Between "a" and " b" there is a border in every mode, so a long text can be cut there and its parts split
# alone.
_SAFE_CUT = re.compile(r"\S(?= \S)")
CHUNK = 1 << 18
"""Characters split at a time, so that the jobs room is never kept waiting long."""


def normalise(text: str, form: Normalisation = "none", *, lower: bool = False) -> str:
    """The text in a Unicode normal form, and in lower case if asked for.

    "é" can be written as one character (NFC) or as "e" and an accent (NFD): to a computer these are two
    different words. The K forms also undo styles, such as "ﬁ" for "fi". Capital sigma always becomes "σ",
    also at the end of a word: the rule of tokenizers that go letter by letter.

    Raises
    ------
    Refused
        The text holds half of a surrogate pair, which is no character and has no bytes in UTF-8.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Refused(
            N_("The text holds half a character (a lone surrogate) at place {place}: it cannot be read."),
            place=error.start + 1,
        ) from error
    if form != "none":
        text = unicodedata.normalize(form, text)
    return text.replace("Σ", "σ").lower() if lower else text


def pieces(text: str, split: Split) -> list[str]:
    """The words (pre-tokens) of a text; only ``"gpt2"`` and ``"none"`` keep white space."""
    if split == "none":
        return [text] if text else []
    return _pattern(split).findall(text)


def chunks(text: str) -> Iterator[str]:
    """The text in parts of about 260,000 characters, cut where every mode has a border."""
    start = 0
    while start < len(text):
        cut = _SAFE_CUT.search(text, start + CHUNK)
        end = cut.end() if cut else len(text)
        yield text[start:end]
        start = end


def placed_pieces(text: str, split: Split) -> list[tuple[str, int]]:
    """Like :func:`pieces`, each with the place where it begins."""
    if split == "none":
        return [(text, 0)] if text else []
    return [(match.group(), match.start()) for match in _pattern(split).finditer(text)]


def check_words(text: str, split: Split) -> None:
    """Refuse a text whose words could not be told from their own end mark."""
    if split == "words" and END_OF_WORD in text:
        raise Refused(
            N_("The text itself holds the end-of-word mark {mark}. Take it out, or split in another way."),
            mark=END_OF_WORD,
        )


@cache
def _pattern(split: Split) -> regex.Pattern[str]:
    return regex.compile(_PATTERNS[split])


@cache
def byte_letters() -> tuple[str, ...]:
    """GPT-2's letter for each byte: printable ones stand for themselves, the others from U+0100 on.

    So every sequence of bytes can be written as text, and a space is seen as "Ġ".
    """
    printable = {
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    }
    letters, beyond = [], 0
    for byte in range(256):
        if byte in printable:
            letters.append(chr(byte))
        else:
            letters.append(chr(256 + beyond))
            beyond += 1
    return tuple(letters)


@cache
def letter_bytes() -> dict[str, int]:
    """The byte of each of GPT-2's letters."""
    return {letter: byte for byte, letter in enumerate(byte_letters())}


@cache
def byte_order() -> tuple[int, ...]:
    """The byte of each token id from 0 to 255: GPT-2 numbers bytes in the order of their letters."""
    return tuple(sorted(range(256), key=lambda byte: byte_letters()[byte]))
