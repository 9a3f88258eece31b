"""The weight of the second term: the same picture from network to network, and a plain autoencoder's holes."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlviz import zoo
from dlviz.errors import DlvizError
from dlviz.figures import mosaic
from dlviz.figures import vae as figures
from dlviz.ui import charts, export, lesson
from dlviz.ui.language import _, number, percent, say
from dlviz.views.vae import inputs, networks, terms
from dlviz.views.vae.networks import Network
from dlviz.views.vae.scene import Scene
from dlviz.vision import vae, vae_map, vae_terms
from dlviz.vision.vae_results import Located, TwoTerms

STEPS = 12
ORDER = ("plain", "low", "1", "high")


@st.fragment
def show(scene: Scene) -> None:
    """The section."""
    st.markdown(
        _(
            "The same picture, the same kind of network, another weight β on the second term. A small β cares for the "
            "reconstruction: the codes spread out and leave holes. A large β cares for the prior: the codes lie close, "
            "without holes, and the pictures blur. The plain autoencoder has no second term at all."
        )
    )
    found = _networks(scene.dataset)
    if not found:
        return
    located = [one.run(vae.locate, picture=scene.given.pixels) for one in found.values()]
    both = [
        one.run(vae_terms.two_terms, picture=scene.given.pixels, draws=terms.DRAWS, seed=0, beta=one.beta)
        for one in found.values()
    ]
    named = networks.titles()
    titles = [named[code] for code in found]
    for column, title, one, place in zip(
        st.columns(len(found)), titles, found.values(), located, strict=True
    ):
        with column:
            _one(scene, title, one, place)
    st.markdown(_("**Reconstruction against structure, for your picture**"))
    charts.show(bars(titles, both), key="vae_beta_bars", alt=_("The two terms of your picture by network."))
    st.table(table(titles, list(found.values())), border="horizontal")
    _say_where_a_small_weight_gains_nothing(found)
    _maths(both, list(found.values()))
    _code(scene, found)
    _export(scene, titles, list(found.values()), both)


def _networks(dataset: str) -> dict[str, Network]:
    """Those that are whole on this server, the weight rising."""
    found = {}
    ready = networks.ready(dataset)
    for code in (one for one in ORDER if one in ready):
        try:
            found[code] = networks.bundled(dataset, networks.FLAT[code])
        except DlvizError as error:
            st.warning(say(error), icon=":material/broken_image:")
    return found


def _one(scene: Scene, title: str, network: Network, located: Located) -> None:
    st.markdown(f"**{title}**")
    left, right = st.columns(2)
    left.image(inputs.enlarged(scene.given.pixels, 84), width=84, output_format="PNG", caption=_("goes in"))
    right.image(inputs.enlarged(located.pixels, 84), width=84, output_format="PNG", caption=_("comes back"))
    charts.show(
        small_map(scene, network, located),
        key=f"vae_beta_map_{network.name}",
        alt=_("The map of the network {title}.", title=title),
    )
    extent = vae_map.extent(network.codes)
    plane = network.run(vae_map.plane, extent=extent, steps=STEPS)
    st.image(
        mosaic.png(inputs.grey(plane.mosaic)),
        width="stretch",
        output_format="PNG",
        caption=_("What the decoder makes of this map"),
    )


def small_map(scene: Scene, network: Network, located: Located) -> Any:
    """The map of a network with the visitor's picture on it, as a figure."""
    codes = network.codes
    figure = figures.latent_map(
        codes.mean,
        codes.label,
        classes=scene.classes,
        axes=walk_axes(),
        own=[figures.Own(located.posterior.mean, located.posterior.sigma, scene.given.name)],
        height=280,
    )
    return figure.update_xaxes(title=None).update_yaxes(title=None)


def walk_axes() -> tuple[str, str]:
    """The names of the two axes."""
    return ("z<sub>1</sub>", "z<sub>2</sub>")


def bars(titles: list[str], both: list[TwoTerms]) -> Any:
    """The two terms by network as a figure."""
    return figures.two_terms(
        titles,
        [one.reconstruction for one in both],
        [one.kl for one in both],
        names=(_("reconstruction"), "KL"),
        axis=_("nats a picture"),
    )


def table(titles: list[str], found: list[Network]) -> dict[str, list[str]]:
    """What the networks reach on the test set."""
    over = [terms.over_the_test_set(one) for one in found]
    return {
        _("On the test set"): titles,
        _("reconstruction, nats"): [number(one.reconstruction, 1) for one in over],
        _("KL, nats"): [number(one.kl, 1) for one in over],
        _("named rightly by ten neighbours"): [_neighbours(one.name) for one in found],
        _("side of the map"): [number(_side(one), 1) for one in found],
    }


def _say_where_a_small_weight_gains_nothing(found: dict[str, Network]) -> None:
    """The test pictures decide: with two numbers a code, a weaker second term may only fit the training pictures."""
    if not {"low", "1"} <= found.keys():
        return
    low, one = (terms.over_the_test_set(found[code]).reconstruction for code in ("low", "1"))
    if low > one - 0.5:
        st.caption(
            _(
                "β = 0.25 brings test pictures back no better than β = 1 ({low} and {one} nats): what two numbers can hold "
                "is used up, and the rest is learnt by heart from the training pictures.",
                low=number(low, 1),
                one=number(one, 1),
            )
        )


def _neighbours(name: str) -> str:
    found = {metric.name: metric.value for metric in zoo.card(name).metrics}
    return percent(found["Accuracy of the ten nearest neighbours"])


def _side(network: Network) -> float:
    left, right, _bottom, _top = vae_map.extent(network.codes)
    return right - left


def _maths(both: list[TwoTerms], found: list[Network]) -> None:
    live = r"\quad ".join(
        rf"\beta = {network.beta:g}:\; {one.reconstruction:.1f} + {network.beta:g} \cdot {one.kl:.1f} = {one.loss:.1f}"
        for one, network in zip(both, found, strict=True)
        if network.variational
    )
    lesson.maths(
        [
            lesson.Formula(
                _(
                    "Training makes this small; β says how much a nat of KL counts against a nat of reconstruction."
                ),
                r"\mathcal{L}_\beta(x) = -\mathbb{E}_{q(z|x)}[\log p(x \mid z)] + \beta\, "
                r"\mathrm{KL}\bigl(q(z \mid x)\,\|\,p(z)\bigr)",
                live,
            )
        ]
    )


def _code(scene: Scene, found: dict[str, Network]) -> None:
    first = next(iter(found.values()))
    lesson.code(
        [
            (
                _("One network after the other locates the picture; here the first:"),
                vae.locate,
                {"picture": scene.given.source},
            ),
            (
                _("And its decoded plane:"),
                vae_map.plane,
                {"extent": vae_map.extent(first.codes), "steps": STEPS},
            ),
        ],
        model=first.model,
    )


def _export(scene: Scene, titles: list[str], found: list[Network], both: list[TwoTerms]) -> None:
    def plane(network: Network) -> Any:
        extent = vae_map.extent(network.codes)
        return lambda: mosaic.png(inputs.grey(network.run(vae_map.plane, extent=extent, steps=STEPS).mosaic))

    export.panel(
        "vae_beta",
        figures={_("The two terms of your picture by network"): lambda: bars(titles, both)},
        pictures={
            _("The decoded plane: {title}", title=title): plane(one)
            for title, one in zip(titles, found, strict=True)
        },
        tables={
            _("The two terms by network"): lambda: [
                {
                    "network": one.name,
                    "beta": one.beta,
                    "reconstruction_nats": term.reconstruction,
                    "kl_nats": term.kl,
                }
                for one, term in zip(found, both, strict=True)
            ]
        },
        arrays={
            _("The reconstructions as numbers"): lambda: {
                one.name: np.asarray(one.run(vae.locate, picture=scene.given.pixels).pixels) for one in found
            }
        },
    )
