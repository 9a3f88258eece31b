"""A web server that stands in for a publisher: what it offers, how it misbehaves, what it was asked."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHUNK = 1 << 16


class Shop:
    """What the server offers, how it misbehaves, and the seconds it pauses after each ``CHUNK``."""

    def __init__(self):
        self.content: dict[str, bytes] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.cut_after: int | None = None
        self.ranges = True
        self.pause = 0.0
        self.requests: list[tuple[str, str, str | None]] = []
        self.url = ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args):
        pass

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, body):
        shop: Shop = self.server.shop
        wanted = self.headers.get("Range")
        shop.requests.append((self.command, self.path, wanted))
        content = shop.content.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and shop.ranges else 0
        if wanted and shop.ranges and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        for key, value in shop.headers.get(self.path, {}).items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self._send(content[start:], shop)

    def _send(self, content, shop):
        offered = content[: shop.cut_after]
        for start in range(0, len(offered), CHUNK):
            self.wfile.write(offered[start : start + CHUNK])
            time.sleep(shop.pause)
        if shop.cut_after is not None:
            self.close_connection = True


@contextmanager
def open_shop() -> Iterator[Shop]:
    """A shop on a port of its own, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.shop = Shop()
    server.shop.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.shop
    finally:
        server.shutdown()
        server.server_close()
