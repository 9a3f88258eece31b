"""The part of a large graph that a picture can hold: some nodes, some edges, and how many are left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from dlviz.graphs.results import Graph

MAX_NODES = 2000
MAX_EDGES = 6000


@dataclass(frozen=True, slots=True, eq=False)
class DrawnPart:
    """What is drawn of a graph.

    Attributes
    ----------
    nodes
        The nodes that are drawn, in increasing order.
    edges
        Pairs of places in `nodes` that are joined by an edge which is drawn.
    hidden_nodes, hidden_edges
        How many nodes and edges of the graph are not drawn.
    """

    nodes: Int[np.ndarray, " shown"]
    edges: Int[np.ndarray, "edge 2"]
    hidden_nodes: int
    hidden_edges: int


def part(
    graph: Graph,
    *,
    keep: Iterable[int] = (),
    most_nodes: int = MAX_NODES,
    most_edges: int = MAX_EDGES,
    seed: int = 0,
) -> DrawnPart:
    """Choose what to draw: all of a small graph, a random sample of a large one.

    A canvas holds a few thousand lines before it is one grey patch, so nodes are drawn at random, and of the
    edges between them again some at random. Nodes in ``keep`` (those of a walk) are always among them, and the
    edges between these come first.

    Parameters
    ----------
    graph
        Any graph.
    keep
        Nodes that have to be there.
    most_nodes, most_edges
        How many can be drawn; more nodes than that only if ``keep`` holds more.
    seed
        Of the sample; the same seed draws the same nodes, whatever is kept.
    """
    rng = np.random.default_rng(seed)
    chance = rng.random(graph.nodes)
    kept = np.zeros(graph.nodes, bool)
    kept[np.fromiter(keep, np.int64)] = True
    chance[kept] = -1.0
    count = min(graph.nodes, max(most_nodes, int(kept.sum())))
    nodes = np.sort(np.argpartition(chance, count - 1)[:count])
    place = np.full(graph.nodes, -1, np.int64)
    place[nodes] = np.arange(count)
    ends = graph.edge_list().astype(np.int64)
    ends = ends[ends[:, 0] != ends[:, 1]]
    within = (place[ends] >= 0).all(axis=1)
    shown = ends[within]
    if len(shown) > most_edges:
        order = rng.random(len(shown)) - kept[shown].all(axis=1)
        shown = shown[np.sort(np.argpartition(order, most_edges - 1)[:most_edges])]
    return DrawnPart(nodes, place[shown], graph.nodes - count, len(ends) - len(shown))
