"""What an explanation holds: plain values for people and for JSON, decided and worded elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from casduo.authentication.model import Reason
from casduo.services.policies import Mode

Verdict = Literal[
    "malformed",
    "unregistered",
    "disabled",
    "phone",
    "no_sign_in",
    "refused",
    "depends",
    "duo",
    "duo_optional",
    "password",
    "pin",
]
"""What comes of the URL: ``phone``, a browser asks for what is not for browsers; ``no_sign_in``, the account is refused
by its own store; ``refused``, by the service; ``depends``, on what was not given; ``duo``, ``duo_optional`` (of people
who have a device), ``password`` and, at phones, ``pin``: what is asked for.
"""

State = Literal["met", "not met", "depends"]
"""Of a condition; ``depends`` when the person or the address that it is about was not given."""

Relation = Literal["chosen", "later", "same host", "like", "other"]
"""Of an entry to a URL: has it; would have it, were it first; differs behind the host; has a similar host; no more."""

Origin = Literal["entry", "client", "application", "settings", "default"]
"""Where a value comes from: the registry entry, what is known of the client it names, the Duo application it names, the
settings, or casduo itself.
"""


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
    :param asks_for_duo: whether the address of the login page asks for Duo
    """

    given: str
    url: str
    canonical: str = ""
    reason: str = ""
    problem: str = ""
    asks_for_duo: bool = False


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
class DuoMode:
    """A mode of a rule whose modes change by date. ``start`` is from when it holds."""

    mode: Mode
    start: str
    state: Literal["over", "in force", "to come"]


@dataclass(frozen=True, slots=True)
class Duo:
    """Whether a service requires Duo of a person who has signed in with the password just now.

    :param state: ``met`` when it does
    :param reasons: sentences, in the order of the decision
    :param conditions: those of the rule, each for itself
    :param mode: what holds for the person now; empty where the rule does not mean them, or there is none
    :param reported: whether mode ``report`` writes down that Duo would have been asked
    :param modes: the modes of the rule, where they change by date
    :param values: how Duo is asked; empty for a service that never asks
    """

    state: State
    reasons: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    mode: Mode | Literal[""] = ""
    reported: bool = False
    modes: tuple[DuoMode, ...] = ()
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleasedAttribute:
    """One attribute that the entry lists.

    :param shaping: what the entry does to its values, such as leaving out what does not match; empty for nothing
    :param why: explains values that are missing, or that the application gets otherwise; empty otherwise
    """

    name: str
    source: str
    values: tuple[str, ...]
    why: str = ""
    shaping: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """What the application is told.

    :param user: the user name; empty when there is none, when nobody was given, or without the key of pairwise ids
    :param user_source: where it comes from
    :param problem: why there is no user name, which means no ticket; empty otherwise
    """

    user: str
    user_source: str
    problem: str
    attributes: tuple[ReleasedAttribute, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What validating would answer, to the letter.

    :param path: of the endpoint that is asked: the one of the newest CAS protocol that the entry allows
    :param when: after which sign-in
    :param code: that of a failure; empty for a success
    """

    path: str
    when: str
    code: str
    body: str


@dataclass(frozen=True, slots=True)
class Proxying:
    """Whether a service may get proxy tickets, and for whom.

    :param callbacks: patterns of the addresses that proxy-granting tickets are sent to
    :param private_addresses: whether those may be private ones
    :param accept_status: HTTP status codes that count as taken
    :param targets: ids of the services it may call; empty for all
    """

    allowed: bool
    callbacks: tuple[str, ...] = ()
    private_addresses: bool = False
    accept_status: tuple[int, ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignOut:
    """How a service learns that a session has ended: by which channel, and where when the entry names an address."""

    channel: Literal["back_channel", "front_channel", "none"]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Phone:
    """What holds for logins on phones, besides the rules of the entry.

    :param base: address below which the phones' pages are, without a slash at its end
    :param conditions: on the phone, which are looked at before everything else
    :param profiles: the condition on the person's profiles; empty where nobody was given, or only made up
    :param limits: on wrong PINs
    :param values: the settings that decide how logins go
    """

    base: str
    conditions: tuple[Condition, ...]
    profiles: tuple[Condition, ...]
    limits: tuple[Value, ...]
    values: tuple[Value, ...]

    @property
    def service_url(self) -> str:
        """What is written into the UCM, which puts in the name of each phone."""
        return f"{self.base}/?device=#DEVICENAME#"


@dataclass(frozen=True, slots=True)
class Approval:
    """Who has to approve before anybody gets in.

    :param approvers: e-mail addresses of those who may decide
    :param deciders: those of them who may decide about the person
    :param values: for how long, where it is decided, and what is kept in bounds
    """

    approvers: tuple[str, ...]
    deciders: tuple[str, ...]
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """What the entry that has the URL says.

    :param handlers: names of the stores that may check the password or, at phones, the PIN, in the order in which they
        are asked
    :param single_sign_on: whether a session that lives is enough
    :param accept_remember_me: whether a remembered one is, too
    :param session_lifetime: how long the password may be ago; empty where the entry does not say
    :param session_idle: how long it may have been unused; empty where the entry does not say
    :param own_handlers: whether the entry names ``handlers`` itself; a session whose password another one has checked
        is not enough then
    :param warn: whether people are asked before they are sent to it
    :param dealings: how it is answered: protocols, comparison, forms of values
    :param answers: of the validation; empty without a person, without a CAS protocol, or while something depends on
        what was not given
    :param without_effect: keys of the entry that are read and do nothing yet
    :param phone: what else holds for a service of phones; None for one of browsers
    :param approval: who has to approve; None where nobody has to
    :param target: the machine behind a gateway; empty for none
    """

    id: str
    name: str
    enabled: bool
    channel: str
    handlers: tuple[str, ...]
    single_sign_on: bool
    accept_remember_me: bool
    session_lifetime: str
    session_idle: str
    warn: bool
    access: Access
    duo: Duo
    release: Release
    dealings: tuple[Value, ...]
    proxying: Proxying
    sign_out: SignOut
    answers: tuple[Answer, ...]
    without_effect: tuple[str, ...]
    phone: Phone | None = None
    approval: Approval | None = None
    target: tuple[Value, ...] = ()
    own_handlers: bool = False

    @property
    def demands(self) -> tuple[Condition, ...]:
        """All conditions but those of Duo, in the order in which the login flow looks at them."""
        if self.phone is None:
            return self.access.conditions
        return (*self.phone.conditions, *self.access.conditions, *self.phone.profiles)


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
