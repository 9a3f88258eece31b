"""How the bundled autoencoders were trained: MNIST and Fashion-MNIST, from scratch, on a CPU.

One recipe, ten models: for each data set a two-dimensional latent space at three weights of the KL term,
the plain autoencoder of the same size, and sixteen dimensions. What is shipped is a moving average of the
weights at the end of the schedule; the test pictures are measured then, and choose nothing.

Two of the shipped models (MNIST, plain and at beta = 0.25) were planned for 10 epochs and lengthened
when these had been run; `schedule` in their `metrics.json` says so. A straight run is the same recipe but will not
give the same numbers.

Run it with `python -m dlviz.recipes.vae NAME RUN_DIR`; stopped at any moment, the same command goes on from
the last whole epoch.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from dlviz.vision.vae_network import ConvVAE, kl_divergence, reconstruction_loss, reparametrise
from dlviz.vision.vae_results import LEAST_LOG_VARIANCE, LOG_VARIANCE_STEP
from dlviz.zoo.datasets import GreyImages, grey_images

Report = Callable[[str], None]

# What a checkpoint holds beside the weights; `schedule` has a row [from this epoch on, of so many epochs].
KEPT = ("epoch", "step", "seconds", "history", "schedule")
STORED_CODES = 5000
ACTIVE = 0.01
NEIGHBOURS = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """Every number of the recipe. Equal settings on one machine give equal weights."""

    dataset: str = "mnist"
    latent: int = 2
    variational: bool = True
    beta: float = 1.0
    epochs: int = 40
    batch_size: int = 128
    seed: int = 0
    learning_rate: float = 3e-3
    warmup_epochs: float = 0.5
    kl_warmup_epochs: float = 1.0
    average_decay: float = 0.999
    turn_degrees: float = 10.0
    scale_share: float = 0.08
    shift_pixels: float = 1.0
    encoder_channels: tuple[int, ...] = (16, 32, 64)
    encoder_hidden: int = 96
    decoder_channels: tuple[int, ...] = (16, 16)
    decoder_hidden: tuple[int, ...] = (128, 256)

    def model_arguments(self) -> dict[str, Any]:
        """What `ConvVAE` is built from; the model card carries the same."""
        kept = (
            "latent",
            "variational",
            "encoder_channels",
            "encoder_hidden",
            "decoder_channels",
            "decoder_hidden",
        )
        return {name: getattr(self, name) for name in kept}

    def rate(self, epoch: float) -> float:
        """Linear warm-up, then a half cosine to zero."""
        if epoch < self.warmup_epochs:
            return self.learning_rate * epoch / self.warmup_epochs
        part = (epoch - self.warmup_epochs) / max(self.epochs - self.warmup_epochs, 1e-9)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * min(part, 1)))

    def kl_weight(self, epoch: float) -> float:
        """Beta, reached in a straight line: a full weight from the start would switch dimensions off for good."""
        return self.beta * min(1.0, epoch / self.kl_warmup_epochs)


_FEW = 10
_KINDS: dict[str, dict[str, Any]] = {
    "vae-2d": {},
    # Smaller steps and a slower start of the KL term keep more of the sixteen dimensions in use.
    "vae-16d": {"latent": 16, "learning_rate": 2e-3, "kl_warmup_epochs": 4.0},
    "ae-2d": {"variational": False},
    "vae-2d-beta-low": {"beta": 0.25},
    "vae-2d-beta-high": {"beta": 4.0},
}
# Fewer epochs show what the others are there for.
_EPOCHS = {
    "mnist-vae-2d": 40,
    "mnist-vae-16d": 24,
    "mnist-ae-2d": 25,
    "mnist-vae-2d-beta-low": 40,
}
MODELS: dict[str, Settings] = {
    f"{dataset}-{kind}": Settings(dataset=dataset, epochs=_EPOCHS.get(f"{dataset}-{kind}", _FEW), **changes)
    for dataset in ("mnist", "fashion-mnist")
    for kind, changes in _KINDS.items()
}


class Training:
    """The state that a checkpoint holds: the network, its average, the optimiser, and the history."""

    def __init__(self, settings: Settings) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.model = ConvVAE(**settings.model_arguments())
        self.settings = settings
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=0.0)
        self.epoch, self.step, self.seconds = 0, 0, 0.0
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
    name: str = "mnist-vae-2d",
    epochs: int | None = None,
    settings: Settings | None = None,
    resume: bool = True,
    download: bool = False,
    report: Report = print,
) -> dict[str, Any]:
    """Train one of `MODELS`, and write its weights, metrics, class names and codes into `run_dir`.

    Parameters
    ----------
    run_dir
        Where the checkpoint and the results go.
    data_dir
        Folder that holds the data set; `DLVIZ_DATA_DIR` where it is None.
    name
        Key of `MODELS`.
    epochs
        Overrides the recipe's number of epochs; the schedule stretches with it.
    settings
        Overrides everything else.
    resume
        Go on from `run_dir/checkpoint.pt` where there is one.
    download
        Let torchvision fetch the pictures where they are not on this machine.
    report
        Called with one line after each epoch, once the checkpoint is safe.

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
    if epochs is not None:
        settings = replace(settings, epochs=epochs)
    run_dir.mkdir(parents=True, exist_ok=True)
    checkpoint = run_dir / "checkpoint.pt"
    pictures = grey_images(settings.dataset, "train", data_dir, download=download)
    test = grey_images(settings.dataset, "test", data_dir, download=download)
    images = torch.from_numpy(pictures.images.copy())

    training = Training(settings)
    if resume and checkpoint.exists():
        training.load(checkpoint)
        report(f"resumed after epoch {training.epoch}")
    if not training.schedule or training.schedule[-1][1] != settings.epochs:
        training.schedule.append([training.epoch, settings.epochs])
    while training.epoch < settings.epochs:
        started = time.perf_counter()
        loss = _train_epoch(training, images)
        training.epoch += 1
        training.seconds += time.perf_counter() - started
        training.history.append({"epoch": training.epoch, "train_loss": round(loss, 3)})
        training.save(checkpoint)
        report(f"epoch {training.epoch}/{settings.epochs}  loss {loss:.2f}  {training.seconds / 60:.1f} min")
    return export(training, pictures, test, run_dir)


def export(training: Training, pictures: GreyImages, test: GreyImages, folder: Path) -> dict[str, Any]:
    """Write the four result files; the metrics are measured on the half-precision file read back."""
    folder.mkdir(parents=True, exist_ok=True)
    half = {name: value.half().contiguous() for name, value in training.average.state_dict().items()}
    save_file(half, folder / "weights.safetensors")
    (folder / "classes.json").write_text(json.dumps(test.classes, indent=1) + "\n")

    settings = training.settings
    model = ConvVAE(**settings.model_arguments()).eval()
    model.load_state_dict(load_file(folder / "weights.safetensors"))
    save_file(stored_codes(model, test), folder / "codes.safetensors")
    metrics = {
        "files": ["weights.safetensors", "classes.json", "codes.safetensors"],
        **evaluate(model, test, settings.seed),
        "knn_accuracy": knn_accuracy(model, pictures, test),
        "test_pictures": len(test),
        "parameters": sum(p.numel() for p in model.parameters()),
        "epochs": training.epoch,
        "schedule": training.schedule,
        "training_minutes": round(training.seconds / 60, 1),
        "history": training.history,
        "model_arguments": settings.model_arguments(),
        "settings": asdict(settings),
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    return metrics


@torch.no_grad()
def evaluate(model: ConvVAE, test: GreyImages, seed: int, draws: int = 8) -> dict[str, Any]:
    r"""Reconstruction and KL in nats a test picture, the expectation over $q(z \mid x)$ by `draws` samples.

    The negative ELBO is their sum, at weight 1 whatever $\beta$ the model was trained with. A plain
    autoencoder has a reconstruction only.
    """
    generator = torch.Generator().manual_seed(seed)
    losses, divergences, means = [], [], []
    for x in _pictures(test.images):
        mean, log_variance = model.encode(x)
        means.append(mean)
        if log_variance is None:
            losses.append(reconstruction_loss(model.decode(mean), x))
            continue
        noise = torch.randn((draws, *mean.shape), generator=generator)
        drawn = [model.decode(reparametrise(mean, log_variance, one)) for one in noise]
        losses.append(torch.stack([reconstruction_loss(logits, x) for logits in drawn]).mean(0))
        divergences.append(kl_divergence(mean, log_variance))
    reconstruction = float(torch.cat(losses).mean())
    measured: dict[str, Any] = {"reconstruction": round(reconstruction, 3)}
    if divergences:
        by_dimension = torch.cat(divergences).mean(0)
        active = torch.cat(means).var(0) > ACTIVE  # Burda, Grosse, Salakhutdinov 2016, section 5.2
        kl = float(by_dimension.sum())
        measured |= {
            "kl": round(kl, 3),
            "negative_elbo": round(reconstruction + kl, 3),
            "kl_by_dimension": [round(float(v), 4) for v in by_dimension],
            "active_units": int(active.sum()),
        }
    return measured


@torch.no_grad()
def knn_accuracy(model: ConvVAE, pictures: GreyImages, test: GreyImages) -> float:
    """Share of test pictures named right by the ten training pictures nearest to them in latent space."""
    from sklearn.neighbors import KNeighborsClassifier

    codes = [torch.cat([model.encode(x)[0] for x in _pictures(part.images)]) for part in (pictures, test)]
    neighbours = KNeighborsClassifier(NEIGHBOURS).fit(codes[0].numpy(), pictures.labels)
    return round(float(neighbours.score(codes[1].numpy(), test.labels)), 4)


@torch.no_grad()
def stored_codes(model: ConvVAE, test: GreyImages) -> dict[str, Tensor]:
    r"""The first 5,000 test pictures as the page's map needs them, without the pictures themselves.

    `mean` `(picture, latent)` in half precision, `log_variance` `(picture, latent)` in bytes, in steps of 1/16 from
    -12 (1.6 % of a standard deviation at most), `label` `(picture,)` in bytes, and `error` `(picture,)`: the
    reconstruction loss from the mean, in nats.
    """
    means, spreads, errors = [], [], []
    for x in _pictures(test.images[:STORED_CODES]):
        mean, log_variance = model.encode(x)
        means.append(mean)
        errors.append(reconstruction_loss(model.decode(mean), x))
        if log_variance is not None:
            steps = (log_variance - LEAST_LOG_VARIANCE) / LOG_VARIANCE_STEP
            spreads.append(steps.round().clamp(0, 255).byte())
    stored = {
        "mean": torch.cat(means).half(),
        "error": torch.cat(errors).half(),
        "label": torch.from_numpy(test.labels[:STORED_CODES].astype(np.uint8)),
    }
    return stored | ({"log_variance": torch.cat(spreads)} if spreads else {})


def _train_epoch(training: Training, images: UInt8[Tensor, "picture 28 28"]) -> float:
    """One pass over the pictures in a new order; the order and the noise follow from the seed."""
    settings = training.settings
    generator = torch.Generator().manual_seed(settings.seed * 100_003 + training.epoch)
    order = torch.randperm(len(images), generator=generator)
    batches = [rows for rows in order.split(settings.batch_size) if len(rows) == settings.batch_size]
    losses = []
    for i, rows in enumerate(batches or [order]):
        x = images[rows].unsqueeze(1).float() / 255
        losses.append(_step(training, x, training.epoch + i / max(len(batches), 1), generator))
    return float(np.mean(losses))


def _step(
    training: Training, x: Float[Tensor, "batch 1 28 28"], epoch: float, generator: torch.Generator
) -> float:
    """One step of the optimiser and of the average; returns the loss of the pictures as they are.

    The encoder also learns from copies that are turned, moved and scaled a little. It is what a small data
    set spoils first: on test pictures its codes are several nats worse than the best that the decoder could
    be given (the amortisation gap; Cremer, Li and Duvenaud 2018). The decoder does not learn from the copies.
    """
    settings = training.settings
    for group in training.optimiser.param_groups:
        group["lr"] = settings.rate(epoch)
    weight = settings.kl_weight(epoch)
    training.optimiser.zero_grad()
    training.model.decoder.requires_grad_(False)
    _loss(training.model, jitter(x, settings, generator), weight, generator).backward()
    training.model.decoder.requires_grad_(True)
    loss = _loss(training.model, x, weight, generator)
    loss.backward()
    training.optimiser.step()
    training.step += 1
    _update_average(training.average, training.model, settings.average_decay, training.step)
    return loss.item()


def _loss(
    model: ConvVAE, x: Float[Tensor, "batch 1 28 28"], kl_weight: float, generator: torch.Generator
) -> Float[Tensor, ""]:
    """Reconstruction plus weighted KL, a picture; the arithmetic inside the network is bfloat16."""
    with torch.autocast("cpu", torch.bfloat16):
        code, log_variance = model.encode(x)
    divergence = x.new_zeros(())
    if log_variance is not None:
        mean, log_variance = code.float(), log_variance.float()
        code = reparametrise(mean, log_variance, torch.randn(mean.shape, generator=generator))
        divergence = kl_divergence(mean, log_variance).sum(1).mean()
    with torch.autocast("cpu", torch.bfloat16):
        logits = model.decode(code)
    return reconstruction_loss(logits.float(), x).mean() + kl_weight * divergence


def jitter(
    x: Float[Tensor, "batch 1 28 28"], settings: Settings, generator: torch.Generator
) -> Float[Tensor, "batch 1 28 28"]:
    """A copy of each picture, turned, scaled and moved by its own small random amounts."""
    chance = torch.rand((4, len(x)), generator=generator) * 2 - 1
    angle = chance[0] * math.radians(settings.turn_degrees)
    scale = 1 + chance[1] * settings.scale_share
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    # One output pixel is 2 / 28 of the coordinates from -1 to 1.
    right, down = chance[2:] * settings.shift_pixels * 2 / x.shape[-1]
    rows = torch.stack([cosine, -sine, right, sine, cosine, down], dim=1)
    grid = F.affine_grid(rows.view(-1, 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False).clamp(0, 1)


@torch.no_grad()
def _update_average(average: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    r"""$\bar w \leftarrow d\,\bar w + (1 - d)\,w$, with a smaller $d$ in the first steps."""
    decay = min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)


def _pictures(images: np.ndarray, size: int = 500) -> Iterator[Float[Tensor, "batch 1 28 28"]]:
    """The pictures in batches, from bytes to grey levels between 0 and 1."""
    for start in range(0, len(images), size):
        yield torch.from_numpy(images[start : start + size].copy()).unsqueeze(1).float() / 255


def main() -> None:
    """The command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=sorted(MODELS))
    parser.add_argument("run_dir", type=Path)
    parser.add_argument(
        "--data-dir", type=Path, help="folder that holds the data set (default: DLVIZ_DATA_DIR)"
    )
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--download", action="store_true", help="fetch the pictures where they are missing")
    chosen = parser.parse_args()
    train(
        chosen.run_dir,
        chosen.data_dir,
        name=chosen.name,
        epochs=chosen.epochs,
        download=chosen.download,
        report=lambda line: print(line, flush=True),
    )


if __name__ == "__main__":
    main()
