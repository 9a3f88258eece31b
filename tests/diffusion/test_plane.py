"""The diffusion in the plane learns its cloud, goes on, and shows the field that leads there."""

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from dlviz.diffusion import plane, plane_points
from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result

torch.set_num_threads(1)
RINGS = plane_points.shape_points("rings", 1000)


def trained(points=RINGS, **options):
    *_, last = plane.train_live(points, **options)
    assert isinstance(last, Result)
    return last.value


def test_what_it_samples_lies_where_the_cloud_lies():
    """Distance of each sample to its nearest point of the cloud, before and after; noise is far from two rings."""
    events = list(plane.train_live(RINGS, steps=700))
    assert [e.done for e in events if isinstance(e, Progress)] == list(range(1, 701))
    first, last = (e.value for e in (events[0], events[-2]) if isinstance(e, Frame))
    done = events[-1].value

    def far(samples):
        return np.median(np.linalg.norm(samples[:, None] - done.target[None], axis=-1).min(axis=1))

    assert far(last.samples) < 0.06 and far(last.samples) < 0.4 * far(first.samples)
    radius = np.linalg.norm(last.samples, axis=1)
    assert 0.3 < (radius > np.linalg.norm(done.target, axis=1).mean()).mean() < 0.7
    assert last.loss[-50:].mean() < last.loss[:10].mean()
    assert done.flow.paths.shape == (51, 400, 2) and done.flow.score.shape == (51, 15, 15, 2)
    assert far(done.flow.paths[-1]) < 0.06


def test_the_paths_are_those_of_diffusers_ddim():
    kept = trained(steps=30).frame.network
    found = plane.flow(kept, points=50, stride=5, seed=1)
    scheduler = DDIMScheduler(
        plane.TIMESTEPS,
        beta_schedule="squaredcos_cap_v2",
        clip_sample_range=4.0,
        timestep_spacing="trailing",
    )
    scheduler.set_timesteps(20)
    model, x = plane.as_network(kept), torch.from_numpy(found.paths[0].copy())
    for k, t in enumerate(scheduler.timesteps):
        with torch.no_grad():
            noise = model(x, torch.full((50,), (int(t) + 1) / plane.TIMESTEPS))
        x = scheduler.step(noise, int(t), x).prev_sample
        np.testing.assert_allclose(found.paths[k + 1], x.numpy(), atol=2e-3)
    assert found.t.tolist() == list(range(100, -1, -5))


def test_the_score_of_a_normal_cloud_leads_to_its_middle():
    """For a standard normal cloud the score is -x at every time."""
    cloud = np.random.default_rng(0).standard_normal((4000, 2)).astype(np.float32)
    field = trained(cloud, steps=500).flow
    at = list(field.t).index(50)
    inner = np.abs(field.x) < 1.5
    grid = np.stack(np.meshgrid(field.x[inner], field.y[inner]), axis=-1)
    score = field.score[at][np.ix_(inner, inner)]
    assert np.abs(score + grid).mean() < 0.2


def test_a_training_that_was_stopped_goes_on_with_its_network():
    half = trained(steps=40)
    more = list(plane.train_live(RINGS, steps=50, start=half.frame.network))
    assert [e.done for e in more if isinstance(e, Progress)] == list(range(41, 51))
    np.testing.assert_allclose(more[0].value.samples, half.frame.samples, atol=1e-5)
    with pytest.raises(Refused):
        next(plane.train_live(RINGS, steps=40, start=half.frame.network))


def test_the_same_seed_gives_the_same_network():
    state = torch.random.get_rng_state()
    one, two, other = trained(steps=4), trained(steps=4), trained(steps=4, seed=1)
    assert torch.equal(torch.random.get_rng_state(), state)
    np.testing.assert_array_equal(one.frame.samples, two.frame.samples)
    assert not np.array_equal(one.frame.samples, other.frame.samples)


@pytest.mark.parametrize("shape", plane_points.SHAPES)
def test_shapes_have_unit_spread(shape):
    points = plane_points.shape_points(shape, 500)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-5)
    assert points.var(axis=0).mean() == pytest.approx(1, rel=1e-4)


def test_points_of_ink_stand_upright():
    picture = np.full((40, 40), 255, np.uint8)
    picture[2:38, 10:12] = 0
    picture[2:4, 10:30] = 0
    points = plane_points.ink_points(picture, 600)
    highest = points[points[:, 1] > np.quantile(points[:, 1], 0.9)]
    assert np.ptp(points[:, 1]) > np.ptp(points[:, 0]) and highest[:, 0].max() == points[:, 0].max()


def test_points_of_a_word_lie_in_its_letters():
    """The two strokes of a colon leave a gap, the letter l is one upright stroke."""
    colon, upright = (plane_points.text_points(text, 500)[:, 1] for text in (":", "l"))
    assert np.diff(np.sort(colon)).max() > 10 * np.diff(np.sort(upright)).max()
    for wrong in ("", "  ", "a" * 13):
        with pytest.raises(Refused):
            plane_points.text_points(wrong)


def test_tables_of_all_kinds_give_the_same_points():
    places = np.random.default_rng(0).normal(size=(30, 2)).round(3)
    expected = plane_points.standardised(places)
    for head, mark, comma in (("x,y\n", ",", "."), ("", ";", ","), ("a\tb\n", "\t", ","), ("", "  ", ".")):
        rows = (mark.join(str(v).replace(".", comma) for v in row) for row in places)
        np.testing.assert_allclose(
            plane_points.table_points(head + "\n".join(rows) + "\n"), expected, atol=1e-6
        )


@pytest.mark.parametrize(
    "text", ["", "x,y", "1,2\n" * 5, "1,2\n" * 30, "1,2\n3,four\n" * 30, "nan,1\n2,3\n" * 20, "1\n" * 40]
)
def test_tables_without_points_are_refused(text):
    with pytest.raises(Refused):
        plane_points.table_points(text)


def test_what_is_out_of_bounds_is_refused():
    for wrong in (RINGS[:19], RINGS[:, :1], np.zeros((30, 2), np.float32)):
        with pytest.raises(Refused):
            next(plane.train_live(wrong))
    with pytest.raises(Refused):
        next(plane.train_live(RINGS, steps=0))
    with pytest.raises(Refused):
        plane_points.ink_points(np.full((5, 5), 255, np.uint8))
    with pytest.raises(Refused):
        plane_points.shape_points("square")
    with pytest.raises(Refused):
        plane.flow(trained(steps=1).frame.network, stride=7)
