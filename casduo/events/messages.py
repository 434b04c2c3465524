"""What waits to be delivered to others: messages, how a delivery went, and who delivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from casduo.cause import stored


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be delivered, once.

    :param id: a name of the effect: of two messages with the same one the second is not delivered
    :param to: the destination, ``room:`` or ``person:`` with what follows; what goes to the same one keeps its order
    :param task: what is to be done; whoever delivers knows the words
    :param body: what it needs, JSON types
    :param urgent: it goes in an order of its own, beside what is not: it waits behind nothing but what is urgent itself
        and shares the pace with the rest
    :param created: epoch seconds
    :param expires: when it is worth nothing any more, in epoch seconds; 0: as long as the settings say
    :param cause: the request that it is delivered for, as :func:`casduo.cause.stored` tells of it; by default what the
        work at hand is done for
    """

    id: str
    to: str
    task: str
    body: Mapping[str, Any] = field(repr=False)
    urgent: bool = False
    created: float = 0.0
    expires: float = 0.0
    cause: Mapping[str, str] = field(default_factory=stored, repr=False)


@dataclass(frozen=True, slots=True)
class Delivered:
    """It went well. ``receipt`` is the other side's id, ``then`` are messages that become due by it, in order.

    :param asked: whether the other side had to be asked; where there was nothing to do, nobody knows whether it would
        have taken anything
    """

    receipt: str = ""
    then: tuple[Message, ...] = ()
    asked: bool = True


Remedy = Literal["retry", "pause", "stop", "never"]
"""What helps: trying this one again later; leaving everybody alone until then; nothing before somebody has looked at
the settings, tried once a minute; nothing at all.
"""


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """It did not go well.

    :param remedy: see :data:`Remedy`
    :param after: seconds before which it must not be tried again, up to an hour; 0: whoever tries decides, but for
        ``pause``, which needs a number
    :param ambiguous: it may have been delivered all the same
    :param status: HTTP status, 0 for none
    :param detail: fixed words, with the other side's reference for the call
    """

    remedy: Remedy
    after: float = 0.0
    ambiguous: bool = False
    status: int = 0
    detail: str = ""


class Deliverer(Protocol):
    """Delivers messages of one channel. Called by several threads, never twice at a time for one destination."""

    def deliver(self, message: Message) -> Delivered | NotDelivered:
        """Deliver one message; every failure of the other side is a return value."""
        ...

    def digest(self, messages: Sequence[Message]) -> Message | None:
        """Return one message in place of these, which wait for one destination; ``None`` where that cannot be.

        It has the id of the first one; ``messages`` all allow it (:meth:`digestible`).
        """
        ...

    def digestible(self, message: Message) -> bool:
        """Whether a message may be counted in a digest in place of being delivered by itself."""
        ...

    def buried(self, message: Message) -> tuple[Message, ...]:
        """Return the messages that become due by it that ``message`` is put aside as a dead letter.

        It is asked before that is done, perhaps more than once: what it returns has the same ids each time.

        :raises UpstreamUnavailable: Redis does not answer; it is asked again
        """
        ...
