"""One entry of the registry as a form and as YAML, a new one, and what the linter says while somebody types."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from casduo.admin.service_form import FIELDS, GROUPS, Field, as_form, changes
from casduo.endpoints.admin.service_change import place_of, review, stopped, told_finding
from casduo.endpoints.admin.service_standing import standing
from casduo.endpoints.admin.visit import AdminVisit
from casduo.errors import Problem, SettingsError
from casduo.services.editing.check import Finding, syntax_findings
from casduo.services.editing.desk import Proposal
from casduo.services.editing.document import RegistryText
from casduo.services.editing.drafts import Draft
from casduo.services.editing.errors import Conflict, EditError, NotEditable, Refused, UnknownEntry
from casduo.services.editing.history import ChangeKind
from casduo.services.editing.writing import scalar
from casduo.web import Reply

_STARTER = """\
- id: application
  name: Application
  url: https://application.example.edu/**
  attributes: [mail, displayName]
"""
_AT_ONCE: Mapping[str, ChangeKind] = {"enabled": "enabled", "disabled": "disabled", "deleted": "deleted"}


@dataclass(slots=True)
class _Typed:
    """What an entry's page shows: as it is in the file, or as it was typed and has mistakes.

    :param way: which of the two forms was sent; empty for none
    """

    text: str
    values: dict[str, str | None]
    version: str
    way: str = ""
    findings: tuple[Finding, ...] = ()
    problem: str = ""
    place: str = ""
    checked: bool = False
    others: int = field(default=0)


def entry(visit: AdminVisit, entry_id: str) -> Reply:
    """``/admin/services/entry/ID``: one entry; by POST a change of it goes on to be looked at."""
    visit.object = entry_id
    desk = visit.tools.desk
    try:
        registry = desk.text()
    except SettingsError as error:
        return _unreadable(visit, error.problems)
    try:
        index = registry.find(entry_id)
    except UnknownEntry:
        return visit.nothing()
    if registry.obstacle:
        shown = _Typed("", as_form(registry.services[index]), registry.version, problem=registry.obstacle)
        return _show(visit, entry_id, registry, index, shown)
    if visit.request.method == "POST":
        return _change(visit, entry_id, registry, index)
    verdict = desk.findings(registry)
    shown = _as_it_is(registry, index)
    where = registry.where(index)
    shown.findings = tuple(_seen_from(one, where.head) for one in verdict.others if one.entry == index)
    return _show(visit, entry_id, registry, index, shown)


def _seen_from(finding: Finding, head: int) -> Finding:
    line = max(finding.line - head, 0)
    return replace(finding, entry_line=line)


def _as_it_is(registry: RegistryText, index: int) -> _Typed:
    return _Typed(registry.entry_text(index), as_form(registry.services[index]), registry.version)


def _change(visit: AdminVisit, entry_id: str, registry: RegistryText, index: int) -> Reply:
    parameters = visit.request.parameters
    version, way = parameters.get("version", ""), parameters.get("do", "")
    if way in _AT_ONCE:
        return review(visit, Draft(_AT_ONCE[way], version, entry_id))
    if way in ("up", "down", "place"):
        places = {"up": index - 1, "down": index + 1, "place": place_of(parameters.get("place", ""))}
        place = places[way]
        if place is None or place == index or not 0 <= place < len(registry.services):
            return visit.to(visit.url(f"/admin/services/entry/{entry_id}"))
        return review(visit, Draft("moved", version, entry_id, place=place))
    typed = _typed(visit, version)
    try:
        if way == "form":
            typed.text = _text_of_form(visit, entry_id, registry)
        else:
            typed.values = _values_of(typed.text, registry, index)
        draft = Draft("changed", version, entry_id, typed.text)
        return _judged(visit, draft, typed, lambda: _show(visit, entry_id, registry, index, typed))
    except NotEditable as error:
        typed.problem = error.reason
        typed.text = typed.text or registry.entry_text(index)
        return _show(visit, entry_id, registry, index, typed)


def _values_of(text: str, registry: RegistryText, index: int) -> dict[str, str | None]:
    """Return what the form says of a text as it was typed; of one that cannot be read, what it says of the file."""
    try:
        made = registry.with_text(index, text)
    except EditError:
        made = registry
    return as_form(made.services[index])


def _typed(visit: AdminVisit, version: str) -> _Typed:
    parameters = visit.request.parameters
    way = parameters.get("do", "")
    values: dict[str, str | None] = {name: parameters.get(name, "") for name in FIELDS}
    return _Typed(parameters.get("text", ""), values, version, way=way, place=parameters.get("place", ""))


def _text_of_form(visit: AdminVisit, entry_id: str, present: RegistryText) -> str:
    """Return the entry's text with what was typed into the form; on top of the text that the form was made of."""
    base = present
    if visit.request.parameters.get("version", "") != present.version:
        try:
            base = visit.tools.desk.text_of(visit.request.parameters.get("version", ""))
        except (EditError, SettingsError):
            base = present
    index = base.find(entry_id)
    return base.with_keys(index, changes(base.services[index], visit.request.parameters)).entry_text(index)


def _judged(visit: AdminVisit, draft: Draft, typed: _Typed, again: Callable[[], Reply]) -> Reply:
    """Go on to look at a change, or show the page again with what is wrong."""
    try:
        proposal = visit.tools.desk.propose(draft)
    except Conflict as conflict:
        return stopped(visit, draft, conflict)
    except Refused as refused:
        typed.findings = _syntax(visit, draft, refused.problems)
        return again()
    verdict = proposal.verdict
    if typed.way == "check":
        typed.checked = True
    if verdict.registry is None or typed.way == "check":
        typed.findings = _found(visit, proposal)
        typed.others = sum(one.level == "error" for one in verdict.others)
        return again()
    return review(visit, draft)


def _found(visit: AdminVisit, proposal: Proposal) -> tuple[Finding, ...]:
    """Return what is wrong with an entry; where nothing is, what is worth a look, at others too."""
    own = proposal.verdict.own
    return own if proposal.verdict.registry is None else visit.tools.desk.worth_a_look(proposal)


def _syntax(visit: AdminVisit, draft: Draft, problems: tuple[Problem, ...]) -> tuple[Finding, ...]:
    """Return problems of a text that is no YAML, with its own lines."""
    registry = visit.tools.desk.text()
    try:
        first = registry.line_of(registry.find(draft.entry))
    except UnknownEntry:
        first = 0
    return syntax_findings(problems, first, draft.text)


def new(visit: AdminVisit) -> Reply:
    """``/admin/services/new``: a new entry, perhaps as a copy of another one."""
    desk = visit.tools.desk
    try:
        registry = desk.text()
    except SettingsError as error:
        return _unreadable(visit, error.problems)
    if visit.request.method != "POST":
        text = _STARTER
        if copied := visit.request.parameters.get("copy", ""):
            try:
                index = registry.find(copied)
                text = registry.with_keys(index, {("id",): _free(copied, registry)}).entry_text(index)
            except (EditError, SettingsError):
                return visit.nothing()
        data = registry.with_new(text).services[-1] if not registry.obstacle else {}
        values = as_form(data)
        if not copied:
            values = {name: "" if FIELDS[name].kind != "flag" else value for name, value in values.items()}
        return _show(visit, "", registry, None, _Typed(text, values, registry.version))
    typed = _typed(visit, visit.request.parameters.get("version", ""))
    place = place_of(typed.place)
    try:
        text = typed.text
        if typed.way == "form":
            text = typed.text = _new_of_form(visit, registry, place)
        else:
            made = registry.with_new(text)
            typed.values = as_form(made.services[-1])
        draft = Draft("added", typed.version, _id_in(registry, text, place), text, place)
        return _judged(visit, draft, typed, lambda: _show(visit, "", registry, None, typed))
    except Refused as refused:
        typed.findings = tuple(Finding(0, one.line, 0, "", one.message, one.level) for one in refused.problems)
    except NotEditable as error:
        typed.problem = error.reason
    return _show(visit, "", registry, None, typed)


def _new_of_form(visit: AdminVisit, registry: RegistryText, place: int | None) -> str:
    parameters = visit.request.parameters
    made = registry.with_new(f"- id: {scalar(parameters.get('id', '').strip())}", place)
    index = len(made.services) - 1 if place is None else min(place, len(made.services) - 1)
    return made.with_keys(index, changes(made.services[index], parameters)).entry_text(index)


def _id_in(registry: RegistryText, text: str, place: int | None) -> str:
    made = registry.with_new(text, place)
    return made.ids()[-1 if place is None else min(place, len(made.services) - 1)]


def _free(name: str, registry: RegistryText) -> str:
    taken = set(registry.ids())
    return next(one for number in range(1, len(taken) + 2) if (one := f"{name[:58]}-{number + 1}") not in taken)


def lint(visit: AdminVisit) -> Reply:
    """``/admin/services/lint``: what there is to say about a text, for the script of an entry's page."""
    parameters, desk = visit.request.parameters, visit.tools.desk
    entry_id, version, text = parameters.get("entry", ""), parameters.get("version", ""), parameters.get("text", "")
    kind: ChangeKind = "changed" if entry_id else "added"
    draft = Draft(kind, version, entry_id, text)
    stale, reason, others = False, "", 0
    findings: tuple[Finding, ...] = ()
    try:
        proposal = desk.propose(draft)
        findings = _found(visit, proposal)
        others = sum(one.level == "error" for one in proposal.verdict.others)
    except Conflict:
        stale = True
    except Refused as refused:
        findings = _syntax(visit, draft, refused.problems)
    except EditError as error:
        reason = error.reason
    except SettingsError as error:
        reason = str(error.problems[0])
    facts = {
        "stale": stale,
        "reason": reason,
        "others": others,
        "findings": [told_finding(one) for one in findings],
    }
    return visit.server.web.news(200, json.loads(json.dumps(facts)))


# --- the page -------------------------------------------------------------------------------------------------------


def _show(visit: AdminVisit, entry_id: str, registry: RegistryText, index: int | None, typed: _Typed) -> Reply:
    desk = visit.tools.desk
    path = f"/admin/services/entry/{entry_id}" if entry_id else "/admin/services/new"
    data = registry.services[index] if index is not None else {}
    name = data.get("name") if isinstance(data, dict) else None
    findings = [told_finding(one) for one in typed.findings]
    wrong = any(one["level"] == "error" for one in findings) or bool(typed.problem)
    may = visit.may_change and not desk.read_only and not registry.obstacle
    by_field = {one["field"]: one["message"] for one in findings if one["field"] and one["level"] == "error"}
    page = {
        "entry": entry_id,
        "name": name if isinstance(name, str) else entry_id,
        "enabled": not (isinstance(data, dict) and data.get("enabled") is False),
        "place": index + 1 if index is not None else 0,
        "count": len(registry.services),
        "typed": typed,
        "groups": GROUPS,
        "findings": findings,
        "by_field": by_field,
        "open": {group.name for group in GROUPS if any(_shows(one, typed, by_field) for one in group.fields)},
        "error": wrong and typed.way != "",
        "may": may,
        "rows": min(max(typed.text.count("\n") + 2, 12), 40),
        "lint_url": visit.url("/admin/services/lint"),
        "copy_url": f"{visit.url('/admin/services/new')}?copy={entry_id}",
        "list_url": visit.url("/admin/services"),
        "entry_history_url": f"{visit.url('/admin/services/history')}?entry={entry_id}",
        "form": visit.form(path, ("version", typed.version), ("entry", entry_id)),
        "trial_form": visit.form("/admin/services/try", ("version", typed.version), ("entry", entry_id)),
        "standing": standing(visit),
    }
    status = 422 if page["error"] and typed.way != "check" else 200
    return visit.page("service", page, status=status)


def _shows(field: Field, typed: _Typed, wrong: Collection[object]) -> bool:
    """Whether a field has something to be seen: a value that is not the default, or a problem."""
    value = typed.values.get(field.name)
    default = "on" if field.default else ""
    return field.name in wrong or value != default


def _unreadable(visit: AdminVisit, problems: tuple[Problem, ...]) -> Reply:
    data = {
        "error": True,
        "reason": "",
        "problems": [str(problem) for problem in problems],
        "typed": visit.request.parameters.get("text", ""),
        "back_url": visit.url("/admin/services"),
        "history_url": visit.url("/admin/services/history"),
    }
    return visit.page("service_stopped", data, status=422)
