"""What runs in a serving process, from the fork to its end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from enum import Enum
from socket import socket
from typing import TYPE_CHECKING, NoReturn

import structlog

from casduo.errors import CasduoError, SettingsError
from casduo.log import tell_problem
from casduo.openfiles import ask_for_open_files
from casduo.serving.base import LINGER, WsgiServer
from casduo.serving.draining import Draining
from casduo.serving.listeners import listen
from casduo.settings.sections import ServerSettings

if TYPE_CHECKING:
    # The parent, which imports this, has no use for all that answers requests.
    from casduo.app import Wsgi

READY = b"r"
"""What it writes once connections are taken."""
IDLE = b"i"
"""What it writes once :attr:`Order.FINISH` is carried out."""
EXIT_UNUSABLE = 2
_CONNECTIONS = 16_384
"""Connections that a process holds, most of them idle."""
_OTHER_FILES = 256
_FEWEST_CONNECTIONS = 512


class Order(Enum):
    """What the parent has to say, one byte each. Its silence for good, when it has died, is a :attr:`LEAVE`."""

    DRAIN = b"d"
    """The whole server is about to end: say so to whoever asks, and keep no connection."""
    FINISH = b"f"
    """Say :data:`IDLE` when those in hand are answered. Go on taking requests: proxies go by the answers to checks."""
    LEAVE = b"l"
    """Somebody else has taken over: take nobody any more, answer those who are there."""
    STOP = b"s"
    """Answer what is in hand, and end."""


def serve_in_child(section: ServerSettings, server: str, listener: socket, control: socket) -> NoReturn:
    """Answer requests until told to stop, and end this process.

    :param section: the settings by which it was started; all others are read here
    :param server: ``granian`` or ``gunicorn``
    :param control: where orders come from, and where it says how far it is
    """
    status = 1
    try:
        status = _Child(section, server, listener, control).run()
    except SettingsError as error:
        for problem in error.problems:
            tell_problem(problem)
        status = EXIT_UNUSABLE
    except CasduoError as error:
        structlog.get_logger("casduo").error("serving.refused", code=error.code, detail=str(error))
    except BaseException as error:
        # Class and place only: the text of an error that nobody foresaw may hold anything.
        *_, (frame, line) = traceback.walk_tb(error.__traceback__)
        place = f"{frame.f_code.co_filename}:{line}"
        structlog.get_logger("casduo").error("serving.fault", error=type(error).__name__, place=place)
    finally:
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        # Not by the way out of the parent, of which this is a copy: what it cleans up there is not ours.
        os._exit(status)


class _Child:
    def __init__(self, section: ServerSettings, server: str, listener: socket, control: socket) -> None:
        self._section = section
        self._kind = server
        self._listener = listener
        self._control = control
        # Taken again by a signal that comes while it is held.
        self._lock = threading.RLock()
        self._orders: list[Order] = []
        self._server: WsgiServer | None = None
        self._draining = Draining()

    def run(self) -> int:
        threading.Thread(target=self._obey, name="orders", daemon=True).start()
        # Here and not above: what reads the settings and builds the server belongs to this process alone.
        from casduo import wsgi

        self._draining = wsgi.composed.application.server.draining
        server = self._build(wsgi.composed.wsgi)
        with self._lock:
            self._server = server
            orders = tuple(self._orders)
        for order in orders:
            self._carry_out(server, order)
        # From here on it is asked to leave, which takes a moment, and no longer thrown out.
        signal.signal(signal.SIGTERM, lambda *_: self._take(Order.LEAVE))
        listen(self._listener)
        server.run(lambda: self._say(READY))
        wsgi.composed.close()
        return 0

    def _build(self, application: Wsgi) -> WsgiServer:
        if self._kind == "gunicorn":
            from casduo.serving.gunicorn_server import GunicornServer

            return GunicornServer(self._section, application, self._listener)
        from casduo.serving.granian_server import GranianServer

        # A kept connection holds its place while it is idle: a thousand browsers would keep all others out.
        most = max(_FEWEST_CONNECTIONS, ask_for_open_files(_CONNECTIONS + _OTHER_FILES) - _OTHER_FILES)
        return GranianServer(self._section, application, self._listener, self._draining, most)

    def _say(self, word: bytes) -> None:
        with suppress(OSError):
            self._control.send(word)

    def _finish(self) -> None:
        self._draining.wait_for_those_in_hand()
        self._say(IDLE)

    def _obey(self) -> None:
        while True:
            try:
                word = self._control.recv(1)
            except OSError:
                word = b""
            self._take(Order(word) if word else Order.LEAVE)
            if not word:
                return

    def _take(self, order: Order) -> None:
        with self._lock:
            self._orders.append(order)
            server = self._server
        if server is not None:
            self._carry_out(server, order)
        elif order is not Order.DRAIN:
            # Nothing was taken in hand yet.
            os._exit(0)

    def _carry_out(self, server: WsgiServer, order: Order) -> None:
        if order is Order.DRAIN:
            self._draining.draining = True
            server.close_connections()
            return
        if order is Order.FINISH:
            threading.Thread(target=self._finish, name="finishing", daemon=True).start()
            return
        server.close_connections()
        server.let_go()
        if order is Order.STOP:
            server.stop()
        else:
            waiting = threading.Timer(LINGER, server.stop)
            waiting.daemon = True
            waiting.start()
