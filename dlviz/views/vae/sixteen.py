"""Sixteen dimensions: a slider for each, traversals, draws from the prior, and two ways to see the codes flat."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlviz import zoo
from dlviz.errors import DlvizError
from dlviz.figures import mosaic
from dlviz.figures import vae as figures
from dlviz.ui import charts, compute, controls, export, lesson
from dlviz.ui.language import _, latex, number, percent, say
from dlviz.views.vae import inputs, networks, terms, walk
from dlviz.views.vae.networks import Network
from dlviz.views.vae.scene import Scene
from dlviz.vision import vae, vae_codes, vae_terms
from dlviz.vision.vae_results import Dimensions, Located, Projection, Traversals, TwoTerms

FIRST = 8
REACH = 4.0
VALUES = tuple(float(v) for v in np.linspace(-3, 3, 11))
DRAWN = 24
MOVE = "vae_move"


@st.fragment
def show(scene: Scene) -> None:
    """The section."""
    name = f"{scene.dataset}-vae-16d"
    if zoo.status(name) != "ready":
        st.info(_("The network of 16 dimensions is not on this server."), icon=":material/info:")
        return
    try:
        network = networks.bundled(scene.dataset, "vae-16d")
    except DlvizError as error:
        st.error(say(error), icon=":material/broken_image:")
        return
    located = network.run(vae.locate, picture=scene.given.pixels)
    dimensions = compute.run(vae_codes.dimensions, codes=network.codes)
    mine = network.run(vae_terms.two_terms, picture=scene.given.pixels, draws=terms.DRAWS, seed=0)
    code = _sliders(scene, network, located, dimensions)
    charts.show(
        terms.kl_bars(mine, dimensions), key="vae_16_kl", alt=_("The KL of each of the 16 dimensions.")
    )
    _name_inactive(dimensions)
    st.subheader(_("One dimension at a time"), anchor=False)
    table = network.run(
        vae_codes.traversals,
        start=code,
        dimensions=tuple(int(i) for i in dimensions.order[:FIRST]),
        values=VALUES,
    )
    charts.show(grid(table), key="vae_traversals", alt=_("A row of pictures for each dimension."))
    drawn = _prior(network)
    _maths(mine)
    _code(scene, network, dimensions)
    projection = _flat(scene, network, located)
    _export(network, table, drawn, mine, dimensions, projection, located)


def _sliders(scene: Scene, network: Network, located: Located, dimensions: Dimensions) -> np.ndarray:
    """A slider for each dimension, and what they make of the picture."""
    st.markdown(
        _(
            "The code of your picture has 16 numbers. Each slider adds to one of them, the most telling first: move one, "
            "and see what it stands for."
        )
    )
    left, right = st.columns([3, 2], gap="large")
    moves = np.zeros(network.latent, np.float32)
    order = dimensions.order.tolist()
    with left:
        _slider_grid(order[:FIRST], dimensions, moves)
        moved = [i for i in order[FIRST:] if st.session_state.get(f"{MOVE}_{i + 1}")]
        with st.expander(_("The other {count} dimensions", count=len(order) - FIRST), expanded=bool(moved)):
            _slider_grid(order[FIRST:], dimensions, moves)
        st.button(
            _("Back to your picture's code"), key="vae_unmove", icon=":material/undo:", on_click=_unmove
        )
    code = located.posterior.mean + moves
    with right:
        with st.container(horizontal=True, gap="small"):
            for pixels, said in (
                (scene.given.pixels, _("goes in")),
                (located.pixels, _("comes back")),
                (network.run(vae.decode, codes=code).pixels[0], _("with your moves")),
            ):
                st.image(inputs.enlarged(pixels, 112), width=98, output_format="PNG", caption=said)
        st.caption(_("Error {error} nats in 16 dimensions.", error=number(located.error, 1)))
    return code


def _slider_grid(order: list[int], dimensions: Dimensions, moves: np.ndarray) -> None:
    for start in range(0, len(order), 4):
        for column, i in zip(st.columns(4), order[start : start + 4], strict=False):
            with column:
                moves[i] = st.slider(
                    _("z{number} · {kl} nats", number=i + 1, kl=number(float(dimensions.kl[i]), 2)),
                    -REACH,
                    REACH,
                    0.0,
                    0.25,
                    key=f"{MOVE}_{i + 1}",
                    bind="query-params",
                )


def _unmove() -> None:
    for i in range(16):
        st.session_state[f"{MOVE}_{i + 1}"] = 0.0


def _name_inactive(dimensions: Dimensions) -> None:
    if not dimensions.inactive:
        st.caption(_("All {count} dimensions are active.", count=len(dimensions.kl)))
        return
    names = ", ".join(f"z{i + 1}" for i in dimensions.inactive)
    st.caption(
        _(
            "Inactive: {names}. Whatever the picture, their q stays at the prior; they cost no KL and the decoder does not "
            "listen to them.",
            names=names,
        )
    )


def grid(table: Traversals) -> Any:
    """The traversals as a figure."""
    return figures.picture_grid(
        table.mosaic,
        [f"z<sub>{int(i) + 1}</sub>" for i in table.dimensions],
        [number(float(v), 1) for v in table.values],
        axis=_("value of the dimension"),
    )


def _prior(network: Network) -> vae.Decoded:
    """New pictures from the prior."""
    st.subheader(_("Pictures that nobody drew"), anchor=False)
    left, right = st.columns([3, 1])
    temperature = left.slider(
        _("Temperature"),
        0.0,
        2.0,
        1.0,
        0.1,
        key="vae_temperature",
        bind="query-params",
        help=_(
            "Codes are drawn from N(0, τ²). Below 1: safer pictures, and fewer kinds. Above 1: stranger ones."
        ),
    )
    seed = right.number_input(_("Seed"), 0, 9999, 0, key="vae_prior_seed", bind="query-params")
    drawn = network.run(vae.sample_prior, count=DRAWN, temperature=float(temperature), seed=int(seed))
    st.image(sheet(drawn.pixels), width="stretch", output_format="PNG")
    return drawn


def sheet(pixels: np.ndarray) -> bytes:
    """Pictures in rows of twelve as PNG."""
    return mosaic.png(mosaic.mosaic(inputs.grey(pixels), columns=12, enlarge=4, gap=4))


def _maths(mine: TwoTerms) -> None:
    by_dimension = np.zeros(0) if mine.kl_by_dimension is None else np.sort(mine.kl_by_dimension)[::-1]
    parts = " + ".join(latex(float(v), 2) for v in by_dimension[:4])
    lesson.maths(
        [
            lesson.Formula(
                _("The KL is a sum over the dimensions: a dimension that says nothing adds nothing."),
                r"\mathrm{KL} = \sum_{i=1}^{16} \tfrac{1}{2}\bigl(\mu_i^2 + \sigma_i^2 - \log\sigma_i^2 - 1\bigr)",
                rf"{parts} + \dots = {latex(mine.kl, 2)}",
            ),
            lesson.Formula(
                _("A new picture: a code from the prior, at the temperature τ, and the decoder."),
                r"z = \tau\, \epsilon, \quad \epsilon \sim \mathcal{N}(0, I), \qquad x \sim p(x \mid z)",
            ),
        ]
    )


def _code(scene: Scene, network: Network, dimensions: Dimensions) -> None:
    start = f"vae.encode(zoo.load({network.name!r}), {scene.given.source.expression}).mean"
    imports = (*scene.given.source.imports, "from dlviz import zoo", "from dlviz.vision import vae")
    lesson.code(
        [
            (
                _("A row of pictures for each dimension:"),
                vae_codes.traversals,
                {
                    "start": inputs.Source(start, imports),
                    "dimensions": [int(i) for i in dimensions.order[:FIRST]],
                    "values": list(VALUES),
                },
            ),
            (
                _("New pictures from the prior:"),
                vae.sample_prior,
                {"count": DRAWN, "temperature": float(st.session_state["vae_temperature"]), "seed": 0},
            ),
        ],
        model=network.model,
    )


def _flat(scene: Scene, network: Network, located: Located) -> Projection | None:
    """The codes of the test pictures in two dimensions, by PCA or by UMAP."""
    st.subheader(_("Sixteen dimensions on a flat map"), anchor=False)
    method = controls.choice(
        _("Method"), {"pca": "PCA", "umap": "UMAP"}, key="vae_projection", label_visibility="collapsed"
    )
    mean = located.posterior.mean
    if method == "pca":
        found = compute.run(vae_codes.pca, codes=network.codes, extra=mean[None])
        st.caption(
            _(
                "PCA: the two axes along which the codes vary most. They hold {share} of the variance: the prior has "
                "made the cloud round, and no flat cut shows its groups. UMAP does.",
                share=percent(float(found.explained.sum()), 0),
            )
        )
        _draw(scene, network, found.points[: len(network.codes)], found.points[-1], "pca")
        return found
    st.caption(
        _("UMAP keeps neighbours together. How far groups lie apart, and how large they are, means little.")
    )
    fitted: Projection | None = compute.stream(
        vae_codes.fit_umap,
        lane="process",
        key="vae_umap",
        label="UMAP",
        start=_("Compute the UMAP"),
        means=network.codes.mean,
    )
    if fitted is not None:
        place = vae_codes.place_beside(network.codes, fitted, mean=mean)
        _draw(scene, network, fitted.points, place, "umap")
        st.caption(
            _("Your picture stands where its nearest neighbours are: an estimate, since UMAP has no formula.")
        )
    return fitted


def _draw(scene: Scene, network: Network, points: np.ndarray, own: np.ndarray, name: str) -> None:
    charts.show(
        flat(scene, network, points, own),
        key=f"vae_flat_{name}",
        alt=_("The codes of the test pictures, flat."),
    )


def flat(scene: Scene, network: Network, points: np.ndarray, own: np.ndarray) -> Any:
    """A flat map of the codes as a figure."""
    return figures.latent_map(
        points,
        network.codes.label,
        classes=scene.classes,
        axes=("", ""),
        own=[figures.Own(own, None, scene.given.name)],
        height=520,
    )


def _export(
    network: Network,
    table: Traversals,
    drawn: vae.Decoded,
    mine: TwoTerms,
    dimensions: Dimensions,
    projection: Projection | None,
    located: Located,
) -> None:
    arrays = {
        "mean": located.posterior.mean,
        "traversals": table.pixels,
        "prior_codes": drawn.codes,
        "prior_pictures": drawn.pixels,
    }
    if projection is not None:
        arrays[projection.method] = projection.points
    export.panel(
        "vae_sixteen",
        figures={
            _("One dimension at a time"): lambda: grid(table),
            _("KL by dimension"): lambda: terms.kl_bars(mine, dimensions),
        },
        pictures={_("Draws from the prior"): lambda: sheet(drawn.pixels)},
        tables={_("The codes of the test pictures"): lambda: walk.code_rows(network)},
        arrays={_("Code, traversals, draws and map, as numbers"): lambda: arrays},
    )
