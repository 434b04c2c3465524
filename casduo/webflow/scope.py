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
    sign-out is meant for every device, ``remembered`` that the person asked for a long session.
    """

    service: str = ""
    ticket_name: str = "ticket"
    renew: bool = False
    gateway: bool = False
    method: str = "GET"
    everywhere: bool = False

    principal_id: str = ""
    attributes: dict[str, list[str]] = field(default_factory=dict)
    handler: str = ""
    authenticated_at: float = 0.0
    fresh: bool = False
    ask_before: bool = False
    remembered: bool = False
    session: str = ""
    warnings: list[dict[str, Any]] = field(default_factory=list)

    strength: dict[str, str] = field(default_factory=dict)
    duo_nonce: str = field(default="", repr=False)

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


_ASKED = ("service", "ticket_name", "renew", "gateway", "method", "everywhere")
_DEFAULTS = {item.name: getattr(Scope(), item.name) for item in fields(Scope)}
