"""The autoencoders' recipe on a few made-up pictures: it runs, stops, goes on to the same end, writes its files."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.distributions import Bernoulli, Normal, kl_divergence

from dlviz.errors import NotAvailable
from dlviz.recipes import vae
from dlviz.recipes.vae import Settings
from dlviz.vision.vae_network import ConvVAE
from dlviz.zoo.datasets import GreyImages, grey_images

TINY = Settings(
    epochs=2,
    batch_size=8,
    warmup_epochs=0.5,
    kl_warmup_epochs=0.5,
    encoder_channels=(2, 3),
    encoder_hidden=8,
    decoder_channels=(3, 2),
    decoder_hidden=(6, 8),
)


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
    vae.train(run_dir, data_dir, settings=TINY, report=lambda line: None)
    return run_dir


def test_pictures_come_in_the_order_of_the_file(data_dir: Path) -> None:
    test = grey_images("mnist", "test", data_dir)
    assert test.images.shape == (20, 28, 28) and test.classes == tuple("0123456789")
    np.testing.assert_array_equal(test.labels, np.arange(20) % 2)
    upright = test.images[1]
    assert (upright.max(1) > 0).sum() == 3 and (upright.max(0) > 0).sum() == 20


def test_a_missing_data_set_is_a_clear_message(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable, match="FashionMNIST"):
        grey_images("fashion-mnist", "train", tmp_path)


def test_the_metrics_are_those_of_the_written_weights(finished: Path, data_dir: Path) -> None:
    """The KL by torch's own distributions, on the file read back."""
    metrics = json.loads((finished / "metrics.json").read_text())
    model = ConvVAE(**metrics["model_arguments"])
    model.load_state_dict(load_file(finished / "weights.safetensors"))
    test = grey_images("mnist", "test", data_dir)
    x = torch.from_numpy(test.images.copy()).unsqueeze(1) / 255
    with torch.no_grad():
        mean, log_variance = model.encode(x)
        q = Normal(mean, (0.5 * log_variance).exp())
        kl = kl_divergence(q, Normal(0.0, 1.0)).sum(1).mean()
        z = q.sample((64,))
        logits = model.decode(z.flatten(0, 1)).view(64, *x.shape)
        nats = -Bernoulli(logits=logits, validate_args=False).log_prob(x.expand_as(logits)).flatten(2).sum(2)
    assert metrics["kl"] == pytest.approx(float(kl), abs=1e-3)
    assert metrics["reconstruction"] == pytest.approx(float(nats.mean()), rel=2e-3)
    assert metrics["negative_elbo"] == pytest.approx(metrics["kl"] + metrics["reconstruction"], abs=2e-3)
    assert metrics["parameters"] == sum(p.numel() for p in model.parameters())


def test_training_lowers_the_loss(finished: Path) -> None:
    history = json.loads((finished / "metrics.json").read_text())["history"]
    assert history[-1]["train_loss"] < history[0]["train_loss"]


def test_the_stored_codes_are_the_networks_own(finished: Path, data_dir: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    codes = load_file(finished / "codes.safetensors")
    assert set(metrics["files"]) == {"weights.safetensors", "classes.json", "codes.safetensors"}
    assert codes["mean"].shape == codes["log_variance"].shape == (20, 2)
    assert codes["label"].tolist() == grey_images("mnist", "test", data_dir).labels.tolist()


def test_a_plain_autoencoder_has_no_kl(data_dir: Path, tmp_path: Path) -> None:
    settings = replace(TINY, variational=False, epochs=1)
    metrics = vae.train(tmp_path, data_dir, settings=settings, report=lambda line: None)
    assert "kl" not in metrics and "negative_elbo" not in metrics and metrics["reconstruction"] > 0
    assert "log_variance" not in load_file(tmp_path / "codes.safetensors")


def test_a_run_that_was_cut_ends_like_one_that_was_not(
    finished: Path, data_dir: Path, tmp_path: Path
) -> None:
    def cut(line: str) -> None:
        raise PowerCutError

    with pytest.raises(PowerCutError):
        vae.train(tmp_path, data_dir, settings=TINY, report=cut)
    lines: list[str] = []
    vae.train(tmp_path, data_dir, settings=TINY, report=lines.append)
    assert lines[0] == "resumed after epoch 1"
    whole, resumed = (load_file(run / "weights.safetensors") for run in (finished, tmp_path))
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


def test_neighbours_are_counted_on_the_codes(data_dir: Path) -> None:
    """A network whose code is the label itself would be right every time; one that is blind, half the time."""
    pictures, test = (grey_images("mnist", split, data_dir) for split in ("train", "test"))

    class Knowing(ConvVAE):
        def encode(self, x):  # type: ignore[no-untyped-def]
            upright = ((x.amax(3) > 0).sum(2) < 10).float()
            return upright.repeat(1, 2), None

    assert vae.knn_accuracy(Knowing(variational=False), pictures, test) == 1.0
    assert vae.knn_accuracy(Knowing(variational=False), pictures, _mislabelled(test)) == 0.0


def _mislabelled(test: GreyImages) -> GreyImages:
    return replace(test, labels=1 - test.labels)
