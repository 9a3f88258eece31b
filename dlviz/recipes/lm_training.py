"""One way to train the three language models: settings, optimisers, schedule, checkpoints.

Matrices inside the network are trained by Muon (Jordan et al. 2024), which turns each update into the nearest
orthogonal matrix; embeddings, biases and norms by AdamW. The learning rate rises, stays, and falls to zero in a
straight line over the last part of the run (Hägele et al. 2024), so that a run can be lengthened or shortened while
it stays: `schedule` in `metrics.json` says what was planned when.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

Report = Callable[[str], None]

# What a checkpoint holds beside the weights; `schedule` has a row [from this epoch on, of so many epochs].
KEPT = ("epoch", "step", "seconds", "tokens", "history", "schedule")


@dataclass(frozen=True, slots=True)
class Settings:
    """Every number of the recipe. Equal settings on one machine give equal weights."""

    epochs: int = 40
    steps: int = 100
    batch_tokens: int = 4096
    width: int = 192
    heads: int = 6
    layers: int = 6
    positions: int = 256
    lengths: tuple[int, ...] = (128, 128, 256)
    masked_share: float = 0.2
    dropout: float = 0.0
    label_smoothing: float = 0.0
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    warmup: int = 150
    decay_share: float = 0.3
    seed: int = 0

    def rate(self, step: int) -> float:
        """Linear warm-up, a plateau, and a straight line to zero at the end of the last epoch."""
        last = self.epochs * self.steps
        falling = (last - step) / max(self.decay_share * last, 1)
        return self.learning_rate * max(0.0, min(1.0, (step + 1) / max(self.warmup, 1), falling))


class Task(Protocol):
    """What differs between the three: the network, its batches and loss, and how it is measured."""

    def network(self) -> nn.Module:
        """A new network; the caller has set the seed."""

    def loss(self, network: Any, step: int) -> tuple[Float[Tensor, ""], int]:
        """The loss of the batch of a step, and the number of tokens that were read for it."""

    def quick(self, network: Any) -> dict[str, float]:
        """A few figures on held-out text, for the log."""

    def full(self, network: Any) -> dict[str, Any]:
        """All figures of the card."""


class Training:
    """The state that a checkpoint holds: the network, its optimisers, and the history."""

    def __init__(self, settings: Settings, task: Task) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = task.network()
        self.settings, self.task = settings, task
        self.optimisers = optimisers(self.network, settings)
        self.epoch, self.step, self.tokens, self.seconds = 0, 0, 0, 0.0
        self.history: list[dict[str, float]] = []
        self.schedule: list[list[int]] = []

    def run_epoch(self) -> float:
        """`settings.steps` steps; what a step draws depends on the seed and its number alone. Returns the mean loss."""
        started, total = time.perf_counter(), 0.0
        self.network.train()
        for _ in range(self.settings.steps):
            total += self._one_step()
        self.epoch += 1
        self.seconds += time.perf_counter() - started
        return total / self.settings.steps

    def _one_step(self) -> float:
        torch.manual_seed(self.settings.seed * 1_000_003 + self.step)  # for dropout
        rate = self.settings.rate(self.step)
        for optimiser in self.optimisers:
            optimiser.zero_grad()
            for group in optimiser.param_groups:
                group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16):
            loss, tokens = self.task.loss(self.network, self.step)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.step += 1
        self.tokens += tokens
        return loss.item()

    def save(self, path: Path) -> None:
        """Write the checkpoint beside its place and move it there, so that a crash leaves a whole one."""
        state = {name: getattr(self, name) for name in KEPT}
        state["network"] = self.network.state_dict()
        state["optimisers"] = [optimiser.state_dict() for optimiser in self.optimisers]
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        """Take the state from a checkpoint; only tensors and plain values are read, no code."""
        state = torch.load(path, weights_only=True)
        for name in KEPT:
            setattr(self, name, state[name])
        self.network.load_state_dict(state["network"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)


def optimisers(network: nn.Module, settings: Settings) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for embeddings, biases and norms; both at one learning rate.

    Muon's updates are scaled to the size that AdamW's have (`match_rms_adamw`; Liu et al. 2025).
    """
    embedded = {id(p) for m in network.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
    trained = [p for p in network.parameters() if p.requires_grad]
    matrices = [p for p in trained if p.ndim == 2 and id(p) not in embedded]
    chosen = {id(p) for p in matrices}
    rest = [p for p in trained if id(p) not in chosen]
    rate, decay = settings.learning_rate, settings.weight_decay
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def eager(network: Any) -> nn.Module:
    """The network with plain matrix products for attention: on a CPU, backwards, faster than the fused kernel."""
    network.set_attn_implementation("eager")
    checked: nn.Module = network
    return checked


def run(training: Training, checkpoint: Path, *, resume: bool, report: Report) -> None:
    """All epochs that are left, with a checkpoint and a line after each."""
    settings = training.settings
    if resume and checkpoint.exists():
        training.load(checkpoint)
        report(f"resumed after epoch {training.epoch}")
    if not training.schedule or training.schedule[-1][1] != settings.epochs:
        training.schedule.append([training.epoch, settings.epochs])
    while training.epoch < settings.epochs:
        loss = training.run_epoch()
        training.network.eval()
        found = training.task.quick(training.network)
        training.history.append({"epoch": training.epoch, "train_loss": round(loss, 4), **found})
        training.save(checkpoint)
        said = "  ".join(f"{name} {value:.3f}" for name, value in found.items())
        speed = training.tokens / max(training.seconds, 1e-9)
        report(
            f"epoch {training.epoch}/{settings.epochs}  loss {loss:.3f}  {said}  "
            f"{training.seconds / 60:.1f} min  {speed:.0f} tokens/s"
        )
