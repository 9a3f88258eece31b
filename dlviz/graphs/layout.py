"""Places for the nodes of a graph: computed once, the same every time, in bounded time."""

from __future__ import annotations

import networkx as nx
import numba
import numpy as np
from jaxtyping import Float

from dlviz.graphs.graph_samples import to_networkx
from dlviz.graphs.matrices import normalised_adjacency, undirected
from dlviz.graphs.results import Graph, NodeLayout

EXACT = 120
"""Up to as many nodes, Kamada and Kawai's energy is minimised: about a second."""

FORCES = 500
"""Up to as many nodes, every pair of nodes repels: networkx's Fruchterman and Reingold."""

_UPDATES = 40_000_000
"""Edge updates of the sampled forces at most: a few seconds, whatever the graph."""


def layout(graph: Graph, seed: int = 0) -> NodeLayout:
    """Place the nodes so that joined ones lie close.

    Up to 120 nodes, distances in the picture follow distances in the graph (Kamada and Kawai 1989). Up to
    500, edges pull and all pairs push (Fruchterman and Reingold 1991). Beyond, :func:`sampled_forces`, whose
    time grows with the edges only. The same graph and seed give the same places: a selection, a colour or a
    training moves nothing.

    Parameters
    ----------
    graph
        Any graph; directions and weights are forgotten. Parts that hang apart are set side by side in small
        graphs.
    seed
        Of the first places and of the pairs that push.
    """
    plain = undirected(graph)
    if graph.nodes <= FORCES:
        method = "kamada_kawai" if graph.nodes <= EXACT else "forces"
        return NodeLayout(_framed(_small(plain, seed)), method)  # type: ignore[arg-type]
    return NodeLayout(_framed(sampled_forces(plain, seed)), "sampled_forces")


def _small(graph: Graph, seed: int) -> Float[np.ndarray, "node 2"]:
    """Every part on its own, then side by side in rows."""
    whole = to_networkx(graph)
    for _, _, data in whole.edges(data=True):
        data["weight"] = 1.0
    parts = sorted(nx.connected_components(whole), key=lambda part: (-len(part), min(part)))
    places = np.zeros((graph.nodes, 2))
    pictures = [_part(whole.subgraph(sorted(part)), seed) for part in parts]
    shelf_x = shelf_y = tallest = 0.0
    widest = 2.0 * np.sqrt(sum(len(part) for part in parts))
    for part, picture in zip(parts, pictures, strict=True):
        side = np.sqrt(len(part))
        if shelf_x and shelf_x + side > widest:
            shelf_x, shelf_y, tallest = 0.0, shelf_y - 1.3 * tallest, 0.0
        places[sorted(part)] = picture * side / 2 + [shelf_x + side / 2, shelf_y - side / 2]
        shelf_x, tallest = shelf_x + 1.3 * side, max(tallest, side)
    return places


def _part(part: nx.Graph, seed: int) -> Float[np.ndarray, "member 2"]:
    """A connected part within -1 and 1."""
    if len(part) == 1:
        return np.zeros((1, 2))
    ring = nx.circular_layout(part)
    found = (
        nx.kamada_kawai_layout(part, pos=ring)
        if len(part) <= EXACT
        else nx.spring_layout(part, seed=seed, iterations=100, method="force")
    )
    return np.array([found[node] for node in sorted(part)])


def sampled_forces(graph: Graph, seed: int = 0, negatives: int = 5) -> Float[np.ndarray, "node 2"]:
    r"""A layout in time linear in edges: edges pull, and randomly drawn nodes push.

    The sampled gradients of LargeVis (Tang et al. 2016) in their simplest form: for an edge ``u, v`` at
    distance ``d`` the attraction is :math:`2d / (1 + d^2)`, the repulsion from each of ``negatives`` random
    nodes :math:`2 / (d (1 + d^2))`; steps shrink linearly to zero. It begins with two eigenvectors of the
    graph found by a few power iterations, so that the large structure is right from the start.
    """
    ends = graph.edge_list()
    ends = ends[ends[:, 0] != ends[:, 1]].astype(np.int64)
    places = _first_places(graph, seed)
    rounds = int(np.clip(_UPDATES // max(1, len(ends) * (1 + negatives)), 10, 300))
    draw = np.random.default_rng(seed)
    _pull_and_push(places, draw.permutation(ends), rounds, negatives, np.uint64(seed))
    alone = graph.isolated()
    if len(alone) and len(alone) < graph.nodes:
        # Nothing pulls them: on a ring around the others.
        others = np.setdiff1d(np.arange(graph.nodes), alone)
        centre = np.median(places[others], axis=0)
        radius = 1.1 * np.sqrt(((places[others] - centre) ** 2).sum(1).max())
        angle = 2 * np.pi * np.arange(len(alone)) / len(alone)
        places[alone] = centre + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return places


def _first_places(graph: Graph, seed: int, iterations: int = 60) -> Float[np.ndarray, "node 2"]:
    """Two smooth vectors over the graph (block power iteration), with a little noise, 10 units wide."""
    matrix, scale = normalised_adjacency(graph)
    draw = np.random.default_rng(seed)
    block = np.column_stack(
        [1 / np.maximum(scale, 1e-9) * (scale > 0), draw.standard_normal((graph.nodes, 2))]
    )
    for _ in range(iterations):
        # Half of the identity keeps eigenvalues positive, so that bipartite parts do not flip.
        block[:, 1:] = 0.5 * (block[:, 1:] + matrix @ block[:, 1:])
        block = np.linalg.qr(block)[0]
    smooth = block[:, 1:] * np.where(scale > 0, scale, 0.0)[:, None]
    spread = np.maximum(smooth.std(0), 1e-12)
    return np.clip(smooth / spread, -3, 3) * 3 + draw.standard_normal((graph.nodes, 2)) * 0.3


@numba.njit(nogil=True, cache=True)
def _pull_and_push(places, ends, rounds, negatives, seed):  # type: ignore[no-untyped-def]
    """Stochastic gradient steps over all edges, ``rounds`` times, in place."""
    state = seed * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x853C49E6748FEA9B)
    nodes = np.uint64(len(places))
    for number in range(rounds):
        rate = 1.0 - number / rounds
        for edge in range(len(ends)):
            for way in range(2):
                u, v = ends[edge, way], ends[edge, 1 - way]
                x, y = places[v, 0] - places[u, 0], places[v, 1] - places[u, 1]
                pull = min(4.0, 2.0 / (1.0 + x * x + y * y)) * rate
                places[u, 0] += 0.5 * pull * x
                places[u, 1] += 0.5 * pull * y
                for _ in range(negatives):
                    state ^= state << np.uint64(13)
                    state ^= state >> np.uint64(7)
                    state ^= state << np.uint64(17)
                    other = np.int64((state >> np.uint64(11)) % nodes)
                    if other == u:
                        continue
                    x, y = places[u, 0] - places[other, 0], places[u, 1] - places[other, 1]
                    squared = x * x + y * y
                    push = 2.0 / ((0.01 + squared) * (1.0 + squared))
                    places[u, 0] += min(4.0, max(-4.0, push * x)) * rate * 0.5
                    places[u, 1] += min(4.0, max(-4.0, push * y)) * rate * 0.5


def _framed(places: Float[np.ndarray, "node 2"]) -> Float[np.ndarray, "node 2"]:
    """Centred, the longest distance from the centre 1."""
    centred = places - (places.min(0) + places.max(0)) / 2
    longest = np.sqrt((centred**2).sum(1).max())
    return (centred / max(longest, 1e-12)).astype(np.float32)


def warm() -> None:
    """Compile the sampled forces, or load what an earlier start has compiled."""
    _pull_and_push(np.zeros((2, 2)), np.zeros((1, 2), np.int64), 1, 1, np.uint64(0))
