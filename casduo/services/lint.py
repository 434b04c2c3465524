"""Looks over a valid registry for entries that cannot be what their author meant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from casduo.errors import Problem
from casduo.fieldtypes import shown
from casduo.localtext import LocalText
from casduo.modelwalk import written_name
from casduo.services.duo_lint import lint_duo
from casduo.services.model import NOT_YET_IN_FORCE, RegisteredService, ReleaseRule
from casduo.services.patterns import Pattern, compile_pattern
from casduo.yamlfile import Document, KeyPath

COMPARISON_LIMIT = 100_000
"""Pairs of patterns that are compared, which takes seconds. Ten thousand services with hosts or paths of their own need
next to none; the limit is reached by some 450 patterns with a star in the same place.
"""

_IDENTIFYING = frozenset(
    {
        # RFC 4519, 2798, 2307 and 4530.
        *("cn", "commonname", "dn", "displayname", "employeenumber", "entrydn", "entryuuid", "gecos", "givenname"),
        *("homedirectory", "homephone", "jpegphoto", "labeleduri", "mail", "mobile", "name", "sn", "surname"),
        *("telephonenumber", "uid", "uidnumber", "usercertificate"),
        # Active Directory.
        *("distinguishedname", "employeeid", "mailnickname", "objectguid", "objectsid", "proxyaddresses"),
        *("samaccountname", "userprincipalname"),
        # eduPerson, SCHAC, the subject identifier of SAML.
        *("edupersonorcid", "edupersonprincipalname", "edupersonuniqueid", "eppn", "orcid", "schacpersonaluniquecode"),
        *("schacpersonaluniqueid", "subject-id"),
        # OpenID Connect, and what people write in users files.
        *("email", "family_name", "given_name", "login", "phone_number", "picture", "preferred_username", "userid"),
        *("username",),
        # What the server itself says of the browser.
        "clientipaddress",
    }
)
"""Attributes, in lower case, whose value is another one for (nearly) every person."""

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A valid service and its place in the list of the file, counted from 0."""

    index: int
    service: RegisteredService


@dataclass(frozen=True, slots=True)
class _Url:
    """One pattern of one entry; ``order`` counts through the whole file."""

    order: int
    entry: Entry
    path: KeyPath
    pattern: Pattern


def lint(entries: Sequence[Entry], document: Document, now: float) -> Iterator[Problem]:
    """Yield a warning for everything in ``entries`` that should be looked at.

    :param entries: in the order of the file
    :param document: the file, for the places
    :param now: epoch seconds, for what is said about dates
    """
    urls = list(_urls(entries, document))
    for url in urls:
        yield from _alone(url, document)
    for entry in entries:
        yield from _texts(entry, document)
        yield from _keys(entry, document)
        yield from lint_duo(entry.service, ("services", entry.index), document, now)
    yield from _together(urls, document)


def _texts(entry: Entry, document: Document) -> Iterator[Problem]:
    """Texts by language without one in the site's own, which logs, events and readers of other languages are told."""
    service, path = entry.service, ("services", entry.index)
    for step, text in (
        (("name",), service.name),
        (("description",), service.description),
        (("disabled_reason",), service.disabled_reason),
        (("access", "reason"), service.access.reason),
    ):
        if isinstance(text, LocalText) and not text.has_preferred:
            message = f"has no text in the site's language, {text.preferred}; {shown(text)} stands in for it"
            yield document.problem((*path, *step), message, "warning")


def _keys(entry: Entry, document: Document) -> Iterator[Problem]:
    service, path = entry.service, ("services", entry.index)
    if service.channel == "phone":
        # What their entries hold without an effect is told by phone_lint.
        return
    if service.enabled and service.disabled_reason is not None:
        message = "has no effect while the service is enabled"
        yield document.problem((*path, "disabled_reason"), message, "warning")
    if service.pairwise_id:
        for rule in service.release_rules:
            if _identifies(rule):
                message = f"{rule.name} tells who a person is, which pairwise_id is there to hide"
                yield document.problem((*path, "attributes", rule.name), message, "warning")


def _identifies(rule: ReleaseRule) -> bool:
    """Say whether an attribute is one by which two services can tell that they speak of the same person."""
    if rule.static:
        return False
    # Of a value that is rewritten the part that tells may be gone; what it is called then still says something.
    names = [rule.name] if rule.replace is not None else [rule.name, rule.source]
    return any(name.partition(";")[0].lower() in _IDENTIFYING for name in names)


def _urls(entries: Sequence[Entry], document: Document) -> Iterator[_Url]:
    order = 0
    for entry in entries:
        for path, text in written_urls(entry, document):
            yield _Url(order, entry, path, compile_pattern(text))
            order += 1


def written_urls(entry: Entry, document: Document) -> Iterator[tuple[KeyPath, str]]:
    """Yield the URL patterns of ``entry``, each with its place in ``document``."""
    place: KeyPath = ("services", entry.index, "url")
    written = document.data["services"][entry.index]["url"]
    for position, text in enumerate(entry.service.urls):
        yield (*place, position) if isinstance(written, list) else place, text


def _alone(url: _Url, document: Document) -> Iterator[Problem]:
    pattern = url.pattern
    width = pattern.width()
    if width is not None:
        yield document.problem(url.path, width, "warning")
    if "http" in pattern.schemes and not _is_loopback(pattern.host):
        message = "plain http: tickets cross the network in the clear and can be used by whoever reads them first"
        if url.entry.service.channel == "phone":
            message = "plain http: PINs and passcodes cross the network in the clear"
        yield document.problem(url.path, message, "warning")
    if pattern.is_regex:
        message = "a regular expression: what it overlaps with cannot be told, so look at it twice"
        yield document.problem(url.path, message, "warning")


def _is_loopback(host: str) -> bool:
    return host in _LOOPBACK or host.endswith(".localhost")


# --- patterns that get in each other's way --------------------------------------------------------------------------


@dataclass(slots=True)
class _Bucket:
    """Patterns with the same end of the host: by the literal beginning of the path, and by each part of it."""

    at: dict[str, list[_Url]] = field(default_factory=lambda: defaultdict(list))
    below: dict[str, list[_Url]] = field(default_factory=lambda: defaultdict(list))

    def add(self, url: _Url) -> None:
        self.at[url.pattern.path_head].append(url)
        for head in _heads(url.pattern.path_head):
            self.below[head].append(url)

    def candidates(self, head: str) -> Iterator[_Url]:
        """Yield the patterns whose paths can have a member in common with paths that begin with ``head``."""
        yield from self.below.get(head, ())
        for shorter in _heads(head)[:-1]:
            yield from self.at.get(shorter, ())


def _heads(head: str) -> list[str]:
    """Return the beginnings of a path of whole segments: for ``/a/b`` nothing, ``/a`` and ``/a/b``."""
    ends = [at for at, character in enumerate(head) if character == "/"][1:]
    return ["", *(head[:end] for end in ends), head] if head else [""]


def _tails(tail: str) -> Iterator[str]:
    """Yield the ends of a host name, the name itself first and nothing last."""
    while tail:
        yield tail
        tail = tail.partition(".")[2]
    yield ""


def _together(urls: Sequence[_Url], document: Document) -> Iterator[Problem]:
    shadows: dict[int, _Url] = {}
    crossings: list[tuple[_Url, _Url]] = []
    for earlier, later in _pairs(urls):
        if earlier is None:
            message = f"more than {COMPARISON_LIMIT} pairs of patterns could overlap; the rest was not compared"
            yield document.problem(("services",), message, "warning")
            break
        if earlier.pattern.covers(later.pattern):
            known = shadows.get(later.order)
            if known is None or earlier.order < known.order:
                shadows[later.order] = earlier
        elif _cross(earlier.pattern, later.pattern):
            crossings.append((earlier, later))
    yield from _unreachable(urls, shadows, document)
    for earlier, later in crossings:
        if later.order not in shadows and earlier.order not in shadows:
            message = f"also matches URLs of {_named(earlier, document)}, which get that service: it comes first"
            yield document.problem(later.path, message, "warning")


def _cross(earlier: Pattern, later: Pattern) -> bool:
    """Whether each has URLs of its own and both have some in common. A later one that is wider is no accident, and
    what a regular expression has in common with others can only be guessed.
    """
    if earlier.is_regex or later.is_regex or later.covers(earlier):
        return False
    return earlier.overlaps(later)


def _pairs(urls: Sequence[_Url]) -> Iterator[tuple[_Url | None, _Url]]:
    """Yield pairs of patterns of different entries that could match the same URL, the earlier one first.

    Hosts can be the same only if the literal end of one is an end of the other, so each pattern is held against those
    with the same or a shorter end. After ``COMPARISON_LIMIT`` pairs the first of a last pair is ``None``.
    """
    buckets: dict[str, _Bucket] = defaultdict(_Bucket)
    for url in urls:
        buckets[url.pattern.host_tail].add(url)
    count = 0
    for url in urls:
        own = url.pattern.host_tail
        for tail in _tails(own):
            bucket = buckets.get(tail)
            for other in bucket.candidates(url.pattern.path_head) if bucket else ():
                # Of two with the same end of the host, each finds the other; the later one counts.
                if other.entry is url.entry or (tail == own and other.order > url.order):
                    continue
                count += 1
                if count > COMPARISON_LIMIT:
                    yield None, url
                    return
                yield (other, url) if other.order < url.order else (url, other)


def _unreachable(urls: Sequence[_Url], shadows: dict[int, _Url], document: Document) -> Iterator[Problem]:
    by_entry: dict[int, list[_Url]] = defaultdict(list)
    for url in urls:
        by_entry[url.entry.index].append(url)
    for index, patterns in by_entry.items():
        shadowed = [url for url in patterns if url.order in shadows]
        whole = len(shadowed) == len(patterns)
        for url in shadowed[:1] if whole else shadowed:
            subject = "the service can never be reached" if whole else f"{url.pattern.text} never gets here"
            message = f"{subject}: {_named(shadows[url.order], document)} comes first and matches all of it"
            yield document.problem(("services", index) if whole else url.path, message, "warning")


def _named(url: _Url, document: Document) -> str:
    line, _ = document.position(url.path)
    state = "" if url.entry.service.enabled else ", disabled"
    return f"{url.entry.service.id!r} (line {line}{state})"


# --- keys without an effect -----------------------------------------------------------------------------------------


def notes(entries: Sequence[Entry], document: Document) -> Iterator[Problem]:
    """Yield a note for every key in use that does not have an effect yet (``NOT_YET_IN_FORCE``)."""
    for entry in entries:
        for key_path in NOT_YET_IN_FORCE:
            for path in used(entry.service, key_path):
                yield document.problem(("services", entry.index, *path), "has no effect yet", "note")


def used(service: RegisteredService, key_path: str) -> Iterator[KeyPath]:
    """Yield the paths that ``key_path`` names and at which ``service`` has another value than the default.

    :param key_path: such as ``requires_duo.max_age``; ``*`` stands for any key
    """
    yield from _used(service, tuple(key_path.split(".")), ())


def _used(part: Any, keys: tuple[str, ...], path: KeyPath) -> Iterator[KeyPath]:
    key, rest = keys[0], keys[1:]
    if part is None:
        return
    if key == "*":
        for name, member in part.items():
            yield from _used(member, rest, (*path, name))
        return
    value = getattr(part, key)
    step = (*path, written_name(type(part), key))
    if rest:
        yield from _used(value, rest, step)
    elif value != type(part).model_fields[key].default:
        yield step
