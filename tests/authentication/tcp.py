"""Servers for what no real directory does on request: silence, nonsense, chosen result codes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_BIND, _SEARCH = 0x60, 0x63
_ANSWERS = {_BIND: 0x61, _SEARCH: 0x65}


@contextmanager
def server(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """Run a TCP server that treats one connection after the other as ``behave`` says; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    behave(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"ldap://localhost:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def canned_ldap(
    *, bind: int = 0, search: int = 0, diagnostic: str = "", operation: int = 0
) -> Callable[[socket.socket], None]:
    """Return a behaviour that answers every bind and every search with these result codes and this diagnostic.

    :param operation: what its answers say they are, if not what they should be
    """

    def behave(connection: socket.socket) -> None:
        # A request is a sequence, shorter than 128 octets or longer, of a message id and the operation (RFC 4511, 4.2).
        while request := connection.recv(4096):
            start = 2 if request[1] < 0x80 else 2 + (request[1] & 0x7F)
            end = start + 2 + request[start + 1]
            message_id, asked = request[start:end], request[end]
            if asked not in _ANSWERS:
                return
            code = bind if asked == _BIND else search
            result = bytes([0x0A, 1, code, 0x04, 0]) + _element(0x04, diagnostic.encode())
            connection.sendall(_element(0x30, message_id + _element(operation or _ANSWERS[asked], result)))

    return behave


def _element(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    return bytes([tag, 0x81, len(content)]) + content
