"""After too many calls nobody with the token calls for a while, in whatever process."""

from __future__ import annotations

import pytest

from casduo.events.outbox_desk import OutboxDesk
from casduo.store import Store
from casduo.store.store import client_for
from casduo.webex.build import build_webex
from casduo.webex.client import WebexClient
from casduo.webex.errors import WebexPaused, WebexThrottled
from casduo.webex.pauses import LONGEST, ChannelPauses
from casduo.webex.remedies import remedy_for
from tests.support.redis_servers import CountingRelay
from tests.webex.desk import NOON, Desk


def client(desk: Desk, store: Store) -> WebexClient:
    """The client of a process of its own."""
    found = build_webex(desk.settings, desk.clock, pauses=ChannelPauses(store))
    assert found is not None
    return found


def test_of_too_many_calls_everybody_knows(desk: Desk, store: Store) -> None:
    one, other = client(desk, store), client(desk, store)
    desk.simulator.fail("GET /people/me", 429, retry_after=30)
    with pytest.raises(WebexThrottled):
        one.me()
    for each in (one, other):
        with pytest.raises(WebexPaused) as caught:
            each.webhooks()
        assert (caught.value.after, caught.value.status) == (30, 0)
        assert (remedy_for(caught.value).remedy, remedy_for(caught.value).after) == ("pause", 30)
    assert len(desk.simulator.requests("GET")) == 1
    assert OutboxDesk(store, told=False).status().paused_until == NOON + 30
    desk.clock.advance(30)
    assert one.me().id == other.me().id == desk.bot.id


def test_an_earlier_end_changes_nothing(store: Store) -> None:
    pauses = ChannelPauses(store)
    pauses.pause(NOON, 60)
    pauses.pause(NOON + 1, 5)
    for each in (pauses, ChannelPauses(store)):
        assert each.left(NOON + 1) == 59
        assert each.left(NOON + 60) == 0


def test_what_a_wrong_clock_has_written_stops_nobody(store: Store) -> None:
    ChannelPauses(store).pause(NOON + 10 * LONGEST, 60)
    assert ChannelPauses(store).left(NOON) == 0


def test_without_redis_a_process_goes_by_what_it_heard_itself(relay: CountingRelay, store: Store) -> None:
    pauses = ChannelPauses(Store(client_for(relay.url, "", 1.0, 4, "")))
    relay.cut()
    assert pauses.left(NOON) == 0
    pauses.pause(NOON, 60)
    assert pauses.left(NOON + 1) == 59
    relay.mend()
    assert ChannelPauses(store).left(NOON + 1) == 0
