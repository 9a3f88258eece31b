"""What the graph functions return: frozen arrays and words, numpy only.

The heart is :class:`Graph`: sorted compressed rows (CSR). Row ``v`` of the adjacency is
``indices[indptr[v] : indptr[v + 1]]``, in increasing order, so that "is ``x`` a neighbour of ``t``?" is a
binary search and the whole graph takes memory in proportion to its nodes and edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, slots=True)
class Note:
    """A message id of what the visitor should know, with the values of its placeholders."""

    message: str
    items: tuple[tuple[str, str | int | float], ...] = ()

    @property
    def values(self) -> dict[str, object]:
        """The values by name, as the ui fills them in."""
        return dict(self.items)


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One column that the file gives about the nodes.

    Attributes
    ----------
    name
        As the file calls it.
    kind
        ``"number"``: `values` are the numbers, NaN where the file gives none. ``"category"``: `values` are
        indices into `categories`, -1 where the file gives none.
    categories
        The words of a category, joined by line feeds, in alphabetical order.
    """

    name: str
    kind: Literal["number", "category"]
    values: Float[np.ndarray, " node"] | Int[np.ndarray, " node"]
    categories: str = ""

    def words(self) -> tuple[str, ...]:
        """The different words of a category; the values are indices into them."""
        return tuple(self.categories.split("\n")) if self.categories else ()


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A graph in sorted compressed rows.

    An undirected edge stands in both its rows, a self-loop once in its own. No edge stands twice, and every
    weight is finite and above zero.

    Attributes
    ----------
    name
        Of the sample or the file.
    labels
        The nodes' names joined by line feeds: one string, so that a graph is quick to hash and to send.
    indptr, indices, weights
        The rows: neighbours of ``v`` (successors, if directed) and the weights of the edges to them.
    directed
        Whether edges have a direction.
    weighted
        Whether the weights are the file's; otherwise all are 1.
    attributes
        Columns about the nodes.
    notes
        What was joined, dropped or assumed when the file was read.
    """

    name: str
    labels: str
    indptr: Int[np.ndarray, " node_and_one"]
    indices: Int[np.ndarray, " arc"]
    weights: Float[np.ndarray, " arc"]
    directed: bool
    weighted: bool
    attributes: tuple[Attribute, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.indptr) - 1

    @property
    def edges(self) -> int:
        """How many edges there are, an undirected one counted once."""
        if self.directed:
            return len(self.indices)
        return (len(self.indices) + self.self_loops()) // 2

    def self_loops(self) -> int:
        """How many edges lead from a node to itself."""
        return int(np.count_nonzero(self.rows() == self.indices))

    def names(self) -> tuple[str, ...]:
        """The nodes' names in their order."""
        return tuple(self.labels.split("\n"))

    def rows(self) -> Int[np.ndarray, " arc"]:
        """The row, that is the source node, of every entry of `indices`."""
        return np.repeat(np.arange(self.nodes, dtype=self.indices.dtype), np.diff(self.indptr))

    def neighbours(self, node: int) -> Int[np.ndarray, " neighbour"]:
        """The nodes that one edge leads to, in increasing order."""
        return self.indices[self.indptr[node] : self.indptr[node + 1]]

    def neighbour_weights(self, node: int) -> Float[np.ndarray, " neighbour"]:
        """The weights of the edges to :meth:`neighbours`."""
        return self.weights[self.indptr[node] : self.indptr[node + 1]]

    def has_edge(self, source: int, target: int) -> bool:
        """Whether an edge leads from ``source`` to ``target`` (either way, if undirected)."""
        row = self.neighbours(source)
        place = int(np.searchsorted(row, target))
        return place < len(row) and int(row[place]) == target

    def degree(self) -> Int[np.ndarray, " node"]:
        """How many neighbours each node has (out-degree, if directed)."""
        return np.diff(self.indptr).astype(np.int64)

    def in_degree(self) -> Int[np.ndarray, " node"]:
        """How many nodes lead to each node; the degree again, if undirected."""
        return np.bincount(self.indices, minlength=self.nodes)

    def isolated(self) -> Int[np.ndarray, " isolated"]:
        """The nodes without any edge to another node or from one."""
        rows = self.rows()
        other = rows != self.indices
        touched = np.zeros(self.nodes, bool)
        touched[rows[other]] = True
        touched[self.indices[other]] = True
        return np.flatnonzero(~touched)

    def edge_list(self) -> Int[np.ndarray, "edge 2"]:
        """The edges as pairs of nodes; an undirected one stands once, its smaller node first."""
        pairs = np.stack([self.rows(), self.indices], axis=1)
        return pairs if self.directed else pairs[pairs[:, 0] <= pairs[:, 1]]

    def edge_weights(self) -> Float[np.ndarray, " edge"]:
        """The weights of :meth:`edge_list`."""
        return self.weights if self.directed else self.weights[self.rows() <= self.indices]


@dataclass(frozen=True, slots=True, eq=False)
class StepCandidates:
    """Where a second-order walk may go next, and how likely each way is.

    Attributes
    ----------
    previous, current
        The last two nodes of the walk; `previous` is -1 at the first step.
    p, q
        The return parameter and the in-out parameter.
    nodes
        The candidates: all neighbours of `current`.
    distance
        Steps from `previous` to the candidate: 0, 1 or 2 (2 stands for "2 or more" in a directed graph); -1
        at the first step, where there is no previous node.
    edge_weight
        Weight of the edge from `current` to the candidate.
    bias
        ``1/p`` at distance 0, ``1`` at distance 1, ``1/q`` at distance 2; 1 at the first step.
    weight
        ``bias * edge_weight``, not yet normalised.
    probability
        `weight` divided by the sum of all weights; the candidates' probabilities sum to 1.
    """

    previous: int
    current: int
    p: float
    q: float
    nodes: Int[np.ndarray, " candidate"]
    distance: Int[np.ndarray, " candidate"]
    edge_weight: Float[np.ndarray, " candidate"]
    bias: Float[np.ndarray, " candidate"]
    weight: Float[np.ndarray, " candidate"]
    probability: Float[np.ndarray, " candidate"]


@dataclass(frozen=True, slots=True, eq=False)
class RecordedWalk:
    """One walk with everything that was weighed on the way.

    Attributes
    ----------
    nodes
        The nodes in the order of the visit, the start included.
    steps
        ``steps[i]`` is what stood to choose when going from ``nodes[i]`` to ``nodes[i + 1]``.
    draws
        The uniform number of each step; the candidate is the first whose cumulative probability exceeds it.
    asked
        How many nodes were asked for; fewer come where a directed walk ends in a node without a way out.
    """

    nodes: Int[np.ndarray, " place"]
    steps: tuple[StepCandidates, ...]
    draws: Float[np.ndarray, " step"]
    asked: int


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """The exact second-order chain of a graph: a Markov chain on its arcs.

    State ``a`` is the arc ``source[a] -> target[a]`` ("the walk stands on ``target`` and came from
    ``source``"). Row ``a`` of the transition matrix is given by ``indptr``, ``indices`` (the following
    states) and ``probability``.
    """

    source: Int[np.ndarray, " arc"]
    target: Int[np.ndarray, " arc"]
    indptr: Int[np.ndarray, " arc_and_one"]
    indices: Int[np.ndarray, " transition"]
    probability: Float[np.ndarray, " transition"]


@dataclass(frozen=True, slots=True, eq=False)
class Walks:
    """Many walks.

    Attributes
    ----------
    nodes
        One walk a row; -1 after its end where a directed walk found no way out.
    walks_per_node, length, p, q, seed
        As asked for; the same numbers give the same walks on any machine, with any number of threads.
    seconds
        Time they took.
    """

    nodes: Int[np.ndarray, "walk place"]
    walks_per_node: int
    length: int
    p: float
    q: float
    seed: int
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class NodeLayout:
    """Places of the nodes in the plane.

    Attributes
    ----------
    positions
        Centred, the longest distance from the centre 1.
    method
        ``"kamada_kawai"``, ``"forces"`` (networkx) or ``"sampled_forces"`` (linear in edges).
    """

    positions: Float[np.ndarray, "node 2"]
    method: Literal["kamada_kawai", "forces", "sampled_forces"]


@dataclass(frozen=True, slots=True)
class Node2VecSettings:
    """How node2vec walks and learns.

    Attributes
    ----------
    p, q
        Return and in-out parameter; 1 and 1 is DeepWalk.
    walks_per_node, length
        Walks started at every node, and their number of nodes.
    dimensions, window, negatives, epochs
        Of the skip-gram that reads the walks as sentences.
    alpha
        Learning rate at the start; it falls linearly to ``min_alpha``.
    seed
        Of the walks, the first vectors and the negatives.
    """

    p: float = 1.0
    q: float = 1.0
    walks_per_node: int = 10
    length: int = 40
    dimensions: int = 32
    window: int = 5
    negatives: int = 5
    epochs: int = 2
    alpha: float = 0.025
    min_alpha: float = 0.0001
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Node2VecFrame:
    """A moment of the training.

    Attributes
    ----------
    done, total
        Walks read so far, and to read in all epochs.
    epoch
        From 1.
    loss
        Mean loss a pair of the skip-gram since the last frame (negative sampling, in nats).
    nodes_per_second
        Visited nodes read each second so far.
    positions
        The vectors' first two principal components, turned so that they lie as near as they can to the last
        frame's: what moves is the embedding, not the camera.
    watched, near
        For each watched node its nearest nodes by cosine, the nearest first.
    """

    done: int
    total: int
    epoch: int
    loss: float
    nodes_per_second: float
    positions: Float[np.ndarray, "node 2"]
    watched: Int[np.ndarray, " watched"]
    near: Int[np.ndarray, "watched near"]


@dataclass(frozen=True, slots=True, eq=False)
class NodeEmbedding:
    """Vectors of the nodes.

    Attributes
    ----------
    vectors
        One row a node.
    trained
        Whether the node was met in a walk with another node; the other vectors are as they were drawn.
    losses
        Mean loss a pair in each frame; empty where nothing was trained.
    positions
        Principal components as in the last frame, so that a picture does not jump when training ends.
    method
        ``"node2vec"``, ``"spectral"`` or ``"random"``.
    seconds
        Time it took.
    """

    vectors: Float[np.ndarray, "node dimension"]
    trained: np.ndarray
    losses: Float[np.ndarray, " frame"]
    positions: Float[np.ndarray, "node 2"]
    method: Literal["node2vec", "spectral", "random"]
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """A number for every node: its community, its degree's bin, or its role.

    Attributes
    ----------
    of_node
        The group of each node, from 0, the largest group first.
    count
        How many groups there are.
    modularity
        Newman's modularity of a partition into communities; NaN where it says nothing.
    """

    of_node: Int[np.ndarray, " node"]
    count: int
    modularity: float


@dataclass(frozen=True, slots=True, eq=False)
class LinkSplit:
    """Edges held out for link prediction, beside pairs without an edge.

    Attributes
    ----------
    train
        The graph without the held-out edges: all that any embedding may see.
    held_out
        The held-out edges.
    non_edges
        Pairs without an edge in the whole graph, as many as `held_out`.
    train_edges, train_non_edges
        Pairs to fit the classifier on: edges of `train`, and pairs without an edge that are not in
        `non_edges`.
    """

    train: Graph
    held_out: Int[np.ndarray, "pair 2"]
    non_edges: Int[np.ndarray, "pair 2"]
    train_edges: Int[np.ndarray, "train_pair 2"]
    train_non_edges: Int[np.ndarray, "train_pair 2"]


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingScore:
    """How good one embedding of a graph is.

    Attributes
    ----------
    method
        Of the embedding.
    auc
        Area under the curve of link prediction on held-out edges; 0.5 is guessing.
    auc_spread
        Its standard deviation between draws of held-out edges; 0 for one draw.
    false_positives, true_positives
        That curve, of the first draw: rates between 0 and 1.
    neighbours_kept
        Mean share of a node's graph neighbours among as many nearest vectors (cosine), between 0 and 1.
    """

    method: Literal["node2vec", "spectral", "random"]
    auc: float
    auc_spread: float
    false_positives: Float[np.ndarray, " threshold"]
    true_positives: Float[np.ndarray, " threshold"]
    neighbours_kept: float


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """node2vec against spectral and random vectors on the same held-out edges.

    `held_out` and `train_edges` are the numbers of edges tested and of edges that the classifier was fitted
    on in one draw; `scores` are means over `repeats` draws.
    """

    scores: tuple[EmbeddingScore, ...]
    held_out: int
    train_edges: int
    repeats: int


@dataclass(frozen=True, slots=True, eq=False)
class BiasGrid:
    """What p and q do to an embedding, measured.

    ``communities[i, j]`` and ``roles[i, j]`` are the normalised mutual information (0 to 1) between
    k-means clusters of the embedding with ``p[i]``, ``q[j]`` and the communities or the roles of the nodes,
    mean over `seeds` trainings; the ``_spread`` arrays are the standard deviations between them.
    """

    p: Float[np.ndarray, " p"]
    q: Float[np.ndarray, " q"]
    communities: Float[np.ndarray, "p q"]
    communities_spread: Float[np.ndarray, "p q"]
    roles: Float[np.ndarray, "p q"]
    roles_spread: Float[np.ndarray, "p q"]
    seeds: int
