"""What tickets look like, and how they are spoken of without giving them away."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_SERVICE_TICKET: Final = re.compile(r"ST-[A-Za-z0-9._~-]{1,253}")
"""CAS Protocol 3.0, 3.1.1 and 3.7: prefix ``ST-``, up to 256 characters. Some servers also use ``. _ ~``, which need
no escaping in a URL either."""

_PROXY_TICKET: Final = re.compile(r"PT-[A-Za-z0-9._~-]{1,253}")
"""3.2: the same with ``PT-``. Programs bring them, not browsers."""

_PGT: Final = re.compile(r"PGT-[A-Za-z0-9.-]{1,252}")
_IOU: Final = re.compile(r"PGTIOU-[A-Za-z0-9.-]{1,249}")
"""3.3 and 3.4. These come to an address that anybody may call, so nothing else is let in."""


def is_ticket(text: str, *, proxied: bool = False) -> bool:
    """Return whether ``text`` can be a service ticket at all.

    :param proxied: or a proxy ticket.
    """
    return _SERVICE_TICKET.fullmatch(text) is not None or (proxied and is_proxy_ticket(text))


def is_proxy_ticket(text: str) -> bool:
    """Return whether ``text`` can be a proxy ticket at all."""
    return _PROXY_TICKET.fullmatch(text) is not None


def is_proxy_granting_ticket(text: str) -> bool:
    """Return whether ``text`` can be a proxy-granting ticket at all."""
    return _PGT.fullmatch(text) is not None


def is_iou(text: str) -> bool:
    """Return whether ``text`` can be the IOU of a proxy-granting ticket at all."""
    return _IOU.fullmatch(text) is not None


def ticket_hash(ticket: str) -> str:
    """Return the value under which a session remembers its ticket: 40 hexadecimal digits, not to be turned back."""
    return hashlib.sha256(ticket.encode()).hexdigest()[:40]


def shown(ticket: str) -> str:
    """Return how a log line names a ticket of any kind: prefix and the last four characters."""
    prefix = ticket.partition("-")[0]
    return f"{prefix}-...{ticket[-4:]}" if len(ticket) > 11 else f"{prefix}-..."
