"""Where the page's pictures come from: a canvas, a photo, or samples that are always here."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import streamlit as st

from dlviz import zoo
from dlviz.errors import DlvizError, Refused
from dlviz.figures import mosaic
from dlviz.ui import compute, controls, uploads
from dlviz.ui.components import drawing
from dlviz.ui.language import _, say
from dlviz.ui.snippet import Source
from dlviz.views.vae import networks
from dlviz.vision import vae, vae_input
from dlviz.vision.vae_results import Picture, Prepared

SIZE = 112
"""Side of the canvas in pixels: four for each one that the network receives."""

PHOTOS = ("chelsea", "coffee", "camera")
_FIRST = {"mnist": "d3", "fashion-mnist": "m0"}
_THUMBNAIL = 48
_LOOKS = f"""
KEY button {{height: auto; min-width: 0; padding: 4px; border-radius: 8px}}
KEY img {{height: {_THUMBNAIL}px; width: {_THUMBNAIL}px; max-height: none; object-fit: fill}}
KEY img {{border-radius: 5px; image-rendering: pixelated}}
"""


@dataclass(frozen=True, slots=True)
class Given:
    """A picture as the network receives it, the steps to there, and how a notebook gets it."""

    pixels: Picture
    prepared: Prepared | None
    source: Source
    name: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture of 28 x 28 that is always here: its name, and how a notebook gets it."""

    pixels: Picture
    title: str
    source: Source


def picture(prefix: str, dataset: str, label: str, *, first: str = "") -> Given:
    """Widgets to choose a picture, and the picture: always one, whatever is in the link.

    Parameters
    ----------
    prefix
        ``<stem>`` or ``<stem>_<name>``: the link carries ``<prefix>_source``, ``<prefix>_sample``,
        ``<prefix>_drawing`` and ``<prefix>_photo``.
    label
        What the picture is for, in the visitor's language.
    first
        Code of the sample to begin with.
    """
    source = controls.choice(
        label,
        {
            "draw": ":material/draw: " + _("Draw"),
            "sample": ":material/photo_library: " + _("Sample"),
            "photo": ":material/photo_camera: " + _("Photo"),
        },
        key=f"{prefix}_source",
        wrap=True,
    )
    if source != "sample":
        given = (_drawn if source == "draw" else _photo)(prefix, dataset)
        if given is not None:
            return given
    offered = samples(dataset)
    first = first if first in offered else _FIRST[dataset]
    return _sample(prefix, offered, first) if source == "sample" else _as_given(offered[first])


def _drawn(prefix: str, dataset: str) -> Given | None:
    key = f"{prefix}_drawing"
    said = _("Draw a digit") if dataset == "mnist" else _("Draw a garment")
    pixels = drawing.canvas(key, label=said, size=SIZE, width=20.0, pen=22)
    if pixels is None:
        st.caption(_("The canvas is empty: until you draw, a sample is shown."))
        return None
    return _prepared(pixels, dataset, drawing.notebook_source(key, size=SIZE), _("your drawing"))


def _photo(prefix: str, dataset: str) -> Given | None:
    key = f"{prefix}_photo"
    photo = uploads.photo_input(key, samples=PHOTOS, default=PHOTOS[0], label=_("Photo"))
    st.image(photo.pixels, width=160)
    return _prepared(
        photo.pixels, dataset, uploads.notebook_source(key, default=PHOTOS[0]), _("your picture")
    )


def _prepared(image: np.ndarray, dataset: str, source: Source, name: str) -> Given | None:
    """Through the same steps as the training data; a blank picture is refused in words."""
    try:
        found = compute.run(vae_input.prepare, image=image, kind=dataset)
    except Refused as refusal:
        st.warning(say(refusal), icon=":material/block:")
        return None
    expression = f"vae_input.prepare({source.expression}, kind={dataset!r}).pixels"
    imports = (*source.imports, "from dlviz.vision import vae_input")
    return Given(found.pixels, found, Source(expression, imports), name)


def _as_given(sample: Sample) -> Given:
    return Given(sample.pixels, None, sample.source, _("the sample"))


def _sample(prefix: str, offered: Mapping[str, Sample], first: str) -> Given:
    key = f"{prefix}_sample"
    st.html(f"<style>{_LOOKS.replace('KEY', f'.st-key-{key}_choice')}</style>")
    # A digit says itself which one it is; a garment has its name beside it.
    titles = {
        code: f"![{one.title}]({_thumbnail(one.pixels.tobytes())})"
        + ("" if one.title.isdigit() else f" {one.title}")
        for code, one in offered.items()
    }
    code = controls.choice(
        _("Samples"), titles, key=key, default=first, style="pills", label_visibility="collapsed", wrap=True
    )
    if code.startswith("d"):
        st.caption(_("A digit of scikit-learn's own set, 8 × 8 grey levels, enlarged as MNIST is."))
    else:
        st.caption(_("Drawn by our network of 16 dimensions from the stored code of a test picture."))
    return _as_given(offered[code])


def samples(dataset: str) -> dict[str, Sample]:
    """The samples of a data set by their codes in links: scikit-learn's digits, and what a network draws."""
    return ({} if dataset != "mnist" else _digits()) | _by_the_network(dataset)


def _digits() -> dict[str, Sample]:
    """One of scikit-learn's digits for each class."""
    found = compute.run(vae_input.sample_digits)
    places = [int(np.flatnonzero(found.labels == label)[3]) for label in range(10)]
    imports = ("from dlviz.vision import vae_input",)
    return {
        f"d{label}": Sample(
            found.images[place], str(label), Source(f"vae_input.sample_digits().images[{place}]", imports)
        )
        for label, place in enumerate(places)
    }


def _by_the_network(dataset: str) -> dict[str, Sample]:
    """One picture a class, decoded from the code of the test picture whose error is the median."""
    kind = "vae-16d" if zoo.status(f"{dataset}-vae-16d") == "ready" else "vae-2d"
    try:
        network = networks.bundled(dataset, kind)
    except DlvizError:
        return {}
    names = networks.class_names(dataset)
    chosen = [_typical(network, label) for label in range(len(names))]
    pixels = network.run(vae.decode, codes=network.codes.mean[chosen]).pixels
    imports = ("from dlviz import zoo", "from dlviz.vision import vae")
    sources = [
        Source(
            f"vae.decode(zoo.load({network.name!r}), {_written(network.codes.mean[i])}).pixels[0]", imports
        )
        for i in chosen
    ]
    return {f"m{label}": Sample(pixels[label], name, sources[label]) for label, name in enumerate(names)}


def _typical(network: networks.Network, label: int) -> int:
    rows = np.flatnonzero(network.codes.label == label)
    return int(rows[np.argsort(network.codes.error[rows], kind="stable")[len(rows) // 2]])


def _written(code: np.ndarray) -> str:
    return "[" + ", ".join(f"{float(value):.7g}" for value in code) + "]"


@lru_cache(maxsize=128)
def _thumbnail(pixels: bytes) -> str:
    """A picture as a PNG in a data URI, under a kilobyte."""
    png = mosaic.png(grey(np.frombuffer(pixels, np.uint8).reshape(28, 28)))
    return "data:image/png;base64," + base64.b64encode(png).decode()


def grey(pixels: np.ndarray) -> np.ndarray:
    """Grey levels as RGB."""
    return np.repeat(pixels[..., None], 3, axis=-1)


def enlarged(pixels: np.ndarray, side: int = 168) -> bytes:
    """A small grey picture as PNG with exact pixels, about ``side`` wide."""
    times = max(1, round(side / pixels.shape[1]))
    return mosaic.png(grey(pixels.repeat(times, axis=0).repeat(times, axis=1)))


def square(pixels: np.ndarray) -> np.ndarray:
    """A picture in the middle of a black square: a tall box of ink keeps its shape."""
    height, width = pixels.shape
    sheet = np.zeros((max(height, width),) * 2, np.uint8)
    top, left = (len(sheet) - height) // 2, (len(sheet) - width) // 2
    sheet[top : top + height, left : left + width] = pixels
    return sheet


def show_steps(given: Given, key: str) -> None:
    """The steps from the visitor's picture to what the network receives; drawn when they are asked for."""
    opened = st.expander(
        _("How the picture was made ready"),
        icon=":material/center_focus_strong:",
        on_change="rerun",
        key=key,
    )
    if not opened.open:
        return
    with opened:
        if given.prepared is None:
            st.markdown(
                _("This sample already has the size, the place and the colours of the training pictures.")
            )
            return
        words = step_words()
        if given.prepared.inverted and not any(step.name == "inverted" for step in given.prepared.steps):
            words["light"] = _(
                "Shade is taken out, and dark ink on light paper is turned over: ink is white."
            )
        with st.container(horizontal=True, gap="small"):
            for step in given.prepared.steps:
                st.image(
                    enlarged(square(step.picture), 96),
                    width=96,
                    output_format="PNG",
                    caption=words[step.name],
                )


def step_words() -> dict[str, str]:
    """What each step of the preparation does."""
    return {
        "grey": _("Colours become grey levels."),
        "light": _("Shade and uneven light are taken out."),
        "inverted": _("Dark ink on light paper is turned over: ink is white."),
        "threshold": _("What is fainter than ink becomes black."),
        "stroke": _("The stroke is brought to the width that the training pictures have."),
        "box": _("Only the box around the ink is kept."),
        "scaled": _("The box is brought to the size that the training pictures have."),
        "sharpened": _("Its grey levels use the whole range again."),
        "centred": _("It is set in the middle of 28 × 28 pixels."),
    }
