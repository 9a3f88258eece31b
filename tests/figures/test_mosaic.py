"""Small pictures keep their pixels and their zero."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from dlviz.figures import mosaic, palette


def test_tiles_stand_in_reading_order() -> None:
    tiles = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((3, 2, 2, 3), np.uint8)
    sheet = mosaic.mosaic(tiles, columns=2, gap=1, ground=(9, 9, 9))
    assert sheet.shape == (5, 5, 3)
    assert sheet[0, 0, 0] == 0 and sheet[0, 3, 0] == 1 and sheet[3, 0, 0] == 2
    assert (sheet[2] == 9).all() and (sheet[3:, 3:] == 9).all()


def test_enlarging_repeats_pixels() -> None:
    tile = np.array([[[[1] * 3, [2] * 3]]], np.uint8)
    assert mosaic.mosaic(tile, columns=1, enlarge=2)[:, :, 0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]


def test_a_zero_weight_is_grey_and_signs_part() -> None:
    weights = np.zeros((1, 3, 1, 3), np.float32)
    weights[0, 0] = [-2.0, 0.0, 2.0]
    (kernel,) = mosaic.colour_kernels(weights)
    assert kernel[0, :, 0].tolist() == [0, 128, 255]
    assert kernel[0, :, 1].tolist() == [128, 128, 128]


def test_a_shared_scale_lets_weak_kernels_look_weak() -> None:
    weights = np.ones((2, 3, 1, 1), np.float32) * np.array([1.0, 0.1], np.float32)[:, None, None, None]
    own = mosaic.colour_kernels(weights)[:, 0, 0, 0]
    shared = mosaic.colour_kernels(weights, shared=True)[:, 0, 0, 0]
    assert own.tolist() == [255, 255]
    assert shared[0] == 255 and 128 < shared[1] < 150


def test_palettes_begin_and_end_at_their_colours() -> None:
    def colour(text: str) -> list[int]:
        return [int(text[i : i + 2], 16) for i in (1, 3, 5)]

    low, high = mosaic.magnitude(np.array([[[0.0, 5.0]]]))[0, 0]
    assert low.tolist() == colour(palette.SEQUENTIAL[0])
    assert high.tolist() == colour(palette.SEQUENTIAL[-1])
    minus, zero, plus = mosaic.signed(np.array([[[-1.0, 0.0, 1.0]]]))[0, 0]
    assert minus.tolist() == colour(palette.DIVERGING[0])
    assert plus.tolist() == colour(palette.DIVERGING[-1])
    assert np.abs(zero.astype(int) - colour(palette.DIVERGING[4])).max() <= 2


def test_png_is_exact() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    read = np.asarray(Image.open(io.BytesIO(mosaic.png(picture))))
    np.testing.assert_array_equal(read, picture)
