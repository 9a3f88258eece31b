"""Graphs to begin with: three small classics that networkx ships, and two kinds made to order."""

from __future__ import annotations

from typing import Literal

import networkx as nx
import numpy as np

from dlviz.errors import Refused
from dlviz.graphs.graph_build import MAX_EDGES, from_edges
from dlviz.graphs.results import Attribute, Graph
from dlviz.i18n import N_

Sample = Literal["karate", "miserables", "florentine"]
SAMPLES: tuple[Sample, ...] = ("karate", "miserables", "florentine")
MAX_MADE = 20_000
"""Nodes of a graph made to order."""


def sample(name: Sample) -> Graph:
    """One of the classics.

    ``"karate"``: friendships in a karate club that split in two (Zachary 1977; 34 nodes, weighted, with the
    side that each member took). ``"miserables"``: characters of Les Misérables who share a chapter (Knuth
    1993; 77 nodes, weighted). ``"florentine"``: marriages between families of Renaissance Florence (Padgett
    1994; 15 nodes).
    """
    if name == "karate":
        club = nx.karate_club_graph()
        sides = ["Mr. Hi", "Officer"]
        codes = np.array([sides.index(side) for _, side in club.nodes(data="club")], np.int32)
        labels = tuple(str(node + 1) for node in club)
        return from_networkx(club, name, labels, (Attribute("club", "category", codes, "\n".join(sides)),))
    graph = nx.les_miserables_graph() if name == "miserables" else nx.florentine_families_graph()
    return from_networkx(graph, name, tuple(str(node) for node in graph))


def stochastic_blocks(sizes: tuple[int, ...], inside: float, between: float, seed: int = 0) -> Graph:
    r"""A stochastic block model: communities by construction (Holland et al. 1983).

    .. math:: P(u \sim v) = \begin{cases} inside & \text{same block} \\ between & \text{else} \end{cases}

    Parameters
    ----------
    sizes
        Nodes in each block.
    inside, between
        Probabilities of an edge, from 0 to 1.
    seed
        The same seed gives the same graph.

    Returns
    -------
    Graph
        With the block of each node as an attribute.

    Raises
    ------
    Refused
        The graph would be too large, or came out without any edge.
    """
    nodes = sum(sizes)
    pairs_inside = sum(size * (size - 1) // 2 for size in sizes)
    expected = inside * pairs_inside + between * (nodes * (nodes - 1) // 2 - pairs_inside)
    _check_order(nodes, expected)
    chances = np.where(np.eye(len(sizes), dtype=bool), inside, between)
    made = nx.stochastic_block_model(list(sizes), chances, seed=seed, sparse=True)
    blocks = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    names = "\n".join(str(block + 1) for block in range(len(sizes)))
    return from_networkx(made, "blocks", _numbers(nodes), (Attribute("block", "category", blocks, names),))


def small_world(nodes: int, neighbours: int, rewiring: float, seed: int = 0) -> Graph:
    """A small world: a ring whose edges were rewired at random (Watts and Strogatz 1998).

    Parameters
    ----------
    nodes
        How many.
    neighbours
        Nearest ones that each node of the ring is joined to; an odd number counts as the even one below it.
    rewiring
        Probability, from 0 to 1, that an edge is led somewhere else.
    seed
        The same seed gives the same graph.

    Raises
    ------
    Refused
        The graph would be too large, or without any edge.
    """
    _check_order(nodes, nodes * (neighbours // 2))
    made = nx.watts_strogatz_graph(nodes, min(neighbours, nodes - 1), rewiring, seed=seed)
    return from_networkx(made, "small_world", _numbers(nodes))


def _check_order(nodes: int, edges: float) -> None:
    if nodes > MAX_MADE or edges > MAX_EDGES:
        raise Refused(
            N_(
                "This would make {nodes} nodes and about {edges} edges. At most {most_nodes} nodes and {most_edges} "
                "edges can be made."
            ),
            nodes=nodes,
            edges=round(edges),
            most_nodes=MAX_MADE,
            most_edges=MAX_EDGES,
        )


def _numbers(nodes: int) -> tuple[str, ...]:
    return tuple(str(number + 1) for number in range(nodes))


def from_networkx(
    graph: nx.Graph, name: str, labels: tuple[str, ...], attributes: tuple[Attribute, ...] = ()
) -> Graph:
    """A networkx graph in sorted rows, its nodes numbered in their order; ``weight`` is kept."""
    number = {node: place for place, node in enumerate(graph)}
    edges = np.array([(number[u], number[v]) for u, v in graph.edges], np.int64).reshape(-1, 2)
    if not len(edges):
        raise Refused(N_("The graph has no edge, so there is nothing to walk along."))
    weights = np.array([weight for _, _, weight in graph.edges(data="weight", default=1.0)], float)
    return from_edges(
        edges,
        weights,
        len(labels),
        name=name,
        labels=labels,
        directed=graph.is_directed(),
        weighted=bool((weights != 1).any()),
        attributes=attributes,
    )


def to_networkx(graph: Graph) -> nx.Graph:
    """The same graph for networkx; nodes are numbers."""
    made = nx.DiGraph() if graph.directed else nx.Graph()
    made.add_nodes_from(range(graph.nodes))
    ends = graph.edge_list()
    made.add_weighted_edges_from(
        zip(ends[:, 0].tolist(), ends[:, 1].tolist(), graph.edge_weights().tolist(), strict=True)
    )
    return made
