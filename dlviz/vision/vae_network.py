"""A small convolutional variational autoencoder, and the plain autoencoder that it grew from.

Kingma and Welling, *Auto-Encoding Variational Bayes* (ICLR 2014); the weight on the second term is from
Higgins et al., *beta-VAE* (ICLR 2017). A 28 x 28 picture of grey levels becomes a Gaussian in a latent space
of a few dimensions, and a point of that space becomes a picture again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 28
_MAP = 7

Pictures = Float[Tensor, "batch 1 28 28"]
Codes = Float[Tensor, "batch latent"]


class Encoder(nn.Sequential):
    r"""$x \mapsto (\mu, \log\sigma^2)$: convolutions that halve the map, and one hidden layer.

    `outputs` is twice the latent dimension, or the dimension itself for a plain autoencoder, which has
    no variance to give.
    """

    def __init__(self, outputs: int, channels: tuple[int, ...], hidden: int) -> None:
        convolutions: list[nn.Module] = []
        side = SIDE
        for size_in, size_out in zip((1, *channels), channels, strict=False):
            convolutions += [nn.Conv2d(size_in, size_out, 3, stride=2, padding=1), nn.SiLU()]
            side = (side + 1) // 2  # 28 -> 14 -> 7 -> 4
        super().__init__(
            *convolutions,
            nn.Flatten(),
            nn.Linear(channels[-1] * side * side, hidden),
            nn.SiLU(),
            nn.Linear(hidden, outputs),
        )


class Decoder(nn.Sequential):
    r"""$z \mapsto$ one logit a pixel: hidden layers, a 7 x 7 map, and two transposed convolutions.

    It is kept light (half a million multiplications a picture) because the page also runs it in the
    browser while a point is dragged.
    """

    def __init__(self, latent: int, channels: tuple[int, ...], hidden: tuple[int, ...]) -> None:
        wide, narrow = channels
        layers: list[nn.Module] = []
        for size_in, size_out in zip((latent, *hidden), (*hidden, wide * _MAP * _MAP), strict=False):
            layers += [nn.Linear(size_in, size_out), nn.SiLU()]
        super().__init__(
            *layers,
            nn.Unflatten(1, (wide, _MAP, _MAP)),
            nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1),  # 7 -> 14
            nn.SiLU(),
            nn.ConvTranspose2d(narrow, 1, 4, stride=2, padding=1),  # 14 -> 28
        )


class ConvVAE(nn.Module):
    r"""Encoder $q_\phi(z \mid x) = \mathcal N(\mu, \mathrm{diag}\,\sigma^2)$ and decoder $p_\theta(x \mid z)$.

    Each pixel is a grey level $x_i \in [0, 1]$, explained by a Bernoulli variable whose logit the decoder gives.

    Parameters
    ----------
    latent
        Dimensions of the latent space.
    variational
        Without it, a plain autoencoder: the code is a point.
    encoder_channels, encoder_hidden, decoder_channels, decoder_hidden
        Widths of the layers.
    """

    def __init__(
        self,
        latent: int = 2,
        *,
        variational: bool = True,
        encoder_channels: tuple[int, ...] = (16, 32, 64),
        encoder_hidden: int = 96,
        decoder_channels: tuple[int, ...] = (16, 16),
        decoder_hidden: tuple[int, ...] = (128, 256),
    ) -> None:
        super().__init__()
        self.latent = latent
        self.variational = variational
        outputs = 2 * latent if variational else latent
        self.encoder = Encoder(outputs, tuple(encoder_channels), encoder_hidden)
        self.decoder = Decoder(latent, tuple(decoder_channels), tuple(decoder_hidden))

    def encode(self, pictures: Pictures) -> tuple[Codes, Codes | None]:
        r"""$\mu$ and $\log\sigma^2$; the second is None for a plain autoencoder."""
        heads = self.encoder(pictures)
        if not self.variational:
            return heads, None
        mean, log_variance = heads.chunk(2, dim=1)
        return mean, log_variance

    def decode(self, codes: Codes) -> Pictures:
        """Logits of the pixels; their sigmoid is the picture."""
        return self.decoder(codes)

    def forward(self, pictures: Pictures) -> Pictures:
        """The reconstruction (logits) from the mean of each picture's code, without chance."""
        return self.decode(self.encode(pictures)[0])


def reparametrise(mean: Codes, log_variance: Codes, noise: Codes) -> Codes:
    r"""$z = \mu + \sigma \odot \varepsilon$ with $\sigma = e^{\frac12 \log\sigma^2}$ (Kingma & Welling 2014, 2.4).

    The chance comes in from outside, through $\varepsilon \sim \mathcal N(0, I)$, so that the gradient with
    respect to $\mu$ and $\sigma$ passes through a sum and a product.
    """
    return mean + torch.exp(0.5 * log_variance) * noise


def kl_divergence(mean: Codes, log_variance: Codes) -> Codes:
    r"""$\mathrm{KL}\bigl(\mathcal N(\mu, \sigma^2)\,\|\,\mathcal N(0, 1)\bigr)$ of each dimension, in nats.

    $$ \tfrac12\bigl(\mu^2 + \sigma^2 - \log\sigma^2 - 1\bigr) $$

    Kingma & Welling 2014, appendix B. It is never negative, and zero where the code says nothing.
    """
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1)


def reconstruction_loss(logits: Pictures, pictures: Pictures) -> Float[Tensor, " batch"]:
    r"""$-\log p(x \mid z) = -\sum_i x_i \log p_i + (1 - x_i) \log(1 - p_i)$, in nats a picture.

    Computed from the logits: the logarithm of a rounded sigmoid would be infinite where the decoder is sure.
    """
    nats = F.binary_cross_entropy_with_logits(logits, pictures, reduction="none")
    return nats.flatten(1).sum(1)


def conv_vae(folder: Path, *, arguments: Mapping[str, Any]) -> ConvVAE:
    """The network of a bundled card; its half-precision weights are brought back to float32."""
    network = ConvVAE(**arguments)
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    return network
