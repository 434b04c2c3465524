"""``/validate``, ``/serviceValidate`` and ``/p3/serviceValidate`` to the letter, as an application sees them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
import requests
from bs4 import BeautifulSoup

from casduo.simulators.duo import DuoSimulator
from casduo.tickets.ids import TicketKind, new_session_id, new_ticket_id, parse_ticket_id
from casduo.tickets.model import ServiceTicket, service_ticket_text
from tests.support.raw import FORM, Answer, call
from tests.support.served import Served
from tests.support.site import LIBRARY, PASSWORDS, PAYROLL, Build, Site, ticket_of

TEXTS = {
    "INVALID_REQUEST": "A required parameter is missing or cannot be read",
    "INVALID_TICKET": "Ticket not recognized",
    "INVALID_TICKET_SPEC": "A proxy ticket was presented where only service tickets are accepted",
    "INVALID_SERVICE": "Ticket was issued for another service",
    "UNAUTHORIZED_SERVICE": "Service is not authorized",
    "UNAUTHORIZED_SERVICE_PROXY": "Service is not authorized to use proxy authentication",
    "INVALID_AUTHENTICATION_CONTEXT": "The required authentication was not performed",
}


@dataclass(frozen=True)
class Wire:
    """One way to ask and to be answered."""

    path: str
    format: str = ""

    def ask(self, site: Site, fields: dict[str, str], **more: str) -> Answer:
        asked = {**fields, "format": self.format} if self.format else fields
        return call(site, path=f"/cas{self.path}", query=urlencode(asked), **more)

    @property
    def media_type(self) -> str:
        kind = "text/plain" if self.path == "/validate" else f"application/{self.format.lower() or 'xml'}"
        return f"{kind}; charset=utf-8"

    def failure(self, code: str, text: str = "") -> bytes:
        text = text or TEXTS[code]
        if self.path == "/validate":
            return b"no\n\n"
        if self.format == "JSON":
            answer = '{"serviceResponse":{"authenticationFailure":{"code":"%s","description":"%s"}}}'
        else:
            answer = (
                '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">\n'
                '<cas:authenticationFailure code="%s">%s</cas:authenticationFailure>\n</cas:serviceResponse>\n'
            )
        return (answer % (code, text)).encode()

    def accepts(self, answer: Answer) -> bool:
        """Whether an application takes the answer for a success."""
        return answer.body.startswith(b"yes\n") or b"authenticationSuccess" in answer.body


WIRES = [
    Wire("/validate"),
    Wire("/serviceValidate"),
    Wire("/serviceValidate", "JSON"),
    Wire("/p3/serviceValidate"),
    Wire("/p3/serviceValidate", "JSON"),
]
every_wire = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: f"{wire.path[1:]}{wire.format}")


def fresh(site: Site, service: str = LIBRARY) -> dict[str, str]:
    """What an application sends after somebody signed in with a password."""
    return {"service": service, "ticket": ticket_of(site.browser().sign_in("ada", service))}


def from_session(site: Site) -> dict[str, str]:
    """The same for somebody who was signed in already."""
    browser = site.browser()
    browser.sign_in("ada", "")
    return {"service": LIBRARY, "ticket": ticket_of(browser.login_page(LIBRARY))}


def assert_refused(wire: Wire, answer: Answer, code: str, text: str = "") -> None:
    assert answer.status == 200
    assert answer.header("Content-Type") == wire.media_type
    assert answer.body == wire.failure(code, text)


# Success


@every_wire
def test_a_good_ticket_is_answered_to_the_byte_once(open_site: Site, wire: Wire) -> None:
    asked = fresh(open_site)
    answer = wire.ask(open_site, asked)

    when = datetime.fromtimestamp(open_site.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if wire.path == "/validate":
        expected = "yes\nada\n"
    elif wire.format == "JSON":
        expected = (
            '{"serviceResponse":{"authenticationSuccess":{"user":"ada","attributes":{'
            f'"authenticationDate":"{when}","longTermAuthenticationRequestTokenUsed":false,"isFromNewLogin":true,'
            '"mail":"ada@example.edu","displayName":"Ada L","groups":"students"}}}}'
        )
    else:
        expected = (
            '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">\n<cas:authenticationSuccess>\n'
            f"<cas:user>ada</cas:user>\n<cas:attributes>\n<cas:authenticationDate>{when}</cas:authenticationDate>\n"
            "<cas:longTermAuthenticationRequestTokenUsed>false</cas:longTermAuthenticationRequestTokenUsed>\n"
            "<cas:isFromNewLogin>true</cas:isFromNewLogin>\n<cas:mail>ada@example.edu</cas:mail>\n"
            "<cas:displayName>Ada L</cas:displayName>\n<cas:groups>students</cas:groups>\n"
            "</cas:attributes>\n</cas:authenticationSuccess>\n</cas:serviceResponse>\n"
        )
    assert (answer.status, answer.header("Content-Type")) == (200, wire.media_type)
    assert answer.body.decode() == expected
    assert_refused(wire, wire.ask(open_site, asked), "INVALID_TICKET")


@every_wire
def test_answers_are_kept_nowhere_and_set_no_cookie(open_site: Site, wire: Wire) -> None:
    for answer in (wire.ask(open_site, fresh(open_site)), wire.ask(open_site, {})):
        assert answer.header("Cache-Control") == "no-store"
        assert answer.header("Pragma") == "no-cache"
        assert answer.header("Expires") == "Thu, 01 Jan 1970 00:00:00 GMT"
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.header("Content-Length") == str(len(answer.body))
        names = {name.lower() for name, _ in answer.headers}
        assert names.isdisjoint({"set-cookie", "location", "access-control-allow-origin"})
        assert len(names) == len(answer.headers)


@pytest.mark.parametrize("format_", ["xml", "XML", "json", "Json", ""])
def test_the_format_is_known_in_any_case(open_site: Site, format_: str) -> None:
    answer = call(open_site, path="/cas/serviceValidate", query=urlencode({**fresh(open_site), "format": format_}))
    assert b"authenticationSuccess" in answer.body
    assert answer.header("Content-Type").startswith(f"application/{format_.lower() or 'xml'};")


def test_the_cas_2_path_can_be_told_to_keep_attributes_back(build: Build) -> None:
    registry = "services: [{id: library, name: L, url: 'https://library.example.edu/**', attributes: [mail]}]"
    site = build(registry=registry, settings="validation: {cas2_attributes: false}\n")
    asked = fresh(site)
    assert b"attributes" not in Wire("/serviceValidate").ask(site, asked).body
    answer = Wire("/serviceValidate", "JSON").ask(site, fresh(site))
    assert answer.body == b'{"serviceResponse":{"authenticationSuccess":{"user":"ada","attributes":{}}}}'
    assert b"<cas:mail>" in Wire("/p3/serviceValidate").ask(site, fresh(site)).body


def test_a_directory_that_holds_a_statement_of_the_server_changes_nothing(build: Build) -> None:
    site = build(
        registry="services: [{id: library, name: L, url: 'https://library.example.edu/**', attributes: [mail]}]"
    )
    users = site.composed.parts.services.path.with_name("users.yaml")
    users.write_text(users.read_text().replace("attributes: {", "attributes: {authnContextClass: mfa-duo, "))
    site.clock.advance(2)
    answer = Wire("/p3/serviceValidate").ask(site, fresh(site))
    assert b"authenticationSuccess" in answer.body
    assert b"mfa-duo" not in answer.body


# Failures: what was asked cannot be understood. The ticket stays as it is.


@every_wire
@pytest.mark.parametrize(
    "spoil",
    [
        lambda asked: {"ticket": asked["ticket"]},
        lambda asked: {"service": asked["service"]},
        lambda asked: {**asked, "service": " "},
        lambda asked: {**asked, "service": "library"},
        lambda asked: {**asked, "service": "https://ada@library.example.edu/catalogue?q=a&q=b"},
        lambda asked: {"SERVICE": asked["service"], "TICKET": asked["ticket"]},
        lambda asked: {},
    ],
)
def test_a_request_that_cannot_be_read_leaves_the_ticket_alone(
    open_site: Site, wire: Wire, spoil: Callable[[dict[str, str]], dict[str, str]]
) -> None:
    asked = fresh(open_site)
    assert_refused(wire, wire.ask(open_site, spoil(asked)), "INVALID_REQUEST")
    assert wire.accepts(wire.ask(open_site, asked))


@every_wire
@pytest.mark.parametrize("name", ["service", "ticket", "pgtUrl"])
def test_two_values_for_one_parameter_leave_the_ticket_alone(open_site: Site, wire: Wire, name: str) -> None:
    asked = {**fresh(open_site), "pgtUrl": "https://library.example.edu/pgt"}
    doubled = urlencode([*asked.items(), (name, asked[name] + "x")])
    answer = call(open_site, path=f"/cas{wire.path}", query=doubled)
    assert_refused(Wire(wire.path), answer, "INVALID_REQUEST")
    asked.pop("pgtUrl")
    same_again = urlencode([*asked.items(), *asked.items()])
    assert wire.accepts(call(open_site, path=f"/cas{wire.path}", query=same_again))


@every_wire
@pytest.mark.parametrize("spoiled", ["%0D%0A", "%00", "%FF"])
def test_what_is_no_text_leaves_the_ticket_alone(open_site: Site, wire: Wire, spoiled: str) -> None:
    # Nothing of such a request is believed, its format neither: the answer is XML.
    asked = fresh(open_site)
    answer = call(
        open_site, path=f"/cas{wire.path}", query=urlencode({**asked, "format": wire.format}) + "&service=" + spoiled
    )
    assert_refused(Wire(wire.path), answer, "INVALID_REQUEST")
    assert wire.accepts(wire.ask(open_site, asked))


@pytest.mark.parametrize("path", ["/serviceValidate", "/p3/serviceValidate"])
def test_an_unknown_format_is_refused_in_xml_and_leaves_the_ticket_alone(open_site: Site, path: str) -> None:
    asked = fresh(open_site)
    answer = call(open_site, path=f"/cas{path}", query=urlencode({**asked, "format": "YAML"}))
    assert_refused(Wire(path), answer, "INVALID_REQUEST")
    assert Wire(path).accepts(Wire(path).ask(open_site, asked))


# Failures: the ticket is gone, whatever is sent next


def burned(site: Site, wire: Wire, asked: dict[str, str], code: str, text: str = "") -> None:
    """The request is refused with ``code``, and then the ticket is of no use to anybody, asked for rightly or not."""
    assert_refused(wire, wire.ask(site, asked), code, text)
    right = {"service": LIBRARY, "ticket": asked["ticket"]}
    assert_refused(wire, wire.ask(site, right), "INVALID_TICKET")


@every_wire
@pytest.mark.parametrize(
    "ticket",
    ["ST-1", "TGT-1", "x", "ST-1\nyes\nmallory\n\n", "ST-1\r\nyes\r\nmallory\r\n\r\n", "<b>&\"'", "ST-" + "A" * 9000],
)
def test_what_cannot_be_a_ticket_is_refused_and_not_repeated(open_site: Site, wire: Wire, ticket: str) -> None:
    answer = wire.ask(open_site, {"service": LIBRARY, "ticket": ticket})
    assert_refused(wire, answer, "INVALID_TICKET")
    assert b"\nyes" not in answer.body


@every_wire
def test_a_ticket_nobody_made(open_site: Site, wire: Wire) -> None:
    ticket = str(new_ticket_id(TicketKind.SERVICE, new_session_id()))
    burned(open_site, wire, {"service": LIBRARY, "ticket": ticket}, "INVALID_TICKET")


@every_wire
def test_the_cookie_of_a_session_is_no_ticket(open_site: Site, wire: Wire) -> None:
    browser = open_site.browser()
    browser.sign_in("ada", "")
    assert_refused(wire, wire.ask(open_site, {"service": LIBRARY, "ticket": browser.session}), "INVALID_TICKET")
    assert browser.login_page(LIBRARY).status_int == 302


@every_wire
def test_a_ticket_that_waited_too_long(open_site: Site, wire: Wire) -> None:
    asked = fresh(open_site)
    ticket = parse_ticket_id(asked["ticket"])
    assert ticket is not None
    store = open_site.composed.parts.store
    assert 25_000 < store.command("PTTL", ticket.key) <= 30_000
    store.command("PEXPIRE", ticket.key, 0)
    burned(open_site, wire, asked, "INVALID_TICKET")


@every_wire
def test_a_proxy_ticket_at_an_endpoint_for_service_tickets(open_site: Site, wire: Wire) -> None:
    browser = open_site.browser()
    browser.sign_in("ada", "")
    session = parse_ticket_id(browser.session)
    assert session is not None
    ticket = new_ticket_id(TicketKind.PROXY, session)
    record = service_ticket_text(ServiceTicket(LIBRARY, "library", False, session.fingerprint))
    open_site.composed.parts.store.command("SET", ticket.key, record)
    burned(open_site, wire, {"service": LIBRARY, "ticket": str(ticket)}, "INVALID_TICKET_SPEC")


@every_wire
def test_a_proxy_ticket_spelled_as_a_service_ticket_is_not_found(open_site: Site, wire: Wire) -> None:
    asked = fresh(open_site)
    respelled = asked["ticket"].replace("ST-", "PT-", 1)
    assert_refused(wire, wire.ask(open_site, {**asked, "ticket": respelled}), "INVALID_TICKET")
    assert wire.accepts(wire.ask(open_site, asked))


@every_wire
@pytest.mark.parametrize("service", ["https://archive.example.edu/", "https://evil.example.com/", LIBRARY + "&q=c"])
def test_the_ticket_of_another_service(open_site: Site, wire: Wire, service: str) -> None:
    burned(open_site, wire, {**fresh(open_site), "service": service}, "INVALID_SERVICE")


@every_wire
def test_a_session_that_ended_in_between(open_site: Site, wire: Wire) -> None:
    browser = open_site.browser()
    asked = {"service": LIBRARY, "ticket": ticket_of(browser.sign_in("ada", LIBRARY))}
    browser.get("/logout")
    burned(open_site, wire, asked, "INVALID_TICKET")


@every_wire
def test_renew_takes_the_ticket_of_the_password_only(open_site: Site, wire: Wire) -> None:
    assert wire.accepts(wire.ask(open_site, {**fresh(open_site), "renew": "true"}))
    assert wire.accepts(wire.ask(open_site, {**from_session(open_site), "renew": "false"}))
    for value in ("true", "1"):
        asked = {**from_session(open_site), "renew": value}
        burned(open_site, wire, asked, "INVALID_TICKET", "Ticket was not issued from a new login")


@every_wire
@pytest.mark.parametrize("callback", ["https://library.example.edu/pgt", "http://127.0.0.1:1/", "nonsense"])
def test_proxy_authentication_is_for_nobody(open_site: Site, wire: Wire, callback: str) -> None:
    burned(open_site, wire, {**fresh(open_site), "pgtUrl": callback}, "UNAUTHORIZED_SERVICE_PROXY")


@every_wire
@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("url: https://library", "url: https://moved", "UNAUTHORIZED_SERVICE"),
        ("name: Library", "enabled: false\n    name: Library", "UNAUTHORIZED_SERVICE"),
        ("name: Library", "access: {groups: [staff]}\n    name: Library", "UNAUTHORIZED_SERVICE"),
        ("id: library", "id: books", "INVALID_SERVICE"),
        ("name: Library", "requires_duo: true\n    name: Library", "INVALID_AUTHENTICATION_CONTEXT"),
    ],
    ids=["gone", "disabled", "access", "other entry", "duo"],
)
def test_the_registry_changed_in_between(site: Site, wire: Wire, old: str, new: str, code: str) -> None:
    asked = fresh(site)
    source = site.composed.parts.services
    source.path.write_text(source.path.read_text().replace(old, new, 1))
    assert source.poll()
    burned(site, wire, asked, code)


def test_rules_about_networks_go_by_where_the_ticket_went(open_site: Site) -> None:
    browser = open_site.browser()
    browser.sign_in("ada", LIBRARY)
    assert browser.login_page("https://lab.example.edu/").status_int == 403
    browser.app.extra_environ["REMOTE_ADDR"] = "10.1.2.3"
    ticket = ticket_of(browser.login_page("https://lab.example.edu/"))
    asked = {"service": "https://lab.example.edu/", "ticket": ticket}
    # The application's own address is not asked about.
    assert b"authenticationSuccess" in Wire("/serviceValidate").ask(open_site, asked).body


def test_a_bypass_while_duo_was_away_passes_where_the_service_lets_it(site: Site, duo: DuoSimulator) -> None:
    duo.stop_listening()
    service = "https://timesheets.example.edu/"
    asked = {"service": service, "ticket": ticket_of(site.browser().sign_in("ada", service))}
    assert b"authenticationSuccess" in Wire("/serviceValidate").ask(site, asked).body


def test_duo_is_in_the_answer_of_a_service_that_asked_for_it(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    back = browser.get(duo.visit_prompt(browser.sign_in("ada", PAYROLL).headers["Location"]))
    asked = {"service": PAYROLL, "ticket": ticket_of(back)}
    answer = Wire("/p3/serviceValidate").ask(site, asked)
    assert b"<cas:authnContextClass>mfa-duo</cas:authnContextClass>" in answer.body


# How it is asked


@every_wire
def test_a_form_body_is_as_good_as_a_query(open_site: Site, wire: Wire) -> None:
    body = urlencode({**fresh(open_site), "format": wire.format}).encode()
    for kind in (FORM, "Application/X-WWW-Form-Urlencoded ; charset=UTF-8"):
        answer = call(open_site, "POST", f"/cas{wire.path}", body=body, kind=kind)
        assert answer.status == 200
        assert answer.header("Content-Type") == wire.media_type
    assert answer.body == wire.failure("INVALID_TICKET")


@every_wire
def test_the_query_wins_over_the_body_and_a_contradiction_is_refused(open_site: Site, wire: Wire) -> None:
    asked = from_session(open_site)
    contradiction = urlencode({**asked, "ticket": "ST-x"}).encode()
    answer = call(open_site, "POST", f"/cas{wire.path}", urlencode(asked), contradiction, FORM)
    assert_refused(Wire(wire.path), answer, "INVALID_REQUEST")
    answer = call(open_site, "POST", f"/cas{wire.path}", urlencode({**asked, "renew": "0"}), b"renew=1", FORM)
    assert wire.accepts(answer)


@every_wire
def test_guesses_and_questions_use_nothing_up(open_site: Site, wire: Wire) -> None:
    asked = fresh(open_site)
    assert wire.ask(open_site, asked, HTTP_SEC_PURPOSE="prefetch;prerender").status == 204
    assert wire.ask(open_site, asked, HTTP_PURPOSE="prefetch").status == 204
    head = wire.ask(open_site, asked, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    for method in ("OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "get"):
        answer = wire.ask(open_site, asked, method=method)
        assert (answer.status, answer.header("Allow")) == (405, "HEAD, GET, POST")
    assert wire.accepts(wire.ask(open_site, asked))


@every_wire
def test_cookies_and_the_credentials_of_a_browser_mean_nothing_here(open_site: Site, wire: Wire) -> None:
    browser = open_site.browser()
    ticket = ticket_of(browser.sign_in("ada", LIBRARY))
    answer = wire.ask(open_site, {"service": LIBRARY}, HTTP_COOKIE=f"TGC-casduo={browser.session}")
    assert_refused(wire, answer, "INVALID_REQUEST")
    other = open_site.browser()
    other.sign_in("grace", "")
    answer = wire.ask(open_site, {"service": LIBRARY, "ticket": ticket}, HTTP_COOKIE=f"TGC-casduo={other.session}")
    assert b"ada" in answer.body


@pytest.mark.parametrize(
    "path",
    [
        "/p3/validate",
        "/servicevalidate",
        "/serviceValidate/",
        "/p3//serviceValidate",
        "/proxyValidate",
        "/p3/proxyValidate",
    ],
)
def test_other_paths_validate_nothing(open_site: Site, path: str) -> None:
    asked = fresh(open_site)
    assert call(open_site, path=f"/cas{path}", query=urlencode(asked)).status == 404
    assert WIRES[0].accepts(WIRES[0].ask(open_site, asked))


def test_every_refusal_is_told_in_the_log_with_its_reason_and_no_ticket(open_site: Site) -> None:
    asked = {**fresh(open_site), "service": "https://archive.example.edu/"}
    Wire("/validate").ask(open_site, asked)
    event = open_site.journal.named("ticket.refused")[-1]
    assert event.code == "INVALID_SERVICE"
    assert "host: library.example.edu and archive.example.edu" in event.why
    assert event.reference
    assert event.about.address == "192.0.2.7"
    assert asked["ticket"] not in repr(event)


# Over real sockets, all at once


def test_of_fifty_validations_at_once_exactly_one_succeeds(served: Served) -> None:
    service = "https://library.example.edu/"
    with requests.Session() as browser:
        page = browser.get(served.url + "login", params={"service": service}, timeout=10)
        form = BeautifulSoup(page.text, "html.parser").find("form")
        fields = {
            item["name"]: item.get("value", "") for item in form.find_all("input") if item.get("type") != "checkbox"
        }
        fields |= {"username": "ada", "password": PASSWORDS["ada"]}
        granted = browser.post(served.url + "login", fields, allow_redirects=False, timeout=10)
    ticket = granted.headers["Location"].rpartition("ticket=")[2]
    gate = threading.Barrier(50)

    def validate(path: str) -> bytes:
        with requests.Session() as application:
            gate.wait()
            asked = {"service": service, "ticket": ticket}
            return application.get(served.url + path, params=asked, timeout=20).content

    paths = ["validate", "serviceValidate", "p3/serviceValidate"]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(validate, [paths[number % 3] for number in range(50)]))
    won = [answer for answer in answers if answer.startswith(b"yes\nada\n") or b"<cas:user>ada</cas:user>" in answer]
    lost = [answer for answer in answers if answer == b"no\n\n" or b'code="INVALID_TICKET"' in answer]
    assert (len(won), len(lost)) == (1, 49)
