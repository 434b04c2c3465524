"""What a UCM knows: end users, application users, phones and device profiles."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Literal, get_args

from casduo.simulators.ucm.credentials import Credential

Role = Literal["axl", "axl-read", "em", "ris"]
"""``axl``: everything over AXL; ``axl-read``: questions only; ``em``: may log other people in and out; ``ris``: may ask
where phones are registered.
"""

ROLES: tuple[Role, ...] = get_args(Role)


def new_uuid() -> str:
    """Return an identifier as AXL writes them: upper case, in braces."""
    return f"{{{str(uuid.uuid4()).upper()}}}"


@dataclass(slots=True)
class User:
    """An end user. ``active`` is False for people the directory does not have any more."""

    userid: str
    pin: Credential = field(default_factory=Credential)
    password: Credential = field(default_factory=Credential)
    mail: str = ""
    profiles: list[str] = field(default_factory=list)
    default_profile: str = ""
    first_name: str = ""
    middle_name: str = ""
    last_name: str = ""
    display_name: str = ""
    department: str = ""
    manager: str = ""
    telephone: str = ""
    mobile: str = ""
    title: str = ""
    locale: str = ""
    directory_uri: str = ""
    devices: list[str] = field(default_factory=list)
    cti_profiles: list[str] = field(default_factory=list)
    active: bool = True
    must_change_pin: bool = False
    pin_expires_in_days: int | None = None
    maximum_login_minutes: int | None = None
    uuid: str = field(default_factory=new_uuid)


@dataclass(slots=True)
class Phone:
    """A phone. ``enabled`` says whether people may log in on it; ``last_user`` is who did so last.

    ``address`` is where it registered last, empty for never, or several with spaces between; ``registered`` whether it
    still is, ``registered_at`` since when.
    """

    name: str
    enabled: bool = True
    model: str = "Cisco 8845"
    protocol: str = "SIP"
    description: str = ""
    device_pool: str = "Default"
    search_space: str = ""
    default_profile: str = ""
    last_user: str = ""
    address: str = ""
    registered: bool = False
    registered_at: float = 0.0
    uuid: str = field(default_factory=new_uuid)


@dataclass(slots=True)
class Profile:
    """A device profile: the lines and keys a phone gets when somebody logs in with it."""

    name: str
    description: str = ""
    model: str = "Cisco 8845"
    protocol: str = "SIP"
    uuid: str = field(default_factory=new_uuid)


@dataclass(slots=True)
class ApplicationUser:
    """An account for programs."""

    name: str
    password: Credential
    roles: frozenset[Role]
