"""The page of the load tests: a button whose click computes something new, and a long job on request."""

import itertools

import streamlit as st

from dlviz.ui import compute
from tests.load import convolutions

CLICK_SIZE, JOB_SIZE = 192, 128


@st.cache_resource
def counter() -> "itertools.count[int]":
    return itertools.count()


if st.button("click", key="workshop_click"):
    seed = next(counter())
    value = compute.run(convolutions.forward, seed=seed, size=CLICK_SIZE)
    st.text(f"answer {seed} {value:.3f}")
if st.query_params.get("job"):
    compute.stream(
        convolutions.ascend,
        key="workshop_job",
        steps=100_000,
        size=JOB_SIZE,
        seed=int(st.query_params["job"]),
    )
