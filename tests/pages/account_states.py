"""People's own pages in every state that a person can meet, with sample data; ``states.py`` takes them from here. What
the server makes itself is made as the server does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

from casduo.account.pages import AccountPages
from casduo.account.signins import ListedSignIn, Outcome, SignIn
from casduo.agents import PHONE
from casduo.mfa.duo.gateway import Device, Preauth, PreauthResult
from casduo.mfa.strength import NO_STRENGTH, Strength
from casduo.mfa.trust import Trust
from casduo.tickets.ids import SessionName
from casduo.tickets.model import TicketGrantingTicket, Visit
from casduo.tickets.registry import KnownSession
from casduo.webflow.effects import Page
from tests.pages.approval_states import NOW, REGISTRY, RULES, request_for

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1"
CSRF = "made-for-this-session"
OWN = "a" * 64
PAGES = AccountPages(RULES, REGISTRY, duo=True)
ENROLLING = AccountPages(replace(RULES, duo_enrollment=True), REGISTRY, duo=True)
LONG = [f"Application of the {place}" for place in ("library", "registrar", "observatory", "bursar", "press")]

_DEVICES = (
    Device("DP1", "phone", "iPhone of Ada (\N{BULLET}\N{BULLET}\N{BULLET} 42)", frozenset({"push", "sms"})),
    Device("DP2", "phone", "", frozenset({"phone"})),
    Device("DT1", "token", "Token 4711", frozenset()),
)


def session(fingerprint: str, ago: float, agent: str, strength: Strength, services: int = 0, **facts: Any) -> Any:
    """Return a session that began ``ago`` seconds ago and has been to ``services`` applications."""
    ticket = TicketGrantingTicket(
        "ada", {}, "users", NOW - ago, strength, address=facts.pop("address", "192.0.2.7"), agent=agent, **facts
    )
    names = ["oracle-b", *LONG, *(f"app-{number}" for number in range(20))][:services]
    visits = tuple(Visit(f"ST-abcd-{name}", "https://app.example.edu/", name) for name in names)
    return KnownSession(SessionName("abcd", fingerprint), ticket, visits, NOW + 7200)


OWN_SESSION = session(OWN, 600, FIREFOX, NO_STRENGTH)
SESSIONS = [
    session("b" * 64, 90_000, SAFARI, Strength.duo("duo_push", NOW - 80_000), 12, remembered=True, used_at=NOW - 60),
    session("c" * 64, 7_000, "", Strength.trusted(NOW - 80_000), 1, address=""),
    session("d" * 64, 9_000, "curl/8", Strength.bypassed("unavailable", NOW - 9_000), 2, address="2001:db8::7:42"),
    session("e" * 64, 9_900, "X11; FreeBSD", Strength.duo("", NOW - 9_000)),
    OWN_SESSION,
]
BROWSERS = [
    Trust("f" * 32, "ada", "", NOW - 90_000, NOW + 90_000, SAFARI, "192.0.2.9"),
    Trust("0" * 32, "ada", "", NOW - 9_000, NOW + 900_000, FIREFOX, ""),
]


def sign_in(outcome: Outcome, *, times: int = 1, disowned: float = 0.0, number: int = 0, **facts: str) -> ListedSignIn:
    """Return a line of the list."""
    told = SignIn(outcome, **{"agent": "Firefox on Linux", "address": "192.0.2.7", **facts})
    return ListedSignIn(f"{number:016x}", told, times, NOW - 900 * times, NOW - 60, disowned)


def all_sign_ins() -> list[ListedSignIn]:
    """Return a line for each thing that can be told."""
    phone = {"agent": PHONE, "device": "SEP001122334455"}
    lines = [sign_in("signed_in", strength=level) for level in ("", "none", "duo", "trusted", "bypassed")]
    lines += [sign_in("signed_in", strength="duo", factor="duo_push", service="oracle-b")]
    lines += [sign_in(one, device="SEP001122334455") for one in get_args(Outcome) if one != "signed_in"]
    lines += [sign_in("confirmed", factor="passcode"), sign_in("phone", factor="phone_call", **phone)]
    lines += [sign_in("refused", times=57, agent="", address="2001:db8::7:42"), sign_in("refused", **phone)]
    return [*lines, sign_in("fraud", disowned=NOW - 30, times=2)]


def account_states() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield name, view and data of each state."""
    for name, page in _pages():
        form = {"form": page.form} if page.view in ("account_confirm", "account_disown") else {}
        yield name, f"{page.view}.html", {**page.data, **form}


def _pages() -> Iterator[tuple[str, Page]]:
    asked = [request_for(), request_for("rejected")]
    lines = all_sign_ins()
    yield "account", PAGES.overview(OWN, SESSIONS, BROWSERS, lines[4:], asked, CSRF, NOW, "session")
    yield "account-alone", PAGES.overview(OWN, [OWN_SESSION], [], [], [], CSRF, NOW)
    two = [OWN_SESSION, SESSIONS[0]]
    crowd = [OWN_SESSION, *(session(f"{number:064}", 900, FIREFOX, NO_STRENGTH) for number in range(21))]
    yield "account-crowd", PAGES.overview(OWN, crowd, [], [], [], CSRF, NOW)
    for result in ("sessions", "browser", "browsers"):
        yield f"account-{result}", PAGES.overview(OWN, two, BROWSERS[:1], lines[:1], [], CSRF, NOW, result)
    without = AccountPages(RULES, REGISTRY, duo=False)
    yield "account-without-duo", without.overview(OWN, two, [], lines[:2], [], CSRF, NOW, "stale")
    yield "account_confirm-sessions", PAGES.confirm("sessions", 4, CSRF)
    yield "account_confirm-session", PAGES.confirm("sessions", 1, CSRF)
    yield "account_confirm-browsers", PAGES.confirm("browsers", 2, CSRF)
    for start in (0, 10):
        yield f"account_sign_ins-{start}", PAGES.sign_ins(lines[start:], "gone" if start else "")
    yield "account_sign_ins-none", PAGES.sign_ins([])
    yield "account_disown", PAGES.disown(sign_in("signed_in", strength="duo", service="oracle-b", times=2), CSRF)
    yield "account_disown-guessed", PAGES.disown(sign_in("refused", times=57), CSRF)
    yield "account_disown-done", PAGES.disown(sign_in("signed_in", disowned=NOW), CSRF)
    yield "account_disown-done-guessed", PAGES.disown(sign_in("refused", disowned=NOW), CSRF)
    yield "account_disown-too-many", PAGES.disown(sign_in("denied"), "", too_many=True)
    proven = SESSIONS[0].ticket
    known = Preauth(PreauthResult.AUTH, devices=_DEVICES)
    yield "account_duo-devices", ENROLLING.second_factor(known, proven, SESSIONS, [])
    yield "account_duo-unproven", PAGES.second_factor(known, OWN_SESSION.ticket, [], [])
    for result in (PreauthResult.ENROLL, PreauthResult.ALLOW, PreauthResult.DENY):
        said = Preauth(result, status_message="Your account is disabled.")
        yield f"account_duo-{result.name.lower()}", ENROLLING.second_factor(said, proven, [], [])
    yield "account_duo-unavailable", PAGES.second_factor(None, proven, [], [])
