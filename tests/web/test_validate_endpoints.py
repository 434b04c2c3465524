"""The six validation endpoints to the letter, as an application sees them: success, and requests that cannot be read.

What else can be wrong with a ticket is in ``test_validation_table.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
import requests
from bs4 import BeautifulSoup

from casduo.simulators.duo import DuoSimulator
from tests.support.raw import FORM, call
from tests.support.served import Served
from tests.support.site import LIBRARY, PASSWORDS, PAYROLL, Build, Site, ticket_of
from tests.support.wires import (
    CAS_WIRES,
    NOT_NEW,
    SAML,
    SAML_TYPE,
    WIRES,
    Wire,
    assert_refused,
    envelope,
    every_cas_wire,
    every_wire,
    fresh,
    from_session,
    proxying_wires,
)

# Success


@every_cas_wire
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
def test_a_ticket_is_good_for_one_endpoint_and_then_for_none(open_site: Site, wire: Wire) -> None:
    asked = fresh(open_site)
    assert wire.accepts(wire.ask(open_site, asked))
    for other in WIRES:
        assert_refused(other, other.ask(open_site, asked), "INVALID_TICKET")


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


@proxying_wires
@pytest.mark.parametrize("format_", ["xml", "XML", "json", "Json", ""])
def test_the_format_is_known_in_any_case(open_site: Site, wire: Wire, format_: str) -> None:
    answer = Wire(wire.path).ask(open_site, {**fresh(open_site), "format": format_})
    assert b"authenticationSuccess" in answer.body
    assert answer.header("Content-Type").startswith(f"application/{format_.lower() or 'xml'};")


@pytest.mark.parametrize("path", ["serviceValidate", "proxyValidate"])
def test_the_cas_2_paths_can_be_told_to_keep_attributes_back(build: Build, path: str) -> None:
    registry = "services: [{id: library, name: L, url: 'https://library.example.edu/**', attributes: [mail]}]"
    site = build(registry=registry, settings="validation: {cas2_attributes: false}\n")
    asked = fresh(site)
    assert b"attributes" not in Wire(f"/{path}").ask(site, asked).body
    answer = Wire(f"/{path}", "JSON").ask(site, fresh(site))
    assert answer.body == b'{"serviceResponse":{"authenticationSuccess":{"user":"ada","attributes":{}}}}'
    assert b"<cas:mail>" in Wire(f"/p3/{path}").ask(site, fresh(site)).body


@every_wire
def test_a_directory_that_holds_a_statement_of_the_server_changes_nothing(build: Build, wire: Wire) -> None:
    site = build(
        registry="services: [{id: library, name: L, url: 'https://library.example.edu/**', attributes: [mail]}]"
    )
    users = site.composed.parts.services.path.with_name("users.yaml")
    users.write_text(users.read_text().replace("attributes: {", "attributes: {authnContextClass: mfa-duo, "))
    site.clock.advance(2)
    answer = wire.ask(site, fresh(site))
    assert wire.accepts(answer)
    assert b"mfa-duo" not in answer.body


@every_wire
def test_duo_is_in_the_answer_of_a_service_that_asked_for_it(site: Site, duo: DuoSimulator, wire: Wire) -> None:
    browser = site.browser()
    back = browser.get(duo.visit_prompt(browser.sign_in("ada", PAYROLL).headers["Location"]))
    answer = wire.ask(site, {"service": PAYROLL, "ticket": ticket_of(back)})
    assert wire.accepts(answer)
    assert (b"authnContextClass" in answer.body and b"mfa-duo" in answer.body) is (wire.path != "/validate")


@every_wire
def test_every_answer_but_that_of_cas_1_tells_of_a_long_session(build: Build, wire: Wire) -> None:
    registry = "services: [{id: library, name: L, url: 'https://library.example.edu/**'}]"
    settings = "session: {remember_me: {enabled: true}}\nvalidation: {cas2_attributes: false}\n"
    site = build(registry=registry, settings=settings)
    browser = site.browser()
    primary = ticket_of(browser.fill(browser.login_page(), "ada", rememberMe="true"))
    for ticket in (primary, ticket_of(browser.login_page())):
        answer = wire.ask(site, {"service": LIBRARY, "ticket": ticket})
        told = answer.body.decode()
        if wire is SAML:
            # The order is that of the attributes: authenticationDate, this one, isFromNewLogin.
            assert 'AttributeName="longTermAuthenticationRequestTokenUsed"' in told
            assert told.count("<saml:AttributeValue>true</saml:AttributeValue>") == (2 if ticket == primary else 1)
        elif wire.format:
            assert '"longTermAuthenticationRequestTokenUsed":true' in told
        elif wire.path != "/validate":
            name = "cas:longTermAuthenticationRequestTokenUsed"
            assert f"<{name}>true</{name}>" in told
        else:
            assert told == "yes\nada\n"


# Failures: what was asked cannot be understood. The ticket stays as it is.


@every_wire
@pytest.mark.parametrize(
    "spoil",
    [
        lambda asked: {"ticket": asked["ticket"]},
        lambda asked: {"service": asked["service"]},
        lambda asked: {**asked, "service": ""},
        lambda asked: {**asked, "service": " "},
        lambda asked: {**asked, "ticket": ""},
        lambda asked: {**asked, "ticket": " "},
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
    for doubled in ([*asked.items(), (name, asked[name] + "x")], [(name, asked[name] + "x"), *asked.items()]):
        assert_refused(wire, wire.ask(open_site, doubled), "INVALID_REQUEST")
    asked.pop("pgtUrl")
    assert wire.accepts(wire.ask(open_site, asked))


@every_cas_wire
def test_the_same_value_twice_is_no_contradiction(open_site: Site, wire: Wire) -> None:
    asked = fresh(open_site)
    assert wire.accepts(wire.ask(open_site, [*asked.items(), *asked.items()]))


@every_wire
@pytest.mark.parametrize("spoiled", ["%0D%0A", "%00", "%FF"])
def test_what_is_no_text_leaves_the_ticket_alone(open_site: Site, wire: Wire, spoiled: str) -> None:
    asked = fresh(open_site)
    assert_refused(wire, wire.ask(open_site, asked, f"&service={spoiled}"), "INVALID_REQUEST")
    assert_refused(wire, wire.ask(open_site, asked, f"&pgtUrl={spoiled}"), "INVALID_REQUEST")
    assert wire.accepts(wire.ask(open_site, asked))


@proxying_wires
def test_an_unknown_format_is_refused_in_xml_and_leaves_the_ticket_alone(open_site: Site, wire: Wire) -> None:
    asked = fresh(open_site)
    plain = Wire(wire.path)
    for unknown in ("YAML", "JSONP", "XML,JSON"):
        assert_refused(plain, plain.ask(open_site, {**asked, "format": unknown}), "INVALID_REQUEST")
    assert wire.accepts(wire.ask(open_site, asked))


@every_wire
@pytest.mark.parametrize(
    "ticket",
    ["ST-1", "TGT-1", "x", "ST-1\nyes\nmallory\n\n", "ST-1\r\nyes\r\nmallory\r\n\r\n", "<b>&\"'", "ST-" + "A" * 9000],
)
def test_what_cannot_be_a_ticket_is_refused_and_not_repeated(open_site: Site, wire: Wire, ticket: str) -> None:
    answer = wire.ask(open_site, {"service": LIBRARY, "ticket": ticket})
    assert_refused(wire, answer, "INVALID_TICKET")
    assert b"\nyes" not in answer.body


# How it is asked


@every_cas_wire
def test_a_form_body_is_as_good_as_a_query(open_site: Site, wire: Wire) -> None:
    body = urlencode({**fresh(open_site), "format": wire.format}).encode()
    for kind in (FORM, "Application/X-WWW-Form-Urlencoded ; charset=UTF-8"):
        answer = call(open_site, "POST", f"/cas{wire.path}", body=body, kind=kind)
        assert answer.status == 200
        assert answer.header("Content-Type") == wire.media_type
    assert answer.body.decode() == wire.failure("INVALID_TICKET")


@every_cas_wire
def test_a_body_that_contradicts_the_query_is_refused(open_site: Site, wire: Wire) -> None:
    asked = from_session(open_site)
    for name, value in (("ticket", "ST-x"), ("service", f"{LIBRARY}x"), ("pgtUrl", "https://b.example.edu/")):
        body = urlencode({**asked, name: value}).encode()
        posted = {"pgtUrl": "https://a.example.edu/", **asked}
        assert_refused(wire, wire.ask(open_site, posted, method="POST", body=body, kind=FORM), "INVALID_REQUEST")
    assert wire.accepts(wire.ask(open_site, asked, method="POST", body=urlencode(asked).encode(), kind=FORM))


@proxying_wires
def test_of_two_formats_that_of_the_query_counts(open_site: Site, wire: Wire) -> None:
    other = b"format=XML" if wire.format else b"format=JSON"
    asked = {**fresh(open_site), "format": wire.format or "XML"}
    answer = Wire(wire.path).ask(open_site, asked, method="POST", body=other, kind=FORM)
    assert (answer.header("Content-Type"), wire.accepts(answer)) == (wire.media_type, True)


@every_cas_wire
def test_renew_is_set_wherever_it_is_set(open_site: Site, wire: Wire) -> None:
    for first, second in (("0", b"renew=1"), ("1", b"renew=0")):
        asked = {**from_session(open_site), "renew": first}
        answer = wire.ask(open_site, asked, method="POST", body=second, kind=FORM)
        assert_refused(wire, answer, "INVALID_TICKET", NOT_NEW)


@every_wire
def test_guesses_and_questions_use_nothing_up(open_site: Site, wire: Wire) -> None:
    asked = fresh(open_site)
    assert wire.ask(open_site, asked, HTTP_SEC_PURPOSE="prefetch;prerender").status == 204
    assert wire.ask(open_site, asked, HTTP_PURPOSE="prefetch").status == 204
    head = wire.ask(open_site, asked, method="HEAD")
    assert head.status == (405 if wire is SAML else 200)
    assert wire is SAML or head.body == b""
    for method in ("OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "get", *(["GET"] if wire is SAML else [])):
        answer = wire.ask(open_site, asked, method=method)
        assert (answer.status, answer.header("Allow")) == (405, wire.methods)
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
        "/p3/samlValidate",
        "/servicevalidate",
        "/serviceValidate/",
        "/p3//serviceValidate",
        "/proxyvalidate",
        "/samlvalidate",
        "/p3/proxy",
        "/proxy/",
    ],
)
def test_other_paths_validate_nothing(open_site: Site, path: str) -> None:
    asked = fresh(open_site)
    assert call(open_site, path=f"/cas{path}", query=urlencode(asked)).status == 404
    assert CAS_WIRES[0].accepts(CAS_WIRES[0].ask(open_site, asked))


@every_wire
def test_every_refusal_is_told_in_the_log_with_its_reason_and_no_ticket(open_site: Site, wire: Wire) -> None:
    asked = {**fresh(open_site), "service": "https://archive.example.edu/"}
    wire.ask(open_site, asked)
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
            if path == "samlValidate":
                asked = {"TARGET": service}
                headers = {"Content-Type": SAML_TYPE}
                return application.post(
                    served.url + path, envelope(ticket), params=asked, headers=headers, timeout=20
                ).content
            asked = {"service": service, "ticket": ticket}
            return application.get(served.url + path, params=asked, timeout=20).content

    paths = ["validate", "serviceValidate", "p3/serviceValidate", "proxyValidate", "p3/proxyValidate", "samlValidate"]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(validate, [paths[number % 6] for number in range(50)]))
    won = [
        answer
        for answer in answers
        if answer.startswith(b"yes\nada\n") or b"<cas:user>ada</cas:user>" in answer or b">ada</saml:Name" in answer
    ]
    lost = [
        answer
        for answer in answers
        if answer == b"no\n\n" or b'code="INVALID_TICKET"' in answer or b"RequestDenied" in answer
    ]
    assert (len(won), len(lost)) == (1, 49)
