"""What a serving process knows of its own end."""

from __future__ import annotations


class Draining:
    """How far this process is on its way out.

    ``draining`` is set when no other process takes its place: ``/readyz`` then says so, that proxies in front may look
    elsewhere. ``closing`` is set when no answer may leave its connection open.
    """

    __slots__ = ("closing", "draining")

    def __init__(self) -> None:
        self.draining = False
        self.closing = False
