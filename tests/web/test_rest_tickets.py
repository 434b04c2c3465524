"""``/v1/tickets/{ticket}`` as programs use it: getting service tickets, looking at tickets, signing out."""

from __future__ import annotations

import re

import pytest

from casduo.tickets.signouts import ORDERS
from tests.support.rest import FRESH, LAB, NO_SESSION, REGISTRY, SOLO, WITH_PHONES, Program, text
from tests.support.site import LIBRARY, Build, Site


@pytest.fixture
def site(build: Build) -> Site:
    return build(
        registry=REGISTRY,
        handlers=WITH_PHONES["handlers"],
        settings=WITH_PHONES["settings"] + "session: {remember_me: {enabled: true}}\n",
    )


@pytest.fixture
def portal(site: Site) -> Program:
    return Program(site)


# -- a ticket --------------------------------------------------------------------------------------------------------


def test_a_ticket_is_the_whole_answer_and_validates(portal: Program, site: Site) -> None:
    answer = portal.ticket(portal.session("ada"))
    ticket = text(answer)
    assert (answer.status, answer.header("Content-Type")) == (200, "text/plain; charset=utf-8")
    assert re.fullmatch(r"ST-[A-Za-z0-9-]{29}", ticket)
    validated = site.validate(ticket).text
    assert "<cas:user>ada</cas:user>" in validated
    assert "<cas:mail>ada@example.edu</cas:mail>" in validated
    assert "<cas:isFromNewLogin>false</cas:isFromNewLogin>" in validated
    assert "INVALID_TICKET" in site.validate(ticket).text


def test_a_ticket_of_a_session_is_not_from_a_new_login(portal: Program, site: Site) -> None:
    assert "INVALID_TICKET" in site.validate(text(portal.ticket(portal.session())), renew="true").text


def test_renew_with_the_password_makes_the_ticket_primary(portal: Program, site: Site) -> None:
    session = portal.session("ada")
    answer = portal.renew(session)
    assert answer.status == 200
    validated = site.validate(text(answer), renew="true").text
    assert "<cas:isFromNewLogin>true</cas:isFromNewLogin>" in validated
    assert portal.look(session) == 200


def test_renew_without_credentials_is_a_bad_request(portal: Program) -> None:
    assert portal.ticket(portal.session(), renew="true").status == 400
    assert portal.ticket(portal.session(), renew="true", username="ada").status == 400


def test_renew_that_says_no_is_none(portal: Program) -> None:
    assert portal.ticket(portal.session(), renew="false").status == 200


def test_a_failed_renew_gives_nothing_and_is_counted(portal: Program, site: Site) -> None:
    session = portal.session("ada")
    for _ in range(5):
        assert portal.renew(session, password="wrong").status == 401
    answer = portal.renew(session)
    assert answer.status == 429
    assert int(answer.header("Retry-After")) > 0
    assert site.journal.named("ticket.granted") == []
    assert portal.look(session) == 200


def test_renew_by_another_person_is_refused(portal: Program, site: Site) -> None:
    session = portal.session("ada")
    assert portal.renew(session, "grace").status == 401
    assert site.journal.named("signin.refused")[-1].reason == "other_user"
    assert site.journal.named("ticket.granted") == []


def test_a_service_without_single_sign_on_wants_the_password_each_time(portal: Program, site: Site) -> None:
    session = portal.session("ada", service=SOLO)
    answer = portal.ticket(session, SOLO)
    assert answer.status == 403
    assert "renew=true" in text(answer)
    assert "<cas:user>ada</cas:user>" in site.validate(text(portal.renew(session, service=SOLO)), SOLO).text


def test_a_service_that_wants_a_young_session_wants_the_password_of_an_old_one(portal: Program, site: Site) -> None:
    session = portal.session()
    assert portal.ticket(session, FRESH).status == 200
    site.clock.advance(301)
    assert portal.ticket(session, FRESH).status == 403
    assert portal.renew(session, service=FRESH).status == 200


def test_a_remembered_session_is_not_enough_where_the_service_says_so(portal: Program, site: Site) -> None:
    browser = site.browser()
    browser.fill(browser.login_page(), "ada", rememberMe=True)
    assert portal.ticket(browser.session).status == 200
    assert portal.ticket(browser.session, "https://brief.example.edu/").status == 403


def test_rules_about_networks_go_by_where_the_program_runs(site: Site) -> None:
    inside = Program(site, address="10.1.2.3")
    ticket = text(inside.ticket(inside.session("ada", service=LAB), LAB))
    assert "<cas:user>ada</cas:user>" in site.validate(ticket, LAB).text
    outside = Program(site)
    assert outside.call("POST", "/v1/tickets", {"service": LAB}, HTTP_X_FORWARDED_FOR="10.1.2.3").status == 400
    session = outside.session()
    fields = {"service": LAB, "address": "10.1.2.3", "ip": "10.1.2.3"}
    assert outside.call("POST", f"/v1/tickets/{session}", fields, HTTP_X_FORWARDED_FOR="10.1.2.3").status == 403


def test_a_ticket_without_a_service_is_a_bad_request(portal: Program) -> None:
    session = portal.session()
    for fields in ({"renew": "false"}, {"service": ""}, {"service": "  "}, {}):
        answer = portal.call("POST", f"/v1/tickets/{session}", fields)
        assert (answer.status, text(answer)) == (400, "service is required\n")


def test_the_service_may_stand_in_the_address(portal: Program) -> None:
    query = "service=https%3A%2F%2Flibrary.example.edu%2F"
    assert portal.call("POST", f"/v1/tickets/{portal.session()}", query=query).status == 200


@pytest.mark.parametrize(
    "ticket",
    [
        NO_SESSION,
        f"ST-abcd-{'0' * 24}",
        f"PGT-abcd-{'0' * 43}",
        "TGT-1-nonsense",
        "TGT-*",
        "..",
        '"><img src=x onerror=alert(1)>',
    ],
)
def test_on_no_session_there_is_no_ticket(portal: Program, ticket: str) -> None:
    answer = portal.ticket(ticket)
    assert (answer.status, text(answer)) == (404, "no such ticket\n")
    assert portal.look(ticket) == 404


def test_an_ended_session_gives_no_ticket(portal: Program, site: Site) -> None:
    session = portal.session()
    site.composed.parts.tickets.close_sessions_of("ada", "administrator", site.clock())
    assert portal.ticket(session).status == 404
    assert portal.look(session) == 404


def test_a_row_of_tickets_that_nobody_validates_ends(portal: Program, site: Site) -> None:
    session = portal.session()
    answers = [portal.ticket(session).status for _ in range(9)]
    assert answers == [200] * 8 + [409]
    [loop] = site.journal.named("ticket.loop")
    assert (loop.principal, loop.service, loop.host) == ("ada", "library", "library.example.edu")


def test_the_session_of_a_program_is_the_persons_session(portal: Program, site: Site) -> None:
    browser = site.browser()
    browser.app.set_cookie("TGC-casduo", portal.session("ada"))
    assert "ticket=ST-" in browser.login_page(LIBRARY).headers["Location"]


# -- looking at tickets ----------------------------------------------------------------------------------------------


def test_a_live_session_can_be_looked_at(portal: Program) -> None:
    session = portal.session()
    answer = portal.call("GET", f"/v1/tickets/{session}")
    assert (answer.status, text(answer)) == (200, session)
    assert answer.header("Content-Type").startswith("text/plain")


def test_looking_at_a_service_ticket_does_not_use_it_up(portal: Program, site: Site) -> None:
    ticket = text(portal.ticket(portal.session()))
    assert [portal.look(ticket) for _ in range(3)] == [200] * 3
    assert "<cas:user>ada</cas:user>" in site.validate(ticket).text
    assert portal.look(ticket) == 404


def test_a_service_ticket_of_an_ended_session_is_none(portal: Program) -> None:
    session = portal.session()
    ticket = text(portal.ticket(session))
    portal.call("DELETE", f"/v1/tickets/{session}")
    assert portal.look(ticket) == 404


def test_head_says_what_get_says_without_a_body(portal: Program) -> None:
    session = portal.session()
    found, missing = (portal.call("HEAD", f"/v1/tickets/{each}") for each in (session, NO_SESSION))
    assert (found.status, found.body) == (200, b"")
    assert (missing.status, missing.body) == (404, b"")


# -- signing out -----------------------------------------------------------------------------------------------------


def test_deleting_a_session_ends_it_and_tells_its_services(portal: Program, site: Site) -> None:
    session = portal.session("ada")
    ticket = text(portal.ticket(session))
    site.validate(ticket)
    answer = portal.call("DELETE", f"/v1/tickets/{session}")
    assert (answer.status, text(answer)) == (200, session)
    assert portal.look(session) == 404
    [signed_out] = site.journal.named("signout")
    assert (signed_out.principal, signed_out.cause) == ("ada", "rest")
    store = site.composed.parts.store
    [(_, order)] = store.command("XRANGE", ORDERS, "-", "+")
    told = dict(zip(order[::2], order[1::2], strict=True))
    assert told["cause"] == "rest"
    tag, _, name = told["id"].partition(".")
    assert ticket in store.command("LRANGE", f"casduo:{{{tag}}}:signout:{name}", 0, -1)[0]
    assert site.composed.parts.tickets.sessions_of("ada") == []


@pytest.mark.parametrize("ticket", [NO_SESSION, "TGT-1-nonsense", '"><img src=x>'])
def test_deleting_what_is_not_there_is_no_failure(portal: Program, site: Site, ticket: str) -> None:
    answer = portal.call("DELETE", f"/v1/tickets/{ticket}")
    assert answer.status == 200
    assert b"<" not in answer.body
    assert site.journal.named("signout") == []


def test_deleting_a_service_ticket_ends_nothing(portal: Program, site: Site) -> None:
    ticket = text(portal.ticket(portal.session()))
    assert portal.call("DELETE", f"/v1/tickets/{ticket}").status == 200
    assert site.composed.parts.store.command("XLEN", ORDERS) == 0
    assert "<cas:user>ada</cas:user>" in site.validate(ticket).text
