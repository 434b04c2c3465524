"""What becomes of a message after each try, and how long to wait before the next one. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.events.messages import Message, NotDelivered
from casduo.events.outbox_model import Reason


@dataclass(frozen=True, slots=True)
class Terms:
    """How messages are sent. Times in seconds.

    :param per_space: messages a second to one destination, at most
    :param per_token: messages a second in all, at most
    :param digest_above: how many have to wait for one destination for a digest to be made; 0: none is ever made
    :param max_age: after which a message is put aside that says nothing itself
    :param first_pause: longest pause after the first try that failed; it doubles with each
    :param longest_pause: up to which it does
    :param ambiguous_pause: shortest pause where the message may have been delivered
    :param probe_every: how often a stopped channel is tried
    :param most_tries: after how many a message is put aside
    """

    per_space: float = 1.0
    per_token: float = 5.0
    digest_above: int = 20
    max_age: float = 86_400.0
    first_pause: float = 1.0
    longest_pause: float = 300.0
    ambiguous_pause: float = 10.0
    probe_every: float = 60.0
    most_tries: int = 20


@dataclass(frozen=True, slots=True)
class Later:
    """Try the message again at ``moment``, in epoch seconds. ``counts``: this try is one of those it has."""

    moment: float
    counts: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing at all until ``moment``, in epoch seconds."""

    moment: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Send nothing until somebody has looked at the settings."""


@dataclass(frozen=True, slots=True)
class Bury:
    """Put the message aside."""

    reason: Reason


def hopeless(message: Message, tries: int, now: float, terms: Terms) -> Reason | None:
    """Say why it is no use to deliver a message, ``None`` where it is.

    :param tries: how many tries were counted before
    :param now: epoch seconds
    """
    if message.expires and now >= message.expires:
        return "expired"
    if message.created and now >= message.created + terms.max_age and not message.expires:
        return "age"
    # Those it was begun with and never heard of again count too: it may be what workers die of.
    return "tries" if tries >= terms.most_tries else None


def next_step(
    result: NotDelivered, tries: int, fails: int, now: float, share: float, terms: Terms
) -> Later | Pause | Stop | Bury:
    """Return what to do after a try that failed.

    A try at which nobody was there does not count: of an outage no message dies before its time. Whatever may have been
    delivered counts, and so does what was answered: if it always fails, others have to get their turn.

    :param tries: how many tries count, this one included
    :param fails: how many have failed before this one, whether they count or not
    :param now: epoch seconds
    :param share: how much of the pause to wait, from 0 to 1, at random: not all are to come back at the same moment
    """
    match result.remedy:
        case "never":
            return Bury("refused")
        case "stop":
            return Stop()
        case "pause":
            return Pause(now + result.after)
    counts = result.ambiguous or result.status not in (0, 503)
    if counts and tries >= terms.most_tries:
        return Bury("tries")
    pause = share * min(terms.first_pause * 2.0 ** min(fails, 30), terms.longest_pause)
    pause = max(pause, result.after)
    if result.ambiguous:
        pause = max(pause, terms.ambiguous_pause)
    return Later(now + pause, counts)
