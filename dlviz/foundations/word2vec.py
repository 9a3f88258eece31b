r"""gensim's word2vec, taught a part at a time, so that between two parts a page can look at what it knows.

Words and nodes are learnt alike (node2vec reads walks as sentences). With negative sampling, each pair of a
hidden vector ``h`` and a word ``w`` near it costs

.. math:: -\log \sigma(u_w \cdot h) - \sum_{i=1}^{k} \log \sigma(-u_{n_i} \cdot h)

where the ``k`` negatives :math:`n_i` are drawn in proportion to the counts to the power 3/4 (Mikolov et al.
2013b). In a skip-gram ``h`` is the vector of one word, and every neighbour makes a pair with it; in CBOW ``h`` is the
mean of the neighbours' vectors, and there is one pair for each word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int


class Learner:
    """gensim's model of items that are known by number, and what reading has cost so far.

    Equal arguments and equal parts give equal vectors: one thread trains.

    Parameters
    ----------
    counts
        How often each item is met; those with 0 are unknown to the model.
    dimensions, window, negatives
        Of the model.
    alpha, min_alpha
        Learning rate at the start and at the end; it falls linearly.
    seed
        Of the first vectors, the windows and the negatives.
    cbow
        Foretell the middle of a window from its mean, instead of its words from the middle.

    Attributes
    ----------
    names
        What an item is called in a sentence for :meth:`read`, by number.
    """

    def __init__(
        self,
        counts: Int[np.ndarray, " item"],
        *,
        dimensions: int,
        window: int,
        negatives: int,
        alpha: float,
        min_alpha: float,
        seed: int,
        cbow: bool = False,
    ) -> None:
        from gensim.models import Word2Vec

        self._model: Any = Word2Vec(
            vector_size=dimensions,
            window=window,
            negative=negatives,
            alpha=alpha,
            min_alpha=min_alpha,
            seed=seed,
            min_count=1,
            sg=0 if cbow else 1,
            sample=0,  # who wants frequent items thinned out does it before: then their number is known
            workers=1,
        )
        self.names = [str(item) for item in range(len(counts))]
        self._model.build_vocab_from_freq({self.names[i]: int(counts[i]) for i in np.flatnonzero(counts)})
        self._rows = np.array([int(name) for name in self._model.wv.index_to_key], np.int64)
        self._items = len(counts)
        self._alpha, self._falls = alpha, alpha - min_alpha
        self._window = window
        self._loss = self._pairs = 0.0
        self._cbow = cbow

    def read(self, sentences: Sequence[Sequence[str]], begin: float, end: float) -> None:
        """Learn from sentences of :attr:`names`, from the share ``begin`` of all reading to the share ``end``."""
        sentences = [sentence for sentence in sentences if len(sentence) > 1]
        if not sentences:
            return
        self._model.train(
            sentences,
            total_examples=len(sentences),
            epochs=1,
            start_alpha=self._alpha - self._falls * begin,
            end_alpha=self._alpha - self._falls * end,
            compute_loss=True,
        )
        self._loss += float(self._model.get_latest_training_loss())
        self._pairs += self._examples(np.array([len(sentence) for sentence in sentences]))

    def _examples(self, lengths: Int[np.ndarray, " sentence"]) -> float:
        if self._cbow:
            return float(lengths.sum())
        at = np.bincount(lengths)
        return float(at @ expected_pairs(len(at) - 1, self._window))

    def mean_loss(self) -> float:
        """Loss a pair since the last call, in nats; NaN where nothing was read."""
        mean = self._loss / self._pairs if self._pairs else float("nan")
        self._loss = self._pairs = 0.0
        return mean

    def vectors(self) -> Float[np.ndarray, "item dimension"]:
        """The vectors that are the embedding, in the order of the items; NaN for unknown ones."""
        return self._ordered(self._model.wv.vectors)

    def contexts(self) -> Float[np.ndarray, "item dimension"]:
        """The other vectors, the *u* of the loss: of an item as the one to be foretold."""
        return self._ordered(self._model.syn1neg)

    def _ordered(self, matrix: Float[np.ndarray, "row dimension"]) -> Float[np.ndarray, "item dimension"]:
        found = np.full((self._items, matrix.shape[1]), np.nan, np.float32)
        found[self._rows] = matrix
        return found


def expected_pairs(length: int, window: int) -> Float[np.ndarray, " length_and_one"]:
    """Pairs that the skip-gram makes of a sentence, by the sentence's length from 0 to ``length``.

    At every place the window is drawn anew from 1 to ``window``, as in word2vec: a pair ``d`` places apart is
    used with probability ``(window - d + 1) / window`` from each of its ends.
    """
    sizes = np.arange(length + 1)[:, None]
    apart = np.arange(1, window + 1)
    used = (window - apart + 1) / window
    return (2 * np.maximum(sizes - apart, 0) * used).sum(1)


def nearest(
    vectors: Float[np.ndarray, "item dimension"], items: Int[np.ndarray, " asked"], count: int
) -> Int[np.ndarray, "asked near"]:
    """The items whose vectors have the largest cosine with each asked one's, itself left out."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.maximum(lengths, 1e-12)
    cosine = unit[items] @ unit.T
    cosine[np.arange(len(items)), items] = -np.inf
    count = min(count, len(vectors) - 1)
    best = np.argpartition(-cosine, max(0, count - 1), axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(cosine, best, 1), axis=1, kind="stable")
    return np.take_along_axis(best, order, 1)
