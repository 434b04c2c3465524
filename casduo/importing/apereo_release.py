"""What a service of Apereo CAS was told about people: its release policy and the name of the user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from casduo.importing.apereo_fields import RELEASE, USERNAME
from casduo.importing.apereo_values import (
    SCRIPT,
    account_for,
    class_name,
    flag,
    is_empty,
    members,
    rest,
    says_something,
    switch,
    text_of,
    texts,
)
from casduo.importing.keys import ALL_ATTRIBUTES, release
from casduo.importing.model import Draft
from casduo.importing.options import Options
from casduo.services.policies import MAX_MATCHED
from casduo.services.regexes import check_expression

_FIELD = "attributeReleasePolicy"
_USER = "usernameAttributeProvider"
_SUFFIX = "AttributeReleasePolicy"
_KINDS = ("", "ReturnAllowed", "ReturnMapped", "ReturnAll", "ReturnStatic", "Chaining")
_CASES = {"UPPER": "upper", "LOWER": "lower", "NONE": "", "": ""}
_MAX_DEPTH = 5
_ACCOUNTS = "with another name, people get other accounts at the application, or somebody else's"


def release_policy(draft: Draft, value: Any, options: Options, depth: int = 0) -> None:
    """Map ``attributeReleasePolicy``. What cannot be said is not released."""
    if not isinstance(value, dict):
        draft.lost(_FIELD, "is no object; nothing is released")
        return
    kind = class_name(value)
    done = {"allowedAttributes", "excludedAttributes", "attributeFilter", "consentPolicy", "policies"}
    if not is_empty(value.get("activationCriteria")):
        draft.lost(f"{_FIELD}.activationCriteria", RELEASE["activationCriteria"].sentence)
        return
    if _asks_for_consent(value.get("consentPolicy")):
        draft.lost(f"{_FIELD}.consentPolicy", "people were asked before anything was released, so nothing is")
        return
    match = _filter(draft, value.get("attributeFilter"))
    if match is None:
        return
    strange = next((name for name in members(value) if name not in RELEASE and says_something(value[name])), "")
    if strange and kind.removesuffix(_SUFFIX) in _KINDS:
        draft.lost(f"{_FIELD}.{strange}", "is not known, and may have kept something back; nothing of it is released")
        return
    _by_kind(draft, kind, value, match, options, depth)
    rest(draft, _FIELD, value, RELEASE, done)


def _by_kind(draft: Draft, kind: str, value: dict[str, Any], match: str, options: Options, depth: int) -> None:
    match kind.removesuffix(_SUFFIX):
        case "ReturnAllowed" | "":
            excluded = texts(value.get("excludedAttributes"))
            for name in texts(value.get("allowedAttributes")):
                if name not in excluded:
                    _release(draft, name, name, match)
        case "ReturnMapped":
            _mapped(draft, value.get("allowedAttributes"), match)
        case "ReturnAll":
            _all(draft, _FIELD, texts(value.get("excludedAttributes")), match, options)
        case "DenyAll":
            draft.taken(_FIELD, "nothing is released")
        case "ReturnStatic":
            for name, listed in members(value.get("allowedAttributes")).items():
                _static(draft, name, texts(listed))
        case "Chaining" if depth < _MAX_DEPTH:
            policies = value.get("policies")
            if not isinstance(policies, list) and not is_empty(policies):
                draft.lost(f"{_FIELD}.policies", "is no list; nothing of it is released")
            for policy in policies if isinstance(policies, list) else []:
                release_policy(draft, policy, options, depth + 1)
                account_for(draft, _FIELD, policy)
        case _:
            draft.lost(_FIELD, f"{kind[:80]} works attributes out when they are needed; nothing of it is released")


def _release(draft: Draft, name: str, source: str, match: str) -> None:
    if SCRIPT.match(source) or SCRIPT.match(name):
        draft.lost(_FIELD, f"{name[:60]!r} comes from a script")
        return
    before = len(draft.findings)
    release(draft, _FIELD, name, {"from": source, "match": match} if match else source)
    if len(draft.findings) == before:
        said = f"attributes: {name}" if name == source else f"attributes: {name}, from {source}"
        draft.taken(f"{_FIELD}.allowedAttributes", said)


def _mapped(draft: Draft, value: Any, match: str) -> None:
    if isinstance(value, list):
        for name in texts(value):
            _release(draft, name, name, match)
        return
    for source, names in members(value).items():
        if SCRIPT.match(source):
            draft.lost(_FIELD, f"{source[:60]!r} is a script")
            continue
        for name in texts(names):
            if SCRIPT.match(name):
                draft.lost(_FIELD, f"the value of {source[:60]!r} is worked out by a script")
            else:
                _release(draft, name, source, match)


def _static(draft: Draft, name: str, values: list[str]) -> None:
    if not values or any(SCRIPT.match(value) for value in values):
        draft.lost(_FIELD, f"the value of {name[:60]!r} is worked out by a script, or missing")
        return
    before = len(draft.findings)
    release(draft, _FIELD, name, {"static": values[0] if len(values) == 1 else values})
    if len(draft.findings) == before:
        draft.taken(f"{_FIELD}.allowedAttributes", f"attributes: {name}, always the same")


def _all(draft: Draft, field: str, excluded: list[str], match: str, options: Options) -> None:
    if not options.all_attributes:
        draft.lost(field, ALL_ATTRIBUTES)
        return
    for name in options.all_attributes:
        if name not in excluded:
            _release(draft, name, name, match)
    draft.differs(field, "all attributes were released; now those are that --all-attributes names")


def _asks_for_consent(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if class_name(value).startswith("Chaining"):
        policies = value.get("policies")
        return any(map(_asks_for_consent, policies)) if isinstance(policies, list) else True
    status = text_of(value, "status").upper()
    if status in {"TRUE", "FALSE"}:
        return status == "TRUE"
    # Whoever wrote down what people are asked about meant that they are.
    listed = not is_empty(value.get("includeOnlyAttributes")) or not is_empty(value.get("excludedAttributes"))
    return flag(value.get("enabled"), listed)


def _filter(draft: Draft, value: Any) -> str | None:
    """Return the expression that released values must match, empty for any; ``None``: it cannot be said."""
    if value is None or value == {}:
        return ""
    field = f"{_FIELD}.attributeFilter"
    pattern = text_of(value, "pattern") if isinstance(value, dict) else str(value)
    if isinstance(value, dict) and class_name(value) not in {"", "RegisteredServiceRegexAttributeFilter"}:
        draft.lost(field, f"{class_name(value)[:80]} cannot be said, so nothing is released")
        return None
    if pattern in {"", ".*", ".+", "^.*$", "^.+$"}:
        return ""
    try:
        check_expression(pattern, MAX_MATCHED)
    except ValueError as error:
        draft.lost(field, f"{error}; so nothing is released")
        return None
    draft.taken(field, f"match: {pattern[:200]}")
    return pattern


# --- 4.0 and before ---------------------------------------------------------------------------------------------------


def old_allowed(draft: Draft, value: Any, options: Options) -> None:
    """Map ``allowedAttributes`` of the service itself."""
    for name in texts(value):
        _release(draft, name, name, "")


def old_ignore(draft: Draft, value: Any, options: Options) -> None:
    """Map ``ignoreAttributes``: the list of attributes was not looked at, all were released."""
    if flag(value, False):
        _all(draft, "ignoreAttributes", [], "", options)


def old_filter(draft: Draft, data: Mapping[str, Any]) -> None:
    """Map ``attributeFilter`` of the service itself: it holds for all that was released."""
    if is_empty(data.get("attributeFilter")):
        return
    match = _filter(draft, data["attributeFilter"])
    attributes = draft.entry.get("attributes", {})
    if match is None:
        draft.entry.pop("attributes", None)
    elif match:
        draft.entry["attributes"] = {
            name: {"from": source, "match": match} if isinstance(source, str) else source
            for name, source in attributes.items()
        }


# --- the name of the user ---------------------------------------------------------------------------------------------


def username_provider(draft: Draft, value: Any, options: Options) -> None:
    """Map ``usernameAttributeProvider``. Where people would get another name, the entry is closed."""
    if not isinstance(value, dict):
        draft.close(_USER, "is no object")
        return
    kind = class_name(value)
    done = {"canonicalizationMode"}
    if not kind and not is_empty(value.get("usernameAttribute")):
        kind = "PrincipalAttribute"
    match re.sub("RegisteredServiceUsername(Attribute)?Provider$", "", kind):
        case "Default" | "":
            if _case(draft, value):
                draft.close(
                    f"{_USER}.canonicalizationMode",
                    "names were told in another case, and here only an attribute can be: name the one that holds the "
                    f"name by username_attribute. {_ACCOUNTS.capitalize()}",
                )
        case "PrincipalAttribute":
            _attribute(draft, f"{_USER}.usernameAttribute", text_of(value, "usernameAttribute"), _case(draft, value))
            done.add("usernameAttribute")
        case "Anonymous":
            anonymous(draft, _USER)
            done |= {"persistentIdGenerator", "attributeName"}
        case _:
            draft.close(_USER, f"{kind[:80]} works the name out. {_ACCOUNTS.capitalize()}")
    rest(draft, _USER, value, USERNAME, done, guarding=True)


def _case(draft: Draft, value: dict[str, Any]) -> str:
    mode = text_of(value, "canonicalizationMode").upper()
    if mode not in _CASES:
        draft.close(f"{_USER}.canonicalizationMode", f"{mode[:40]!r} is not known. {_ACCOUNTS.capitalize()}")
    return _CASES.get(mode, "")


def _attribute(draft: Draft, field: str, name: str, case: str) -> None:
    if not name or SCRIPT.match(name):
        draft.close(field, f"the attribute with the name is not known. {_ACCOUNTS.capitalize()}")
        return
    draft.entry["username_attribute"] = {"attribute": name, "case": case} if case else name
    draft.taken(field, f"username_attribute: {name}")
    draft.differs(
        field, f"people without {name}, or with two of them, get no ticket; the old server told their own name"
    )


def anonymous(draft: Draft, field: str) -> None:
    """Note that people had a name at this service only, which cannot be worked out here."""
    draft.entry["pairwise_id"] = True
    draft.close(
        field,
        "people had names that only this service knew them by, made with a salt. pairwise_id makes such names too, but "
        "OTHER ones: NOBODY KEEPS THEIR ACCOUNT at the application. Enable the entry only if the application can start "
        "anew, or once its accounts have been given the new names",
    )


def old_username(draft: Draft, value: Any, options: Options) -> None:
    """Map ``usernameAttribute`` of the service itself."""
    _attribute(draft, "usernameAttribute", text_of({"": value}, ""), "")


def old_anonymous(draft: Draft, value: Any, options: Options) -> None:
    """Map ``anonymousAccess`` of the service itself."""
    if switch(draft, "anonymousAccess", value, False):
        anonymous(draft, "anonymousAccess")
