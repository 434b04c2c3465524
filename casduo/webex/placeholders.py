"""What a template of a notification can hold, in one list."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PLACEHOLDERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "user": "who it is about",
        "service": "name of the application",
        "service_id": "its id in the registry",
        "address": "where the person is",
        "time": "when, in UTC and in the zone of the server",
        "strength": "what was confirmed: password, or password and Duo",
        "reference": "the reference that log and pages share",
        "event": "the kind of event",
        "host": "name of the machine behind the application",
        "ip": "its address",
        "account": "account that is used on it",
        "request": "id of the request for access",
        "detail": "what else is known",
    }
)
"""Each with what it stands for. All are texts from outside: they are escaped before they are put in."""
