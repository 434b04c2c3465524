"""Services of Apereo CAS (4.0 to 7.x) as entries: files, order, addresses; the policies lie beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from casduo.errors import Problem, SettingsError
from casduo.importing import apereo_access, apereo_duo, apereo_release, apereo_sessions
from casduo.importing.addresses import Address, from_ant, from_expression, from_literal
from casduo.importing.apereo_fields import CAS_CLASSES, OTHER_CLASSES, SERVICE
from casduo.importing.apereo_values import (
    account_for,
    class_name,
    is_empty,
    kept,
    leave,
    members,
    plain,
    text_of,
    unknown,
)
from casduo.importing.compare import digest_of
from casduo.importing.entries import close_holes, drop_needless_reserves, make_valid, reserve, set_address, start_entry
from casduo.importing.model import Draft, Import, one_line
from casduo.importing.options import Options
from casduo.importing.reading import CLASS, decoded, read_json, read_yaml

_RESPONSES = {"POST": "post", "HEADER": "header", "REDIRECT": "get"}
_PROTOCOLS = {"CAS10": ("cas1",), "CAS20": ("cas2",), "CAS30": ("cas3",), "SAML1": ("saml1",)}


@dataclass(frozen=True, slots=True)
class _Found:
    """A service as it stands in a file."""

    data: Mapping[str, Any]
    source: str
    file: str


def import_apereo(files: Iterable[tuple[str, bytes]], options: Options | None = None) -> Import:
    """Turn service files of Apereo CAS into entries.

    :param files: names and contents, in any order. Each holds a service, a list of them, or an object with
        ``services``; JSON and Hjson, or YAML where the name ends in ``.yml`` or ``.yaml``
    :param options: what the files do not say
    """
    options = options or Options()
    problems: list[Problem] = []
    found: list[_Found] = []
    for file, content in files:
        try:
            found += _services(content, file, problems)
        except SettingsError as error:
            problems += error.problems
    found.sort(key=_order)
    found, twice = _without_copies(found, problems)
    taken: set[str] = set()
    drafts = [_draft(one, taken, options) for one in found]
    for draft, one in zip(drafts, found, strict=True):
        if draft.entry and _number(one) in twice:
            draft.close("id", f"{_number(one)} is the id of another one too, and the old server knew only one of them")
    close_holes(drafts, ignored_case=True)
    drop_needless_reserves(drafts)
    problems += make_valid(drafts)
    return Import(tuple(drafts), tuple(problems))


# --- files ------------------------------------------------------------------------------------------------------------


def _services(content: bytes, file: str, problems: list[Problem]) -> Iterator[_Found]:
    text = decoded(content, file)
    documents = read_yaml(text, file) if file.lower().endswith((".yml", ".yaml")) else [read_json(text, file)]
    listed = [service for document in documents for service in _listed(plain(document))]
    if not listed:
        raise SettingsError((Problem(file, 0, 0, "", "holds no service"),))
    for at, service in enumerate(listed, 1):
        place = file if len(listed) == 1 else f"{file}, service {at}"
        if isinstance(service, dict) and "assignedId" in service:
            message = "is how the management application shows a service: import the files of the service registry"
            problems.append(Problem(place, 0, 0, "", message))
            continue
        if not isinstance(service, dict) or not isinstance(service.get("serviceId"), str):
            problems.append(Problem(place, 0, 0, "", "has no serviceId: it is no service of Apereo CAS"))
            continue
        number = one_line(service.get("id"))
        yield _Found(service, f"{place} (id {number})" if number else place, file)


def _listed(document: Any) -> list[Any]:
    if isinstance(document, dict) and isinstance(document.get("services"), list) and "serviceId" not in document:
        return list(document["services"])
    return list(document) if isinstance(document, list) else [] if document is None else [document]


def _order(found: _Found) -> tuple[int, str, str, int]:
    """Sort as the old server did: by evaluationOrder, and then by name, serviceId and id."""
    number, place = found.data.get("id"), found.data.get("evaluationOrder")
    return (
        _whole(place),
        one_line(found.data.get("name")).lower(),
        str(found.data.get("serviceId")),
        _whole(number),
    )


def _whole(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch("-?[0-9]{1,18}", value.strip()):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _number(found: _Found) -> int:
    return _whole(found.data.get("id"))


def _without_copies(found: Iterable[_Found], problems: list[Problem]) -> tuple[list[_Found], set[int]]:
    """Return services without those that another file has word for word, and the ids that several others share."""
    first: dict[int, _Found] = {}
    twice: set[int] = set()
    kept = []
    for one in found:
        number = _number(one)
        other = first.setdefault(number, one) if number else one
        if other is one or other.data != one.data:
            kept.append(one)
        if other is not one:
            same = other.data == one.data
            twice |= set() if same else {number}
            becomes = "it is the same, and written once" if same else "the old server knew only one of them"
            problems.append(Problem(one.source, 0, 0, "id", f"has the id of {other.source}: {becomes}", "warning"))
    return kept, twice


# --- one service ------------------------------------------------------------------------------------------------------


def _draft(found: _Found, taken: set[str], options: Options) -> Draft:
    data = found.data
    draft = Draft(found.source, one_line(data.get("name"), 200), str(data["serviceId"]))
    draft.digest = digest_of(data)
    kind = class_name(data)
    if kind and kind not in CAS_CLASSES:
        protocol = OTHER_CLASSES.get(kind)
        known = f"signs in by {protocol}, which is not spoken here" if protocol else f"{kind[:80]} is not known here"
        reserve(draft, _whole(data.get("id")), taken, lambda: _address(data, kind, draft))
        draft.lost(CLASS, known)
        return draft
    start_entry(draft, _whole(data.get("id")), taken)
    set_address(draft, "serviceId", lambda: _address(data, kind, draft))
    if not draft.entry:
        return draft
    for name, value in data.items():
        if name in _ELSEWHERE:
            continue
        if name in _MAPPERS:
            if kept(value) or name in _ALWAYS:
                _MAPPERS[name](draft, value, options)
        elif apereo_duo.asks_for_duo(name):
            apereo_duo.one_property(draft, name, name, value)
        elif name not in SERVICE:
            unknown(draft, name, value, SERVICE)
        elif not is_empty(value):
            leave(draft, name, SERVICE[name])
    apereo_release.old_filter(draft, data)
    for name, value in data.items():
        if isinstance(value, dict) and name in _MAPPERS:
            account_for(draft, name, value)
    account_for(draft, "", {name: value for name, value in data.items() if name not in _ELSEWHERE})
    return draft


def _address(data: Mapping[str, Any], kind: str, draft: Draft) -> Address:
    text = str(data["serviceId"])
    strategy = data.get("matchingStrategy")
    for name, value in members(strategy).items():
        if name not in {"caseInsensitive", "expectedUrl"} and not is_empty(value):
            draft.close(f"matchingStrategy.{name}", "is not known, and may say which addresses are meant")
    match class_name(strategy) if isinstance(strategy, dict) or strategy is None else "what is no object":
        case "" | "FullRegexRegisteredServiceMatchingStrategy":
            # Case was ignored anyhow.
            return from_ant(text) if kind == "RegisteredServiceImpl" else from_expression(text.removeprefix("(?i)"))
        case "PartialRegexRegisteredServiceMatchingStrategy":
            return from_expression(text, whole=False, anywhere=True)
        case "LiteralRegisteredServiceMatchingStrategy":
            return from_literal(text)
        case "StartsWithRegisteredServiceMatchingStrategy":
            # Since 7.1, what the address begins with is a member of the strategy.
            expected = text_of(members(strategy), "expectedUrl")
            if expected:
                draft.taken("matchingStrategy.expectedUrl", "`url`; serviceId was not looked at")
            return from_literal(expected or text, begins=True)
        case other:
            draft.close("matchingStrategy", f"{other[:80]} is not known; serviceId is taken for an expression")
            return from_expression(text)


def _description(draft: Draft, value: Any, options: Options) -> None:
    if text := one_line(value):
        draft.entry["description"] = text
        draft.taken("description", "the same")


def _logo(draft: Draft, value: Any, options: Options) -> None:
    text = one_line(value)
    if text.startswith("https://"):
        draft.entry["logo"] = text
        draft.taken("logo", "the same")
    else:
        draft.left_out("logo", f"{text[:80]!r} is a file of the old server")


def _contacts(draft: Draft, value: Any, options: Options) -> None:
    contacts = [contact for contact in value if isinstance(contact, dict)] if isinstance(value, list) else []
    owners = [text_of(contact, "email") or text_of(contact, "name") for contact in contacts]
    owners = [owner for owner in owners if owner]
    if not owners:
        return
    draft.entry["owner"] = owners[0]
    draft.taken("contacts", f"owner is {owners[0]}, whom people read")
    if len(owners) > 1:
        draft.left_out("contacts", f"one of {len(owners)} is enough")


def _response(draft: Draft, value: Any, options: Options) -> None:
    kind = text_of({"": value}, "").upper()
    if kind in _RESPONSES:
        draft.entry["response"] = _RESPONSES[kind]
        draft.taken("responseType", f"response: {_RESPONSES[kind]}")
    else:
        draft.lost("responseType", f"{kind[:40]!r} is not known")


def _protocols(draft: Draft, value: Any, options: Options) -> None:
    names = [one_line(name).upper() for name in value] if isinstance(value, list) else []
    strange = [name for name in names if name not in _PROTOCOLS]
    known = [protocol for name in names for protocol in _PROTOCOLS.get(name, ())]
    if strange or not known:
        draft.close("supportedProtocols", f"{', '.join(strange)[:80] or 'nothing'} is not spoken here")
    if known:
        draft.entry["protocols"] = list(dict.fromkeys(known))
        draft.taken("supportedProtocols", "the same")


Mapper = Callable[[Draft, Any, Options], None]

_ELSEWHERE = (CLASS, "serviceId", "matchingStrategy", "name", "id", "evaluationOrder", "attributeFilter")
"""Fields that are looked at before or after all others."""

_ALWAYS = frozenset({"enabled", "ssoEnabled", "allowedToProxy"})
"""Fields whose ``false`` says something."""

_MAPPERS: Mapping[str, Mapper] = {
    "description": _description,
    "logo": _logo,
    "contacts": _contacts,
    "responseType": _response,
    "supportedProtocols": _protocols,
    "accessStrategy": apereo_access.access_strategy,
    "enabled": lambda draft, value, _: apereo_access.enabled(draft, "enabled", value),
    "ssoEnabled": lambda draft, value, _: apereo_access.sso_enabled(draft, "ssoEnabled", value),
    "expirationPolicy": apereo_access.expiration,
    "requiredHandlers": apereo_access.required_handlers,
    "authenticationPolicy": apereo_access.authentication_policy,
    "multifactorPolicy": apereo_duo.multifactor,
    "properties": apereo_duo.properties,
    "extraAttributes": lambda draft, value, options: apereo_duo.properties(draft, value, options, "extraAttributes"),
    "attributeReleasePolicy": apereo_release.release_policy,
    "allowedAttributes": apereo_release.old_allowed,
    "ignoreAttributes": apereo_release.old_ignore,
    "usernameAttributeProvider": apereo_release.username_provider,
    "usernameAttribute": apereo_release.old_username,
    "anonymousAccess": apereo_release.old_anonymous,
    "logoutType": apereo_sessions.logout_type,
    "logoutUrl": apereo_sessions.logout_url,
    "proxyPolicy": apereo_sessions.proxy_policy,
    "allowedToProxy": apereo_sessions.allowed_to_proxy,
    "singleSignOnParticipationPolicy": apereo_sessions.participation,
    "ticketGrantingTicketExpirationPolicy": apereo_sessions.session_life,
    "acceptableUsagePolicy": apereo_sessions.terms,
    "webflowInterruptPolicy": apereo_sessions.interrupt,
}
