"""From noise to pictures: guidance, and the sampling loop as a job that can be stopped, gone on with and branched.

DDPM (Ho et al. 2020), DDIM (Song, Meng and Ermon 2021) and DPM-Solver++ (Lu et al. 2022) are the schedulers of the
diffusers library; the loop is ours, because its pipelines know no classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler
from jaxtyping import Float
from torch import Tensor

from dlviz.diffusion.network import Denoiser, Noisy
from dlviz.diffusion.results import Film, Moment, Pictures, SamplerName
from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result, Work
from dlviz.i18n import N_

MOST_PICTURES = 64
MOST_SEED = 2**31 - 1
_FILM_BYTES = 48_000_000
_FILM_MOMENTS = 120
_SEED_STRIDE = 1_000_003
# Pictures that pass through the network between two events, where it is slow: others get their turn in between.
_CPU_PICTURES = 2


def step_counts(timesteps: int = 1000) -> tuple[int, ...]:
    """The numbers of steps to choose from: those from 5 up that divide the whole, so that all strides are equal."""
    return tuple(n for n in range(5, timesteps + 1) if timesteps % n == 0)


def make_scheduler(model: Denoiser, sampler: SamplerName, steps: int) -> Any:
    """A scheduler of diffusers, set to `steps` steps that begin at full noise.

    `trailing` spacing: the first step is taken from $t = T$, where the network was shown nothing but noise. The
    library's older default begins a stride below it (Lin et al. 2024, "Common diffusion noise schedules and sample
    steps are flawed", table 2).

    Raises:
        Refused: no such sampler, or a number of steps that is not one of `step_counts`.
    """
    kinds: dict[str, Any] = {
        "ddpm": DDPMScheduler,
        "ddim": DDIMScheduler,
        "dpm++": DPMSolverMultistepScheduler,
    }
    if sampler not in kinds:
        raise Refused(N_("There is no sampler called “{name}”."), name=sampler)
    if steps not in step_counts(model.timesteps):
        raise Refused(
            N_("Sampling takes a number of steps from 5 up that divides {total}."), total=model.timesteps
        )
    made = kinds[sampler].from_config(model.noise, timestep_spacing="trailing")
    made.set_timesteps(steps)
    return made


@torch.no_grad()
def guided_noise(
    model: Denoiser, noisy: Noisy, timestep: int, label: int | None, guidance: float
) -> tuple[Noisy, Noisy, Noisy | None]:
    r"""The predicted noise under guidance, and what it is made of.

    $$ \hat\epsilon = \epsilon_\theta(x_t, t, \varnothing) +
       w\,\bigl(\epsilon_\theta(x_t, t, c) - \epsilon_\theta(x_t, t, \varnothing)\bigr) $$

    Ho and Salimans 2022, with $w$ as diffusers counts it: 1 is no guidance and costs one pass instead of two.

    Args:
        model: the network.
        noisy: $x_t$.
        timestep: diffusers' step, $t - 1$.
        label: the class $c$; None for "no class".
        guidance: the weight $w$.

    Returns:
        The guided noise, the one for the class, and the one for no class (None where it was not needed).
    """
    count = len(noisy)
    times = torch.full((count,), timestep, device=noisy.device)
    if label is None or model.no_class is None:
        alone = model(noisy, times)
        return alone, alone, None
    wanted = torch.full((count,), label, device=noisy.device)
    if guidance == 1:
        alone = model(noisy, times, wanted)
        return alone, alone, None
    labels = torch.cat([wanted, torch.full_like(wanted, model.no_class)])
    conditional, unconditional = model(noisy.repeat(2, 1, 1, 1), times.repeat(2), labels).chunk(2)
    return unconditional + guidance * (conditional - unconditional), conditional, unconditional


def generators(seeds: Sequence[int], index: int) -> list[torch.Generator]:
    """One source of noise for each picture and step.

    It follows from the picture's seed and the step's index alone: a picture comes out the same in whatever company,
    and a sampling that was stopped goes on to the very same end. On the CPU, so that a GPU draws the same noise.
    """
    return [torch.Generator().manual_seed(seed * _SEED_STRIDE + index) for seed in seeds]


def first_noise(model: Denoiser, seeds: Sequence[int]) -> Float[Tensor, "batch channel height width"]:
    """$x_T$: standard noise, each picture's from its own seed."""
    return torch.stack([torch.randn(model.shape, generator=one) for one in generators(seeds, 0)])


@torch.no_grad()
def sample(
    model: Denoiser,
    *,
    sampler: SamplerName = "ddim",
    steps: int = 50,
    label: int | None = None,
    guidance: float = 2.0,
    eta: float = 0.0,
    seed: int = 0,
    pictures: int = 1,
    start: Moment | None = None,
) -> Work:
    """Sample pictures, and show each moment of it.

    Args:
        model: the network.
        sampler: "ddpm", "ddim" or "dpm++".
        steps: one of `step_counts`.
        label: the class to draw; None for any.
        guidance: its weight; 1 is none.
        eta: share of DDPM's noise that DDIM adds, 0 to 1.
        seed: of the first picture; the others have the next seeds.
        pictures: how many; with `start`, as many as that has.
        start: a moment of an earlier film, of as many steps, to go on from. With the same settings and the same seed the
            end is the same as without the stop; another seed is a branch (for a sampler that adds noise).

    Yields:
        A `Frame` with the `Film` so far after each step, `Progress`, and a `Result` with the whole film. The film keeps
        at most 120 moments, evenly spread, and fewer of large pictures; the newest is always among them.

    Raises:
        Refused: a setting is out of its bounds.
    """
    scheduler = make_scheduler(model, sampler, steps)
    pictures = len(start.noisy) if start is not None else pictures
    _check(model, label, guidance, eta, seed, pictures, start, steps)
    seeds = tuple(range(seed, seed + pictures))
    device = model.betas.device
    begun = start if start is not None else _beginning(model, seeds)
    x = torch.tensor(begun.noisy, device=device)
    if start is not None:
        _go_on(scheduler, sampler, start, device)
    stride = _stride(begun.noisy.nbytes * 2, steps)
    kept, film = [begun], Film((begun,), steps, seeds)
    yield Frame(film)
    for index in range(begun.index, steps):
        timestep = int(scheduler.timesteps[index])
        guesses: list[Noisy] = []
        for part in x.split(len(x) if device.type != "cpu" else _CPU_PICTURES):
            if guesses:
                yield Progress(index, steps)
            guesses.append(guided_noise(model, part, timestep, label, guidance)[0])
        noise = torch.cat(guesses)
        predicted = clean_from_noise(x, noise, scheduler.alphas_cumprod[timestep])
        x = scheduler.step(noise, timestep, x, **_options(sampler, eta, seeds, index + 1)).prev_sample
        if sampler == "dpm++":  # to the last bit what the solver remembers, so that it can be given back
            predicted = scheduler.model_outputs[-1]
        to = int(scheduler.timesteps[index + 1]) + 1 if index + 1 < steps else 0
        moment = Moment(index + 1, to, x.cpu().numpy(), predicted.cpu().numpy())
        film = Film((*kept, moment), steps, seeds)
        if moment.index % stride == 0:
            kept.append(moment)
        yield Progress(moment.index, steps)
        yield Frame(film)
    yield Result(film)


def clean_from_noise(noisy: Noisy, noise: Noisy, alpha_bar: Tensor | float) -> Noisy:
    r"""$\hat x_0 = (x_t - \sqrt{1 - \bar\alpha_t}\,\hat\epsilon) / \sqrt{\bar\alpha_t}$ (Ho et al. 2020, equation 15)."""
    return (noisy - (1 - alpha_bar) ** 0.5 * noise) / alpha_bar**0.5


def drawing_start(model: Denoiser, clean: Pictures, *, steps: int, index: int, seed: int = 0) -> Moment:
    """Noise own pictures to the time at which `index` of `steps` steps would have been taken (Meng et al., *SDEdit*, 2022).

    Raises:
        Refused: the pictures have another shape than the network's, or the index is out of its bounds.
    """
    if clean.ndim != 4 or clean.shape[1:] != model.shape:
        raise Refused(
            N_("The network takes pictures of {width} × {height}."),
            width=model.shape[2],
            height=model.shape[1],
        )
    scheduler = make_scheduler(model, "ddpm", steps)
    if not 0 <= index < steps:
        raise Refused(N_("Sampling can begin at step 0 to {last}."), last=steps - 1)
    noise = first_noise(model, range(seed, seed + len(clean)))
    timestep = scheduler.timesteps[index : index + 1]
    noisy = scheduler.add_noise(torch.from_numpy(clean.astype(np.float32)), noise, timestep)
    return Moment(index, int(timestep) + 1, noisy.numpy(), clean.astype(np.float32))


def _beginning(model: Denoiser, seeds: Sequence[int]) -> Moment:
    """Nothing but noise, in which nothing is seen yet."""
    noise = first_noise(model, seeds).numpy()
    return Moment(0, model.timesteps, noise, np.zeros_like(noise))


def _go_on(scheduler: Any, sampler: SamplerName, start: Moment, device: torch.device) -> None:
    """Give DPM-Solver++ back what it remembers: the step it is at, and the clean picture it saw last."""
    if sampler == "dpm++" and start.index > 0:
        scheduler.set_begin_index(start.index)
        scheduler.model_outputs[-1] = torch.tensor(start.predicted, device=device)
        scheduler.lower_order_nums = 1


def _options(sampler: SamplerName, eta: float, seeds: Sequence[int], index: int) -> dict[str, Any]:
    """What the scheduler's step is told beside the noise."""
    if sampler == "dpm++":
        return {}
    options: dict[str, Any] = {"generator": generators(seeds, index)}
    return options | ({"eta": eta} if sampler == "ddim" else {})


def _stride(size: int, steps: int) -> int:
    """Every how many steps a moment is kept."""
    room = max(2, min(_FILM_MOMENTS, _FILM_BYTES // max(size, 1)))
    return -(-steps // room)


def _check(
    model: Denoiser,
    label: int | None,
    guidance: float,
    eta: float,
    seed: int,
    pictures: int,
    start: Moment | None,
    steps: int,
) -> None:
    if label is not None and not (model.no_class is not None and 0 <= label < model.no_class):
        raise Refused(N_("The network does not know this class."))
    if not 1 <= pictures <= MOST_PICTURES:
        raise Refused(N_("Sampling makes 1 to {most} pictures at a time."), most=MOST_PICTURES)
    if not 0 <= seed <= MOST_SEED:
        raise Refused(N_("A seed is a whole number from 0 to {most}."), most=MOST_SEED)
    if not (0 <= guidance <= 20 and 0 <= eta <= 1):
        raise Refused(N_("A setting of the sampler is out of its bounds."))
    if start is not None and not (start.noisy.shape[1:] == model.shape and 0 <= start.index <= steps):
        raise Refused(N_("This moment does not belong to such a sampling."))
