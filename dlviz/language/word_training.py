r"""Word2vec trained on a text of one's own, and what can be seen while it learns.

Word vectors come from a wager: words that stand among the same words mean something alike. Each word foretells its
neighbours (skip-gram), or the neighbours foretell the word (CBOW), and the vectors are what the foretelling needs.
With negative sampling a pair of a hidden vector :math:`h` and a word :math:`o` that was there costs

.. math:: -\log \sigma(u_o \cdot h) - \sum_{i=1}^{k} \log \sigma(-u_{n_i} \cdot h),\qquad n_i \sim P_n

(Mikolov et al. 2013b; the course's formula 10, with its sign turned so that less is better). gensim trains.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result, Work
from dlviz.foundations.alignment import principal_plane
from dlviz.foundations.word2vec import Learner, nearest
from dlviz.i18n import N_
from dlviz.language.word_corpus import LEAST_TOKENS, LEAST_WORDS, MAX_WORDS, Reading, keep_probability
from dlviz.language.word_tokens import Language
from dlviz.language.word_training_results import Corpus, TrainedWords, WordFrame, WordSettings

if TYPE_CHECKING:
    from dlviz.language.word_vectors import WordVectors

FRAMES = 100
"""Pictures of a training, at most."""

MOST_WATCHED = 8

MAX_NUMBERS = 6_000_000
"""Numbers in all vectors, 24 MB: of a text with more words, the most frequent ones are learnt."""

_TOKENS = 30_000
"""Running words in one call of gensim: a part of a second, and few enough for its 32-bit sum of losses."""


def train(
    text: str,
    settings: WordSettings,
    language: Language = "en",
    watched: tuple[str, ...] = (),
    near: int = 6,
    shown: int = 250,
    frames: int = FRAMES,
) -> Work:
    """Train word vectors, live: for the process lane, since gensim's calls take longer than a job's step may.

    The same text and settings give the same vectors: one thread trains. Time grows linearly with the text, and so
    does memory: the text is held as one number a word.

    Parameters
    ----------
    text
        At most 20 MB.
    settings
        Of the training.
    language
        Whose words: what an apostrophe or a hyphen glues on is cut off as in English or in French.
    watched
        Words whose nearest ones each frame tells, eight at most; without any, some frequent long ones.
    near
        How many nearest words are told.
    shown
        Words on the map: the watched ones and the most frequent ones, small words such as *the* left out where
        there are enough others.
    frames
        Pictures, at most.

    Yields
    ------
    Progress
        Characters read, of those to read: once to find the vocabulary, then once in each epoch.
    Frame
        :class:`~dlviz.language.word_training_results.WordFrame`.
    Result
        :class:`~dlviz.language.word_training_results.TrainedWords`.

    Raises
    ------
    Refused
        The text holds too little to learn from, or a setting is out of its bounds.
    """
    started = time.perf_counter()
    check(settings)
    length, reading = len(text), Reading(language)
    for characters in reading.read(text):
        yield Progress(characters, length * (settings.epochs + 1))
    corpus = reading.corpus(settings.min_count, min(MAX_WORDS, MAX_NUMBERS // settings.dimensions))
    del text, reading
    check_corpus(corpus, settings)
    lesson = _Lesson(corpus, settings, watched, near, shown)
    yield Frame(lesson.frame())
    total, drawn = lesson.total, 0
    for first, last in _stretches(corpus, settings.epochs, max(1, min(_TOKENS, total // max(1, frames)))):
        lesson.read(first, last)
        yield Progress(
            length + int(length * lesson.done / len(corpus.tokens)), length * (settings.epochs + 1)
        )
        if lesson.done * frames // total > drawn:
            drawn = lesson.done * frames // total
            lesson.note()
            yield Frame(lesson.frame())
    yield Result(lesson.finished(time.perf_counter() - started))


def store(trained: TrainedWords) -> WordVectors:
    """The vectors as the rest of the laboratory asks them: for neighbours, analogies, maps and files."""
    # Imported here: it brings torch along, which the process that trains has no use for.
    from dlviz.language.word_vectors import WordVectors

    # A result is read-only, and torch wants to be able to write.
    return WordVectors(trained.words, trained.matrix.copy(), trained.counts)


def check(settings: WordSettings) -> None:
    """Raise what :func:`train` raises for a setting out of its bounds."""
    inside = (
        settings.method in ("skip-gram", "cbow")
        and 2 <= settings.dimensions <= 300
        and 1 <= settings.window <= 15
        and 1 <= settings.negatives <= 20
        and 0 <= settings.subsampling <= 1
        and 1 <= settings.epochs <= 50
        and 1 <= settings.min_count <= 100
        and 0 < settings.min_alpha <= settings.alpha <= 0.5
        and settings.seed >= 0
    )
    if not inside:
        raise Refused(N_("A setting of the training is out of its bounds."))


def check_corpus(corpus: Corpus, settings: WordSettings) -> None:
    """Raise what :func:`train` raises for a text that holds too little."""
    if len(corpus.words) < LEAST_WORDS:
        raise Refused(
            N_(
                "The text is too short to learn from: it has {words} different words, {count} of them used {least} times "
                "or more, and {needed} are needed. Lower the minimum count, or bring a longer text."
            ),
            words=corpus.distinct,
            count=len(corpus.words),
            least=settings.min_count,
            needed=LEAST_WORDS,
        )
    left = float(keep_probability(corpus.counts, settings.subsampling) @ corpus.counts)
    if left < LEAST_TOKENS:
        raise Refused(
            N_(
                "The text is too short to learn from: after thinning out there are {count} running words, and {needed} "
                "are needed. Bring a longer text, or choose a weaker subsampling."
            ),
            count=round(left),
            needed=LEAST_TOKENS,
        )


def _stretches(corpus: Corpus, epochs: int, step: int) -> Iterator[tuple[int, int]]:
    """First and last sentence of each part of about ``step`` words; no part crosses the end of an epoch."""
    wanted = np.arange(step, len(corpus.tokens) + step, step)
    ends = np.unique(np.minimum(np.searchsorted(corpus.starts, wanted), corpus.sentences))
    for _ in range(epochs):
        first = 0
        for last in ends[ends > 0].tolist():
            yield first, last
            first = last


class _Lesson:
    """A training at work: the text, the model, and what was seen so far."""

    def __init__(
        self, corpus: Corpus, settings: WordSettings, watched: Sequence[str], near: int, shown: int
    ) -> None:
        self._corpus, self._settings, self._near = corpus, settings, near
        self._learner = Learner(
            corpus.counts,
            dimensions=settings.dimensions,
            window=settings.window,
            negatives=settings.negatives,
            alpha=settings.alpha,
            min_alpha=settings.min_alpha,
            seed=settings.seed,
            cbow=settings.method == "cbow",
        )
        self._keep = keep_probability(corpus.counts, settings.subsampling)
        self._names = np.array(self._learner.names, dtype=object)
        self._random = np.random.default_rng(settings.seed)
        self._watched, self._unknown = _watched(corpus, watched)
        self._map = np.unique(np.concatenate([self._watched, _telling(corpus, shown)]))
        self._positions: Float[np.ndarray, "word 2"] | None = None
        self._epochs: list[float] = []
        self._losses: list[float] = []
        self._started = time.perf_counter()
        self.total, self.done = len(corpus.tokens) * settings.epochs, 0

    def read(self, first: int, last: int) -> None:
        """Learn from the sentences ``first`` to ``last - 1``, thinned out anew."""
        begin, end = (int(self._corpus.starts[i]) for i in (first, last))
        tokens = self._corpus.tokens[begin:end]
        stay = self._random.random(len(tokens)) < self._keep[tokens]
        left = np.concatenate([[0], np.cumsum(stay)])[self._corpus.starts[first : last + 1] - begin]
        words = self._names[tokens[stay]].tolist()
        sentences = [words[a:b] for a, b in zip(left[:-1].tolist(), left[1:].tolist(), strict=True)]
        before, self.done = self.done, self.done + len(tokens)
        self._learner.read(sentences, before / self.total, self.done / self.total)

    def note(self) -> None:
        """Write down the loss since the last note."""
        self._epochs.append(self.done / len(self._corpus.tokens))
        self._losses.append(self._learner.mean_loss())

    def frame(self) -> WordFrame:
        """The training at this moment."""
        vectors = self._learner.vectors()
        units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        self._positions = principal_plane(units[self._map], self._positions)
        near = nearest(units, self._watched, self._near)
        words = self._corpus.words
        return WordFrame(
            done=self.done,
            total=self.total,
            epochs=np.array(self._epochs),
            losses=np.array(self._losses),
            words_per_second=self.done / max(1e-9, time.perf_counter() - self._started),
            words=tuple(words[i] for i in self._map),
            positions=self._positions,
            frequencies=self._corpus.counts[self._map],
            watched=tuple(words[i] for i in self._watched),
            near=tuple(tuple(words[i] for i in row) for row in near.tolist()),
            cosine=np.einsum("ad,and->an", units[self._watched], units[near]),
        )

    def finished(self, seconds: float) -> TrainedWords:
        """The vectors, and how they came about."""
        corpus = self._corpus
        return TrainedWords(
            words=corpus.words,
            matrix=self._learner.vectors(),
            counts=corpus.counts,
            settings=self._settings,
            frame=self.frame(),
            read=corpus.read,
            distinct=corpus.distinct,
            used=len(corpus.tokens),
            cut=corpus.cut,
            unknown=self._unknown,
            seconds=seconds,
        )


def _telling(corpus: Corpus, count: int) -> Int[np.ndarray, " row"]:
    """The most frequent words for a map; of a large vocabulary without those that stand everywhere."""
    rows = np.arange(len(corpus.words))
    rare_enough = rows[keep_probability(corpus.counts, 1e-3) > 0.7]
    return (rare_enough if len(rare_enough) >= count else rows)[:count]


def _watched(corpus: Corpus, asked: Sequence[str]) -> tuple[Int[np.ndarray, " watched"], tuple[str, ...]]:
    """Rows of the watched words, and those that are not known; some frequent long words where none is known."""
    rows = {word: row for row, word in enumerate(corpus.words)}
    asked = list(dict.fromkeys(word.strip().lower() for word in asked if word.strip()))[:MOST_WATCHED]
    known = [rows[word] for word in asked if word in rows]
    if not known:
        long = [row for row, word in enumerate(corpus.words) if len(word) > 5]
        known = (long or list(range(len(corpus.words))))[:5]
    return np.array(known, np.int64), tuple(word for word in asked if word not in rows)
