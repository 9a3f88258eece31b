"""How the bundled denoisers were trained: MNIST and Fashion-MNIST, from scratch, on a CPU.

A small U-Net learns to predict the noise in a picture (Ho, Jain and Abbeel, *Denoising Diffusion Probabilistic
Models*, NeurIPS 2020), for the class of the picture, and one time in ten for "no class", which makes guidance
possible (Ho and Salimans 2022). What is shipped is a moving average of the weights at the end of the schedule; the
test pictures are measured then, and choose nothing.

The learning rate rises, stays, and falls to zero over the last part of the run, so that a run can be lengthened
or shortened while it stays: `schedule` in `metrics.json` says what was planned when.

Run it with `python -m dlviz.recipes.diffusion NAME RUN_DIR`; stopped at any moment, the same command goes on from
the last whole round.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DDPMScheduler
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from dlviz.diffusion.network import CLASSES_FILE, new_unet
from dlviz.zoo.datasets import GreyImages, grey_images

Report = Callable[[str], None]

# What a checkpoint holds beside the weights; `schedule` has a row [from this round on, of so many rounds].
KEPT = ("round", "step", "seconds", "history", "schedule")
FILES = ["config.json", "diffusion_pytorch_model.safetensors", "scheduler_config.json", CLASSES_FILE]


@dataclass(frozen=True, slots=True)
class Settings:
    """Every number of the recipe. Equal settings on one machine give equal weights."""

    dataset: str = "mnist"
    rounds: int = 140
    steps: int = 100
    batch_size: int = 64
    seed: int = 0
    learning_rate: float = 1e-3
    warmup: int = 200
    decay_share: float = 0.3
    average_decay: float = 0.999
    no_class_share: float = 0.1
    channels: tuple[int, ...] = (32, 64, 64)

    def model_arguments(self) -> dict[str, Any]:
        """What `UNet2DModel` is built from: attention on the smallest map (7 x 7) alone."""
        plain = len(self.channels) - 1
        return {
            "sample_size": 28,
            "in_channels": 1,
            "out_channels": 1,
            "block_out_channels": self.channels,
            "layers_per_block": 1,
            "down_block_types": ("DownBlock2D",) * plain + ("AttnDownBlock2D",),
            "up_block_types": ("AttnUpBlock2D",) + ("UpBlock2D",) * plain,
            "norm_num_groups": 8,
            "attention_head_dim": 16,
            "num_class_embeds": 11,
        }

    def rate(self, step: int) -> float:
        """Linear warm-up, a plateau, and a straight line to zero at the end of the last round."""
        last = self.rounds * self.steps
        falling = (last - step) / max(self.decay_share * last, 1)
        return self.learning_rate * max(0.0, min(1.0, (step + 1) / max(self.warmup, 1), falling))


MODELS: dict[str, Settings] = {
    "mnist-ddpm": Settings(),
    "fashion-mnist-ddpm": Settings(dataset="fashion-mnist"),
}


def scheduler() -> Any:
    r"""$T = 1000$ and $\beta_t$ from $10^{-4}$ to $0.02$ in a straight line (Ho et al. 2020, section 4)."""
    return DDPMScheduler(num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02, beta_schedule="linear")


class Training:
    """The state that a checkpoint holds: the network, its average, the optimiser, and the history."""

    def __init__(self, settings: Settings) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.model: Any = new_unet(settings.model_arguments())
        self.settings = settings
        self.scheduler = scheduler()
        self.average: Any = copy.deepcopy(self.model).requires_grad_(False)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=0.0, betas=(0.9, 0.99))
        self.round, self.step, self.seconds = 0, 0, 0.0
        self.history: list[dict[str, float]] = []
        self.schedule: list[list[int]] = []

    def save(self, path: Path) -> None:
        """Write the checkpoint beside its place and move it there, so that a crash leaves a whole one."""
        state = {name: getattr(self, name) for name in KEPT}
        for name in ("model", "average", "optimiser"):
            state[name] = getattr(self, name).state_dict()
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        """Take the state from a checkpoint; only tensors and plain values are read, no code."""
        state = torch.load(path, weights_only=True)
        for name in KEPT:
            setattr(self, name, state[name])
        for name in ("model", "average", "optimiser"):
            getattr(self, name).load_state_dict(state[name])


def train(
    run_dir: Path,
    data_dir: Path | None = None,
    *,
    name: str = "mnist-ddpm",
    rounds: int | None = None,
    settings: Settings | None = None,
    resume: bool = True,
    download: bool = False,
    report: Report = print,
) -> dict[str, Any]:
    """Train one of `MODELS`, and write its files, in diffusers' own format, and `metrics.json` into `run_dir`.

    Parameters
    ----------
    run_dir
        Where the checkpoint and the results go.
    data_dir
        Folder that holds the data set; `DLVIZ_DATA_DIR` where it is None.
    name
        Key of `MODELS`.
    rounds
        Overrides the recipe's number of rounds; the fall of the learning rate moves with it.
    settings
        Overrides everything else.
    resume
        Go on from `run_dir/checkpoint.pt` where there is one.
    download
        Let torchvision fetch the pictures where they are not on this machine.
    report
        Called with one line after each round, once the checkpoint is safe.

    Returns
    -------
    dict
        The content of `metrics.json`.

    Raises
    ------
    NotAvailable
        The pictures are not on this machine and `download` is false.
    """
    settings = settings or MODELS[name]
    if rounds is not None:
        settings = replace(settings, rounds=rounds)
    run_dir.mkdir(parents=True, exist_ok=True)
    checkpoint = run_dir / "checkpoint.pt"
    pictures, test = (
        grey_images(settings.dataset, split, data_dir, download=download) for split in ("train", "test")
    )
    training = Training(settings)
    if resume and checkpoint.exists():
        training.load(checkpoint)
        report(f"resumed after round {training.round}")
    if not training.schedule or training.schedule[-1][1] != settings.rounds:
        training.schedule.append([training.round, settings.rounds])
    while training.round < settings.rounds:
        loss = _train_round(training, pictures)
        training.history.append({"round": training.round, "train_loss": round(loss, 5)})
        training.save(checkpoint)
        report(
            f"round {training.round}/{settings.rounds}  loss {loss:.4f}  {training.seconds / 60:.1f} min  "
            f"{training.seconds / training.step:.2f} s/step"
        )
    return export(training, test, run_dir)


def export(training: Training, test: GreyImages, folder: Path) -> dict[str, Any]:
    """Write the averaged network in half precision, its noise schedule, the class names and the metrics."""
    folder.mkdir(parents=True, exist_ok=True)
    copy.deepcopy(training.average).half().save_pretrained(folder)
    training.scheduler.save_pretrained(folder)
    (folder / CLASSES_FILE).write_text(json.dumps(test.classes, indent=1) + "\n")
    settings = training.settings
    metrics = {
        "files": FILES,
        "parameters": sum(p.numel() for p in training.average.parameters()),
        "rounds": training.round,
        "steps": training.step,
        "schedule": training.schedule,
        "training_minutes": round(training.seconds / 60, 1),
        "history": training.history,
        "settings": asdict(settings),
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    return metrics


def batch_rows(step: int, count: int, settings: Settings) -> Int[Tensor, " batch"]:
    """Which pictures a step sees: each once in a pass, in an order that the seed and the pass give."""
    size = min(settings.batch_size, count)
    epoch, place = divmod(step, count // size)
    random = torch.Generator().manual_seed(settings.seed * 100_003 + epoch)
    return torch.randperm(count, generator=random)[place * size : (place + 1) * size]


def batch_times(count: int, timesteps: int, random: torch.Generator) -> Int[Tensor, " batch"]:
    """A time step for each picture, one in each of `count` equal parts of the whole.

    Each is uniform over all steps; together they cover them evenly, which makes the loss less noisy
    (Kingma et al., *Variational Diffusion Models*, 2021, appendix I.1).
    """
    places = (torch.arange(count) + torch.rand(count, generator=random)) / count
    return (places * timesteps).long().clamp(max=timesteps - 1)


def _train_round(training: Training, pictures: GreyImages) -> float:
    """The next `settings.steps` steps; returns their mean loss."""
    images, labels = pictures.images, torch.from_numpy(pictures.labels)
    started, losses = time.perf_counter(), []
    training.model.train()
    for _ in range(training.settings.steps):
        rows = batch_rows(training.step, len(images), training.settings)
        losses.append(_step(training, images[rows.numpy()], labels[rows]))
    training.round += 1
    training.seconds += time.perf_counter() - started
    return float(np.mean(losses))


def _step(
    training: Training, images: UInt8[np.ndarray, "batch 28 28"], labels: Int[Tensor, " batch"]
) -> float:
    """One step of the optimiser and of the average; what it draws follows from the seed and its number."""
    settings = training.settings
    random = torch.Generator().manual_seed(settings.seed * 1_000_003 + training.step)
    x = torch.from_numpy(images).unsqueeze(1).float() / 127.5 - 1
    for group in training.optimiser.param_groups:
        group["lr"] = settings.rate(training.step)
    training.optimiser.zero_grad()
    loss = _loss(training, x, labels, random)
    loss.backward()
    nn.utils.clip_grad_norm_(training.model.parameters(), 1.0)
    training.optimiser.step()
    training.step += 1
    _update_average(training.average, training.model, settings.average_decay, training.step)
    return loss.item()


def _loss(
    training: Training,
    x: Float[Tensor, "batch 1 28 28"],
    labels: Int[Tensor, " batch"],
    random: torch.Generator,
) -> Float[Tensor, ""]:
    r"""$\lVert \epsilon - \epsilon_\theta(x_t, t, c) \rVert^2$, the mean over pixels (Ho et al. 2020, equation 14).

    The arithmetic inside the network is bfloat16. Attention is two plain products: on a CPU the fused kernel takes
    several times as long backwards.
    """
    steps = batch_times(len(x), len(training.scheduler), random)
    noise = torch.randn(x.shape, generator=random)
    forgotten = torch.rand(len(x), generator=random) < training.settings.no_class_share
    labels = torch.where(forgotten, training.model.config.num_class_embeds - 1, labels)
    noisy = training.scheduler.add_noise(x, noise, steps)
    with torch.autocast("cpu", torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
        predicted = training.model(noisy, steps, class_labels=labels, return_dict=False)[0]
    return F.mse_loss(predicted.float(), noise)


@torch.no_grad()
def _update_average(average: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    r"""$\bar w \leftarrow d\,\bar w + (1 - d)\,w$, with a smaller $d$ in the first steps."""
    decay = min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)


def main() -> None:
    """The command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=sorted(MODELS))
    parser.add_argument("run_dir", type=Path)
    parser.add_argument(
        "--data-dir", type=Path, help="folder that holds the data set (default: DLVIZ_DATA_DIR)"
    )
    parser.add_argument("--rounds", type=int, help="how long to train, in rounds of 100 steps")
    parser.add_argument("--download", action="store_true", help="fetch the pictures where they are missing")
    chosen = parser.parse_args()
    train(
        chosen.run_dir,
        chosen.data_dir,
        name=chosen.name,
        rounds=chosen.rounds,
        download=chosen.download,
        report=lambda line: print(line, flush=True),
    )


if __name__ == "__main__":
    main()
