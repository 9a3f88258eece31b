r"""node2vec: walks read as sentences by a skip-gram (Grover and Leskovec 2016), and two embeddings to hold it to.

A node's vector is learnt so that it foretells the nodes around it in the walks, as word2vec's foretells the
words around a word: with negative sampling, each pair of a node ``u`` and one ``v`` near it lowers

.. math:: -\log \sigma(z_v \cdot x_u) - \sum_{i=1}^{k} \log \sigma(-z_{n_i} \cdot x_u)

where the ``k`` negatives :math:`n_i` are drawn in proportion to the visits to the power 3/4. gensim trains.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from dlviz.events import Frame, Progress, Result, Work
from dlviz.foundations.alignment import principal_plane
from dlviz.foundations.word2vec import Learner, nearest
from dlviz.graphs.fast_walks import Walker
from dlviz.graphs.matrices import normalised_adjacency
from dlviz.graphs.results import Graph, Node2VecFrame, Node2VecSettings, NodeEmbedding
from dlviz.graphs.walks import visit_counts

FRAMES = 60
"""Pictures of a training, at most."""

_TOKENS = 30_000
"""Visited nodes in one call of gensim: a part of a second, and few enough for its 32-bit sum of losses."""

_DENSE = 800
"""Up to as many nodes, eigenvectors are computed exactly."""


def train(
    graph: Graph,
    settings: Node2VecSettings,
    watched: tuple[int, ...] = (),
    near: int = 5,
    frames: int = FRAMES,
) -> Work:
    """Train node2vec, live: for the process lane, since gensim's calls take longer than a job's step may.

    The same settings give the same vectors: one thread trains, and walks do not depend on threads. Walks are
    made again for every epoch instead of being kept, so that memory grows with the graph alone.

    Parameters
    ----------
    graph
        Any graph. Nodes without an edge keep the vector that was drawn for them.
    settings
        Of walks and training.
    watched
        Nodes whose nearest ones each frame tells.
    near
        How many nearest nodes are told.
    frames
        Pictures, at most; none for 0.

    Yields
    ------
    Progress, Frame
        Walks done of all walks of all epochs; :class:`~dlviz.graphs.results.Node2VecFrame`.
    Result
        :class:`~dlviz.graphs.results.NodeEmbedding`.
    """
    started = time.perf_counter()
    walker = Walker(
        graph, settings.walks_per_node, settings.length, settings.p, settings.q, settings.seed, threads=1
    )
    total = walker.total * settings.epochs
    yield Progress(0, total)
    lesson = _Lesson(graph, walker, settings)
    step = max(1, min(_TOKENS // settings.length, -(-total // max(1, frames))))
    positions = principal_plane(lesson.vectors())
    drawn, losses = 0, []
    for first, last in _stretches(walker.total, settings.epochs, step):
        lesson.read(first, last, total)
        yield Progress(last, total)
        if last * frames // total > drawn:
            drawn = last * frames // total
            vectors = lesson.vectors()
            positions = principal_plane(vectors, positions)
            losses.append(lesson.mean_loss())
            yield Frame(
                Node2VecFrame(
                    done=last,
                    total=total,
                    epoch=1 + (last - 1) // walker.total,
                    loss=losses[-1],
                    nodes_per_second=lesson.tokens / (time.perf_counter() - started),
                    positions=positions,
                    watched=np.array(watched, np.int64),
                    near=nearest(vectors, np.array(watched, np.int64), near),
                )
            )
    vectors = lesson.vectors()
    yield Result(
        NodeEmbedding(
            vectors,
            lesson.trained,
            np.array(losses),
            principal_plane(vectors, positions),
            "node2vec",
            time.perf_counter() - started,
        )
    )


def _stretches(each: int, epochs: int, step: int) -> Iterator[tuple[int, int]]:
    """First and last walk of each part, counted over all epochs; no part crosses the end of an epoch."""
    for epoch in range(epochs):
        for first in range(0, each, step):
            yield epoch * each + first, epoch * each + min(first + step, each)


class _Lesson:
    """What the walks teach: the model, the part of the graph that they reach, and how fast it goes."""

    def __init__(self, graph: Graph, walker: Walker, settings: Node2VecSettings) -> None:
        self._walker = walker
        self._settings = settings
        counts = self._visits(graph.nodes)
        self.trained = counts > 0
        # The paper drops no frequent nodes: in a small graph all of them are frequent.
        self._learner = Learner(
            counts,
            dimensions=settings.dimensions,
            window=settings.window,
            negatives=settings.negatives,
            alpha=settings.alpha,
            min_alpha=settings.min_alpha,
            seed=settings.seed,
        )
        drawn = np.random.default_rng(settings.seed).random((graph.nodes, settings.dimensions), np.float32)
        self._vectors = (drawn - 0.5) / settings.dimensions
        self.tokens = 0
        self.mean_loss = self._learner.mean_loss

    def _visits(self, nodes: int) -> Int[np.ndarray, " node"]:
        """How often each node stands in a walk of two nodes or more: the model's vocabulary."""
        counts = np.zeros(nodes, np.int64)
        step = max(1, 1_000_000 // self._settings.length)
        for first in range(0, self._walker.total, step):
            walks = self._walker.walk(first, min(first + step, self._walker.total))
            counts += visit_counts(nodes, walks[walks[:, 1] >= 0] if walks.shape[1] > 1 else walks[:0])
        return counts

    def read(self, first: int, last: int, total: int) -> None:
        """Learn from the walks ``first`` to ``last - 1``, counted over all epochs."""
        begin = first % self._walker.total
        walks = self._walker.walk(begin, begin + last - first)
        lengths = (walks >= 0).sum(1)
        names = self._learner.names
        rows = zip(walks.tolist(), lengths.tolist(), strict=True)
        self._learner.read([[names[n] for n in row[:end]] for row, end in rows], first / total, last / total)
        self.tokens += int(lengths[lengths > 1].sum())

    def vectors(self) -> Float[np.ndarray, "node dimension"]:
        """The vectors as they are now, in the order of the nodes; a node without an edge keeps its first one."""
        return np.where(self.trained[:, None], self._learner.vectors(), self._vectors)


def spectral(graph: Graph, dimensions: int, seed: int = 0) -> NodeEmbedding:
    r"""Laplacian eigenmaps (Belkin and Niyogi 2003): what linear algebra knows of the graph, without training.

    The vectors are the eigenvectors of the normalised Laplacian :math:`I - D^{-1/2} A D^{-1/2}` with the
    smallest eigenvalues, the first one left out, each divided by :math:`\sqrt{d}`. Directions are forgotten.

    Parameters
    ----------
    graph
        Any graph; nodes without an edge get zeros.
    dimensions
        Of the vectors; a graph of ``n`` nodes gives ``n - 1`` at most.
    seed
        Of the vector that the iteration starts from.
    """
    from scipy.sparse.linalg import eigsh

    started = time.perf_counter()
    matrix, scale = normalised_adjacency(graph)
    wanted = min(dimensions, graph.nodes - 1)
    if graph.nodes <= _DENSE or wanted > graph.nodes - 3:
        values, vectors = np.linalg.eigh(matrix.toarray())
    else:
        first = np.random.default_rng(seed).random(graph.nodes)
        values, vectors = eigsh(matrix, k=wanted + 1, which="LA", v0=first, tol=1e-3)
    order = np.argsort(-values, kind="stable")[1 : wanted + 1]
    found = vectors[:, order] * scale[:, None]
    largest = found[np.abs(found).argmax(0), np.arange(wanted)]
    found = found * np.where(largest < 0, -1.0, 1.0)
    return _fixed(found / max(float(np.abs(found).max()), 1e-12), "spectral", started)


def random_vectors(graph: Graph, dimensions: int, seed: int = 0) -> NodeEmbedding:
    """Vectors that know nothing of the graph, drawn from a normal distribution: what chance reaches."""
    started = time.perf_counter()
    drawn = np.random.default_rng(seed).standard_normal((graph.nodes, dimensions))
    return _fixed(drawn, "random", started)


def _fixed(vectors: np.ndarray, method: Any, started: float) -> NodeEmbedding:
    vectors = vectors.astype(np.float32)
    positions = principal_plane(vectors)
    trained = np.ones(len(vectors), bool)
    return NodeEmbedding(vectors, trained, np.empty(0), positions, method, time.perf_counter() - started)
