r"""A text made ready for word2vec: a vocabulary, and the text as numbers; what is drawn from it, and how likely.

Word2vec reads a text thinned out twice. Words used less than a few times go altogether: there is too little to learn
about them. Words used very often go now and then: *the* says little about its neighbours, and leaving it out brings
the others nearer to each other. A word of relative frequency :math:`f` is kept with the probability

.. math:: \min\Bigl(1,\ \sqrt{t / f} + t / f\Bigr)

(word2vec's own code, and gensim's; Mikolov et al. 2013b print :math:`\sqrt{t / f}`).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language.word_tokens import Language, sentences
from dlviz.language.word_training_results import Corpus

MAX_CHARACTERS = 20 << 20
MAX_WORDS = 50_000
"""Words of a vocabulary; of a text that uses more, the most frequent ones."""

LEAST_WORDS = 20
"""Different words that a training needs: among fewer there is nothing to be near to."""

LEAST_TOKENS = 100
"""Running words that a training needs."""

NOISE_POWER = 0.75

_STRETCH = 200_000
"""Characters read between two reports: a tenth of a second."""

_LONGEST = 1000
"""Words of a sentence, as in word2vec; a text without full stops is cut there."""

# fmt: off
_FREQUENT = {
    "en": ("the", "and", "of", "to", "that", "was", "with", "his", "her", "for", "it", "not", "had", "you", "she", "him",
           "which", "but", "this", "have"),
    "fr": ("le", "les", "des", "et", "que", "la", "une", "dans", "qui", "il", "pas", "pour", "sur", "elle", "au", "ce",
           "avec", "ne", "du", "est"),
}
# fmt: on


def guess(text: str) -> Language:
    """Whether a text is French or English, by its small words; English where it is neither."""
    seen = Counter(text[:200_000].lower().split())
    count = {language: sum(seen[word] for word in words) for language, words in _FREQUENT.items()}
    return "fr" if count["fr"] > count["en"] else "en"


def corpus(text: str, language: Language, min_count: int = 1) -> Corpus:
    """The vocabulary of a text, and the text in it.

    Parameters
    ----------
    text
        At most 20 MB.
    language
        Whose words: what an apostrophe or a hyphen glues on is cut off as in English or in French.
    min_count
        Words used less often are left out.

    Raises
    ------
    Refused
        The text is too long, or none of its words is used so often.
    """
    reading = Reading(language)
    for _ in reading.read(text):
        pass
    return reading.corpus(min_count)


class Reading:
    """Reads a text a stretch at a time: what a page can tell the progress of."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._index: dict[str, int] = {}
        self._tokens = array("i")
        self._starts = array("q", [0])

    def read(self, text: str) -> Iterator[int]:
        """Read; what is yielded is the number of characters read so far."""
        if len(text) > MAX_CHARACTERS:
            raise Refused(
                N_("The text has {count} characters; at most {limit} can be read here."),
                count=len(text),
                limit=MAX_CHARACTERS,
            )
        first = 0
        while first < len(text):
            last = _pause(text, first + _STRETCH)
            self._take(text[first:last])
            first = last
            yield first

    def _take(self, text: str) -> None:
        index, tokens, starts = self._index, self._tokens, self._starts
        for sentence in sentences(text, self._language):
            for begin in range(0, len(sentence), _LONGEST):
                part = sentence[begin : begin + _LONGEST]
                tokens.extend([index.setdefault(word, len(index)) for word in part])
                starts.append(len(tokens))

    def corpus(self, min_count: int, most: int | None = None) -> Corpus:
        """The frequent words, ``most`` of them at most, the most frequent first, and the text in them.

        Raises
        ------
        Refused
            There is none.
        """
        if not self._index:
            raise Refused(
                N_("There are no words in this text: figures and punctuation have no vectors here.")
            )
        seen = np.frombuffer(self._tokens, np.int32)
        counts = np.bincount(seen, minlength=len(self._index))
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] >= min_count]
        frequent, order = len(order), order[: MAX_WORDS if most is None else most]
        if not len(order):
            raise Refused(
                N_(
                    "No word of this text is used {least} times. Lower the minimum count, or bring a longer text."
                ),
                least=min_count,
            )
        rows = np.full(len(counts), -1, np.int32)
        rows[order] = np.arange(len(order), dtype=np.int32)
        tokens = rows[seen]
        kept = np.concatenate([[0], np.cumsum(tokens >= 0)])
        starts = np.unique(kept[np.frombuffer(self._starts, np.int64)])
        names = list(self._index)
        return Corpus(
            words=tuple(names[i] for i in order),
            counts=counts[order].astype(np.int64),
            tokens=tokens[tokens >= 0],
            starts=starts.astype(np.int64),
            read=len(seen),
            distinct=len(counts),
            cut=frequent - len(order),
        )


def _pause(text: str, after: int) -> int:
    """Where a line ends after a place, or else a word: no word is cut in two."""
    for end in ("\n", " "):
        place = text.find(end, after, after + _STRETCH)
        if place >= 0:
            return place + 1
    return min(len(text), after + _STRETCH)


def keep_probability(counts: Int[np.ndarray, " word"], threshold: float) -> Float[np.ndarray, " word"]:
    """How likely each word is to stay in the text when frequent ones are thinned out; 1 for a threshold of 0."""
    if not threshold:
        return np.ones(len(counts))
    ratio = threshold * counts.sum() / counts
    return np.minimum(1.0, np.sqrt(ratio) + ratio)


def noise(counts: Int[np.ndarray, " word"]) -> Float[np.ndarray, " word"]:
    r"""How likely each word is to be drawn as a negative: :math:`P_n(w) \propto U(w)^{3/4}`, the course's choice.

    The power lifts rare words: one that is used 10,000 times less is drawn only 1,000 times less.
    """
    powers = counts.astype(np.float64) ** NOISE_POWER
    drawn: Float[np.ndarray, " word"] = powers / powers.sum()
    return drawn
