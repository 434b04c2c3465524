"""What a service ticket looks like, and how it is spoken of without giving it away."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_TICKET: Final = re.compile(r"ST-[A-Za-z0-9._~-]{1,253}")
"""CAS Protocol 3.0, 3.1.1 and 3.7: prefix ``ST-``, up to 256 characters. Some servers also use ``. _ ~``, which need
no escaping in a URL either. Proxy tickets are not for a browser to bring."""


def is_ticket(text: str) -> bool:
    """Return whether ``text`` can be a service ticket at all."""
    return _TICKET.fullmatch(text) is not None


def ticket_hash(ticket: str) -> str:
    """Return the value under which a session remembers its ticket: 40 hexadecimal digits, not to be turned back."""
    return hashlib.sha256(ticket.encode()).hexdigest()[:40]


def shown(ticket: str) -> str:
    """Return how a log line names a ticket: prefix and the last four characters."""
    return f"ST-...{ticket[-4:]}" if len(ticket) > 11 else "ST-..."
