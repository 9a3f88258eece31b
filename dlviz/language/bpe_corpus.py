"""A text as one long row of symbols, ready to be merged: every different word once, with its count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language import pretokenise
from dlviz.language.results import CONTINUATION, END_OF_WORD, MergeSettings

MAX_CHARACTERS = 10_500_000
EXCERPT_WORDS = 1500


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """The words of a text as symbols; the fields mean what they mean in ``MergeTrace``."""

    alphabet: tuple[str, ...]
    symbols: Int[np.ndarray, " symbol"]
    word_offset: Int[np.ndarray, " word_and_one"]
    word_count: Int[np.ndarray, " word"]
    excerpt_words: Int[np.ndarray, " place"]
    characters: int
    text_bytes: int
    words: int


def read(text: str, settings: MergeSettings) -> Iterator[float | Corpus]:
    """Count the words of a text; yields the share that is done, and the :class:`Corpus` at the end.

    Raises
    ------
    Refused
        The text is empty, blank, too long, or not made of characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise Refused(
            N_("The text has {count} characters; at most {limit} can be trained on here."),
            count=len(text),
            limit=MAX_CHARACTERS,
        )
    text = pretokenise.normalise(text, settings.normalisation, lower=settings.lower)
    if not text.strip():
        raise Refused(N_("The text is empty: there is nothing to learn from."))
    pretokenise.check_words(text, settings.split)
    counts: dict[str, int] = {}
    excerpt: list[str] = []
    done = 0
    for chunk in [text] if settings.split == "none" else pretokenise.chunks(text):
        found = pretokenise.pieces(chunk, settings.split)
        excerpt += found[: max(0, EXCERPT_WORDS - len(excerpt))]
        for word in found:
            counts[word] = counts.get(word, 0) + 1
        done += len(chunk)
        yield done / len(text)
    numbers = {word: number for number, word in enumerate(counts)}
    alphabet, symbols, offset = _symbols(list(counts), settings)
    yield Corpus(
        alphabet,
        symbols,
        offset,
        np.fromiter(counts.values(), np.int64, len(counts)),
        np.array([numbers[word] for word in excerpt], np.int32),
        len(text),
        len(text.encode("utf-8")),
        len(text.split()),
    )


def _symbols(words: list[str], settings: MergeSettings) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Alphabet, symbol ids of all words in a row, and where each word begins."""
    joined = "".join(words)
    if settings.unit == "bytes":
        alphabet = tuple(pretokenise.byte_letters()[byte] for byte in pretokenise.byte_order())
        ids = np.argsort(np.array(pretokenise.byte_order())).astype(np.int32)
        symbols = ids[np.frombuffer(joined.encode("utf-8"), np.uint8)]
        lengths = [len(word.encode("utf-8")) for word in words]
    else:
        points, found = np.unique(np.frombuffer(joined.encode("utf-32-le"), np.uint32), return_inverse=True)
        alphabet = tuple(map(chr, points.tolist()))
        symbols = found.astype(np.int32)
        lengths = list(map(len, words))
    offset = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return (*_marked(alphabet, symbols, offset, settings), offset)


def _marked(
    alphabet: tuple[str, ...], symbols: np.ndarray, offset: np.ndarray, settings: MergeSettings
) -> tuple[tuple[str, ...], np.ndarray]:
    """Give the last symbol of a word its end mark, or each but the first WordPiece's "##".

    The alphabet then holds every symbol in both forms, so that a letter seen only inside words can also end
    one.
    """
    size = len(alphabet)
    if settings.split == "words":
        symbols[offset[1:] - 1] += size
        return (*alphabet, *(letter + END_OF_WORD for letter in alphabet)), symbols
    if settings.split == "bert":
        first = np.zeros(len(symbols), bool)
        first[offset[:-1]] = True
        symbols[~first] += size
        return (*alphabet, *(CONTINUATION + letter for letter in alphabet)), symbols
    return alphabet, symbols
