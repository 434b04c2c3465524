"""What browsers and systems are called, wherever pages speak of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casduo.messages.model import Message

TEXTS: Final[Mapping[str, Message]] = {
    "agent.both": "{browser} on {system}",
    "agent.browser": "{browser}",
    "agent.system": "Unknown browser on {system}",
    "agent.headless": "Chrome without a window",
    "agent.headless_on": "Chrome without a window on {system}",
    "agent.phone": "IP phone",
    "agent.unknown": "Unknown browser",
}
