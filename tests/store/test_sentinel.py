"""A Redis that Sentinels watch over: the master is found, and found again when it dies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casduo.errors import SettingsError, UpstreamUnavailable
from casduo.settings import load_settings
from casduo.settings.redisnodes import ClusterAddress, SentinelAddress, parse_nodes
from casduo.store.opening import open_store
from tests.support.sentinels import Watched, watched_redis
from tests.support.served import REGISTRY as SERVED
from tests.support.site import LIBRARY, Build, Site, has_ticket, ticket_of
from tests.support.waiting import until

Write = Callable[[str], Path]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with watched_redis(tmp_path / "redis") as found:
        yield found


@pytest.fixture
def settings_file(tmp_path: Path) -> Write:
    def write(redis: str) -> Path:
        path = tmp_path / "casduo.yaml"
        path.write_text(
            f"server: {{url: 'https://sso.example.edu/cas'}}\nredis: {redis}\n"
            "authentication: [{type: users_file, path: users.yaml}]\n",
            encoding="utf-8",
        )
        return path

    return write


def test_people_stay_signed_in_when_the_master_dies(watched: Watched, build: Build) -> None:
    """The replica has what the master had; the server finds it without a restart, and scripts are loaded anew."""
    site: Site = build(redis_url=watched.settings, registry=SERVED)
    browser = site.browser()
    assert has_ticket(browser.sign_in())
    master = watched.master()
    watched.catch_up(master)

    master.kill()
    refused = browser.login_page()
    # The moment between: nobody is let in, nobody is asked for a password in vain, and nothing falls open.
    assert refused.status_int in (302, 303, 503)
    until(lambda: has_ticket(browser.login_page()), "tickets are granted again")
    until(lambda: watched.master().replicas() == 1, "the replica that is left follows")
    answer = browser.login_page()
    assert "<cas:user>ada</cas:user>" in site.validate(ticket_of(answer), LIBRARY).text


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis+sentinel://a,b:26380/tickets", SentinelAddress((("a", 26379), ("b", 26380)), "tickets")),
        (
            "rediss+sentinel://casduo@s1.example.edu:1,[::1]:2/my-master/3",
            SentinelAddress((("s1.example.edu", 1), ("::1", 2)), "my-master", 3, "casduo", True),
        ),
        ("redis+cluster://a,b:7000", ClusterAddress((("a", 6379), ("b", 7000)))),
        ("rediss+cluster://casduo@[::1]:7000/", ClusterAddress((("::1", 7000),), "casduo", True)),
    ],
)
def test_addresses_of_several_redis_are_read(url: str, address: object) -> None:
    assert parse_nodes(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://a",
        "redis+sentinel:///tickets",
        "redis+sentinel://a,/tickets",
        "redis+sentinel://a:99999/tickets",
        "redis+sentinel://a/tickets/x",
        "redis+sentinel://a/tickets?x=1",
        "redis+sentinel://a b/tickets",
        "redis+cluster://a:6379/1",
        "redis+cluster://",
    ],
)
def test_what_is_no_address_of_several_redis_is_refused_with_a_sentence(url: str, settings_file: Write) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(settings_file(f"{{url: '{url}'}}"), {})
    [problem] = caught.value.problems
    assert problem.path == "redis.url"
    assert re.search(r"must be like|port that is none", problem.message)


def test_a_password_in_an_address_of_sentinels_is_moved_out_of_it(settings_file: Write) -> None:
    redis = load_settings(settings_file("{url: 'redis+sentinel://casduo:p%40ss@a:1,b:2/tickets/0'}"), {}).redis
    assert redis.url == "redis+sentinel://casduo@a:1,b:2/tickets/0"
    assert redis.password is not None
    assert redis.password.get_secret_value() == "p@ss"


def test_sentinels_that_nobody_answers_at_are_a_redis_that_is_away(settings_file: Write) -> None:
    settings = load_settings(
        settings_file("{url: 'redis+sentinel://127.0.0.1:1,127.0.0.1:2/tickets', timeout: 1s}"), {}
    )
    store = open_store(settings, None, 1)
    with pytest.raises(UpstreamUnavailable) as caught:
        store.ping()
    assert caught.value.detail == "MasterNotFoundError"
    store.close()
