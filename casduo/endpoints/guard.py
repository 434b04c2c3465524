"""Who may see how the server is: callers from networks that the settings name, if their address is really theirs."""

from __future__ import annotations

from collections.abc import Iterable

from casduo.fieldtypes import Network
from casduo.request import Request
from casduo.services.access import in_networks

_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED")
_RESOLVED = "werkzeug.proxy_fix.orig"
"""There where the proxies in front were asked for the caller's address."""


def comes_from(request: Request, networks: Iterable[Network]) -> bool:
    """Say whether a request comes from one of ``networks``.

    It does not where a proxy that the settings do not know of stands between: then the address is the proxy's, often
    this very machine's, and says nothing about the caller.
    """
    forwarded = any(name in request.environ for name in _FORWARDED)
    return not (forwarded and _RESOLVED not in request.environ) and in_networks(tuple(networks), request.address)
