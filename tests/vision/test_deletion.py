"""Deletion curves: networks whose only evidence we know, and curves worked out by hand."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dlviz.events import Progress, Result
from dlviz.vision.attribution_results import AttributionMap, Box, TrustCurves
from dlviz.vision.classifier import Classifier, Preprocessing
from dlviz.vision.deletion import blurred, deletion_curve, deletion_steps, map_order, random_orders

SIZE = 56


class Corner(nn.Module):
    """Class 1 is as sure as the top left quarter of the photo is bright."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(6.0))

    def forward(self, pixels: Tensor) -> Tensor:
        half = SIZE // 2
        bright = pixels[:, :, :half, :half].mean(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(bright), self.gain * (bright - 0.5)], dim=1)


@pytest.fixture
def model() -> Classifier:
    preprocessing = Preprocessing(SIZE, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    return Classifier(Corner(), ("dark", "bright"), preprocessing).eval().requires_grad_(False)


WHITE = np.full((SIZE, SIZE, 3), 255, np.uint8)


def heatmap(values: np.ndarray) -> AttributionMap:
    box = Box(0, 0, SIZE, SIZE)
    return AttributionMap(values, "occlusion", True, 1, "bright", 3.0, 0.95, None, box)


def corner(sign: float) -> np.ndarray:
    values = np.zeros((4, 4), np.float32)
    values[:2, :2] = sign
    return values


def test_a_right_map_deletes_and_inserts_at_once(model: Classifier) -> None:
    found = deletion_curve(model, WHITE, heatmap=heatmap(corner(1)), steps=4, baseline="mean")
    sure, unsure = torch.sigmoid(torch.tensor([3.0, -3.0])).tolist()
    np.testing.assert_allclose(found.share, [0, 0.25, 0.5, 0.75, 1])
    # A quarter of the squares holds all the evidence: the first step takes nearly all of it.
    np.testing.assert_allclose(found.deletion[[0, 2, 3, 4]], [sure, unsure, unsure, unsure], rtol=1e-5)
    assert found.deletion[1] < 0.15
    np.testing.assert_allclose(found.insertion[[0, 2, 3, 4]], [unsure, sure, sure, sure], rtol=1e-5)
    assert found.insertion[1] > 0.85
    assert found.deletion_area < found.deletion_control_areas.min()
    assert found.insertion_area > found.insertion_control_areas.max()
    assert found.trust > 0.3


def test_a_wrong_map_is_worse_than_chance(model: Classifier) -> None:
    found = deletion_curve(model, WHITE, heatmap=heatmap(corner(-1)), steps=8, baseline="mean")
    assert found.deletion_area > found.deletion_control_areas.max()
    assert found.trust < -0.3


def test_the_control_itself_is_about_chance(model: Classifier) -> None:
    noise = np.random.default_rng(5).normal(size=(14, 14)).astype(np.float32)
    found = deletion_curve(model, WHITE, heatmap=heatmap(noise), steps=14, orders=8, baseline="mean")
    assert abs(found.trust) < 0.1


def test_areas_by_hand() -> None:
    share = np.array([0.0, 0.5, 1.0])
    flat = np.array([[0.5, 0.5, 0.5], [1.0, 0.5, 0.0]])
    found = TrustCurves(share, np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 1.0]), flat, flat, "x", 0)
    assert found.deletion_area == 0.25
    assert found.insertion_area == 0.75
    assert found.deletion_control_areas.tolist() == [0.5, 0.5]
    assert found.trust == 0.5


def test_ranks_follow_the_map_and_signs_count() -> None:
    values = np.array([[3.0, 1.0], [-2.0, 2.0]])
    fine = np.kron(values, np.ones((5, 5)))  # finer than the grid: the mean over each square
    assert map_order(fine, 2).tolist() == [[0, 2], [3, 1]]
    coarse = map_order(values, 4)  # coarser than the grid: interpolated
    assert coarse[0, 0] == 0
    assert coarse[3, 0] == 15
    assert sorted(coarse.ravel()) == list(range(16))


def test_random_orders_have_a_seed() -> None:
    first, second = random_orders(14, 2, seed=3)
    again = random_orders(14, 2, seed=3)
    np.testing.assert_array_equal(first, again[0])
    assert (first != second).any()
    assert (first != random_orders(14, 1, seed=4)[0]).any()
    assert sorted(first.ravel()) == list(range(196))


def test_blur_takes_the_detail_and_leaves_the_colour() -> None:
    checks = torch.from_numpy(np.indices((64, 64)).sum(axis=0) % 2).float().expand(1, 3, 64, 64)
    soft = blurred(checks)
    assert soft.shape == checks.shape
    assert soft.mean().item() == pytest.approx(0.5, abs=0.01)
    assert soft.std().item() < 0.02 < checks.std().item()


def test_it_tells_how_far_it_is_and_does_not_depend_on_the_batch(model: Classifier) -> None:
    given = {"heatmap": heatmap(corner(1)), "steps": 5, "orders": 2, "seed": 1}
    events = list(deletion_steps(model, WHITE, batch=7, **given))
    assert [e.done for e in events if isinstance(e, Progress)] == [7, 14, 21, 28, 35, 36]
    assert isinstance(events[-1], Result)
    whole = deletion_curve(model, WHITE, **given)
    np.testing.assert_allclose(events[-1].value.deletion_control, whole.deletion_control, rtol=1e-6)
