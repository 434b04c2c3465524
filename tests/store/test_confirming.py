"""What is confirmed by replicas costs no round trip more, and where nobody is to confirm Redis is not asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from casduo.errors import SettingsError, UpstreamUnavailable
from casduo.settings import load_settings
from casduo.settings.sections import RedisSettings
from casduo.store import Store
from casduo.store.store import UNCONFIRMED, Confirmation, client_for
from tests.support.redis_servers import CountingRelay

ROOT = Path(__file__).parents[2]


def waits(store: Store) -> int:
    found = re.search(r"cmdstat_wait:calls=(\d+)", store.command("INFO", "commandstats"))
    return int(found[1]) if found else 0


def test_confirmation_travels_with_what_it_is_about(relay: CountingRelay, store: Store) -> None:
    asking = Store(client_for(relay.url, "", 5.0, 4, ""), Confirmation(1, 0.01))
    asking.ping()
    relay.reset()
    batch = asking.batch()
    taken = batch.confirmed("SET", "a", "1")
    with pytest.raises(UpstreamUnavailable) as caught:
        batch.run()
    assert caught.value.detail == UNCONFIRMED
    assert relay.round_trips == 1
    # It has happened, and nobody is told that it worked.
    assert store.command("GET", "a") == "1"
    assert not taken.done
    asking.close()


def test_only_what_is_to_be_confirmed_is(store: Store, valkey_url: str) -> None:
    asking = Store(client_for(valkey_url, "", 5.0, 4, ""), Confirmation(1, 0.01))
    before = waits(store)
    asking.command("SET", "a", "1")
    plain = store.batch()
    plain.confirmed("SET", "a", "2")
    plain.run()
    assert waits(store) == before
    asking.close()


@pytest.mark.parametrize(
    ("redis", "replicas"),
    [
        ({}, 0),
        ({"url": "redis://a"}, 0),
        ({"url": "redis://a", "confirmed_by": 2}, 2),
        ({"url": "redis+sentinel://a,b,c/tickets"}, 1),
        ({"url": "redis+cluster://a,b,c"}, 1),
        ({"url": "redis+cluster://a,b,c", "confirmed_by": 0}, 0),
    ],
)
def test_one_replica_confirms_where_there_are_some(redis: dict[str, object], replicas: int) -> None:
    assert RedisSettings.model_validate(redis).confirmations == replicas


@pytest.mark.parametrize("redis", ["{confirmed_by: 1}", "{url: 'redis://a', confirmed_by: -1}"])
def test_what_nobody_can_confirm_is_refused(redis: str, tmp_path: Path) -> None:
    path = tmp_path / "casduo.yaml"
    path.write_text(
        f"server: {{url: 'https://sso.example.edu/cas'}}\nredis: {redis}\n"
        "authentication: [{type: users_file, path: users.yaml}]\n",
        encoding="utf-8",
    )
    with pytest.raises(SettingsError):
        load_settings(path, {})


def test_what_is_good_once_or_has_ended_is_confirmed() -> None:
    """The scripts that the page of Redis promises it of. A new one of this kind belongs here."""
    found = set()
    for path in (ROOT / "casduo").rglob("*.py"):
        found |= set(re.findall(r'"(\w+\.lua)"[^)]*confirmed=True', path.read_text(encoding="utf-8")))
    assert found == {
        "claim.lua",
        "close.lua",
        "ended.lua",
        "inbox_take.lua",
        "link.lua",
        "push_take.lua",
        "request_settle.lua",
        "take.lua",
        "trust_forget.lua",
        "withdraw.lua",
    }
