"""*Export*: the pictures of a page as PNG and SVG, its data as CSV and NPZ.

Nothing is computed until the panel is opened.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dlviz.figures import style
from dlviz.ui import charts
from dlviz.ui.components import component
from dlviz.ui.language import _

_figure_buttons = component("export_figure", html='<div class="export"></div>')

Rows = Sequence[Mapping[str, object]]


def panel(
    stem: str,
    *,
    figures: Mapping[str, Callable[[], go.Figure]] | None = None,
    pictures: Mapping[str, Callable[[], bytes]] | None = None,
    tables: Mapping[str, Callable[[], Rows]] | None = None,
    arrays: Mapping[str, Callable[[], Mapping[str, np.ndarray]]] | None = None,
    files: Mapping[str, tuple[str, Callable[[], bytes]]] | None = None,
) -> None:
    """The export panel of a page.

    Every entry is a title in the visitor's language and a function that makes
    the thing: a figure (PNG, SVG), a picture (PNG bytes), the rows of a table
    (CSV), named arrays (NPZ), or the name of a file of its own format and its
    bytes.
    """
    opened = st.expander(_("Export"), icon=":material/download:", on_change="rerun", key=f"{stem}_export")
    if not opened.open:
        return
    with opened:
        for index, (title, (file_name, content)) in enumerate((files or {}).items()):
            st.markdown(title)
            st.download_button(
                file_name,
                content(),
                file_name=file_name,
                mime="application/octet-stream",
                key=f"{stem}_file_{index}_download",
                on_click="ignore",
            )
        for index, (title, make) in enumerate((figures or {}).items()):
            _figure_row(f"{stem}_{index}", title, make())
        for index, (title, picture) in enumerate((pictures or {}).items()):
            _download(f"{stem}_picture_{index}", title, "PNG", picture(), "image/png")
        for index, (title, rows) in enumerate((tables or {}).items()):
            _download(f"{stem}_table_{index}", title, "CSV", csv_bytes(rows()), "text/csv")
        for index, (title, named) in enumerate((arrays or {}).items()):
            _download(f"{stem}_arrays_{index}", title, "NPZ", npz_bytes(named()), "application/octet-stream")


def csv_bytes(rows: Rows) -> bytes:
    """Rows as CSV in UTF-8 with a byte-order mark, which spreadsheets need to read accents."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def npz_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Named arrays as a compressed NPZ file; ``numpy.load`` reads it without pickle."""
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **dict(arrays))
    return packed.getvalue()


def _figure_row(name: str, title: str, figure: go.Figure) -> None:
    charts.dress(figure)
    st.markdown(title)
    _figure_buttons(
        key=f"{name}_buttons",
        data={
            "figure": figure.to_json(),
            "name": f"dlviz_{name}",
            "plotly": "/dlviz/plotly.min.js",
            "labels": {"png": "PNG", "svg": "SVG"},
            "ground": style.GROUND[charts.theme()],
            "width": 1200,
            "height": int(figure.layout.height or 600),
        },
    )


def _download(name: str, title: str, kind: str, data: bytes, mime: str) -> None:
    st.markdown(title)
    st.download_button(
        kind,
        data,
        file_name=f"dlviz_{name}.{kind.lower()}",
        mime=mime,
        key=f"{name}_download",
        on_click="ignore",
    )
