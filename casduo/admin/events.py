"""Events of the administration pages: who saw what, who changed what, and who was not let in."""

from __future__ import annotations

from typing import ClassVar, Literal

from casduo.events.model import Event
from casduo.values import value_object


@value_object(frozen=True, slots=True)
class AdminViewed(Event):
    """An administrator was shown a page. ``principal`` is the administrator, ``page`` its path below the server's,
    ``object`` what it showed or was searched for, ``role`` what they may do.
    """

    name: ClassVar[str] = "admin.viewed"
    page: str = ""
    object: str = ""
    role: str = ""


@value_object(frozen=True, slots=True)
class AdminChanged(Event):
    """An administrator changed something. ``principal`` is the administrator, ``action`` a fixed word for what was
    done, ``object`` what it was done to, ``reason`` theirs where the page asks for one, ``role`` what they may do. By a
    command on the machine: ``principal`` is the account there, ``page`` and ``role`` are empty.
    """

    name: ClassVar[str] = "admin.changed"
    level: ClassVar[str] = "warning"
    page: str = ""
    action: str = ""
    object: str = ""
    reason: str = ""
    role: str = ""


@value_object(frozen=True, slots=True)
class AdminRefused(Event):
    """Somebody signed in was refused a page or a change. ``reason``: ``role`` (they have none, or only ``view``),
    ``form`` (the form was not made for this session), ``fresh`` (Duo, or the password, was too long ago),
    ``bypass`` (Duo let them pass without a factor).
    """

    name: ClassVar[str] = "admin.refused"
    level: ClassVar[str] = "warning"
    page: str = ""
    reason: Literal["role", "form", "fresh", "bypass"] = "role"
