"""The VAE latent walk: draw a digit or a garment, see where it lands in a latent space, and walk from there."""

from __future__ import annotations

from dlviz.ui import controls, lesson
from dlviz.ui.language import _
from dlviz.views.vae import betas, between, draws, scene, sixteen, terms, training, walk


def presets() -> list[lesson.Preset]:
    """States of the page worth seeing."""
    return [
        lesson.Preset(
            _("The whole plane"),
            _(
                "Behind the points, what the decoder makes of every place: digits turn into each other without a break."
            ),
            {"vae_ground": "plane", "vae_source": "sample", "vae_sample": "d8"},
        ),
        lesson.Preset(
            _("A cat among digits"),
            _(
                "The network has only seen digits: it answers with one, and the error says that it should not be believed."
            ),
            {"vae_source": "photo"},
        ),
        lesson.Preset(
            _("Why ε stands outside"),
            _(
                "One derivative, estimated 256 times: close together with the reparametrisation, scattered without it."
            ),
            {"vae_view": "draws"},
        ),
        lesson.Preset(
            _("Holes"),
            _(
                "Compare the plain autoencoder's map with the others: its codes are far apart, and between them is mud."
            ),
            {"vae_view": "beta"},
        ),
        lesson.Preset(
            _("From a boot to a T-shirt"),
            _(
                "Straight in pixels two garments shine through each other; in latent space one turns into the other."
            ),
            {
                "vae_data": "fashion-mnist",
                "vae_view": "between",
                "vae_source": "sample",
                "vae_sample": "m9",
                "vae_b_source": "sample",
                "vae_b_sample": "m0",
                "vae_between": "16",
            },
        ),
        lesson.Preset(
            _("Dimensions that fell silent"),
            _(
                "Of 16 dimensions some carry nothing: they cost no KL, and moving their slider changes no pixel."
            ),
            {"vae_view": "sixteen"},
        ),
    ]


SECTIONS = {
    "draws": draws,
    "terms": terms,
    "beta": betas,
    "between": between,
    "sixteen": sixteen,
    "training": training,
}

lesson.begin(
    "vae",
    _("Draw a digit, see where it lands among five thousand others, and drag the point away from there."),
)
lesson.presets("vae", presets())
dataset, network = scene.network()
if network is not None:
    chosen = controls.choice(
        _("Look at"),
        {
            "map": _("Latent map"),
            "draws": _("Reparametrisation"),
            "terms": _("Two terms"),
            "beta": _("From β to β"),
            "between": _("Between two pictures"),
            "sixteen": _("16 dimensions"),
            "training": _("Train it live"),
        },
        key="vae_view",
        label_visibility="collapsed",
        wrap=True,
    )
    if chosen == "map":
        walk.beside(dataset, network)
    else:
        SECTIONS[chosen].show(scene.picture_above(dataset, network))
    card = f"{dataset}-vae-16d" if chosen == "sixteen" else network.model
    if card is not None:
        lesson.model_card(card)
