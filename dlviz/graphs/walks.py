r"""Second-order random walks, step by step (Grover and Leskovec 2016, *node2vec*, section 3.2).

A walk that came from ``t`` and stands on ``v`` goes on to the neighbour ``x`` with probability

.. math:: P(x \mid v, t) = \frac{\alpha_{pq}(t, x)\, w_{vx}}{\sum_y \alpha_{pq}(t, y)\, w_{vy}}, \qquad
   \alpha_{pq}(t, x) = \begin{cases} 1/p & d_{tx} = 0 \\ 1 & d_{tx} = 1 \\ 1/q & d_{tx} = 2 \end{cases}

where :math:`d_{tx}` is the number of steps from ``t`` to ``x``. A small ``p`` turns back, a small ``q`` leads
away; ``p = q = 1`` forgets ``t``: DeepWalk (Perozzi et al. 2014), with its choice in proportion to weights.

Directed graphs: candidates are successors of ``v``, and :math:`d_{tx} = 1` means that an edge leads from
``t`` to ``x``, as in the paper's shortest path and in PecanPy. (The paper's own program asks for an edge from
``x`` to ``t``.) A walk ends early in a node without a way out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from dlviz.errors import Refused
from dlviz.graphs.results import Chain, Graph, RecordedWalk, StepCandidates
from dlviz.i18n import N_

MAX_TRANSITIONS = 2_000_000
"""Transitions of an exact chain; a hub of ``d`` neighbours alone makes ``d * d`` of them."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Walks with a character of their own."""

    code: Literal["deepwalk", "depth", "breadth"]
    p: float
    q: float


PRESETS: tuple[Preset, ...] = (
    Preset("deepwalk", 1.0, 1.0),
    Preset("depth", 1.0, 0.5),
    Preset("breadth", 1.0, 2.0),
)
"""The paper's figure 3: on Les Misérables ``q = 0.5`` (depth) brought communities out, ``q = 2`` (breadth) roles."""


def check_bias(p: float, q: float) -> None:
    """Refuse a ``p`` or ``q`` that no walk can have."""
    if not (0 < p < float("inf") and 0 < q < float("inf")):
        raise Refused(N_("p and q must be positive numbers."))


def step_candidates(graph: Graph, previous: int | None, current: int, p: float, q: float) -> StepCandidates:
    r"""What a walk weighs before its next step.

    Parameters
    ----------
    graph
        Any graph.
    previous
        The node ``t`` before; None at the first step, which goes by the edges' weights alone.
    current
        The node ``v`` on which the walk stands.
    p, q
        Return and in-out parameter, above 0.

    Returns
    -------
    StepCandidates
        All neighbours of ``v`` with distance, bias, weight and probability. Empty if there is no way out.

    Raises
    ------
    Refused
        ``p`` or ``q`` is not a positive number.
    """
    check_bias(p, q)
    nodes = graph.neighbours(current)
    edge_weight = graph.neighbour_weights(current)
    if previous is None:
        distance = np.full(len(nodes), -1)
        bias = np.ones(len(nodes))
    else:
        adjacent = np.isin(nodes, graph.neighbours(previous), assume_unique=True)
        distance = np.where(nodes == previous, 0, np.where(adjacent, 1, 2))
        bias = np.array([1 / p, 1.0, 1 / q])[distance]
    weight = bias * edge_weight
    probability = weight / weight.sum() if len(weight) else weight
    last = -1 if previous is None else previous
    return StepCandidates(last, current, p, q, nodes, distance, edge_weight, bias, weight, probability)


def record_walk(graph: Graph, start: int, length: int, p: float, q: float, seed: int = 0) -> RecordedWalk:
    """Walk once and keep everything that was weighed.

    At each step one uniform number between 0 and 1 is drawn, and the walk goes to the first candidate whose
    cumulative probability exceeds it.

    Parameters
    ----------
    graph, start, p, q
        Where to walk, and how.
    length
        Nodes of the walk, the start included.
    seed
        The same seed gives the same walk.
    """
    draw = np.random.default_rng(seed)
    nodes, steps, draws = [start], [], []
    previous: int | None = None
    while len(nodes) < length:
        step = step_candidates(graph, previous, nodes[-1], p, q)
        if not len(step.nodes):
            break
        number = draw.random()
        chosen = min(int(np.searchsorted(np.cumsum(step.probability), number, "right")), len(step.nodes) - 1)
        previous = nodes[-1]
        nodes.append(int(step.nodes[chosen]))
        steps.append(step)
        draws.append(number)
    return RecordedWalk(np.array(nodes), tuple(steps), np.array(draws), length)


def visit_counts(nodes: int, walks: Int[np.ndarray, "*walk place"]) -> Int[np.ndarray, " node"]:
    """How often each node stands in the walks; -1 (after a walk's end) counts for none."""
    flat = walks.ravel()
    return np.bincount(flat[flat >= 0], minlength=nodes)


def transitions(graph: Graph) -> int:
    """How many transitions :func:`second_order_chain` would have: the successors of every arc's end."""
    return int(graph.degree()[graph.indices].sum())


def second_order_chain(graph: Graph, p: float, q: float) -> Chain:
    """The exact chain: for every arc ``t -> v`` the probabilities of the arcs ``v -> x`` that may follow.

    Raises
    ------
    Refused
        It would have more than :data:`MAX_TRANSITIONS` entries.
    """
    check_bias(p, q)
    if transitions(graph) > MAX_TRANSITIONS:
        raise Refused(
            N_(
                "The exact chain of this graph has {count} transitions, more than the {limit} that are computed."
            ),
            count=transitions(graph),
            limit=MAX_TRANSITIONS,
        )
    source, target = graph.rows(), graph.indices
    follow = np.diff(graph.indptr)[target]
    indptr = np.concatenate([[0], np.cumsum(follow)])
    state = np.repeat(np.arange(len(target)), follow)
    following = np.arange(indptr[-1]) - indptr[state] + graph.indptr[target[state]]
    before, after = source[state].astype(np.int64), graph.indices[following]
    # Arcs are sorted by (source, target), so "does t -> x exist?" is one search for all.
    codes = source.astype(np.int64) * graph.nodes + target
    wanted = before * graph.nodes + after
    place = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
    bias = np.where(after == before, 1 / p, np.where(codes[place] == wanted, 1.0, 1 / q))
    weight = bias * graph.weights[following]
    total = np.bincount(state, weight, minlength=len(target))
    return Chain(source, target, indptr, following, weight / total[state])


def expected_visits(graph: Graph, start: int, length: int, p: float, q: float) -> Float[np.ndarray, " node"]:
    """How often a walk of ``length`` nodes visits each node on average, exactly, by the second-order chain.

    The sum over all nodes is ``length`` where no walk ends early. The heat map of many recorded walks comes
    ever closer to it.
    """
    from scipy.sparse import csr_array

    chain = second_order_chain(graph, p, q)
    arcs = len(chain.target)
    matrix = csr_array((chain.probability, chain.indices, chain.indptr), shape=(arcs, arcs)).T.tocsr()
    visits = np.zeros(graph.nodes)
    visits[start] = 1.0
    first = graph.neighbour_weights(start)
    state = np.zeros(arcs)
    if len(first):
        state[graph.indptr[start] : graph.indptr[start + 1]] = first / first.sum()
    for place in range(1, length):
        visits += np.bincount(chain.target, state, minlength=graph.nodes)
        if place < length - 1:
            state = matrix @ state
    return visits
