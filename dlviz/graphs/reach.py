"""How far biased walks get: what p and q do before anything is learnt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from dlviz.graphs.matrices import adjacency
from dlviz.graphs.results import Graph
from dlviz.graphs.walks import record_walk


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What walks of one kind do on average.

    Attributes
    ----------
    distance
        Mean distance from the start, in edges, at each place of the walk.
    different
        Mean number of different nodes visited up to each place.
    """

    distance: Float[np.ndarray, " place"]
    different: Float[np.ndarray, " place"]


def reach(
    graph: Graph, start: int, length: int, p: float, q: float, walks: int = 100, seed: int = 0
) -> Reach:
    """Walk ``walks`` times from ``start`` and measure how far the walks get and how much they see.

    A large ``q`` keeps a walk near its start (breadth), a small one leads it away (depth), a small ``p`` makes it
    turn back. Distances are counted along edges, whatever their weights; a walk that ends early counts with its
    last place.

    Parameters
    ----------
    graph, start, length, p, q
        As :func:`dlviz.graphs.walks.record_walk` takes them.
    walks
        How many.
    seed
        Of the first walk; the others count on from it.
    """
    from scipy.sparse.csgraph import dijkstra

    steps = dijkstra(adjacency(graph), unweighted=True, indices=start)
    distance = np.zeros((walks, length))
    different = np.zeros((walks, length))
    for number in range(walks):
        nodes = record_walk(graph, start, length, p, q, seed + number).nodes
        nodes = np.concatenate([nodes, np.full(length - len(nodes), nodes[-1])])
        distance[number] = steps[nodes]
        first = np.zeros(length)
        first[np.unique(nodes, return_index=True)[1]] = 1
        different[number] = np.cumsum(first)
    return Reach(distance.mean(0), different.mean(0))
