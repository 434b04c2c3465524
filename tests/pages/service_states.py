"""The pages about the registry in every state that an administrator can meet; ``states.py`` takes them from here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from casduo.admin.service_form import GROUPS, as_form
from casduo.admin.service_list import FILTERS, SORTS, Listing, Query, Row, counts, listing
from casduo.admin.trial import Question
from casduo.authentication.model import Reason
from casduo.explanation import Person, explain, sections
from casduo.services.editing.diff import diff_lines
from casduo.services.editing.drafts import Draft
from casduo.services.editing.history import KINDS
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.settings import Settings
from casduo.webflow.effects import Form
from tests.pages.admin_states import framed

AT = "2026-03-02T09:15:00+01:00"
ENTRY: dict[str, Any] = {
    "id": "payroll",
    "name": "Payroll",
    "url": ["https://payroll.example.edu/**", "https://pay.example.edu/**"],
    "requires_duo": {"when": {"groups": ["staff"]}, "mode": {"report": "2026-12-01"}},
    "access": {"groups": ["staff"]},
    "attributes": {"mail": {"from": "mail", "case": "lower"}},
}
TEXT = "# Slips.\n- id: payroll\n  name: Payroll\n  url: https://payroll.example.edu/**\n"
REGISTRY = Registry(
    tuple(
        RegisteredService.model_validate(
            {"id": name, "name": name.title(), "url": f"https://{name}.example.edu/**"} | more
        )
        for name, more in (
            ("payroll", {"requires_duo": True, "url": ["https://payroll.example.edu/**", "https://p.example.edu/**"]}),
            ("library", {}),
            ("wiki", {"requires_duo": {"when": {"groups": ["staff"]}}, "enabled": False}),
            ("grades", {"requires_duo": {"mode": "report"}, "requires_approval": {"approvers": ["luke@example.edu"]}}),
            ("survey", {"requires_duo": {"mode": "optional"}}),
            ("extension-mobility", {"channel": "phone", "url": "https://sso.example.edu/em/**"}),
        )
    ),
    "1f5aa8c0ffee",
)
FORM = Form("/cas/admin/services/save", (("kind", "changed"),), csrf="made-for-this-session")
SAVED = {"number": 7, "url": "/cas/admin/services/history/7"}
DIFF = diff_lines("a\nb\nc\nd\ne\nf\ng\nh\n" * 2, "a\nb\nc\nd\nX\nf\ng\nh\n" + "a\nb\nc\nd\ne\nf\ng\nh\n")


def found(message: str, level: str = "error", key: str = "", line: int = 0, field: str = "") -> dict[str, object]:
    return {"line": line, "own": line > 0, "about": "", "key": key, "field": field, "message": message, "level": level}


def about(**changes: Any) -> dict[str, Any]:
    """Return what every page says of the file."""
    return {
        "read_only": "",
        "version": "1f5aa8c0ffee",
        "in_force": True,
        "nodes": {"on": 2, "of": 2, "lagging": []},
        "rejected": False,
        "done": None,
        "new_url": "/cas/admin/services/new",
        "history_url": "/cas/admin/services/history",
        "trial_url": "/cas/admin/services/try",
        **changes,
    }


def services(query: Query | None = None, shown: Listing | None = None, **changes: Any) -> dict[str, Any]:
    query = query or Query()
    return framed(
        standing=about(),
        list=shown or listing(query, REGISTRY, (), {0: 1, 1: 2}),
        query=query,
        counts=counts(REGISTRY, ()),
        columns=[{"name": sort, "url": "/cas/admin/services", "order": "ascending" if sort == "place" else ""}
                 for sort in SORTS],
        filters=[{"name": name, "values": values, "chosen": values[0]} for name, values in FILTERS.items()],
        pages={"page": 2, "of": 3, "before": "/cas/admin/services", "after": "/cas/admin/services?page=3"},
        used={"payroll": "2026-03-04T10:11:12+01:00"},
        entry_url="/cas/admin/services/entry/",
        list_url="/cas/admin/services",
        problems=[],
    ) | changes  # fmt: skip


def service(entry: str = "payroll", **changes: Any) -> dict[str, Any]:
    typed = {"text": TEXT, "values": as_form(ENTRY), "version": "1f5aa8c0ffee", "way": "", "problem": "", "place": ""}
    typed |= {"checked": False, "others": 0} | changes.pop("typed", {})
    return (
        framed(
            standing=about(),
            entry=entry,
            name="Payroll",
            enabled=True,
            place=2,
            count=3,
            typed=typed,
            groups=GROUPS,
            findings=[],
            by_field={},
            open={"access"},
            error=False,
            may=True,
            rows=12,
            lint_url="/cas/admin/services/lint",
            copy_url="/cas/admin/services/new?copy=payroll",
            list_url="/cas/admin/services",
            entry_history_url="/cas/admin/services/history?entry=payroll",
            form=FORM,
            trial_form=FORM,
        )
        | changes
    )


def wrong_service() -> dict[str, Any]:
    findings = [
        found("unknown key, did you mean 'name'?", key="nmae", line=3),
        found("must be a URL", key="url[1]", line=4, field="url"),
        found("the quote that opens here is never closed"),
        found("plain http: tickets cross the network in the clear", "warning", "url", 4, "url"),
    ]
    values = as_form(ENTRY) | {"url": "http//x"}
    return service(
        findings=findings,
        by_field={"url": "must be a URL", "requires_duo": "the settings have no section 'duo'"},
        error=True,
        typed={"way": "form", "values": values, "others": 2, "problem": "This would change the entry wiki as well."},
    )


def review(kind: Any = "changed", **changes: Any) -> dict[str, Any]:
    return (
        framed(
            draft=Draft(kind, "1f5aa8c0ffee", "payroll"),
            name="Payroll",
            diff=DIFF,
            warnings=[
                found("plain http", "warning", "url", 4, "url"),
                found("the service can never be reached", "warning") | {"about": "library", "line": 12, "own": False},
            ],
            error="",
            problem_field="reason",
            reason="",
            confirm="",
            longest_reason=500,
            back_url="/cas/admin/services",
            switch_off=FORM if kind == "deleted" else None,
            form=FORM,
        )
        | changes
    )


def history(**changes: Any) -> dict[str, Any]:
    kinds = [
        {"number": number, "at": AT, "by": "" if kind in ("by_hand", "first") else "ada", "kind": kind,
         "entry": "payroll", "reason": "" if kind == "first" else "Its owner asked.", "before": "a", "after": "b",
         "url": f"/cas/admin/services/history/{number}"}
        for number, kind in enumerate(KINDS, 1)
    ]  # fmt: skip
    return framed(standing=about(), changes=kinds, more=12, entry="", list_url="/cas/admin/services") | changes


def change(**changes: Any) -> dict[str, Any]:
    data = framed(standing=about(), change=history()["changes"][0], diff=DIFF, present=False, form=FORM)
    return data | changes


def conflict(**changes: Any) -> dict[str, Any]:
    data = {"by": "grace", "at": AT, "theirs": DIFF, "typed": TEXT, "back_url": "/cas/admin/services", "form": FORM}
    return framed(**data, error=True) | changes


def stopped(**changes: Any) -> dict[str, Any]:
    data = {"reason": "The disk is full. Nothing was changed.", "problems": [], "typed": TEXT}
    urls = {"back_url": "/cas/admin/services", "history_url": "/cas/admin/services/history"}
    return framed(**data, **urls, error=True) | changes


def trial(url: str = "https://wiki.example.edu/x", refusal: Reason | None = None, **changes: Any) -> dict[str, Any]:
    person = Person("ada", {"groups": ("staff",), "mail": ("ada@example.edu",)}, "ldap", refusal)
    registry = Registry([one for one in REGISTRY.services if one.id != "wiki"] + [
        RegisteredService.model_validate({"id": "wiki", "name": "Wiki", "url": "https://wiki.example.edu/**",
                                          "access": {"groups": ["staff"], "networks": ["10.0.0.0/8"]}})
    ], "1f5aa8c0ffee")  # fmt: skip
    explained = explain(url, registry, Settings(), 1_800_000_000.0, person=person)
    return (
        framed(
            question=Question(url, "ada"),
            problem="",
            wrong="",
            error=False,
            remarks=("ldap2 was not asked: it does not answer",),
            explanation=explained,
            sections=list(sections(explained)),
            draft=False,
            entry="",
            back_url="/cas/admin/services",
            form=FORM,
        )
        | changes
    )


def service_states() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield those in which a page looks different."""
    yield "services", "services", services()
    yield "service-wrong", "service", wrong_service()
    yield "service_review-deleted", "service_review", review("deleted", error="admin.service.review.confirm_wrong",
                                                             problem_field="confirm")  # fmt: skip
    yield "service_trial", "service_trial", trial()


def other_service_states() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield those that differ by a sentence, or by what other pages have shown."""
    empty = Listing((), 0, 6, 1, 1, is_url=True)
    owned = Listing(listing(Query(), REGISTRY, (), None).rows[:1], 1, 6, 1, 1, is_url=True, owner="payroll")
    several = Listing((Row(51, "a", "A", "https://a/**", 0, "none", approval=False, enabled=True, channel="browser",
                           problems=0),), 151, 151, 2, 4)  # fmt: skip
    asked = Query("https://a.example.edu/")
    yield "services-none", "services", services(asked, empty)
    yield "services-owner", "services", services(asked, owned)
    yield "services-pages", "services", services(None, several)
    yield (
        "services-broken",
        "services",
        services(standing=about(rejected=True, in_force=False), problems=["unknown key"]),
    )
    yield (
        "services-pending",
        "services",
        services(standing=about(in_force=False, nodes={"on": 1, "of": 2, "lagging": ["sso2"]})),
    )
    yield "services-alone", "services", services(standing=about(in_force=False, nodes=None))
    yield "service", "service", service()
    yield "service-off", "service", service(enabled=False, place=3, name="x" * 100)
    yield "service-read_only", "service", service(may=False, standing=about(read_only="It is write-protected."))
    yield "service-new", "service", service("", place=0, typed={"values": as_form({})})
    yield "service-checked", "service", service(typed={"checked": True, "way": "check"})
    yield "service-saved", "service", service(standing=about(done=SAVED))
    yield "service-saved_alone", "service", service(standing=about(done=SAVED, nodes=None))
    yield "service-saved_pending", "service", service(standing=about(done=SAVED, nodes=None, in_force=False))
    for kind in ("changed", "added", "moved", "enabled", "disabled", "deleted", "returned"):
        yield f"service_review-{kind}", "service_review", review(kind, warnings=[])
    yield "service_review-same", "service_review", review(diff=())
    yield "service_review-wrong", "service_review", review(error="admin.service.review.reason_missing")
    yield "service_stopped", "service_stopped", stopped()
    yield (
        "service_stopped-problems",
        "service_stopped",
        stopped(reason="", problems=["is empty"], typed=""),
    )
    yield "service_conflict", "service_conflict", conflict()
    yield "service_conflict-by_hand", "service_conflict", conflict(by="", at="", theirs=(), form=None)
    yield "service_history", "service_history", history()
    yield "service_history-none", "service_history", history(changes=[], entry="payroll", more=0)
    yield "service_change", "service_change", change()
    yield "service_change-present", "service_change", change(present=True, change=history()["changes"][-1], form=None)
    nothing = {"explanation": None, "sections": [], "remarks": ()}
    yield "service_trial-empty", "service_trial", trial(**nothing, draft=True, entry="wiki")
    yield "service_trial-refused", "service_trial", trial(problem="This text has mistakes.", error=True)
    for word in ("url", "address", "attributes", "user", "nobody"):
        yield f"service_trial-{word}", "service_trial", trial(**nothing, wrong=word, error=True)
