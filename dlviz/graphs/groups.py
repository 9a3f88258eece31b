"""Groups of nodes: communities (who knows whom), degrees, and roles (who stands as whom does)."""

from __future__ import annotations

import networkx as nx
import numpy as np
from jaxtyping import Float, Int

from dlviz.graphs.graph_samples import to_networkx
from dlviz.graphs.matrices import adjacency, undirected
from dlviz.graphs.results import Graph, Groups


def communities(graph: Graph, seed: int = 0) -> Groups:
    """Communities by the Louvain method (Blondel et al. 2008), with networkx; directions are forgotten.

    Nodes are moved to the neighbouring community that raises the modularity most, then communities become
    nodes, again and again. Every node without an edge is a community of its own.
    """
    plain = undirected(graph)
    found = nx.community.louvain_communities(to_networkx(plain), seed=seed)
    of_node = np.empty(graph.nodes, np.int64)
    for number, members in enumerate(found):
        of_node[list(members)] = number
    groups = _by_size(of_node)
    return Groups(groups, int(groups.max()) + 1, modularity(plain, groups))


def modularity(graph: Graph, of_node: Int[np.ndarray, " node"]) -> float:
    r"""Newman's modularity of a partition of an undirected graph, between -1/2 and 1.

    .. math:: Q = \sum_c \left[ \frac{L_c}{m} - \left( \frac{k_c}{2m} \right)^2 \right]

    with :math:`L_c` the weight inside group ``c``, :math:`k_c` the sum of its degrees and ``m`` the weight of
    all edges.
    """
    ends, weights = graph.edge_list(), graph.edge_weights()
    total = weights.sum()
    groups = of_node[ends]
    inside = weights[groups[:, 0] == groups[:, 1]].sum()
    degrees = np.bincount(groups.ravel(), np.repeat(weights, 2))
    return float(inside / total - ((degrees / (2 * total)) ** 2).sum())


def degree_groups(graph: Graph, count: int = 4) -> Groups:
    """Nodes by degree, in up to ``count`` groups of about the same size; nodes of one degree stay together."""
    degree = undirected(graph).degree()
    borders = np.unique(np.quantile(degree, np.arange(1, count) / count))
    groups = _by_size(np.searchsorted(borders, degree, "left"))
    return Groups(groups, int(groups.max()) + 1, float("nan"))


def structural_roles(graph: Graph, count: int = 4, seed: int = 0) -> Groups:
    """Nodes by the part they play (hub, bridge, rim), wherever in the graph they stand.

    Every node is described by :func:`role_features`, and k-means finds up to ``count`` kinds. Two nodes far
    apart, in different communities, have the same role if their surroundings look alike.
    """
    from sklearn.cluster import KMeans

    features = role_features(graph)
    kinds = min(count, len(np.unique(features.round(9), axis=0)))
    found = KMeans(kinds, n_init=10, random_state=seed).fit(features).labels_
    groups = _by_size(found)
    return Groups(groups, int(groups.max()) + 1, float("nan"))


def role_features(graph: Graph, hops: int = 2) -> Float[np.ndarray, "node feature"]:
    """The logarithm of a node's degree, and its mean over the nodes around, one and two steps away.

    A short form of ReFeX's recursive features (Henderson et al. 2011): linear in edges. Columns have mean 0
    and standard deviation 1 (or are 0 where all nodes are the same).
    """
    matrix = adjacency(undirected(graph))
    matrix.data = np.ones_like(matrix.data)
    degree = np.diff(matrix.indptr)
    columns = [np.log1p(degree)]
    for _ in range(hops):
        columns.append((matrix @ columns[-1]) / np.maximum(degree, 1))
    features = np.stack(columns, axis=1)
    spread = features.std(0)
    return (features - features.mean(0)) / np.where(spread > 1e-9, spread, 1.0)


def _by_size(of_node: np.ndarray) -> Int[np.ndarray, " node"]:
    """Numbers from 0 without a gap, the largest group first."""
    _, dense = np.unique(of_node, return_inverse=True)
    order = np.argsort(-np.bincount(dense), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place[dense]
