"""Reads the bodies of requests, so that those which come slowly never hold all threads that answer.

Neither of the WSGI servers collects a body before it calls the application: their ``read`` waits for as long as whoever
sends takes. Where the server lets us have its socket, as gunicorn does, that can be broken off. granian hands over
nothing by which it could.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from casduo.errors import BadRequest, UpstreamBusy
from casduo.outbound import Bulkhead
from casduo.outbound.bulkhead import PATIENCE
from casduo.request import read_at_leisure

AT_ONCE = 0.3
"""Seconds within which a body comes that was sent with its head or right behind it."""
DEADLINE = 10.0
"""Seconds for a whole body; 64 KiB come in that time at 52 kbit/s."""
_SOCKET = "gunicorn.socket"
_IDLE_SECONDS = 30.0
_HANGING_UP_SECONDS = 1.0


class Bodies:
    """At most ``places`` threads wait for bodies; where reading can be broken off, those alone count that did not get
    theirs at once, and nobody has longer than the deadline.

    :param places: half of the threads that answer, or whatever leaves others for the rest
    :param at_once: seconds
    :param deadline: seconds for a whole body
    """

    def __init__(self, places: int, at_once: float = AT_ONCE, deadline: float = DEADLINE) -> None:
        self._bulkhead = Bulkhead("bodies", places)
        self._at_once = at_once
        self._deadline = deadline
        self._readers = _Readers()

    @property
    def waiting(self) -> int:
        """How many places are taken."""
        return self._bulkhead.inside

    def read(self, environ: Mapping[str, Any], length: int) -> bytes:
        """Return the body, or what came of it before it was cut off.

        :param length: bytes that the head has told
        :raises UpstreamBusy: all places are taken
        :raises BadRequest: it did not come in time (``too_slow``)
        """
        if _SOCKET not in environ:
            return self._read_to_the_end(environ, length)
        reading = _Reading(environ, length)
        self._readers.take(reading)
        if not reading.over.wait(self._at_once):
            try:
                with self._bulkhead:
                    in_time = reading.over.wait(self._deadline - self._at_once)
            except UpstreamBusy:
                reading.break_off()
                raise
            if not in_time:
                reading.break_off()
                raise BadRequest("too_slow")
        if reading.error is not None:
            raise reading.error
        return reading.body

    def _read_to_the_end(self, environ: Mapping[str, Any], length: int) -> bytes:
        # Those who read a body that is there give their place back at once, so it is worth a moment's wait.
        patience = PATIENCE.set(self._at_once)
        try:
            with self._bulkhead:
                return read_at_leisure(environ, length)
        finally:
            PATIENCE.reset(patience)


@dataclass(slots=True, eq=False)
class _Reading:
    """A body that is being read. ``over`` is set when ``body`` or ``error`` is there."""

    environ: Mapping[str, Any]
    length: int
    over: threading.Event = field(default_factory=threading.Event)
    body: bytes = b""
    error: Exception | None = None

    def read(self) -> None:
        try:
            self.body = read_at_leisure(self.environ, self.length)
        except Exception as error:
            self.error = error
        self.over.set()

    def break_off(self) -> None:
        with suppress(OSError):
            # Not by the method of a TLS connection, which could not answer any more then.
            socket.socket.shutdown(self.environ[_SOCKET], socket.SHUT_RD)
        self.over.wait(_HANGING_UP_SECONDS)


class _Readers:
    """Threads that do nothing but read. They are made when needed, and end when there is nothing to do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free = 0
        self._orders: queue.SimpleQueue[_Reading] = queue.SimpleQueue()

    def take(self, reading: _Reading) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
            else:
                threading.Thread(target=self._work, name="body", daemon=True).start()
            self._orders.put(reading)

    def _work(self) -> None:
        while True:
            try:
                reading = self._orders.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if self._free:
                        self._free -= 1
                        return
                # Something is on its way.
                continue
            reading.read()
            del reading
            with self._lock:
                self._free += 1
