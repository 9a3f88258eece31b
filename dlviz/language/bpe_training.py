r"""Learning merges: count all pairs, glue the best one everywhere, repeat (Sennrich et al. 2016).

The naive algorithm counts every pair afresh for each merge. Here a merge touches only the places where its
pair stands: the text is a linked list over arrays, every place knows the number of the pair that begins
there (``pair_at``), and a pair's count changes only where a neighbour was glued. The best pair comes from a
heap whose entries are checked when they surface, because counts only ever fall after a pair is born: all
places of a pair ``(x, new)`` arise in the one merge that makes ``new``.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

from dlviz.language.bpe_corpus import Corpus
from dlviz.language.results import NEVER, MergeSettings, PairLog


class PairIndex:
    """The text under training, and where each pair of neighbours stands in it.

    Pairs are numbered in the order of their birth; ``left``, ``right``, ``count``, ``first`` (the place
    where it was first seen when it was born) and ``where`` (batch, start and end of its places) are read by
    that number.
    """

    def __init__(self, corpus: Corpus) -> None:
        total = len(corpus.symbols)
        self.token = corpus.symbols.copy()
        self.joined = np.full(total, NEVER, np.int32)
        lengths = np.diff(corpus.word_offset)
        # At most as many symbols as a text of 10 MB has bytes: 32 bits are enough, and half the memory.
        self.weight = np.repeat(corpus.word_count.astype(np.int32), lengths)
        self.following = np.arange(1, total + 1, dtype=np.int32)
        self.following[corpus.word_offset[1:] - 1] = -1
        self.previous = np.arange(-1, total - 1, dtype=np.int32)
        self.previous[corpus.word_offset[:-1]] = -1
        self.pair_at = np.full(total, -1, np.int32)
        self.left = np.empty(0, np.int32)
        self.right = np.empty(0, np.int32)
        self.count = np.empty(0, np.int64)
        self.where = np.empty((0, 3), np.int32)
        self.first = np.empty(0, np.int32)
        self.size = 0
        self._batches: list[np.ndarray] = []
        self.events: list[tuple[np.ndarray, np.ndarray]] = []
        starts = np.flatnonzero(self.following >= 0).astype(np.int32)
        born = self._bear(starts, self.token[starts], self.token[self.following[starts]])
        self._note(np.empty(0, np.int32), np.empty(0, np.int64), born)

    def places(self, pair: int) -> Int[np.ndarray, " place"]:
        """Where a pair begins, in the order of the text."""
        batch, start, end = self.where[pair].tolist()
        found = self._batches[batch][start:end]
        return found[self.pair_at[found] == pair]

    def merge(self, pair: int, number: int, new: int) -> tuple[range, int]:
        """Glue a pair into the token ``new`` wherever it stands; returns the pairs born and how many places.

        ``number`` is the merge's index, remembered in ``joined``.
        """
        first = self.places(pair)
        if self.left[pair] == self.right[pair]:
            first = _without_overlaps(first, self.following)
        second = self.following[first]
        after = self.following[second]
        followed = after >= 0
        # Each place that loses its pair is counted once: the left neighbour of one place may be the second
        # half of another, whose pair has gone by then.
        dying = [self._bury(first), self._bury(second[followed])]
        before = self.previous[first]
        before = before[before >= 0]
        before = before[self.pair_at[before] >= 0]
        dying.append(self._bury(before))
        self.following[first] = after
        self.previous[after[followed]] = first[followed]
        self.token[first] = new
        self.joined[second - 1] = number
        starts = np.concatenate([first[followed], before])
        born = self._bear(starts, self.token[starts], self.token[self.following[starts]])
        pairs = np.concatenate([pairs for pairs, _ in dying])
        weights = np.concatenate([weights for _, weights in dying])
        self._note(*_summed(pairs, weights), born)
        return born, int(self.weight[first].sum())

    def _bury(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take the pairs that begin at ``places`` away; returns their numbers and weights."""
        pairs = self.pair_at[places]
        self.pair_at[places] = -1
        return pairs, self.weight[places]

    def _bear(self, starts: np.ndarray, left: np.ndarray, right: np.ndarray) -> range:
        """Number the different pairs that begin at ``starts``, all of them new."""
        keys = (left.astype(np.int64) << 32) | right
        order = np.argsort(keys, kind="stable")
        keys, starts = keys[order], starts[order]
        heads = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else order
        born = range(self.size, self.size + len(heads))
        self._grow(born.stop)
        kinds = keys[heads]
        self.left[born.start : born.stop] = kinds >> 32
        self.right[born.start : born.stop] = kinds & 0xFFFFFFFF
        if len(heads):
            self.count[born.start : born.stop] = np.add.reduceat(self.weight[starts], heads)
        ends = np.concatenate([heads[1:], [len(keys)]])
        self.pair_at[starts] = np.repeat(np.arange(born.start, born.stop, dtype=np.int32), ends - heads)
        self.where[born.start : born.stop, 0] = len(self._batches)
        self.where[born.start : born.stop, 1] = heads
        self.where[born.start : born.stop, 2] = ends
        self.first[born.start : born.stop] = starts[heads]
        self._batches.append(starts)
        self.size = born.stop
        return born

    def _grow(self, size: int) -> None:
        if size > len(self.count):
            room = max(size, 2 * len(self.count))
            for name in ("left", "right", "count", "where", "first"):
                old = getattr(self, name)
                new = np.zeros((room, *old.shape[1:]), old.dtype)
                new[: len(old)] = old
                setattr(self, name, new)

    def _note(self, pairs: np.ndarray, weights: np.ndarray, born: range) -> None:
        self.count[pairs] -= weights
        new = np.arange(born.start, born.stop, dtype=np.int32)
        self.events.append(
            (np.concatenate([pairs, new]), np.concatenate([-weights, self.count[born.start : born.stop]]))
        )

    def log(self) -> PairLog:
        """Every change of every count so far."""
        sizes = [len(pairs) for pairs, _ in self.events]
        return PairLog(
            self.left[: self.size].copy(),
            self.right[: self.size].copy(),
            np.concatenate([pairs for pairs, _ in self.events]).astype(np.int32),
            np.concatenate([change for _, change in self.events]).astype(np.int32),
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        )


def _without_overlaps(first: np.ndarray, following: np.ndarray) -> np.ndarray:
    """Of places ``a a a`` that share a symbol, every second one, from the left."""
    if len(first) < 2:
        return first
    chained = np.concatenate([[False], following[first[:-1]] == first[1:]])
    place = np.arange(len(first))
    run_start = np.maximum.accumulate(np.where(chained, 0, place))
    return first[(place - run_start) % 2 == 0]


def _summed(pairs: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights summed by pair."""
    order = np.argsort(pairs, kind="stable")
    pairs, weights = pairs[order], weights[order]
    heads = np.flatnonzero(np.concatenate([[True], pairs[1:] != pairs[:-1]]))
    return pairs[heads], np.add.reduceat(weights, heads)


class MostFrequent:
    """BPE's choice: the pair with the largest count, from a heap that forgives old entries."""

    def __init__(self, index: PairIndex, settings: MergeSettings) -> None:
        self.index = index
        self.settings = settings
        self._heap: list[tuple[int, int, int]] = []
        self.add(range(index.size))

    def add(self, born: range) -> None:
        """Take new pairs into account, but not those seen too rarely: counts only fall."""
        index = self.index
        pairs = born.start + np.flatnonzero(index.count[born.start : born.stop] >= self.settings.min_count)
        ties = index.first[pairs].astype(np.int64)
        if self.settings.tie_break == "ids":
            ties = (index.left[pairs].astype(np.int64) << 32) | index.right[pairs]
        for entry in zip((-index.count[pairs]).tolist(), ties.tolist(), pairs.tolist(), strict=True):
            heapq.heappush(self._heap, entry)

    def best(self) -> int | None:
        """The best pair, taken out; None if there is none."""
        pair = self.second()
        if pair is not None:
            heapq.heappop(self._heap)
        return pair

    def second(self) -> int | None:
        """The best pair that is left, not taken out."""
        while self._heap:
            claimed, _, pair = self._heap[0]
            count = int(self.index.count[pair])
            if count == -claimed:
                return pair
            if count >= self.settings.min_count:
                heapq.heapreplace(self._heap, (-count, self._tie(pair), pair))
            else:
                heapq.heappop(self._heap)
        return None

    def score(self, pair: int) -> float:
        """What the choice goes by."""
        return float(self.index.count[pair])

    def merged(self, pair: int, new: int, formed: int) -> None:
        """Counts are all that matters here, and the index keeps them."""

    def _tie(self, pair: int) -> int:
        if self.settings.tie_break == "ids":
            return (int(self.index.left[pair]) << 32) | int(self.index.right[pair])
        return int(self.index.places(pair)[0])


class MostBound:
    r"""WordPiece's choice: the pair whose parts are least seen without each other.

    $$ \mathrm{score}(a, b) = \frac{\mathrm{count}(ab)}{\mathrm{count}(a) \, \mathrm{count}(b)} $$

    (Schuster and Nakajima 2012 choose by likelihood; this ratio is how the Hugging Face course states it.)
    Of equal scores the settings' tie-break chooses. A merge changes the scores of all
    pairs that share a part with it, so all are computed afresh, as one array.
    """

    def __init__(self, index: PairIndex, settings: MergeSettings, alphabet: int) -> None:
        self.index = index
        self.settings = settings
        counts = np.bincount(index.token, weights=index.weight, minlength=alphabet)
        room = max(0, settings.vocabulary_size - alphabet)
        self._token_count = np.concatenate([counts, np.zeros(room)])
        self._alive = np.empty(0, np.int64)
        self.add(range(index.size))

    def add(self, born: range) -> None:
        """Take new pairs into account."""
        alive = np.concatenate([self._alive, np.arange(born.start, born.stop)])
        self._alive = alive[self.index.count[alive] >= self.settings.min_count]

    def best(self) -> int | None:
        """The best pair, taken out; None if there is none."""
        pair = self.second()
        if pair is not None:
            self._alive = self._alive[self._alive != pair]
        return pair

    def second(self) -> int | None:
        """The best pair that is left, not taken out."""
        if not len(self._alive):
            return None
        scores = self._scores(self._alive)
        tied = self._alive[scores == scores.max()]
        return int(min(tied.tolist(), key=self._tie))

    def score(self, pair: int) -> float:
        """What the choice goes by."""
        return float(self._scores(np.array([pair]))[0])

    def merged(self, pair: int, new: int, formed: int) -> None:
        """The parts are seen less often now, their union for the first time."""
        self._token_count[self.index.left[pair]] -= formed
        self._token_count[self.index.right[pair]] -= formed
        self._token_count[new] = formed

    def _scores(self, pairs: np.ndarray) -> np.ndarray:
        parts = self._token_count[self.index.left[pairs]] * self._token_count[self.index.right[pairs]]
        return self.index.count[pairs] / parts

    def _tie(self, pair: int) -> int:
        if self.settings.tie_break == "ids":
            return (int(self.index.left[pair]) << 32) | int(self.index.right[pair])
        return int(self.index.places(pair)[0])


class Learnt:
    """The merges so far, one row each; :func:`learn` fills it."""

    def __init__(self) -> None:
        self.pairs: list[tuple[int, int]] = []
        self.counts: list[int] = []
        self.formed: list[int] = []
        self.scores: list[float] = []
        self.runner_up: list[tuple[int, int]] = []
        self.runner_up_count: list[int] = []
        self.runner_up_score: list[float] = []


def learn(
    index: PairIndex, choice: MostFrequent | MostBound, learnt: Learnt, alphabet: int, merges: int
) -> Iterator[int]:
    """Merge the best pair again and again, up to ``merges`` times; yields after each merge how many are done.

    1. Take the best pair. 2. Glue it everywhere. 3. Tell the choice which pairs are new.
    """
    for number in range(merges):
        pair = choice.best()
        if pair is None:
            return
        _remember(index, choice, learnt, pair)
        born, formed = index.merge(pair, number, alphabet + number)
        learnt.formed.append(formed)
        choice.merged(pair, alphabet + number, formed)
        choice.add(born)
        yield number + 1


def _remember(index: PairIndex, choice: MostFrequent | MostBound, learnt: Learnt, pair: int) -> None:
    second = choice.second()
    learnt.pairs.append((int(index.left[pair]), int(index.right[pair])))
    learnt.counts.append(int(index.count[pair]))
    learnt.scores.append(choice.score(pair))
    if second is None:
        learnt.runner_up.append((-1, -1))
        learnt.runner_up_count.append(0)
        learnt.runner_up_score.append(0.0)
        return
    learnt.runner_up.append((int(index.left[second]), int(index.right[second])))
    learnt.runner_up_count.append(int(index.count[second]))
    learnt.runner_up_score.append(choice.score(second))
