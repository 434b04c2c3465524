"""Sessions of the enrolment pages in Redis, the links that lead there, and how many codes a person may be given.

A session's key is made of the fingerprint of its id, which only the browser has. It lies in the slot of the single
sign-on session it stands on, so that one script looks at both: who signed out, or was signed out, is out here as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from casduo.enrollment.links import Link
from casduo.enrollment.model import (
    Code,
    CodeState,
    EnrollSession,
    Stage,
    Trouble,
    asked_from,
    asked_text,
    code_from,
    code_text,
)
from casduo.signing import fingerprint, random_text
from casduo.store import Store, load_script
from casduo.tickets.ids import SessionName, TicketId, TicketKind, key_prefix
from casduo.tickets.model import session_from

_LOOK = load_script(__file__, "look.lua")
_OPEN = load_script(__file__, "open.lua")
_NOTE = load_script(__file__, "note.lua")
_LINK = load_script(__file__, "link.lua", confirmed=True)
_LIMIT = load_script(__file__, "limit.lua")
_UNLIMIT = load_script(__file__, "unlimit.lua")

_ID = re.compile(r"([A-Za-z0-9]{4})-[A-Za-z0-9]{43}")

Turn = Literal["", "poll", "make"]
_TURN_MS: Mapping[Turn, int] = {"": 0, "poll": 2_500, "make": 15_000}
"""Milliseconds for which one request alone asks Duo about a code, or makes one."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What somebody came for.

    :param asked: what the login was for that led here; empty if they came by themselves
    :param link: name of the link they came by
    :param stage: how far they have come on it
    :param used: somebody else was here by the same link before
    """

    asked: Mapping[str, Any] = field(default_factory=dict, repr=False)
    link: str = ""
    stage: Stage = ""
    used: bool = False


class EnrollSessions:
    """The sessions in one store. Every method is one round trip.

    :param lifetime: seconds that a session lives, whatever is done with it
    :param link_lifetime: seconds for which a link is remembered
    """

    def __init__(self, store: Store, lifetime: float, link_lifetime: float) -> None:
        self._store = store
        self.lifetime = lifetime
        self._link_ms = int(link_lifetime * 1000)

    def open(
        self, session: str, single_sign_on: TicketId, principal: str, errand: Errand, *, application: str = ""
    ) -> bool:
        """Open a session; ``False`` when the single sign-on session has ended, or is somebody else's.

        :param session: an id from :func:`new_session`, never one that a browser brought along
        :param principal: who a ticket has just proved to be here
        """
        fields = {
            "tgt": single_sign_on.fingerprint,
            "asked": asked_text(errand.asked),
            "application": application,
            "link": errand.link,
            "stage": errand.stage,
        }
        keys = (_key(single_sign_on.tag, session), single_sign_on.key)
        return bool(self._store.call(_OPEN, keys, (int(self.lifetime * 1000), principal, *_words(fields))))

    def find(self, session: str, now: float, turn: Turn = "") -> EnrollSession | None:
        """Return the live session of an id, ``None`` when there is none.

        :param session: as the browser sent it
        :param turn: what the caller wants to do that only one at a time may: ask Duo about the code, or have one made
        """
        found = _ID.fullmatch(session)
        if found is None:
            return None
        key, prefix = _key(found[1], session), key_prefix(TicketKind.TICKET_GRANTING, found[1])
        answer = self._store.call(_LOOK, (key,), (prefix, turn, int(now * 1000), _TURN_MS[turn]))
        if not answer:
            return None
        tgt, principal, asked, application, link, stage, code, state, trouble, about, strength, is_turn = answer
        ticket = session_from(about, strength)
        word, until = trouble.split(" ") if trouble else ("", "0")
        return EnrollSession(
            key=key,
            fingerprint=fingerprint(session),
            principal=principal,
            single_sign_on=SessionName(found[1], tgt),
            authenticated_at=ticket.authenticated_at,
            strength=ticket.strength,
            asked=asked_from(asked),
            application=application or "",
            link=link or "",
            stage=stage or "",
            code=code_from(code),
            code_state=state or "",
            trouble=cast(Trouble, word) if now < float(until) else "",
            trouble_until=float(until),
            turn=bool(is_turn),
        )

    def leave(self, session: str, principal: str) -> Errand:
        """End a session in whose place another one begins, and return what it was about, if it was the same person's.

        :param session: as the browser sent it; whether its single sign-on session still lives does not matter
        """
        found = _ID.fullmatch(session)
        if found is None:
            return Errand()
        batch = self._store.batch()
        reply = batch.command("HMGET", _key(found[1], session), "principal", "asked", "link", "stage")
        batch.command("DEL", _key(found[1], session))
        batch.run()
        owner, asked, link, stage = reply.value
        if owner != principal:
            return Errand()
        return Errand(asked_from(asked), link or "", "" if stage in (None, "done") else stage)

    def arrive(self, link: Link, session: EnrollSession | None = None) -> Errand:
        """Look at a link that somebody came by.

        :param session: whose it is from now on; ``None`` while nobody has signed in
        """
        user = session.fingerprint if session is not None else ""
        used_by, asked = self._store.call(_LINK, (_link_key(link.name),), (user, asked_text(link.asked), self._link_ms))
        return Errand(asked_from(asked), link.name, used=bool(used_by))

    def arrived(self, link: str, session: str) -> Errand:
        """Use up the link of this name, which :meth:`arrive` has seen; of one that is forgotten nothing is known.

        :param session: the id of the session whose it is from now on
        """
        answer = self._store.call(_LINK, (_link_key(link),), (fingerprint(session), "", self._link_ms))
        return Errand(asked_from(answer[1]), link, used=bool(answer[0])) if answer else Errand()

    def attach(self, session: EnrollSession, errand: Errand, application: str) -> None:
        """Note what somebody came for who was here already."""
        self._note(session, asked=asked_text(errand.asked), link=errand.link, application=application)

    def set_stage(self, session: EnrollSession, stage: Stage) -> None:
        """Note how far somebody has come. Who is done has no code any more."""
        self._note(session, stage=stage, **({"code": "", "state": ""} if stage == "done" else {}))

    def put_code(self, session: EnrollSession, code: Code, stage: Stage) -> None:
        """Note a new code in place of the last one.

        :param stage: how far somebody is who has it: ``unenrolled`` with the first device, else nothing
        """
        turns = {"turn:make": "", "turn:poll": ""}
        self._note(session, code=code_text(code), state="waiting", stage=stage, trouble="", **turns)

    def set_state(self, session: EnrollSession, state: CodeState) -> None:
        """Note what has become of the code."""
        self._note(session, state=state)

    def set_trouble(self, session: EnrollSession, trouble: Trouble, until: float) -> None:
        """Note why there is no code; the next try may begin.

        :param until: epoch seconds up to which that is worth telling; 0 for nothing to tell
        """
        self._note(session, trouble=f"{trouble} {until:.3f}" if trouble else "", **{"turn:make": ""})

    def _note(self, session: EnrollSession, **fields: str) -> None:
        self._store.call(_NOTE, (session.key,), _words(fields))


class CodeLimit:
    """How many codes a person may be given.

    :param most: how many
    :param window: within so many seconds, counted from the first one
    """

    def __init__(self, store: Store, most: int = 5, window: float = 3600.0) -> None:
        self._store = store
        self._most = most
        self._window_ms = int(window * 1000)

    def take(self, principal: str) -> int:
        """Count one more and return 0, or return for how many seconds there is none. One round trip."""
        wait = int(self._store.call(_LIMIT, (_limit_key(principal),), (self._most, self._window_ms)))
        return math.ceil(wait / 1000)

    def give_back(self, principal: str) -> None:
        """Take back what :meth:`take` has counted: there was no code. One round trip."""
        self._store.call(_UNLIMIT, (_limit_key(principal),))


def new_session(single_sign_on: TicketId) -> str:
    """Return a new id, a bearer value, for a session that stands on ``single_sign_on``."""
    return f"{single_sign_on.tag}-{random_text(43)}"


def _words(fields: Mapping[str, str]) -> list[str]:
    return [word for pair in fields.items() for word in pair]


def _key(tag: str, session: str) -> str:
    return f"casduo:{{{tag}}}:enroll:{fingerprint(session)}"


def _link_key(name: str) -> str:
    return f"casduo:{{e:{fingerprint(name)[:32]}}}:enroll.link"


def _limit_key(principal: str) -> str:
    return f"casduo:{{u:{fingerprint(principal)[:32]}}}:enroll.codes"
