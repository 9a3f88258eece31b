"""An uploaded file: taken once, then forgotten."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile


def arrived(widget: str) -> UploadedFile | None:
    """The file in an uploader, if there is one that has not been forgotten yet.

    A button pressed while a job runs sends the state of the uploader again, and Streamlit then calls its
    ``on_change`` a second time, with a file whose bytes are gone.
    """
    file = st.session_state[widget]
    return file if isinstance(file, UploadedFile) else None


def forget(file: UploadedFile) -> None:
    """Drop the bytes, which Streamlit would hold for the whole session."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
