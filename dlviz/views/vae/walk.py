"""The latent map: drag a point and the decoded picture follows; undo, and replay the walk."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlviz.figures import mosaic
from dlviz.figures import vae as figures
from dlviz.ui import compute, controls, export, lesson
from dlviz.ui.components import film, latent_pad
from dlviz.ui.language import _, latex, number
from dlviz.views.vae import inputs
from dlviz.views.vae.networks import Network
from dlviz.views.vae.scene import Scene, picture_beside
from dlviz.vision import vae, vae_browser, vae_map
from dlviz.vision.vae_results import Plane

KEY = "vae_z"
STEPS = 20
MOST_FRAMES = 60
SHOWN_SAMPLES = 64

Extent = tuple[float, float, float, float]


@st.fragment
def beside(dataset: str, network: Network) -> None:
    """The section: the picture and its map, which follow a stroke of the pen without the rest of the page."""
    looking_at, place = picture_beside(dataset, network)
    with place:
        show(looking_at)


@st.fragment
def show(scene: Scene) -> None:
    """The map and what belongs to it, which follow a drag without the picture."""
    ground = controls.choice(
        _("Behind the points"),
        {"points": _("nothing"), "plane": _("the decoded plane"), "density": _("density of the codes")},
        key="vae_ground",
        wrap=True,
    )
    network = scene.network
    posterior = scene.located.posterior
    extent = area(network, posterior.mean)
    place = pad(scene, ground, extent)
    if posterior.sigma is not None:
        st.caption(
            _(
                "Each point is a test picture, at the mean of its code. The ellipses are your picture's q(z | x) at one "
                "and two standard deviations, and the small dots are draws from it. Here σ is "
                "{first} and {second}: if that is too small to see, Reparametrisation shows it from near.",
                first=round(float(posterior.sigma[0]), 3),
                second=round(float(posterior.sigma[1]), 3),
            )
        )
    else:
        st.caption(
            _(
                "Each point is the code of a test picture. A plain autoencoder gives a point and no ellipse: nothing "
                "has asked its codes to lie close together, so the ground between them is unknown to the decoder."
            )
        )
    walked = _walk(network, place.walk)
    maths(scene, place.z)
    _code(scene, place.z, extent)
    _export(scene, walked, place.walk, extent)


def area(network: Network, mean: np.ndarray) -> Extent:
    """The square part of the plane to show: nearly all test codes, and the visitor's own."""
    left, right, bottom, top = vae_map.extent(network.codes)
    x, y = (left + right) / 2, (bottom + top) / 2
    half = max((right - left) / 2, 1.1 * abs(float(mean[0]) - x), 1.1 * abs(float(mean[1]) - y))
    return (x - half, x + half, y - half, y + half)


def pad(scene: Scene, ground: str, extent: Extent) -> Any:
    """The map with the visitor's picture on it and the point to drag."""
    network, posterior = scene.network, scene.located.posterior
    start = (float(posterior.mean[0]), float(posterior.mean[1]))
    return latent_pad.latent_pad(
        KEY,
        points=network.codes.mean,
        labels=network.codes.label,
        classes=scene.classes,
        decoder=network.run(vae_browser.decoder_payload),
        start=start,
        posterior=_posterior(scene),
        background=background(network, ground, extent),
        extent=extent,
        exact=lambda z: _exact(scene, z),
        title=_("The latent map"),
        axes=("z₁", "z₂"),
        follow=f"{network.name} {scene.given.pixels.tobytes().hex()[:2000]} {start}",
    )


def _exact(scene: Scene, z: tuple[float, float]) -> np.ndarray:
    """The decoded picture of a place; that of the visitor's own code is known already."""
    if np.allclose(z, scene.located.posterior.mean, atol=1e-4):
        return scene.located.pixels
    return scene.network.run(vae.decode, codes=np.asarray(z, np.float32)).pixels[0]


def _posterior(scene: Scene) -> Any:
    posterior = scene.located.posterior
    if posterior.sigma is None or posterior.log_variance is None:
        point = np.zeros((0, 2), np.float32)
        return latent_pad.Posterior(posterior.mean, np.zeros(2, np.float32), point, name=scene.given.name)
    drawn = vae_map.samples(posterior.mean, posterior.log_variance, count=SHOWN_SAMPLES, seed=0)
    return latent_pad.Posterior(posterior.mean, posterior.sigma, drawn.codes, name=scene.given.name)


def background(network: Network, ground: str, extent: Extent) -> Any:
    """The picture behind the points, or None."""
    if ground == "plane":
        pixels = network.run(vae_map.plane, extent=extent, steps=STEPS).mosaic
        return latent_pad.Background(pixels, extent=extent, name=_("Decoded plane"))
    if ground == "density":
        found = compute.run(vae_map.density, codes=network.codes, extent=extent)
        pixels = mosaic.magnitude(np.sqrt(found.aggregated)[None])[0]
        return latent_pad.Background(pixels, extent=extent, name=_("Density of the codes"))
    return None


def thinned(walk: np.ndarray) -> np.ndarray:
    """At most :data:`MOST_FRAMES` places of a walk, the first and the last among them."""
    if len(walk) <= MOST_FRAMES:
        return walk
    return walk[np.linspace(0, len(walk) - 1, MOST_FRAMES).round().astype(int)]


def _walk(network: Network, walk: np.ndarray) -> np.ndarray | None:
    """The walk as a film; None before the first step."""
    if len(walk) < 2:
        st.caption(_("Drag the point over the map: your walk is kept here as a film."))
        return None
    places = thinned(np.asarray(walk, np.float32))
    frames = network.run(vae.decode, codes=places).pixels
    labels = tuple(f"({number(float(x), 2)} · {number(float(y), 2)})" for x, y in places)
    film.film(frames, key="vae_walk_film", labels=labels, title=_("Your walk"), loop=False)
    return frames


def maths(scene: Scene, z: tuple[float, float]) -> None:
    """Encoder and decoder, with the numbers of this picture and of this point."""
    posterior = scene.located.posterior
    mean = vector(posterior.mean)
    formulas = []
    if posterior.sigma is not None:
        formulas.append(
            lesson.Formula(
                _("The encoder answers with a Gaussian: a mean and a standard deviation for each dimension."),
                r"q(z \mid x) = \mathcal{N}\bigl(\mu(x),\, \mathrm{diag}\,\sigma^2(x)\bigr)",
                rf"\mu = {mean}, \qquad \sigma = {vector(posterior.sigma)}",
            )
        )
    else:
        formulas.append(
            lesson.Formula(
                _("The encoder of a plain autoencoder answers with a point."), r"z = f(x)", rf"z = {mean}"
            )
        )
    formulas.append(
        lesson.Formula(
            _("The decoder turns any point into a picture: one probability of ink for each pixel."),
            r"p(x_i = 1 \mid z) = \frac{1}{1 + e^{-f_i(z)}}",
            rf"z = {vector(np.asarray(z))}",
        )
    )
    lesson.maths(formulas)


def vector(values: np.ndarray, digits: int = 3) -> str:
    """Numbers as a row in LaTeX."""
    return r"\bigl(" + r",\; ".join(latex(float(v), digits) for v in values) + r"\bigr)"


def _code(scene: Scene, z: tuple[float, float], extent: Extent) -> None:
    if scene.network.model is None:
        return
    lesson.code(
        [
            (
                _("Where the picture lands, and what comes back from there:"),
                vae.locate,
                {"picture": scene.given.source},
            ),
            (_("The picture at the point that you dragged:"), vae.decode, {"codes": [z]}),
            (_("The decoded plane:"), vae_map.plane, {"extent": extent, "steps": STEPS}),
        ],
        model=scene.network.model,
    )


def own(scene: Scene) -> figures.Own:
    """The visitor's picture as a figure needs it."""
    posterior = scene.located.posterior
    return figures.Own(posterior.mean, posterior.sigma, scene.given.name)


def flat_map(scene: Scene, **looks: Any) -> Any:
    """The map as a figure."""
    codes = scene.network.codes
    return figures.latent_map(
        codes.mean, codes.label, classes=scene.classes, axes=("z<sub>1</sub>", "z<sub>2</sub>"),
        own=[own(scene)], **looks,
    )  # fmt: skip


def code_rows(network: Network) -> list[dict[str, object]]:
    """The test codes as the rows of a table."""
    codes = network.codes
    rows = []
    for i in range(len(codes)):
        row: dict[str, object] = {"label": int(codes.label[i]), "error_nats": round(float(codes.error[i]), 3)}
        for j in range(network.latent):
            row[f"mean_{j + 1}"] = round(float(codes.mean[i, j]), 4)
            if codes.log_variance is not None:
                row[f"log_variance_{j + 1}"] = round(float(codes.log_variance[i, j]), 4)
        rows.append(row)
    return rows


def _export(scene: Scene, frames: np.ndarray | None, walk: np.ndarray, extent: Extent) -> None:
    network = scene.network

    def plane() -> Plane:
        return network.run(vae_map.plane, extent=extent, steps=STEPS)

    pictures = {_("The decoded plane"): lambda: mosaic.png(inputs.grey(plane().mosaic))}
    if frames is not None:
        taken = frames
        pictures[_("Your walk as a strip")] = lambda: strip(taken)
    posterior = scene.located.posterior
    export.panel(
        "vae_walk",
        figures={_("The latent map"): lambda: flat_map(scene, height=760)},
        pictures=pictures,
        tables={_("The codes of the test pictures"): lambda: code_rows(network)},
        arrays={
            _("Your picture, its code and your walk, as numbers"): lambda: {
                "picture": scene.given.pixels,
                "reconstruction": scene.located.pixels,
                "mean": posterior.mean,
                **({} if posterior.log_variance is None else {"log_variance": posterior.log_variance}),
                "walk": np.asarray(walk, np.float32),
            }
        },
    )


def strip(frames: np.ndarray, enlarge: int = 4) -> bytes:
    """Pictures beside each other as one PNG, at most twelve in a row."""
    return mosaic.png(
        mosaic.mosaic(inputs.grey(frames), columns=min(12, len(frames)), enlarge=enlarge, gap=4)
    )
