"""Requests as no decent client sends them: straight into the WSGI application, or byte by byte over a socket."""

from __future__ import annotations

import io
import socket
import sys
from dataclasses import dataclass
from typing import Any

from tests.support.site import Site

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """An answer as it would go over the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The first header of that name, empty for none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def call(
    site: Site,
    method: str = "GET",
    path: str = "/cas/login",
    query: str = "",
    body: bytes = b"",
    kind: str = "",
    **environ: Any,
) -> Answer:
    """Call the application as a WSGI server does, which hands bytes over as Latin-1 and checks next to nothing.

    :param query: Latin-1, still percent-encoded; ``path``: Latin-1, decoded once
    :param environ: more of the environment, ``HTTP_COOKIE`` and the like
    """
    whole: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "REMOTE_ADDR": "192.0.2.7",
        "SERVER_NAME": "sso.example.edu",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "sso.example.edu",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **environ,
    }
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        started.append((status, list(headers)))

    answer = site.composed.wsgi(whole, start_response)
    content = b"".join(answer)
    getattr(answer, "close", lambda: None)()
    status, headers = started[-1]
    return Answer(int(status[:3]), headers, content)


def exchange(address: tuple[str, int], data: bytes, *, half_close: bool = False, seconds: float = 10.0) -> bytes:
    """Send ``data`` over a socket of its own and return what comes back until the server closes.

    :param half_close: tell the server that nothing more will come
    """
    with socket.create_connection(address, timeout=seconds) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            # A server that refuses to read on may reset; what it said before counts.
            pass
        return received
