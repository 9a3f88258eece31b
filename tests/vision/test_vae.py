"""Codes, terms, gradients: parity with torch.distributions and finite differences, and cases worked by hand."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from scipy import integrate
from torch.distributions import Bernoulli, Normal, kl_divergence

from dlviz.errors import Refused
from dlviz.events import Result
from dlviz.vision import vae, vae_codes, vae_map, vae_terms
from dlviz.vision.vae_network import ConvVAE, reconstruction_loss, reparametrise
from dlviz.vision.vae_results import LEAST_LOG_VARIANCE, LOG_VARIANCE_STEP, Codes, Projection

ARGUMENTS = {"encoder_hidden": 32, "decoder_hidden": (32,)}


def network(latent: int = 2, *, variational: bool = True) -> ConvVAE:
    """Random weights, pushed so that no two numbers of an answer are nearly equal."""
    with torch.random.fork_rng():
        torch.manual_seed(latent)
        model = ConvVAE(latent, variational=variational, **ARGUMENTS).eval().requires_grad_(False)
        for weights in model.parameters():
            weights += 0.05 * torch.randn_like(weights)
    return model


def picture(seed: int = 0) -> np.ndarray:
    """Grey levels everywhere, 0 and 255 among them."""
    pixels = np.random.default_rng(seed).integers(0, 256, (28, 28), dtype=np.uint8)
    pixels[0, :2] = 0, 255
    return pixels


def codes(latent: int = 2, count: int = 300, seed: int = 0) -> Codes:
    random = np.random.default_rng(seed)
    scale = np.linspace(2, 0.05, latent)
    return Codes(
        (random.normal(size=(count, latent)) * scale).astype(np.float32),
        (random.normal(size=(count, latent)) - 3).astype(np.float32),
        random.integers(0, 10, count),
        np.sort(random.uniform(50, 200, count)).astype(np.float32),
    )


def test_locate_is_the_network_there_and_back():
    model = network()
    found = vae.locate(model, picture())
    x = torch.from_numpy(picture() / 255).float()[None, None]
    mean, log_variance = model.encode(x)
    np.testing.assert_array_equal(found.posterior.mean, mean[0].numpy())
    np.testing.assert_allclose(found.posterior.sigma, log_variance[0].exp().sqrt().numpy(), rtol=1e-6)
    loss = Bernoulli(logits=model.decode(mean), validate_args=False).log_prob(x).sum()
    assert found.error == pytest.approx(-loss.item(), rel=1e-6)
    again = vae.decode(model, found.posterior.mean)
    np.testing.assert_array_equal(again.pixels[0], found.pixels)
    np.testing.assert_array_equal(again.pixels[0], np.rint(255 / (1 + np.exp(-found.logits.astype(float)))))
    assert vae.encode(model, picture()).latent == 2


def test_a_plain_autoencoder_has_points_and_no_chance():
    model = network(variational=False)
    found = vae.locate(model, picture())
    assert found.posterior.log_variance is None and found.posterior.sigma is None
    terms = vae_terms.two_terms(model, picture())
    assert terms.kl == 0 and terms.standard_error == 0
    assert terms.negative_elbo == pytest.approx(found.error)
    with pytest.raises(Refused, match="nothing to draw"):
        vae_terms.draw(model, picture())
    with pytest.raises(Refused):
        vae_terms.compare_gradients(model, picture())


def test_live_numbers_are_put_together_again_without_touching_the_random_numbers():
    from dlviz.vision.vae_training import trained

    model = network(3)
    numbers = trained(model, {"latent": 3, "variational": True, **ARGUMENTS}, 1.0)
    state = torch.random.get_rng_state()
    again = vae.locate(numbers, picture())
    assert torch.equal(torch.random.get_rng_state(), state)
    np.testing.assert_array_equal(again.logits, vae.locate(model, picture()).logits)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((27, 28), np.uint8), np.zeros((28, 28), np.float32), np.zeros((28, 28, 3), np.uint8)],
)
def test_what_is_no_small_grey_picture_is_refused(wrong):
    with pytest.raises(Refused, match="28"):
        vae.locate(network(), wrong)


@pytest.mark.parametrize("wrong", [(1.0,), (1.0, 2.0, 3.0), (math.nan, 0.0), (math.inf, 0.0)])
def test_codes_of_another_size_or_without_a_value_are_refused(wrong):
    with pytest.raises(Refused):
        vae.decode(network(), wrong)


def test_the_prior_is_scaled_by_its_temperature():
    cold, warm = (vae.sample_prior(network(), count=5, temperature=t, seed=3) for t in (0.5, 1.0))
    np.testing.assert_allclose(cold.codes * 2, warm.codes, rtol=1e-6)
    np.testing.assert_array_equal(
        warm.codes, vae.sample_prior(network(), count=5, temperature=1.0, seed=3).codes
    )
    assert not np.array_equal(warm.codes, vae.sample_prior(network(), count=5, seed=4).codes)


def test_stored_codes_are_read_back(tmp_path):
    expected = codes()
    stored = {name: getattr(expected, name).astype(np.float16) for name in ("mean", "error")}
    steps = np.round((expected.log_variance - LEAST_LOG_VARIANCE) / LOG_VARIANCE_STEP).astype(np.uint8)
    stored |= {"label": expected.label.astype(np.uint8), "log_variance": steps}
    save_file(stored, tmp_path / "codes.safetensors")
    found = vae.read_codes(str(tmp_path / "codes.safetensors"))
    assert found.mean.dtype == np.float32 and len(found) == 300
    np.testing.assert_allclose(found.log_variance, expected.log_variance, atol=LOG_VARIANCE_STEP / 2)
    np.testing.assert_array_equal(found.label, expected.label)


def test_the_standing_is_a_rank_among_the_errors_and_a_vote_of_neighbours():
    mean = np.array([[0, 0], [0, 1], [5, 5], [6, 5]], np.float32)
    stored = Codes(mean, None, np.array([1, 1, 2, 0]), np.array([10, 20, 30, 40], np.float32))
    near = vae.standing(stored, error=25.0, mean=(0.1, 0.2), neighbours=3)
    assert near.percentile == 50 and not near.far and near.nearest == 1
    np.testing.assert_array_equal(near.neighbours, [0, 1, 2])
    np.testing.assert_allclose(near.votes, [0, 2 / 3, 1 / 3], rtol=1e-6)
    assert vae.standing(stored, error=41.0, mean=(0.1, 0.2)).far


# --- two terms ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("latent", [2, 16])
def test_both_terms_equal_torch_distributions(latent):
    model = network(latent)
    ours = vae_terms.two_terms(model, picture(), draws=8, seed=5)
    theirs = vae_terms.reference_terms(model, picture(), draws=8, seed=5)
    np.testing.assert_allclose(ours.kl_by_dimension, theirs.kl_by_dimension, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours.by_draw, theirs.by_draw, rtol=1e-6)
    assert ours.negative_elbo == pytest.approx(theirs.negative_elbo, rel=1e-6)
    assert ours.standard_error == pytest.approx(ours.by_draw.astype(float).std(ddof=1) / math.sqrt(8))


def test_the_kl_is_the_integral_of_its_definition():
    model = network()
    posterior = vae.encode(model, picture())
    found = vae_terms.two_terms(model, picture()).kl_by_dimension
    for mu, sigma, kl in zip(posterior.mean, posterior.sigma, found, strict=True):
        q, p = (torch.distributions.Normal(float(m), float(s)) for m, s in ((mu, sigma), (0, 1)))

        def integrand(z, q=q, p=p):
            z = torch.tensor(z, dtype=torch.float64)
            return float(q.log_prob(z).exp() * (q.log_prob(z) - p.log_prob(z)))

        exact, _ = integrate.quad(integrand, float(mu - 9 * sigma), float(mu + 9 * sigma))
        assert kl == pytest.approx(exact, rel=1e-4)


def test_grey_levels_need_no_check_of_their_values_and_give_cross_entropy():
    logits = torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 9
    x = torch.from_numpy(picture() / 255).float().expand(3, 1, 28, 28)
    expected = -Bernoulli(logits=logits, validate_args=False).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(reconstruction_loss(logits, x), expected)


def test_beta_weighs_the_kl_and_nothing_else():
    one, four = (vae_terms.two_terms(network(), picture(), beta=beta) for beta in (1.0, 4.0))
    assert one.negative_elbo == four.negative_elbo == one.loss
    assert four.loss == pytest.approx(one.reconstruction + 4 * one.kl)


def test_the_survey_is_both_at_once():
    found = vae_terms.survey(network(), picture(), draws=8, seed=1)
    np.testing.assert_array_equal(
        found.terms.by_draw, vae_terms.two_terms(network(), picture(), draws=8, seed=1).by_draw
    )
    alone = vae.locate(network(), picture())
    np.testing.assert_array_equal(found.located.posterior.mean, alone.posterior.mean)
    # Nine pictures in one call may round differently from one.
    np.testing.assert_allclose(found.located.logits, alone.logits, atol=1e-4)
    assert found.located.error == pytest.approx(alone.error, rel=1e-5)


def test_more_draws_begin_with_the_fewer():
    few, many = (vae_terms.two_terms(network(), picture(), draws=n, seed=2) for n in (4, 40))
    np.testing.assert_allclose(many.by_draw[:4], few.by_draw, rtol=1e-5)
    with pytest.raises(Refused):
        vae_terms.two_terms(network(), picture(), draws=0)


# --- the draw and its gradient -----------------------------------------------------------------------------------


def test_a_draw_is_the_sum_and_product_it_says():
    found = vae_terms.draw(network(3), picture(), seed=7)
    np.testing.assert_allclose(found.code, found.mean + found.sigma * found.noise, rtol=1e-6)
    np.testing.assert_allclose(found.sigma, np.exp(found.log_variance / 2), rtol=1e-6)
    np.testing.assert_array_equal(found.pixels, vae.decode(network(3), found.code).pixels[0])
    np.testing.assert_array_equal(found.code, vae_terms.draw(network(3), picture(), seed=7).code)
    assert not np.array_equal(found.code, vae_terms.draw(network(3), picture(), seed=8).code)


def test_the_draw_and_its_gradient_equal_rsample():
    mean = torch.tensor([[0.3, -1.2]], requires_grad=True)
    log_variance = torch.tensor([[-1.0, 0.4]], requires_grad=True)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        theirs = Normal(mean, (0.5 * log_variance).exp()).rsample()
        torch.manual_seed(1)
        ours = reparametrise(mean, log_variance, torch.normal(torch.zeros(1, 2), torch.ones(1, 2)))
    torch.testing.assert_close(ours, theirs)
    for a, b in zip(
        torch.autograd.grad(ours.square().sum(), (mean, log_variance)),
        torch.autograd.grad(theirs.square().sum(), (mean, log_variance)),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def test_the_reparametrised_gradient_equals_finite_differences():
    model = network().double()
    found = vae_terms.compare_gradients(network(), picture(), draws=2, seed=4)
    x = torch.from_numpy(picture() / 255)[None, None]
    posterior = vae.encode(network(), picture())
    mean, spread = (torch.from_numpy(v)[None].double() for v in (posterior.mean, posterior.log_variance))
    noise = torch.tensor(vae.first_noises(1, 2, 4)).double()

    def loss(mu, log_variance):
        return reconstruction_loss(model.decode(reparametrise(mu, log_variance, noise)), x).item()

    for i in range(2):
        h = torch.zeros(1, 2, dtype=torch.float64)
        h[0, i] = 1e-5
        by_mean = (loss(mean + h, spread) - loss(mean - h, spread)) / 2e-5
        by_spread = (loss(mean, spread + h) - loss(mean, spread - h)) / 2e-5
        assert found.reached_mean[i] == pytest.approx(by_mean, rel=1e-3, abs=1e-4)
        assert found.reached_log_variance[i] == pytest.approx(by_spread, rel=1e-3, abs=1e-4)


def test_all_estimators_agree_on_average_and_the_pathwise_scatters_least():
    found = vae_terms.compare_gradients(network(), picture(), draws=4000, seed=0)
    pathwise, score, steadied = found.estimates
    assert [one.name for one in found.estimates] == ["pathwise", "score", "score_baseline"]
    for one in (score, steadied):
        for ours, theirs in ((one.mean, pathwise.mean), (one.log_variance, pathwise.log_variance)):
            error = np.sqrt((ours.var(axis=0) + theirs.var(axis=0)) / len(ours))
            assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 5 * error).all()
    assert (pathwise.mean.var(axis=0) < steadied.mean.var(axis=0)).all()
    assert (steadied.mean.var(axis=0) < score.mean.var(axis=0)).all()
    np.testing.assert_array_equal(found.reached_mean, pathwise.mean[0])


def test_a_direct_draw_has_no_gradient_and_leaves_the_random_numbers_alone():
    state = torch.random.get_rng_state()
    found = vae_terms.compare_gradients(network(), picture(), draws=2)
    assert "does not require grad" in found.direct_error
    assert torch.equal(torch.random.get_rng_state(), state)


# --- the plane ---------------------------------------------------------------------------------------------------


def test_the_plane_is_the_decoder_at_the_middles_of_its_cells():
    grid = vae_map.plane(network(), extent=(-2, 2, -1, 1), steps=4)
    np.testing.assert_allclose(grid.x, [-1.5, -0.5, 0.5, 1.5])
    np.testing.assert_allclose(grid.y, [0.75, 0.25, -0.25, -0.75])
    one = vae.decode(network(), (grid.x[3], grid.y[1])).pixels[0]
    # One call for many pictures may round differently from one for a single picture.
    assert np.abs(grid.pixels[1, 3].astype(int) - one).max() <= 1
    np.testing.assert_array_equal(grid.mosaic[28:56, 84:112], grid.pixels[1, 3])


@pytest.mark.parametrize(
    ("extent", "steps"),
    [
        ((1, -1, 0, 1), 4),
        ((0, 1, math.nan, 1), 4),
        ((0, math.inf, 0, 1), 4),
        ((0, 1, 0, 1), 0),
        ((0, 1, 0, 1), 999),
    ],
)
def test_a_plane_without_area_or_with_too_many_pictures_is_refused(extent, steps):
    with pytest.raises(Refused):
        vae_map.plane(network(), extent=extent, steps=steps)


def test_the_map_of_sixteen_dimensions_is_refused():
    with pytest.raises(Refused, match="2 dimensions"):
        vae_map.plane(network(16), extent=(-1, 1, -1, 1))
    with pytest.raises(Refused, match="2 dimensions"):
        vae_map.density(codes(16), extent=(-1, 1, -1, 1))


def test_the_density_is_the_mean_of_all_gaussians():
    stored = codes()
    found = vae_map.density(stored, extent=(-12, 12, -12, 12), steps=300)
    cell = (24 / 300) ** 2
    assert found.aggregated.sum() * cell == pytest.approx(1, abs=1e-4)
    assert found.outside == pytest.approx(0, abs=1e-4)
    wide = dataclasses.replace(stored, log_variance=np.zeros_like(stored.mean))
    q = Normal(torch.from_numpy(wide.mean).double(), torch.ones(len(wide), 2).double())
    found = vae_map.density(wide, extent=(-12, 12, -12, 12), steps=300)
    at = torch.tensor([float(found.x[160]), float(found.y[130])]).double()
    assert found.aggregated[130, 160] == pytest.approx(float(q.log_prob(at).sum(1).exp().mean()), rel=2e-3)
    prior = Normal(0.0, 1.0).log_prob(at).sum().exp()
    assert found.prior[130, 160] == pytest.approx(float(prior), rel=1e-4)


def test_the_density_of_points_is_their_histogram():
    stored = dataclasses.replace(codes(), log_variance=None)
    found = vae_map.density(stored, extent=(-3, 3, -3, 3), steps=12)
    counts, _x, _y = np.histogram2d(stored.mean[:, 1], stored.mean[:, 0], bins=12, range=[[-3, 3], [-3, 3]])
    np.testing.assert_allclose(found.aggregated[::-1], counts / 300 / 0.25, atol=1e-5)
    assert found.outside == pytest.approx(1 - counts.sum() / 300)


def test_two_sigmas_hold_their_share_of_the_draws_and_a_longer_list_begins_with_the_shorter():
    mean, log_variance = (0.5, -1.0), (-2.0, 0.6)
    sigma = np.exp(0.5 * np.array(log_variance))
    drawn = vae_map.samples(mean, log_variance, count=4000, seed=1)
    inside = np.linalg.norm((drawn.codes - mean) / sigma, axis=1) < 2
    assert inside.mean() == pytest.approx(1 - math.exp(-2), abs=0.02)
    np.testing.assert_array_equal(vae_map.samples(mean, log_variance, count=5, seed=1).codes, drawn.codes[:5])


def test_the_extent_is_square_and_holds_nearly_all():
    stored = codes()
    left, right, bottom, top = vae_map.extent(stored)
    assert right - left == pytest.approx(top - bottom) and left < 0 < right
    inside = (stored.mean > [left, bottom]) & (stored.mean < [right, top])
    assert inside.all(axis=1).mean() >= 0.98


# --- ways and sums -----------------------------------------------------------------------------------------------


def test_every_way_begins_and_ends_at_its_pictures():
    model, first, second = network(3), picture(1), picture(2)
    ends = [vae.locate(model, one) for one in (first, second)]
    for way in ("straight", "spherical"):
        strip = vae_codes.interpolate(model, first, second, way=way, steps=5)
        for at, end in ((0, ends[0]), (4, ends[1])):
            np.testing.assert_allclose(strip.codes[at], end.posterior.mean, atol=1e-5)
            assert np.abs(strip.pixels[at].astype(int) - end.pixels).max() <= 1
    mixed = vae_codes.interpolate(model, first, second, way="pixels", steps=3)
    np.testing.assert_array_equal(mixed.pixels[0], first)
    np.testing.assert_array_equal(mixed.pixels[1], np.rint(first / 2 + second / 2))
    with pytest.raises(Refused):
        vae_codes.interpolate(model, first, second, steps=1)


def test_slerp_turns_evenly():
    at = np.linspace(0, 1, 5)
    turned = vae_codes.slerp(np.array([2.0, 0]), np.array([0, 4.0]), at)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), [2, 2.5, 3, 3.5, 4], rtol=1e-6)
    np.testing.assert_allclose(
        np.degrees(np.arctan2(turned[:, 1], turned[:, 0])), [0, 22.5, 45, 67.5, 90], rtol=1e-5
    )


@pytest.mark.parametrize("stop", [(2.0, 0.0), (-3.0, 0.0), (0.0, 0.0)])
def test_slerp_without_a_single_arc_takes_the_line(stop):
    found = vae_codes.slerp(np.array([1.0, 0]), np.array(stop), np.array([0, 0.5, 1]))
    np.testing.assert_allclose(found[1], [(1 + stop[0]) / 2, 0], atol=1e-6)


def test_arithmetic_with_class_means():
    stored = codes()
    means = vae_codes.class_means(stored)
    np.testing.assert_allclose(means.means[3], stored.mean[stored.label == 3].mean(axis=0), rtol=1e-5)
    assert means.counts.sum() == 300
    a, b, c = means.means[:3]
    found = vae_codes.arithmetic(network(), a=a, b=b, c=c)
    np.testing.assert_allclose(found.codes[3], a - b + c, rtol=1e-5)
    assert found.pixels.shape == (4, 28, 28)
    unlabelled = dataclasses.replace(stored, label=np.full(300, -1))
    assert vae_codes.class_means(unlabelled).means.shape == (0, 2)


def test_dimensions_are_ordered_by_their_kl_and_quiet_ones_are_named():
    random = np.random.default_rng(0)
    mean = (random.normal(size=(500, 3)) * [0.02, 1.0, 0.5]).astype(np.float32)
    log_variance = np.tile(np.array([0, -4, -1], np.float32), (500, 1))
    found = vae_codes.dimensions(Codes(mean, log_variance, np.zeros(500, int), np.zeros(500, np.float32)))
    np.testing.assert_array_equal(found.order, [1, 2, 0])
    assert found.inactive == (0,)
    q = Normal(torch.from_numpy(mean), torch.from_numpy(log_variance).mul(0.5).exp())
    np.testing.assert_allclose(found.kl, kl_divergence(q, Normal(0.0, 1.0)).mean(0), rtol=1e-4, atol=1e-6)
    points = vae_codes.dimensions(Codes(mean, None, np.zeros(500, int), np.zeros(500, np.float32)))
    np.testing.assert_array_equal(points.order, [1, 2, 0])


def test_a_traversal_moves_one_dimension_alone():
    start, values = (0.5, -0.5, 1.0), (-2.0, 0.0, 2.0)
    grid = vae_codes.traversals(network(3), start=start, dimensions=(2, 0), values=values)
    expected = vae.decode(network(3), [(0.5, -0.5, 2.0), (-2.0, -0.5, 1.0)]).pixels
    assert np.abs(grid.pixels[0, 2].astype(int) - expected[0]).max() <= 1
    assert np.abs(grid.pixels[1, 0].astype(int) - expected[1]).max() <= 1
    assert grid.mosaic.shape == (56, 84)
    with pytest.raises(Refused):
        vae_codes.traversals(network(3), start=start, dimensions=(3,), values=values)


def test_pca_equals_scikit_learn_up_to_the_sign_of_its_axes():
    from sklearn.decomposition import PCA

    stored = codes(6)
    found = vae_codes.pca(stored, extra=stored.mean[:2])
    theirs = PCA(2).fit(stored.mean)
    points = theirs.transform(stored.mean)
    signs = np.sign((points * found.points[:300]).sum(axis=0))
    np.testing.assert_allclose(found.points[:300], points * signs, atol=1e-4)
    np.testing.assert_allclose(found.explained, theirs.explained_variance_ratio_, rtol=1e-4)
    np.testing.assert_allclose(found.points[300:], found.points[:2], atol=1e-6)


@pytest.mark.timeout(900)  # the first call compiles, which takes minutes on a busy machine
def test_umap_keeps_clusters_apart_and_gives_the_same_map_again():
    random = np.random.default_rng(0)
    centres = np.repeat(random.normal(size=(3, 8)) * 12, 30, axis=0)
    means = (centres + random.normal(size=(90, 8))).astype(np.float32)
    maps = []
    for _ in range(2):
        *_news, last = vae_codes.fit_umap(means, neighbours=10, seed=1)
        assert isinstance(last, Result) and isinstance(last.value, Projection)
        maps.append(last.value.points)
    np.testing.assert_array_equal(*maps)
    middles = maps[0].reshape(3, 30, 2).mean(axis=1)
    within = np.linalg.norm(maps[0].reshape(3, 30, 2) - middles[:, None], axis=2).max()
    between = min(np.linalg.norm(middles[i] - middles[j]) for i in range(3) for j in range(i))
    assert between > 2 * within
    with pytest.raises(Refused):
        next(vae_codes.fit_umap(means[:5]))


def test_a_new_code_is_placed_among_its_neighbours():
    stored = codes()
    projection = vae_codes.pca(stored)
    near = vae_codes.place_beside(stored, projection, mean=stored.mean[17])
    spread = projection.points.std()
    assert np.linalg.norm(near - projection.points[17]) < 0.2 * spread
