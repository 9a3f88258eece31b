"""Between two pictures: straight and spherical ways in latent space, straight in pixels, and sums of codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlviz import zoo
from dlviz.errors import DlvizError
from dlviz.figures import mosaic
from dlviz.figures import vae as figures
from dlviz.ui import charts, controls, export, lesson
from dlviz.ui.components import film
from dlviz.ui.language import _, latex, percent, say
from dlviz.views.vae import inputs, networks
from dlviz.views.vae.networks import Network
from dlviz.views.vae.scene import Scene
from dlviz.vision import vae, vae_codes
from dlviz.vision.vae_results import Arithmetic, ClassMeans, Strip

FILM = 41
EVERY = 4
GAP = 4
MINE = "mine"
SECOND = {"mnist": "d8", "fashion-mnist": "m9"}


@st.fragment
def show(scene: Scene) -> None:
    """The section."""
    network = _choose(scene)
    if network is None:
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        second = inputs.picture("vae_b", scene.dataset, _("The other picture"), first=SECOND[scene.dataset])
    strips = {
        way: network.run(
            vae_codes.interpolate, first=scene.given.pixels, second=second.pixels, way=way, steps=FILM
        )
        for way in ("straight", "spherical", "pixels")
    }
    with right:
        _player(strips)
    _strips(strips)
    if network.latent == 2:
        charts.show(
            on_the_map(scene, network, strips), key="vae_ways", alt=_("The two ways on the latent map.")
        )
    st.subheader(_("Arithmetic with codes"), anchor=False)
    _arithmetic(scene, network)
    _maths(strips)
    if network.model is not None:
        arguments = {"first": scene.given.source, "second": second.source, "way": "spherical", "steps": 11}
        lesson.code(
            [
                (
                    _("The spherical way; the other two are called straight and pixels:"),
                    vae_codes.interpolate,
                    arguments,
                )
            ],
            model=network.model,
        )
    _export(strips)


def _choose(scene: Scene) -> Network | None:
    """The network with a map, or the one of 16 dimensions, whose pictures are sharper."""
    offered = {"2": _("2 dimensions: with a map")}
    if zoo.status(f"{scene.dataset}-vae-16d") == "ready":
        offered["16"] = _("16 dimensions: sharper")
    if controls.choice(_("Latent space"), offered, key="vae_between", wrap=True) == "2":
        return scene.network
    try:
        return networks.bundled(scene.dataset, "vae-16d")
    except DlvizError as error:
        st.error(say(error), icon=":material/broken_image:")
        return None


def titles() -> dict[str, str]:
    """The three ways by name."""
    return {
        "straight": _("Straight in latent space"),
        "spherical": _("Spherical in latent space"),
        "pixels": _("Straight in pixels: a double exposure"),
    }


def _player(strips: dict[str, Strip]) -> None:
    """All three ways beside each other, played together."""
    frames = [strip.pixels for strip in strips.values()]
    gap = np.full((FILM, frames[0].shape[1], GAP), 96, np.uint8)
    together = np.concatenate([frames[0], gap, frames[1], gap, frames[2]], axis=2)
    share = [_("{share} of the way", share=percent(float(t), 0)) for t in strips["straight"].at]
    film.film(
        together,
        key="vae_between_film",
        labels=tuple(share),
        title=_("Straight, spherical, pixels"),
        strip=False,
        index=FILM // 2,
        side=9.0,
    )


def _strips(strips: dict[str, Strip]) -> None:
    named = titles()
    for way, strip in strips.items():
        st.markdown(f"**{named[way]}**")
        st.image(row(strip), width="stretch", output_format="PNG")


def row(strip: Strip) -> bytes:
    """Every fourth picture of a way as one PNG."""
    pictures = inputs.grey(strip.pixels[::EVERY])
    return mosaic.png(mosaic.mosaic(pictures, columns=len(pictures), enlarge=4, gap=4))


def codes_on(strip: Strip) -> np.ndarray:
    """The codes of a way in latent space."""
    if strip.codes is None:
        raise ValueError("a way in pixels has no codes")
    return strip.codes


def on_the_map(scene: Scene, network: Network, strips: dict[str, Strip]) -> Any:
    """Both latent ways on the map as a figure."""
    figure = figures.latent_map(
        network.codes.mean,
        network.codes.label,
        classes=scene.classes,
        axes=("z<sub>1</sub>", "z<sub>2</sub>"),
    )
    named = titles()
    ways = [(named[way], codes_on(strips[way])[::EVERY]) for way in ("straight", "spherical")]
    return figures.ways_on_map(figure, ways).update_layout(margin={"t": 40})


def _arithmetic(scene: Scene, network: Network) -> None:
    means = vae_codes.class_means(network.codes)
    if len(means.labels) < 2:
        st.caption(_("These codes have no classes, so there are no class means to add and to take away."))
        return
    names = {MINE: _("your picture")} | {
        str(label): _("mean {name}", name=scene.classes[label]) for label in means.labels
    }
    chosen = []
    first, second, third = st.columns(3)
    for column, key, label, default in (
        (first, "vae_a", _("a"), MINE),
        (second, "vae_minus", _("minus b"), str(means.labels[0])),
        (third, "vae_plus", _("plus c"), str(means.labels[-1])),
    ):
        with column:
            chosen.append(controls.choice(label, names, key=key, default=default, style="select"))
    codes = [_code_of(one, scene, network, means) for one in chosen]
    result = network.run(vae_codes.arithmetic, a=codes[0], b=codes[1], c=codes[2])
    _equation(result, [names[one] for one in chosen])


def _code_of(chosen: str, scene: Scene, network: Network, means: ClassMeans) -> np.ndarray:
    if chosen == MINE:
        return network.run(vae.encode, picture=scene.given.pixels).mean
    return means.means[[str(label) for label in means.labels].index(chosen)]


def _equation(result: Arithmetic, names: list[str]) -> None:
    said = [*names, _("what that makes")]
    for column, sign, pixels, name in zip(
        st.columns(4), ("", "−", r"\+", "="), result.pixels, said, strict=True
    ):
        with column:
            st.markdown(f"{sign} {name}".strip())
            st.image(inputs.enlarged(pixels, 112), width=112, output_format="PNG")


def _maths(strips: dict[str, Strip]) -> None:
    start, stop = codes_on(strips["straight"])[[0, -1]]
    lengths = [float(np.linalg.norm(one)) for one in (start, stop)]
    cosine = float(start @ stop / max(lengths[0] * lengths[1], 1e-12))
    middle = float(np.linalg.norm((start + stop) / 2))
    turned = float(np.linalg.norm(codes_on(strips["spherical"])[FILM // 2]))
    lesson.maths(
        [
            lesson.Formula(
                _("Straight: a weighted mean of the two codes. In many dimensions its middle is too short."),
                r"z(t) = (1 - t)\, z_1 + t\, z_2",
                rf"\|z_1\| = {latex(lengths[0], 2)}, \quad \|z_2\| = {latex(lengths[1], 2)}, \quad "
                rf"\|z(\tfrac{{1}}{{2}})\| = {latex(middle, 2)}",
            ),
            lesson.Formula(
                _("Spherical: the direction turns evenly, and the length changes evenly."),
                r"u(t) = \frac{\sin((1-t)\theta)}{\sin\theta}\, u_1 + \frac{\sin(t\theta)}{\sin\theta}\, u_2",
                rf"\cos\theta = {latex(cosine, 3)}, \qquad \|z(\tfrac{{1}}{{2}})\| = {latex(turned, 2)}",
            ),
        ]
    )


def _export(strips: dict[str, Strip]) -> None:
    named = titles()

    def png(way: str) -> Any:
        return lambda: row(strips[way])

    export.panel(
        "vae_between",
        pictures={named[way]: png(way) for way in strips},
        arrays={
            _("All pictures and codes on the three ways"): lambda: {
                "at": strips["straight"].at,
                **{f"{way}_pictures": strip.pixels for way, strip in strips.items()},
                **{f"{way}_codes": strip.codes for way, strip in strips.items() if strip.codes is not None},
            }
        },
    )
