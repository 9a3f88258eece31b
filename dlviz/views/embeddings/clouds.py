"""Words, nodes and pictures as clouds of points for the projector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlviz.foundations import metadata as tables
from dlviz.foundations.projection_results import Cloud, Column
from dlviz.language.word_vectors import WordVectors
from dlviz.ui import compute
from dlviz.ui.language import _
from dlviz.vision import vae_input


def of_words(vectors: WordVectors, *, title: str, metadata: bytes | None = None) -> Cloud:
    """Words or nodes with their vectors; the columns of ``metadata`` (a TSV with a first line) become colours.

    Raises
    ------
    Refused
        The table has another number of lines than there are vectors.
    """
    known = () if metadata is None else compute.run(tables.columns, data=metadata, rows=len(vectors))
    ranked = not len(vectors.counts) or bool((np.diff(vectors.counts) <= 0).all())
    return Cloud(title, vectors.words, vectors.matrix, vectors.counts, ranked, known)


def of_pictures(
    names: Sequence[str],
    matrix: np.ndarray,
    thumbnails: np.ndarray,
    *,
    title: str,
    columns: Sequence[Column] = (),
) -> Cloud:
    """Pictures with their vectors: the points of the projector are the pictures themselves."""
    nobody = np.zeros(0, np.int64)
    return Cloud(
        title, tuple(names), np.asarray(matrix, np.float32), nobody, False, tuple(columns), thumbnails
    )


def digits() -> Cloud:
    """scikit-learn's 1,797 handwritten digits, each the vector of its 784 grey levels, from 0 to 1."""
    found = compute.run(vae_input.sample_digits)
    names = [f"{label} · {number}" for number, label in enumerate(found.labels.tolist(), 1)]
    kinds = Column(_("digit"), found.labels.astype(float), tuple(str(kind) for kind in range(10)))
    matrix = found.images.reshape(len(found), -1) / np.float32(255)
    shown = np.repeat(255 - found.images[..., None], 3, axis=3)
    return of_pictures(names, matrix, shown, title=_("Handwritten digits"), columns=[kinds])
