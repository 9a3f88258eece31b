"""How faithful the picture is, its mathematics, its code, and its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import streamlit as st

from dlviz.errors import DlvizError
from dlviz.figures import projection as figures
from dlviz.foundations import faithfulness, projection
from dlviz.foundations.projection_results import Faithfulness, Options, Projection
from dlviz.ui import charts, compute, export, lesson
from dlviz.ui.fingerprint import fingerprint
from dlviz.ui.language import _, latex, percent, say
from dlviz.ui.snippet import Source

if TYPE_CHECKING:
    from dlviz.views.embeddings.projector import Scene

NAMES = {"pca": "PCA", "umap": "UMAP", "tsne": "t-SNE"}
USUAL = 10
_HELD = "emb_proj_faithful"
_MOST_HELD = 12
_PRINTED_NAMES = 60


def held(digest: str) -> Faithfulness | None:
    """What has been found for a picture already."""
    return _all().get(digest)


def _all() -> dict[str, Faithfulness]:
    found: dict[str, Faithfulness] = st.session_state.setdefault(_HELD, {})
    return found


def usual(found: Faithfulness) -> int:
    """Where the usual size of a neighbourhood stands, or the largest one below it."""
    return int(np.searchsorted(found.counts, USUAL, "right")) - 1


def show(scene: Scene, flat: Projection) -> None:
    """The figure, with PCA beside the other methods."""
    st.subheader(_("How faithful is this picture?"), anchor=False)
    flat_digest = fingerprint({"matrix": scene.matrix, "options": flat.options})
    found: dict[str, Faithfulness] = {}
    for digest, one in {scene.digest: scene.shown, flat_digest: flat}.items():
        try:
            measured = _measured(scene, digest, one)
        except DlvizError as refusal:
            st.info(say(refusal), icon=":material/info:")
            return
        if measured is not None:
            found[NAMES[one.options.method]] = measured
    if not found:
        return
    mine = next(iter(found.values()))
    at = usual(mine)
    st.markdown(
        _(
            "Of the {k} nearest neighbours of a point, the picture keeps {share} on average; points thrown down at random would keep {chance}. "
            "Its trustworthiness is {trust}.",
            k=int(mine.counts[at]),
            share=percent(float(mine.kept[at]), 0),
            chance=percent(float(mine.chance[at]), 1),
            trust=percent(float(mine.trustworthiness[at]), 0),
        )
    )
    words = figures.FaithfulWords(
        size=_("neighbours looked at, k"), share=_("share"), trustworthiness=_("trustworthiness"),
        kept=_("neighbours kept"), chance=_("kept by chance"),
    )  # fmt: skip
    charts.show(
        figures.faithfulness(found, words), key="emb_proj_faithfulness",
        alt=_("Trustworthiness and neighbours kept, for neighbourhoods of every size."),
    )  # fmt: skip
    if len(mine.rows) < mine.points:
        st.caption(
            _(
                "Asked of {count} points drawn at random, each against all {total}.",
                count=len(mine.rows),
                total=mine.points,
            )
        )


def _measured(scene: Scene, digest: str, one: Projection) -> Faithfulness | None:
    kept = _all()
    if digest not in kept:
        found = compute.stream(
            faithfulness.faithfulness, key=f"emb_proj_measure_{one.options.method}", label=_("Neighbourhoods"),
            matrix=scene.matrix, points=one.points, metric=scene.wanted.metric,
        )  # fmt: skip
        if found is None:
            return None
        kept[digest] = found
        for old in list(kept)[:-_MOST_HELD]:
            del kept[old]
    return kept[digest]


def maths(scene: Scene) -> None:
    """The formulas of the method, with the numbers of this picture."""
    shown = scene.shown
    formulas = {"pca": _pca, "umap": _umap, "tsne": _tsne}[shown.options.method](shown)
    measured = held(scene.digest)
    live = ""
    if measured is not None:
        at = usual(measured)
        live = rf"T({int(measured.counts[at])}) = {latex(float(measured.trustworthiness[at]))}"
    formulas.append(
        lesson.Formula(
            _(
                "Trustworthiness: r(i, j) is the rank of j among the neighbours of i in the embedding, U the neighbours in the picture. It is 1 "
                "when no stranger stands near."
            ),
            r"T(k) = 1 - \frac{2}{n k (2n - 3k - 1)} \sum_i \sum_{j \in U_k(i)} \max\bigl(0,\, r(i, j) - k\bigr)",
            live,
        )
    )
    lesson.maths(formulas)


def _pca(shown: Projection) -> list[lesson.Formula]:
    shares = r",\; ".join(latex(100 * float(share), 1) + r"\,\%" for share in shown.explained)
    return [
        lesson.Formula(
            _(
                "PCA looks along the directions in which the points differ most. Each holds a share of the variance."
            ),
            r"C = \frac{1}{n} \sum_i (x_i - \bar x)(x_i - \bar x)^\top, \quad C v_k = \lambda_k v_k, \quad y_i = (v_1, v_2)^\top (x_i - \bar x)",
            rf"\lambda_k / \textstyle\sum_j \lambda_j = {shares}",
        )
    ]


def _umap(shown: Projection) -> list[lesson.Formula]:
    asked = shown.options
    return [
        lesson.Formula(
            _(
                "UMAP: each point holds on to its nearest neighbours, by a weight that falls with the distance beyond the nearest one."
            ),
            r"w_{ij} = \exp\!\left(-\frac{d(x_i, x_j) - \rho_i}{\sigma_i}\right), \qquad \sum_j w_{ij} = \log_2 k",
            rf"k = {asked.neighbours}",
        ),
        lesson.Formula(
            _(
                "In the picture the weight is a curve whose shape follows from the least distance; cross entropy makes both alike."
            ),
            r"v_{ij} = \frac{1}{1 + a\, \lVert y_i - y_j \rVert^{2b}}, \qquad "
            r"\sum_{ij} w_{ij} \log \frac{w_{ij}}{v_{ij}} + (1 - w_{ij}) \log \frac{1 - w_{ij}}{1 - v_{ij}}",
            rf"d_{{\min}} = {latex(asked.min_dist)}",
        ),
    ]


def _tsne(shown: Projection) -> list[lesson.Formula]:
    return [
        lesson.Formula(
            _(
                "t-SNE: how alike two points are, by a Gaussian as wide as the perplexity asks; in the picture, by a curve with heavy tails."
            ),
            r"p_{j|i} \propto \exp\!\left(-\frac{\lVert x_i - x_j \rVert^2}{2\sigma_i^2}\right), \qquad "
            r"q_{ij} \propto \frac{1}{1 + \lVert y_i - y_j \rVert^2}",
            rf"2^{{H(p_{{\cdot|i}})}} = {latex(shown.options.perplexity)}",
        ),
        lesson.Formula(
            _("Gradient descent lowers the divergence of the two."),
            r"\mathrm{KL}(P \Vert Q) = \sum_{i \ne j} p_{ij} \log \frac{p_{ij}}{q_{ij}}",
            rf"\mathrm{{KL}} = {latex(shown.loss)}",
        ),
    ]


def code(scene: Scene) -> None:
    """The function that made the picture, and the one that judged it."""
    options, matrix = scene.shown.options, _matrix(scene)
    made = projection.pca if options.method == "pca" else projection.fit
    given = Source(_written(options), ("from dlviz.foundations.projection_results import Options",))
    call = f"projection.{made.__name__}({matrix.expression}, options={given.expression})"
    points = Source(
        f"{call}.points" if made is projection.pca else f"[*{call}][-1].value.points",
        (*matrix.imports, *given.imports, "from dlviz.foundations import projection"),
    )
    lesson.code(
        [
            (_("The picture:"), made, {"matrix": matrix, "options": given}),
            (
                _("How faithful it is:"),
                faithfulness.faithfulness,
                {"matrix": matrix, "points": points, "metric": scene.wanted.metric},
            ),
        ],
        model=None,
    )


def _written(options: Options) -> str:
    plain = Options()
    said = [
        f"{name}={getattr(options, name)!r}"
        for name in Options.__slots__
        if getattr(options, name) != getattr(plain, name)
    ]
    return f"Options({', '.join(said)})"


def _matrix(scene: Scene) -> Source:
    """The rows that were drawn: the same draw again, or the rows themselves where they were selected by hand."""
    total, state = len(scene.cloud), st.session_state
    if len(scene.rows) == total:
        return scene.source
    at_random = state.get("emb_proj_by") == "random" or not scene.cloud.ranked
    by: Literal["frequency", "random"] = "random" if at_random else "frequency"
    draw = int(state.get("emb_proj_draw", 0))
    again = projection.sample(total, count=len(scene.rows), by=by, seed=draw)
    if np.array_equal(again, scene.rows):
        chosen = f"projection.sample({total}, count={len(scene.rows)}, by={by!r}, seed={draw})"
    else:
        chosen = f"{scene.rows.tolist()}"
    return Source(
        f"({scene.source.expression})[{chosen}]",
        (*scene.source.imports, "from dlviz.foundations import projection"),
    )


def save(scene: Scene, paint: Any) -> None:
    """Places as a table and as arrays, the picture as PNG and SVG."""
    from dlviz.views.embeddings import projector_colours

    def cloud() -> Any:
        order = (
            np.argsort(-scene.cloud.counts[scene.rows], kind="stable")
            if len(scene.cloud.counts)
            else np.arange(len(scene.rows))
        )
        return figures.cloud(
            scene.shown.points,
            scene.names,
            colours=projector_colours.printed(paint),
            labelled=order[:_PRINTED_NAMES],
        )

    measured = held(scene.digest)
    arrays = {"points": scene.shown.points, "names": np.array(scene.names), "rows": scene.rows}
    if measured is not None:
        arrays |= {
            "k": measured.counts, "trustworthiness": measured.trustworthiness, "neighbours_kept": measured.kept,
            "asked": measured.rows, "neighbours_kept_each": measured.kept_each,
        }  # fmt: skip
    export.panel(
        "emb_proj",
        figures={_("The picture"): cloud},
        tables={_("Places of the points"): lambda: _table(scene, paint)},
        arrays={_("Places and faithfulness, as numbers"): lambda: arrays},
    )


def _table(scene: Scene, paint: Any) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    cloud = scene.cloud
    groups = (
        None
        if not hasattr(paint, "codes")
        else [paint.names[code] if code >= 0 else "" for code in paint.codes]
    )
    for place, row in enumerate(scene.rows.tolist()):
        line: dict[str, object] = {"name": cloud.names[row]}
        line |= dict(zip("xyz", map(float, scene.shown.points[place]), strict=False))
        if len(cloud.counts):
            line["count"] = int(cloud.counts[row])
        if groups is not None:
            line["colour"] = groups[place]
        for column in cloud.columns:
            value = float(column.values[row])
            known = value >= 0 if column.categories else np.isfinite(value)
            line[column.name] = (
                "" if not known else column.categories[int(value)] if column.categories else value
            )
        rows.append(line)
    return rows
