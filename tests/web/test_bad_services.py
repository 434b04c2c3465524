"""Services and parameters that no decent client sends: an answer, and never a way out."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest

from tests.support.raw import FORM, call
from tests.support.site import LIBRARY, Site, query
from tests.support.wires import PROXY_WIRES, WIRES
from tests.web.endpoints import ENDPOINTS, PAGES, TICKET, asking

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
        assert answer.html.find("form", class_=False) is None
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
    assert call(open_site, asking(path), f"/cas{path}", asked).status in (200, 302, 303, 400)


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
