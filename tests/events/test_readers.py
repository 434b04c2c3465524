"""Who reads the stream, by the settings."""

from __future__ import annotations

import pytest

from casduo.events.readers import readers_of
from casduo.settings import Settings


@pytest.mark.parametrize(
    ("settings", "readers"),
    [
        ({}, ("audit",)),
        ({"audit": {"enabled": False}}, ()),
        ({"webex": {"token": "hopper", "room": "ROOM"}}, ("audit", "outbox")),
        ({"webex": {"token": "hopper", "room": "ROOM"}, "audit": {"enabled": False}}, ("outbox",)),
    ],
)
def test_readers_are_those_that_the_settings_switch_on(settings: dict[str, object], readers: tuple[str, ...]) -> None:
    assert readers_of(Settings.model_validate(settings)) == readers
