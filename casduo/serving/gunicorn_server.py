"""gunicorn's threaded worker in a process of ours. Its own parent process is not used."""

from __future__ import annotations

import os
import signal
import ssl
import time
from collections.abc import Callable
from socket import socket
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from casduo.app import Wsgi
from casduo.serving.base import LINGER
from casduo.settings.sections import ServerSettings

_KEPT_SECONDS = 30
"""For which a connection is kept while nothing comes."""
_LONGEST_LINE = 8190
"""The longest it takes; a service may have 8192 bytes."""


class GunicornServer:
    """See :class:`casduo.serving.base.WsgiServer`."""

    def __init__(self, settings: ServerSettings, application: Wsgi, listener: socket) -> None:
        certificate, key = settings.tls_certificate, settings.tls_key
        options = {
            "threads": settings.threads,
            "certfile": str(certificate) if certificate is not None else None,
            "keyfile": str(key) if key is not None else None,
            "ssl_context": _tls,
            # At "warning" it would repeat malformed request lines, and with them tickets.
            "loglevel": "error",
            "limit_request_line": _LONGEST_LINE,
            "keepalive": _KEPT_SECONDS,
            "graceful_timeout": max(1, round(settings.shutdown)),
        }
        served = _Application(application, {name: value for name, value in options.items() if value is not None})
        self._config = served.cfg
        log = served.cfg.logger_class(served.cfg)
        # Its lines go where those of all other libraries go, in their form.
        log.error_log.handlers.clear()
        log.error_log.propagate = True
        self._worker = _Worker(1, os.getppid(), [listener], served, 0, served.cfg, log)

    def run(self, ready: Callable[[], None]) -> None:
        """See :class:`casduo.serving.base.WsgiServer`."""

        def begins(worker: object) -> None:
            # It has taken the signals by now. Ctrl-C reaches our parent too, which ends us when it is time.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            ready()

        self._config.set("post_worker_init", begins)
        self._worker.init_process()

    def close_connections(self) -> None:
        """See :class:`casduo.serving.base.WsgiServer`."""
        self._config.set("keepalive", 0)

    def let_go(self) -> None:
        """See :class:`casduo.serving.base.WsgiServer`. Its connections stay open for :data:`LINGER` meanwhile."""
        self._worker.handle_exit(signal.SIGTERM, None)

    def stop(self) -> None:
        """See :class:`casduo.serving.base.WsgiServer`."""
        self._worker.handle_exit(signal.SIGTERM, None)


def _tls(_: Any, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = make()
    # Whoever is told that a form comes too slowly is told so on a connection of which nothing more is read. Lengths are
    # told, so that an end that comes too early is noticed all the same.
    context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


class _Worker(ThreadWorker):
    """Keeps for a moment what an answer has promised to keep before connections were to be closed: the next request may
    be on its way already, and is answered with the word that the connection ends (RFC 9112, 9.6).
    """

    def finish_request(self, conn: Any, fs: Any) -> None:
        """See gunicorn."""
        super().finish_request(conn, fs)
        if not self.cfg.keepalive:
            # "Now" is what it made of 0 seconds, and would close it before it reads anything.
            conn.timeout = time.monotonic() + LINGER


class _Application(BaseApplication):
    """gunicorn without its command line."""

    def __init__(self, application: Wsgi, options: dict[str, Any]) -> None:
        self._application = application
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Wsgi:  # type: ignore[override]
        return self._application
