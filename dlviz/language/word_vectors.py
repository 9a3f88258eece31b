r"""Word vectors: a store of words and vectors, and the questions one can ask it.

Every question comes down to cosines. With unit vectors $\hat u = u / \lVert u \rVert$, the nearest words of
$w$ are those with the largest $\hat u \cdot \hat w$; one product of the whole matrix with one vector answers it.

The store is a module of torch so that the zoo can hold it like any other model; the arithmetic is numpy's, on
the CPU, and gives the same numbers on every machine.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from rapidfuzz import process
from rapidfuzz.distance import OSA
from torch import Tensor, nn

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language import word_files
from dlviz.language.word_results import Neighbours, VectorTable

Vector = Float[np.ndarray, " dim"]

# No word is longer; a pasted text in the place of a word is not compared with every word there is.
MAX_WORD = 60
_TINY = np.finfo(np.float32).tiny


class WordVectors(nn.Module):
    """Words and their vectors, the most frequent word first.

    Parameters
    ----------
    words
        Distinct words.
    matrix
        A float32 vector a word, all finite.
    counts
        How often each word was seen in training; None where nobody knows.

    Attributes
    ----------
    words, matrix, counts
        As given; the arrays are read-only, and ``counts`` is empty where nobody knows.
    index
        Row of each word.
    lengths
        Euclidean length of each vector.
    weight
        The matrix as torch holds it, on the zoo's device.

    Raises
    ------
    ValueError
        Words, vectors and counts are not equally many, or a word comes twice.
    """

    weight: Tensor

    def __init__(
        self,
        words: Sequence[str],
        matrix: Float[np.ndarray, "word dim"],
        counts: Int[np.ndarray, " word"] | None = None,
    ) -> None:
        super().__init__()
        counts = np.zeros(0, np.int64) if counts is None else counts.astype(np.int64)
        if len(words) != len(matrix) or len(counts) not in (0, len(words)):
            raise ValueError(f"{len(words)} words, {len(matrix)} vectors and {len(counts)} counts")
        self.words = tuple(words)
        self.index: Mapping[str, int] = {word: row for row, word in enumerate(self.words)}
        if len(self.index) != len(self.words):
            raise ValueError("a word comes twice")
        own = np.ascontiguousarray(matrix, dtype=np.float32)
        self.register_buffer("weight", torch.from_numpy(own.copy() if own is matrix else own))
        self.matrix = self.weight.numpy()
        self.counts = counts
        squares = np.einsum("ij,ij->i", self.matrix, self.matrix, dtype=np.float64)
        self.lengths: Float[np.ndarray, " word"] = np.sqrt(squares).astype(np.float32)
        for array in (self.matrix, self.counts, self.lengths):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.words)

    @property
    def dimensions(self) -> int:
        """Numbers a vector."""
        return int(self.matrix.shape[1])

    def forward(self, rows: Int[Tensor, " word"]) -> Float[Tensor, "word dim"]:
        """The vectors of some rows: what an embedding layer does."""
        return self.weight[rows]

    def row(self, word: str) -> int:
        """Row of a word as written, else in lower case.

        Raises
        ------
        Refused
            There is no such word; the message names near spellings.
        """
        written = unicodedata.normalize("NFC", word.strip())
        for form in (word, written, written.lower()):
            if form in self.index:
                return self.index[form]
        raise _unknown(self, written)

    def rows(self, words: Sequence[str]) -> Int[np.ndarray, " word"]:
        """Rows of several words; raises as :meth:`row` does."""
        return np.array([self.row(word) for word in words], dtype=np.int64)

    def unit(self, rows: Int[np.ndarray, " word"] | slice) -> Float[np.ndarray, "word dim"]:
        """Vectors of some rows, brought to length 1; a vector of zeros stays as it is."""
        return self.matrix[rows] / np.maximum(self.lengths[rows], _TINY)[:, None]

    def cosines(self, direction: Vector) -> Float[np.ndarray, " word"]:
        """Cosine of every word with a direction, from -1 to 1 (0 for a vector of zeros)."""
        unit = direction.astype(np.float32) / np.maximum(np.linalg.norm(direction), _TINY)
        found: Float[np.ndarray, " word"] = self.matrix @ unit / np.maximum(self.lengths, _TINY)
        return np.clip(found, -1, 1)

    @cached_property
    def folded(self) -> list[str]:
        """The words without capitals and accents, for near spellings."""
        return [fold(word) for word in self.words]


def bundled(folder: Path) -> WordVectors:
    """Builder of the zoo: the vectors that the recipe has written into ``folder``."""
    return WordVectors(*word_files.load(folder))


def fold(word: str) -> str:
    """Lower case without accents: what near spellings are compared by.

    >>> fold("Élève")
    'eleve'
    """
    parts = unicodedata.normalize("NFD", word.lower())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def nearest(
    scores: Float[np.ndarray, " word"], count: int, without: Sequence[int] = ()
) -> Int[np.ndarray, " found"]:
    """Rows of the largest scores, the largest first; equal ones in the order of their rows."""
    left = scores.copy()
    left[list(without)] = -np.inf
    count = min(count, len(left) - len(set(without)))
    if count <= 0:
        return np.zeros(0, np.int64)
    rows = np.argpartition(-left, count - 1)[:count]
    order: Int[np.ndarray, " found"] = rows[np.lexsort((rows, -left[rows]))]
    return order


def neighbours(vectors: WordVectors, word: str, *, count: int = 10) -> Neighbours:
    r"""The words whose vectors point most nearly the same way.

    $$ \cos(u, w) = \frac{u \cdot w}{\lVert u \rVert\,\lVert w \rVert} $$

    Parameters
    ----------
    vectors
        The store.
    word
        A word of it.
    count
        How many neighbours.

    Returns
    -------
    Neighbours
        The nearest first, the word itself left out.

    Raises
    ------
    Refused
        The word is not known; the message names near spellings.
    """
    row = vectors.row(word)
    cosine = vectors.cosines(vectors.matrix[row])
    rows = nearest(cosine, count, without=[row])
    return Neighbours(
        vectors.words[row],
        tuple(vectors.words[i] for i in rows),
        cosine[rows],
        np.linalg.norm(vectors.matrix[rows] - vectors.matrix[row], axis=1),
        rows,
    )


def suggestions(vectors: WordVectors, word: str, *, count: int = 5) -> tuple[str, ...]:
    """Known words that are spelt nearly so, the nearest first and the more frequent of equals first.

    The distance counts letters put in, left out, replaced, and neighbours swapped (optimal string alignment);
    capitals and accents count nothing. At most a third of the letters, and one at least, may differ.
    """
    wanted = fold(word.strip()[:MAX_WORD])
    most = max(1, len(wanted) // 3)
    found = process.extract(wanted, vectors.folded, scorer=OSA.distance, score_cutoff=most, limit=None)
    best = sorted(found, key=lambda match: (match[1], match[2]))[:count]
    return tuple(vectors.words[row] for _word, _distance, row in best)


def _unknown(vectors: WordVectors, word: str) -> Refused:
    near = suggestions(vectors, word)
    if not near:
        return Refused(
            N_("“{word}” is not among the {count} words of these vectors, and none is spelt nearly so."),
            word=word[:MAX_WORD],
            count=len(vectors),
        )
    return Refused(
        N_("“{word}” is not among the {count} words of these vectors. Near spellings: {words}."),
        word=word[:MAX_WORD],
        count=len(vectors),
        words=", ".join(near),
    )


def sample(
    vectors: WordVectors, *, count: int, by: Literal["frequency", "random"] = "frequency", seed: int = 0
) -> VectorTable:
    """Some of the words, for a picture that cannot hold all.

    Parameters
    ----------
    vectors
        The store.
    count
        How many words; all of them where it has fewer.
    by
        ``"frequency"``: each word with a chance that grows with how often it was seen (with its rank, by
        Zipf's law, where nobody knows), so that the words of everyday come and the rare ones are not all
        left out. ``"random"``: each word with the same chance.
    seed
        Of the draw; the same seed draws the same words.

    Returns
    -------
    VectorTable
        In the order of the store, the most frequent word first.
    """
    rng = np.random.default_rng(seed)
    count = min(count, len(vectors))
    weights = vectors.counts if len(vectors.counts) else 1 / np.arange(1, len(vectors) + 1)
    # The largest keys log(u) / w are a draw without replacement by weight (Efraimidis and Spirakis 2006).
    chances = np.maximum(weights, _TINY) if by == "frequency" else np.ones(len(vectors))
    keys = np.log(rng.random(len(vectors)).clip(_TINY)) / chances
    rows = np.sort(nearest(keys, count))
    return table(vectors, rows)


def table(vectors: WordVectors, rows: Int[np.ndarray, " word"] | None = None) -> VectorTable:
    """Plain arrays of some rows, or of all."""
    rows = np.arange(len(vectors)) if rows is None else rows
    counts = vectors.counts[rows] if len(vectors.counts) else vectors.counts
    return VectorTable(tuple(vectors.words[i] for i in rows), vectors.matrix[rows], counts, rows)
