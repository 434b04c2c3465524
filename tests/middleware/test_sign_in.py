"""Signing in, from the first page to the application and every way it can fail."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import Client

APP = "https://app.example.edu"


def service_of(location: str) -> str:
    return parse_qs(urlsplit(location).query)["service"][0]


class TestTheWayIn:
    def test_a_page_leads_to_the_cas_server_and_back_to_the_very_page(self, browse: Any, cas: Any) -> None:
        browser = browse()
        page = browser.visit("/loans?sort=due&sort=title&q=%c3%a4+b")
        assert page.json["remote_user"] == "ada"
        assert page.json["user"] == "ada"
        assert page.json["attributes"]["mail"] == ["ada@example.edu"]
        assert page.json["auth_type"] == "CAS"
        assert page.json["query"] == "sort=due&sort=title&q=%c3%a4+b"
        assert browser.trail[-1] == f"{APP}/loans?sort=due&sort=title&q=%c3%a4+b"
        assert cas.logins[0]["service"] == cas.validations[0]["service"] == [browser.trail[-1]]

    def test_the_next_request_needs_nobody(self, browse: Any, cas: Any) -> None:
        browser = browse()
        browser.visit("/")
        assert browser.request("/other").json["user"] == "ada"
        assert len(cas.logins) == len(cas.validations) == 1

    def test_a_post_with_a_session_keeps_its_body(self, browse: Any) -> None:
        browser = browse()
        browser.visit("/")
        page = browser.request("/save", "POST", data={"title": "On Computable Numbers"})
        assert page.json["body"] == "title=On+Computable+Numbers"

    def test_cookies_are_kept_from_scripts_other_sites_and_plain_http(self, browse: Any, cas: Any) -> None:
        browser = browse()
        begun = browser.request("/")
        signed_in = browser.request(f"/?ticket={cas.issue(f'{APP}/')}")
        cookies = [*begun.headers.getlist("Set-Cookie"), *signed_in.headers.getlist("Set-Cookie")]
        assert len(cookies) == 2
        for cookie in cookies:
            assert "Secure" in cookie
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
            assert "Path=/" in cookie
            assert "Domain" not in cookie

    def test_redirects_are_not_cached_and_tell_nobody_where_they_come_from(self, browse: Any) -> None:
        answer = browse().request("/")
        assert answer.status_code == 302
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"

    def test_pages_behind_the_sign_in_are_nobody_elses(self, browse: Any) -> None:
        assert browse().visit("/").headers["Cache-Control"] == "private, no-cache"

    def test_the_applications_own_cache_rules_stand(self, browse: Any, protect: Any) -> None:
        def app(environ: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", [("cache-control", "max-age=60")])
            return [b""]

        assert browse(protect(app)).visit("/").headers.getlist("Cache-Control") == ["max-age=60"]

    def test_the_applications_parameter_named_ticket_is_left_alone(self, browse: Any, cas: Any) -> None:
        page = browse().visit("/issue?ticket=4711")
        assert page.json["query"] == "ticket=4711"
        assert cas.validations[0]["service"] == [f"{APP}/issue?ticket=4711"]

    def test_the_way_back_is_taken_from_the_settings_and_not_from_the_host_header(self, browse: Any) -> None:
        answer = browse().request("/", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
        assert service_of(answer.headers["Location"]) == f"{APP}/"

    def test_hosts_that_are_not_listed_get_a_page(self, browse: Any) -> None:
        browser = browse(allowed_hosts=["app.example.edu", "library.example.edu"])
        assert browser.visit("/").json["user"] == "ada"
        assert browser.request("/", headers={"Host": "library.example.edu"}).status_code == 302
        answer = browser.request("/", headers={"Host": "evil.example"})
        assert answer.status_code == 400
        assert "evil" not in answer.text

    def test_a_mount_path_is_part_of_the_service(self, browse: Any) -> None:
        answer = browse(service_url=f"{APP}/portal").request("/loans")
        assert service_of(answer.headers["Location"]) == f"{APP}/portal/loans"

    def test_another_back_channel_address_is_asked_for_validation(self, browse: Any, cas: Any) -> None:
        browser = browse(cas_url="https://sso.example.edu/cas", cas_back_channel_url=cas.url)
        assert browser.request("/").headers["Location"].startswith("https://sso.example.edu/cas/login?")
        ticket = cas.issue(f"{APP}/")
        assert browser.request(f"/?ticket={ticket}").status_code == 302
        assert browser.request("/").json["user"] == "ada"


class TestWhatIsNoPageLoad:
    def test_a_post_without_a_session_is_not_lost_in_a_redirect(self, browse: Any) -> None:
        answer = browse().request("/save", "POST", data={"a": "1"})
        assert answer.status_code == 401
        assert answer.content_type.startswith("text/html")
        assert "Nothing was saved" in answer.text
        assert answer.headers["WWW-Authenticate"] == "CAS"

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Mode": "cors", "Accept": "*/*"},
            {"X-Requested-With": "XMLHttpRequest", "Sec-Fetch-Mode": "", "Accept": "application/json"},
            {"Accept": "application/json", "Sec-Fetch-Mode": ""},
        ],
    )
    def test_a_script_is_told_in_json_where_to_sign_in(self, browse: Any, cas: Any, headers: dict[str, str]) -> None:
        answer = browse().request("/api/loans", headers=headers)
        assert answer.status_code == 401
        assert answer.json["error"] == "Please sign in"
        assert answer.json["sign_in_url"].startswith(f"{cas.url}/login?service=")
        assert service_of(answer.json["sign_in_url"]) == f"{APP}/"

    def test_the_address_from_a_refusal_signs_in(self, browse: Any, cas: Any) -> None:
        browser = browse()
        browser.request("/api", headers={"Sec-Fetch-Mode": "cors", "Accept": "*/*"})
        ticket = cas.issue(f"{APP}/")
        assert browser.visit(f"/?ticket={ticket}").json["user"] == "ada"
        assert len(cas.logins) == 0

    def test_a_head_request_never_uses_up_a_ticket(self, browse: Any, cas: Any) -> None:
        browser = browse()
        browser.request("/")
        answer = browser.request(f"/?ticket={cas.issue(f'{APP}/')}", "HEAD")
        assert answer.status_code == 302
        assert answer.data == b""
        assert cas.validations == []

    @pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose"])
    def test_a_prefetch_never_uses_up_a_ticket(self, browse: Any, cas: Any, header: str) -> None:
        browser = browse()
        browser.request("/")
        answer = browser.request(f"/?ticket={cas.issue(f'{APP}/')}", headers={header: "prefetch"})
        assert answer.status_code == 401
        assert cas.validations == []

    def test_an_options_request_is_refused_and_not_redirected(self, browse: Any) -> None:
        assert browse().request("/api", "OPTIONS").status_code == 401


class TestTicketsNobodyAskedFor:
    def test_a_link_with_a_ticket_leads_to_a_sign_in_of_ones_own(self, browse: Any, cas: Any) -> None:
        """Login CSRF: eve's ticket in a link must not sign ada in as eve."""
        browser = browse()
        stolen = cas.issue(f"{APP}/", "eve")
        page = browser.visit(f"/?ticket={stolen}")
        assert page.json["user"] == "ada"
        assert page.json["query"] == ""
        assert all(stolen not in query["ticket"] for query in cas.validations)

    def test_a_planted_ticket_does_not_change_a_session(self, browse: Any, cas: Any) -> None:
        browser = browse()
        browser.visit("/")
        browser.visit("/")
        assert browser.visit(f"/?ticket={cas.issue(f'{APP}/', 'eve')}").json["user"] == "ada"

    def test_who_signed_in_elsewhere_meanwhile_becomes_the_user(self, browse: Any, cas: Any) -> None:
        browser = browse()
        browser.visit("/")
        cas.user = "grace"
        assert browser.visit(f"/?ticket={cas.issue(f'{APP}/', 'grace')}").json["user"] == "grace"

    def test_without_cookies_there_is_a_page_and_no_loop(self, browse: Any, cas: Any) -> None:
        browser = browse(use_cookies=False)
        page = browser.visit("/loans?a=1")
        assert page.status_code == 400
        assert "Cookies are switched off" in page.text
        assert f'href="{APP}/loans?a=1"' in page.text
        assert cas.validations == []
        assert len(cas.logins) == 1


class TestTicketsThatFail:
    @staticmethod
    def under_way(browser: Any) -> Any:
        browser.request("/loans")
        return browser

    def test_a_stale_ticket_gets_one_more_chance(self, browse: Any, cas: Any) -> None:
        browser = self.under_way(browse())
        assert browser.visit("/loans?ticket=ST-old").json["user"] == "ada"
        assert len(cas.validations) == 2

    def test_tickets_that_keep_failing_end_in_a_page(self, browse: Any, cas: Any) -> None:
        cas.tickets = _Forgetful()
        page = browse().visit("/loans")
        assert page.status_code == 403
        assert "INVALID_TICKET" in page.text
        assert len(cas.validations) == 2

    def test_somebody_who_types_slowly_is_not_asked_for_ever(self, browse: Any, cas: Any, clock: Any) -> None:
        browser = self.under_way(browse())
        for expected in (302, 403):
            clock.now += 120
            assert browser.request("/loans?ticket=ST-old").status_code == expected

    def test_a_ticket_that_was_used_is_not_accepted_again(self, browse: Any, cas: Any) -> None:
        browser = self.under_way(browse())
        ticket = cas.issue(f"{APP}/loans")
        assert browser.request(f"/loans?ticket={ticket}").status_code == 302
        eve = self.under_way(browse())
        assert eve.request(f"/loans?ticket={ticket}").headers["Location"].startswith(cas.url)
        assert [name for name in eve.cookies if not name.endswith("-in")] == []

    def test_a_ticket_for_another_address_is_refused(self, browse: Any, cas: Any) -> None:
        browser = self.under_way(browse())
        answer = browser.request(f"/loans?ticket={cas.issue('https://other.example.edu/loans')}")
        assert answer.status_code == 403
        assert "INVALID_SERVICE" in answer.text

    @pytest.mark.parametrize("code", ["UNAUTHORIZED_SERVICE", "INVALID_SERVICE", "INVALID_REQUEST", "SOMETHING_NEW"])
    def test_a_denial_names_the_servers_code_and_a_reference(
        self, browse: Any, cas: Any, caplog: Any, code: str
    ) -> None:
        cas.script = lambda handler: handler.reply(200, _failure(code))
        page = browse().visit("/loans")
        assert page.status_code == 403
        assert code in page.text
        assert "script" not in page.text
        logged = next(record for record in caplog.records if "refused" in record.getMessage())
        reference = logged.getMessage().partition("reference=")[2].split()[0]
        assert reference in page.text

    def test_a_fault_of_the_server_is_no_denial(self, browse: Any, cas: Any) -> None:
        cas.script = lambda handler: handler.reply(200, _failure("INTERNAL_ERROR"))
        assert browse().visit("/loans").status_code == 503

    @pytest.mark.parametrize("body", [b"", b"<html/>", b"yes\nada\n", b"<a>" * 1000])
    def test_nonsense_lets_nobody_in(self, browse: Any, cas: Any, body: bytes) -> None:
        cas.script = lambda handler: handler.reply(200, body)
        browser = browse()
        page = browser.visit("/loans")
        assert page.status_code == 503
        assert page.headers["Retry-After"]
        assert browser.request("/loans").status_code == 302

    def test_a_server_that_is_away_gives_a_page_without_details(self, browse: Any, cas: Any, caplog: Any) -> None:
        browser = self.under_way(browse(cas_back_channel_url="http://127.0.0.1:1/cas"))
        ticket = cas.issue(f"{APP}/loans")
        page = browser.request(f"/loans?ticket={ticket}")
        assert page.status_code == 503
        assert "Signing in does not work right now" in page.text
        assert ticket not in page.text
        assert "127.0.0.1:1/" not in page.text
        assert f'href="{APP}/loans"' in page.text
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "CAS_UNAVAILABLE unreachable" in caplog.text
        assert ticket not in caplog.text

    def test_a_session_that_never_comes_back_ends_in_a_page(self, browse: Any, cas: Any) -> None:
        """A proxy that drops the session cookie: each sign-in works, and each time nobody is signed in."""
        browser = browse()
        page = _visit_dropping_sessions(browser, "/loans")
        assert page.status_code == 503
        assert "does not come to an end" in page.text
        assert len(cas.validations) < 8
        assert _visit_dropping_sessions(browser, "/loans").status_code == 503

    def test_no_page_ever_holds_a_ticket_or_a_traceback(self, browse: Any, cas: Any) -> None:
        cas.script = lambda handler: handler.reply(200, _failure("INVALID_SERVICE", cas.issued[-1]))
        page = browse().visit("/loans")
        assert cas.issued[-1] not in page.text
        assert "Traceback" not in page.text

    def test_an_unexpected_fault_lets_nobody_in_and_tells_nothing(self, browse: Any, protect: Any, caplog: Any) -> None:
        secret = "ST-secret"

        class Broken:
            def find(self, *args: Any, **kwargs: Any) -> None:
                raise RuntimeError(secret)

        browser = browse(protect(session=Broken()))
        browser.client.set_cookie(_session_cookie_name(browser), "x", domain="app.example.edu")
        page = browser.request("/loans")
        assert page.status_code == 500
        assert "RuntimeError" not in page.text
        assert "unexpected RuntimeError" in caplog.text
        assert secret not in caplog.text


class TestOddAddresses:
    @pytest.mark.parametrize("query", ["q=%ff%fe", "q=%", "%zz", "a&&b", "=", "q=a?b", "q=what?", "a=1&"])
    def test_odd_queries_survive(self, browse: Any, query: str) -> None:
        page = browse().visit(f"/search?{query}")
        assert page.status_code == 200
        assert page.json["query"] in (query, query.rstrip("&"), f"{query[:-1]}%3F")

    def test_raw_bytes_survive_in_encoded_form(self, protect: Any, cas: Any) -> None:
        environ_query = "q=\xff\xe4"
        client = Client(protect())
        answer = client.get("/", base_url=APP, environ_overrides={"QUERY_STRING": environ_query})
        assert service_of(answer.headers["Location"]) == f"{APP}/?q=%FF%E4"

    def test_a_line_break_in_a_path_or_query_cannot_split_the_answer(self, protect: Any) -> None:
        overrides = {"QUERY_STRING": "a\r\nX: y", "PATH_INFO": "/a\r\nX: y", "REQUEST_URI": "/a\r\nX: y"}
        answer = Client(protect()).get("/", base_url=APP, environ_overrides=overrides)
        assert answer.status_code == 302
        assert "X" not in answer.headers

    def test_a_query_of_a_megabyte_gets_a_page(self, browse: Any) -> None:
        page = browse().request("/search?" + "q=" * 500_000)
        assert page.status_code == 414
        assert f'href="{APP}/"' in page.text

    def test_a_query_of_a_megabyte_passes_with_a_session(self, browse: Any) -> None:
        browser = browse()
        browser.visit("/")
        assert len(browser.request("/search?" + "q=" * 500_000).json["query"]) == 1_000_000

    def test_our_own_parameter_is_not_shown_to_the_application(self, browse: Any) -> None:
        browser = browse(public_paths=["/"])
        assert browser.request("/?a=1&casduo_check=sign-in").json["query"] == "a=1"


class _Forgetful(dict):  # type: ignore[type-arg]
    """A ticket registry that keeps nothing."""

    def __setitem__(self, key: Any, value: Any) -> None:
        return


def _failure(code: str, text: str = "<script>no</script>") -> bytes:
    from xml.sax.saxutils import escape

    return (
        '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">'
        f'<cas:authenticationFailure code="{code}">{escape(text)}</cas:authenticationFailure></cas:serviceResponse>'
    ).encode()


def _session_cookie_name(browser: Any) -> str:
    return str(browser.client.application._settings.cookie)


def _visit_dropping_sessions(browser: Any, url: str) -> Any:
    plain_request = browser.request

    def request(target: str, *args: Any, **options: Any) -> Any:
        browser.client.delete_cookie(_session_cookie_name(browser), domain="app.example.edu", path="/")
        return plain_request(target, *args, **options)

    browser.request = request
    try:
        return browser.visit(url)
    finally:
        browser.request = plain_request
