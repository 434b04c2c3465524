"""Tickets: one use, one service, one kind; and nothing that a ticket brings along."""

from __future__ import annotations

import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from casduo.tickets.ids import TicketKind, new_proxy_granting, new_session_id, new_ticket_id, parse_ticket_id
from tests.security.steps import ARCHIVE, good, names, signed_in, tells_nobody
from tests.support.portal import PORTAL, Portal, ask_proxy, proxied, proxy_granting, proxy_ticket, refusal_of
from tests.support.raw import call
from tests.support.rest import Program
from tests.support.site import LIBRARY, Site, has_ticket, ticket_of
from tests.support.wires import (
    CAS_WIRES,
    SAML,
    WIRES,
    Wire,
    assert_refused,
    every_wire,
    fresh,
    from_session,
    proxy_ticket_wires,
    service_ticket_wires,
    wires,
)

# One use


def winners(site: Site, wire: Wire, asked: dict[str, str]) -> int:
    """Ask the same at once from twenty threads, and return how many were told a success."""
    gate = threading.Barrier(20)

    def ask(number: int) -> bool:
        gate.wait()
        return wire.accepts(wire.ask(site, asked))

    with ThreadPoolExecutor(20) as pool:
        return list(pool.map(ask, range(20))).count(True)


@every_wire
def test_one_ticket_is_good_for_one_of_many_who_ask_at_once(plain: Site, wire: Wire) -> None:
    """django-cas-server 3.1: read, then delete; several validations of one ticket succeeded."""
    assert winners(plain, wire, fresh(plain)) == 1


@proxy_ticket_wires
def test_one_proxy_ticket_is_good_for_one_of_many_who_ask_at_once(plain: Site, portal: Portal, wire: Wire) -> None:
    """The same weakness, for proxy tickets."""
    assert winners(plain, wire, proxied(plain, portal)) == 1


def test_a_ticket_is_good_for_one_of_all_addresses_together(plain: Site) -> None:
    """The same weakness, once more: each address with a list of used tickets of its own would be no better."""
    asked, gate = fresh(plain), threading.Barrier(len(WIRES))

    def ask(wire: Wire) -> bool:
        gate.wait()
        return wire.accepts(wire.ask(plain, asked))

    with ThreadPoolExecutor(len(WIRES)) as pool:
        assert list(pool.map(ask, WIRES)).count(True) == 1


# One service

OTHERS = [
    ARCHIVE,
    LIBRARY + "x",
    LIBRARY + "&x=1",
    LIBRARY.partition("?")[0],
    LIBRARY.rpartition("&")[0],
    "https://library.example.edu/",
    quote(LIBRARY, safe=":/"),
    quote(quote(LIBRARY, safe=":/"), safe=":/"),
    LIBRARY.replace("q=a", "q=%2561"),
    LIBRARY.replace("catalogue", "CATALOGUE"),
    LIBRARY.replace("library", "archive"),
    LIBRARY.replace("https", "http"),
    LIBRARY.replace(".edu/", ".edu:8443/"),
    LIBRARY.replace("/catalogue", "//catalogue"),
    LIBRARY.replace("/catalogue", "/x/../catalogue"),
    f"https://evil.example.com/?next={LIBRARY}",
    LIBRARY.replace("library.example.edu", "library.example.edu.evil.example.com"),
    LIBRARY.replace("library.example.edu", "library.example.edu@evil.example.com"),
]


@every_wire
def test_the_service_is_compared_as_a_whole_and_a_wrong_one_ends_it(plain: Site, wire: Wire) -> None:
    """Casdoor: compared by prefix and after a second decoding, and went on after the error. django-cas-provider issue
    7: /validate did not compare at all. CVE-2022-39369 (phpCAS, Yale): a ticket of one site was used at another.
    """
    for presented in OTHERS:
        asked = from_session(plain)
        answer = wire.ask(plain, {**asked, "service": presented})
        assert tells_nobody(wire, answer), presented
        assert answer.body.count(b"authentication") <= 2, "one answer, not two"
        # A malformed one is refused before the ticket is looked at; any other attempt was the only one.
        used_up = wire.told(answer) != wire.failure("INVALID_REQUEST") and wire.path != "/validate"
        assert not (used_up and good(plain, asked)), presented


@wires(Wire("/validate"))
def test_cas_1_compares_the_service_as_well(plain: Site, wire: Wire) -> None:
    """django-cas-provider issue 7, where the answer tells nothing of the reason: the ticket is gone all the same."""
    asked = fresh(plain)
    assert wire.ask(plain, {**asked, "service": ARCHIVE}).body == b"no\n\n"
    assert wire.ask(plain, asked).body == b"no\n\n"


# One kind


@service_ticket_wires
def test_a_proxy_ticket_is_none_where_service_tickets_are_asked_for(plain: Site, portal: Portal, wire: Wire) -> None:
    """Casdoor issue 2286: /p3/serviceValidate took proxy tickets."""
    asked = proxied(plain, portal)
    assert_refused(wire, wire.ask(plain, asked), "INVALID_TICKET_SPEC")
    assert not good(plain, asked)


def every_kind(site: Site, portal: Portal) -> dict[str, str]:
    """A good ticket of each kind, all of one person."""
    pgt = proxy_granting(site, portal)
    return {
        "TGT": signed_in(site).session,
        "ST": ticket_of(site.browser().sign_in("ada", LIBRARY)),
        "PGT": pgt,
        "PT": proxy_ticket(site, pgt),
        "PGTIOU": next(iou for iou, granted in portal.granted.items() if granted == pgt),
    }


def test_a_ticket_under_another_prefix_is_another_ticket(plain: Site, portal: Portal) -> None:
    """Keycloak CAS plug-in, review of pull 105: would "ST-" turned into "PGT-" pass?"""
    tickets = every_kind(plain, portal)
    program = Program(plain)
    for kind, ticket in tickets.items():
        rest = ticket.removeprefix(kind)
        for other in ("TGT", "ST", "PGT", "PT", "PGTIOU", kind.lower(), "", "TGC", "LT"):
            disguised = other + rest
            for wire in CAS_WIRES if disguised not in (tickets["ST"], tickets["PT"]) else ():
                assert tells_nobody(wire, wire.ask(plain, {"service": LIBRARY, "ticket": disguised}))
            if disguised != tickets["PGT"]:
                answer = ask_proxy(plain, {"pgt": disguised, "targetService": LIBRARY})
                assert refusal_of(answer) == "INVALID_TICKET"
            if disguised != tickets["TGT"]:
                browser = plain.browser()
                browser.app.set_cookie("TGC-casduo", disguised)
                assert not has_ticket(browser.login_page(LIBRARY))
                assert program.ticket(disguised).status == 404
            if disguised not in tickets.values():
                assert program.look(disguised) == 404
    # Each of them is still what it was.
    assert good(plain, {"service": LIBRARY, "ticket": tickets["ST"]})
    assert good(plain, {"service": LIBRARY, "ticket": tickets["PT"]})
    assert proxy_ticket(plain, tickets["PGT"])
    assert program.look(tickets["TGT"]) == 200


# Nothing else


@pytest.mark.parametrize(
    "smuggled",
    [
        "service={other}&ticket={ticket}%26service%3D{own}",
        "service={other}&ticket={ticket}&service={own}",
        "service={other}&ticket={ticket}%23&service={own}",
        "service={other}&ticket={ticket}%00&service={own}",
        "service={other}&ticket={ticket};service={own}",
        "service={own}&ticket={ticket}&ticket=ST-x",
        "service={own}&ticket=ST-x&ticket={ticket}",
        "service={own}&ticket={ticket}%0A",
        "service={own}&ticket={ticket}%0D%0Ayes%0Aada",
        "service={own}&ticket=%20{ticket}",
        "service={own}&ticket={ticket}%26pgtUrl%3Dhttps%3A%2F%2Fevil.example.com%2F",
    ],
)
def test_a_ticket_cannot_bring_anything_along(plain: Site, portal: Portal, smuggled: str) -> None:
    """CVE-2014-4172 (Java, .NET, phpCAS): a ticket that was not escaped named another service in the validation URL."""
    for wire in CAS_WIRES:
        asked = proxied(plain, portal) if wire.takes_proxy_tickets else from_session(plain)
        form = f"&format={wire.format}" if wire.format else ""
        query = smuggled.format(ticket=asked["ticket"], own=quote(LIBRARY, safe=""), other=quote(ARCHIVE, safe=""))
        assert tells_nobody(wire, call(plain, path=f"/cas{wire.path}", query=query + form))
        assert good(plain, asked), "nothing was looked up"


@pytest.mark.parametrize(
    "artifact",
    [
        "{ticket}&service={own}",
        "{ticket}&TARGET={own}",
        "{ticket}%26TARGET%3D{own}",
        "{ticket}\nST-x",
        "{ticket} {ticket}",
        "{ticket}\u2028",
    ],
)
def test_an_artifact_cannot_bring_anything_along(plain: Site, artifact: str) -> None:
    """CVE-2014-4172, by SAML: the ticket stands in the body there and the service in the address."""
    asked = fresh(plain)
    text = artifact.format(ticket=asked["ticket"], own=quote(LIBRARY, safe=""))
    assert tells_nobody(SAML, SAML.ask(plain, {"service": ARCHIVE, "ticket": text}))
    assert tells_nobody(SAML, SAML.ask(plain, {"service": LIBRARY, "ticket": text}))
    assert good(plain, asked)


@pytest.mark.parametrize("injected", ["renew=false", "renew=0", "renew=no"])
@pytest.mark.parametrize(
    "order", ["service={service}&ticket={ticket}&{injected}&renew=true", "renew=1&{injected}&{rest}"]
)
def test_a_ticket_cannot_take_a_demand_back(plain: Site, injected: str, order: str) -> None:
    """CVE-2014-4172 once more: clients wrote ``renew=true`` behind the ticket, and of two values the first counted."""
    for wire in CAS_WIRES:
        asked = from_session(plain)
        rest = f"service={quote(LIBRARY, safe='')}&ticket={asked['ticket']}"
        query = order.format(service=quote(LIBRARY, safe=""), ticket=asked["ticket"], injected=injected, rest=rest)
        form = f"&format={wire.format}" if wire.format else ""
        assert tells_nobody(wire, call(plain, path=f"/cas{wire.path}", query=query + form))


def test_a_proxy_granting_ticket_cannot_bring_a_target_along(plain: Site, portal: Portal) -> None:
    """CVE-2014-4172 at ``/proxy``: a target that the application did not choose."""
    pgt = proxy_granting(plain, portal)
    target = quote(ARCHIVE, safe="")
    for query in (
        f"pgt={pgt}%26targetService%3D{target}&targetService={quote(LIBRARY, safe='')}",
        f"pgt={pgt}&targetService={target}&targetService={quote(LIBRARY, safe='')}",
        f"pgt={pgt}&targetService={quote(LIBRARY, safe='')}&pgt=PGT-x",
        f"pgt={pgt}%0A&targetService={target}",
    ):
        answer = call(plain, path="/cas/proxy", query=query)
        assert b"proxyFailure" in answer.body
        assert b"PT-" not in answer.body


TEXTS = [
    "ST-1</cas:authenticationFailure><cas:authenticationSuccess><cas:user>mallory</cas:user>",
    "ST-1\nyes\nmallory\n\n",
    "ST-1\r\n\r\nyes\r\nmallory",
    'ST-1","authenticationSuccess":{"user":"mallory"}',
    "ST-1</samlp:StatusMessage><saml:NameIdentifier>mallory</saml:NameIdentifier>",
]


@every_wire
@pytest.mark.parametrize("text", TEXTS)
def test_a_failure_repeats_nothing_of_the_request(plain: Site, wire: Wire, text: str) -> None:
    """CVE-2017-1000071 (phpCAS): the ticket came back raw in the failure, and the client found a success in it."""
    for fields in (
        {"service": LIBRARY, "ticket": text},
        {"service": f"https://library.example.edu/?{text}", "ticket": "ST-x"},
        {"service": f"https://{text}/", "ticket": "ST-x"},
        {**from_session(plain), "pgtUrl": f"https://portal.example.edu/{text}"},
        {**from_session(plain), "format": text},
    ):
        answer = wire.ask(plain, fields)
        assert b"mallory" not in answer.body
        assert wire.accepts(answer) == names(answer)
        assert not re.search(rb"(?m)^yes$", answer.body.partition(b"yes\nada\n")[2])


@pytest.mark.parametrize("text", TEXTS)
def test_a_refused_proxy_ticket_repeats_nothing_of_the_request(plain: Site, portal: Portal, text: str) -> None:
    """CVE-2017-1000071 at ``/proxy``."""
    pgt = proxy_granting(plain, portal)
    for fields in (
        {"pgt": text, "targetService": LIBRARY},
        {"pgt": pgt, "targetService": f"https://{text}/"},
        {"pgt": pgt, "targetService": f"https://evil.example.com/?{text}"},
        {"pgt": pgt, "targetService": ARCHIVE, "format": text},
    ):
        for more in ({}, {"format": "JSON"}):
            answer = ask_proxy(plain, {**more, **fields})
            assert b"mallory" not in answer.body
            assert b"ailure" in answer.body


# What they are made of


def test_ids_are_of_letters_digits_and_hyphens_and_long_enough(plain: Site, portal: Portal) -> None:
    """CVE-2010-3690 to 3692 (phpCAS) put ids into pages and file names; CVE-2023-28862 (LemonLDAP::NG): weak ids."""
    for kind in TicketKind:
        ticket = str(new_ticket_id(kind, new_session_id()))
        assert re.fullmatch(r"[A-Z]+-[A-Za-z0-9]{4}-[A-Za-z0-9]{22,}", ticket)
    proxy_granting(plain, portal)
    (target,) = portal.targets
    assert re.fullmatch(r"/pgt\?pgtId=PGT-[A-Za-z0-9-]{44,60}&pgtIou=PGTIOU-[A-Za-z0-9-]{40,57}", target)


def test_ids_do_not_come_from_a_generator_that_can_be_foretold() -> None:
    """CVE-2019-10754 and 10755 (Apereo): ids and codes from a generator that is not cryptographic."""
    made = set()
    for _ in range(2):
        random.seed(1)
        session = new_session_id()
        pgt, iou = new_proxy_granting(session)
        made |= {str(session), str(new_ticket_id(TicketKind.SERVICE, session)), str(pgt), iou}
    assert len(made) == 8
    # And no two of one session have more in common than the tag of their slot.
    beside = {str(new_ticket_id(TicketKind.SERVICE, session)).rpartition("-")[2][:4] for _ in range(200)}
    assert len(beside) > 190


def test_a_ticket_lives_for_seconds_and_a_proxy_ticket_too(plain: Site, portal: Portal) -> None:
    """LemonLDAP::NG's default: a ticket lives as long as its session."""
    store = plain.composed.parts.store
    for asked in (fresh(plain), proxied(plain, portal)):
        ticket = parse_ticket_id(asked["ticket"])
        assert ticket is not None
        assert 0 < store.command("PTTL", ticket.key) <= 30_000
    granting = parse_ticket_id(portal.latest)
    assert granting is not None
    # As long as the longest session there can be, and worth nothing without its own.
    assert 0 < store.command("PTTL", granting.key) <= 30 * 86_400_000


def test_a_ticket_that_does_not_exist_costs_no_search(plain: Site, portal: Portal) -> None:
    """Apereo 2022-03-06: an invalid code made the server go through all tickets."""
    store, program = plain.composed.parts.store, Program(plain)
    for _ in range(20):
        signed_in(plain)
    store.command("CONFIG", "RESETSTAT")
    for _ in range(5):
        for kind in (TicketKind.SERVICE, TicketKind.PROXY):
            ticket = str(new_ticket_id(kind, new_session_id()))
            for wire in WIRES:
                assert not wire.accepts(wire.ask(plain, {"service": PORTAL, "ticket": ticket}))
        ask_proxy(plain, {"pgt": str(new_proxy_granting(new_session_id())[0]), "targetService": LIBRARY})
        plain.browser().get("/logout", headers={"Cookie": f"TGC-casduo={new_session_id()}"})
        program.look(str(new_session_id()))
        program.call("DELETE", f"/v1/tickets/{new_session_id()}")
    used = set(re.findall(r"cmdstat_([a-z|]+):", str(store.command("INFO", "commandstats"))))
    assert used.isdisjoint({"scan", "keys", "hscan", "sscan", "zscan", "smembers", "randomkey", "sort"})
