"""Beside the picture: the neighbours that the embedding knows, and those that the picture shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dlviz.foundations import near
from dlviz.foundations.projection_results import Cloud, Near
from dlviz.ui.language import _, number
from dlviz.views.embeddings import projector_options

if TYPE_CHECKING:
    from dlviz.views.embeddings.projector import Scene

NEIGHBOURS = 10
_LISTED = 60
_NOBODY = np.zeros(0, np.int64)


def lists(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """The field for a name and both lists; gives the neighbours' places among the points drawn."""
    field = projector_options.POINT
    st.text_input(
        _("Chosen point"),
        key=field,
        bind="query-params",
        max_chars=200,
        placeholder=_("click a point, or type its name"),
    )
    wanted = st.session_state[field].strip()
    if scene.chosen is None:
        if wanted:
            _unknown(scene, wanted)
        else:
            st.caption(
                _("Then its neighbours stand here: those of the embedding beside those of the picture.")
            )
        return _NOBODY, _NOBODY
    own = near.nearest(scene.cloud.matrix, scene.chosen, count=NEIGHBOURS, metric=scene.wanted.metric)
    if scene.place is None:
        st.info(_("This point is not among those drawn; its neighbours are known all the same."))
        _list(scene, own, _NOBODY, title=_own_title(scene), key="own")
        return _NOBODY, _NOBODY
    seen = near.nearest(scene.shown.points, scene.place, count=NEIGHBOURS, metric="euclidean")
    in_picture = scene.rows[seen.rows]
    same = np.intersect1d(own.rows, in_picture)
    _list(scene, own, same, title=_own_title(scene), key="own")
    _list(scene, _as_known(scene, in_picture), same, title=_("Neighbours in the picture"), key="seen")
    places = np.searchsorted(scene.rows, own.rows).clip(0, len(scene.rows) - 1)
    drawn = places[scene.rows[places] == own.rows]
    st.caption(
        _(
            "{count} of {total} are the same, marked ●; {drawn} of the embedding's neighbours are drawn, and lines lead to them. Rings mark the "
            "picture's. Choose a row to go on from there.",
            count=len(same),
            total=len(own.rows),
            drawn=len(drawn),
        )
    )
    return drawn, seen.rows


def _own_title(scene: Scene) -> str:
    return _("Neighbours in {count} dimensions", count=scene.cloud.matrix.shape[1])


def _as_known(scene: Scene, rows: np.ndarray) -> Near:
    """Cosine and distance, in the embedding, of those who are near in the picture."""
    unit = near.unit(scene.cloud.matrix[[scene.chosen, *rows]])
    apart = np.linalg.norm(scene.cloud.matrix[rows] - scene.cloud.matrix[scene.chosen], axis=1)
    return Near(rows, unit[1:] @ unit[0], apart)


def _list(scene: Scene, found: Near, same: np.ndarray, *, title: str, key: str) -> None:
    st.markdown(f"**{title}**")
    names = [scene.cloud.names[row] for row in found.rows]
    widget = f"emb_proj_list_{key}_{scene.chosen}"

    def picked() -> None:
        cells = st.session_state[widget].selection.cells
        if cells:
            st.session_state[projector_options.POINT] = names[cells[0][0]]

    st.dataframe(
        {
            _("Name"): [
                f"● {name}" if row in same else name for name, row in zip(names, found.rows, strict=True)
            ],
            # As text: a column of numbers would be written as the browser's language does, not the page's.
            _("Cosine"): [number(float(value), 2) for value in found.cosine],
            _("Distance"): [number(float(value), 2) for value in found.euclidean],
        },
        hide_index=True,
        height=268,
        on_select=picked,
        selection_mode="single-cell",
        key=widget,
        column_config={_("Name"): st.column_config.TextColumn(width="small")},
    )


def _unknown(scene: Scene, wanted: str) -> None:
    """No point of this name: near spellings as buttons."""
    from dlviz.views.embeddings.projector import spellings

    st.warning(_("No point is called so."), icon=":material/search_off:")
    found = spellings(scene.cloud.names, wanted)
    if found:
        st.caption(_("Near spellings:"))
        with st.container(horizontal=True, gap="small"):
            for place, name in enumerate(found):
                st.button(name, key=f"emb_proj_near_{place}", on_click=_choose, args=(name,))


def _choose(name: str) -> None:
    st.session_state[projector_options.POINT] = name


def selection(scene: Scene, lasso: np.ndarray, keep: Callable[[Cloud, np.ndarray], None]) -> None:
    """What the lasso holds: the names, and the way to project them on their own."""
    if not len(lasso):
        return
    rows = scene.rows[lasso]
    with st.expander(
        _("Selected points: {count}", count=len(rows)), icon=":material/select_all:", expanded=True
    ):
        st.text(
            ", ".join(scene.cloud.names[row] for row in rows[:_LISTED]) + ("…" if len(rows) > _LISTED else "")
        )
        st.button(
            _("Project these points on their own"), key="emb_proj_alone", icon=":material/filter_center_focus:",
            on_click=keep, args=(scene.cloud, rows),
            help=_("Their directions are worked out again without the others, which shows what a group looks like inside."),
        )  # fmt: skip
