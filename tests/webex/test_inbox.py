"""A press is taken in once, together with the mark that it was seen; and what is known of the webhook is kept."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.store import Store
from casduo.store.store import client_for
from casduo.store.streams import StreamQueue
from casduo.webex.inbox import INBOX, Inbox, Told, Upkeep, told_in
from casduo.webex.notice import Registration

NOW = 1_800_000_000.25
OURS = Registration("hook", "home", "bot", "home of the bot")
WEEK = 7 * 86_400


def taken(store: Store) -> list[Told]:
    return [told_in(entry) for entry in StreamQueue(store, INBOX, "worker").read(100, 0.01)]


def test_a_press_is_taken_in(any_store: Store) -> None:
    assert Inbox(any_store).take("press-1", NOW)
    assert taken(any_store) == [Told("press-1", NOW)]


def test_a_press_told_of_again_is_not_taken_in_again(any_store: Store) -> None:
    inbox = Inbox(any_store)
    assert inbox.take("press-1", NOW)
    assert not inbox.take("press-1", NOW + 1)
    assert inbox.take("press-2", NOW + 2)
    assert [told.action for told in taken(any_store)] == ["press-1", "press-2"]


def test_presses_wait_until_they_are_seen_through(any_store: Store) -> None:
    inbox = Inbox(any_store)
    assert inbox.waiting() == 0
    inbox.take("press-1", NOW)
    inbox.take("press-2", NOW)
    assert inbox.waiting() == 2
    queue = StreamQueue(any_store, INBOX, "worker")
    entry, _ = queue.read(10, 0.01)
    assert inbox.waiting() == 2
    queue.done(entry.id)
    assert inbox.waiting() == 1


def test_presses_are_remembered_for_a_week(store: Store) -> None:
    Inbox(store).take("press-1", NOW)
    (key,) = [key for key in store.command("KEYS", "*") if ":seen:" in key]
    assert "press-1" not in key
    assert WEEK - 60 < store.command("TTL", key) <= WEEK


def test_of_many_at_the_same_instant_one_is_taken_in(store: Store) -> None:
    inbox, start, answers = Inbox(store), threading.Barrier(8), []

    def tell() -> None:
        start.wait()
        answers.append(inbox.take("press-1", NOW))

    threads = [threading.Thread(target=tell) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 7 + [True]
    assert len(taken(store)) == 1


def test_what_comes_while_redis_is_away_is_not_taken_for_seen(tmp_path: Path) -> None:
    away = Store(client_for(f"unix://{tmp_path}/nobody.sock", "", 1.0, 4, ""))
    with pytest.raises(UpstreamUnavailable):
        Inbox(away).take("press-1", NOW)
    with pytest.raises(UpstreamUnavailable):
        Inbox(away).registration()
    away.close()


def test_nothing_is_known_of_a_webhook_at_first(store: Store) -> None:
    assert Inbox(store).registration() is None


def test_what_is_known_of_the_webhook_is_kept(any_store: Store) -> None:
    inbox = Inbox(any_store)
    inbox.remember(OURS, "f00d", NOW, repairs=0)
    assert inbox.registration() == OURS
    assert inbox.upkeep() == Upkeep(OURS, "f00d", NOW)


def test_repairs_are_counted(any_store: Store) -> None:
    inbox = Inbox(any_store)
    inbox.remember(OURS, "f00d", NOW, repairs=2)
    inbox.remember(OURS, "f00d", NOW + 300, repairs=0)
    inbox.remember(OURS, "f00d", NOW + 600, repairs=1)
    inbox.remember(OURS, "f00d", NOW + 900, repairs=0)
    assert inbox.upkeep() == Upkeep(OURS, "f00d", NOW + 900, NOW + 600, 3)
