"""All that decides a projection, asked before anything is computed."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import streamlit as st

from dlviz.foundations import projection
from dlviz.foundations.projection_results import Cloud, Method, Metric, Options
from dlviz.ui import controls
from dlviz.ui.language import _, number

POINT = "emb_proj_point"
COUNTS = (500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
FITTED = (2000, 5000, 10_000, 20_000)
_FIRST = 5000


def options(total: int) -> Options:
    """The widgets of method, dimensions and everything else."""
    left, middle, right = st.columns([4, 4, 3], gap="medium", vertical_alignment="bottom")
    with left:
        method = controls.choice(
            _("Method"), {"pca": "PCA", "umap": "UMAP", "tsne": "t-SNE"}, key="emb_proj_method", wrap=True
        )
    with middle:
        dimensions = controls.choice(
            _("Dimensions"), {"2": _("2, flat"), "3": _("3, in space")}, key="emb_proj_dims", wrap=True
        )
    with right, st.popover(_("Options"), icon=":material/tune:", width="stretch"):
        more = _METHODS[method](total)
        more["normalise"] = st.toggle(
            _("Every vector to length 1 first"),
            key="emb_proj_unit",
            bind="query-params",
            help=_("Then only directions count, and frequent words lie no farther out than rare ones."),
        )
    return Options(cast(Method, method), int(dimensions), **more)


def _pca(_total: int) -> dict[str, Any]:
    st.caption(_("PCA has no options of its own: it is a formula."))
    return {}


def _umap(total: int) -> dict[str, Any]:
    neighbours = st.slider(
        _("Neighbours"), 2, 100, 15, key="emb_proj_neighbours", bind="query-params",
        help=_("Few show fine detail, many the large shape."),
    )  # fmt: skip
    least = st.slider(
        _("Least distance"), 0.0, 0.99, 0.1, 0.01, key="emb_proj_min_dist", bind="query-params",
        help=_("How near points may come to each other: small packs groups tightly."),
    )  # fmt: skip
    rounds = st.select_slider(
        _("Rounds"), [0, 50, 100, 200, 500, 1000], 0, format_func=_rounds, key="emb_proj_epochs"
    )
    return {"neighbours": neighbours, "min_dist": least, "iterations": rounds, **_both(total)}


def _tsne(total: int) -> dict[str, Any]:
    perplexity = st.slider(
        _("Perplexity"), 2, 100, 30, key="emb_proj_perplexity", bind="query-params",
        help=_("About how many neighbours a point holds on to."),
    )  # fmt: skip
    rounds = st.select_slider(
        _("Rounds"), [0, 100, 250, 500, 1000, 2000], 0, format_func=_rounds, key="emb_proj_rounds"
    )
    return {"perplexity": float(perplexity), "iterations": rounds, **_both(total)}


def _both(total: int) -> dict[str, Any]:
    """What UMAP and t-SNE have in common."""
    metric = controls.choice(
        _("Near means"),
        {"cosine": _("same direction (cosine)"), "euclidean": _("small distance")},
        key="emb_proj_metric",
        wrap=True,
    )
    first = st.toggle(
        _("Through 50 principal components first"), key="emb_proj_first", bind="query-params",
        help=_("Faster, and with less noise; what the other components hold is lost."),
    )  # fmt: skip
    fitted = controls.choice(
        _("Points to arrange at most"),
        {str(count): number(count, 0) for count in FITTED if count < total or count == FITTED[0]} | {"0": _("all")},
        key="emb_proj_fitted", default="10000",
        help=_("These are drawn at random; every other point is set among its nearest of them. All of 50,000 take minutes."),
    )  # fmt: skip
    seed = st.number_input(_("Seed"), 0, 9999, 0, key="emb_proj_seed", bind="query-params")
    return {
        "metric": cast(Metric, metric),
        "components": 50 if first else 0,
        "fitted": int(fitted),
        "seed": int(seed),
    }


def _rounds(count: int) -> str:
    return number(count, 0) if count else _("as usual")


_METHODS = {"pca": _pca, "umap": _umap, "tsne": _tsne}


def chosen_points(cloud: Cloud) -> np.ndarray:
    """Which points are drawn: how many, and by frequency or at random; never just the first."""
    total = len(cloud)
    offered = {str(count): number(count, 0) for count in COUNTS if count < total}
    if total <= COUNTS[-1]:
        offered[str(total)] = _("all {count}", count=total)
    left, middle, right = st.columns([4, 4, 3], gap="medium", vertical_alignment="bottom")
    with left:
        default = str(_FIRST) if str(_FIRST) in offered else list(offered)[-1]
        count = int(
            controls.choice(
                _("Points to draw"), offered, key="emb_proj_count", default=default, style="slider"
            )
            if len(offered) > 1
            else next(iter(offered))
        )
    by = "random"
    if count < total:
        with middle:
            ways = {"frequency": _("by frequency"), "random": _("at random")}
            by = controls.choice(_("Drawn"), ways, key="emb_proj_by", wrap=True) if cloud.ranked else "random"
        draw = right.number_input(_("Draw number"), 0, 9999, 0, key="emb_proj_draw", bind="query-params")
        return projection.sample(total, count=count, by=by, seed=int(draw))  # type: ignore[arg-type]
    return np.arange(total)
