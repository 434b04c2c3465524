"""Decides what a service learns about a person: the user name and the attributes on its list, nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from casduo.errors import ServiceError
from casduo.services.model import RegisteredService, ReleaseRule
from casduo.services.names import LISTED_NAMES
from casduo.services.pairwise import PairwiseIds
from casduo.services.policies import MAX_MATCHED, Case, compiled
from casduo.values import value_object

# Line breaks of every kind: CAS 1.0 puts the name on a line of its own, and some clients split lines as Unicode does.
# What XML cannot carry would be left out of the answer, and the name would be somebody else's.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
# The same for values: one address of mail would be told as another person's.
_LOST_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class UsernameUnfit(ServiceError):
    """There is no user name that the service could be told, so it gets no ticket.

    ``attribute`` is the one the registry names, empty for the principal's own id; ``reason`` is ``missing``,
    ``several`` or ``characters``. The value is not kept.
    """

    code = "SERVICE_USERNAME"

    def __init__(self, attribute: str, reason: str) -> None:
        super().__init__(f"no user name from {attribute or 'the principal id'}: {reason}")
        self.attribute = attribute
        self.reason = reason


class PairwiseKeyMissing(ServiceError):
    """The service is told pairwise ids, and whoever asks has no key to make them with."""

    code = "SERVICE_PAIRWISE_KEY"

    def __init__(self, service_id: str) -> None:
        super().__init__(f"{service_id} is told pairwise ids, and there is no key for them here")
        self.service_id = service_id


@value_object(frozen=True, slots=True)
class Released:
    """What a service is told: ``user``, never empty and on one line, and ``attributes`` by their released names."""

    user: str
    attributes: dict[str, tuple[str, ...]]


def release(
    service: RegisteredService,
    principal_id: str,
    attributes: Mapping[str, tuple[str, ...]],
    *,
    pairwise: PairwiseIds | None = None,
) -> Released:
    """Return what ``service`` learns.

    Attributes: those of the entry's list that have a value, under their released names, without empty values. Source
    names are compared exactly, equal values come once.

    User: the person's name as :func:`username` finds it, or the pairwise id made of it where the entry wants one.

    :param pairwise: makes pairwise ids; may be left out where no entry wants any
    :raises UsernameUnfit: there is no user name, more than one, or it holds control characters
    :raises PairwiseKeyMissing: the entry wants a pairwise id and ``pairwise`` was left out
    """
    user = username(service, principal_id, attributes)
    if service.pairwise_id:
        if pairwise is None:
            raise PairwiseKeyMissing(service.id)
        user = pairwise.of(service.id, user)
    return Released(user=user, attributes=_attributes(service, attributes))


def username(service: RegisteredService, principal_id: str, attributes: Mapping[str, tuple[str, ...]]) -> str:
    """Return the person's name for ``service``, before it becomes a pairwise id: the principal's id, or the username
    attribute of the entry.

    When that attribute has no value, the id is *not* taken instead: the id of one person may be the attribute of
    another (``ada`` and an e-mail alias ``ada``), and the service could not tell. With two different values nobody
    knows which one a directory lists first tomorrow. In both cases the person gets no ticket, and the audit trail says
    why.

    :raises UsernameUnfit: there is no user name, more than one, or it holds control characters
    """
    rule = service.username_attribute
    if rule is None:
        return _fit("", principal_id)
    values = {value for value in attributes.get(rule.attribute, ()) if value.strip()}
    if len(values) > 1:
        raise UsernameUnfit(rule.attribute, "several")
    return _fit(rule.attribute, _cased(values.pop() if values else "", rule.case))


def _fit(attribute: str, name: str) -> str:
    if not name.strip():
        raise UsernameUnfit(attribute, "missing")
    if _UNFIT.search(name):
        raise UsernameUnfit(attribute, "characters")
    return name


def _cased(name: str, case: Case) -> str:
    if case == "keep":
        return name
    return "".join(_cased_character(character, case) for character in name)


def _cased_character(character: str, case: Case) -> str:
    other = character.lower() if case == "lower" else character.upper()
    # The Kelvin sign would become k and a dotless i become I: one person's name would turn into another's.
    return other if len(other) == 1 and other.isascii() == character.isascii() else character


def _attributes(service: RegisteredService, attributes: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    released: dict[str, tuple[str, ...]] = {}
    for rule in service.release_rules:
        # What the server itself says about the login is never taken from a directory (see casduo.services.names).
        if rule.name in LISTED_NAMES:
            continue
        found = rule.static or attributes.get(rule.source, ())
        values = tuple(dict.fromkeys(told for value in found if (told := shaped(value, rule))))
        if values:
            released[rule.name] = values
    return released


def shaped(value: str, rule: ReleaseRule) -> str:
    """Return ``value`` as ``rule`` releases it: empty when it is left out, as one is that XML cannot carry whole."""
    if _LOST_IN_XML.search(value):
        return ""
    if rule.match:
        # Nobody makes a long value to keep the server busy.
        found = compiled(rule.match).fullmatch(value) if len(value) <= MAX_MATCHED else None
        if found is None:
            return ""
        value = value if rule.replace is None else found.expand(rule.replace)
    return _cased(value, rule.case)
