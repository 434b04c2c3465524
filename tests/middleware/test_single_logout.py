"""The CAS server ends sessions by the back channel."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import Client

APP = "https://app.example.edu"
FORM = "application/x-www-form-urlencoded"


def send(browser: Any, body: str | bytes, path: str = "/", **options: Any) -> Any:
    """As a CAS server does: no cookies, no browser's headers."""
    client = Client(browser.client.application, use_cookies=False)
    return client.post(path, base_url="http://10.1.2.3:8080", data=body, content_type=FORM, **options)


@pytest.fixture(params=["cookie", "cookie and redis", "memory", "redis"])
def browser(request: pytest.FixtureRequest, browse: Any, redis_url: str) -> Any:
    options = {
        "cookie": {},
        "cookie and redis": {"revocations": redis_url},
        "memory": {"session": "memory"},
        "redis": {"session": redis_url},
    }[request.param]
    browser = browse(**options)
    browser.visit("/")
    return browser


def test_the_session_of_the_ticket_ends(browser: Any, cas: Any, logout_request: Any) -> None:
    assert browser.request("/").status_code == 200
    answer = send(browser, logout_request(cas.issued[-1]))
    assert answer.status_code == 200
    assert answer.data == b""
    assert browser.request("/").status_code == 302
    assert browser.visit("/").json["user"] == "ada"


def test_any_path_takes_the_message(browser: Any, cas: Any, logout_request: Any) -> None:
    assert send(browser, logout_request(cas.issued[-1]), "/loans/1").status_code == 200
    assert browser.request("/").status_code == 302


def test_other_sessions_live_on(browser: Any, logout_request: Any) -> None:
    assert send(browser, logout_request("ST-somebody-elses")).status_code == 200
    assert browser.request("/").status_code == 200


def test_a_message_that_overtakes_the_sign_in_still_counts(browser: Any, cas: Any, logout_request: Any) -> None:
    browser.client._cookies.clear()
    browser.request("/")
    ticket = cas.issue(f"{APP}/")
    send(browser, logout_request(ticket))
    browser.request(f"/?ticket={ticket}")
    assert browser.request("/").status_code == 302


def test_no_ticket_stands_in_the_log(browser: Any, cas: Any, logout_request: Any, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    send(browser, logout_request(cas.issued[-1]))
    assert "single logout" in caplog.text
    assert cas.issued[-1] not in caplog.text


class TestWhatIsNotAMessage:
    @pytest.mark.parametrize(
        "body", ["title=a&logoutRequest=%3Cx%2F%3E", "logoutRequest=please", "a=%ff", "logoutRequestX=1", "x" * 70_000]
    )
    def test_the_application_gets_its_body_whole(self, browse: Any, body: str) -> None:
        browser = browse()
        browser.visit("/")
        assert browser.request("/save", "POST", data=body, content_type=FORM).json["body"] == body

    def test_other_media_types_are_not_looked_at(self, browse: Any, logout_request: Any) -> None:
        browser = browse()
        browser.visit("/")
        body = logout_request("ST-1")
        assert browser.request("/", "POST", data=body, content_type="text/plain").json["body"] == body

    def test_other_methods_are_not_looked_at(self, browse: Any, logout_request: Any) -> None:
        browser = browse()
        browser.visit("/")
        assert browser.request("/", "PUT", data=logout_request("ST-1"), content_type=FORM).json["method"] == "PUT"

    @pytest.mark.parametrize("length", ["", "0", "not a number", "-5"])
    def test_a_body_without_a_length_is_left_unread(self, protect: Any, logout_request: Any, length: str) -> None:
        def app(environ: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [environ["wsgi.input"].read()]

        overrides = {"CONTENT_LENGTH": length, "wsgi.input": BytesIO(logout_request("ST-1").encode())}
        client = Client(protect(app, protected_paths=[]))
        answer = client.post("/", base_url=APP, content_type=FORM, environ_overrides=overrides)
        assert answer.text == logout_request("ST-1")


BOMB = (
    '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">'
    "<samlp:SessionIndex>&b;</samlp:SessionIndex></samlp:LogoutRequest>"
)


class TestMalformedMessages:
    @pytest.mark.parametrize("message", [BOMB, "<a", "<a>" * 5000, "<LogoutRequest/>"])
    def test_they_are_refused_and_harm_nobody(self, browse: Any, message: str, caplog: Any) -> None:
        browser = browse()
        browser.visit("/")
        assert send(browser, f"logoutRequest={quote(message, safe='')}").status_code == 400
        assert browser.request("/").status_code == 200
        assert "single logout refused" in caplog.text

    def test_text_that_is_not_utf8_is_refused(self, browse: Any) -> None:
        assert send(browse(), b"logoutRequest=%3C%ff").status_code == 400


class TestWhoMaySend:
    @pytest.mark.parametrize(("sender", "status"), [("10.1.2.3", 200), ("10.2.2.3", 403), ("::1", 200), ("x", 403)])
    def test_only_the_named_networks(
        self, browse: Any, cas: Any, logout_request: Any, sender: str, status: int
    ) -> None:
        browser = browse(single_logout_from=["10.1.0.0/16", "::1"])
        browser.visit("/")
        body = logout_request(cas.issued[-1])
        answer = send(browser, body, environ_overrides={"REMOTE_ADDR": sender})
        assert answer.status_code == status
        assert browser.request("/").status_code == (302 if status == 200 else 200)

    def test_only_the_named_path(self, browse: Any, cas: Any, logout_request: Any) -> None:
        browser = browse(single_logout_path="/cas/logout")
        browser.visit("/")
        assert send(browser, logout_request(cas.issued[-1])).status_code == 401
        assert browser.request("/").status_code == 200
        assert send(browser, logout_request(cas.issued[-1]), "/cas/logout").status_code == 200
        assert browser.request("/").status_code == 302


def test_the_store_away_is_told_to_the_server(browse: Any, logout_request: Any) -> None:
    browser = browse(session="redis://127.0.0.1:1/0", redis_timeout=0.2)
    assert send(browser, logout_request("ST-1")).status_code == 503
