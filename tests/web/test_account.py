"""People's own pages: what they show, what ends by them, and whose it has to be."""

from __future__ import annotations

import re

import pytest
from webtest.response import TestResponse

from casduo.mfa.trust import Trust
from casduo.simulators.duo import DuoSimulator
from casduo.tickets.ids import parse_session_id
from tests.support.redis_servers import CountingRelay
from tests.support.site import BASE, LIBRARY, ORIGIN, PAYROLL, Browser, Build, Site, heading, ticket_of, words
from tests.web.conftest import REGISTRY

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1"
HOSTILE = "<script>alert(1)</script>{{7*7}}\u202e"
END, FORGET = "/account/sessions/end", "/account/browsers/forget"


@pytest.fixture
def site(build: Build) -> Site:
    """A server without Duo."""
    return build(registry=REGISTRY)


def browser_of(site: Site, agent: str = FIREFOX, address: str = "192.0.2.7") -> Browser:
    """Return a browser that says what it is."""
    browser = site.browser()
    browser.app.extra_environ.update({"HTTP_USER_AGENT": agent, "REMOTE_ADDR": address})
    return browser


def signed_in(site: Site, name: str = "ada", agent: str = FIREFOX, address: str = "192.0.2.7") -> Browser:
    browser = browser_of(site, agent, address)
    browser.sign_in(name, "")
    assert browser.session
    return browser


def alive(site: Site, browser: Browser) -> bool:
    session = parse_session_id(browser.session)
    return session is not None and site.composed.parts.tickets.find_session(session) is not None


def press(browser: Browser, page: TestResponse, label: str) -> TestResponse:
    """Press the first button whose name begins so, and go where that leads."""
    for form, element in zip(page.forms.values(), page.html.find_all("form"), strict=False):
        button = element.find("button")
        if (button.get("aria-label") or button.text).strip().startswith(label):
            return browser.follow(form.submit(status="*"))
    raise AssertionError(f"no button {label!r}")


def disowning(browser: Browser, number: int = 0) -> str:
    """Return the address of the page on which a sign-in of the list is disowned, below the server's."""
    rows = browser.get("/account/sign-ins").html.find("tbody").find_all("tr")
    return str(rows[number].find_all("a")[0]["href"]).removeprefix("/cas")


def token(browser: Browser) -> str:
    """Return what this session's forms carry."""
    page = browser.get(disowning(browser))
    return str(page.forms[0]["csrf"].value)


def trust(site: Site, name: str = "ada", agent: str = SAFARI) -> Trust:
    """Have somebody trust a browser."""
    parts = site.composed.parts
    batch, now = parts.store.batch(), site.clock.now
    parts.trusted.trust(batch, name, application="", agent=agent, address="192.0.2.9", at=now, lifetime=86_400)
    batch.run()
    return parts.trusted.of(name, now)[-1]


def result(page: TestResponse) -> str:
    note = page.html.find(id="result")
    assert (note["role"], note["tabindex"]) == ("status", "-1")
    assert note.has_attr("autofocus")
    return str(note.get_text(strip=True))


# Who sees what


@pytest.mark.parametrize("path", ["/account/", "/account/sign-ins", END, FORGET, "/account/sign-ins/" + "0" * 16])
def test_the_pages_want_somebody_who_is_signed_in_and_signing_in_leads_back(site: Site, path: str) -> None:
    browser = browser_of(site)
    back = browser.fill(browser.follow(browser.get(path)), "ada")
    assert back.headers["Location"].startswith(f"{BASE}{path}?ticket=ST-")
    assert browser.get(back.headers["Location"]).headers["Location"] == f"/cas{path}"


def test_the_page_of_the_signed_in_leads_there_and_a_slash_does_no_harm(site: Site) -> None:
    browser = signed_in(site)
    assert browser.get("/login").html.find("a", string="My account")["href"] == "/cas/account/"
    assert browser.get("/account").headers["Location"] == "/cas/account/"


def test_sessions_are_told_in_words_the_own_one_first(site: Site) -> None:
    other = signed_in(site, agent=SAFARI, address="192.0.2.9")
    site.validate(ticket_of(other.login_page(LIBRARY)))
    signed_in(site, "grace")
    site.clock.advance(600)
    page = signed_in(site).get("/account/")
    rows = [" ".join(row.get_text(" ").split()) for row in page.html.find("tbody").find_all("tr")]
    assert [row.split(" from ")[0] for row in rows] == ["Firefox on Linux", "Safari on iPhone"]
    assert "This session" in rows[0]
    assert "192.0.2.9" in rows[1]
    assert "Library catalogue" in rows[1]
    assert "Password" in rows[1]
    assert page.headers["Cache-Control"] == "no-store"
    assert len(page.html.find_all("time")) > 5


def test_no_page_holds_an_id_that_is_good_for_anything(site: Site) -> None:
    other, browser = signed_in(site, agent=SAFARI), signed_in(site)
    ticket = ticket_of(other.login_page(LIBRARY))
    site.validate(ticket)
    trusted = trust(site)
    text = browser.get("/account/").text + browser.get("/account/sign-ins").text + browser.get(END).text
    for one in (browser, other):
        session = parse_session_id(one.session)
        assert session is not None
        assert session.text not in text
        assert session.fingerprint not in text
    assert ticket not in text
    assert trusted.name not in text
    assert "TGT-" not in text


def test_what_a_browser_calls_itself_reaches_no_page(site: Site) -> None:
    signed_in(site, agent=HOSTILE)
    browser = signed_in(site)
    trust(site, agent=HOSTILE)
    for path in ("/account/", "/account/sign-ins"):
        page = browser.get(path)
        assert "Unknown browser" in words(page)
        assert "alert" not in page.text
        assert "49" not in words(page).split()


# Ending sessions


def test_a_session_that_is_ended_is_over_at_once_and_its_applications_are_told(site: Site) -> None:
    other, browser = signed_in(site, agent=SAFARI), signed_in(site)
    site.validate(ticket_of(other.login_page(LIBRARY)))
    page = press(browser, browser.get("/account/"), "End session on Safari on iPhone, since ")
    assert result(page).startswith("The session was ended.")
    assert not alive(site, other)
    assert alive(site, browser)
    assert heading(other.login_page("")) == "Sign in"
    (event,) = site.journal.named("signout")
    assert (event.principal, event.cause, event.sessions) == ("ada", "user", 1)
    assert len(site.composed.parts.store.command("KEYS", "casduo:*:signout:*")) == 1
    assert "You are signed in nowhere else." in words(browser.get("/account/"))


def test_all_others_end_after_a_question(site: Site) -> None:
    others, browser = [signed_in(site, agent=SAFARI), signed_in(site)], signed_in(site)
    stranger = signed_in(site, "grace")
    page = browser.get(ORIGIN + browser.get("/account/").html.find("a", string="End all other sessions")["href"])
    assert heading(page) == "End all other sessions?"
    assert "2 other sessions end at once" in words(page)
    assert all(alive(site, one) for one in others)
    assert result(press(browser, page, "End all other sessions")).startswith("All other sessions were ended.")
    assert not any(alive(site, one) for one in others)
    assert alive(site, browser)
    assert alive(site, stranger)
    assert browser.get(END).headers["Location"] == "/cas/account/?done=gone"


def test_pressing_twice_is_harmless(site: Site) -> None:
    signed_in(site, agent=SAFARI)
    browser = signed_in(site)
    page = browser.get("/account/")
    press(browser, page, "End session")
    assert result(press(browser, page, "End session")).startswith("There was nothing left to do")
    assert len(site.journal.named("signout")) == 1


def test_nobody_ends_what_is_somebody_else_s(site: Site) -> None:
    victim, browser = signed_in(site, "grace"), signed_in(site)
    session = parse_session_id(victim.session)
    assert session is not None
    browsers = trust(site, "grace")
    csrf = token(browser)
    for name in (session.fingerprint[:16], session.fingerprint, session.name.text, "", "*"):
        answer = browser.post(END, {"csrf": csrf, "session": name})
        assert answer.headers["Location"] == "/cas/account/?done=gone"
    for name in (browsers.name, browsers.name[:16], ""):
        answer = browser.post(FORGET, {"csrf": csrf, "browser": name})
        assert answer.headers["Location"] == "/cas/account/?done=gone"
    line = disowning(victim)
    assert browser.post(line, {"csrf": csrf}).headers["Location"] == "/cas/account/sign-ins?done=gone"
    assert alive(site, victim)
    assert site.composed.parts.trusted.of("grace", site.clock.now)
    assert site.journal.named("signout") == site.journal.named("signin.disowned") == []


def test_a_form_has_to_be_one_of_this_session_and_of_this_site(site: Site) -> None:
    other, browser = signed_in(site, agent=SAFARI), signed_in(site)
    foreign, line = token(other), disowning(browser, 1)
    for path, fields in ((END, {"session": "all"}), (FORGET, {"browser": "all"}), (line, {})):
        for csrf in ("", "made-up", foreign):
            answer = browser.post(path, {**fields, "csrf": csrf})
            assert answer.headers["Location"].endswith("?done=stale")
        for headers in ({"Origin": "https://evil.example.net"}, {"Sec-Fetch-Site": "cross-site"}):
            assert browser.post(path, {**fields, "csrf": token(browser)}, headers=headers).status_int == 403
        browser.get(f"{path}?session=all&browser=all&csrf={token(browser)}")
    assert alive(site, other)
    assert site.journal.named("signin.disowned") == []
    assert "out of date" in result(browser.get("/account/?done=stale"))


def test_a_form_of_before_a_sign_out_leads_to_the_sign_in(site: Site) -> None:
    other, browser = signed_in(site, agent=SAFARI), signed_in(site)
    page = browser.get("/account/")
    browser.get("/logout")
    assert heading(press(browser, page, "End session")) == "Sign in"
    browser.sign_in("ada", "")
    assert "out of date" in result(press(browser, page, "End session"))
    assert alive(site, other)


def test_a_word_that_no_form_led_to_is_not_said(site: Site) -> None:
    assert signed_in(site).get("/account/?done=Your+password+is+wrong").html.find(id="result") is None


# Trusted browsers


def test_trust_in_browsers_ends_one_by_one_and_all_together(build: Build, duo_settings: str) -> None:
    site = build(settings=duo_settings)
    browser = signed_in(site)
    for agent in (SAFARI, FIREFOX, ""):
        trust(site, agent=agent)
    trust(site, "grace")
    page = press(browser, browser.get("/account/"), "Stop trusting Safari on iPhone, since ")
    assert result(page).startswith("The browser is no longer trusted.")
    assert [one.agent for one in site.composed.parts.trusted.of("ada", site.clock.now)] in (
        [FIREFOX, ""],
        ["", FIREFOX],
    )
    page = press(browser, browser.get(FORGET), "Stop trusting all browsers")
    assert result(page).startswith("No browser is trusted any more.")
    assert site.composed.parts.trusted.of("ada", site.clock.now) == []
    assert len(site.composed.parts.trusted.of("grace", site.clock.now)) == 1
    assert [event.browsers for event in site.journal.named("trust.forgotten")] == [1, 2]


# Recent sign-ins


def test_failed_attempts_are_listed_and_those_of_an_hour_are_one_line(site: Site) -> None:
    thief = browser_of(site, SAFARI, "203.0.113.9")
    for _ in range(3):
        thief.fill(thief.login_page(), "ada", "wrong")
    page = signed_in(site).get("/account/sign-ins")
    rows = [" ".join(row.get_text(" ").split()) for row in page.html.find("tbody").find_all("tr")]
    assert [row.split(" When ")[0] for row in rows] == [
        "Signed in with password",
        "Wrong password for Library catalogue",
    ]
    assert "3 times since" in rows[1]
    assert "Safari on iPhone from 203.0.113.9" in rows[1]


def test_names_that_nobody_has_leave_what_known_ones_leave(site: Site) -> None:
    browser, store = browser_of(site), site.composed.parts.store
    browser.fill(browser.login_page(), "grace", "wrong")
    made = []
    for name in ("linus", "nobody"):
        before = set(store.command("KEYS", "*"))
        browser.fill(browser.login_page(), name, "wrong")
        made.append(sorted(set(store.command("KEYS", "*")) - before))
    kinds = [{re.sub(r"casduo:|{\w+}:|:\w{20,}", "", key): key for key in keys} for keys in made]
    assert kinds[0].keys() == kinds[1].keys()
    assert "{u}:signins.guessed" in kinds[0]
    for kind in kinds[0]:
        lives = [int(store.command("PTTL", found[kind])) for found in kinds]
        assert abs(lives[0] - lives[1]) < 60_000


def test_this_was_not_me_ends_everything_else_and_tells(site: Site) -> None:
    thief = signed_in(site, agent=SAFARI, address="203.0.113.9")
    trust(site)
    site.clock.advance(60)
    browser = signed_in(site)
    line = disowning(browser, 1)
    page = browser.get(line)
    assert "All your other sessions end" in words(page)
    assert alive(site, thief)
    done = press(browser, page, "This was not me")
    assert heading(done) == "Thank you for telling us"
    assert "Change your password" in words(done)
    assert not alive(site, thief)
    assert alive(site, browser)
    assert site.composed.parts.trusted.of("ada", site.clock.now) == []
    (event,) = site.journal.named("signin.disowned")
    assert (event.outcome, event.origin, event.sessions, event.browsers) == ("signed_in", "203.0.113.9", 1, 1)
    assert (event.about.address, event.about.agent) == ("192.0.2.7", "Firefox on Linux")
    (violation,) = site.journal.named("policy.violation")
    assert (violation.rule, violation.principal) == ("disowned", "ada")
    assert "203.0.113.9" in violation.detail
    assert "You said that this was not you." in words(browser.get("/account/sign-ins"))


def test_saying_it_twice_ends_nothing_twice(site: Site) -> None:
    signed_in(site, agent=SAFARI, address="203.0.113.9")
    site.clock.advance(60)
    browser = signed_in(site)
    page = browser.get(disowning(browser, 1))
    press(browser, page, "This was not me")
    again = signed_in(site, agent=SAFARI)
    assert heading(press(browser, page, "This was not me")) == "Thank you for telling us"
    assert alive(site, again)
    assert len(site.journal.named("signin.disowned")) == 1


def test_a_wrong_password_that_was_not_mine_ends_nothing(site: Site) -> None:
    thief = browser_of(site, SAFARI, "203.0.113.9")
    thief.fill(thief.login_page(), "ada", "wrong")
    site.clock.advance(60)
    other, browser = signed_in(site, agent=SAFARI), signed_in(site)
    trust(site)
    page = browser.get(disowning(browser, -1))
    assert "Nobody came in" in words(page)
    assert heading(press(browser, page, "This was not me")) == "Thank you for telling us"
    assert alive(site, other)
    assert site.composed.parts.trusted.of("ada", site.clock.now)
    assert site.journal.named("signin.disowned")[0].guessed
    assert site.journal.named("policy.violation") == []


def test_too_many_within_an_hour_are_not_taken(site: Site) -> None:
    for number in range(6):
        signed_in(site, address=f"203.0.113.{number}")
        site.clock.advance(1)
    browser = signed_in(site)
    for number in range(1, 6):
        press(browser, browser.get(disowning(browser, number)), "This was not me")
    last = signed_in(site, agent=SAFARI)
    page = browser.get(disowning(browser, -1))
    answer = browser.post(disowning(browser, -1), {"csrf": page.forms[0]["csrf"].value})
    assert answer.status_int == 429
    assert "several sign-ins within the hour" in words(answer)
    assert alive(site, last)


# Duo


def test_devices_are_named_to_those_who_have_shown_one(build: Build, duo: DuoSimulator, duo_settings: str) -> None:
    site = build(settings=duo_settings)
    browser = signed_in(site)
    weak = browser.get("/account/duo")
    assert "Duo knows 1 device of yours." in words(weak)
    assert weak.html.find("ul", {"class": "devices"}) is None
    browser.get(duo.visit_prompt(browser.login_page(PAYROLL).headers["Location"]))
    assert len(browser.get("/account/duo").html.find("ul", {"class": "devices"}).find_all("li")) == 1
    page = browser.get("/account/sign-ins")
    assert "Confirmed with Duo" in words(page)
    assert "You last confirmed a sign-in with Duo on" in words(browser.get("/account/"))
    assert "Duo knows no device of yours" in words(signed_in(site, "grace").get("/account/duo"))
    assert "does not let you in" in words(signed_in(site, "linus").get("/account/duo"))
    duo.stop()
    away = browser.get("/account/duo")
    assert (away.status_int, away.headers["Retry-After"]) == (503, "10")
    assert "Duo cannot be asked" in words(away)
    assert browser.get("/account/").status_int == 200


def test_without_duo_there_is_no_page_for_it(site: Site) -> None:
    browser = signed_in(site)
    assert browser.get("/account/duo").status_int == 404
    assert "Duo" not in words(browser.get("/account/"))


# Redis


def test_while_redis_is_away_the_pages_say_so_and_lead_back(build: Build, relay: CountingRelay) -> None:
    site = build(redis_url=relay.url, registry=REGISTRY)
    other, browser = signed_in(site, agent=SAFARI), signed_in(site)
    page, line = browser.get("/account/"), disowning(browser)
    relay.cut()
    for path in ("/account/", "/account/sign-ins", line):
        answer = browser.get(path)
        assert (answer.status_int, answer.headers["Retry-After"]) == (503, "10")
        assert answer.html.find("a", {"href": f"/cas{path}"})
    assert press(browser, page, "End session").status_int == 503
    relay.mend()
    assert alive(site, other)
    assert result(press(browser, page, "End session")).startswith("The session was ended.")


def test_the_operators_entry_may_want_a_fresh_password(build: Build) -> None:
    """Where ending sessions is to take the password anew, the entry of these pages says how old it may be."""
    place = "https://sso.example.edu/cas/account/**"
    own = f"  - {{id: casduo-account, name: Mine, url: '{place}', session: {{lifetime: 10m}}}}\n"
    site = build(registry=REGISTRY + own)
    other, ada = signed_in(site, agent=SAFARI), signed_in(site)
    csrf = token(ada)
    assert ada.get("/account/").status_int == 200
    site.clock.advance(601)
    assert "/login?service=" in ada.get("/account/").headers["Location"]
    assert "/login?service=" in ada.post(END, {"session": "all", "csrf": csrf}).headers["Location"]
    assert alive(site, other)
