"""granian in a process of ours. Its own parent process, which starts and ends such processes, is not used."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from socket import socket
from typing import Any

from granian import _futures, _granian
from granian._loops import loops
from granian.constants import HTTPModes, SSLProtocols
from granian.log import LogLevels, configure_logging
from granian.wsgi import _callback_wrapper

from casduo.app import Wsgi
from casduo.serving import listeners
from casduo.serving.draining import Draining
from casduo.settings.sections import ServerSettings

# What granian's own parent process makes its workers of. It is not for others and may change with any 2.x, so setup.py
# names the release; its stubs say something else than what it takes.
_native: Any = _granian
_new_scheduler: Any = _futures._new_cbscheduler
_RUNTIME_THREADS = 1
_RUNTIME_BLOCKING_THREADS = 512
# Its lines go where those of all other libraries go, in their form.
_LOGGING: dict[str, Any] = {
    "formatters": {},
    "handlers": {},
    "loggers": {name: {"handlers": [], "propagate": True} for name in ("_granian", "granian.access")},
}
_IDLE_SECONDS = 30
"""After which a thread that has nothing to do ends."""


class GranianServer:
    """See :class:`casduo.serving.base.WsgiServer`.

    :param most: connections held at a time; a kept one holds its place while it is idle
    :param draining: what answers look at to say that their connection ends; it is the application that says so
    """

    def __init__(
        self, settings: ServerSettings, application: Wsgi, listener: socket, draining: Draining, most: int
    ) -> None:
        configure_logging(LogLevels.error, _LOGGING, True)
        self._listener = listener
        self._draining = draining
        self._signal = _native.WorkerSignal()
        self._ended = threading.Event()
        self._signal.add_cb(self._ended.set)
        self._loop = loops.get("auto")
        self._scheduler = _new_scheduler(
            self._loop, _callback_wrapper(application, {"url_path_prefix": None}), impl_asyncio=True
        )
        certificate, key = settings.tls_certificate, settings.tls_key
        if certificate is not None and key is not None:
            # It would end without a word over files that do not fit.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        self._worker = _native.WSGIWorker(
            1,
            (None, _native.SocketHolder(listener.fileno(), False, listeners.BACKLOG)),
            None,
            _RUNTIME_THREADS,
            _RUNTIME_BLOCKING_THREADS,
            settings.threads,
            _IDLE_SECONDS,
            most,
            HTTPModes.http1,
            None,
            None,
            None,
            certificate is not None,
            str(certificate) if certificate is not None else None,
            str(key) if key is not None else None,
            None,
            str(SSLProtocols.tls13),
            None,
            [],
            False,
            (None, None),
        )

    def run(self, ready: Callable[[], None]) -> None:
        """See :class:`casduo.serving.base.WsgiServer`."""
        self._worker.serve_mtr(self._scheduler, self._loop, self._signal)
        ready()
        self._ended.wait()

    def close_connections(self) -> None:
        """See :class:`casduo.serving.base.WsgiServer`."""
        self._draining.closing = True

    def let_go(self) -> None:
        """See :class:`casduo.serving.base.WsgiServer`."""
        listeners.let_go(self._listener)

    def stop(self) -> None:
        """See :class:`casduo.serving.base.WsgiServer`."""
        self._signal.set()
