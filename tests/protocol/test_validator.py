"""Validating against a real registry of tickets: what is taken, called, stored and forgotten, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from casduo.protocol.entitlement import EntitlementRules
from casduo.protocol.errors import (
    InternalError,
    InvalidProxyCallback,
    InvalidService,
    InvalidTicket,
    InvalidTicketSpec,
    NotFromNewLogin,
    ProtocolError,
    UnauthorizedService,
    UnauthorizedServiceProxy,
)
from casduo.protocol.parameters import parse_parameters
from casduo.protocol.validation import ValidatedTicket, Validator, read_request
from casduo.services.index import Registry
from casduo.services.model import Protocol, ProxyRule, RegisteredService
from casduo.store import Batch, Store
from casduo.store.store import client_for
from casduo.tickets.ids import TicketId, parse_ticket_id
from tests.support.desk import CALLBACK, LIBRARY, NOW, PORTAL, Desk, desk_at
from tests.support.redis_servers import CountingRelay

RULES = EntitlementRules(("groups",))


def entry(name: str, **more: Any) -> RegisteredService:
    url = f"https://{name}.example.edu/**"
    return RegisteredService.model_validate({"id": name, "name": name.title(), "url": url, **more})


REGISTRY = Registry(
    [
        entry("library"),
        entry("portal", proxy={"allow": True, "callback": [CALLBACK, "https://portal.example.edu/cb/**"]}),
        entry("closed", enabled=False),
    ],
    "test",
)


@dataclass
class Post:
    """Brings proxy-granting tickets; ``answer`` runs when one has arrived and may refuse it."""

    delivered: list[tuple[str, str, str]] = field(default_factory=list)
    answer: Callable[[], None] = lambda: None

    def deliver(self, url_text: str, pgt: str, iou: str, rule: ProxyRule) -> None:
        self.delivered.append((url_text, pgt, iou))
        self.answer()


@dataclass
class Office:
    """A validator with its registry of tickets, its messenger and the writes that nobody waits for."""

    desk: Desk
    post: Post = field(default_factory=Post)
    writes: list[Callable[[Batch], None]] = field(default_factory=list)

    def validate(
        self, ticket: TicketId, service: str = LIBRARY, protocol: Protocol = "cas3", proxies: bool = True, **more: str
    ) -> ValidatedTicket:
        parameters = parse_parameters(urlencode({"service": service, "ticket": str(ticket), **more}))
        request = read_request(parameters, REGISTRY, protocol, proxies_accepted=proxies)
        validator = Validator(self.desk.tickets, RULES, self.post, self.writes.append)
        return validator.validate(request, REGISTRY, NOW)

    def refused(self, kind: type[ProtocolError], ticket: TicketId, service: str = LIBRARY, **more: Any) -> str:
        with pytest.raises(ProtocolError) as caught:
            self.validate(ticket, service, **more)
        assert type(caught.value) is kind
        return str(caught.value)

    def flush(self) -> None:
        batch = self.desk.store.batch()
        for write in self.writes:
            write(batch)
        batch.run()
        self.writes.clear()


@pytest.fixture
def office(store: Store) -> Office:
    return Office(desk_at(store))


@pytest.fixture
def session(office: Office) -> TicketId:
    return office.desk.open()


# Taken, whatever comes of it


def test_a_validated_ticket_is_a_visit_and_leaves_nothing_to_write(office: Office, session: TicketId) -> None:
    ticket = office.desk.grant(session)
    assert office.validate(ticket).released.user == "ada"
    assert office.desk.visits(session) == [str(ticket)]
    assert office.writes == []


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (InvalidService, {"service": PORTAL}),
        (UnauthorizedServiceProxy, {"pgtUrl": CALLBACK}),
        (InvalidTicket, {"renew": "true"}),
    ],
)
def test_a_service_that_was_refused_is_not_told_of_the_end(
    office: Office, session: TicketId, kind: type[ProtocolError], asked: dict[str, str]
) -> None:
    kept, ticket = office.desk.visit(session), office.desk.grant(session)
    with pytest.raises(kind):
        office.validate(ticket, **asked)
    assert office.desk.visits(session) == [str(kept), str(ticket)]
    office.flush()
    assert office.desk.visits(session) == [str(kept)]


def test_a_proxy_ticket_that_was_refused_is_not_told_of_the_end(office: Office, session: TicketId) -> None:
    ticket = office.desk.proxy_ticket(office.desk.proxy_granting(session))
    assert ticket is not None
    office.refused(InvalidTicketSpec, ticket, proxies=False)
    office.flush()
    assert office.desk.visits(session) == []


def test_a_refusal_waits_for_no_write(office: Office, session: TicketId) -> None:
    ticket = office.desk.grant(session)
    office.refused(InvalidService, ticket, PORTAL)
    assert len(office.writes) == 1


def test_where_no_session_stands_behind_a_ticket_there_is_nothing_to_forget(office: Office, session: TicketId) -> None:
    used = office.desk.visit(session)
    office.refused(InvalidTicket, used)
    waiting = office.desk.grant(session)
    office.desk.close(session)
    office.refused(InvalidTicket, waiting)
    assert office.writes == []


# Proxy-granting tickets


def test_a_proxy_granting_ticket_is_stored_for_who_took_it(office: Office, session: TicketId) -> None:
    ticket = office.desk.grant(session, PORTAL, "portal", address="192.0.2.7")
    validated = office.validate(ticket, PORTAL, pgtUrl=CALLBACK)
    ((url, pgt, iou),) = office.post.delivered
    assert (url, validated.iou) == (CALLBACK, iou)
    assert pgt.startswith(f"PGT-{session.tag}-")
    found = office.desk.tickets.find_proxy_granting(known(pgt))
    assert found is not None
    assert (found.ticket.service_id, found.ticket.proxies, found.ticket.address) == ("portal", (CALLBACK,), "192.0.2.7")


def test_the_chain_grows_at_its_front_with_the_callback_as_it_was_passed(office: Office, session: TicketId) -> None:
    chain = ("https://b.example.edu/cb", "https://a.example.edu/cb?x=1")
    pgt = office.desk.proxy_granting(session, chain)
    ticket = office.desk.proxy_ticket(pgt, PORTAL, "portal")
    assert ticket is not None
    callback = "HTTPS://Portal.example.edu:443/cb/%7Eada?x=%41&x=2"
    validated = office.validate(ticket, PORTAL, pgtUrl=callback)
    assert validated.proxies == chain
    ((_, second, _),) = office.post.delivered
    assert office.desk.owned(known(second)).proxies == (callback, *chain)


@pytest.mark.parametrize("protocol", ["cas1", "saml1"])
def test_nobody_is_called_where_the_protocol_knows_no_proxies(
    office: Office, session: TicketId, protocol: Protocol
) -> None:
    ticket = office.desk.grant(session, PORTAL, "portal")
    assert office.validate(ticket, PORTAL, protocol, pgtUrl=CALLBACK).iou == ""
    assert office.post.delivered == []


def test_the_callback_comes_after_every_check(office: Office, session: TicketId) -> None:
    desk = office.desk
    for kind, ticket, service, more in (
        (InvalidService, desk.grant(session, LIBRARY), PORTAL, {}),
        (InvalidTicket, desk.visit(session, PORTAL, "portal"), PORTAL, {}),
        (NotFromNewLogin, desk.grant(session, PORTAL, "portal"), PORTAL, {"renew": "1"}),
        (UnauthorizedServiceProxy, desk.grant(session), LIBRARY, {}),
        (
            UnauthorizedService,
            desk.grant(session, "https://closed.example.edu/", "closed"),
            "https://closed.example.edu/",
            {},
        ),
    ):
        office.refused(kind, ticket, service, pgtUrl=CALLBACK, **more)
    ended = desk.grant(session, PORTAL, "portal")
    desk.close(session)
    office.refused(InvalidTicket, ended, PORTAL, pgtUrl=CALLBACK)
    assert office.post.delivered == []


def test_a_callback_that_fails_refuses_the_ticket_and_stores_nothing(office: Office, session: TicketId) -> None:
    def refuse() -> None:
        raise InvalidProxyCallback("status 404 (portal.example.edu)")

    office.post.answer = refuse
    ticket = office.desk.grant(session, PORTAL, "portal")
    office.refused(InvalidProxyCallback, ticket, PORTAL, pgtUrl=CALLBACK)
    office.refused(InvalidTicket, ticket, PORTAL)
    assert office.desk.store.command("KEYS", "*:pgt:*") == []
    office.flush()
    assert office.desk.visits(session) == []


def test_nothing_is_stored_before_it_has_arrived(office: Office, session: TicketId) -> None:
    stored: list[list[str]] = []
    office.post.answer = lambda: stored.append(office.desk.store.command("KEYS", "*:pgt:*"))
    office.validate(office.desk.grant(session, PORTAL, "portal"), PORTAL, pgtUrl=CALLBACK)
    assert stored == [[]]
    assert len(office.desk.store.command("KEYS", "*:pgt:*")) == 1


def test_a_session_that_ends_while_the_callback_is_under_way_is_over(office: Office, session: TicketId) -> None:
    def sign_out() -> None:
        office.desk.close(session)

    office.post.answer = sign_out
    why = office.refused(InvalidTicket, office.desk.grant(session, PORTAL, "portal"), PORTAL, pgtUrl=CALLBACK)
    assert why == "the session ended in between"
    ((_, pgt, _),) = office.post.delivered
    assert office.desk.tickets.find_proxy_granting(known(pgt)) is None


def known(text: str) -> TicketId:
    ticket = parse_ticket_id(text)
    assert ticket is not None
    return ticket


# Faults


@pytest.fixture
def cut_off(tmp_path: Path, store: Store, relay: CountingRelay) -> Iterator[tuple[Office, CountingRelay]]:
    """A validator whose connection to Redis can be cut."""
    far = Store(client_for(relay.url, "", 2.0, 8, ""))
    yield Office(desk_at(far)), relay
    far.close()


def test_a_redis_that_is_away_is_our_fault_and_uses_nothing_up(cut_off: tuple[Office, CountingRelay]) -> None:
    office, relay = cut_off
    ticket = office.desk.grant(office.desk.open())
    relay.cut()
    why = office.refused(InternalError, ticket)
    assert str(ticket) not in why
    relay.mend()
    assert office.validate(ticket).released.user == "ada"


def test_a_redis_that_goes_away_during_the_callback_is_our_fault(cut_off: tuple[Office, CountingRelay]) -> None:
    office, relay = cut_off
    ticket = office.desk.grant(office.desk.open(), PORTAL, "portal")
    office.post.answer = relay.cut
    office.refused(InternalError, ticket, PORTAL, pgtUrl=CALLBACK)
    relay.mend()
    office.refused(InvalidTicket, ticket, PORTAL, pgtUrl=CALLBACK)


def test_a_record_that_cannot_be_read_is_our_fault_and_said_by_its_class_only(
    office: Office, session: TicketId
) -> None:
    ticket = office.desk.grant(session)
    office.desk.store.command("SET", ticket.key, f"{session.fingerprint}library secret")
    assert office.refused(InternalError, ticket) == "JSONDecodeError while validating"


def test_a_messenger_that_breaks_is_our_fault(office: Office, session: TicketId) -> None:
    def break_down() -> None:
        raise ZeroDivisionError("PGT-secret")

    office.post.answer = break_down
    ticket = office.desk.grant(session, PORTAL, "portal")
    assert office.refused(InternalError, ticket, PORTAL, pgtUrl=CALLBACK) == "ZeroDivisionError while validating"
