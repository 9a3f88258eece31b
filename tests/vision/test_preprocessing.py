"""From photo to input and back: numbers worked by hand."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from dlviz.errors import Refused
from dlviz.intake import images
from dlviz.vision import preprocessing
from dlviz.vision.preprocessing import IMAGENET_MEAN, IMAGENET_STD, to_input


def test_stretch_shows_the_whole_photo() -> None:
    photo = np.zeros((60, 100, 3), dtype=np.uint8)
    photo[:, 50:] = 255
    x, geometry = to_input(photo, 32, mean=(0, 0, 0), std=(1, 1, 1))
    assert x.shape == (1, 3, 32, 32)
    assert x[0, :, :, :15].max() < 1e-5 and x[0, :, :, 17:].min() > 1 - 1e-5
    assert geometry.to_photo(0, 0) == (0, 0)
    assert geometry.to_photo(32, 32) == (100, 60)
    assert geometry.to_photo(16, 8) == (50, 15)


def test_crop_takes_the_centred_square() -> None:
    photo = np.zeros((60, 100, 3), dtype=np.uint8)
    photo[:, 16:84] = 255
    x, geometry = to_input(photo, 30, mean=(0, 0, 0), std=(1, 1, 1), mode="crop", resize=30)
    assert x.min() > 1 - 1e-5
    assert (geometry.left, geometry.top, geometry.width, geometry.height) == (20, 0, 60, 60)
    assert geometry.to_photo(15, 15) == (50, 30)
    _, inner = to_input(photo, 30, mode="crop", resize=60)
    assert (inner.left, inner.top, inner.width, inner.height) == (35, 15, 30, 30)


def test_colours_are_normalised_by_channel() -> None:
    photo = np.full((4, 4, 3), (255, 0, 51), dtype=np.uint8)
    x, _ = to_input(photo, 4)
    expected = [(v - m) / s for v, m, s in zip((1, 0, 0.2), IMAGENET_MEAN, IMAGENET_STD, strict=True)]
    torch.testing.assert_close(x[0, :, 0, 0], torch.tensor(expected))


def test_fine_texture_is_averaged_and_not_sampled() -> None:
    checks = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)
    x, _ = to_input(np.repeat(checks[..., None], 3, 2), 32, mean=(0, 0, 0), std=(1, 1, 1))
    assert (x - 0.5).abs().max() < 0.02


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (333, 2, 3)])
def test_any_shape_of_photo_goes_in(shape: tuple[int, int, int]) -> None:
    for mode in ("stretch", "crop"):
        x, _ = to_input(np.full(shape, 128, dtype=np.uint8), 16, mode=mode, resize=18)
        assert x.shape == (1, 3, 16, 16) and x.isfinite().all()


@pytest.mark.parametrize("size", [(320, 16), (16, 320), (20_000, 1000)])
def test_the_narrowest_photo_that_the_gate_lets_in_stays_small(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longer side is resized whole before the cut: only the gate's limit of 20 to 1 bounds it."""
    packed, made = io.BytesIO(), []
    Image.new("RGB", size, "teal").save(packed, "PNG")
    photo = images.photo(packed.getvalue()).pixels
    resize = preprocessing.F.interpolate

    def watched(*arguments: object, **named: object) -> torch.Tensor:
        made.append(resize(*arguments, **named))
        return made[-1]

    monkeypatch.setattr(preprocessing.F, "interpolate", watched)
    x, _geometry = to_input(photo, 224, mode="crop", resize=256)
    assert x.shape == (1, 3, 224, 224)
    assert made[0].nbytes <= 17 * 10**6
    with pytest.raises(Refused):
        longer = io.BytesIO()
        Image.new("RGB", (size[0] + (size[0] > size[1]), size[1] + (size[1] > size[0]))).save(longer, "PNG")
        images.photo(longer.getvalue())


def test_what_is_no_photo_is_refused() -> None:
    with pytest.raises(ValueError, match="uint8 RGB"):
        to_input(np.zeros((4, 4), dtype=np.uint8), 8)
    with pytest.raises(ValueError, match="mode"):
        to_input(np.zeros((4, 4, 3), dtype=np.uint8), 8, mode="squeeze")
