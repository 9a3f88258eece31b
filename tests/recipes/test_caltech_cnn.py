"""The recipe on a few made-up photos: it runs, stops, goes on to the same end, and writes its files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from dlviz.errors import NotAvailable
from dlviz.recipes import caltech_cnn
from dlviz.recipes.caltech_cnn import Settings
from dlviz.vision.residual_cnn import ResidualCNN
from dlviz.zoo.datasets import caltech101, split_by_thirds

TINY = Settings(
    epochs=2,
    batch_size=4,
    input_size=32,
    train_sizes=((0.0, 32),),
    warmup_epochs=1,
    history_moments=3,
    stem_channels=4,
    stage_channels=(4, 6),
    stage_blocks=(1, 1),
    stage_strides=(1, 2),
)
CLASSES = ["Faces", "ant"]


class PowerCutError(Exception):
    """Stands for a closed lid or a power cut."""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve photos of noise in the archive's form; the lists also name a class that it does not hold."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    names = [f"{name}/image_{i:04d}.jpg" for name in CLASSES for i in range(1, 7)]
    photos = [_jpeg(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)) for _ in names]
    (folder / "caltech101").mkdir()
    np.savez(
        folder / "caltech101" / "caltech101_128_jpeg.npz",
        data=np.frombuffer(b"".join(photos), dtype=np.uint8),
        offsets=np.cumsum([0, *map(len, photos)]).astype(np.uint32),
        labels=np.array([CLASSES.index(name.split("/")[0]) for name in names], dtype=np.uint8),
        names=np.array([name.encode() for name in names]),
        classes=np.array(CLASSES),
    )
    for split in ("train", "test"):
        listed = [*split_by_thirds(names, split), "BACKGROUND_Google/image_0001.jpg"]
        (folder / "caltech101" / f"{split}.txt").write_text("\n".join(listed) + "\n")
    return folder


def _jpeg(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def finished(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("run")
    caltech_cnn.train(run_dir, data_dir, settings=TINY, report=lambda _line: None)
    return run_dir


def test_it_writes_what_the_page_needs(finished: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    assert json.loads((finished / "classes.json").read_text()) == CLASSES
    assert metrics["test_photos"] == 4
    assert set(metrics["per_class"]) == set(CLASSES)
    assert 0 <= metrics["top1"] <= 1
    assert metrics["epochs"] == 2

    weights = load_file(finished / "weights.safetensors")
    assert weights["stem.conv.weight"].dtype == torch.float16
    assert "stem.norm.running_mean" in weights
    model = ResidualCNN(**metrics["model_arguments"])
    model.load_state_dict(weights)
    assert metrics["parameters"] == sum(p.numel() for p in model.parameters())


def test_the_history_starts_at_the_random_kernels_and_ends_at_the_kept_ones(finished: Path) -> None:
    history = load_file(finished / "history.safetensors")
    assert history["epoch"].tolist() == [0, 1, 2]
    assert history["stem.conv.weight"].shape == (3, 4, 3, 7, 7)
    assert history["train_loss"][0] == pytest.approx(np.log(2))
    start = caltech_cnn.Training(TINY, 2).model.stem.conv.weight
    torch.testing.assert_close(history["stem.conv.weight"][0], start.detach().half())
    end = load_file(finished / "weights.safetensors")["stem.conv.weight"]
    torch.testing.assert_close(history["stem.conv.weight"][-1], end)


def test_a_stopped_run_goes_on_to_the_same_weights(data_dir: Path, finished: Path, tmp_path: Path) -> None:
    def stop_after_first_epoch(line: str) -> None:
        if line.startswith("epoch 1/"):
            raise PowerCutError

    with pytest.raises(PowerCutError):
        caltech_cnn.train(tmp_path, data_dir, settings=TINY, report=stop_after_first_epoch)
    assert not (tmp_path / "weights.safetensors").exists()
    said: list[str] = []
    caltech_cnn.train(tmp_path, data_dir, settings=TINY, report=said.append)
    assert said[0] == "resumed after epoch 1"
    straight = load_file(finished / "weights.safetensors")
    resumed = load_file(tmp_path / "weights.safetensors")
    for name, value in straight.items():
        torch.testing.assert_close(resumed[name], value, msg=name)


def test_mixing_keeps_the_share_of_each_picture() -> None:
    x = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 8, 8)
    for settings in (
        Settings(mixup_probability=1.0, cutmix_probability=0.0),
        Settings(mixup_probability=0.0, cutmix_probability=1.0),
        Settings(mixup_probability=0.0, cutmix_probability=0.0),
    ):
        mixed, partner, share = caltech_cnn.mix(x, settings, np.random.default_rng(3))
        expected = share * torch.arange(4.0) + (1 - share) * partner
        torch.testing.assert_close(mixed.mean((1, 2, 3)), expected)


def test_a_view_without_chance_is_the_photo_or_its_mirror() -> None:
    still = Settings(crop_area=(1.0, 1.0), turn_degrees=0.0, colour_strength=0.0, grey_probability=0.0)
    photo = torch.randint(0, 256, (1, 3, 16, 16), dtype=torch.uint8)

    class Middle:
        """Draws the middle of each range and mirrors nothing."""

        def uniform(self, low: float, high: float, size: object) -> np.ndarray:
            return np.full(size, (low + high) / 2)

        def choice(self, _options: list[float], size: int) -> np.ndarray:
            return np.ones(size)

        def random(self, size: object) -> np.ndarray:
            return np.full(size, 0.5)

    x = caltech_cnn.augment(photo, still, 16, Middle())
    mean, std = (
        torch.tensor(v).view(1, 3, 1, 1) for v in (caltech_cnn.IMAGENET_MEAN, caltech_cnn.IMAGENET_STD)
    )
    torch.testing.assert_close(x * std + mean, photo / 255, atol=1e-4, rtol=0)


def test_the_moments_are_dense_at_the_start_and_hold_both_ends() -> None:
    moments = sorted(Settings().moments())
    assert moments[0] == 0 and moments[-1] == Settings().epochs
    assert 15 <= len(moments) <= 20
    gaps = np.diff(moments)
    assert gaps[0] == 1 and (np.diff(gaps) >= -1).all()


def test_missing_photos_are_one_clear_message(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable, match="DLVIZ_DATA_DIR"):
        caltech101("train", tmp_path)
