"""Every page of a phone in every state that a person can meet, and how a phone of each model reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from casduo.paths import views_directory
from casduo.phone.answers import answer_of
from casduo.phone.languages import language_of, texts
from casduo.phone.models import Traits, traits_of
from casduo.phone.presenter import screen_of
from casduo.phone.screens import Screen
from casduo.phone.urls import PhoneUrls
from casduo.settings.phones import PhoneSettings
from casduo.simulators.phone.answers import Content, read_answer
from casduo.simulators.phone.exchange import Answer
from casduo.simulators.phone.objects import Displayable
from casduo.simulators.phone.presets import PRESETS, Preset
from casduo.web import Site, Web
from casduo.webflow.actions.facts import ServiceFacts

NOW = 1_770_000_000.0
BASE = "https://sso.example.edu/em"
DEVICE = "SEP001122334455"
TOKEN = "T" * 52
URLS = PhoneUrls(BASE, DEVICE, TOKEN)
REFERENCE = "K7QF2M9D"
SERVICE = ServiceFacts("Extension Mobility", "sso.example.edu", "", "")
LANGUAGES = ("en", "de", "fr", "es")
HOSTILE = "R&D <ward> \"7\" #1 'Zürich' 100%\r\n\x00\x07\x85\u202e東京"
POST_MODELS = PhoneSettings().post_models

IPHONE = {"value": "push:DPIPHONE000000000001", "kind": "push", "device": "iPhone (XXX-XXX-4242)", "again": True}
TABLET = {"value": "push:DPTABLET000000000002", "kind": "push", "device": "Ward tablet", "again": False}
CALL = {"value": "phone:DPIPHONE000000000001", "kind": "phone", "device": "iPhone (XXX-XXX-4242)", "again": False}
CODES = {"value": "sms:DPIPHONE000000000001", "kind": "sms", "device": "iPhone (XXX-XXX-4242)", "again": False}
WAYS = (IPHONE, TABLET, CALL, CODES)


def request(**changes: Any) -> dict[str, Any]:
    """Return a push under way as the flow tells of it."""
    told = {"factor": "push", "device": "iPhone (XXX-XXX-4242)", "seconds": 45, "code": "", "said": "", "status": ""}
    return told | changes


def error(word: str, **facts: Any) -> dict[str, Any]:
    """Return what became of the last try as the flow tells of it."""
    return {"id": f"duo_push.error.{word}", "facts": facts, "said": "Login request denied."}


def sent(device: str = "iPhone (XXX-XXX-4242)") -> dict[str, Any]:
    """Return the notice that codes were sent."""
    return {"id": "duo_push.notice.sent", "facts": {"device": device}, "said": None}


def duo(state: str = "waiting", **changes: Any) -> dict[str, Any]:
    """Return the data of the view ``duo_push`` as :func:`casduo.webflow.actions.duo_page.view` makes them."""
    data = {
        "service": SERVICE,
        "state": state,
        "request": None,
        "error": None,
        "notice": None,
        "ways": list(WAYS),
        "again_in": 20,
        "tries": None,
        "wait": 0,
        "passcodes": True,
        "digits_only": True,
        "default_way": IPHONE["value"],
        "default_device": IPHONE["device"],
        "other": None,
    }
    return data | changes


def told(word: str, *keys: str, problem: bool = False, **facts: Any) -> dict[str, Any]:
    """Return the data of the view ``phone_told``."""
    return {"text": f"phone.told.{word}", "facts": facts, "keys": list(keys), "problem": problem}


def form(word: str = "", userid: str = "", **facts: Any) -> dict[str, Any]:
    """Return the data of the view ``phone_form``."""
    told_error = {"id": f"phone.form.error.{word}", "facts": facts} if word else None
    return {"service": SERVICE, "error": told_error, "userid": userid}


def profiles(count: int, following: int | None = None) -> dict[str, Any]:
    """Return the data of the view ``phone_profiles``."""
    names = [{"index": number, "name": f"ada-ward-{number}", "default": number == 0} for number in range(count)]
    return {"profiles": names, "next": following}


def logout(*, pin: bool, user: str = "ada", word: str = "") -> dict[str, Any]:
    """Return the data of the view ``phone_logout``."""
    told_error = {"id": f"phone.form.error.{word}", "facts": {}} if word else None
    return {"user": user, "pin": pin, "error": told_error}


@dataclass(frozen=True, slots=True)
class Case:
    """One page in one state."""

    name: str
    view: str
    data: Mapping[str, Any] = field(repr=False)
    typing: bool = False
    choosing: bool = False


def _duo_cases() -> list[Case]:
    one_way = [IPHONE]
    states = {
        "push": duo(request=request()),
        "push, one device": duo(request=request(), ways=one_way),
        "push that can be sent again": duo(request=request(seconds=20), ways=one_way, again_in=0),
        "push, device without a name": duo(request=request(device="")),
        "push, last second": duo(request=request(seconds=1)),
        "push, time is up": duo(request=request(seconds=0)),
        "push with a number": duo(request=request(code="481920")),
        "push that did not arrive": duo(request=request(status="push_failed")),
        "push and a wrong code": duo(request=request(), error=error("passcode"), tries=2),
        "push and codes by text": duo(request=request(), notice=sent()),
        "push and a hostile name": duo(request=request(device=HOSTILE)),
        "call": duo(request=request(factor="phone", status="calling"), default_way=CALL["value"]),
        "call that was answered": duo(request=request(factor="phone", status="answered")),
        "ready": duo("ready"),
        "ready to be called": duo("ready", ways=[CALL], default_way=CALL["value"]),
        "denied": duo("denied", error=error("denied")),
        "denied, one device": duo("denied", error=error("denied"), ways=one_way),
        "timeout": duo("timeout", error=error("timeout")),
        "gone": duo("timeout", error=error("gone")),
        "limited": duo("limited", error=error("limited", seconds=200), wait=200),
        "pending": duo("pending", other="Payroll"),
        "pending, unnamed": duo("pending"),
        "codes, no device": duo("codes", ways=[]),
        "codes, words allowed": duo("codes", ways=[], digits_only=False),
        "codes, devices": duo("codes", default_way=""),
        "codes by text only": duo("codes", ways=[CODES], default_way=""),
        "no device can be asked": duo("codes", error=error("no_device")),
        "nobody follows": duo("codes", error=error("unfollowed"), ways=[]),
        "codes were sent": duo("codes", notice=sent()),
        "codes were sent, ready": duo("ready", notice=sent()),
        "wrong code": duo("ready", error=error("passcode"), tries=2),
        "wrong code, last try": duo("codes", error=error("passcode"), tries=1, ways=[]),
        "wrong code, uncounted": duo("denied", error=error("passcode")),
        "used code": duo("codes", error=error("reused")),
        "no code": duo("timeout", error=error("unreadable")),
        "too many codes": duo("ready", error=error("throttled", seconds=300)),
        "unknown error": duo("denied", error=error("meteorite")),
        "signed in": duo("signed_in"),
    }
    cases = [Case(f"duo: {name}", "duo_push", data) for name, data in states.items()]
    return [
        *cases,
        Case("duo: typing", "duo_push", duo(request=request()), typing=True),
        Case("duo: choosing", "duo_push", duo(request=request()), choosing=True),
        Case("duo: nothing to choose", "duo_push", duo("codes", ways=[]), choosing=True),
    ]


def _told_cases() -> list[Case]:
    plain = {
        "expired": ("again", "exit"),
        "moved_on": ("again", "exit"),
        "cancelled": ("again", "exit"),
        "logged_out": ("again", "exit"),
        "nobody": ("again", "exit"),
        "profile_gone": ("again", "exit"),
        "duo_denied": ("again", "exit"),
        "approval_sent": ("exit",),
        "approval_waiting": ("exit",),
        "approval_early": ("exit",),
        "approval_over": ("again", "exit"),
        "no_profile": ("exit",),
        "unenrolled": ("exit",),
        "duo_locked": ("exit",),
        "fraud": ("exit",),
        "disabled": ("exit",),
        "must_change": ("exit",),
        "unsupported": ("exit",),
    }
    problems = {
        "wrong_device": ("again", "exit"),
        "duo_unavailable": ("again", "exit"),
        "unavailable": ("again", "exit"),
        "unsure": ("again", "exit"),
        "error": ("again", "exit"),
        "unregistered": ("exit",),
        "device_unknown": ("exit",),
        "device_not_enabled": ("exit",),
        "device_refused": ("exit",),
        "device_unproved": ("again", "exit"),
        "approval_refused": ("exit",),
        "no_name": ("exit",),
        "refused": ("exit",),
    }
    facts = {
        "logged in": told("logged_in", "exit", user="ada", profile="ada-ward"),
        "logged in, profile not told": told("logged_in", "exit", user="ada", profile=""),
        "already": told("already", "logout", "exit", user="ada"),
        "denied": told("denied", "exit", problem=True, service="Extension Mobility"),
        "busy": told("busy", "again", "exit", seconds=5),
        "busy, a second": told("busy", "again", "exit", seconds=1),
        "throttled": told("throttled", "exit", minutes=30),
        "throttled, a minute": told("throttled", "exit", minutes=1),
        "occupied": told("occupied", "logout", "exit", user="grace"),
        "occupied, unnamed": told("occupied", "logout", "exit", user=""),
        "elsewhere": told("elsewhere", "exit", places="SEP66778899AABB"),
        "elsewhere, several": told(
            "elsewhere", "again", "logout", "exit", places=("SEP66778899AABB", "SEP001122AABBCC")
        ),
        "elsewhere, not told": told("elsewhere", "exit", places=""),
        "hostile": told("denied", "exit", problem=True, service=HOSTILE),
    }
    return [
        *(Case(f"told: {name}", "phone_told", data) for name, data in facts.items()),
        *(Case(f"told: {word}", "phone_told", told(word, *keys)) for word, keys in plain.items()),
        *(Case(f"told: {word}", "phone_told", told(word, *keys, problem=True)) for word, keys in problems.items()),
    ]


CASES = (
    Case("form", "phone_form", form()),
    Case("form: wrong", "phone_form", form("credentials", "ada")),
    Case("form: missing", "phone_form", form("missing", "ada")),
    Case("form: busy", "phone_form", form("busy", "ada")),
    Case("form: hostile", "phone_form", form("credentials", HOSTILE)),
    Case("occupied", "phone_occupied", {"user": "grace", "own": False}),
    Case("occupied, unnamed", "phone_occupied", {"user": "", "own": False}),
    Case("occupied by oneself", "phone_occupied", {"user": "ada", "own": True}),
    Case("occupied by oneself, unnamed", "phone_occupied", {"user": "", "own": True}),
    Case("profiles", "phone_profiles", profiles(3)),
    Case("profiles, first of many", "phone_profiles", profiles(99, 99)),
    Case(
        "profiles: hostile",
        "phone_profiles",
        {"profiles": [{"index": 0, "name": HOSTILE, "default": True}], "next": None},
    ),
    Case("logout", "phone_logout", logout(pin=False)),
    Case("logout, unnamed", "phone_logout", logout(pin=False, user="")),
    Case("logout with PIN", "phone_logout", logout(pin=True)),
    Case("logout with PIN, unnamed", "phone_logout", logout(pin=True, user="")),
    Case("logout with PIN: wrong", "phone_logout", logout(pin=True, word="credentials")),
    Case("logout with PIN: missing", "phone_logout", logout(pin=True, word="missing")),
    Case("logout with PIN: busy", "phone_logout", logout(pin=True, word="busy")),
    Case("moment", "phone_moment", {"seconds": 2}),
    Case("moment, before the form", "phone_moment", {"seconds": 2, "again": "entry"}),
    Case("moment, before the question", "phone_moment", {"seconds": 2, "again": "logout"}),
    *_duo_cases(),
    *_told_cases(),
)


def screen(case: Case, language: str = "en", traits: Traits | None = None, urls: PhoneUrls = URLS) -> Screen:
    """Return what the case looks like."""
    return screen_of(
        case.view,
        case.data,
        urls,
        traits or Traits(),
        texts(language),
        REFERENCE,
        case.typing,
        choosing=case.choosing,
    )


@cache
def web() -> Web:
    """Return what renders the views, as the server has it."""
    return Web(Site("/cas"), views_directory(), secure=True)


def environ_of(preset: Preset, language: str = "en-US") -> dict[str, str]:
    """Return what a phone of this model sends, as a WSGI server hands it over."""
    return {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in preset.headers(language)}


@dataclass(frozen=True, slots=True)
class Received:
    """What a phone made of an answer. ``violations`` is everything a strict one refuses."""

    answer: Answer
    content: Content
    page: Displayable
    violations: tuple[str, ...]


def received(case: Case, model: str = "8845", language: str = "en-US") -> Received:
    """Send the case to an emulated phone: everything that it sends decides how it looks."""
    preset = PRESETS[model]
    environ = environ_of(preset, language)
    traits = traits_of(environ, POST_MODELS)
    shown = screen(case, language_of(environ["HTTP_ACCEPT_LANGUAGE"]), traits)
    return read(shown, traits, preset)


def read(shown: Screen, traits: Traits, preset: Preset) -> Received:
    """Let an emulated phone read a screen."""
    body, headers = answer_of(shown, traits, web().document)
    violations: list[str] = []
    answer = Answer(200, tuple(headers), body)
    content = read_answer(answer, preset, NOW, lambda document: document, violations.append)
    assert isinstance(content.object, Displayable)
    return Received(answer, content, content.object, tuple(violations))
