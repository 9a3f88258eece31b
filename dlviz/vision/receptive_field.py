"""Receptive fields: which pixels of the input can change a cell, exactly, at the edges too."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor, nn

from dlviz.vision.layout import Window, bins
from dlviz.vision.results import ReceptiveField
from dlviz.vision.tape import Entry, network_of, tape

Intervals = Int[np.ndarray, "cell 2"]
Theory = tuple[int, int, int]
"""Size, stride and start of the cells of one axis."""


_FIELDS: WeakKeyDictionary[nn.Module, dict[tuple[int, ...], tuple[ReceptiveField, ...]]] = WeakKeyDictionary()


def fields_of(model: nn.Module, pixels: Float[Tensor, "1 3 height width"]) -> tuple[ReceptiveField, ...]:
    """The receptive fields of a network's tape, worked out once per network and input size."""
    known = _FIELDS.setdefault(network_of(model), {})
    size = tuple(pixels.shape)
    if size not in known:
        known[size] = receptive_fields(tape(model, pixels))
    return known[size]


def receptive_fields(entries: Sequence[Entry]) -> tuple[ReceptiveField, ...]:
    r"""The receptive field of every operation on a tape.

    Through a window of $k$ cells, stride $s$, padding $p$ and dilation $d$, with $r$, $j$ and $a$ the size,
    stride and start of the fields before it (Araujo, Norris and Sim, *Computing Receptive Fields of
    Convolutional Neural Networks*, Distill 2019):

    $$ r' = r + (k - 1)\, d\, j, \qquad j' = j\, s, \qquad a' = a - p\, j $$

    Beside these numbers each cell's own first and last pixel are followed, because windows at the edge see
    less. Where two paths meet, the field is the smallest box around both.
    """
    fields: list[ReceptiveField] = []
    for entry in entries:
        fields.append(_photo(entry) if not entry.inputs else _field(entry, entries, fields))
    return tuple(fields)


def _photo(entry: Entry) -> ReceptiveField:
    _, height, width = entry.shape
    return ReceptiveField(_pixels(height), _pixels(width), (1, 1), (1, 1), (0, 0))


def _pixels(count: int) -> Intervals:
    return np.stack([np.arange(count), np.arange(1, count + 1)], axis=1)


def _field(entry: Entry, entries: Sequence[Entry], fields: Sequence[ReceptiveField]) -> ReceptiveField:
    before = [fields[i] for i in entry.inputs]
    grid = entry.shape[1:]
    same = [f for i, f in zip(entry.inputs, before, strict=True) if entries[i].shape[1:] == grid]
    mixes = entry.operation == "attention" or entry.function == "group_norm"
    whole = mixes or any(f.whole for f in before) or len(same) < len(before) > 1
    if entry.window is not None:
        return _through(entry.window, before[0], entries[entry.inputs[0]].shape[1:], grid, whole)
    if same:
        return _union(same, whole)
    return _everything(before[0], grid)


def _through(
    window: Window, field: ReceptiveField, source: tuple[int, int], grid: tuple[int, int], whole: bool
) -> ReceptiveField:
    rows, down = _axis(window, 0, field, source[0], grid[0])
    columns, across = _axis(window, 1, field, source[1], grid[1])
    if down is None or across is None:
        return ReceptiveField(rows, columns, None, None, None, whole)
    size, stride, start = zip(down, across, strict=True)
    return ReceptiveField(rows, columns, size, stride, start, whole)


def _axis(
    window: Window, axis: int, field: ReceptiveField, source: int, cells: int
) -> tuple[Intervals, Theory | None]:
    """The fields along one axis: cell by cell, and in theory where there is one rule for all."""
    before = (field.rows, field.columns)[axis]
    if window.bins:
        return _adaptive(before, field, axis, source, cells)
    kernel, stride = window.kernel[axis], window.stride[axis]
    padding, dilation = window.padding[axis], window.dilation[axis]
    firsts = stride * np.arange(cells)[:, None] - padding
    after = _hulls(before, firsts + dilation * np.arange(kernel))
    if field.size is None or field.stride is None or field.start is None:
        return after, None
    step = field.stride[axis]
    return after, (
        field.size[axis] + (kernel - 1) * dilation * step,
        step * stride,
        field.start[axis] - padding * step,
    )


def _hulls(before: Intervals, taps: Int[np.ndarray, "cell kernel"]) -> Intervals:
    """The boxes around the fields of the cells that each window touches; one in the padding sees nothing."""
    nothing = np.iinfo(np.int64).max
    inside = (taps >= 0) & (taps < len(before))
    touched = before[np.clip(taps, 0, len(before) - 1)]
    inside &= touched[..., 1] > touched[..., 0]
    start = np.where(inside, touched[..., 0], nothing).min(axis=1)
    stop = np.where(inside, touched[..., 1], 0).max(axis=1)
    return np.stack([np.where(start < stop, start, 0), stop], axis=1)


def _adaptive(
    before: Intervals, field: ReceptiveField, axis: int, source: int, cells: int
) -> tuple[Intervals, Theory | None]:
    edges = bins(source, cells)
    after = np.concatenate([_hulls(before, np.arange(start, stop)[None]) for start, stop in edges])
    if source % cells or field.size is None or field.stride is None or field.start is None:
        return after, None
    length, step = source // cells, field.stride[axis]
    return after, (field.size[axis] + (length - 1) * step, step * length, field.start[axis])


def _union(fields: Sequence[ReceptiveField], whole: bool) -> ReceptiveField:
    """The smallest box around several fields of the same grid."""
    rows, columns = (
        np.stack([np.min(edge[..., 0], axis=0), np.max(edge[..., 1], axis=0)], axis=1)
        for edge in (np.stack([f.rows for f in fields]), np.stack([f.columns for f in fields]))
    )
    first = fields[0]
    size, stride, start = first.size, first.stride, first.start
    for other in fields[1:]:
        if size is None or start is None or other.size is None or other.start is None:
            return ReceptiveField(rows, columns, None, None, None, whole)
        if other.stride != stride:
            return ReceptiveField(rows, columns, None, None, None, whole)
        low = [min(a, b) for a, b in zip(start, other.start, strict=True)]
        high = [max(start[i] + size[i], other.start[i] + other.size[i]) for i in (0, 1)]
        start, size = (low[0], low[1]), (high[0] - low[0], high[1] - low[1])
    return ReceptiveField(rows, columns, size, stride, start, whole)


def _everything(field: ReceptiveField, grid: tuple[int, int]) -> ReceptiveField:
    """Flattened maps: every number sees all that the maps saw."""
    rows, columns = (
        np.repeat([[edges[:, 0].min(), edges[:, 1].max()]], count, axis=0)
        for edges, count in ((field.rows, grid[0]), (field.columns, grid[1]))
    )
    return ReceptiveField(rows, columns, None, None, None, True)
