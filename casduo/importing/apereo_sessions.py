"""How sessions begin and end for a service of Apereo CAS: sign-out, proxies, single sign-on, pages in between."""

from __future__ import annotations

from typing import Any

from casduo.importing.addresses import Untranslatable, from_expression, from_literal
from casduo.importing.apereo_fields import PROXY, SINGLE_SIGN_ON
from casduo.importing.apereo_values import account_for, class_name, flag, is_empty, members, rest, text_of
from casduo.importing.entries import patterns_of
from casduo.importing.keys import allow_proxy, set_logout_url
from casduo.importing.model import Draft, one_line
from casduo.importing.options import Options

_LOGOUT = {"BACK_CHANNEL": "back_channel", "FRONT_CHANNEL": "front_channel", "NONE": "none"}
_UNITS = {"SECONDS": "s", "MINUTES": "m", "HOURS": "h", "DAYS": "d", "MILLISECONDS": "ms"}
_MAX_DEPTH = 5


def logout_type(draft: Draft, value: Any, options: Options) -> None:
    """Map ``logoutType``."""
    kind = _LOGOUT.get(one_line(value).upper())
    if kind is None:
        draft.lost("logoutType", f"{one_line(value)[:40]!r} is not known")
        return
    if kind != "back_channel":
        draft.entry.setdefault("logout", {})["type"] = kind
    draft.taken("logoutType", f"logout: {kind}")


def logout_url(draft: Draft, value: Any, options: Options) -> None:
    """Map ``logoutUrl``."""
    set_logout_url(draft, "logoutUrl", one_line(value))


# --- proxies ----------------------------------------------------------------------------------------------------------


def proxy_policy(draft: Draft, value: Any, options: Options) -> None:
    """Map ``proxyPolicy``. What cannot be said is not allowed."""
    kind = class_name(value).removesuffix("RegisteredServiceProxyPolicy")
    if not isinstance(value, dict) or kind in {"", "Refuse"}:
        draft.taken("proxyPolicy", "no proxy tickets")
        return
    if kind != "RegexMatching":
        draft.lost("proxyPolicy", f"{kind[:80]} asks another server; no proxy tickets")
        return
    rest(draft, "proxyPolicy", value, PROXY, {"pattern", "exactMatch", "useServiceId"})
    own = flag(value.get("useServiceId"), False)
    if own and not flag(value.get("exactMatch"), False):
        allow_proxy(draft, "proxyPolicy.useServiceId", patterns_of(draft))
        return
    text = draft.expression if own else text_of(value, "pattern")
    try:
        if flag(value.get("exactMatch"), False):
            address = from_literal(text)
        else:
            address = from_expression(text, whole=False, anywhere=True)
    except Untranslatable as error:
        draft.lost("proxyPolicy.pattern", f"no pattern can say what {text[:200]!r} means: {error}; no proxy tickets")
        return
    if address.narrower:
        draft.differs("proxyPolicy.pattern", f"means less than {text[:200]!r}: {'; '.join(address.narrower)}")
    allow_proxy(draft, "proxyPolicy.pattern", list(address.patterns))


def allowed_to_proxy(draft: Draft, value: Any, options: Options) -> None:
    """Map ``allowedToProxy``."""
    if flag(value, False):
        draft.lost(
            "allowedToProxy",
            "it does not say where tickets may be sent: write proxy.callback. Till then, no proxy tickets",
        )
    else:
        draft.taken("allowedToProxy", "no proxy tickets")


# --- single sign-on ---------------------------------------------------------------------------------------------------


def participation(draft: Draft, value: Any, options: Options, depth: int = 0) -> None:
    """Map ``singleSignOnParticipationPolicy``. In doubt, the password is asked for each time."""
    field = "singleSignOnParticipationPolicy"
    kind = class_name(value).removesuffix("RegisteredServiceSingleSignOnParticipationPolicy")
    if not isinstance(value, dict):
        draft.lost(field, "is no object; the password is asked for each time")
        draft.entry["single_sign_on"] = False
        return
    duration = _duration(value)
    if kind == "Chaining" and isinstance(value.get("policies"), list) and depth < _MAX_DEPTH:
        for policy in value["policies"]:
            participation(draft, policy, options, depth + 1)
            account_for(draft, field, policy)
    elif kind == "LastUsedTime" and duration:
        _session(draft, field, "idle", duration)
    elif kind == "AuthenticationDate" and duration:
        _session(draft, field, "lifetime", duration)
    elif kind == "Default":
        draft.taken(field, "single_sign_on, as ever")
    else:
        draft.entry["single_sign_on"] = False
        if kind == "Never":
            draft.taken(field, "single_sign_on: false")
        else:
            draft.differs(field, f"{kind[:80]} cannot be said; the password is asked for each time")
    done = {"timeUnit", "timeValue", "policies", "attributes", "groovyScript"}
    if text_of(value, "createCookieOnRenewedAuthentication").upper() != "FALSE":
        done.add("createCookieOnRenewedAuthentication")
    rest(draft, field, value, SINGLE_SIGN_ON, done)


def session_life(draft: Draft, value: Any, options: Options) -> None:
    """Map ``ticketGrantingTicketExpirationPolicy``: sessions that begin at this service are shorter."""
    field = "ticketGrantingTicketExpirationPolicy"
    seconds = members(value).get("maxTimeToLiveInSeconds")
    if isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0:
        _session(draft, field, "lifetime", f"{seconds}s")
        draft.differs(field, "for this service sessions are old after that time; for others they live on")
        rest(draft, field, value, {}, {"maxTimeToLiveInSeconds"}, guarding=True)
        return
    if not is_empty(value):
        draft.entry["single_sign_on"] = False
        draft.differs(field, "cannot be said; the password is asked for each time")


def _session(draft: Draft, field: str, key: str, duration: str) -> None:
    session = draft.entry.setdefault("session", {})
    if key in session and session[key] != duration:
        draft.entry["single_sign_on"] = False
        draft.differs(field, "says two different times; the password is asked for each time")
        return
    session[key] = duration
    draft.taken(field, f"session: {key} {duration}")


def _duration(value: dict[str, Any]) -> str:
    amount = value.get("timeValue")
    unit = _UNITS.get(text_of(value, "timeUnit").upper() or "SECONDS")
    if isinstance(amount, bool) or not isinstance(amount, int) or amount <= 0 or unit is None:
        return ""
    return f"{amount}{unit}"


# --- pages in between -------------------------------------------------------------------------------------------------


def terms(draft: Draft, value: Any, options: Options) -> None:
    """Note ``acceptableUsagePolicy`` where it has a text of its own; the others say what holds for all."""
    if any(not is_empty(member) for name, member in members(value).items() if name != "enabled"):
        draft.lost("acceptableUsagePolicy", "nobody is asked to accept terms of use")
    else:
        draft.left_out("acceptableUsagePolicy", "it says nothing about this service alone")


def interrupt(draft: Draft, value: Any, options: Options) -> None:
    """Note ``webflowInterruptPolicy`` where it says more than the usual."""
    said = {
        name: member
        for name, member in members(value).items()
        if not is_empty(member) and name != "enabled" and one_line(member).upper() not in {"UNDEFINED", "FALSE"}
    }
    if said:
        draft.lost("webflowInterruptPolicy", "no page is shown in between")
    else:
        draft.left_out("webflowInterruptPolicy", "it says nothing about this service alone")
