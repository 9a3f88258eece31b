"""Nearest neighbours, exactly: one product of matrices a block, and nothing to compile or to build first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from dlviz.foundations.projection_results import Metric, Near

Matrix = Float[np.ndarray, "point dimension"]

_BLOCK = 1 << 22
"""Distances that are held at a time: 16 MB, and some 50 ms of work."""


def unit(matrix: Matrix) -> Matrix:
    """Every vector brought to length 1; a vector of zeros stays as it is."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return (matrix / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def nearest(matrix: Matrix, row: int, *, count: int = 10, metric: Metric = "cosine") -> Near:
    r"""The vectors nearest to one of them, by angle or by straight distance.

    .. math:: \cos(u, v) = \frac{u \cdot v}{\lVert u \rVert\, \lVert v \rVert},
        \qquad d(u, v) = \lVert u - v \rVert

    For vectors of length 1 the two agree: :math:`d^2 = 2 - 2\cos`. Otherwise a long vector is far from all
    others in :math:`d`, whatever its direction.

    Parameters
    ----------
    matrix
        One vector a row.
    row
        The one that is asked about; it is not its own neighbour.
    count
        How many; fewer where there are no more.
    metric
        What "near" means.
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
    products = matrix @ matrix[row]
    cosine = np.clip(products / np.maximum(lengths * lengths[row], np.finfo(np.float32).tiny), -1, 1)
    squared = lengths**2 + lengths[row] ** 2 - 2 * products
    apart = -cosine if metric == "cosine" else squared
    apart[row] = np.inf
    count = min(count, len(matrix) - 1)
    rows = np.argpartition(apart, count - 1)[:count] if count else np.zeros(0, np.int64)
    rows = rows[np.lexsort((rows, apart[rows]))]
    return Near(rows, cosine[rows], np.linalg.norm(matrix[rows] - matrix[row], axis=1))


def blocks(count: int, of: int) -> Iterator[slice]:
    """Slices over ``count`` rows, so that a block of rows against ``of`` others fits the memory set aside."""
    step = max(1, _BLOCK // max(of, 1))
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def squared_distances(queries: Matrix, matrix: Matrix) -> Float[np.ndarray, "query point"]:
    r"""All squared distances by :math:`\lVert u - v \rVert^2 = u^2 + v^2 - 2\,u \cdot v`: one product of matrices."""
    first, second = (np.einsum("ij,ij->i", m, m) for m in (queries, matrix))
    return np.maximum(first[:, None] + second[None] - 2 * queries @ matrix.T, 0)


def _tensor(matrix: Matrix) -> Any:
    """As torch takes it; it wants to be able to write, which shared arrays refuse."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(matrix if matrix.flags.writeable else matrix.copy()))


def nearest_of_each(
    queries: Matrix, matrix: Matrix, count: int, own: Int[np.ndarray, " query"] | None = None
) -> tuple[Int[np.ndarray, "query near"], Float[np.ndarray, "query near"]]:
    """Rows of the ``count`` nearest vectors to each query, the nearest first, and their straight distances.

    ``own`` are the queries' own rows in the matrix, where they stand in it: nobody is his own neighbour.
    """
    import torch  # its search for the smallest few is five times as fast as numpy's

    others, asked = _tensor(matrix), _tensor(queries)
    # The square of the query itself is the same for all: it changes no order.
    apart = torch.addmm((others * others).sum(1), asked, others.T, alpha=-2)
    if own is not None:
        apart[torch.arange(len(asked)), torch.from_numpy(own)] = torch.inf
    rows = torch.topk(apart, count, dim=1, largest=False, sorted=False).indices.numpy()
    # The short way loses digits where two vectors are close: what is found is measured again, and so ordered.
    distances = np.linalg.norm(matrix[rows] - queries[:, None], axis=2)
    order = np.argsort(distances, axis=1, kind="stable")
    return np.take_along_axis(rows, order, 1), np.take_along_axis(distances, order, 1).astype(np.float32)
