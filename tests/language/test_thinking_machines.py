"""The slide's numbers."""

from __future__ import annotations

import numpy as np
import pytest

from dlviz.errors import Refused
from dlviz.language import thinking_machines


def test_the_numbers_are_those_of_the_slide() -> None:
    found = thinking_machines.row()
    assert found.scaled.tolist() == [14, 12]
    assert [round(weight, 2) for weight in found.weights] == [0.88, 0.12]
    assert found.weights.sum() == pytest.approx(1)
    assert found.unscaled[0] > 0.999999, "without the division nothing would be left for the second word"


def test_any_scores_are_weighed() -> None:
    found = thinking_machines.row(scores=[1e5, 1e5, -1e5], d_k=1)
    np.testing.assert_allclose(found.weights, [0.5, 0.5, 0])
    for scores, d_k in (([], 4), ([float("nan")], 4), ([1.0], 0)):
        with pytest.raises(Refused):
            thinking_machines.row(scores=scores, d_k=d_k)
