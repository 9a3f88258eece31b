"""The page of ``components_app.py``: an untrained decoder, random points, and what Python makes of it all."""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st
import torch

from dlviz.ui import language
from dlviz.ui.components import drawing, film, latent_pad
from dlviz.vision import vae, vae_browser
from dlviz.vision.vae_network import ConvVAE

POINTS = 5000


@st.cache_resource
def network() -> ConvVAE:
    """A decoder whose pictures differ from place to place; in half precision, as the bundled ones."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    made = ConvVAE(2)
    for parameter in made.decoder.parameters():
        parameter.data.mul_(2.0)
    return made.half().float().eval().requires_grad_(False)


def main() -> None:
    st.set_page_config(layout="wide")
    st.title("Components")
    with st.sidebar:
        language.switch()
    left, right = st.columns(2)
    with left:
        picture = drawing.canvas("t_drawing", label="Draw a digit", size=56)
    digest = "none" if picture is None else hashlib.sha256(picture.tobytes()).hexdigest()[:8]
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, POINTS)
    points = rng.normal(size=(POINTS, 2)) * 0.3 + np.stack([np.cos(labels), np.sin(labels)], 1) * 2
    pad = latent_pad.latent_pad(
        "t_z",
        points=points,
        labels=labels,
        classes=[f"class {n}" for n in range(10)],
        decoder=vae_browser.decoder_payload(network()),
        posterior=latent_pad.Posterior(
            np.array([0.5, -1.0]), np.array([0.4, 0.15]), rng.normal(size=(64, 2)) * [0.4, 0.15] + [0.5, -1]
        ),
        background=latent_pad.Background(rng.integers(0, 60, (280, 280)).astype(np.uint8), (-3, 3, -3, 3)),
        extent=(-3.0, 3.0, -3.0, 3.0),
        exact=lambda z: vae.decode(network(), codes=np.array([z])).pixels[0],
        title="The latent map",
    )
    frames = np.stack([np.roll(np.eye(28, dtype=np.uint8) * 255, n, axis=1) for n in range(24)])
    with right:
        rest = film.film(
            frames, key="t_film", labels=[f"frame {n}" for n in range(24)], speed=25.0, report=True
        )
    st.text(f"drawing {digest}")
    st.text(f"place {pad.z[0]:.4f} {pad.z[1]:.4f} walk {len(pad.walk)}")
    st.text(f"film {rest}")


main()
