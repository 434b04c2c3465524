"""What has to be done at Webex for our webhook to be as it should be. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from casduo.settings import Settings
from casduo.signing import fingerprint
from casduo.webex.events import Repair
from casduo.webex.hook import PATH, webhook_secrets
from casduo.webex.inbox import Upkeep
from casduo.webex.model import Webhook
from casduo.webex.notice import EVENT, RESOURCE


@dataclass(frozen=True, slots=True)
class Wanted:
    """The webhook as it should be: ``name`` tells it from those of others, ``target`` is where it leads."""

    name: str
    target: str
    secret: str = field(repr=False)

    @property
    def mark(self) -> str:
        """The fingerprint of the secret."""
        return fingerprint(self.secret)


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to do.

    :param kept: the webhook that is ours; ``None``: there is none, and one has to be made
    :param repairs: what has to be put right about it
    :param surplus: further ones of ours, to be deleted
    """

    kept: Webhook | None
    repairs: tuple[Repair, ...] = ()
    surplus: tuple[Webhook, ...] = ()


def wanted_webhook(settings: Settings) -> Wanted | None:
    """Return the webhook that ``settings`` ask for, ``None`` where they have no secret for it, or no address."""
    secrets = webhook_secrets(settings.webex)
    if not secrets or settings.webex is None or settings.server.url is None:
        return None
    base = settings.server.url.rstrip("/")
    return Wanted(f"casduo {base}", settings.webex.webhook.url or f"{base}{PATH}", secrets[0])


def is_ours(hook: Webhook, wanted: Wanted) -> bool:
    """Return whether one of the bot's webhooks is this installation's, wherever it leads: by its name, and by what it
    tells of. The others are somebody else's.
    """
    return (hook.name, hook.resource, hook.event) == (wanted.name, RESOURCE, EVENT)


def plan(found: Sequence[Webhook], wanted: Wanted, known: Upkeep | None) -> Plan:
    """Return what there is to do.

    :param found: the bot's webhooks; those that are not ours are left alone
    :param known: how ours was found last, ``None`` where nobody remembers
    """
    ours = [hook for hook in found if is_ours(hook, wanted)]
    remembered = known.registration.webhook if known is not None else ""
    # The one that presses are taken from; else one that needs least.
    ours.sort(key=lambda hook: (hook.id != remembered, hook.target != wanted.target, not hook.active))
    if not ours:
        return Plan(None)
    kept = ours[0]
    repairs: list[Repair] = []
    if kept.target != wanted.target:
        repairs.append("target")
    if not kept.active:
        repairs.append("activated")
    if known is None or kept.id != remembered or known.secret != wanted.mark:
        # Webex does not tell which secret it has.
        repairs.append("secret")
    return Plan(kept, tuple(repairs), tuple(ours[1:]))
