"""What the network receives: MNIST's own form, from a canvas, from paper in bad light, and what is refused."""

import numpy as np
import pytest
from PIL import Image
from skimage.filters import threshold_otsu

from dlviz.errors import Refused
from dlviz.vision import vae_ink, vae_input

DIGITS = vae_input.sample_digits()


def canvas(digit: np.ndarray, side: int = 280) -> np.ndarray:
    grown = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(grown.convert("RGB"))


def paper(digit: np.ndarray, seed: int = 0, *, ink: float = 0.3, fall: float = 0.55) -> np.ndarray:
    """A photo of a page: ink takes a share of the light, which falls off to the right and below, and noise."""
    random = np.random.default_rng(seed)
    page = np.zeros((480, 400))
    top, left = random.integers(20, 150), random.integers(10, 90)
    page[top : top + 300, left : left + 300] = canvas(digit, 300)[..., 0] / 255
    down, across = np.mgrid[0:480, 0:400] / 480
    light = 235 * (1 - fall * across - 0.15 * down)
    grey = light * (1 - (1 - ink) * page) + random.normal(0, 6, page.shape)
    tinted = grey[..., None] * [1, 0.95, 0.85]
    return np.clip(tinted, 0, 255).astype(np.uint8)


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_the_samples_have_mnists_form():
    assert DIGITS.images.shape == (1797, 28, 28) and DIGITS.images.dtype == np.uint8
    assert DIGITS.classes == tuple("0123456789")
    rows = (DIGITS.images > 0).any(axis=2).sum(axis=1)
    columns = (DIGITS.images > 0).any(axis=1).sum(axis=1)
    assert (np.maximum(rows, columns) <= 20).all() and np.median(np.maximum(rows, columns)) == 20
    assert (DIGITS.images.max(axis=(1, 2)) == 255).all()


@pytest.mark.parametrize("digit", range(10))
def test_a_canvas_in_either_polarity_gives_the_digit_back(digit):
    drawn = canvas(DIGITS.images[digit])
    light = vae_input.prepare(drawn)
    dark = vae_input.prepare(255 - drawn)
    assert not light.inverted and dark.inverted
    np.testing.assert_allclose(light.pixels.astype(int), dark.pixels, atol=2)  # greys are rounded twice
    assert likeness(light.pixels, DIGITS.images[digit]) > 0.9


@pytest.mark.parametrize("digit", range(20))
def test_a_photo_of_paper_in_uneven_light_is_the_same_digit_to_the_nearest_neighbours(digit):
    from sklearn.neighbors import KNeighborsClassifier

    others = np.arange(len(DIGITS)) >= 100
    near = KNeighborsClassifier(5).fit(DIGITS.images[others].reshape(-1, 784), DIGITS.labels[others])
    found = vae_input.prepare(paper(DIGITS.images[digit], seed=digit))
    assert found.inverted
    assert likeness(found.pixels, DIGITS.images[digit]) > 0.8
    assert near.predict(found.pixels.reshape(1, -1)) == near.predict(DIGITS.images[digit].reshape(1, -1))


def test_chalk_on_a_board_in_uneven_light_works_too():
    found = vae_input.prepare(255 - paper(DIGITS.images[3]))
    assert not found.inverted and likeness(found.pixels, DIGITS.images[3]) > 0.8


def test_the_result_fits_twenty_pixels_and_its_mass_is_in_the_centre():
    drawn = np.zeros((300, 500, 3), np.uint8)
    drawn[20:220, 30:60] = 255
    drawn[190:220, 30:130] = 255  # an L in a corner
    found = vae_input.prepare(drawn)
    rows, columns = np.nonzero(found.pixels)
    assert rows.max() - rows.min() + 1 == 20 and columns.max() - columns.min() + 1 == 10
    mass = found.pixels / found.pixels.sum()
    assert abs((mass.sum(axis=1) * np.arange(28)).sum() - 14) <= 0.5
    assert abs((mass.sum(axis=0) * np.arange(28)).sum() - 14) <= 0.5
    assert found.pixels.max() == 255
    top, left, bottom, right = found.box
    assert abs(top - 20) <= 3 and abs(left - 30) <= 3 and abs(bottom - 220) <= 3 and abs(right - 130) <= 3
    assert [step.name for step in found.steps] == ["grey", "box", "scaled", "centred"]


def test_a_thin_line_is_thickened_to_a_usual_stroke():
    drawn = np.zeros((280, 280, 3), np.uint8)
    drawn[40:240, 139:142] = 255
    found = vae_input.prepare(drawn)
    assert "stroke" in [step.name for step in found.steps]
    assert 1.7 <= vae_ink.stroke_width(found.pixels / 255) <= 3.5


def test_ink_at_the_border_is_kept_when_there_is_no_other():
    drawn = np.full((200, 200, 3), 230, np.uint8)
    drawn += np.random.default_rng(0).integers(0, 12, drawn.shape, dtype=np.uint8)
    drawn[:, 90:110] //= 4
    assert vae_input.prepare(drawn).pixels.any()


def test_a_photo_of_anything_is_prepared():
    random = np.random.default_rng(0)
    small = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    photo = np.asarray(small.resize((640, 480), Image.Resampling.BICUBIC))
    for kind in ("mnist", "fashion-mnist", "plain"):
        found = vae_input.prepare(photo, kind=kind)
        assert found.pixels.shape == (28, 28) and found.pixels.dtype == np.uint8 and found.pixels.any()


def test_a_garment_on_a_light_ground_is_negated_trimmed_and_fills_the_picture():
    photo = np.full((400, 300, 3), 245, np.uint8)
    photo[50:350, 100:200] = (40, 60, 90)
    found = vae_input.prepare(photo, kind="fashion-mnist")
    assert found.inverted
    rows, columns = np.nonzero(found.pixels > 128)
    assert rows.max() - rows.min() + 1 == 28 and 8 <= columns.max() - columns.min() + 1 <= 11
    assert found.pixels[0, 0] == 0
    kept = vae_input.prepare(255 - photo, kind="fashion-mnist")
    assert not kept.inverted and likeness(kept.pixels, found.pixels) > 0.95


@pytest.mark.parametrize(
    ("level", "word"), [(0, "black"), (4, "black"), (255, "white"), (251, "white"), (128, "even grey")]
)
@pytest.mark.parametrize("kind", ["mnist", "fashion-mnist", "plain"])
def test_an_empty_picture_is_refused_by_its_name(level, word, kind):
    with pytest.raises(Refused, match=word):
        vae_input.prepare(np.full((280, 280, 3), level, np.uint8), kind=kind)


@pytest.mark.parametrize("fall", [0.0, 0.5])
def test_empty_paper_is_refused(fall):
    with pytest.raises(Refused, match="stands out"):
        vae_input.prepare(paper(np.zeros((28, 28), np.uint8), fall=fall))


@pytest.mark.parametrize(
    "wrong", [np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9), float), np.zeros((0, 9), np.uint8)]
)
def test_what_is_no_picture_is_refused(wrong):
    with pytest.raises(Refused):
        vae_input.prepare(wrong)


def test_otsu_equals_scikit_image():
    values = np.concatenate([np.random.default_rng(0).normal(m, 0.05, 500) for m in (0.2, 0.7)]).clip(0, 1)
    levels = (values * 255).astype(np.uint8)
    assert round(vae_ink.otsu(levels / 255 + 1e-6) * 255) == threshold_otsu(levels)


def test_the_width_of_a_bar_is_its_width():
    ink = np.zeros((60, 60), np.float32)
    ink[5:55, 20:24] = 1
    # An upright bar has no slanted edge: the correction for those makes it a quarter wider.
    assert vae_ink.stroke_width(ink) == pytest.approx(4 * 50 / 54 * 4 / np.pi, rel=1e-6)


def test_thumbnails_are_the_middle_square_of_any_picture():
    wide = np.zeros((50, 200, 3), np.uint8)
    wide[:, 75:125] = 200
    found = vae_input.thumbnails((wide, np.full((10, 10), 7, np.uint8)))
    assert (found.images[0] == 200).all() and (found.images[1] == 7).all()
    assert (found.labels == -1).all() and len(vae_input.thumbnails(())) == 0
