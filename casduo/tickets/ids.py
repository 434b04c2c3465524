"""Ticket ids: how they are made, read and turned into keys.

An id is ``<prefix>-<slot tag>-<random>`` with characters ``A-Za-z0-9-`` only (CAS protocol 3.7; mod_auth_cas ignores a
ticket with any other character and loops). The slot tag is shared by all tickets of one session, so that Redis Cluster
keeps them in one slot and one script can touch them together. It says nothing about user, service or node.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import field
from enum import Enum

from casduo.signing import fingerprint, random_text
from casduo.values import value_object


class TicketKind(Enum):
    """The prefixes. Value: prefix; ``random_length``: how many random characters follow the slot tag, at least 22 for
    128 bits; ``in_keys``: the prefix as keys have it.
    """

    random_length: int
    in_keys: str

    TICKET_GRANTING = "TGT", 43
    # "ST-" + 4 + "-" + 24 = 32: the length every client must take (CAS protocol 3.1.1).
    SERVICE = "ST", 24
    PROXY = "PT", 24
    PROXY_GRANTING = "PGT", 43

    def __new__(cls, prefix: str, random_length: int) -> TicketKind:
        kind = object.__new__(cls)
        kind._value_ = prefix
        # Plain attributes: each request reads them several times, and an enumeration's own way to a value is slow.
        kind.random_length, kind.in_keys = random_length, prefix.lower()
        return kind


_KINDS = {kind.value: kind for kind in TicketKind}
_FORM = re.compile(r"(TGT|ST|PT|PGT)-([A-Za-z0-9]{4})-([A-Za-z0-9]{20,64})")


@value_object(frozen=True, slots=True)
class TicketId:
    """A ticket's id in its parts. ``str()`` gives the bearer value: never log it; ``masked`` is for logs."""

    kind: TicketKind
    tag: str
    text: str
    fingerprint: str = field(init=False, compare=False)
    """SHA-256 of the id, in hexadecimal: what stands for it in keys and records."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", fingerprint(self.text))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<TicketId {self.masked}>"

    @property
    def masked(self) -> str:
        """Prefix and last four characters: enough to find a ticket again, too little to use it."""
        return f"{self.kind.value}-…{self.text[-4:]}"

    @property
    def key(self) -> str:
        """The Redis key."""
        return f"{key_prefix(self.kind, self.tag)}{self.fingerprint}"

    @property
    def name(self) -> SessionName:
        """What the session may be called where nobody may use it; for a TGT only."""
        return SessionName(self.tag, self.fingerprint)


@value_object(frozen=True, slots=True)
class SessionName:
    """A session by its slot tag and its TGT's fingerprint: enough to end it, too little to use it."""

    tag: str
    fingerprint: str

    @property
    def key(self) -> str:
        """The Redis key of the session."""
        return f"{key_prefix(TicketKind.TICKET_GRANTING, self.tag)}{self.fingerprint}"

    @property
    def visits_key(self) -> str:
        """The Redis key of the list of services that validated its tickets."""
        return f"{visits_prefix(self.tag)}{self.fingerprint}"

    @property
    def text(self) -> str:
        """The name on one line; see ``parse``.

        Short, for it is a member of indexes: Redis keeps small sets of members of up to 64 bytes in a fourth of the
        memory, and this leaves room for an IPv4 address.
        """
        return f"{self.tag}:{urlsafe_b64encode(bytes.fromhex(self.fingerprint)).decode().rstrip('=')}"

    @classmethod
    def parse(cls, text: str) -> SessionName:
        """Return the name that ``text`` made."""
        tag, _, session = text.partition(":")
        return cls(tag, urlsafe_b64decode(session + "=").hex())


def visits_prefix(tag: str) -> str:
    """Return what the keys of all lists of visits of this slot begin with."""
    return f"casduo:{{{tag}}}:visits:"


def key_prefix(kind: TicketKind, tag: str) -> str:
    """Return what the keys of all tickets of this kind and slot begin with."""
    return f"casduo:{{{tag}}}:{kind.in_keys}:"


def new_session_id() -> TicketId:
    """Return a new TGT id with a slot tag of its own."""
    return _new(TicketKind.TICKET_GRANTING, random_text(4))


def new_ticket_id(kind: TicketKind, session: TicketId) -> TicketId:
    """Return a new id of ``kind`` that shares the slot of ``session``."""
    return _new(kind, session.tag)


def new_proxy_granting(beside: TicketId) -> tuple[TicketId, str]:
    """Return a new PGT id in the slot of ``beside``, and the IOU by which its owner will find it.

    The IOU tells nothing of the ticket and is kept nowhere (CAS protocol 3.4).
    """
    return _new(TicketKind.PROXY_GRANTING, beside.tag), f"PGTIOU-{random_text(43)}"


def parse_ticket_id(text: str) -> TicketId | None:
    """Return the id that ``text`` spells, or ``None`` when it cannot be one. Nothing is looked up."""
    match = _FORM.fullmatch(text)
    if match is None or len(match[3]) != _KINDS[match[1]].random_length:
        return None
    return TicketId(_KINDS[match[1]], match[2], text)


def parse_session_id(text: str) -> TicketId | None:
    """Return the TGT id that ``text`` spells, or ``None`` when it cannot be one."""
    found = parse_ticket_id(text)
    return found if found is not None and found.kind is TicketKind.TICKET_GRANTING else None


def _new(kind: TicketKind, tag: str) -> TicketId:
    return TicketId(kind, tag, f"{kind.value}-{tag}-{random_text(kind.random_length)}")
