"""Work of known cost on a real network: a forward pass for a click, gradient steps for a job."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import torch
from torch import nn

from dlviz.events import Event, Progress, Result


@cache
def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), *(nn.Conv2d(64, 64, 3, padding=1) for _ in range(2))]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1)).eval().requires_grad_(False)


def forward(seed: int, size: int) -> float:
    pixels = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return float(network()(pixels).sum())


def ascend(steps: int, size: int, seed: int = 0) -> Iterator[Event]:
    pixels = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed))
    for step in range(steps):
        pixels.requires_grad_()
        (gradient,) = torch.autograd.grad(network()(pixels).sum(), pixels)
        pixels = (pixels + 0.01 * gradient).detach()
        yield Progress(step + 1, steps)
    yield Result(float(pixels.mean()))
