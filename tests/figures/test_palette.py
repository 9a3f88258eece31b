"""The palettes keep what they promise: contrast, order in lightness, distance for colour-blind readers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dlviz.figures import palette, style

# Simulation of the two common colour blindnesses in linear RGB (Viénot, Brettel and Mollon 1999).
BLINDNESS = {
    "protan": np.array([[0.1124, 0.8876, 0.0], [0.1124, 0.8876, 0.0], [0.0040, -0.0040, 1.0]]),
    "deutan": np.array([[0.2927, 0.7073, 0.0], [0.2927, 0.7073, 0.0], [-0.0223, 0.0223, 1.0]]),
}


def linear(colour: str) -> np.ndarray:
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    f = np.cbrt(np.maximum(xyz / [0.9505, 1.0, 1.089], 1e-6))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_categorical_colours_stand_out_from_the_ground(theme: str) -> None:
    for colour in palette.CLASSES:
        assert contrast(colour, style.GROUND[theme]) >= 3.0, colour


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_the_first_five_colours_differ_for_colour_blind_readers(blindness: str) -> None:
    for one, other in itertools.combinations(palette.CATEGORICAL[:5], 2):
        seen = [lab(np.clip(BLINDNESS[blindness] @ linear(colour), 0, 1)) for colour in (one, other)]
        assert np.linalg.norm(seen[0] - seen[1]) > 15, (one, other)


def test_the_sequential_palette_rises_in_lightness() -> None:
    lightness = [lab(linear(colour))[0] for colour in palette.SEQUENTIAL]
    assert all(a < b for a, b in itertools.pairwise(lightness))


def test_the_diverging_palette_is_lightest_at_zero_and_even_at_its_ends() -> None:
    lightness = [lab(linear(colour))[0] for colour in palette.DIVERGING]
    middle = len(lightness) // 2
    assert max(lightness) == lightness[middle]
    assert all(a < b for a, b in itertools.pairwise(lightness[: middle + 1]))
    assert all(a > b for a, b in itertools.pairwise(lightness[middle:]))
    assert abs(lightness[0] - lightness[-1]) < 15


def test_text_is_readable_in_both_themes() -> None:
    for theme in ("light", "dark"):
        assert contrast(style.INK[theme], style.GROUND[theme]) >= 7
