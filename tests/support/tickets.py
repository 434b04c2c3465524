"""Tickets that nobody granted, the same in every run: names of tests may hold them."""

from __future__ import annotations

from casduo.tickets.ids import TicketId, TicketKind

_TAG = "7xQp"
_RANDOM = "Kd83bWqLz0VnT5cYhR2mGfXuA9sEjP6oJtD4iNgHrB1lCvZ"


def example_ticket(kind: TicketKind) -> TicketId:
    """Return an id of this kind as the server could have made it. All of them share one slot tag."""
    return TicketId(kind, _TAG, f"{kind.value}-{_TAG}-{_RANDOM[: kind.random_length]}")


def example_iou() -> str:
    """Return what a proxy-granting ticket of the examples could be announced by."""
    return f"PGTIOU-{_RANDOM[-43:]}"
