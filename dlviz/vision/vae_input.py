"""From a drawing or a photo to what the network receives, prepared as its training pictures were."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageFilter

from dlviz.vision import vae_ink
from dlviz.vision.vae_ink import Grey, Ink
from dlviz.vision.vae_network import SIDE
from dlviz.vision.vae_results import GreySet, Kind, PreparationStep, Prepared, StepName

_DIGIT_SIDE = 20
_THIN, _USUAL = 1.7, 2.4

Box = tuple[int, int, int, int]
Steps = list[PreparationStep]


def prepare(image: UInt8[np.ndarray, "height width *channel"], *, kind: Kind = "mnist") -> Prepared:
    """Bring a picture to the form of the training data, and show every step.

    A network knows only the pictures it was trained on, and those were prepared. As for MNIST (LeCun, Bottou, Bengio,
    Haffner 1998): white ink on black, scaled to fit 20 x 20, and moved so that its centre of mass is the centre of
    28 x 28. A pen line that would come out thinner than 95 % of MNIST's strokes is thickened first. As for Fashion-MNIST
    (Xiao, Rasul, Vollgraf 2017): the even margin trimmed, the longest side scaled to 28, sharpened, centred, and negated if
    the ground was light. `plain` makes the picture grey and square, and no more.

    Args:
        image: RGB bytes, or grey ones. Ink may be dark on light or light on dark: the border shows the ground.
        kind: of the training data.

    Raises:
        Refused: the picture is empty, all white, all black, or nothing stands out from its ground.
    """
    grey, factor = vae_ink.grey_picture(image)
    steps: Steps = [PreparationStep("grey", grey)]
    if kind == "plain":
        return _plain(grey, factor, steps)
    if kind == "fashion-mnist":
        return _as_fashion_mnist(grey, factor, steps)
    return _as_mnist(grey, factor, steps)


def sample_digits() -> GreySet:
    """scikit-learn's 1,797 handwritten digits, enlarged from 8 x 8 and placed as MNIST places its own.

    They come with the library (Alpaydin, Kaynak 1998, test part of the UCI set), so that there is something to try
    and to train on without a download. Enlarging leaves a blur, which a steep curve turns into strokes again, and they
    are made a fifth wider, because MNIST keeps the proportions that this set squeezed. Other people wrote
    them in other ways: a network trained on MNIST knows only about half of them in two dimensions.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.stack([_enlarged_digit(one) for one in digits.images])
    return GreySet(images, digits.target.astype(np.int64), tuple(str(name) for name in digits.target_names))


def thumbnails(pictures: tuple[UInt8[np.ndarray, "height width *channel"], ...]) -> GreySet:
    """Pictures of any size as grey ones of 28 x 28, their middle square, to train on. They carry no labels.

    Args:
        pictures: RGB bytes, or grey ones.
    """
    images = [_square(np.asarray(Image.fromarray(one).convert("L"))) for one in pictures]
    stacked = np.stack(images) if images else np.zeros((0, SIDE, SIDE), np.uint8)
    return GreySet(stacked, np.full(len(images), -1, np.int64), ())


def _as_mnist(grey: Grey, factor: int, steps: Steps) -> Prepared:
    found = vae_ink.find_ink(grey)
    ink = found.ink
    if found.evened is not None:
        steps.append(_step("light", found.evened))
        steps.append(_step("threshold", ink))
    elif found.inverted:
        steps.append(_step("inverted", ink))
    box = vae_ink.ink_box(ink)
    cut = ink[box[0] : box[2], box[1] : box[3]]
    steps.append(_step("box", cut))
    _thicken_thin_stroke(cut, steps)
    scaled = _scaled(steps[-1].picture, _DIGIT_SIDE)
    steps.append(PreparationStep("scaled", scaled))
    pixels = _centred(scaled)
    steps.append(PreparationStep("centred", pixels))
    return Prepared(pixels, "mnist", found.inverted, _on_original(box, factor), tuple(steps))


def _thicken_thin_stroke(ink: Ink, steps: Steps) -> None:
    """One step more for a line that would vanish at 20 pixels; the test is made on what the network would see."""
    scale = _DIGIT_SIDE / max(ink.shape)
    width = vae_ink.stroke_width(ink) * scale
    if 0 < width < _THIN:
        steps.append(_step("stroke", vae_ink.thickened(ink, (_USUAL - width) / 2 / scale)))


def _as_fashion_mnist(grey: Grey, factor: int, steps: Steps) -> Prepared:
    ground = _border_plane(grey)
    contrast = grey.astype(np.float32) - ground
    low, high = float(-contrast.min()), float(contrast.max())
    inverted = low > high
    room = np.maximum(ground if inverted else 255 - ground, 1)
    level = np.clip((-contrast if inverted else contrast) / room, 0, 1)
    if (peak := float(level.max())) < 0.1:
        raise vae_ink.no_ink(peak)
    level = np.where(level < 0.05, 0, level / peak)
    steps.append(_step("inverted" if inverted else "light", level))
    box = vae_ink.ink_box(level * 2.5)  # whatever differs from the ground by a tenth
    cut = _bytes(level[box[0] : box[2], box[1] : box[3]])
    steps.append(PreparationStep("box", cut))
    scaled = _scaled(cut, SIDE)
    steps.append(PreparationStep("scaled", scaled))
    sharp = np.asarray(Image.fromarray(scaled).filter(ImageFilter.UnsharpMask(1, 100, 0)))
    steps.append(PreparationStep("sharpened", sharp))
    pixels = _placed(sharp, (SIDE - sharp.shape[0]) // 2, (SIDE - sharp.shape[1]) // 2)
    steps.append(PreparationStep("centred", pixels))
    return Prepared(pixels, "fashion-mnist", inverted, _on_original(box, factor), tuple(steps))


def _plain(grey: Grey, factor: int, steps: Steps) -> Prepared:
    side = min(grey.shape)
    top, left = (grey.shape[0] - side) // 2, (grey.shape[1] - side) // 2
    pixels = _square(grey)
    steps.append(PreparationStep("scaled", pixels))
    box = _on_original((top, left, top + side, left + side), factor)
    return Prepared(pixels, "plain", False, box, tuple(steps))


def _border_plane(grey: Grey) -> Ink:
    """The ground as the plane that fits the border best: a garment fills too much of its picture for a closing."""
    rows, columns = np.meshgrid(*(np.linspace(-1, 1, side) for side in grey.shape), indexing="ij")
    edge = np.ones(grey.shape, bool)
    edge[2:-2, 2:-2] = False
    terms = np.stack([np.ones(edge.sum()), rows[edge], columns[edge]], axis=1)
    values = grey[edge].astype(np.float64)
    near = np.abs(values - np.median(values)) < 64  # a sleeve that is cut by the border is not ground
    weights = np.linalg.lstsq(terms[near], values[near], rcond=None)[0]
    return np.clip(weights[0] + weights[1] * rows + weights[2] * columns, 0, 255).astype(np.float32)


def _scaled(picture: Grey, side: int) -> Grey:
    """The longest side brought to `side`, edges smoothed, and the brightest pixel to 255 as in both data sets."""
    scale = side / max(picture.shape)
    height, width = (max(1, round(length * scale)) for length in picture.shape)
    how = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    small = np.asarray(Image.fromarray(picture).resize((width, height), how)).astype(np.float32)
    return np.rint(small * (255 / max(float(small.max()), 1))).astype(np.uint8)


def _enlarged_digit(levels: Float[np.ndarray, "8 8"]) -> Grey:
    """One digit with levels 0..16 at MNIST's size."""
    padded = Image.fromarray(np.pad(levels, 1).astype(np.float32) / 16)
    ink = np.asarray(padded.resize((96, 80), Image.Resampling.BICUBIC))
    ink = np.clip((ink - 0.5) * 5 + 0.5, 0, 1)
    top, left, bottom, right = vae_ink.ink_box(ink)
    return _centred(_scaled(_bytes(ink[top:bottom, left:right]), _DIGIT_SIDE))


def _centred(picture: Grey) -> Grey:
    """On 28 x 28, moved by whole pixels so that the centre of mass is the centre, as far as nothing is cut off."""
    corner = []
    for axis, length in enumerate(picture.shape):
        mass = picture.sum(axis=1 - axis, dtype=np.float64)
        centre = float(mass @ np.arange(length)) / float(mass.sum())
        corner.append(min(max(round(SIDE / 2 - centre), 0), SIDE - length))
    return _placed(picture, corner[0], corner[1])


def _placed(picture: Grey, top: int, left: int) -> Grey:
    frame = np.zeros((SIDE, SIDE), np.uint8)
    frame[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return frame


def _square(grey: Grey) -> Grey:
    """The middle square, at 28 x 28."""
    side = min(grey.shape)
    top, left = (grey.shape[0] - side) // 2, (grey.shape[1] - side) // 2
    how = Image.Resampling.BOX if side >= SIDE else Image.Resampling.BICUBIC
    cut = Image.fromarray(np.ascontiguousarray(grey[top : top + side, left : left + side]))
    return np.asarray(cut.resize((SIDE, SIDE), how))


def _on_original(box: Box, factor: int) -> Box:
    top, left, bottom, right = (edge * factor for edge in box)
    return top, left, bottom, right


def _bytes(values: Ink) -> Grey:
    return np.rint(values * 255).astype(np.uint8)


def _step(name: StepName, values: Ink) -> PreparationStep:
    return PreparationStep(name, _bytes(values))
