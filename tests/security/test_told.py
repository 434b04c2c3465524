"""What is told: to an application what its entry lists, to strangers nothing."""

from __future__ import annotations

import re

import pytest

from tests.security.steps import ARCHIVE, signed_in
from tests.support.portal import Portal, proxied
from tests.support.raw import call
from tests.support.rest import Program, text
from tests.support.site import LIBRARY, Site, heading, ticket_of, words
from tests.support.wires import Wire, every_wire, from_session, proxy_ticket_wires


@every_wire
def test_a_service_learns_what_its_entry_lists_and_no_more(plain: Site, wire: Wire) -> None:
    """Apereo 2023-07-21, 2023-09-14, 2024-06-26: rules of release were skipped on some way."""
    answer = wire.ask(plain, from_session(plain))
    assert wire.accepts(answer)
    assert (b"ada@example.edu" in answer.body) == (wire.path != "/validate")
    assert b"students" not in answer.body
    assert b"Ada L" not in answer.body
    answer = wire.ask(plain, from_session(plain, ARCHIVE))
    assert wire.accepts(answer)
    assert b"ada@example.edu" not in answer.body


@proxy_ticket_wires
def test_a_service_learns_no_more_by_a_proxy(plain: Site, portal: Portal, wire: Wire) -> None:
    """Apereo 2024-06-26, for proxy tickets: it is the target's list that counts, not that of whoever asked."""
    answer = wire.ask(plain, proxied(plain, portal, ARCHIVE))
    assert wire.accepts(answer)
    assert b"ada@example.edu" not in answer.body
    answer = wire.ask(plain, proxied(plain, portal, LIBRARY))
    assert b"ada@example.edu" in answer.body
    assert b"students" not in answer.body


def test_a_program_learns_no_more_than_the_service_it_asks_for(plain: Site) -> None:
    """Apereo 2023-09-14, by REST."""
    program = Program(plain)
    for service, known in ((LIBRARY, True), (ARCHIVE, False), ("", False)):
        answer = text(program.post("/v1/users", username="ada", password="Analytical-Engine", service=service))
        assert '"id":"ada"' in answer
        assert ("ada@example.edu" in answer) == known
        assert "students" not in answer


@pytest.mark.parametrize(
    "path",
    [
        "/statistics",
        "/status",
        "/status/health",
        "/status/dashboard",
        "/ssoSessions",
        "/actuator",
        "/actuator/env",
        "/configserver",
        "/admin",
        "/v1/services",
        "/registry.yaml",
        "/.env",
    ],
)
def test_there_are_no_pages_about_the_inside(plain: Site, path: str) -> None:
    """Apereo 2016-10-24 and 2017-03-06: pages for administrators were open to everybody."""
    assert signed_in(plain).get(path).status_int == 404


def test_what_monitoring_reads_is_for_nobody_else(plain: Site) -> None:
    """Apereo 2016-10-24 and 2017-03-06: what told of the inside was open in spite of the rules, by another way in."""
    browser = signed_in(plain)
    for path in ("/metrics", "/healthz/detail"):
        for address in ("192.0.2.7", "", "unknown"):
            answer = browser.get(path, extra_environ={"REMOTE_ADDR": address})
            assert (answer.status_int, "casduo_" in answer.text, "findings" in answer.text) == (403, False, False)
        for header in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED"):
            environ = {"REMOTE_ADDR": "127.0.0.1", header: "127.0.0.1"}
            assert browser.get(path, extra_environ=environ).status_int == 403
        assert browser.get(f"{path}/", extra_environ={"REMOTE_ADDR": "127.0.0.1"}).status_int == 404
    assert browser.get("/readyz?verbose").body == b"ok\n"


def test_probes_say_whether_and_nothing_else(plain: Site) -> None:
    """Apereo 2017-03-06: the page that says whether the server is well said more."""
    for path in ("/healthz", "/readyz"):
        assert plain.browser().get(path).body == b"ok\n"


def test_a_wrong_name_and_a_wrong_password_cannot_be_told_apart(plain: Site) -> None:
    """CWE-204: the usual first step of guessing; also that what was typed does not come back."""
    told = []
    for name in ("ada", "nobody"):
        browser = plain.browser()
        answer = browser.fill(browser.login_page(LIBRARY), name, "Guessed-Password")
        assert "Guessed-Password" not in answer.text
        told.append((answer.status_int, words(answer)))
    assert told[0] == told[1]
    program = Program(plain)
    ada, nobody = (program.sign_in(name, password="Guessed-Password") for name in ("ada", "nobody"))
    assert (ada.status, ada.body) == (nobody.status, nobody.body)


def test_no_address_of_ours_holds_a_key(plain: Site) -> None:
    """CVE-2020-27178 (Apereo): keys stood in addresses, and so in logs. Akunzai issue 1034: whoever learns a ticket can
    end a session elsewhere, so no page tells where it was called from.
    """
    browser = plain.browser()
    pages = [browser.login_page(LIBRARY), browser.fill(browser.login_page(""), "ada"), browser.get("/login")]
    assert "yes" in plain.validate(ticket_of(browser.login_page(LIBRARY)), path="/validate").text
    pages += [browser.get("/logout", headers={"Sec-Fetch-Site": "cross-site"}), browser.get("/logout")]
    for page in pages:
        addresses = [
            item.get("href") or item.get("src") or item.get("action") or item.get("data-again") or ""
            for item in page.html.find_all(True)
        ]
        assert not any(re.search(r"execution|csrf|TGT-|ST-|[rs]\.[A-Za-z0-9]{8}", address) for address in addresses)
        assert page.headers["Referrer-Policy"] == "no-referrer"
    assert heading(pages[-1]) == "You are signed out"


def test_a_page_that_nobody_knows_repeats_nothing_of_its_address(plain: Site) -> None:
    """CVE-2020-27178: tickets in addresses that were mistyped, on the page and in the log."""
    session = signed_in(plain).session
    for path in (f"/cas/v1/tickets/{session}/x", f"/cas/{session}", f"/cas/login/{session}"):
        before = len(plain.journal.events)
        answer = call(plain, path=path)
        assert session.encode() not in answer.body
        assert session not in repr(plain.journal.events[before:])
        assert session[9:] not in repr(plain.journal.events[before:])
