"""Asking for a proxy ticket: reading the request, the table of 2.7 as ``judge_proxy`` decides it, and granting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from casduo.approvals.model import Line, Standing
from casduo.mfa.strength import DUO_BYPASS, UNAVAILABLE, Strength
from casduo.mfa.terms import DuoDefaults, DuoTerms, FailMode
from casduo.protocol.entitlement import EntitlementRules
from casduo.protocol.errors import (
    InternalError,
    InvalidRequest,
    InvalidTicket,
    ProtocolError,
    UnauthorizedService,
)
from casduo.protocol.parameters import parse_parameters
from casduo.protocol.proxy import Proxying, ProxyRequest, judge_proxy, read_proxy_request
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.store import Store
from casduo.store.store import client_for
from casduo.tickets.ids import TicketId, TicketKind
from casduo.tickets.model import FoundProxyGranting, Permit, ProxyGrantingTicket, ServiceTicket, TicketGrantingTicket
from casduo.tickets.registry import TicketRegistry
from tests.support.desk import CALLBACK, LIFETIMES, NOW, Desk, desk_at
from tests.support.redis_servers import CountingRelay
from tests.support.tickets import example_iou, example_ticket

TARGET = "https://library.example.edu/catalogue?q=a&q=b"
SESSION = example_ticket(TicketKind.TICKET_GRANTING)
PGT = str(example_ticket(TicketKind.PROXY_GRANTING))
ADA = TicketGrantingTicket(
    "ada",
    {"groups": ("students",), "uidNumber": ("4711",)},
    "users_file",
    authenticated_at=NOW - 60,
    address="192.0.2.7",
)


CLOSED = DuoTerms()


def entry(name: str = "library", **more: Any) -> RegisteredService:
    more.setdefault("url", f"https://{name}.example.edu/**")
    return RegisteredService.model_validate({"id": name, "name": name.title(), **more})


def portal(*, enabled: bool = True, **proxy: Any) -> RegisteredService:
    return entry("portal", enabled=enabled, proxy={"allow": True, "callback": CALLBACK, **proxy})


def request(target: str = TARGET, pgt: str = PGT, registry: Registry | None = None) -> ProxyRequest:
    parameters = parse_parameters(urlencode({"pgt": pgt, "targetService": target}))
    return read_proxy_request(parameters, registry or Registry([entry()], "test"))


def found(session: TicketGrantingTicket | None = ADA, address: str = "") -> FoundProxyGranting:
    return FoundProxyGranting(ProxyGrantingTicket("portal", SESSION.fingerprint, (CALLBACK,), address), session)


def outcome(
    holding: FoundProxyGranting | None,
    *services: RegisteredService,
    asked: ProxyRequest | None = None,
    duo: DuoTerms = CLOSED,
) -> tuple[str, str]:
    registry = Registry(services or [portal(), entry()], "test")
    owner, target = judge_proxy(
        asked or request(), holding, registry, NOW, EntitlementRules(("groups",), DuoDefaults(duo))
    )
    return owner.id, target.id


def refused(
    kind: type[ProtocolError], holding: FoundProxyGranting | None, *services: RegisteredService, **more: Any
) -> str:
    with pytest.raises(ProtocolError) as caught:
        outcome(holding, *services, **more)
    assert type(caught.value) is kind
    return caught.value.why


# Reading the request


@pytest.mark.parametrize(
    ("pgt", "target"),
    [("", TARGET), (PGT, ""), ("", ""), (" ", TARGET), (PGT, " "), (PGT, "library"), (PGT, "https://"), ("x", "x")],
)
def test_missing_blank_and_malformed_parameters_are_an_invalid_request(pgt: str, target: str) -> None:
    with pytest.raises(InvalidRequest):
        request(target, pgt)


@pytest.mark.parametrize(
    "target",
    [
        "https://library.example.edu@evil.example.com/",
        "https://evil.example.com\\@library.example.edu/",
        "//library.example.edu/",
        "javascript:alert(1)",
        "https://library.example.edu:99999/",
        "https://library.example.edu/../x",
    ],
)
def test_what_is_no_address_of_an_application_is_an_invalid_request(target: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        request(target)
    assert target not in str(caught.value)


@pytest.mark.parametrize(
    "pgt",
    [
        "nonsense",
        "PGT-",
        PGT[:-1],
        PGT + "x",
        PGT.lower(),
        " " + PGT,
        PGT + "\n",
        PGT.replace("PGT-", "ST-"),
        PGT.replace("PGT-", "TGT-"),
        PGT.replace("PGT-", "PGTIOU-"),
        str(SESSION),
        str(example_ticket(TicketKind.SERVICE)),
        str(example_ticket(TicketKind.PROXY)),
        example_iou(),
        "PGT-" + "A" * 60_000,
    ],
)
def test_what_cannot_be_a_proxy_granting_ticket_is_an_invalid_ticket(pgt: str) -> None:
    with pytest.raises(InvalidTicket) as caught:
        request(pgt=pgt)
    assert pgt not in str(caught.value)


def test_the_target_is_kept_as_it_was_sent() -> None:
    odd = "https://Library.example.edu:443/%63atalogue?x=1#top"
    asked = request(odd)
    assert (asked.target_text, asked.target.host, str(asked.granting)) == (odd, "library.example.edu", PGT)


def test_a_target_with_a_scheme_of_its_own_is_read_where_the_registry_names_it() -> None:
    mail = Registry([entry(url="imaps://mail.example.edu")], "test")
    assert request("imaps://mail.example.edu", registry=mail).target.scheme == "imaps"
    with pytest.raises(InvalidRequest):
        request("imaps://mail.example.edu")


def test_a_request_shows_no_ticket_where_it_is_printed() -> None:
    assert PGT not in repr(request())


# Judging


def test_whoever_may_proxy_gets_a_ticket_for_whatever_is_registered() -> None:
    assert outcome(found()) == ("portal", "library")


def test_no_such_ticket() -> None:
    refused(InvalidTicket, None)


def test_the_session_has_ended() -> None:
    refused(InvalidTicket, found(None))


@pytest.mark.parametrize(
    "services",
    [
        (entry(),),
        (portal(enabled=False), entry()),
        (portal(allow=False), entry()),
        (entry("portal"), entry()),
        # Another entry has the URL now: it was given nothing.
        (entry("gateway", url="https://portal.example.edu/**"), entry()),
    ],
    ids=["gone", "disabled", "not any more", "no rule", "another entry"],
)
def test_the_owner_may_not_proxy_any_more(services: tuple[RegisteredService, ...]) -> None:
    assert "portal" in refused(UnauthorizedService, found(), *services)


def test_the_owner_may_proxy_whatever_became_of_its_callback() -> None:
    moved = portal(callback="https://portal.example.edu/elsewhere")
    assert outcome(found(), moved, entry()) == ("portal", "library")


@pytest.mark.parametrize(
    "target",
    [entry(url="https://other.example.edu/**"), entry(enabled=False), entry(channel="phone")],
    ids=["gone", "disabled", "phone"],
)
def test_the_target_is_nowhere_to_go(target: RegisteredService) -> None:
    refused(UnauthorizedService, found(), portal(), target)


def test_a_list_of_targets_is_all_there_is() -> None:
    archive = entry("archive")
    only = portal(targets=["archive"])
    why = refused(UnauthorizedService, found(), only, archive, entry())
    assert why == "library is not among the targets of portal"
    asked = request("https://archive.example.edu/")
    assert outcome(found(), only, archive, entry(), asked=asked) == ("portal", "archive")
    assert outcome(found(), portal(targets=["library", "archive"]), archive, entry()) == ("portal", "library")


def test_a_service_may_proxy_to_itself() -> None:
    asked = request("https://portal.example.edu/api")
    assert outcome(found(), portal(), asked=asked) == ("portal", "portal")


@pytest.mark.parametrize(
    "access",
    [
        {"groups": ["staff"]},
        {"attributes": {"uidNumber": ["0"]}},
        {"networks": ["10.0.0.0/8"]},
        {"until": "2020-01-01"},
        {"from": "2099-01-01"},
    ],
)
def test_the_person_is_not_entitled_to_the_target(access: dict[str, Any]) -> None:
    assert refused(UnauthorizedService, found(), portal(), entry(access=access)).startswith("access rule: ")


def test_the_rules_of_the_owner_are_asked_about_at_its_own_validation() -> None:
    staff_portal = portal().model_copy(update={"access": entry(access={"groups": ["staff"]}).access})
    assert outcome(found(), staff_portal, entry()) == ("portal", "library")


def test_networks_are_those_of_the_browser_that_got_the_first_ticket() -> None:
    campus = entry(access={"networks": ["10.0.0.0/8"]})
    assert outcome(found(address="10.1.2.3"), portal(), campus) == ("portal", "library")
    refused(UnauthorizedService, found(address="198.51.100.1"), portal(), campus)
    at_home = entry(access={"networks": ["192.0.2.0/24"]})
    assert outcome(found(), portal(), at_home) == ("portal", "library")


@pytest.mark.parametrize(
    ("more", "session"),
    [
        ({"single_sign_on": False}, ADA),
        ({"accept_remember_me": False}, replace(ADA, remembered=True)),
        ({"session": {"lifetime": "1h"}}, replace(ADA, authenticated_at=NOW - 3601)),
        ({"session": {"idle": "10m"}}, replace(ADA, used_at=NOW - 601)),
    ],
    ids=["no single sign-on", "remembered", "lifetime", "idle"],
)
def test_the_target_wants_a_newer_session(more: dict[str, Any], session: TicketGrantingTicket) -> None:
    why = refused(UnauthorizedService, found(session), portal(), entry(**more))
    assert why == "the target wants a newer session than this one"


def test_a_session_that_the_target_takes() -> None:
    strict = entry(accept_remember_me=False, session={"lifetime": "1h", "idle": "10m"})
    assert outcome(found(replace(ADA, used_at=NOW - 600)), portal(), strict) == ("portal", "library")


def strong(strength: Strength) -> FoundProxyGranting:
    return found(replace(ADA, strength=strength))


def test_the_target_requires_duo_and_the_session_has_none() -> None:
    why = refused(UnauthorizedService, found(), portal(), entry(requires_duo=True))
    assert "requires Duo" in why
    passed = strong(Strength.duo("push", NOW - 60))
    assert outcome(passed, portal(), entry(requires_duo=True)) == ("portal", "library")


def test_duo_is_required_of_whom_the_target_requires_it() -> None:
    staff_only = entry(requires_duo={"when": {"groups": ["staff"]}})
    assert outcome(found(), portal(), staff_only) == ("portal", "library")


def test_duo_of_some_networks_only_goes_by_the_browser_that_got_the_first_ticket() -> None:
    outside = entry(requires_duo={"when": {"networks": ["192.0.2.0/24"]}})
    assert outcome(found(address="10.1.2.3"), portal(), outside) == ("portal", "library")
    refused(UnauthorizedService, found(address="192.0.2.9"), portal(), outside)


def test_duo_that_is_too_old_for_the_target_does_not_count() -> None:
    # At a login Duo would be asked again; here nobody is there to answer.
    hourly = entry(requires_duo={"max_age": "1h"})
    assert outcome(strong(Strength.duo("push", NOW - 3600)), portal(), hourly) == ("portal", "library")
    refused(UnauthorizedService, strong(Strength.duo("push", NOW - 3601)), portal(), hourly)


@pytest.mark.parametrize(
    ("fail", "duo_fail", "allowed"),
    [
        ("open", "closed", True),
        ("closed", "open", False),
        (None, "open", True),
        (None, "closed", False),
    ],
)
def test_a_login_while_duo_was_away_opens_what_fails_open(fail: str | None, duo_fail: FailMode, allowed: bool) -> None:
    target = entry(requires_duo={"fail": fail} if fail else True)
    bypassed = strong(Strength.bypassed(UNAVAILABLE, NOW - 60))
    if allowed:
        assert outcome(bypassed, portal(), target, duo=DuoTerms(fail=duo_fail)) == ("portal", "library")
    else:
        refused(UnauthorizedService, bypassed, portal(), target, duo=DuoTerms(fail=duo_fail))


def test_whom_duo_lets_pass_may_be_proxied() -> None:
    bypassed = strong(Strength.bypassed(DUO_BYPASS, NOW - 60))
    assert outcome(bypassed, portal(), entry(requires_duo=True)) == ("portal", "library")


def test_the_first_check_that_fails_decides() -> None:
    # Who holds no ticket learns nothing about the registry.
    refused(InvalidTicket, None, entry("other"))
    refused(InvalidTicket, found(None), entry("other"))
    assert "portal" in refused(UnauthorizedService, found(), portal(allow=False), entry(enabled=False))


# Granting, against a real registry of tickets

REGISTRY = Registry([portal(), entry()], "test")
RULES = EntitlementRules(("groups",))


@pytest.fixture
def desk(store: Store) -> Desk:
    return desk_at(store)


@pytest.fixture
def pgt(desk: Desk) -> TicketId:
    return desk.proxy_granting(desk.open(), ("https://b.example.edu/", CALLBACK), address="192.0.2.7")


def no_requests(principal: str, service: str, now: float) -> Standing:
    """Nobody has asked for access to anything."""
    return Standing("none")


def ask(pgt: TicketId, target: str = TARGET) -> ProxyRequest:
    return request(target, str(pgt), REGISTRY)


def test_a_grant_is_a_ticket_for_the_target_with_the_chain(desk: Desk, pgt: TicketId) -> None:
    grant = Proxying(desk.tickets, RULES, no_requests).grant(ask(pgt), REGISTRY, NOW)
    assert (grant.principal_id, grant.owner.id, grant.target.id) == ("ada", "portal", "library")
    assert grant.ticket.kind is TicketKind.PROXY
    taken = desk.tickets.take(grant.ticket)
    assert taken is not None
    chain = ("https://b.example.edu/", CALLBACK)
    assert taken.ticket == ServiceTicket(TARGET, "library", False, taken.ticket.session, "192.0.2.7", chain)


def test_the_ticket_is_for_the_target_as_it_was_sent(desk: Desk, pgt: TicketId) -> None:
    odd = "https://Library.example.edu:443/%63atalogue?x=1#top"
    grant = Proxying(desk.tickets, RULES, no_requests).grant(ask(pgt, odd), REGISTRY, NOW)
    taken = desk.tickets.take(grant.ticket)
    assert taken is not None
    assert taken.ticket.service == odd


def test_a_proxy_granting_ticket_serves_as_often_as_it_is_asked(desk: Desk, pgt: TicketId) -> None:
    proxying = Proxying(desk.tickets, RULES, no_requests)
    tickets = {str(proxying.grant(ask(pgt), REGISTRY, NOW).ticket) for _ in range(10)}
    assert len(tickets) == 10


def test_a_ticket_nobody_made_is_an_invalid_ticket(desk: Desk) -> None:
    with pytest.raises(InvalidTicket):
        Proxying(desk.tickets, RULES, no_requests).grant(request(registry=REGISTRY), REGISTRY, NOW)


def test_a_refusal_leaves_the_proxy_granting_ticket_as_it_is(desk: Desk, pgt: TicketId) -> None:
    proxying = Proxying(desk.tickets, RULES, no_requests)
    with pytest.raises(UnauthorizedService):
        proxying.grant(ask(pgt, "https://unregistered.example.com/"), REGISTRY, NOW)
    assert desk.store.command("KEYS", "*:pt:*") == []
    assert proxying.grant(ask(pgt), REGISTRY, NOW).ticket.kind is TicketKind.PROXY


class EndsMeanwhile(TicketRegistry):
    """A registry of tickets in which the person signs out right after somebody looked."""

    def find_proxy_granting(self, ticket: TicketId) -> FoundProxyGranting | None:
        found = super().find_proxy_granting(ticket)
        assert found is not None
        self.close_sessions_of("ada", "logout", NOW)
        return found


def test_a_session_that_ends_in_between_is_an_invalid_ticket(desk: Desk, pgt: TicketId) -> None:
    proxying = Proxying(EndsMeanwhile(desk.store, LIFETIMES), RULES, no_requests)
    with pytest.raises(InvalidTicket, match="ended in between"):
        proxying.grant(ask(pgt), REGISTRY, NOW)
    assert desk.store.command("KEYS", "*:pt:*") == []


@pytest.fixture
def far(store: Store, relay: CountingRelay) -> Iterator[Desk]:
    """A registry of tickets whose connection to Redis can be cut."""
    away = Store(client_for(relay.url, "", 2.0, 8, ""))
    yield desk_at(away)
    away.close()


def test_a_redis_that_is_away_is_our_fault(far: Desk, relay: CountingRelay) -> None:
    pgt = far.proxy_granting(far.open())
    proxying = Proxying(far.tickets, RULES, no_requests)
    relay.cut()
    with pytest.raises(InternalError) as caught:
        proxying.grant(ask(pgt), REGISTRY, NOW)
    assert str(pgt) not in str(caught.value)
    relay.mend()
    assert proxying.grant(ask(pgt), REGISTRY, NOW).principal_id == "ada"


def test_a_record_that_cannot_be_read_is_our_fault_and_said_by_its_class_only(desk: Desk, pgt: TicketId) -> None:
    desk.store.command("SET", pgt.key, desk.store.command("GET", pgt.key)[:64] + "portal secret")
    with pytest.raises(InternalError, match="JSONDecodeError while granting a proxy ticket"):
        Proxying(desk.tickets, RULES, no_requests).grant(ask(pgt), REGISTRY, NOW)


def test_idle_time_is_known_where_a_proxy_ticket_is_asked_for(desk: Desk, pgt: TicketId) -> None:
    # Unused for longer than the target allows, and still alive.
    strict = Registry([portal(), entry(session={"idle": "10s"})], "test")
    proxying = Proxying(desk.tickets, RULES, no_requests)
    with pytest.raises(UnauthorizedService, match="newer session"):
        proxying.grant(ask(pgt), strict, NOW + 11)
    assert proxying.grant(ask(pgt), strict, NOW + 10).target.id == "library"


# Services that somebody has to approve


def approval(now: float = NOW, *, end: float = NOW + 60.0) -> Standing:
    line = Line("7f3k", "approved", NOW - 60.0, end, NOW, NOW)
    return Standing("open" if now < end else "over", line)


NEEDS_APPROVAL = {"requires_approval": {"approvers": ["luke@example.edu"]}}


def test_a_target_that_somebody_must_approve_is_open_to_nobody_without(desk: Desk, pgt: TicketId) -> None:
    registry = Registry([portal(), entry("library", **NEEDS_APPROVAL)], "test")
    with pytest.raises(UnauthorizedService) as failure:
        Proxying(desk.tickets, RULES, no_requests).grant(ask(pgt), registry, NOW)
    assert failure.value.cause == "approval"


def test_a_ticket_for_an_approved_target_ends_with_the_approval(desk: Desk, pgt: TicketId) -> None:
    registry = Registry([portal(), entry("library", **NEEDS_APPROVAL)], "test")

    grant = Proxying(desk.tickets, RULES, lambda *_: approval(end=NOW + 2.0)).grant(ask(pgt), registry, NOW)

    assert int(desk.store.command("PTTL", grant.ticket.key)) <= 2000
    taken = desk.tickets.take(grant.ticket)
    assert taken is not None
    assert taken.ticket.permit == Permit("7f3k", NOW + 2.0)


def test_who_was_let_in_by_an_approval_gets_no_tickets_for_others_once_it_is_over(desk: Desk, pgt: TicketId) -> None:
    owner = portal().model_copy(update={"requires_approval": entry("x", **NEEDS_APPROVAL).requires_approval})
    over = approval(NOW, end=NOW - 1.0)
    with pytest.raises(UnauthorizedService) as failure:
        Proxying(desk.tickets, RULES, lambda *_: over).grant(ask(pgt), Registry([owner, entry()], "test"), NOW)
    assert failure.value.why == "the time that was approved is over"
