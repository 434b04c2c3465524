"""Methods, paths and bodies that no decent client sends: every endpoint answers in its own language."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from casduo.compose import compose
from casduo.routes import ROUTES
from casduo.settings import load_settings
from tests.support.raw import FORM, call
from tests.support.site import BASE, LIBRARY, ORIGIN, Recorder, SetClock, Site, ticket_of, words, write_site
from tests.web.endpoints import ENDPOINTS, FORMS, LINKS, MACHINES, SAML, unreadable


def test_every_address_of_a_person_and_of_an_application_is_in_these_tests() -> None:
    assert {path for path, route in ROUTES.items() if route.audience != "probe"} == set(ENDPOINTS)


# Methods and paths


@pytest.mark.parametrize(
    "method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "G\u00c4T", ""]
)
@pytest.mark.parametrize("path", [*ENDPOINTS, "/healthz", "/readyz"])
def test_other_methods_are_405_and_say_which_are_not(open_site: Site, method: str, path: str) -> None:
    answer = call(open_site, method, f"/cas{path}", "service=x", b"password=x", FORM)
    assert answer.status == 405
    allowed = "POST" if path in (SAML, *FORMS) else "HEAD, GET" if path in LINKS else "HEAD, GET, POST"
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
