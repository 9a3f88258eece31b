"""The denoisers' recipe on a few made-up pictures: it runs, stops, goes on to the same end, writes its files."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler, UNet2DModel

from dlviz.diffusion.network import denoiser
from dlviz.errors import NotAvailable
from dlviz.recipes import diffusion
from dlviz.recipes.diffusion import Settings

TINY = Settings(rounds=2, steps=3, batch_size=8, warmup=2, channels=(16, 16))


class PowerCutError(Exception):
    """Stands for a closed lid or a power cut."""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty pictures of bars, upright or lying, in MNIST's own file format."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    (folder / "mnist").mkdir()
    for prefix, count in (("train", 40), ("t10k", 20)):
        labels = (np.arange(count) % 2).astype(np.uint8)
        images = np.zeros((count, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            at = rng.integers(6, 20)
            (image if label else image.T)[at : at + 3, 4:24] = rng.integers(150, 256)
        _write_idx(folder / "mnist" / f"{prefix}-images-idx3-ubyte.gz", images)
        _write_idx(folder / "mnist" / f"{prefix}-labels-idx1-ubyte.gz", labels)
    return folder


def _write_idx(path: Path, array: np.ndarray) -> None:
    head = bytes([0, 0, 8, array.ndim]) + b"".join(int(size).to_bytes(4, "big") for size in array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes()))


@pytest.fixture(scope="module")
def finished(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("run")
    diffusion.train(run_dir, data_dir, settings=TINY, report=lambda line: None)
    return run_dir


def test_the_files_are_diffusers_own_and_in_half_precision(finished: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    assert all((finished / name).exists() for name in metrics["files"])
    network = UNet2DModel.from_pretrained(finished)
    assert metrics["parameters"] == network.num_parameters()
    size = (finished / "diffusion_pytorch_model.safetensors").stat().st_size
    assert size == pytest.approx(2 * metrics["parameters"], rel=0.5)
    noise = DDPMScheduler.from_pretrained(finished)
    assert len(noise) == 1000 and noise.betas[0] == pytest.approx(1e-4)
    assert noise.betas[-1] == pytest.approx(0.02)


def test_what_the_zoo_would_load_is_what_was_written(finished: Path) -> None:
    model = denoiser(finished).eval()
    assert model.shape == (1, 28, 28) and model.timesteps == 1000 and model.no_class == 10
    assert model.classes == tuple("0123456789")
    x, t, y = torch.randn(2, 1, 28, 28), torch.tensor([3, 900]), torch.tensor([1, 10])
    with torch.no_grad():
        expected = UNet2DModel.from_pretrained(finished).float()(x, t, class_labels=y).sample
        torch.testing.assert_close(model(x, t, y), expected)
        torch.testing.assert_close(model(x, t)[1], expected[1])


def test_a_run_that_was_cut_ends_like_one_that_was_not(
    finished: Path, data_dir: Path, tmp_path: Path
) -> None:
    def cut(line: str) -> None:
        raise PowerCutError

    with pytest.raises(PowerCutError):
        diffusion.train(tmp_path, data_dir, settings=TINY, report=cut)
    lines: list[str] = []
    diffusion.train(tmp_path, data_dir, settings=TINY, report=lines.append)
    assert lines[0] == "resumed after round 1"
    whole, resumed = (UNet2DModel.from_pretrained(run).state_dict() for run in (finished, tmp_path))
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


def test_training_learns(data_dir: Path, tmp_path: Path) -> None:
    """A network that says nothing has a loss of one, the variance of the noise."""
    settings = replace(TINY, rounds=6, steps=10, learning_rate=3e-3)
    history = diffusion.train(tmp_path, data_dir, settings=settings, report=lambda line: None)["history"]
    assert 1 > history[0]["train_loss"] > 2 * history[-1]["train_loss"]


def test_a_pass_sees_each_picture_once_and_times_cover_all_steps() -> None:
    seen = torch.cat([diffusion.batch_rows(step, 40, TINY) for step in range(5)])
    assert sorted(seen.tolist()) == list(range(40))
    times = diffusion.batch_times(10, 1000, torch.Generator().manual_seed(0))
    assert (times // 100).tolist() == list(range(10))


def test_the_rate_rises_stays_and_falls_to_nothing() -> None:
    settings = Settings(rounds=10, steps=10, warmup=5, decay_share=0.5, learning_rate=1.0)
    assert [settings.rate(step) for step in (0, 4, 30, 75, 100)] == [0.2, 1.0, 1.0, 0.5, 0.0]


def test_a_missing_data_set_is_a_clear_message(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable, match="MNIST"):
        diffusion.train(tmp_path / "run", tmp_path, settings=TINY)
