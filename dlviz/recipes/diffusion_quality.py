r"""How good the sampled pictures are, by a judge that was trained on real ones.

Two figures. How many samples does the judge take for the class that was asked for, with a probability over 0.9? And how
far do the samples lie from real pictures, in the judge's features? The second is the Fréchet distance of two Gaussians

$$ \lVert \mu_1 - \mu_2 \rVert^2 + \mathrm{tr}\bigl(\Sigma_1 + \Sigma_2 - 2 (\Sigma_1 \Sigma_2)^{1/2}\bigr) $$

(Heusel et al. 2017), which has no unit: as many real test pictures are measured beside the samples, with the same share
of each class, against the same training pictures. It cannot be compared with distances in other features.

Run it with `python -m dlviz.recipes.diffusion_quality RUN_DIR JUDGE_DIR` when the denoiser is trained. What is measured
is kept in `quality.json` after each sampler and number of steps, and added to `metrics.json`; stopped, the same command
goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from dlviz.diffusion.judge import Judge, judge
from dlviz.diffusion.network import Denoiser, denoiser
from dlviz.diffusion.results import SamplerName
from dlviz.diffusion.sampling import sample
from dlviz.events import Result
from dlviz.recipes.digit_classifier import in_batches
from dlviz.zoo.datasets import GreyImages, grey_images

Report = Callable[[str], None]

SURE = 0.9
GUIDANCE = 2.0
SAMPLES = 1000
FEWER = 300
"""Samples of each point of the curve; the figures of the card have `SAMPLES`."""

MAIN: tuple[SamplerName, int] = ("ddim", 50)
CURVE: tuple[tuple[SamplerName, int], ...] = (
    ("ddim", 5),
    ("ddim", 10),
    ("ddim", 20),
    ("dpm++", 5),
    ("dpm++", 10),
    ("dpm++", 20),
    ("ddpm", 10),
    ("ddpm", 20),
    ("ddpm", 50),
    ("ddpm", 200),
)
_BATCH = 50


def measure(
    run_dir: Path,
    judge_dir: Path,
    data_dir: Path | None = None,
    *,
    samples: int = SAMPLES,
    fewer: int = FEWER,
    curve: Sequence[tuple[SamplerName, int]] = CURVE,
    report: Report = print,
) -> dict[str, Any]:
    """Measure a finished run and add the figures to its `metrics.json`.

    Parameters
    ----------
    run_dir
        Where `dlviz.recipes.diffusion` has left its results.
    judge_dir
        Where `dlviz.recipes.digit_classifier` has left those of the judge of the same pictures.
    data_dir
        Folder that holds the data set; `DLVIZ_DATA_DIR` where it is None.
    samples, fewer
        Pictures for the card's figures, and for each point of the curve.
    curve
        Samplers and numbers of steps beside DDIM with 50.
    report
        Called with one line after each.

    Returns
    -------
    dict
        The content of `metrics.json`.
    """
    metrics = json.loads((run_dir / "metrics.json").read_text())
    dataset = metrics["settings"]["dataset"]
    train, test = (grey_images(dataset, split, data_dir) for split in ("train", "test"))
    model, judging = denoiser(run_dir).eval().requires_grad_(False), judge(judge_dir)
    real = features_of(judging, train)
    kept = run_dir / "quality.json"
    found: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    found.setdefault("real", round(frechet(real, features_of(judging, balanced(test, samples))), 3))
    for sampler, steps in (MAIN, *curve):
        key, count = f"{sampler} {steps}", samples if (sampler, steps) == MAIN else fewer
        if key not in found:
            found[key] = _one(model, judging, real, sampler, steps, count)
            part = kept.with_suffix(".part")
            part.write_text(json.dumps(found, indent=1) + "\n")
            part.replace(kept)
            report(f"{key} steps: {found[key]}")
    chief = found[f"{MAIN[0]} {MAIN[1]}"]
    metrics |= {
        "recognised": chief["recognised"],
        "frechet": chief["frechet"],
        "frechet_real": found["real"],
        "samples": samples,
        "guidance": GUIDANCE,
        "curve": {key: value for key, value in found.items() if key != "real"},
    }
    (run_dir / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    return metrics


@torch.no_grad()
def _one(
    model: Denoiser,
    judging: Judge,
    real: Float[np.ndarray, "picture feature"],
    sampler: SamplerName,
    steps: int,
    count: int,
) -> dict[str, Any]:
    """The figures of one sampler with one number of steps; picture `i` has the seed `i` whatever the sampler."""
    started = time.perf_counter()
    drawn, labels = draw(model, sampler, steps, count)
    spent = time.perf_counter() - started
    share = float(recognised(judging, drawn, labels).float().mean())
    distance = frechet(real, judging.features(drawn).numpy())
    return {
        "recognised": round(share, 4),
        "frechet": round(distance, 3),
        "samples": len(drawn),
        "seconds_a_picture": round(spent / len(drawn), 3),
    }


def draw(
    model: Denoiser, sampler: SamplerName, steps: int, count: int
) -> tuple[Float[Tensor, "picture 1 28 28"], Tensor]:
    """As many samples of each class, as close as `count` allows, and the classes asked for."""
    classes = len(model.classes)
    pictures, labels = [], []
    for label in range(classes):
        wanted = len(range(label, count, classes))
        for first in range(0, wanted, _BATCH):
            size = min(_BATCH, wanted - first)
            seed = label * count + first
            *_, last = sample(
                model, sampler=sampler, steps=steps, label=label, guidance=GUIDANCE, seed=seed, pictures=size
            )
            assert isinstance(last, Result)
            pictures.append(torch.tensor(last.value.last.noisy).clamp(-1, 1))  # type: ignore[attr-defined]
            labels += [label] * size
    return torch.cat(pictures), torch.tensor(labels)


@torch.no_grad()
def recognised(judging: Judge, pictures: Float[Tensor, "picture 1 28 28"], labels: Tensor) -> Tensor:
    """Which pictures the judge takes for their class with a probability over 0.9."""
    probability = judging.probabilities(pictures)
    return probability[torch.arange(len(labels)), labels] > SURE


@torch.no_grad()
def features_of(judging: Judge, pictures: GreyImages) -> Float[np.ndarray, "picture feature"]:
    """The judge's features of real pictures."""
    return torch.cat([judging.features(x) for x in in_batches(pictures.images)]).numpy()


def balanced(pictures: GreyImages, count: int) -> GreyImages:
    """The first pictures of each class, `count` in all or as many as there are."""
    classes = len(pictures.classes)
    rows = [np.flatnonzero(pictures.labels == k)[: len(range(k, count, classes))] for k in range(classes)]
    chosen = np.concatenate(rows)
    return GreyImages(pictures.classes, pictures.images[chosen], pictures.labels[chosen])


def frechet(one: Float[np.ndarray, "picture feature"], two: Float[np.ndarray, "picture feature"]) -> float:
    """Fréchet distance of the Gaussians that have the mean and the covariance of two sets of features."""
    mean_one, mean_two = (part.astype(np.float64).mean(axis=0) for part in (one, two))
    cov_one, cov_two = (np.cov(part.astype(np.float64), rowvar=False) for part in (one, two))
    # The eigenvalues of a product of two covariances are real and not negative; rounding may say otherwise.
    roots = np.sqrt(np.linalg.eigvals(cov_one @ cov_two).real.clip(min=0))
    return float(((mean_one - mean_two) ** 2).sum() + np.trace(cov_one + cov_two) - 2 * roots.sum())


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure the quality of a trained denoiser's samples.")
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("judge_dir", type=Path)
    parser.add_argument(
        "--data-dir", type=Path, help="folder that holds the data set (default: DLVIZ_DATA_DIR)"
    )
    chosen = parser.parse_args()
    measure(chosen.run_dir, chosen.judge_dir, chosen.data_dir, report=lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
