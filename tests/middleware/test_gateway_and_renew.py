"""Paths that ask silently who is there, and paths that want a password typed for them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

APP = "https://app.example.edu"


class TestGateway:
    @pytest.fixture
    def browser(self, browse: Any) -> Any:
        return browse(gateway_paths=["/*"], protected_paths=["/account/*"], gateway_interval=600)

    def test_who_is_signed_in_elsewhere_is_recognised(self, browser: Any, cas: Any) -> None:
        page = browser.visit("/news?page=2")
        assert page.json["user"] == "ada"
        assert page.json["query"] == "page=2"
        assert cas.logins[0]["gateway"] == ["true"]
        assert cas.logins[0]["service"] == [f"{APP}/news?page=2"]

    def test_who_is_not_gets_the_page_all_the_same(self, browser: Any, cas: Any) -> None:
        cas.user = None
        page = browser.visit("/news?page=2")
        assert page.json["user"] is None
        assert page.json["query"] == "page=2"

    def test_the_question_is_asked_once_in_a_while(self, browser: Any, cas: Any, clock: Any) -> None:
        cas.user = None
        for _ in range(3):
            browser.visit("/news")
        assert len(cas.logins) == 1
        clock.now += 601
        browser.visit("/news")
        assert len(cas.logins) == 2

    def test_a_browser_without_cookies_gets_the_page_after_one_redirect(self, browse: Any, cas: Any) -> None:
        browser = browse(gateway_paths=["/*"], protected_paths=[], use_cookies=False)
        page = browser.visit("/news?page=2")
        assert page.json["user"] is None
        assert page.json["query"] == "page=2"
        assert cas.logins == []
        assert len(browser.trail) == 2

    def test_posts_and_scripts_are_let_through_unasked(self, browser: Any, cas: Any) -> None:
        assert browser.request("/news", "POST", data={"a": "1"}).json["body"] == "a=1"
        assert browser.request("/news", headers={"Sec-Fetch-Mode": "cors"}).json["user"] is None
        assert cas.logins == []

    def test_a_protected_page_still_asks_aloud(self, browser: Any, cas: Any) -> None:
        cas.user = None
        browser.visit("/news")
        cas.user = "ada"
        assert browser.visit("/account").json["user"] == "ada"
        assert "gateway" not in cas.logins[-1]

    def test_a_ticket_refused_on_the_way_back_shows_the_page(self, browser: Any, cas: Any) -> None:
        cas.script = lambda handler: handler.reply(
            200,
            b'<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">'
            b'<cas:authenticationFailure code="INVALID_TICKET">no</cas:authenticationFailure></cas:serviceResponse>',
        )
        assert browser.visit("/news").json["user"] is None


class TestRenew:
    @pytest.fixture
    def browser(self, browse: Any) -> Any:
        return browse(renew_paths=["/pay/*"], renew_max_age=900)

    def test_it_is_demanded_at_login_and_at_validation(self, browser: Any, cas: Any) -> None:
        page = browser.visit("/pay")
        assert page.json["user"] == "ada"
        assert "is_from_new_login=True" in page.json["session"]
        assert cas.logins[0]["renew"] == ["true"]
        assert cas.validations[0]["renew"] == ["true"]

    def test_a_session_is_not_enough(self, browser: Any, cas: Any) -> None:
        browser.visit("/")
        assert "renew" not in cas.logins[0]
        assert browser.visit("/pay").json["user"] == "ada"
        assert cas.logins[1]["renew"] == ["true"]

    def test_a_fresh_one_is_for_a_while(self, browser: Any, cas: Any, clock: Any) -> None:
        browser.visit("/pay")
        clock.now += 899
        assert browser.request("/pay/again", "POST").status_code == 200
        clock.now += 1
        assert browser.request("/pay/again").status_code == 302
        assert browser.request("/").status_code == 200

    def test_a_ticket_made_without_a_password_is_refused(self, browser: Any, cas: Any) -> None:
        browser.request("/pay")
        answer = browser.request(f"/pay?ticket={cas.issue(f'{APP}/pay')}")
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith(cas.url)

    def test_a_post_is_told_to_sign_in_for_this_path(self, browser: Any, cas: Any) -> None:
        browser.visit("/")
        answer = browser.request("/pay", "POST", headers={"Accept": "application/json"})
        assert answer.status_code == 401
        query = parse_qs(urlsplit(answer.json["sign_in_url"]).query)
        assert query == {"service": [f"{APP}/pay"], "renew": ["true"]}
