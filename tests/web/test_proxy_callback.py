"""The proxy callback from end to end: when it is called, by whom it may be refused, and what is left when it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from casduo.outbound.pinned import PinnedClient
from casduo.protocol.callback import ProxyCallback
from casduo.protocol.entitlement import EntitlementRules
from casduo.protocol.validation import Validator
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from tests.support.portal import (
    GATEWAY,
    PORTAL,
    Portal,
    ask_proxy,
    iou_of,
    proxy_granting,
    refusal_of,
    registry_with,
    sign_in,
    trusting,
)
from tests.support.site import Build, Site, ticket_of
from tests.support.wires import LAX, assert_refused, burned, change_registry


def test_the_ticket_arrives_before_the_answer(proxying_site: Site, portal: Portal) -> None:
    happened: list[str] = []
    portal.meanwhile = lambda: happened.append("callback")
    answer = LAX.ask(proxying_site, {**sign_in(proxying_site), "pgtUrl": portal.callback})
    happened.append("answer")
    assert happened == ["callback", "answer"]
    assert iou_of(answer) in portal.granted


def test_the_callback_is_called_once_and_gets_both(proxying_site: Site, portal: Portal) -> None:
    proxy_granting(proxying_site, portal)
    (target,) = portal.targets
    fields = parse_qs(urlsplit(target).query)
    assert (urlsplit(target).path, set(fields)) == ("/pgt", {"pgtId", "pgtIou"})


@pytest.mark.parametrize(
    ("rest", "joint"), [("x?a=1&a=2&b=%2F", "&"), ("%7Ex", "?"), ("x?", ""), ("y?z", "&"), ("y?z&", "")]
)
def test_what_else_the_callback_says_is_kept_as_it_is(
    proxying_site: Site, portal: Portal, rest: str, joint: str
) -> None:
    asked = sign_in(proxying_site, GATEWAY)
    proxy_granting(proxying_site, portal, asked, f"{portal.callback}/gateway/{rest}")
    (target,) = portal.targets
    assert target.startswith(f"/pgt/gateway/{rest}{joint}pgtId=PGT-")


def test_the_iou_is_not_the_ticket_and_reveals_nothing_of_it(proxying_site: Site, portal: Portal) -> None:
    answers = [LAX.ask(proxying_site, {**sign_in(proxying_site), "pgtUrl": portal.callback}) for _ in range(3)]
    assert len({iou_of(answer) for answer in answers}) == 3
    for answer in answers:
        iou = iou_of(answer)
        pgt = portal.granted[iou]
        assert iou.startswith("PGTIOU-")
        assert pgt.startswith("PGT-")
        assert max(len(iou), len(pgt)) <= 64
        secret = pgt.rpartition("-")[2]
        assert pgt not in answer.body.decode()
        assert not any(secret[start : start + 6] in iou for start in range(len(secret) - 5))
        # And nobody can proxy with it.
        assert refusal_of(ask_proxy(proxying_site, {"pgt": iou, "targetService": PORTAL})) == "INVALID_TICKET"


def test_without_a_callback_there_is_no_proxy_granting_ticket(own_site: Site, portal: Portal) -> None:
    answer = LAX.ask(own_site, sign_in(own_site))
    assert b"proxyGrantingTicket" not in answer.body
    assert portal.targets == []
    assert own_site.composed.parts.store.command("KEYS", "*:pgt:*") == []


Steer = Callable[[Portal], None]


def status(code: int) -> Steer:
    def steer(portal: Portal) -> None:
        portal.status = code

    return steer


@pytest.mark.parametrize(
    "steer",
    [
        *(status(code) for code in (201, 202, 204, 301, 302, 303, 304, 307, 401, 404, 500, 503)),
        lambda portal: portal.server.faults.cut(after=0),
        lambda portal: portal.server.faults.cut(after=1000),
        lambda portal: portal.server.stop_listening(),
    ],
    ids=["201", "202", "204", "301", "302", "303", "304", "307", "401", "404", "500", "503", "mute", "cut", "down"],
)
def test_a_callback_that_does_not_take_the_ticket(build: Build, portal_leaf: LeafFiles, steer: Steer) -> None:
    with Portal(portal_leaf) as portal:
        site = build(registry=registry_with(portal), settings=trusting(portal_leaf))
        steer(portal)
        refused_callback(site, portal)
        # Nobody was asked twice, and what arrived all the same is worth nothing.
        assert len(portal.targets) <= 1
        for pgt in portal.granted.values():
            assert refusal_of(ask_proxy(site, {"pgt": pgt, "targetService": PORTAL})) == "INVALID_TICKET"


def refused_callback(site: Site, portal: Portal, callback: str = "") -> str:
    """A validation whose callback fails: the ticket is gone, nothing is stored; returns the reason in the log."""
    asked = {**sign_in(site), "pgtUrl": callback or portal.callback}
    burned(site, LAX, asked, "INVALID_PROXY_CALLBACK", service=PORTAL)
    assert site.composed.parts.store.command("KEYS", "*:pgt:*") == []
    event = next(event for event in site.journal.named("ticket.refused") if event.code == "INVALID_PROXY_CALLBACK")
    assert "PGT-" not in event.why
    return str(event.why)


def test_a_status_that_the_entry_accepts(own_site: Site, portal: Portal) -> None:
    change_registry(own_site, "private_addresses: true", "private_addresses: true, accept_status: [200, 302]")
    portal.status = 302
    answer = LAX.ask(own_site, {**sign_in(own_site), "pgtUrl": portal.callback})
    assert iou_of(answer).startswith("PGTIOU-")
    assert len(portal.targets) == 1


@pytest.mark.parametrize(
    "callback",
    [
        "http://{place}/pgt",
        "https://{place}/pgt/",
        "https://{place}/pgt/elsewhere",
        "https://{place}/PGT",
        "https://{place}/pgt#top",
        "https://{place}/pgt?pgtId=PGT-mine",
        "https://{place}/pgt?pgtIou=PGTIOU-mine",
        "https://ada@{place}/pgt",
        "https://{place}@evil.example.com/pgt",
        "https://evil.example.com/pgt",
        "https://127.0.0.1/pgt",
        "https:{place}/pgt",
        "//{place}/pgt",
        "nonsense",
        " ",
        "https://{place}/pgt\u00fc",
        "javascript:alert(1)",
        "file:///etc/passwd",
    ],
)
def test_a_callback_that_the_registry_does_not_mean_is_not_called(
    own_site: Site, portal: Portal, callback: str
) -> None:
    refused_callback(own_site, portal, callback.format(place=portal.server.url.removeprefix("https://")))
    assert portal.targets == []


@pytest.mark.parametrize("spoiled", ["%0d%0aX: y", "%00", "%ff"])
def test_a_callback_that_is_no_text_is_a_request_that_cannot_be_read(
    proxying_site: Site, portal: Portal, spoiled: str
) -> None:
    asked = sign_in(proxying_site)
    raw = f"&pgtUrl={portal.callback}{spoiled}"
    assert_refused(LAX, LAX.ask(proxying_site, asked, raw), "INVALID_REQUEST")
    assert portal.targets == []
    assert LAX.accepts(LAX.ask(proxying_site, asked))


def test_a_certificate_of_a_stranger_is_not_trusted(
    build: Build, portal_leaf: LeafFiles, foreign_leaf: LeafFiles
) -> None:
    with Portal(foreign_leaf) as portal:
        site = build(registry=registry_with(portal), settings=trusting(portal_leaf))
        assert "not trusted" in refused_callback(site, portal)
        assert portal.targets == []


@pytest.mark.parametrize("fault", ["expired", "other name"])
def test_a_certificate_must_be_for_the_host_and_now(build: Build, authority: CertificateAuthority, fault: str) -> None:
    if fault == "expired":
        leaf = authority.issue(expired=True)
    else:
        leaf = authority.issue(["elsewhere.example.edu"], localhost=False)
    with Portal(leaf) as portal:
        site = build(registry=registry_with(portal), settings=trusting(leaf))
        assert "not trusted" in refused_callback(site, portal)
        assert portal.targets == []


def test_plain_http_behind_an_https_address_is_not_spoken(build: Build, portal_leaf: LeafFiles) -> None:
    with Portal(portal_leaf) as portal:
        site = build(registry=registry_with(portal), settings=trusting(portal_leaf))
        portal.server.use_certificate(None)
        callback = portal.callback.replace("http://", "https://")
        refused_callback(site, portal, callback)
        assert portal.targets == []


def test_private_addresses_are_called_only_where_the_registry_says_so(
    build: Build, portal: Portal, portal_leaf: LeafFiles
) -> None:
    site = build(registry=registry_with(portal, private="false"), settings=trusting(portal_leaf))
    assert refused_callback(site, portal) == "address refused: private (localhost)"
    assert portal.targets == []


def test_an_application_that_cannot_answer_meanwhile_is_given_up(
    own_site: Site, portal: Portal, portal_leaf: LeafFiles
) -> None:
    # The same server with less patience than it is sold with.
    with_patience(own_site, portal_leaf, 0.3)
    portal.server.faults.stay_silent()
    assert "single-threaded" in refused_callback(own_site, portal)


def with_patience(site: Site, leaf: LeafFiles, seconds: float) -> None:
    client = PinnedClient(
        "proxy callback", connect_timeout=seconds, deadline=seconds, max_body=65536, extra_ca_file=str(leaf.ca)
    )
    application, parts = site.composed.application, site.composed.parts
    validator = Validator(parts.tickets, EntitlementRules(("groups",)), ProxyCallback(client, 4), parts.later.add)
    application.server = replace(application.server, parts=replace(parts, validator=validator))


def test_a_callback_that_hangs_up_may_be_tried_again_with_a_new_ticket(own_site: Site, portal: Portal) -> None:
    portal.server.faults.cut(times=1)
    asked = {**sign_in(own_site), "pgtUrl": portal.callback}
    assert_refused(LAX, LAX.ask(own_site, asked), "INVALID_PROXY_CALLBACK")
    assert proxy_granting(own_site, portal).startswith("PGT-")


@pytest.mark.parametrize("spoil", ["service", "unregistered", "used", "renew", "ended", "disabled", "access", "duo"])
def test_the_server_fetches_nothing_for_a_ticket_that_is_not_good(
    build: Build, portal: Portal, portal_leaf: LeafFiles, duo_settings: str, spoil: str
) -> None:
    site = build(registry=registry_with(portal), settings=duo_settings + trusting(portal_leaf))
    browser = site.browser()
    browser.sign_in("ada", "")
    asked = {"service": PORTAL, "ticket": ticket_of(browser.login_page(PORTAL))}
    change = {
        "disabled": "enabled: false",
        "access": "access: {groups: [staff]}",
        "duo": "requires_duo: true",
    }.get(spoil)
    if change:
        change_registry(site, "name: Portal", f"{change}\n    name: Portal")
    elif spoil == "used":
        LAX.ask(site, asked)
    elif spoil == "ended":
        browser.get("/logout")
    wrong = {
        "service": {"service": GATEWAY},
        "unregistered": {"service": "https://evil.example.com/"},
        "renew": {"renew": "1"},
    }.get(spoil, {})
    answer = LAX.ask(site, {**asked, **wrong, "pgtUrl": portal.callback})
    assert b"authenticationFailure" in answer.body
    assert portal.targets == []


def test_whoever_signs_out_while_the_callback_is_under_way_is_signed_out(own_site: Site, portal: Portal) -> None:
    browser = own_site.browser()
    asked = {"service": PORTAL, "ticket": ticket_of(browser.sign_in("ada", PORTAL)), "pgtUrl": portal.callback}
    portal.meanwhile = lambda: browser.get("/logout")
    assert_refused(LAX, LAX.ask(own_site, asked), "INVALID_TICKET")
    assert own_site.composed.parts.store.command("KEYS", "*:pgt:*") == []
    assert refusal_of(ask_proxy(own_site, {"pgt": portal.latest, "targetService": PORTAL})) == "INVALID_TICKET"
