"""Events of the enrolment pages, for the log and the audit trail. Codes and accounts' ids at Duo never get in."""

from __future__ import annotations

from typing import ClassVar, Literal

from casduo.events.model import Event
from casduo.values import value_object

Way = Literal["new_account", "existing_account", "second_device", "elsewhere"]
"""How a device comes to an account: with it; to one that had none; beside others; on pages of Duo's."""


@value_object(frozen=True, slots=True)
class EnrollmentStarted(Event):
    """A person was given a code for a phone, or the way to Duo's own pages."""

    name: ClassVar[str] = "enrollment.started"
    way: Way = "new_account"


@value_object(frozen=True, slots=True)
class EnrollmentFinished(Event):
    """A person has a device that Duo lists."""

    name: ClassVar[str] = "enrollment.finished"
    way: Way = "new_account"


@value_object(frozen=True, slots=True)
class EnrollmentRefused(Event):
    """A person was given no code. ``reason``: ``limited``, ``unconfirmed`` (has devices and did not confirm with one),
    ``foreign`` (the form was not of this session), ``link_used``, ``link_expired``.
    """

    name: ClassVar[str] = "enrollment.refused"
    level: ClassVar[str] = "warning"
    reason: str = ""
