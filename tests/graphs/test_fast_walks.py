"""The compiled walks against the exact chain, and the promises about seeds, threads, hubs and memory."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from scipy.stats import chi2

from dlviz.events import Progress, Result
from dlviz.graphs import fast_walks, walks
from dlviz.graphs.graph_build import from_edges
from dlviz.graphs.graph_samples import sample, stochastic_blocks
from dlviz.graphs.results import Graph
from tests.graphs.graphs import random_graph, with_hub


def _chi_square(graph: Graph, p: float, q: float, walked: np.ndarray) -> float:
    """The p-value of the walks' transitions (t, v) -> x under the exact chain."""
    chain = walks.second_order_chain(graph, p, q)
    arcs = chain.source.astype(np.int64) * graph.nodes + chain.target
    t, v, x = (walked[:, k : walked.shape[1] - 2 + k].ravel().astype(np.int64) for k in range(3))
    kept = x >= 0
    first = np.searchsorted(arcs, (t * graph.nodes + v)[kept])
    second = np.searchsorted(arcs, (v * graph.nodes + x)[kept])
    state = np.repeat(np.arange(len(arcs)), np.diff(chain.indptr))
    codes = state * len(arcs) + chain.indices
    place = np.searchsorted(codes, first * len(arcs) + second)
    assert np.array_equal(codes[place], first * len(arcs) + second), "a step that the chain does not know"
    seen = np.bincount(place, minlength=len(codes))
    expected = np.bincount(first, minlength=len(arcs))[state] * chain.probability
    enough = expected >= 5
    statistic = ((seen - expected)[enough] ** 2 / expected[enough]).sum()
    freedom = enough.sum() - len(np.unique(state[enough]))
    return float(chi2.sf(statistic, freedom))


GRAPHS = {
    "karate, weighted": sample("karate"),
    "hub": with_hub(),
    "directed": random_graph(25, 120, seed=2, directed=True),
    "directed, weighted": random_graph(25, 120, seed=7, directed=True, weighted=True),
    "self-loops, weighted": random_graph(20, 70, seed=5, weighted=True),
}


@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (0.5, 2.0), (0.01, 1.0), (50.0, 0.02), (0.1, 60.0)])
@pytest.mark.parametrize("name", GRAPHS)
def test_transitions_follow_the_exact_chain(name: str, p: float, q: float) -> None:
    graph = GRAPHS[name]
    walked = fast_walks.walk_all(graph, 400, 30, p, q, seed=11).nodes
    assert _chi_square(graph, p, q, walked) > 1e-4


def test_the_test_would_notice_a_wrong_bias() -> None:
    graph = GRAPHS["karate, weighted"]
    walked = fast_walks.walk_all(graph, 400, 30, 0.5, 2.0, seed=11).nodes
    assert _chi_square(graph, 0.55, 2.0, walked) < 1e-6
    assert _chi_square(graph, 0.5, 1.8, walked) < 1e-6


def test_the_first_step_goes_by_weight() -> None:
    graph = sample("karate")
    walked = fast_walks.walk_all(graph, 20_000, 2, 0.1, 10.0, seed=1).nodes
    from_zero = walked[walked[:, 0] == 0, 1]
    share = np.bincount(from_zero, minlength=graph.nodes)[graph.neighbours(0)] / len(from_zero)
    expected = graph.neighbour_weights(0) / graph.neighbour_weights(0).sum()
    assert np.abs(share - expected).max() < 0.015


def test_as_many_walks_start_at_every_node() -> None:
    walked = fast_walks.walk_all(with_hub(), 7, 5, 2.0, 0.5)
    assert (np.bincount(walked.nodes[:, 0]) == 7).all()


def test_the_same_seed_gives_the_same_walks_on_any_number_of_threads() -> None:
    graph = stochastic_blocks((100, 100), 0.1, 0.01, seed=1)
    one = fast_walks.walk_all(graph, 5, 40, 0.5, 2.0, seed=3, threads=1).nodes
    three = fast_walks.walk_all(graph, 5, 40, 0.5, 2.0, seed=3, threads=3).nodes
    other = fast_walks.walk_all(graph, 5, 40, 0.5, 2.0, seed=4, threads=3).nodes
    live = list(fast_walks.walk_live(graph, 5, 40, 0.5, 2.0, seed=3))
    assert np.array_equal(one, three) and not np.array_equal(one, other)
    assert all(isinstance(event, Progress) for event in live[:-1])
    assert isinstance(live[-1], Result) and np.array_equal(live[-1].value.nodes, one)


def test_two_walks_from_one_node_differ() -> None:
    walked = fast_walks.walk_all(sample("karate"), 2, 30, 1.0, 1.0).nodes
    first, second = walked[:34], walked[34:]
    for row in first:
        assert not np.array_equal(row, second[second[:, 0] == row[0]][0])


def test_dead_ends_and_isolated_nodes() -> None:
    graph = from_edges(np.array([(0, 1), (1, 2)]), None, 4, name="", labels=tuple("abcd"), directed=True)
    walked = fast_walks.walk_all(graph, 1, 5, 0.5, 2.0).nodes
    rows = {row[0]: row.tolist() for row in walked}
    assert rows == {
        0: [0, 1, 2, -1, -1],
        1: [1, 2, -1, -1, -1],
        2: [2, -1, -1, -1, -1],
        3: [3, -1, -1, -1, -1],
    }
    assert walks.visit_counts(4, walked).tolist() == [1, 2, 3, 1]


def test_memory_is_linear_in_edges_even_with_a_hub() -> None:
    """A star of 50,000 rays: tables for every pair of arcs would take 2.5e9 entries."""
    rays = 50_000
    edges = np.stack([np.zeros(rays, int), np.arange(1, rays + 1)], axis=1)
    graph = from_edges(
        edges, np.linspace(1, 2, rays), rays + 1, name="", labels=("",) * (rays + 1), weighted=True
    )
    fast_walks.warm()
    tracemalloc.start()
    walker = fast_walks.Walker(graph, 1, 10, 0.5, 2.0)
    walker.walk(0, 1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * len(graph.indices)


def test_an_extreme_bias_takes_no_longer_than_the_row_is_long() -> None:
    """All candidates but the way back are far, and the way back is all but forbidden: tries are in vain."""
    graph = with_hub()
    fast_walks.walk_all(graph, 1, 5, 1.0, 1.0)
    started = time.perf_counter()
    fast_walks.walk_all(graph, 50, 80, 1e6, 1e6, seed=1)
    assert time.perf_counter() - started < 10.0
