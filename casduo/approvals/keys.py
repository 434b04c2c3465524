"""Names of the keys under which requests for access are kept: all in one slot, with no name of a person in them.

What somebody asked for and what was approved is theirs by the name that their session has, to the letter: names that
look alike may be of two people. Only limits take such names for one.
"""

from __future__ import annotations

from casduo.authentication.names import folded_username
from casduo.signing import fingerprint

_BASE = "casduo:{events}:approval:"
_MARK_LENGTH = 40

WAITING = f"{_BASE}waiting"
"""Ids of those that wait for a decision, by when they expire."""
ALL = f"{_BASE}all"
"""Ids of the latest of everybody, by when they were made."""
DEADLINES = f"{_BASE}deadlines"
"""What is to be done at a moment, see :mod:`casduo.approvals.deadlines`."""


def record_key(request_id: str) -> str:
    """Return the key of a request: a hash."""
    # Ids come from addresses and from Webex: whatever they hold, the key stays short.
    return f"{_BASE}of:{request_id}" if len(request_id) <= _MARK_LENGTH else f"{_BASE}of:{_mark(request_id)}"


def lines_key(principal: str, service: str) -> str:
    """Return the key of a person's lines for a service: a hash by id of the request."""
    return f"{_BASE}lines:{_mark(principal, service)}"


def open_key(principal: str) -> str:
    """Return the key of a person's requests that wait, however the name is spelled: ids by when they expire."""
    return f"{_BASE}open:{_mark(folded_username(principal))}"


def person_key(principal: str) -> str:
    """Return the key of a person's requests: ids by when they were made."""
    return f"{_BASE}person:{_mark(principal)}"


def card_key(message: str) -> str:
    """Return the key under which a message leads to its request."""
    return f"{_BASE}card:{_mark(message)}"


def _mark(*words: str) -> str:
    return fingerprint("\n".join(words))[:_MARK_LENGTH]
