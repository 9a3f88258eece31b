"""Small components-v2 modules: what must answer while the pointer moves is computed in the browser.

A component is three files of one name: ``<name>.py`` (the function that a page
calls), ``<name>.js`` (a plain ES module, no build step) and ``<name>.css``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent


def component(name: str, *, html: str) -> Any:
    """Register the component whose ``<name>.js`` and ``<name>.css`` stand in this folder."""
    return st.components.v2.component(
        f"dlviz.{name}",
        html=html,
        js=(FOLDER / f"{name}.js").read_text("utf-8"),
        css=(FOLDER / f"{name}.css").read_text("utf-8"),
    )
