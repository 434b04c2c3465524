"""The ``url`` of a registered service: which service URLs it means.

A pattern is compared part by part, never with the raw text, so nothing in one part of a URL can pass for another::

    https://library.example.edu/**              every page of one host
    https://*.example.edu/**                    one label in place of the star, never two
    https://gateway.example.edu/targets/b       this path only, with any query
    https://apps.example.edu/*/login            one segment in place of the star
    https://apps.example.edu/cgi?app=grades&**  with a query: the parameters in this order
    https://dev.example.edu:*/**                any port; without a port, the default of the scheme
    regex:https://dept-[0-9]+\\.example\\.edu/.*  see :mod:`casduo.services.regexes`

``*`` stands for any run of characters within a label, port, segment or parameter, and for at least one where it stands
alone. ``**`` stands for any number of segments or parameters, none included: ``https://h/a/**`` also means
``https://h/a``. A literal star is written ``%2A``. Both sides are percent-normalised
(:func:`casduo.services.urls.parse_service`) before they are compared. Host names ignore case, paths do not.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from casduo.errors import MalformedService
from casduo.services.globs import Glob, Row, read_row, row_accepts, row_covers, row_overlaps
from casduo.services.regexes import UrlRegex, read_regex
from casduo.services.urls import DEFAULT_PORTS, ServiceUrl, normal_host, normal_path, normal_query

Difference = Literal["", "scheme", "host", "port", "path", "query"]

MAX_LENGTH = 2048
MAX_SEGMENTS = 64
MAX_RUNS = 3
"""Most ``**`` in a path or query."""

REGEX_PREFIX = "regex:"

_SHAPE = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?]+)([^?]*)(?:\?(.*))?")
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:\[\]]+)(?::([0-9]{1,5}|[0-9*]*\*[0-9*]*))?")
_STARRED_LABEL = re.compile(r"[a-z0-9_*-]{1,63}")
_NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789_.-"

# Second-level names under which anybody may register (ac.uk, com.au).
_SHARED_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "gv", "net", "ne", "or", "org", "sch"})

_ANYTHING: Row = (None,)

_REASONS = {
    "dot_segment": "the path must not hold . or .. segments",
    "idna": "the host is not a valid international name",
    "host": "the host is not a valid name or address",
}


class Pattern(ABC):
    """One pattern, read. Compare with :meth:`matches`; the rest serves the index, the linter and ``explain``."""

    __slots__ = ()

    text: str
    """The pattern as it is written in the registry."""
    schemes: frozenset[str]
    """The schemes it means."""
    host: str
    """The only host it means, in canonical form; empty when it means several."""
    host_tail: str
    """The labels at the end of every host it means; all of them when :attr:`host` is set, empty when unknown."""
    path_head: str
    """The literal segments that begin every path it means, such as ``/a/b``; empty when unknown."""
    is_regex: bool

    @abstractmethod
    def difference(self, url: ServiceUrl) -> Difference:
        """Return the first part of ``url`` that this pattern does not mean; empty when it means the whole."""

    @abstractmethod
    def accepts_host(self, host: str) -> bool:
        """Say whether some URL with this canonical host is meant."""

    @abstractmethod
    def covers(self, other: Pattern) -> bool:
        """Say whether every URL that ``other`` means is meant here. ``True`` is certain, ``False`` is not always."""

    @abstractmethod
    def overlaps(self, other: Pattern) -> bool:
        """Say whether some URL is meant by both. ``False`` is certain; ``True`` is a guess where a regex takes part."""

    @abstractmethod
    def width(self) -> str | None:
        """Return a sentence when the pattern means hosts that hardly belong to one owner, else ``None``."""

    def matches(self, url: ServiceUrl) -> bool:
        """Say whether ``url`` is meant."""
        return not self.difference(url)


@dataclass(frozen=True, slots=True)
class GlobPattern(Pattern):
    """A pattern with ``*`` and ``**``.

    ``labels`` is ``None`` for any host, ``query`` is ``None`` for any query, ``path_rest`` is ``path`` without the
    segments of ``path_head``.
    """

    text: str
    schemes: frozenset[str]
    host: str
    host_tail: str
    path_head: str
    labels: tuple[Glob, ...] | None
    port: Glob
    path: Row
    path_rest: Row
    query: Row | None
    is_regex: bool = False

    def difference(self, url: ServiceUrl) -> Difference:
        """See :meth:`Pattern.difference`."""
        if url.scheme not in self.schemes:
            return "scheme"
        if url.host != self.host and (self.host or not self.accepts_host(url.host)):
            return "host"
        if not self.port.accepts(str(url.port)):
            return "port"
        if not self._accepts_path(url.path):
            return "path"
        if self.query is not None and not row_accepts(self.query, url.parameters):
            return "query"
        return ""

    def _accepts_path(self, path: str) -> bool:
        head = self.path_head
        if not path.startswith(head):
            return False
        below = path[len(head) :]
        if not self.path_rest:
            return not below
        if below and below[0] != "/":
            return False
        return self.path_rest == _ANYTHING or row_accepts(self.path_rest, below[1:].split("/") if below else ())

    def accepts_host(self, host: str) -> bool:
        """See :meth:`Pattern.accepts_host`."""
        if self.host:
            return host == self.host
        if self.labels is None:
            return True
        labels = host.split(".")
        return (
            len(labels) == len(self.labels)
            and not host.startswith("[")
            and all(glob.accepts(label) for glob, label in zip(self.labels, labels, strict=True))
        )

    def covers(self, other: Pattern) -> bool:
        """See :meth:`Pattern.covers`."""
        if not other.schemes <= self.schemes:
            return False
        if isinstance(other, RegexPattern):
            host_covered = self.labels is None or (bool(other.host) and self.accepts_host(other.host))
            ports_covered = all(self.port.covers(port) for port in other.ports())
            return host_covered and ports_covered and self.path == _ANYTHING and self.query is None
        return (
            isinstance(other, GlobPattern)
            and self._covers_host(other)
            and self.port.covers(other.port)
            and row_covers(self.path, other.path)
            and (self.query is None or (other.query is not None and row_covers(self.query, other.query)))
        )

    def _covers_host(self, other: GlobPattern) -> bool:
        if self.labels is None or other.labels is None:
            return self.labels is None
        if other.host:
            return self.accepts_host(other.host)
        return len(self.labels) == len(other.labels) and all(
            a.covers(b) for a, b in zip(self.labels, other.labels, strict=True)
        )

    def overlaps(self, other: Pattern) -> bool:
        """See :meth:`Pattern.overlaps`."""
        if not isinstance(other, GlobPattern):
            return other.overlaps(self)
        return (
            not self.schemes.isdisjoint(other.schemes)
            and self._overlaps_host(other)
            and self.port.overlaps(other.port)
            and row_overlaps(self.path, other.path)
            and (self.query is None or other.query is None or row_overlaps(self.query, other.query))
        )

    def _overlaps_host(self, other: GlobPattern) -> bool:
        if self.labels is None or other.labels is None:
            return True
        if self.host or other.host:
            return self.accepts_host(other.host) if other.host else other.accepts_host(self.host)
        return len(self.labels) == len(other.labels) and all(
            a.overlaps(b) for a, b in zip(self.labels, other.labels, strict=True)
        )

    def width(self) -> str | None:
        """See :meth:`Pattern.width`."""
        if self.host:
            return None
        if self.labels is None:
            return "means every host there is, so tickets can be sent anywhere"
        tail = self.host_tail.split(".") if self.host_tail else []
        if len(tail) < 2 or _is_shared(tail):
            written = ".".join(label.text for label in self.labels)
            return f"means hosts of more than one owner: write more of the name behind the star in {written!r}"
        return None


@dataclass(frozen=True, slots=True)
class RegexPattern(Pattern):
    """A regular expression, its host part compared with the host only and the rest with path and query."""

    text: str
    schemes: frozenset[str]
    host: str
    host_tail: str
    regex: UrlRegex
    path_head: str = ""
    is_regex: bool = True

    def difference(self, url: ServiceUrl) -> Difference:
        """See :meth:`Pattern.difference`. A query counts as part of the path."""
        if url.scheme not in self.schemes:
            return "scheme"
        if not self.accepts_host(url.host):
            return "host"
        if not self._accepts_port(url):
            return "port"
        return "" if self.regex.rest.fullmatch(f"{url.path}?{url.query}" if url.query else url.path) else "path"

    def _accepts_port(self, url: ServiceUrl) -> bool:
        if self.regex.default_port and url.port == DEFAULT_PORTS.get(url.scheme, 0):
            return True
        return self.regex.port is not None and self.regex.port.accepts(str(url.port))

    def accepts_host(self, host: str) -> bool:
        """See :meth:`Pattern.accepts_host`."""
        return host == self.host if self.host else self.regex.host.fullmatch(host) is not None

    def ports(self) -> list[Glob]:
        """Return the ports it means, for whichever scheme."""
        ports = [_default_port(scheme) for scheme in self.schemes] if self.regex.default_port else []
        return [*ports, self.regex.port] if self.regex.port else ports

    def covers(self, other: Pattern) -> bool:
        """See :meth:`Pattern.covers`. Certain only of its own likes."""
        return other.text == self.text

    def overlaps(self, other: Pattern) -> bool:
        """See :meth:`Pattern.overlaps`. Only schemes and hosts are looked at."""
        if self.schemes.isdisjoint(other.schemes):
            return False
        if other.host:
            return self.accepts_host(other.host)
        return other.accepts_host(self.host) if self.host else True

    def width(self) -> str | None:
        """See :meth:`Pattern.width`. Found by trying hosts that an outsider could own."""
        if self.host:
            return None
        written = self.regex.host.pattern.replace("\\", "")
        end = written[len(written.rstrip(_NAME_CHARACTERS)) :]
        starts = [end, *(end[at:] for at in range(len(end)) if end[at] == "."), ".test"]
        for outsider in (f"attacker{start}" for start in starts):
            _, *tail = outsider.split(".")
            if (len(tail) == 1 or _is_shared(tail)) and self.accepts_host(outsider):
                return f"means hosts of more than one owner, such as {outsider!r}"
        return None


def _is_shared(tail: list[str]) -> bool:
    return len(tail) == 2 and len(tail[1]) == 2 and tail[0] in _SHARED_SECOND_LEVEL


@lru_cache(16_384)
def compile_pattern(text: str) -> Pattern:
    """Read one pattern of the registry.

    :raises ValueError: with a plain sentence that says what is wrong
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"a pattern has at most {MAX_LENGTH} characters")
    if not text.isprintable() or " " in text:
        raise ValueError("a pattern holds no spaces and no control characters; write %20 for a space")
    if text.startswith(REGEX_PREFIX):
        regex = read_regex(text.removeprefix(REGEX_PREFIX))
        return RegexPattern(text, regex.schemes, regex.literal_host, regex.literal_host, regex)
    return _glob_pattern(text)


def _glob_pattern(text: str) -> GlobPattern:
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise ValueError(
            "a pattern starts with its scheme and host, such as https://library.example.edu/**; "
            "for http and https write both in a list, and a regular expression starts with regex:"
        )
    scheme, authority, path, query = shape.groups()
    scheme = scheme.lower()
    if "#" in text or "@" in authority or "\\" in text:
        raise ValueError("a pattern holds no user name, no fragment and no backslash")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise ValueError("the host must be a name or an address, and the port behind it a number or *")
    labels = _labels(parts[1])
    host = ".".join(label.text for label in labels) if labels and all(label.is_literal for label in labels) else ""
    segments = _path_row(path, any_host=labels is None)
    literal = next((at for at, segment in enumerate(segments) if segment is None or not segment.is_literal), None)
    head = segments[:literal]
    return GlobPattern(
        text=text,
        schemes=frozenset({scheme}),
        host=host,
        host_tail=host or _host_tail(labels or ()),
        path_head="".join(f"/{segment.text}" for segment in head if segment),
        labels=labels,
        port=_port(parts[2], scheme),
        path=segments,
        path_rest=segments[len(head) :],
        query=None if query is None else _query_row(query),
    )


def _labels(host: str) -> tuple[Glob, ...] | None:
    if host == "**":
        return None
    if "**" in host:
        raise ValueError("** cannot be part of a host: one * stands for exactly one label")
    try:
        if "*" not in host:
            name = normal_host(host)
            return (Glob((name,)),) if name.startswith("[") else tuple(Glob((label,)) for label in name.split("."))
        texts = [label.lower() if "*" in label or label.isdigit() else normal_host(label) for label in host.split(".")]
    except MalformedService as error:
        raise ValueError(_REASONS[error.reason]) from None
    if not all(map(_STARRED_LABEL.fullmatch, texts)):
        raise ValueError(_REASONS["host"])
    return tuple(Glob.read(text) for text in texts)


def _port(text: str | None, scheme: str) -> Glob:
    if text is None:
        return _default_port(scheme)
    if "*" not in text:
        if not 0 < int(text) < 65536:
            raise ValueError("the port must be a number from 1 to 65535, or *")
        text = str(int(text))
    return Glob.read(text)


def _default_port(scheme: str) -> Glob:
    return Glob((str(DEFAULT_PORTS.get(scheme, 0)),))


def _path_row(path: str, *, any_host: bool) -> Row:
    if any_host and not path:
        return _ANYTHING
    try:
        segments = normal_path(path)[1:].split("/")
    except MalformedService as error:
        raise ValueError(_REASONS[error.reason]) from None
    if ".*" in segments:
        raise ValueError(".* is no wildcard: write ** for everything below, or start with regex:")
    return _row(segments)


def _query_row(query: str) -> Row:
    normal = normal_query(query)
    return _row(normal.split("&")) if normal else ()


def _row(texts: list[str]) -> Row:
    if len(texts) > MAX_SEGMENTS or texts.count("**") > MAX_RUNS:
        raise ValueError(f"a path or query has at most {MAX_SEGMENTS} parts and {MAX_RUNS} of **")
    return read_row(texts)


def _host_tail(labels: tuple[Glob, ...]) -> str:
    tail: list[str] = []
    for label in reversed(labels):
        if not label.is_literal:
            break
        tail.insert(0, label.text)
    return ".".join(tail)
