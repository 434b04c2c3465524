"""The REST protocol: programs that hold passwords, ids in addresses, and answers that are never pages of strangers."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest

from casduo.tickets.ids import parse_ticket_id
from tests.security.steps import CRAFTED, signed_in
from tests.support.portal import Portal, proxy_granting, proxy_ticket
from tests.support.raw import FORM, call
from tests.support.rest import KEY, NO_SESSION, REST, Program, text
from tests.support.site import BASE, LIBRARY, PASSWORDS, Build, Site, has_ticket, query

SCRIPTS = [
    "\"'><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "TGT-abcd-<svg/onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "x\r\nSet-Cookie: TGC-casduo=planted",
    "x\r\n\r\n<script>alert(1)</script>",
    "${T(java.lang.Runtime).getRuntime().exec('id')}",
    "{{1234*4321}}",
]


TURNED_AWAY = (401, 429)
"""What strangers are told, and once there were many of them."""


def stranger(site: Site, key: str = "") -> Program:
    """A program that nobody knows, at a place of its own: those of the known one must not pay for it."""
    return Program(site, key, "2001:db8::7")


@pytest.mark.parametrize("script", SCRIPTS)
def test_nothing_of_a_request_comes_back(plain: Site, script: str) -> None:
    """CVE-2021-42567 (Apereo): ticket id and user name came back unescaped, so a form elsewhere ran a script here."""
    program = Program(plain)
    session = program.session()
    answers = [
        program.call("GET", f"/v1/tickets/{script}"),
        program.call("HEAD", f"/v1/tickets/{script}"),
        program.call("DELETE", f"/v1/tickets/{script}"),
        program.call("PUT", f"/v1/tickets/{script}"),
        program.ticket(script),
        program.ticket(session, script),
        program.ticket(session, f"https://evil.example.com/{script}"),
        program.ticket(session, passcode=script),
        program.ticket(session, push=script),
        program.ticket(session, renew="true", username=script, password=script),
        program.sign_in(script, password=script),
        program.sign_in("ada", service=script),
        program.post("/v1/users", username=script, password=script),
        program.call("POST", "/v1/tickets", query=urlencode({"username": script})),
        program.call("POST", "/v1/tickets", body=script.encode("latin-1"), kind="text/xml"),
        program.call("POST", "/v1/tickets", {"username": "ada", "password": PASSWORDS["ada"]}, HTTP_ACCEPT=script),
        program.call("POST", "/v1/tickets", {"username": "ada", "password": PASSWORDS["ada"]}, HTTP_USER_AGENT=script),
        stranger(plain).call("POST", "/v1/tickets", HTTP_AUTHORIZATION=f"Bearer {script}"),
        stranger(plain).call("GET", f"/v1/tickets/{script}"),
    ]
    for answer in answers:
        assert answer.status < 500
        whole = answer.body + repr(answer.headers).encode()
        assert not any(part.encode() in whole for part in (script, "alert", "planted", "Runtime", "5332114"))
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert "default-src 'none'" in answer.header("Content-Security-Policy") or "html" not in answer.header(
            "Content-Type"
        )
        assert answer.header("Set-Cookie") == ""


def test_a_strange_page_cannot_make_a_browser_use_it(plain: Site) -> None:
    """CVE-2021-42567: the script ran because a page elsewhere could post to it in a browser. Nor is a cookie a key."""
    browser = signed_in(plain)
    cookie = f"TGC-casduo={browser.session}"
    body = urlencode({"username": "ada", "password": PASSWORDS["ada"], "service": LIBRARY}).encode()
    for path in ("/cas/v1/tickets", f"/cas/v1/tickets/{browser.session}", "/cas/v1/users"):
        answer = call(plain, "POST", path, body=body, kind=FORM, HTTP_COOKIE=cookie, REMOTE_ADDR="2001:db8::7")
        assert answer.status in TURNED_AWAY
        assert b"ST-" not in answer.body
        assert not any(name.lower().startswith("access-control") for name, _ in answer.headers)


@pytest.mark.parametrize("service", CRAFTED)
def test_no_ticket_is_made_for_an_application_nobody_registered(plain: Site, service: str) -> None:
    """Apereo 2022-06-23, by REST: a crafted address got a service ticket."""
    program = Program(plain)
    answer = program.ticket(program.session(), service)
    assert answer.status in (400, 403)
    assert b"ST-" not in answer.body
    assert program.sign_in("ada", service=service).status in (400, 403)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/tickets/{}/",
        "/v1/tickets/{}/x",
        "/v1/tickets//{}",
        "/v1/tickets/x/{}",
        "/v1/tickets/./{}",
        "/v1/tickets/{};x",
        "/v1/tickets/{}\x00",
        "/v1/tickets/{}%2Fx",
        "/v1/tickets/{} ",
        "/v1//tickets/{}",
        "/V1/tickets/{}",
        "/v1/ticketS/{}",
        "/v2/tickets/{}",
        "/v1/users/{}",
    ],
)
def test_what_is_guarded_is_what_is_answered(plain: Site, path: str) -> None:
    """Apereo 2026-06-06 c: guarded for one segment more, answered for any number of them."""
    program = Program(plain)
    session = program.session()
    for method in ("GET", "POST", "DELETE"):
        fields = {"service": LIBRARY} if method == "POST" else None
        answer = program.call(method, path.format(session), fields)
        # What cannot be a ticket need not be ended: that is no failure.
        assert answer.status == 404 or (method, answer.status, answer.body) == ("DELETE", 200, b"")
        # A stranger learns that the address exists, or that it does not, and nothing else.
        answer = stranger(plain).call(method, path.format(session), fields)
        assert answer.status in (*TURNED_AWAY, 404)
    assert program.look(session) == 200


def test_whoever_calls_is_asked_before_anything_is_looked_at(plain: Site, portal: Portal) -> None:
    """Apereo 2016-10-24 and 2026-06-06 c: an address that answered those whom a rule should have kept out."""
    session = signed_in(plain).session
    for key in ("", KEY[:-1], KEY.swapcase()):
        for method, path in (
            ("GET", session),
            ("HEAD", session),
            ("POST", session),
            ("DELETE", session),
            ("GET", NO_SESSION),
            ("GET", proxy_granting(plain, portal)),
        ):
            fields = {"service": LIBRARY} if method == "POST" else None
            answer = stranger(plain, key).call(method, f"/v1/tickets/{path}", fields)
            assert answer.status in TURNED_AWAY
            assert not answer.body.startswith((b"TGT", b"ST", b"PGT"))
    assert Program(plain).look(session) == 200


def test_it_is_not_there_unless_it_was_switched_on(build: Build) -> None:
    """Apereo 2016-10-24: doors that are open although nobody opened them."""
    site = build(registry="services: []\n")
    for path in ("/v1/tickets", "/v1/users", f"/v1/tickets/{NO_SESSION}"):
        assert call(site, "POST", f"/cas{path}").status == 404


def test_a_ticket_of_another_kind_is_none(plain: Site, portal: Portal) -> None:
    """Keycloak CAS plug-in, review of pull 105, by REST: what a service or a proxy holds gets and ends nothing."""
    program = Program(plain)
    session = program.session()
    service_ticket = text(program.ticket(session))
    pgt = proxy_granting(plain, portal)
    for held in (service_ticket, pgt, proxy_ticket(plain, pgt), next(iter(portal.granted))):
        assert program.ticket(held).status == 404
        assert program.call("DELETE", f"/v1/tickets/{held}").status == 200
    assert program.look(session) == 200
    assert program.look(service_ticket) == 200
    assert proxy_ticket(plain, pgt)


def test_somebody_elses_password_renews_nothing(plain: Site) -> None:
    """Apereo 2019-11-24 and 2025-04-11, by REST: whose session it is, the session says."""
    program = Program(plain)
    answer = program.renew(program.session("ada"), "grace")
    assert answer.status == 401
    assert b"ST-" not in answer.body


def test_a_session_in_an_address_is_in_no_event(plain: Site) -> None:
    """CVE-2020-27178 (Apereo): keys in addresses, and so in logs."""
    program = Program(plain)
    session = program.session()
    found = parse_ticket_id(session)
    assert found is not None
    before = len(plain.journal.events)
    program.look(session)
    ticket = text(program.ticket(session))
    program.call("GET", f"/v1/tickets/{session}/x")
    program.call("GET", f"/v1/tickets/{quote(session)}%2Fx")
    program.call("PUT", f"/v1/tickets/{session}")
    program.call("DELETE", f"/v1/tickets/{session}")
    told = repr(plain.journal.events[before:])
    assert session[9:] not in told
    assert ticket[8:] not in told
    assert found.masked in told


def test_a_program_gets_no_ticket_for_the_services_of_another(build: Build) -> None:
    """Apereo 2022-06-23: a ticket for an application that the asking party has no business with."""
    registry = """
    services:
      - {id: library, name: L, url: "https://library.example.edu/**"}
      - {id: archive, name: A, url: "https://archive.example.edu/**"}
      - {id: pages, name: P, url: "https://pages.example.edu/**", protocols: [cas2, cas3]}
    """
    settings = REST.replace(f"key: {KEY}", f"key: {KEY}, services: [library, pages]")
    site = build(registry=registry, settings=settings)
    program = Program(site)
    session = program.session()
    assert program.ticket(session, LIBRARY).status == 200
    for service in ("https://archive.example.edu/", "https://pages.example.edu/"):
        assert program.ticket(session, service).status == 403
        assert program.renew(session, "ada", service).status == 403
        assert program.post("/v1/users", username="ada", password=PASSWORDS["ada"], service=service).status == 403


def test_the_address_of_a_session_is_ours_and_opens_no_browser(plain: Site) -> None:
    """CVE-2021-42567: the page about a new session has one address on it, and that is no link for people."""
    answer = Program(plain).sign_in()
    assert answer.header("Location").startswith(f"{BASE}/v1/tickets/TGT-")
    browser = plain.browser()
    assert not has_ticket(browser.get("/login" + query(service=LIBRARY)))
    assert browser.get(answer.header("Location")).status_int in TURNED_AWAY
