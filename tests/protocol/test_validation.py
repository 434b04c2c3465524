"""What a validation comes to: the table of section 2.5.3 as the pure ``judge`` decides it, and reading the request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from casduo.mfa.strength import DUO_BYPASS, UNAVAILABLE, Strength
from casduo.protocol.entitlement import DuoStanding, EntitlementRules
from casduo.protocol.errors import (
    InvalidAuthenticationContext,
    InvalidRequest,
    InvalidService,
    InvalidTicket,
    InvalidTicketSpec,
    NotFromNewLogin,
    ProtocolError,
    UnauthorizedService,
    UnauthorizedServiceProxy,
)
from casduo.protocol.parameters import parse_parameters
from casduo.protocol.validation import (
    Format,
    ValidatedTicket,
    ValidationRequest,
    format_asked,
    judge,
    read_format,
    read_request,
    read_saml_request,
)
from casduo.services.index import Registry
from casduo.services.model import ALL_PROTOCOLS, Protocol, RegisteredService
from casduo.tickets.ids import TicketKind
from casduo.tickets.model import Permit, ServiceTicket, TakenTicket, TicketGrantingTicket
from tests.support.tickets import example_ticket

NOW = 1_790_000_000.0
SERVICE = "https://library.example.edu/catalogue?q=a&q=b"
SESSION = example_ticket(TicketKind.TICKET_GRANTING)
TICKET = str(example_ticket(TicketKind.SERVICE))
PROXY_TICKET = str(example_ticket(TicketKind.PROXY))
CALLBACK = "https://library.example.edu/pgt"
ADA = TicketGrantingTicket(
    "ada",
    {"mail": ("ada@example.edu",), "uidNumber": ("4711",), "groups": ("students",)},
    "users_file",
    authenticated_at=NOW - 60,
    address="192.0.2.7",
)


def entry(name: str = "library", url: str = "https://library.example.edu/**", **more: Any) -> RegisteredService:
    return RegisteredService.model_validate({"id": name, "name": name.title(), "url": url, **more})


def request(
    service: str = SERVICE,
    ticket: str = TICKET,
    registry: Registry | None = None,
    protocol: Protocol = "cas3",
    proxies: bool = False,
    **more: str,
) -> ValidationRequest:
    parameters = parse_parameters(urlencode({"service": service, "ticket": ticket, **more}))
    return read_request(parameters, registry or REGISTRY, protocol, proxies_accepted=proxies)


def taken(
    service: str = SERVICE,
    service_id: str = "library",
    *,
    primary: bool = True,
    address: str = "",
    proxies: tuple[str, ...] = (),
    session: TicketGrantingTicket = ADA,
    permit: Permit | None = None,
) -> TakenTicket:
    ticket = ServiceTicket(service, service_id, primary, SESSION.fingerprint, address, proxies, permit)
    return TakenTicket(ticket, session)


def outcome(asked: ValidationRequest, found: TakenTicket | None, *services: RegisteredService) -> ValidatedTicket:
    registry = Registry(services, "test") if services else REGISTRY
    return judge(asked, found, registry, NOW, EntitlementRules(("groups",)))


REGISTRY = Registry([entry()], "test")


# Reading the request


@pytest.mark.parametrize(
    ("asked", "format_"),
    [
        ("", Format.XML),
        ("XML", Format.XML),
        ("xml", Format.XML),
        ("JSON", Format.JSON),
        ("json", Format.JSON),
        (" Json ", Format.JSON),
    ],
)
def test_the_format_is_known_in_any_case(asked: str, format_: Format) -> None:
    assert read_format(parse_parameters(urlencode({"format": asked}))) is format_


@pytest.mark.parametrize("asked", ["YAML", "XMLJSON", "\uff2a\uff33\uff2f\uff2e", "0"])
def test_an_unknown_format_is_refused(asked: str) -> None:
    with pytest.raises(InvalidRequest):
        read_format(parse_parameters(urlencode({"format": asked})))


@pytest.mark.parametrize(
    ("service", "ticket"), [("", TICKET), (SERVICE, ""), ("", ""), ("  ", TICKET), (SERVICE, " "), ("library", TICKET)]
)
def test_missing_blank_and_malformed_parameters_are_an_invalid_request(service: str, ticket: str) -> None:
    with pytest.raises(InvalidRequest):
        request(service, ticket)


@pytest.mark.parametrize(
    "service",
    [
        "https://library.example.edu@evil.example.com/",
        "https://evil.example.com\\@library.example.edu/",
        "https:library.example.edu/",
        "//library.example.edu/",
        "/catalogue",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "https://library.example.edu:99999/",
        "https://library.example.edu/../x",
    ],
)
def test_what_is_no_address_of_an_application_is_an_invalid_request(service: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        request(service)
    assert service not in str(caught.value)


@pytest.mark.parametrize(
    "ticket",
    [
        "x",
        "ST-",
        TICKET[:-1],
        TICKET + "x",
        TICKET.lower(),
        " " + TICKET,
        TICKET + "\n",
        TICKET.replace("-", "_"),
        TICKET.replace("ST-", "TGT-"),
        TICKET.replace("ST-", "PGT-"),
        TICKET.replace("ST-", "XT-"),
        str(SESSION),
        "ST-" + "ä" * 29,
        "ST-1\nyes\nmallory\n\n",
        "ST-" + "A" * 60_000,
    ],
)
def test_what_cannot_be_one_of_our_tickets_is_an_invalid_ticket(ticket: str) -> None:
    with pytest.raises(InvalidTicket) as caught:
        request(ticket=ticket)
    assert ticket not in str(caught.value)


def test_a_proxy_ticket_can_be_read() -> None:
    assert request(ticket=PROXY_TICKET).ticket.kind is TicketKind.PROXY


@pytest.mark.parametrize(("protocol", "kept"), [("cas1", ""), ("cas2", CALLBACK), ("cas3", CALLBACK)])
def test_a_callback_is_read_where_the_protocol_knows_proxies(protocol: Protocol, kept: str) -> None:
    assert request(protocol=protocol, pgtUrl=CALLBACK).proxy_callback == kept


def test_what_the_endpoint_is_stands_in_the_request() -> None:
    asked = request(protocol="cas2", proxies=True)
    assert (asked.protocol, asked.proxies_accepted) == ("cas2", True)


def test_a_saml_request_names_its_service_as_target_and_proxies_nothing() -> None:
    query = urlencode({"TARGET": SERVICE, "renew": "1", "pgtUrl": CALLBACK, "service": "https://other.example.edu/"})
    asked = read_saml_request(parse_parameters(query), TICKET, REGISTRY)
    assert (asked.service.raw, str(asked.ticket), asked.renew) == (SERVICE, TICKET, True)
    assert (asked.protocol, asked.proxies_accepted, asked.proxy_callback) == ("saml1", False, "")


@pytest.mark.parametrize("target", ["", " ", "library", "https://ada@library.example.edu/"])
def test_a_saml_request_without_a_service_is_an_invalid_request(target: str) -> None:
    with pytest.raises(InvalidRequest):
        read_saml_request(parse_parameters(urlencode({"TARGET": target})), TICKET, REGISTRY)


@pytest.mark.parametrize("artifact", ["x", str(SESSION), TICKET.replace("ST-", "PGT-"), f"{TICKET} "])
def test_an_artifact_that_cannot_be_a_ticket_is_an_invalid_ticket(artifact: str) -> None:
    with pytest.raises(InvalidTicket):
        read_saml_request(parse_parameters(urlencode({"TARGET": SERVICE})), artifact, REGISTRY)


@pytest.mark.parametrize(
    ("query", "format_"),
    [
        ("format=JSON&service=%ff", Format.JSON),
        ("service=%ff&format=json", Format.JSON),
        ("service=%ff&format=XML", Format.XML),
        ("service=%ff", Format.XML),
        ("format=XML&format=JSON", Format.XML),
        ("xformat=JSON", Format.XML),
        ("format=JSONX", Format.XML),
        ("", Format.XML),
    ],
)
def test_the_format_of_a_query_that_cannot_be_read_as_a_whole(query: str, format_: Format) -> None:
    assert format_asked(query) is format_


def test_a_scheme_of_its_own_is_read_where_the_registry_names_it() -> None:
    mail = Registry([entry(url="imaps://mail.example.edu")], "test")
    assert request("imaps://mail.example.edu", registry=mail).service.scheme == "imaps"
    with pytest.raises(InvalidRequest):
        request("imaps://mail.example.edu")


# Judging, in the order of the table


def test_a_good_ticket_tells_who_came() -> None:
    found = outcome(request(), taken(), entry(attributes=["mail"]))
    assert (found.service.id, found.session, found.primary, found.duo) == ("library", ADA, True, DuoStanding())
    assert found.released.user == "ada"
    assert found.released.attributes == {"mail": ("ada@example.edu",)}


def refused(
    kind: type[ProtocolError], asked: ValidationRequest, found: TakenTicket | None, *services: RegisteredService
) -> str:
    with pytest.raises(ProtocolError) as caught:
        outcome(asked, found, *services)
    assert type(caught.value) is kind
    return caught.value.why


def test_row_3_no_such_ticket() -> None:
    refused(InvalidTicket, request(), None)


def test_row_4_a_proxy_ticket_where_only_service_tickets_are_taken() -> None:
    for protocol in ALL_PROTOCOLS:
        refused(InvalidTicketSpec, request(ticket=PROXY_TICKET, protocol=protocol), taken())


def test_row_4_a_service_ticket_is_taken_where_proxy_tickets_are() -> None:
    assert outcome(request(proxies=True), taken()).proxies == ()


def test_a_proxy_ticket_tells_its_chain_newest_first() -> None:
    chain = ("https://gateway.example.edu/cb?x=1", CALLBACK)
    found = outcome(request(ticket=PROXY_TICKET, proxies=True), taken(primary=False, proxies=chain))
    assert (found.proxies, found.primary, found.iou) == (chain, False, "")


def test_a_callback_alone_gives_no_iou() -> None:
    # Whether it can be called is found out by calling.
    found = outcome(request(pgtUrl=CALLBACK), taken(), entry(proxy={"allow": True, "callback": CALLBACK}))
    assert found.iou == ""


@pytest.mark.parametrize(
    "service",
    [
        "https://library.example.edu/catalogue?q=a",
        "https://library.example.edu/catalogue?q=b&q=a",
        "https://library.example.edu/catalogue",
        "https://library.example.edu/catalogue/?q=a&q=b",
        "https://library.example.edu/Catalogue?q=a&q=b",
        "https://library.example.edu:8443/catalogue?q=a&q=b",
        "https://library.example.edu.evil.com/catalogue?q=a&q=b",
        "https://evil.example.com/",
        "http://library.example.edu/catalogue?q=a&q=b",
    ],
)
def test_row_5_another_service_than_the_tickets(service: str) -> None:
    refused(InvalidService, request(service), taken())


@pytest.mark.parametrize(
    "service",
    [
        SERVICE,
        "HTTPS://Library.Example.EDU:443/catalogue?q=a&q=b",
        SERVICE + "#top",
        SERVICE + f"&ticket={TICKET}",
        "https://library.example.edu/catalogue;jsessionid=1f?q=a&q=b",
        "https://library.example.edu/%63atalogue?q=a&q=b",
    ],
)
def test_row_5_the_same_service_in_the_spellings_of_real_clients(service: str) -> None:
    assert outcome(request(service), taken()).released.user == "ada"


def test_row_5_as_exactly_or_as_loosely_as_the_registry_says() -> None:
    shouted = request(SERVICE.replace("library", "LIBRARY"))
    refused(InvalidService, shouted, taken(), entry(service_match="exact"))
    swapped = request("https://library.example.edu/Catalogue/?q=b&q=a")
    assert outcome(swapped, taken(), entry(service_match="loose")).service.id == "library"


def test_row_5_says_what_differs_and_no_value_of_the_query() -> None:
    why = refused(InvalidService, request("https://library.example.edu/catalogue?q=geheim&q=b"), taken())
    assert "values of 'q' differ" in why
    assert "geheim" not in why


def test_row_5_comes_before_row_6() -> None:
    # A stranger who caught a ticket learns nothing about the registry.
    refused(InvalidService, request("https://unregistered.example.com/"), taken())


def test_row_5_a_ticket_granted_by_the_rules_of_another_entry_is_none_of_this_one() -> None:
    vault = entry("vault", "https://library.example.edu/catalogue")
    why = refused(InvalidService, request(), taken(), vault, entry())
    assert why == "granted for entry library, presented for vault"


def test_row_5_a_service_that_cannot_be_read_any_more_is_another_one() -> None:
    # The registry once named the scheme imaps and does no longer.
    refused(InvalidService, request(), taken("imaps://mail.example.edu"))


def test_row_6_no_longer_registered() -> None:
    refused(UnauthorizedService, request(), taken(), entry("other", "https://other.example.edu/**"))


def test_row_6_switched_off() -> None:
    refused(UnauthorizedService, request(), taken(), entry(enabled=False))


@pytest.mark.parametrize("protocol", ["cas1", "cas2", "cas3", "saml1"])
def test_row_6_a_protocol_that_the_entry_does_not_allow(protocol: Protocol) -> None:
    others = [each for each in ALL_PROTOCOLS if each != protocol]
    why = refused(UnauthorizedService, request(protocol=protocol), taken(), entry(protocols=others))
    assert protocol in why
    assert outcome(request(protocol=protocol), taken(), entry(protocols=[protocol])).released.user == "ada"


def test_row_6_the_protocol_comes_after_the_service_and_before_the_session() -> None:
    silent = entry(protocols=["saml1"])
    refused(InvalidService, request("https://library.example.edu/"), taken(), silent)
    refused(UnauthorizedService, request(), replace(taken(), session=None), silent)


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
def test_row_6_no_longer_entitled(access: dict[str, Any]) -> None:
    refused(UnauthorizedService, request(), taken(), entry(access=access))


def test_row_6_no_name_that_the_service_could_be_told() -> None:
    refused(UnauthorizedService, request(), taken(), entry(username_attribute="employeeNumber"))


def test_row_6_networks_are_those_of_the_browser_that_got_the_ticket() -> None:
    # Signed in at home, then on campus: the login let the person in from there, so must the validation.
    campus = entry(access={"networks": ["10.0.0.0/8"]})
    assert outcome(request(), taken(address="10.1.2.3"), campus).service.id == "library"
    refused(UnauthorizedService, request(), taken(address="198.51.100.1"), campus)


def test_row_7_signed_out_in_between() -> None:
    refused(InvalidTicket, request(), replace(taken(), session=None))


def test_row_8_renew_wants_the_ticket_of_the_password() -> None:
    assert outcome(request(renew="true"), taken(primary=True)).primary
    refused(NotFromNewLogin, request(renew="true"), taken(primary=False))
    assert not outcome(request(renew="false"), taken(primary=False)).primary


def test_row_8_no_proxy_ticket_is_from_a_new_login() -> None:
    asked = request(ticket=PROXY_TICKET, proxies=True, renew="1")
    refused(NotFromNewLogin, asked, taken(primary=False, proxies=(CALLBACK,)))


REMEMBERED = replace(ADA, remembered=True)
STALE = replace(ADA, authenticated_at=NOW - 3601)


@pytest.mark.parametrize(
    ("more", "session"),
    [
        ({"single_sign_on": False}, ADA),
        ({"accept_remember_me": False}, REMEMBERED),
        ({"session": {"lifetime": "1h"}}, STALE),
        ({"session": {"idle": "10m"}}, replace(ADA, used_at=NOW - 601)),
    ],
    ids=["no single sign-on", "remembered", "lifetime", "idle"],
)
def test_row_8_the_entry_wants_a_newer_session(more: dict[str, Any], session: TicketGrantingTicket) -> None:
    strict = entry(**more)
    why = refused(NotFromNewLogin, request(), taken(primary=False, session=session), strict)
    assert "newer session" in why
    proxied = request(ticket=PROXY_TICKET, proxies=True)
    refused(NotFromNewLogin, proxied, taken(primary=False, session=session, proxies=(CALLBACK,)), strict)
    # The password was given for this very ticket.
    assert outcome(request(), taken(primary=True, session=session), strict).primary


def test_row_8_a_session_as_the_entry_wants_it() -> None:
    strict = entry(accept_remember_me=False, session={"lifetime": "1h", "idle": "10m"})
    fresh = replace(ADA, authenticated_at=NOW - 3600, used_at=NOW - 600)
    assert not outcome(request(), taken(primary=False, session=fresh), strict).primary
    assert outcome(request(), taken(primary=False, session=REMEMBERED), entry()).session.remembered


def test_row_8_comes_before_row_9_and_after_row_6() -> None:
    strict = entry(session={"lifetime": "1h"}, requires_duo=True)
    refused(NotFromNewLogin, request(), taken(primary=False, session=STALE), strict)
    closed = entry(session={"lifetime": "1h"}, access={"groups": ["staff"]})
    refused(UnauthorizedService, request(), taken(primary=False, session=STALE), closed)


def with_strength(strength: Strength) -> TakenTicket:
    return replace(taken(), session=replace(ADA, strength=strength))


def test_row_9_duo_demanded_and_not_there() -> None:
    refused(InvalidAuthenticationContext, request(), taken(), entry(requires_duo=True))
    found = outcome(request(), with_strength(Strength.duo("push", NOW - 30)), entry(requires_duo=True))
    assert found.duo == DuoStanding(required=True, confirmed=True)


@pytest.mark.parametrize("why", [DUO_BYPASS, UNAVAILABLE])
def test_row_9_a_bypass_that_the_login_let_pass_passes_here_too(why: str) -> None:
    found = outcome(request(), with_strength(Strength.bypassed(why, NOW)), entry(requires_duo={"fail": "open"}))
    assert found.duo == DuoStanding(required=True, why=why)


def test_row_9_a_bypass_where_another_service_fails_open_opens_no_closed_one() -> None:
    closed = entry(requires_duo={"fail": "closed"})
    refused(InvalidAuthenticationContext, request(), with_strength(Strength.bypassed(UNAVAILABLE, NOW)), closed)


def test_row_9_duo_of_some_networks_only_is_judged_by_the_browser_that_got_the_ticket() -> None:
    outside = entry(requires_duo={"when": {"networks": ["192.0.2.0/24"]}})
    assert not outcome(request(), taken(address="10.1.2.3"), outside).duo.required
    refused(InvalidAuthenticationContext, request(), taken(address="192.0.2.9"), outside)


def test_row_9_only_of_whom_it_is_demanded() -> None:
    staff_only = entry(requires_duo={"when": {"groups": ["staff"]}})
    assert not outcome(request(), taken(), staff_only).duo.required


def test_row_10_proxy_authentication_is_for_those_whom_the_registry_lets() -> None:
    asked = request(pgtUrl=CALLBACK)
    refused(UnauthorizedServiceProxy, asked, taken())
    refused(UnauthorizedServiceProxy, asked, taken(), entry(proxy={"callback": CALLBACK}))
    assert outcome(asked, taken(), entry(proxy={"allow": True, "callback": CALLBACK})).released.user == "ada"


def test_row_10_nobody_proxies_who_does_not_ask() -> None:
    assert outcome(request(protocol="cas1", pgtUrl=CALLBACK), taken()).released.user == "ada"


@pytest.mark.parametrize("kind", [InvalidTicketSpec, InvalidService, UnauthorizedService, InvalidTicket])
def test_the_first_check_that_fails_decides(kind: type[ProtocolError]) -> None:
    """Everything is wrong at once; mending from the top brings up the next failure."""
    checks = [InvalidTicketSpec, InvalidService, UnauthorizedService, InvalidTicket]
    mended = checks.index(kind)
    asked = request(
        SERVICE if mended > 1 else "https://other.example.edu/",
        TICKET if mended > 0 else PROXY_TICKET,
        Registry([entry()], "test"),
        renew="true",
        pgtUrl="http://evil.example.com/",
    )
    service = entry(enabled=mended > 2, requires_duo=True)
    refused(kind, asked, replace(taken(primary=False), session=None), service)


def test_renew_comes_before_duo_and_duo_before_the_proxy() -> None:
    demanding = entry(requires_duo=True)
    everything = request(renew="true", pgtUrl="http://evil.example.com/")
    refused(NotFromNewLogin, everything, taken(primary=False), demanding)
    refused(InvalidAuthenticationContext, everything, taken(), demanding)
    refused(UnauthorizedServiceProxy, everything, with_strength(Strength.duo("push", NOW)), demanding)


# Services that somebody has to approve

APPROVED_ONLY = entry(requires_approval={"approvers": ["luke@example.edu"]})


def test_a_ticket_of_an_approval_that_holds_is_good() -> None:
    assert outcome(request(), taken(permit=Permit("7f3k", NOW + 1.0)), APPROVED_ONLY).session == ADA


@pytest.mark.parametrize("permit", [None, Permit("7f3k", NOW), Permit("7f3k", NOW - 60.0)])
def test_a_ticket_without_an_approval_that_holds_is_refused(permit: Permit | None) -> None:
    with pytest.raises(UnauthorizedService) as failure:
        outcome(request(), taken(permit=permit), APPROVED_ONLY)
    assert failure.value.cause == "approval"


def test_an_approval_is_no_matter_where_none_is_needed() -> None:
    assert outcome(request(), taken(permit=Permit("7f3k", NOW - 60.0))).session == ADA
