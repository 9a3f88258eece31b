"""Projections and what they keep: beside scikit-learn and umap-learn, by hand, and with what breaks them."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result
from dlviz.foundations import near, projection
from dlviz.foundations.faithfulness import faithfulness
from dlviz.foundations.projection_results import Moment, Options, Projection


def groups(count: int = 300, kinds: int = 4, dimensions: int = 20, seed: int = 0):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % kinds
    centres = rng.normal(size=(kinds, dimensions)) * 4
    return (centres[labels] + rng.normal(size=(count, dimensions))).astype(np.float32), labels


def fitted(matrix, options) -> Projection:
    *news, last = projection.fit(matrix, options=options)
    assert all(isinstance(event, (Progress, Frame)) for event in news)
    assert isinstance(last, Result)
    return last.value


def measured(matrix, points, **options):
    *_news, last = faithfulness(matrix, points, **options)
    return last.value


def apart(points, labels) -> float:
    """How much farther apart the groups' middles are than the points of a group."""
    middles = np.stack([points[labels == g].mean(0) for g in np.unique(labels)])
    within = np.linalg.norm(points - middles[labels], axis=1).mean()
    return cdist(middles, middles)[np.triu_indices(len(middles), 1)].min() / within


# -- nearest neighbours


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_nearest_are_scikit_learns(metric):
    matrix, _labels = groups()
    distances, rows = NearestNeighbors(n_neighbors=8, metric=metric).fit(matrix).kneighbors(matrix[[17]])
    found = near.nearest(matrix, 17, count=7, metric=metric)
    assert found.rows.tolist() == rows[0, 1:].tolist()
    mine = 1 - found.cosine if metric == "cosine" else found.euclidean
    np.testing.assert_allclose(mine, distances[0, 1:], atol=1e-5)


def test_nearest_of_each_is_exact_and_nobody_is_his_own_neighbour():
    matrix, _labels = groups()
    matrix[5] = matrix[9]  # duplicates: each is the other's nearest, at distance 0
    rows, distances = near.nearest_of_each(matrix, matrix, 6, np.arange(len(matrix)))
    expected = np.sort(cdist(matrix, matrix), axis=1)[:, 1:7]
    np.testing.assert_allclose(distances, expected, atol=1e-4)
    assert not (rows == np.arange(len(matrix))[:, None]).any()
    assert rows[5, 0] == 9 and rows[9, 0] == 5 and distances[5, 0] == 0


def test_nearest_of_a_vector_of_zeros_and_of_one_point():
    matrix = np.zeros((3, 4), np.float32)
    matrix[1] = 1
    found = near.nearest(matrix, 0, count=5)
    assert len(found.rows) == 2 and np.isfinite(found.cosine).all()
    assert len(near.nearest(matrix[:1], 0).rows) == 0


# -- PCA


@pytest.mark.parametrize("dimensions", [2, 3])
def test_pca_is_scikit_learns(dimensions):
    matrix, _labels = groups()
    found = projection.pca(matrix, options=Options("pca", dimensions))
    reference = PCA(dimensions).fit(matrix)
    expected = reference.transform(matrix)
    signs = np.sign((found.points * expected).sum(0))
    np.testing.assert_allclose(found.points, expected * signs, atol=1e-3)
    np.testing.assert_allclose(found.explained, reference.explained_variance_ratio_, atol=1e-5)


def test_pca_of_fewer_dimensions_than_the_picture_has():
    found = projection.pca(np.array([[1.0], [2.0], [4.0]]), options=Options("pca", 3))
    assert found.points.shape == (3, 3) and not found.points[:, 1:].any()
    assert found.explained.tolist() == [1, 0, 0]


def test_normalised_first_only_directions_count():
    matrix, _labels = groups()
    longer = matrix * np.linspace(0.5, 9, len(matrix))[:, None].astype(np.float32)
    one, other = (projection.pca(m, options=Options(normalise=True)).points for m in (matrix, longer))
    np.testing.assert_allclose(one, other, atol=1e-4)


# -- UMAP and t-SNE


@pytest.mark.timeout(900)  # the first call compiles, which takes long on a busy machine
@pytest.mark.parametrize(("method", "dimensions"), [("umap", 2), ("umap", 3), ("tsne", 2), ("tsne", 3)])
def test_groups_come_apart_the_same_way_with_the_same_seed(method, dimensions):
    matrix, labels = groups(120)
    asked = Options(method, dimensions, metric="euclidean", perplexity=10, iterations=200, seed=3)
    first, again = fitted(matrix, asked), fitted(matrix, asked)
    np.testing.assert_array_equal(first.points, again.points)
    assert first.points.shape == (120, dimensions) and first.fitted == 120
    assert apart(first.points, labels) > 2
    assert np.isfinite(first.loss) == (method == "tsne")


@pytest.mark.timeout(900)
def test_our_steps_of_umap_keep_as_much_as_umaps_own_call():
    from umap import UMAP

    matrix, _labels = groups(400, kinds=6)
    reference = UMAP(n_neighbors=15, min_dist=0.1, random_state=0, n_jobs=1).fit_transform(matrix)
    mine = fitted(matrix, Options("umap", metric="euclidean", neighbours=15)).points
    one, other = measured(matrix, mine, metric="euclidean"), measured(matrix, reference, metric="euclidean")
    # Up to the size of a group: how the groups lie among each other is left to chance by both.
    inside = one.counts <= 50
    assert np.abs(one.kept - other.kept)[inside].max() < 0.05
    assert np.abs(one.trustworthiness - other.trustworthiness)[inside].max() < 0.01


def test_moments_tell_where_the_points_are_and_end_where_the_result_begins():
    matrix, _labels = groups(150)
    *news, last = projection.fit(matrix, options=Options("tsne", perplexity=10, iterations=60, fitted=100))
    moments = [event.value for event in news if isinstance(event, Frame)]
    assert len(moments) == 6 and all(isinstance(moment, Moment) for moment in moments)
    assert [moment.round for moment in moments] == [10, 20, 30, 40, 50, 60]
    assert len(moments[-1].rows) == 100 == len(np.unique(moments[-1].rows))
    np.testing.assert_array_equal(last.value.points[moments[-1].rows], moments[-1].points)
    shares = [event.done for event in news if isinstance(event, Progress)]
    assert shares == sorted(shares) and shares[-1] == 100


def test_points_that_were_not_arranged_stand_among_their_nearest():
    matrix, labels = groups(300)
    found = fitted(matrix, Options("tsne", metric="euclidean", perplexity=10, iterations=200, fitted=120))
    assert found.fitted == 120 and np.isfinite(found.points).all()
    assert apart(found.points, labels) > 2


def test_the_picture_lies_as_the_principal_components_do():
    matrix, _labels = groups(200)
    flat = projection.pca(matrix, options=Options()).points
    found = fitted(matrix, Options("tsne", metric="euclidean", perplexity=10, iterations=150)).points
    assert np.trace(found.T @ flat) > 0.5 * np.linalg.norm(found) * np.linalg.norm(flat) * 0.5
    # No other turn lies nearer: the product with the components is symmetric.
    product = found.astype(float).T @ flat
    np.testing.assert_allclose(product, product.T, rtol=1e-3, atol=1e-2 * np.abs(product).max())


def test_a_projection_that_nobody_watches_any_more_stops():
    matrix, _labels = groups(400)
    work = projection.fit(matrix, options=Options("umap", iterations=3000))
    for event in work:
        if isinstance(event, Frame):
            break
    work.close()
    # The pool's thread has ended with the generator; a progress bar's own watcher may live on.
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


@pytest.mark.parametrize("method", ["umap", "tsne"])
@pytest.mark.timeout(900)
def test_few_equal_and_odd_points_are_drawn_all_the_same(method):
    asked = Options(method, perplexity=30, neighbours=100, iterations=30)
    rng = np.random.default_rng(0)
    for matrix in (
        rng.normal(size=(5, 3)),
        np.ones((12, 4)),  # all the same
        np.zeros((12, 4)),
        np.repeat(rng.normal(size=(6, 4)), 10, axis=0),  # each ten times
        rng.normal(size=(40, 1)),
        rng.normal(size=(30, 4)) * 1e-12,
        rng.normal(size=(30, 4)) * 1e12,
    ):
        found = fitted(matrix.astype(np.float32), asked)
        assert found.points.shape == (len(matrix), 2) and np.isfinite(found.points).all()


@pytest.mark.parametrize("method", ["pca", "umap", "tsne"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_none_is_named_with_its_row(method, value):
    matrix = np.ones((20, 3), np.float32)
    matrix[6, 1] = value
    with pytest.raises(Refused, match="Vector 7 "):
        fitted(matrix, Options(method))


def test_too_few_points():
    assert fitted(np.ones((1, 3), np.float32), Options("pca")).points.shape == (1, 2)
    for count in (1, 4):
        with pytest.raises(Refused, match="5 points at least"):
            fitted(np.ones((count, 3), np.float32), Options("umap"))
    with pytest.raises(Refused, match="no vector"):
        projection.pca(np.zeros((0, 3), np.float32), options=Options())


def test_what_umap_compiles_is_kept_on_disk():
    import umap.layouts
    import umap.umap_

    projection._keep_compiled()
    for compiled in (
        umap.layouts._nb_optimize_layout_euclidean_single_epoch,
        umap.umap_.smooth_knn_dist,
        umap.umap_.compute_membership_strengths,
    ):
        assert type(compiled._cache).__name__ == "FunctionCache"


# -- which points


def test_samples_are_not_just_the_first_points():
    by_rank = projection.sample(20_000, count=1000, by="frequency", seed=1)
    plain = projection.sample(20_000, count=1000, by="random", seed=1)
    for rows in (by_rank, plain):
        assert len(np.unique(rows)) == 1000 and (np.diff(rows) > 0).all()
    assert np.median(by_rank) < 4000 < 8000 < np.median(plain)
    assert (by_rank < 50).mean() > 0.04 and by_rank.max() > 10_000
    np.testing.assert_array_equal(by_rank, projection.sample(20_000, count=1000, by="frequency", seed=1))
    assert projection.sample(7, count=50).tolist() == list(range(7))


def test_clusters_are_the_groups_that_are_there():
    matrix, labels = groups(400)
    found = projection.clusters(matrix, groups=4)
    assert sorted(found.sizes.tolist()) == [100] * 4
    assert len({(int(a), int(b)) for a, b in zip(labels, found.labels, strict=True)}) == 4
    assert (found.labels[found.central] == np.arange(4)).all()
    assert projection.clusters(np.ones((3, 2), np.float32), groups=8).sizes.tolist() == [3]


# -- faithfulness


def test_trustworthiness_is_scikit_learns():
    matrix, _labels = groups(200)
    flat = projection.pca(matrix, options=Options()).points
    for metric in ("euclidean", "cosine"):
        found = measured(matrix, flat, metric=metric)
        for k, mine in zip(found.counts, found.trustworthiness, strict=True):
            if k < 100:
                assert mine == pytest.approx(
                    trustworthiness(matrix, flat, n_neighbors=int(k), metric=metric), abs=2e-4
                )


def test_neighbours_kept_by_hand():
    # On a line: a b c d ef, in the picture c and e have changed places.
    line = np.array([[0.0], [1.0], [2.2], [3.6], [5.2], [7.0], [9.0]], np.float32)
    picture = line[[0, 1, 4, 3, 2, 5, 6]]
    found = measured(line, np.hstack([picture, 0 * picture]), metric="euclidean")
    before = cdist(line, line) + np.diag([np.inf] * 7)
    after = cdist(picture, picture) + np.diag([np.inf] * 7)
    for place, k in enumerate(found.counts.tolist()):
        same = [
            len(set(np.argsort(b, kind="stable")[:k]) & set(np.argsort(a, kind="stable")[:k])) / k
            for b, a in zip(before, after, strict=True)
        ]
        np.testing.assert_allclose(found.kept_each[:, place], same, atol=1e-6)
    np.testing.assert_allclose(found.chance, found.counts / 6)


def test_a_faithful_picture_is_called_so_and_a_random_one_is_not():
    matrix, _labels = groups(600, dimensions=2)
    good = measured(matrix, matrix, metric="euclidean")
    np.testing.assert_allclose(good.trustworthiness, 1)
    np.testing.assert_allclose(good.kept, 1)
    bad = measured(matrix, np.random.default_rng(1).normal(size=(600, 2)), metric="euclidean")
    np.testing.assert_allclose(bad.kept, bad.chance, atol=0.02)
    assert abs(bad.trustworthiness[5] - 0.5) < 0.05


def test_a_thousand_of_many_points_are_asked_and_speak_for_all():
    matrix, _labels = groups(3000, kinds=6, dimensions=8)
    flat = projection.pca(matrix, options=Options()).points
    some, every = measured(matrix, flat, asked=500), measured(matrix, flat, asked=3000)
    assert len(some.rows) == 500 and some.points == 3000 and len(every.rows) == 3000
    assert np.abs(some.kept - every.kept).max() < 0.03
    each = dict(zip(every.rows.tolist(), every.kept_each[:, 5].tolist(), strict=True))
    assert spearmanr([each[row] for row in some.rows.tolist()], some.kept_each[:, 5]).statistic > 0.999


def test_neighbourhoods_of_very_few_or_equal_points():
    with pytest.raises(Refused):
        measured(np.ones((3, 2)), np.ones((3, 2)))
    found = measured(np.ones((30, 4), np.float32), np.zeros((30, 2), np.float32))
    assert np.isfinite(found.trustworthiness).all() and (found.kept >= 0).all() and (found.kept <= 1).all()
