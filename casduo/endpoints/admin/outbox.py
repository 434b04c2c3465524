"""``/admin/outbox``: what waits for Webex, and what becomes of messages that could not be sent."""

from __future__ import annotations

from casduo.admin.rows import destination_row, letter_row, outbox_facts
from casduo.approvals.wording import LONGEST_COMMENT, cleaned_comment
from casduo.endpoints.admin.visit import AdminVisit
from casduo.events.outbox_model import DeadLetter
from casduo.web import Reply

OUTBOX = "/admin/outbox"
_SHOWN = 100
_LONGEST_ID = 200
_ALL = 10_000
"""Dead letters that are sent once more by one press."""


def outbox(visit: AdminVisit) -> Reply:
    """How it stands, destinations that have work, and dead letters; by POST these are sent once more or dropped."""
    if visit.request.method == "POST":
        return _do(visit)
    desk, zone, now = visit.tools.outbox, visit.tools.zone, visit.request.now
    letters = desk.letters(_SHOWN + 1)
    done = visit.request.parameters.get("done", "")
    data = {
        "outbox": outbox_facts(desk.status(), zone, now),
        "used": visit.tools.outbox_used,
        "destinations": [destination_row(line, zone, now) for line in desk.destinations(_SHOWN)],
        "letters": [letter_row(letter, zone) for letter in letters[:_SHOWN]],
        "more": len(letters) > _SHOWN,
        "done": done if done in ("retried", "dropped", "nothing") else None,
        "longest": LONGEST_COMMENT,
    }
    return visit.page("outbox", data, form=visit.form(OUTBOX))


def _do(visit: AdminVisit) -> Reply:
    parameters, desk = visit.request.parameters, visit.tools.outbox
    verb, name = parameters.get("do", ""), parameters.get("id", "")[:_LONGEST_ID]
    reason = cleaned_comment(parameters.get("reason", ""))
    letters = _letters(visit, name, every=verb == "retry_all")
    match verb:
        case "retry" | "retry_all":
            done, action, said = desk.retry(letters, visit.person, visit.request.now), "outbox.retried", "retried"
        case "drop":
            done, action, said = desk.discard(letters, visit.person, visit.request.now), "outbox.dropped", "dropped"
        case _:
            done, action, said = [], "", ""
    for event in done:
        # It is in the stream of events already.
        visit.server.parts.journal.note(event)
    if done:
        visit.changed(action, f"{len(done)} messages" if verb == "retry_all" else name, reason)
    return visit.to(f"{visit.url(OUTBOX)}?done={said if done else 'nothing'}")


def _letters(visit: AdminVisit, name: str, *, every: bool) -> list[DeadLetter]:
    if every:
        return visit.tools.outbox.letters(_ALL)
    letter = visit.tools.outbox.letter(name) if name else None
    return [letter] if letter is not None else []
