"""Signing out at the application: from its own pages at once, from elsewhere only after a question."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

APP = "https://app.example.edu"
OWN = {"Sec-Fetch-Site": "same-origin"}
FOREIGN = {"Sec-Fetch-Site": "cross-site"}


def token_in(page: Any) -> str:
    return re.findall(r'name="token" value="([^"]+)"', page.text)[0]


@pytest.fixture(params=["cookie", "redis"])
def browser(request: pytest.FixtureRequest, browse: Any, redis_url: str) -> Any:
    browser = browse(session="cookie" if request.param == "cookie" else redis_url, after_logout="/bye")
    browser.visit("/")
    return browser


def test_the_session_ends_here_and_at_the_cas_server(browser: Any, cas: Any) -> None:
    stolen = dict(browser.client._cookies)
    answer = browser.request("/logout", "POST", headers=OWN)
    assert answer.status_code == 303
    location = urlsplit(answer.headers["Location"])
    assert answer.headers["Location"].startswith(f"{cas.url}/logout?")
    assert parse_qs(location.query) == {"service": [f"{APP}/bye"]}
    assert browser.request("/").status_code == 302
    browser.client._cookies = stolen
    assert browser.request("/").status_code == 302, "a copy of the cookie outlives the sign-out"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "", "Referer": f"{APP}/account"},
    ],
)
def test_a_link_on_an_own_page_signs_out(browser: Any, headers: dict[str, str]) -> None:
    answer = browser.request("/logout", headers=headers)
    assert answer.status_code == 302
    assert browser.request("/").status_code == 302


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "", "Origin": "null"},
        {"Sec-Fetch-Site": ""},
    ],
)
def test_a_foreign_page_signs_nobody_out(browser: Any, headers: dict[str, str], method: str) -> None:
    page = browser.request("/logout", method, headers=headers)
    assert page.status_code == 200
    assert "Do you want to sign out?" in page.text
    assert browser.request("/").status_code == 200


def test_the_question_can_be_answered(browser: Any) -> None:
    page = browser.request("/logout", headers=FOREIGN)
    assert page.headers["Referrer-Policy"] == "same-origin"
    answer = browser.request(
        "/logout", "POST", data={"token": token_in(page)}, headers={"Sec-Fetch-Site": "", "Origin": "null"}
    )
    assert answer.status_code == 303
    assert browser.request("/").status_code == 302


def test_the_answer_to_somebody_elses_question_does_not_count(browser: Any, browse: Any, clock: Any) -> None:
    other = browse()
    other.visit("/")
    foreign = token_in(other.request("/logout", headers=FOREIGN))
    for token in (foreign, "", "x", foreign + "x"):
        assert browser.request("/logout", "POST", data={"token": token}, headers=FOREIGN).status_code == 200
    old = token_in(browser.request("/logout", headers=FOREIGN))
    clock.now += 3600
    assert browser.request("/logout", "POST", data={"token": old}, headers=FOREIGN).status_code == 200


def test_head_and_prefetch_sign_nobody_out(browser: Any) -> None:
    browser.request("/logout", "HEAD", headers=OWN)
    browser.request("/logout", headers=OWN | {"Sec-Purpose": "prefetch"})
    assert browser.request("/").status_code == 200


def test_other_methods_mean_nothing(browser: Any) -> None:
    answer = browser.request("/logout", "DELETE", headers=OWN)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_signing_out_twice_is_no_error(browser: Any, cas: Any) -> None:
    for _ in range(2):
        assert browser.request("/logout", "POST", headers=OWN).headers["Location"].startswith(f"{cas.url}/logout")


def test_without_a_sign_out_path_the_application_has_it(browse: Any) -> None:
    browser = browse(logout_path=None)
    browser.visit("/")
    assert browser.request("/logout", "POST", headers=OWN).json["path"] == "/logout"


def test_the_store_away_is_said(browse: Any, clock: Any, protect: Any) -> None:
    browser = browse(session="unix:///no/such/socket", redis_timeout=0.2)
    other = browse()
    other.visit("/")
    name = browser.client.application._settings.cookie
    from casduo.middleware.signing import Purpose, Signer

    signer = Signer(browser.client.application._settings.keys, browser.client.application._settings.audience)
    browser.client.set_cookie(name, signer.sign(Purpose.SESSION, "an-id"), domain="app.example.edu", secure=True)
    assert browser.request("/logout", "POST", headers=OWN).status_code == 503
