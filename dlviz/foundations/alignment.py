"""A picture of vectors that holds still while they learn."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def principal_plane(
    vectors: Float[np.ndarray, "point dimension"], previous: Float[np.ndarray, "point 2"] | None = None
) -> Float[np.ndarray, "point 2"]:
    r"""The first two principal components, turned to lie as near as they can to an earlier picture.

    Principal components are fixed up to their signs and, where two of them explain about as much, up to a
    rotation: drawn as they come, they flip and spin between two moments of a training. So the new picture
    :math:`X` is turned, and mirrored if need be, but neither stretched nor bent, by the orthogonal matrix

    .. math:: R = \arg\min_{R^\top R = I} \lVert X R - Y \rVert_F = U V^\top, \qquad X^\top Y = U \Sigma V^\top

    towards the earlier one :math:`Y` (Schönemann 1966, the orthogonal Procrustes problem): what moves is the
    embedding, not the camera.

    Parameters
    ----------
    vectors
        One row a point; at least one column.
    previous
        The picture to stay near to, of the same points in the same order. Without one, each component's
        largest entry is made positive.

    Returns
    -------
    numpy.ndarray
        Centred positions, float32; the second column is zero where the vectors have one dimension only.
    """
    centred = np.asarray(vectors, np.float64)
    centred = centred - centred.mean(0)
    # The covariance is small (dimension x dimension) however many points there are.
    axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :2]
    plane = centred @ axes
    if plane.shape[1] < 2:
        plane = np.column_stack([plane, np.zeros(len(plane))])
    if previous is None:
        largest = plane[np.abs(plane).argmax(0), [0, 1]]
        return (plane * np.where(largest < 0, -1.0, 1.0)).astype(np.float32)
    left, _, right = np.linalg.svd(plane.T @ (previous - previous.mean(0)))
    return (plane @ left @ right).astype(np.float32)
