"""What several sections share: the visitor's photo and network, and the choice of a layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlviz.intake import Photo
from dlviz.ui import controls, uploads
from dlviz.ui.language import _
from dlviz.ui.snippet import Source
from dlviz.vision.results import Layer, NetworkOutline

PHOTO = "cnn_filters_photo"


@dataclass(frozen=True, slots=True)
class Scene:
    """What the page looks at: a photo, the name of a network in the zoo, and its outline."""

    photo: Photo
    model: str
    network: NetworkOutline

    @property
    def image(self) -> Source:
        """How a notebook gets the photo."""
        return uploads.notebook_source(PHOTO)


def kinds() -> dict[str, str]:
    """The kinds of layer in the visitor's language."""
    return {
        "conv": _("convolution"),
        "linear": _("linear map"),
        "norm": _("normalisation"),
        "activation": _("activation"),
        "pool": _("pooling"),
        "sum": _("residual sum"),
        "scale": _("learnt scale"),
        "gate": _("gate"),
        "attention": _("attention"),
    }


def describe(layer: Layer, names: dict[str, str]) -> str:
    """A layer in one line: name, kind (called as ``names`` says), shape."""
    channels, height, width = layer.shape
    return f"{layer.name} · {names[layer.kind]} · {channels} × {height} × {width}"


def choose(label: str, layers: Sequence[Layer], *, key: str, default: str) -> str:
    """Choose one of ``layers`` by name; the name is what the link carries."""
    names = kinds()
    options = {layer.name: describe(layer, names) for layer in layers}
    return controls.choice(label, options, key=key, default=default, style="select")


def with_maps(network: NetworkOutline) -> list[Layer]:
    """The layers whose output is a stack of maps and not a vector."""
    return [layer for layer in network.layers if layer.shape[1] * layer.shape[2] > 1]
