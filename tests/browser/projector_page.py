"""The page of ``projector_app.py``: 50,000 points, or fewer with pictures, and what Python makes of a visitor's hands."""

from __future__ import annotations

import time

import numpy as np
import streamlit as st

from dlviz.figures import projection as figures
from dlviz.ui import controls, language
from dlviz.ui.components import projector


@st.cache_resource
def clusters(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points around a dozen centres in space, and the centre of each."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 12, count)
    return (rng.normal(size=(12, 3))[codes] * 2 + rng.normal(size=(count, 3)) * 0.4).astype(np.float32), codes


@st.fragment
def cloud() -> None:
    """The projector with what it reports below."""
    count = int(st.query_params.get("count", "50000"))
    dims = int(controls.choice("Dimensions", {"2": "2", "3": "3"}, key="t_dims"))
    seed = int(controls.choice("Picture", {"0": "first", "1": "second"}, key="t_seed"))
    kind = controls.choice("Colour", {"cluster": "cluster", "value": "value", "none": "none"}, key="t_paint")
    points, codes = clusters(count, seed)
    chosen = st.text_input("Chosen", key="t_point", bind="query-params")
    names = tuple(f"point {row}" for row in range(count))
    row = names.index(chosen) if chosen in names else None
    paint = {
        "cluster": projector.Categories("Cluster", codes, [f"group {n}" for n in range(12)]),
        "value": projector.Values("Height", np.linspace(0, 1, count), [str(n) for n in range(255)]),
        "none": None,
    }[kind]
    own = [] if row is None else [(row + step) % count for step in (1, 2, 3)]
    atlas = None
    if "pictures" in st.query_params:
        squares = np.zeros((count, 28, 28, 3), np.uint8)
        squares[..., 0], squares[:, 10:18, 10:18, 1] = (codes * 20)[:, None, None], 255
        sheet = figures.sheet(squares)
        atlas = projector.Atlas(sheet.image, sheet.columns)
    picked = projector.projector(
        "t_proj", points=points[:, :dims], names=names, paint=paint, atlas=atlas, chosen=row, own=own,
        title="A cloud", field="t_point",
    )  # fmt: skip
    st.text(f"chosen {row}")
    st.text(f"lasso {len(picked.lasso)} {picked.lasso[:3].tolist()}")
    if st.button("Move live"):
        place = st.empty()
        for number in range(12):
            turn = number / 12 * np.pi
            turned = points[:, :2] @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            projector.move(place, "t_proj", turned, np.arange(count), number)
            time.sleep(0.15)


st.set_page_config(layout="wide")
st.title("Projector")
with st.sidebar:
    language.switch()
controls.hide_fields()
cloud()
