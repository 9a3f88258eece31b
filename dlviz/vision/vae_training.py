"""A small variational autoencoder trained before the visitor's eyes, with the map redrawn as it learns."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from PIL import Image
from torch import Tensor

from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result, Work
from dlviz.i18n import N_
from dlviz.vision import vae
from dlviz.vision.vae_map import Extent, plane
from dlviz.vision.vae_network import SIDE, ConvVAE, kl_divergence, reconstruction_loss, reparametrise
from dlviz.vision.vae_results import Codes, LiveFrame, LiveTraining, Pictures, Plane, TrainedVAE

LEAST_PICTURES = 50
"""Fewer than this are learnt by heart, and the space between them says nothing."""

SMALL: dict[str, Any] = {
    "encoder_channels": (8, 16),
    "encoder_hidden": 64,
    "decoder_channels": (16, 8),
    "decoder_hidden": (64, 64),
}
"""Widths of the live network: a step on 64 pictures stays well under 50 ms on one core."""

_MAP: Extent = (-3.0, 3.0, -3.0, 3.0)
_FRAME_SECONDS = 0.3


@dataclass(slots=True)
class _Run:
    """What a live training carries from step to step."""

    model: ConvVAE
    optimiser: torch.optim.Optimizer
    random: torch.Generator
    beta: float
    steps: int
    losses: list[tuple[float, float, float]] = field(default_factory=list)


def train_live(
    images: UInt8[np.ndarray, "picture height width"],
    labels: Int[np.ndarray, " picture"] | None = None,
    *,
    latent: int = 2,
    variational: bool = True,
    beta: float = 1.0,
    steps: int = 300,
    batch_size: int = 64,
    learning_rate: float = 4e-3,
    seed: int = 0,
    shown: int = 400,
) -> Work:
    r"""Train a small convolutional VAE from scratch, and show its latent space while it takes shape.

    Each step draws pictures and noise, and follows Adam down the gradient of

    $$ \frac1B\sum_{b=1}^B -\log p\bigl(x_b \mid \mu_b + \sigma_b\odot\varepsilon_b\bigr) +
       \beta\,\mathrm{KL}\bigl(q(z \mid x_b)\,\|\,p(z)\bigr) $$

    (Kingma & Welling 2014; the weight from Higgins et al. 2017). The weight rises to $\beta$ over the first fifth of
    the steps: in full from the start, it would close the code before the decoder has learnt to read it. A tenth of the
    pictures, at most 500, is held back, and measured at the end.

    Args:
        images: grey pictures of any size, white on black for digits.
        labels: a class for each; colours of the map, unknown to the network. Without them all are -1.
        latent: dimensions of the latent space, 1 to 32.
        variational: without it, a plain autoencoder.
        beta: weight of the KL.
        steps: of the optimiser.
        batch_size: pictures a step.
        learning_rate: Adam's, brought down to a tenth along half a cosine.
        seed: of the first weights, of the order and of the noise; same seed, same network on the same machine.
        shown: pictures whose codes are followed on the map.

    Yields:
        `Progress` after each step, a `Frame` with a `LiveFrame` a few times a second, and a `Result` with the
        `LiveTraining`.

    Raises:
        Refused: there are fewer than 50 pictures, or a setting is out of bounds.
    """
    started = time.perf_counter()
    _check(images, labels, latent, beta, steps, batch_size)
    pictures = torch.from_numpy(brought_to_size(images)).unsqueeze(1)
    names = np.full(len(images), -1, np.int64) if labels is None else np.asarray(labels, np.int64)
    random = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(pictures), generator=random)
    held = min(500, max(1, len(pictures) // 10))
    test, rows = order[:held], order[held:]
    followed = order[:shown]
    run = _started(latent, variational, beta, steps, learning_rate, random, seed)
    yield Frame(_frame(run, pictures[followed], names[followed]))
    last_shown = time.perf_counter()
    for step in range(steps):
        _step(run, pictures, rows, batch_size, step, learning_rate)
        yield Progress(step + 1, steps)
        if step + 1 < steps and time.perf_counter() - last_shown > _FRAME_SECONDS:
            yield Frame(_frame(run, pictures[followed], names[followed]))
            last_shown = time.perf_counter()
    frame = _frame(run, pictures[followed], names[followed])
    yield Frame(frame)
    yield Result(_finished(run, frame, pictures[test], names[test], seed, time.perf_counter() - started))


def brought_to_size(images: UInt8[np.ndarray, "picture height width"]) -> Pictures:
    """Pictures at 28 x 28: whole, and squeezed where they are not square."""
    if images.shape[1:] == (SIDE, SIDE):
        return np.ascontiguousarray(images)
    how = Image.Resampling.BOX if min(images.shape[1:]) >= SIDE else Image.Resampling.BICUBIC
    return np.stack([np.asarray(Image.fromarray(one).resize((SIDE, SIDE), how)) for one in images])


def trained(model: ConvVAE, arguments: dict[str, Any], beta: float) -> TrainedVAE:
    """A network as plain numbers, which can be kept, compared and sent; `vae.as_network` is the way back."""
    state = model.state_dict()
    weights = tuple(value.detach().cpu().numpy().copy() for value in state.values())
    return TrainedVAE(tuple(sorted(arguments.items())), tuple(state), weights, beta)


def _started(
    latent: int,
    variational: bool,
    beta: float,
    steps: int,
    learning_rate: float,
    random: torch.Generator,
    seed: int,
) -> _Run:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ConvVAE(latent, variational=variational, **SMALL)
    return _Run(model, torch.optim.Adam(model.parameters(), lr=learning_rate), random, beta, steps)


def _step(
    run: _Run,
    pictures: UInt8[Tensor, "picture 1 28 28"],
    rows: Int[Tensor, " row"],
    batch_size: int,
    step: int,
    learning_rate: float,
) -> None:
    """One step of the optimiser; what it cost is added to the run's losses."""
    part = step / run.steps
    for group in run.optimiser.param_groups:
        group["lr"] = learning_rate * (0.55 + 0.45 * float(np.cos(np.pi * part)))
    chosen = rows[torch.randint(len(rows), (batch_size,), generator=run.random)]
    x = pictures[chosen].float() / 255
    with torch.enable_grad():
        reconstruction, kl = _losses(run.model, x, run.random)
        loss = reconstruction.mean() + run.beta * min(1.0, part * 5) * kl.mean()
        run.optimiser.zero_grad()
        loss.backward()
    run.optimiser.step()
    run.losses.append((loss.item(), reconstruction.mean().item(), kl.mean().item()))


def _losses(
    model: ConvVAE, x: Float[Tensor, "batch 1 28 28"], random: torch.Generator
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """Reconstruction with one draw, and KL, of each picture; a plain autoencoder has no KL."""
    code, log_variance = model.encode(x)
    kl = x.new_zeros(len(x))
    if log_variance is not None:
        kl = kl_divergence(code, log_variance).sum(dim=1)
        code = reparametrise(code, log_variance, torch.randn(code.shape, generator=random))
    return reconstruction_loss(model.decode(code), x), kl


@torch.no_grad()
def _frame(
    run: _Run, pictures: UInt8[Tensor, "picture 1 28 28"], labels: Int[np.ndarray, " picture"]
) -> LiveFrame:
    """The map at this moment; the decoded plane only where the latent space is one."""
    codes = vae.to_numpy(run.model.encode(pictures.float() / 255)[0])
    losses = np.array(run.losses, np.float32).reshape(-1, 3).T.copy()
    grid = (
        plane(run.model, extent=_MAP, steps=9)
        if run.model.latent == 2
        else Plane(np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros((0, 0, SIDE, SIDE), np.uint8))
    )
    return LiveFrame(len(run.losses), run.steps, losses[0], losses[1], losses[2], codes, labels, grid)


@torch.no_grad()
def _finished(
    run: _Run,
    frame: LiveFrame,
    test: UInt8[Tensor, "picture 1 28 28"],
    labels: Int[np.ndarray, " picture"],
    seed: int,
    seconds: float,
) -> LiveTraining:
    """Measure the network on the pictures that were held back, and take it apart into numbers."""
    model = run.model.eval().requires_grad_(False)
    x = test.float() / 255
    mean, log_variance = model.encode(x)
    reconstruction, kl = _losses(model, x, run.random)
    error = vae.to_numpy(reconstruction_loss(model.decode(mean), x))
    spread = None if log_variance is None else vae.to_numpy(log_variance)
    codes = Codes(vae.to_numpy(mean), spread, labels, error)
    active = int((frame.codes.var(axis=0, ddof=1) > 0.01).sum())
    network = trained(model, {"latent": model.latent, "variational": model.variational, **SMALL}, run.beta)
    return LiveTraining(
        network, frame, codes, float(reconstruction.mean()), float(kl.mean()), active, seconds, seed
    )


def _check(
    images: np.ndarray, labels: np.ndarray | None, latent: int, beta: float, steps: int, batch_size: int
) -> None:
    if images.ndim != 3 or images.dtype != np.uint8:
        raise Refused(N_("Training takes grey pictures, all of one size, as bytes."))
    if len(images) < LEAST_PICTURES:
        raise Refused(
            N_("Training needs at least {least} pictures; there are {count}."),
            least=LEAST_PICTURES,
            count=len(images),
        )
    if labels is not None and len(labels) != len(images):
        raise Refused(N_("Each picture needs one label, or none of them has one."))
    if not (1 <= latent <= 32 and 0 <= beta <= 100 and 1 <= steps <= 20_000 and 1 <= batch_size <= 1024):
        raise Refused(N_("A setting of the training is out of its bounds."))
