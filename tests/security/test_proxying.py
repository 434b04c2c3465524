"""Proxying: what the server can be made to call, who may act for somebody, and towards whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import pytest

from casduo.outbound.addresses import Address
from casduo.protocol.callback import ProxyCallback, build_client
from casduo.simulators.certificates import LeafFiles
from casduo.tickets.ids import parse_ticket_id
from tests.security.steps import ARCHIVE, CRAFTED, SHUTTLE, good, registry_beside, signed_in, tells_nobody
from tests.support.portal import (
    PORTAL,
    Portal,
    ask_proxy,
    iou_of,
    proxied,
    proxies_of,
    proxy_granting,
    proxy_ticket,
    refusal_of,
    sign_in,
    trusting,
)
from tests.support.raw import Answer
from tests.support.rest import Program
from tests.support.site import LIBRARY, Build, Site, query, ticket_of
from tests.support.wires import LAX, Wire, change_registry, other_wires, proxying_wires

REFUSED = "INVALID_PROXY_CALLBACK"


class Names:
    """A resolver of names that a test answers for; ``asked`` are the names it was asked for."""

    def __init__(self, *answers: str) -> None:
        self.asked: list[str] = []
        self._answers = [tuple(ip_address(text) for text in answer.split()) for answer in answers]

    def __call__(self, host: str) -> tuple[Address, ...]:
        self.asked.append(host)
        return self._answers[min(len(self.asked), len(self._answers)) - 1]


@contextmanager
def resolving(site: Site, leaf: LeafFiles, names: Names) -> Iterator[None]:
    """Let callbacks of the server use this resolver; all else of the callback is the real thing."""
    validator = site.composed.parts.validator
    before = validator._callback
    validator._callback = ProxyCallback(build_client(str(leaf.ca), names), 4)
    try:
        yield
    finally:
        validator._callback = before


def asks(wire: Wire, site: Site, service: str, callback: str) -> Answer:
    return wire.ask(site, {**sign_in(site, service), "pgtUrl": callback})


# What the server calls


@proxying_wires
def test_nothing_is_called_or_even_resolved_that_no_pattern_means(
    plain: Site, portal: Portal, trusted: LeafFiles, wire: Wire
) -> None:
    """Casdoor: any ``pgtUrl`` was fetched, redirects followed, without a time-out; django-cas-server 3.1: PGT over
    http. CVE-2014-4172: the illicit proxy is one whose callback the registry does not name.
    """
    place = portal.server.url.removeprefix("https://")
    names = Names("127.0.0.1")
    with resolving(plain, trusted, names):
        for callback in (
            *CRAFTED,
            f"http://{place}/pgt",
            f"https://{place}/",
            f"https://{place}/PGT",
            f"https://{place}/pgtx",
            f"https://{place}/x/../pgt",
            f"https://{place}/pgt/..;/admin",
            f"https://{place}/pgt/%2e%2e/admin",
            f"https://{place}/pgt#",
            f"https://{place}@evil.example.com/pgt",
            f"https://evil.example.com@{place}/pgt",
            f"https://a@b@{place}/pgt",
            f"https://evil.example.com\\@{place}/pgt",
            f"https://{place}\\@evil.example.com/pgt",
            f"https://evil.example.com#@{place}/pgt",
            f"https://{place.replace('localhost', '127.0.0.1')}/pgt",
            f"https://{place.replace('localhost', '[::1]')}/pgt",
            f"https://{place.replace('localhost', '2130706433')}/pgt",
            f"https://{place.replace('localhost', '0x7f.1')}/pgt",
            f"https://{place.replace('localhost', 'localhost.')}/pgt",
            f"https://{place.replace('localhost', 'evil.localhost')}/pgt",
            "https://localhost/pgt",
            f"https://{place}1/pgt",
            f"https://{place}/pgt?pgtId=PGT-mine",
            f"https://{place}/pgt?%70gtIou=PGTIOU-mine",
            f"https:{place}/pgt",
            f"//{place}/pgt",
            "file:///etc/passwd",
            "gopher://localhost/",
        ):
            answer = asks(wire, plain, PORTAL, callback)
            assert tells_nobody(wire, answer), callback
            assert wire.told(answer) in (wire.failure(REFUSED), wire.failure("INVALID_REQUEST")), callback
    assert names.asked == []
    assert portal.targets == []


@other_wires
def test_a_callback_means_nothing_where_the_protocol_knows_none(plain: Site, portal: Portal, wire: Wire) -> None:
    """Casdoor, for CAS 1.0 and SAML: a ``pgtUrl`` there is a word without meaning, and nobody is called."""
    answer = asks(wire, plain, PORTAL, portal.callback)
    assert wire.accepts(answer)
    assert b"PGT" not in answer.body
    assert portal.targets == []


@proxying_wires
def test_a_request_that_is_refused_calls_nobody(plain: Site, portal: Portal, wire: Wire) -> None:
    """Apereo 6.x: the callback was called before the ticket was looked at, so that anybody could make the server
    fetch an address.
    """
    callback = {"pgtUrl": portal.callback}
    used = sign_in(plain)
    assert wire.accepts(wire.ask(plain, used))
    browser = signed_in(plain)
    ended = {"service": PORTAL, "ticket": ticket_of(browser.login_page(PORTAL))}
    again = {"service": PORTAL, "ticket": ticket_of(browser.login_page(PORTAL)), "renew": "true"}
    for fields, code in (
        (used, "INVALID_TICKET"),
        ({**sign_in(plain), "service": LIBRARY}, "INVALID_SERVICE"),
        ({**sign_in(plain), "service": "https://evil.example.com/"}, "INVALID_SERVICE"),
        ({**sign_in(plain), "ticket": "ST-abcd-000000000000000000000000"}, "INVALID_TICKET"),
        ({**sign_in(plain), "ticket": "x"}, "INVALID_TICKET"),
        (sign_in(plain, LIBRARY), "UNAUTHORIZED_SERVICE_PROXY"),
    ):
        assert wire.told(wire.ask(plain, {**fields, **callback})) == wire.failure(code)
    assert b"new login" in wire.ask(plain, {**again, **callback}).body
    browser.get("/logout")
    assert wire.told(wire.ask(plain, {**ended, **callback})) == wire.failure("INVALID_TICKET")
    assert portal.targets == []


def test_a_redirect_of_the_callback_leads_nowhere(plain: Site, portal: Portal) -> None:
    """Casdoor and django-cas-server 3.1: the callback's redirects were followed, to wherever they led."""
    for status in (301, 302, 303, 307, 308):
        portal.forget()
        portal.status = status
        assert REFUSED.encode() in asks(LAX, plain, PORTAL, portal.callback).body
        assert len(portal.targets) == 1


PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "0.0.0.0",  # noqa: S104
    "::",
    "10.0.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "fe80::1",
    "fd00::1",
    "224.0.0.1",
    "255.255.255.255",
    "2002:7f00:1::",
    "127.0.0.1 10.0.0.1 ::1",
]


@pytest.mark.parametrize("addresses", PRIVATE)
def test_a_name_that_is_private_is_not_called(plain: Site, portal: Portal, trusted: LeafFiles, addresses: str) -> None:
    """Casdoor: the server was made to call machines of its own network, and its cloud's address for credentials."""
    names = Names(addresses)
    with resolving(plain, trusted, names):
        answer = asks(LAX, plain, SHUTTLE, portal.callback)
    assert REFUSED.encode() in answer.body
    assert names.asked == ["localhost"]
    assert portal.targets == []


def test_a_name_is_asked_for_once_and_what_was_checked_is_what_is_called(
    build: Build, portal: Portal, trusted: LeafFiles
) -> None:
    """DNS rebinding: a name that is public when it is checked and private when it is called."""
    site = build(registry=registry_beside(portal), settings=trusting(trusted))
    # Nobody listens at the first address: the second question, if there were one, would lead to the callback page.
    names = Names("127.0.0.2", "127.0.0.1")
    with resolving(site, trusted, names):
        assert REFUSED.encode() in asks(LAX, site, PORTAL, portal.callback).body
    assert names.asked == ["localhost"]
    # The same name at once both public and private: of the two only the public one may be tried, so none that listens.
    mixed = Names("169.254.169.254 127.0.0.1")
    with resolving(site, trusted, mixed):
        assert REFUSED.encode() in asks(LAX, site, SHUTTLE, portal.callback).body
    assert portal.targets == []


def test_a_callback_whose_certificate_is_not_good_gets_no_ticket(
    build: Build, portal: Portal, foreign_leaf: LeafFiles
) -> None:
    """CVE-2012-5583 (phpCAS), seen from the server: names in certificates have to be checked."""
    site = build(registry=registry_beside(portal), settings=trusting(foreign_leaf))
    assert REFUSED.encode() in asks(LAX, site, PORTAL, portal.callback).body
    assert portal.targets == []


# What a failed callback leaves


def test_a_callback_that_fails_leaves_no_ticket(build: Build, portal: Portal, foreign_leaf: LeafFiles) -> None:
    """django-cas-server 3.1: answers named an IOU for a ticket that nobody had taken."""
    site = build(registry=registry_beside(portal), settings=trusting(foreign_leaf))
    answer = asks(LAX, site, PORTAL, portal.callback)
    assert b"PGTIOU" not in answer.body
    assert site.composed.parts.store.command("KEYS", "*:pgt:*") == []


def test_an_iou_tells_nothing_of_its_ticket_and_is_kept_nowhere(plain: Site, portal: Portal) -> None:
    """CVE-2010-3691 (phpCAS): whoever knew an IOU knew where the ticket lay."""
    iou = iou_of(asks(LAX, plain, PORTAL, portal.callback))
    pgt = portal.granted[iou]
    assert not {iou[start : start + 6] for start in range(7, len(iou) - 5)} & {
        pgt[start : start + 6] for start in range(len(pgt) - 5)
    }
    store = plain.composed.parts.store
    assert not any(iou[7:] in key or pgt[9:] in key for key in store.command("KEYS", "*"))
    assert iou not in repr([store.command("GET", key) for key in store.command("KEYS", "*:pgt:*")])
    assert refusal_of(ask_proxy(plain, {"pgt": iou, "targetService": LIBRARY})) == "INVALID_TICKET"


# Who acts for whom, towards whom


@pytest.mark.parametrize("target", [*CRAFTED, "https://closed.example.edu/", "https://staff.example.edu/"])
def test_no_proxy_ticket_is_made_for_a_target_that_is_none(plain: Site, portal: Portal, target: str) -> None:
    """Casdoor: ``targetService`` was not checked at all. The last one is for people that ada is not one of."""
    pgt = proxy_granting(plain, portal)
    for more in ({}, {"format": "JSON"}):
        answer = ask_proxy(plain, {"pgt": pgt, "targetService": target, **more})
        assert b"PT-" not in answer.body
        assert b"UNAUTHORIZED_SERVICE" in answer.body or b"INVALID_REQUEST" in answer.body


def test_a_proxy_gets_tickets_for_its_targets_only(build: Build, portal: Portal, trusted: LeafFiles) -> None:
    """CVE-2012-1104 (phpCAS): any proxy was good. The registry names who may proxy, and towards whom."""
    registry = registry_beside(portal).replace("targets: [library]", "targets: [library], private_addresses: true")
    site = build(registry=registry, settings=trusting(trusted))
    pgt = proxy_granting(site, portal, sign_in(site, SHUTTLE))
    assert proxy_ticket(site, pgt, LIBRARY)
    assert refusal_of(ask_proxy(site, {"pgt": pgt, "targetService": ARCHIVE})) == "UNAUTHORIZED_SERVICE"


def test_a_service_that_may_not_proxy_any_more_gets_no_ticket(build: Build, portal: Portal, trusted: LeafFiles) -> None:
    """CVE-2012-1104: what the registry takes back is taken back from those who hold a ticket already."""
    site = build(registry=registry_beside(portal), settings=trusting(trusted))
    pgt = proxy_granting(site, portal)
    assert proxy_ticket(site, pgt)
    change_registry(site, "allow: true", "allow: false")
    assert refusal_of(ask_proxy(site, {"pgt": pgt, "targetService": LIBRARY})) == "UNAUTHORIZED_SERVICE"


def test_a_proxy_ticket_is_good_for_its_target_and_for_no_other(plain: Site, portal: Portal) -> None:
    """CVE-2014-3527 (Spring Security): proxy tickets were taken for whatever service the request named."""
    pgt = proxy_granting(plain, portal)
    for presented in (ARCHIVE, PORTAL, LIBRARY + "x", LIBRARY.partition("?")[0]):
        asked = {"service": LIBRARY, "ticket": proxy_ticket(plain, pgt)}
        answer = LAX.ask(plain, {**asked, "service": presented})
        assert b"INVALID_SERVICE" in answer.body
        assert tells_nobody(LAX, answer)
        assert not good(plain, asked)


def test_an_application_is_told_every_proxy_on_the_way(plain: Site, portal: Portal) -> None:
    """CVE-2012-1104: applications that want to look at the chain are told all of it, the newest first."""
    first = f"{portal.callback}/first"
    pgt = proxy_granting(plain, portal, callback=first)
    through = {"service": PORTAL, "ticket": proxy_ticket(plain, pgt, PORTAL)}
    second = proxy_granting(plain, portal, through)
    asked = {"service": LIBRARY, "ticket": proxy_ticket(plain, second)}
    assert proxies_of(LAX.ask(plain, asked)) == [portal.callback, first]


def test_a_proxy_ticket_never_counts_as_a_password(plain: Site, portal: Portal) -> None:
    """Spring Security issue 2907 and its kind: no password was typed for it, whatever ``renew`` demands."""
    asked = proxied(plain, portal)
    assert b"Ticket was not issued from a new login" in LAX.ask(plain, {**asked, "renew": "true"}).body
    assert not good(plain, asked)


def test_what_a_proxy_holds_ends_with_the_session(plain: Site, portal: Portal) -> None:
    """Apereo 2026-06-06 a, for proxies: tickets of a session that has ended lived on."""
    browser = signed_in(plain)
    asked = {"service": PORTAL, "ticket": ticket_of(browser.login_page(PORTAL))}
    pgt = proxy_granting(plain, portal, asked)
    waiting = {"service": LIBRARY, "ticket": proxy_ticket(plain, pgt)}
    browser.get("/logout")
    assert not good(plain, waiting)
    assert refusal_of(ask_proxy(plain, {"pgt": pgt, "targetService": LIBRARY})) == "INVALID_TICKET"
    granting = parse_ticket_id(pgt)
    assert granting is not None
    assert Program(plain).look(pgt) == 404


def test_a_proxy_granting_ticket_is_nothing_but_that(plain: Site, portal: Portal) -> None:
    """CVE-2026-19349 (LemonLDAP::NG) and its kind: what a proxy holds opens no session in a browser or by REST."""
    pgt = proxy_granting(plain, portal)
    for value in (pgt, pgt.replace("PGT", "TGT"), next(iter(portal.granted))):
        browser = plain.browser()
        browser.app.set_cookie("TGC-casduo", value)
        assert browser.get("/login" + query(service=LIBRARY)).status_int == 200
        assert Program(plain).ticket(value).status == 404
