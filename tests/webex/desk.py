"""A bot's place in a simulated Webex: people, a space, and a client with the bot's token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from casduo.settings import Settings
from casduo.simulators.clock import VirtualClock
from casduo.simulators.webex import WebexSimulator
from casduo.simulators.webex.model import Person, Room
from casduo.webex.build import build_webex
from casduo.webex.client import WebexClient

NOON = 1_785_585_600.0
"""2026-08-01, 12:00 UTC."""
TOKEN = "bot-token-of-casduo-0123456789"
SERVER = "https://sso.example.edu/cas"


@dataclass
class Desk:
    """Whom there is, and the client."""

    simulator: WebexSimulator
    clock: VirtualClock
    settings: Settings
    client: WebexClient
    bot: Person
    room: Room
    ada: Person
    luke: Person

    @property
    def said(self) -> list[str]:
        """What stands in the space."""
        return [message.markdown or "" for message in self.simulator.messages_in(self.room.id)]


def webex_section(simulator: WebexSimulator, **more: Any) -> dict[str, Any]:
    """The section of the settings that leads to a simulator."""
    times = {"connect_timeout": "1s", "read_timeout": "1s", "timeout": "2s"}
    return {"token": TOKEN, "base_url": simulator.base_url, **times, **more}


def open_desk(simulator: WebexSimulator, clock: VirtualClock, **webex: Any) -> Desk:
    bot = simulator.add_bot("Casduo", token=TOKEN)
    ada = simulator.add_person("ada@example.edu", "Ada Lovelace")
    luke = simulator.add_person("luke@example.edu", "Luke")
    room = simulator.add_room("Access", [bot, luke])
    settings = Settings.model_validate(
        {"server": {"url": SERVER}, "webex": webex_section(simulator, room=room.id, **webex)}
    )
    client = build_webex(settings, clock)
    assert client is not None
    return Desk(simulator, clock, settings, client, bot, room, ada, luke)
