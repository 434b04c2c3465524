"""Presses of buttons that Webex has told of and a worker is to look up, and what is known of the webhook, in Redis."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.cause import stored
from casduo.signing import fingerprint
from casduo.store import Store, fields_of, load_script
from casduo.store.streams import Entry
from casduo.webex.notice import Registration

_TAKE = load_script(__file__, "inbox_take.lua", confirmed=True)

INBOX = "casduo:{events}:inbox"
"""The queue. Nothing is trimmed: what is in it was signed with our secret, and is there once."""
_WEBHOOK = "casduo:{events}:webhook"
_SEEN_MS = 7 * 86_400_000
"""How long a press is known that was told of. Told of again later it meets a request that is over."""


@dataclass(frozen=True, slots=True)
class Told:
    """A press to be looked up: its id, and when Webex told of it, in epoch seconds."""

    action: str
    received: float


@dataclass(frozen=True, slots=True)
class Upkeep:
    """How our webhook was found last.

    :param registration: what Webex says of it
    :param secret: fingerprint of the secret that Webex has for it
    :param checked: when it was looked at last, in epoch seconds
    :param repaired: when something about it had to be put right, 0 for never; ``repairs`` how often
    """

    registration: Registration
    secret: str
    checked: float
    repaired: float = 0.0
    repairs: int = 0


class Inbox:
    """The writing end, for whom Webex tells, and what is known of the webhook by which it does."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, action: str, now: float) -> bool:
        """Take a press in, with what it is told of by (:mod:`casduo.cause`). One round trip.

        :return: ``False`` where it was told of before, and nothing was done
        :raises UpstreamUnavailable: Redis does not answer; whoever tells has to tell again
        """
        keys = (f"casduo:{{events}}:seen:{fingerprint(action)}", INBOX)
        words = (word for pair in stored().items() for word in pair)
        return bool(self._store.call(_TAKE, keys, (_SEEN_MS, action, now, *words)))

    def waiting(self) -> int:
        """Return how many presses have not been seen through. One round trip.

        :raises UpstreamUnavailable: Redis does not answer
        """
        return int(self._store.command("XLEN", INBOX))

    def registration(self) -> Registration | None:
        """Return what is known of our webhook, ``None`` while there is none. One round trip.

        :raises UpstreamUnavailable: Redis does not answer
        """
        upkeep = self.upkeep()
        return upkeep.registration if upkeep is not None else None

    def upkeep(self) -> Upkeep | None:
        """Return how our webhook was found last, ``None`` where nobody has looked. One round trip.

        :raises UpstreamUnavailable: Redis does not answer
        """
        flat = self._store.command("HGETALL", _WEBHOOK)
        facts = fields_of(flat)
        if "webhook" not in facts:
            return None
        names = ("webhook", "organisation", "bot", "bot_organisation")
        return Upkeep(
            Registration(*(facts[name] for name in names)),
            facts["secret"],
            float(facts["checked"]),
            float(facts.get("repaired", 0)),
            int(facts.get("repairs", 0)),
        )

    def remember(self, registration: Registration, secret: str, now: float, repairs: int) -> None:
        """Take note of how our webhook was found. One round trip.

        :param secret: fingerprint of the secret that Webex has for it
        :param repairs: how many things had to be put right just now
        :raises UpstreamUnavailable: Redis does not answer
        """
        batch = self._store.batch()
        known = ("webhook", registration.webhook, "organisation", registration.organisation, "bot", registration.bot)
        more = ("bot_organisation", registration.bot_organisation, "secret", secret, "checked", now)
        batch.command("HSET", _WEBHOOK, *known, *more)
        if repairs:
            batch.command("HSET", _WEBHOOK, "repaired", now)
            batch.command("HINCRBY", _WEBHOOK, "repairs", repairs)
        batch.run()

    def forget(self) -> None:
        """Take note that there is no webhook of ours any more. How often one was put right stays. One round trip.

        :raises UpstreamUnavailable: Redis does not answer
        """
        self._store.command("HDEL", _WEBHOOK, "webhook")


def told_in(entry: Entry) -> Told:
    """Return the press of an entry of :data:`INBOX`."""
    return Told(entry.fields["action"], float(entry.fields["received"]))
