"""The job that keeps the webhook at Webex as it has to be, for presses of buttons to come back."""

from __future__ import annotations

from casduo.events.model import Fault, Subject
from casduo.store.breakers import RedisBreakerMemory
from casduo.store.leases import free_lease, take_lease
from casduo.webex.build import build_webex
from casduo.webex.client import WebexClient
from casduo.webex.errors import WebexError, WebexLocked, WebexThrottled
from casduo.webex.events import Repair, WebhookRepaired
from casduo.webex.inbox import Inbox
from casduo.webex.model import Webhook
from casduo.webex.notice import EVENT, RESOURCE, Registration
from casduo.webex.pauses import ChannelPauses
from casduo.webex.upkeep import Plan, Wanted, plan, wanted_webhook
from casduo.worker.parts import Parts

EVERY = 300.0
"""Seconds between two looks."""
LEASE = 30.0
"""Seconds after which another worker looks where one died over it; longer than a call to Webex may last."""
_LEASE_KEY = "casduo:{events}:lease:webhook"
_LOOK_FOR_LEASE = 5.0
_AFTER_TROUBLE = 60.0
_MARGIN = 60.0
"""Seconds that whoever looks may be late for the next time."""


class WebexWatch:
    """Looks after our webhook, at once and then every few minutes, as long as the worker runs; of several workers one
    does. Webex gives a webhook up by itself after deliveries that failed.

    Without a secret there is to be no webhook; one that there is all the same is left alone.

    The lease is a short one while it looks, since presses wait for what is found, and a long one between two looks.

    :param every: see :data:`EVERY`
    :param lease: see :data:`LEASE`
    """

    name = "webex-watch"

    def __init__(self, parts: Parts, every: float = EVERY, lease: float = LEASE) -> None:
        self._parts = parts
        self._inbox = Inbox(parts.store)
        self._wanted = wanted_webhook(parts.settings)
        memory, pauses = RedisBreakerMemory(parts.store), ChannelPauses(parts.store)
        self._client = build_webex(parts.settings, parts.clock, memory, pauses) if self._wanted is not None else None
        self._every = every
        self._lease = lease
        self._troubled = False

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        stopping = self._parts.stopping
        if self._client is None or self._wanted is None:
            stopping.wait()
        else:
            while not stopping.is_set():
                stopping.wait(self._turn(self._client, self._wanted))

    def finish(self, seconds: float) -> None:
        """See :class:`casduo.worker.process.Job`. The next worker looks at once: it may have another secret."""
        if self._client is not None:
            free_lease(self._parts.store, _LEASE_KEY, self._parts.name)
            self._client.close()

    def _turn(self, client: WebexClient, wanted: Wanted) -> float:
        """Look, if this is the worker that does; return how long to wait then."""
        if not self._keep(self._lease):
            return min(_LOOK_FOR_LEASE, self._every, self._lease)
        try:
            self._look(client, wanted)
        except WebexError as error:
            self._tell(error)
            asked = error.after if isinstance(error, WebexThrottled | WebexLocked) else 0.0
            pause = min(max(asked, _AFTER_TROUBLE), self._every)
        else:
            self._troubled = False
            pause = self._every
        self._keep(pause + _MARGIN)
        return pause

    def _keep(self, seconds: float) -> bool:
        return take_lease(self._parts.store, _LEASE_KEY, self._parts.name, seconds)

    def _look(self, client: WebexClient, wanted: Wanted) -> None:
        bot = client.me()
        known = self._inbox.upkeep()
        found = plan(client.webhooks(), wanted, known)
        if found.kept is None and known is not None:
            # What comes by the new one is not refused, should this worker die before it has told of it.
            self._inbox.forget()
        self._keep(self._lease)
        hook, repairs = self._put_right(client, wanted, found)
        registration = Registration(hook.id, hook.organisation, bot.id, bot.organisation)
        # Before anything is deleted: what comes by this one counts from now on.
        count = len(repairs) + len(found.surplus)
        self._inbox.remember(registration, wanted.mark, self._parts.clock(), count)
        for repair in repairs:
            self._parts.journal.write(WebhookRepaired(Subject(), repair=repair))
        for other in found.surplus:
            client.delete_webhook(other.id)
            self._parts.journal.write(WebhookRepaired(Subject(), repair="duplicate"))

    def _put_right(self, client: WebexClient, wanted: Wanted, found: Plan) -> tuple[Webhook, tuple[Repair, ...]]:
        if found.kept is None:
            made = client.create_webhook(
                name=wanted.name, target=wanted.target, resource=RESOURCE, event=EVENT, secret=wanted.secret
            )
            return made, ("created",)
        if not found.repairs:
            return found.kept, ()
        changed = client.update_webhook(
            found.kept.id,
            name=wanted.name,
            target=wanted.target,
            secret=wanted.secret if "secret" in found.repairs else "",
            active="activated" in found.repairs,
        )
        return changed, found.repairs

    def _tell(self, error: WebexError) -> None:
        """Write down that Webex cannot be asked, once for as long as that lasts."""
        if not self._troubled:
            self._parts.journal.write(Fault(Subject(), code=error.code, detail=f"webex: {error.told}", path=self.name))
        self._troubled = True
