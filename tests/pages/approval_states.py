"""The pages about requests for access in every state that a person can meet, with sample data; ``states.py`` takes them
from here. What the server makes itself is made as the server does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from casduo.approvals.asking import PROBLEMS
from casduo.approvals.model import ApprovalRequest, Decision, State, Target
from casduo.approvals.pages import ApprovalPages
from casduo.approvals.terms import ApprovalTerms
from casduo.rules import LoginRules
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.webflow.effects import Page

ZONE = ZoneInfo("Europe/Berlin")
RULES = LoginRules("/cas", approvals=ApprovalTerms(ZONE, "Europe/Berlin"))
PAGES = ApprovalPages(RULES)
TARGET = Target("OracleLinux_SystemB", "172.16.200.53", "root")
URL = "https://gateway.example.edu/targets/oracle-b"
ENTRY = RegisteredService.model_validate(
    {
        "id": "oracle-b",
        "name": "OracleLinux_SystemB",
        "description": "Database of the registrar's office",
        "url": URL,
        "requires_approval": {"approvers": ["grace@example.edu"]},
        "target": {"host": TARGET.host, "ip": TARGET.ip, "account": TARGET.account},
    }
)
REGISTRY = Registry((ENTRY,), "v1")
NOBODY_S = Registry((), "v2")
REASON = "The disk of the database is full since the night, ticket 4711."
STATUS, PAGE, REQUEST_ID = "/cas/requests/k3Jq9sLxA0vB7dQe/status", "/cas/requests/k3Jq9sLxA0vB7dQe", "k3Jq9sLxA0vB7dQe"


def at(text: str) -> float:
    """Return a local time of the week of the samples, such as ``wed 14:30``, in epoch seconds."""
    day, _, clock = text.partition(" ")
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return datetime.fromisoformat(f"2026-03-{2 + days.index(day):02}T{clock}").replace(tzinfo=ZONE).timestamp()


NOW = at("wed 10:22")


def request_for(state: State = "pending", **changes: Any) -> ApprovalRequest:
    """Return Ada's request for this afternoon, decided by Grace where it is decided."""
    made = ApprovalRequest(
        id=REQUEST_ID,
        nonce="nonce",
        principal="ada",
        name="Ada Lovelace",
        emails=("ada@example.edu",),
        service=ENTRY.id,
        service_name=ENTRY.name,
        url=URL,
        target=TARGET,
        start=at("wed 14:00"),
        end=at("wed 15:30"),
        reason=REASON,
        created=at("wed 10:20"),
        expires=at("wed 11:20"),
        room="",
        address="192.0.2.7",
        state=state,
        decision=decision(state) if state in ("approved", "rejected") else None,
    )
    return replace(made, **changes)


def decision(state: str, **changes: Any) -> Decision:
    """Return what Grace decided on our page."""
    made = Decision(
        "approved" if state == "approved" else "rejected",
        *("grace@example.edu", "Grace Hopper", "grace", "portal"),
        at("wed 10:21"),
    )
    return replace(made, **changes)


def data(page: Page) -> dict[str, Any]:
    """Return the data of a page as a view gets it; some have a form in some of their states."""
    return {**page.data, "form": page.form} if page.view in ("request", "approval") else dict(page.data)


def approval_form(service: object, form: object, **changes: Any) -> dict[str, Any]:
    """Return the data of the form for a request, as it opens."""
    values = dict(start_date="2026-03-04", start_time="10:22", end_date="2026-03-04", end_time="11:22", reason="")
    page = dict(service=service, form=form, target=target(), longest_minutes=120, ahead_days=30, waits_minutes=60)
    page |= dict(zone="Europe/Berlin", first_date="2026-03-04", last_date="2026-04-03", values=values, problems=[])
    return page | dict(refused=0, cancel_url="/cas/login") | changes


def target() -> dict[str, str]:
    """Return the machine as the flow hands it over."""
    return {"host": TARGET.host, "ip": TARGET.ip, "account": TARGET.account}


def problem(word: str, field: str | None = None) -> dict[str, Any]:
    """Return what is wrong with a form, as the flow hands it over."""
    facts = {"too_long": {"minutes": 120}, "reason_long": {"limit": 500}}.get(word, {})
    message = f"approval_form.problem.{word}"
    assert message in PROBLEMS
    fields = {"end_missing": "end", "end_before_start": "end", "too_long": "end"}
    own = fields.get(word, "reason" if word.startswith("reason") else "start")
    return {"field": field or own, "message": message, "facts": facts}


def approval_review(service: object, form: object, **changes: Any) -> dict[str, Any]:
    """Return the data of the page before a request is sent."""
    page = dict(service=service, form=form, target=target(), zone="Europe/Berlin", reason=REASON)
    page |= dict(start="2026-03-04T14:00:00+01:00", end="2026-03-04T15:30:00+01:00")
    return page | changes


def approval_not_now(service: object, reason: str, **changes: Any) -> dict[str, Any]:
    """Return the data of the page that says why no request is taken."""
    return dict(service=service, target=target(), reason=reason, requests_url="/cas/requests", until=None) | changes


def request_page(request: ApprovalRequest, now: float = NOW, registry: Registry = REGISTRY, **more: Any) -> Any:
    """Return the data of the page of a request."""
    return data(PAGES.request(request, registry, "made-for-this-session", now, **more))


def approval_page(
    request: ApprovalRequest, now: float = NOW, earlier: tuple[ApprovalRequest, ...] = (), **more: Any
) -> dict[str, Any]:
    """Return the data of the page on which a request is decided; Grace looks."""
    more = {"own": False, "mine": False} | more
    return data(PAGES.approval(request, (request, *earlier), "made-for-this-session", now, **more))


def earlier_ones() -> tuple[ApprovalRequest, ...]:
    """Return what Ada asked for before, for the same service."""
    before = dict(created=at("mon 09:00"), start=at("mon 10:00"), end=at("mon 11:00"))
    refused = decision("rejected", comment="Ask the owner of the database first.")
    return (
        request_for("rejected", id="second0000000000", decision=refused, **before),
        request_for("expired", id="third00000000000", **before),
        request_for("approved", id="first00000000000", **before),
    )


def approval_states(service: object, form: object) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield name, view and data of each state.

    :param service: what people ask for
    :param form: the form of the pages of the flow
    """
    yield from _form_states(service, form)
    yield "approval_review", "approval_review.html", approval_review(service, form)
    yield "approval_review-bare", "approval_review.html", approval_review(service, form, target=None)
    until = "2026-03-05T10:22:00+01:00"
    for name, reason, changes in (
        ("open_requests", "open_requests", {}),
        ("refusals", "refusals", {"until": until}),
        ("refusals-bare", "refusals", {"target": None}),
    ):
        yield f"approval_not_now-{name}", "approval_not_now.html", approval_not_now(service, reason, **changes)
    yield from _states_for_who_asked()
    yield from _states_for_who_decides()


def _form_states(service: object, form: object) -> Iterator[tuple[str, str, dict[str, Any]]]:
    view = "approval_form.html"
    yield "approval_form", view, approval_form(service, form)
    yield "approval_form-bare", view, approval_form(service, form, target=None, refused=1, ahead_days=0)
    days = dict(longest_minutes=2880, waits_minutes=1440, refused=2, ahead_days=1)
    yield "approval_form-days", view, approval_form(service, form, **days)
    yield "approval_form-minutes", view, approval_form(service, form, longest_minutes=90, waits_minutes=1)
    typed = dict(start_date="2026-03-04", start_time="10:22", end_date="", end_time="11:22", reason="")
    wrong = [problem("unreadable", "start"), problem("end_missing"), problem("reason_missing")]
    yield "approval_form-problems", view, approval_form(service, form, values=typed, problems=wrong)
    values = {**approval_form(service, form)["values"], "reason": REASON * 10}
    for found in (
        [problem("start_missing"), problem("unreadable", "end")],
        [problem("start_past"), problem("end_before_start")],
        [problem("too_far"), problem("too_long"), problem("reason_long")],
    ):
        name = found[0]["message"].rpartition(".")[2]
        yield f"approval_form-{name}", view, approval_form(service, form, values=values, problems=found)


def _states_for_who_asked() -> Iterator[tuple[str, str, dict[str, Any]]]:
    view = "request.html"
    commented = decision("rejected", comment="Not during the exams. Please ask again for the weekend.")
    yield "request-pending", view, request_page(request_for())
    yield "request-pending-still", view, request_page(request_for(), still=True)
    yield "request-pending-gone", view, request_page(request_for(), registry=NOBODY_S)
    yield "request-early", view, request_page(request_for("approved"))
    yield "request-open", view, request_page(request_for("approved"), at("wed 14:10"))
    yield "request-open-gone", view, request_page(request_for("approved"), at("wed 14:10"), NOBODY_S)
    yield "request-over", view, request_page(request_for("approved"), at("wed 16:00"))
    yield "request-rejected", view, request_page(request_for("rejected"))
    yield "request-rejected-comment", view, request_page(request_for("rejected", decision=commented))
    yield "request-expired", view, request_page(request_for(), at("wed 12:00"))
    yield "request-cancelled", view, request_page(request_for("cancelled", target=Target()))
    listed = (request_for(), request_for("approved"), *earlier_ones(), request_for("cancelled"))
    listed = (request_for("approved", start=at("wed 10:00")), *listed)
    yield "requests", "requests.html", data(PAGES.requests(listed, NOW))
    yield "requests-empty", "requests.html", data(PAGES.requests((), NOW))


def _states_for_who_decides() -> Iterator[tuple[str, str, dict[str, Any]]]:
    view = "approval.html"
    yield "approval", view, approval_page(request_for())
    yield "approval-plain", view, approval_page(request_for(), earlier=earlier_ones()[1:])
    long = dict(start=at("fri 18:00"), end=at("sun 18:00"), emails=(), address="")
    twice = (*earlier_ones(), *(replace(one, id=f"other{one.id}") for one in earlier_ones()))
    yield "approval-risks", view, approval_page(request_for(**long), earlier=twice)
    one_refusal = (replace(earlier_ones()[0], id="refused000000000"),)
    minutes = request_for(end=at("wed 14:00") + 60, start=at("wed 14:00"))
    yield "approval-refused-once", view, approval_page(minutes, earlier=one_refusal)
    hours = request_for(end=at("wed 15:00"), start=at("wed 14:00"))
    yield "approval-own", view, approval_page(hours, own=True)
    for word in ("stale", "choice", "comment"):
        wrong = dict(problem=f"approval.error.{word}", comment="Only until the backup begins.")
        yield f"approval-{word}", view, approval_page(request_for(), **wrong)
    for state in ("approved", "rejected"):
        decided = request_for(state, decision=decision(state, comment="Tell me when you are done."))  # type: ignore[arg-type]
        yield f"approval-{state}", view, approval_page(decided)
        yield f"approval-{state}-mine", view, approval_page(decided, mine=True)
    yield "approval-late", view, approval_page(request_for("rejected"), late=True)
    yield "approval-late-expired", view, approval_page(request_for(), at("wed 12:00"), late=True)
    yield "approval-expired", view, approval_page(request_for("expired"))
    yield "approval-cancelled", view, approval_page(request_for("cancelled"))
    second = request_for(id="second", name="Linus Torvalds", service_name="Backup of the library")
    decided_ones = (
        *(request_for("approved"), request_for("rejected"), request_for("expired")),
        request_for("cancelled"),
    )
    listed = PAGES.approvals((request_for(), second), decided_ones, frozenset(["second"]), NOW)
    yield "approvals", "approvals.html", data(listed)
    yield "approvals-empty", "approvals.html", data(PAGES.approvals((), (), frozenset(), NOW))
