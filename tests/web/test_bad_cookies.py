"""Cookies and keys of forms that nobody was given: they keep nobody out and let nobody in."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.support.raw import call
from tests.support.site import LIBRARY, PASSWORDS, Site, has_ticket, query
from tests.web.endpoints import ENDPOINTS, TICKET, asking

# Cookies


@pytest.mark.parametrize(
    "cookie",
    [
        "TGC-casduo",
        "TGC-casduo=",
        "TGC-casduo=;;;",
        "=;=",
        "TGC-casduo=x",
        'TGC-casduo="x',
        "TGC-casduo=TGT-abcd-" + "A" * 43,
        "TGC-casduo=ST-abcd-" + "A" * 24,
        "TGC-casduo=" + "A" * 100_000,
        "TGC-casduo=\xff\xfe; casduo-flow=\xe2\x82",
        "TGC-casduo=\u00e9; casduo-flow=%ff%00",
        "casduo-flow=" + "A" * 10_000,
        "casduo-flow=\x00\x01",
        "a=\xff\xff\xff",
        "; ".join(f"c{number}=1" for number in range(2000)),
    ],
)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_broken_cookie_keeps_nobody_out_and_lets_nobody_in(open_site: Site, cookie: str, path: str) -> None:
    service = "service=" + quote(LIBRARY, safe="")
    answer = call(open_site, asking(path), f"/cas{path}", service, HTTP_COOKIE=cookie)
    expected = {"/language": 303, "/logout": 302, "/logout/told": 302, "/duo/callback": 400, "/enroll/back": 302}
    # Without a flow cookie that is one, a page about cookies; with one, the sign-in form.
    assert answer.status == expected.get(path, 200) or (path, answer.status) == ("/login/step", 400)
    assert not TICKET.search(answer.body.decode() + answer.header("Location"))


def test_a_broken_cookie_beside_ours_does_not_hide_it(open_site: Site) -> None:
    browser = open_site.browser()
    browser.sign_in("ada", "")
    cookie = f"theme=\xfc; TGC-casduo={browser.session}; x=\xff"
    answer = call(open_site, query="service=" + quote(LIBRARY, safe=""), HTTP_COOKIE=cookie)
    assert "ticket=ST-" in answer.header("Location")


def test_of_two_session_cookies_one_is_looked_at_and_nothing_is_mixed(open_site: Site) -> None:
    browser = open_site.browser()
    browser.sign_in("ada", "")
    cookie = f"TGC-casduo=TGT-abcd-{'A' * 43}; TGC-casduo={browser.session}"
    answer = call(open_site, query="service=" + quote(LIBRARY, safe=""), HTTP_COOKIE=cookie)
    assert answer.status in (200, 302)


# Keys of forms


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key[:-1],
        lambda key: key + "A",
        lambda key: key[:10] + ("A" if key[10] != "A" else "B") + key[11:],
        lambda key: key.swapcase(),
        lambda key: "s." + key,
        lambda key: key.replace("s.", "r.", 1),
        lambda key: key[2:],
        lambda key: key + "\x00",
        lambda key: key * 5,
        lambda key: "s..",
        lambda key: "r.abcd." + "A" * 26 + ".1",
        lambda key: "r.abcd." + "A" * 26 + ".99999999999999999999",
        lambda key: "r.\u0661bcd.A.\u0661",
        lambda key: "\u00fc",
    ],
)
def test_a_spoiled_key_gives_a_fresh_form_that_works(open_site: Site, spoil: Callable[[str], str]) -> None:
    browser = open_site.browser()
    page = browser.login_page()
    page.forms["login"]["execution"].force_value(spoil(page.forms["login"]["execution"].value))
    again = browser.fill(page, "ada")
    assert again.status_int == 200
    assert not browser.session
    assert again.forms["login"]["service"].value == LIBRARY
    assert has_ticket(browser.fill(again, "ada"))


def test_a_token_of_the_sign_out_is_no_key(open_site: Site) -> None:
    browser = open_site.browser()
    browser.login_page()
    flow = str(browser.app.cookies["casduo-flow"]).strip('"')
    token = open_site.composed.parts.csrf.make(flow, open_site.clock())
    answer = browser.post("/login", {"execution": "s." + token, "username": "ada", "password": PASSWORDS["ada"]})
    assert answer.status_int == 200
    assert not browser.session


def test_the_key_of_the_form_is_no_state_of_duo(open_site: Site) -> None:
    browser = open_site.browser()
    key = browser.login_page().forms["login"]["execution"].value
    answer = browser.get("/duo/callback" + query(state=key, duo_code="x"))
    assert answer.status_int == 400
    assert not browser.session
