"""Decides whether a person owes Duo for a service right now, and says why.

Duo is *required* when the registry demands it for this service, person, address and moment. It is *owed* when it is
required and the session has no Duo authentication that is fresh enough. Nothing but a real Duo authentication pays:

- ``bypassed``, because Duo was unavailable and the service fails open: Duo is asked again at the next occasion.
- ``bypassed``, because Duo itself let the person pass: asked again as well, which costs the person nothing, for Duo
  answers at once; and notices when an administrator ends the bypass.

Where a rule cannot be judged, Duo is required: groups and attribute values are compared without regard to case (a
directory that spells ``Staff`` must not switch Duo off), and an address that cannot be read is in every network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from casduo.mfa.strength import UNAVAILABLE, Strength
from casduo.services.access import (
    GROUP_ATTRIBUTES,
    Attributes,
    group_names,
    in_networks,
    moment_text,
    one_of,
    parse_address,
)
from casduo.services.model import DuoRule, DuoWhen

CLOCK_TOLERANCE = 60.0
"""Seconds that the clocks of two nodes may differ: a mark further in the future is not believed."""


@dataclass(frozen=True, slots=True)
class DuoDecision:
    """``required``: the registry demands Duo. ``owed``: it does, and the session has none that counts.

    ``reasons`` are plain sentences, in the order of the decision, that name no value of the person's.
    """

    required: bool
    owed: bool
    reasons: tuple[str, ...]


def owed(
    rule: DuoRule | None,
    attributes: Attributes,
    address: str,
    strength: Strength,
    now: float,
    *,
    group_attributes: Sequence[str] = GROUP_ATTRIBUTES,
) -> DuoDecision:
    """Decide by the Duo rule of one service.

    :param rule: the service's rule, ``None`` when it demands no Duo
    :param attributes: of the principal, before any release rule
    :param address: of the browser or phone, as trusted proxies report it
    :param strength: what the session has; none right after a password given for ``renew``
    :param now: epoch seconds
    :param group_attributes: names of the attributes that hold groups
    """
    if rule is None:
        return DuoDecision(False, False, ("the service does not require Duo",))
    excuse = _not_now(rule.from_, rule.until, now) or _not_meant(rule.when, attributes, address, group_attributes)
    if excuse:
        return DuoDecision(False, False, (excuse,))
    reasons = ["the service requires Duo", *_conditions(rule.when)]
    unpaid = _unpaid(strength, rule.max_age, now)
    reasons.append(unpaid or f"the session has Duo ({strength.factor or 'factor unknown'}) that is fresh enough")
    return DuoDecision(True, bool(unpaid), tuple(reasons))


def _not_now(start: datetime | None, end: datetime | None, now: float) -> str:
    if start is not None and now < start.timestamp():
        return f"the service requires Duo only from {moment_text(start)}"
    if end is not None and now >= end.timestamp():
        return f"the service required Duo only before {moment_text(end)}"
    return ""


def _not_meant(when: DuoWhen | None, attributes: Attributes, address: str, group_attributes: Sequence[str]) -> str:
    """Return why the rule does not mean this person here, or nothing when it does."""
    if when is None:
        return ""
    if when.groups and _folded(group_names(attributes, group_attributes)).isdisjoint(_folded(when.groups)):
        return f"the service requires Duo only of members of {one_of(when.groups)}"
    for name, values in when.attributes.items():
        if _folded(attributes.get(name, ())).isdisjoint(_folded(values)):
            return f"the service requires Duo only where attribute {name} is {one_of(values)}"
    if when.networks and parse_address(address) is not None and not in_networks(when.networks, address):
        return f"the service requires Duo only from {one_of(map(str, when.networks))}"
    return ""


def _conditions(when: DuoWhen | None) -> list[str]:
    if when is None:
        return []
    conditions = [f"the person is in {one_of(when.groups)}"] if when.groups else []
    conditions += [f"attribute {name} is {one_of(values)}" for name, values in when.attributes.items()]
    if when.networks:
        conditions.append(f"the address is in {one_of(map(str, when.networks))}, or cannot be read")
    return conditions


def _unpaid(strength: Strength, max_age: float | None, now: float) -> str:
    """Return why ``strength`` does not count, or nothing when it does."""
    if strength.level == "none":
        return "the session has only a password"
    if strength.level == "bypassed":
        because = "Duo was unavailable" if strength.why == UNAVAILABLE else "Duo let the person pass"
        return f"the session passed without Duo before ({because}), which does not count"
    if not strength.at <= now + CLOCK_TOLERANCE:
        return "the session's Duo lies in the future, so the clocks of two nodes differ"
    if max_age is not None and now - strength.at > max_age:
        return f"the session's Duo is {now - strength.at:.0f} seconds old, more than the {max_age:.0f} allowed"
    return ""


def _folded(texts: Iterable[str]) -> set[str]:
    return {text.casefold() for text in texts}
