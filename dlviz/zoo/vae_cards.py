"""The cards of the ten bundled autoencoders: two data sets, five networks each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlviz.i18n import N_
from dlviz.zoo.cards import Facts, Metric, ModelCard, Sentence, Unit

VAE = "vae"

# Title and architecture.
_KINDS: dict[str, tuple[str, str]] = {
    "vae-2d": (N_("VAE, 2 dimensions"), "Convolutional VAE (Kingma and Welling 2014)"),
    "vae-2d-beta-low": (N_("VAE, 2 dimensions, β = 0.25"), "Convolutional β-VAE (Higgins et al. 2017)"),
    "vae-2d-beta-high": (N_("VAE, 2 dimensions, β = 4"), "Convolutional β-VAE (Higgins et al. 2017)"),
    "ae-2d": (N_("Plain autoencoder, 2 dimensions"), "Convolutional autoencoder"),
    "vae-16d": (N_("VAE, 16 dimensions"), "Convolutional VAE (Kingma and Welling 2014)"),
}
_DATA: dict[str, tuple[str, str]] = {
    "mnist": (
        N_("MNIST: 60,000 handwritten digits (LeCun and colleagues, 1998)."),
        N_(
            "It has only seen single digits, white on black, centred and of one size. Whatever else it is shown "
            "comes back as something like a digit."
        ),
    ),
    "fashion-mnist": (
        N_("Fashion-MNIST: 60,000 small grey pictures of clothes, shoes and bags (Zalando, MIT licence)."),
        N_(
            "It has only seen one garment at a time, as wide as the picture and on black. Prints and small "
            "patterns are lost, and a photo of anything else comes back as something like a garment."
        ),
    ),
}
NAMES = tuple(f"{dataset}-{kind}" for dataset in _DATA for kind in _KINDS)


def vae_card(name: str, folder: Path, facts: Facts) -> ModelCard:
    """The card of one of ``NAMES``; its numbers are those that the recipe has measured."""
    dataset = next(key for key in _DATA if name.startswith(key + "-"))
    title, architecture = _KINDS[name.removeprefix(dataset + "-")]
    training_data, fails = _DATA[dataset]
    measured = facts.metrics
    return ModelCard(
        name=name,
        title=title,
        task=VAE,
        architecture=architecture,
        source="bundled",
        folder=folder,
        files=facts.files,
        licence=Sentence(N_("Our own weights, under the MIT licence of dlviz.")),
        training_data=Sentence(training_data),
        input=Sentence(N_("A grey picture of 28 × 28 pixels.")),
        fails=Sentence(fails),
        builder="dlviz.vision.vae_network:conv_vae",
        options={"arguments": measured.get("model_arguments", {})},
        recipe="dlviz.recipes.vae:train",
        recipe_options={"name": name},
        metrics=_metrics(measured),
        parameters=measured.get("parameters", 0),
    )


def _metrics(measured: Mapping[str, Any]) -> tuple[Metric, ...]:
    pictures = {"pictures": measured.get("test_pictures", 0)}
    return tuple(
        Metric(title, measured[key], Sentence(how, pictures), unit)
        for key, title, how, unit in _METRICS
        if key in measured
    )


_METRICS: tuple[tuple[str, str, str, Unit], ...] = (
    (
        "negative_elbo",
        N_("Negative ELBO"),
        N_("Reconstruction plus KL, a picture, over the {pictures} test pictures; the lower the better."),
        "nats",
    ),
    (
        "reconstruction",
        N_("Reconstruction"),
        N_("Mean of −log p(x | z) over the {pictures} test pictures, with eight codes z drawn for each."),
        "nats",
    ),
    (
        "kl",
        N_("KL divergence"),
        N_("Mean of KL(q(z | x) ‖ N(0, I)) over the {pictures} test pictures: what the code tells."),
        "nats",
    ),
    (
        "active_units",
        N_("Active dimensions"),
        N_("Dimensions whose mean varies by more than 0.01 over the {pictures} test pictures."),
        "count",
    ),
    (
        "knn_accuracy",
        N_("Accuracy of the ten nearest neighbours"),
        N_("Share of the {pictures} test pictures that the ten nearest training codes name rightly."),
        "share",
    ),
)
