"""What still works in a Redis that is full: whatever frees memory, and what nobody may be kept from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.events.audit_head import AuditHead
from casduo.events.audit_line import Position
from casduo.events.model import Fault, Subject
from casduo.events.stream import READERS, STREAM, EventStream
from casduo.store import Store
from casduo.store.streams import StreamQueue
from casduo.tickets.signouts import ORDERS, order_from
from tests.events.outboxes import Hand, message, put
from tests.support.served import REGISTRY
from tests.support.site import Browser, Build, Site, has_ticket, heading, ticket_of


@contextmanager
def full(store: Store) -> Iterator[None]:
    """Every write that needs memory is refused, as with ``maxmemory-policy noeviction``."""
    store.command("CONFIG", "SET", "maxmemory", 1)
    try:
        yield
    finally:
        store.command("CONFIG", "SET", "maxmemory", 0)


@pytest.fixture
def site(build: Build, any_redis_url: str, any_store: Store) -> Site:
    return build(any_redis_url, registry=REGISTRY)


def signed_in(site: Site, username: str = "ada") -> Browser:
    """A browser whose person is signed in at one application, which has validated its ticket."""
    browser = site.browser()
    assert site.validate(ticket_of(browser.sign_in(username))).status_int == 200
    return browser


def told(store: Store) -> list[str]:
    """The causes of the sign-outs that a worker is given."""
    return [order_from(entry.fields).cause for entry in StreamQueue(store, ORDERS, "a worker").read(10, 0.01)]


def test_a_ticket_is_validated_once_and_its_service_is_told_of_the_end(site: Site, any_store: Store) -> None:
    browser = site.browser()
    ticket = ticket_of(browser.sign_in())
    with full(any_store):
        assert "<cas:user>ada</cas:user>" in site.validate(ticket).text
        assert "INVALID_TICKET" in site.validate(ticket).text
        assert heading(browser.get("/logout")) == "You are signed out"
        assert told(any_store) == ["logout"]


def test_a_login_is_refused_with_a_sentence_and_the_same_form_is_good_afterwards(site: Site, any_store: Store) -> None:
    browser = site.browser()
    page = browser.login_page()
    with full(any_store):
        refused = browser.fill(page, "ada")
        assert refused.status_int == 503
        assert heading(refused) == "Signing in does not work right now"
    assert has_ticket(browser.fill(page, "ada"))


def test_somebody_with_a_session_is_refused_a_ticket_and_keeps_the_session(site: Site, any_store: Store) -> None:
    browser = signed_in(site)
    with full(any_store):
        assert browser.login_page().status_int == 503
    assert has_ticket(browser.login_page())


def test_all_sessions_of_a_person_are_ended_and_everybody_is_told(site: Site, any_store: Store) -> None:
    browsers = [signed_in(site) for _ in range(2)]
    tickets = site.composed.parts.tickets
    with full(any_store):
        assert tickets.close_sessions_of("ada", "administrator", site.clock()) == 2
        assert told(any_store) == ["administrator"] * 2
        assert tickets.all_ended_since("ada", site.clock(), site.clock())
    assert not any(has_ticket(browser.login_page()) for browser in browsers)


def test_what_one_service_has_is_ended(site: Site, any_store: Store) -> None:
    signed_in(site)
    with full(any_store):
        assert site.composed.parts.tickets.withdraw("ada", "library", "approval_over", site.clock()) == 1
        assert told(any_store) == ["approval_over"]


def test_the_audit_trail_reads_on_and_makes_room(any_store: Store) -> None:
    events, head = EventStream(any_store), AuditHead(any_store, ("audit",), "a worker", "here")
    for number in range(5):
        events.later(Fault(Subject(), code="TEST", detail=str(number), path="here"))
    assert events.flush()
    with full(any_store):
        assert head.reader.lead(10.0)
        entries = head.reader.read(10)
        assert head.confirm(entries[-1].id, Position(5, "seal"), "file", 1.0)
        assert any_store.command("XLEN", STREAM) == 0
        assert head.confirmed().last == Position(5, "seal")
        assert any_store.command("HGET", READERS, "audit") == entries[-1].id


def test_events_wait_in_memory_until_there_is_room(any_store: Store) -> None:
    events = EventStream(any_store)
    events.later(Fault(Subject(), code="TEST", detail="", path="here"))
    with full(any_store):
        assert not events.flush()
    assert events.flush()
    assert any_store.command("XLEN", STREAM) == 1


def test_messages_that_wait_are_delivered(any_store: Store) -> None:
    hand = Hand(any_store)
    put(any_store, message(1), message(2))
    with full(any_store):
        assert hand.deliver_all() == ["m1", "m2"]


def test_no_further_message_is_taken(any_store: Store) -> None:
    with full(any_store), pytest.raises(UpstreamUnavailable):
        put(any_store, message(1))


def test_wrong_passwords_lock_nobody_out_for_longer_than_they_would_otherwise(site: Site, any_store: Store) -> None:
    browser = site.browser()
    page = browser.fill(browser.login_page(), "ada", "wrong")
    with full(any_store):
        for _ in range(5):
            assert browser.fill(page, "ada", "wrong").status_int == 503
    assert has_ticket(browser.fill(page, "ada"))
