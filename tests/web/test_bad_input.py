"""What no decent client sends: every endpoint answers it, in its own language, and gives nothing away."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from casduo.compose import compose
from casduo.routes import ROUTES
from casduo.settings import load_settings
from tests.support.raw import FORM, Answer, call
from tests.support.site import (
    BASE,
    LIBRARY,
    ORIGIN,
    PASSWORDS,
    Recorder,
    SetClock,
    Site,
    has_ticket,
    query,
    ticket_of,
    words,
    write_site,
)
from tests.support.wires import PROXY_WIRES, WIRES

PAGES = ["/login", "/logout", "/logout/told", "/duo/callback"]
SAML = "/samlValidate"
MACHINES = [
    *("/validate", "/serviceValidate", "/proxyValidate", "/p3/serviceValidate", "/p3/proxyValidate"),
    *("/proxy", SAML),
]
ENDPOINTS = PAGES + MACHINES
LINKS = ["/logout/told", "/duo/callback", "/healthz", "/readyz"]
TICKET = re.compile(r"\b(?:ST|PT|TGT|PGT)-[A-Za-z0-9]{4}-[A-Za-z0-9]{20,}")


def asking(path: str) -> str:
    """The method by which an address is asked."""
    return "POST" if path == SAML else "GET"


def unreadable(answer: Answer) -> bool:
    """Whether an application is told that its request cannot be read."""
    return answer.body == b"no\n\n" or b"INVALID_REQUEST" in answer.body or b'"samlp:Requester"' in answer.body


def reference_on(answer: Answer) -> str:
    """The reference that a page shows, empty for none."""
    found = re.search(rb'class="reference">([0-9A-Z-]+)<', answer.body)
    return found[1].decode() if found else ""


def test_every_address_of_a_person_and_of_an_application_is_in_these_tests() -> None:
    assert {path for path, route in ROUTES.items() if route.audience != "probe"} == set(ENDPOINTS)


# Services


BAD_SERVICES = [
    ("https://unregistered.example.com/", 403),
    ("https://library.example.edu.evil.com/", 403),
    ("https://evil.example.com/library.example.edu/", 403),
    ("https://evil.example.com/?https://library.example.edu/", 403),
    ("https://library.example.edu:8443/", 403),
    ("http://library.example.edu/", 403),
    ("https://xn--80ak6aa92e.example.edu/", 403),
    ("https://ada@library.example.edu/", 400),
    ("https://library.example.edu@evil.example.com/", 400),
    ("https://library.example.edu:443@evil.example.com/", 400),
    ("https://a@b@library.example.edu/", 400),
    ("https://evil.example.com\\.library.example.edu/", 400),
    ("https://evil.example.com\\@library.example.edu/", 400),
    ("https:\\\\library.example.edu/", 400),
    ("https:library.example.edu", 400),
    ("https:/library.example.edu", 400),
    ("https:///library.example.edu/", 400),
    ("//library.example.edu/", 400),
    ("/\\library.example.edu", 400),
    ("library.example.edu", 400),
    ("javascript:alert(1)//https://library.example.edu/", 400),
    ("javascript://library.example.edu/%0aalert(1)", 400),
    ("data:text/html,x", 400),
    ("https://library.example.edu%2f@evil.example.com/", 400),
    ("https://library%2eexample.edu/", 400),
    ("https://library.example.edu./", 400),
    ("https://0x7f.1/", 400),
    ("https://[::1%25lo]/", 400),
    ("https://library.example.edu:0/", 400),
    ("https://library.example.edu:65536/", 400),
    ("https://library.example.edu/..;/x", 400),
    ("https://library.example.edu/%2e%2e/x", 400),
    ("https://library.example.edu/" + "a" * 8200, 400),
    ("https://ex\u2100mple.edu/", 400),
    ("\u202ehttps://library.example.edu/", 400),
    (" https://library.example.edu/", 400),
]


@pytest.mark.parametrize(("service", "status"), BAD_SERVICES)
@pytest.mark.parametrize("parameter", ["service", "TARGET"])
def test_a_bad_service_is_a_page_and_never_a_way_out(
    open_site: Site, service: str, status: int, parameter: str
) -> None:
    browser = open_site.browser()
    browser.sign_in("ada", "")
    for extra in ({}, {"gateway": "true"}, {"renew": "true"}, {"method": "POST"}, {"method": "HEADER"}):
        answer = browser.get("/login" + query(**{parameter: service}, **extra))
        assert answer.status_int == status
        assert "Location" not in answer.headers
        assert "service" not in answer.headers
        assert not answer.forms
        links = [link.get("href") for link in answer.html.find_all("a")]
        assert all(link.startswith(("/cas/", "#")) for link in links)
        assert not TICKET.search(answer.text)


@pytest.mark.parametrize(("service", "status"), BAD_SERVICES)
def test_a_bad_service_at_the_other_endpoints(open_site: Site, service: str, status: int) -> None:
    browser = open_site.browser()
    browser.sign_in("ada", "")
    assert "Location" not in browser.get("/logout" + query(service=service)).headers
    for wire in (*WIRES, *PROXY_WIRES):
        ticket = "PGT-abcd-" + "A" * 43 if wire in PROXY_WIRES else "ST-abcd-" + "A" * 24
        told = wire.ask(open_site, {"service": service, "ticket": ticket})
        assert told.status == 200
        assert b"yes" not in told.body
        assert not wire.accepts(told)
        assert service.encode() not in told.body


@pytest.mark.parametrize("control", ["\x00", "\t", "\n", "\r\n", "\x1b", "\x7f"])
@pytest.mark.parametrize("path", ["/login", "/logout"])
@pytest.mark.parametrize("parameter", ["service", "TARGET", "pgtUrl", "targetService"])
def test_control_characters_are_refused_everywhere(open_site: Site, control: str, path: str, parameter: str) -> None:
    asked = urlencode({parameter: f"https://library.example.edu/{control}Set-Cookie: x=1"})
    for answer in (
        call(open_site, "GET", f"/cas{path}", asked),
        call(open_site, "POST", f"/cas{path}", "", asked.encode(), FORM),
    ):
        assert answer.status == 400
        assert all("Set-Cookie: x" not in value for _, value in answer.headers)


def test_a_registered_service_never_adds_a_header(open_site: Site) -> None:
    service = "https://library.example.edu/%0d%0aSet-Cookie:%20x=1?a=%0d%0a"
    location = open_site.browser().sign_in("ada", service).headers["Location"]
    assert location.startswith(service + "&ticket=ST-")
    assert "\r" not in location
    assert "\n" not in location


def test_markup_in_a_service_is_text(open_site: Site) -> None:
    service = "https://library.example.edu/\"><script>alert(1)</script>'"
    page = open_site.browser().login_page(service)
    assert "<script>alert" not in page.text
    assert page.forms["login"]["service"].value == service
    named = open_site.browser().fill(open_site.browser().login_page(), "<script>alert(1)</script>", "x")
    assert "<script>alert" not in named.text


# Parameters


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("service=a&service=b", 400),
        ("state=a&state=b", 400),
        ("service=%ff", 400),
        ("%ff=1", 400),
        ("x=\xff", 400),
        ("&".join(["a=1"] * 101), 400),
        ("service=" + "a" * 70_000, 413),
        ("x=" + "%41" * 30_000, 413),
    ],
)
def test_what_cannot_be_read_is_told_on_a_page(open_site: Site, path: str, asked: str, status: int) -> None:
    answer = call(open_site, path=f"/cas{path}", query=asked)
    assert answer.status == status
    assert answer.header("Content-Type") == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "asked", ["service=%zz%", "=", "&&&", "=&=&=", "service", "%", "a=%00", "service=;", "x=" + "a" * 60_000]
)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_strange_but_readable_is_answered(open_site: Site, path: str, asked: str) -> None:
    assert call(open_site, asking(path), f"/cas{path}", asked).status in (200, 302, 400)


def test_what_was_encoded_twice_is_decoded_once(open_site: Site) -> None:
    twice = quote(quote(LIBRARY, safe=""), safe="")
    assert call(open_site, query=f"service={twice}").status == 400
    inside = "https://library.example.edu/?next=" + quote(quote("https://evil.example.com/", safe=""), safe="")
    answer = open_site.browser().sign_in("ada", inside)
    assert answer.headers["Location"].startswith(inside + "&ticket=")


def test_a_service_in_raw_utf8_is_the_same_as_an_encoded_one(open_site: Site) -> None:
    browser = open_site.browser()
    browser.sign_in("ada", "")
    raw = "https://library.example.edu/b\u00fccher"
    cookie = f"TGC-casduo={browser.session}"
    answer = call(open_site, query="service=" + raw.encode().decode("latin-1"), HTTP_COOKIE=cookie)
    assert answer.header("Location").startswith("https://library.example.edu/b%C3%BCcher?ticket=ST-")
    ticket = answer.header("Location").rpartition("=")[2]
    assert "authenticationSuccess" in open_site.validate(ticket, raw).text


# Methods and paths


@pytest.mark.parametrize(
    "method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "G\u00c4T", ""]
)
@pytest.mark.parametrize("path", [*ENDPOINTS, "/healthz", "/readyz"])
def test_other_methods_are_405_and_say_which_are_not(open_site: Site, method: str, path: str) -> None:
    answer = call(open_site, method, f"/cas{path}", "service=x", b"password=x", FORM)
    assert answer.status == 405
    allowed = "POST" if path == SAML else "HEAD, GET" if path in LINKS else "HEAD, GET, POST"
    assert answer.header("Allow") == allowed


@pytest.mark.parametrize("path", LINKS)
def test_a_post_where_only_links_lead_is_405(open_site: Site, path: str) -> None:
    assert call(open_site, "POST", f"/cas{path}", "state=x").status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/cas/../login",
        "/cas/./login",
        "/cas//login",
        "//cas/login",
        "//evil.example.com/cas/login",
        "/cas/login/",
        "/cas/login/../login",
        "/cas/Login",
        "/CAS/login",
        "/cas/login\x00",
        "/cas/login;jsessionid=1",
        "/cas/login.html",
        "/cas/\xff\xfe",
        "/cas/" + "a" * 10_000,
        "/casx/login",
        "/login",
        "",
        "/cas/static/../../casduo.yaml",
        "/cas/static/..\\..\\casduo.yaml",
        "/cas/static//etc/passwd",
        "/cas/static/",
        "/cas/static",
        "/cas/static/casduo.css/",
        "/cas/v1/tickets",
        "/cas/proxy/",
        "/cas/p3/samlValidate",
        "/.well-known/change-password",
        "/favicon.ico",
    ],
)  # fmt: skip
def test_other_paths_are_404_and_nowhere_else(open_site: Site, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = call(open_site, method, path, "service=https://evil.example.com/")
        assert answer.status == 404
        assert not answer.header("Location")
        assert b"evil" not in answer.body
        assert b"passwd" not in answer.body


@pytest.mark.parametrize("path", ["/", "/cas", "/cas/"])
def test_the_front_door_leads_to_the_form_and_only_there(open_site: Site, path: str) -> None:
    answer = call(open_site, path=path, query="service=https://evil.example.com/", HTTP_HOST="evil.example.com")
    assert (answer.status, answer.header("Location")) == (302, "/cas/login")


def test_a_server_at_the_root_of_its_host_has_the_same_addresses(tmp_path: Path, valkey_url: str) -> None:
    registry = "services: [{id: library, name: L, url: 'https://library.example.edu/**'}]"
    path = write_site(tmp_path, valkey_url, registry, "login: {change_password_url: 'https://id.example.edu/'}\n")
    path.write_text(path.read_text().replace(f"url: {BASE}", f"url: {ORIGIN}"))
    composed = compose(load_settings(path, {}), watch=False)
    site = Site(composed, SetClock(0.0), Recorder())
    try:
        assert call(site, path="/login").status == 200
        assert call(site, path="/").header("Location") == "/login"
        assert call(site, path="/.well-known/change-password").header("Location") == "https://id.example.edu/"
        assert call(site, path="/cas/login").status == 404
        assert "Path=/;" in call(site, path="/logout").header("Set-Cookie") + ";"
    finally:
        composed.close()


@pytest.mark.parametrize("host", ["evil.example.com", "", "a b", "\xff"])
def test_no_answer_depends_on_the_host_that_a_request_names(open_site: Site, host: str) -> None:
    answer = call(open_site, HTTP_HOST=host, HTTP_X_FORWARDED_HOST="evil.example.com", SERVER_NAME="evil.example.com")
    assert answer.status == 200
    assert b"evil" not in answer.body


# Bodies


@pytest.mark.parametrize(
    "kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", "", "form", "\xff"]
)
@pytest.mark.parametrize("path", ["/login", "/logout", *MACHINES])
def test_a_body_that_is_no_form_is_not_read(open_site: Site, kind: str, path: str) -> None:
    body = urlencode({"service": LIBRARY, "ticket": "ST-abcd-" + "A" * 24}).encode()
    answer = call(open_site, "POST", f"/cas{path}", "", body, kind)
    assert answer.status == (200 if path in MACHINES else 400)
    if path in MACHINES:
        assert unreadable(answer)


@pytest.mark.parametrize(
    "length", ["-1", "+5", "1_0", " 5", "5 ", "0x5", "abc", "\u0661", "\u00b2", "5,5", "1e3", "9" * 5000]
)
@pytest.mark.parametrize("path", ["/login", *MACHINES])
def test_a_length_that_is_none_is_refused(open_site: Site, length: str, path: str) -> None:
    answer = call(
        open_site, "POST", f"/cas{path}", "", b"service=https://library.example.edu/", FORM, CONTENT_LENGTH=length
    )
    assert answer.status == (200 if path in MACHINES else 413 if length.startswith("9") else 400)
    if path in MACHINES:
        assert unreadable(answer)


def test_a_body_that_was_cut_off_is_not_taken_for_a_shorter_one(open_site: Site) -> None:
    browser = open_site.browser()
    ticket = ticket_of(browser.sign_in("ada", LIBRARY))
    body = urlencode({"ticket": ticket, "service": LIBRARY}).encode()
    answer = call(open_site, "POST", "/cas/serviceValidate", "", body, FORM, CONTENT_LENGTH=str(len(body) + 9))
    assert b"INVALID_REQUEST" in answer.body
    assert "authenticationSuccess" in open_site.validate(ticket).text


def test_more_than_the_length_says_is_not_read(open_site: Site) -> None:
    body = b"service=https://library.example.edu/&gateway=true"
    answer = call(open_site, "POST", "/cas/login", "", body, FORM, CONTENT_LENGTH=str(body.index(b"&")))
    assert answer.status == 200


def test_a_body_of_unknown_length_is_refused(open_site: Site) -> None:
    for path in MACHINES:
        answer = call(open_site, "POST", f"/cas{path}", kind=FORM, HTTP_TRANSFER_ENCODING="chunked")
        assert unreadable(answer)
    assert call(open_site, "POST", kind=FORM, HTTP_TRANSFER_ENCODING="chunked").status == 400


class Unread(io.RawIOBase):
    """A body that nobody may read."""

    def readinto(self, buffer: object) -> int:
        raise AssertionError("the body was read")


@pytest.mark.parametrize("size", [65_537, 1_000_000, 10_000_000, 2**40])
def test_a_body_too_large_is_refused_unread(open_site: Site, size: int) -> None:
    announced: dict[str, Any] = {"CONTENT_LENGTH": str(size), "wsgi.input": Unread()}
    assert call(open_site, "POST", kind=FORM, **announced).status == 413
    for path in MACHINES:
        answer = call(open_site, "POST", f"/cas{path}", kind="text/xml" if path == SAML else FORM, **announced)
        assert answer.status == 200
        assert unreadable(answer)


def test_a_very_long_name_and_password_are_a_failed_login(open_site: Site) -> None:
    browser = open_site.browser()
    for name, password in (("a" * 30_000, "x"), ("ada", "x" * 30_000), ("a\x00da", "x"), ("ada", "\x00"), ("\n", "\n")):
        page = browser.login_page()
        answer = browser.fill(page, name, password)
        assert answer.status_int == 401
        assert answer.forms["login"]["password"].value == ""


def test_an_empty_form_asks_for_both(open_site: Site) -> None:
    browser = open_site.browser()
    answer = browser.fill(browser.login_page(), "", "")
    assert answer.status_int == 401
    assert "Enter your user name and your password." in words(answer)
    assert answer.forms["login"]["service"].value == LIBRARY


# Cookies


@pytest.mark.parametrize(
    "cookie",
    [
        "TGC-casduo",
        "TGC-casduo=",
        "TGC-casduo=;;;",
        "=;=",
        "TGC-casduo=x",
        'TGC-casduo="x',
        "TGC-casduo=TGT-abcd-" + "A" * 43,
        "TGC-casduo=ST-abcd-" + "A" * 24,
        "TGC-casduo=" + "A" * 100_000,
        "TGC-casduo=\xff\xfe; casduo-flow=\xe2\x82",
        "TGC-casduo=\u00e9; casduo-flow=%ff%00",
        "casduo-flow=" + "A" * 10_000,
        "casduo-flow=\x00\x01",
        "a=\xff\xff\xff",
        "; ".join(f"c{number}=1" for number in range(2000)),
    ],
)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_broken_cookie_keeps_nobody_out_and_lets_nobody_in(open_site: Site, cookie: str, path: str) -> None:
    service = "service=" + quote(LIBRARY, safe="")
    answer = call(open_site, asking(path), f"/cas{path}", service, HTTP_COOKIE=cookie)
    assert answer.status == {"/logout": 302, "/logout/told": 302, "/duo/callback": 400}.get(path, 200)
    assert not TICKET.search(answer.body.decode() + answer.header("Location"))


def test_a_broken_cookie_beside_ours_does_not_hide_it(open_site: Site) -> None:
    browser = open_site.browser()
    browser.sign_in("ada", "")
    cookie = f"theme=\xfc; TGC-casduo={browser.session}; x=\xff"
    answer = call(open_site, query="service=" + quote(LIBRARY, safe=""), HTTP_COOKIE=cookie)
    assert "ticket=ST-" in answer.header("Location")


def test_of_two_session_cookies_one_is_looked_at_and_nothing_is_mixed(open_site: Site) -> None:
    browser = open_site.browser()
    browser.sign_in("ada", "")
    cookie = f"TGC-casduo=TGT-abcd-{'A' * 43}; TGC-casduo={browser.session}"
    answer = call(open_site, query="service=" + quote(LIBRARY, safe=""), HTTP_COOKIE=cookie)
    assert answer.status in (200, 302)


# Keys of forms


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key[:-1],
        lambda key: key + "A",
        lambda key: key[:10] + ("A" if key[10] != "A" else "B") + key[11:],
        lambda key: key.swapcase(),
        lambda key: "s." + key,
        lambda key: key.replace("s.", "r.", 1),
        lambda key: key[2:],
        lambda key: key + "\x00",
        lambda key: key * 5,
        lambda key: "s..",
        lambda key: "r.abcd." + "A" * 26 + ".1",
        lambda key: "r.abcd." + "A" * 26 + ".99999999999999999999",
        lambda key: "r.\u0661bcd.A.\u0661",
        lambda key: "\u00fc",
    ],
)
def test_a_spoiled_key_gives_a_fresh_form_that_works(open_site: Site, spoil: Callable[[str], str]) -> None:
    browser = open_site.browser()
    page = browser.login_page()
    page.forms["login"]["execution"].force_value(spoil(page.forms["login"]["execution"].value))
    again = browser.fill(page, "ada")
    assert again.status_int == 200
    assert not browser.session
    assert again.forms["login"]["service"].value == LIBRARY
    assert has_ticket(browser.fill(again, "ada"))


def test_a_token_of_the_sign_out_is_no_key(open_site: Site) -> None:
    browser = open_site.browser()
    browser.login_page()
    flow = str(browser.app.cookies["casduo-flow"]).strip('"')
    token = open_site.composed.parts.csrf.make(flow, open_site.clock())
    answer = browser.post("/login", {"execution": "s." + token, "username": "ada", "password": PASSWORDS["ada"]})
    assert answer.status_int == 200
    assert not browser.session


def test_the_key_of_the_form_is_no_state_of_duo(open_site: Site) -> None:
    browser = open_site.browser()
    key = browser.login_page().forms["login"]["execution"].value
    answer = browser.get("/duo/callback" + query(state=key, duo_code="x"))
    assert answer.status_int == 400
    assert not browser.session


# What is refused can be found in the log


@pytest.mark.parametrize(
    ("method", "path", "asked", "more"),
    [
        ("GET", "/login", "service=https://unregistered.example.com/", {}),
        ("GET", "/login", "service=https://closed.example.edu/", {}),
        ("GET", "/login", "service=nonsense", {}),
        ("GET", "/login", "service=a&service=b", {}),
        ("GET", "/login", "service=" + "a" * 70_000, {}),
        ("POST", "/login", "", {"HTTP_ORIGIN": "https://evil.example.com"}),
        ("POST", "/login", "execution=s.x", {}),
        ("POST", "/logout", "", {"HTTP_SEC_FETCH_SITE": "cross-site"}),
        ("GET", "/duo/callback", "state=x", {}),
        ("GET", "/duo/callback", "state=x", {"HTTP_COOKIE": "casduo-flow=x"}),
        ("GET", "/nothing", "", {}),
        ("DELETE", "/login", "", {}),
    ],
)
def test_the_reference_on_a_page_is_in_the_log(
    open_site: Site, method: str, path: str, asked: str, more: dict[str, str]
) -> None:
    before = len(open_site.journal.events)
    answer = call(open_site, method, f"/cas{path}", asked, **more)
    assert 400 <= answer.status < 500
    reference = reference_on(answer)
    assert reference
    logged = [event for event in open_site.journal.events[before:] if event.reference == reference]
    assert len(logged) == 1
    assert logged[0].about.address == "192.0.2.7"
    # Whatever somebody outside sends, it is no fault of ours.
    assert logged[0].level != "error"


@pytest.mark.parametrize("path", MACHINES)
@pytest.mark.parametrize(
    "asked", ["", "service=a&service=b", "service=x&ticket=y", f"service={quote(LIBRARY)}&ticket=ST-1"]
)
def test_each_refused_validation_is_one_line_in_the_log(open_site: Site, path: str, asked: str) -> None:
    before = len(open_site.journal.events)
    call(open_site, asking(path), f"/cas{path}", asked)
    (event,) = open_site.journal.events[before:]
    assert (event.name, event.level) == ("ticket.refused", "warning")
    assert event.reference
