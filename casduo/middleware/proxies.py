"""Which proxies may call in somebody's name: their callback addresses judged against patterns. Pure.

A pattern is a whole address (``https://portal.example.edu/pgt``), or one that ends in ``/*`` and means every address
below it. Addresses are compared as they are written: the CAS server repeats what the proxy gave it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

_PLAIN: Final = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)+/?")
"""What a star may stand for: nothing that a server could read as another host or another path."""


def allowed(chain: Sequence[str], patterns: Iterable[str]) -> bool:
    """Return whether every proxy of a chain is allowed; one that is not could have asked the next for anything.

    :param chain: callback addresses as the CAS server named them. An empty chain is not allowed.
    :param patterns: see the module.
    """
    known = tuple(patterns)
    return bool(chain) and all(any(_matches(pattern, proxy) for pattern in known) for proxy in chain)


def problem_of(pattern: str) -> str | None:
    """Return what is wrong with a pattern, or ``None``."""
    address = pattern.removesuffix("/*")
    if "*" in address:
        return f"the pattern {pattern!r} has a star elsewhere than in a final '/*'"
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        host = None
    if host is None or not address.startswith("https://") or not address.isascii() or not address.isprintable():
        return f"the pattern {pattern!r} is not an address like https://portal.example.edu/pgt"
    return None


def _matches(pattern: str, proxy: str) -> bool:
    if not pattern.endswith("/*"):
        return proxy == pattern
    return proxy.startswith(pattern[:-1]) and _PLAIN.fullmatch(proxy) is not None and not _climbs(proxy)


def _climbs(address: str) -> bool:
    return any(segment in (".", "..") for segment in address.split("/"))
