"""What the application is told, and that nobody else can tell it."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client, create_environ

from casduo.middleware import SessionInfo

APP = "https://app.example.edu"


def test_forged_headers_are_removed_everywhere(protect: Any) -> None:
    app = protect(public_paths=["/"], header_prefix="HTTP_X_SSO_")
    forged = {
        "Remote-User": "root",
        "Cas-User": "root",
        "Cas_User": "root",
        "CAS-Mail": "root@example.edu",
        "X-Sso-User": "root",
        "Auth-Type": "CAS",
        "X-Other": "stays",
    }
    overrides = {"REMOTE_USER": "root", "AUTH_TYPE": "Basic", "casduo.user": "root", "casduo.proxy": "root"}
    told = Client(app).get("/", base_url=APP, headers=forged, environ_overrides=overrides).json
    assert told["remote_user"] is told["auth_type"] is told["user"] is None
    assert not [name for name in told["headers"] if "CAS" in name or "SSO" in name or name == "HTTP_REMOTE_USER"]
    assert told["headers"]["HTTP_X_OTHER"] == "stays"


def test_headers_are_given_on_request(browse: Any, cas: Any) -> None:
    cas.attributes = {"mail": ["ada@example.edu"], "memberOf": ["a", "b"], "user": ["eve"], "x-y": ["1"], "x_y": ["2"]}
    headers = browse(header_prefix="HTTP_CAS_").visit("/").json["headers"]
    assert headers["HTTP_CAS_USER"] == "ada"
    assert headers["HTTP_CAS_MAIL"] == "ada@example.edu"
    assert headers["HTTP_CAS_MEMBEROF"] == "a;b"
    assert headers["HTTP_CAS_X_Y"] == "1"


def test_headers_are_not_given_otherwise(browse: Any) -> None:
    assert not [name for name in browse().visit("/").json["headers"] if name.startswith("HTTP_CAS")]


def test_no_attribute_can_bring_a_line_break_into_a_header(browse: Any, cas: Any) -> None:
    cas.attributes = {"cn": ["a\r\nRemote-User: root"]}
    assert browse(header_prefix="HTTP_CAS_").visit("/").json["headers"]["HTTP_CAS_CN"] == "a Remote-User: root"


def test_names_beyond_latin_1_follow_the_wsgi_convention(browse: Any, cas: Any) -> None:
    cas.user = "łukasz"
    told = browse().visit("/").json
    assert told["user"] == "łukasz"
    assert told["remote_user"].encode("latin-1").decode() == "łukasz"


@pytest.mark.parametrize("attribute", ["a\nb", "\x1b[2J"])
def test_a_user_name_with_control_characters_is_no_user_name(browse: Any, cas: Any, attribute: str) -> None:
    cas.attributes = {"login": [attribute.replace("\x1b", "\n")]}
    assert browse(remote_user="login").visit("/").status_code == 403


def test_the_session_is_a_typed_value(browse: Any, protect: Any, clock: Any) -> None:
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(environ["casduo.session"])
        environ["casduo.attributes"]["mail"].append("changed@example.edu")
        start_response("200 OK", [])
        return [b""]

    browser = browse(protect(app, session_lifetime=1000, session_idle=500))
    browser.visit("/")
    browser.request("/")
    assert seen[0] == SessionInfo(
        authentication_date="2026-03-04T05:06:07Z",
        is_from_new_login=False,
        remembered=False,
        authn_context=(),
        started=clock.now,
        expires=clock.now + 1000,
    )


def test_what_an_application_changes_is_its_own_affair(browse: Any, protect: Any) -> None:
    seen: list[list[str]] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(list(environ["casduo.attributes"]["mail"]))
        environ["casduo.attributes"]["mail"].append("changed@example.edu")
        start_response("200 OK", [])
        return [b""]

    browser = browse(protect(app))
    browser.visit("/")
    browser.request("/")
    assert seen == [["ada@example.edu"], ["ada@example.edu"]]


def test_an_error_reported_late_reaches_the_server(protect: Any) -> None:
    error = (KeyError, KeyError("x"), None)

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        start_response("500 Internal Server Error", [("Content-Type", "text/plain")], error)
        return [b"sorry"]

    calls: list[Any] = []

    def start_response(*arguments: Any) -> Any:
        calls.append(arguments)

    environ = create_environ("/", base_url=APP, method="POST")
    assert protect(app, gateway_paths=["/"])(environ, start_response) == [b"sorry"]
    assert [call[0] for call in calls] == ["200 OK", "500 Internal Server Error"]
    assert calls[1][2] is error


def test_both_sides_keep_to_the_wsgi_specification(browse: Any, protect: Any, cas: Any, logout_request: Any) -> None:
    from webtest.lint import middleware as lint

    app = protect(lint(tell_plainly), public_paths=["/public"])
    browser = browse(lint(app))
    browser.visit("/public").close()
    browser.visit("/loans?a=1").close()
    for method in ("POST", "HEAD"):
        browser.request("/save", method).close()
    browser.request("/logout", headers={"Sec-Fetch-Site": "cross-site"}).close()
    browser.request("/logout", "POST").close()
    browser.request("/save", "POST").close()
    body = logout_request(cas.issued[0])
    browser.request("/", "POST", data=body, content_type="application/x-www-form-urlencoded").close()


def tell_plainly(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ.get("REMOTE_USER", "-").encode("latin-1")]


def test_an_application_may_write(browse: Any, protect: Any) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"written ")
        return [b"and returned"]

    assert browse(protect(app)).visit("/").text == "written and returned"


def test_the_response_iterable_is_closed(browse: Any, protect: Any) -> None:
    closed: list[bool] = []

    class Body:
        def __iter__(self) -> Any:
            return iter([b"x"])

        def close(self) -> None:
            closed.append(True)

    def app(environ: Any, start_response: Any) -> Body:
        start_response("200 OK", [])
        return Body()

    browse(protect(app)).visit("/").close()
    assert closed
