"""Proxying from end to end: a ticket is validated with a callback, the proxy-granting ticket arrives there over TLS,
proxy tickets are asked for with it, and whoever is called validates those.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from casduo.simulators.certificates import LeafFiles
from casduo.tickets.ids import parse_ticket_id
from tests.support.portal import (
    GATEWAY,
    HUB,
    PORTAL,
    Portal,
    ask_proxy,
    asked_with,
    iou_of,
    proxied,
    proxies_of,
    proxy_granting,
    proxy_ticket,
    proxy_ticket_of,
    refusal_of,
    registry_with,
    session_at_the_portal,
    sign_in,
    trusting,
)
from tests.support.raw import Answer
from tests.support.redis_servers import CountingRelay
from tests.support.served import serving
from tests.support.site import LIBRARY, Browser, Build, Site, ticket_of
from tests.support.visitor import Visitor
from tests.support.wires import LAX, Wire, assert_refused, burned, change_registry

JSON = Wire("/p3/proxyValidate", "JSON")
VALIDATION = Wire("/p3/serviceValidate")


# The whole story


def test_a_portal_acts_for_ada_in_the_library(proxying_site: Site, portal: Portal) -> None:
    answer = VALIDATION.ask(proxying_site, {**sign_in(proxying_site), "pgtUrl": portal.callback})
    iou = iou_of(answer)
    pgt = portal.granted[iou]
    answer = ask_proxy(proxying_site, asked_with(pgt))
    ticket = proxy_ticket_of(answer)
    assert answer.header("Content-Type") == "application/xml; charset=utf-8"
    assert answer.body.decode() == (
        '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">\n<cas:proxySuccess>\n'
        f"<cas:proxyTicket>{ticket}</cas:proxyTicket>\n</cas:proxySuccess>\n</cas:serviceResponse>\n"
    )
    validated = LAX.ask(proxying_site, {"service": LIBRARY, "ticket": ticket})
    told = validated.body.decode()
    assert "<cas:user>ada</cas:user>" in told
    # What the library may know, not what the portal may.
    assert "<cas:mail>ada@example.edu</cas:mail>" in told
    assert "<cas:isFromNewLogin>false</cas:isFromNewLogin>" in told
    assert proxies_of(validated) == [portal.callback]


def test_the_same_story_in_json(proxying_site: Site, portal: Portal) -> None:
    answer = JSON.ask(proxying_site, {**sign_in(proxying_site), "pgtUrl": portal.callback})
    told = json.loads(answer.body)["serviceResponse"]["authenticationSuccess"]
    assert set(told) == {"user", "attributes", "proxyGrantingTicket"}
    pgt = portal.granted[told["proxyGrantingTicket"]]
    answer = ask_proxy(proxying_site, asked_with(pgt, format="JSON"))
    assert answer.header("Content-Type") == "application/json; charset=utf-8"
    told = json.loads(answer.body)
    ticket = told["serviceResponse"]["proxySuccess"]["proxyTicket"]
    assert told == {"serviceResponse": {"proxySuccess": {"proxyTicket": ticket}}}
    validated = json.loads(JSON.ask(proxying_site, {"service": LIBRARY, "ticket": ticket}).body)
    assert validated["serviceResponse"]["authenticationSuccess"]["proxies"] == [portal.callback]


def test_the_log_tells_of_each_step_and_no_ticket(proxying_site: Site, portal: Portal) -> None:
    before = len(proxying_site.journal.events)
    asked = proxied(proxying_site, portal)
    LAX.ask(proxying_site, asked)
    events = proxying_site.journal.events[before:]
    granted = next(event for event in events if event.name == "ticket.proxied")
    assert (granted.principal, granted.service, granted.proxy) == ("ada", "library", "portal")
    assert granted.ticket == f"PT-…{asked['ticket'][-4:]}"
    assert [event.service for event in events if event.name == "ticket.validated"] == ["portal", "library"]
    for secret in (asked["ticket"], portal.latest, *portal.granted):
        assert secret not in repr(events)


def test_answers_with_tickets_are_kept_nowhere_and_set_no_cookie(proxying_site: Site, portal: Portal) -> None:
    pgt = proxy_granting(proxying_site, portal)
    for answer in (ask_proxy(proxying_site, asked_with(pgt)), ask_proxy(proxying_site, {})):
        assert answer.header("Cache-Control") == "no-store"
        assert answer.header("Pragma") == "no-cache"
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.header("Content-Length") == str(len(answer.body))
        assert {"set-cookie", "location"}.isdisjoint({name.lower() for name, _ in answer.headers})


# Chains


def test_a_chain_of_three_tells_all_proxies_newest_first_as_they_named_themselves(
    proxying_site: Site, portal: Portal
) -> None:
    first = portal.callback
    second = f"{portal.callback}/gateway/%7Eada?x=1&x=2".replace("https", "HTTPS", 1)
    third = f"{portal.callback}/hub"
    chain = [first]
    pgt = proxy_granting(proxying_site, portal)
    for service, callback in ((GATEWAY, second), (HUB, third)):
        asked = {"service": service, "ticket": proxy_ticket(proxying_site, pgt, service), "pgtUrl": callback}
        answer = LAX.ask(proxying_site, asked)
        assert proxies_of(answer) == chain
        pgt = portal.granted[iou_of(answer)]
        chain = [callback, *chain]
    asked = {"service": LIBRARY, "ticket": proxy_ticket(proxying_site, pgt)}
    assert proxies_of(LAX.ask(proxying_site, asked)) == [third, second, first]
    asked["ticket"] = proxy_ticket(proxying_site, pgt)
    assert proxies_of(JSON.ask(proxying_site, asked)) == [third, second, first]


def test_each_link_of_a_chain_has_a_proxy_granting_ticket_of_its_own(proxying_site: Site, portal: Portal) -> None:
    first = proxy_granting(proxying_site, portal)
    callback = f"{portal.callback}/gateway/x"
    asked = {"service": GATEWAY, "ticket": proxy_ticket(proxying_site, first, GATEWAY)}
    second = proxy_granting(proxying_site, portal, asked, callback)
    for pgt, chain in ((first, [portal.callback]), (second, [callback, portal.callback])):
        asked = {"service": LIBRARY, "ticket": proxy_ticket(proxying_site, pgt)}
        assert proxies_of(LAX.ask(proxying_site, asked)) == chain


def test_a_link_that_may_not_proxy_ends_the_chain(own_site: Site, portal: Portal) -> None:
    change_registry(own_site, f"callback: '{portal.callback}/gateway/*'", "callback: 'https://gateway.example.edu/cb'")
    asked = {**proxied(own_site, portal, GATEWAY), "pgtUrl": portal.callback}
    burned(own_site, LAX, asked, "INVALID_PROXY_CALLBACK", service=GATEWAY)


# The end of a session


@pytest.mark.parametrize("end", ["logout", "administrator", "fraud", "somebody else", "oneself", "idle"])
def test_with_the_session_ends_all_proxying(own_site: Site, portal: Portal, end: str) -> None:
    browser, pgt = session_at_the_portal(own_site, portal)
    waiting = proxy_ticket(own_site, pgt)
    parts = own_site.composed.parts
    match end:
        case "logout":
            browser.get("/logout")
        case "administrator" | "fraud":
            parts.tickets.close_sessions_of("ada", end, own_site.clock())
        case "somebody else":
            browser.fill(browser.login_page(PORTAL, renew="true"), "grace")
        case "oneself":
            browser.fill(browser.login_page(PORTAL, renew="true"), "ada")
        case "idle":
            session = parse_ticket_id(browser.session)
            assert session is not None
            parts.store.command("PEXPIRE", session.key, 0)
    assert refusal_of(ask_proxy(own_site, asked_with(pgt))) == "INVALID_TICKET"
    assert_refused(LAX, LAX.ask(own_site, {"service": LIBRARY, "ticket": waiting}), "INVALID_TICKET")


def test_every_service_of_a_chain_is_told_of_the_end(own_site: Site, portal: Portal) -> None:
    browser = own_site.browser()
    asked = {"service": PORTAL, "ticket": ticket_of(browser.sign_in("ada", PORTAL))}
    pgt = proxy_granting(own_site, portal, asked)
    called = {"service": LIBRARY, "ticket": proxy_ticket(own_site, pgt)}
    assert LAX.accepts(LAX.ask(own_site, called))
    proxy_ticket(own_site, pgt)
    session = parse_ticket_id(browser.session)
    assert session is not None
    parts = own_site.composed.parts
    batch = parts.store.batch()
    closing = parts.tickets.close_session(batch, session.name, "logout", own_site.clock())
    batch.run()
    # Whoever validated is told, with the ticket it knows; a ticket that nobody used is nobody's session.
    assert [visit.ticket for visit in closing.visits] == [asked["ticket"], called["ticket"]]


def test_who_was_refused_for_the_callback_is_not_told(own_site: Site, portal: Portal) -> None:
    browser = own_site.browser()
    portal.status = 404
    asked = {"service": PORTAL, "ticket": ticket_of(browser.sign_in("ada", PORTAL)), "pgtUrl": portal.callback}
    assert_refused(LAX, LAX.ask(own_site, asked), "INVALID_PROXY_CALLBACK")
    own_site.composed.parts.later.flush()
    session = parse_ticket_id(browser.session)
    assert session is not None
    assert own_site.composed.parts.store.command("LLEN", session.name.visits_key) == 0


def test_of_fifty_proxy_tickets_asked_for_during_a_logout_none_outlives_it(proxying_site: Site, portal: Portal) -> None:
    granted, too_late = 0, 0
    for _ in range(4):
        browser, pgt = session_at_the_portal(proxying_site, portal)
        gate = threading.Barrier(51)

        def ask(pgt: str = pgt, gate: threading.Barrier = gate) -> Answer:
            gate.wait()
            return ask_proxy(proxying_site, asked_with(pgt))

        def leave(browser: Browser = browser, gate: threading.Barrier = gate) -> None:
            gate.wait()
            browser.get("/logout")

        with ThreadPoolExecutor(51) as pool:
            asking = [pool.submit(ask) for _ in range(50)]
            pool.submit(leave).result()
            answers = [future.result() for future in asking]
        for answer in answers:
            code = refusal_of(answer)
            if code:
                assert code == "INVALID_TICKET"
                too_late += 1
                continue
            granted += 1
            asked = {"service": LIBRARY, "ticket": proxy_ticket_of(answer)}
            assert_refused(LAX, LAX.ask(proxying_site, asked), "INVALID_TICKET")
        assert refusal_of(ask_proxy(proxying_site, asked_with(pgt))) == "INVALID_TICKET"
    assert granted + too_late == 200


# Round trips


def test_how_often_redis_is_asked(build: Build, relay: CountingRelay, portal: Portal, portal_leaf: LeafFiles) -> None:
    site = build(redis_url=relay.url, registry=registry_with(portal), settings=trusting(portal_leaf))

    def count(step: Callable[[], Answer]) -> tuple[int, Answer]:
        relay.reset()
        answer = step()
        return relay.round_trips, answer

    LAX.ask(site, proxied(site, portal))
    plain, with_callback = sign_in(site), {**sign_in(site), "pgtUrl": portal.callback}
    assert count(lambda: LAX.ask(site, plain))[0] == 1
    trips, answer = count(lambda: LAX.ask(site, with_callback))
    assert trips == 2
    pgt = portal.granted[iou_of(answer)]
    trips, answer = count(lambda: ask_proxy(site, asked_with(pgt)))
    assert trips == 2
    asked = {"service": LIBRARY, "ticket": proxy_ticket_of(answer)}
    assert count(lambda: LAX.ask(site, asked))[0] == 1
    assert count(lambda: LAX.ask(site, asked))[0] == 1

    # What is refused costs no more than it takes to see.
    assert count(lambda: ask_proxy(site, asked_with(pgt, "https://closed.example.edu/")))[0] == 1
    assert count(lambda: ask_proxy(site, asked_with("x")))[0] == 0
    assert count(lambda: ask_proxy(site, {}))[0] == 0
    portal.status = 404
    failing = {**sign_in(site), "pgtUrl": portal.callback}
    assert count(lambda: LAX.ask(site, failing))[0] == 1


# Over real sockets


def test_the_story_over_real_sockets(
    tmp_path_factory: pytest.TempPathFactory, valkey_url: str, portal: Portal, portal_leaf: LeafFiles
) -> None:
    directory = tmp_path_factory.mktemp("proxying-served")
    with (
        serving(
            directory, valkey_url, tls=portal_leaf, registry=registry_with(portal), settings=trusting(portal_leaf)
        ) as served,
        Visitor(served.ca) as ada,
        requests.Session() as application,
    ):
        application.trust_env = False
        application.verify = served.ca

        def ask(path: str, **fields: str) -> str:
            answer = application.get(served.url + path, params=fields, allow_redirects=False, timeout=20)
            assert answer.status_code == 200
            return answer.text

        ada.sign_in(ada.step(f"{served.url}login"))
        ticket = ada.ticket(served.url, PORTAL)
        told = ask("p3/serviceValidate", service=PORTAL, ticket=ticket, pgtUrl=portal.callback)
        iou = told.partition("<cas:proxyGrantingTicket>")[2].partition("<")[0]
        told = ask("proxy", pgt=portal.granted[iou], targetService=LIBRARY)
        proxy = told.partition("<cas:proxyTicket>")[2].partition("<")[0]
        told = ask("proxyValidate", service=LIBRARY, ticket=proxy)
        assert "<cas:user>ada</cas:user>" in told
        assert f"<cas:proxies>\n<cas:proxy>{portal.callback}</cas:proxy>\n</cas:proxies>" in told
        log = served.log.read_text()
        for secret in (ticket, iou, portal.granted[iou], proxy):
            assert secret not in log
