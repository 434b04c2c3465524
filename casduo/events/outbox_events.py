"""The kinds of event about what is sent to others: what could not be, and what operators did about it.

None of them is ever sent to others itself: of what cannot be sent there would be more and more.
"""

from __future__ import annotations

from typing import ClassVar, Final

from casduo.events.model import Event
from casduo.values import value_object


@value_object(frozen=True, slots=True)
class MessageEvent(Event):
    """Something about a message. ``message`` is its id, ``to`` its destination with people's addresses shortened,
    ``task`` what was to be done.
    """

    message: str = ""
    to: str = ""
    task: str = ""


@value_object(frozen=True, slots=True)
class MessageDead(MessageEvent):
    """A message was put aside for good, or several for the same reason: ``message`` is the first of ``messages``.

    ``reason`` is one of :data:`casduo.events.outbox_rules.Reason`, ``status`` that of the last answer, ``detail`` fixed
    words.
    """

    name: ClassVar[str] = "message.dead"
    level: ClassVar[str] = "error"
    reason: str = ""
    status: int = 0
    detail: str = ""
    messages: int = 1


@value_object(frozen=True, slots=True)
class OutboxRedriven(MessageEvent):
    """An operator had a dead letter sent once more. ``by`` is the name of their account on the machine, or the one they
    sign in with where they did it on the administration pages.
    """

    name: ClassVar[str] = "message.redriven"
    level: ClassVar[str] = "warning"
    by: str = ""


@value_object(frozen=True, slots=True)
class OutboxDiscarded(MessageEvent):
    """An operator dropped a dead letter. ``by`` is as in :class:`OutboxRedriven`."""

    name: ClassVar[str] = "message.discarded"
    level: ClassVar[str] = "warning"
    by: str = ""


@value_object(frozen=True, slots=True)
class ChannelStopped(Event):
    """Webex refuses whatever is sent: somebody has to look at the settings. It is tried once a minute from now on."""

    name: ClassVar[str] = "webex.stopped"
    level: ClassVar[str] = "error"
    status: int = 0
    detail: str = ""


@value_object(frozen=True, slots=True)
class ChannelResumed(Event):
    """Webex takes messages again."""

    name: ClassVar[str] = "webex.resumed"


OUTBOX_EVENTS: Final[tuple[type[Event], ...]] = (
    MessageDead,
    OutboxRedriven,
    OutboxDiscarded,
    ChannelStopped,
    ChannelResumed,
)
"""All of them."""

OUTBOX_KINDS: Final = frozenset(kind for event in OUTBOX_EVENTS for kind in event.kinds())
"""Their kinds."""
