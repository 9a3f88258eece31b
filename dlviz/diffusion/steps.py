"""One reverse step taken apart, and the loss that the network was trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from dlviz.diffusion.network import Denoiser
from dlviz.diffusion.results import LossCurve, NoiseLoss, Picture, Pictures, StepParts
from dlviz.diffusion.sampling import clean_from_noise, generators, guided_noise
from dlviz.errors import Refused
from dlviz.events import Progress, Result, Work
from dlviz.i18n import N_


@torch.no_grad()
def take_apart(
    model: Denoiser,
    noisy: Picture,
    *,
    t: int,
    to: int | None = None,
    label: int | None = None,
    guidance: float = 2.0,
    seed: int = 0,
    index: int = 1,
) -> StepParts:
    r"""One step of DDPM from $x_t$ to $x_{t'}$, with every part of it (Ho et al. 2020, algorithm 2 and equation 7).

    $$ \hat x_0 = \frac{x_t - \sqrt{1 - \bar\alpha_t}\,\hat\epsilon}{\sqrt{\bar\alpha_t}}, \quad
       \mu = \frac{\sqrt{\bar\alpha_{t'}}\,\beta}{1 - \bar\alpha_t}\,\hat x_0 +
             \frac{\sqrt{1 - \beta}\,(1 - \bar\alpha_{t'})}{1 - \bar\alpha_t}\,x_t, \quad
       x_{t'} = \mu + \sigma z $$

    with $\beta = 1 - \bar\alpha_t / \bar\alpha_{t'}$, which is $\beta_t$ where $t' = t - 1$, and
    $\sigma^2 = \frac{1 - \bar\alpha_{t'}}{1 - \bar\alpha_t}\,\beta$. The course writes the mean from the noise,
    $\frac{1}{\sqrt{1 - \beta}}\bigl(x_t - \frac{\beta}{\sqrt{1 - \bar\alpha_t}}\,\hat\epsilon\bigr)$: the same number as
    long as $\hat x_0$ needs no clipping to the range of a picture.

    Args:
        model: the network.
        noisy: $x_t$.
        t: its time, 1 to $T$.
        to: the time $t'$ to go to, $t - 1$ where it is None.
        label: the class; None for "no class".
        guidance: its weight.
        seed: of the picture whose step this is.
        index: how many steps of the sampling will have been taken after this one; with it, the added noise is the one
            that `sampling.sample` drew.

    Raises:
        Refused: a time is out of its bounds, or the picture has not the network's shape.
    """
    to = t - 1 if to is None else to
    _check(model, noisy, t)
    if not 0 <= to < t:
        raise Refused(N_("A step goes from a time to an earlier one."))
    x = torch.tensor(noisy, device=model.betas.device)[None]
    noise, conditional, unconditional = guided_noise(model, x, t - 1, label, guidance)
    # In float32, as the scheduler does it: near t = 0 these differences keep few digits.
    alpha_bar, alpha_bar_to = level(model, t), level(model, to)
    beta = 1 - alpha_bar / alpha_bar_to
    predicted = clean_from_noise(x, noise, alpha_bar)
    reach = float(model.noise["clip_sample_range"]) if model.noise["clip_sample"] else float("inf")
    clipped = predicted.clamp(-reach, reach)
    to_clean = alpha_bar_to**0.5 * beta / (1 - alpha_bar)
    to_noisy = (1 - beta) ** 0.5 * (1 - alpha_bar_to) / (1 - alpha_bar)
    sigma = ((1 - alpha_bar_to) / (1 - alpha_bar) * beta) ** 0.5
    mean = to_clean * clipped + to_noisy * x
    by_noise = (x - beta / (1 - alpha_bar) ** 0.5 * noise) / (1 - beta) ** 0.5
    drawn = torch.randn(model.shape, generator=generators([seed], index)[0]).to(x.device)
    added = sigma * drawn[None] if t > 1 else torch.zeros_like(x)

    def out(one: torch.Tensor) -> Picture:
        return one[0].cpu().numpy()

    return StepParts(
        t=t,
        to=to,
        before=noisy,
        conditional=out(conditional),
        unconditional=None if unconditional is None else out(unconditional),
        noise=out(noise),
        predicted=out(predicted),
        clipped=out(clipped),
        mean=out(mean),
        by_noise=out(by_noise),
        inside=out(predicted == clipped),
        added=out(added),
        after=out(mean + added),
        alpha_bar=float(alpha_bar),
        alpha_bar_to=float(alpha_bar_to),
        beta=float(beta),
        to_clean=float(to_clean),
        to_noisy=float(to_noisy),
        sigma=float(sigma),
    )


def level(model: Denoiser, t: int) -> Float[Tensor, ""]:
    r"""$\bar\alpha_t$, what is left of the picture's variance at time $t$; 1 at $t = 0$."""
    return torch.cumprod(1 - model.betas, 0)[t - 1] if t else torch.ones((), device=model.betas.device)


@torch.no_grad()
def noise_loss(
    model: Denoiser, clean: Picture, *, t: int, label: int | None = None, seed: int = 0
) -> NoiseLoss:
    r"""$\lVert \epsilon - \epsilon_\theta(\sqrt{\bar\alpha_t}\,x_0 + \sqrt{1 - \bar\alpha_t}\,\epsilon, t) \rVert^2$ of one noise.

    The mean over pixels (Ho et al. 2020, equation 14): a network that says nothing has about 1.

    Raises:
        Refused: the time is out of its bounds, or the picture has not the network's shape.
    """
    _check(model, clean, t)
    x = torch.tensor(clean, device=model.betas.device)[None]
    noise = torch.randn(model.shape, generator=generators([seed], 0)[0])[None].to(x.device)
    alpha_bar = level(model, t)
    noisy = alpha_bar**0.5 * x + (1 - alpha_bar) ** 0.5 * noise
    guess, _, _ = guided_noise(model, noisy, t - 1, label, 1.0)
    squared = (noise - guess).square()
    shown = {"noisy": noisy, "noise": noise, "guess": guess, "squared": squared}
    pictures = {name: one[0].cpu().numpy() for name, one in shown.items()}
    return NoiseLoss(t=t, loss=float(squared.mean()), **pictures)


def loss_by_time(
    model: Denoiser,
    clean: Pictures,
    labels: Sequence[int] | None = None,
    *,
    times: Sequence[int],
    seed: int = 0,
    batch_size: int = 8,
) -> Work:
    """The loss at several times, over the same pictures with the same noises.

    Args:
        model: the network.
        clean: pictures, at least two.
        labels: a class for each, or None.
        times: from 1 to $T$.
        seed: of the first picture's noise; the others have the next seeds.
        batch_size: pictures a pass.

    Yields:
        `Progress` after each pass, and a `Result` with the `LossCurve`.

    Raises:
        Refused: there are fewer than two pictures, their shape or a time is out of bounds.
    """
    if len(clean) < 2 or (labels is not None and len(labels) != len(clean)) or not len(times):
        raise Refused(N_("The loss by time needs at least two pictures, and a label for each or none."))
    for t in times:
        _check(model, clean[0], t)
    places = range(0, len(clean), batch_size)
    found = np.zeros((len(times), len(clean)))
    for row, t in enumerate(times):
        for i, start in enumerate(places):
            part = slice(start, start + batch_size)
            chosen = None if labels is None else labels[part]
            found[row, part] = _losses(model, clean[part], chosen, t, range(seed + start, seed + len(clean)))
            yield Progress(row * len(places) + i + 1, len(times) * len(places))
    error = found.std(axis=1, ddof=1) / np.sqrt(len(clean))
    yield Result(LossCurve(np.array(times, np.int64), found.mean(axis=1), error, len(clean)))


@torch.no_grad()
def _losses(
    model: Denoiser, clean: Pictures, labels: Sequence[int] | None, t: int, seeds: Sequence[int]
) -> Float[np.ndarray, " picture"]:
    """The loss of each picture at one time."""
    device = model.betas.device
    x = torch.tensor(clean, device=device)
    drawn = [torch.randn(model.shape, generator=one) for one in generators(seeds[: len(x)], 0)]
    noise = torch.stack(drawn).to(device)
    alpha_bar = level(model, t)
    steps = torch.full((len(x),), t - 1, device=device)
    wanted = None if labels is None else torch.tensor(labels, dtype=torch.long, device=device)
    guess = model(alpha_bar**0.5 * x + (1 - alpha_bar) ** 0.5 * noise, steps, wanted)
    return (noise - guess).square().mean(dim=(1, 2, 3)).cpu().numpy()


def _check(model: Denoiser, picture: Picture, t: int) -> None:
    if picture.shape != model.shape:
        raise Refused(
            N_("The network takes pictures of {width} × {height}."),
            width=model.shape[2],
            height=model.shape[1],
        )
    if not 1 <= t <= model.timesteps:
        raise Refused(N_("Time goes from 1 to {steps}."), steps=model.timesteps)
