"""Every session store keeps the same promises; the cookie store and the revocations keep some more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from casduo.middleware import CookieSessions, Limits, MemoryRevocations, MemorySessions, Session, SessionStore
from casduo.middleware.errors import SessionEnded, SessionTooLarge, StoreUnavailable
from casduo.middleware.session import COOKIE_LIMIT, session_from_json, session_info
from casduo.middleware.session_redis import RedisRevocations, RedisSessions, connect
from casduo.middleware.signing import Purpose, Signer
from casduo.middleware.tickets import ticket_hash

NOW = 1_800_000_000.0
LIMITS = Limits(lifetime=1000.0, idle=100.0)
SIGNER = Signer(["k" * 40], "app")
TICKET = ticket_hash("ST-1")
ADA = Session("ada", {"mail": ("ada@example.edu",), "cn": ("Ädä", "A")}, TICKET, NOW, NOW, renewed=False)


@pytest.fixture(params=["cookie", "cookie and revocations in redis", "memory", "redis"])
def store(request: pytest.FixtureRequest, redis_socket: Path) -> Iterator[SessionStore]:
    with connect(f"unix://{redis_socket}", 2.0) as client:
        client.flushall()
        if request.param == "redis":
            yield RedisSessions(client, SIGNER, LIMITS, "p")
        elif request.param == "memory":
            yield MemorySessions(SIGNER, LIMITS)
        elif request.param == "cookie":
            yield CookieSessions(SIGNER, LIMITS, MemoryRevocations())
        else:
            yield CookieSessions(SIGNER, LIMITS, RedisRevocations(client, "p"))


def user_of(store: SessionStore, cookie: str, now: float = NOW) -> str | None:
    found = store.find(cookie, now, touch=True)
    return found.session.user if found else None


class TestEveryStore:
    def test_a_session_is_found_as_it_was_kept(self, store: SessionStore) -> None:
        found = store.find(store.begin(ADA, NOW), NOW, touch=False)
        assert found is not None
        assert found.session == ADA

    def test_who_called_in_a_persons_name_is_remembered(self, store: SessionStore) -> None:
        called = replace(ADA, proxies=("https://b.example/pgt", "https://a.example/pgt"))
        found = store.find(store.begin(called, NOW), NOW, touch=True)
        assert found is not None
        assert found.session.proxies == called.proxies

    @pytest.mark.parametrize("cookie", ["", "x", "a.b", "WyJhIl0.x", "\N{SNOWMAN}"])
    def test_what_is_no_cookie_of_ours_is_nothing(self, store: SessionStore, cookie: str) -> None:
        assert user_of(store, cookie) is None
        store.end(cookie, NOW)

    def test_a_changed_cookie_is_nothing(self, store: SessionStore) -> None:
        cookie = store.begin(ADA, NOW)
        for place in (0, len(cookie) // 2, len(cookie) - 2):
            changed = "A" if cookie[place] != "A" else "B"
            assert user_of(store, cookie[:place] + changed + cookie[place + 1 :]) is None

    def test_a_value_signed_for_something_else_is_nothing(self, store: SessionStore) -> None:
        assert user_of(store, SIGNER.sign(Purpose.ATTEMPT, ADA.to_json())) is None

    def test_a_cookie_of_another_application_is_nothing(self, store: SessionStore) -> None:
        other = CookieSessions(Signer(["k" * 40], "other app"), LIMITS, MemoryRevocations())
        assert user_of(store, other.begin(ADA, NOW)) is None

    def test_a_session_ends_with_its_lifetime_even_in_use(self, store: SessionStore) -> None:
        cookie = store.begin(ADA, NOW)
        for moment in range(0, 1000, 50):
            found = store.find(cookie, NOW + moment, touch=True)
            assert found is not None
            cookie = found.cookie or cookie
        assert user_of(store, cookie, NOW + 1000) is None

    def test_an_ended_session_stays_ended_for_every_copy_of_its_cookie(self, store: SessionStore) -> None:
        cookie = store.begin(ADA, NOW)
        store.end(cookie, NOW)
        assert user_of(store, cookie) is None

    def test_the_cas_server_ends_a_session_by_its_ticket(self, store: SessionStore) -> None:
        cookie = store.begin(ADA, NOW)
        grace = store.begin(replace(ADA, user="grace", ticket=ticket_hash("ST-2")), NOW)
        store.end_ticket(TICKET, NOW)
        store.end_ticket(TICKET, NOW)
        assert user_of(store, cookie) is None
        assert user_of(store, grace) == "grace"

    def test_an_end_that_comes_before_the_session_still_ends_it(self, store: SessionStore) -> None:
        store.end_ticket(TICKET, NOW)
        with pytest.raises(SessionEnded):
            store.begin(ADA, NOW + 1)

    def test_each_sign_in_has_a_cookie_of_its_own(self, store: SessionStore) -> None:
        first = store.begin(ADA, NOW)
        assert store.begin(replace(ADA, ticket=ticket_hash("ST-2")), NOW) != first


class TestCookies:
    def test_a_session_ends_when_it_is_not_used(self) -> None:
        store = CookieSessions(SIGNER, LIMITS, MemoryRevocations())
        cookie = store.begin(ADA, NOW)
        assert user_of(store, cookie, NOW + 99) == "ada"
        assert user_of(store, cookie, NOW + 100) is None

    def test_use_gives_a_new_cookie_now_and_then(self) -> None:
        store = CookieSessions(SIGNER, LIMITS, MemoryRevocations())
        cookie = store.begin(ADA, NOW)
        early, late = store.find(cookie, NOW + 9, touch=True), store.find(cookie, NOW + 90, touch=True)
        assert early is not None
        assert early.cookie is None
        assert late is not None
        assert late.cookie is not None
        assert user_of(store, late.cookie, NOW + 189) == "ada"

    def test_looking_at_public_files_is_not_use(self) -> None:
        store = CookieSessions(SIGNER, LIMITS, MemoryRevocations())
        found = store.find(store.begin(ADA, NOW), NOW + 90, touch=False)
        assert found is not None
        assert found.cookie is None

    def test_too_many_attributes_are_an_error_that_says_what_to_do(self) -> None:
        store = CookieSessions(SIGNER, LIMITS, MemoryRevocations())
        groups = tuple(f"cn={ticket_hash(str(number))},ou=groups" for number in range(200))
        with pytest.raises(SessionTooLarge, match="Redis") as caught:
            store.begin(replace(ADA, attributes={"memberOf": groups}), NOW)
        assert caught.value.size > caught.value.limit == COOKIE_LIMIT

    def test_an_older_key_still_verifies_and_a_forgotten_one_does_not(self) -> None:
        cookie = CookieSessions(Signer(["old" * 20], "app"), LIMITS, MemoryRevocations()).begin(ADA, NOW)
        rotated = CookieSessions(Signer(["new" * 20, "old" * 20], "app"), LIMITS, MemoryRevocations())
        assert user_of(rotated, cookie) == "ada"
        assert user_of(CookieSessions(Signer(["new" * 20], "app"), LIMITS, MemoryRevocations()), cookie) is None

    def test_a_proxy_granting_ticket_never_goes_into_a_cookie(self) -> None:
        store = CookieSessions(SIGNER, LIMITS, MemoryRevocations())
        with pytest.raises(ValueError, match="does not go into a cookie") as caught:
            store.begin(replace(ADA, pgt="PGT-1-abc"), NOW)
        assert "PGT-1-abc" not in str(caught.value)

    def test_a_session_of_another_release_is_no_session(self) -> None:
        assert session_from_json([0, *ADA.to_json()[1:]]) is None


class TestServerSideStores:
    @pytest.fixture(params=["memory", "redis"])
    def store(self, request: pytest.FixtureRequest, redis_socket: Path) -> Iterator[SessionStore]:
        with connect(f"unix://{redis_socket}", 2.0) as client:
            client.flushall()
            yield (
                MemorySessions(SIGNER, LIMITS)
                if request.param == "memory"
                else RedisSessions(client, SIGNER, LIMITS, "p")
            )

    def test_a_proxy_granting_ticket_stays_with_the_session_and_out_of_the_cookie(self, store: SessionStore) -> None:
        granted = replace(ADA, pgt="PGT-1-abc")
        cookie = store.begin(granted, NOW)
        found = store.find(cookie, NOW, touch=True)
        assert found is not None
        assert found.session.pgt == "PGT-1-abc"
        assert "PGT" not in repr(found)
        assert SIGNER.read(Purpose.SESSION, cookie) != "PGT-1-abc"

    def test_one_ticket_begins_one_session(self, store: SessionStore) -> None:
        store.begin(ADA, NOW)
        with pytest.raises(SessionEnded):
            store.begin(ADA, NOW)


class TestMemory:
    def test_a_session_ends_when_it_is_not_used(self) -> None:
        store = MemorySessions(SIGNER, LIMITS)
        cookie = store.begin(ADA, NOW)
        assert user_of(store, cookie, NOW + 99) == "ada"
        assert user_of(store, cookie, NOW + 198) == "ada"
        assert user_of(store, cookie, NOW + 298) is None

    def test_looking_at_public_files_is_not_use(self) -> None:
        store = MemorySessions(SIGNER, LIMITS)
        cookie = store.begin(ADA, NOW)
        assert store.find(cookie, NOW + 99, touch=False) is not None
        assert store.find(cookie, NOW + 100, touch=False) is None

    def test_the_one_not_used_for_longest_makes_room(self) -> None:
        store = MemorySessions(SIGNER, LIMITS, capacity=3)
        cookies = [store.begin(replace(ADA, ticket=f"t{number}"), NOW) for number in range(3)]
        assert user_of(store, cookies[0], NOW + 1) == "ada"
        cookies.append(store.begin(replace(ADA, ticket="t3"), NOW + 2))
        assert [user_of(store, cookie, NOW + 3) for cookie in cookies] == ["ada", None, "ada", "ada"]

    def test_ended_sessions_leave_nothing_behind(self) -> None:
        store = MemorySessions(SIGNER, LIMITS)
        store.end(store.begin(replace(ADA, ticket="t1"), NOW), NOW)
        store.begin(replace(ADA, ticket="t2"), NOW)
        store.end_ticket("t2", NOW)
        store.begin(replace(ADA, ticket="t3"), NOW)
        store.begin(replace(ADA, ticket="t4", started=NOW + 200, seen=NOW + 200), NOW + 200)
        assert [session.ticket for session in store._sessions.values()] == list(store._ids) == ["t4"]

    def test_many_threads_may_sign_in_at_once(self) -> None:
        store = MemorySessions(SIGNER, LIMITS, capacity=50)
        found: list[str | None] = []

        def live(number: int) -> None:
            cookie = store.begin(replace(ADA, user=f"user{number}", ticket=f"t{number}"), NOW)
            for _ in range(20):
                found.append(user_of(store, cookie))
            store.end(cookie, NOW)

        threads = [threading.Thread(target=live, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert None not in found
        assert not store._sessions
        assert not store._ids


class TestMemoryRevocations:
    def test_they_are_forgotten_when_the_session_would_have_ended(self) -> None:
        revocations = MemoryRevocations()
        revocations.add(TICKET, NOW, 10)
        assert revocations.covers(ADA, NOW + 9)
        assert not revocations.covers(ADA, NOW + 10)

    def test_a_flood_of_messages_never_brings_an_ended_session_back(self) -> None:
        revocations = MemoryRevocations(capacity=10)
        revocations.add(TICKET, NOW, 1000)
        for number in range(25):
            revocations.add(ticket_hash(f"ST-flood-{number}"), NOW + 1, 1000)
        assert revocations.covers(ADA, NOW + 2)
        later = replace(ADA, ticket=ticket_hash("ST-9"), started=NOW + 2)
        assert not revocations.covers(later, NOW + 3)

    def test_expired_ones_make_room_first(self) -> None:
        revocations = MemoryRevocations(capacity=10)
        for number in range(10):
            revocations.add(ticket_hash(f"ST-{number}"), NOW - 100, 10)
        revocations.add(ticket_hash("ST-new"), NOW, 10)
        assert not revocations.covers(replace(ADA, ticket="other"), NOW)


class TestRedis:
    @pytest.fixture
    def client(self, redis_socket: Path) -> Iterator[Any]:
        with redis.Redis(unix_socket_path=str(redis_socket)) as client:
            client.flushall()
            yield client

    def test_no_key_or_value_lets_a_reader_sign_in(self, client: Any) -> None:
        cookie = RedisSessions(client, SIGNER, LIMITS, "p").begin(ADA, NOW)
        dump = b" ".join(part for key in client.scan_iter() for part in (key, client.get(key)))
        assert cookie.encode() not in dump
        assert SIGNER.read(Purpose.SESSION, cookie).encode() not in dump
        assert b"ST-1" not in dump

    def test_every_key_expires(self, client: Any) -> None:
        store = RedisSessions(client, SIGNER, LIMITS, "p")
        store.begin(ADA, NOW)
        store.end_ticket(ticket_hash("ST-2"), NOW)
        assert sorted(client.ttl(key) for key in client.scan_iter()) == [100, 1000, 1000]

    def test_use_prolongs_the_idle_limit(self, client: Any) -> None:
        store = RedisSessions(client, SIGNER, LIMITS, "p")
        cookie = store.begin(ADA, NOW)
        key = next(key for key in client.scan_iter() if b"session" in key)
        client.expire(key, 5)
        store.find(cookie, NOW, touch=False)
        assert client.ttl(key) <= 5
        store.find(cookie, NOW, touch=True)
        assert client.ttl(key) == 100

    def test_one_ticket_begins_one_session(self, client: Any) -> None:
        store = RedisSessions(client, SIGNER, LIMITS, "p")
        barrier, begun = threading.Barrier(8), []

        def begin() -> None:
            barrier.wait()
            with suppress(SessionEnded):
                begun.append(store.begin(ADA, NOW))

        threads = [threading.Thread(target=begin) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(begun) == 1

    def test_redis_away_is_said_without_its_address(self) -> None:
        with connect("redis://:a-password@127.0.0.1:1/0", 0.2) as client:
            store = RedisSessions(client, SIGNER, LIMITS, "p")
            with pytest.raises(StoreUnavailable) as caught:
                store.begin(ADA, NOW)
        assert str(caught.value) == "ConnectionError"
        assert caught.value.__cause__ is None


def test_the_protocols_own_attributes_are_told_in_words() -> None:
    session = replace(
        ADA,
        attributes={
            "authenticationDate": ("2026-03-04T05:06:07Z",),
            "isFromNewLogin": ("true",),
            "longTermAuthenticationRequestTokenUsed": ("false",),
            "authnContextClass": ("mfa-duo",),
        },
    )
    info = session_info(session, 1000)
    assert info.authentication_date == "2026-03-04T05:06:07Z"
    assert info.is_from_new_login
    assert not info.remembered
    assert info.authn_context == ("mfa-duo",)
    assert info.expires == NOW + 1000


def test_without_these_attributes_nothing_is_claimed() -> None:
    info = session_info(ADA, 1000)
    assert (info.authentication_date, info.is_from_new_login, info.authn_context) == (None, False, ())
