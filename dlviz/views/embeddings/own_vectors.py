"""Vectors of a file of the visitor's own."""

from __future__ import annotations

import streamlit as st

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language import vector_files
from dlviz.settings import settings
from dlviz.ui.language import _
from dlviz.ui.snippet import Source
from dlviz.views.embeddings import own_files
from dlviz.views.embeddings.common import Kept, kept


def choose() -> Kept | None:
    """The uploader and the vectors; None while there are none of one's own."""
    own = own_files.own(
        "emb_file",
        label=_("Drop a file of vectors here (at most {limit} MB)", limit=settings().max_upload_mb),
        note=_(
            "Formats: word2vec as text or binary, GloVe, NPZ with “words” and “vectors”, or the two files "
            "vectors.tsv and metadata.tsv dropped together. Your file stays in the server's memory for this visit "
            "only. Until there is one, the bundled vectors are shown."
        ),
        read=_vectors,
    )
    if own is not None:
        st.text(
            _(
                "Your vectors: {name}, {words} words of {dimensions} dimensions.",
                name=own.title,
                words=len(own.store),
                dimensions=own.store.dimensions,
            )
        )
    return own


def _vectors(files: own_files.Files) -> Kept:
    if len(files) > 2:
        raise Refused(N_("Drop one file of vectors, or the pair vectors.tsv and metadata.tsv."))
    (name, data), metadata = files[0], None
    if len(files) == 2:
        words = _which_names(files)
        (name, data), metadata = files[1 - words], files[words][1]
    store = vector_files.read(data, metadata=metadata)
    return kept(store, title=own_files.shown(name), source=_source(metadata), metadata=metadata)


def _which_names(files: own_files.Files) -> int:
    """Which of two files names the words: the one called metadata, or else the one that begins with no number."""
    for place, (name, _data) in enumerate(files):
        if "meta" in name.lower():
            return place
    for place, (_name, data) in enumerate(files):
        try:
            float(data.split(None, 1)[0] if data.strip() else b"")
        except ValueError:
            return place
    return 1


def _source(metadata: bytes | None) -> Source:
    imports = ("from pathlib import Path", "from dlviz.language import vector_files")
    if metadata is None:
        return Source('vector_files.read(Path("vectors.txt").read_bytes())', imports)
    return Source(
        'vector_files.read(Path("vectors.tsv").read_bytes(), metadata=Path("metadata.tsv").read_bytes())',
        imports,
    )
