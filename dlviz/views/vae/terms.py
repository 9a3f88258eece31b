"""Two terms: reconstruction and KL of this picture and of the test set, with the formula's live numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from dlviz import zoo
from dlviz.figures import vae as figures
from dlviz.ui import charts, compute, export, lesson
from dlviz.ui.language import _, latex, number
from dlviz.views.vae import scene as scenes
from dlviz.views.vae.networks import Network
from dlviz.views.vae.scene import Scene
from dlviz.vision import vae_codes, vae_terms
from dlviz.vision.vae_results import Dimensions, TwoTerms

DRAWS = 32


@dataclass(frozen=True, slots=True)
class TestSet:
    """The two terms over the test set, in nats a picture."""

    reconstruction: float
    kl: float


@st.fragment
def show(scene: Scene) -> None:
    """The section."""
    network = scene.network
    mine = network.run(
        vae_terms.two_terms, picture=scene.given.pixels, draws=DRAWS, seed=0, beta=network.beta
    )
    dimensions = compute.run(vae_codes.dimensions, codes=network.codes)
    _numbers(mine)
    charts.show(bars(mine, over_the_test_set(network)), key="vae_terms_bars", alt=_("The two terms as bars."))
    if mine.kl_by_dimension is None:
        st.caption(
            _(
                "A plain autoencoder has no second term: its code is a point, and nothing keeps it near the others."
            )
        )
        scenes.place_among(scene)
    else:
        left, right = st.columns(2, gap="large")
        with left:
            st.markdown(_("**KL by dimension**"))
            charts.show(
                kl_bars(mine, dimensions),
                key="vae_terms_kl",
                alt=_("The KL of each dimension, yours beside the mean."),
            )
        with right:
            st.markdown(_("**Where your picture stands among the test pictures**"))
            scenes.place_among(scene)
    maths(scene, mine)
    if network.model is not None:
        arguments = {"picture": scene.given.source, "draws": DRAWS, "seed": 0, "beta": network.beta}
        lesson.code(
            [
                (_("The two terms of your picture:"), vae_terms.two_terms, arguments),
                (_("The same, asked of torch.distributions:"), vae_terms.reference_terms, arguments),
            ],
            model=network.model,
        )
    _export(scene, mine, dimensions)


def over_the_test_set(network: Network) -> TestSet:
    """From the card; for a network of the visitor's own, from its own test codes."""
    if network.model is not None:
        # The card's metrics are in a fixed order: -ELBO, reconstruction, KL; a plain autoencoder has one of them.
        found = {metric.name: metric.value for metric in zoo.card(network.model).metrics}
        return TestSet(found["Reconstruction"], found.get("KL divergence", 0.0))
    kl = compute.run(vae_codes.dimensions, codes=network.codes).kl
    return TestSet(float(network.codes.error.mean()), float(kl.sum()))


def _numbers(mine: TwoTerms) -> None:
    first, second, third = st.columns(3)
    first.metric(_("Reconstruction, nats"), number(mine.reconstruction, 2))
    second.metric(_("KL, nats"), number(mine.kl, 2))
    third.metric(_("Together: −ELBO, nats"), number(mine.negative_elbo, 2))


def bars(mine: TwoTerms, test: TestSet) -> object:
    """The two terms of this picture and of the test set as a figure."""
    return figures.two_terms(
        [_("your picture"), _("test set")],
        [mine.reconstruction, test.reconstruction],
        [mine.kl, test.kl],
        names=(_("reconstruction"), "KL"),
        axis=_("nats a picture"),
    )


def kl_bars(mine: TwoTerms, dimensions: Dimensions) -> object:
    """The KL by dimension as a figure, the most telling dimension first."""
    if mine.kl_by_dimension is None:
        raise ValueError("a plain autoencoder has no KL")
    return figures.by_dimension(
        dimensions.order.tolist(),
        mine.kl_by_dimension,
        dimensions.kl,
        names=(_("your picture"), _("mean of the test set")),
        axis=_("KL in nats"),
        inactive=dimensions.inactive,
    )


def maths(scene: Scene, mine: TwoTerms) -> None:
    """The course's loss, its closed form, and both with the numbers of this picture."""
    reference = scene.network.run(
        vae_terms.reference_terms, picture=scene.given.pixels, draws=DRAWS, seed=0, beta=scene.network.beta
    )
    formulas = [
        lesson.Formula(
            _("The loss of a VAE: the expected reconstruction, and the distance of q(z | x) from the prior."),
            r"\mathcal{L}_{\mathrm{VAE}}(x) = -\mathbb{E}_{q(z|x)}\bigl[\log p(x \mid z)\bigr] + "
            r"\beta\, \mathrm{KL}\bigl(q(z \mid x)\,\|\,p(z)\bigr)",
            rf"{latex(mine.reconstruction, 3)} + {latex(mine.beta, 2)} \cdot {latex(mine.kl, 3)} = {latex(mine.loss, 3)}",
        ),
        lesson.Formula(
            _(
                "The expectation is the mean of {draws} draws, give or take {error} nats; torch.distributions says "
                "{reference} for the same draws.",
                draws=DRAWS,
                error=round(mine.standard_error, 2),
                reference=number(reference.reconstruction, 3),
            ),
            r"-\log p(x \mid z) = -\sum_i x_i \log p_i + (1 - x_i) \log (1 - p_i)",
        ),
    ]
    posterior = scene.located.posterior
    if mine.kl_by_dimension is not None and posterior.log_variance is not None:
        formulas.append(
            lesson.Formula(
                _(
                    "The KL of two Gaussians has a closed form; torch.distributions says {reference}.",
                    reference=number(reference.kl, 3),
                ),
                r"\mathrm{KL} = \frac{1}{2} \sum_{i=1}^{d} \bigl(\mu_i^2 + \sigma_i^2 - \log \sigma_i^2 - 1\bigr)",
                kl_in_numbers(posterior.mean, posterior.log_variance, mine.kl),
            )
        )
    lesson.maths(formulas)


def kl_in_numbers(mean: np.ndarray, log_variance: np.ndarray, total: float) -> str:
    """The closed form with its numbers, the first two dimensions written out."""
    parts = [
        rf"({latex(float(m), 3)})^2 + {latex(float(np.exp(v)), 4)} - ({latex(float(v), 3)}) - 1"
        for m, v in zip(mean[:2], log_variance[:2], strict=True)
    ]
    more = r" + \dots" if len(mean) > 2 else ""
    return (
        r"\tfrac{1}{2}\bigl["
        + r"\bigr] + \tfrac{1}{2}\bigl[".join(parts)
        + rf"\bigr]{more} = {latex(total, 3)}"
    )


def _export(scene: Scene, mine: TwoTerms, dimensions: Dimensions) -> None:
    drawn = {_("The two terms"): lambda: bars(mine, over_the_test_set(scene.network))}
    if mine.kl_by_dimension is not None:
        drawn[_("KL by dimension")] = lambda: kl_bars(mine, dimensions)
    export.panel(
        "vae_terms",
        figures=drawn,
        tables={_("The loss of every draw"): lambda: rows(mine)},
        arrays={
            _("The two terms as numbers"): lambda: {
                "reconstruction_by_draw": mine.by_draw,
                "kl_by_dimension": np.zeros(0) if mine.kl_by_dimension is None else mine.kl_by_dimension,
                "test_kl_by_dimension": dimensions.kl,
                "test_errors": scene.network.codes.error,
            }
        },
    )


def rows(mine: TwoTerms) -> list[dict[str, object]]:
    """Every draw's loss as the rows of a table."""
    return [
        {"draw": i + 1, "reconstruction_nats": float(value), "kl_nats": mine.kl, "beta": mine.beta}
        for i, value in enumerate(mine.by_draw)
    ]
