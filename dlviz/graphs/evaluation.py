"""How good an embedding of a graph is: link prediction, neighbours kept, and what p and q do to it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from dlviz.errors import Refused
from dlviz.events import Event, Progress, Result, Work
from dlviz.graphs import node2vec
from dlviz.graphs.graph_build import from_edges
from dlviz.graphs.matrices import undirected
from dlviz.graphs.results import (
    BiasGrid,
    Comparison,
    EmbeddingScore,
    Graph,
    Groups,
    LinkSplit,
    Node2VecSettings,
    NodeEmbedding,
)
from dlviz.i18n import N_

MAX_PAIRS = 20_000
"""Pairs of each kind that the classifier is fitted on and tested on."""

_LEAST = 5


def split_links(graph: Graph, share: float = 0.2, seed: int = 0) -> LinkSplit:
    """Hold edges out for link prediction, as in section 4.4 of the node2vec paper.

    What is held out is drawn from the edges that can be spared: a random spanning forest stays, so that no
    part of the graph comes off. No test pair, of either kind, is a training pair.

    Parameters
    ----------
    graph
        Any graph; directions are forgotten, self-loops are never held out.
    share
        Part of the edges to hold out, between 0 and 1; fewer where the graph would fall apart.
    seed
        Of the choice.

    Raises
    ------
    Refused
        The graph is so close to a tree, or to having all edges there can be, that nothing can be tested.
    """
    plain = undirected(graph)
    draw = np.random.default_rng(seed)
    ends, weights = plain.edge_list().astype(np.int64), plain.edge_weights()
    real = ends[:, 0] != ends[:, 1]
    spare = np.flatnonzero(real & ~_forest(plain, ends, draw))
    held = draw.permutation(spare)[: round(share * int(real.sum()))]
    kept = np.ones(len(ends), bool)
    kept[held] = False
    pairs = draw.permutation(ends[kept & real])[:MAX_PAIRS]
    tested = ends[held][:MAX_PAIRS]
    missing = _non_edges(plain, ends, len(tested) + len(pairs), draw)
    if len(tested) < _LEAST or len(missing) < len(tested) + _LEAST:
        raise Refused(
            N_(
                "Too few edges can be held out of this graph for link prediction: it is almost a tree, or "
                "almost every pair of nodes is joined."
            )
        )
    train = from_edges(
        ends[kept],
        weights[kept],
        plain.nodes,
        name=plain.name,
        labels=plain.names(),
        weighted=plain.weighted,
        attributes=plain.attributes,
    )
    return LinkSplit(train, tested, missing[: len(tested)], pairs, missing[len(tested) :])


def _forest(graph: Graph, ends: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Which edges belong to a spanning forest drawn at random."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    random = csr_array(
        (draw.uniform(0.5, 1.0, len(ends)), (ends[:, 0], ends[:, 1])), shape=(graph.nodes,) * 2
    )
    tree = minimum_spanning_tree(random).tocoo()
    return np.isin(_codes(ends, graph.nodes), _codes(np.stack([tree.row, tree.col], axis=1), graph.nodes))


def _codes(pairs: np.ndarray, nodes: int) -> np.ndarray:
    """One number for each pair, whichever of its nodes comes first."""
    pairs = np.sort(pairs.astype(np.int64), axis=1)
    return pairs[:, 0] * nodes + pairs[:, 1]


def _non_edges(graph: Graph, ends: np.ndarray, count: int, draw: np.random.Generator) -> np.ndarray:
    """Up to ``count`` different pairs of different nodes that no edge joins, in random order."""
    nodes = graph.nodes
    taken = _codes(ends, nodes)
    if nodes <= 1500:
        pairs = np.stack(np.triu_indices(nodes, 1), axis=1)
    else:
        # Of a large sparse graph nearly all random pairs are non-edges; three times as many are plenty.
        pairs = draw.integers(0, nodes, (3 * count + 1000, 2))
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        pairs = pairs[np.unique(_codes(pairs, nodes), return_index=True)[1]]
    free = pairs[~np.isin(_codes(pairs, nodes), taken)]
    return draw.permutation(free)[:count]


def score(embedding: NodeEmbedding, split: LinkSplit, seed: int = 0) -> EmbeddingScore:
    r"""Link prediction on the held-out edges, and neighbours kept on the training graph.

    A pair is described by the elementwise product of its two vectors (Hadamard, the paper's best operator);
    logistic regression is fitted on the training pairs and ranks the test pairs.

    Parameters
    ----------
    embedding
        Made of ``split.train`` alone.
    split
        From :func:`split_links`.
    seed
        Of the sample of nodes for the neighbours.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score, roc_curve
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    vectors = embedding.vectors.astype(np.float64)
    features, answers = _pairs(vectors, split.train_edges, split.train_non_edges)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, class_weight="balanced"))
    classifier.fit(features, answers)
    tested, truth = _pairs(vectors, split.held_out, split.non_edges)
    ranked = classifier.decision_function(tested)
    false_positives, true_positives, _ = roc_curve(truth, ranked)
    return EmbeddingScore(
        embedding.method,
        float(roc_auc_score(truth, ranked)),
        0.0,
        false_positives,
        true_positives,
        neighbours_kept(split.train, embedding.vectors, seed=seed),
    )


def _pairs(vectors: np.ndarray, edges: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    both = np.concatenate([edges, others])
    return vectors[both[:, 0]] * vectors[both[:, 1]], np.repeat([1, 0], [len(edges), len(others)])


def neighbours_kept(
    graph: Graph, vectors: Float[np.ndarray, "node dimension"], sample: int = 1000, seed: int = 0
) -> float:
    r"""Mean share of a node's graph neighbours among its nearest vectors.

    .. math:: \frac{1}{n} \sum_v \frac{|N(v) \cap K_{d_v}(v)|}{d_v}

    :math:`K_{d_v}(v)` are the :math:`d_v` nodes with the largest cosine, as many as ``v`` has neighbours; in
    a large graph the mean goes over ``sample`` nodes.
    """
    plain = undirected(graph)
    degree = plain.degree()
    asked = np.flatnonzero(degree > 0)
    if len(asked) > sample:
        asked = np.sort(np.random.default_rng(seed).choice(asked, sample, replace=False))
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    shares = []
    for node in asked.tolist():
        neighbours = plain.neighbours(node)
        neighbours = neighbours[neighbours != node]
        if not len(neighbours):
            continue
        cosine = unit @ unit[node]
        cosine[node] = -np.inf
        near = np.argpartition(-cosine, len(neighbours) - 1)[: len(neighbours)]
        shares.append(np.isin(neighbours, near).mean())
    return float(np.mean(shares)) if shares else float("nan")


def compare(graph: Graph, settings: Node2VecSettings, share: float = 0.2, repeats: int = 3) -> Work:
    """node2vec against spectral and random vectors on the same held-out edges: for the process lane.

    Every embedding sees the training graph only: walks never cross a held-out edge. In a small graph the few
    edges held out decide much, so edges are drawn ``repeats`` times.

    Yields
    ------
    Progress
        Walks done in all trainings.
    Result
        :class:`~dlviz.graphs.results.Comparison`.
    """
    total = settings.walks_per_node * graph.nodes * settings.epochs
    rounds: list[list[EmbeddingScore]] = []
    for number in range(repeats):
        chosen = replace(settings, seed=settings.seed + number)
        split = split_links(graph, share, chosen.seed)
        made = [(yield from _trained(split.train, chosen, number * total, repeats * total))]
        made += [
            embed(split.train, settings.dimensions, chosen.seed)
            for embed in (node2vec.spectral, node2vec.random_vectors)
        ]
        rounds.append([score(embedding, split, chosen.seed) for embedding in made])
    scores = tuple(_mean_score(list(same)) for same in zip(*rounds, strict=True))
    yield Result(Comparison(scores, len(split.held_out), len(split.train_edges), repeats))


def _mean_score(scores: list[EmbeddingScore]) -> EmbeddingScore:
    """The mean over several draws, with its spread; the curve is the first draw's."""
    aucs = [one.auc for one in scores]
    kept = float(np.mean([one.neighbours_kept for one in scores]))
    return replace(scores[0], auc=float(np.mean(aucs)), auc_spread=float(np.std(aucs)), neighbours_kept=kept)


def _trained(
    graph: Graph, settings: Node2VecSettings, before: int, total: int
) -> Generator[Event, None, NodeEmbedding]:
    """Train without pictures; progress counts on from ``before``."""
    for event in node2vec.train(graph, settings, frames=0):
        if isinstance(event, Progress):
            yield Progress(before + event.done, total)
        elif isinstance(event, Result):
            made: NodeEmbedding = event.value  # type: ignore[assignment]
    return made


def bias_grid(
    graph: Graph,
    settings: Node2VecSettings,
    communities: Groups,
    roles: Groups,
    values: tuple[float, ...] = (0.25, 1.0, 4.0),
    seeds: int = 3,
) -> Work:
    """What p and q do to an embedding: does it show who knows whom, or who stands as whom does?

    For every pair of ``p`` and ``q`` node2vec is trained ``seeds`` times. k-means puts the vectors into as
    many clusters as there are communities, and the normalised mutual information says how much the clusters
    tell about the communities (0 nothing, 1 all); and the same for the roles. For the process lane.

    Yields
    ------
    Progress
        Walks done in all trainings.
    Result
        :class:`~dlviz.graphs.results.BiasGrid`.
    """
    each = settings.walks_per_node * graph.nodes * settings.epochs
    count = len(values)
    total = each * count * count * seeds
    told = np.zeros((2, count, count, seeds))
    done = 0
    for (i, p), (j, q) in ((a, b) for a in enumerate(values) for b in enumerate(values)):
        for number in range(seeds):
            chosen = replace(settings, p=p, q=q, seed=settings.seed + number)
            made = yield from _trained(graph, chosen, done, total)
            for kind, groups in enumerate((communities, roles)):
                told[kind, i, j, number] = agreement(made.vectors, groups, chosen.seed)
            done += each
    means, spreads = told.mean(-1), told.std(-1)
    grid = np.array(values)
    yield Result(BiasGrid(grid, grid, means[0], spreads[0], means[1], spreads[1], seeds))


def agreement(vectors: Float[np.ndarray, "node dimension"], groups: Groups, seed: int = 0) -> float:
    """Normalised mutual information of k-means clusters of the directions of vectors with known groups."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import normalized_mutual_info_score

    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    clusters: Int[np.ndarray, " node"] = KMeans(groups.count, n_init=5, random_state=seed).fit(unit).labels_
    return float(normalized_mutual_info_score(groups.of_node, clusters))
