"""The part of a graph that is drawn, and how far walks get."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from dlviz.graphs import drawn, graph_samples
from dlviz.graphs.reach import reach
from tests.graphs.graphs import random_graph


def test_a_small_graph_is_drawn_whole() -> None:
    graph = graph_samples.sample("karate")
    part = drawn.part(graph)
    assert (part.hidden_nodes, part.hidden_edges) == (0, 0)
    np.testing.assert_array_equal(part.nodes, np.arange(34))
    assert {tuple(sorted(pair)) for pair in part.edges.tolist()} == {
        tuple(sorted(pair)) for pair in graph.edge_list().tolist()
    }


@pytest.mark.parametrize("directed", [False, True])
def test_of_a_large_graph_some_nodes_are_drawn_and_the_kept_ones_always(directed: bool) -> None:
    graph = random_graph(3000, 20_000, seed=1, directed=directed)
    keep = [7, 1234, 2999]
    part = drawn.part(graph, keep=keep, most_nodes=200, most_edges=50)
    assert len(part.nodes) == 200 and set(keep) <= set(part.nodes.tolist())
    assert len(part.edges) <= 50
    assert part.hidden_nodes == 2800
    real = int((graph.edge_list()[:, 0] != graph.edge_list()[:, 1]).sum())
    assert part.hidden_edges == real - len(part.edges)
    for a, b in part.nodes[part.edges].tolist():
        assert a != b and graph.has_edge(a, b)


def test_what_is_kept_hardly_changes_the_others() -> None:
    graph = random_graph(2000, 6000, seed=2)
    first = set(drawn.part(graph, most_nodes=300).nodes.tolist())
    second = set(drawn.part(graph, keep=[1, 2, 3], most_nodes=300).nodes.tolist())
    assert len(first ^ second) <= 6


def test_edges_between_kept_nodes_come_first() -> None:
    graph = graph_samples.stochastic_blocks((40, 40), 0.5, 0.1)
    keep = graph.edge_list()[:10].ravel().tolist()
    part = drawn.part(graph, keep=keep, most_edges=60)
    shown = {tuple(pair) for pair in part.nodes[part.edges].tolist()}
    assert {tuple(pair) for pair in graph.edge_list()[:10].tolist()} <= shown


def test_on_a_path_the_distance_is_the_number_of_edges() -> None:
    """A tiny p always turns back, a tiny q never does: by hand, 0 1 0 1 and 0 1 2 3."""
    path = graph_samples.from_networkx(nx.path_graph(8), "path", tuple("abcdefgh"))
    back = reach(path, 0, 4, p=1e-6, q=1.0, walks=5)
    away = reach(path, 0, 4, p=1.0, q=1e-6, walks=5)
    np.testing.assert_allclose(back.distance, [0, 1, 0, 1])
    np.testing.assert_allclose(back.different, [1, 2, 2, 2])
    np.testing.assert_allclose(away.distance, [0, 1, 2, 3])
    np.testing.assert_allclose(away.different, [1, 2, 3, 4])


def test_a_walk_that_ends_early_stays_where_it_is() -> None:
    arrows = graph_samples.from_networkx(nx.DiGraph([(0, 1), (1, 2)]), "arrows", ("a", "b", "c"))
    found = reach(arrows, 0, 6, p=1.0, q=1.0, walks=3)
    np.testing.assert_allclose(found.distance, [0, 1, 2, 2, 2, 2])


def test_what_the_presets_of_the_page_promise() -> None:
    """On the page's small world: two edges from the start with q = 4, more than four with q = 0.25."""
    world = graph_samples.small_world(60, 4, 0.08, 0)
    start = int(world.degree().argmax())
    near, far = (reach(world, start, 20, 1.0, q, walks=400).distance[-1] for q in (4.0, 0.25))
    assert 1.8 < near < 2.2 and far > 4
