"""Who may use a service of Apereo CAS: access strategies, handlers that are demanded, and the end of a service."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from casduo.errors import CasduoError
from casduo.fieldtypes import parse_network, zone_of
from casduo.importing.apereo_duo import multifactor
from casduo.importing.apereo_fields import ACCESS
from casduo.importing.apereo_values import (
    SCRIPT,
    account_for,
    class_name,
    flag,
    is_empty,
    kept,
    members,
    rest,
    switch,
    text_of,
    texts,
    values_by_name,
)
from casduo.importing.expressions import literals
from casduo.importing.keys import require
from casduo.importing.model import Draft
from casduo.importing.options import Options

_PLAIN = ("", "DefaultRegisteredServiceAccessStrategy", "TimeBasedRegisteredServiceAccessStrategy")
_SURROGATES = ("SurrogateRegisteredServiceAccessStrategy", "GroovySurrogateRegisteredServiceAccessStrategy")
_FOR_SURROGATES = ("surrogateEnabled", "surrogateRequiredAttributes", "groovyScript")
_DONE = ("enabled", "ssoEnabled", "requireAllAttributes", "caseInsensitive", "delegatedAuthenticationPolicy")
_END = ("expirationDate", "deleteWhenExpired", "notifyWhenDeleted", "notifyWhenExpired")
_TIMES = {"startingDateTime": "from", "endingDateTime": "until"}
_MAX_DEPTH = 5


class _Unreadable(CasduoError):
    """A moment that nobody can place."""


def access_strategy(draft: Draft, value: Any, options: Options, depth: int = 0) -> None:
    """Map ``accessStrategy``. Whatever cannot be said closes the entry."""
    kind = class_name(value)
    if not isinstance(value, dict):
        draft.close("accessStrategy", "is no object")
    elif kind in _PLAIN:
        _plain(draft, value, "accessStrategy")
    elif kind in _SURROGATES:
        # It is the default one, and says more about people who sign in for somebody else.
        draft.left_out("accessStrategy.surrogateEnabled", "nobody signs in for somebody else")
        _plain(draft, {name: one for name, one in value.items() if name not in _FOR_SURROGATES}, "accessStrategy")
    elif kind == "HttpRequestRegisteredServiceAccessStrategy":
        _request(draft, value)
    elif kind == "ChainingRegisteredServiceAccessStrategy" and depth < _MAX_DEPTH:
        _chain(draft, value, options, depth)
    else:
        draft.close("accessStrategy", f"{kind[:80]} decides by a script or by asking another server")
        _switches(draft, value)


def _chain(draft: Draft, value: dict[str, Any], options: Options, depth: int) -> None:
    strategies = value.get("strategies") or []
    if not isinstance(strategies, list):
        draft.close("accessStrategy.strategies", "is no list")
    elif len(strategies) > 1 and text_of(value, "operator").upper() not in {"", "AND"}:
        draft.close("accessStrategy.operator", "it is enough to pass one of several strategies, which cannot be said")
    else:
        for strategy in strategies:
            access_strategy(draft, strategy, options, depth + 1)
            account_for(draft, "accessStrategy", strategy)
    _switches(draft, value)
    rest(draft, "accessStrategy", value, ACCESS, {*_DONE, "strategies", "operator"}, guarding=True)


def _plain(draft: Draft, value: dict[str, Any], field: str) -> None:
    _switches(draft, value)
    _required(draft, value, field)
    for name, key in _TIMES.items():
        if not is_empty(value.get(name)):
            _moment(draft, f"{field}.{name}", key, text_of(value, name), text_of(value, "zoneId"))
    criteria = value.get("activationCriteria")
    done = {*_DONE, *_TIMES, "zoneId", "requiredAttributes"}
    if class_name(criteria).startswith("Always") or is_empty(criteria):
        done.add("activationCriteria")
    rest(draft, field, value, ACCESS, done, guarding=True)


def enabled(draft: Draft, field: str, value: Any) -> None:
    """Map the switch of a service."""
    if not switch(draft, field, value, True):
        draft.entry["enabled"] = False
        draft.taken(field, "the service is switched off")


def sso_enabled(draft: Draft, field: str, value: Any) -> None:
    """Map whether a session is good enough."""
    if not switch(draft, field, value, True):
        draft.entry["single_sign_on"] = False
        draft.taken(field, "single_sign_on: false, so the password is asked for each time")


def _switches(draft: Draft, value: dict[str, Any]) -> None:
    enabled(draft, "accessStrategy.enabled", value.get("enabled"))
    sso_enabled(draft, "accessStrategy.ssoEnabled", value.get("ssoEnabled"))
    elsewhere, field = value.get("delegatedAuthenticationPolicy"), "accessStrategy.delegatedAuthenticationPolicy"
    chain = elsewhere.get("strategies") if isinstance(elsewhere, dict) else None
    for policy in [elsewhere, *(chain if isinstance(chain, list) else [])]:
        if isinstance(policy, dict) and switch(draft, field, policy.get("exclusive"), False):
            draft.close(field, "people had to sign in at another server")
    if not is_empty(elsewhere):
        draft.left_out(field, "nobody signs in at another server")


def _required(draft: Draft, value: dict[str, Any], field: str) -> None:
    name = f"{field}.requiredAttributes"
    written = value.get("requiredAttributes")
    if written is not None and not isinstance(written, dict):
        draft.close(name, "is no object")
    required = dict(values_by_name(written))
    if not required:
        return
    if len(required) > 1 and not flag(value.get("requireAllAttributes"), True):
        draft.close(name, f"one of the attributes {', '.join(required)[:200]} was enough; here each must fit")
        return
    for attribute, expressions in required.items():
        if any(map(SCRIPT.match, expressions)):
            draft.close(name, f"{attribute[:60]}: the values are worked out by a script")
            continue
        require(draft, name, attribute, expressions)
    if flag(value.get("caseInsensitive"), False):
        draft.differs(
            f"{field}.caseInsensitive", "access minds upper and lower case: write values as the directory has them"
        )


def _request(draft: Draft, value: dict[str, Any]) -> None:
    _switches(draft, value)
    networks = literals(text_of(value, "ipAddress")) or []
    try:
        blocks = [str(parse_network(text)) for text in networks]
    except ValueError:
        blocks = []
    if blocks:
        access = draft.entry.setdefault("access", {})
        written = [block.removesuffix("/32") for block in blocks]
        if access.setdefault("networks", written) != written:
            draft.close("accessStrategy.ipAddress", "the address must fit two lists, which cannot be said")
        draft.taken("accessStrategy.ipAddress", f"access: the address must be {' or '.join(networks)[:200]}")
    elif not is_empty(value.get("ipAddress")):
        message = f"no list of addresses says what {text_of(value, 'ipAddress')[:100]!r} means: write networks"
        draft.close("accessStrategy.ipAddress", message)
    rest(draft, "accessStrategy", value, ACCESS, {*_DONE, "ipAddress"}, guarding=True)


# --- times ------------------------------------------------------------------------------------------------------------


def expiration(draft: Draft, value: Any, options: Options) -> None:
    """Map ``expirationPolicy``."""
    if not isinstance(value, dict):
        draft.close("expirationPolicy", "is no object")
    elif not is_empty(value.get("expirationDate")):
        _moment(draft, "expirationPolicy.expirationDate", "until", text_of(value, "expirationDate"), "")
    for name in _END[1:]:
        if flag(members(value).get(name), False):
            draft.left_out(f"expirationPolicy.{name}", "nobody is told that a service has ended, and its entry stays")
    rest(draft, "expirationPolicy", value, {}, {*_END, "enabled"}, guarding=True)


def _moment(draft: Draft, field: str, key: str, text: str, zone: str) -> None:
    try:
        moment = _read_moment(text, zone)
    except _Unreadable:
        draft.close(field, f"{text[:60]!r} is no moment that can be read")
        return
    access = draft.entry.setdefault("access", {})
    written = _written(moment)
    if key in access:
        earlier, later = sorted([access[key], written], key=lambda other: _read_moment(other, "").timestamp())
        written = earlier if key == "until" else later
    access[key] = written
    draft.taken(field, f"access: {key} {written}")
    if access.get("from") and access.get("until") and not _rises(access["from"], access["until"]):
        del access[key]
        draft.close(field, "it ends before it begins, so nobody was let in")


def _rises(start: str, end: str) -> bool:
    return _read_moment(start, "").timestamp() < _read_moment(end, "").timestamp()


def _read_moment(text: str, zone: str) -> datetime:
    """Read what Java's ZonedDateTime and LocalDateTime write, such as ``2026-01-31T08:00:00+01:00[Europe/Paris]``."""
    found = re.fullmatch(r"(.*?)(?:\[([A-Za-z0-9_+/-]+)\])?", text.strip())
    assert found is not None
    name = found[2] or ("" if zone.upper() in {"", "UTC", "Z"} else zone)
    # Java writes nine digits of a second, or none.
    moment_text = re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", found[1].replace("/", "-"))
    try:
        moment = datetime.fromisoformat(moment_text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone_of(name or "UTC"))
        moment.timestamp()
    except (ValueError, OverflowError):
        raise _Unreadable(text) from None
    return moment


def _written(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat()


# --- handlers ---------------------------------------------------------------------------------------------------------


def required_handlers(draft: Draft, value: Any, options: Options) -> None:
    """Map the names of the handlers that may check the password."""
    _handlers(draft, "requiredHandlers", value, options)


def authentication_policy(draft: Draft, value: Any, options: Options) -> None:
    """Map ``authenticationPolicy``."""
    if not isinstance(value, dict):
        draft.close("authenticationPolicy", "is no object")
        return
    if any(name in value for name in ("multifactorAuthenticationProviders", "authenticationProviders")):
        # What 5.0 calls multifactorPolicy had this name before.
        multifactor(draft, value, options)
        return
    _handlers(
        draft,
        "authenticationPolicy.requiredAuthenticationHandlers",
        value.get("requiredAuthenticationHandlers"),
        options,
    )
    for name, member in members(value).items():
        if name == "requiredAuthenticationHandlers" or (name == "criteria" and _demands_nothing(member)):
            continue
        if kept(member):
            draft.close(f"authenticationPolicy.{name}", "how people have to sign in is not said so here")


def _demands_nothing(criteria: Any) -> bool:
    """Say whether criteria ask for one handler of those there are, which is what everybody needs anyhow."""
    kind = class_name(criteria)
    if kind.startswith("AnyAuthenticationHandler"):
        return not flag(criteria.get("tryAll"), False)
    plain = kind.startswith(("AllowedAuthenticationHandlers", "DefaultRegisteredService"))
    return plain or (not kind and is_empty(criteria))


def _handlers(draft: Draft, field: str, value: Any, options: Options) -> None:
    names = texts(value)
    if not names:
        if not is_empty(value):
            draft.close(field, "is no list of names")
        return
    known = [options.handlers[name] for name in names if name in options.handlers]
    if len(known) == len(names):
        draft.entry["authentication"] = list(dict.fromkeys(known))
        draft.taken(field, f"authentication: {', '.join(known)[:200]}")
        return
    missing = [name for name in names if name not in options.handlers]
    draft.close(
        field,
        f"passwords had to be checked by {', '.join(missing)[:200]}: what is that called in the settings here? Say "
        "--handler OLD=NEW, or write 'authentication' into the entry",
    )
