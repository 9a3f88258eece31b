"""Byte-pair encoding, one merge at a time: train, and look at any moment of the training.

>>> from dlviz.language import bpe
>>> trace = bpe.train("la souris rit sous la pluie", bpe.MergeSettings())
>>> [step.new_text for step in (bpe.step(trace, n) for n in (1, 2, 3, 4))]
['la', 'la ', 'so', 'sou']
"""

from __future__ import annotations

from time import perf_counter

import numpy as np

from dlviz.errors import Refused
from dlviz.events import Progress, Result, Work
from dlviz.i18n import N_
from dlviz.language import bpe_corpus
from dlviz.language.bpe_corpus import Corpus
from dlviz.language.bpe_encoding import decode, encode, replay
from dlviz.language.bpe_moments import curves, excerpt, frequencies, step, tree, written_tokens
from dlviz.language.bpe_training import Learnt, MostBound, MostFrequent, PairIndex, learn
from dlviz.language.results import MergeSettings, MergeTrace

__all__ = [
    "MAX_VOCABULARY",
    "MergeSettings",
    "MergeTrace",
    "curves",
    "decode",
    "encode",
    "excerpt",
    "frequencies",
    "replay",
    "step",
    "train",
    "train_steps",
    "tree",
    "written_tokens",
]

MAX_VOCABULARY = 32_000
_BREATH = 0.03
"""Seconds of merging between two reports."""


def train(text: str, settings: MergeSettings) -> MergeTrace:
    """Learn merges from a text, and keep the whole way there.

    Parameters
    ----------
    text
        What to learn from, up to 10 MB.
    settings
        What a symbol is, which borders hold, how many merges, and who wins a tie.

    Raises
    ------
    Refused
        The text is empty or cannot be read so, or the vocabulary is too small for the text's alphabet.
    """
    *_, last = train_steps(text, settings)
    assert isinstance(last, Result) and isinstance(last.value, MergeTrace)
    return last.value


def train_steps(text: str, settings: MergeSettings) -> Work:
    """The same as :func:`train`, as work for the jobs room: it reports progress and ends with the trace."""
    _check(settings)
    corpus = None
    for state in bpe_corpus.read(text, settings):
        if isinstance(state, Corpus):
            corpus = state
        else:
            yield Progress(0, settings.vocabulary_size)
    assert corpus is not None
    merges = _room(corpus, settings)
    index = PairIndex(corpus)
    yield Progress(0, merges)
    wordpiece = settings.algorithm == "wordpiece"
    choice = MostBound(index, settings, len(corpus.alphabet)) if wordpiece else MostFrequent(index, settings)
    learnt = Learnt()
    told = perf_counter()
    for done in learn(index, choice, learnt, len(corpus.alphabet), merges):
        if perf_counter() - told > _BREATH:
            yield Progress(done, merges)
            told = perf_counter()
    yield Result(_trace(settings, corpus, index, learnt, merges))


def _check(settings: MergeSettings) -> None:
    if not 1 <= settings.vocabulary_size <= MAX_VOCABULARY:
        raise Refused(
            N_("A vocabulary of {size} is not possible here: choose between 1 and {limit}."),
            size=settings.vocabulary_size,
            limit=MAX_VOCABULARY,
        )
    if settings.min_count < 1:
        raise Refused(N_("A pair must be seen at least once to be merged."))
    if settings.algorithm == "wordpiece" and (settings.split, settings.unit) != ("bert", "characters"):
        raise ValueError("WordPiece starts from characters of words split as BERT does.")


def _room(corpus: Corpus, settings: MergeSettings) -> int:
    room = settings.vocabulary_size - len(corpus.alphabet)
    if room < 0:
        raise Refused(
            N_("The text's alphabet alone has {count} symbols: a vocabulary of {size} cannot hold it."),
            count=len(corpus.alphabet),
            size=settings.vocabulary_size,
        )
    return room


def _trace(
    settings: MergeSettings, corpus: Corpus, index: PairIndex, learnt: Learnt, merges: int
) -> MergeTrace:
    weight = np.repeat(corpus.word_count, np.diff(corpus.word_offset))
    letters = np.bincount(corpus.symbols, weights=weight, minlength=len(corpus.alphabet)).astype(np.int64)
    formed = np.array(learnt.formed, np.int64)
    return MergeTrace(
        settings=settings,
        alphabet=corpus.alphabet,
        alphabet_count=letters,
        pairs=np.array(learnt.pairs, np.int32).reshape(-1, 2),
        pair_count=np.array(learnt.counts, np.int64),
        formed=formed,
        score=np.array(learnt.scores, np.float64),
        runner_up=np.array(learnt.runner_up, np.int32).reshape(-1, 2),
        runner_up_count=np.array(learnt.runner_up_count, np.int64),
        runner_up_score=np.array(learnt.runner_up_score, np.float64),
        tokens=letters.sum() - np.concatenate([[0], np.cumsum(formed)]),
        symbols=corpus.symbols,
        joined=index.joined,
        word_offset=corpus.word_offset,
        word_count=corpus.word_count,
        excerpt_words=corpus.excerpt_words,
        log=index.log(),
        characters=corpus.characters,
        text_bytes=corpus.text_bytes,
        words=corpus.words,
        stopped="size" if len(formed) == merges else "count",
    )
