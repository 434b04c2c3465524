"""Every page in every state that a person can meet, with sample data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from casduo.messages import ENGLISH
from tests.pages.account_states import account_states
from tests.pages.admin_states import main_states, other_states
from tests.pages.approval_states import approval_states
from tests.pages.enroll_states import enroll_states
from tests.pages.rendering import BARE_SITE, BRANDED_SITE, SITE, Site
from tests.pages.service_states import other_service_states, service_states


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
    """What went wrong on the sign-in form, or on the built-in Duo page, where Duo may have had a word to say."""

    id: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    said: str | None = None


@dataclass(frozen=True, slots=True)
class State:
    """One page in one state. ``browsed``: it is looked at in a browser, and not another one that is laid out alike."""

    name: str
    view: str
    page: Mapping[str, Any]
    site: Site = SITE
    browsed: bool = True

    @property
    def is_error_page(self) -> bool:
        """Whether the server gives this page a reference and a time."""
        return self.view.removesuffix(".html") in ERROR_PAGES or self.name in (
            "duo_unenrolled-nobody",
            "login-error-busy",
            "login-error-unavailable",
        )


ERROR_PAGES = frozenset(
    {
        "admin/denied",
        "bad_request",
        "too_large",
        "cookies_missing",
        "duo_denied",
        "duo_refused",
        "duo_restart",
        "duo_unavailable",
        "enroll_problem",
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
DATABASE = Service("OracleLinux_SystemB", "gateway.example.edu", "Database of the registrar's office")
FLOW = Form(execution="e1s1-signed-and-short-lived", hidden=(("service", "https://payroll.example.edu/?a=1&b=2"),))
LOGOUT = Form(action="/cas/logout", csrf="made-for-this-session")
EVERYWHERE = Form(action="/cas/logout", csrf="made-for-this-session", hidden=(("everywhere", "true"),))
ENROLL = Form(action="/cas/enroll/code", csrf="made-for-this-session")
RETRY = "/cas/login?service=https%3A%2F%2Fpayroll.example.edu%2F"
WHO = {"name": "Ada Lovelace", "logout_url": "/cas/logout"}
FACTS: Mapping[str, Mapping[str, Any]] = {
    "login.error.throttled": {"seconds": 40},
    "duo_push.error.throttled": {"seconds": 40},
    "duo_push.error.limited": {"seconds": 40},
    "duo_push.notice.sent": {"device": "iPhone of Ada (\N{BULLET}\N{BULLET}\N{BULLET} 42)"},
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
    page = dict(username="ada", display_name="Ada Lovelace", applications=[], account_url="/cas/account/")
    page |= dict(targets=[], requests_url=None, approvals_url=None)
    return page | dict(logout=LOGOUT, logout_everywhere=EVERYWHERE) | changes


def remote_access() -> dict[str, Any]:
    """Return what the page for Ada says of machines, one for each way to stand with one."""
    until, start = "2026-03-04T15:30:00+01:00", "2026-03-05T14:00:00+01:00"
    request = "/cas/requests/k3Jq9sLxA0vB7dQe"
    standings = (
        ("OracleLinux_SystemB", "open", until, request),
        ("Backup of the library", "pending", None, request),
        ("Mail relay", "early", start, request),
        ("Timetable database", "none", None, None),
        ("Print server", "over", None, request),
        ("Jump host", "free", None, None),
    )
    targets = [
        {"name": name, "url": "https://gateway.example.edu/", "state": state, "at": at, "request_url": url}
        | {"host": f"{state}.example.edu", "ip": "172.16.200.53", "account": "" if state == "free" else "root"}
        for name, state, at, url in standings
    ]
    return {"targets": targets, "requests_url": "/cas/requests", "approvals_url": "/cas/approvals"}


def duo_denied(reason: str, status: str | None = None, form: Form | None = FLOW, ended: bool = False) -> dict[str, Any]:
    """Return the data of the page that says why Duo did not let somebody in."""
    return dict(service=PAYROLL, reason=reason, status=status, form=form, ended=ended)


IPHONE, TABLET = "iPhone of Ada (\N{BULLET}\N{BULLET}\N{BULLET} 42)", "Tablet"
STEP = "/cas/login/step?execution=r.3f.Zm9v.1&service=https%3A%2F%2Fpayroll.example.edu%2F"
STATUS = "/cas/duo/push/status?key=signed"


def ways(again: str = "push:DP1") -> list[dict[str, Any]]:
    """Return what Ada can be sent: to her phone, and to a tablet that takes pushes only."""
    listed = [("push:DP1", IPHONE), ("push:DP2", TABLET), ("phone:DP1", IPHONE), ("sms:DP1", IPHONE)]
    return [
        {"value": value, "kind": value.partition(":")[0], "device": device, "again": value == again}
        for value, device in listed
    ]


def request(**changes: Any) -> dict[str, Any]:
    """Return a push under way to Ada's phone."""
    made = {"factor": "push", "device": IPHONE, "seconds": 45, "code": "", "status": "pushed"}
    return made | {"said": "Pushed a login request to your device..."} | changes


def duo_push(state: str, **changes: Any) -> dict[str, Any]:
    """Return the data of the built-in Duo page, for Ada on her way to Payroll."""
    page = dict(service=PAYROLL, form=FLOW, state=state, request=None, error=None, notice=None, ways=ways())
    page |= dict(again_in=0, tries=None, wait=0, passcodes=True, digits_only=True, other=None, continue_url=RETRY)
    page |= dict(status_url="", refresh_url=STEP, still_url=f"{STEP}&still=1")
    page |= dict(default_way="push:DP1", default_device=IPHONE)
    if changes.get("request"):
        page |= dict(status_url=STATUS, again_in=15)
    return page | changes


def states() -> Iterator[State]:
    """Yield every page in every state."""
    yield from _login_states()
    yield from _states_around_a_session()
    yield from _states_of_a_service()
    yield from _duo_states()
    for name, view, page in enroll_states(PAYROLL, ENROLL):
        yield State(name, view, page)
    for name, view, page in account_states():
        yield State(name, view, page)
    for name, view, page in approval_states(DATABASE, FLOW):
        yield State(name, view, page)
    for name in ("bad_request", "not_found", "method_not_allowed", "error"):
        yield State(name, f"{name}.html", {})
    for name in ("cookies_missing", "store_unavailable"):
        yield State(name, f"{name}.html", {"retry_url": RETRY})
    yield State("too_many", "too_many.html", {"seconds": 30})
    yield State("too_large", "too_large.html", {"most": 64})


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
    yield State("signed_in", "signed_in.html", signed_in(applications=applications))
    yield State("signed_in-empty", "signed_in.html", signed_in(display_name=None), BARE_SITE)
    yield State("signed_in-targets", "signed_in.html", signed_in(applications=applications[:1], **remote_access()))
    deciding = signed_in(requests_url=None, approvals_url="/cas/approvals")
    yield State("signed_in-deciding", "signed_in.html", deciding)
    yield State("warn", "warn.html", {"service": LIBRARY, "form": FLOW, "cancel_url": "/cas/login"})
    ticket = Form("https://payroll.example.edu/in?a=1", hidden=(("ticket", "ST-Ab12-0123456789abcdef0123"),))
    yield State("post_response", "post_response.html", {"service": PAYROLL, "form": ticket})
    yield State("password_warning-days", "password_warning.html", {"days": 5, "logins": None, "form": FLOW})
    yield State("password_warning-grace", "password_warning.html", {"days": None, "logins": 1, "form": FLOW})
    yield State("password_warning-today", "password_warning.html", {"days": 0, "logins": None, "form": FLOW})
    yield State("password_warning-last", "password_warning.html", {"days": None, "logins": 0, "form": FLOW})
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
    unenrolled |= {"expires": 60}
    yield State("duo_unenrolled", "duo_unenrolled.html", unenrolled)
    nobody = unenrolled | {"enrolment_url": None, "expires": None}
    yield State("duo_unenrolled-nobody", "duo_unenrolled.html", nobody)
    yield State("duo_refused", "duo_refused.html", {"service": PAYROLL, "sign_in_url": RETRY})
    yield State("duo_restart", "duo_restart.html", {"retry_url": RETRY})
    for days in (1, 30):
        yield State(f"duo_trust-{days}", "duo_trust.html", {"service": PAYROLL, "days": days, "form": FLOW})
    yield from _duo_push_states()


def _duo_push_states() -> Iterator[State]:
    for name, page in _duo_push_pages():
        yield State(f"duo_push-{name}", "duo_push.html", page)


def _duo_push_pages() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "ready", duo_push("ready")
    calling = dict(default_way="phone:DP1", ways=ways("phone:DP1"))
    yield "ready-phone", duo_push("ready", **calling)
    yield "sending", duo_push("waiting", request=request(seconds=60, status="", said=""), again_in=30)
    yield "waiting", duo_push("waiting", request=request())
    yield "waiting-again", duo_push("waiting", request=request(seconds=20), again_in=0)
    yield "waiting-still", duo_push("waiting", request=request(), still_url="")
    yield "waiting-over", duo_push("waiting", request=request(seconds=0), again_in=0)
    yield "waiting-undelivered", duo_push("waiting", request=request(status="push_failed", said=""))
    said = "Please enter verification code 427 into Duo Mobile..."
    yield "waiting-number", duo_push("waiting", request=request(code="427", said=said))
    yield "waiting-long-number", duo_push("waiting", request=request(code="427195"))
    yield "waiting-unnamed", duo_push("waiting", request=request(device=""), ways=ways()[:1], digits_only=False)
    phone = dict(ways=ways("phone:DP1"))
    call = request(factor="phone", status="calling", said="Dialing XXX-XXX-0142...")
    yield "calling", duo_push("waiting", request=call, **phone)
    yield "calling-soon", duo_push("waiting", request=call | {"status": "", "said": ""}, **phone)
    answered = call | {"status": "answered", "said": "Press any key on your phone to log in."}
    yield "calling-answered", duo_push("waiting", request=answered, again_in=0, **phone)
    wrong = Error("duo_push.error.passcode", said="Invalid passcode, please try again.")
    yield "waiting-wrong-passcode", duo_push("waiting", request=request(), error=wrong, tries=4)
    sent = Error("duo_push.notice.sent", FACTS["duo_push.notice.sent"], "New SMS passcodes sent.")
    yield "waiting-codes-sent", duo_push("waiting", request=request(), notice=sent, ways=ways("sms:DP1"))
    yield "denied", duo_push("denied", error=Error("duo_push.error.denied", said="Login request denied."))
    yield "denied-before", duo_push("denied", notice=sent, ways=ways("sms:DP1"))
    yield "timeout", duo_push("timeout", error=Error("duo_push.error.timeout", said="Login timed out."))
    called = dict(error=Error("duo_push.error.timeout"), **phone)
    yield "timeout-phone", duo_push("timeout", **called)
    yield "codes", duo_push("codes", ways=[], default_way="", default_device="")
    yield "codes-with-letters", duo_push("codes", ways=ways(""), digits_only=False)
    yield "codes-sent", duo_push("codes", notice=sent, ways=ways("sms:DP1"), tries=1)
    unnamed = Error("duo_push.notice.sent", {"device": ""})
    yield "codes-sent-unnamed", duo_push("codes", notice=unnamed, ways=ways("sms:DP1"))
    yield "fallback", duo_push("waiting", request=request(), notice=Error("duo_push.notice.fallback"))
    for name in ("passcode", "reused", "unreadable", "throttled", "no_device", "unfollowed", "gone"):
        error = Error(f"duo_push.error.{name}", FACTS.get(f"duo_push.error.{name}", {}))
        yield f"codes-{name}", duo_push("codes", error=error)
    for tries in (1, 3):
        counted = Error("duo_push.error.passcode", {"tries": tries})
        yield f"codes-passcode-{tries}", duo_push("codes", error=counted)
    limited = Error("duo_push.error.limited", FACTS["duo_push.error.limited"])
    yield "limited", duo_push("limited", error=limited, wait=40)
    yield "limited-without-error", duo_push("limited", wait=1)
    yield "limited-no-passcodes", duo_push("limited", error=limited, wait=40, passcodes=False)
    yield "pending", duo_push("pending", other="Timetable")
    yield "pending-unnamed", duo_push("pending", **phone)
    yield "signed_in", duo_push("signed_in", error=Error("duo_push.error.timeout"))


STATES = (
    *states(),
    *(State(f"admin_{name}", f"admin/{view}.html", data) for name, view, data in (*main_states(), *service_states())),
    *(
        State(f"admin_{name}", f"admin/{view}.html", data, browsed=False)
        for name, view, data in (*other_states(), *other_service_states())
    ),
)
