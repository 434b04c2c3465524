"""Addresses: the public one of a request, the CAS server's, and what is taken off a query. Pure text work.

The address sent to ``/login`` and the one sent to validation must be the same bytes, so both come from
:func:`public_address`, and queries are cut, never parsed and written anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

from casduo.middleware.errors import AddressTooLong, UnknownHost
from casduo.middleware.tickets import is_ticket

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

MAX_LOGIN_URL: Final = 7500
"""Longest login URL: servers and proxies commonly stop at 8 KiB for a request line or a header."""

_PATH_SAFE: Final = "/:@!$&'()*+,;=~"
_QUERY_SAFE: Final = "%/?:@!$&'()*+,;=~[]{}|^`"
_RAW_PATH: Final = re.compile(r"/[A-Za-z0-9/:@!$&'()*+,;=~._%-]*")
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


class Check(Enum):
    """Last parameter of an address by which the middleware finds out whether the browser returns cookies, and why."""

    SIGN_IN = "casduo_check=sign-in"
    GATEWAY = "casduo_check=gateway"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request was sent, as the browser sees it.

    :param base: scheme, host, and the path a reverse proxy takes off; no slash at the end.
    :param path: percent-encoded, begins with a slash.
    :param query: percent-encoded, without ``?``.
    :param proxied: a proxy ticket in the query is a ticket, not a parameter of the application.
    """

    base: str
    path: str
    query: str
    proxied: bool = False

    def with_query(self, query: str) -> str:
        """Return the address with another query; with an empty one, without ``?``."""
        return f"{self.base}{self.path}?{query}" if query else f"{self.base}{self.path}"

    @property
    def clean(self) -> str:
        """The address without tickets and without our own parameter: where the browser ends up."""
        return self.with_query(self.clean_query)

    @property
    def clean_query(self) -> str:
        """The query without tickets and without our own parameter."""
        return without_tickets(take_check(self.query)[0], proxied=self.proxied)

    @property
    def origin(self) -> str:
        """Scheme and host, as an ``Origin`` header writes them."""
        return origin_of(self.base)


def public_address(
    environ: WSGIEnvironment, service_url: str | None, allowed_hosts: Iterable[str], *, proxied: bool = False
) -> Address:
    """Return the public address of a request.

    The ``Host`` header chooses among ``allowed_hosts`` and is never believed otherwise: a ticket bought for another
    site would be valid here (CVE-2022-39369).

    :param service_url: fixed public origin, with the path a reverse proxy takes off if it does; ``None`` to use Host.
    :param allowed_hosts: ``host`` or ``host:port``, used when ``service_url`` is ``None``.
    :param proxied: see :class:`Address`.
    :raises UnknownHost: the header names a host that is not listed.
    """
    if service_url is not None:
        base = service_url.rstrip("/")
    else:
        scheme = str(environ["wsgi.url_scheme"])
        host = environ.get("HTTP_HOST", "").lower().removesuffix(_DEFAULT_PORTS.get(scheme, ""))
        if host not in {allowed.lower() for allowed in allowed_hosts}:
            raise UnknownHost("the request names a host that is not listed in allowed_hosts")
        base = f"{scheme}://{host}"
    query = quote(environ.get("QUERY_STRING", "").encode("latin-1"), safe=_QUERY_SAFE)
    return Address(base, _public_path(environ), _closed(query), proxied)


def _closed(query: str) -> str:
    """Return a query to which a server appends ``&ticket=``: some append without ``&`` after ``?`` and ``&``."""
    query = query.rstrip("&")
    return f"{query[:-1]}%3F" if query.endswith("?") else query


def _public_path(environ: WSGIEnvironment) -> str:
    """Prefer the path as it was written (it still knows ``%2F`` from ``/``), if it is the path that is being served."""
    served = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1")
    for variable in ("REQUEST_URI", "RAW_URI"):
        written = str(environ.get(variable, "")).partition("?")[0]
        if _RAW_PATH.fullmatch(written) and unquote_to_bytes(written) == served:
            return written
    return quote(served, safe=_PATH_SAFE) or "/"


def origin_of(url: str) -> str:
    """Return scheme and host of ``url`` as an ``Origin`` header writes them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def take_ticket(query: str, *, proxied: bool = False) -> tuple[str, str | None]:
    """Return the query without the ticket that the CAS server appended, and the ticket.

    Only a parameter that reads ``ticket=ST-...`` as it stands is one: an application may have a parameter ``ticket``
    of its own. Of several the last counts, because servers append (CAS Protocol 3.0, 2.2.4).

    :param proxied: ``ticket=PT-...`` is one as well.
    """
    pairs = query.split("&")
    for place in reversed(range(len(pairs))):
        if _is_ticket_pair(pairs[place], proxied):
            return "&".join(pairs[:place] + pairs[place + 1 :]).rstrip("&"), pairs[place].removeprefix("ticket=")
    return query, None


def without_tickets(query: str, *, proxied: bool = False) -> str:
    """Return the query without any ticket; ``proxied`` as in :func:`take_ticket`."""
    return "&".join(pair for pair in query.split("&") if not _is_ticket_pair(pair, proxied))


def _is_ticket_pair(pair: str, proxied: bool) -> bool:
    return pair.startswith("ticket=") and is_ticket(pair.removeprefix("ticket="), proxied=proxied)


def take_check(query: str) -> tuple[str, Check | None]:
    """Return the query without a :class:`Check` at its end, and which one was there."""
    rest, _, last = query.rpartition("&")
    for check in Check:
        if last == check.value:
            return rest, check
    return query, None


def with_check(query: str, check: Check) -> str:
    """Return the query with ``check`` at its end."""
    return f"{query}&{check.value}" if query else check.value


def login_url(cas_url: str, service: str, *, renew: bool = False, gateway: bool = False) -> str:
    """Return the address at which the CAS server asks for credentials (CAS Protocol 3.0, 2.1.1).

    :raises AddressTooLong: the result would not survive servers and proxies on its way.
    """
    if len(service) > MAX_LOGIN_URL:
        raise AddressTooLong(f"the address has {len(service)} characters")
    option = "&renew=true" if renew else "&gateway=true" if gateway else ""
    url = f"{cas_url.rstrip('/')}/login?service={quote(service, safe='')}{option}"
    if len(url) > MAX_LOGIN_URL:
        raise AddressTooLong(f"the address needs a login URL of {len(url)} characters")
    return url


def logout_url(cas_url: str, service: str) -> str:
    """Return the address at which the CAS server ends the session (CAS Protocol 3.0, 2.3.1)."""
    return f"{cas_url.rstrip('/')}/logout?service={quote(service, safe='')}"


def validation_url(
    cas_url: str, service: str, ticket: str, *, renew: bool, pgt_url: str | None = None, proxied: bool = False
) -> str:
    """Return the address at which a ticket is validated (CAS Protocol 3.0, 2.5.1, 2.6 and 2.8).

    Every value is percent-encoded, so that a ticket can never bring parameters of its own (CVE-2014-4172).

    :param pgt_url: where the server is to bring a proxy-granting ticket, if one is wanted.
    :param proxied: ask where proxy tickets are accepted too.
    """
    endpoint = "proxyValidate" if proxied else "serviceValidate"
    query = f"service={quote(service, safe='')}&ticket={quote(ticket, safe='')}{'&renew=true' if renew else ''}"
    callback = f"&pgtUrl={quote(pgt_url, safe='')}" if pgt_url else ""
    return f"{cas_url.rstrip('/')}/p3/{endpoint}?{query}{callback}"


def proxy_url(cas_url: str, pgt: str, target_service: str) -> str:
    """Return the address at which a proxy ticket is given (CAS Protocol 3.0, 2.7.1)."""
    return f"{cas_url.rstrip('/')}/proxy?pgt={quote(pgt, safe='')}&targetService={quote(target_service, safe='')}"
