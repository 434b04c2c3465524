"""Every page in every state that a person can meet, with sample data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from casduo.messages import ENGLISH
from tests.pages.rendering import BARE_SITE, BRANDED_SITE, SITE, Site


@dataclass(frozen=True, slots=True)
class Service:
    """What a page knows of a registered service."""

    name: str = "Payroll"
    host: str = "payroll.example.edu"
    description: str | None = None
    logo: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A form that leads back into the flow, or out to a service."""

    action: str = "/cas/login"
    execution: str | None = None
    csrf: str | None = None
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Error:
    """What went wrong on the sign-in form."""

    id: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """One page in one state."""

    name: str
    view: str
    page: Mapping[str, Any]
    site: Site = SITE

    @property
    def is_error_page(self) -> bool:
        """Whether the server gives this page a reference and a time."""
        return self.view.removesuffix(".html") in ERROR_PAGES or self.name == "duo_unenrolled-nobody"


ERROR_PAGES = frozenset(
    {
        "bad_request",
        "cookies_missing",
        "duo_denied",
        "duo_restart",
        "duo_unavailable",
        "error",
        "method_not_allowed",
        "not_found",
        "service_denied",
        "service_disabled",
        "service_unregistered",
        "store_unavailable",
        "ticket_loop",
        "too_many",
    }
)

PAYROLL = Service()
LIBRARY = Service(
    "Library catalogue", "library.example.edu", "Books, journals and reading rooms", "/cas/static/logo.svg"
)
FLOW = Form(execution="e1s1-signed-and-short-lived", hidden=(("service", "https://payroll.example.edu/?a=1&b=2"),))
LOGOUT = Form(action="/cas/logout", csrf="made-for-this-session")
EVERYWHERE = Form(action="/cas/logout", csrf="made-for-this-session", hidden=(("everywhere", "true"),))
RETRY = "/cas/login?service=https%3A%2F%2Fpayroll.example.edu%2F"
WHO = {"name": "Ada Lovelace", "logout_url": "/cas/logout"}
FACTS: Mapping[str, Mapping[str, Any]] = {
    "login.error.throttled": {"seconds": 40},
    "service_denied.reason.not_yet": {"start": "2026-09-01"},
    "service_denied.reason.expired": {"end": "2026-01-31"},
}


def family(prefix: str) -> list[str]:
    """Return the ids of the texts that the server chooses from under ``prefix``."""
    return sorted(name for name in ENGLISH.messages if name.startswith(prefix))


def login(**changes: Any) -> dict[str, Any]:
    """Return the data of the sign-in form, as opened without a service and without anything wrong."""
    page = dict(service=None, form=FLOW, username="", error=None, notice=None, who=None)
    return page | dict(warn_offered=False, remember_me_offered=False) | changes


def signed_in(**changes: Any) -> dict[str, Any]:
    """Return the data of the page for Ada, signed in with her password, without applications."""
    session = {
        "since": "2026-03-04T08:15:00+01:00",
        "expires": "2026-03-04T18:15:00+01:00",
        "strength": "password",
        "factor": None,
    }
    session |= changes.pop("session", {})
    page = dict(username="ada", display_name="Ada Lovelace", applications=[], session=session)
    return page | dict(logout=LOGOUT, logout_everywhere=EVERYWHERE) | changes


def duo_denied(reason: str, status: str | None = None, form: Form | None = FLOW, ended: bool = False) -> dict[str, Any]:
    """Return the data of the page that says why Duo did not let somebody in."""
    return dict(service=PAYROLL, reason=reason, status=status, form=form, ended=ended)


def states() -> Iterator[State]:
    """Yield every page in every state."""
    yield from _login_states()
    yield from _states_around_a_session()
    yield from _states_of_a_service()
    yield from _duo_states()
    for name in ("bad_request", "not_found", "method_not_allowed", "error"):
        yield State(name, f"{name}.html", {})
    for name in ("cookies_missing", "store_unavailable"):
        yield State(name, f"{name}.html", {"retry_url": RETRY})
    yield State("too_many", "too_many.html", {"seconds": 30})


def _login_states() -> Iterator[State]:
    view = "login.html"
    yield State("login", view, login())
    yield State("login-bare", view, login(), BARE_SITE)
    yield State("login-branded", view, login(service=PAYROLL), BRANDED_SITE)
    yield State("login-service", view, login(service=LIBRARY, warn_offered=True))
    yield State("login-remember-me", view, login(service=PAYROLL, remember_me_offered=True))
    yield State("login-all-choices", view, login(warn_offered=True, remember_me_offered=True))
    yield State("login-renew", view, login(service=PAYROLL, who=WHO, username="ada"))
    yield State("login-renew-without-service", view, login(who=WHO, username="ada"))
    for name in family("login.error."):
        error = Error(name, FACTS.get(name, {}))
        yield State(name.replace(".", "-"), view, login(service=PAYROLL, username="ada", error=error))
    for name in family("login.notice."):
        yield State(name.replace(".", "-"), view, login(service=PAYROLL, username="ada", notice=name))


def signed_out(**changes: Any) -> dict[str, Any]:
    """Return the data of the sign-out page, where there was nothing to tell and there is nowhere to go."""
    return dict(continue_to=None, applications=[], frames=(), again_url="") | changes


def _states_around_a_session() -> Iterator[State]:
    applications = [
        {"name": "Payroll", "url": "https://payroll.example.edu/"},
        {"name": "Library catalogue", "url": "https://library.example.edu/"},
        {"name": "Timetable", "url": "https://timetable.example.edu/"},
    ]
    with_duo = {"strength": "duo", "factor": "factor.duo_push"}
    yield State("signed_in", "signed_in.html", signed_in(applications=applications, session=with_duo))
    yield State("signed_in-empty", "signed_in.html", signed_in(display_name=None), BARE_SITE)
    yield State("signed_in-duo", "signed_in.html", signed_in(session={"strength": "duo"}))
    yield State("signed_in-bypassed", "signed_in.html", signed_in(session={"strength": "bypassed"}))
    yield State("warn", "warn.html", {"service": LIBRARY, "form": FLOW, "cancel_url": "/cas/login"})
    ticket = Form("https://payroll.example.edu/in?a=1", hidden=(("ticket", "ST-Ab12-0123456789abcdef0123"),))
    yield State("post_response", "post_response.html", {"service": PAYROLL, "form": ticket})
    yield State("password_warning-days", "password_warning.html", {"days": 5, "logins": None, "form": FLOW})
    yield State("password_warning-grace", "password_warning.html", {"days": None, "logins": 1, "form": FLOW})
    bare = {"days": 1, "logins": None, "form": FLOW}
    yield State("password_warning-bare", "password_warning.html", bare, BARE_SITE)
    yield State("logout_confirm", "logout_confirm.html", {"form": LOGOUT})
    told = [{"name": "Payroll", "state": "told"}, {"name": "Timetable", "state": "told"}]
    mixed = [*told, {"name": "Library catalogue", "state": "failed"}, {"name": "Wiki", "state": "unsupported"}]
    go_on = {"name": "Payroll", "url": "https://payroll.example.edu/bye"}
    yield State("signed_out", "signed_out.html", signed_out())
    yield State("signed_out-told", "signed_out.html", signed_out(applications=told))
    yield State("signed_out-mixed", "signed_out.html", signed_out(applications=mixed))
    yield State("signed_out-going-on", "signed_out.html", signed_out(continue_to=go_on, applications=told))
    by_browser = [*told, {"name": "Wiki", "state": "browser"}]
    yield State("signed_out-by-browser", "signed_out.html", signed_out(applications=by_browser))
    waiting = [*told, {"name": "Library catalogue", "state": "waiting"}]
    asking = signed_out(applications=waiting, again_url="/cas/logout/told?key=abc")
    yield State("signed_out-waiting", "signed_out.html", asking)


def _states_of_a_service() -> Iterator[State]:
    yield State("service_unregistered", "service_unregistered.html", {"host": "games.example.net"})
    for name, reason in (("", None), ("-reason", "Closed for the yearly balance until 7 January.")):
        yield State(f"service_disabled{name}", "service_disabled.html", {"service": PAYROLL, "reason": reason})
    for name in family("service_denied.reason."):
        page = {"service": PAYROLL, "reason": name, "facts": FACTS.get(name, {}), "switch_url": RETRY}
        page |= {"explanation": None, "contact": None if name.endswith("rule") else "payroll@example.edu"}
        yield State(name.replace(".", "-"), "service_denied.html", page)
    loop = {"service": PAYROLL, "contact": "payroll@example.edu", "returned": False, "retry_url": RETRY}
    yield State("ticket_loop", "ticket_loop.html", loop)
    yield State("ticket_loop-returned", "ticket_loop.html", loop | {"contact": None, "returned": True}, BARE_SITE)
    explained = page | {"explanation": "Payroll is for staff. Students find their grants under Scholarships."}
    yield State("service_denied-explained", "service_denied.html", explained)


def _duo_states() -> Iterator[State]:
    yield State("duo_unavailable", "duo_unavailable.html", {"service": PAYROLL, "form": FLOW})
    for name in family("duo_denied.reason."):
        again = FLOW if name.endswith(("refused", "timeout")) else None
        status = "Your account is disabled." if name.endswith("policy") else None
        yield State(name.replace(".", "-"), "duo_denied.html", duo_denied(name, status, again))
    for name, ended in (("bare", False), ("ended", True)):
        denied = duo_denied("duo_denied.reason.policy", form=None, ended=ended)
        yield State(f"duo_denied-{name}", "duo_denied.html", denied, BARE_SITE)
    unenrolled = {"service": PAYROLL, "enrolment_url": "https://kb.example.edu/duo", "continue_url": RETRY}
    yield State("duo_unenrolled", "duo_unenrolled.html", unenrolled)
    yield State("duo_unenrolled-nobody", "duo_unenrolled.html", unenrolled | {"enrolment_url": None})
    yield State("duo_restart", "duo_restart.html", {"retry_url": RETRY})


STATES = tuple(states())
