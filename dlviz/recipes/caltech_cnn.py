"""How the bundled network of the CNN filters page was trained: Caltech-101, from scratch, on a CPU.

A few thousand photos are little for millions of weights, so most of the recipe is about seeing each
photo differently every time: random crops, turns and colours, mixup and cutmix, and small pictures
first (they are cheaper, and coarse shapes are learnt before detail). The weights kept are a moving
average of those that the optimiser visits. The test photos are measured on the way and choose nothing: what
is shipped is the average at the end of the schedule.

The shipped weights were planned for 140 epochs and shortened in steps to 93 while they trained, to fit the
time there was; `schedule` in `metrics.json` says at which epochs. A straight run of the settings below is the
same recipe but will not give the same numbers.

Run it with `python -m dlviz.recipes.caltech_cnn RUN_DIR`; stopped at any moment, the same command
goes on from the last whole epoch.
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
from jaxtyping import Float, Int, UInt8
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from dlviz.vision.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Geometry, resize_square, to_input
from dlviz.vision.residual_cnn import ResidualCNN
from dlviz.zoo.datasets import LabelledImages, caltech101

Images = UInt8[Tensor, "batch 3 height width"]
Report = Callable[[str], None]

# What a checkpoint holds beside the weights; `schedule` has a row [from this epoch on, of so many epochs].
KEPT = ("epoch", "step", "seconds", "history", "schedule")
HISTORY_LAYERS = ("stem.conv.weight", "stages.0.0.conv1.weight")


@dataclass(frozen=True, slots=True)
class Settings:
    """Every number of the recipe. Equal settings on one machine give equal weights."""

    epochs: int = 100
    batch_size: int = 64
    seed: int = 0
    input_size: int = 128
    # Part of the training from which each side in pixels is used. Random crops show an object larger
    # than a whole photo does, so training a little below `input_size` brings the two scales together
    # (Touvron et al. 2019, "Fixing the train-test resolution discrepancy").
    train_sizes: tuple[tuple[float, int], ...] = ((0.0, 80), (0.35, 96), (0.7, 112))
    learning_rate: float = 0.06
    warmup_epochs: float = 3.0
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    average_decay: float = 0.998
    crop_area: tuple[float, float] = (0.3, 1.0)
    turn_degrees: float = 12.0
    colour_strength: float = 0.4
    grey_probability: float = 0.1
    mixup_probability: float = 0.4
    mixup_alpha: float = 0.4
    cutmix_probability: float = 0.4
    history_moments: int = 20
    stem_channels: int = 48
    stem_kernel: int = 7
    stage_channels: tuple[int, ...] = (48, 96, 192, 256)
    stage_blocks: tuple[int, ...] = (2, 2, 2, 2)
    stage_strides: tuple[int, ...] = (1, 2, 2, 1)

    def model_arguments(self, class_count: int) -> dict[str, Any]:
        """What `ResidualCNN` is built from; the model card carries the same."""
        return {
            "class_count": class_count,
            "stem_channels": self.stem_channels,
            "stem_kernel": self.stem_kernel,
            "stage_channels": self.stage_channels,
            "stage_blocks": self.stage_blocks,
            "stage_strides": self.stage_strides,
        }

    def moments(self) -> set[int]:
        """Epochs after which the early kernels are kept: dense where they change most, at the start."""
        part = np.linspace(0, 1, self.history_moments) ** 2.2
        return {math.ceil(epoch) for epoch in part * self.epochs}

    def train_size(self, epoch: int) -> int:
        """Side of the training pictures in this epoch."""
        return [size for start, size in self.train_sizes if epoch >= start * self.epochs][-1]

    def rate(self, epoch: float) -> float:
        r"""Linear warm-up, then a half cosine to zero (Loshchilov & Hutter 2017)."""
        if epoch < self.warmup_epochs:
            return self.learning_rate * epoch / self.warmup_epochs
        part = (epoch - self.warmup_epochs) / max(self.epochs - self.warmup_epochs, 1e-9)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * min(part, 1)))


class Training:
    """The state that a checkpoint holds: the network, its average, the optimiser, and the history."""

    def __init__(self, settings: Settings, class_count: int) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            model = ResidualCNN(**settings.model_arguments(class_count))
        self.settings = settings
        self.model = model.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.optimiser = _optimiser(self.model, settings)
        self.epoch, self.step, self.seconds = 0, 0, 0.0
        self.history: list[dict] = []
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
    epochs: int | None = None,
    settings: Settings | None = None,
    resume: bool = True,
    download: bool = False,
    report: Report = print,
) -> dict:
    """Train the network, and write its weights, metrics, class names and history into `run_dir`.

    Parameters
    ----------
    run_dir
        Where the checkpoint and the results go.
    data_dir
        Folder that holds `caltech101/`; `DLVIZ_DATA_DIR` where it is None.
    epochs
        Overrides the recipe's number of epochs; the schedule stretches with it.
    settings
        Overrides everything else.
    resume
        Go on from `run_dir/checkpoint.pt` where there is one.
    download
        Let torchvision fetch the photos where they are not on this machine.
    report
        Called with one line after each epoch, once the checkpoint is safe.

    Returns
    -------
    dict
        The content of `metrics.json`.

    Raises
    ------
    NotAvailable
        The photos are not on this machine and `download` is false.
    """
    settings = settings or Settings()
    if epochs is not None:
        settings = replace(settings, epochs=epochs)
    run_dir.mkdir(parents=True, exist_ok=True)
    checkpoint = run_dir / "checkpoint.pt"
    train_photos = caltech101("train", data_dir, download=download)
    test_photos = caltech101("test", data_dir)
    images, test_images = (_decode(p, settings.input_size) for p in (train_photos, test_photos))
    labels, test_labels = (torch.from_numpy(p.labels) for p in (train_photos, test_photos))

    training = Training(settings, len(train_photos.classes))
    if resume and checkpoint.exists():
        training.load(checkpoint)
        report(f"resumed after epoch {training.epoch}")
    if not training.schedule or training.schedule[-1][1] != settings.epochs:
        training.schedule.append([training.epoch, settings.epochs])
    if training.epoch == 0 and not training.history:
        _remember(training, math.log(len(train_photos.classes)), test_images, test_labels)
    while training.epoch < settings.epochs:
        started = time.perf_counter()
        loss = _train_epoch(training, images, labels)
        training.epoch += 1
        if training.epoch in settings.moments():
            _remember(training, loss, test_images, test_labels)
        training.seconds += time.perf_counter() - started
        training.save(checkpoint)
        accuracy = training.history[-1]["test_accuracy"]
        report(
            f"epoch {training.epoch}/{settings.epochs}  side {settings.train_size(training.epoch - 1)}"
            f"  loss {loss:.3f}  test at last moment {accuracy:.4f}  {training.seconds / 60:.1f} min"
        )
    return export(training, test_photos, run_dir)


def export(training: Training, test_photos: LabelledImages, folder: Path) -> dict:
    """Write the four result files; the metrics are measured on the half-precision file read back."""
    folder.mkdir(parents=True, exist_ok=True)
    half = {
        name: value.half().contiguous() if value.is_floating_point() else value
        for name, value in training.average.state_dict().items()
    }
    save_file(half, folder / "weights.safetensors")
    (folder / "classes.json").write_text(json.dumps(test_photos.classes, indent=1) + "\n")
    save_file(_history_tensors(training), folder / "history.safetensors")

    settings = training.settings
    arguments = settings.model_arguments(len(test_photos.classes))
    model = ResidualCNN(**arguments)
    model.load_state_dict(load_file(folder / "weights.safetensors"))
    metrics = {
        "files": ["weights.safetensors", "classes.json", "history.safetensors"],
        **evaluate(model, test_photos, settings.input_size),
        "test_photos": len(test_photos),
        "parameters": sum(p.numel() for p in model.parameters()),
        "epochs": training.epoch,
        "schedule": training.schedule,
        "training_minutes": round(training.seconds / 60, 1),
        "seed": settings.seed,
        "model_arguments": arguments,
        "input": {
            "size": settings.input_size,
            "mode": "stretch",
            "mean": IMAGENET_MEAN,
            "std": IMAGENET_STD,
        },
        "settings": asdict(settings),
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    return metrics


@torch.no_grad()
def evaluate(model: nn.Module, photos: LabelledImages, size: int) -> dict:
    """Top-1 and top-5 accuracy, overall and per class, one photo at a time as the page sees it."""
    model.eval()
    top5 = np.stack(
        [model(to_input(image, size)[0])[0].topk(min(5, len(photos.classes))).indices for image, _ in photos]
    )
    hit = top5[:, 0] == photos.labels
    per_class = {
        name: round(float(hit[photos.labels == label].mean()), 4)
        for label, name in enumerate(photos.classes)
        if (photos.labels == label).any()
    }
    return {
        "top1": round(float(hit.mean()), 4),
        "top5": round(float((top5 == photos.labels[:, None]).any(1).mean()), 4),
        "mean_class_accuracy": round(float(np.mean(list(per_class.values()))), 4),
        "per_class": per_class,
    }


def _train_epoch(training: Training, images: Images, labels: Int[Tensor, " photo"]) -> float:
    """One pass over the photos in a new order; the order and every random choice follow from the seed."""
    settings = training.settings
    training.model.train()
    rng = np.random.default_rng((settings.seed, training.epoch))
    losses = []
    batches = list(_batches(len(labels), settings.batch_size, rng))
    for i, rows in enumerate(batches):
        x = augment(images[rows], settings, settings.train_size(training.epoch), rng)
        x, partner, share = mix(x, settings, rng)
        loss = _step(training, x, labels[rows], partner, share, training.epoch + i / len(batches))
        losses.append(loss)
    return float(np.mean(losses))


def _batches(count: int, batch_size: int, rng: np.random.Generator) -> Iterator[Tensor]:
    """Whole batches only: the photos left over come first in another epoch's order."""
    order = torch.from_numpy(rng.permutation(count))
    size = min(batch_size, count)
    return (order[start : start + size] for start in range(0, count - size + 1, size))


def _step(
    training: Training,
    x: Float[Tensor, "batch 3 height width"],
    labels: Int[Tensor, " batch"],
    partner: Int[Tensor, " batch"],
    share: float,
    epoch: float,
) -> float:
    """One step of the optimiser and of the average; the arithmetic inside the network is bfloat16."""
    settings = training.settings
    for group in training.optimiser.param_groups:
        group["lr"] = settings.rate(epoch)
    with torch.autocast("cpu", torch.bfloat16):
        logits = training.model(x.contiguous(memory_format=torch.channels_last)).float()
    smoothing = settings.label_smoothing
    loss = share * F.cross_entropy(logits, labels, label_smoothing=smoothing)
    if share < 1:
        loss = loss + (1 - share) * F.cross_entropy(logits, labels[partner], label_smoothing=smoothing)
    training.optimiser.zero_grad()
    loss.backward()
    training.optimiser.step()
    training.step += 1
    update_average(training.average, training.model, settings.average_decay, training.step)
    return loss.item()


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    r"""$\bar w \leftarrow d\,\bar w + (1 - d)\,w$, with a smaller $d$ in the first steps.

    Without the smaller $d$ the random start would weigh on the average for hundreds of steps. The
    running means and variances of the normalisation layers are averaged as well.
    """
    decay = min(decay, (1 + step) / (10 + step))
    for kept, new in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)


def augment(
    images: Images, settings: Settings, size: int, rng: np.random.Generator
) -> Float[Tensor, "batch 3 size size"]:
    """A random crop, turn, mirror image and colour of each photo, then the network's normalisation."""
    theta = _random_view(len(images), settings, rng)
    grid = F.affine_grid(theta, [len(images), 3, size, size], align_corners=False)
    x = F.grid_sample(images.float() / 255, grid, padding_mode="reflection", align_corners=False)
    return (_random_colour(x, settings, rng) - _channels(IMAGENET_MEAN)) / _channels(IMAGENET_STD)


def _random_view(count: int, settings: Settings, rng: np.random.Generator) -> Float[Tensor, "batch 2 3"]:
    """Affine map of each output square into its photo, both in coordinates from -1 to 1."""
    area = rng.uniform(*settings.crop_area, count)
    ratio = np.exp(rng.uniform(-1, 1, count) * math.log(4 / 3))
    width, height = np.minimum(np.sqrt(area * ratio), 1), np.minimum(np.sqrt(area / ratio), 1)
    angle = np.radians(rng.uniform(-1, 1, count) * settings.turn_degrees)
    mirror = rng.choice([-1.0, 1.0], count)
    theta = np.empty((count, 2, 3), dtype=np.float32)
    theta[:, 0, 0], theta[:, 0, 1] = mirror * width * np.cos(angle), -height * np.sin(angle)
    theta[:, 1, 0], theta[:, 1, 1] = mirror * width * np.sin(angle), height * np.cos(angle)
    theta[:, 0, 2] = (1 - width) * rng.uniform(-1, 1, count)
    theta[:, 1, 2] = (1 - height) * rng.uniform(-1, 1, count)
    return torch.from_numpy(theta)


def _random_colour(
    x: Float[Tensor, "batch 3 height width"], settings: Settings, rng: np.random.Generator
) -> Float[Tensor, "batch 3 height width"]:
    """Saturation, contrast and brightness, each by its own random factor; some photos become grey."""
    count = len(x)
    low, high = 1 - settings.colour_strength, 1 + settings.colour_strength
    saturation, contrast, brightness = (
        torch.from_numpy(rng.uniform(low, high, (count, 1, 1, 1)).astype(np.float32)) for _ in range(3)
    )
    grey_ones = torch.from_numpy(rng.random((count, 1, 1, 1)) < settings.grey_probability)
    grey = (x * _channels((0.299, 0.587, 0.114))).sum(1, keepdim=True)
    x = torch.lerp(grey, x, torch.where(grey_ones, 0.0, saturation))
    x = torch.lerp(x.mean((1, 2, 3), keepdim=True), x, contrast)
    return (x * brightness).clamp(0, 1)


def mix(
    x: Float[Tensor, "batch 3 height width"], settings: Settings, rng: np.random.Generator
) -> tuple[Float[Tensor, "batch 3 height width"], Int[Tensor, " batch"], float]:
    r"""Blend each picture with a partner (mixup), or paste a box of the partner into it (cutmix).

    $$ x \leftarrow \lambda x + (1 - \lambda) x_{\text{partner}}, \qquad
       L \leftarrow \lambda L(y) + (1 - \lambda) L(y_{\text{partner}}) $$

    Zhang et al. 2018; Yun et al. 2019. Returns the pictures, the partners and $\lambda$, which is 1 for
    a batch that stays as it is.
    """
    partner = torch.from_numpy(rng.permutation(len(x)))
    choice = rng.random()
    if choice < settings.mixup_probability:
        share = float(rng.beta(settings.mixup_alpha, settings.mixup_alpha))
        return torch.lerp(x[partner], x, share), partner, share
    if choice >= settings.mixup_probability + settings.cutmix_probability:
        return x, partner, 1.0
    side = x.shape[-1]
    box = round(side * math.sqrt(rng.random()))
    left, top = rng.integers(0, side - box + 1, 2)
    x = x.clone()
    window = (slice(None), slice(None), slice(top, top + box), slice(left, left + box))
    x[window] = x[partner][window]
    return x, partner, 1 - (box / side) ** 2


def _decode(photos: LabelledImages, size: int) -> Images:
    """All photos as one tensor in memory, resized as the page resizes them."""
    squares = torch.empty((len(photos), 3, size, size), dtype=torch.uint8)
    for i, (image, _) in enumerate(photos):
        geometry = Geometry(0, 0, image.shape[1], image.shape[0], size)
        squares[i] = resize_square(image, geometry)[0].round().clamp(0, 255)
    return squares


@torch.no_grad()
def _remember(training: Training, loss: float, images: Images, labels: Int[Tensor, " photo"]) -> None:
    """Add this moment to the history: the early kernels, and how good the averaged network is now."""
    model = training.average.eval()
    hits = 0
    for rows in torch.arange(len(labels)).split(128):
        x = (images[rows] / 255 - _channels(IMAGENET_MEAN)) / _channels(IMAGENET_STD)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(x.contiguous(memory_format=torch.channels_last))
        hits += int((logits.argmax(1) == labels[rows]).sum())
    weights = model.state_dict()
    training.history.append(
        {
            "epoch": training.epoch,
            "train_loss": loss,
            "test_accuracy": hits / len(labels),
            **{name: weights[name].half().clone() for name in HISTORY_LAYERS},
        }
    )


def _history_tensors(training: Training) -> dict[str, Tensor]:
    """The moments stacked: `epoch`, `train_loss`, `test_accuracy` `(moment)`, and each layer's kernels."""
    stacked = {
        name: torch.tensor([moment[name] for moment in training.history])
        for name in ("epoch", "train_loss", "test_accuracy")
    }
    for name in HISTORY_LAYERS:
        stacked[name] = torch.stack([moment[name].contiguous() for moment in training.history])
    return stacked


def _optimiser(model: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    """SGD with Nesterov's momentum; gains, offsets and biases are not pulled towards zero."""
    decayed = [p for p in model.parameters() if p.ndim > 1]
    free = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=0.0, momentum=settings.momentum, nesterov=True)


def _channels(values: tuple[float, ...]) -> Float[Tensor, "1 3 1 1"]:
    return torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1)


def main() -> None:
    """The command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run_dir", type=Path)
    parser.add_argument(
        "--data-dir", type=Path, help="folder that holds caltech101/ (default: DLVIZ_DATA_DIR)"
    )
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--download", action="store_true", help="fetch the photos where they are missing")
    chosen = parser.parse_args()
    train(
        chosen.run_dir,
        chosen.data_dir,
        epochs=chosen.epochs,
        download=chosen.download,
        report=lambda line: print(line, flush=True),
    )


if __name__ == "__main__":
    main()
