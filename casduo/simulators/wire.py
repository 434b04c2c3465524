"""HTTP/1.1 on a byte stream: read a request into a WSGI environment, turn a WSGI answer into one block of bytes.

The standard library's handler writes headers and body separately, which costs 40 ms per request when Nagle's
algorithm meets delayed acknowledgements. Here an answer is one write.
"""

from __future__ import annotations

import http
import http.client
import io
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes, urlsplit

MAX_BODY = 8 * 1024 * 1024
"""Bytes of request body a simulator reads at most."""

_MAX_LINE = 65536

Environ = dict[str, Any]
WsgiApplication = Callable[..., Iterable[bytes]]

AFTER_SENT = "casduo.simulators.after_sent"
"""Environment key: a list of functions that run once the whole answer was handed to a peer that is still there."""

HEADERS_AS_SENT = "casduo.simulators.headers"
"""Environment key: the headers as pairs of name and value; WSGI's own form of a name cannot tell ``_`` from ``-``."""


class UnreadableRequest(Exception):
    """The bytes are not a request this server takes. ``status`` is the HTTP status to answer with."""

    def __init__(self, status: int) -> None:
        super().__init__(f"unreadable request, answered with {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came over the wire.

    ``target`` is what stands in the request line with any scheme and host cut off (a client behind a CONNECT proxy
    sends them, RFC 9112 section 3.2.2); ``keep_alive`` says whether the connection outlives the answer.
    """

    method: str
    target: str
    headers: http.client.HTTPMessage
    body: bytes
    keep_alive: bool

    @property
    def path(self) -> str:
        """The target without its query, still percent-encoded."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a WSGI application answered, complete."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    def serialise(self, *, head_only: bool, keep_alive: bool) -> bytes:
        """Return the bytes to send, with a correct Content-Length.

        :param head_only: the request was HEAD: the length is told, the body is not sent.
        :param keep_alive: False adds ``Connection: close``.
        """
        lines = [f"HTTP/1.1 {self.status}", f"Date: {formatdate(usegmt=True)}"]
        lines += [f"{name}: {value}" for name, value in self.headers if name.lower() != "content-length"]
        bodiless = self.status[:3] in ("204", "304")
        if not bodiless:
            lines.append(f"Content-Length: {len(self.body)}")
        if not keep_alive:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        return head if head_only or bodiless else head + self.body


def read_request(stream: BinaryIO, send_continue: Callable[[], None]) -> Request | None:
    """Read one request; None when the peer closed the connection instead of sending another.

    :param stream: the buffered read side of the connection.
    :param send_continue: called when the client waits for permission to send its body (``Expect: 100-continue``).
    :raises UnreadableRequest: not HTTP/1.x, chunked, or larger than :data:`MAX_BODY`.
    """
    line = stream.readline(_MAX_LINE + 1)
    while line in (b"\r\n", b"\n"):
        line = stream.readline(_MAX_LINE + 1)
    if not line:
        return None
    words = line.decode("latin-1").split()
    if len(line) > _MAX_LINE or len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise UnreadableRequest(400)
    method, target, version = words
    try:
        headers = http.client.parse_headers(stream)
    except http.client.HTTPException as error:
        raise UnreadableRequest(431) from error
    wish = headers.get("Connection", "").lower()
    keep_alive = "close" not in wish and (version != "HTTP/1.0" or "keep-alive" in wish)
    body = _read_body(stream, headers, send_continue)
    return Request(method, _origin_form(target), headers, body, keep_alive)


def _read_body(stream: BinaryIO, headers: http.client.HTTPMessage, send_continue: Callable[[], None]) -> bytes:
    if "Transfer-Encoding" in headers:
        raise UnreadableRequest(411)
    declared = headers.get("Content-Length", "0")
    if not (declared.isascii() and declared.isdigit()):
        raise UnreadableRequest(400)
    length = int(declared)
    if length > MAX_BODY:
        raise UnreadableRequest(413)
    if length and headers.get("Expect", "").lower() == "100-continue":
        send_continue()
    body = stream.read(length)
    if len(body) < length:
        raise ConnectionResetError("the peer left before its request was complete")
    return body


def _origin_form(target: str) -> str:
    if target.startswith("/"):
        return target
    parts = urlsplit(target)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def environ_of(request: Request, *, scheme: str, server: tuple[str, int], peer: str) -> Environ:
    """Build the WSGI environment (PEP 3333) for a request."""
    path, _, query = request.target.partition("?")
    environ: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": request.target,
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": peer,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        AFTER_SENT: [],
        HEADERS_AS_SENT: request.headers.items(),
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ[key] = value
        elif key != "CONTENT_LENGTH":
            previous = environ.get(f"HTTP_{key}")
            environ[f"HTTP_{key}"] = value if previous is None else f"{previous},{value}"
    return environ


def call_application(application: WsgiApplication, environ: Environ) -> Answer:
    """Run a WSGI application to the end of its answer."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        started.append((status, headers))
        return written.append

    chunks = application(environ, start_response)
    try:
        written.extend(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    return Answer(status, headers, b"".join(written))


def plain_answer(status: int) -> Answer:
    """Return a short text answer that says nothing but its status."""
    phrase = f"{status} {http.HTTPStatus(status).phrase}"
    return Answer(phrase, [("Content-Type", "text/plain; charset=utf-8")], phrase.encode())
