"""What the control interface tells about the simulator, as JSON objects without tokens and secrets."""

from __future__ import annotations

import dataclasses
from typing import Any

from casduo.simulators.webex.delivery import Delivery
from casduo.simulators.webex.model import Message, Person, Webhook
from casduo.simulators.webex.pressing import buttons
from casduo.simulators.webex.simulator import WebexSimulator


def describe_state(simulator: WebexSimulator) -> dict[str, Any]:
    """Return everything there is to see, but for messages."""
    limit = simulator.rate_limit
    return {
        "base_url": simulator.base_url,
        "page_url": simulator.page_url,
        "listening": simulator.listening,
        "settings": dataclasses.asdict(simulator.settings),
        "rate_limit": None if limit is None else dataclasses.asdict(limit),
        "people": [describe_person(each) for each in simulator.people()],
        "rooms": [dataclasses.asdict(each) for each in simulator.rooms()],
        "webhooks": [describe_webhook(each) for each in simulator.webhooks],
        "requests": len(simulator.requests),
    }


def describe_person(person: Person) -> dict[str, Any]:
    """Return somebody without the token."""
    described = dataclasses.asdict(person)
    del described["token"]
    return described


def describe_message(message: Message) -> dict[str, Any]:
    """Return a message, with the titles of the buttons that its card has."""
    titles = [] if message.card is None else [button.title for button in buttons(message.card)]
    return {**dataclasses.asdict(message), "buttons": titles}


def describe_webhook(webhook: Webhook) -> dict[str, Any]:
    """Return a webhook without its secret."""
    described = dataclasses.asdict(webhook)
    del described["secret"]
    return described


def describe_delivery(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery; its body as text."""
    return {**dataclasses.asdict(delivery), "body": delivery.body.decode(errors="replace")}
