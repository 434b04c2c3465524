"""Who gets in, as whom, and for how long."""

from __future__ import annotations

import threading
from typing import Any

import pytest

APP = "https://app.example.edu"
NO_SECOND_FACTOR = (
    b'<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">'
    b'<cas:authenticationFailure code="INVALID_AUTHENTICATION_CONTEXT">no</cas:authenticationFailure>'
    b"</cas:serviceResponse>"
)


class TestWhoGetsIn:
    def test_without_the_second_factor_nobody_gets_in(self, browse: Any, cas: Any) -> None:
        browser = browse(require_context="mfa-duo")
        page = browser.visit("/loans")
        assert page.status_code == 403
        assert "A second factor is needed" in page.text
        assert browser.request("/loans").status_code == 302

    @pytest.mark.parametrize("values", [["mfa-duo"], ["password", "mfa-duo"]])
    def test_with_it_they_do(self, browse: Any, cas: Any, values: list[str]) -> None:
        cas.attributes["authnContextClass"] = values
        assert "mfa-duo" in browse(require_context="mfa-duo").visit("/").json["session"]

    @pytest.mark.parametrize("values", [["mfa-duo-bypassed"], ["MFA-DUO"], ["mfa-duo mfa-u2f"], [""]])
    def test_something_like_it_is_not_it(self, browse: Any, cas: Any, values: list[str]) -> None:
        cas.attributes["authnContextClass"] = values
        assert browse(require_context="mfa-duo").visit("/").status_code == 403

    def test_a_session_from_before_the_rule_does_not_count(self, browse: Any, protect: Any) -> None:
        browser = browse()
        browser.visit("/")
        browser.client.application = protect(require_context="mfa-duo")
        assert browser.request("/").status_code == 302

    def test_the_servers_own_refusal_for_want_of_a_factor_reads_the_same(self, browse: Any, cas: Any) -> None:
        cas.script = lambda handler: handler.reply(200, NO_SECOND_FACTOR)
        assert "A second factor is needed" in browse().visit("/").text

    def test_an_attribute_can_be_the_user_name(self, browse: Any) -> None:
        page = browse(remote_user="mail").visit("/")
        assert page.json["remote_user"] == "ada@example.edu"
        assert page.json["user"] == "ada"

    def test_a_function_can_make_the_user_name(self, browse: Any) -> None:
        def lower(user: str, attributes: dict[str, list[str]]) -> str | None:
            return f"{user}/{attributes['mail'][0]}"

        assert browse(remote_user=lower).visit("/").json["remote_user"] == "ada/ada@example.edu"

    @pytest.mark.parametrize("remote_user", ["employeeNumber", lambda user, attributes: None])
    def test_who_has_no_user_name_does_not_get_in(self, browse: Any, remote_user: Any) -> None:
        page = browse(remote_user=remote_user).visit("/")
        assert page.status_code == 403
        assert "NO_REMOTE_USER" in page.text

    def test_somebody_denied_does_not_go_on_as_who_was_there_before(self, browse: Any, cas: Any) -> None:
        cas.attributes["authnContextClass"] = ["mfa-duo"]
        browser = browse(require_context="mfa-duo")
        browser.visit("/")
        cas.user, cas.attributes = "grace", {}
        page = browser.visit(f"/?ticket={cas.issue(f'{APP}/', 'grace')}")
        assert page.status_code == 403
        assert browser.request("/").status_code == 302


class TestSessions:
    def test_each_sign_in_has_a_new_session(self, browse: Any, cas: Any) -> None:
        browser = browse()
        browser.visit("/")
        first = dict(browser.cookies)
        browser.visit(f"/?ticket={cas.issue(f'{APP}/')}")
        assert browser.cookies != first

    def test_a_planted_session_cookie_is_not_adopted(self, browse: Any) -> None:
        browser = browse()
        browser.client.set_cookie(_session_cookie_name(browser), "planted", domain="app.example.edu", secure=True)
        assert browser.request("/").status_code == 302
        browser.visit("/")
        assert "planted" not in browser.cookies.values()

    def test_a_tampered_cookie_is_no_session(self, browse: Any) -> None:
        browser = browse()
        browser.visit("/")
        name = _session_cookie_name(browser)
        value = browser.cookies[name]
        browser.client.set_cookie(name, value[:-3] + "AAA", domain="app.example.edu", path="/", secure=True)
        assert browser.request("/").status_code == 302

    def test_sessions_end_by_idleness_and_by_age(self, browse: Any, clock: Any) -> None:
        browser = browse(session_idle=100, session_lifetime=250)
        browser.visit("/")
        for _ in range(4):
            clock.now += 60
            assert browser.request("/").status_code == 200
        clock.now += 60
        assert browser.request("/").status_code == 302
        browser.visit("/")
        clock.now += 100
        assert browser.request("/").status_code == 302

    def test_too_many_attributes_for_a_cookie_are_told_to_the_operator(
        self, browse: Any, cas: Any, caplog: Any
    ) -> None:
        cas.attributes["memberOf"] = [f"cn=group-{number * 7919},ou=groups" for number in range(2000)]
        page = browse().visit("/")
        assert page.status_code == 500
        assert "set session to a Redis URL" in caplog.text
        assert "Redis" not in page.text

    def test_redis_holds_what_a_cookie_does_not(self, browse: Any, cas: Any, redis_url: str) -> None:
        cas.attributes["memberOf"] = [f"cn=group-{number},ou=groups" for number in range(2000)]
        browser = browse(session=redis_url)
        assert len(browser.visit("/").json["attributes"]["memberOf"]) == 2000
        assert max(len(value) for value in browser.cookies.values()) < 200

    def test_redis_away_lets_nobody_in_but_public_pages_live(self, browse: Any, redis_url: str) -> None:
        browser = browse(session=redis_url, public_paths=["/healthz"])
        browser.visit("/")
        broken = browse(session="redis://127.0.0.1:1/0", public_paths=["/healthz"], redis_timeout=0.2)
        broken.client._cookies = browser.client._cookies
        assert broken.request("/").status_code == 503
        assert broken.request("/healthz").json["user"] is None

    def test_public_pages_know_who_is_there_and_change_nothing(self, browse: Any, clock: Any) -> None:
        browser = browse(public_paths=["/"])
        assert browser.request("/").json["user"] is None
        browser.visit("/loans")
        clock.now += 6000
        page = browser.request("/")
        assert page.json["user"] == "ada"
        assert "Set-Cookie" not in page.headers
        assert "Cache-Control" not in page.headers

    def test_a_sign_in_may_end_on_a_public_page(self, browse: Any, cas: Any) -> None:
        browser = browse(public_paths=["/"])
        assert browser.visit(f"/?ticket={cas.issue(f'{APP}/')}").json["user"] == "ada"

    def test_many_sign_ins_at_once_never_mix_people(self, browse: Any, protect: Any, cas: Any) -> None:
        app = protect()
        seen: dict[str, str] = {}

        def sign_in(user: str) -> None:
            browser = browse(app)
            browser.request("/")
            ticket = cas.issue(f"{APP}/", user)
            browser.request(f"/?ticket={ticket}")
            for _ in range(5):
                seen[user] = browser.request("/").json["user"]

        people = [f"person{number}" for number in range(24)]
        threads = [threading.Thread(target=sign_in, args=(user,)) for user in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == {user: user for user in people}


def _session_cookie_name(browser: Any) -> str:
    return str(browser.client.application._settings.cookie)
