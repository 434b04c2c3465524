"""``/v1/tickets`` and ``/v1/users`` as programs use them: sessions, tickets, people."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from casduo.events.model import RestAnswered
from casduo.tickets.ids import TicketKind, parse_ticket_id
from tests.support.redis_servers import CountingRelay
from tests.support.rest import (
    ADDRESS,
    KEY,
    LAB,
    NO_SESSION,
    REGISTRY,
    STAFF,
    UNKNOWN,
    WITH_PHONES,
    Program,
    text,
    ticket_in,
)
from tests.support.site import BASE, LIBRARY, PASSWORDS, Build, Site


@pytest.fixture
def site(build: Build) -> Site:
    return build(registry=REGISTRY, **WITH_PHONES)


@pytest.fixture
def portal(site: Site) -> Program:
    return Program(site)


# -- a session -------------------------------------------------------------------------------------------------------


def test_a_password_opens_a_session(portal: Program, site: Site) -> None:
    answer = portal.sign_in("ada")
    assert answer.status == 201
    ticket = parse_ticket_id(ticket_in(answer))
    assert ticket is not None
    assert ticket.kind is TicketKind.TICKET_GRANTING
    assert answer.header("Cache-Control") == "no-store"
    session = site.composed.parts.tickets.find_session(ticket)
    assert session is not None
    assert (session.principal_id, session.address, session.strength.level) == ("ada", ADDRESS, "none")
    assert not session.remembered


def test_the_page_of_a_session_is_read_as_clients_read_it(portal: Program) -> None:
    answer = portal.sign_in()
    page, ticket = text(answer), ticket_in(answer)
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    # The ways in which client libraries and how-tos find the ticket.
    assert re.fullmatch(r'.*action=".*/(.*?)".*', page)[1] == ticket  # type: ignore[index]
    assert re.search(r'action="([^"]+)"', page)[1] == answer.header("Location")  # type: ignore[index]
    assert re.search(r"TGT-[A-Za-z0-9-]+", page)[0] == ticket  # type: ignore[index]
    assert answer.header("Location").split("/")[-1] == ticket


@pytest.mark.parametrize("accept", ["application/json", "text/plain", "application/json, text/html;q=0.5"])
def test_the_bare_session_is_told_on_request(portal: Program, accept: str) -> None:
    fields = {"username": "ada", "password": PASSWORDS["ada"]}
    answer = portal.call("POST", "/v1/tickets", fields, HTTP_ACCEPT=accept)
    assert answer.status == 201
    assert text(answer) == ticket_in(answer)
    assert answer.header("Content-Type").startswith("text/plain")


@pytest.mark.parametrize("accept", ["", "*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "image/png"])
def test_others_get_the_page(portal: Program, accept: str) -> None:
    fields = {"username": "ada", "password": PASSWORDS["ada"]}
    assert text(portal.call("POST", "/v1/tickets", fields, HTTP_ACCEPT=accept)).startswith("<!DOCTYPE html>")


def test_the_log_tells_who_and_by_which_program(portal: Program, site: Site) -> None:
    session = portal.session("ada")
    [signed_in] = site.journal.named("signin.ok")
    assert (signed_in.principal, signed_in.handler, signed_in.about.address) == ("ada", "users_file", ADDRESS)
    [answered] = site.journal.named("rest.answered")
    assert (answered.client, answered.call, answered.status) == ("portal", "POST /v1/tickets", 201)
    assert answered.reference == signed_in.reference
    portal.ticket(session)
    [granted] = site.journal.named("ticket.granted")
    assert (granted.principal, granted.service, granted.primary) == ("ada", "library", False)
    assert site.journal.named("rest.answered")[-1].ticket == parse_ticket_id(session).masked  # type: ignore[union-attr]


def test_names_are_cased_as_in_the_form(portal: Program) -> None:
    assert json.loads(portal.post("/v1/users", username=" ADA ", password=PASSWORDS["ada"]).body)["id"] == "ada"


@pytest.mark.parametrize(("username", "password"), [("ada", "wrong"), ("nobody", "wrong"), ("ada", "x" * 2000)])
def test_a_wrong_password_opens_nothing(portal: Program, site: Site, username: str, password: str) -> None:
    answer = portal.sign_in(username, password=password)
    assert (answer.status, text(answer)) == (401, "user name or password is wrong\n")
    # With it a program would take the person's mistake for its own.
    assert answer.header("WWW-Authenticate") == ""
    assert len(site.journal.named("signin.refused")) == 1


@pytest.mark.parametrize("path", ["/v1/tickets", "/v1/users"])
@pytest.mark.parametrize(
    "fields",
    [
        {"username": "ada"},
        {"password": "x"},
        {},
        {"username": " ", "password": "x"},
        {"username": "ada", "password": ""},
    ],
)
def test_missing_credentials_are_a_bad_request(portal: Program, path: str, fields: dict[str, str]) -> None:
    answer = portal.call("POST", path, fields)
    assert (answer.status, text(answer)) == (400, "username and password are required\n")


@pytest.mark.parametrize("name", ["username", "password", "passcode", "push"])
@pytest.mark.parametrize("path", ["/v1/tickets", "/v1/users", f"/v1/tickets/{NO_SESSION}"])
def test_credentials_in_the_address_are_refused(portal: Program, site: Site, path: str, name: str) -> None:
    fields = {"username": "ada", "password": PASSWORDS["ada"], "service": LIBRARY}
    answer = portal.call("POST", path, fields, query=f"{name}=123456")
    assert answer.status == 400
    assert "belong in the body" in text(answer)
    assert site.journal.named("signin.ok") == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"username": "ada", "password": "Analytical-Engine"}'),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("text/plain", b"username=ada"),
        ("", b"username=ada&password=Analytical-Engine"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/tickets", "/v1/users", f"/v1/tickets/{NO_SESSION}"])
def test_another_media_type_is_told_so(portal: Program, path: str, kind: str, body: bytes) -> None:
    assert portal.call("POST", path, body=body, kind=kind).status == 415


def test_a_long_body_is_not_read(portal: Program) -> None:
    assert portal.call("POST", "/v1/tickets", {"username": "ada", "password": "x" * 70_000}).status == 413


def test_a_form_that_contradicts_itself_is_refused(portal: Program) -> None:
    body = b"service=https%3A%2F%2Fa.example%2F&service=https%3A%2F%2Fb.example%2F"
    assert portal.call("POST", f"/v1/tickets/{portal.session()}", body=body).status == 400


# -- a session for a service -----------------------------------------------------------------------------------------


def test_a_session_for_a_service_means_that_a_ticket_follows(portal: Program) -> None:
    session = portal.session("grace", service=STAFF)
    assert portal.ticket(session, STAFF).status == 200


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        (UNKNOWN, "unregistered"),
        ("https://closed.example.edu/", "disabled"),
        ("https://browsers.example.edu/", "the entry does not allow rest"),
        ("https://phones.example.edu/em/", "unregistered"),
    ],
)
def test_a_service_that_is_not_for_programs_stops_before_the_password(
    portal: Program, site: Site, service: str, reason: str
) -> None:
    session = portal.session()
    for answer in (
        portal.sign_in("ada", password="wrong", service=service),
        portal.post("/v1/users", username="ada", password="wrong", service=service),
        portal.ticket(session, service),
        portal.renew(session, service=service),
    ):
        assert (answer.status, text(answer)) == (403, "there is no ticket for this service\n")
    assert [event.reason for event in site.journal.named("service.refused")] == [reason] * 4
    assert site.journal.named("signin.refused") == []


@pytest.mark.parametrize("service", [STAFF, LAB, "https://nameless.example.edu/"])
def test_a_person_who_may_not_use_the_service_gets_no_session(portal: Program, site: Site, service: str) -> None:
    assert portal.sign_in("ada", service=service).status == 403
    assert site.composed.parts.tickets.sessions_of("ada") == []
    assert site.journal.named("signin.ok") == []
    assert portal.ticket(portal.session("ada"), service).status == 403


@pytest.mark.parametrize(
    "service", ["javascript:alert(1)", "https://a b/", "//evil", "https://user@library.example.edu/"]
)
def test_a_service_that_is_no_url_is_a_bad_request(portal: Program, service: str) -> None:
    assert portal.sign_in("ada", service=service).status == 400
    assert portal.ticket(portal.session(), service).status == 400


# -- people ----------------------------------------------------------------------------------------------------------


def who(portal: Program, username: str = "ada", **fields: str) -> Any:
    answer = portal.post("/v1/users", username=username, password=PASSWORDS[username], **fields)
    assert (answer.status, answer.header("Content-Type")) == (200, "application/json; charset=utf-8")
    return json.loads(answer.body)


def test_a_service_is_told_of_a_person_what_is_released_to_it(portal: Program) -> None:
    assert who(portal, service=LIBRARY) == {
        "id": "ada",
        "attributes": {"mail": ["ada@example.edu"], "displayName": ["Ada L"]},
    }
    assert who(portal, service="https://mail.example.edu/") == {"id": "ada@example.edu", "attributes": {}}


def test_a_service_is_told_the_same_name_here_as_at_validation(portal: Program, site: Site) -> None:
    service = "https://pairwise.example.edu/"
    name = who(portal, service=service)["id"]
    assert name != "ada"
    ticket = text(portal.ticket(portal.session("ada"), service))
    assert f"<cas:user>{name}</cas:user>" in site.validate(ticket, service).text


def test_without_a_service_nothing_is_told_but_the_id(portal: Program) -> None:
    assert who(portal) == {"id": "ada", "attributes": {}}


def test_asking_who_somebody_is_opens_no_session(portal: Program, site: Site) -> None:
    who(portal)
    assert site.composed.parts.tickets.sessions_of("ada") == []


def test_who_somebody_is_takes_the_right_password_and_person(portal: Program) -> None:
    assert portal.post("/v1/users", username="ada", password="wrong").status == 401
    assert portal.post("/v1/users", username="ada", password=PASSWORDS["ada"], service=STAFF).status == 403
    answer = portal.post(
        "/v1/users", username="ada", password=PASSWORDS["ada"], service="https://nameless.example.edu/"
    )
    assert answer.status == 403


# -- limits and faults -----------------------------------------------------------------------------------------------


def test_programs_and_the_form_share_the_limits(portal: Program, site: Site) -> None:
    at_the_form = site.browser()
    at_the_form.app.extra_environ["REMOTE_ADDR"] = ADDRESS
    for _ in range(3):
        at_the_form.fill(at_the_form.login_page(), "ada", "wrong")
    for path in ("/v1/tickets", "/v1/users"):
        assert portal.post(path, username="ADA", password="wrong").status == 401
    answer = portal.sign_in("ada")
    assert answer.status == 429
    wait = int(answer.header("Retry-After"))
    assert at_the_form.fill(at_the_form.login_page(), "ada").status_int == 429
    assert portal.sign_in("grace").status == 201
    site.clock.advance(wait + 1)
    assert portal.sign_in("ada").status == 201


def test_a_right_password_is_not_counted(portal: Program) -> None:
    for _ in range(4):
        assert portal.sign_in("ada", password="wrong").status == 401
        assert portal.sign_in("ada").status == 201


def test_a_refusal_behind_the_password_does_not_count_as_under_way(portal: Program) -> None:
    for _ in range(8):
        assert portal.sign_in("ada", service=STAFF).status == 403
    assert portal.sign_in("ada").status == 201


def test_without_redis_everything_waits(build: Build, relay: CountingRelay) -> None:
    site = build(redis_url=relay.url, registry=REGISTRY, **WITH_PHONES)
    portal = Program(site)
    session = portal.session()
    relay.cut()
    answers = [
        portal.sign_in(),
        portal.post("/v1/users", username="ada", password=PASSWORDS["ada"]),
        portal.ticket(session),
        portal.call("GET", f"/v1/tickets/{session}"),
        portal.call("DELETE", f"/v1/tickets/{session}"),
        Program(site, key="").sign_in(),
    ]
    assert [(answer.status, answer.header("Retry-After")) for answer in answers] == [(503, "10")] * 6
    relay.mend()
    assert portal.ticket(session).status == 200


def test_how_often_redis_is_asked(build: Build, relay: CountingRelay) -> None:
    site = build(redis_url=relay.url, registry=REGISTRY, **WITH_PHONES)
    portal = Program(site)
    portal.call("DELETE", f"/v1/tickets/{portal.session()}")

    def count(step: object) -> int:
        relay.reset()
        step()  # type: ignore[operator]
        return relay.round_trips

    session = portal.session()
    assert count(portal.sign_in) == 2
    assert count(lambda: portal.ticket(session)) == 2
    assert count(lambda: portal.renew(session)) == 3
    assert count(lambda: portal.look(session)) == 1
    assert count(lambda: portal.post("/v1/users", username="ada", password=PASSWORDS["ada"])) == 2
    assert count(lambda: Program(site, key="").sign_in()) == 1
    assert count(lambda: portal.look("nonsense")) == 0
    assert count(lambda: portal.ticket(f"ST-abcd-{'0' * 24}")) == 0


def test_events_hold_nothing_secret(portal: Program, site: Site) -> None:
    session = portal.session("ada")
    ticket = text(portal.renew(session))
    portal.sign_in("ada", password="Correct-Horse")
    for path in (f"/v1/tickets/{session}/{ticket}", f"/v1/ticket/{session}", f"/v1/tickets/{session}/", f"/{ticket}"):
        assert portal.call("GET", path).status == 404
    portal.call("PATCH", f"/v1/tickets/{session}")
    portal.call("DELETE", f"/v1/tickets/{session}")
    told = repr(site.journal.events)
    for secret in (session, ticket, session[9:], ticket[8:], KEY, PASSWORDS["ada"], "Correct-Horse"):
        assert secret not in told
    assert f"…{session[-4:]}" in told
    assert any(isinstance(event, RestAnswered) for event in site.journal.events)


def test_addresses_are_those_the_server_is_reached_by(portal: Program) -> None:
    answer = portal.call(
        "POST",
        "/v1/tickets",
        {"username": "ada", "password": PASSWORDS["ada"]},
        HTTP_HOST="evil.example.com",
        HTTP_X_FORWARDED_HOST="evil.example.com",
    )
    assert answer.header("Location").startswith(f"{BASE}/v1/tickets/TGT-")
