"""The administration pages in every state that an operator can meet, with sample data; ``states.py`` takes them from
here. Rows are made as the server makes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

from casduo.admin.audit import FIELDS as AUDIT_FIELDS
from casduo.admin.drawing import drawing_of
from casduo.admin.rows import (
    destination_row,
    entry_row,
    failure_row,
    finding_row,
    letter_row,
    outbox_facts,
    request_row,
    told_row,
)
from casduo.admin.sessions import FIELDS, session_row
from casduo.approvals.model import State
from casduo.diagnosis.model import Finding
from casduo.endpoints.admin.routes import PAGES
from casduo.events.audit_line import START, read_line, written_line
from casduo.events.messages import Message
from casduo.events.model import SignInRefused, Subject
from casduo.events.outbox_model import DeadLetter, DestinationLine, OutboxStatus, Reason
from casduo.events.record import record_of
from casduo.explanation.failures import explain_failures
from casduo.mfa.strength import Strength
from casduo.protocol.failures import Failure
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.tickets.finding import FoundSession
from casduo.tickets.ids import SessionName
from casduo.tickets.ledger import ServiceLine, Telling
from casduo.tickets.model import TicketGrantingTicket, Visit
from casduo.webflow.effects import Form
from casduo.webflow.flows import FLOWS
from tests.pages.approval_states import ZONE, at, request_for

REGISTRY = Registry(
    tuple(
        RegisteredService.model_validate({"id": name.lower(), "name": name, "url": f"https://{name}.example.edu/**"})
        for name in ("Payroll", "Library")
    ),
    "1f5aa8c0ffee",
)
NOW = at("wed 11:40")
REFERENCE = "AB2C-3D4E"
FORM = Form("/cas/admin/sessions/end", (("user", "grace"),), csrf="made-for-this-session")
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def framed(*, may_change: bool = True, **data: Any) -> dict[str, Any]:
    """Return the data of a page with what the frame shows."""
    listed = [(f"/cas{page.path}", page.title) for page in PAGES if page.title]
    frame = {
        "navigation": [{"url": url, "title": title, "current": title.endswith("sessions")} for url, title in listed],
        "person": "Ada Lovelace",
        "may_change": may_change,
        "home_url": "/cas/login",
    }
    return {**data, "frame": frame}


def session_for(**changes: Any) -> FoundSession:
    """Return a session of Grace's, who was in two applications."""
    visits = tuple(Visit(f"ST-{name}", f"https://{name}.example.edu/", name) for name in ("payroll", "library"))
    ticket = TicketGrantingTicket(
        "grace",
        {"displayName": ("Grace Hopper",)},
        "ldap",
        NOW - 3600,
        Strength.duo("duo_push", NOW - 3600),
        address="192.0.2.7",
        agent=AGENT,
        used_at=NOW - 60,
    )
    kept = {name: changes.pop(name) for name in ("visits",) if name in changes}
    return FoundSession(
        SessionName("Ab1c", "5add143d" * 8), replace(ticket, **changes), NOW + 3600, kept.get("visits", visits)
    )


def row(*, own: bool = False, **changes: Any) -> dict[str, Any]:
    """Return a row of the list of sessions."""
    pages, end = "/cas/admin/sessions", "/cas/admin/sessions/end"
    return session_row(session_for(**changes), REGISTRY, ZONE, own=own, pages=pages, end=end)


def sessions(*, may_change: bool = True, **changes: Any) -> dict[str, Any]:
    """Return the data of the page about sessions, as it opens."""
    data: dict[str, Any] = {
        "search": dict.fromkeys(FIELDS, ""),
        "problems": {},
        "asked": False,
        "sessions": [],
        "total": 0,
        "more": False,
        "pages": {"page": 1, "of": 1, "before": None, "after": None},
        "end_url": None,
        "ended": None,
        "search_url": "/cas/admin/sessions",
    }
    return framed(may_change=may_change, **(data | changes))


def sessions_end(**changes: Any) -> dict[str, Any]:
    """Return the data of the page on which all sessions of Grace are ended."""
    data: dict[str, Any] = {
        "back_url": "/cas/admin/sessions?user=grace",
        "total": 2,
        "people_total": 1,
        "people": ("grace",),
        "more_people": 0,
        "more": False,
        "search": {"user": "grace", "address": "", "service": ""},
        "one": None,
        "trusted": True,
        "own": False,
        "longest": 500,
        "form": FORM,
    }
    return framed(**(data | changes))


def finding(level: Any) -> dict[str, str]:
    """Return an examination."""
    return finding_row(
        Finding(
            "Duo", "keys", level, "the keys are refused", "refused", "The secret was changed.", "Write the new one."
        )
    )


def overview(**changes: Any) -> dict[str, Any]:
    """Return the data of the first page, where all is well."""
    ids = ("services", "waiting", "open", "outbox", "dead")
    counts = [
        {"id": f"admin.overview.{name}", "count": place, "url": f"/cas/admin/{name}" if place else None}
        for place, name in enumerate(ids)
    ]
    data: dict[str, Any] = {"level": "ok", "findings": [], "rejected": 0, "counts": counts, "stopped": False}
    data |= {"health_url": "/cas/admin/health", "outbox_url": "/cas/admin/outbox"}
    return framed(**(data | changes))


def approvals(view: str, *, filled: bool) -> dict[str, Any]:
    """Return the data of the list of requests."""
    stages: tuple[State, ...] = ("pending", "approved", "rejected", "cancelled") if filled else ()
    url = "/cas/admin/approvals/1"
    listed = [{**request_row(request_for(stage), ZONE, at("wed 10:30")), "url": url} for stage in stages]
    words = ("waiting", "open", "all")
    views = [{"name": name, "url": f"/cas/admin/approvals?show={name}", "current": name == view} for name in words]
    return framed(view=view, views=views, requests=listed, more=filled)


def approval(state: Any, **changes: Any) -> dict[str, Any]:
    """Return the data of the page of a request."""
    data = {
        "request": request_row(request_for(state), ZONE, NOW)
        | {"comment": "Only today." if state == "rejected" else ""},
        "may_cancel": state == "pending",
        "late": False,
        "list_url": "/cas/admin/approvals",
        "longest": 500,
        "form": FORM,
    }
    return framed(**(data | changes))


def outbox(**changes: Any) -> dict[str, Any]:
    """Return the data of the page about messages, with nothing to do."""
    data: dict[str, Any] = {
        "outbox": outbox_facts(OutboxStatus(0, 0, 0, 0.0, 0, 0.0, 0.0, 0, ""), ZONE, NOW),
        "used": True,
        "destinations": [],
        "letters": [],
        "more": False,
        "done": None,
        "longest": 500,
        "form": FORM,
    }
    return framed(**(data | changes))


def full_outbox() -> dict[str, Any]:
    """Return the data where everything has gone wrong."""
    status = OutboxStatus(2, 7, 1, 90.0, 5, NOW + 60, NOW - 600, 401, "unauthorized")
    message = Message("event:post", "room:Y2lzY29zcGFyazovL3Vz", "post", {}, created=NOW)
    letters = [
        DeadLetter(replace(message, id=f"event-{word}:post"), NOW, word, 3, 400, "bad request")
        for word in get_args(Reason)
    ]
    lines = [DestinationLine("person:ada@example.edu", 3, 90.0, 1, NOW + 60), DestinationLine("room:R", 4, 30.0, 0, 0)]
    return outbox(
        outbox=outbox_facts(status, ZONE, NOW),
        destinations=[destination_row(line, ZONE, NOW) for line in lines],
        letters=[letter_row(letter, ZONE) for letter in letters],
        more=True,
    )


def signouts(**changes: Any) -> dict[str, Any]:
    """Return the data of the page about sign-outs, as it opens."""
    data = dict(service="", name="", asked=False, problems={}, lines=[], search_url="/cas/admin/signouts")
    return framed(**(data | changes))


def told() -> list[dict[str, Any]]:
    """Return what an application was told, one line of each kind."""
    tellings = [
        Telling("told", 200, "", 40, 1, NOW),
        Telling("failed", 500, "refused", 5000, 3, NOW),
        Telling("unsupported", 0, "none", 0, 0, NOW),
        Telling("browser", 0, "", 0, 0, NOW),
        Telling("waiting", 0, "", 0, 0, NOW),
    ]
    return [told_row(ServiceLine("ST-\N{HORIZONTAL ELLIPSIS}4k2P", telling), ZONE) for telling in tellings]


def failures(**changes: Any) -> dict[str, Any]:
    """Return the data of the page about failed validations, as it opens."""
    data: dict[str, Any] = dict(service="", name="", asked=False, problems={}, failures=[])
    data |= dict(search_url="/cas/admin/failures", unregistered_url="/cas/admin/failures?service=unregistered")
    return framed(**(data | changes))


def failed() -> list[dict[str, Any]]:
    """Return failed validations: one with two addresses, and two alike."""
    one = Failure(
        NOW,
        "payroll",
        "p3/serviceValidate",
        "INVALID_SERVICE",
        "service",
        "another service",
        "192.0.2.80",
        REFERENCE,
        "ST-\N{HORIZONTAL ELLIPSIS}4k2P",
        "https://payroll.example.edu/?a=[1]",
        "https://payroll.example.edu/",
        "query",
    )
    other = Failure(NOW - 9, "payroll", "serviceValidate", "INVALID_TICKET", "unknown", "not known", "192.0.2.80")
    return [failure_row(each, ZONE) for each in explain_failures([one, other, replace(other, at=NOW - 10)])]


def audit(**changes: Any) -> dict[str, Any]:
    """Return the data of the page about the audit trail, of which a line was read."""
    line, _ = written_line(
        record_of(SignInRefused(Subject(REFERENCE, "192.0.2.7", "ada", "payroll"), "wrong"), NOW), START
    )
    data: dict[str, Any] = {
        "search": dict.fromkeys(AUDIT_FIELDS, ""),
        "problems": {},
        "switched_off": False,
        "unreadable": False,
        "entries": [entry_row(read_line(line), ZONE)],
        "looked_at": 1,
        "damaged": 0,
        "chained": True,
        "oldest": "2026-03-04T11:40:31+01:00",
        "older_url": "/cas/admin/audit?before=1-1-300",
        "newest_url": None,
        "search_url": "/cas/admin/audit",
    }
    return framed(**(data | changes))


def flow(name: str) -> dict[str, Any]:
    """Return the data of the page of a flow."""
    found = FLOWS[name]
    states = [
        {
            "name": state.name,
            "kind": state.kind.value,
            "function": state.function,
            "flow_url": f"/cas/admin/flows/{state.function}" if state.kind.value == "subflow" else None,
            "on": list(state.on.items()),
        }
        for state in found.rows
    ]
    flows = [{"name": one, "url": f"/cas/admin/flows/{one}", "current": one == name} for one in FLOWS]
    return framed(name=name, flows=flows, first=found.first, states=states, drawing=drawing_of(found))


def again(why: str, **changes: Any) -> dict[str, Any]:
    """Return the data of the page that hands back what was typed."""
    data = dict(
        why=why, with_duo=True, sign_in_url="/cas/login?service=x", page_url="/cas/admin/outbox", typed=(), form=None
    )
    return data | changes


def main_states() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield name, view and data of the states that are looked at in a browser."""
    trouble = [finding("fault"), finding("attention")]
    typed = ({"name": "reason", "value": "A stolen laptop."}, {"name": "user", "value": "grace"})
    found = [
        row(own=True),
        row(strength=Strength(), remembered=True, visits=()),
        row(strength=Strength.bypassed("x", NOW)),
    ]
    yield "overview", "overview", overview(level="fault", findings=trouble, rejected=2, stopped=True)
    middle = {"page": 2, "of": 4, "before": "/cas/admin/sessions?page=1", "after": "/cas/admin/sessions?page=3"}
    yield (
        "sessions",
        "sessions",
        sessions(sessions=found, asked=True, total=302, more=True, end_url="/x", ended=1, pages=middle),
    )
    wrong = {"address": "admin.sessions.error.address", "service": "admin.sessions.error.service"}
    yield "sessions-wrong", "sessions", sessions(problems=wrong)
    yield "sessions_end", "sessions_end", sessions_end(own=True, one=row())
    yield "sessions_end-more", "sessions_end", sessions_end(more=True, total=500)
    yield "approvals", "approvals", approvals("all", filled=True)
    yield "approval", "approval", approval("pending")
    yield "outbox", "outbox", full_outbox()
    yield "signouts", "signouts", signouts(service="payroll", name="Payroll", asked=True, lines=told())
    yield "failures", "failures", failures(service="payroll", name="Payroll (payroll)", asked=True, failures=failed())
    yield (
        "health",
        "health",
        framed(
            at="2026-03-04T11:40:31+01:00",
            findings=[*trouble, finding("ok")],
            version="1f5aa8c0ffee",
            services=2,
            rejected=["registry.yaml:3:5: error: unknown key"],
        ),
    )
    yield "flows", "flows", flow("logout")
    yield "audit", "audit", audit()
    yield "denied", "denied", {"person": "grace", "why": "no_role", "back_url": "/cas/login"}
    yield "again", "again", again("session", typed=typed)


def other_states() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield those that differ by a sentence."""
    yield "overview-well", "overview", overview()
    yield "sessions-empty", "sessions", sessions()
    yield "sessions-none", "sessions", sessions(asked=True, may_change=False, ended=0, more=True)
    yield "sessions-wide", "sessions", sessions(problems={"address": "admin.sessions.error.wide"})
    many = dict.fromkeys(FIELDS, "") | {"address": "192.0.2.0/24", "service": "payroll"}
    yield "sessions-many", "sessions", sessions(sessions=[{**row(), "more_services": 3}], total=1, asked=True)
    people = {"people": ("ada", "grace"), "people_total": 30, "more_people": 28, "total": 40, "more": True}
    yield "sessions_end-many", "sessions_end", sessions_end(search=many, trusted=False, **people)
    yield "sessions_end-more", "sessions_end", sessions_end(more=True)
    nothing = {"total": 0, "people_total": 0, "people": (), "trusted": False, "form": None}
    yield "sessions_end-none", "sessions_end", sessions_end(**nothing)
    for view in ("waiting", "open", "all"):
        yield f"approvals-{view}", "approvals", approvals(view, filled=False)
    yield "approval-late", "approval", approval("rejected", late=True)
    yield "outbox-empty", "outbox", outbox(used=False)
    for word in ("retried", "dropped", "nothing"):
        yield f"outbox-{word}", "outbox", outbox(done=word)
    yield "signouts-empty", "signouts", signouts()
    yield "signouts-none", "signouts", signouts(service="payroll", name="Payroll", asked=True)
    yield "failures-empty", "failures", failures()
    yield "failures-none", "failures", failures(service="payroll", asked=True)
    yield "failures-wrong", "failures", failures(problems={"service": "admin.failures.error.service"})
    yield "flows-login", "flows", flow("login")
    yield "audit-off", "audit", audit(switched_off=True)
    yield "audit-unreadable", "audit", audit(unreadable=True)
    yield "audit-damaged", "audit", audit(damaged=1, chained=False, newest_url="/cas/admin/audit")
    yield "audit-unchained", "audit", audit(chained=False)
    yield "audit-none", "audit", audit(entries=[], looked_at=2)
    wrong = {"kind": "admin.audit.error.kind", "from": "admin.audit.error.day", "until": "admin.audit.error.order"}
    wrong["search"] = "admin.audit.error.before"
    yield "audit-wrong", "audit", audit(problems=wrong)
    yield "denied-view", "denied", {"person": "grace", "why": "only_view", "back_url": "/cas/admin/"}
    yield "denied-bypass", "denied", {"person": "grace", "why": "bypass", "back_url": "/cas/login"}
    yield "again-duo", "again", again("fresh", form=FORM)
    yield "again-password", "again", again("fresh", with_duo=False, form=FORM)
    yield "again-form", "again", again("form")
