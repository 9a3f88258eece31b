"""What the colours of the projector say: frequency, a cluster, a column of one's own, how well a point is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dlviz.figures import projection as figures
from dlviz.figures.palette import SEQUENTIAL
from dlviz.foundations import projection
from dlviz.foundations.projection_results import Column
from dlviz.ui import charts, compute, controls
from dlviz.ui.components.projector import Atlas, Categories, Values
from dlviz.ui.language import _, number, percent
from dlviz.views.embeddings import projector_faithful

if TYPE_CHECKING:
    from dlviz.views.embeddings.projector import Scene

MOST = 9
"""Categories with a colour of their own; the rest share the tenth."""

_STEPS = 255
Paint = Categories | Values | None


def choose(scene: Scene) -> Paint:
    """The widget, and what it means for the points that are drawn."""
    cloud = scene.cloud
    offered = {"cluster": _("cluster"), "none": _("nothing")}
    if len(cloud.counts) and cloud.counts.max() > cloud.counts.min():
        offered["frequency"] = _("frequency")
    held = projector_faithful.held(scene.digest)
    if held is not None:
        offered["kept"] = _("neighbours kept")
    offered |= {f"column{i}": column.name for i, column in enumerate(cloud.columns)}
    left, right = st.columns([5, 2], gap="medium", vertical_alignment="bottom")
    with left:
        first = "column0" if "column0" in offered else "cluster"
        style = "segmented" if len(offered) < 7 else "select"
        code = controls.choice(
            _("Colours say"), offered, key="emb_proj_colour", default=first, style=style,  # type: ignore[arg-type]
            **({"wrap": True} if style == "segmented" else {}),
        )  # fmt: skip
    if code == "frequency":
        return _logarithmic(_("frequency"), cloud.counts[scene.rows])
    if code == "cluster":
        with right:
            groups = st.slider(_("Number of clusters"), 2, 10, 8, key="emb_proj_groups", bind="query-params")
        return _clusters(scene, int(groups))
    if code == "kept" and held is not None:
        shares = np.full(len(scene.rows), np.nan)
        shares[held.rows] = held.kept_each[:, projector_faithful.usual(held)]
        return Values(
            _("neighbours kept"),
            shares,
            [percent(step / (_STEPS - 1), 0) for step in range(_STEPS)],
            _palette(),
        )
    if code.startswith("column"):
        return _column(cloud.columns[int(code.removeprefix("column"))], scene.rows)
    return None


def _palette() -> tuple[str, ...]:
    """Of the palette what stands out against the theme's ground: small points need more contrast than a surface."""
    return SEQUENTIAL[2:] if charts.theme() == "dark" else SEQUENTIAL[:6]


def _clusters(scene: Scene, groups: int) -> Categories:
    """Groups by direction; each is named by its most central point."""
    found = compute.run(projection.clusters, matrix=scene.matrix, groups=groups, seed=0)
    return Categories(_("Cluster around"), found.labels, [scene.names[row][:40] for row in found.central])


def _logarithmic(title: str, counts: np.ndarray) -> Values:
    logs = np.log10(np.maximum(counts, 0.5))
    low, high = float(logs.min()), float(logs.max())
    steps = [number(round(10 ** (low + (high - low) * i / (_STEPS - 1))), 0) for i in range(_STEPS)]
    return Values(title, (logs - low) / max(high - low, 1e-9), steps, _palette())


def _column(column: Column, rows: np.ndarray) -> Paint:
    values = column.values[rows]
    if not column.categories:
        seen = values[np.isfinite(values)]
        low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
        steps = [number(low + (high - low) * i / (_STEPS - 1)) for i in range(_STEPS)]
        return Values(column.name, (values - low) / max(high - low, 1e-12), steps, _palette())
    codes, names = _most_frequent(values.astype(np.int64), column.categories)
    return Categories(column.name, codes, names)


def _most_frequent(codes: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    """Ten colours go round: where there are more kinds, the smaller ones are the others."""
    if len(names) <= MOST + 1:
        return codes, list(names)
    sizes = np.bincount(codes[codes >= 0], minlength=len(names))
    first = np.sort(np.argsort(-sizes, kind="stable")[:MOST])
    place = np.full(len(names) + 1, MOST)
    place[first] = np.arange(MOST)
    place[-1] = -1  # where there is no kind
    return place[codes], [*(names[i] for i in first), _("others")]


def atlas(scene: Scene) -> Atlas | None:
    """The pictures of the points that are drawn, on one sheet; made once for all visitors."""
    thumbnails = scene.cloud.thumbnails
    if thumbnails is None or len(scene.rows) > figures.MOST_ACROSS**2:
        return None
    made = compute.run(figures.sheet, thumbnails=thumbnails[scene.rows])
    return Atlas(made.image, made.columns)


def printed(paint: Paint) -> figures.Colours | None:
    """The same colours for a figure to export."""
    if isinstance(paint, Categories):
        return figures.Colours(paint.title, np.asarray(paint.codes, float), tuple(paint.names))
    if isinstance(paint, Values):
        return figures.Colours(paint.title, paint.shares, (), (paint.steps[0], paint.steps[-1]))
    return None
