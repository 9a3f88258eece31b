"""Many dimensions in a picture: PCA, UMAP and t-SNE, with all their options, as jobs that can be watched."""

from __future__ import annotations

import importlib
import io
import warnings
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from functools import cache
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result, Work
from dlviz.foundations import near
from dlviz.foundations.projection_results import Groups, Moment, Options, Projection
from dlviz.i18n import N_

Matrix = Float[np.ndarray, "point dimension"]
Picture = Float[np.ndarray, "point axis"]

LEAST = 5
"""Points that UMAP and t-SNE need at least."""

EXAGGERATED = 250
"""Rounds of t-SNE in which attraction counts twelvefold, so that clusters find together first."""

FEW = 4000
"""Points up to which trees are faster than a grid."""

_FRAME = 0.15
"""Seconds between two frames of UMAP."""

_PLACED_BY = 5
"""Neighbours among the arranged points that say where another one goes."""

Steps = Generator[Progress | Frame, None, Any]


def sample(
    total: int, *, count: int, by: Literal["frequency", "random"] = "random", seed: int = 0
) -> Int[np.ndarray, " row"]:
    """Some of the points, for a picture that need not hold all: their rows, in order.

    Parameters
    ----------
    total
        How many there are; for ``by="frequency"`` the most frequent one stands first.
    count
        How many are drawn; all where there are fewer.
    by
        ``"random"``: each with the same chance. ``"frequency"``: each with a chance that falls with its rank, as
        frequencies do (Zipf's law), so that everyday words come and rare ones are not all left out.
    seed
        Of the draw.
    """
    draw = np.random.default_rng(seed)
    chances = 1 / np.arange(1, total + 1) if by == "frequency" else np.ones(total)
    # The largest keys log(u) / w are a draw without replacement by weight (Efraimidis and Spirakis 2006).
    keys = np.log(np.maximum(draw.random(total), 1e-300)) / chances
    return np.sort(np.argsort(-keys, kind="stable")[:count])


def pca(matrix: Matrix, *, options: Options) -> Projection:
    r"""The axes along which the vectors vary most (Pearson 1901, Hotelling 1933).

    .. math:: C = \frac1n \sum_i (x_i - \bar x)(x_i - \bar x)^\top, \qquad C v_k = \lambda_k v_k,
        \qquad y_i = (v_1, v_2)^\top (x_i - \bar x)

    Each axis holds the share :math:`\lambda_k / \sum_j \lambda_j` of the variance. A flat shadow: what is far
    apart in it is far apart, but what is near in it need not be near.

    Parameters
    ----------
    matrix
        One vector a row.
    options
        ``dimensions`` and ``normalise``; the other options are not PCA's.

    Raises
    ------
    Refused
        There is no point, or a number is missing or infinite.
    """
    data = _prepared(matrix, replace(options, components=0))
    points, explained = _principal(data, options.dimensions)
    return Projection(options, points, len(points), explained)


def fit(matrix: Matrix, *, options: Options) -> Work:
    """A picture by the method that the options name, as a job.

    UMAP and t-SNE arrange at most ``options.fitted`` points, drawn at random. Every other point is set at the
    mean of its five nearest of these, weighted by closeness: an estimate, which keeps 50,000 points in reach.

    Yields
    ------
    Progress and Frame
        Frames are :class:`Moment`: the points as they move. The first two stages (neighbours, and where to
        begin) have none.

    Raises
    ------
    Refused
        Too few points, or a number is missing or infinite.
    """
    if options.method == "pca":
        yield Result(pca(matrix, options=options))
        return
    data = _prepared(matrix, options)
    if len(data) < LEAST:
        raise Refused(
            N_("UMAP and t-SNE need {least} points at least; there are {count}. PCA takes any number."),
            least=LEAST,
            count=len(data),
        )
    draw = np.random.default_rng(options.seed)
    few = options.fitted and options.fitted < len(data)
    size = max(LEAST, options.fitted)
    rows = np.sort(draw.choice(len(data), size, replace=False)) if few else np.arange(len(data))
    arrange = umap if options.method == "umap" else tsne
    places, options, loss = yield from arrange(data[rows], options, rows)
    points = _placed(data, rows, places) if few else places
    yield Result(Projection(options, points, len(rows), np.zeros(0, np.float32), loss))


def umap(data: Matrix, options: Options, rows: Int[np.ndarray, " point"]) -> Steps:
    r"""UMAP (McInnes, Healy and Melville 2018) in its three steps, each done by umap-learn.

    1. Every point holds on to its ``neighbours`` nearest ones with a weight that falls with the distance,
       :math:`w_{ij} = \exp(-(d_{ij} - \rho_i) / \sigma_i)`: a fuzzy graph.
    2. The points begin where the graph's first eigenvectors put them.
    3. Along the edges they attract each other, and push away points drawn at random, until the picture's own
       weights :math:`(1 + a\, d^{2b})^{-1}` are like the graph's. a and b follow from ``min_dist``.
    """
    from umap.umap_ import find_ab_params, fuzzy_simplicial_set, simplicial_set_embedding

    _keep_compiled()
    # umap-learn counts a point among its own neighbours.
    count = max(2, min(options.neighbours, len(data)))
    options = replace(options, neighbours=count)
    indices, distances = yield from _neighbours(data, count - 1, options.metric, upto=20)
    state = np.random.RandomState(options.seed)
    own = np.arange(len(data))[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a graph in several parts is laid out part by part, and says so
        graph, _sigmas, _rhos = fuzzy_simplicial_set(
            data, count, state, options.metric, knn_indices=np.hstack([own, indices]),
            knn_dists=np.hstack([np.zeros_like(distances[:, :1]), distances]),
        )  # fmt: skip
        yield Progress(23, 100)
        a, b = find_ab_params(1.0, options.min_dist)
        init = "spectral" if len(data) > 10 * options.dimensions else "random"
        places, _more = simplicial_set_embedding(
            data, graph.copy(), options.dimensions, 1.0, a, b, 1.0, 5, 0, init, state, options.metric, {},
            False, {}, False,
        )  # fmt: skip
    yield Progress(30, 100)
    rounds = options.iterations or (500 if len(data) <= 10_000 else 200)
    towards, _explained = _principal(data, options.dimensions)
    yield from _attract_and_repel(places, graph, rounds, (a, b), state, rows, towards)
    return _turned(places, towards), options, float("nan")


def _attract_and_repel(
    places: Picture,
    graph: Any,
    rounds: int,
    curve: tuple[float, float],
    state: np.random.RandomState,
    rows: Int[np.ndarray, " point"],
    towards: Picture,
) -> Steps:
    """The third step of UMAP moves ``places`` themselves, in a thread beside this one, which watches."""
    from umap.layouts import optimize_layout_euclidean
    from umap.umap_ import make_epochs_per_sample

    edges = graph.tocoo()
    strong = edges.data >= edges.data.max() / rounds
    seen = _Seen()
    pace = make_epochs_per_sample(edges.data[strong], rounds)
    # umap-learn would draw these three numbers in the same way.
    numbers = state.randint(np.iinfo(np.int32).min + 1, np.iinfo(np.int32).max - 1, 3).astype(np.int64)

    def move() -> None:
        optimize_layout_euclidean(
            places, places, edges.row[strong], edges.col[strong], rounds, len(places),
            pace, *curve, numbers, move_other=True,
            tqdm_kwds={"file": seen, "bar_format": "{n}", "mininterval": 0, "disable": False},
        )  # fmt: skip

    with ThreadPoolExecutor(1) as pool:
        moving = pool.submit(move)
        try:
            while not wait([moving], _FRAME).done:
                yield Progress(30 + 70 * seen.rounds // rounds, 100)
                yield Frame(Moment(_turned(places, towards), rows, seen.rounds, rounds))
            moving.result()
        finally:
            # An edge whose turn never comes again: where nobody watches any more, the rounds that are left are empty.
            pace[:] = np.inf


class _Seen(io.StringIO):
    """Where UMAP's progress bar is written to: knows the round."""

    rounds = 0

    def write(self, text: str) -> int:
        digits = text.strip()
        self.rounds = int(digits) if digits.isdigit() else self.rounds
        return len(text)


def tsne(data: Matrix, options: Options, rows: Int[np.ndarray, " point"]) -> Steps:
    r"""t-SNE (van der Maaten and Hinton 2008) by openTSNE, beginning from the principal components.

    A Gaussian around each point, as wide as ``perplexity`` neighbours ask for, says how alike two points are,
    :math:`p_{ij}`; in the picture a heavy-tailed curve says it, :math:`q_{ij} \propto (1 + d_{ij}^2)^{-1}`.
    Gradient descent lowers

    .. math:: \mathrm{KL}(P \Vert Q) = \sum_{i \ne j} p_{ij} \log \frac{p_{ij}}{q_{ij}}
    """
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    perplexity = min(options.perplexity, (len(data) - 1) / 3)
    options = replace(options, perplexity=perplexity)
    count = min(len(data) - 1, int(3 * perplexity))
    found = yield from _neighbours(data, max(count, 1), options.metric, upto=20)
    # One thread: beside a server at work, two wait for each other longer than they save.
    alike = PerplexityBasedNN(knn_index=PrecomputedNeighbors(*found), perplexity=perplexity, n_jobs=1)
    # Interpolation on a grid (FIt-SNE) is made for many points in the plane; else trees (Barnes and Hut).
    gradient = "fft" if options.dimensions == 2 and len(data) > FEW else "bh"
    towards, _explained = _principal(data, options.dimensions)
    places = TSNEEmbedding(_start(towards, options.seed), alike, negative_gradient_method=gradient, n_jobs=1)
    early = EXAGGERATED if not options.iterations else options.iterations // 3
    rounds = options.iterations or EXAGGERATED + 500
    done = 0
    while done < rounds:
        step = min(10, (early if done < early else rounds) - done)
        hurried = {"exaggeration": 12, "momentum": 0.5} if done < early else {"momentum": 0.8}
        places.optimize(step, inplace=True, **hurried)
        done += step
        yield Progress(20 + 80 * done // rounds, 100)
        yield Frame(Moment(_turned(places, towards), rows, done, rounds))
    return _turned(places, towards), options, float(places.kl_divergence)


def _start(principal: Picture, seed: int) -> Picture:
    """Principal components, small, with a little noise, so that equal vectors part."""
    noise = np.random.default_rng(seed).standard_normal(principal.shape)
    spread = float(principal[:, 0].std())
    return 1e-4 * (principal / spread + 0.01 * noise if spread > 0 else noise)


def clusters(matrix: Matrix, *, groups: int = 8, seed: int = 0) -> Groups:
    r"""Groups of vectors that point the same way: k-means on vectors of length 1.

    .. math:: \min_{c_1 \dots c_k} \sum_i \min_g \lVert \hat x_i - c_g \rVert^2

    Found by batches (Sculley 2010). Another seed, or another number of groups, cuts elsewhere: the groups are
    a way to read the picture, not a fact. Each is named after the most central one of its first members, which
    are the better known ones where the rows stand by frequency.
    """
    from sklearn.cluster import MiniBatchKMeans

    data = near.unit(_checked(matrix))
    groups = min(groups, len(np.unique(data, axis=0)) if len(data) < 100 else groups)
    found = MiniBatchKMeans(groups, random_state=seed, n_init=3, batch_size=4096).fit(data)
    sizes = np.bincount(found.labels_, minlength=groups)
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    place = np.zeros(groups, np.int64)
    place[order] = np.arange(len(order))
    labels = place[found.labels_]
    apart = np.linalg.norm(data - found.cluster_centers_[found.labels_], axis=1)
    return Groups(labels, np.array([_central(labels == g, apart) for g in range(len(order))]), sizes[order])


def _central(members: Bool[np.ndarray, " point"], apart: Float[np.ndarray, " point"]) -> int:
    """The nearest to the centre among the first quarter of a group, and five of them at least."""
    first = np.flatnonzero(members)
    first = first[: max(5, len(first) // 4)]
    return int(first[apart[first].argmin()])


def warm() -> None:
    """Compile what UMAP and t-SNE need, or load what an earlier start has compiled; no visitor waits for it."""
    data = np.random.default_rng(0).standard_normal((40, 8)).astype(np.float32)
    for method, dimensions in (("umap", 2), ("umap", 3), ("tsne", 2)):
        for _event in fit(data, options=Options(method, dimensions, iterations=12)):  # type: ignore[arg-type]
            pass


_COMPILED = {
    "umap.umap_": ("smooth_knn_dist", "compute_membership_strengths"),
    "umap.layouts": ("_nb_optimize_layout_euclidean_single_epoch",),
}


@cache
def _keep_compiled() -> None:
    """Have numba keep what it compiles of umap-learn on disk: a new process then has it at once."""
    for module, names in _COMPILED.items():
        for name in names:
            compiled: Any = getattr(importlib.import_module(module), name, None)
            if hasattr(compiled, "enable_caching"):
                compiled.enable_caching()


def _checked(matrix: Matrix) -> Matrix:
    """Float32 numbers, all of them finite."""
    data = np.ascontiguousarray(matrix, dtype=np.float32)
    if data.ndim != 2 or not data.size:
        raise Refused(N_("There is no vector to draw."))
    finite = np.isfinite(data).all(axis=1)
    if not finite.all():
        raise Refused(
            N_("Vector {row} holds a value that is not a finite number."), row=int(np.argmin(finite)) + 1
        )
    return data


def _prepared(matrix: Matrix, options: Options) -> Matrix:
    """The vectors that a method sees: at length 1 where asked for, then their first principal components."""
    data = _checked(matrix)
    if options.normalise or (options.metric == "cosine" and options.method != "pca"):
        data = near.unit(data)
    if 0 < options.components < data.shape[1]:
        data, _explained = _principal(data, options.components)
        if options.metric == "cosine":
            data = near.unit(data)
    return data


def _principal(data: Matrix, count: int) -> tuple[Picture, Float[np.ndarray, " axis"]]:
    """Positions on the first principal axes, and each axis's share of the variance."""
    centred = data - data.mean(0, dtype=np.float64)
    # The covariance is small (dimension x dimension) however many points there are.
    variance, axes = np.linalg.eigh(centred.T @ centred)
    variance, axes = np.maximum(variance[::-1], 0), axes[:, ::-1][:, :count]
    axes = axes * np.where(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])] < 0, -1.0, 1.0)
    points = np.zeros((len(data), count), np.float32)
    points[:, : axes.shape[1]] = centred @ axes
    explained = np.zeros(count, np.float32)
    explained[: axes.shape[1]] = variance[:count] / max(variance.sum(), 1e-12)
    return points, explained


def _neighbours(data: Matrix, count: int, metric: str, *, upto: int) -> Steps:
    """The nearest of every point, exactly; for unit vectors half the squared distance is 1 - cosine."""
    indices = np.empty((len(data), count), np.int64)
    distances = np.empty((len(data), count), np.float32)
    for rows in near.blocks(len(data), len(data)):
        own = np.arange(len(data))[rows]
        indices[rows], distances[rows] = near.nearest_of_each(data[rows], data, count, own)
        yield Progress(upto * rows.stop // len(data), 100)
    return indices, distances**2 / 2 if metric == "cosine" else distances


def _placed(data: Matrix, rows: Int[np.ndarray, " fitted"], places: Picture) -> Picture:
    """Every point: the arranged ones where they are, the others among their nearest of these."""
    points = np.empty((len(data), places.shape[1]), np.float32)
    rest = np.setdiff1d(np.arange(len(data)), rows)
    for block in near.blocks(len(rest), len(rows)):
        indices, apart = near.nearest_of_each(data[rest[block]], data[rows], min(_PLACED_BY, len(rows)))
        weight = 1 / (apart + 1e-6)
        points[rest[block]] = (weight[..., None] * places[indices]).sum(1) / weight.sum(1, keepdims=True)
    points[rows] = places
    return points


def _turned(places: Picture, towards: Picture) -> Picture:
    """A copy around the origin, turned and mirrored, but not bent, to lie as the principal components do.

    UMAP and t-SNE know no up and no left: pictures that lie alike are easier to compare.
    """
    points = np.array(places, np.float64)
    points -= points.mean(0)
    left, _scale, right = np.linalg.svd(points.T @ (towards - towards.mean(0)))
    return (points @ left @ right).astype(np.float32)
