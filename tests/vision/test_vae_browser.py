"""The decoder as the browser receives it: whole, in half precision, and no other network than it knows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlviz.ui.shared_results import freeze
from dlviz.vision.vae_browser import decoder_payload
from dlviz.vision.vae_network import ConvVAE

STEPS = {
    "linear": lambda x, layer: F.linear(x, *_tensors(layer)),
    "silu": lambda x, layer: F.silu(x),
    "unflatten": lambda x, layer: x.reshape(-1, *layer.shape),
    "deconvolution": lambda x, layer: F.conv_transpose2d(
        x, *_tensors(layer), stride=layer.stride, padding=layer.padding
    ),
}


def _tensors(layer):
    return torch.tensor(layer.weight.astype(np.float32)), torch.tensor(layer.bias.astype(np.float32))


@pytest.mark.parametrize("latent", [2, 16])
def test_the_layers_one_by_one_are_the_decoder(latent):
    torch.manual_seed(1)
    network = ConvVAE(latent).half().float().eval()  # as the bundled weights: half precision loses nothing
    payload = decoder_payload(network)
    z = torch.randn(5, latent)
    x = z
    for layer in payload.layers:
        x = STEPS[layer.kind](x, layer)
        assert x.shape[1:] == layer.shape
    with torch.no_grad():
        assert torch.allclose(x, network.decode(z), atol=1e-5)
    assert payload.latent == latent and payload.nbytes == 2 * sum(
        p.numel() for p in network.decoder.parameters()
    )
    assert payload.nbytes < 520_000


def test_the_payload_can_be_shared_between_visitors():
    payload = decoder_payload(ConvVAE(2))
    assert freeze(payload) > payload.nbytes
    assert not payload.layers[0].weight.flags.writeable
    assert {layer.weight.dtype for layer in payload.layers} == {np.dtype(np.float16)}


def test_a_layer_that_the_browser_does_not_know_is_an_error():
    network = ConvVAE(2)
    network.decoder[1] = nn.GELU()
    with pytest.raises(TypeError, match="GELU"):
        decoder_payload(network)
    network = ConvVAE(2)
    network.decoder = nn.Sequential(*list(network.decoder)[:-1])
    with pytest.raises(TypeError, match="not a picture"):
        decoder_payload(network)
