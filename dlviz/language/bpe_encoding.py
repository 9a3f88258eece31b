"""Merges at work on a new text: which fire, in which order, and what comes out.

A text is cut into pieces, a piece into symbols, and in each piece the pair whose merge was learnt earliest
is glued first, from left to right, until no neighbours have a merge.
"""

from __future__ import annotations

import heapq
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language import pretokenise
from dlviz.language.bpe_moments import raw, written_tokens
from dlviz.language.results import END_OF_WORD, NEVER, Firing, MergeTrace, Replay, Token, Tokens, readable

MAX_REPLAY = 2000
"""Characters of a sentence whose merges can be replayed."""

UNKNOWN_SIGN = "\ufffd"


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class MergeVocabulary:
    """A vocabulary with merges, ours or a real one.

    Attributes
    ----------
    ids
        Id of each token, by how the vocabulary writes it.
    merges
        For two token ids: the number of their merge (from 0) and the id of what it makes.
    written
        The other way round: how each id is written.
    whole_pieces
        Whether a piece that is itself a token is taken whole, whatever the merges say (cl100k, Llama 3).
    """

    ids: Mapping[str, int]
    merges: Mapping[tuple[int, int], tuple[int, int]]
    written: Mapping[int, str] | Sequence[str]
    whole_pieces: bool = False


@dataclass(frozen=True, slots=True)
class Glued:
    """One place where a merge fired: the first symbol of its right half, and who made what."""

    merge: int
    boundary: int
    left: int
    right: int
    made: int


def merge_piece(
    symbols: Sequence[int], merges: Mapping[tuple[int, int], tuple[int, int]], limit: int = NEVER
) -> tuple[list[Glued], list[int]]:
    """Glue the symbols of one piece; returns what happened, in order, and the ids of the tokens.

    Parameters
    ----------
    symbols
        Token ids; a negative one is unknown and never glued.
    merges
        Number and product of each merge.
    limit
        Only merges with a smaller number fire: the vocabulary as it was after that many.

    The candidates wait in a heap, so that a piece of m symbols costs O(m log m), not O(m^2): GPT-2's own
    encoder looks for the best pair afresh after each merge.
    """
    token = list(symbols)
    following = [*range(1, len(token)), -1]
    previous = list(range(-1, len(token) - 1))
    heap: list[tuple[int, int, int, int, int]] = []

    def offer(i: int) -> None:
        j = following[i]
        if j >= 0 and (found := merges.get((token[i], token[j]))) and found[0] < limit:
            heapq.heappush(heap, (found[0], i, found[1], token[i], token[j]))

    for i in range(len(token)):
        offer(i)
    happened = []
    while heap:
        number, i, made, left, right = heapq.heappop(heap)
        j = following[i]
        if j < 0 or (token[i], token[j]) != (left, right):
            continue
        happened.append(Glued(number, j, left, right, made))
        token[i], token[j] = made, -2
        following[i] = following[j]
        following[j] = -1
        if following[i] >= 0:
            previous[following[i]] = i
            offer(i)
        if previous[i] >= 0:
            offer(previous[i])
    return happened, [i for i in token if i != -2]


def replay_pieces(
    vocabulary: MergeVocabulary, text: str, pieces: Sequence[Sequence[Token]], limit: int = NEVER
) -> Replay:
    """All merges on all pieces, the earliest learnt first, as if the whole sentence were one row.

    Pieces do not touch each other, so putting their merges into one order changes no token.
    """
    offsets = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]).astype(int).tolist()
    streams = []
    for offset, piece in zip(offsets, pieces, strict=False):
        happened, _ = merge_piece([t.id if t.known else -1 for t in piece], vocabulary.merges, limit)
        streams.append([(glued.merge, offset + glued.boundary, glued) for glued in happened])
    symbols = [token for piece in pieces for token in piece]
    joined = np.full(len(symbols), NEVER, np.int64)
    firings: list[Firing] = []
    left = len(symbols)
    written = vocabulary.written
    # heapq.merge takes the smallest of the streams' heads: the order within each piece is kept.
    for number, place, glued in heapq.merge(*streams, key=lambda entry: entry[:2]):
        places = 1
        left -= 1
        if firings and firings[-1].merge == number + 1:
            places += firings.pop().places
        parts = written[glued.left], written[glued.right], written[glued.made]
        firings.append(Firing(number + 1, *parts, glued.made, places, left))
        joined[place - 1] = len(firings) - 1
    start = Tokens(text, tuple(symbols), text)
    draft = Replay(start, tuple(firings), joined, start)
    tokens = draft.stage(len(firings))
    return Replay(start, tuple(firings), joined, Tokens(text, tokens, ""))


_VOCABULARIES: weakref.WeakKeyDictionary[MergeTrace, MergeVocabulary] = weakref.WeakKeyDictionary()


def vocabulary(trace: MergeTrace) -> MergeVocabulary:
    """The finished vocabulary of a training; made once for each trace."""
    known = _VOCABULARIES.get(trace)
    if known is None:
        written = written_tokens(trace)
        size = len(trace.alphabet)
        merges = {(a, b): (i, size + i) for i, (a, b) in enumerate(trace.pairs.tolist())}
        ids = {token: i for i, token in enumerate(written)}
        known = _VOCABULARIES[trace] = MergeVocabulary(ids, merges, written)
    return known


def symbols(trace: MergeTrace, text: str) -> tuple[str, list[list[Token]]]:
    """The normalised text, and its pieces in symbols of the alphabet; what is not in it is unknown."""
    settings = trace.settings
    text = pretokenise.normalise(text, settings.normalisation, lower=settings.lower)
    pretokenise.check_words(text, settings.split)
    pieces = pretokenise.placed_pieces(text, settings.split)
    if settings.split == "words":
        # One space stands for any white space: that is what decoding gives back.
        words = [word for word, _ in pieces]
        starts = np.concatenate([[0], np.cumsum([len(word) + 1 for word in words])]).tolist()
        pieces, text = list(zip(words, starts, strict=False)), " ".join(words)
    return text, [_piece(trace, word, start, number) for number, (word, start) in enumerate(pieces)]


def _piece(trace: MergeTrace, word: str, start: int, number: int) -> list[Token]:
    ids, settings = vocabulary(trace).ids, trace.settings
    letters: list[tuple[str, bytes, int]] = []
    for place, character in enumerate(word, start):
        if settings.unit == "bytes":
            data = character.encode("utf-8")
            letters += [(pretokenise.byte_letters()[byte], bytes([byte]), place) for byte in data]
        else:
            letters.append((character, character.encode("utf-8"), place))
    if settings.split == "words":
        last, data, place = letters[-1]
        letters[-1] = (last + END_OF_WORD, data, place)
    return [
        Token(ids.get(w, -1), readable(data), w, data, place, place + 1, 0, w in ids, number)
        for w, data, place in letters
    ]


def replay(trace: MergeTrace, text: str, *, n: int | None = None) -> Replay:
    """Every merge that fires on a sentence, in order, with the vocabulary as it was after ``n`` merges.

    Raises
    ------
    Refused
        The sentence is longer than 2,000 characters, or holds half a character.
    """
    check_length(text)
    limit = trace.merges if n is None else n
    text, pieces = symbols(trace, text)
    unknown = len(trace.alphabet) + limit
    pieces = [[_with_id(token, unknown) for token in piece] for piece in pieces]
    played = replay_pieces(vocabulary(trace), text, pieces, limit)
    decoded = decode(trace, played.result.ids)
    return Replay(
        Tokens(text, played.symbols.tokens, text),
        played.firings,
        played.joined,
        Tokens(text, played.result.tokens, decoded),
    )


def check_length(text: str) -> None:
    """Refuse a text too long to be replayed step by step."""
    if len(text) > MAX_REPLAY:
        raise Refused(
            N_("The sentence has {count} characters; merges are replayed on up to {limit}."),
            count=len(text),
            limit=MAX_REPLAY,
        )


def _with_id(token: Token, unknown: int) -> Token:
    if token.known:
        return token
    return Token(unknown, token.text, token.written, token.raw, token.start, token.end, 0, False, token.word)


def encode(trace: MergeTrace, text: str, *, n: int | None = None) -> list[int]:
    """Token ids of a text of any length, after ``n`` merges (all of them by default).

    An unknown character, which only a vocabulary of characters can have, gets the id after the last one.
    """
    limit = trace.merges if n is None else n
    unknown = len(trace.alphabet) + limit
    table, settings = vocabulary(trace), trace.settings
    text = pretokenise.normalise(text, settings.normalisation, lower=settings.lower)
    pretokenise.check_words(text, settings.split)
    known: dict[str, list[int]] = {}
    ids: list[int] = []
    for word in pretokenise.pieces(text, settings.split):
        if word not in known:
            symbols = [token.id for token in _piece(trace, word, 0, 0)]
            known[word] = [i if i >= 0 else unknown for i in merge_piece(symbols, table.merges, limit)[1]]
        ids += known[word]
    return ids


def decode(trace: MergeTrace, ids: Iterable[int]) -> str:
    """The text that token ids stand for.

    With bytes and without words this undoes :func:`encode` for every text. Words at white space come back
    with one space between them; an unknown id, or bytes that are no characters, as "\ufffd".
    """
    written, settings = written_tokens(trace), trace.settings
    parts = []
    for i in ids:
        if not 0 <= i < len(written):
            parts.append(UNKNOWN_SIGN.encode())
            continue
        parts.append(raw(written[i], settings))
        if settings.split == "words" and written[i].endswith(END_OF_WORD):
            parts.append(b" ")
    whole = b"".join(parts).decode("utf-8", "replace")
    return whole.removesuffix(" ") if settings.split == "words" else whole
