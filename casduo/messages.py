"""Every sentence that a person reads on a page, by id, and how facts are put into it.

The pages say ``t("login.submit")``; the server names an id where the reason is its own to give, for example
``login.error.throttled`` with ``seconds=40``. Ids are stable, sentences are not: tests and code refer to ids.

A sentence is written whole, never glued from parts, and holds its facts as placeholders::

    {service}       a text from outside: cleaned and cut by ``presentable``, escaped later by the template
    {reason:prose}  the same, of which more is shown
    {count:number}  a whole number, grouped as the language does it
    {at:moment}     an ISO 8601 text or an aware datetime, written as date, time and zone
    {start:date}    an ISO 8601 text or a date, written as a date

Another language is another ``Catalogue`` in ``CATALOGUES``. It is compared with the English one at import: the same
ids, the same facts, every plural form that its plural rule can ask for.

Answers of the protocol endpoints are not here: they stay English and fixed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from string import Formatter
from types import MappingProxyType
from typing import Final, TypeAlias

from casduo.errors import CasduoError

Fact: TypeAlias = str | int | date | datetime

FACT_LIMIT: Final = 120
"""Longest text from outside that a page shows, in characters; the middle of a longer one is left out."""

PROSE_LIMIT: Final = 600
"""The same for sentences that somebody wrote, such as a reason in the registry or a message of Duo."""

_TAIL = 40
_JOINERS = "\u200c\u200d"
_KINDS = frozenset({"", "prose", "number", "moment", "date"})


class MessageError(CasduoError):
    """A text was asked for that does not exist, or with other facts than it holds: a mistake in our own code."""

    code = "MESSAGE"


class UnknownMessage(MessageError):
    """No catalogue has a text of that id."""

    code = "MESSAGE_UNKNOWN"

    def __init__(self, message_id: str) -> None:
        super().__init__(f"no text has the id {message_id!r}")
        self.message_id = message_id


class WrongFacts(MessageError):
    """The facts given are not the ones the sentence holds, or one cannot be written as the sentence asks."""

    code = "MESSAGE_FACTS"

    def __init__(self, message_id: str, detail: str) -> None:
        super().__init__(f"text {message_id!r}: {detail}")
        self.message_id = message_id


class BrokenCatalogue(MessageError):
    """A catalogue does not fit the English one. ``problems`` names everything, not only the first."""

    code = "MESSAGE_CATALOGUE"

    def __init__(self, language: str, problems: tuple[str, ...]) -> None:
        super().__init__(f"catalogue {language!r}: " + "; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Plural:
    """A sentence whose wording depends on a number.

    ``count`` names the fact that is counted. ``forms`` maps the plural categories of the Unicode CLDR that the
    language has (``one``, ``few``, ``many``, ...) to sentences; ``other`` is always among them.
    """

    count: str
    forms: Mapping[str, str]


Message: TypeAlias = str | Plural


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """All texts of one language.

    ``language`` is a BCP 47 tag. ``categories`` are the plural categories that ``plural`` may answer.
    ``date`` and ``moment`` write a day and a point in time as the language does.
    """

    language: str
    messages: Mapping[str, Message]
    plural: Callable[[int], str]
    categories: frozenset[str]
    number: Callable[[int], str]
    date: Callable[[date], str]
    moment: Callable[[datetime], str]

    def text(self, message_id: str, /, **facts: Fact) -> str:
        """Return the sentence ``message_id`` with ``facts`` in it, as plain text that is not yet escaped.

        ``facts`` must be exactly those the sentence holds. Raises UnknownMessage or WrongFacts.
        """
        try:
            message = self.messages[message_id]
        except KeyError:
            raise UnknownMessage(message_id) from None
        if isinstance(message, Plural):
            message = message.forms[self.plural(_count(message_id, facts, message.count))]
        held = _placeholders(message)
        if held != facts.keys():
            raise WrongFacts(message_id, f"holds {sorted(held)}, was given {sorted(facts)}")
        if not held:
            return message
        return "".join(
            literal if name is None else literal + self._write(message_id, name, kind, facts[name])
            for literal, name, kind in _parts(message)
        )

    def _write(self, message_id: str, name: str, kind: str, fact: Fact) -> str:
        match kind:
            case "" if isinstance(fact, str):
                return presentable(fact)
            case "prose" if isinstance(fact, str):
                return presentable(fact, PROSE_LIMIT)
            case "number" if isinstance(fact, int):
                return self.number(fact)
            case "moment":
                moment = _moment(fact)
                if moment is not None:
                    return self.moment(moment)
            case "date":
                day = _date(fact)
                if day is not None:
                    return self.date(day)
        raise WrongFacts(message_id, f"{name} cannot be written as {kind or 'text'}")


def text(message_id: str, language: str, /, **facts: Fact) -> str:
    """Return the sentence ``message_id`` in ``language`` with ``facts`` in it, not yet escaped.

    ``language`` is a BCP 47 tag; one we have no catalogue for is answered in its base language (``de`` for
    ``de-AT``) or in English. Raises UnknownMessage or WrongFacts, both of them mistakes in our own code.
    """
    return catalogue(language).text(message_id, **facts)


def catalogue(language: str) -> Catalogue:
    """Return the catalogue for a BCP 47 tag, or that of its base language, or the English one."""
    return CATALOGUES.get(language) or CATALOGUES.get(language.partition("-")[0]) or ENGLISH


def presentable(value: str, limit: int = FACT_LIMIT) -> str:
    """Return a text from outside in a form that cannot disturb the page around it.

    Line breaks and control characters become spaces. Characters that turn the direction of writing, or that nobody
    sees, are left out, but for the two joiners that some scripts need. What is longer than ``limit`` loses its
    middle, because both ends of a host name matter to a reader. Escaping is left to the template.
    """
    if not value.isprintable():
        value = " ".join("".join(_visible(value)).split())
    if len(value) > limit:
        value = value[: limit - _TAIL - 1] + "…" + value[-_TAIL:]
    return value


def factor_id(factor: str) -> str:
    """Return the id of the text for a factor as Duo names it in ``auth_context.factor``, such as ``duo_push``.

    Duo adds factors now and then; one we do not know is called just "Duo".
    """
    message_id = f"factor.{factor.lower().replace(' ', '_')}"
    return message_id if message_id in ENGLISH.messages else "factor.other"


def check(candidate: Catalogue, reference: Catalogue) -> None:
    """Compare a catalogue with the one the pages were written for; raise BrokenCatalogue with all differences."""
    problems = [f"{name} is missing" for name in reference.messages.keys() - candidate.messages.keys()]
    problems += [f"{name} is not used" for name in candidate.messages.keys() - reference.messages.keys()]
    for name in candidate.messages.keys() & reference.messages.keys():
        problems += _faults(name, candidate, _facts(reference.messages[name]))
    if problems:
        raise BrokenCatalogue(candidate.language, tuple(sorted(problems)))


def _faults(name: str, candidate: Catalogue, expected: frozenset[tuple[str, str]]) -> Iterator[str]:
    message = candidate.messages[name]
    if isinstance(message, Plural) and message.forms.keys() != candidate.categories:
        yield f"{name} has the forms {sorted(message.forms)}, the language has {sorted(candidate.categories)}"
    for sentence in _sentences(message):
        held = _facts(sentence)
        if any(kind not in _KINDS for _, kind in held):
            yield f"{name} asks for a kind of fact that does not exist"
        if held != expected:
            yield f"{name} holds {sorted(held)} instead of {sorted(expected)}"


def _sentences(message: Message) -> tuple[str, ...]:
    return tuple(message.forms.values()) if isinstance(message, Plural) else (message,)


def _facts(message: Message) -> frozenset[tuple[str, str]]:
    return frozenset(
        (fact, kind) for sentence in _sentences(message) for _, fact, kind in _parts(sentence) if fact is not None
    )


@cache
def _parts(sentence: str) -> tuple[tuple[str, str | None, str], ...]:
    """Split a sentence into (literal, fact after it or None, kind of that fact)."""
    return tuple((literal, name, kind or "") for literal, name, kind, _ in Formatter().parse(sentence))


@cache
def _placeholders(sentence: str) -> frozenset[str]:
    return frozenset(name for _, name, _ in _parts(sentence) if name is not None)


def _count(message_id: str, facts: Mapping[str, Fact], name: str) -> int:
    count = facts.get(name)
    if not isinstance(count, int):
        raise WrongFacts(message_id, f"{name} must be a whole number")
    return count


def _moment(fact: Fact) -> datetime | None:
    if isinstance(fact, str):
        try:
            fact = datetime.fromisoformat(fact)
        except ValueError:
            return None
    return fact if isinstance(fact, datetime) and fact.tzinfo is not None else None


def _date(fact: Fact) -> date | None:
    if isinstance(fact, str):
        try:
            return datetime.fromisoformat(fact).date()
        except ValueError:
            return None
    return fact if isinstance(fact, date) else None


def _visible(value: str) -> Iterator[str]:
    for character in value:
        match unicodedata.category(character):
            case "Cc" | "Zl" | "Zp" | "Zs":
                yield " "
            case "Cf":
                if character in _JOINERS:
                    yield character
            case "Cs":
                yield "\ufffd"
            case _:
                yield character


_ENGLISH_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _english_date(day: date) -> str:
    return f"{day.day} {_ENGLISH_MONTHS[day.month - 1]} {day.year}"


def _english_moment(moment: datetime) -> str:
    offset = f"{moment:%z}"
    zone = f"UTC{offset[:3]}:{offset[3:5]}" if moment.utcoffset() else "UTC"
    return f"{_english_date(moment)}, {moment:%H:%M} {zone}"


def _plural(count: str, /, **forms: str) -> Plural:
    return Plural(count, MappingProxyType(forms))


ENGLISH: Final = Catalogue(
    language="en",
    plural=lambda count: "one" if count == 1 else "other",
    categories=frozenset({"one", "other"}),
    number=lambda number: f"{number:,}",
    date=_english_date,
    moment=_english_moment,
    messages=MappingProxyType(
        {
            # Every page
            "page.direction": "ltr",
            "page.title": "{what} \N{EN DASH} {organisation}",
            "page.title_of_problem": "Error: {what} \N{EN DASH} {organisation}",
            "page.skip": "Skip to the main part of the page",
            "page.navigation": "Pages",
            "page.help": "Help",
            "page.privacy": "Privacy",
            "page.reference": "Reference",
            "page.time": "Time",
            "page.to_sign_in": "Go to the sign-in page",
            "page.try_again": "Try again",
            "page.cancel": "Cancel",
            "page.continue": "Continue",
            "page.continue_to": "Continue to {service}",
            "page.others_work": "Your other applications are not affected.",
            "page.to_others": "Show my other applications",
            "page.ask_help_desk": "If you need help, ask the help desk.",
            "page.contact": "Contact",
            # Facts that stand alone
            "fact.text": "{value}",
            "fact.prose": "{value:prose}",
            "fact.moment": "{at:moment}",
            # Signing in
            "login.heading": "Sign in",
            "login.to_service": "to continue to {service}",
            "login.both_required": "Both fields are required.",
            "login.username": "User name",
            "login.password": "Password",
            "login.show_password": "Show password",
            "login.caps_lock": "Caps Lock is on.",
            "login.ask_first": "Ask me before signing me in to other applications",
            "login.submit": "Sign in",
            "login.forgotten": "Forgot your password?",
            "login.again": "You are signed in as {name}. Please enter your password again to go on.",
            "login.again_for": "You are signed in as {name}. {service} asks for your password again.",
            "login.not_you": "Not you? Sign out",
            "login.problem": "There is a problem",
            "login.time_left": "Time left",
            "login.try_now": "You can try again now.",
            "login.change_password": "Change your password",
            "login.get_help": "Ask for help",
            "login.error.credentials": "User name or password is not right.",
            "login.error.missing": "Enter your user name and your password.",
            "login.error.throttled": _plural(
                "seconds",
                one="There were too many tries. Try again in {seconds:number} second.",
                other="There were too many tries. Try again in {seconds:number} seconds.",
            ),
            "login.error.unavailable": "Passwords cannot be checked right now. Please try again in a few minutes.",
            "login.error.busy": "Many people are signing in right now. Please try again in a few seconds.",
            "login.error.disabled": "Your password is right, but your account is switched off. "
            "The help desk can tell you why.",
            "login.error.expired": "Your password is right, but it has expired. Change it, then sign in again.",
            "login.error.must_change": "Your password is right, but you have to choose a new one first. "
            "Change it, then sign in again.",
            "login.notice.expired": "The page was open for long. Please sign in again.",
            "login.notice.used": "This page was already sent once. Please sign in again.",
            "login.notice.foreign": "This page was opened in another browser. Please sign in here.",
            "login.notice.signed_out": "You were signed out, perhaps in another window. Please sign in again.",
            # Signed in
            "signed_in.heading": "You are signed in",
            "signed_in.as": "Signed in as {name}",
            "signed_in.as_with_username": "Signed in as {name} ({username})",
            "signed_in.applications": "Your applications",
            "signed_in.no_applications": "No applications are listed here. Open the one you want to use; "
            "it will let you in without asking for your password again.",
            "signed_in.session": "This sign-in",
            "signed_in.since": "Since",
            "signed_in.until": "Ends",
            "signed_in.proof": "Confirmed with",
            "signed_in.change_password": "Change password",
            "signed_in.sign_out": "Sign out",
            "signed_in.strength.password": "Password",
            "signed_in.strength.duo": "Password and Duo",
            "signed_in.strength.duo_with_factor": "Password and Duo ({factor})",
            "signed_in.strength.bypassed": "Password; Duo was not asked",
            "factor.duo_push": "approved on a device",
            "factor.verified_duo_push": "approved on a device with a code",
            "factor.passcode": "code",
            "factor.duo_mobile_passcode": "code from the app",
            "factor.sms_passcode": "code from a text message",
            "factor.hardware_token": "code from a hardware token",
            "factor.bypass_code": "code from the help desk",
            "factor.phone_call": "phone call",
            "factor.webauthn_security_key": "security key",
            "factor.webauthn_platform_authenticator": "this computer or phone",
            "factor.remembered_device": "trusted browser",
            "factor.other": "another way",
            # Before a service is entered
            "warn.heading": "Go on to {service}?",
            "warn.why": "You asked to be told before you are signed in to another application.",
            "post_response.heading": "Taking you to {service}",
            "post_response.why": "If nothing happens, press the button.",
            "password_warning.heading": "Change your password soon",
            "password_warning.days": _plural(
                "days",
                one="It expires in {days:number} day.",
                other="It expires in {days:number} days.",
            ),
            "password_warning.grace": _plural(
                "logins",
                one="It has expired. You can sign in with it {logins:number} more time.",
                other="It has expired. You can sign in with it {logins:number} more times.",
            ),
            "password_warning.advice": "You can change it now, or go on and do it later.",
            "password_warning.change": "Change password",
            # Signing out
            "logout_confirm.heading": "Sign out?",
            "logout_confirm.why": "You will be signed out here and in the applications you opened from here.",
            "logout_confirm.sign_out": "Sign out",
            "logout_confirm.stay": "Stay signed in",
            "signed_out.heading": "You are signed out",
            "signed_out.done": "To use an application again, sign in again.",
            "signed_out.applications": "Applications you had opened",
            "signed_out.application": "Application",
            "signed_out.state": "State",
            "signed_out.state.told": "Signed out",
            "signed_out.state.failed": "Did not answer",
            "signed_out.state.unsupported": "Cannot be signed out from here",
            "signed_out.close_windows": "Some applications may still be open. "
            "On a shared computer, close all browser windows.",
            "signed_out.going_on": "You go on to {service} in a moment.",
            "signed_out.sign_in": "Sign in again",
            # The application
            "service_unregistered.heading": "This application is not allowed to use this sign-in",
            "service_unregistered.why": "Nothing was sent to it. It has this address:",
            "service_unregistered.owner": "If you trust the application, tell its owner: "
            "it has to be registered here first.",
            "service_disabled.heading": "{service} is switched off",
            "service_disabled.why": "Nobody can sign in to this application at the moment.",
            "service_denied.heading": "You may not use {service}",
            "service_denied.signed_in": "Your sign-in worked, and your other applications are not affected.",
            "service_denied.owner": "If you think that you should have access, ask its owner.",
            "service_denied.switch": "Sign in as someone else",
            "service_denied.reason.rule": "It is not open to your account.",
            "service_denied.reason.group": "It is open to certain groups only, and your account is in none of them.",
            "service_denied.reason.network": "It can be used from certain networks only, "
            "and you are not in one of them.",
            "service_denied.reason.not_yet": "It can be used from {start:date} on.",
            "service_denied.reason.expired": "It could be used until {end:date}.",
            "service_denied.reason.attribute": "Your account lacks something that it asks for.",
            # Duo
            "duo_unavailable.heading": "There was a problem accessing to DUO",
            "duo_unavailable.why": "Your password is right. {service} also asks for a confirmation with Duo, "
            "and Duo cannot be reached at the moment.",
            "duo_denied.heading": "You were not let in to {service}",
            "duo_denied.duo_says": "Duo says:",
            "duo_denied.reason.refused": "The request was refused on your device, or the code was not right. "
            "If you did not start it yourself, tell the help desk.",
            "duo_denied.reason.timeout": "Nobody answered the request in time.",
            "duo_denied.reason.locked_out": "Duo has locked your account after too many tries. "
            "The help desk can unlock it.",
            "duo_denied.reason.policy": "Duo does not let you in with this account or from this device.",
            "duo_denied.reason.not_asked": "Duo let you pass without a confirmation, and this application needs one.",
            "duo_unenrolled.heading": "One more step for {service}",
            "duo_unenrolled.need": "You need a second factor for {service}. You have none yet.",
            "duo_unenrolled.what": "It is a device, such as your phone, on which you confirm that it is you. "
            "Setting it up takes a few minutes and is done once.",
            "duo_unenrolled.enrol": "Set up a device",
            "duo_unenrolled.come_back": "Then come back to this page and continue.",
            "duo_unenrolled.nobody": "You cannot set it up yourself here. Please ask the help desk.",
            "duo_unenrolled.others": "You are signed in: applications without this step already work.",
            "duo_restart.heading": "Please start again",
            "duo_restart.why": "The confirmation with Duo was not finished, took too long or was already used. "
            "Nothing is lost. While you are signed in, you need not enter your password again.",
            "duo_restart.button": "Start again",
            # The request, the server
            "cookies_missing.heading": "Cookies are switched off",
            "cookies_missing.why": "Your browser did not send back a cookie. Signing in does not work without one.",
            "cookies_missing.advice": "Allow cookies for this site, then try again.",
            "bad_request.heading": "This link does not work",
            "bad_request.why": "The address is not complete, or something in it is not allowed.",
            "bad_request.advice": "Go back to the application and open it once more.",
            "not_found.heading": "There is no such page",
            "not_found.why": "Perhaps the address was mistyped, or the page has moved.",
            "method_not_allowed.heading": "This page cannot be opened like that",
            "method_not_allowed.why": "It only answers a form on another page.",
            "store_unavailable.heading": "Signing in does not work right now",
            "store_unavailable.why": "Part of this service is out of order. It is not your mistake, and we know.",
            "store_unavailable.advice": "Applications you have open keep working. Please try again in a minute.",
            "error.heading": "Something went wrong",
            "error.why": "It is not your mistake. The reference below helps us to find out what happened.",
            "error.advice": "Please try again in a few minutes.",
            "too_many.heading": "That was too often",
            "too_many.why": _plural(
                "seconds",
                one="Please wait {seconds:number} second, then try again.",
                other="Please wait {seconds:number} seconds, then try again.",
            ),
        }
    ),
)

CATALOGUES: Final[Mapping[str, Catalogue]] = MappingProxyType({ENGLISH.language: ENGLISH})
"""All languages we can speak, by BCP 47 tag."""

for _each in CATALOGUES.values():
    check(_each, reference=ENGLISH)
