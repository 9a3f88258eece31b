"""node2vec learns what it should, the same every time, and its measures are those of the textbooks."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result, Work
from dlviz.foundations.alignment import principal_plane
from dlviz.foundations.word2vec import expected_pairs, nearest
from dlviz.graphs import evaluation, groups, node2vec
from dlviz.graphs.graph_build import from_edges
from dlviz.graphs.graph_samples import sample, small_world, stochastic_blocks, to_networkx
from dlviz.graphs.layout import layout
from dlviz.graphs.results import Graph, Node2VecSettings
from tests.graphs.graphs import random_graph

QUICK = Node2VecSettings(walks_per_node=5, length=20, dimensions=16, epochs=1, seed=1)


def _last(work: Work) -> object:
    event = None
    for event in work:
        assert isinstance(event, (Progress, Frame, Result))
    assert isinstance(event, Result)
    return event.value


def _blocks() -> Graph:
    return stochastic_blocks((30, 30, 30), 0.4, 0.01, seed=2)


def test_training_tells_what_it_does() -> None:
    graph = _blocks()
    settings = Node2VecSettings(walks_per_node=20, length=30, dimensions=16, epochs=2, alpha=0.05, seed=1)
    events = list(node2vec.train(graph, settings, watched=(0, 40), near=4, frames=20))
    frames = [event.value for event in events if isinstance(event, Frame)]
    assert 15 <= len(frames) <= 20 and frames[-1].epoch == 2
    assert frames[-1].done == frames[-1].total == 2 * 20 * 90
    assert frames[-1].loss < frames[0].loss
    blocks = graph.attributes[0].values
    assert (blocks[frames[-1].near[0]] == blocks[0]).all() and (
        blocks[frames[-1].near[1]] == blocks[40]
    ).all()
    made = events[-1].value
    assert made.vectors.shape == (90, 16) and made.trained.all()
    assert np.array_equal(frames[-1].near, nearest(made.vectors, np.array([0, 40]), 4))
    assert evaluation.agreement(made.vectors, groups.communities(graph)) > 0.95


def test_the_loss_of_a_network_that_knows_nothing() -> None:
    """Every pair costs ln 2 for itself and for each of five negatives."""
    slow = Node2VecSettings(walks_per_node=20, length=20, dimensions=16, epochs=1, alpha=1e-5, min_alpha=1e-6)
    losses = _last(node2vec.train(_blocks(), slow, frames=5)).losses
    # The number of pairs is an expectation, since gensim draws windows, and its logarithms come from a table.
    assert losses.mean() == pytest.approx(6 * np.log(2), rel=0.02)
    assert losses == pytest.approx(np.full(len(losses), 6 * np.log(2)), rel=0.05)


def test_the_same_seed_gives_the_same_vectors_with_and_without_pictures() -> None:
    graph = sample("karate")
    one, again = (_last(node2vec.train(graph, QUICK, frames=12)) for _ in range(2))
    assert np.array_equal(one.vectors, again.vectors) and np.array_equal(one.positions, again.positions)


def test_pictures_do_not_spin() -> None:
    draw = np.random.default_rng(0)
    points = draw.standard_normal((50, 8)) * np.linspace(4, 1, 8)
    before = principal_plane(points)
    turned = points @ np.linalg.qr(draw.standard_normal((8, 8)))[0]
    assert np.allclose(principal_plane(turned, before), before, atol=1e-4)
    assert np.allclose(
        np.linalg.norm(before), np.linalg.norm(principal_plane(points, -before[:, ::-1])), rtol=1e-5
    )
    assert principal_plane(points[:, :1]).shape == (50, 2)


def test_isolated_nodes_keep_their_drawn_vectors() -> None:
    graph = from_edges(np.array([(0, 1), (1, 2), (2, 0)]), None, 5, name="", labels=tuple("abcde"))
    made = _last(node2vec.train(graph, QUICK))
    assert made.trained.tolist() == [True, True, True, False, False]
    assert np.isfinite(made.vectors).all() and np.abs(made.vectors[3:]).max() <= 0.5 / 16


def test_pairs_are_counted_as_the_skip_gram_makes_them() -> None:
    draw = np.random.default_rng(0)
    made = [
        sum(1 for i, b in enumerate(draw.integers(1, 4, 6)) for j in range(6) if i != j and abs(i - j) <= b)
        for _ in range(4000)
    ]
    assert expected_pairs(6, 3)[6] == pytest.approx(np.mean(made), rel=0.01)


def test_spectral_vectors_are_eigenvectors_of_the_laplacian() -> None:
    graph = sample("miserables")
    made = node2vec.spectral(graph, 3)
    laplacian = nx.laplacian_matrix(to_networkx(graph), weight="weight").toarray()
    degree = np.diag(laplacian)
    normalised = laplacian / np.sqrt(np.outer(degree, degree))
    values = np.linalg.eigvalsh(normalised)[1:4]
    for column, value in zip(made.vectors.T.astype(float), values, strict=True):
        assert laplacian @ column == pytest.approx(value * degree * column, abs=1e-3)


def test_a_large_graph_finds_the_same_eigenvectors_by_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = stochastic_blocks((40, 40, 40), 0.3, 0.01, seed=3)
    exact = node2vec.spectral(graph, 2).vectors
    monkeypatch.setattr(node2vec, "_DENSE", 10)
    assert np.abs(node2vec.spectral(graph, 2).vectors - exact).max() < 0.05


def test_no_held_out_edge_is_ever_seen() -> None:
    graph = sample("miserables")
    split = evaluation.split_links(graph, 0.3, seed=1)
    whole = to_networkx(graph)
    assert nx.is_connected(to_networkx(split.train)) and split.train.edges == 254 - len(split.held_out)
    assert len(split.held_out) == len(split.non_edges) == 76
    assert all(whole.has_edge(u, v) and not split.train.has_edge(u, v) for u, v in split.held_out.tolist())
    assert not any(
        whole.has_edge(u, v) for u, v in [*split.non_edges.tolist(), *split.train_non_edges.tolist()]
    )
    sets = [
        {tuple(sorted(pair)) for pair in pairs.tolist()}
        for pairs in (split.held_out, split.non_edges, split.train_edges, split.train_non_edges)
    ]
    assert len(set.union(*sets)) == sum(map(len, sets))


def test_link_prediction_beats_chance_where_there_is_something_to_predict() -> None:
    compared = _last(
        evaluation.compare(small_world(200, 6, 0.05, seed=1), Node2VecSettings(dimensions=16), repeats=2)
    )
    auc = {one.method: one.auc for one in compared.scores}
    assert auc["node2vec"] > 0.85 and auc["spectral"] > 0.85 and abs(auc["random"] - 0.5) < 0.15
    kept = {one.method: one.neighbours_kept for one in compared.scores}
    assert kept["node2vec"] > 0.6 > 0.1 > kept["random"]
    assert compared.repeats == 2 and all(one.auc_spread >= 0 for one in compared.scores)


@pytest.mark.parametrize("graph", [nx.path_graph(40), nx.complete_graph(12)])
def test_trees_and_complete_graphs_have_no_links_to_predict(graph: nx.Graph) -> None:
    made = from_edges(np.array(graph.edges), None, len(graph), name="", labels=("",) * len(graph))
    with pytest.raises(Refused, match="held out"):
        evaluation.split_links(made)


def test_neighbours_kept_by_hand() -> None:
    path = from_edges(np.array([(0, 1), (1, 2)]), None, 3, name="", labels=tuple("abc"))
    vectors = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]])
    # a keeps b; b keeps both of its two; c's nearest is b, its only neighbour.
    assert evaluation.neighbours_kept(path, vectors) == 1.0
    vectors = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.1]])
    assert evaluation.neighbours_kept(path, vectors) == pytest.approx((0 + 1 + 0) / 3)


def test_modularity_is_that_of_networkx() -> None:
    graph = sample("miserables")
    found = groups.communities(graph, seed=3)
    parts = [set(np.flatnonzero(found.of_node == number).tolist()) for number in range(found.count)]
    assert found.modularity == pytest.approx(nx.community.modularity(to_networkx(graph), parts))
    assert found.modularity > 0.5 and np.array_equal(found.of_node, groups.communities(graph, seed=3).of_node)
    assert (np.diff(np.bincount(found.of_node)) <= 0).all()


def test_roles_know_nothing_of_where_a_node_stands() -> None:
    """Two equal stars joined by a path: their hubs have one role, their rays another."""
    stars = nx.disjoint_union(nx.star_graph(8), nx.star_graph(8))
    stars.add_edges_from([(0, 18), (18, 9)])
    graph = from_edges(np.array(stars.edges), None, 19, name="", labels=("",) * 19)
    roles = groups.structural_roles(graph, 3).of_node
    assert roles[0] == roles[9] and len(set(roles[1:9]) | set(roles[10:18])) == 1
    assert len({int(roles[0]), int(roles[1]), int(roles[18])}) == 3
    degrees = groups.degree_groups(graph, 4).of_node
    assert degrees[0] == degrees[9] != degrees[1]


def test_the_grid_of_p_and_q_is_filled() -> None:
    graph = _blocks()
    found, roles = groups.communities(graph), groups.structural_roles(graph)
    grid = _last(evaluation.bias_grid(graph, QUICK, found, roles, values=(0.5, 2.0), seeds=2))
    assert grid.communities.shape == grid.roles.shape == (2, 2)
    assert (grid.communities > grid.roles).all() and (grid.roles >= 0).all() and grid.communities.max() <= 1


LAID_OUT = {
    "kamada_kawai": sample("miserables"),
    "forces": stochastic_blocks((60, 60, 60), 0.3, 0.005, seed=1),
    "sampled_forces": stochastic_blocks((250, 250, 250), 0.1, 0.001, seed=1),
}


@pytest.mark.parametrize("method", LAID_OUT)
def test_layouts_hold_still_and_draw_neighbours_together(method: str) -> None:
    graph = LAID_OUT[method]
    made, again = layout(graph, seed=2), layout(graph, seed=2)
    assert made.method == method and np.array_equal(made.positions, again.positions)
    assert np.linalg.norm(made.positions, axis=1).max() == pytest.approx(1.0, rel=1e-5)
    ends = made.positions[graph.edge_list()]
    joined = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).mean()
    pairs = made.positions[np.random.default_rng(0).integers(0, graph.nodes, (2000, 2))]
    assert joined < 0.75 * np.linalg.norm(pairs[:, 0] - pairs[:, 1], axis=1).mean()


def test_parts_that_hang_apart_are_set_side_by_side() -> None:
    edges = np.array([(0, 1), (1, 2), (2, 0), (3, 4), (5, 5)])
    places = layout(from_edges(edges, None, 7, name="", labels=tuple("abcdefg"))).positions
    assert np.isfinite(places).all() and len(np.unique(places.round(3), axis=0)) == 7
    many = random_graph(900, 700, seed=1)
    assert len(many.isolated()) and np.isfinite(layout(many).positions).all()
