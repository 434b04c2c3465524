"""What an explanation holds: plain values for people and for JSON, decided and worded elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from casduo.authentication.model import Reason

Verdict = Literal[
    "malformed", "unregistered", "disabled", "phone", "no_sign_in", "refused", "depends", "duo", "password"
]
"""What comes of the URL: ``phone``, the entry is not for browsers; ``no_sign_in``, the account is refused by its own
store; ``refused``, by the service; ``depends``, on what was not given; ``duo`` and ``password``, what is asked for.
"""

State = Literal["met", "not met", "depends"]
"""Of a condition; ``depends`` when the person or the address that it is about was not given."""

Relation = Literal["chosen", "later", "same host", "like", "other"]
"""Of an entry to a URL: has it; would have it, were it first; differs behind the host; has a similar host; no more."""

Origin = Literal["entry", "application", "settings", "default"]
"""Where a value comes from: the registry entry, the Duo application it names, the section ``duo``, or casduo itself."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom an explanation is about.

    :param name: the principal's id
    :param handler: the store that knows the person; empty for one made up to ask "what if"
    :param refusal: why that store refuses even the right password
    :param judged: whether the store could say so without a password
    """

    name: str
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    handler: str = ""
    refusal: Reason | None = None
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """How a URL is read.

    :param given: what was asked about
    :param url: the service in it: the same, unless it was the address of the login page
    :param canonical: the form that is compared; empty when the URL is refused
    :param reason: fixed word for why it is refused, such as ``userinfo``; empty when it is not
    :param problem: the same as a sentence
    """

    given: str
    url: str
    canonical: str = ""
    reason: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the registry, seen from a URL. ``why`` says what of the URL differs from ``pattern``."""

    id: str
    pattern: str
    relation: Relation
    why: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a rule: its sentence, whether it is met, and the fact it was held against."""

    kind: str
    state: State
    sentence: str
    fact: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """The access rules of a service. ``state`` is that of all of them; ``reason`` is what people who are refused
    read.
    """

    state: State
    conditions: tuple[Condition, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A value in effect, what it means, and where it comes from. ``in_force``: whether it has an effect yet."""

    name: str
    text: str
    meaning: str
    origin: Origin
    in_force: bool = True


@dataclass(frozen=True, slots=True)
class Duo:
    """Whether a service requires Duo of a person who has signed in with the password just now.

    :param state: ``met`` when it does
    :param reasons: sentences, in the order of the decision
    :param conditions: those of the rule, each for itself
    :param values: how Duo is asked; empty for a service that never asks
    """

    state: State
    reasons: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleasedAttribute:
    """One attribute that the entry lists. ``why`` explains values that are missing or changed; empty otherwise."""

    name: str
    source: str
    values: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """What the application is told.

    :param user: the user name; empty when there is none, or nobody was given
    :param user_source: where it comes from
    :param problem: why there is no user name, which means no ticket; empty otherwise
    """

    user: str
    user_source: str
    problem: str
    attributes: tuple[ReleasedAttribute, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What ``/p3/serviceValidate`` would answer. ``when`` says after which sign-in, ``code`` is that of a failure."""

    when: str
    code: str
    xml: str


@dataclass(frozen=True, slots=True)
class Service:
    """What the entry that has the URL says.

    :param handlers: names of the stores that may check the password, in the order in which they are asked
    :param single_sign_on: whether a session that lives is enough
    :param warn: whether people are asked before they are sent to it
    :param answers: of the validation; empty without a person, or while something depends on what was not given
    :param without_effect: keys of the entry that are read and do nothing yet
    """

    id: str
    name: str
    enabled: bool
    channel: str
    handlers: tuple[str, ...]
    single_sign_on: bool
    warn: bool
    access: Access
    duo: Duo
    release: Release
    answers: tuple[Answer, ...]
    without_effect: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything there is to say about a URL and, where one is given, a person.

    :param sentence: the verdict in words
    :param groups: the person's groups by all the names that rules may use
    :param address: empty when none was given
    :param registry: name of the registry's state
    :param entries: the chosen one first, then what comes near; ``omitted`` counts the rest
    :param service: None when no entry has the URL
    """

    verdict: Verdict
    sentence: str
    reading: Reading
    person: Person | None
    groups: tuple[str, ...]
    address: str
    registry: str
    entries: tuple[Entry, ...]
    omitted: int
    service: Service | None
