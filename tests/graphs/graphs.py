"""Small graphs for the tests, and their plain reading by networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np

from dlviz.graphs.graph_build import from_edges
from dlviz.graphs.graph_samples import from_networkx
from dlviz.graphs.results import Graph


def random_graph(
    nodes: int, edges: int, seed: int, *, directed: bool = False, weighted: bool = False
) -> Graph:
    """Edges drawn at random, self-loops and isolated nodes among them."""
    draw = np.random.default_rng(seed)
    ends = draw.integers(0, nodes, (edges, 2))
    if not directed:
        ends = np.sort(ends, axis=1)
    ends = np.unique(ends, axis=0)
    weights = draw.uniform(0.1, 5.0, len(ends)) if weighted else None
    names = tuple(str(node) for node in range(nodes))
    return from_edges(ends, weights, nodes, name="random", labels=names, directed=directed, weighted=weighted)


def weighted_edges(graph: nx.Graph) -> set[tuple[str, str, float]]:
    """Edges of a networkx graph by name, an undirected one with its ends sorted."""
    return {
        (*((str(u), str(v)) if graph.is_directed() else sorted((str(u), str(v)))), float(weight))
        for u, v, weight in graph.edges(data="weight", default=1.0)
    }


def named_edges(graph: Graph) -> set[tuple[str, str, float]]:
    """The same of a graph of ours."""
    names = graph.names()
    found = set()
    for (u, v), weight in zip(graph.edge_list().tolist(), graph.edge_weights().tolist(), strict=True):
        ends = (names[u], names[v]) if graph.directed else sorted((names[u], names[v]))
        found.add((*ends, weight))
    return found


def with_hub() -> Graph:
    """A star of 60 rays with some chords, and a tail: a hub beside nodes of degree 1 and 2."""
    graph = nx.star_graph(60)
    graph.add_edges_from((ray, ray + 1) for ray in range(1, 60, 3))
    graph.add_edges_from([(60, 61), (61, 62), (62, 62)])
    return from_networkx(graph, "hub", tuple(str(node) for node in graph))
