"""Schedules, the closed form and the posterior are those of the diffusers library, and hold together."""

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler

from dlviz.diffusion import forward
from dlviz.errors import Refused

PICTURE = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
THEIRS = {"linear": "linear", "cosine": "squaredcos_cap_v2", "sigmoid": "sigmoid"}


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("steps", [50, 1000])
def test_schedules_are_those_of_diffusers(name, steps):
    ours, theirs = forward.schedule(name, steps), DDPMScheduler(steps, beta_schedule=THEIRS[name])
    np.testing.assert_allclose(ours.beta, theirs.betas.numpy(), rtol=2e-4, atol=1e-7)
    np.testing.assert_allclose(ours.alpha_bar, theirs.alphas_cumprod.numpy(), rtol=1e-3, atol=1e-6)
    assert (np.diff(ours.snr_db) < 0).all()


def test_signal_to_noise_by_hand():
    plan = forward.schedule("linear", 2, first=0.5, last=0.5)
    np.testing.assert_allclose(plan.alpha_bar, [0.5, 0.25])
    np.testing.assert_allclose(plan.snr_db, [0, 10 * np.log10(1 / 3)])


@pytest.mark.parametrize("t", [1, 40, 300])
def test_one_step_and_many_end_at_the_same_picture(t):
    found = forward.noised(PICTURE, t=t, seed=3)
    np.testing.assert_allclose(found.iterated, found.noisy, atol=2e-5)
    noise = DDPMScheduler(1000)
    x, eps = torch.from_numpy(found.clean.copy())[None], torch.from_numpy(found.noise)[None]
    theirs = noise.add_noise(x, eps, torch.tensor([t - 1]))[0]
    np.testing.assert_allclose(found.noisy, theirs.numpy(), atol=1e-5)
    assert found.signal**2 + found.spread**2 == pytest.approx(1)


def test_the_gathered_noise_is_standard():
    grey = np.full((64, 64, 3), 127, np.uint8)
    noise = forward.noised(grey, t=700).noise
    assert noise.mean() == pytest.approx(0, abs=0.03) and noise.std() == pytest.approx(1, abs=0.03)


def test_no_time_no_noise():
    found = forward.noised(PICTURE, t=0)
    np.testing.assert_array_equal(found.noisy, found.clean)
    assert found.counts.sum() == PICTURE.size


@pytest.mark.parametrize("t", [1, 2, 500, 1000])
def test_the_posterior_is_that_of_diffusers(t):
    plan, theirs = forward.schedule(), DDPMScheduler(1000)
    to_clean, to_noisy, variance = forward.posterior(plan, t)
    assert variance == pytest.approx(float(theirs._get_variance(t - 1)), rel=1e-3, abs=1e-9)
    generator = torch.Generator().manual_seed(0)
    x, eps = torch.randn(2, 1, 1, 4, 4, generator=generator) * 0.1
    out = theirs.step(eps, t - 1, x, generator=torch.Generator().manual_seed(1))
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(1)) if t > 1 else torch.zeros_like(x)
    mean = to_clean * out.pred_original_sample + to_noisy * x
    torch.testing.assert_close(mean + variance**0.5 * noise, out.prev_sample, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("wrong", [{"t": -1}, {"t": 1001}, {"t": 3, "steps": 1}, {"t": 3, "name": "square"}])
def test_what_is_out_of_bounds_is_refused(wrong):
    with pytest.raises(Refused):
        forward.noised(PICTURE, **wrong)
    with pytest.raises(Refused):
        forward.posterior(forward.schedule(), 0)
