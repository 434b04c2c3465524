"""Events of the webhook by which Webex tells that a button was pressed."""

from __future__ import annotations

from typing import ClassVar, Literal

from casduo.events.model import Event
from casduo.values import value_object
from casduo.webex.notice import NoticeFault
from casduo.webex.signature import SignatureFault

RefusedDelivery = Literal["too_large", "malformed"] | SignatureFault | NoticeFault
"""Why a delivery was not taken in."""
Repair = Literal["created", "activated", "secret", "target", "duplicate"]
"""What had to be put right: there was none, Webex had given it up, it had another secret, it led elsewhere, there was
another one, which is gone now.
"""


@value_object(frozen=True, slots=True)
class WebhookRefused(Event):
    """Somebody sent what should look as if a button had been pressed, and was not believed. ``untold`` are refusals
    before this one that were not written because there were too many in a short time.
    """

    name: ClassVar[str] = "webhook.refused"
    level: ClassVar[str] = "warning"
    reason: RefusedDelivery = "malformed"
    untold: int = 0


@value_object(frozen=True, slots=True)
class WebhookRepaired(Event):
    """The webhook at Webex was not as it has to be, and is now."""

    name: ClassVar[str] = "webhook.repaired"
    level: ClassVar[str] = "warning"
    repair: Repair = "created"
