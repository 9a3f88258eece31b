"""The two terms of the loss for one picture, the draw between them, and the gradient that passes through it."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Bernoulli, Normal
from torch.distributions import kl_divergence as torch_kl

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.vision import vae
from dlviz.vision.vae_network import ConvVAE, kl_divergence, reconstruction_loss, reparametrise
from dlviz.vision.vae_results import (
    Draw,
    GradientComparison,
    GradientEstimates,
    Picture,
    Survey,
    TrainedVAE,
    TwoTerms,
)

_MOST_DRAWS = 4096


def draw(network: ConvVAE | TrainedVAE, picture: Picture, *, seed: int = 0) -> Draw:
    r"""One draw from $q(z \mid x)$ with all its numbers, and the picture it decodes to.

    $$ z = \mu + \sigma\odot\varepsilon, \qquad \sigma = e^{\frac12\log\sigma^2}, \qquad \varepsilon\sim\mathcal N(0, I) $$

    Kingma, Welling, *Auto-Encoding Variational Bayes* (ICLR 2014), section 2.4.

    Args:
        network: a variational autoencoder.
        picture: bytes, white ink on black.
        seed: of the noise; another seed is another draw from the same Gaussian.

    Raises:
        Refused: a plain autoencoder has nothing to draw from.
    """
    model = vae.as_network(network)
    mean, log_variance = _gaussian(model, picture)
    noise = _noise(model, 1, seed)
    code = reparametrise(mean, log_variance, noise)
    sigma = (0.5 * log_variance).exp()
    mu, spread, deviation, eps, z = (vae.to_numpy(one[0]) for one in (mean, log_variance, sigma, noise, code))
    return Draw(mu, spread, deviation, eps, z, vae.decode(model, z).pixels[0], seed)


def two_terms(
    network: ConvVAE | TrainedVAE, picture: Picture, *, draws: int = 32, seed: int = 0, beta: float = 1.0
) -> TwoTerms:
    r"""Reconstruction and KL of one picture, in nats.

    $$ -\mathrm{ELBO} = \underbrace{\mathbb E_{q(z\mid x)}\bigl[-\log p(x\mid z)\bigr]}_{\text{reconstruction}}
       + \underbrace{\tfrac12\sum_j\bigl(\mu_j^2 + \sigma_j^2 - \log\sigma_j^2 - 1\bigr)}_{\text{KL}} $$

    The expectation has no closed form: it is the mean over draws, with its standard error
    $s/\sqrt n$. The KL of two Gaussians has one (Kingma & Welling 2014, appendix B).

    Args:
        network: the autoencoder, or one that was trained live.
        picture: bytes, white ink on black.
        draws: how many; the decoder sees them together with the mean, in one call.
        seed: of the noise.
        beta: weight of the KL in training (Higgins et al. 2017); it changes nothing but `loss`.

    Raises:
        Refused: the number of draws is out of bounds.
    """
    return survey(network, picture, draws=draws, seed=seed, beta=beta).terms


def survey(
    network: ConvVAE | TrainedVAE, picture: Picture, *, draws: int = 32, seed: int = 0, beta: float = 1.0
) -> Survey:
    """`vae.locate` and `two_terms` at once: one call of the encoder, and one of the decoder for the mean and all draws.

    This is what the page asks for when a stroke of the pen ends.

    Args:
        network: the autoencoder, or one that was trained live.
        picture: bytes, white ink on black.
        draws: how many, for the expectation of the reconstruction.
        seed: of the noise.
        beta: weight of the KL in training.

    Raises:
        Refused: the picture is not 28 x 28 bytes, or the number of draws is out of bounds.
    """
    model = vae.as_network(network)
    _check_draws(draws)
    with torch.inference_mode():
        x = vae.network_input(model, picture[None])
        mean, log_variance = model.encode(x)
        codes, kl = mean, None
        if log_variance is not None:
            codes = torch.cat([mean, reparametrise(mean, log_variance, _noise(model, draws, seed))])
            kl = kl_divergence(mean, log_variance)[0]
        logits = model.decode(codes)
        losses = reconstruction_loss(logits, x.expand_as(logits))
        if log_variance is None:  # no chance: the one draw is the code itself
            losses = losses.repeat(2)
        terms = _terms(losses, kl, beta, seed)
        return Survey(vae.located(mean, log_variance, logits, terms.at_mean), terms)


def reference_terms(
    network: ConvVAE | TrainedVAE, picture: Picture, *, draws: int = 32, seed: int = 0, beta: float = 1.0
) -> TwoTerms:
    r"""The same two terms, asked of `torch.distributions` alone.

    `Bernoulli(logits).log_prob(x)` is $x\log p + (1-x)\log(1-p)$ for any grey level $x$ between 0 and 1,
    although a Bernoulli variable is only ever 0 or 1; that is why its check of the values is switched off.
    Over grey levels it is no density that adds up to one, and these nats compare only with each other.

    Args:
        network: the autoencoder, or one that was trained live.
        picture: bytes, white ink on black.
        draws: how many.
        seed: of the noise; the same seed gives the draws of `two_terms`.
        beta: weight of the KL in training.
    """
    model = vae.as_network(network)
    _check_draws(draws)
    with torch.no_grad():
        x = vae.network_input(model, picture[None])
        mean, log_variance = model.encode(x)
        if log_variance is None:
            return _terms(_torch_losses(model, mean, x).repeat(2), None, beta, seed)
        q = Normal(mean, (0.5 * log_variance).exp())
        codes = torch.cat([mean, q.mean + q.stddev * _noise(model, draws, seed)])
        divergence = torch_kl(q, Normal(torch.zeros_like(mean), torch.ones_like(mean)))
        return _terms(_torch_losses(model, codes, x), divergence[0], beta, seed)


def compare_gradients(
    network: ConvVAE | TrainedVAE, picture: Picture, *, draws: int = 256, seed: int = 0
) -> GradientComparison:
    r"""What the gradient of the expected reconstruction loss is with, and without, the reparametrisation.

    With $f(z) = -\log p(x\mid z)$ and $z = \mu + \sigma\odot\varepsilon$, the pathwise estimate is the chain rule through
    the draw; the score-function estimate (REINFORCE; Williams 1992) needs only the value of $f$:

    $$ \nabla_\mu f = \frac{\partial f}{\partial z} \qquad\text{against}\qquad
       \bigl(f(z) - b\bigr)\,\nabla_\mu\log q(z\mid x) $$

    Both have the same mean, the gradient of $\mathbb E_q[f]$; the second scatters far more, and still does when the mean
    of the other draws' losses is taken off as a baseline $b$. All numbers come from PyTorch's automatic differentiation.

    Args:
        network: a variational autoencoder.
        picture: bytes, white ink on black.
        draws: the same ones for all estimates; at least 2.
        seed: of the noise.

    Raises:
        Refused: a plain autoencoder has no draw, or the number of draws is out of bounds.
    """
    model = vae.as_network(network)
    _check_draws(draws, least=2)
    mean, log_variance = _gaussian(model, picture)
    x = vae.network_input(model, picture[None])
    noise = _noise(model, draws, seed)
    with torch.enable_grad():
        mu = mean.expand(draws, -1).clone().requires_grad_()
        spread = log_variance.expand(draws, -1).clone().requires_grad_()
        code = reparametrise(mu, spread, noise)
        losses = reconstruction_loss(model.decode(code), x.expand(draws, -1, -1, -1))
        pathwise = torch.autograd.grad(losses.sum(), (mu, spread))
        f, z = losses.detach(), code.detach()
        others = (f.sum() - f) / (draws - 1)
        score = _score_gradients(mu, spread, z, f)
        steadied = _score_gradients(mu, spread, z, f - others)
    return GradientComparison(
        vae.to_numpy(pathwise[0][0]),
        vae.to_numpy(pathwise[1][0]),
        _without_path(model, mean, log_variance, x),
        (_named("pathwise", pathwise), _named("score", score), _named("score_baseline", steadied)),
        seed,
    )


Gradients = tuple[Tensor, ...]


def _score_gradients(mu: Tensor, log_variance: Tensor, z: Tensor, weight: Tensor) -> Gradients:
    r"""Each draw's $w\,\nabla\log q(z)$ with respect to the mean and the log variance; the draw itself stands still."""
    log_q = Normal(mu, (0.5 * log_variance).exp()).log_prob(z).sum(dim=1)
    return torch.autograd.grad((weight * log_q).sum(), (mu, log_variance))


def _without_path(model: ConvVAE, mean: Tensor, log_variance: Tensor, x: Tensor) -> str:
    """Ask for the gradient after a direct draw, and return what PyTorch answers."""
    with torch.enable_grad(), torch.random.fork_rng(devices=[]):
        mu, spread = mean.clone().requires_grad_(), log_variance.clone().requires_grad_()
        code = Normal(mu, (0.5 * spread).exp()).sample()
        try:
            torch.autograd.grad(reconstruction_loss(model.decode(code), x).sum(), (mu, spread))
        except RuntimeError as error:
            return str(error).splitlines()[0]
    raise AssertionError("a gradient came through a draw that has none")


def _gaussian(model: ConvVAE, picture: Picture) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        mean, log_variance = model.encode(vae.network_input(model, picture[None]))
    if log_variance is None:
        raise Refused(
            N_(
                "A plain autoencoder answers with a point: there is nothing to draw. Choose a variational one."
            )
        )
    return mean, log_variance


def _noise(model: ConvVAE, draws: int, seed: int) -> Float[Tensor, "draw latent"]:
    return torch.tensor(vae.first_noises(draws, model.latent, seed), device=vae.device_of(model))


def _torch_losses(model: ConvVAE, codes: Tensor, x: Tensor) -> Float[Tensor, " draw"]:
    pixels = Bernoulli(logits=model.decode(codes), validate_args=False)
    return -pixels.log_prob(x).flatten(1).sum(dim=1)


def _terms(losses: Tensor, kl: Tensor | None, beta: float, seed: int) -> TwoTerms:
    """The first loss is that of the mean, the others those of the draws."""
    by_draw = losses[1:]
    # One draw has no spread of its own: its standard error is given as 0.
    spread, mean = torch.std_mean(by_draw.double(), correction=min(1, len(by_draw) - 1))
    error = float(spread) / math.sqrt(len(by_draw))
    by_dimension = None if kl is None else vae.to_numpy(kl)
    return TwoTerms(vae.to_numpy(by_draw), float(mean), error, float(losses[0]), by_dimension, beta, seed)


def _named(name: Literal["pathwise", "score", "score_baseline"], gradients: Gradients) -> GradientEstimates:
    return GradientEstimates(name, vae.to_numpy(gradients[0]), vae.to_numpy(gradients[1]))


def _check_draws(draws: int, least: int = 1) -> None:
    if not least <= draws <= _MOST_DRAWS:
        raise Refused(
            N_("The number of draws can be {least} to {most}; {given} were asked for."),
            least=least,
            most=_MOST_DRAWS,
            given=draws,
        )
