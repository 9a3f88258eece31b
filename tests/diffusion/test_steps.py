"""A step in its parts is the scheduler's step, and the loss is the training's."""

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler
from torch.nn import functional as F

from dlviz.diffusion import sampling, steps
from dlviz.errors import Refused
from dlviz.events import Progress, Result
from tests.diffusion.networks import tiny

torch.set_num_threads(1)
MODEL = tiny()
PICTURES = np.random.default_rng(0).uniform(-1, 1, (5, 1, 8, 8)).astype(np.float32)


@pytest.mark.parametrize("t", [1, 2, 30, 500, 1000])
@pytest.mark.parametrize("guidance", [1.0, 2.5])
def test_the_parts_add_up_to_the_step_of_diffusers(t, guidance):
    found = steps.take_apart(MODEL, PICTURES[0], t=t, label=3, guidance=guidance, seed=4, index=7)
    np.testing.assert_allclose(found.mean + found.added, found.after, atol=1e-6)
    x = torch.from_numpy(PICTURES[:1])
    theirs = DDPMScheduler(1000).step(
        torch.from_numpy(found.noise)[None], t - 1, x, generator=sampling.generators([4], 7)
    )
    np.testing.assert_allclose(found.after, theirs.prev_sample[0].numpy(), atol=1e-5)
    np.testing.assert_allclose(found.clipped, theirs.pred_original_sample[0].numpy(), atol=1e-5)
    np.testing.assert_allclose(found.mean[found.inside], found.by_noise[found.inside], atol=1e-4)
    if guidance == 1:
        assert found.unconditional is None
    else:
        both = found.unconditional + guidance * (found.conditional - found.unconditional)
        np.testing.assert_allclose(found.noise, both, atol=1e-6)


def test_a_step_of_a_film_taken_apart_ends_where_the_film_went():
    *_, last = sampling.sample(MODEL, sampler="ddpm", steps=10, label=3, guidance=2.0, seed=6, pictures=2)
    before, after = last.value.moments[4:6]
    found = steps.take_apart(
        MODEL, before.noisy[1], t=before.t, to=after.t, label=3, guidance=2.0, seed=7, index=after.index
    )
    np.testing.assert_allclose(found.after, after.noisy[1], atol=1e-5)
    np.testing.assert_allclose(found.predicted, after.predicted[1], atol=1e-5)


def test_the_loss_is_the_mean_squared_error_of_the_noise():
    found = steps.noise_loss(MODEL, PICTURES[0], t=400, label=2, seed=1)
    noise, clean = torch.from_numpy(found.noise)[None], torch.from_numpy(PICTURES[:1])
    noisy = DDPMScheduler(1000).add_noise(clean, noise, torch.tensor([399]))
    np.testing.assert_allclose(found.noisy, noisy[0].numpy(), atol=1e-6)
    guess = MODEL.network(noisy, torch.tensor([399]), class_labels=torch.tensor([2])).sample
    assert found.loss == pytest.approx(float(F.mse_loss(guess, noise)), rel=1e-4)
    assert found.squared.mean() == pytest.approx(found.loss, rel=1e-5)


def test_the_loss_by_time_is_the_mean_of_single_losses():
    labels = [0, 1, 2, 3, 4]
    *events, last = steps.loss_by_time(MODEL, PICTURES, labels, times=(1, 700), seed=2, batch_size=2)
    assert [e.done for e in events if isinstance(e, Progress)] == list(range(1, 7))
    assert isinstance(last, Result) and last.value.pictures == 5
    for t, loss, error in zip(last.value.t, last.value.loss, last.value.error, strict=True):
        single = [
            steps.noise_loss(MODEL, one, t=int(t), label=label, seed=2 + i).loss
            for i, (one, label) in enumerate(zip(PICTURES, labels, strict=True))
        ]
        assert loss == pytest.approx(np.mean(single), rel=1e-4)
        assert error == pytest.approx(np.std(single, ddof=1) / 5**0.5, rel=1e-3)


@pytest.mark.parametrize("wrong", [{"t": 0}, {"t": 1001}, {"t": 5, "to": 5}, {"t": 5, "to": -1}])
def test_times_out_of_bounds_are_refused(wrong):
    with pytest.raises(Refused):
        steps.take_apart(MODEL, PICTURES[0], **wrong)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(Refused):
        steps.noise_loss(MODEL, PICTURES[0, :, :4], t=5)
    with pytest.raises(Refused):
        next(steps.loss_by_time(MODEL, PICTURES[:1], times=(5,)))
