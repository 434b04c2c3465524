"""Events of the REST protocol besides those of every sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from casduo.events.model import Event


@dataclass(frozen=True, slots=True)
class RestAnswered(Event):
    """A program used the REST protocol. Other events with the same reference tell what happened in between.

    ``client`` is its name in the settings, ``call`` what it asked for, ``ticket`` masked, ``code`` and ``why`` those of
    the refusal.
    """

    name: ClassVar[str] = "rest.answered"
    client: str = ""
    call: str = ""
    status: int = 0
    ticket: str = ""
    code: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class RestClientRefused(Event):
    """Somebody that the settings do not name tried. ``why`` is ``no key``, ``key`` or ``network``."""

    name: ClassVar[str] = "rest.refused"
    level: ClassVar[str] = "warning"
    call: str = ""
    why: str = ""
