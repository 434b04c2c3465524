"""``/admin/sessions``: who is signed in, found by user, address and service; and the end of sessions, after a look."""

from __future__ import annotations

from casduo.admin.ending import ACTION
from casduo.admin.sessions import FIELDS, SHOWN, Asked, page_of, people_of, read_search, session_row
from casduo.approvals.wording import LONGEST_COMMENT, cleaned_comment
from casduo.endpoints.admin.visit import AdminVisit
from casduo.tickets.finding import Found
from casduo.web import Reply

SESSIONS, END = "/admin/sessions", "/admin/sessions/end"
_MOST_NAMED = 20
"""People that are named before their sessions are ended."""


def sessions(visit: AdminVisit) -> Reply:
    """The search and what it found."""
    asked = _asked(visit)
    found = visit.tools.sessions.find(asked.query) if asked.can_be_answered else Found(())
    own = visit.live.id.name if visit.live is not None else None
    pages, end = visit.url(SESSIONS), visit.url(END)
    ended = visit.request.parameters.get("ended", "")
    page, of = page_of(visit.request.parameters.get("page", ""), len(found.sessions))
    data = {
        "search": {name: asked.typed[name] for name in FIELDS},
        "problems": asked.problems,
        "asked": asked.can_be_answered,
        "sessions": [
            session_row(one, visit.registry, visit.tools.zone, own=one.name == own, pages=pages, end=end)
            for one in found.sessions[(page - 1) * SHOWN : page * SHOWN]
        ],
        "total": len(found.sessions),
        "more": found.more,
        "pages": {
            "page": page,
            "of": of,
            "before": asked.address(pages, page=str(page - 1)) if page > 1 else None,
            "after": asked.address(pages, page=str(page + 1)) if page < of else None,
        },
        "end_url": asked.address(end) if found.sessions and visit.may_change else None,
        "ended": int(ended) if ended.isascii() and ended.isdecimal() and len(ended) < 8 else None,
        "search_url": pages,
    }
    return visit.page("sessions", data, status=422 if asked.problems else 200)


def end_sessions(visit: AdminVisit) -> Reply:
    """By GET what would be ended, which ends nothing; by POST the end."""
    asked = _asked(visit)
    if not asked.can_be_answered:
        return visit.to(asked.address(visit.url(SESSIONS)))
    found = visit.tools.sessions.find(asked.query)
    if visit.request.method == "POST":
        return _end(visit, asked, found)
    own = visit.live is not None and any(one.name == visit.live.id.name for one in found.sessions)
    people = people_of(found.sessions)
    query = asked.query
    data = {
        "back_url": asked.address(visit.url(SESSIONS), session=""),
        "total": len(found.sessions),
        "people_total": len(people),
        "people": people[:_MOST_NAMED],
        "more_people": max(0, len(people) - _MOST_NAMED),
        "more": found.more,
        "search": {name: asked.typed[name] for name in FIELDS},
        "one": _one(visit, found) if query.name and len(found.sessions) == 1 else None,
        "trusted": asked.query.whole_person,
        "own": own,
        "longest": LONGEST_COMMENT,
    }
    hidden = tuple((name, value) for name, value in asked.typed.items() if value)
    form = visit.form(END, *hidden) if found.sessions or asked.query.whole_person else None
    return visit.page("sessions_end", data, form=form)


def _end(visit: AdminVisit, asked: Asked, found: Found) -> Reply:
    done = visit.tools.ending.end(asked.query, found, visit.request.now)
    if asked.query.whole_person or not done.nothing:
        # Of a whole person logins under way end in any case.
        visit.changed(ACTION, done.about(visit.object), cleaned_comment(visit.request.parameters.get("reason", "")))
    for event in done.events(visit.person, visit.request.reference):
        visit.server.parts.journal.write(event)
    return visit.to(asked.address(visit.url(SESSIONS), session="", ended=str(done.ended.sessions)))


def _one(visit: AdminVisit, found: Found) -> dict[str, object]:
    return session_row(
        found.sessions[0], visit.registry, visit.tools.zone, own=False, pages=visit.url(SESSIONS), end=visit.url(END)
    )


def _asked(visit: AdminVisit) -> Asked:
    rules = visit.server.parts.rules
    asked = read_search(visit.request.parameters, visit.registry, rules.username_case)
    visit.object = " ".join(f"{name}:{value}" for name, value in asked.typed.items() if value)
    return asked
