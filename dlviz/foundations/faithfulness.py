"""How faithful a picture is: which neighbourhoods of the embedding it keeps, and which it makes up."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from dlviz.errors import Refused
from dlviz.events import Progress, Result, Work
from dlviz.foundations import near
from dlviz.foundations.projection_results import Faithfulness, Metric
from dlviz.i18n import N_

COUNTS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100)
"""Sizes of a neighbourhood that are looked at."""

ASKED = 1000
"""Points that are asked in larger sets, drawn at random: the shares are then sure to about one percent."""


def faithfulness(
    matrix: Float[np.ndarray, "point dimension"],
    points: Float[np.ndarray, "point axis"],
    *,
    metric: Metric = "cosine",
    asked: int = ASKED,
    seed: int = 0,
) -> Work:
    r"""Trustworthiness and neighbours kept, for neighbourhoods of every size k, as a job.

    Let :math:`r(i, j)` be the rank of j among the neighbours of i in the embedding (1 is the nearest), and
    :math:`U_k(i)` the k nearest of i in the picture. Then

    .. math:: T(k) = 1 - \frac{2}{n k (2n - 3k - 1)} \sum_i \sum_{j \in U_k(i)} \max(0,\, r(i, j) - k)

    (Venna and Kaski 2001) is 1 when whoever is near in the picture is near in the embedding, and falls with
    every stranger the more the farther he came. The share of neighbours kept counts more plainly,
    :math:`\frac1{nk} \sum_i |\{j \in U_k(i) : r(i, j) \le k\}|`; drawing at random would keep
    :math:`k / (n - 1)`.

    Parameters
    ----------
    matrix
        The vectors of the embedding.
    points
        The picture: the same points in the same order.
    metric
        What "near" means in the embedding. In the picture it is what the eye sees: the straight distance.
    asked
        How many points i the sums run over; among all n, drawn at random where there are more.
    seed
        Of that draw.

    Raises
    ------
    Refused
        Fewer than four points: there are no neighbourhoods to speak of.
    """
    if len(matrix) < 4:
        raise Refused(
            N_("Neighbourhoods can be compared from 4 points on; there are {count}."), count=len(matrix)
        )
    draw = np.random.default_rng(seed)
    total = len(matrix)
    rows = np.arange(total) if total <= asked else np.sort(draw.choice(total, asked, replace=False))
    # Beyond half of the points T(k) has no meaning.
    counts = np.array([count for count in COUNTS if count < total / 2], np.int64)
    data = near.unit(matrix) if metric == "cosine" else np.asarray(matrix, np.float32)
    ranks = np.empty((len(rows), int(counts[-1])), np.int64)
    # Sorting whole rows takes longer than the products: smaller blocks keep a step short.
    for block in near.blocks(len(rows), 8 * total):
        ranks[block] = _ranks(data, np.asarray(points, np.float32), rows[block], int(counts[-1]))
        yield Progress(block.stop, len(rows))
    yield Result(_scores(ranks, counts, rows, total))


def _ranks(
    data: Float[np.ndarray, "point dimension"],
    points: Float[np.ndarray, "point axis"],
    rows: Int[np.ndarray, " asked"],
    count: int,
) -> Int[np.ndarray, "asked count"]:
    """r(i, j) of the ``count`` nearest j of each i in the picture, the nearest first."""
    near_in_picture, _distances = near.nearest_of_each(points[rows], points, count, rows)
    apart = near.squared_distances(data[rows], data)
    apart[np.arange(len(rows)), rows] = -1.0  # the point itself has rank 0
    told = np.take_along_axis(apart, near_in_picture, 1)
    apart.sort(axis=1)
    return np.stack([np.searchsorted(row, own) for row, own in zip(apart, told, strict=True)])


def _scores(
    ranks: Int[np.ndarray, "asked count"],
    counts: Int[np.ndarray, " size"],
    rows: Int[np.ndarray, " asked"],
    total: int,
) -> Faithfulness:
    trust, kept = [], []
    for k in counts.tolist():
        first = ranks[:, :k]
        strangers = np.maximum(0, first - k).sum() / len(rows)
        trust.append(1 - 2 / (k * (2 * total - 3 * k - 1)) * strangers)
        kept.append((first <= k).mean(axis=1))
    each = np.array(kept, np.float32).T
    return Faithfulness(
        counts, np.array(trust), each.mean(0, dtype=np.float64), counts / (total - 1), rows, each, total
    )
