"""The app: ``streamlit run streamlit_app.py`` finds the literal ``st.App`` below and serves it."""

import streamlit as st

from dlviz import server

app = st.App(
    server.SCRIPT,
    lifespan=server.lifespan,
    routes=server.routes(),
    middleware=server.middleware(),
    on_script_error=server.on_script_error,
)
