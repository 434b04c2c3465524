"""Looks over the entries of services for phones: what keeps them from working, and what cannot be meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from casduo.errors import Problem
from casduo.fieldtypes import format_duration
from casduo.phone.mounts import mount_of
from casduo.phone.urls import LONGEST_BASE
from casduo.services.lint import Entry, used, written_urls
from casduo.services.model import RegisteredService
from casduo.services.policies import NEVER
from casduo.settings import Settings
from casduo.yamlfile import Document, KeyPath

OWN_PAGES = frozenset(
    {
        *("duo", "enroll", "healthz", "language", "login", "logout", "p3", "proxy", "proxyValidate"),
        *("readyz", "samlValidate", "serviceValidate", "static", "v1", "validate"),
    }
)
"""First segments of the server's own addresses below ``server.url``."""

UCM_ATTRIBUTES = frozenset(
    {
        *("userid", "mail", "givenName", "sn", "displayName", "department", "telephoneNumber", "locale"),
        *("emProfile", "emDefaultProfile"),
    }
)
"""What is known of people whose PIN was checked, see :func:`casduo.authentication.ucm_pin.attributes_of`."""

_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_NO_EFFECT = "has no effect on phones"
_WITHOUT_EFFECT = {
    "access.reason": f"{_NO_EFFECT}, which show a text of their own",
    "disabled_reason": f"{_NO_EFFECT}, which show a text of their own",
    "logo": _NO_EFFECT,
    "requires_duo.max_age": f"{_NO_EFFECT}: Duo is asked at each login there",
    "enrollment_url": f"{_NO_EFFECT}, which open no other pages",
    "unenrolled": f"{_NO_EFFECT}: nobody registers a device there",
    "attributes": f"{_NO_EFFECT}: there is no application to be told",
    "pairwise_id": f"{_NO_EFFECT}: there is no application to be told",
    "multivalue": f"{_NO_EFFECT}: there is no application to be told",
    "json_values": f"{_NO_EFFECT}: there is no application to be told",
    "single_sign_on": f"{_NO_EFFECT}: the PIN is asked at each login there",
    "accept_remember_me": f"{_NO_EFFECT}: the PIN is asked at each login there",
    "session": f"{_NO_EFFECT}: the PIN is asked at each login there",
    "warn": _NO_EFFECT,
    "service_match": f"{_NO_EFFECT}: casduo validates their tickets itself",
    "response": f"{_NO_EFFECT}: casduo validates their tickets itself",
    "response_by_request": f"{_NO_EFFECT}: casduo validates their tickets itself",
    "allow_http_saml": f"{_NO_EFFECT}: casduo validates their tickets itself",
    "client": f"{_NO_EFFECT}: casduo validates their tickets itself",
    "logout": f"{_NO_EFFECT}: there is no application to be told",
    "proxy": f"{_NO_EFFECT}: there is no application to call others",
}


def phone_errors(entries: Sequence[Entry], document: Document, settings: Settings | None) -> Iterator[Problem]:
    """Yield an error for everything that would keep the phones of an entry from being answered, or people from logging
    in there.

    :param settings: which handlers and which UCM there are; ``None`` skips what is about them
    """
    phones = [entry for entry in entries if entry.service.channel == "phone"]
    yield from _places(phones, document, settings)
    for entry in phones:
        path = ("services", entry.index)
        if "cas3" not in entry.service.protocols:
            message = "must hold cas3: by it casduo validates the tickets of phones"
            yield document.problem((*path, "protocols"), message)
        if settings is not None:
            for key, message in _without_pins(entry.service, settings):
                yield document.problem((*path, key), message)


def lint_phones(entries: Sequence[Entry], document: Document, settings: Settings | None) -> Iterator[Problem]:
    """Yield what should be looked at about services for phones, and about those for browsers that go by PINs.

    :param settings: as for :func:`phone_errors`
    """
    for entry in entries:
        path = ("services", entry.index)
        if entry.service.channel == "phone":
            for key_path, message in _keys(entry.service, settings):
                yield document.problem((*path, *key_path), message, "warning")
            yield from _addresses(entry, document, settings)
        elif settings is not None and _pins_only(entry.service, settings):
            message = "all its handlers check PINs, which are for phones: nobody can sign in to it by password"
            yield document.problem((*path, "authentication"), message, "warning")
    used_by_none = not any(entry.service.channel == "phone" for entry in entries)
    if used_by_none and settings is not None and settings.ucm is not None:
        yield document.problem(("services",), "none is for phones, for which the settings have a section 'ucm'", "note")


# --- where phones come to -------------------------------------------------------------------------------------------


def _places(phones: Sequence[Entry], document: Document, settings: Settings | None) -> Iterator[Problem]:
    """Look at the addresses of all entries for phones. Requests are told apart by their paths: some phones put a number
    where the host should be named.
    """
    taken: dict[str, tuple[Entry, KeyPath]] = {}
    for entry in phones:
        for path, text in written_urls(entry, document):
            mount = mount_of(text, entry.service.id)
            if mount is None or text != f"{mount.base}/**" or not _PATH.fullmatch(mount.path):
                message = "must be one address with a path of its own and all below it, https://sso.example.edu/em/**"
                yield document.problem(path, f"{message}: it is where phones come to")
                continue
            if len(mount.base) > LONGEST_BASE:
                message = f"has {len(mount.base)} characters before /**; phones take addresses with {LONGEST_BASE}"
                yield document.problem(path, message)
            if settings is not None and settings.server.url and _hides_pages(mount.path, settings.server.prefix):
                yield document.problem(path, f"lies over pages of the server itself, {settings.server.url}")
            first, place = taken.setdefault(mount.path, (entry, path))
            if first is not entry:
                line, _ = document.position(place)
                message = f"phones of {first.service.id!r} (line {line}) come to {mount.path} already"
                yield document.problem(path, f"{message}; each service needs a path of its own")


def _hides_pages(path: str, prefix: str) -> bool:
    """Say whether phones below ``path`` and the server's pages below ``prefix`` would take addresses of each other."""
    if prefix == path or prefix.startswith(f"{path}/"):
        return True
    return path.startswith(f"{prefix}/") and path[len(prefix) + 1 :].partition("/")[0] in OWN_PAGES


def _addresses(entry: Entry, document: Document, settings: Settings | None) -> Iterator[Problem]:
    host = urlsplit(settings.server.url).hostname if settings is not None and settings.server.url else None
    first: dict[str, str] = {}
    for path, text in written_urls(entry, document):
        mount = mount_of(text, entry.service.id)
        if mount is None:
            continue
        other = urlsplit(mount.base).hostname
        if host is not None and other != host:
            message = f"its host is not that of server.url, {host}: phones must be led to this server by it"
            yield document.problem(path, message, "warning")
        known = first.setdefault(mount.path, mount.base)
        if known != mount.base:
            message = f"has no effect: phones that come here are sent on to {known}, for the path is the same"
            yield document.problem(path, message, "warning")


# --- who checks PINs ------------------------------------------------------------------------------------------------


def _without_pins(service: RegisteredService, settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.ucm is None:
        yield "channel", "phones need a UCM, but the settings have no section 'ucm'"
    kinds = {handler.name: handler.type for handler in settings.authentication}
    for name in service.authentication:
        if name in kinds and kinds[name] != "ucm_pin":
            yield "authentication", f"{name!r} checks passwords; at phones people type PINs (type ucm_pin)"
    if not service.authentication and "ucm_pin" not in kinds.values():
        yield "channel", "the settings have no handler that checks PINs (type ucm_pin)"


def _pins_only(service: RegisteredService, settings: Settings) -> bool:
    """Say whether all handlers that a service may use are for PINs."""
    kinds = {handler.name: handler.type for handler in settings.authentication}
    return {kinds[name] for name in service.authentication or kinds if name in kinds} == {"ucm_pin"}


# --- keys without an effect -----------------------------------------------------------------------------------------


def _keys(service: RegisteredService, settings: Settings | None) -> Iterator[tuple[KeyPath, str]]:
    for key_path, message in _WITHOUT_EFFECT.items():
        for path in used(service, key_path):
            yield path, message
    rule = service.duo_rule
    if rule is not None and rule.prompt == "universal":
        yield ("requires_duo", "prompt"), f"{_NO_EFFECT}, which cannot show Duo's own page"
    if rule is not None and rule.trusted_browser not in (None, NEVER):
        trust = format_duration(rule.trusted_browser or NEVER)
        yield ("requires_duo", "trusted_browser"), f"{trust} {_NO_EFFECT}: they belong to nobody"
    if service.username_attribute is not None:
        yield ("username_attribute",), "only keeps out who lacks it: there is no application to be told a name"
    yield from _conditions(service, settings)


def _conditions(service: RegisteredService, settings: Settings | None) -> Iterator[tuple[KeyPath, str]]:
    """Conditions on what a UCM does not tell of people: they keep everybody out, or excuse everybody from Duo."""
    when = service.duo_rule.when if service.duo_rule is not None else None
    parts: list[tuple[KeyPath, tuple[str, ...], Sequence[str], str]] = [
        (("access",), service.access.groups, tuple(service.access.attributes), "nobody gets in")
    ]
    if when is not None:
        parts.append((("requires_duo", "when"), when.groups, tuple(when.attributes), "nobody is asked for Duo"))
    known = UCM_ATTRIBUTES.intersection(settings.login.group_attributes) if settings is not None else UCM_ATTRIBUTES
    for path, groups, names, outcome in parts:
        if groups and not known:
            yield (*path, "groups"), f"a UCM tells of no groups, so {outcome} by this rule; go by 'attributes'"
        for name in names:
            if name not in UCM_ATTRIBUTES:
                yield (*path, "attributes", name), f"a UCM tells nothing of this name, so {outcome} by this rule"
