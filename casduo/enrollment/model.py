"""What the enrolment pages remember of a person: who it is, what they came for, and the code that waits for a phone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from casduo.mfa.strength import Strength
from casduo.tickets.ids import SessionName

Stage = Literal["", "unenrolled", "elsewhere", "done"]
"""How far somebody has come: nothing is known yet, or they had a device from the beginning; Duo wants a device of them;
the account is there and we can make no code for it, so Duo's own pages have to; a device was registered here.
"""

CodeState = Literal["", "waiting", "claimed", "over"]
"""No code; nobody has used it; a device has, and Duo does not list that device yet; it is good for nothing any more."""

Trouble = Literal["", "limited", "unavailable"]
"""Why there was no code just now: too many of them, or Duo did not answer."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code that ties a phone to a person's account at Duo.

    Whoever has it can register their phone as this person's. It has to be kept as it is all the same: Duo is asked with
    it whether it was used, and the page that shows it may be loaded again. So it is kept for its few minutes only, and
    taken away once it was used; nothing of it goes into an address of ours or into the log.

    :param text: what the QR code shows, ``duo://...``
    :param url: the same as a link, for people who are on that phone; empty if Duo gave none
    :param ends_at: epoch seconds
    :param user_id: Duo's name of the account, where ``enroll_status`` can be asked about the code; else empty
    :param device: Duo's name of the phone it is for, where it was made for one; else empty
    """

    text: str = field(repr=False)
    url: str = field(repr=False)
    ends_at: float
    user_id: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class EnrollSession:
    """A session of the enrolment pages, as found; it lives no longer than the single sign-on session it stands on.

    :param key: where it is kept
    :param fingerprint: stands for it, in tokens for instance; nobody can use it with that
    :param principal: who it is
    :param single_sign_on: the session it stands on
    :param authenticated_at: moment of the password, in epoch seconds
    :param strength: what Duo said in the single sign-on session, as of now
    :param asked: what the login was for that led here; empty if people came by themselves
    :param application: name of the Duo application that is asked; empty for the main one
    :param link: name of the link they came by; empty for none
    :param code: the last code that was made, unless a device has taken it
    :param trouble: what there is to say about the last try; it holds until ``trouble_until`` (epoch seconds)
    :param turn: this request, and no other one for a moment, may go on; see ``EnrollSessions.find``
    """

    key: str
    fingerprint: str
    principal: str
    single_sign_on: SessionName
    authenticated_at: float
    strength: Strength
    asked: Mapping[str, Any] = field(default_factory=dict, repr=False)
    application: str = ""
    link: str = ""
    stage: Stage = ""
    code: Code | None = None
    code_state: CodeState = ""
    trouble: Trouble = ""
    trouble_until: float = 0.0
    turn: bool = False

    @property
    def code_is_out(self) -> bool:
        """Whether there is a code that somebody may be scanning now."""
        return self.code is not None and self.code_state in ("waiting", "claimed")


def asked_text(asked: Mapping[str, Any]) -> str:
    """Return what a login was for, as it is stored."""
    return json.dumps(dict(asked), separators=(",", ":"))


def asked_from(text: str | None) -> Mapping[str, Any]:
    """Return what the stored text tells of, nothing for no text."""
    found = json.loads(text) if text else {}
    return cast("Mapping[str, Any]", found)


def code_text(code: Code) -> str:
    """Return a code as it is stored."""
    return json.dumps([code.text, code.url, code.ends_at, code.user_id, code.device], separators=(",", ":"))


def code_from(text: str | None) -> Code | None:
    """Return the code that the stored text tells of, ``None`` for no text."""
    return Code(*json.loads(text)) if text else None
