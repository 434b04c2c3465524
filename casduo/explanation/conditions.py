"""Holds the conditions of a service's access rules and of its Duo rule each against the facts, known or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from casduo.explanation.model import Access, Condition, Duo, DuoMode, Person, State
from casduo.mfa.policy import DuoDecision, owed
from casduo.mfa.strength import NO_STRENGTH
from casduo.services.access import RuleResult, decide, group_names, moment_text, one_of
from casduo.services.model import AccessRules, DuoRule, DuoWhen
from casduo.services.policies import ALWAYS

_MOST_VALUES = 8
"""Values that a sentence lists."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a sign-in: a person or nobody, an address or none, and the moment in epoch seconds.

    ``group_attributes`` are the names of the attributes that hold groups.
    """

    person: Person | None
    address: str | None
    now: float
    group_attributes: tuple[str, ...]

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """The person's attributes; none without a person."""
        return self.person.attributes if self.person is not None else {}

    @property
    def groups(self) -> frozenset[str]:
        """The person's groups by all the names that rules may use."""
        return group_names(self.attributes, self.group_attributes)

    @property
    def who(self) -> str:
        """The person in a sentence."""
        return self.person.name if self.person is not None else "the person"

    def known(self, kind: str) -> bool:
        """Say whether a condition of ``kind`` can be judged."""
        if kind in ("group", "attribute"):
            return self.person is not None
        return kind != "network" or self.address is not None


def together(conditions: Iterable[Condition]) -> State:
    """Return the state of conditions that must all be met."""
    states = {condition.state for condition in conditions}
    if "not met" in states:
        return "not met"
    return "depends" if "depends" in states else "met"


def depends_on(conditions: Iterable[Condition]) -> str:
    """Return what has to be known to judge ``conditions``: the person, the address, or both; empty for nothing."""
    kinds = {condition.kind for condition in conditions if condition.state == "depends"}
    needed = ["the person"] if kinds & {"group", "attribute"} else []
    needed += ["the address"] if "network" in kinds else []
    return " and ".join(needed)


def access(rules: AccessRules, facts: Facts, *, enabled: bool = True) -> Access:
    """Return access rules as :func:`casduo.services.access.decide` sees them.

    :param enabled: whether what they are about is switched on
    """
    decision = decide(
        rules,
        facts.attributes,
        facts.address or "",
        facts.now,
        enabled=enabled,
        group_attributes=facts.group_attributes,
    )
    names = iter(rules.attributes)
    conditions = []
    for rule in decision.rules:
        name = next(names) if rule.kind == "attribute" else ""
        wanted = rules.attributes[name] if name else rules.groups
        conditions.append(_condition(rule, name, wanted, facts))
    return Access(together(conditions), tuple(conditions), rules.reason or "")


def _condition(rule: RuleResult, attribute: str, wanted: Sequence[str], facts: Facts) -> Condition:
    if rule.kind == "disabled":
        return Condition(rule.kind, "not met", "the service must be switched on", "it is switched off")
    if not facts.known(rule.kind):
        return Condition(rule.kind, "depends", rule.sentence)
    fact = _fact(rule.kind, attribute, facts)
    if not rule.met and (near := _other_case(rule.kind, attribute, wanted, facts)):
        fact += f"; upper and lower case count here, so {near} is another one"
    return Condition(rule.kind, "met" if rule.met else "not met", rule.sentence, fact)


def _fact(kind: str, attribute: str, facts: Facts) -> str:
    match kind:
        case "group":
            if facts.groups:
                return f"{facts.who} is in {few(sorted(facts.groups))}"
            return f"{facts.who} has none of the attributes that hold groups: {', '.join(facts.group_attributes)}"
        case "attribute":
            values = facts.attributes.get(attribute, ())
            return f"it is {few(values)}" if values else f"{facts.who} has no attribute {attribute}"
        case "network":
            return f"it is {facts.address}"
        case _:
            return f"it is {moment_text(datetime.fromtimestamp(facts.now, UTC))}"


def _other_case(kind: str, attribute: str, wanted: Sequence[str], facts: Facts) -> str:
    """Return a value of the person's that is one of ``wanted`` but for upper and lower case; empty if there is none."""
    if kind not in ("group", "attribute"):
        return ""
    values = facts.groups if kind == "group" else facts.attributes.get(attribute, ())
    folded = {text.casefold() for text in wanted}
    return next((value for value in sorted(values) if value.casefold() in folded), "")


def few(values: Sequence[str]) -> str:
    """Return ``values`` for a sentence, the first ones only where there are many."""
    more = len(values) - _MOST_VALUES
    return ", ".join(values[:_MOST_VALUES]) + (f" and {more} more" if more > 0 else "")


_UNCONDITIONAL = DuoRule()


def duo(rule: DuoRule | None, facts: Facts, *, raised: bool = False) -> Duo:
    """Return whether ``rule`` requires Duo of somebody who has signed in with the password just now, as
    :func:`casduo.mfa.policy.owed` sees it. Conditions that cannot be judged are left out of that question first: what
    excuses without them excuses anyway.

    :param raised: whether the application's request asks for Duo, which no condition excuses from
    """
    conditions = tuple(_duo_conditions(rule, facts)) if rule is not None else ()
    decision = _decision(_judged(rule, facts), facts, raised=raised)
    state: State = "not met"
    if decision.required:
        state = "met" if raised else together(conditions)
    modes = tuple(_modes(rule, facts.now)) if rule is not None else ()
    return Duo(state, decision.reasons, conditions, decision.mode, decision.reported, modes)


def _decision(rule: DuoRule | None, facts: Facts, *, raised: bool = False) -> DuoDecision:
    return owed(
        rule,
        facts.attributes,
        facts.address or "",
        NO_STRENGTH,
        facts.now,
        group_attributes=facts.group_attributes,
        raised=raised,
    )


def _judged(rule: DuoRule | None, facts: Facts) -> DuoRule | None:
    """Return ``rule`` without the conditions that cannot be judged."""
    if rule is None or rule.when is None:
        return rule
    left_out: dict[str, object] = {}
    if facts.person is None:
        left_out = {"groups": (), "attributes": {}}
    if facts.address is None:
        left_out["networks"] = ()
    return rule.model_copy(update={"when": rule.when.model_copy(update=left_out)})


def _modes(rule: DuoRule, now: float) -> Iterator[DuoMode]:
    """Yield the modes of a rule that has dates for them."""
    if ALWAYS in rule.mode.values():
        return
    present = rule.mode_at(now)
    for mode, start in rule.mode.items():
        passed = start.timestamp() <= now
        yield DuoMode(mode, moment_text(start), "in force" if mode == present else "over" if passed else "to come")


def _duo_conditions(rule: DuoRule, facts: Facts) -> Iterator[Condition]:
    """Yield each condition of ``rule`` with what the policy says of a rule that has no other."""
    when = rule.when or DuoWhen()
    # Before its first mode a rule asks for nothing, as before its beginning.
    for start in (next(iter(rule.mode.values())), rule.from_):
        if start not in (None, ALWAYS):
            alone = _UNCONDITIONAL.model_copy(update={"from_": start})
            yield _alone(alone, "not_yet", f"it must be {moment_text(start)} or later", facts)
    if rule.until is not None:
        alone = _UNCONDITIONAL.model_copy(update={"until": rule.until})
        yield _alone(alone, "expired", f"it must be before {moment_text(rule.until)}", facts)
    if when.groups:
        alone = _UNCONDITIONAL.model_copy(update={"when": DuoWhen(groups=when.groups)})
        yield _alone(alone, "group", f"the person must be in {one_of(when.groups)}", facts)
    for name, values in when.attributes.items():
        alone = _UNCONDITIONAL.model_copy(update={"when": DuoWhen(attributes={name: values})})
        yield _alone(alone, "attribute", f"attribute {name} must be {one_of(values)}", facts, name)
    if when.networks:
        alone = _UNCONDITIONAL.model_copy(update={"when": DuoWhen(networks=when.networks)})
        yield _alone(alone, "network", f"the address must be in {one_of(map(str, when.networks))}", facts)


def _alone(rule: DuoRule, kind: str, sentence: str, facts: Facts, attribute: str = "") -> Condition:
    if not facts.known(kind):
        return Condition(kind, "depends", sentence)
    required = _decision(rule, facts).required
    return Condition(kind, "met" if required else "not met", sentence, _fact(kind, attribute, facts))
