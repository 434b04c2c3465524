"""Accepting proxy tickets: programs that ask in somebody's name are answered at once, and browsers gain nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from casduo.middleware import SessionInfo
from tests.middleware.conftest import failure, success
from tests.middleware.proxying_cas import ProxyingCas

APP = "https://app.example.edu"
PORTAL = "https://portal.example.edu/cas/pgt"
BROKER = "https://broker.example.edu/cas/pgt"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def cas() -> Iterator[ProxyingCas]:
    server = ProxyingCas()
    yield server
    server.close()


@pytest.fixture
def library(protect: Any) -> Any:
    """Return a function that makes an application which the portal may call."""

    def make(**options: Any) -> Any:
        return protect(**({"allowed_proxies": [PORTAL]} | options))

    return make


class Program:
    """What calls from the portal: no browser's headers; cookies only if wanted."""

    def __init__(self, app: Any, *, use_cookies: bool = False) -> None:
        self.client = Client(app, use_cookies=use_cookies)

    def call(self, url: str, method: str = "GET", **options: Any) -> Any:
        path, _, query = url.partition("?")
        return self.client.open(path, method=method, query_string=query, base_url=APP, **options)


class TestPrograms:
    def test_a_proxy_ticket_is_answered_at_once(self, library: Any, cas: ProxyingCas) -> None:
        ticket = cas.issue_proxy_ticket(f"{APP}/loans?sort=due", "ada", PORTAL)
        answer = Program(library()).call(f"/loans?sort=due&ticket={ticket}")
        assert answer.status_code == 200
        assert answer.json["user"] == answer.json["remote_user"] == "ada"
        assert answer.json["query"] == "sort=due"
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert cas.asked == ["/p3/proxyValidate"]

    def test_the_session_lasts_for_who_keeps_cookies(self, library: Any, cas: ProxyingCas) -> None:
        program = Program(library(), use_cookies=True)
        program.call(f"/loans?ticket={cas.issue_proxy_ticket(f'{APP}/loans', 'ada', PORTAL)}")
        assert program.call("/loans/1").json["user"] == "ada"
        assert program.call("/loans/1", "POST", data={"a": "1"}).json["body"] == "a=1"
        assert len(cas.validations) == 1

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
    def test_what_a_program_sends_reaches_the_application(self, library: Any, cas: ProxyingCas, method: str) -> None:
        ticket = cas.issue_proxy_ticket(f"{APP}/loans", "ada", PORTAL)
        told = Program(library()).call(f"/loans?ticket={ticket}", method, data={"title": "Notes"}).json
        assert (told["user"], told["method"], told["body"]) == ("ada", method, "title=Notes")

    @pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html, image/gif, *; q=.2, */*; q=.2", ""])
    def test_it_does_not_matter_what_a_program_accepts(self, library: Any, cas: ProxyingCas, accept: str) -> None:
        ticket = cas.issue_proxy_ticket(f"{APP}/", "ada", PORTAL)
        assert Program(library()).call(f"/?ticket={ticket}", headers={"Accept": accept}).json["user"] == "ada"

    def test_public_paths_know_who_calls_and_are_not_cached(self, library: Any, cas: ProxyingCas) -> None:
        ticket = cas.issue_proxy_ticket(f"{APP}/", "ada", PORTAL)
        answer = Program(library(public_paths=["/"])).call(f"/?ticket={ticket}")
        assert answer.json["user"] == "ada"
        assert answer.headers["Cache-Control"] == "private, no-cache"

    def test_the_application_is_told_through_whom(self, protect: Any, cas: ProxyingCas, clock: Any) -> None:
        seen: list[SessionInfo] = []

        def app(environ: Any, start_response: Any) -> list[bytes]:
            seen.append(environ["casduo.session"])
            start_response("200 OK", [])
            return [b""]

        program = Program(protect(app, allowed_proxies=[PORTAL, BROKER]), use_cookies=True)
        program.call(f"/?ticket={cas.issue_proxy_ticket(f'{APP}/', 'ada', BROKER, PORTAL)}")
        program.call("/")
        assert [info.proxies for info in seen] == [(BROKER, PORTAL)] * 2

    def test_people_who_come_in_person_come_through_nobody(self, library: Any, browse: Any, cas: ProxyingCas) -> None:
        told = browse(library()).visit("/loans").json
        assert told["user"] == "ada"
        assert "proxies=()" in told["session"]
        assert cas.asked == ["/p3/proxyValidate"]

    def test_a_head_request_uses_nothing_up(self, library: Any, cas: ProxyingCas) -> None:
        ticket = cas.issue_proxy_ticket(f"{APP}/", "ada", PORTAL)
        assert Program(library()).call(f"/?ticket={ticket}", "HEAD").status_code == 302
        assert cas.validations == []

    def test_both_sides_keep_to_the_wsgi_specification(self, protect: Any, cas: ProxyingCas) -> None:
        from webtest.lint import middleware as lint

        def app(environ: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [environ["QUERY_STRING"].encode()]

        ticket = cas.issue_proxy_ticket(f"{APP}/", "ada", PORTAL)
        answer = Program(lint(protect(lint(app), allowed_proxies=[PORTAL]))).call(f"/?ticket={ticket}")
        assert answer.data == b""
        answer.close()


class TestWhatIsNotAccepted:
    def test_a_ticket_is_good_once(self, library: Any, cas: ProxyingCas) -> None:
        ticket = cas.issue_proxy_ticket(f"{APP}/", "ada", PORTAL)
        program = Program(library())
        assert program.call(f"/?ticket={ticket}").status_code == 200
        again = program.call(f"/?ticket={ticket}")
        assert again.status_code == 401
        assert again.json["code"] == "INVALID_TICKET"
        assert again.headers["WWW-Authenticate"] == "CAS"
        assert "Set-Cookie" not in again.headers

    def test_a_ticket_for_another_address_is_refused(self, library: Any, cas: ProxyingCas) -> None:
        ticket = cas.issue_proxy_ticket("https://other.example.edu/", "ada", PORTAL)
        answer = Program(library()).call(f"/?ticket={ticket}")
        assert (answer.status_code, answer.json["code"]) == (401, "INVALID_SERVICE")

    def test_a_refusal_for_good_is_no_call_to_try_again(self, library: Any, cas: ProxyingCas) -> None:
        cas.answer = lambda path, query: failure("UNAUTHORIZED_SERVICE")  # type: ignore[method-assign]
        answer = Program(library()).call("/?ticket=PT-abc")
        assert (answer.status_code, answer.json["code"]) == (403, "UNAUTHORIZED_SERVICE")

    def test_a_server_that_is_away_is_said_so(self, library: Any) -> None:
        answer = Program(library(cas_back_channel_url="http://127.0.0.1:1/cas")).call("/?ticket=PT-abc")
        assert answer.status_code == 503
        assert answer.json["error"] == "Signing in does not work right now"

    @pytest.mark.parametrize(
        "chain",
        [
            (BROKER,),
            (PORTAL, BROKER),
            (BROKER, PORTAL),
            (f"{PORTAL}/",),
            (PORTAL.upper(),),
            (PORTAL.replace("https:", "http:"),),
            (f"{PORTAL}?x",),
        ],
    )
    def test_every_proxy_on_the_way_must_be_allowed(
        self, library: Any, cas: ProxyingCas, caplog: Any, chain: tuple[str, ...]
    ) -> None:
        program = Program(library(), use_cookies=True)
        answer = program.call(f"/?ticket={cas.issue_proxy_ticket(f'{APP}/', 'ada', *chain)}")
        assert (answer.status_code, answer.json["code"]) == (403, "PROXY_NOT_ALLOWED")
        assert program.call("/").status_code == 302
        assert f"code=PROXY_NOT_ALLOWED proxies={','.join(chain)}" in caplog.text

    def test_a_proxy_ticket_without_proxies_is_not_to_be_believed(self, library: Any, cas: ProxyingCas) -> None:
        cas.answer = lambda path, query: success("ada")  # type: ignore[method-assign]
        assert Program(library()).call("/?ticket=PT-abc").status_code == 503

    def test_a_service_ticket_that_came_through_a_stranger_is_refused(
        self, library: Any, browse: Any, cas: ProxyingCas
    ) -> None:
        """Old servers give proxy tickets the prefix of service tickets: the answer decides, not the prefix."""
        more = "<cas:proxies><cas:proxy>https://evil.example/pgt</cas:proxy></cas:proxies>"
        cas.answer = lambda path, query: success("ada", {}, more)  # type: ignore[method-assign]
        page = browse(library()).visit("/")
        assert page.status_code == 403
        assert "PROXY_NOT_ALLOWED" in page.text

    def test_a_session_from_before_the_rule_does_not_count(self, library: Any, cas: ProxyingCas) -> None:
        program = Program(library(), use_cookies=True)
        program.call(f"/?ticket={cas.issue_proxy_ticket(f'{APP}/', 'ada', PORTAL)}")
        for allowed in ([BROKER], []):
            program.client.application = library(allowed_proxies=allowed)
            assert program.call("/").status_code == 302

    def test_without_the_second_factor_no_proxy_gets_in(self, library: Any, cas: ProxyingCas) -> None:
        program = Program(library(require_context="mfa-duo"))
        answer = program.call(f"/?ticket={cas.issue_proxy_ticket(f'{APP}/', 'ada', PORTAL)}")
        assert (answer.status_code, answer.json["code"]) == (403, "INVALID_AUTHENTICATION_CONTEXT")
        cas.attributes["authnContextClass"] = ["mfa-duo"]
        assert program.call(f"/?ticket={cas.issue_proxy_ticket(f'{APP}/', 'ada', PORTAL)}").status_code == 200

    def test_freshly_typed_credentials_are_beyond_a_proxy(self, library: Any, cas: ProxyingCas) -> None:
        ticket = cas.issue_proxy_ticket(f"{APP}/pay", "ada", PORTAL)
        answer = Program(library(renew_paths=["/pay"])).call(f"/pay?ticket={ticket}")
        assert (answer.status_code, answer.json["code"]) == (401, "INVALID_TICKET")
        assert cas.validations[0]["renew"] == ["true"]


class TestWhenNobodyIsAllowed:
    def test_a_proxy_ticket_is_a_parameter_like_any_other(self, protect: Any, browse: Any, cas: ProxyingCas) -> None:
        ticket = cas.issue_proxy_ticket(f"{APP}/", "eve", PORTAL)
        program = Program(protect())
        assert program.call(f"/?ticket={ticket}").status_code == 302
        assert program.call(f"/?ticket={ticket}", "POST").status_code == 401
        assert cas.validations == []
        told = browse().visit(f"/?ticket={ticket}").json
        assert (told["user"], told["query"]) == ("ada", f"ticket={ticket}")
        assert cas.asked == []

    def test_the_server_itself_would_refuse_it(self, protect: Any, cas: ProxyingCas) -> None:
        ticket = cas.issue_proxy_ticket(f"{APP}/", "eve", PORTAL)
        assert b"INVALID_TICKET_SPEC" in cas.validate({"ticket": [ticket], "service": [f"{APP}/"]})


class TestBrowsers:
    """Login CSRF: somebody who got hold of a proxy ticket in his own name puts it into a link."""

    def test_a_link_with_a_proxy_ticket_leads_to_a_sign_in_of_ones_own(
        self, library: Any, browse: Any, cas: ProxyingCas
    ) -> None:
        planted = cas.issue_proxy_ticket(f"{APP}/", "eve", PORTAL)
        page = browse(library()).visit(f"/?ticket={planted}")
        assert (page.json["user"], page.json["query"]) == ("ada", "")
        assert planted not in [query["ticket"][0] for query in cas.validations]

    def test_it_does_not_change_a_session(self, library: Any, browse: Any, cas: ProxyingCas) -> None:
        browser = browse(library())
        browser.visit("/")
        planted = cas.issue_proxy_ticket(f"{APP}/", "eve", PORTAL)
        assert browser.visit(f"/?ticket={planted}").json["user"] == "ada"

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "cross-site", "Accept": "*/*"},
            {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
            {"Upgrade-Insecure-Requests": "1", "Accept": "text/html"},
            {"Origin": "https://evil.example"},
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_no_request_of_a_browser_is_taken_for_a_programs(
        self, library: Any, cas: ProxyingCas, headers: dict[str, str], method: str
    ) -> None:
        planted = cas.issue_proxy_ticket(f"{APP}/", "eve", PORTAL)
        answer = Program(library()).call(f"/?ticket={planted}", method, headers=headers)
        assert answer.status_code in (302, 401)
        assert cas.validations == []


class TestSingleLogout:
    @pytest.fixture(params=["cookie", "memory", "redis"])
    def program(self, request: pytest.FixtureRequest, library: Any, cas: ProxyingCas) -> Any:
        kind = request.param
        session = request.getfixturevalue("redis_url") if kind == "redis" else kind
        return Program(library(session=session), use_cookies=True)

    def test_a_session_that_began_with_a_proxy_ticket_ends(
        self, program: Any, cas: ProxyingCas, logout_request: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        ticket = cas.issue_proxy_ticket(f"{APP}/", "ada", PORTAL)
        program.call(f"/?ticket={ticket}")
        assert program.call("/").status_code == 200
        server = Program(program.client.application)
        assert server.call("/", "POST", data=logout_request(ticket), content_type=FORM).status_code == 200
        assert program.call("/").status_code == 302
        assert f"single logout ticket=PT-...{ticket[-4:]}" in caplog.text
        assert not any(ticket in record.getMessage() for record in caplog.records)

    def test_a_message_that_overtakes_the_ticket_still_counts(
        self, program: Any, cas: ProxyingCas, logout_request: Any
    ) -> None:
        ticket = cas.issue_proxy_ticket(f"{APP}/", "ada", PORTAL)
        Program(program.client.application).call("/", "POST", data=logout_request(ticket), content_type=FORM)
        answer = program.call(f"/?ticket={ticket}")
        assert (answer.status_code, answer.json["code"]) == (401, "INVALID_TICKET")
        assert program.call("/").status_code == 302


def test_a_second_proxy_may_stand_between(library: Any, protect: Any, cas: ProxyingCas) -> None:
    """ada signs in at the portal, which asks the broker, which asks the library."""
    answers: list[str] = []

    def broker(environ: Any, start_response: Any) -> list[bytes]:
        answers.append(environ["casduo.proxy"].proxy_ticket(f"{APP}/loans"))
        start_response("200 OK", [])
        return [b""]

    cas.targets = {APP}
    origin = BROKER.removesuffix("/cas/pgt")
    cas.apps[origin] = protect(
        broker, service_url=origin, session="memory", proxy_callback="/cas/pgt", allowed_proxies=[PORTAL]
    )
    ticket = cas.issue_proxy_ticket(f"{origin}/", "ada", PORTAL)
    client = Client(cas.apps[origin], use_cookies=False)
    assert client.get("/", base_url=origin, query_string={"ticket": ticket}).status_code == 200
    program = Program(library(allowed_proxies=[BROKER, "https://portal.example.edu/*"]))
    told = program.call(f"/loans?ticket={answers[0]}").json
    assert told["user"] == "ada"
    assert f"proxies=('{BROKER}', '{PORTAL}')" in told["session"]
