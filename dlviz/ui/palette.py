"""The colours of the figures, for the page around them."""

from __future__ import annotations

from html import escape

import streamlit as st

from dlviz.figures.palette import CATEGORICAL


def badge(title: str, colour: int, over: str = "") -> None:
    """A heading with a bar in one of the categorical colours, and a small line over it."""
    st.html(
        f'<div style="border-left: .4rem solid {CATEGORICAL[colour]}; padding-left: .7rem">'
        f'<div style="opacity: .75; font-size: .85rem">{escape(over)}</div>'
        f'<div style="font-weight: 650; font-size: 1.25rem">{escape(title)}</div></div>'
    )
