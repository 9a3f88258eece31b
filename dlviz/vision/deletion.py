"""How much can a heat map be trusted? Take the photo away in its order and watch the class fall."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn import functional as F

from dlviz.events import Progress, Result, Work
from dlviz.vision.attribution import network_input
from dlviz.vision.attribution_results import AttributionMap, TrustCurves
from dlviz.vision.classifier import Classifier

Baseline = Literal["blur", "mean"]


def deletion_curve(
    model: Classifier,
    image: UInt8[np.ndarray, "height width 3"],
    *,
    heatmap: AttributionMap,
    target: int | None = None,
    steps: int = 14,
    orders: int = 3,
    seed: int = 0,
    baseline: Baseline = "blur",
    grid: int = 14,
) -> TrustCurves:
    """The deletion and insertion curves in one go: `deletion_steps` run to its end."""
    *_, last = deletion_steps(
        model,
        image,
        heatmap=heatmap,
        target=target,
        steps=steps,
        orders=orders,
        seed=seed,
        baseline=baseline,
        grid=grid,
    )
    assert isinstance(last, Result) and isinstance(last.value, TrustCurves)
    return last.value


def deletion_steps(
    model: Classifier,
    image: UInt8[np.ndarray, "height width 3"],
    *,
    heatmap: AttributionMap,
    target: int | None = None,
    steps: int = 14,
    orders: int = 3,
    seed: int = 0,
    baseline: Baseline = "blur",
    grid: int = 14,
    batch: int = 8,
) -> Work:
    r"""Delete the photo in the order of a heat map, insert it in that order, and do the same at random.

    $$ \mathrm{AUC} = \int_0^1 p_c(s)\, ds, \qquad
       p_c(s) = \text{probability of class } c \text{ when the share } s \text{ is removed (or shown)} $$

    Petsiuk, Das, Saenko, *RISE: Randomized Input Sampling for Explanation of Black-box Models* (BMVC 2018),
    section 4.1. A map that points at what the network used makes the probability fall early
    when its places go first, and rise early when they come first.

    The photo goes in squares, `grid` a side, and not pixel by pixel. Maps of 8x8 cells and of 128x128 pixels
    are then judged by the same steps, and so is the control: single random pixels would
    ruin all the texture at once and make any map look bad beside them.

    Args:
        model: the classifier.
        image: RGB bytes, the photo that the map was made for.
        heatmap: the map; of a signed one, evidence against the class goes last.
        target: index of the class to watch; the map's own if not given.
        steps: how many times something is removed.
        orders: how many random orders make up the control.
        seed: of the random orders.
        baseline: what a removed square becomes. `"blur"` shows the photo as if shrunk to 8x8: detail goes and
            no edge appears. `"mean"` is the mean colour: everything goes, but
            a hole has sharp edges, which a network may take for a shape.
        grid: squares along each side.
        batch: photos a forward pass.

    Yields:
        `Progress` after each batch, and a `Result` with the `TrustCurves`.
    """
    pixels, _ = network_input(model, image)
    target = heatmap.target if target is None else target
    empty = blurred(pixels) if baseline == "blur" else torch.zeros_like(pixels)
    ours = map_order(heatmap.values, grid)
    ranks = [ours, *random_orders(grid, orders, seed)]
    share = np.linspace(0, 1, steps + 1)
    # One row an order and a step: which photo is altered, and which squares of it are gone.
    rounds = [(shown, rank, part) for shown in (False, True) for rank in ranks for part in share]
    probabilities: list[float] = []
    for first in range(0, len(rounds), batch):
        inputs = [_altered(pixels, empty, *one) for one in rounds[first : first + batch]]
        with torch.no_grad():
            p = model(torch.cat(inputs)).float().softmax(dim=1)[:, target]
        probabilities += p.tolist()
        yield Progress(len(probabilities), len(rounds))
    curves = np.array(probabilities).reshape(2, len(ranks), steps + 1)
    yield Result(
        TrustCurves(
            share=share,
            deletion=curves[0, 0],
            insertion=curves[1, 0],
            deletion_control=curves[0, 1:],
            insertion_control=curves[1, 1:],
            target_name=str(model.classes[target]),
            seed=seed,
        )
    )


def map_order(values: Float[np.ndarray, "height width"], grid: int) -> Int[np.ndarray, "grid grid"]:
    """The rank of each square by the map's mean over it: 0 goes first.

    A map coarser than the grid is interpolated. Equal squares keep their reading order.
    """
    given = torch.from_numpy(np.asarray(values, np.float64).copy())[None, None]
    if min(given.shape[-2:]) < grid:
        given = F.interpolate(given, (grid * 4, grid * 4), mode="bilinear", align_corners=False)
    means = F.adaptive_avg_pool2d(given, grid).flatten().numpy()
    return _ranks(np.argsort(-means, kind="stable"), grid)


def random_orders(grid: int, orders: int, seed: int) -> list[Int[np.ndarray, "grid grid"]]:
    """Ranks of the same squares in random orders."""
    random = np.random.default_rng(seed)
    return [_ranks(random.permutation(grid * grid), grid) for _ in range(orders)]


def blurred(pixels: Float[Tensor, "1 3 height width"], cells: int = 8) -> Float[Tensor, "1 3 height width"]:
    """The photo as it looks after shrinking it to `cells` x `cells` and enlarging it again."""
    small = F.interpolate(pixels, (cells, cells), mode="bilinear", align_corners=False, antialias=True)
    return F.interpolate(small, pixels.shape[-2:], mode="bicubic", align_corners=False)


def _ranks(order: Int[np.ndarray, " square"], grid: int) -> Int[np.ndarray, "grid grid"]:
    ranks = np.empty(grid * grid, dtype=np.int64)
    ranks[order] = np.arange(grid * grid)
    return ranks.reshape(grid, grid)


def _altered(
    pixels: Float[Tensor, "1 3 height width"],
    empty: Float[Tensor, "1 3 height width"],
    shown: bool,
    rank: Int[np.ndarray, "grid grid"],
    share: float,
) -> Float[Tensor, "1 3 height width"]:
    """Deletion: the first `share` of the squares is gone. Insertion: only the first `share` is there."""
    first = torch.from_numpy(rank < round(share * rank.size)).to(pixels.device)[None, None]
    first = F.interpolate(first.float(), pixels.shape[-2:], mode="nearest") > 0
    return torch.where(first, pixels, empty) if shown else torch.where(first, empty, pixels)
