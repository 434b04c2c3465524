"""Serves rendered pages on loopback with the headers of the real server, so that a browser can be pointed at them."""

from __future__ import annotations

import json
import mimetypes
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.pages.rendering import NONCE, SITE, STATIC

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'self'; script-src 'nonce-{NONCE}'; img-src 'self' data:; base-uri 'none'; "
    "frame-ancestors 'none'"
)

LASTING = frozenset({"text/css", "text/javascript", "application/javascript", "image/svg+xml"})


@dataclass(slots=True)
class Pages:
    """Pages by path, and what was posted to any path. ``accent`` is the colour that theme.css sets.

    ``news`` are answers to scripts by path, a status and facts; ``asked`` are the paths that scripts asked for.
    """

    bodies: dict[str, str] = field(default_factory=dict)
    news: dict[str, tuple[int, Mapping[str, Any]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    accent: str = SITE.accent_colour
    posted: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    origin: str = ""

    def add(self, path: str, body: str) -> str:
        """Serve ``body`` under ``path`` from now on and return its URL."""
        self.bodies[path] = body
        return self.origin + path

    def find(self, path: str) -> tuple[str, bytes]:
        """Return media type and body for ``path``; a path nobody added is a small page that names it."""
        if path == "/cas/static/theme.css":
            return "text/css; charset=utf-8", f":root{{--accent:{self.accent}}}".encode()
        if path.startswith("/cas/static/"):
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            return kind, (STATIC / path.rpartition("/")[2]).read_bytes()
        other = f"<!doctype html><html lang=en><title>{path}</title><p>elsewhere"
        return "text/html; charset=utf-8", self.bodies.get(path, other).encode()


class Server(ThreadingHTTPServer):
    """A server that says nothing of a browser that went on before it had everything."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def served() -> Iterator[Pages]:
    """Serve pages on a free port of the loopback address for as long as the context lasts."""
    pages = Pages()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path not in pages.news:
                return self._answer()
            pages.asked.append(path)
            status, facts = pages.news[path]
            self._send(status, "application/json", json.dumps(facts).encode(), "default-src 'none'")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            pages.posted.append((urlsplit(self.path).path, dict(parse_qsl(body, keep_blank_values=True))))
            self._answer()

        def _answer(self) -> None:
            kind, body = pages.find(urlsplit(self.path).path)
            asking = "; connect-src 'self'" if re.search(rb'data-(again|status)="/', body) else ""
            self._send(200, kind, body, CONTENT_SECURITY_POLICY + asking)

        def _send(self, status: int, kind: str, body: bytes, policy: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cache-Control", "max-age=600" if kind in LASTING else "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the tests read ``posted``."""

    server = Server(("127.0.0.1", 0), Handler)
    pages.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield pages
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
