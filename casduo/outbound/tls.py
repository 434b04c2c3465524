"""Looks at the certificates a server shows and at who vouches for them: for a diagnosis, never for a call.

Nothing that is to stay secret goes over these connections: to see a certificate that nobody vouches for, one has to
talk to whoever shows it. The password of a web proxy goes to that proxy and no further.
"""

from __future__ import annotations

import base64
import hashlib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from casduo.errors import UpstreamError, UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound.failures import UpstreamUntrusted, failure_for

_DER = 2
"""The ssl module's own number for this encoding."""
_SHORT_NAMES = {
    "commonName": "CN",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "localityName": "L",
    "stateOrProvinceName": "ST",
}
"""RFC 4514, section 3."""


class Verdict(StrEnum):
    """What somebody who trusts certain authorities makes of a server's certificate."""

    TRUSTED = "trusted"
    UNKNOWN_AUTHORITY = "unknown_authority"
    WRONG_NAME = "wrong_name"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    REFUSED = "refused"
    """For any other reason, such as a broken signature."""


_VERDICTS = {
    2: Verdict.UNKNOWN_AUTHORITY,
    18: Verdict.UNKNOWN_AUTHORITY,
    19: Verdict.UNKNOWN_AUTHORITY,
    20: Verdict.UNKNOWN_AUTHORITY,
    21: Verdict.UNKNOWN_AUTHORITY,
    9: Verdict.NOT_YET_VALID,
    10: Verdict.EXPIRED,
    62: Verdict.WRONG_NAME,
    64: Verdict.WRONG_NAME,
}
"""OpenSSL's numbers: openssl-verification-options(1), X509_STORE_CTX_get_error(3)."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What one certificate says. All of it was written by whoever made it, and may hold anything.

    :param subject: such as ``CN=sso.example.edu, O=Example``.
    :param issuer: likewise.
    :param names: DNS names and addresses that it is for.
    :param since: first moment at which it is valid, epoch seconds.
    :param until: last one.
    :param fingerprint: SHA-256 in hexadecimal.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    since: float
    until: float
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Destination:
    """A server that speaks TLS, and the way there. Times are seconds.

    :param connect_timeout: for TCP, to the server or to the proxy.
    :param answer_timeout: for each answer while TLS is set up.
    :param proxy: ``http://[user:password@]host:port``; None goes there directly.
    """

    host: str
    port: int = 443
    connect_timeout: float = 3.0
    answer_timeout: float = 5.0
    proxy: str | None = field(default=None, repr=False)

    @property
    def first_hop(self) -> tuple[str, int]:
        """Host and port that this machine itself connects to: the proxy's, else the server's."""
        if self.proxy is None:
            return self.host, self.port
        parts = urlsplit(self.proxy)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


@dataclass(frozen=True, slots=True)
class Authorities:
    """Whom somebody trusts.

    :param files: PEM files; with none, ``system`` is implied.
    :param system: whether the machine's authorities count as well.
    """

    files: tuple[str, ...] = ()
    system: bool = False


class ProxyRefused(UpstreamUnavailable):
    """A web proxy does not connect us. ``status`` is its HTTP status."""

    code = "UPSTREAM_PROXY_REFUSED"

    def __init__(self, upstream: str, status: int) -> None:
        super().__init__(upstream, "proxy_refused")
        self.status = status


def addresses_of(host: str) -> tuple[str, ...]:
    """Return the IP addresses that this machine's resolver has for ``host``. The resolver keeps its own time.

    :raises UpstreamUnavailable: none; ``detail`` is ``dns``.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UpstreamUnavailable(host, "dns") from None
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


def reach(destination: Destination) -> None:
    """Connect, through the proxy if there is one, and hang up without a word of TLS.

    :raises UpstreamUnavailable: ``dns``, ``refused``, ``timeout``, ``reset``, ``connection``; of a proxy also
        ``unreadable``.
    :raises ProxyRefused: the proxy does not connect us.
    """
    with _connected(destination):
        pass


def shown_by(destination: Destination) -> tuple[Certificate, ...]:
    """Return the certificates that a server shows, its own first, whoever vouches for them.

    :raises UpstreamUnavailable: as :func:`reach`; ``no_tls`` if it does not speak TLS of version 1.2 or later.
    """
    with _spoken_to(destination, _trusting_everybody()) as tls:
        return _chain_of(tls)


def time_told_by(destination: Destination) -> float | None:
    """Return the time, in epoch seconds, by which a server dates its answers, whoever vouches for it; None if it tells
    none. It may lie.
    """
    request = f"GET / HTTP/1.1\r\nHost: {destination.host}\r\nConnection: close\r\n\r\n"
    with suppress(UpstreamError, ValueError, HTTPException), _spoken_to(destination, _trusting_everybody()) as tls:
        tls.sendall(request.encode("ascii"))
        with closing(HTTPResponse(tls)) as response:
            response.begin()
            return parsedate_to_datetime(response.getheader("Date") or "").timestamp()
    return None


def verdict_on(destination: Destination, authorities: Authorities) -> Verdict:
    """Say what a client that trusts ``authorities`` makes of a server.

    :raises UpstreamUnavailable: as :func:`shown_by`.
    :raises UpstreamMisconfigured: a file of authorities cannot be read; ``detail`` is ``ca_file``.
    """
    context = _trusting(destination.host, authorities)
    try:
        with _connected(destination) as connection:
            return _judged(lambda: context.wrap_socket(connection, server_hostname=destination.host).close())
    except (OSError, HTTPException) as error:
        failure = _failure(destination, error)
    raise failure


def shown_from(certificate: Path, key: Path) -> tuple[Certificate, ...]:
    """Return the certificates that a server with these files would show.

    :raises UpstreamMisconfigured: no server can use them; ``detail`` is ``file`` (cannot be read), ``key_mismatch`` or
        ``not_pem``.
    """
    return _chain_of(_rehearse(_trusting_everybody(), certificate, key, ""))


def verdict_on_files(certificate: Path, key: Path, host: str, authorities: Authorities) -> Verdict:
    """Say what a client that trusts ``authorities`` and asks for ``host`` makes of a server with these files.

    :raises UpstreamMisconfigured: as :func:`shown_from`; ``ca_file`` as :func:`verdict_on`.
    """
    context = _trusting(host, authorities)
    return _judged(lambda: _rehearse(context, certificate, key, host))


def _judged(handshake: Callable[[], object]) -> Verdict:
    try:
        handshake()
    except ssl.SSLCertVerificationError as error:
        return _VERDICTS.get(error.verify_code, Verdict.REFUSED)
    return Verdict.TRUSTED


@contextmanager
def _spoken_to(destination: Destination, context: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
    try:
        with (
            _connected(destination) as connection,
            context.wrap_socket(connection, server_hostname=destination.host) as tls,
        ):
            yield tls
            return
    except OSError as error:
        failure = _failure(destination, error)
    raise failure


@contextmanager
def _connected(destination: Destination) -> Iterator[socket.socket]:
    try:
        with socket.create_connection(destination.first_hop, destination.connect_timeout) as connection:
            connection.settimeout(destination.answer_timeout)
            if destination.proxy is not None:
                _tunnel(connection, destination)
            yield connection
            return
    except (OSError, UnicodeError, HTTPException) as error:
        failure = _failure(destination, error)
    raise failure


def _tunnel(connection: socket.socket, destination: Destination) -> None:
    """Have a proxy connect us: RFC 9110, section 9.3.6."""
    place = f"{destination.host}:{destination.port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    parts = urlsplit(destination.proxy or "")
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair).decode('ascii')}")
    connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    with closing(HTTPResponse(connection, method="CONNECT")) as response:
        response.begin()
        if not 200 <= response.status < 300:
            raise ProxyRefused(destination.host, response.status)


def _failure(destination: Destination, error: BaseException) -> UpstreamError:
    failure = failure_for(destination.host, error)
    # Where every certificate will do, it is not trust that a handshake fails of.
    return UpstreamUnavailable(destination.host, "no_tls") if isinstance(failure, UpstreamUntrusted) else failure


def _trusting_everybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _trusting(upstream: str, authorities: Authorities) -> ssl.SSLContext:
    first, *more = authorities.files or (None,)
    try:
        # As the pooled client does it, so that the verdict is the one a call would meet.
        context = ssl.create_default_context(cafile=first)
        for file in more:
            context.load_verify_locations(file)
    except OSError:
        raise UpstreamMisconfigured(upstream, "ca_file") from None
    if authorities.system:
        context.load_default_certs()
    return context


def _rehearse(context: ssl.SSLContext, certificate: Path, key: Path, host: str) -> ssl.SSLObject:
    """Let a client meet a server with these files, without a network; return the client's end."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # An encrypted key is one that no server here can use; without the empty password OpenSSL would ask for one.
        server.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        detail = "key_mismatch" if error.reason == "KEY_VALUES_MISMATCH" else "not_pem"
        raise UpstreamMisconfigured("server", detail) from None
    except OSError:
        raise UpstreamMisconfigured("server", "file") from None
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = context.wrap_bio(back, there, server_hostname=host or None), server.wrap_bio(there, back, server_side=True)
    waiting = list(ends)
    while waiting:
        waiting = [end for end in waiting if not _step(end)]
    return ends[0]


def _step(end: ssl.SSLObject) -> bool:
    """Go on with a handshake as far as what has come allows. Returns whether it is over."""
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _chain_of(tls: ssl.SSLSocket | ssl.SSLObject) -> tuple[Certificate, ...]:
    # The public method of the same name came with Python 3.13, and it leaves the reading of certificates to others.
    internal: Any = tls._sslobj  # type: ignore[union-attr]
    shown = internal.get_unverified_chain() or ()
    return tuple(_certificate(each.get_info(), each.public_bytes(_DER)) for each in shown)


def _certificate(info: dict[str, Any], encoded: bytes) -> Certificate:
    return Certificate(
        subject=_name(info.get("subject", ())),
        issuer=_name(info.get("issuer", ())),
        names=tuple(str(value) for kind, value in info.get("subjectAltName", ()) if kind in ("DNS", "IP Address")),
        since=float(ssl.cert_time_to_seconds(info["notBefore"])),
        until=float(ssl.cert_time_to_seconds(info["notAfter"])),
        fingerprint=hashlib.sha256(encoded).hexdigest(),
    )


def _name(parts: Sequence[Sequence[tuple[str, str]]]) -> str:
    pairs = [pair for part in parts for pair in part]
    return ", ".join(f"{_SHORT_NAMES.get(kind, kind)}={value}" for kind, value in pairs)
