"""A training, or the merges at work on a sentence, as a film that a browser can play by itself.

For a text of a few thousand symbols the film is small: the symbols, and for each the step that glues it to
its right neighbour. The tokens at any moment follow from these two rows, so that play, step, back and a
drag over all steps need no server. What is large, the pair counts of every moment, comes in a window of
moments around the present one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Int

from dlviz.language import unigram
from dlviz.language.bpe_moments import raw, shown, steps_between, written_tokens
from dlviz.language.results import (
    Firing,
    MergeTrace,
    Pair,
    Replay,
    Step,
    Token,
    UnigramRound,
    UnigramTrace,
    readable,
)

SYMBOLS = 1600
"""Symbols of the text that a film shows."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A token that a film shows: id, letters, bytes, its two parts (places among the entries, -1: none).

    ``merge`` is the number of the merge that makes it (0: none), ``count`` how often it was made in the
    whole text (or how often a symbol of the alphabet occurs; 0 where that is not known).
    """

    id: int
    text: str
    raw: bytes
    left: int
    right: int
    merge: int
    count: int
    known: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A pair of neighbours: its tokens' places among the entries, how often seen, and what that is worth."""

    left: int
    right: int
    count: int
    score: float


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of a training: its best pairs, and how the merge that led to it was won (None at moment 0).

    ``made`` is the entry that the merge makes, ``formed`` how often, ``tied`` how many pairs were equally
    good.
    """

    n: int
    pairs: tuple[Row, ...]
    distinct: int
    tokens: int
    winner: Row | None
    runner_up: Row | None
    made: int
    formed: int
    tied: int


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A text and every step of its tokens.

    Attributes
    ----------
    entries
        The tokens that occur in it, at any step.
    symbols
        The text before the first step, as places in ``entries``.
    joined
        The step (from 0) that glues each symbol to the next one; ``NEVER`` if none does.
    made_step, made
        For the steps that touch this text: their numbers, and the entry that each makes.
    words
        Where each word begins.
    gap
        Whether white space between words was left out.
    steps
        Number of steps.
    moments
        The window with pair counts: consecutive moments.
    """

    entries: tuple[Entry, ...]
    symbols: Int[np.ndarray, " symbol"]
    joined: Int[np.ndarray, " symbol"]
    made_step: Int[np.ndarray, " made"]
    made: Int[np.ndarray, " made"]
    words: Int[np.ndarray, " word"]
    gap: bool
    steps: int
    moments: tuple[Moment, ...]


class _Cast:
    """Collects the tokens that a film shows, their parts with them, and gives each its place."""

    def __init__(self, trace: MergeTrace) -> None:
        self.trace = trace
        self.written = written_tokens(trace)
        self.entries: list[Entry] = []
        self._place: dict[int, int] = {}

    def place(self, token: int) -> int:
        """The place of a token id among the entries."""
        if token not in self._place:
            alphabet = len(self.trace.alphabet)
            merge = max(0, token - alphabet + 1)
            left = right = -1
            count = int(self.trace.formed[merge - 1] if merge else self.trace.alphabet_count[token])
            if merge:
                left, right = (self.place(part) for part in self.trace.pairs[merge - 1].tolist())
            written, settings = self.written[token], self.trace.settings
            self._place[token] = len(self.entries)
            text, data = shown(written, settings), raw(written, settings)
            self.entries.append(Entry(token, text, data, left, right, merge, count, True))
        return self._place[token]

    def row(self, pair: Pair | None) -> Row | None:
        """A pair whose tokens are among the entries."""
        if pair is None:
            return None
        return Row(self.place(pair.left), self.place(pair.right), pair.count, pair.score)


def film(trace: MergeTrace, first: int, last: int, *, top: int = 10, symbols: int = SYMBOLS) -> Film:
    """The film of a training, with the pair counts of the moments ``first`` to ``last``.

    Parameters
    ----------
    trace
        From :func:`dlviz.language.bpe.train`.
    first, last
        Window of moments, 0 to ``trace.merges``; what lies outside is left out.
    top
        Pairs a moment.
    symbols
        Length of the text's beginning that is shown.
    """
    cast = _Cast(trace)
    chosen, words = _beginning(trace, symbols)
    joined = trace.joined[chosen].astype(np.int64)
    steps = np.unique(joined[joined < trace.merges])
    window = max(0, first), min(last, trace.merges)
    moments = tuple(_moment(cast, now) for now in steps_between(trace, *window, top=top))
    starts = np.array([cast.place(token) for token in trace.symbols[chosen].tolist()], np.int32)
    made = np.array([cast.place(len(trace.alphabet) + k) for k in steps.tolist()], np.int32)
    gap = trace.settings.split in ("words", "bert")
    return Film(tuple(cast.entries), starts, joined, steps, made, words, gap, trace.merges, moments)


def _beginning(trace: MergeTrace, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of the symbols that are shown, and where each word begins among them."""
    parts: list[np.ndarray] = []
    words: list[int] = []
    size = 0
    for word in trace.excerpt_words.tolist():
        if size >= limit:
            break
        start, end = trace.word_offset[word : word + 2].tolist()
        parts.append(np.arange(start, min(end, start + limit - size)))
        words.append(size)
        size += len(parts[-1])
    return np.concatenate(parts), np.array(words, np.int32)


def _moment(cast: _Cast, now: Step) -> Moment:
    return Moment(
        now.n,
        tuple(row for pair in now.after.pairs if (row := cast.row(pair)) is not None),
        now.after.distinct,
        now.tokens_after,
        cast.row(now.winner),
        cast.row(now.runner_up),
        cast.place(now.new_id) if now.new_id >= 0 else -1,
        now.formed,
        now.tied,
    )


def replay_film(replay: Replay) -> Film:
    """The film of the merges that fire on a sentence; step ``k`` is the ``k``-th merge that fires."""
    cast = _SentenceCast(replay)
    symbols = np.array([cast.symbol(token) for token in replay.symbols.tokens], np.int32)
    made = np.array([cast.made(firing) for firing in replay.firings], np.int32)
    tokens = replay.symbols.tokens
    starts = [i for i, token in enumerate(tokens) if i == 0 or token.word != tokens[i - 1].word]
    gap = any(right.start > left.end for left, right in pairwise(tokens))
    moments = [Moment(0, (), 0, len(tokens), None, None, -1, 0, 0)]
    for k, firing in enumerate(replay.firings, 1):
        row = Row(cast.known(firing.left), cast.known(firing.right), firing.places, float(firing.merge))
        moments.append(Moment(k, (), 0, firing.tokens_after, row, None, int(made[k - 1]), firing.places, 1))
    return Film(
        tuple(cast.entries),
        symbols,
        replay.joined.astype(np.int64),
        np.arange(len(made)),
        made,
        np.array(starts, np.int32),
        gap,
        len(made),
        tuple(moments),
    )


class _SentenceCast:
    """Collects the tokens of a sentence; an unknown character is an entry of its own wherever it stands."""

    def __init__(self, replay: Replay) -> None:
        self.entries: list[Entry] = []
        self._place: dict[str, int] = {}

    def symbol(self, token: Token) -> int:
        """The place of a symbol before the first merge."""
        if token.known and token.written in self._place:
            return self._place[token.written]
        place = len(self.entries)
        if token.known:
            self._place[token.written] = place
        self.entries.append(Entry(token.id, token.text, token.raw, -1, -1, token.merge, 0, token.known))
        return place

    def known(self, written: str) -> int:
        """The place of a token that has been seen before, as the vocabulary writes it."""
        return self._place[written]

    def made(self, firing: Firing) -> int:
        """The place of what a merge makes."""
        if firing.made not in self._place:
            left, right = self._place[firing.left], self._place[firing.right]
            data = self.entries[left].raw + self.entries[right].raw
            self._place[firing.made] = len(self.entries)
            text = readable(data)
            self.entries.append(Entry(firing.made_id, text, data, left, right, firing.merge, 0, True))
        return self._place[firing.made]


@dataclass(frozen=True, slots=True)
class PieceRow:
    """A piece of a Unigram vocabulary: its entry, what it is worth in nats, whether it is pruned."""

    entry: int
    loss: float
    pruned: bool


@dataclass(frozen=True, slots=True)
class PieceRound:
    """One round of Unigram: the text in pieces, and the pieces around the cut, least missed first."""

    tokens: tuple[int, ...]
    words: tuple[int, ...]
    rows: tuple[PieceRow, ...]
    pieces: int
    pruned: int
    whole: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class PieceFilm:
    """The rounds of a Unigram training on the beginning of its text.

    ``whole`` of a round counts the tokens of the whole text; ``before`` and ``after`` are its negative
    log-likelihoods, in nats, before and after the round's EM steps.
    """

    entries: tuple[Entry, ...]
    rounds: tuple[PieceRound, ...]
    text: str


def piece_film(trace: UnigramTrace, *, symbols: int = 700, top: int = 8) -> PieceFilm:
    """The film of a Unigram training: each of its rounds at work on the text's beginning.

    Parameters
    ----------
    trace
        From :func:`dlviz.language.unigram.train`.
    symbols
        Characters of the text's beginning that are shown.
    top
        Pieces around the cut between going and staying.
    """
    cast = _PieceCast()
    beginning = trace.excerpt[:symbols]
    rounds = tuple(
        _piece_round(cast, one, unigram.tokenise(trace, beginning, round_number=number).tokens, top)
        for number, one in enumerate(trace.rounds)
    )
    return PieceFilm(tuple(cast.entries), rounds, beginning)


class _PieceCast:
    """Collects the pieces that are shown."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._place: dict[str, int] = {}

    def place(self, piece: str, known: bool = True) -> int:
        """The place of a piece among the entries."""
        if piece not in self._place:
            number = self._place[piece] = len(self.entries)
            letters = piece.replace(unigram.SPACE, " ")
            self.entries.append(Entry(number, letters, letters.encode("utf-8"), -1, -1, 0, 0, known))
        return self._place[piece]


def _piece_round(cast: _PieceCast, one: UnigramRound, tokens: Sequence[Token], top: int) -> PieceRound:
    likelihood = one.negative_log_likelihood
    return PieceRound(
        tokens=tuple(cast.place(token.written, token.known) for token in tokens),
        words=tuple(i for i, token in enumerate(tokens) if not i or token.word != tokens[i - 1].word),
        rows=tuple(
            PieceRow(cast.place(one.pieces[i]), max(0.0, float(one.loss[i])), bool(one.pruned[i]))
            for i in _at_the_cut(one, top)
        ),
        pieces=len(one.pieces),
        pruned=int(one.pruned.sum()),
        whole=one.tokens,
        before=float(likelihood[0]),
        after=float(likelihood[-1]),
    )


def _at_the_cut(one: UnigramRound, top: int) -> list[int]:
    """The last pieces that go and the first that stay; single characters always stay and are left out."""
    order = [i for i in np.argsort(one.loss, kind="stable").tolist() if len(one.pieces[i]) > 1]
    order.sort(key=lambda i: not one.pruned[i])
    cut = int(one.pruned.sum())
    first = max(0, cut - top // 2)
    return order[first : first + top]
