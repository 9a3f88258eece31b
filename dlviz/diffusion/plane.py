"""Diffusion in the plane, trained before the visitor's eyes: each picture is one point.

Everything of the sampler is here and can be seen whole: the cloud, its noise, the score field that leads back, and the
paths along it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from dlviz.diffusion.forward import schedule
from dlviz.diffusion.plane_points import LEAST_POINTS, MOST_POINTS, standardised
from dlviz.diffusion.results import PlaneFlow, PlaneFrame, PlaneNetwork, PlaneTraining, Points
from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result, Work
from dlviz.i18n import N_

TIMESTEPS = 100
WIDTH = 96
_FREQUENCIES = 6
_FRAME_SECONDS = 0.4
_SHOWN = 400
_REACH = 2.6
_GRID = 15


class PlaneDenoiser(nn.Module):
    r"""$\epsilon_\theta(x_t, t)$ for points: three hidden layers, and the time as sines and cosines.

    The coordinates are given in the same way too, at a few frequencies: a small network bends its answer around a thin
    shape sooner when it need not learn the bends itself (Tancik et al. 2020).
    """

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        inputs = 2 + 2 * 2 * 3 + 2 * _FREQUENCIES
        layers: list[nn.Module] = []
        for size in (inputs, width, width):
            layers += [nn.Linear(size, width), nn.SiLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(width, 2))

    def forward(
        self, points: Float[Tensor, "batch 2"], t: Float[Tensor, " batch"]
    ) -> Float[Tensor, "batch 2"]:
        """The predicted noise; `t` from 0 to 1."""
        waves = torch.cat([points, 2 * points, 4 * points], dim=1)
        clock = t[:, None] * torch.pi / 2 * 2.0 ** torch.arange(_FREQUENCIES)
        parts = [points, waves.sin(), waves.cos(), clock.sin(), clock.cos()]
        predicted: Tensor = self.layers(torch.cat(parts, dim=1))
        return predicted


@dataclass(slots=True)
class _Run:
    """What a live training carries from step to step."""

    network: PlaneDenoiser
    optimiser: torch.optim.Optimizer
    alpha_bar: Float[Tensor, " step"]
    random: torch.Generator
    steps: int
    step: int = 0
    losses: list[float] = field(default_factory=list)


def train_live(
    points: Points,
    *,
    steps: int = 1500,
    batch_size: int = 512,
    learning_rate: float = 4e-3,
    seed: int = 0,
    start: PlaneNetwork | None = None,
) -> Work:
    r"""Train a small network to denoise a cloud of points, and show what it samples while it learns.

    Each step draws points, times and noises, and follows Adam down the gradient of
    $\lVert \epsilon - \epsilon_\theta(\sqrt{\bar\alpha_t}\,x_0 + \sqrt{1 - \bar\alpha_t}\,\epsilon, t) \rVert^2$
    (Ho et al. 2020, equation 14), with $T = 100$ and the cosine schedule.

    Args:
        points: the cloud; brought to unit spread.
        steps: of the optimiser, those of `start` counted in.
        batch_size: points a step.
        learning_rate: Adam's; it falls along half a cosine.
        seed: of the first weights, the draws and the samples shown.
        start: a network to go on with, from an earlier frame. Adam begins anew.

    Yields:
        `Progress` after each step, a `Frame` with a `PlaneFrame` a few times a second, and a `Result` with the
        `PlaneTraining`.

    Raises:
        Refused: too few or too many points, or a setting out of bounds.
    """
    began = time.perf_counter()
    _check(points, steps, batch_size, learning_rate, start)
    target = standardised(points)
    data = torch.from_numpy(target)
    run = _started(steps, learning_rate, seed, start)
    yield Frame(_frame(run, seed))
    shown = time.perf_counter()
    while run.step < steps:
        _step(run, data, batch_size, learning_rate)
        yield Progress(run.step, steps)
        if time.perf_counter() - shown > _FRAME_SECONDS and run.step < steps:
            yield Frame(_frame(run, seed))
            shown = time.perf_counter()
    frame = _frame(run, seed)
    yield Frame(frame)
    found = flow(frame.network, seed=seed)
    yield Result(PlaneTraining(frame, found, target, time.perf_counter() - began, seed))


@torch.no_grad()
def flow(
    network: PlaneNetwork, *, points: int = _SHOWN, stride: int = 2, reach: float = _REACH, seed: int = 0
) -> PlaneFlow:
    r"""The way from noise to the cloud, by DDIM without noise, and the score field along it.

    The score is $\nabla_x \log p_t(x) = -\epsilon_\theta(x, t) / \sqrt{1 - \bar\alpha_t}$ (Song et al. 2021): where the
    arrows point, points are denser.

    Args:
        network: weights of a frame.
        points: how many travel.
        stride: times from one moment to the next, a divisor of $T$.
        reach: the grid goes from -reach to reach on both axes.
        seed: of the first places.

    Raises:
        Refused: a setting is out of its bounds.
    """
    if not (1 <= points <= 5000 and stride in (1, 2, 4, 5, 10, 20) and 0 < reach <= 20):
        raise Refused(N_("A setting of the sampler is out of its bounds."))
    model = as_network(network)
    alpha_bar = _levels()
    axis = np.linspace(-reach, reach, _GRID, dtype=np.float32)
    grid = torch.from_numpy(np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2))
    x = torch.randn((points, 2), generator=torch.Generator().manual_seed(seed))
    times = np.arange(TIMESTEPS, -1, -stride)
    paths, scores = [x.numpy().copy()], []
    for t, to in pairwise(times):
        scores.append(_score(model, grid, int(t), alpha_bar))
        x = _ddim(model, x, int(t), int(to), alpha_bar)
        paths.append(x.numpy().copy())
    scores.append(_score(model, grid, 1, alpha_bar))
    field_shape = (len(times), _GRID, _GRID, 2)
    return PlaneFlow(times, np.stack(paths), axis, axis, np.stack(scores).reshape(field_shape))


def as_network(kept: PlaneNetwork) -> PlaneDenoiser:
    """The network that these numbers belong to."""
    width = kept.weights[0].shape[0]
    with torch.random.fork_rng(devices=[]):
        network = PlaneDenoiser(width)
    state = zip(kept.names, kept.weights, strict=True)
    network.load_state_dict({name: torch.tensor(value) for name, value in state})
    return network


def _levels() -> Float[Tensor, " time"]:
    r"""$\bar\alpha_t$ for $t$ from 0 to $T$."""
    return torch.from_numpy(np.append(1.0, schedule("cosine", TIMESTEPS).alpha_bar)).float()


def _started(steps: int, learning_rate: float, seed: int, start: PlaneNetwork | None) -> _Run:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PlaneDenoiser() if start is None else as_network(start)
    done = 0 if start is None else start.step
    random = torch.Generator().manual_seed(seed + done)
    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
    return _Run(network, optimiser, _levels(), random, steps, done)


def _step(run: _Run, data: Float[Tensor, "point 2"], batch_size: int, learning_rate: float) -> None:
    """One step of the optimiser; what it cost is added to the run's losses."""
    for group in run.optimiser.param_groups:
        group["lr"] = learning_rate * (0.51 + 0.49 * float(np.cos(np.pi * run.step / run.steps)))
    x = data[torch.randint(len(data), (batch_size,), generator=run.random)]
    t = torch.randint(1, TIMESTEPS + 1, (batch_size,), generator=run.random)
    noise = torch.randn(x.shape, generator=run.random)
    level = run.alpha_bar[t, None]
    with torch.enable_grad():
        guess = run.network(level.sqrt() * x + (1 - level).sqrt() * noise, t / TIMESTEPS)
        loss = (noise - guess).square().mean()
        run.optimiser.zero_grad()
        loss.backward()
    run.optimiser.step()
    run.step += 1
    run.losses.append(loss.item())


@torch.no_grad()
def _frame(run: _Run, seed: int) -> PlaneFrame:
    """The training at this moment, with points that its network samples in twenty steps."""
    x = torch.randn((_SHOWN, 2), generator=torch.Generator().manual_seed(seed))
    for t in range(TIMESTEPS, 0, -5):
        x = _ddim(run.network, x, t, t - 5, run.alpha_bar)
    state = run.network.state_dict()
    weights = tuple(value.detach().numpy().copy() for value in state.values())
    kept = PlaneNetwork(tuple(state), weights, run.step)
    return PlaneFrame(run.step, run.steps, np.array(run.losses, np.float32), x.numpy(), kept)


def _noise(model: PlaneDenoiser, x: Float[Tensor, "point 2"], t: int) -> Float[Tensor, "point 2"]:
    """The predicted noise of points that are all at time `t`."""
    predicted: Tensor = model(x, torch.full((len(x),), t / TIMESTEPS))
    return predicted


def _ddim(
    model: PlaneDenoiser, x: Float[Tensor, "point 2"], t: int, to: int, alpha_bar: Float[Tensor, " time"]
) -> Float[Tensor, "point 2"]:
    r"""$x_{t'} = \sqrt{\bar\alpha_{t'}}\,\hat x_0 + \sqrt{1 - \bar\alpha_{t'}}\,\epsilon_\theta$ (Song, Meng and Ermon 2021).

    The clean point is kept within four spreads: at $t = T$ next to nothing of it is left to see.
    """
    noise = _noise(model, x, t)
    clean = ((x - (1 - alpha_bar[t]).sqrt() * noise) / alpha_bar[t].sqrt()).clamp(-4, 4)
    return alpha_bar[to].sqrt() * clean + (1 - alpha_bar[to]).sqrt() * noise


def _score(
    model: PlaneDenoiser, grid: Float[Tensor, "place 2"], t: int, alpha_bar: Float[Tensor, " time"]
) -> Float[np.ndarray, "place 2"]:
    return (-_noise(model, grid, t) / (1 - alpha_bar[t]).sqrt()).numpy()


def _check(
    points: Points, steps: int, batch_size: int, learning_rate: float, start: PlaneNetwork | None
) -> None:
    if points.ndim != 2 or points.shape[1] != 2 or not LEAST_POINTS <= len(points) <= MOST_POINTS:
        raise Refused(N_("A cloud has {least} to {most} points."), least=LEAST_POINTS, most=MOST_POINTS)
    if not (1 <= steps <= 20_000 and 1 <= batch_size <= 4096 and 0 < learning_rate <= 0.1):
        raise Refused(N_("A setting of the training is out of its bounds."))
    if start is not None and not 0 <= start.step < steps:
        raise Refused(N_("This network has already had as many steps."))
