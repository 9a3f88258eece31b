"""How the judges of the diffusion lesson were trained: small classifiers of MNIST and Fashion-MNIST, on a CPU.

A judge says whether a sampled picture is what was asked for, and its features are the space in which sampled and
real pictures are compared. The test pictures are measured at the end and choose nothing.

Run it with `python -m dlviz.recipes.digit_classifier NAME RUN_DIR`; stopped at any moment, the same command goes on
from the last whole epoch.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from dlviz.diffusion.judge import Judge, judge
from dlviz.zoo.datasets import GreyImages, grey_images

Report = Callable[[str], None]

KEPT = ("epoch", "step", "seconds", "history")


@dataclass(frozen=True, slots=True)
class Settings:
    """Every number of the recipe. Equal settings on one machine give equal weights."""

    dataset: str = "mnist"
    epochs: int = 8
    batch_size: int = 128
    seed: int = 0
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    warmup_share: float = 0.2
    shift_pixels: int = 2


MODELS: dict[str, Settings] = {
    "mnist-judge": Settings(),
    "fashion-mnist-judge": Settings(dataset="fashion-mnist", epochs=14, shift_pixels=1),
}


class Training:
    """The state that a checkpoint holds."""

    def __init__(self, settings: Settings, steps_an_epoch: int) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.model = Judge()
        self.settings = settings
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.rates = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            settings.learning_rate,
            total_steps=max(settings.epochs * steps_an_epoch, 2),
            pct_start=settings.warmup_share,
        )
        self.epoch, self.step, self.seconds = 0, 0, 0.0
        self.history: list[dict[str, float]] = []

    def save(self, path: Path) -> None:
        """Write the checkpoint beside its place and move it there, so that a crash leaves a whole one."""
        state = {name: getattr(self, name) for name in KEPT}
        for name in ("model", "optimiser", "rates"):
            state[name] = getattr(self, name).state_dict()
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        """Take the state from a checkpoint; only tensors and plain values are read, no code."""
        state = torch.load(path, weights_only=True)
        for name in KEPT:
            setattr(self, name, state[name])
        for name in ("model", "optimiser", "rates"):
            getattr(self, name).load_state_dict(state[name])


def train(
    run_dir: Path,
    data_dir: Path | None = None,
    *,
    name: str = "mnist-judge",
    settings: Settings | None = None,
    resume: bool = True,
    download: bool = False,
    report: Report = print,
) -> dict[str, Any]:
    """Train one of `MODELS`, and write its weights, class names and metrics into `run_dir`.

    Parameters
    ----------
    run_dir
        Where the checkpoint and the results go.
    data_dir
        Folder that holds the data set; `DLVIZ_DATA_DIR` where it is None.
    name
        Key of `MODELS`.
    settings
        Overrides the model's own.
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
    run_dir.mkdir(parents=True, exist_ok=True)
    checkpoint = run_dir / "checkpoint.pt"
    pictures, test = (
        grey_images(settings.dataset, split, data_dir, download=download) for split in ("train", "test")
    )
    images, labels = torch.from_numpy(pictures.images.copy()), torch.from_numpy(pictures.labels)
    training = Training(settings, -(-len(images) // settings.batch_size))
    if resume and checkpoint.exists():
        training.load(checkpoint)
        report(f"resumed after epoch {training.epoch}")
    while training.epoch < settings.epochs:
        started = time.perf_counter()
        loss = _train_epoch(training, images, labels)
        training.epoch += 1
        training.seconds += time.perf_counter() - started
        training.history.append({"epoch": training.epoch, "train_loss": round(loss, 4)})
        training.save(checkpoint)
        report(f"epoch {training.epoch}/{settings.epochs}  loss {loss:.4f}  {training.seconds / 60:.1f} min")
    return _export(training, test, run_dir)


def to_grey_levels(images: UInt8[np.ndarray, "picture 28 28"]) -> Float[Tensor, "picture 1 28 28"]:
    """Bytes as grey levels from -1 (black) to 1 (white)."""
    return torch.from_numpy(images.copy()).unsqueeze(1).float() / 127.5 - 1


def in_batches(
    images: UInt8[np.ndarray, "picture 28 28"], size: int = 500
) -> Iterator[Float[Tensor, "batch 1 28 28"]]:
    """The pictures as grey levels, some at a time."""
    for start in range(0, len(images), size):
        yield to_grey_levels(images[start : start + size])


@torch.no_grad()
def accuracy(model: Judge, test: GreyImages) -> float:
    """Share of the test pictures that are named rightly."""
    found = torch.cat([model(x).argmax(1) for x in in_batches(test.images)])
    return round(float((found.numpy() == test.labels).mean()), 4)


def _train_epoch(
    training: Training, images: UInt8[Tensor, "picture 28 28"], labels: Int[Tensor, " picture"]
) -> float:
    """One pass over the pictures, each moved by a few pixels; order and moves follow from the seed."""
    settings = training.settings
    random = torch.Generator().manual_seed(settings.seed * 100_003 + training.epoch)
    training.model.train()
    losses = []
    for rows in torch.randperm(len(images), generator=random).split(settings.batch_size):
        x = moved(images[rows].unsqueeze(1).float() / 127.5 - 1, settings.shift_pixels, random)
        loss = F.cross_entropy(training.model(x), labels[rows])
        training.optimiser.zero_grad()
        loss.backward()
        training.optimiser.step()
        training.rates.step()
        training.step += 1
        losses.append(loss.item())
    training.model.eval()
    return float(np.mean(losses))


def moved(
    x: Float[Tensor, "batch 1 height width"], most: int, random: torch.Generator
) -> Float[Tensor, "batch 1 height width"]:
    """Each picture moved by up to `most` whole pixels in each direction, with black coming in."""
    size = x.shape[-1]
    wide = F.pad(x, (most,) * 4, value=-1.0)
    down, right = torch.randint(0, 2 * most + 1, (2, len(x)), generator=random)
    rows = (down[:, None] + torch.arange(size))[:, None, :, None]
    columns = (right[:, None] + torch.arange(size))[:, None, None, :]
    return wide[torch.arange(len(x))[:, None, None, None], torch.zeros(1, dtype=torch.long), rows, columns]


def _export(training: Training, test: GreyImages, folder: Path) -> dict[str, Any]:
    """Write the result files; the accuracy is that of the half-precision file read back."""
    state = training.model.state_dict()
    half = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in state.items()}
    save_file(half, folder / "weights.safetensors")
    (folder / "classes.json").write_text(json.dumps(test.classes, indent=1) + "\n")
    model = judge(folder)
    metrics = {
        "files": ["weights.safetensors", "classes.json"],
        "accuracy": accuracy(model, test),
        "test_pictures": len(test),
        "parameters": sum(p.numel() for p in model.parameters()),
        "epochs": training.epoch,
        "training_minutes": round(training.seconds / 60, 1),
        "history": training.history,
        "settings": asdict(training.settings),
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    return metrics


def main() -> None:
    """The command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=sorted(MODELS))
    parser.add_argument("run_dir", type=Path)
    parser.add_argument(
        "--data-dir", type=Path, help="folder that holds the data set (default: DLVIZ_DATA_DIR)"
    )
    parser.add_argument("--download", action="store_true", help="fetch the pictures where they are missing")
    chosen = parser.parse_args()
    train(
        chosen.run_dir,
        chosen.data_dir,
        name=chosen.name,
        download=chosen.download,
        report=lambda line: print(line, flush=True),
    )


if __name__ == "__main__":
    main()
