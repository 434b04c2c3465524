"""Decides whether a person may use a service, by the ``access`` rules of its registry entry.

Kinds of rule (``networks``, ``groups``, ``attributes``, ``from``, ``until``) must all be met; within ``networks``,
within ``groups`` and within the values of one attribute, one is enough; of several attributes each must be met.

Upper and lower case count. A directory that says ``Staff`` where the registry says ``staff`` then costs a person access
until somebody corrects the registry; the opposite could give ``STAFF``, another group, the rights of ``staff``. (Rules
that *demand* something, such as Duo, ignore case for the same reason: see :mod:`casduo.mfa.policy`.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from casduo.addresses import parse_address
from casduo.fieldtypes import Network
from casduo.services.model import AccessRules
from casduo.values import value_object

Attributes = Mapping[str, tuple[str, ...]]
Refusal = Literal["", "disabled", "not_yet", "expired", "network", "group", "attribute"]

GROUP_ATTRIBUTES = ("groups", "memberOf")
"""Where the groups of a person are looked for, unless settings name other attributes."""

_FIRST_RDN = re.compile(
    r"[A-Za-z][A-Za-z0-9-]*\s*=\s*((?:[^,+\"\\]|\\.)+)(?:,\s*[A-Za-z][A-Za-z0-9-]*\s*=.*)", re.DOTALL
)
_ESCAPED = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)", re.DOTALL)


@value_object(frozen=True, slots=True)
class RuleResult:
    """One rule, whether it was met, and a sentence about it that names no value of the person's."""

    kind: Refusal
    met: bool
    sentence: str


@value_object(frozen=True, slots=True)
class AccessDecision:
    """Whether a person may use a service. ``reason`` is the first rule that was not met, empty when allowed.

    ``rules`` holds every rule there is, met or not, for ``casduo explain`` and the audit trail.
    """

    allowed: bool
    reason: Refusal
    rules: tuple[RuleResult, ...]


def decide(
    access: AccessRules | None,
    attributes: Attributes,
    address: str,
    now: float,
    *,
    enabled: bool = True,
    group_attributes: Sequence[str] = GROUP_ATTRIBUTES,
) -> AccessDecision:
    """Decide by the access rules of one service.

    :param access: the rules, ``None`` for a service without any
    :param attributes: of the principal, before any release rule
    :param address: of the browser or phone, as trusted proxies report it; one that cannot be read is in no network
    :param now: epoch seconds; ``from`` is the first allowed moment, ``until`` the first refused one
    :param enabled: the service's own switch
    :param group_attributes: names of the attributes that hold groups
    """
    rules: list[RuleResult] = []
    if not enabled:
        rules.append(RuleResult("disabled", False, "the service is disabled"))
    if access is not None:
        rules += _time_rules(access.from_, access.until, now)
        if access.networks:
            met = in_networks(access.networks, address)
            rules.append(RuleResult("network", met, f"the address must be in {one_of(map(str, access.networks))}"))
        if access.groups:
            met = not group_names(attributes, group_attributes).isdisjoint(access.groups)
            rules.append(RuleResult("group", met, f"the person must be in {one_of(access.groups)}"))
        for name, values in access.attributes.items():
            met = not set(values).isdisjoint(attributes.get(name, ()))
            rules.append(RuleResult("attribute", met, f"attribute {name} must be {one_of(values)}"))
    reason: Refusal = next((rule.kind for rule in rules if not rule.met), "")
    return AccessDecision(not reason, reason, tuple(rules))


def _time_rules(start: datetime | None, end: datetime | None, now: float) -> list[RuleResult]:
    rules = []
    if start is not None:
        rules.append(RuleResult("not_yet", now >= start.timestamp(), f"it must be {moment_text(start)} or later"))
    if end is not None:
        rules.append(RuleResult("expired", now < end.timestamp(), f"it must be before {moment_text(end)}"))
    return rules


def in_networks(networks: Iterable[Network], address: str) -> bool:
    """Say whether ``address`` lies in one of ``networks``; an address that cannot be read lies in none."""
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in networks)


def group_names(attributes: Attributes, group_attributes: Sequence[str] = GROUP_ATTRIBUTES) -> frozenset[str]:
    """Return the names under which rules may mention a person's groups.

    That is every value of the group attributes and, where a value is a distinguished name of two or more parts, also
    the value of its first part (RFC 4514): ``cn=staff,ou=groups,dc=example,dc=edu`` is ``staff`` too. Where two
    branches of a directory hold groups of the same name, write the whole name in the registry.
    """
    names: set[str] = set()
    for attribute in group_attributes:
        for value in attributes.get(attribute, ()):
            names.add(value)
            if found := _FIRST_RDN.fullmatch(value):
                names.add(_ESCAPED.sub(_unescaped, found[1].strip()))
    names.discard("")
    return frozenset(names)


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return bytes.fromhex(found[1].replace("\\", "")).decode("utf-8", "replace")
    return found[2]


def one_of(values: Iterable[str]) -> str:
    """Return ``values`` as a sentence lists them."""
    return " or ".join(values)


def moment_text(moment: datetime) -> str:
    """Return ``moment`` as a sentence tells it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
