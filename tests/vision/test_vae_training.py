"""The live training: it learns, shows itself, keeps what it made, and is the same again for the same seed."""

import numpy as np
import pytest
import torch

from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result
from dlviz.vision import vae, vae_map, vae_training
from dlviz.vision.vae_input import sample_digits
from dlviz.vision.vae_results import LiveFrame, LiveTraining

DIGITS = sample_digits()


def finished(count: int = 200, **options) -> LiveTraining:
    *_, last = vae_training.train_live(DIGITS.images[:count], DIGITS.labels[:count], **options)
    assert isinstance(last, Result) and isinstance(last.value, LiveTraining)
    return last.value


def test_the_loss_falls_and_the_map_is_shown_while_it_does(monkeypatch):
    monkeypatch.setattr(vae_training, "_FRAME_SECONDS", 0.0)
    events = list(vae_training.train_live(DIGITS.images, DIGITS.labels, steps=60, shown=100))
    assert [e.done for e in events if isinstance(e, Progress)] == list(range(1, 61))
    frames = [e.value for e in events if isinstance(e, Frame)]
    assert all(isinstance(one, LiveFrame) and one.codes.shape == (100, 2) for one in frames)
    assert [one.step for one in frames] == list(range(61))
    assert not np.array_equal(frames[0].codes, frames[-1].codes)
    np.testing.assert_array_equal(frames[0].labels, frames[-1].labels)
    last = frames[-1]
    assert len(last.loss) == 60 and last.loss[-10:].mean() < 0.5 * last.loss[:5].mean()
    assert last.plane.pixels.shape == (9, 9, 28, 28)


def test_what_was_trained_goes_on_working_and_its_codes_are_those_of_held_back_pictures():
    live = finished(steps=20)
    assert len(live.codes) == 20 and live.codes.mean.shape == (20, 2)
    assert vae_map.plane(live.network, extent=(-2, 2, -2, 2), steps=3).pixels.shape == (3, 3, 28, 28)
    found = np.array([vae.locate(live.network, one).posterior.mean for one in DIGITS.images[:200]])
    for code, label in zip(live.codes.mean, live.codes.label, strict=True):
        distance = np.abs(found - code).max(axis=1)
        assert distance.min() < 1e-5 and DIGITS.labels[distance.argmin()] == label


def test_the_same_seed_gives_the_same_network_and_leaves_the_random_numbers_alone():
    state = torch.random.get_rng_state()
    one, two, other = finished(steps=5, seed=1), finished(steps=5, seed=1), finished(steps=5, seed=2)
    assert torch.equal(torch.random.get_rng_state(), state)
    for a, b in zip(one.network.weights, two.network.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one.network.weights[0], other.network.weights[0])


def test_other_shapes_of_the_latent_space():
    deep = finished(steps=3, latent=5)
    assert deep.codes.mean.shape[1] == 5 and len(deep.frame.plane.x) == 0
    plain = finished(steps=3, variational=False)
    assert plain.codes.log_variance is None and plain.kl == 0


def test_pictures_of_another_size_and_without_labels():
    images = np.random.default_rng(0).integers(0, 256, (60, 64, 40), dtype=np.uint8)
    *_, last = vae_training.train_live(images, steps=2)
    assert (last.value.codes.label == -1).all()


@pytest.mark.parametrize(
    ("images", "options"),
    [
        (DIGITS.images[:49], {}),
        (DIGITS.images[:60].astype(float), {}),
        (DIGITS.images[:60, :, :, None], {}),
        (DIGITS.images[:60], {"labels": DIGITS.labels[:59]}),
        (DIGITS.images[:60], {"steps": 0}),
        (DIGITS.images[:60], {"latent": 99}),
        (DIGITS.images[:60], {"beta": float("nan")}),
    ],
)
def test_what_cannot_be_trained_on_is_refused(images, options):
    with pytest.raises(Refused):
        next(vae_training.train_live(images, **options))
