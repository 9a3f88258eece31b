"""WordPiece at work: the longest piece that fits, again and again, from the left (Wu et al. 2016).

A WordPiece vocabulary is learnt by :func:`dlviz.language.bpe.train` with ``algorithm="wordpiece"``. Unlike
BPE it does not replay its merges on a new text: only the list of pieces counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlviz.language import pretokenise
from dlviz.language.bpe_encoding import check_length
from dlviz.language.bpe_moments import written_tokens
from dlviz.language.results import CONTINUATION, LongestMatch, Match, MergeTrace, Token, Tokens

UNKNOWN = "[UNK]"
MAX_WORD = 100
"""Longer words are unknown as a whole, as in BERT."""


def longest_match(trace: MergeTrace, text: str, *, n: int | None = None) -> LongestMatch:
    """A sentence in the pieces known after ``n`` merges, with all that was tried on the way.

    Raises
    ------
    Refused
        The sentence is longer than 2,000 characters, or holds half a character.
    """
    check_length(text)
    settings = trace.settings
    size = len(trace.alphabet) + (trace.merges if n is None else n)
    text = pretokenise.normalise(text, settings.normalisation, lower=settings.lower)
    pieces = written_tokens(trace)[:size]
    words = pretokenise.placed_pieces(text, "bert")
    return match_words(text, words, {piece: i for i, piece in enumerate(pieces)}, unknown_id=size)


def match_words(
    text: str,
    words: Sequence[tuple[str, int]],
    ids: Mapping[str, int],
    *,
    unknown_id: int,
    unknown: str = UNKNOWN,
    prefix: str = CONTINUATION,
) -> LongestMatch:
    """Greedy longest match of every word; a word that cannot be finished is unknown as a whole."""
    matches: list[Match] = []
    tokens: list[Token] = []
    for number, (word, start) in enumerate(words):
        found, tried = _match_word(word, ids, number, prefix)
        matches += tried
        if found is None:
            end = start + len(word)
            raw = word.encode("utf-8")
            tokens.append(Token(unknown_id, word, unknown, raw, start, end, 0, False, number))
            continue
        for piece, begin, stop in found:
            part = word[begin:stop]
            tokens.append(
                Token(ids[piece], part, piece, part.encode(), start + begin, start + stop, 0, True, number)
            )
    return LongestMatch(tuple(matches), Tokens(text, tuple(tokens), _decoded(tokens, prefix)))


def _match_word(
    word: str, ids: Mapping[str, int], number: int, prefix: str
) -> tuple[list[tuple[str, int, int]] | None, list[Match]]:
    """The pieces of a word with their places, or None; and every attempt."""
    matches: list[Match] = []
    found: list[tuple[str, int, int]] = []
    start = 0
    if len(word) > MAX_WORD:
        return None, [Match(number, 0, (), None, -1)]
    while start < len(word):
        candidates = [(word[start:end], end) for end in range(len(word), start, -1)]
        tried: list[str] = []
        for part, end in candidates:
            piece = part if start == 0 else prefix + part
            if piece in ids:
                found.append((piece, start, end))
                matches.append(Match(number, start, tuple(tried), piece, ids[piece]))
                start = end
                break
            tried.append(piece)
        else:
            return None, [*matches, Match(number, start, tuple(tried), None, -1)]
    return found, matches


def _decoded(tokens: Sequence[Token], prefix: str) -> str:
    """Pieces joined again, words with a space between them: where white space was is no longer known."""
    parts: list[str] = []
    for token in tokens:
        joins = token.known and token.written.startswith(prefix) and token.written != prefix
        parts += [token.written.removeprefix(prefix)] if joins else [" ", token.written]
    return "".join(parts).removeprefix(" ")
