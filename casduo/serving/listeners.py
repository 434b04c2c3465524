"""The sockets that serving processes take connections from. They belong to the process that starts those.

Each serving process has one of its own, and who comes after it takes it over with all that wait in it: a connection
that the system has accepted is never thrown away because a process ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct

BACKLOG = 4096
"""Connections that may wait for somebody to take them; the system may allow fewer."""
_ATTACH_FILTER = 26
"""SO_ATTACH_FILTER, socket(7); Python has no name for it."""
# A classic BPF program over the TCP header: segments with SYN and without ACK are dropped, all others pass.
_NO_NEWCOMERS = (
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x54, 0, 0, 0x12),  # of these SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone: go on, else skip one
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # pass
)


def open_listener(host: str, port: int) -> socket.socket:
    """Return a socket for :func:`listen`; the system spreads connections over all that listen at an address.

    :raises OSError: nobody can listen there
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # Connections inherit it. Without it the second half of a page waits until the first one is acknowledged, which
        # whoever reads it puts off for 40 ms (Nagle's algorithm against delayed acknowledgements, RFC 1122, 4.2.3.4).
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def listen(listener: socket.socket) -> None:
    """Have the system take connections: once somebody is there to answer. Twice does no harm."""
    listener.listen(BACKLOG)


def refuse_newcomers(listener: socket.socket) -> None:
    """Let nobody else come in, so that those who wait can be answered before the socket is closed.

    Closing it at once would reset every connection that nobody has taken yet. Who knocks meanwhile is not answered and
    knocks again within a second (RFC 6298, 2.1); by then the socket is closed and they are told so. Where the system
    cannot do that (it takes Linux), nothing happens.
    """
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _NO_NEWCOMERS))
    # struct sock_fprog: how many steps, and where they are.
    program = struct.pack("HL", len(_NO_NEWCOMERS), ctypes.addressof(code))
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)


def let_go(listener: socket.socket) -> None:
    """Take no more connections in this process, while others go on to. Safe while threads wait for one.

    The descriptor must not become free: whoever waits on it would get whatever is opened next. So another socket that
    nobody connects to takes its place.
    """
    with socket.socket(listener.family, socket.SOCK_STREAM) as idle:
        idle.bind(("::1" if listener.family == socket.AF_INET6 else "127.0.0.1", 0))
        idle.listen(1)
        idle.setblocking(False)
        os.dup2(idle.fileno(), listener.fileno(), inheritable=False)
