"""Sessions are found by user, address, network and service, through indexes that are bounded and expire, and ended."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.fieldtypes import Network, parse_network
from casduo.store import Store
from casduo.store.store import client_for
from casduo.tickets import finding, index
from casduo.tickets.finding import FoundSession, SessionFinder, SessionQuery, searchable
from casduo.tickets.ids import SessionName
from casduo.tickets.index import MOST_BLOCKS, Until, blocks_of, note_service, user_index_key
from casduo.tickets.model import LiveSession, TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry
from casduo.tickets.signouts import ORDERS
from tests.support.redis_servers import CountingRelay

NOW = float(int(time.time()))


def opened(
    store: Store, user: str = "ada", address: str = "192.0.2.7", services: tuple[str, ...] = (), take: bool = True
) -> LiveSession:
    """Open a session and go to services with it, which validate their tickets unless ``take`` says otherwise."""
    tickets, batch = TicketRegistry(store, Lifetimes()), store.batch()
    session = tickets.open_session(batch, TicketGrantingTicket(user, {}, "ldap", NOW, address=address), NOW)
    grantings = [
        tickets.grant_service_ticket(batch, session.id, f"https://{name}.example.edu/", name, primary=False, now=NOW)
        for name in services
    ]
    batch.run()
    for granting in grantings if take else ():
        tickets.take(granting.id)
    return session


def finder(store: Store) -> SessionFinder:
    return SessionFinder(store, TicketRegistry(store, Lifetimes()))


def names(store: Store, **query: object) -> set[object]:
    """Return the names of the sessions that are found."""
    return {session.name for session in finder(store).find(SessionQuery(**query)).sessions}  # type: ignore[arg-type]


def test_each_way_to_look_and_all_of_them_together(any_store: Store) -> None:
    here = opened(any_store, "ada", "192.0.2.7", ("payroll",)).id.name
    there = opened(any_store, "ada", "2001:db8::7", ("library",)).id.name
    other = opened(any_store, "grace", "192.0.3.200", ("payroll", "library")).id.name
    opened(any_store, "alan", "", ("library",), take=False)
    assert names(any_store, user="ada") == {here, there}
    assert names(any_store, network=parse_network("192.0.2.7")) == {here}
    assert names(any_store, network=parse_network("192.0.2.0/23")) == {here, other}
    assert names(any_store, network=parse_network("192.0.3.128/25")) == {other}
    assert names(any_store, network=parse_network("2001:db8::/60")) == {there}
    assert names(any_store, service="payroll") == {here, other}
    assert names(any_store, service="library") == {there, other}
    assert names(any_store, service="payroll", network=parse_network("10.0.0.0/8")) == set()
    assert names(any_store, user="ada", service="payroll") == {here}
    assert names(any_store, user="ada", name=there.fingerprint[:8]) == {there}
    assert names(any_store, user="ada", name="") == {here, there}
    assert names(any_store, user="nobody") == set()


def test_a_person_is_found_by_the_name_they_type_however_the_directory_spells_it(any_store: Store) -> None:
    tickets, batch = TicketRegistry(any_store, Lifetimes(), any_case=True), any_store.batch()
    mine, other = (
        tickets.open_session(batch, TicketGrantingTicket(user, {}, "ldap", NOW), NOW).id.name
        for user in ("Ada.Lovelace", "grace")
    )
    batch.run()
    assert names(any_store, user="ada.lovelace") == names(any_store, user="Ada.Lovelace") == {mine}
    assert names(any_store, user="grace") == {other}
    opened(any_store, "Ada")
    # Where letters tell people apart, nobody is found by those of another one.
    assert names(any_store, user="ada") == set()


def test_what_is_found_tells_when_it_ends_and_where_it_led(store: Store) -> None:
    session = opened(store, services=("payroll", "library", "payroll"))
    (found,) = finder(store).find(SessionQuery(user="ada")).sessions
    assert found.services == ("payroll", "library")
    assert found.ends == NOW + Lifetimes().idle
    assert found.short == session.id.fingerprint[:8]


def test_a_session_that_is_gone_does_no_harm(store: Store) -> None:
    session = opened(store, services=("payroll",))
    store.command("DEL", session.id.key)
    for query in (
        SessionQuery(user="ada"),
        SessionQuery(service="payroll"),
        SessionQuery(network=parse_network("192.0.2.7")),
    ):
        assert finder(store).find(query).sessions == ()


def test_an_address_in_ipv6_dress_is_found_as_what_it_is(store: Store) -> None:
    opened(store, address="::ffff:192.0.2.7")
    assert len(names(store, network=parse_network("192.0.2.0/24"))) == 1


@pytest.mark.parametrize(
    ("network", "blocks"),
    [
        ("192.0.2.7", 1),
        ("192.0.2.0/24", 1),
        ("192.0.0.0/16", 256),
        ("10.0.0.0/15", None),
        ("0.0.0.0/0", None),
        ("2001:db8::1", 1),
        ("2001:db8::/56", 256),
        ("2001:db8::/32", None),
        ("::/0", None),
    ],
)
def test_a_network_is_looked_for_in_a_bounded_number_of_blocks(network: str, blocks: int | None) -> None:
    found = blocks_of(parse_network(network))
    assert (len(found) if found is not None else None) == blocks
    assert searchable(SessionQuery(network=parse_network(network))) == (blocks is not None)
    assert searchable(SessionQuery(user="ada", network=parse_network(network)))


def test_what_cannot_be_looked_for_is_refused(store: Store) -> None:
    for query in (SessionQuery(), SessionQuery(name="5add143d"), SessionQuery(network=parse_network("10.0.0.0/8"))):
        with pytest.raises(ValueError, match="nothing that can be looked for"):
            finder(store).find(query)


def test_indexes_expire_and_forget_what_is_over(any_store: Store) -> None:
    opened(any_store, services=("payroll",))
    keys = [key for key in any_store.command("KEYS", "casduo:{[as]:*") if key.endswith(":sessions")]
    assert len(keys) == 2
    assert all(0 < any_store.command("PTTL", key) <= Lifetimes().remembered * 1000 for key in keys)
    assert not any("192.0.2" in key for key in keys)
    batch = any_store.batch()
    over, later = (opened(any_store, user).id.name for user in ("grace", "linus"))
    note_service(batch, "payroll", over, Until(NOW, NOW - 1))
    note_service(batch, "payroll", later, Until(NOW, NOW + 60))
    batch.run()
    members = any_store.command("ZRANGE", "casduo:{s:payroll}:sessions", 0, -1)
    assert (len(members), members[0], over.text in members) == (2, later.text, False)


def test_a_node_whose_clock_is_ahead_forgets_no_session_that_lives(any_store: Store) -> None:
    session = opened(any_store, services=("payroll",))
    registry = TicketRegistry(any_store, Lifetimes())
    batch, ahead = any_store.batch(), NOW + Lifetimes().session + 3600
    other = replace(session.ticket, authenticated_at=ahead)
    opening = registry.open_session(batch, other, ahead)
    note_service(batch, "payroll", opening.id.name, Until(ahead, ahead + Lifetimes().session))
    batch.run()
    assert {name for name, _ in registry.sessions_of("ada")} == {session.id.name, opening.id.name}
    assert any_store.command("ZCARD", "casduo:{s:payroll}:sessions") == 2
    assert registry.close_sessions_of("ada", "administrator", NOW) == 2


def test_sessions_that_a_clock_ahead_ended_keep_nobody_from_signing_in(any_store: Store) -> None:
    registry = TicketRegistry(any_store, Lifetimes())
    registry.close_sessions_of("ada", "administrator", NOW + 7200)
    [mark] = any_store.command("KEYS", "*:ended")
    any_store.command("PEXPIRE", mark, 86_400_000 - 20_000)
    assert registry.all_ended_since("ada", NOW - 30, NOW)
    assert not registry.all_ended_since("ada", NOW - 10, NOW)


def test_an_index_ends_with_the_last_session_that_it_names(any_store: Store) -> None:
    batch = any_store.batch()
    session = opened(any_store)
    whole = int(Lifetimes().session) * 1000
    note_service(batch, "payroll", session.id.name, Until(NOW, NOW + 100))
    note_service(batch, "payroll", opened(any_store).id.name, Until(NOW, NOW + 50))
    batch.run()
    assert 90_000 < any_store.command("PTTL", "casduo:{s:payroll}:sessions") <= 100_000
    assert whole - 10_000 < any_store.command("PTTL", user_index_key("ada")) <= whole


def test_small_indexes_are_kept_in_one_piece_by_a_redis_as_it_comes(any_store: Store) -> None:
    session = opened(any_store, address="192.168.200.100", services=("payroll",))
    keys = any_store.command("KEYS", "*:sessions")
    assert len(keys) == 3
    assert {any_store.command("OBJECT", "ENCODING", key) for key in keys} == {"listpack"}
    assert SessionName.parse(session.id.name.text) == session.id.name


def test_nobody_has_too_many_sessions_for_all_to_be_ended(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MOST", 3)
    sessions = {opened(store).id.name for _ in range(5)}
    assert names(store, user="ada") == sessions


def test_an_index_is_bounded_and_keeps_what_ends_last(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MOST", 3)
    batch = store.batch()
    sessions = [opened(store, f"user-{number}").id.name for number in range(5)]
    for number, name in enumerate(sessions):
        note_service(batch, "payroll", name, Until(NOW, NOW + 100 + number))
    batch.run()
    kept = store.command("ZRANGE", "casduo:{s:payroll}:sessions", 0, -1)
    assert kept == [name.text for name in sessions[2:]]


def test_no_more_are_found_than_a_bound_that_is_said_and_the_others_come_once_these_have_ended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST", 2)
    monkeypatch.setattr(finding, "_AT_ONCE", 1)
    for number in range(5):
        opened(store, f"user-{number}", services=("payroll",))
    query, counts = SessionQuery(service="payroll"), []
    for _ in range(4):
        found = finder(store).find(query)
        counts.append((len(found.sessions), found.more))
        finder(store).end(found.sessions, NOW)
    assert counts == [(2, True), (2, True), (1, False), (0, False)]


def test_an_address_is_found_among_many_others_of_its_network(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST", 3)
    monkeypatch.setattr(index, "_PAGE", 2)
    mine = [opened(store, "ada", "192.0.2.7").id.name for _ in range(3)]
    for number in range(9):
        opened(store, f"user-{number}", f"192.0.2.{number + 10}")
    found = finder(store).find(SessionQuery(network=parse_network("192.0.2.7")))
    assert ({session.name for session in found.sessions}, found.more) == (set(mine), False)


def test_a_search_ends_somewhere_even_where_nobody_is_signed_in_any_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "LOOKED_AT", 4)
    monkeypatch.setattr(finding, "_AT_ONCE", 2)
    for number in range(6):
        store.command("DEL", opened(store, f"user-{number}", services=("payroll",)).id.key)
    found = finder(store).find(SessionQuery(service="payroll"))
    assert (found.sessions, found.more) == ((), True)


def test_ending_counts_whose_they_were_and_orders_that_services_are_told(store: Store) -> None:
    for user in ("ada", "ada", "grace"):
        opened(store, user, services=("payroll",))
    stays = opened(store, "alan", services=("library",))
    found = finder(store).find(SessionQuery(service="payroll")).sessions
    ended = finder(store).end(found, NOW)
    assert (ended.counts, ended.sessions, ended.visits) == ({"ada": 2, "grace": 1}, 3, 3)
    assert store.command("XLEN", ORDERS) == 3
    assert names(store, service="library") == {stays.id.name}
    assert TicketRegistry(store, Lifetimes()).sessions_of("ada") == []
    again = finder(store).end(found, NOW)
    assert (again.counts, again.visits) == ({}, 0)


def test_what_was_ended_before_redis_went_away_is_told(
    store: Store, relay: CountingRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_AT_ONCE", 1)
    for user in ("ada", "grace"):
        opened(store, user, services=("payroll",))
    found = finder(store).find(SessionQuery(service="payroll")).sessions
    cut_off = finder(Store(client_for(relay.url, "", 1.0, 4, "")))

    def in_turn() -> Iterator[FoundSession]:
        yield from found[:1]
        relay.cut()
        yield from found[1:]

    monkeypatch.setattr(finding, "_portions", lambda sessions: ((session,) for session in in_turn()))
    assert cut_off.end(found, NOW).sessions == 1
    with pytest.raises(UpstreamUnavailable):
        cut_off.end(found, NOW)
    assert len(finder(store).find(SessionQuery(service="payroll")).sessions) == 1


def test_every_address_lies_in_the_block_of_its_own_network() -> None:
    for text in ("192.0.2.255", "2001:db8:0:1::ffff"):
        network: Network = ipaddress.ip_network(text)
        (block,) = blocks_of(network) or ()
        assert network.subnet_of(block)  # type: ignore[arg-type]
    assert MOST_BLOCKS == 256
