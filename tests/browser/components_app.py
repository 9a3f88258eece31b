"""A small app around the drawing, the latent pad and the film, with the headers of the real one."""

from pathlib import Path

import streamlit as st

from dlviz import server
from dlviz.vision import vae_browser  # noqa: F401 - torch comes in before the first visit, not during it

app = st.App(str(Path(__file__).with_name("components_page.py")), middleware=server.middleware())
