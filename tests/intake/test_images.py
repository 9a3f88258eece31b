"""What the gate makes of good pictures: orientation, colours, depth, transparency, size."""

from __future__ import annotations

import hashlib
import io
import time

import numpy as np
import pytest
from PIL import Image, ImageCms

from dlviz.intake import WORKING_SIDE, photo
from dlviz.intake.colours import ON_WHITE, STRETCHED
from dlviz.intake.images import FIRST_FRAME
from tests.intake.pictures import HEIGHT, SAVED, WIDTH, example, saved, scene


@pytest.mark.parametrize("kind", SAVED)
def test_every_format_gives_the_scene(kind):
    data = example(kind)
    taken = photo(data, "a/b\\holiday\u202e\n.jpg")
    assert taken.pixels.shape == (HEIGHT, WIDTH, 3)
    assert taken.pixels.dtype == np.uint8
    assert not taken.pixels.flags.writeable
    assert taken.original_size == (WIDTH, HEIGHT)
    assert taken.digest == hashlib.sha256(data).hexdigest()
    assert taken.name == "holiday.jpg"
    assert taken.notes == ()
    far = np.abs(taken.pixels.astype(int) - np.asarray(scene()).astype(int))
    assert far.mean() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
def test_exif_orientation_is_undone(format, orientation):
    turned = {
        2: 0,
        3: 3,
        4: 1,
        5: 5,
        6: 2,
        7: 6,
        8: 4,
    }  # the transpose that a camera's orientation stands for
    stored = scene().transpose(turned[orientation]) if orientation in turned else scene()
    exif = Image.Exif()
    exif[0x0112] = orientation
    taken = photo(saved(stored, format, exif=exif.tobytes()))
    assert taken.original_size == (WIDTH, HEIGHT)
    assert np.abs(taken.pixels.astype(int) - np.asarray(scene()).astype(int)).mean() < 12


def test_big_pictures_come_down_to_working_size_and_keep_their_shape():
    taken = photo(saved(scene(4000, 2000), "JPEG"))
    assert taken.pixels.shape == (WORKING_SIDE // 2, WORKING_SIDE, 3)
    assert taken.original_size == (4000, 2000)
    assert tuple(taken.pixels[100, 100]) == pytest.approx((255, 0, 0), abs=4)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP"])
def test_bands_leave_no_seam(format):
    ramp = np.repeat(np.linspace(0, 255, 3001, dtype=np.uint8)[:, None], 2500, axis=1)
    rows = photo(saved(Image.fromarray(ramp), format)).pixels[:, :, 0].astype(int).mean(axis=1)
    assert np.all(np.diff(rows) >= 0)
    assert np.diff(rows).max() < 1.01


def test_a_picture_of_working_size_keeps_every_pixel():
    given = np.random.default_rng(0).integers(0, 256, (300, 1024, 3), dtype=np.uint8)
    assert np.array_equal(photo(saved(Image.fromarray(given), "PNG")).pixels, given)


def test_sixteen_bits_are_scaled_not_clipped():
    deep = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    for format in ("PNG", "TIFF"):
        pixels = photo(saved(Image.fromarray(deep), format)).pixels
        assert np.array_equal(pixels[..., 0], np.round(deep / 65535 * 255).astype(np.uint8))


def test_float_tiffs_between_zero_and_one_are_taken_as_they_are():
    unit = np.linspace(0, 1, 32 * 32, dtype=np.float32).reshape(32, 32)
    taken = photo(saved(Image.fromarray(unit), "TIFF"))
    assert np.array_equal(taken.pixels[..., 1], np.round(unit.astype(np.float64) * 255).astype(np.uint8))
    assert taken.notes == ()


def test_other_floats_are_stretched_and_it_is_said():
    heights = np.linspace(-300, 8848, 32 * 32, dtype=np.float32).reshape(32, 32)
    heights[0, 0] = np.nan
    taken = photo(saved(Image.fromarray(heights), "TIFF"))
    assert taken.pixels.min() == 0
    assert taken.pixels.max() == 255
    assert taken.notes == (STRETCHED,)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "PA", "RGBA", "CMYK", "YCbCr", "LAB", "HSV"])
def test_every_mode_becomes_rgb(mode):
    plain = Image.new("RGB", (40, 40), (200, 200, 200))
    if mode == "LAB":
        image = ImageCms.profileToProfile(
            plain, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    else:
        image = plain.convert("L").convert("LA") if mode in ("LA", "PA") else plain.convert(mode)
    format = "PNG" if mode in ("1", "P", "LA", "PA", "RGBA") else "TIFF"
    if mode == "HSV":
        format, image = "PNG", image.convert("RGB")
    pixels = photo(saved(image, format)).pixels
    assert pixels.shape == (40, 40, 3)
    assert abs(pixels.mean() - 200) < (60 if mode == "1" else 8)


def test_cmyk_jpeg_keeps_its_red():
    red = photo(saved(scene().convert("CMYK"), "JPEG")).pixels[4, 4]
    assert red[0] > 200
    assert max(red[1:]) < 60


def test_transparent_parts_are_white_and_it_is_said():
    clear = scene().convert("RGBA")
    clear.putalpha(Image.fromarray(np.tile(np.array([[0] * 24 + [255] * 24], np.uint8), (HEIGHT, 1))))
    for format in ("PNG", "WEBP", "TIFF", "GIF"):
        taken = photo(saved(clear, format))
        assert tuple(taken.pixels[4, 4]) == (255, 255, 255), format
        assert taken.pixels[20, 40, 2] > 150
        assert ON_WHITE in taken.notes


def test_of_several_frames_the_first_is_used_and_it_is_said():
    frames = [scene(), Image.new("RGB", (WIDTH, HEIGHT), "green")]
    for format in ("GIF", "WEBP", "TIFF", "PNG"):
        data = saved(frames[0], format, save_all=True, append_images=frames[1:])
        taken = photo(data)
        assert taken.pixels[4, 4, 0] > 200, format
        assert taken.notes == (FIRST_FRAME,)


def test_a_phone_jpeg_with_a_second_picture_in_it_is_read_without_a_note():
    taken = photo(saved(scene(), "MPO", save_all=True, append_images=[scene()]))
    assert taken.pixels.shape == (HEIGHT, WIDTH, 3)
    assert taken.notes == ()


def test_an_embedded_profile_is_applied_and_a_broken_one_ignored():
    grey = Image.new("RGB", (32, 32), (120, 60, 200))
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    assert np.array_equal(photo(saved(grey, "PNG", icc_profile=b"\0" * 300)).pixels[0, 0], (120, 60, 200))
    assert photo(saved(grey, "PNG", icc_profile=lab)).pixels.shape == (32, 32, 3)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.allclose(photo(saved(grey, "PNG", icc_profile=srgb)).pixels[0, 0], (120, 60, 200), atol=1)


def test_a_phone_photo_is_ready_in_well_under_half_a_second():
    noise = np.random.default_rng(0).normal(0, 6, (3000, 4000, 3))
    shot = Image.fromarray(np.clip(np.asarray(scene(4000, 3000)) + noise, 0, 255).astype(np.uint8))
    data = saved(shot, "JPEG", quality=90)
    assert len(data) > 1_000_000
    spent = []
    for _ in range(3):
        begun = time.perf_counter()
        photo(data)
        spent.append(time.perf_counter() - begun)
    assert min(spent) < 0.5


def test_reading_leaves_the_callers_bytes_alone():
    data = example("PNG")
    before = io.BytesIO(data).getvalue()
    photo(data)
    assert data == before
