"""Reads the ``service`` of a request as a URL, in exactly one way: the way a browser would follow it.

Everything casduo decides about a service (is it registered, is it the one the ticket was made for) is decided on a
:class:`ServiceUrl`, and every redirect goes through :func:`location`. A URL that a browser could read differently from
this module (WHATWG URL against RFC 3986: backslashes, ``https:host``, tabs, percent signs in the host, ``0x7f.1``) is
refused instead of repaired, for a repaired URL is matched in one place and visited in another.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import zip_longest
from typing import Literal
from urllib.parse import unquote

import idna

from casduo.errors import MalformedService

MAX_BYTES = 8192
"""Longest accepted service, in bytes of UTF-8."""

WEB_SCHEMES = frozenset({"http", "https"})
DEFAULT_PORTS = {"http": 80, "https": 443}

Level = Literal["canonical", "exact", "loose"]

_CACHED_LENGTH = 1024
_CACHED_URLS = 1024

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SHAPE = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?#]+)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:\[\]]+)(?::([0-9]{0,5}))?")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")

# A server may decode %2F, %5C and %3B and drop path parameters before it resolves dots, so all of these count.
_DOT_SEGMENT = re.compile(r"(?:^|/|%2F|%5C)\.{1,2}(?=$|/|;|%2F|%5C|%3B)")
_SESSION_ID = re.compile(r";jsessionid(?:=[^;]*)?(?=;|$)", re.IGNORECASE)

_UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
# RFC 3986 pchar and query; the apostrophe is encoded in a query, for browsers send it so.
_NOT_PATH = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~!$&'()*+,;=:@/]")
_NOT_QUERY = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~!$&()*,;=:@/?]")
_NORMAL_ESCAPES = {
    f"%{high}{low}": chr(code) if chr(code) in _UNRESERVED else f"%{code:02X}"
    for high in "0123456789abcdefABCDEF"
    for low in "0123456789abcdefABCDEF"
    for code in [int(high + low, 16)]
}

_TICKET_NAMES = frozenset({"ticket", "SAMLart"})
_TICKET = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class ServiceUrl:
    """A service URL, taken apart.

    ``raw`` is what the request said and what the browser is sent to; all other parts are normalised (CAS protocol
    reference, section 7) and pure ASCII, but for ``fragment``, which stays as it came. ``port`` is the effective port,
    0 where the scheme has no default and the URL names none. ``canonical`` has no fragment, no ticket and no
    ``;jsessionid``; it is what registry and tickets compare. Query and raw text may hold secrets of applications and
    are kept out of ``repr``.
    """

    raw: str = field(repr=False)
    scheme: str
    host: str
    port: int
    path: str
    query: str = field(repr=False)
    fragment: str = field(repr=False)
    canonical: str = field(repr=False)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The query's parameters as ``name=value`` texts, in their order; empty when there is no query."""
        return tuple(self.query.split("&")) if self.query else ()


def parse_service(raw: str, schemes: frozenset[str] = WEB_SCHEMES) -> ServiceUrl:
    """Take a ``service`` apart, or refuse it.

    :param raw: the parameter as the web layer decoded it, once; literal spaces and raw non-ASCII are fine
        (mod_auth_cas sends both)
    :param schemes: accepted schemes in lower case; other than http and https only where the registry names them
    :raises MalformedService: its ``reason`` is one of ``too_long``, ``control``, ``encoding``, ``no_scheme``,
        ``no_host``, ``scheme``, ``userinfo``, ``backslash``, ``host``, ``idna``, ``port``, ``dot_segment``
    """
    # Only short ASCII texts are kept: nobody can fill the cache with megabytes of percent signs.
    if len(raw) <= _CACHED_LENGTH and raw.isascii():
        return _parse_cached(raw, schemes)
    return _parse(raw, schemes)


def canonical(raw: str) -> str:
    """Return the canonical form of an http or https service (CAS protocol reference, section 7).

    :raises MalformedService: as :func:`parse_service`
    """
    return parse_service(raw).canonical


def _parse(raw: str, schemes: frozenset[str]) -> ServiceUrl:
    _check_text(raw)
    shape = _SHAPE.fullmatch(raw)
    if shape is None:
        raise MalformedService("no_host" if re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:", raw) else "no_scheme")
    scheme, authority, path, query, fragment = shape.groups("")
    scheme = scheme.lower()
    if scheme not in schemes:
        raise MalformedService("scheme")
    if "\\" in authority or "\\" in path:
        raise MalformedService("backslash")
    host, port = _host_and_port(authority, scheme)
    path = normal_path(path)
    query = normal_query(query)
    origin = _origin(scheme, host, port)
    whole = f"{origin}{path}?{query}" if query else origin + path
    return ServiceUrl(raw, scheme, host, port, path, query, fragment, whole)


_parse_cached = lru_cache(_CACHED_URLS)(_parse)


def _check_text(raw: str) -> None:
    if len(raw) > MAX_BYTES:
        raise MalformedService("too_long")
    if _CONTROL.search(raw):
        raise MalformedService("control")
    if raw.isascii():
        return
    try:
        size = len(raw.encode())
    except UnicodeEncodeError:
        raise MalformedService("encoding") from None
    if size > MAX_BYTES:
        raise MalformedService("too_long")


def _host_and_port(authority: str, scheme: str) -> tuple[str, int]:
    if "@" in authority:
        raise MalformedService("userinfo")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise MalformedService("port" if authority.count(":") and "[" not in authority else "host")
    host, digits = parts.groups("")
    port = int(digits) if digits else DEFAULT_PORTS.get(scheme, 0)
    if digits and not 0 < port < 65536:
        raise MalformedService("port")
    return normal_host(host), port


def normal_host(host: str) -> str:
    """Return a host name in lower-case ASCII, an IPv4 address, or an IPv6 address in brackets.

    Names may hold underscores, as many intranets have them. Refused are a percent sign (browsers decode it), a dot at
    the end (another origin for browsers, the same machine for DNS), IPv4 in any spelling but four decimal numbers
    (browsers turn ``0x7f.1`` into 127.0.0.1), and IPv6 zones.

    :raises MalformedService: reason ``host`` or ``idna``
    """
    if host.startswith("["):
        return _normal_ipv6(host[1:-1])
    if len(host) > 253:
        raise MalformedService("host")
    host = host.lower() if host.isascii() else _mapped(host)
    labels = host.split(".")
    if "xn--" in host or not host.isascii():
        labels = [_normal_label(label) for label in labels]
        host = ".".join(labels)
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise MalformedService("host")
    if _NUMERIC.fullmatch(labels[-1]) and not _IPV4.fullmatch(host):
        raise MalformedService("host")
    return host


def _mapped(host: str) -> str:
    """Map a non-ASCII name as browsers do (UTS 46, nontransitional): case, full-width forms, ideographic dots."""
    try:
        return idna.uts46_remap(host, std3_rules=False, transitional=False)
    except idna.IDNAError:
        raise MalformedService("idna") from None


def _normal_label(label: str) -> str:
    """Return the A-label of a label. Stricter than browsers (IDNA 2008: no emoji); what it refuses goes nowhere."""
    if label.isascii() and not label.startswith("xn--"):
        return label
    try:
        return idna.alabel(label).decode("ascii")
    except UnicodeError:
        raise MalformedService("idna") from None


def _normal_ipv6(text: str) -> str:
    try:
        if "%" in text:
            raise ValueError("zone")
        number = int(ipaddress.IPv6Address(text))
    except ValueError:
        raise MalformedService("host") from None
    if number >> 32 == 0xFFFF:
        # Python 3.13 prints these with dots, earlier ones and browsers do not.
        return f"[::ffff:{number >> 16 & 0xFFFF:x}:{number & 0xFFFF:x}]"
    return f"[{ipaddress.IPv6Address(number).compressed}]"


def normal_path(path: str) -> str:
    """Return a path percent-normalised, without ``;jsessionid`` in its last segment; ``/`` when empty.

    :raises MalformedService: reason ``dot_segment``: a segment means ``.`` or ``..`` for browsers or for servers that
        decode twice or drop path parameters (``..;/``). No client that builds its service from a request has them.
    """
    if not path:
        return "/"
    path = _NOT_PATH.sub(_normal_escape, path)
    if "." in path and _DOT_SEGMENT.search(path):
        raise MalformedService("dot_segment")
    if ";" in path:
        # Java appends it to the last segment. Elsewhere it stays: a browser would visit the segments behind it.
        folder, slash, last = path.rpartition("/")
        path = folder + slash + _SESSION_ID.sub("", last)
    return path


def normal_query(query: str) -> str:
    """Return a query percent-normalised, ``+`` as space, without empty, ``ticket`` and ``SAMLart`` parameters."""
    if not query:
        return ""
    query = _NOT_QUERY.sub(_normal_escape, query.replace("+", " "))
    kept = [part for part in query.split("&") if part and part.partition("=")[0] not in _TICKET_NAMES]
    return "&".join(kept)


def _normal_escape(found: re.Match[str]) -> str:
    text = found[0]
    if len(text) == 3:
        return _NORMAL_ESCAPES[text]
    # A percent sign that starts no escape becomes %25, which is how applications read it.
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _origin(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://{host}" if port == DEFAULT_PORTS.get(scheme, 0) else f"{scheme}://{host}:{port}"


def origin_of(url: ServiceUrl) -> str:
    """Return scheme, host and, unless it is the default, port, as browsers write an Origin (RFC 6454)."""
    return _origin(url.scheme, url.host, url.port)


def append_ticket(service: str, name: Literal["ticket", "SAMLart"], ticket: str) -> str:
    """Return ``service`` with ``name=ticket`` as its last query parameter, before the fragment, all else untouched.

    Nothing is parsed and written again: clients later validate with the URL they see (CAS protocol reference, 1.5).

    :param ticket: letters, digits and hyphens only; other characters would need encoding, and mod_auth_cas ignores them
    :raises ValueError: ``ticket`` or ``name`` is not of that form
    """
    if name not in _TICKET_NAMES or not _TICKET.fullmatch(ticket):
        raise ValueError("a ticket is appended under its own name and without encoding")
    url, hash_sign, fragment = service.partition("#")
    return f"{open_ended(url)}{name}={ticket}{hash_sign}{fragment}"


def open_ended(url: str) -> str:
    """Return ``url``, which has no fragment, up to where query parameters are added: all of it, and ``?`` or ``&`` if
    that is missing.
    """
    _, question_mark, query = url.partition("?")
    if not question_mark:
        return f"{url}?"
    # A question mark at the end of a query, as in "?next=/a?", is data: behind it a parameter would be data too.
    return f"{url}&" if query and not query.endswith("&") else url


def location(url: str) -> str:
    """Return an accepted service URL as value of a ``Location`` header or a form's ``action``: the same, in ASCII.

    Spaces and non-ASCII are percent-encoded, existing escapes stay. A non-ASCII host becomes the very ASCII name that
    was matched: browsers map some characters differently from one another (a capital sharp s is ``ss`` or the small
    one), so they are not left to do it.

    :raises MalformedService: control characters, or a host that :func:`parse_service` refuses
    """
    if _CONTROL.search(url):
        raise MalformedService("control")
    if url.isascii():
        return url.replace(" ", "%20")
    shape = _SHAPE.fullmatch(url)
    if shape is None:
        raise MalformedService("no_host")
    start, end = shape.span(2)
    authority = url[start:end]
    if not authority.isascii():
        host, colon, port = authority.partition(":")
        authority = normal_host(host) + colon + port
    return url[:start] + authority + re.sub(r"[^!-~]", _encoded, url[end:])


def _encoded(found: re.Match[str]) -> str:
    try:
        return "".join(f"%{byte:02X}" for byte in found[0].encode())
    except UnicodeEncodeError:
        raise MalformedService("encoding") from None


def same_service(granted_raw: str, presented: ServiceUrl, level: Level = "canonical") -> bool:
    """Say whether the service presented at validation is the one the ticket was granted for.

    ``exact``: byte for byte. ``canonical``: equal canonical forms. ``loose``: also equal when one of them was encoded
    once more than the other, when parameters come in another order, path letters in another case, or with one slash
    more at the end. Scheme, host and port must be equal at every level.

    :param granted_raw: the raw service the ticket was made for
    :param presented: the service of the validation request
    """
    if level == "exact":
        return granted_raw == presented.raw
    try:
        granted = parse_service(granted_raw, WEB_SCHEMES | {presented.scheme})
    except MalformedService:
        return False
    if granted.canonical == presented.canonical:
        return True
    if level != "loose" or origin_of(granted) != origin_of(presented):
        return False
    return not _loose_forms(granted).isdisjoint(_loose_forms(presented))


def _loose_forms(url: ServiceUrl) -> set[tuple[str, ...]]:
    """Return path and sorted parameters as they stand, and decoded once more."""
    parameters = url.parameters
    decoded = [_decode(parameter) for parameter in parameters]
    return {
        (url.path.removesuffix("/").lower(), *sorted(parameters)),
        (_decode(url.path).removesuffix("/").lower(), *sorted(decoded)),
    }


def _decode(text: str) -> str:
    return unquote(text, errors="surrogateescape")


def first_difference(a: ServiceUrl, b: ServiceUrl) -> str:
    """Name the first part in which two services differ, for logs; empty when their canonical forms are equal.

    Scheme, host, port and path are shown; of the query only names of parameters, for values may be secrets.
    """
    if a.canonical == b.canonical:
        return ""
    if a.scheme != b.scheme:
        return f"scheme: {a.scheme} and {b.scheme}"
    if a.host != b.host:
        return f"host: {a.host} and {b.host}"
    if a.port != b.port:
        return f"port: {a.port} and {b.port}"
    if a.path != b.path:
        return _path_difference(a.path, b.path)
    return _query_difference(a, b)


def _path_difference(a: str, b: str) -> str:
    pairs = enumerate(zip_longest(a.split("/"), b.split("/")))
    number, one, other = next((number, one, other) for number, (one, other) in pairs if one != other)
    return f"path: segment {number} is {_shown(one)} and {_shown(other)}"


def _query_difference(a: ServiceUrl, b: ServiceUrl) -> str:
    pairs = zip_longest(a.parameters, b.parameters, fillvalue="")
    one, other = next((one, other) for one, other in pairs if one != other)
    name, other_name = one.partition("=")[0], other.partition("=")[0]
    if not one or not other:
        return f"query: only one has {_shown(name or other_name)}"
    if name == other_name:
        return f"query: values of {_shown(name)} differ"
    return f"query: {_shown(name)} and {_shown(other_name)} in the same place"


def _shown(text: str | None) -> str:
    if text is None:
        return "missing"
    return repr(text if len(text) <= 60 else f"{text[:60]}...")
