"""Decides whether a person owes Duo for a service right now, and says why.

Duo is *required* when the registry demands it for this service, person, address and moment, or when the application's
own request asks for it. It is *owed* when it is required and the session has none that pays. What pays is a real Duo
login that is fresh enough, or a browser that has been trusted since one, where the service takes that. A bypass never
does:

- because Duo was unavailable and the service fails open: Duo is asked again at the next occasion;
- because Duo itself let the person pass: asked again as well, which costs the person nothing, for Duo answers at once;
  and notices when an administrator ends the bypass;
- because the person had no device where only those who have one are asked: asked again, in case there is one now.

Where a rule cannot be judged, Duo is required: groups and attribute values are compared without regard to case (a
directory that spells ``Staff`` must not switch Duo off), and an address that cannot be read is in every network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from casduo.addresses import parse_address
from casduo.mfa.strength import DUO_BYPASS, UNAVAILABLE, UNENROLLED, Strength
from casduo.services.access import (
    GROUP_ATTRIBUTES,
    Attributes,
    group_names,
    in_networks,
    moment_text,
    one_of,
)
from casduo.services.model import DuoRule, DuoWhen
from casduo.services.policies import Mode
from casduo.values import value_object

CLOCK_TOLERANCE = 60.0
"""Seconds that the clocks of two nodes may differ: a mark further in the future is not believed."""

Lack = Literal["", "password", "bypassed", "application", "age", "trust"]
"""Why the mark of a session does not pay for Duo; empty when it does.

``password``: there is none; ``bypassed``: Duo did not happen; ``application``: another Duo application than the rule's
said yes; ``age``: too long ago, or in the future; ``trust``: the browser is not trusted for so long.
"""

_RULE: dict[Mode, str] = {
    "required": "the service requires Duo",
    "optional": "the service requires Duo of people who have a device",
    "report": "the service would require Duo, but its mode is report: nobody is asked",
}
_WITHOUT_DUO = {
    UNAVAILABLE: "Duo was unavailable",
    DUO_BYPASS: "Duo let the person pass",
    UNENROLLED: "the person had no device",
}


@value_object(frozen=True, slots=True)
class DuoDecision:
    """What is demanded, and whether the session has it.

    ``reasons`` are plain sentences, in the order of the decision, that name no value of the person's.

    :param required: Duo is demanded; in mode ``optional``, if the person has a device
    :param owed: it is, and the session has nothing that pays
    :param mode: what holds for this person now; empty where the rule does not mean them, or there is none
    :param reported: the mode is ``report``, and otherwise Duo would have been owed
    :param lack: why the session's mark would not pay, whether Duo is required or not
    """

    required: bool
    owed: bool
    reasons: tuple[str, ...]
    mode: Mode | Literal[""] = ""
    reported: bool = False
    lack: Lack = ""


def owed(
    rule: DuoRule | None,
    attributes: Attributes,
    address: str,
    strength: Strength,
    now: float,
    *,
    group_attributes: Sequence[str] = GROUP_ATTRIBUTES,
    trusted_browser: float = 0.0,
    raised: bool = False,
) -> DuoDecision:
    """Decide by the Duo rule of one service.

    :param rule: the service's rule, ``None`` when it demands no Duo
    :param attributes: of the principal, before any release rule
    :param address: of the browser or phone, as trusted proxies report it
    :param strength: what the session has; none right after a password given for ``renew``
    :param now: epoch seconds
    :param group_attributes: names of the attributes that hold groups
    :param trusted_browser: seconds for which this service trusts a browser that passed Duo, 0 for not at all
    :param raised: the application's request asks for Duo. That counts as a rule in mode ``required`` which means
        everybody, and never demands less than the service's own
    """
    lack, sentence = _lack(rule, strength, trusted_browser, now)
    mode, reasons = _mode(rule, attributes, address, now, group_attributes)
    if raised and mode != "required":
        mode, reasons = "required", [*reasons, "the application asks for Duo by its request"]
    if not mode:
        return DuoDecision(False, False, tuple(reasons), lack=lack)
    reasons.append(sentence)
    if mode == "report":
        return DuoDecision(False, False, tuple(reasons), mode, reported=bool(lack), lack=lack)
    return DuoDecision(True, bool(lack), tuple(reasons), mode, lack=lack)


def _mode(
    rule: DuoRule | None, attributes: Attributes, address: str, now: float, group_attributes: Sequence[str]
) -> tuple[Mode | Literal[""], list[str]]:
    """Return what the rule itself demands of this person here and now, and the sentences that say so."""
    if rule is None:
        return "", ["the service does not require Duo"]
    mode = rule.mode_at(now)
    if mode is None:
        first, start = next(iter(rule.mode.items()))
        return "", [f"the service requires no Duo before {moment_text(start)}, when its mode {first} begins"]
    excuse = _not_now(rule.from_, rule.until, now) or _not_meant(rule.when, attributes, address, group_attributes)
    if excuse:
        return "", [excuse]
    return mode, [_RULE[mode], *_conditions(rule.when)]


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


def _lack(rule: DuoRule | None, strength: Strength, trusted_browser: float, now: float) -> tuple[Lack, str]:
    """Return why ``strength`` does not pay, or nothing when it does, and the sentence about it."""
    if strength.level == "none":
        return "password", "the session has only a password"
    if strength.level == "bypassed":
        because = f" ({_WITHOUT_DUO[strength.why]})" if strength.why in _WITHOUT_DUO else ""
        return "bypassed", f"the session passed without Duo before{because}, which does not count"
    application = rule.application if rule is not None else None
    if application is not None and strength.application != application:
        return "application", f"the session's Duo is not by the Duo application {application}"
    if not strength.at <= now + CLOCK_TOLERANCE:
        return "age", "the session's Duo lies in the future, so the clocks of two nodes differ"
    age = now - strength.at
    if strength.level == "trusted" and not (trusted_browser > 0 and age <= trusted_browser):
        allowed = f"more than the {trusted_browser:.0f} allowed" if trusted_browser > 0 else "which does not count here"
        return "trust", f"Duo was passed in this browser {age:.0f} seconds ago, {allowed}"
    max_age = rule.max_age if rule is not None else None
    if max_age is not None and age > max_age:
        return "age", f"the session's Duo is {age:.0f} seconds old, more than the {max_age:.0f} allowed"
    if strength.level == "trusted":
        return "", "the browser is trusted since a Duo login that is fresh enough"
    return "", f"the session has Duo ({strength.factor or 'factor unknown'}) that is fresh enough"


def _folded(texts: Iterable[str]) -> set[str]:
    return {text.casefold() for text in texts}
