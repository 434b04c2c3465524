"""Trusted browsers, and what else is written on a session: for one person, for a while, where services take it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from casduo.mfa.strength import DUO_BYPASS, UNAVAILABLE, UNENROLLED, Strength
from casduo.simulators.duo import DuoSimulator
from tests.security.steps import names, session_of, signed_in
from tests.support.desk import Desk
from tests.support.portal import ask_proxy, refusal_of
from tests.support.pushing import look_again, press, settled, working
from tests.support.rest import REST, Program
from tests.support.site import LIBRARY, PASSWORDS, Browser, Build, Site, has_ticket, ticket_of
from tests.support.wires import WIRES, change_registry
from tests.worker.working import eventually

KIOSK = "https://kiosk.example.edu/"
CANTEEN = "https://canteen.example.edu/"
BANK = "https://bank.example.edu/"
FRESH = "https://fresh.example.edu/"
CLINIC = "https://clinic.example.edu/"
HOURS = "https://hours.example.edu/"
NOTES = "https://notes.example.edu/"
LAX_RULES = "https://lax.example.edu/"
REGISTRY = """
services:
  - {id: library, name: Library catalogue, url: "https://library.example.edu/**"}
  - {id: kiosk, name: Kiosk, url: "https://kiosk.example.edu/**", requires_duo: {trusted_browser: 30d}}
  - {id: canteen, name: Canteen, url: "https://canteen.example.edu/**", requires_duo: {trusted_browser: 1d}}
  - {id: bank, name: Bank, url: "https://bank.example.edu/**", requires_duo: {trusted_browser: false}}
  - {id: fresh, name: Fresh, url: "https://fresh.example.edu/**", requires_duo: {trusted_browser: 30d, max_age: 5m}}
  - {id: clinic, name: Clinic, url: "https://clinic.example.edu/**",
     requires_duo: {application: clinic, trusted_browser: 30d}}
  - {id: hours, name: Hours, url: "https://hours.example.edu/**", requires_duo: {fail: open}}
  - {id: notes, name: Notes, url: "https://notes.example.edu/**"}
  - {id: lax, name: Lax, url: "https://lax.example.edu/**", requires_duo: {mode: optional}}
  - id: portal
    name: Portal
    url: https://portal.example.edu/**
    proxy: {allow: true, callback: "https://portal.example.edu/pgt"}
"""


@pytest.fixture
def duo(duo: DuoSimulator) -> DuoSimulator:
    duo.settings.poll_hold = 0.3
    return duo


@pytest.fixture
def settings(duo: DuoSimulator) -> str:
    keys = duo.add_application()
    return (
        f"duo: {{api_host: '{duo.api_host}', ca_file: {duo.ca_file}, breaker: {{failures: 2, pause: 10s}},\n"
        f"  universal: {{client_id: {keys.integration_key}, client_secret: {keys.secret_key}}},\n"
        "  prompt: push, request_parameter: authn_method, applications: {clinic: {}}}\n"
    )


@pytest.fixture
def site(build: Build, settings: str) -> Iterator[Site]:
    site = build(registry=REGISTRY, settings=settings + REST)
    with working(site):
        yield site


def trusting(site: Site, duo: DuoSimulator, service: str = KIOSK) -> Browser:
    """A browser that ada trusts; the session in it is over."""
    browser = site.browser()
    question = press(browser, browser.sign_in("ada", service), passcode=duo.phone("ada").passcode())
    assert has_ticket(press(browser, question, trust="yes"))
    browser.forget_session()
    return browser


def with_cookie_of(browser: Browser, site: Site) -> Browser:
    """Another browser, with a copy of the trust cookie."""
    other = site.browser()
    other.app.set_cookie("casduo-trust", str(browser.app.cookies["casduo-trust"]).strip('"'))
    return other


def test_a_trusted_browser_is_one_for_its_person_alone(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2019-11-24: a mark that does not belong to its user is everybody's. Other spellings are one person."""
    duo.add_user("alan")
    browser = trusting(site, duo)
    thief = with_cookie_of(browser, site)
    assert not has_ticket(thief.sign_in("alan", KIOSK))
    assert has_ticket(thief.fill(site_login(thief, KIOSK), "ADA", PASSWORDS["ada"]))


def site_login(browser: Browser, service: str, **parameters: str) -> object:
    browser.forget_session()
    return browser.login_page(service, **parameters)


def test_a_trusted_browser_is_no_password(site: Site, duo: DuoSimulator) -> None:
    """CVE-2023-4612: a trusted device stands for the second factor, never for the first."""
    browser = trusting(site, duo)
    assert browser.login_page(KIOSK).forms["login"]
    assert not has_ticket(browser.fill(browser.login_page(KIOSK), "ada", "wrong"))
    assert not has_ticket(browser.login_page(KIOSK, gateway="true"))


def test_a_trusted_browser_opens_only_what_takes_it_for_as_long_as_that_takes_it(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2018-09-26: each entry judges for itself: none at all, a shorter while, a greater age, another application
    of Duo; and ``renew`` asks all the same.
    """
    browser = trusting(site, duo)
    for service in (BANK, CLINIC, HOURS):
        assert not has_ticket(browser.sign_in("ada", service)), service
        browser.forget_session()
    assert not has_ticket(browser.sign_in("ada", KIOSK, renew="true"))
    browser.forget_session()
    site.clock.advance(301)
    assert not has_ticket(browser.sign_in("ada", FRESH))
    browser.forget_session()
    site.clock.advance(86400)
    assert not has_ticket(browser.sign_in("ada", CANTEEN))
    browser.forget_session()
    assert has_ticket(browser.sign_in("ada", KIOSK))
    # The session says when Duo was passed, not when the browser was recognised.
    assert not has_ticket(browser.login_page(CANTEEN))
    assert not has_ticket(browser.login_page(BANK))
    site.clock.advance(29 * 86400)
    browser.forget_session()
    assert not has_ticket(browser.sign_in("ada", KIOSK))


def test_what_lets_a_trusted_browser_in_does_not_make_it_trusted_for_longer(site: Site, duo: DuoSimulator) -> None:
    """CVE-2023-4612: the time of a trust runs from Duo's yes; visits do not push it on."""
    browser = trusting(site, duo)
    cookie = browser.app.cookies["casduo-trust"]
    for _ in range(3):
        site.clock.advance(9 * 86400)
        assert has_ticket(browser.sign_in("ada", KIOSK))
        browser.forget_session()
    assert browser.app.cookies["casduo-trust"] == cookie
    site.clock.advance(4 * 86400)
    assert not has_ticket(browser.sign_in("ada", KIOSK))


@pytest.mark.parametrize("why", ["forgotten", "changed", "unsigned", "of another kind"])
def test_a_trust_that_was_taken_back_or_made_up_is_none(site: Site, duo: DuoSimulator, why: str) -> None:
    """CVE-2023-4612: what a client says of itself. A copy of the cookie ends with what it was a copy of."""
    browser = trusting(site, duo)
    parts, copied = site.composed.parts, with_cookie_of(browser, site)
    value = str(copied.app.cookies["casduo-trust"]).strip('"')
    match why:
        case "forgotten":
            assert parts.trusted.forget_all("ada") == 1
        case "changed":
            copied.app.set_cookie("casduo-trust", value[:-1] + ("A" if value[-1] != "A" else "B"))
        case "unsigned":
            copied.app.set_cookie("casduo-trust", value.partition(".")[0])
        case "of another kind":
            form = copied.login_page(KIOSK).forms["login"]["execution"].value
            copied.app.set_cookie("casduo-trust", form.removeprefix("s."))
    assert not has_ticket(copied.sign_in("ada", KIOSK))


def test_a_reported_push_ends_every_trust(site: Site, duo: DuoSimulator) -> None:
    """CVE-2023-4612: whoever has the password may have had a browser trusted before the owner noticed."""
    thief = trusting(site, duo)
    page = thief.sign_in("ada", BANK)
    page = press(thief, page, passcode="push")
    duo.phone("ada").report_fraud()
    settled(thief, page)
    thief.forget_session()
    assert not has_ticket(thief.sign_in("ada", KIOSK))
    assert site.composed.parts.trusted.of("ada", site.clock()) == []


def test_a_push_that_is_reported_at_the_browser_ends_every_trust_too(site: Site, duo: DuoSimulator) -> None:
    """CVE-2023-4612: the same report by the button of the page, which ends every session (docs/duo.md: it forgets the
    trusted browsers).
    """
    thief, owner = trusting(site, duo), site.browser()
    page = owner.sign_in("ada", BANK)
    duo.phone("ada").deny()
    press(owner, settled(owner, page), report="1")
    assert not has_ticket(thief.sign_in("ada", KIOSK))


def test_a_report_at_the_browser_ends_every_trust_also_where_sessions_go_on(
    build: Build, settings: str, duo: DuoSimulator
) -> None:
    """CVE-2023-4612: ``end_sessions_on_fraud`` speaks of sessions alone."""
    site = build(registry=REGISTRY, settings=settings.replace("duo: {", "duo: {end_sessions_on_fraud: false, ") + REST)
    with working(site):
        thief, owner = trusting(site, duo), site.browser()
        page = owner.sign_in("ada", BANK)
        duo.phone("ada").deny()
        press(owner, settled(owner, page), report="1")
        thief.forget_session()
        assert not has_ticket(thief.sign_in("ada", KIOSK))


def test_signing_out_everywhere_ends_every_trust(site: Site, duo: DuoSimulator) -> None:
    """CVE-2023-4612: a laptop was stolen, and its owner presses "sign out everywhere" at another computer."""
    stolen, owner = trusting(site, duo), signed_in(site)
    page = owner.login_page("")
    form = next(each for each in page.forms.values() if "everywhere" in each.fields)
    form.submit(status="*")
    assert not owner.session or not has_ticket(owner.login_page(LIBRARY))
    assert not has_ticket(stolen.sign_in("ada", KIOSK))


def test_nobody_is_trusted_by_a_link_or_by_a_page_of_somebody_else(site: Site, duo: DuoSimulator) -> None:
    """CVE-2015-9284: a browser is trusted by its person's own press, not by an address that was opened."""
    browser = site.browser()
    question = press(browser, browser.sign_in("ada", KIOSK), passcode=duo.phone("ada").passcode())
    browser.get(question.request.url + "&trust=yes")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.com"}):
        fields = {"execution": question.forms[0]["execution"].value, "trust": "yes"}
        assert browser.post("/login", fields, headers=headers).status_int == 403
    assert not browser.app.cookies.get("casduo-trust")
    assert site.composed.parts.trusted.of("ada", site.clock()) == []
    press(browser, question, trust="no")
    assert not browser.app.cookies.get("casduo-trust")


def test_duos_yes_counts_on_a_session_that_was_there_before_the_page_about_trust(site: Site, duo: DuoSimulator) -> None:
    """Apereo PR 5522, 3482, 3488: what came back from Duo was lost to the session. The ticket has to be worth what the
    person has just proved.
    """
    browser = signed_in(site)
    page = browser.follow(browser.login_page(KIOSK))
    question = press(browser, page, passcode=duo.phone("ada").passcode())
    answer = press(browser, question, trust="no")
    assert b"authenticationSuccess" in site.validate(ticket_of(answer), KIOSK).body


# Marks of sessions, at every way to a ticket


@pytest.mark.parametrize(
    ("mark", "closed"),
    [
        ("none", {KIOSK, CANTEEN, BANK, FRESH, CLINIC, HOURS, LAX_RULES}),
        ("unavailable", {KIOSK, CANTEEN, BANK, FRESH, CLINIC, LAX_RULES}),
        ("duo_bypass", set()),
        ("unenrolled", {KIOSK, CANTEEN, BANK, FRESH, CLINIC, HOURS}),
        ("trusted", {BANK, CLINIC, HOURS, LAX_RULES}),
        ("trusted for clinic", {BANK, HOURS, LAX_RULES}),
        ("trusted long ago", {CANTEEN, BANK, FRESH, CLINIC, HOURS, LAX_RULES}),
        ("duo", {CLINIC}),
        ("duo of the future", {KIOSK, CANTEEN, BANK, FRESH, CLINIC, HOURS, LAX_RULES}),
        ("trusted in the future", {KIOSK, CANTEEN, BANK, FRESH, CLINIC, HOURS, LAX_RULES}),
    ],
)
def test_a_mark_on_a_session_is_worth_the_same_at_every_way_to_an_application(
    site: Site, duo: DuoSimulator, mark: str, closed: set[str]
) -> None:
    """Apereo 2018-09-26: every address that validates, and the one for proxy tickets, asks what the login asks."""
    now = site.clock()
    marks = {
        "none": Strength(),
        "unavailable": Strength.bypassed(UNAVAILABLE, now),
        "duo_bypass": Strength.bypassed(DUO_BYPASS, now),
        "unenrolled": Strength.bypassed(UNENROLLED, now),
        "trusted": Strength.trusted(now - 60),
        "trusted for clinic": Strength.trusted(now - 60, "clinic"),
        "trusted long ago": Strength.trusted(now - 3 * 86400),
        "duo": Strength.duo("push", now - 60),
        "duo of the future": Strength.duo("push", now + 3600),
        "trusted in the future": Strength.trusted(now + 3600),
    }
    parts = site.composed.parts
    desk = Desk(parts.tickets, parts.store)
    services = {
        "kiosk": KIOSK, "canteen": CANTEEN, "bank": BANK, "fresh": FRESH, "clinic": CLINIC, "hours": HOURS,
        "lax": LAX_RULES,
    }  # fmt: skip
    for entry, service in services.items():
        for wire in WIRES:
            session = session_of(site, "ada", strength=marks[mark])
            batch = parts.store.batch()
            granting = parts.tickets.grant_service_ticket(batch, session, service, entry, primary=True, now=now)
            batch.run()
            answer = wire.ask(site, {"service": service, "ticket": str(granting.id)})
            if "future" in mark or (mark == "trusted long ago" and service == FRESH):
                # Whether Duo's yes is young enough the login that the ticket comes from has looked at.
                continue
            assert names(answer) == wire.accepts(answer) == (service not in closed), (wire.name, service)
        session = session_of(site, "ada", strength=marks[mark])
        pgt = str(desk.proxy_granting(session))
        assert (refusal_of(ask_proxy(site, {"pgt": pgt, "targetService": service})) != "") == (service in closed)


def test_a_program_gets_a_ticket_for_duos_yes_alone(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2018-09-26: bypasses and trusted browsers are for people who stand at a door; a program has none."""
    program, now = Program(site), site.clock()
    for strength in (
        Strength(),
        Strength.trusted(now),
        Strength.trusted(now, "clinic"),
        *(Strength.bypassed(why, now) for why in (UNAVAILABLE, DUO_BYPASS, UNENROLLED)),
    ):
        for service in (KIOSK, CANTEEN, BANK, FRESH, CLINIC, HOURS, LAX_RULES):
            session = str(session_of(site, "ada", strength=strength))
            assert program.ticket(session, service).status == 403
    yes = str(session_of(site, "ada", strength=Strength.duo("push", now)))
    assert program.ticket(yes, KIOSK).status == 200
    assert program.ticket(yes, CLINIC).status == 403


def test_a_bypass_is_asked_again_at_the_next_login_and_hides_no_yes(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2018-09-26: an outage lets somebody in once. As soon as Duo is back the same service asks."""
    browser = site.browser()
    duo.stop_listening()
    assert has_ticket(browser.sign_in("ada", HOURS))
    assert not has_ticket(browser.login_page(BANK))
    duo.listen_again()
    store = site.composed.parts.store
    for key in store.command("KEYS", "casduo:{breaker:*"):
        store.command("DEL", key)
    page = browser.follow(browser.login_page(HOURS))
    assert not has_ticket(page)
    assert "execution" in page.text
    assert look_again(browser, page).status_int == 200


def test_a_bypass_of_an_outage_ends_with_it_for_proxies_too(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2018-09-26: whoever was let in while Duo was away is asked at the next login. A portal must not go on for
    them all day.
    """
    session = session_of(site, "ada", strength=Strength.bypassed(UNAVAILABLE, site.clock()))
    pgt = str(Desk(site.composed.parts.tickets, site.composed.parts.store).proxy_granting(session))
    site.clock.advance(3600)
    assert refusal_of(ask_proxy(site, {"pgt": pgt, "targetService": HOURS})) == "UNAUTHORIZED_SERVICE"


def test_the_note_of_an_outage_reaches_no_service_that_stays_closed(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2018-09-26: the registry is made stricter while a ticket is on its way."""
    browser = site.browser()
    duo.stop_listening()
    ticket = ticket_of(browser.sign_in("ada", HOURS))
    change_registry(site, "{fail: open}", "{fail: closed}")
    eventually(lambda: site.composed.parts.services.current().by_id("hours") is not None)
    assert b"INVALID_AUTHENTICATION_CONTEXT" in site.validate(ticket, HOURS).body


def test_a_login_that_was_ended_under_way_trusts_no_browser(site: Site, duo: DuoSimulator) -> None:
    """CVE-2023-4612: what ends everywhere forgets the trusted browsers; a login that waits behind Duo's yes must not
    add one afterwards.
    """
    owner, thief = site.browser(), site.browser()
    home = press(owner, owner.sign_in("ada", BANK), passcode=duo.phone("ada").passcode())
    assert has_ticket(home)
    question = press(thief, thief.sign_in("ada", KIOSK), passcode=duo.phone("ada").passcode())
    site.clock.advance(5)
    page = owner.get("/login")
    form = next(form for form in page.forms.values() if "everywhere" in form.fields)
    owner.follow(form.submit(status="*"))
    site.clock.advance(5)
    assert not has_ticket(press(thief, question, trust="yes"))
    assert "casduo-trust" not in thief.app.cookies
    assert not has_ticket(thief.sign_in("ada", KIOSK))
