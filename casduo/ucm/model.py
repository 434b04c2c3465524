"""What a Unified Communications Manager tells: plain values, in its own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PIN = re.compile(r"[0-9]{4,128}")


@dataclass(frozen=True, slots=True)
class PinAnswer:
    """What became of a PIN. ``code`` is the number beside the answer, for the log only; ``days_to_expiry`` is there
    where the PIN runs out soon and people should be told.
    """

    right: bool
    code: str = ""
    days_to_expiry: int | None = None


@dataclass(frozen=True, slots=True)
class UcmUser:
    """An end user. ``userid`` is the name as UCM spells it, ``profiles`` are the Extension Mobility profiles in UCM's
    order, ``default_profile`` is one of them or empty. Texts that UCM does not have are empty.
    """

    userid: str
    first_name: str = ""
    last_name: str = ""
    display_name: str = ""
    mail: str = ""
    department: str = ""
    telephone: str = ""
    locale: str = ""
    profiles: tuple[str, ...] = ()
    default_profile: str = ""


@dataclass(frozen=True, slots=True)
class PhoneState:
    """Who is logged in on a phone.

    ``known``: UCM has a device of this name. ``enabled``: whether people may log in on it, ``None`` where the back end
    does not tell. ``user`` is the user id, empty for nobody; ``profile`` the profile in use, empty where nobody is
    logged in or the back end does not tell.
    """

    device: str
    known: bool = True
    enabled: bool | None = None
    user: str = ""
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Registrations:
    """Where phones are registered: each one's addresses, at least one as a rule, by its name in upper case.

    ``complete``: every node of the cluster has answered, so that a phone which was asked for and is not there is
    registered nowhere.
    """

    addresses: Mapping[str, tuple[str, ...]]
    complete: bool


def is_pin(text: str) -> bool:
    """Return whether ``text`` can be a PIN at all: ASCII digits, 4 to 128 of them (AXL, ``doAuthenticateUser``)."""
    return _PIN.fullmatch(text) is not None


def same_user(one: str, other: str) -> bool:
    """Return whether two user ids mean the same person: UCM minds no upper and lower case. An empty id is nobody's."""
    return bool(one) and one.lower() == other.lower()
