"""What is known about the points of a cloud beside their vectors: the columns of a table of text."""

from __future__ import annotations

import codecs

import numpy as np

from dlviz.errors import Refused
from dlviz.foundations.projection_results import Column
from dlviz.i18n import N_

MOST_CATEGORIES = 200
"""Different words up to which a column says what kind a point is; with more it only names points."""

MOST_COLUMNS = 50
_LONGEST = 60


def columns(data: bytes, *, rows: int) -> tuple[Column, ...]:
    """The columns of ``metadata.tsv`` after the first one, which names the points.

    Parameters
    ----------
    data
        A line a point, its fields parted by tabs, and a first line with the names of the columns (as
        TensorFlow's projector takes it). A table of one column has no such line and holds names only.
    rows
        How many points there are.

    Returns
    -------
    tuple of Column
        Numbers where every field that is filled is a finite number; words where they are few enough to be
        kinds; other columns are left out.

    Raises
    ------
    Refused
        The table has another number of lines than there are points.
    """
    text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace").removesuffix("\n")
    lines = [line.rstrip("\r") for line in text.split("\n")]
    if "\t" not in lines[0]:
        return ()
    names = lines[0].split("\t")[: MOST_COLUMNS + 1]
    if len(lines) - 1 != rows:
        raise Refused(
            N_("The table describes {lines} points, and there are {rows}."), lines=len(lines) - 1, rows=rows
        )
    table = [line.split("\t") for line in lines[1:]]
    found = [
        _column(name.strip()[:_LONGEST], [row[place].strip() if place < len(row) else "" for row in table])
        for place, name in enumerate(names[1:], 1)
    ]
    return tuple(column for column in found if column is not None)


def _column(name: str, fields: list[str]) -> Column | None:
    """A column of numbers, or of few words; None where it is neither."""
    filled = [field for field in fields if field]
    if not filled or not name:
        return None
    try:
        values = np.array([float(field) if field else np.nan for field in fields], np.float64)
        if np.isfinite(values[~np.isnan(values)]).all() and not np.isnan(values).all():
            return Column(name, values)
    except ValueError:
        pass
    kinds = sorted(set(filled))
    if len(kinds) > MOST_CATEGORIES:
        return None
    places = {kind: float(place) for place, kind in enumerate(kinds)}
    codes = np.array([places.get(field, -1.0) for field in fields])
    return Column(name, codes, tuple(kind[:_LONGEST] for kind in kinds))
