"""The walk's probabilities against the definition in the paper, worked with dense matrices and by hand."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from dlviz.errors import Refused
from dlviz.graphs import walks
from dlviz.graphs.graph_build import from_edges
from dlviz.graphs.graph_samples import sample, to_networkx
from dlviz.graphs.results import Graph
from tests.graphs.graphs import random_graph, with_hub


def _by_definition(graph: Graph, t: int, v: int, p: float, q: float) -> dict[int, float]:
    """Equation 2 of the paper, with networkx's shortest paths for the distance."""
    original = to_networkx(graph)
    far = nx.single_source_shortest_path_length(original, t)
    weights = {}
    for x in original[v]:
        distance = min(far.get(x, 2), 2)
        weights[x] = original[v][x]["weight"] * {0: 1 / p, 1: 1.0, 2: 1 / q}[distance]
    total = sum(weights.values())
    return {x: weight / total for x, weight in weights.items()}


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (0.25, 4.0), (4.0, 0.5)])
def test_steps_and_chain_equal_the_definition(directed: bool, weighted: bool, p: float, q: float) -> None:
    graph = random_graph(14, 45, seed=3, directed=directed, weighted=weighted)
    chain = walks.second_order_chain(graph, p, q)
    for arc, (t, v) in enumerate(zip(chain.source.tolist(), chain.target.tolist(), strict=True)):
        exact = _by_definition(graph, t, v, p, q)
        step = walks.step_candidates(graph, t, v, p, q)
        assert dict(zip(step.nodes.tolist(), step.probability, strict=True)) == pytest.approx(exact)
        row = slice(chain.indptr[arc], chain.indptr[arc + 1])
        assert (chain.source[chain.indices[row]] == v).all()
        reached = dict(zip(chain.target[chain.indices[row]].tolist(), chain.probability[row], strict=True))
        assert reached == pytest.approx(exact)


def test_the_figure_of_the_paper_by_hand() -> None:
    """Figure 2: from t to v; x1 is a neighbour of both, x2 and x3 of v alone. p = 4, q = 0.5."""
    t, v, x1 = 0, 1, 2
    edges = np.array([(0, 1), (0, 2), (1, 2), (1, 3), (1, 4)])
    graph = from_edges(edges, None, 5, name="", labels=("t", "v", "x1", "x2", "x3"))
    step = walks.step_candidates(graph, t, v, 4.0, 0.5)
    assert step.nodes.tolist() == [t, x1, 3, 4]
    assert step.distance.tolist() == [0, 1, 2, 2]
    assert step.bias.tolist() == [0.25, 1.0, 2.0, 2.0]
    assert step.probability == pytest.approx(np.array([0.25, 1, 2, 2]) / 5.25)
    first = walks.step_candidates(graph, None, v, 4.0, 0.5)
    assert first.probability.tolist() == [0.25] * 4 and first.previous == -1


def test_deepwalk_forgets_the_previous_node() -> None:
    graph = sample("karate")
    for previous in graph.neighbours(0).tolist():
        step = walks.step_candidates(graph, previous, 0, 1.0, 1.0)
        assert step.probability == pytest.approx(step.edge_weight / step.edge_weight.sum())


def test_distance_one_in_a_directed_graph_is_an_edge_from_the_previous_node() -> None:
    edges = np.array([(0, 1), (1, 2), (1, 3), (0, 2), (3, 0)])
    graph = from_edges(edges, None, 4, name="", labels=tuple("tvab"), directed=True)
    step = walks.step_candidates(graph, 0, 1, 2.0, 3.0)
    assert dict(zip(step.nodes.tolist(), step.distance.tolist(), strict=True)) == {2: 1, 3: 2}


def test_a_recorded_walk_follows_its_own_numbers() -> None:
    walk = walks.record_walk(with_hub(), 61, 40, 0.5, 2.0, seed=4)
    again = walks.record_walk(with_hub(), 61, 40, 0.5, 2.0, seed=4)
    assert np.array_equal(walk.nodes, again.nodes) and len(walk.nodes) == 40
    for place, (step, draw) in enumerate(zip(walk.steps, walk.draws.tolist(), strict=True)):
        assert step.current == walk.nodes[place]
        assert step.previous == (-1 if place == 0 else walk.nodes[place - 1])
        upper = np.cumsum(step.probability)
        chosen = step.nodes.tolist().index(walk.nodes[place + 1])
        assert (upper[chosen - 1] if chosen else 0.0) <= draw < upper[chosen] + 1e-12


def test_a_directed_walk_ends_where_no_edge_leads_on() -> None:
    graph = from_edges(np.array([(0, 1), (1, 2)]), None, 3, name="", labels=tuple("abc"), directed=True)
    walk = walks.record_walk(graph, 0, 10, 1.0, 1.0)
    assert walk.nodes.tolist() == [0, 1, 2] and walk.asked == 10
    assert walks.expected_visits(graph, 0, 10, 1.0, 1.0).tolist() == [1, 1, 1]


def test_expected_visits_equal_a_sum_over_all_paths() -> None:
    graph = random_graph(6, 9, seed=1, weighted=True)
    expected = np.zeros(graph.nodes)

    def follow(previous: int | None, current: int, left: int, chance: float) -> None:
        expected[current] += chance
        step = walks.step_candidates(graph, previous, current, 0.5, 3.0)
        for node, probability in zip(step.nodes.tolist(), step.probability.tolist(), strict=True):
            if left:
                follow(current, node, left - 1, chance * probability)

    start = int(graph.degree().argmax())
    follow(None, start, 5, 1.0)
    assert walks.expected_visits(graph, start, 6, 0.5, 3.0) == pytest.approx(expected)


def test_many_recorded_walks_come_near_the_expected_visits() -> None:
    graph = sample("florentine")
    counts = sum(
        walks.visit_counts(graph.nodes, walks.record_walk(graph, 0, 20, 4.0, 0.25, seed).nodes)
        for seed in range(400)
    )
    expected = walks.expected_visits(graph, 0, 20, 4.0, 0.25)
    assert expected.sum() == pytest.approx(20)
    assert np.abs(counts / 400 - expected).max() < 0.25


def test_impossible_biases_and_hopeless_chains_are_refused() -> None:
    for p, q in ((0.0, 1.0), (1.0, -2.0), (float("nan"), 1.0), (1.0, float("inf"))):
        with pytest.raises(Refused):
            walks.step_candidates(sample("karate"), 0, 1, p, q)
    star = from_edges(np.array([(0, n) for n in range(1, 2000)]), None, 2000, name="", labels=("",) * 2000)
    with pytest.raises(Refused, match="transitions"):
        walks.second_order_chain(star, 1.0, 1.0)
