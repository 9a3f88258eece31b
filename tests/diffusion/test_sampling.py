"""The loop is diffusers' own, step for step; it stops, goes on and branches as promised."""

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler

from dlviz.diffusion import sampling
from dlviz.diffusion.results import Film
from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result
from tests.diffusion.networks import tiny

torch.set_num_threads(1)
MODEL = tiny()
SAMPLERS = {"ddpm": DDPMScheduler, "ddim": DDIMScheduler, "dpm++": DPMSolverMultistepScheduler}


def film(model=MODEL, **options) -> Film:
    *_, last = sampling.sample(model, **{"steps": 10, **options})
    assert isinstance(last, Result)
    return last.value


@torch.no_grad()
def bare(sampler, steps, label, guidance, seeds, **options):
    """The loop as the library's documentation has it."""
    scheduler = SAMPLERS[sampler](num_train_timesteps=1000, timestep_spacing="trailing")
    scheduler.set_timesteps(steps)
    draw = lambda i: [torch.Generator().manual_seed(s * 1_000_003 + i) for s in seeds]  # noqa: E731
    x = torch.stack([torch.randn(1, 8, 8, generator=g) for g in draw(0)])
    for i, t in enumerate(scheduler.timesteps):
        if guidance == 1:
            eps = MODEL.network(x, t, class_labels=torch.full((len(x),), label)).sample
        else:  # both in one batch: the rounding of another batch size would grow 150 times over in the first step
            labels = torch.tensor([label] * len(x) + [10] * len(x))
            with_class, without = MODEL.network(torch.cat([x, x]), t, class_labels=labels).sample.chunk(2)
            eps = without + guidance * (with_class - without)
        noise = {} if sampler == "dpm++" else {"generator": draw(i + 1)}
        x = scheduler.step(eps, t, x, **noise, **options).prev_sample
    return x.numpy()


@pytest.mark.parametrize(
    ("sampler", "options"), [("ddpm", {}), ("ddim", {}), ("ddim", {"eta": 0.7}), ("dpm++", {})]
)
@pytest.mark.parametrize("guidance", [0.0, 1.0, 3.0])
def test_the_loop_is_that_of_diffusers(sampler, options, guidance):
    ours = film(sampler=sampler, label=4, guidance=guidance, seed=5, pictures=2, **options)
    theirs = bare(sampler, 10, 4, guidance, (5, 6), **options)
    np.testing.assert_allclose(ours.last.noisy, theirs, atol=1e-5, rtol=1e-5)
    assert ours.seeds == (5, 6)


def test_each_step_is_told_and_shown():
    events = list(sampling.sample(MODEL, steps=5, label=1))
    assert [e.done for e in events if isinstance(e, Progress)] == [1, 2, 3, 4, 5]
    shown = [e.value.last for e in events if isinstance(e, Frame)]
    assert [one.index for one in shown] == list(range(6))
    assert [one.t for one in shown] == [1000, 800, 600, 400, 200, 0]
    whole = events[-1].value
    assert [one.index for one in whole.moments] == list(range(6))
    assert whole.pixels.dtype == np.uint8 and whole.pixels.shape == (1, 1, 8, 8)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("index", [0, 1, 4, 10])
def test_a_sampling_that_was_stopped_goes_on_to_the_same_end(sampler, index):
    whole = film(sampler=sampler, label=2, pictures=2, eta=0.5 if sampler == "ddim" else 0.0)
    again = film(sampler=sampler, label=2, eta=0.5 if sampler == "ddim" else 0.0, start=whole.moments[index])
    np.testing.assert_array_equal(again.last.noisy, whole.last.noisy)


def test_a_branch_shares_the_past_and_not_the_future():
    whole = film(sampler="ddpm", label=2)
    branch = film(sampler="ddpm", label=2, seed=9, start=whole.moments[6])
    np.testing.assert_array_equal(branch.moments[0].noisy, whole.moments[6].noisy)
    assert np.abs(branch.last.noisy - whole.last.noisy).max() > 1e-3


def test_a_picture_is_the_same_in_company():
    many, alone = film(sampler="ddpm", pictures=3, seed=7), film(sampler="ddpm", seed=8)
    np.testing.assert_allclose(many.last.noisy[1], alone.last.noisy[0], atol=1e-5)


def test_many_pictures_leave_room_for_others_within_a_step(monkeypatch):
    whole = film(sampler="ddpm", steps=5, label=1, pictures=3)
    monkeypatch.setattr(sampling, "_CPU_PICTURES", 1)
    *events, last = sampling.sample(MODEL, sampler="ddpm", steps=5, label=1, pictures=3)
    assert [e.done for e in events if isinstance(e, Progress)] == [
        0,
        0,
        1,
        1,
        1,
        2,
        2,
        2,
        3,
        3,
        3,
        4,
        4,
        4,
        5,
    ]
    np.testing.assert_allclose(last.value.last.noisy, whole.last.noisy, atol=1e-4)


def test_a_long_film_keeps_evenly_spread_moments_and_the_last(monkeypatch):
    monkeypatch.setattr(sampling, "_FILM_MOMENTS", 4)
    assert [one.index for one in film().moments] == [0, 3, 6, 9, 10]


def test_a_network_without_classes_samples_too():
    model = tiny(classes=0)
    assert model.no_class is None
    assert np.isfinite(film(model).last.noisy).all()
    with pytest.raises(Refused):
        film(model, label=0)


def test_an_own_drawing_is_noised_to_the_step_where_the_sampling_takes_over():
    clean = np.random.default_rng(0).uniform(-1, 1, (2, 1, 8, 8)).astype(np.float32)
    begun = sampling.drawing_start(MODEL, clean, steps=10, index=4, seed=3)
    assert begun.t == 600 and begun.index == 4
    noise = sampling.first_noise(MODEL, (3, 4))
    theirs = DDPMScheduler(1000).add_noise(torch.from_numpy(clean), noise, torch.tensor([599]))
    np.testing.assert_allclose(begun.noisy, theirs.numpy(), atol=1e-6)
    assert film(start=begun).last.t == 0
    with pytest.raises(Refused):
        sampling.drawing_start(MODEL, clean[:, :, :4], steps=10, index=4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 3},
        {"steps": 30},
        {"sampler": "euler"},
        {"label": 10},
        {"label": -1},
        {"pictures": 0},
        {"pictures": 65},
        {"seed": -1},
        {"seed": 2**31},
        {"guidance": float("nan")},
        {"eta": 1.5},
    ],
)
def test_what_cannot_be_sampled_is_refused(wrong):
    with pytest.raises(Refused):
        next(sampling.sample(MODEL, **wrong))
