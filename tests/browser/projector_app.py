"""A small app around the projector, with the headers of the real one."""

from pathlib import Path

import streamlit as st

from dlviz import server

app = st.App(str(Path(__file__).with_name("projector_page.py")), middleware=server.middleware())
