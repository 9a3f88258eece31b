"""The projector: many dimensions in a picture, and beside it what the picture keeps of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from rapidfuzz import process
from rapidfuzz.distance import OSA
from streamlit.delta_generator import DeltaGenerator

from dlviz.errors import DlvizError
from dlviz.foundations import projection
from dlviz.foundations.projection_results import Cloud, Moment, Options, Projection
from dlviz.ui import compute, controls
from dlviz.ui.components import projector
from dlviz.ui.fingerprint import fingerprint
from dlviz.ui.language import _, percent, say
from dlviz.ui.snippet import Source
from dlviz.views.embeddings import clouds, projector_beside, projector_colours, projector_faithful
from dlviz.views.embeddings.projector_options import POINT, chosen_points, options

CLOUD = "emb_proj"
_MADE, _ONLY = "emb_proj_made", "emb_proj_only"
_MOST_MADE = 6


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is drawn: some points of a cloud, as the options say.

    Attributes
    ----------
    cloud, source
        Where the points come from, and how a notebook gets their matrix.
    rows, matrix, names
        The points drawn: rows of the cloud, their vectors and names.
    wanted
        The picture that was asked for.
    shown
        The one that is there: PCA's until the other one has been computed.
    digest
        Stands for the vectors and the picture shown.
    chosen
        Row in the cloud of the chosen point, or None.
    """

    cloud: Cloud
    source: Source
    rows: np.ndarray
    matrix: np.ndarray
    names: tuple[str, ...]
    wanted: Options
    shown: Projection
    digest: str
    chosen: int | None

    @property
    def place(self) -> int | None:
        """Where the chosen point stands among those drawn; None where it is not drawn."""
        if self.chosen is None:
            return None
        found = int(np.searchsorted(self.rows, self.chosen))
        return found if found < len(self.rows) and self.rows[found] == self.chosen else None


@st.fragment
def show(cloud: Cloud, *, source: Source) -> None:
    """The section.

    Parameters
    ----------
    cloud
        The points: words, nodes, pictures.
    source
        How a notebook gets their matrix, float32, one vector a row.
    """
    cloud, source = _about(cloud, source)
    settings = st.container()
    with settings:
        wanted = options(len(cloud))
        rows = _only(cloud)
        rows = chosen_points(cloud) if rows is None else rows
    matrix = cloud.matrix[rows]
    try:
        flat = compute.run(projection.pca, matrix=matrix, options=_plain(wanted))
    except DlvizError as refusal:
        st.error(say(refusal), icon=":material/block:")
        return
    key = fingerprint({"matrix": matrix, "options": wanted})
    made = flat if wanted.method == "pca" else _made().get(key)
    shown = made or flat
    work, moving = st.container(), st.empty()
    scene = Scene(
        cloud, source, rows, matrix, tuple(cloud.names[row] for row in rows), wanted, shown,
        fingerprint({"matrix": matrix, "options": shown.options}), _chosen(cloud),
    )  # fmt: skip
    paint = projector_colours.choose(scene)
    left, right = st.columns([9, 4], gap="medium")
    with right:
        own, near = projector_beside.lists(scene)
    with left:
        picked = _picture(scene, paint, own, near)
        _told(scene, waiting=made is None)
        projector_beside.selection(scene, picked.lasso, _keep_only)
    if made is None:
        _compute(work, moving, scene, key)
    projector_faithful.show(scene, flat)
    projector_faithful.maths(scene)
    projector_faithful.code(scene)
    projector_faithful.save(scene, paint)


def _about(cloud: Cloud, source: Source) -> tuple[Cloud, Source]:
    """The page's own vectors, or a set of pictures: points that show what they are."""
    what = controls.choice(
        _("What to project"),
        {"vectors": cloud.title, "digits": _("1,797 handwritten digits, as pictures")},
        key="emb_proj_what",
        wrap=True,
    )
    if what == "vectors":
        return cloud, source
    return clouds.digits(), Source(
        "vae_input.sample_digits().images.reshape(-1, 784) / np.float32(255)",
        ("import numpy as np", "from dlviz.vision import vae_input"),
    )


def _plain(wanted: Options) -> Options:
    """PCA with the options that PCA knows."""
    return Options("pca", wanted.dimensions, wanted.normalise)


def _made() -> dict[str, Projection]:
    held: dict[str, Projection] = st.session_state.setdefault(_MADE, {})
    return held


def _compute(work: DeltaGenerator, moving: DeltaGenerator, scene: Scene, key: str) -> None:
    """The button, and then the work: the points of the picture move while it goes on."""
    frames = iter(range(1_000_000))

    def moved(moment: Moment) -> None:
        projector.move(moving, CLOUD, moment.points, moment.rows, next(frames))

    name = projector_faithful.NAMES[scene.wanted.method]
    with work:
        try:
            found = compute.stream(
                projection.fit, key="emb_proj_fit", lane="process", label=name, start=_("Compute this picture"),
                on_frame=moved, matrix=scene.matrix, options=scene.wanted,
            )  # fmt: skip
        except DlvizError as refusal:
            st.error(say(refusal), icon=":material/block:")
            return
    if found is not None:
        made = _made()
        made[key] = found
        for old in list(made)[:-_MOST_MADE]:
            del made[old]
        # Held above with others: a second copy in the door's own keeping would only take room.
        st.session_state.pop("emb_proj_fit_finished", None)
        st.rerun()


def _picture(scene: Scene, paint: Any, own: np.ndarray, near: np.ndarray) -> projector.Picked:
    counts = scene.cloud.counts
    return projector.projector(
        CLOUD,
        points=scene.shown.points,
        names=scene.names,
        priority=counts[scene.rows] if len(counts) else None,
        paint=paint,
        atlas=projector_colours.atlas(scene),
        chosen=scene.place,
        own=own.tolist(),
        near=near.tolist(),
        title=scene.cloud.title,
        field=POINT,
    )


def _told(scene: Scene, *, waiting: bool) -> None:
    """What the picture is, in a sentence, and what it hides."""
    shown = scene.shown
    if waiting:
        st.caption(
            _(
                "This is PCA. Press the button above for {method}.",
                method=projector_faithful.NAMES[scene.wanted.method],
            )
        )
    elif shown.options.method == "pca":
        share = percent(float(shown.explained.sum()), 0)
        st.caption(
            _(
                "{count} points. These axes hold {share} of the variance; the rest cannot be seen.",
                count=len(scene.rows),
                share=share,
            )
        )
    elif shown.fitted < len(scene.rows):
        st.caption(
            _(
                "{count} points: {fitted} of them, drawn at random, were arranged by {method}; each of the others stands among its five "
                "nearest of these.",
                count=len(scene.rows),
                fitted=shown.fitted,
                method=projector_faithful.NAMES[shown.options.method],
            )
        )
    else:
        st.caption(
            _(
                "{count} points. Groups hold together; how far they lie apart, and how large they are, means little.",
                count=len(scene.rows),
            )
        )
    if len(scene.rows) < len(scene.cloud):
        st.caption(
            _(
                "Drawn from {total}: neighbours in the list are looked for among all of them.",
                total=len(scene.cloud),
            )
        )


def _chosen(cloud: Cloud) -> int | None:
    """The row of the point that is named in the field, with near spellings where it names none."""
    wanted = str(st.session_state.get(POINT, st.query_params.get(POINT, ""))).strip()
    if not wanted:
        return None
    for name in (wanted, wanted.lower()):
        if name in cloud.names:
            return cloud.names.index(name)
    return None


def spellings(names: Mapping[int, str] | tuple[str, ...], wanted: str) -> list[str]:
    """Names that are spelt nearly so, the nearest first."""
    most = max(1, len(wanted) // 3)
    found = process.extract(wanted[:60].lower(), names, scorer=OSA.distance, score_cutoff=most, limit=5)
    return [match[0] for match in found]


def _only(cloud: Cloud) -> np.ndarray | None:
    """The points that the visitor wants alone, if they are of this cloud."""
    held = st.session_state.get(_ONLY)
    if held is None or held[0] != _stamp(cloud):
        return None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(_("All points again"), key="emb_proj_all", icon=":material/undo:", on_click=_forget_only)
        st.caption(_("{count} selected points on their own.", count=len(held[1])))
    rows: np.ndarray = held[1]
    return rows


def _keep_only(cloud: Cloud, rows: np.ndarray) -> None:
    st.session_state[_ONLY] = (_stamp(cloud), rows)


def _forget_only() -> None:
    st.session_state.pop(_ONLY, None)


def _stamp(cloud: Cloud) -> tuple[object, ...]:
    return (cloud.title, len(cloud), cloud.matrix.shape[1], cloud.names[0] if cloud.names else "")
