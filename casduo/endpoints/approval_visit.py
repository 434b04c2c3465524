"""One request to the pages about requests for access: who decides about what, and whose request it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from casduo.approvals.deciding import Decider
from casduo.approvals.model import ApprovalRequest
from casduo.approvals.pages import ApprovalPages
from casduo.authentication.names import lowered_address
from casduo.endpoints.visit import Visit
from casduo.services.policies import ApprovalRule
from casduo.tickets.model import LiveSession

_MAIL, _NAME = "mail", "displayName"
"""Attributes of a person: their addresses, all of which count, and what they are called."""


@dataclass(slots=True)
class ApprovalVisit(Visit):
    """One request to these pages, and what answers it."""

    pages: ApprovalPages = field(init=False)

    def __post_init__(self) -> None:
        Visit.__post_init__(self)
        self.pages = ApprovalPages(self.server.parts.rules)

    def rule_of(self, asked: ApprovalRequest) -> ApprovalRule | None:
        """Return what the registry says now about who decides, ``None`` where nobody does."""
        entry = self.registry.by_id(asked.service)
        return entry.requires_approval if entry is not None else None

    def decided_by(self, decider: Decider) -> frozenset[str]:
        """Return the ids of the services about which somebody decides."""
        return frozenset(
            entry.id
            for entry in self.registry.services
            if entry.requires_approval is not None and decider.approver_address(entry.requires_approval)
        )


def is_of(asked: ApprovalRequest, session: LiveSession) -> bool:
    """Whether a request is that of the session's person; a name that looks alike is another's."""
    return asked.principal == session.ticket.principal_id


def decider_of(session: LiveSession) -> Decider:
    """Return the person of a session as somebody who wants to decide."""
    person, attributes = session.ticket.principal_id, session.ticket.attributes
    emails = tuple(map(lowered_address, attributes.get(_MAIL, ())))
    name = next(iter(attributes.get(_NAME, ())), person)
    return Decider(person, name, emails, "portal", username=person)
