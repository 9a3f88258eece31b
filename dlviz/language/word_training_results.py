"""What training word vectors returns, and what it is told: frozen arrays and words. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

Method = Literal["skip-gram", "cbow"]


@dataclass(frozen=True, slots=True)
class WordSettings:
    """How word vectors are trained.

    Attributes
    ----------
    method
        ``"skip-gram"``: each word foretells the words around it. ``"cbow"``: the mean of the words around foretells
        the word.
    dimensions
        Numbers a vector, 2 to 300.
    window
        The furthest neighbour, in words, 1 to 15; the window is drawn anew at every word, from 1 to this.
    negatives
        Words that were not there, for each that was, 1 to 20.
    subsampling
        The threshold ``t``: a word of relative frequency ``f`` above it is left out at random; 0 leaves none out.
    epochs
        Times that the text is read, 1 to 50.
    min_count
        Rarer words are left out altogether, 1 to 100.
    alpha, min_alpha
        Learning rate at the start and at the end; it falls linearly.
    seed
        Of the first vectors, the words left out, the windows and the negatives.
    """

    method: Method = "skip-gram"
    dimensions: int = 50
    window: int = 5
    negatives: int = 5
    subsampling: float = 1e-3
    epochs: int = 10
    min_count: int = 5
    alpha: float = 0.05
    min_alpha: float = 0.0001
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """A text as numbers: every word by its row in the vocabulary.

    Attributes
    ----------
    words, counts
        The vocabulary, the most frequent word first, and how often each is used.
    tokens
        The text, sentence after sentence; words outside the vocabulary are gone.
    starts
        Where each sentence begins in ``tokens``, and where the last one ends.
    read, distinct
        Running words and different words of the text before the rare ones were left out.
    cut
        Words frequent enough for the vocabulary that had no room in it.
    """

    words: tuple[str, ...]
    counts: Int[np.ndarray, " word"]
    tokens: Int[np.ndarray, " token"]
    starts: Int[np.ndarray, " sentence_and_one"]
    read: int
    distinct: int
    cut: int = 0

    @property
    def sentences(self) -> int:
        """How many."""
        return len(self.starts) - 1

    def sentence(self, number: int) -> Int[np.ndarray, " token"]:
        """The words of one sentence, by row."""
        return self.tokens[self.starts[number] : self.starts[number + 1]]


@dataclass(frozen=True, slots=True, eq=False)
class WordFrame:
    """A moment of the training.

    Attributes
    ----------
    done, total
        Running words read so far, and to read in all epochs.
    epochs, losses
        After so many epochs, the mean loss a pair since the point before (negative sampling, in nats).
    words_per_second
        Running words read each second so far.
    words, positions
        The words on the map and the first two principal components of their directions, turned so that they lie as
        near as they can to the frame before: what moves is the embedding, not the camera.
    frequencies
        How often each word on the map is used.
    watched, near, cosine
        The watched words, the nearest words of each, and their cosines.
    """

    done: int
    total: int
    epochs: Float[np.ndarray, " moment"]
    losses: Float[np.ndarray, " moment"]
    words_per_second: float
    words: tuple[str, ...]
    positions: Float[np.ndarray, "word 2"]
    frequencies: Int[np.ndarray, " word"]
    watched: tuple[str, ...]
    near: tuple[tuple[str, ...], ...]
    cosine: Float[np.ndarray, "watched near"]


@dataclass(frozen=True, slots=True, eq=False)
class TrainedWords:
    """Word vectors trained on a text.

    Attributes
    ----------
    words, matrix, counts
        The most frequent word first, its float32 vector, and how often it is used.
    settings
        How they were trained.
    frame
        The last moment of the training.
    read, distinct, used
        Running words and different words of the text, and running words that are in the vocabulary.
    cut
        Words frequent enough for the vocabulary that had no room in it.
    unknown
        Watched words that the vocabulary does not hold.
    seconds
        Time it took, the reading of the text included.
    """

    words: tuple[str, ...]
    matrix: Float[np.ndarray, "word dimension"]
    counts: Int[np.ndarray, " word"]
    settings: WordSettings
    frame: WordFrame
    read: int
    distinct: int
    used: int
    cut: int
    unknown: tuple[str, ...]
    seconds: float
