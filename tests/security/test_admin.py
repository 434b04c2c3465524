"""The administration pages: nobody changes anything without the role, a form of the session, and fresh Duo."""

from __future__ import annotations

import pytest
from webtest.response import TestResponse

from casduo.endpoints.admin.routes import PAGES
from casduo.endpoints.admin.visit import AdminPage
from casduo.errors import SettingsError
from casduo.mfa.strength import Strength
from casduo.simulators.duo import DuoSimulator
from casduo.tickets.model import LiveSession
from tests.support.site import PASSWORDS, Browser, Build, Site, heading, words
from tests.web import admins
from tests.web.admins import ADMINS, SERVICES, address, admin, changing, lives, opened, post, session_of, token
from tests.web.asking import ask, state

shared, site = admins.shared, admins.site

END = "/admin/sessions/end"
HOSTILE = "<script>alert(1)</script> \u202eturned\u2066 {{ 7 * 7 }} " + "x" * 10_000
every_change = pytest.mark.parametrize("page", changing(), ids=lambda page: page.path)


@pytest.fixture
def victim(site: Site) -> LiveSession:
    """Somebody's session, which nobody may end."""
    return session_of(site, "alan", ("payroll",))


def tried(page: AdminPage, site: Site, browser: Browser, **fields: str) -> TestResponse:
    """Send what would change something, with everything that all of the pages take."""
    waiting = site.composed.parts.approvals.waiting()
    asked = waiting[0] if waiting else ask(site, "alan")
    given = {"user": "alan", "id": "m1", "do": "retry_all", "reason": "why not", **fields}
    answer = browser.post(address(page, asked.id), given)
    assert state(site, asked) == "pending"
    return answer


def untouched(site: Site, victim: LiveSession) -> None:
    """Nothing has been changed, and nobody believes that it has."""
    assert lives(site, victim)
    assert site.journal.named("admin.changed") == []
    assert site.journal.named("signout") == []


# -- who gets in -------------------------------------------------------------------------------------------------------


def test_nobody_gets_in_without_a_session(site: Site) -> None:
    """Apereo 2016-10-24: pages about the inside were open in spite of access rules."""
    for page in opened():
        answer = site.browser().get(address(page))
        assert answer.status_int == 302
        assert answer.headers["Location"].startswith("/cas/login?service=https%3A%2F%2Fsso.example.edu%2Fcas%2Fadmin")


@pytest.mark.parametrize("who", ["linus", "alan"])
def test_nobody_gets_in_without_a_role(site: Site, victim: LiveSession, who: str) -> None:
    """Apereo 2016-10-24: a session is no role, neither for looking nor for changing."""
    browser = admin(site, who)
    for page in PAGES:
        if page.get:
            answer = browser.get(address(page))
            assert answer.status_int == 403
            assert heading(answer) == "You may not do this"
            assert "alan" not in answer.text.replace(f"{who} is not", "")
        if page.post:
            assert tried(page, site, browser, csrf=token(site, browser)).status_int == 403
    untouched(site, victim)
    assert {(event.principal, event.reason) for event in site.journal.named("admin.refused")} == {(who, "role")}
    assert site.journal.named("admin.viewed") == []


def test_a_name_is_compared_whole_and_as_the_sign_in_form_reads_it(site: Site) -> None:
    """CWE-178: a name or group that looks alike is another one."""
    roles = site.composed.parts.rules.admin
    assert roles.role_of("ada", {}) == roles.role_of("Ada", {}) == "change"
    for name in ("", "ADA", "ad", "ada ", "\uff41da", "\u0430da", "ada\u200b", "adam"):
        assert roles.role_of(name, {}) is None
    assert roles.role_of("", {"groups": ("staff",)}) is None
    for group in ("Staff", "staffs", "", "cn=notstaff,dc=example"):
        assert roles.role_of("x", {"groups": (group,)}) is None


def test_without_administrators_there_are_no_such_pages(build: Build) -> None:
    """Apereo 2017-03-06: what nobody has switched on is not there."""
    browser = build(registry=SERVICES).browser()
    browser.sign_in("ada")
    for page in PAGES:
        assert browser.get(address(page)).status_int == 404


@pytest.mark.parametrize(
    "settings",
    [
        "admin: {change: {users: [ada]}}\n",
        "admin: {view: {groups: [staff]}, without_duo: false}\n",
    ],
)
def test_without_duo_the_settings_have_to_say_so(build: Build, settings: str) -> None:
    """CWE-1188: the second factor is not left out by leaving out a section."""
    with pytest.raises(SettingsError, match="without_duo"):
        build(registry=SERVICES, settings=settings)


def test_no_entry_of_the_file_takes_the_place_of_what_protects_the_pages(build: Build) -> None:
    """Apereo 2017-03-06: nobody opens the pages by the file that they edit."""
    own = "  - {id: casduo-admin, name: Mine, url: 'https://sso.example.edu/cas/admin/**'}\n"
    with pytest.raises(SettingsError, match="administration pages"):
        build(registry=SERVICES + own, settings=ADMINS)


def test_a_wide_pattern_of_the_file_does_not_get_the_pages(build: Build) -> None:
    """Apereo 2025-09-25: a wide entry does not give our pages the rules of another application."""
    wide = "  - {id: wide, name: Wide, url: 'https://sso.example.edu/**'}\n"
    site = build(registry=SERVICES + wide, settings=ADMINS)
    names = [entry.id for entry in site.composed.parts.services.current().services]
    assert names.index("casduo-admin") < names.index("wide")


def test_networks_hold_for_looking_and_for_changing(build: Build) -> None:
    """Apereo 2017-03-06: rules about addresses hold for every page and method."""
    site = build(registry=SERVICES, settings=ADMINS.replace("{change", "{networks: [10.0.0.0/8], change"))
    victim, browser = session_of(site, "alan"), admin(site)
    refused = browser.follow(browser.get("/admin/"))
    assert refused.status_int == 403
    assert post(site, browser, END, user="alan").status_int == 403
    untouched(site, victim)


# -- changes -----------------------------------------------------------------------------------------------------------


@every_change
def test_who_may_look_changes_nothing(site: Site, victim: LiveSession, page: AdminPage) -> None:
    """CWE-862: hiding a form is not refusing it."""
    browser = admin(site, "grace")
    answer = tried(page, site, browser, csrf=token(site, browser))
    assert answer.status_int == 403
    assert "not change anything" in words(answer)
    untouched(site, victim)


@every_change
def test_a_form_counts_for_its_session_alone(site: Site, victim: LiveSession, page: AdminPage) -> None:
    """CWE-352: a token of another session, or none, changes nothing."""
    browser, other = admin(site), admin(site)
    for wrong in ("", "x", token(site, other), token(site, admin(site, "grace")), token(site, browser)[::-1]):
        answer = tried(page, site, browser, csrf=wrong)
        assert (answer.status_int, heading(answer)) == (403, "Nothing was changed yet")
        assert "why not" in answer.text
        assert 'name="csrf"' not in answer.text
    untouched(site, victim)
    assert {event.reason for event in site.journal.named("admin.refused")} == {"form"}


@every_change
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.com"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://sso.example.edu"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://sso.example.edu.evil.example.com"},
    ],
)
def test_another_sites_page_changes_nothing(
    site: Site, victim: LiveSession, page: AdminPage, headers: dict[str, str]
) -> None:
    """CWE-352: a right token does not help a page of another site."""
    browser = admin(site)
    fields = {"csrf": token(site, browser), "user": "alan", "do": "retry_all"}
    answer = browser.post(address(page), fields, headers=headers)
    assert answer.status_int == 403
    untouched(site, victim)


@every_change
def test_nothing_is_changed_by_an_address(site: Site, victim: LiveSession, page: AdminPage) -> None:
    """CWE-352: opening an address decides nothing."""
    browser = admin(site)
    browser.get(f"{address(page)}?csrf={token(site, browser)}&user=alan&do=retry_all&id=m1")
    untouched(site, victim)


@every_change
def test_who_has_signed_out_changes_nothing_and_gets_back_what_was_typed(
    site: Site, victim: LiveSession, page: AdminPage
) -> None:
    """CWE-613: a form outlives its session, its right does not."""
    browser = admin(site)
    proof, kept = token(site, browser), browser.session
    browser.post("/logout", {"csrf": proof})
    for cookie in ("", kept):
        browser.app.set_cookie("TGC-casduo", cookie or "x")
        answer = tried(page, site, browser, csrf=proof)
        assert (answer.status_int, heading(answer)) == (403, "Nothing was changed yet")
        assert "why not" in answer.text
    assert site.journal.named("admin.changed") == []
    assert lives(site, victim)


def test_a_password_of_long_ago_is_asked_for_again_where_there_is_no_duo(build: Build) -> None:
    """CWE-613: an open session is not enough for ever."""
    site = build(registry=SERVICES, settings=ADMINS)
    victim, browser = session_of(site, "alan"), admin(site)
    site.clock.advance(1801)
    assert browser.get("/admin/").headers["Location"].startswith("/cas/login?")
    assert heading(post(site, browser, END, user="alan")) == "Nothing was changed yet"
    untouched(site, victim)


# -- Duo ---------------------------------------------------------------------------------------------------------------

WITH_DUO = "admin: {change: {users: [ada]}, view: {users: [alan]}, duo_age: 30m}\n"


@pytest.fixture
def guarded(build: Build, duo_settings: str) -> Site:
    """A server with Duo."""
    return build(settings=duo_settings + WITH_DUO)


def through_duo(browser: Browser, duo: DuoSimulator, prompt: TestResponse) -> TestResponse:
    """Approve, and go where that leads."""
    back = browser.get(duo.visit_prompt(prompt.headers["Location"]))
    return browser.follow(browser.get(back.headers["Location"]))


def test_a_password_alone_opens_nothing(guarded: Site) -> None:
    """CWE-308: the pages are no way round the second factor."""
    browser, victim = admin(guarded), session_of(guarded, "alan")
    for page in opened():
        assert browser.get(address(page)).headers["Location"].startswith("/cas/login?")
    assert heading(post(guarded, browser, END, user="alan")) == "Nothing was changed yet"
    untouched(guarded, victim)


def test_duo_of_long_ago_is_asked_for_again_and_what_was_typed_is_sent_once_more(
    guarded: Site, duo: DuoSimulator
) -> None:
    """CWE-613: Duo of this morning changes nothing in the afternoon."""
    browser, victim = admin(guarded), session_of(guarded, "linus")
    prompt = browser.follow(browser.get(f"{END}?user=linus"))
    page = through_duo(browser, duo, prompt)
    assert heading(page) == "End 1 sign-in?"
    guarded.clock.advance(1801)
    form = page.forms[0]
    form["reason"] = "the laptop was stolen"
    again = form.submit(status="*")
    assert (again.status_int, heading(again)) == (403, "Nothing was changed yet")
    untouched(guarded, victim)
    # Pressed too early.
    assert again.forms[0].submit(status="*").status_int == 403
    opened = browser.get(again.html.find("a", class_="button")["href"].removeprefix("/cas"))
    assert through_duo(browser, duo, browser.follow(opened)).status_int == 200
    assert again.forms[0].submit(status="*").status_int == 303
    assert not lives(guarded, victim)
    assert [event.reason for event in guarded.journal.named("admin.changed")] == ["the laptop was stolen"]


@pytest.mark.parametrize("confirmed", [False, True], ids=["never-confirmed", "confirmed-a-day-ago"])
def test_who_is_let_pass_by_duo_without_a_factor_is_let_in_elsewhere(guarded: Site, *, confirmed: bool) -> None:
    """CWE-308: an account that Duo bypasses, for a lost phone for instance, is no administrator's; nor is it where Duo
    has said yes in this session long ago.
    """
    browser = guarded.browser() if confirmed else admin(guarded, "alan")
    if confirmed:
        live = session_of(guarded, "alan", strength=Strength.duo("duo_push", guarded.clock() - 86_400))
        browser.app.set_cookie("TGC-casduo", str(live.id))
    refused = browser.follow(browser.get("/admin/"))
    while refused.status_int == 303 or refused.status_int == 302:
        refused = browser.follow(browser.get(refused.headers["Location"]))
    assert refused.status_int == 403
    assert "Duo let alan pass without asking" in words(refused)
    assert guarded.journal.named("admin.refused")[-1].reason == "bypass"
    assert guarded.journal.named("admin.viewed") == []


def test_while_duo_is_away_nobody_is_let_in_without(guarded: Site, duo: DuoSimulator) -> None:
    """CWE-636: an outage of Duo opens nothing."""
    duo.stop()
    browser = admin(guarded)
    refused = browser.follow(browser.get("/admin/"))
    assert refused.status_int in (403, 503)
    assert heading(refused) != "Administration"
    assert browser.get("/admin/").status_int == 302


# -- what is shown -----------------------------------------------------------------------------------------------------


def test_hostile_texts_stay_texts_on_every_page(site: Site) -> None:
    """CWE-79: what strangers bring is shown to administrators as text."""
    session_of(site, HOSTILE[:200], ("library",), agent=HOSTILE[:200], address="198.51.100.9")
    browser = admin(site)
    pages = [
        browser.get("/admin/sessions?address=198.51.100.9"),
        browser.get(f"{END}?address=198.51.100.9"),
        *(
            browser.app.get(f"https://sso.example.edu/cas/admin/{path}", {name: HOSTILE[:9000]}, status="*")
            for path, name in (
                ("sessions", "user"),
                ("sessions", "address"),
                ("sessions", "service"),
                ("sessions/end", "user"),
                ("approvals", "show"),
                ("outbox", "done"),
                ("signouts", "service"),
                ("failures", "service"),
                ("audit", "kind"),
                ("audit", "reference"),
                ("audit", "before"),
            )
        ),
        post(site, admin(site, "linus"), END, user=HOSTILE),
        browser.post(END, {"csrf": "x", "user": HOSTILE, HOSTILE[:100]: "x"}),
    ]
    for page in pages:
        assert page.status_int in (200, 403, 422), page.status
        assert "<script>alert" not in page.text
        assert ">49<" not in page.text
        shown = words(page).replace(HOSTILE, "")
        assert page.status_int == 403 or not any(letter in shown for letter in "\u202e\u2066")


def test_no_page_has_what_lets_anybody_in(site: Site, victim: LiveSession) -> None:
    """CWE-200: pages and events show nothing by which a session can be used."""
    browser = admin(site)
    secrets = (str(victim.id), victim.id.fingerprint, browser.session, PASSWORDS["ada"])
    for page in PAGES:
        text = browser.get(address(page) + "?user=alan&service=payroll").text
        assert [secret for secret in secrets if secret in text] == [], page.path
    told = [str(event) for event in site.journal.events]
    assert [secret for secret in secrets for line in told if secret in line] == []


def test_every_page_is_kept_by_nobody_and_framed_by_nobody(site: Site) -> None:
    """CWE-1021: pages cannot be framed, and no cache keeps them."""
    browser = admin(site)
    for page in opened():
        headers = browser.get(address(page) + "?user=alan").headers
        assert headers["Cache-Control"] == "no-store", page.path
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["Referrer-Policy"] == "no-referrer"
