"""What the page is about: a data set, a network with a map, the visitor's picture, and where it lands."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dlviz import zoo
from dlviz.errors import DlvizError
from dlviz.figures import vae as figures
from dlviz.ui import charts, controls
from dlviz.ui.language import _, number, percent, say
from dlviz.views.vae import inputs, networks
from dlviz.views.vae.inputs import Given
from dlviz.views.vae.networks import Network
from dlviz.vision import vae
from dlviz.vision.vae_results import Located, Standing


@dataclass(frozen=True, slots=True)
class Scene:
    """The visitor's choices, and where the picture lands on the map of the chosen network."""

    dataset: str
    network: Network
    given: Given
    located: Located
    standing: Standing
    classes: list[str]


def network() -> tuple[str, Network | None]:
    """The widgets for data set and network; None where no network is on this server."""
    left, right = st.columns(2, gap="large")
    with left:
        dataset = controls.choice(
            _("Data set"),
            {"mnist": _("MNIST: digits"), "fashion-mnist": _("Fashion-MNIST: clothes")},
            key="vae_data",
            wrap=True,
        )
    with right:
        return dataset, _choose(dataset)


def picture_beside(dataset: str, network: Network) -> tuple[Scene, DeltaGenerator]:
    """The visitor's picture in a narrow column, and the wide one beside it, still empty."""
    left, right = st.columns([4, 7], gap="large")
    with left:
        found = _located(dataset, network, inputs.picture("vae", dataset, _("Your picture")))
        _pictures(found)
        _tell(found)
        _warn(found)
        inputs.show_steps(found.given, "vae_steps")
    return found, right


def picture_above(dataset: str, network: Network) -> Scene:
    """The visitor's picture, and what comes back, above what follows."""
    left, right = st.columns([4, 7], gap="large")
    with left:
        found = _located(dataset, network, inputs.picture("vae", dataset, _("Your picture")))
    with right:
        _pictures(found)
        _tell(found)
        _warn(found)
        inputs.show_steps(found.given, "vae_steps")
    return found


def _choose(dataset: str) -> Network | None:
    """The network whose map is shown: one of ours, or the one that the visitor has trained."""
    offered = networks.ready(dataset)
    if len(offered) < len(networks.FLAT):
        _say_what_is_broken(dataset)
    own = networks.kept(dataset)
    if own is not None:
        offered[networks.OWN] = own.title
    if not offered:
        st.error(_("No model of this kind is on this server. Whoever runs it can download one."))
        return None
    code = controls.choice(_("Network with a map"), offered, key="vae_model", default="1", wrap=True)
    try:
        return (
            own
            if own is not None and code == networks.OWN
            else networks.bundled(dataset, networks.FLAT[code])
        )
    except DlvizError as error:
        st.error(say(error), icon=":material/broken_image:")
        return None


def _say_what_is_broken(dataset: str) -> None:
    for kind in networks.FLAT.values():
        name = f"{dataset}-{kind}"
        if zoo.status(name) == "broken":
            try:
                zoo.load(name)
            except DlvizError as error:
                st.warning(say(error), icon=":material/broken_image:")


def _located(dataset: str, network: Network, given: Given) -> Scene:
    located = network.run(vae.locate, picture=given.pixels)
    standing = vae.standing(network.codes, error=located.error, mean=located.posterior.mean)
    return Scene(dataset, network, given, located, standing, networks.class_names(dataset))


def _pictures(found: Scene) -> None:
    """What goes in and what comes back, side by side on a phone too."""
    with st.container(horizontal=True, gap="small"):
        st.image(
            inputs.enlarged(found.given.pixels),
            width=140,
            output_format="PNG",
            caption=_("Goes in: 28 × 28 grey levels"),
            alt=_("What the network receives."),
        )
        st.image(
            inputs.enlarged(found.located.pixels),
            width=140,
            output_format="PNG",
            caption=_("Comes back from two numbers"),
            alt=_("What the network makes of it."),
        )


def _warn(found: Scene) -> None:
    """Say so when the picture is far from the training data."""
    if not found.standing.far:
        return
    st.warning(
        _(
            "This picture is far from what the network was trained on: {share} of the test pictures come back "
            "with a smaller error. Read all that follows with that in mind.",
            share=percent(found.standing.percentile / 100),
        ),
        icon=":material/warning:",
    )


def _tell(found: Scene) -> None:
    mean = found.located.posterior.mean
    st.markdown(_("It lands at ({x}, {y}).", x=round(float(mean[0]), 2), y=round(float(mean[1]), 2)))
    votes = round(10 * float(found.standing.votes.max()))
    if found.network.codes.label.max(initial=-1) >= 0:
        st.markdown(
            _(
                "Of its ten nearest test pictures, {count} are: **{name}**.",
                count=votes,
                name=found.classes[found.standing.nearest],
            )
        )
    st.markdown(
        _(
            "Error {error} nats: {share} of the test pictures come back better.",
            error=number(found.standing.error, 1),
            share=percent(found.standing.percentile / 100, 0),
        )
    )


def place_among(found: Scene) -> None:
    """The histogram of the test errors with this picture's own."""
    words = figures.PlaceWords(error=_("error in nats"), count=_("test pictures"), yours=_("your picture"))
    charts.show(
        figures.place_among(found.network.codes.error, found.standing.error, words),
        key="vae_place",
        alt=_("Where the error of your picture stands among those of the test pictures."),
    )
