"""The bundled autoencoders as they are shipped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dlviz import zoo
from dlviz.errors import DlvizError
from dlviz.recipes import vae as recipe
from dlviz.vision.vae import read_codes
from dlviz.zoo import datasets
from dlviz.zoo.vae_cards import NAMES


def measured(name: str) -> dict[str, float]:
    return {metric.name: metric.value for metric in zoo.card(name).metrics}


def test_all_ten_are_here_and_small() -> None:
    cards = [zoo.card(name) for name in NAMES]
    weights = [file.size for card in cards for file in card.files if file.name == "weights.safetensors"]
    assert len(weights) == 10
    assert sum(weights) < 8e6, "the weights"
    assert sum(card.size for card in cards) < 8 * 2**20, "the weights and the stored codes"


@pytest.mark.parametrize(("name", "bar"), [("mnist-vae-2d", 138), ("mnist-vae-16d", 96)])
def test_the_bars_are_kept(name: str, bar: float) -> None:
    assert measured(name)["Negative ELBO"] <= bar


@pytest.mark.parametrize("name", NAMES)
def test_every_card_is_that_of_its_network(name: str) -> None:
    card, network = zoo.card(name), zoo.load(name)
    assert card.parameters == sum(p.numel() for p in network.parameters())
    assert network.variational == ("-vae-" in name)
    assert ("KL divergence" in measured(name)) == network.variational
    codes = read_codes(str(zoo.file(name, "codes.safetensors")))
    assert codes.mean.shape == (5000, network.latent)
    assert set(np.unique(codes.label)) == set(range(10))


@pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist"])
def test_beta_trades_reconstruction_for_structure(dataset: str) -> None:
    low, one, high = (measured(f"{dataset}-vae-2d{end}") for end in ("-beta-low", "", "-beta-high"))
    assert low["KL divergence"] > one["KL divergence"] > high["KL divergence"]
    assert high["Reconstruction"] > low["Reconstruction"]


@pytest.mark.parametrize("name", NAMES)
def test_the_figures_are_those_of_the_shipped_weights(name: str) -> None:
    """Where the pictures are on this machine: five hundred test pictures against what is stored for them."""
    settings = recipe.MODELS[name]
    try:
        test = datasets.grey_images(settings.dataset, "test")
    except DlvizError as missing:
        pytest.skip(str(missing))
    network = zoo.load(name)
    codes = read_codes(str(zoo.file(name, "codes.safetensors")))
    x = torch.from_numpy(test.images[:500].copy()).unsqueeze(1).float() / 255
    with torch.no_grad():
        mean, _ = network.encode(x)
    np.testing.assert_allclose(codes.mean[:500], mean.numpy(), atol=5e-3, rtol=2e-3)
    np.testing.assert_array_equal(codes.label[:500], test.labels[:500])
    part = datasets.GreyImages(test.classes, test.images[::10], test.labels[::10])
    again = recipe.evaluate(network, part, seed=1, draws=2)
    assert again["reconstruction"] == pytest.approx(measured(name)["Reconstruction"], rel=0.05)
