"""Where a picture lands in a latent space, and what comes back from there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors.numpy import load_file
from torch import Tensor

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.vision.vae_network import SIDE, ConvVAE, reconstruction_loss
from dlviz.vision.vae_results import (
    LEAST_LOG_VARIANCE,
    LOG_VARIANCE_STEP,
    Codes,
    Decoded,
    Located,
    Picture,
    Pictures,
    Posterior,
    Standing,
    TrainedVAE,
)

FAR = 98.0
"""Percentile of the test errors above which a picture counts as far from the training data."""

Numbers = Sequence[float] | Sequence[Sequence[float]] | np.ndarray


def locate(network: ConvVAE | TrainedVAE, picture: Picture) -> Located:
    r"""Encode a picture, and decode the mean of its code: one trip through the network and back.

    $$ q(z \mid x) = \mathcal N\bigl(\mu(x), \sigma^2(x)\bigr), \qquad \hat x = \mathrm{sigmoid}\,f(\mu(x)) $$

    Kingma, Welling, *Auto-Encoding Variational Bayes* (ICLR 2014).

    Args:
        network: the autoencoder, or one that was trained live.
        picture: bytes, white ink on black.

    Raises:
        Refused: the picture is not 28 x 28 bytes.
    """
    model = as_network(network)
    x = network_input(model, picture[None])
    with torch.inference_mode():
        mean, log_variance = model.encode(x)
        logits = model.decode(mean)
        return located(mean, log_variance, logits, reconstruction_loss(logits, x).item())


def encode(network: ConvVAE | TrainedVAE, picture: Picture) -> Posterior:
    r"""The Gaussian $q(z \mid x)$ that the encoder answers a picture with; a point for a plain autoencoder.

    Args:
        network: the autoencoder, or one that was trained live.
        picture: bytes, white ink on black.

    Raises:
        Refused: the picture is not 28 x 28 bytes.
    """
    model = as_network(network)
    with torch.inference_mode():
        mean, log_variance = model.encode(network_input(model, picture[None]))
    return Posterior(to_numpy(mean[0]), None if log_variance is None else to_numpy(log_variance[0]))


def decode(network: ConvVAE | TrainedVAE, codes: Numbers) -> Decoded:
    r"""The pictures that the decoder makes of codes: $p_i = \mathrm{sigmoid}\,f_i(z)$, as bytes.

    Args:
        network: the autoencoder, or one that was trained live.
        codes: one code `(latent,)` or many `(picture, latent)`.

    Raises:
        Refused: a code has another number of dimensions, or a number in it is not finite.
    """
    model = as_network(network)
    given = checked_codes(model, codes)
    with torch.inference_mode():
        logits = model.decode(torch.from_numpy(given).to(device_of(model)))
        pixels = _bytes(logits)
    return Decoded(given, to_numpy(logits[:, 0]), pixels)


def sample_prior(
    network: ConvVAE | TrainedVAE, *, count: int = 16, temperature: float = 1.0, seed: int = 0
) -> Decoded:
    r"""New pictures: codes drawn from the prior, $z = \tau\varepsilon$ with $\varepsilon \sim \mathcal N(0, I)$.

    A temperature $\tau < 1$ stays near the centre, where the decoder has seen most codes: safer pictures, and
    fewer kinds of them. At $\tau = 1$ the draws follow the model itself.

    Args:
        network: the autoencoder, or one that was trained live.
        count: how many pictures.
        temperature: $\tau$, not negative.
        seed: same seed, same pictures, at every temperature from the same noise.
    """
    model = as_network(network)
    noise = first_noises(count, model.latent, seed)
    return decode(model, np.float32(temperature) * noise)


def read_codes(path: str) -> Codes:
    """The stored codes of the test pictures, brought from half precision and bytes to float32.

    Args:
        path: of a `codes.safetensors` that the recipe wrote.
    """
    stored = load_file(path)
    spread = stored.get("log_variance")
    return Codes(
        stored["mean"].astype(np.float32),
        None if spread is None else LEAST_LOG_VARIANCE + LOG_VARIANCE_STEP * spread.astype(np.float32),
        stored["label"].astype(np.int64),
        stored["error"].astype(np.float32),
    )


def standing(codes: Codes, *, error: float, mean: Numbers, neighbours: int = 10) -> Standing:
    """How one picture compares with the test set: its reconstruction error, and who its neighbours are.

    A network encodes whatever it is given. What it was not trained on comes back badly, so that the
    rank of the error among those of the test pictures tells the two apart: above the 98th percentile, only
    one test picture in fifty is as strange.

    Args:
        codes: of the test pictures, by the same network.
        error: the picture's reconstruction loss from the mean of its code, in nats.
        mean: of its code.
        neighbours: how many of the nearest test pictures to ask for their class.
    """
    percentile = 100 * float(np.mean(codes.error < error))
    distance = np.square(codes.mean - np.asarray(mean, np.float32)).sum(axis=1)
    nearest = np.argsort(distance, kind="stable")[:neighbours]
    counts = np.bincount(codes.label[nearest].clip(0), minlength=int(codes.label.max(initial=0)) + 1)
    votes = (counts / max(len(nearest), 1)).astype(np.float32)
    return Standing(error, percentile, FAR, percentile > FAR, nearest, votes)


def as_network(network: ConvVAE | TrainedVAE) -> ConvVAE:
    """The network itself; one that was trained live is put together again from its numbers."""
    if isinstance(network, ConvVAE):
        return network
    arguments: dict[str, Any] = dict(network.arguments)
    with torch.device(
        "meta"
    ):  # no random first weights, which would also use up the random numbers of others
        model = ConvVAE(**arguments)
    weights = {
        name: torch.from_numpy(w.copy()) for name, w in zip(network.names, network.weights, strict=True)
    }
    model.load_state_dict(weights, assign=True)
    return model.eval().requires_grad_(False)


def network_input(model: ConvVAE, pictures: Pictures) -> Float[Tensor, "picture 1 28 28"]:
    """Bytes to grey levels between 0 and 1, on the network's device."""
    if pictures.dtype != np.uint8 or pictures.shape[1:] != (SIDE, SIDE):
        raise Refused(N_("The network takes grey pictures of {side} × {side} pixels."), side=SIDE)
    return torch.tensor(pictures, device=device_of(model)).unsqueeze(1).float() / 255


@lru_cache(maxsize=16)
def first_noises(count: int, latent: int, seed: int) -> Float[np.ndarray, "draw latent"]:
    """The first standard normal draws of a seed, read-only; a longer list begins with the shorter one.

    NumPy's and not PyTorch's, which fills small and large tensors in different orders. They are kept, because
    a visitor who draws asks for the same ones after every stroke.
    """
    noises = np.random.default_rng(seed).standard_normal((count, latent), dtype=np.float32)
    noises.setflags(write=False)
    return noises


def checked_codes(model: ConvVAE, codes: Numbers) -> Float[np.ndarray, "picture latent"]:
    """Codes as a table of float32, one a row."""
    given = np.atleast_2d(np.asarray(codes, np.float32))
    if given.ndim != 2 or given.shape[1] != model.latent:
        raise Refused(
            N_("A code of this model has {expected} numbers, not {given}."),
            expected=model.latent,
            given=int(given.shape[-1]),
        )
    if not np.isfinite(given).all():
        raise Refused(N_("A code holds a number that is not finite."))
    return given


def device_of(model: ConvVAE) -> torch.device:
    """Where the network's weights are."""
    return next(model.parameters()).device


def to_numpy(values: Tensor) -> np.ndarray:
    """Float32 numbers on the CPU."""
    return values.detach().float().cpu().numpy()


def located(mean: Tensor, log_variance: Tensor | None, logits: Tensor, error: float) -> Located:
    """What a batch's first picture became, on the CPU."""
    spread = None if log_variance is None else to_numpy(log_variance[0])
    return Located(Posterior(to_numpy(mean[0]), spread), to_numpy(logits[0, 0]), _bytes(logits[:1])[0], error)


def _bytes(logits: Float[Tensor, "picture 1 28 28"]) -> Pictures:
    """Grey levels 0..255 of the pixels' probabilities."""
    return (logits[:, 0].sigmoid() * 255).round().to(torch.uint8).cpu().numpy()
