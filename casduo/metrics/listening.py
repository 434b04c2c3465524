"""The address at which a worker that no server started tells its numbers, and that it lives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from casduo.fieldtypes import Network
from casduo.metrics.scraping import Scrape
from casduo.services.access import in_networks

_SECONDS: Final = 5.0
"""That a client has to send its request; one is answered at a time."""


class _Handler(WSGIRequestHandler):
    """A handler that writes no log, and waits for nobody for long."""

    timeout = _SECONDS

    def log_message(self, format: str, *arguments: Any) -> None:
        """Write nothing: Prometheus asks four times a minute."""

    def address_string(self) -> str:
        """Return the address without asking for its name."""
        return str(self.client_address[0])


class Listener:
    """Answers ``/metrics`` and ``/healthz``, to callers from some networks.

    :param address: host and port to listen on
    :param networks: who may ask
    :raises OSError: nobody can listen there
    """

    def __init__(self, address: str, scrape: Scrape, networks: Sequence[Network]) -> None:
        host, _, port = address.rpartition(":")
        self._scrape = scrape
        self._networks = tuple(networks)
        self._server: WSGIServer = make_server(host.strip("[]"), int(port), self._answer, handler_class=_Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics-listener", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_port)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, kind, body = self._reply(environ)
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
        start_response(status, headers)
        return [body]

    def _reply(self, environ: dict[str, Any]) -> tuple[str, str, bytes]:
        plain = "text/plain; charset=utf-8"
        if environ["PATH_INFO"] not in ("/metrics", "/healthz"):
            return "404 Not Found", plain, b"not found\n"
        if environ["REQUEST_METHOD"] != "GET":
            return "405 Method Not Allowed", plain, b"method not allowed\n"
        # Somebody in between would be whom the address tells of.
        forwarded = "HTTP_X_FORWARDED_FOR" in environ or "HTTP_FORWARDED" in environ
        if forwarded or not in_networks(self._networks, environ["REMOTE_ADDR"]):
            return "403 Forbidden", plain, b"not from this address: see metrics.networks\n"
        if environ["PATH_INFO"] == "/healthz":
            return "200 OK", plain, b"ok\n"
        body, kind = self._scrape.answer(environ.get("HTTP_ACCEPT", ""))
        return "200 OK", kind, body
