"""A visitor without a browser: Streamlit's own messages over its websocket, and a server to talk to."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from dlviz.settings import ROOT


class Visitor:
    """One websocket session.

    Attributes
    ----------
    elements
        What is on the page: the element messages by their place.
    errors
        Texts of exceptions and error boxes that any run has shown.
    runs
        Seconds of the runs asked for by :meth:`run`.
    """

    def __init__(self, port: int, query: str = "", page: str = "") -> None:
        self._url = f"ws://127.0.0.1:{port}/_stcore/stream"
        self._query = query
        self._page_name = page
        self._page_hash = ""
        self._widgets: dict[str, WidgetState] = {}
        self.elements: dict[tuple[int, ...], Any] = {}
        self.errors: list[str] = []
        self.runs: list[float] = []

    async def __aenter__(self) -> Visitor:
        self._socket = await websockets.connect(self._url, subprotocols=["streamlit"], max_size=None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._socket.close()

    async def ask(self, pressed: str | None = None) -> None:
        """Ask for a run, as the first opening or a click does; ``pressed`` is a button's key."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name, state.page_script_hash = (
            self._query, self._page_name, self._page_hash,
        )  # fmt: skip
        state.widget_states.widgets.extend(self._widgets.values())
        if pressed is not None:
            state.widget_states.widgets.add(id=self.widget("button", pressed).id, trigger_value=True)
        await self._socket.send(message.SerializeToString())

    async def run(self, pressed: str | None = None, timeout: float = 60.0) -> float:
        """Ask for a run and follow it to its end; returns its seconds."""
        began = time.perf_counter()
        await self.ask(pressed)
        await self.finished(timeout)
        self.runs.append(time.perf_counter() - began)
        return self.runs[-1]

    async def finished(self, timeout: float = 60.0) -> None:
        """Read messages until the script's run is over."""
        async with asyncio.timeout(timeout):
            while (await self._next()).WhichOneof("type") != "script_finished":
                pass

    async def until(self, seen: Callable[[Visitor], object], timeout: float = 60.0) -> None:
        """Read messages until ``seen(self)`` holds."""
        async with asyncio.timeout(timeout):
            while not seen(self):
                await self._next()

    async def _next(self) -> ForwardMsg:
        message = ForwardMsg()
        message.ParseFromString(await self._socket.recv())
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page_hash = message.new_session.page_script_hash
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._take(tuple(message.metadata.delta_path), message.delta.new_element)
        return message

    def _take(self, place: tuple[int, ...], element: Any) -> None:
        self.elements[place] = element
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.errors.append(element.exception.message)
        elif kind == "alert" and element.alert.format == element.alert.ERROR:
            self.errors.append(element.alert.body)

    def all(self, kind: str) -> list[Any]:
        """All elements of a kind, such as ``"markdown"``."""
        return [getattr(e, kind) for e in self.elements.values() if e.WhichOneof("type") == kind]

    def widget(self, kind: str, key: str) -> Any:
        """The widget with this key; Streamlit ends a widget's id with its key."""
        return next(widget for widget in reversed(self.all(kind)) if widget.id.endswith(key))

    def set(self, kind: str, key: str, **value: Any) -> None:
        """Give a widget a value for the runs to come, in the field that the browser would use."""
        widget = self.widget(kind, key)
        state = WidgetState(id=widget.id)
        for name, content in value.items():
            if name.endswith("_array_value"):
                getattr(state, name).data.extend(content)
            else:
                setattr(state, name, content)
        self._widgets[widget.id] = state


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A running server and what it uses."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.port = port
        self._process = psutil.Process(process.pid)

    def memory(self) -> int:
        """Resident bytes of the server and its children."""
        family = [self._process, *self._process.children(recursive=True)]
        return sum(member.memory_info().rss for member in family)

    def rest(self, timeout: float = 120.0) -> None:
        """Wait until what the server does for itself after its start, compiling ahead, is done."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if not any(_compiles(child) for child in self._process.children()):
                return
            time.sleep(0.5)

    def cpu(self) -> float:
        """Processor seconds used so far."""
        times = self._process.cpu_times()
        return float(times.user + times.system)


def _compiles(process: psutil.Process) -> bool:
    try:
        return "dlviz.precompile" in process.cmdline()
    except psutil.Error:  # it has just ended
        return False


@contextmanager
def serving(*command: str, ready: str = "/_stcore/health", timeout: float = 180.0) -> Iterator[Server]:
    """Start ``python -m <command>`` on a free port, wait until ``ready`` answers, end it afterwards."""
    port = free_port()
    filled = [part.replace("PORT", str(port)) for part in command]
    environment = dict(os.environ, PYTHONPATH=str(ROOT), DLVIZ_OFFLINE="1")
    process = subprocess.Popen(
        [sys.executable, "-m", *filled], cwd=ROOT, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(process, f"http://127.0.0.1:{port}{ready}", timeout)
        yield Server(process, port)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, timeout: float) -> None:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with code {process.returncode} before it was ready.")
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"The server was not ready after {timeout} s.")


APP = ("dlviz", "--host", "127.0.0.1", "--port", "PORT", "--offline")
"""The real app."""

WORKSHOP = ("streamlit", "run", "tests/load/workshop.py", "--server.address=127.0.0.1", "--server.port=PORT",
            "--server.headless=true")  # fmt: skip
"""A page with one click and one long job, both on a convolutional network of known cost."""
