"""The course's worked example of self-attention: the two words “Thinking Machines”."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from dlviz.errors import Refused
from dlviz.i18n import N_

WORDS = ("Thinking", "Machines")
SCORES = (112.0, 96.0)
D_K = 64


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One row of attention, from dot products to weights.

    Attributes
    ----------
    scores
        q · k for each key.
    d_k
        Length of queries and keys.
    scaled
        The scores divided by the square root of `d_k`.
    weights
        Their softmax: between 0 and 1, together 1.
    unscaled
        What the softmax would give without the division.
    """

    scores: Float[np.ndarray, " key"]
    d_k: int
    scaled: Float[np.ndarray, " key"]
    weights: Float[np.ndarray, " key"]
    unscaled: Float[np.ndarray, " key"]


def row(*, scores: Sequence[float] = SCORES, d_k: int = D_K) -> Row:
    r"""From dot products to attention weights, as on the slide (after Alammar, *The Illustrated Transformer*, 2018).

    $$ a_j = \frac{\exp(q \cdot k_j / \sqrt{d_k})}{\sum_{j'} \exp(q \cdot k_{j'} / \sqrt{d_k})} $$

    The dot product of two vectors of `d_k` independent numbers of variance 1 has variance `d_k`: the division brings it
    back to 1, without which the softmax would put everything on one key and let no gradient through (Vaswani et al.
    2017, section 3.2.1).

    Parameters
    ----------
    scores
        Dot products of one query with the keys; those of the slide if not given.
    d_k
        Length of the vectors.

    Raises
    ------
    Refused
        There is no score, one is no number, or `d_k` is not positive.
    """
    given = np.array(scores, np.float64)
    if not given.size or not np.isfinite(given).all() or d_k < 1:
        raise Refused(N_("Scores must be numbers, and the length of the vectors at least 1."))
    scaled = given / math.sqrt(d_k)
    return Row(given, d_k, scaled, _softmax(scaled), _softmax(given))


def _softmax(scores: Float[np.ndarray, " key"]) -> Float[np.ndarray, " key"]:
    raised = np.exp(scores - scores.max())  # the largest taken away, so that no power overflows
    return raised / raised.sum()
