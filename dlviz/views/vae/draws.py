"""Reparametrisation: one draw in live numbers, and what goes wrong without it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dlviz.figures import mosaic
from dlviz.figures import vae as figures
from dlviz.ui import charts, export, lesson
from dlviz.ui.language import _, latex, number
from dlviz.views.vae import inputs
from dlviz.views.vae.scene import Scene
from dlviz.vision import vae_map, vae_terms
from dlviz.vision.vae_results import Draw, GradientComparison

SEED = "vae_seed"
LAST_SEED = 9999
GRADIENT_DRAWS = 256
AXES = ("z<sub>1</sub>", "z<sub>2</sub>")


@st.fragment
def show(scene: Scene) -> None:
    """The section."""
    if not scene.network.variational:
        st.info(
            _(
                "A plain autoencoder answers with a point: there is nothing to draw. Choose a network with a β above."
            ),
            icon=":material/info:",
        )
        return
    seed = _seed()
    drawn = scene.network.run(vae_terms.draw, picture=scene.given.pixels, seed=seed)
    _numbers(drawn)
    _pictures(scene, drawn)
    st.subheader(_("What goes wrong without it"), anchor=False)
    compared = scene.network.run(
        vae_terms.compare_gradients, picture=scene.given.pixels, draws=GRADIENT_DRAWS, seed=seed
    )
    _gradients(compared)
    maths(drawn, compared)
    if scene.network.model is not None:
        lesson.code(
            [
                (
                    _("One draw, with all its numbers:"),
                    vae_terms.draw,
                    {"picture": scene.given.source, "seed": seed},
                ),
                (
                    _("The gradient, estimated in three ways:"),
                    vae_terms.compare_gradients,
                    {"picture": scene.given.source, "draws": GRADIENT_DRAWS, "seed": seed},
                ),
            ],
            model=scene.network.model,
        )
    _export(drawn, compared, scene)


def _seed() -> int:
    """The seed of the noise, and a button for the next one."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = st.number_input(
            _("Seed of the noise ε"), 0, LAST_SEED, 0, key=SEED, bind="query-params", width=180
        )
        st.button(_("Draw again"), key="vae_again", icon=":material/casino:", on_click=_next)
    return int(seed)


def _next() -> None:
    st.session_state[SEED] = (int(st.session_state.get(SEED, 0)) + 1) % (LAST_SEED + 1)


def _numbers(drawn: Draw) -> None:
    """The numbers of the draw, one row a dimension."""
    latent = len(drawn.mean)
    columns = {
        _("Dimension"): [f"z{'₁₂'[i]}" if latent == 2 else f"z{i + 1}" for i in range(latent)],
        "μ": _column(drawn.mean),
        "log σ²": _column(drawn.log_variance),
        "σ = exp(½ log σ²)": _column(drawn.sigma),
        "ε": _column(drawn.noise),
        "z = μ + σ · ε": _column(drawn.code),
    }
    st.table(columns, border="horizontal")


def _column(values: np.ndarray) -> list[str]:
    return [number(float(value), 4) for value in values]


def _pictures(scene: Scene, drawn: Draw) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        charts.show(
            picture(drawn), key="vae_draw_map", alt=_("The draw on the ellipse of the picture's Gaussian.")
        )
    with right:
        first, second = st.columns(2)
        first.image(inputs.enlarged(scene.located.pixels), width=168, output_format="PNG")
        first.caption(_("Decoded from μ: no chance"))
        second.image(inputs.enlarged(drawn.pixels), width=168, output_format="PNG")
        second.caption(_("Decoded from z = μ + σ ε: this draw"))
        st.caption(
            _(
                "The network gives μ and σ; the chance comes in from outside, through ε. Draw again: ε changes, μ and "
                "σ do not."
            )
        )


def picture(drawn: Draw) -> object:
    """The draw on its ellipse as a figure."""
    others = vae_map.samples(drawn.mean, drawn.log_variance, count=128, seed=drawn.seed + 1)
    return figures.one_draw(
        drawn.mean, drawn.sigma, drawn.code, others.codes, axes=AXES, mean_name="μ", code_name="z"
    )


def ways() -> dict[str, str]:
    """The estimators of the gradient by name."""
    return {
        "pathwise": _("With reparametrisation"),
        "score": _("Without: score function"),
        "score_baseline": _("Without, less a baseline"),
    }


def _gradients(compared: GradientComparison) -> None:
    st.markdown(
        _(
            "Draw z directly from the Gaussian, and the chain of derivatives is cut: a random number generator has no "
            "derivative. PyTorch says so when it is asked for the gradient of the loss with respect to μ:"
        )
    )
    st.code(compared.direct_error, language=None, wrap_lines=True)
    st.markdown(
        _(
            "One can do without: the score function needs no derivative of the decoder. It has the right mean, but "
            "each draw is far off. Every dot is one draw's estimate of the same derivative, every bar the mean of its "
            "row: with reparametrisation one draw is nearly enough, without it thousands are needed, or a good "
            "baseline to take off."
        )
    )
    charts.show(
        cloud(compared),
        key="vae_gradients",
        alt=_(
            "Estimates of one derivative by three ways: close together with reparametrisation, scattered without."
        ),
    )


def cloud(compared: GradientComparison) -> object:
    """The estimates of the derivative by the first mean as a figure."""
    named = ways()
    rows = [(named[one.name], one.mean[:, 0]) for one in compared.estimates]
    said = [_("scatter {value}", value=round(float(values.std()), 1)) for _name, values in rows]
    return figures.gradients(rows, axis=_("derivative of the loss by μ₁, in nats per unit"), said=said)


def maths(drawn: Draw, compared: GradientComparison) -> None:
    """The reparametrisation with the numbers of this draw, and the two estimators with theirs."""
    path, score = (
        next(e for e in compared.estimates if e.name == name).mean[:, 0] for name in ("pathwise", "score")
    )
    lesson.maths(
        [
            lesson.Formula(
                _("The chance comes from outside: a fixed Gaussian ε, stretched by σ and shifted by μ."),
                r"z = \mu + \sigma \odot \epsilon, \qquad \epsilon \sim \mathcal{N}(0, I), \qquad "
                r"\sigma = e^{\frac{1}{2}\log\sigma^2}",
                r"\begin{aligned}"
                + r" \\ ".join(
                    rf"z_{{{i + 1}}} &= {latex(float(m), 4)} + {latex(float(s), 4)} \cdot ({latex(float(e), 4)}) "
                    rf"= {latex(float(z), 4)}"
                    for i, (m, s, e, z) in enumerate(
                        zip(drawn.mean, drawn.sigma, drawn.noise, drawn.code, strict=True)
                    )
                )
                + r"\end{aligned}",
            ),
            lesson.Formula(
                _(
                    "So the gradient goes through a sum and a product. Without it there is only the score function:"
                ),
                r"\nabla_\mu\, \mathbb{E}_{q}[f(z)] = \mathbb{E}_{\epsilon}\bigl[\nabla_z f(\mu + \sigma\epsilon)\bigr]"
                r" = \mathbb{E}_{q}\bigl[f(z)\, \nabla_\mu \log q(z \mid x)\bigr]",
                rf"{latex(float(path.mean()), 1)} \pm {latex(float(path.std()), 1)} \qquad\text{{|}}\qquad "
                rf"{latex(float(score.mean()), 1)} \pm {latex(float(score.std()), 1)}",
            ),
        ]
    )


def _export(drawn: Draw, compared: GradientComparison, scene: Scene) -> None:
    export.panel(
        "vae_draws",
        figures={
            _("The draw on its ellipse"): lambda: picture(drawn),
            _("The scatter of the gradient"): lambda: cloud(compared),
        },
        pictures={
            _("The picture of this draw"): lambda: mosaic.png(
                inputs.grey(drawn.pixels.repeat(8, 0).repeat(8, 1))
            )
        },
        tables={_("The numbers of this draw"): lambda: rows(drawn)},
        arrays={
            _("Every estimate of the gradient, as numbers"): lambda: {
                f"{one.name}_{part}": getattr(one, part)
                for one in compared.estimates
                for part in ("mean", "log_variance")
            }
        },
    )


def rows(drawn: Draw) -> list[dict[str, object]]:
    """The numbers of the draw as the rows of a table."""
    return [
        {
            "dimension": i + 1,
            "mean": float(drawn.mean[i]),
            "log_variance": float(drawn.log_variance[i]),
            "sigma": float(drawn.sigma[i]),
            "noise": float(drawn.noise[i]),
            "z": float(drawn.code[i]),
            "seed": drawn.seed,
        }
        for i in range(len(drawn.mean))
    ]
