"""What the published documents leave open, and the limits they name: changeable at any time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Signature = Literal["sha1", "sha256", "sha512"]

SIGNATURES: tuple[Signature, ...] = get_args(Signature)


@dataclass(slots=True)
class Settings:
    """Settings of the simulated Webex; times are seconds."""

    max_message_bytes: int = 7439
    """Bytes of UTF-8 that ``text`` and ``markdown`` may have, each."""
    max_edits: int = 10
    """How often a message can be edited."""
    max_card_bytes: int = 20_000
    """Bytes of UTF-8 that a card may have, written as compact JSON."""
    max_card_actions: int = 5
    """Actions that a card may have, those of cards inside it counted."""
    max_card_version: str = "1.3"
    """The newest version of the card schema that is taken."""
    card_needs_text: bool = True
    """Whether a card without ``text`` or ``markdown`` beside it is refused."""

    unknown_recipient_status: int = 404
    """What a post to an address nobody has is answered with: 404, 400 or 403."""
    deleted_again_status: int = 404
    """What the second deletion of a message is answered with."""

    action_status: int = 202
    """What ``POST /attachment/actions`` is answered with: 202 is documented, some clients want 200."""
    bots_may_press: bool = True
    """Whether a bot's token can send inputs for a card."""
    data_as_text: bool = True
    """Whether every value of a pressed button's ``data`` becomes a text, or stays what it was."""

    signatures: tuple[Signature, ...] = SIGNATURES
    """How deliveries are signed: ``sha1`` in X-Spark-Signature, the others in X-Webex-Signature."""
    deactivate_after: int = 100
    """Failed deliveries after which a webhook becomes inactive."""
    deactivate_within: float = 300.0
    """The time in which so many have to fail."""
    delivery_timeout: float = 10.0
    """Real seconds after which a receiver that says nothing has failed."""
    delivery_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "::1")
    """Hosts that deliveries go to; to any other they fail. A simulator has no business beyond this machine."""
