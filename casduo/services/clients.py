"""What is known of CAS clients: the keys that an entry gets from its ``client`` where it does not set them itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from casduo.services.model import RegisteredService


@dataclass(frozen=True, slots=True)
class ClientDefault:
    """One key of an entry, the value it has for a client, and why, as half a sentence."""

    key: str
    value: object
    reason: str


def _by_link_only(reason: str) -> ClientDefault:
    """The ticket travels in the address, whatever a link to the login page asks for."""
    return ClientDefault("response_by_request", False, reason)


PROFILES: Mapping[str, tuple[ClientDefault, ...]] = {
    "mod_auth_cas": (_by_link_only("it looks for the ticket in the query only and would send people back to sign in"),),
    "phpcas": (_by_link_only("it looks for the ticket in the query only and would send people back to sign in"),),
    "dotnet": (_by_link_only("it counts a ticket as an answer only when that stands in the address"),),
    # Its sign-out filter notes sessions by tickets in the query, but an application that asks for method=POST has told
    # it to look further. What else it is picky about holds for every answer.
    "java": (),
    "rubycas": (
        _by_link_only("Rails takes a form from elsewhere for a forged one and drops the session"),
        # No comma: it reads values as YAML, in which 1,2 is the number 12.
        ClientDefault("multivalue", "join:;", "of an element that is repeated it keeps the last one only"),
    ),
    "omniauth": (
        _by_link_only("Rails takes a form from elsewhere for a forged one and drops the session"),
        ClientDefault("service_match", "loose", "it writes the query of its own address anew before it validates"),
    ),
}
"""Defaults by client."""


def with_client_defaults(service: RegisteredService) -> RegisteredService:
    """Return ``service`` with the defaults of its client. What the entry sets itself stays, and so does what it counts
    as set (``model_fields_set``).
    """
    values = {default.key: default.value for default in client_defaults(service)}
    if not values:
        return service
    return RegisteredService.model_construct(set(service.model_fields_set), **{**dict(service), **values})


def client_defaults(service: RegisteredService) -> tuple[ClientDefault, ...]:
    """Return the defaults of the entry's client that apply to it: those of keys that it does not set itself."""
    return tuple(
        default for default in PROFILES.get(service.client or "", ()) if default.key not in service.model_fields_set
    )
