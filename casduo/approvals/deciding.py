"""Who may decide a request for access, and whether it is still time. Pure.

The same rules for a button in Webex and for our own page. Whether a request was decided before is judged here only to
say so early: that two do not decide it, the step that writes the decision sees to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from casduo.approvals.events import RefusedPress, Via
from casduo.approvals.model import ApprovalRequest
from casduo.authentication.names import folded_username, lowered_address
from casduo.services.policies import ApprovalRule

GRACE = 15 * 60.0
"""Seconds after a request's expiry for which a button counts that was pressed before."""
PERSON = "person"
"""What Webex calls people, as opposed to bots."""
_OFFICES = frozenset(
    {"root", "toor", "admin", "administrator", "sysadmin", "system", "sa", "sys", "oracle", "postgres"}
)
"""Accounts that belong to no person; an address of the same name proves nothing about who reads it."""


@dataclass(frozen=True, slots=True)
class Decider:
    """Somebody who wants to decide.

    :param person: their id at Webex, or their user name here
    :param name: what they are called
    :param emails: all their addresses
    :param via: where they are
    :param username: their user name here, empty where that is not known
    :param kind: what Webex calls them; only a person may decide
    :param organisation: their organisation at Webex, empty on our own page
    """

    person: str
    name: str
    emails: tuple[str, ...]
    via: Via
    username: str = ""
    kind: str = PERSON
    organisation: str = ""

    def approver_address(self, rule: ApprovalRule) -> str:
        """Return which of their addresses is one of those who may decide, empty for none."""
        return next((email for email in _addresses(self.emails) if email in rule.approvers), "")


@dataclass(frozen=True, slots=True)
class Moment:
    """When somebody wants to decide: ``now`` by our clock, and when the button was ``pressed``, in epoch seconds."""

    now: float
    pressed: float


def may_decide(
    request: ApprovalRequest,
    rule: ApprovalRule | None,
    decider: Decider,
    moment: Moment,
    organisations: Collection[str] = (),
) -> RefusedPress | None:
    """Return why somebody may not decide a request, ``None`` where they may.

    :param rule: what the registry says about the service now, ``None`` where it has no such service, or one that needs
        no approval
    :param organisations: those at Webex whose people may decide; our own page has none
    """
    if rule is None:
        return "service_gone"
    forbidden = _forbidden(rule, decider, organisations)
    if forbidden is not None:
        return forbidden
    if is_oneself(request, decider):
        return "oneself"
    if request.state == "pending":
        return None if in_time(request, moment) else "too_late"
    return "too_late" if request.state == "expired" else "already_decided"


def is_oneself(request: ApprovalRequest, decider: Decider) -> bool:
    """Return whether who decides is who asks, or whose account it is for.

    Where the user name of who decides is not known, the part of their addresses before the ``@`` stands for it: better
    that somebody has to use our own page than that people approve for themselves.
    """
    emails = set(_addresses(decider.emails))
    if not emails.isdisjoint(_addresses((*request.emails, request.principal, request.target.account))):
        return True
    if decider.username and folded_username(decider.username) == folded_username(request.principal):
        return True
    names = {_plain_name(name) for name in ((decider.username,) if decider.username else emails)} - {""}
    account = _plain_name(request.target.account)
    if account in names and account not in _OFFICES:
        return True
    return not decider.username and _plain_name(request.principal) in names


def in_time(request: ApprovalRequest, moment: Moment) -> bool:
    """Return whether a request may still be decided: before it expires, or a little later by a button that was pressed
    before. Never when what was asked for is over: nobody must find access approved that they never had.
    """
    if moment.now >= request.end:
        return False
    if moment.now < request.expires:
        return True
    return moment.pressed < request.expires and moment.now < request.expires + GRACE


def _forbidden(rule: ApprovalRule, decider: Decider, organisations: Collection[str]) -> RefusedPress | None:
    if decider.kind != PERSON:
        return "not_a_person"
    if decider.via == "webex" and decider.organisation not in organisations:
        return "other_organisation"
    if not decider.approver_address(rule):
        return "not_an_approver"
    if decider.via == "webex" and rule.approve_in == "portal":
        return "portal_only"
    return None


def _addresses(texts: Iterable[str]) -> list[str]:
    return [lowered_address(text) for text in texts if text.strip()]


def _plain_name(name: str) -> str:
    """Return a user name without the domain that directories write before or behind it."""
    return folded_username(name.rpartition("\\")[2].partition("@")[0])
