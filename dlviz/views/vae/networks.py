"""The autoencoders of the page: those of the zoo, and the one that the visitor has trained and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from dlviz import zoo
from dlviz.ui import compute
from dlviz.ui.language import _
from dlviz.ui.snippet import Source
from dlviz.vision import vae
from dlviz.vision.vae_results import Codes, LiveTraining, TrainedVAE

T = TypeVar("T")

FLAT = {"1": "vae-2d", "low": "vae-2d-beta-low", "high": "vae-2d-beta-high", "plain": "ae-2d"}
"""Networks with a map: the code of each in links, and how its name ends in the zoo."""

BETA = {"vae-2d": 1.0, "vae-2d-beta-low": 0.25, "vae-2d-beta-high": 4.0, "ae-2d": 0.0, "vae-16d": 1.0}
OWN = "own"
KEPT = "vae_kept"
"""Where the session keeps what the visitor has trained: the name of its data, and the training."""


@dataclass(frozen=True, slots=True)
class Network:
    """One autoencoder: its name in the zoo (empty for the visitor's own), and the codes of its test pictures."""

    name: str
    title: str
    beta: float
    codes: Codes
    trained: TrainedVAE | None = None

    @property
    def variational(self) -> bool:
        """Whether its codes are Gaussians; a plain autoencoder's are points."""
        return self.codes.log_variance is not None

    @property
    def latent(self) -> int:
        """Dimensions of its latent space."""
        return int(self.codes.mean.shape[1])

    @property
    def model(self) -> str | None:
        """The name that a snippet loads it by; None for the visitor's own."""
        return self.name or None

    def run(self, function: Callable[..., T], **arguments: Any) -> T:
        """``function`` with this network first, by way of the door."""
        if self.trained is not None:
            return compute.run(function, network=self.trained, **arguments)
        return compute.run(function, model=self.name, **arguments)

    def codes_source(self) -> Source:
        """How a notebook reads its test codes."""
        return Source(
            f'vae.read_codes(str(zoo.file({self.name!r}, "codes.safetensors")))',
            ("from dlviz import zoo", "from dlviz.vision import vae"),
        )


def titles() -> dict[str, str]:
    """The networks with a map, by their code in links."""
    return {"1": _("β = 1"), "low": _("β = 0.25"), "high": _("β = 4"), "plain": _("plain autoencoder")}


def ready(dataset: str) -> dict[str, str]:
    """Those of :func:`titles` that are whole on this server."""
    named = titles()
    return {code: named[code] for code, kind in FLAT.items() if zoo.status(f"{dataset}-{kind}") == "ready"}


def bundled(dataset: str, kind: str) -> Network:
    """A network of the zoo with its test codes.

    Raises
    ------
    WeightsError
        One of its files is missing, cut short or altered.
    """
    name = f"{dataset}-{kind}"
    codes = compute.run(vae.read_codes, path=str(zoo.file(name, "codes.safetensors")))
    return Network(name, _(zoo.card(name).title), BETA[kind], codes)


def kept(dataset: str) -> Network | None:
    """The visitor's own network, where one was trained on this data set and kept."""
    held: tuple[str, LiveTraining] | None = st.session_state.get(KEPT)
    if held is None or held[0] != dataset:
        return None
    training = held[1]
    return Network("", _("your own training"), training.network.beta, training.codes, training.network)


def class_names(dataset: str) -> list[str]:
    """The ten classes in the visitor's language."""
    if dataset == "mnist":
        return [str(digit) for digit in range(10)]
    return [
        _("T-shirt"),
        _("Trousers"),
        _("Pullover"),
        _("Dress"),
        _("Coat"),
        _("Sandal"),
        _("Shirt"),
        _("Trainer"),
        _("Bag"),
        _("Ankle boot"),
    ]
