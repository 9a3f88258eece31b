"""Compile ahead what numba would compile under a visitor's first click: ``python -m dlviz.precompile``.

The server starts this beside itself once it is ready. numba keeps what it compiles on disk, where the server and its worker
processes find it; compiling takes the interpreter's lock for seconds, so it is done in a process of its own, at
the lowest priority, and ends with its input: when the server goes, so does this.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading

log = logging.getLogger("dlviz")

IN_THE_SERVER = ("dlviz.graphs.fast_walks", "dlviz.graphs.layout")
"""Modules whose ``warm()`` compiles what runs in the server itself."""

IN_WORKERS = ("dlviz.foundations.projection",)
"""Modules whose ``warm()`` compiles what runs in a process of its own."""


def main() -> None:
    """Compile everything, politely."""
    if hasattr(os, "nice"):
        os.nice(19)
    threading.Thread(target=_end_with_input, daemon=True).start()
    warm(*IN_THE_SERVER, *IN_WORKERS)
    # The thread still reads, and an orderly end would wait for it.
    os._exit(0)


def warm(*modules: str) -> None:
    """Call ``warm()`` of each module; one that cannot be compiled here must not keep the others from it."""
    for name in modules:
        try:
            importlib.import_module(name).warm()
        except Exception:
            log.exception("could not compile %s", name)


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
