"""What every answer says to browsers beside its content, whoever it is for: policy, types, transport."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from casduo.compose import compose
from casduo.routes import ROUTES
from casduo.settings import load_settings
from tests.support.raw import FORM, Answer, call
from tests.support.site import LIBRARY, Recorder, SetClock, Site, ticket_of, write_site

STATIC = ["casduo.css", "theme.css", "login.js", "logo.svg"]


def answers(site: Site) -> Iterator[tuple[str, Answer]]:
    """Ask for everything there is: each address by each method, files, what is not there, and a login to its end."""
    for path in [*ROUTES, "", "/nothing", "/v1/tickets", "/admin/", "/account/", "/requests"]:
        for method in ("GET", "HEAD", "POST", "TRACE"):
            yield f"{method} {path}", call(site, method, f"/cas{path}", kind=FORM)
    for path in ("/", "/elsewhere", "/.well-known/change-password"):
        yield path, call(site, "GET", path)
    for name in STATIC:
        yield name, call(site, "GET", f"/cas/static/{name}")
    tag = call(site, "GET", "/cas/static/casduo.css").header("ETag")
    yield "unchanged", call(site, "GET", "/cas/static/casduo.css", HTTP_IF_NONE_MATCH=tag)
    yield "prefetched", call(site, "GET", "/cas/login", HTTP_SEC_PURPOSE="prefetch")
    yield "refused", call(site, "POST", "/cas/login", body=b"x=1", kind=FORM, HTTP_ORIGIN="https://evil.example.com")
    signed_in = site.browser().sign_in()
    yield "signed in", Answer(signed_in.status_int, list(signed_in.headers.items()), signed_in.body)
    for path in ("/serviceValidate", "/p3/serviceValidate", "/validate"):
        ticket = ticket_of(site.browser().sign_in())
        validated = site.validate(ticket, path=path)
        yield f"validated at {path}", Answer(validated.status_int, list(validated.headers.items()), validated.body)
    in_json = site.validate("ST-none", format="JSON")
    yield "validated in JSON", Answer(in_json.status_int, list(in_json.headers.items()), in_json.body)
    bare = site.composed.application.server.web.bare(503, "4F7K-QX2M")
    yield "when no page can be made", Answer(bare.status, bare.headers, bare.body)


@pytest.fixture(scope="module")
def asked(open_site: Site) -> list[tuple[str, Answer]]:
    found = list(answers(open_site))
    assert {200, 204, 302, 303, 304, 400, 403, 404, 405} <= {answer.status for _, answer in found}
    return found


def test_every_answer_has_a_policy_that_lets_nothing_in(asked: list[tuple[str, Answer]]) -> None:
    """Also those that are no page: an answer that somebody makes a browser show is no page of ours."""
    for name, answer in asked:
        policy = answer.header("Content-Security-Policy").split("; ")
        assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy), name
        assert not re.search(r"unsafe-eval|script-src[^;]*unsafe|\*", "; ".join(policy)), name
        assert len([key for key, _ in answer.headers if key == "Content-Security-Policy"]) == 1, name
        if "static" not in name and name not in (*STATIC, "unchanged"):
            assert answer.header("Referrer-Policy") == "no-referrer", name


def test_no_answer_is_read_as_something_else(asked: list[tuple[str, Answer]]) -> None:
    assert [name for name, answer in asked if answer.header("X-Content-Type-Options") != "nosniff"] == []
    for name, answer in asked:
        if answer.header("Content-Type").startswith("text/html"):
            assert answer.header("Cross-Origin-Opener-Policy") == "same-origin", name


def test_every_body_has_a_type_and_texts_say_their_encoding(asked: list[tuple[str, Answer]]) -> None:
    for name, answer in asked:
        kind = answer.header("Content-Type")
        assert bool(answer.body) <= bool(kind), name
        if re.match(r"text/|[^;]*(?:\+|/)xml|[^;]*/javascript", kind):
            assert re.search(r"; ?charset=utf-8$", kind, re.IGNORECASE), (name, kind)
    assert {answer.header("Content-Type").partition(";")[0] for _, answer in asked} >= {
        *("text/html", "text/plain", "text/css", "image/svg+xml", "application/json"),
    }


def test_every_answer_promises_tls_for_a_year(asked: list[tuple[str, Answer]]) -> None:
    promised = {name: answer.header("Strict-Transport-Security") for name, answer in asked}
    assert {name: said for name, said in promised.items() if said != "max-age=31536000"} == {}


def test_hosts_below_ours_are_promised_for_where_the_settings_say_so(tmp_path: Path, valkey_url: str) -> None:
    settings = load_settings(
        write_site(tmp_path, valkey_url, "services: []"), {"CASDUO_SERVER__HSTS_SUBDOMAINS": "true"}
    )
    composed = compose(settings, watch=False)
    site = Site(composed, SetClock(0.0), Recorder())
    for path in ("/cas/login", "/cas/static/casduo.css", "/cas/healthz"):
        answer = call(site, "GET", path)
        assert answer.header("Strict-Transport-Security") == "max-age=31536000; includeSubDomains"
    composed.close()


def test_no_answer_may_be_read_by_other_sites(open_site: Site) -> None:
    """No page of another origin reads an answer by script, whatever it asks for and claims."""
    for path in ROUTES:
        for method in ("GET", "OPTIONS"):
            headers = {"HTTP_ORIGIN": "https://evil.example.com", "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST"}
            answer = call(open_site, method, f"/cas{path}", **headers)
            assert not [key for key, _ in answer.headers if key.lower().startswith("access-control")], path


def test_the_form_leaves_passwords_to_whoever_types_pastes_or_fills_them_in(open_site: Site) -> None:
    """No length, no pattern, no switched-off filling-in; the password is hidden unless the person shows it."""
    field = open_site.browser().login_page(LIBRARY).html.find("input", id="password")
    assert field["type"] == "password"
    assert field["autocomplete"] == "current-password"
    assert not {"maxlength", "minlength", "pattern", "onpaste"} & set(field.attrs)
