"""The way into the noise: schedules, the closed form, and the same picture one step at a time.

Ho, Jain and Abbeel, *Denoising Diffusion Probabilistic Models* (NeurIPS 2020); the cosine schedule is that of Nichol
and Dhariwal (2021), the sigmoid one that of Xu et al. (*GeoDiff*, 2022), both as the diffusers library has them.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

from dlviz.diffusion.results import Noised, Picture, Schedule, ScheduleName
from dlviz.errors import Refused
from dlviz.i18n import N_

BINS = 60
_RANGE = 3.5
_LARGEST_BETA = 0.999


def schedule(
    name: ScheduleName = "linear", steps: int = 1000, *, first: float = 1e-4, last: float = 0.02
) -> Schedule:
    r"""$\beta_t$ and $\bar\alpha_t = \prod_{s \le t} (1 - \beta_s)$ of a schedule.

    Linear: from `first` to `last` in a straight line (Ho et al. 2020). Sigmoid: between the same values along
    $\sigma(u)$, $u$ from -6 to 6. Cosine: $\bar\alpha$ follows $\cos^2\frac{t/T + 0.008}{1.008}\frac\pi2$, so that the
    picture is lost at an even pace; each $\beta_t$ is at most 0.999.

    Raises:
        Refused: the number of steps or a beta is out of its bounds, or there is no such schedule.
    """
    if not (2 <= steps <= 10_000 and 0 < first <= last < 1):
        raise Refused(N_("A setting of the noise schedule is out of its bounds."))
    if name == "linear":
        beta = np.linspace(first, last, steps)
    elif name == "sigmoid":
        beta = first + (last - first) / (1 + np.exp(-np.linspace(-6, 6, steps)))
    elif name == "cosine":
        level = np.cos((np.arange(steps + 1) / steps + 0.008) / 1.008 * np.pi / 2) ** 2
        beta = np.minimum(1 - level[1:] / level[:-1], _LARGEST_BETA)
    else:
        raise Refused(N_("There is no noise schedule called “{name}”."), name=name)
    return Schedule(beta, np.cumprod(1 - beta))


def to_levels(picture: UInt8[np.ndarray, "height width 3"]) -> Picture:
    """A colour picture as levels from -1 to 1, `channel height width`."""
    return (picture.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)


def q_sample(clean: Picture, noise: Picture, alpha_bar: float) -> Float[np.ndarray, "channel height width"]:
    r"""$x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1 - \bar\alpha_t}\,\epsilon$ (Ho et al. 2020, equation 4)."""
    return (np.sqrt(alpha_bar) * clean + np.sqrt(1 - alpha_bar) * noise).astype(np.float32)


def noised(
    picture: UInt8[np.ndarray, "height width 3"],
    *,
    t: int,
    name: ScheduleName = "linear",
    steps: int = 1000,
    seed: int = 0,
) -> Noised:
    r"""A picture at time `t` of the forward process, in one step and one step at a time.

    The closed form needs one noise $\epsilon$, the iteration $x_s = \sqrt{1 - \beta_s}\,x_{s-1} + \sqrt{\beta_s}\,
    \epsilon_s$ needs $t$ of them. Here the $\epsilon_s$ are drawn, and

    $$ \epsilon = \frac{1}{\sqrt{1 - \bar\alpha_t}} \sum_{s=1}^t \sqrt{\frac{\bar\alpha_t}{\bar\alpha_s}}
       \sqrt{\beta_s}\,\epsilon_s $$

    is what they add up to: standard Gaussian too, and with it both ways end at the same picture.

    Args:
        picture: colour bytes.
        t: 0 (the picture) to `steps` (noise).
        name: which schedule.
        steps: of the whole process.
        seed: of the noise; the first $t$ noises are the same for each larger $t$.

    Raises:
        Refused: `t` or a setting is out of its bounds.
    """
    plan = schedule(name, steps)
    if not 0 <= t <= steps:
        raise Refused(N_("Time goes from 0 to {steps}."), steps=steps)
    clean = to_levels(picture)
    random = np.random.default_rng(seed)
    iterated, gathered = clean, np.zeros_like(clean)
    for beta in plan.beta[:t].astype(np.float32):
        drawn = random.standard_normal(clean.shape, dtype=np.float32)
        keep, add = np.sqrt(1 - beta), np.sqrt(beta)
        iterated = keep * iterated + add * drawn
        gathered = keep * gathered + add * drawn
    level = float(plan.alpha_bar[t - 1]) if t else 1.0
    noise = (
        gathered / np.float32(np.sqrt(1 - level)) if t else random.standard_normal(clean.shape, np.float32)
    )
    noisy = q_sample(clean, noise, level)
    counts, edges = np.histogram(noisy, BINS, (-_RANGE, _RANGE))
    return Noised(
        t, float(np.sqrt(level)), float(np.sqrt(1 - level)), clean, noise, noisy, iterated, counts, edges
    )


def posterior(plan: Schedule, t: int) -> tuple[float, float, float]:
    r"""$q(x_{t-1} \mid x_t, x_0) = \mathcal N(c_0\,x_0 + c_t\,x_t, \tilde\beta_t)$: its $c_0$, $c_t$ and variance.

    $$ c_0 = \frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1 - \bar\alpha_t}, \quad
       c_t = \frac{\sqrt{1 - \beta_t}\,(1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t}, \quad
       \tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t}\,\beta_t $$

    Ho et al. 2020, equations 6 and 7; $t$ from 1 to $T$. At $t = 1$ the variance is zero.
    """
    if not 1 <= t <= len(plan):
        raise Refused(N_("Time goes from 1 to {steps}."), steps=len(plan))
    beta, now = float(plan.beta[t - 1]), float(plan.alpha_bar[t - 1])
    before = float(plan.alpha_bar[t - 2]) if t > 1 else 1.0
    return (
        np.sqrt(before) * beta / (1 - now),
        np.sqrt(1 - beta) * (1 - before) / (1 - now),
        (1 - before) / (1 - now) * beta,
    )
