"""Trying a URL and a person, with the registry as it is or with a text that is not saved yet."""

from __future__ import annotations

import re

from casduo.admin.trial import Answer, Question
from casduo.endpoints.admin.visit import AdminVisit
from casduo.errors import SettingsError
from casduo.explanation import Section, sections
from casduo.services.builtin import OWN_SERVICES
from casduo.services.editing.drafts import Draft
from casduo.services.editing.errors import EditError
from casduo.services.index import Registry
from casduo.web import Reply

_OPTION = re.compile(r" \(--[a-z]+\)")


def trial(visit: AdminVisit) -> Reply:
    """``/admin/services/try``: who gets in where, how, and why."""
    parameters = visit.request.parameters
    question = Question(
        url=parameters.get("url", "").strip(),
        user=parameters.get("user", "").strip(),
        attributes=parameters.get("attributes", ""),
        groups=parameters.get("groups", ""),
        address=parameters.get("address", "").strip(),
    )
    text, entry, version = (parameters.get(name, "") for name in ("text", "entry", "version"))
    visit.object = question.url
    asked = visit.request.method == "POST" and "ask" in parameters
    answer, problem = Answer(), ""
    if asked:
        try:
            parts = visit.server.parts
            handlers = (*parts.authenticator.handlers, *parts.pin_authenticator.handlers)
            answer = visit.tools.trial.ask(question, _registry(visit, text, entry, version), handlers, parts.clock())
        except EditError as error:
            problem = error.reason
        except SettingsError as error:
            problem = str(error.problems[0])
    explanation = answer.explanation
    wrong = answer.problem or problem
    data = {
        "question": question,
        "problem": problem,
        "wrong": answer.problem,
        "error": bool(wrong),
        "remarks": answer.remarks,
        "explanation": explanation,
        "sections": [_without_options(one) for one in sections(explanation)] if explanation is not None else [],
        "draft": bool(text),
        "entry": entry,
        "back_url": visit.url(f"/admin/services/entry/{entry}" if entry else "/admin/services"),
    }
    form = visit.form("/admin/services/try", ("text", text), ("entry", entry), ("version", version))
    return visit.page("service_trial", data, status=422 if wrong else 200, form=form)


def _without_options(section: Section) -> Section:
    """Return a part of an explanation without the options of the command line that it names."""
    rows = tuple(tuple(_OPTION.sub("", cell) for cell in row) for row in section.rows)
    return Section(_OPTION.sub("", section.title), rows)


def _registry(visit: AdminVisit, text: str, entry: str, version: str) -> Registry:
    """Return the registry in force, or what it would be with a text that somebody has typed.

    :raises EditError: it would have mistakes
    """
    if not text:
        current = visit.server.parts.services.current()
        return Registry([one for one in current.services if one.id not in OWN_SERVICES], current.version)
    draft = Draft("changed" if entry else "added", version, entry, text)
    verdict = visit.tools.desk.propose(draft).verdict
    if verdict.registry is None:
        raise EditError(f"This text has mistakes: {verdict.errors[0].message}.")
    return verdict.registry
