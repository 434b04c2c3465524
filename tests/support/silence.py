"""A line to a server that can fall silent: connections come about, and nothing gets through."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Line:
    """The line to a server. While it is silent connections come about, and nothing gets through, on none of them.

    :param far: the server's port; another one may be set for connections that come about from then on
    """

    def __init__(self, far: int) -> None:
        self.far = far
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._silent = False
        self._asking: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def calls(self) -> int:
        """How many calls got lost in silence; each is the last one of its connection."""
        return len(self._asking)

    def silence(self) -> None:
        self._asking = set()
        self._silent = True

    def mend(self) -> None:
        """Let everything through again, on new connections."""
        self._silent = False
        for item in tuple(self._open):
            with suppress(OSError):
                item.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self.mend()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.far))
                except OSError:
                    near.close()
                    continue
                for source, target, asks in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._carry, args=(source, target, asks), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        self._open.add(source)
        with suppress(OSError):
            while data := source.recv(65536):
                if not self._silent:
                    target.sendall(data)
                elif asks:
                    self._asking.add(source)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()
