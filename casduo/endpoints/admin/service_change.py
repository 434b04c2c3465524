"""A change of the registry on its way: looked at before it is saved, saved, or stopped by what others changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from casduo.admin.service_form import field_of
from casduo.endpoints.admin.visit import AdminVisit
from casduo.errors import Problem, SettingsError
from casduo.events.model import RegistryEdited, Subject
from casduo.services.editing.check import Finding
from casduo.services.editing.desk import LONGEST_REASON, Edit
from casduo.services.editing.diff import DiffLine, diff_lines
from casduo.services.editing.drafts import Draft
from casduo.services.editing.errors import Busy, Conflict, EditError, Refused, UnknownEntry
from casduo.services.editing.history import KINDS, Change
from casduo.services.file import registry_version
from casduo.web import Reply
from casduo.webflow.effects import Form

_MOST_DRAWN = 2000
"""Lines of a diff that are drawn."""


def review(visit: AdminVisit, draft: Draft, *, problem: str = "", field: str = "reason") -> Reply:
    """Show what a change would do to the file, and ask for a reason.

    :param problem: id of a text that says why it was not saved; empty where nobody has tried
    :param field: id of the field that the problem is about
    """
    desk = visit.tools.desk
    try:
        proposal = desk.propose(draft)
        if proposal.verdict.registry is None:
            raise Refused(tuple(one for one in proposal.verdict.problems if one.level == "error"))
        present = desk.content()
    except (EditError, SettingsError) as error:
        return stopped(visit, draft, error)
    name = _name(visit, draft)
    data = {
        "draft": draft,
        "name": name,
        "diff": shown_diff(present, proposal.content),
        "warnings": [told_finding(one, in_file=True) for one in desk.worth_a_look(proposal)],
        "error": problem,
        "problem_field": field,
        "reason": visit.request.parameters.get("reason", "")[: 4 * LONGEST_REASON],
        "confirm": visit.request.parameters.get("confirm", "")[:200],
        "longest_reason": LONGEST_REASON,
        "back_url": _back(visit, draft),
        "switch_off": _switch_off(visit, draft),
    }
    form = visit.form("/admin/services/save", *_hidden(draft))
    return visit.page("service_review", data, status=422 if problem else 200, form=form)


def save(visit: AdminVisit) -> Reply:
    """``/admin/services/save``: carries out a change that was looked at."""
    draft, parameters = _read(visit), visit.request.parameters
    if draft is None:
        return visit.nothing()
    reason = " ".join(parameters.get("reason", "").split())
    if draft.kind == "deleted" and parameters.get("confirm", "").strip() not in {draft.entry, _name(visit, draft)}:
        return review(visit, draft, problem="admin.service.review.confirm_wrong", field="confirm")
    if not reason or len(reason) > LONGEST_REASON:
        return review(visit, draft, problem="admin.service.review.reason_missing")
    desk = visit.tools.desk
    try:
        proposal = desk.propose(draft)
        change = desk.save(Edit(draft.version, proposal.content, draft.kind, draft.entry, visit.person, reason))
    except (EditError, SettingsError) as error:
        return stopped(visit, draft, error)
    _write_down(visit, change)
    path = f"/admin/services/entry/{proposal.entry}" if proposal.entry else "/admin/services"
    return visit.to(f"{visit.url(path)}?saved={change.number}")


def _write_down(visit: AdminVisit, change: Change) -> None:
    about = visit.about()
    subject = Subject(about.reference, about.address, about.principal, change.entry, about.strength)
    event = RegistryEdited(subject, change.kind, change.number, change.reason, change.before, change.after)
    visit.server.parts.journal.write(event)
    visit.changed(f"registry.{change.kind}", change.entry, change.reason)


def stopped(visit: AdminVisit, draft: Draft, error: EditError | SettingsError) -> Reply:
    """Say why a change was not made, with what was typed."""
    if isinstance(error, Conflict):
        return _conflict(visit, draft, error)
    if isinstance(error, UnknownEntry):
        return visit.nothing()
    problems: tuple[Problem, ...] = error.problems if isinstance(error, Refused | SettingsError) else ()
    data = {
        "error": True,
        "reason": error.reason if isinstance(error, EditError) and not problems else "",
        "problems": [str(problem) for problem in problems],
        "typed": draft.text if draft.kind in ("changed", "added") else "",
        "back_url": _back(visit, draft),
        "history_url": visit.url("/admin/services/history"),
    }
    status = 503 if isinstance(error, Busy) else 422
    return visit.page("service_stopped", data, status=status)


def _conflict(visit: AdminVisit, draft: Draft, conflict: Conflict) -> Reply:
    """Show what somebody else has changed meanwhile beside what was typed. Nothing is overwritten unseen."""
    try:
        theirs = shown_diff(visit.tools.desk.history.text(conflict.expected), conflict.content)
    except UnknownEntry:
        theirs = ()
    version = registry_version(conflict.content)
    typed = draft.text if draft.kind in ("changed", "added") else ""
    path = "/admin/services/new" if draft.kind == "added" else f"/admin/services/entry/{draft.entry}"
    form = visit.form(path, ("version", version), ("do", "yaml"), ("place", _place(draft))) if typed else None
    data = {
        "error": True,
        "by": conflict.by,
        "at": datetime.fromtimestamp(int(conflict.at), visit.tools.zone).isoformat() if conflict.at else "",
        "theirs": theirs,
        "typed": typed,
        "back_url": _back(visit, draft),
        "form": form,
    }
    return visit.page("service_conflict", data, status=409, form=form)


# --- what pages are told --------------------------------------------------------------------------------------------


def shown_diff(before: bytes, after: bytes) -> tuple[DiffLine, ...]:
    """Return a diff of two registries, as much of it as is drawn."""
    old, new = (one.decode("utf-8-sig", "replace") for one in (before, after))
    return diff_lines(old, new)[:_MOST_DRAWN]


def told_finding(finding: Finding, *, in_file: bool = False) -> Mapping[str, object]:
    """Return a finding for a page, with the field of the form that it is about.

    :param in_file: whether the page shows the file, with its lines, instead of the text of one entry
    """
    own = bool(finding.entry_line) and not in_file
    return {
        "line": finding.entry_line if own else finding.line,
        "own": own,
        "about": "" if own else finding.name,
        "key": finding.field,
        "field": field_of(finding.field),
        "message": finding.message,
        "level": finding.level,
    }


def _back(visit: AdminVisit, draft: Draft) -> str:
    if draft.kind == "returned":
        return visit.url("/admin/services/history")
    known = draft.entry and draft.kind != "added"
    return visit.url(f"/admin/services/entry/{draft.entry}" if known else "/admin/services")


def _name(visit: AdminVisit, draft: Draft) -> str:
    """Return what the entry is called in the file now; its id where it has no name there."""
    found = _written(visit, draft).get("name")
    return found.strip() if isinstance(found, str) and found.strip() else draft.entry


def _written(visit: AdminVisit, draft: Draft) -> Mapping[str, object]:
    """Return the keys of the entry as they are in the file now, which may be ahead of what is in force."""
    try:
        text = visit.tools.desk.text()
        found: Mapping[str, object] = text.services[text.find(draft.entry)]
    except (EditError, SettingsError):
        return {}
    return found


def _switch_off(visit: AdminVisit, draft: Draft) -> Form | None:
    """Return the form that switches an entry off, which is offered before it is deleted."""
    if draft.kind != "deleted" or _written(visit, draft).get("enabled") is False:
        return None
    return visit.form(f"/admin/services/entry/{draft.entry}", ("version", draft.version), ("do", "disabled"))


def _place(draft: Draft) -> str:
    return "" if draft.place is None else str(draft.place + 1)


def _hidden(draft: Draft) -> tuple[tuple[str, str], ...]:
    return (
        ("kind", draft.kind),
        ("version", draft.version),
        ("entry", draft.entry),
        ("text", draft.text),
        ("place", _place(draft)),
    )


def _read(visit: AdminVisit) -> Draft | None:
    """Return the draft of a form; None where there is none in it."""
    parameters = visit.request.parameters
    kind = next((one for one in KINDS if one == parameters.get("kind", "")), None)
    if kind is None or kind in ("by_hand", "first"):
        return None
    return Draft(
        kind,
        parameters.get("version", ""),
        parameters.get("entry", ""),
        parameters.get("text", ""),
        place_of(parameters.get("place", "")),
    )


def place_of(typed: str) -> int | None:
    """Return the place, from 0, that was typed counting from 1; None for none."""
    typed = typed.strip()
    return max(int(typed) - 1, 0) if typed.isascii() and typed.isdigit() and len(typed) < 7 else None
