"""Verifies the signature of an Auth API or Admin API request, in each version that clients in the field still send.

Pure: bytes and texts in, a verdict out. The wire carries no version number, so the versions that the content type
allows are tried, newest first. Source: Duo's Auth API documentation, "Authentication", and RFC 5849 section 3.4.1.3.2
for the encoding of parameters.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from urllib.parse import quote, unquote_to_bytes

from casduo.simulators.duo.errors import (
    BAD_TIMESTAMP,
    INVALID_SIGNATURE,
    MISSING_CREDENTIALS,
    MISSING_TIMESTAMP,
    UNKNOWN_INTEGRATION_KEY,
    DuoRefusal,
)

DATE_WINDOW = 300.0
"""Seconds by which a request's date may differ from the server's clock, either way."""

_SHA1_DIGITS = 40
_SHA512_DIGITS = 128

Parameters = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """The parts of a request that a signature can cover.

    :param path: as sent, still percent-encoded, without the query.
    :param query: as sent, without the question mark.
    :param host: value of the Host header, with or without a port.
    :param headers: all headers, names in any case.
    """

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header's value; ``name`` in lower case."""
        return next((value for key, value in self.headers.items() if key.lower() == name), None)

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """Proof that a request was signed by the holder of a key: its version (1, 2, 4 or 5) and its hash."""

    integration_key: str
    version: int
    digest: str


def verify(request: SignedRequest, secret_of: Callable[[str], str | None], now: float) -> VerifiedSignature:
    """Check credentials, date and signature of a request, in that order.

    :param secret_of: returns the secret key for an integration key, None if there is no such key.
    :param now: the server's time in epoch seconds.
    :raises DuoRefusal: 40101 to 40105.

    A signature may be seen more than once: official clients repeat a rate-limited request word for word.
    """
    integration_key, signature = _credentials(request.header("authorization"))
    secret = secret_of(integration_key)
    if secret is None:
        raise DuoRefusal(UNKNOWN_INTEGRATION_KEY)
    date = _checked_date(request, now)
    for version, digest in _candidates(request.content_type, len(signature)):
        expected = hmac.new(secret.encode(), canonical_request(request, date, version).encode(), digest).hexdigest()
        if hmac.compare_digest(expected.encode(), signature.encode()):
            return VerifiedSignature(integration_key, version, digest)
    raise DuoRefusal(INVALID_SIGNATURE)


def canonical_request(request: SignedRequest, date: str, version: int) -> str:
    """Return the text that a signature of ``version`` (1, 2, 4 or 5) covers."""
    parameters = parse_parameters(request.query)
    if version <= 2 and request.content_type == "application/x-www-form-urlencoded":
        parameters += parse_parameters(request.body.decode("latin-1"))
    lines = [] if version == 1 else [date]
    lines += [request.method.upper(), host_name(request.host), request.path, canonical_parameters(parameters)]
    if version >= 4:
        lines.append(hashlib.sha512(request.body).hexdigest())
    if version >= 5:
        lines.append(_hash_of_duo_headers(request.headers))
    return "\n".join(lines)


def parse_parameters(encoded: str) -> Parameters:
    """Split ``a=1&b=2`` into decoded pairs, keeping order, repetitions and empty values."""
    pairs = (pair.partition("=") for pair in encoded.split("&") if pair)
    return [(_unquote(name), _unquote(value)) for name, _, value in pairs]


def canonical_parameters(parameters: Iterable[tuple[bytes, bytes]]) -> str:
    """Encode and sort parameters as RFC 5849 section 3.4.1.3.2 says."""
    return "&".join(f"{name}={value}" for name, value in sorted((_quote(n), _quote(v)) for n, v in parameters))


def host_name(host: str) -> str:
    """Return a Host header's name in lower case without its port: what clients sign."""
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


def _credentials(authorization: str | None) -> tuple[str, str]:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        raise DuoRefusal(MISSING_CREDENTIALS)
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise DuoRefusal(MISSING_CREDENTIALS) from error
    integration_key, colon, signature = decoded.partition(":")
    if not colon:
        raise DuoRefusal(MISSING_CREDENTIALS)
    return integration_key, signature


def _checked_date(request: SignedRequest, now: float) -> str:
    date = request.header("x-duo-date") or request.header("date")
    if not date:
        raise DuoRefusal(MISSING_TIMESTAMP)
    # Not parsedate_to_datetime: it reads the zone "-0000", which clients send, as local time.
    parsed = parsedate_tz(date)
    try:
        moment = None if parsed is None else mktime_tz(parsed)
    except (ValueError, OverflowError) as error:
        raise DuoRefusal(BAD_TIMESTAMP) from error
    if moment is None or abs(moment - now) > DATE_WINDOW:
        raise DuoRefusal(BAD_TIMESTAMP)
    return date


def _candidates(content_type: str, digits: int) -> list[tuple[int, str]]:
    """Return the versions and hashes that a request of this type with a signature of so many digits can have."""
    if digits == _SHA1_DIGITS:
        return [] if content_type == "application/json" else [(2, "sha1"), (1, "sha1")]
    if digits != _SHA512_DIGITS:
        return []
    versions = {"application/json": (5, 4), "application/x-www-form-urlencoded": (2, 1)}.get(content_type, (5, 4, 2, 1))
    return [(version, "sha512") for version in versions]


def _hash_of_duo_headers(headers: Mapping[str, str]) -> str:
    relevant = sorted((name.lower(), value) for name, value in headers.items() if name.lower().startswith("x-duo-"))
    # Header values reach a WSGI application as Latin-1 text; this gives back the bytes that were sent.
    return hashlib.sha512("\0".join(part for pair in relevant for part in pair).encode("latin-1")).hexdigest()


def _quote(value: bytes) -> str:
    return quote(value, safe="~")


def _unquote(value: str) -> bytes:
    return unquote_to_bytes(value.replace("+", " ").encode("latin-1"))
