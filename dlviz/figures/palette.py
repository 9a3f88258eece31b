"""The colours of every figure: one categorical and two continuous palettes, safe for colour-blind readers.

The categorical colours are ordered so that neighbours differ in lightness as
well as in hue; each has a contrast of at least 3:1 with both backgrounds
(``tests/figures/test_palette.py`` measures this). The continuous ones rise
monotonically in lightness: dark blue to yellow for magnitudes, blue through a
neutral grey to orange for signed values.
"""

from __future__ import annotations

CATEGORICAL: tuple[str, ...] = (
    "#39699b",  # blue
    "#e27201",  # orange
    "#429f96",  # sea green
    "#b03ad0",  # purple
    "#796337",  # brown
    "#1593a8",  # cyan
    "#d1495b",  # rose
    "#7a7f8c",  # grey
)
"""Eight colours for classes and series, by index."""

CLASSES: tuple[str, ...] = (*CATEGORICAL, "#a86018", "#9018f0")
"""Ten colours for data sets of ten classes; a map of them also writes the classes' names on it."""

SEQUENTIAL: tuple[str, ...] = (
    "#00204d",
    "#213d6b",
    "#4a546c",
    "#6b6d70",
    "#8c8878",
    "#b0a573",
    "#d7c55f",
    "#ffea46",
)
"""Magnitudes, small to large; lightness rises all the way (the course of cividis)."""

DIVERGING: tuple[str, ...] = (
    "#08306b",
    "#2b6cb0",
    "#74a9d8",
    "#c8dbec",
    "#f2f0ee",
    "#f7d3b4",
    "#ee9b57",
    "#c95f14",
    "#7f3204",
)
"""Signed values, negative to positive, neutral at zero."""


def scale(colours: tuple[str, ...]) -> list[list[float | str]]:
    """A Plotly colour scale from evenly spaced colours."""
    last = len(colours) - 1
    return [[i / last, colour] for i, colour in enumerate(colours)]
