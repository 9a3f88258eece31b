"""The judge's recipe and the quality figures, on a few made-up pictures."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy import linalg

from dlviz.diffusion.judge import judge
from dlviz.recipes import diffusion, diffusion_quality, digit_classifier
from dlviz.zoo.datasets import grey_images

TINY = digit_classifier.Settings(epochs=3, batch_size=20, learning_rate=1e-2, shift_pixels=1)


class PowerCutError(Exception):
    """Stands for a closed lid or a power cut."""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred pictures of bars: ten classes, the place of the bar."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "mnist").mkdir()
    for prefix, count in (("train", 200), ("t10k", 100)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = np.zeros((count, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[4:24, 2 + 2 * label : 5 + 2 * label] = 200 + label
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in array.shape)
            path = folder / "mnist" / f"{prefix}-{kind}-ubyte.gz"
            path.write_bytes(gzip.compress(head + array.tobytes()))
    return folder


@pytest.fixture(scope="module")
def finished(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("run")
    digit_classifier.train(run_dir, data_dir, settings=TINY, report=lambda line: None)
    return run_dir


def test_the_accuracy_is_that_of_the_written_weights(finished: Path, data_dir: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    test = grey_images("mnist", "test", data_dir)
    x = torch.from_numpy(test.images.copy()).unsqueeze(1) / 127.5 - 1
    with torch.no_grad():
        found = judge(finished).probabilities(x)
    torch.testing.assert_close(found.sum(1), torch.ones(100))
    assert metrics["accuracy"] == pytest.approx((found.argmax(1).numpy() == test.labels).mean(), abs=1e-4)
    assert metrics["history"][-1]["train_loss"] < metrics["history"][0]["train_loss"]


def test_a_run_that_was_cut_ends_like_one_that_was_not(
    finished: Path, data_dir: Path, tmp_path: Path
) -> None:
    def cut(line: str) -> None:
        raise PowerCutError

    with pytest.raises(PowerCutError):
        digit_classifier.train(tmp_path, data_dir, settings=TINY, report=cut)
    digit_classifier.train(tmp_path, data_dir, settings=TINY, report=lambda line: None)
    whole, resumed = (load_file(run / "weights.safetensors") for run in (finished, tmp_path))
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


def test_pictures_move_whole_and_black_comes_in() -> None:
    x = torch.full((50, 1, 6, 6), -1.0)
    x[:, 0, 3, 3] = 1
    moved = digit_classifier.moved(x, 2, torch.Generator().manual_seed(0))
    places = {tuple(one[0].nonzero()[0].tolist()) for one in (moved == 1)}
    assert (moved == 1).sum() == 50 and len(places) > 10
    assert {row for row, _ in places} == {1, 2, 3, 4, 5}


def test_frechet_distance_is_that_of_the_matrix_root() -> None:
    random = np.random.default_rng(0)
    one, two = random.normal(size=(500, 4)), random.normal(size=(300, 4)) @ random.normal(size=(4, 4)) + 1
    covs = [np.cov(part, rowvar=False) for part in (one, two)]
    root = linalg.sqrtm(covs[0] @ covs[1]).real
    expected = ((one.mean(0) - two.mean(0)) ** 2).sum() + np.trace(covs[0] + covs[1] - 2 * root)
    assert diffusion_quality.frechet(one, two) == pytest.approx(expected, rel=1e-6)
    assert diffusion_quality.frechet(one, one) == pytest.approx(0, abs=1e-6)


def test_sure_and_right_is_recognised(finished: Path, data_dir: Path) -> None:
    judging, test = judge(finished), grey_images("mnist", "test", data_dir)
    pictures, labels = digit_classifier.to_grey_levels(test.images), torch.from_numpy(test.labels)
    with torch.no_grad():
        judging.head.weight *= 1000  # now it is sure of whatever it thinks
        named = judging(pictures).argmax(1)
    found = diffusion_quality.recognised(judging, pictures, labels)
    assert torch.equal(found, named == labels)
    assert not diffusion_quality.recognised(judging, pictures, (named + 1) % 10).any()


def test_the_figures_are_added_and_measured_once(finished: Path, data_dir: Path, tmp_path: Path) -> None:
    settings = replace(diffusion.Settings(), rounds=1, steps=2, batch_size=4, channels=(16, 16))
    diffusion.train(tmp_path, data_dir, settings=settings, report=lambda line: None)
    lines: list[str] = []
    options = {"samples": 20, "fewer": 11, "curve": (("dpm++", 5),), "report": lines.append}
    metrics = diffusion_quality.measure(tmp_path, finished, data_dir, **options)
    assert [line.split(":")[0] for line in lines] == ["ddim 50 steps", "dpm++ 5 steps"]
    assert metrics["samples"] == 20 and metrics["curve"]["dpm++ 5"]["samples"] == 11
    assert metrics["frechet"] > metrics["frechet_real"] and 0 <= metrics["recognised"] <= 1
    assert diffusion_quality.measure(tmp_path, finished, data_dir, **options) == metrics
    assert len(lines) == 2 and metrics["files"] == diffusion.FILES
