"""What a flow remembers from one request to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(slots=True)
class Scope:
    """What a flow remembers between two requests. JSON types only.

    The first block is what was asked for. ``principal_id`` is set once somebody is known: from then on the scope waits
    in Redis, before it travels signed in the form. ``fresh`` means that the password was verified in this very run of
    the flow; ``session`` is the fingerprint of the TGT the run goes on with otherwise. ``everywhere`` says that a
    sign-out is meant for every device, ``remembered`` that the person asked for a long session. ``warnings`` are what
    the directory has to say about the password, ``warned`` that it was said.

    The next block is Duo's. ``strength_raised`` says that the session does not know of ``strength`` yet. ``duo_asked``
    says that the application's request asks for Duo, ``duo_optional`` that only those who have a device are asked.
    ``duo_page`` is whose page it is, ``duo_offered`` that a factor was offered on ours, ``duo_way`` how the person is
    asked there (kind and device, ``push:DP...``), ``duo_push`` the name of the request under way, ``duo_devices`` what
    preauth listed, ``duo_prompted_at`` when the browser went to Duo's own page. ``duo_state``, ``duo_error`` and
    ``duo_notice`` are what the page says of the last try, ``duo_other`` names the application for which another window
    of theirs waits. ``duo_cookie`` is a mark of the TGC that the browser had when the page was first shown.

    The next block is about asking for access: ``approval_form`` is what was typed, ``approval_problems`` what is wrong
    with it, ``approval_refused`` how many requests were refused of late.

    The last block is for phones. ``phone_user`` is the person as UCM spells them, ``phone_profiles`` what they may log
    in with, the default one first, as known at ``phone_profiles_at``; ``phone_from`` is where the shown page of them
    begins and ``phone_profile`` the chosen one. ``phone_lock`` is the leave to change who is on the phone and
    ``phone_locked`` what it is held for, ``phone_tries`` how often the change was sent, ``phone_written_at`` when last;
    ``phone_busy_since`` is since when what comes next has found somebody busy.
    ``phone_occupant`` is whom a sign-out is about.
    """

    service: str = ""
    ticket_name: str = "ticket"
    renew: bool = False
    gateway: bool = False
    method: str = "GET"
    everywhere: bool = False
    duo_asked: bool = False

    principal_id: str = ""
    attributes: dict[str, list[str]] = field(default_factory=dict)
    handler: str = ""
    authenticated_at: float = 0.0
    fresh: bool = False
    ask_before: bool = False
    remembered: bool = False
    session: str = ""
    warnings: list[dict[str, Any]] = field(default_factory=list)
    warned: bool = False

    strength: dict[str, str] = field(default_factory=dict)
    strength_raised: bool = False
    duo_nonce: str = field(default="", repr=False)
    duo_prompted_at: float = 0.0
    duo_optional: bool = False
    duo_page: str = ""
    duo_offered: bool = False
    duo_way: str = ""
    duo_push: str = field(default="", repr=False)
    duo_devices: list[dict[str, Any]] = field(default_factory=list)
    duo_state: str = ""
    duo_error: dict[str, Any] = field(default_factory=dict)
    duo_notice: dict[str, Any] = field(default_factory=dict)
    duo_other: str = ""
    duo_cookie: str = ""

    approval_form: dict[str, str] = field(default_factory=dict)
    approval_problems: list[dict[str, Any]] = field(default_factory=list)
    approval_refused: int = 0

    phone_user: str = ""
    phone_profiles: list[str] = field(default_factory=list)
    phone_default: str = ""
    phone_profiles_at: float = 0.0
    phone_from: int = 0
    phone_profile: str = ""
    phone_lock: str = field(default="", repr=False)
    phone_locked: list[str] = field(default_factory=list)
    phone_tries: int = 0
    phone_written_at: float = 0.0
    phone_busy_since: float = 0.0
    phone_occupant: str = ""

    def asked(self) -> dict[str, Any]:
        """Return what was asked for, without defaults: the part that may travel in a form."""
        return {name: getattr(self, name) for name in _ASKED if getattr(self, name) != _DEFAULTS[name]}

    def to_json(self) -> dict[str, Any]:
        """Return everything, for the store."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Scope:
        """Return the scope that ``values`` tells of. Names this version does not know are left out."""
        return cls(**{name: value for name, value in values.items() if name in _DEFAULTS})


_ASKED = ("service", "ticket_name", "renew", "gateway", "method", "everywhere", "duo_asked")
_DEFAULTS = {item.name: getattr(Scope(), item.name) for item in fields(Scope)}
