"""Sparse matrices of a graph."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array

from dlviz.graphs.graph_build import from_edges
from dlviz.graphs.results import Graph


def adjacency(graph: Graph) -> csr_array:
    """The adjacency matrix: row ``v`` holds the weights of the edges from ``v``."""
    return csr_array((graph.weights, graph.indices, graph.indptr), shape=(graph.nodes, graph.nodes))


def undirected(graph: Graph) -> Graph:
    """The graph without its directions: two opposite arrows become one edge with the sum of their weights."""
    if not graph.directed:
        return graph
    ends = np.sort(graph.edge_list().astype(np.int64), axis=1)
    keys, place = np.unique(ends[:, 0] * graph.nodes + ends[:, 1], return_inverse=True)
    return from_edges(
        np.stack(np.divmod(keys, graph.nodes), axis=1),
        np.bincount(place, graph.weights),
        graph.nodes,
        name=graph.name,
        labels=graph.names(),
        weighted=graph.weighted,
        attributes=graph.attributes,
    )


def normalised_adjacency(graph: Graph) -> tuple[csr_array, Float[np.ndarray, " node"]]:
    r"""The matrix :math:`D^{-1/2} A D^{-1/2}` without directions, and the numbers :math:`1 / \sqrt{d}`.

    Its largest eigenvalues are 1 minus the smallest ones of the normalised Laplacian. Nodes without an edge
    have zeros.
    """
    matrix = adjacency(undirected(graph))
    degree = np.asarray(matrix.sum(axis=1)).ravel()
    scale = np.where(degree > 0, 1 / np.sqrt(np.maximum(degree, 1e-300)), 0.0)
    rows = np.repeat(scale, np.diff(matrix.indptr))
    data = matrix.data * rows * scale[matrix.indices]
    return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape), scale
