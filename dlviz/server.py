"""The server around the app: warm-up, health, security headers, error page.

``streamlit run streamlit_app.py`` and ``python -m dlviz`` both serve the
``st.App`` that is built from these parts.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import logging
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import plotly
import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dlviz import precompile, zoo
from dlviz.errors import DlvizError
from dlviz.settings import ROOT, settings
from dlviz.zoo import device

log = logging.getLogger("dlviz")

SCRIPT = str(ROOT / "dlviz" / "ui" / "frame.py")
PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"

WARM_IMPORTS = ("torch", "torchvision", "dlviz.zoo", "dlviz.vision.cnn_filters", "dlviz.vision.attribution")
"""Imported in the background at start, so that no visitor waits for them."""

COLLECT_EVERY = 60.0
"""Seconds between garbage collections; Streamlit's own after every run is off (``postScriptGC``)."""

SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'self'",
            # Streamlit's start page holds inline scripts; its components load their modules from blobs.
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' ws: wss: data: blob:",
            "worker-src 'self' blob:",
            "frame-src 'self' blob: data:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        ]
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}

_ready = threading.Event()


def warm_up() -> None:
    """Import what is heavy and load the bundled models, then take them out of the collector's sight."""
    started = time.monotonic()
    for name in WARM_IMPORTS:
        try:
            importlib.import_module(name)
        except Exception:  # a lesson that cannot load must not keep the others from opening
            log.exception("could not import %s", name)
    for card in zoo.cards():
        if card.source == "bundled":
            try:
                zoo.load(card.name)
            except DlvizError as error:  # the pages say so too, and go on with another model
                log.error("could not load %s: %s", card.name, error)
    zoo.on_load(zoo.freeze)
    gc.collect()
    gc.freeze()
    _ready.set()
    log.info("ready after %.1f s", time.monotonic() - started)
    compile_ahead()


def compile_ahead() -> None:
    """Have numba's functions compiled in a process beside this one, and then take up what runs in this one."""
    started = time.monotonic()
    # It reads its input to the end, which comes when this process is gone.
    command = [sys.executable, "-m", "dlviz.precompile"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as process:
        process.wait()
    precompile.warm(*precompile.IN_THE_SERVER)
    log.info("compiled after %.1f s", time.monotonic() - started)


def speak_up() -> None:
    """Write to the log what else stays silent: the device, models as they come, and how each job ended."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


@contextlib.asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Warm up in the background, collect garbage off the request path, stop with the server.

    A device that is not there stops the server here, with a sentence, and not a class in front of a page.
    """
    if settings().verbose:
        speak_up()
    log.info("device: %s", device.policy().name)
    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
    collector = asyncio.create_task(_collect_now_and_then())
    try:
        yield
    finally:
        collector.cancel()


async def _collect_now_and_then() -> None:
    while True:
        await asyncio.sleep(COLLECT_EVERY)
        await asyncio.to_thread(gc.collect)


def routes() -> list[Route]:
    """Our routes beside Streamlit's: ``/ready``, and plotly.js for the export of figures."""
    return [
        Route("/ready", _answer_ready),
        Route("/dlviz/plotly.min.js", _answer_plotly),
    ]


def _answer_ready(_request: Request) -> Response:
    ready = _ready.is_set()
    return JSONResponse({"ready": ready}, status_code=200 if ready else 503)


def _answer_plotly(_request: Request) -> Response:
    return FileResponse(
        PLOTLY_JS, media_type="text/javascript", headers={"Cache-Control": "public, max-age=86400"}
    )


class SecurityHeaders:
    """Puts the security headers on every HTTP response, Streamlit's own included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = [(k.lower().encode(), v.encode()) for k, v in SECURITY_HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self.headers]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def middleware() -> list[Middleware]:
    """Our middleware, outside Streamlit's."""
    return [Middleware(SecurityHeaders)]


def on_script_error(error: Exception) -> bool:
    """Show a visitor a sentence and a reference; the traceback goes to the log under that reference."""
    from dlviz.ui.language import _, say

    if isinstance(error, DlvizError):
        st.error(say(error), icon=":material/error:")
        return True
    reference = secrets.token_hex(4)
    log.error("reference %s", reference, exc_info=error)
    st.error(
        _(
            "Something went wrong on our side, not on yours. Your inputs are kept: reload the page, or "
            "go on with another one. If it happens again, give whoever runs this server the reference "
            "**{reference}**.",
            reference=reference,
        ),
        icon=":material/error:",
    )
    return True
