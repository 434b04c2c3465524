"""When a service of Apereo CAS asked for Duo: its multifactor policy, and properties as in 4.2."""

from __future__ import annotations

import re
from typing import Any

from casduo.importing.apereo_fields import MULTIFACTOR
from casduo.importing.apereo_values import (
    class_name,
    flag,
    is_empty,
    members,
    rest,
    says_something,
    text_of,
    texts,
    unknown,
)
from casduo.importing.expressions import whole_values
from casduo.importing.model import Draft, one_line
from casduo.importing.options import Options

_PLAIN = ("", "DefaultRegisteredServiceMultifactorPolicy")
_FAILURE = {
    "CLOSED": "closed",
    "OPEN": "open",
    "PHANTOM": "open",
    "NONE": "closed",
    "NOT_SET": "",
    "UNDEFINED": "",
    "": "",
}
_DONE = (
    *("multifactorAuthenticationProviders", "authenticationProviders", "failureMode", "bypassEnabled"),
    *("principalAttributeNameTrigger", "principalAttributeValueToMatch", "forceExecution"),
    "bypassTrustedDeviceEnabled",
)
_BYPASS = ("bypassPrincipalAttributeName", "bypassPrincipalAttributeValue", "bypassIfMissingPrincipalAttribute")
_FRESH = "1m"
"""``max_age`` where Duo was asked for at each sign-in: nobody signs in twice to the same service within that time."""

_DUO_SWITCHES = (
    "requiresduo",
    "requireduo",
    "duorequired",
    "useduo",
    "duo",
    "requiresmfa",
    "mfarequired",
    "requiremfa",
)
_DUO_METHODS = ("authnmethod", "authenticationmethod", "mfamethod", "mfaprovider")
_SUSPECT = re.compile("duo|mfa|multifactor|2fa|twofactor|otp|authn|secondfactor")
_NO = ("", "false", "no", "off", "0", "none")

_HARMLESS_PROPERTIES = re.compile(
    r"httpHeader.*|cors.*|jwt(?!AsServiceTicket).*|token.*|oauth.*|oidc.*|saml.*|wsfed.*|wsFed.*|delegatedAuthn.*"
    r"|passwordless.*|captcha.*|recaptcha.*|(?:service)?owner|department|contact.*|note.*|comment.*|ticket#?"
)
"""Properties of services that other protocols, other pages or people read."""


def multifactor(draft: Draft, value: Any, options: Options) -> None:
    """Map ``multifactorPolicy``. In doubt, Duo is asked of everybody."""
    if not isinstance(value, dict):
        _everybody(draft, "multifactorPolicy", "is no object")
        return
    kind = class_name(value)
    written = value.get("multifactorAuthenticationProviders") or value.get("authenticationProviders")
    providers = texts(written)
    done = set(_DONE)
    if kind not in _PLAIN:
        _everybody(draft, "multifactorPolicy", f"{kind[:80]} decides by a script")
    elif any(not is_empty(value.get(name)) for name in ("script", "groovyScript")):
        _everybody(draft, "multifactorPolicy.script", "decides")
        done |= {"script", "groovyScript"}
    elif not providers and not is_empty(written):
        _everybody(draft, "multifactorPolicy.multifactorAuthenticationProviders", "is no list of names")
    strange = [name for name in members(value) if name not in MULTIFACTOR and says_something(value[name])]
    if providers:
        _policy(draft, value, providers)
    else:
        done |= {name for name in value if name.startswith("bypass")}
        if strange and kind in _PLAIN:
            _everybody(draft, f"multifactorPolicy.{strange[0]}", "is not known, and may have asked for it")
    if kind in _PLAIN:
        rest(draft, "multifactorPolicy", value, MULTIFACTOR, done)


def _everybody(draft: Draft, field: str, why: str) -> None:
    require_duo(draft, {})
    draft.lost(field, f"{why}; Duo is asked of everybody")


def _policy(draft: Draft, value: dict[str, Any], providers: list[str]) -> None:
    """Map a policy that names what is asked for."""
    trigger = text_of(value, "principalAttributeNameTrigger")
    if flag(value.get("bypassEnabled"), False):
        field = "multifactorPolicy.bypassEnabled"
        if not trigger and all(is_empty(value.get(name)) for name in _BYPASS):
            draft.taken(field, "the policy asks for nothing, as before")
            return
        draft.differs(field, "whom it let pass depends on the version; Duo is asked of them")
    rule = _failure(draft, value)
    _providers(draft, providers)
    if trigger:
        _when(draft, rule, trigger, text_of(value, "principalAttributeValueToMatch"))
    if flag(value.get("bypassTrustedDeviceEnabled"), False):
        rule["trusted_browser"] = False
        draft.taken("multifactorPolicy.bypassTrustedDeviceEnabled", "trusted_browser: false")
    if flag(value.get("forceExecution"), False):
        rule |= {"max_age": _FRESH, "trusted_browser": False}
        sentence = f"Duo is asked for when the last time is more than {_FRESH} ago"
        draft.differs("multifactorPolicy.forceExecution", sentence)
    require_duo(draft, rule)
    draft.taken("multifactorPolicy.multifactorAuthenticationProviders", "requires_duo")


def require_duo(draft: Draft, rule: dict[str, Any]) -> None:
    """Have the entry demand Duo. Two demands become one of everybody, with what each of them says beside that."""
    before = draft.entry.get("requires_duo")
    if before is not None:
        rule = {**(before if isinstance(before, dict) else {}), **rule}
        rule.pop("when", None)
    draft.entry["requires_duo"] = rule or True


def _providers(draft: Draft, providers: list[str]) -> None:
    field = "multifactorPolicy.multifactorAuthenticationProviders"
    others = [name for name in providers if not name.lower().startswith(("mfa-duo", "duo"))]
    if others:
        draft.differs(field, f"Duo is asked for in place of {', '.join(others)[:200]}")
    named = [name for name in providers if name.lower().startswith("mfa-duo") and name.lower() != "mfa-duo"]
    if named:
        draft.differs(
            field,
            f"any Duo application counts; if {', '.join(named)[:200]} had one of its own, name it by "
            "requires_duo.application",
        )


def _failure(draft: Draft, value: dict[str, Any]) -> dict[str, Any]:
    field = "multifactorPolicy.failureMode"
    mode = text_of(value, "failureMode").upper()
    fail = _FAILURE.get(mode)
    if fail is None:
        draft.differs(field, f"{mode[:40]!r} is not known; people stay out while Duo cannot be reached")
        fail = "closed"
    elif mode == "PHANTOM":
        draft.differs(
            field, "people get in while Duo cannot be reached, and the application is told that they had no Duo"
        )
    elif mode == "NONE":
        draft.differs(field, "people stay out while Duo cannot be reached")
    elif fail:
        draft.taken(field, f"fail: {fail}")
    return {"fail": fail} if fail else {}


def _when(draft: Draft, rule: dict[str, Any], names: str, expression: str) -> None:
    """Limit Duo to whom it was limited, if that can be said without letting anybody out."""
    field = "multifactorPolicy.principalAttributeNameTrigger"
    # A part of a value was enough in 5.x, and a bare dot means other values too: who has those must not be let out.
    listed = whole_values(expression) if expression else None
    if "," in names or not listed or not all(listed):
        draft.differs(
            field,
            f"Duo is asked of everybody: {names[:60]}={expression[:100]} is no list of whole values, as ^(a|b)$ is; "
            "write 'when' if you know them",
        )
        return
    rule["when"] = {"attributes": {names: listed}}
    draft.taken(field, f"when: {names} is {' or '.join(listed)[:200]}")


# --- properties -------------------------------------------------------------------------------------------------------


def properties(draft: Draft, value: Any, options: Options, prefix: str = "properties") -> None:
    """Map the properties of a service: those that demand Duo, as universities wrote them, and note the others."""
    if not isinstance(value, dict):
        _everybody(draft, prefix, "is no object, and may have asked for it")
        return
    for name, listed in members(value).items():
        one_property(draft, f"{prefix}.{name}"[:120], name, listed)


def asks_for_duo(name: str) -> bool:
    """Say whether a field or property is, by its name, about Duo or another second factor."""
    return not _HARMLESS_PROPERTIES.fullmatch(name) and _SUSPECT.search(_flat(name)) is not None


def one_property(draft: Draft, field: str, name: str, value: Any) -> None:
    """Map one property, or a field that a university had put into CAS itself (``requiresDuo`` of a service in 4.2)."""
    flat = _flat(name)
    if flat in _DUO_SWITCHES or flat in _DUO_METHODS:
        _duo_property(draft, field, value)
    elif asks_for_duo(name):
        if _wanted(value):
            require_duo(draft, {})
            draft.differs(field, "is not known, but may have asked for a second factor; Duo is asked of everybody")
    elif flat == "jwtasserviceticket":
        if _wanted(value):
            draft.lost(field, "tickets are no JWT: the application must validate them")
    elif _HARMLESS_PROPERTIES.fullmatch(name):
        draft.left_out(field, "it is for other protocols or pages, or a note")
    else:
        unknown(draft, field, value, {})


def _flat(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def _wanted(value: Any) -> list[str]:
    """Return what a property says, in lower case, without what means no. What cannot be read means yes."""
    if isinstance(value, dict) and ("values" in value or "value" in value):
        value = value.get("values", value.get("value"))
    listed = value if isinstance(value, list) else [value]
    said = [str(one).lower() if isinstance(one, bool) else one_line(one).lower() for one in listed if one is not None]
    if not all(said):
        return [] if is_empty(value) else ["true"]
    return [text for text in said if text not in _NO]


def _duo_property(draft: Draft, field: str, value: Any) -> None:
    wanted = _wanted(value)
    if not wanted:
        draft.taken(field, "Duo is not asked for")
        return
    require_duo(draft, {})
    draft.taken(field, "requires_duo: true")
    others = [text for text in wanted if "duo" not in text and text not in {"true", "yes", "on", "1", "required"}]
    if others:
        draft.differs(field, f"Duo is asked for in place of {', '.join(others)[:200]}")
