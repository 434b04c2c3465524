"""One call to an address that a request had a say in: resolved once, checked, and only then connected to.

:class:`~casduo.outbound.http.HttpClient` is for upstreams that an administrator chose. This client is for the others
(CAS proxy callbacks, sign-out messages): it trusts neither the name, which may resolve to a machine of our own network
or to another one the second time it is asked, nor the server, which may answer one byte per second for ever.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, IncompleteRead
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from casduo.cause import trace_headers
from casduo.errors import UpstreamError, UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound.addresses import Address, Scope, acceptable, scope_of
from casduo.outbound.failures import failure_for
from casduo.outbound.stream import Limit, Stream, TlsStream

Resolve = Callable[[str], Sequence[Address]]
"""Returns the addresses of a host name, best first; raises ``OSError`` when there are none."""

_PORTS = {"https": 443, "http": 80}
# No user info, no zone, no fragment; the target is whatever is printable ASCII and no space.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<authority>(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?)"
    r"(?P<target>[/?][!\"$-~]*)?",
    re.IGNORECASE | re.ASCII,
)


class AddressRefused(UpstreamMisconfigured):
    """The host has no address that may be called. ``scope`` is what kind it has instead.

    Not an outage: the name resolved, and asking again changes nothing.
    """

    code = "UPSTREAM_ADDRESS_REFUSED"

    def __init__(self, upstream: str, scope: Scope) -> None:
        super().__init__(upstream, "address")
        self.scope = scope


@dataclass(frozen=True, slots=True)
class PinnedAnswer:
    """The answer of a server we know nothing about: of its words only the status counts.

    ``seconds`` is how long the whole call took, the name's resolution included.
    """

    status: int
    seconds: float


def resolve_name(host: str) -> tuple[Address, ...]:
    """Return the addresses of ``host`` in the order in which the system would try them (RFC 6724).

    :raises OSError: the name does not resolve.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "a label is empty or too long") from None
    return tuple(dict.fromkeys(ip_address(str(address[0])) for *_, address in found))


class PinnedClient:
    """Sends single requests, each over a connection of its own. Safe to share by threads and greenlets.

    Neither environment variables nor ``.netrc`` have a say; redirects are answers; there are no cookies.

    :param name: the upstream, as errors name it.
    :param connect_timeout: seconds for a TCP connection to one address.
    :param deadline: seconds for the whole call, TLS and a slow answer included. Only the system's resolver keeps its
        own time.
    :param max_body: bytes of the answer's body that are read; beyond them the connection is closed.
    :param extra_ca_file: PEM file of authorities to trust besides the system's.
    :param resolve: how names become addresses; asked once per call.
    :param monotonic: a clock that never goes back.
    :raises UpstreamMisconfigured: the file of authorities cannot be read.
    """

    def __init__(
        self,
        name: str,
        *,
        connect_timeout: float,
        deadline: float,
        max_body: int,
        extra_ca_file: str | None = None,
        resolve: Resolve = resolve_name,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.connect_timeout = connect_timeout
        self.deadline = deadline
        self._max_body = max_body
        self._resolve = resolve
        self._monotonic = monotonic
        self._tls = _tls_context(name, extra_ca_file)

    def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        private: bool = False,
        plain_http: bool = False,
    ) -> PinnedAnswer:
        """Send one request and return the status of its answer, once the body has ended or reached ``max_body``.

        Of the host's addresses those that may be called are tried in turn until one takes the connection; the request
        is sent once. The certificate must be valid for the name in ``url``, or for the address where that stands there.

        :param url: https, ASCII, without user info and fragment. Path and query are sent as they are.
        :param headers: besides ``Host``, ``User-Agent``, ``Connection`` and what the body needs.
        :param private: whether the host may be this machine or one of a private network.
        :param plain_http: whether ``url`` may be http.
        :raises AddressRefused: the host has no address that may be called; nobody was.
        :raises UpstreamUnavailable: no answer, or none that can be read. ``detail`` is ``timeout`` (no connection in
            time), ``deadline`` (no whole answer in time), ``refused``, ``dns``, ``reset``, ``unreadable`` or
            ``connection``.
        :raises UpstreamUntrusted: TLS cannot be trusted.
        :raises UpstreamMisconfigured: the request itself cannot be sent; ``detail`` is ``request``.
        """
        started = self._monotonic()
        failure: UpstreamError
        try:
            target = _read_url(url, plain_http=plain_http)
            limit = Limit(started + self.deadline, self._monotonic)
            with self._connect(self._addresses(target.host, private), target.port, limit) as connection:
                stream = self._stream(connection, limit, target)
                told = {**(headers or {}), **trace_headers("application")}
                status = _exchange(stream, target, method, body, told, self._max_body)
        except TimeoutError:
            failure = UpstreamUnavailable(self.name, "deadline")
        except (OSError, HTTPException) as error:
            failure = failure_for(self.name, error)
        except ValueError:
            failure = UpstreamMisconfigured(self.name, "request")
        else:
            return PinnedAnswer(status, self._monotonic() - started)
        # Raised out here, the failure drags no library exception along: those quote URLs.
        raise failure

    def _addresses(self, host: str, private: bool) -> tuple[Address, ...]:
        literal = _literal(host)
        found = (literal,) if literal is not None else tuple(self._resolve(host))
        if not found:
            raise UpstreamUnavailable(self.name, "dns")
        allowed = acceptable(found, private=private)
        if not allowed:
            scopes = {scope_of(address) for address in found}
            raise AddressRefused(self.name, Scope.PRIVATE if Scope.PRIVATE in scopes else Scope.SPECIAL)
        return allowed

    def _connect(self, addresses: Sequence[Address], port: int, limit: Limit) -> socket.socket:
        failure: UpstreamError | None = None
        for address in addresses:
            seconds = min(self.connect_timeout, limit.left())
            try:
                return _connected(address, port, seconds)
            except OSError as error:
                failure = failure_for(self.name, error)
        assert failure is not None
        raise failure

    def _stream(self, connection: socket.socket, limit: Limit, target: _Target) -> Stream:
        if target.scheme == "https":
            return TlsStream(connection, limit, self._tls, target.host)
        return Stream(connection, limit)


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL in its parts: ``host`` for resolver and certificate, ``authority`` and ``text`` as they are sent."""

    scheme: str
    host: str
    port: int
    authority: str
    text: str = field(repr=False)


def _read_url(url: str, *, plain_http: bool) -> _Target:
    """Take a URL apart.

    :raises ValueError: it is not one that may be requested
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("not a URL of the accepted form")
    scheme = found["scheme"].lower()
    port = int(found["port"] or _PORTS[scheme])
    if not 0 < port < 65536 or (scheme == "http" and not plain_http):
        raise ValueError("port or scheme")
    host = found["host"].lower()
    if host.startswith("["):
        host = str(IPv6Address(host[1:-1]))
    text = found["target"] or "/"
    return _Target(scheme, host, port, found["authority"].lower(), text if text[0] == "/" else f"/{text}")


def _literal(host: str) -> Address | None:
    """Return the address that ``host`` spells, None for a name.

    Spellings that only some resolvers know, as ``127.1``, pass for names here; what they resolve to is checked.
    """
    try:
        return ip_address(host)
    except ValueError:
        return None


def _connected(address: Address, port: int, seconds: float) -> socket.socket:
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect((str(address), port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connection.close()
        raise
    return connection


def _exchange(
    stream: Stream, target: _Target, method: str, body: bytes | None, headers: Mapping[str, str], max_body: int
) -> int:
    connection = HTTPConnection(target.host, target.port)
    # Already connected: http.client writes the request and reads the answer, and never opens anything.
    carried: Any = stream
    connection.sock = carried
    ours = {"Host": target.authority, "User-Agent": "casduo", "Connection": "close"}
    connection.request(method, target.text, body=body, headers={**headers, **ours})
    response = connection.getresponse()
    with response:
        if stream.ended:
            # For http.client the end of the connection ends the headers too.
            raise IncompleteRead(b"")
        announced = response.length
        content = response.read(max_body)
    if announced is not None and len(content) < min(announced, max_body):
        # http.client lets this pass. An application that broke off may not have done what it was asked for.
        raise IncompleteRead(b"")
    return response.status


def _tls_context(name: str, extra_ca_file: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context()
        if extra_ca_file is not None:
            context.load_verify_locations(extra_ca_file)
    except OSError:
        failure = UpstreamMisconfigured(name, "ca_file")
    else:
        # A name stands in subjectAltName or it does not count (RFC 9525, 2).
        context.hostname_checks_common_name = False
        context.set_alpn_protocols(["http/1.1"])
        return context
    raise failure
