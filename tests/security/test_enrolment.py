"""Registering a device: a password alone never puts a phone beside somebody's own, and no link leads astray."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from tests.enrollment.conftest import CLINIC, PAYROLL, REGISTRY, Desk, Enroller, code_of, service_of
from tests.security.steps import CRAFTED
from tests.support.site import BASE, LIBRARY, ORIGIN, Build, has_ticket, heading

EVIL = "https://evil.example.com/"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(float(int(time.time())))


@pytest.fixture
def duo(authority: CertificateAuthority, clock: VirtualClock) -> Iterator[DuoSimulator]:
    """Ada has a phone, linus an account without a device, alan passes unasked, and grace is unknown."""
    with DuoSimulator(authority.issue(), clock, wall_clock=time.time) as simulator:
        simulator.add_user("ada")
        simulator.add_user("alan", "bypass")
        simulator.add_user("linus", devices=[])
        yield simulator


def make(build: Build, duo: DuoSimulator, clock: VirtualClock, *, registry: str = REGISTRY, more: str = "") -> Desk:
    web, api, admin = (
        duo.add_application(redirect_uris=[f"{BASE}/duo/callback"]),
        duo.add_application("authapi"),
        duo.add_application("admin"),
    )
    settings = (
        f"duo: {{api_host: '{duo.api_host}', ca_file: {duo.ca_file}, breaker: {{failures: 2, pause: 10s}},\n"
        f"  universal: {{client_id: {web.integration_key}, client_secret: {web.secret_key}}},\n"
        f"  auth_api: {{integration_key: {api.integration_key}, secret_key: {api.secret_key}}},\n"
        f"  admin_api: {{integration_key: {admin.integration_key}, secret_key: {admin.secret_key}}},\n"
        f"  applications: {{clinic: {{}}}}{more}}}\n"
    )
    return Desk(build(settings=settings, registry=registry), duo, clock)


@pytest.fixture
def desk(build: Build, duo: DuoSimulator, clock: VirtualClock) -> Desk:
    return make(build, duo, clock)


def codes_made(desk: Desk) -> int:
    paths = [str(each.path) for each in desk.duo.requests()]
    return sum(path == "/auth/v2/enroll" or path.endswith("/activation_url") for path in paths)


def made_by(browser: Enroller) -> list[str]:
    """What a browser has got of codes by every address of the pages."""
    pages = [browser.go("/enroll/"), browser.go("/enroll/code"), browser.get("/enroll/status")]
    return [found for page in pages for found in re.findall(r"duo://[^\s<\"]+", page.text)]


# A stolen password


def test_a_stolen_password_does_not_register_a_phone_beside_the_owners(desk: Desk) -> None:
    """Apereo 2018-09-26: the pages that give out second factors demand one of those who have one, by whatever way the
    thief comes.
    """
    for path in ("/enroll/", "/enroll/code", "/enroll"):
        thief = desk.browser()
        answer = thief.enter("ada", path)
        assert answer.headers["Location"].startswith(desk.duo.base_url)
        assert not thief.own_session
    for service in (PAYROLL, CLINIC):
        thief = desk.browser()
        link = desk.browser().enrolment_link(service, "grace")
        answer = thief.enter("ada", link)
        assert answer.headers.get("Location", "").startswith(desk.duo.base_url)
        assert made_by(thief) == []
    assert codes_made(desk) == 0


def test_neither_an_outage_nor_a_lenient_entry_registers_a_phone_for_a_stolen_password(
    build: Build, duo: DuoSimulator, clock: VirtualClock
) -> None:
    """Apereo 2018-09-26, with settings that fail open and an entry of the operator's own that lets in without Duo: who
    has a device confirms with it before there is a code.
    """
    entry = f"""
  - id: enroll
    name: Own entry
    url: {BASE}/enroll/**
    requires_duo: {{fail: open, trusted_browser: 30d}}
"""
    desk = make(build, duo, clock, registry=REGISTRY + entry, more=", fail: open, trusted_browser: 30d")
    thief = desk.browser()
    thief.sign_in("ada", "https://library.example.edu/")
    duo.stop_listening()
    thief.go("/enroll/")
    assert thief.own_session
    duo.listen_again()
    store = desk.site.composed.parts.store
    for key in store.command("KEYS", "casduo:{breaker:*"):
        store.command("DEL", key)
    page = thief.go("/enroll/")
    assert heading(page) == "Your devices"
    answer = thief.press(page)
    assert answer.headers.get("Location", "").startswith(duo.base_url)
    assert made_by(thief) == []
    assert codes_made(desk) == 0
    assert desk.events("enrollment.refused") == ["unconfirmed"]


def test_who_gets_a_device_while_a_thief_asks_for_a_code_is_the_only_one(desk: Desk) -> None:
    """Apereo 2025-04-11: a race between Duo's word that somebody has no device and the code that is made upon it. The
    owner's phone comes in between.
    """
    owner, thief = desk.browser(), desk.browser()
    code = code_of(owner.code_page("linus"))
    start = thief.enter("linus")
    # Duo takes its time with the account, after it has said that there is no device.
    desk.duo.transport.delay(1.5, path="/admin/v1/users")
    pressed = threading.Thread(target=lambda: thief.press(start))
    before = len(desk.duo.requests("/auth/v2/preauth"))
    pressed.start()
    while len(desk.duo.requests("/auth/v2/preauth")) == before:
        time.sleep(0.01)
    while not [each for each in desk.duo.requests() if each.path == "/auth/v2/enroll"]:
        time.sleep(0.01)
    assert desk.duo.activate(code, "Owner's phone")
    pressed.join()
    desk.duo.transport.delay(0)
    desk.duo.transport.delay(0, path="/admin/v1/users")
    stolen = [each for each in made_by(thief) if each != code]
    assert not any(desk.duo.activate(each, "Thief's phone") for each in stolen)
    assert [device.name for device in desk.duo.user("linus").devices if getattr(device, "activated", True)] == [
        "Owner's phone"
    ]


def test_codes_are_limited_however_often_one_signs_in(desk: Desk) -> None:
    """Denial of service by whoever has the password, and heaps of phones at Duo: five codes an hour, all in all."""
    for _ in range(7):
        browser = desk.browser()
        browser.code_page("linus")
        desk.advance(30)
    made = [each for each in desk.duo.requests() if str(each.path).endswith("/activation_url")]
    assert len(made) == 5
    assert "limited" in desk.events("enrollment.refused")


# Whose


def test_a_code_is_seen_in_the_browser_that_asked_for_it_and_in_no_other(desk: Desk) -> None:
    """Apereo 2025-04-11: whose registration it is comes from the session, never from the request."""
    owner = desk.browser()
    code = code_of(owner.code_page("grace"))
    other, stranger = desk.browser(), desk.browser()
    other.enter("linus")
    for browser in (other, stranger):
        for path in ("/enroll/code", "/enroll/", "/enroll/status?principal=grace&username=grace"):
            assert code not in browser.get(path).text
    assert code not in owner.get("/enroll/status").text
    planted = desk.browser()
    planted.app.set_cookie("casduo-enroll", owner.own_session[:-1] + ("x" if owner.own_session[-1] != "x" else "y"))
    assert code not in planted.go("/enroll/code").text


def test_pages_of_registration_end_with_the_session_they_stand_on(desk: Desk) -> None:
    """CVE-2023-28862: signed out, signed out by who signs in next, or by an administrator: no code any more."""
    for end in ("logout", "other", "administrator"):
        browser = desk.browser()
        code = code_of(browser.code_page("grace")) if end == "logout" else ""
        page = browser.enter("linus") if end != "logout" else browser.go("/enroll/code")
        held = browser.own_session
        match end:
            case "logout":
                browser.get("/logout")
            case "other":
                browser.sign_in("alan", "https://library.example.edu/", renew="true")
            case "administrator":
                desk.site.composed.parts.tickets.close_sessions_of("linus", "administrator", desk.site.clock())
        made = codes_made(desk)
        browser.app.set_cookie("casduo-enroll", held)
        answer = browser.get("/enroll/code")
        assert answer.status_int == 302
        assert not code or code not in answer.text
        assert browser.status() == {"state": "gone"}
        forms = [form for form in page.forms.values() if str(form.action).endswith("/enroll/code")]
        for form in forms:
            form.submit(status="*")
        assert codes_made(desk) == made


def test_nobody_makes_a_code_for_somebody_by_a_page_of_their_own(desk: Desk) -> None:
    """CVE-2015-9284: another site's form, a form of another session, a link."""
    victim, attacker = desk.browser(), desk.browser()
    form = next(iter(victim.enter("linus").forms.values()))
    foreign = next(iter(attacker.enter("grace").forms.values()))
    token, other = form["csrf"].value, foreign["csrf"].value
    for fields, headers in (
        ({"csrf": token}, {"Sec-Fetch-Site": "cross-site"}),
        ({"csrf": token}, {"Sec-Fetch-Site": "same-site"}),
        ({"csrf": token}, {"Origin": "https://evil.example.com"}),
        ({"csrf": other}, {}),
        ({}, {}),
        ({}, {"Origin": "null"}),
    ):
        victim.post("/enroll/code", fields, headers=headers)
    victim.get(f"/enroll/code?csrf={quote(token)}")
    victim.get(f"/enroll/?csrf={quote(token)}")
    assert codes_made(desk) == 0


def test_an_address_with_a_ticket_of_somebody_else_leads_nobody_in(desk: Desk) -> None:
    """CVE-2015-9284: an attacker's ticket in a link would have the victim register their phone for the attacker."""
    attacker = desk.browser()
    url = attacker.ticket_url("grace")
    victim = desk.browser()
    page = victim.enter("linus")
    held = victim.own_session
    victim.settle(victim.get(url))
    assert victim.own_session == held
    signing_in = desk.browser()
    signing_in.get("/enroll/")
    state = parse_qs(urlsplit(attacker.ticket_url("grace")).query)["state"][0]
    own = parse_qs(urlsplit(service_of(signing_in.get("/enroll/").headers["Location"])).query)
    crafted = url.replace(state, own["state"][0])
    signing_in.get(crafted)
    assert not signing_in.own_session
    assert "grace" not in page.text


# Links


def test_links_of_registration_lead_to_our_own_login_and_nowhere_else(desk: Desk) -> None:
    """Apereo 2026-08-18, 2025-09-25: open redirects. Links that are signed by us for services that are not registered
    (any more), made-up ones, and addresses beside them.
    """
    links = desk.site.composed.parts.links
    now = desk.site.clock()
    for service in (EVIL, *CRAFTED):
        asked = {"service": service}
        key = parse_qs(urlsplit(links.built_in(asked, now)).query)["back"][0]
        browser = desk.browser()
        for path in (f"/enroll/back?key={key}", f"/enroll/?back={key}"):
            answer = browser.get(path)
            for _ in range(4):
                location = answer.headers.get("Location", "")
                if not location:
                    break
                assert location.startswith(("/cas/login", "/cas/enroll/")), (path, location)
                answer = browser.get(ORIGIN + location)
    for key in ("", "x", EVIL, quote(EVIL)):
        for path in (f"/enroll/back?key={key}", f"/enroll/back?return={EVIL}", f"/enroll/back?url={EVIL}&key={key}"):
            location = desk.browser().get(path).headers.get("Location", "/cas/login")
            assert location == "/cas/login"
    for path in (f"/enroll/?return={EVIL}", f"/enroll/?service={EVIL}", f"/enroll/?ticket=x&service={EVIL}"):
        assert "evil" not in desk.browser().get(path).headers.get("Location", "").replace(quote(EVIL, safe=""), "")


def test_the_pages_of_registration_hand_no_ticket_of_theirs_on(desk: Desk) -> None:
    """Apereo 2025-09-25: the server's own address is a registered service, and what answers there redirects."""
    links = desk.site.composed.parts.links
    key = links.built_in({"service": LIBRARY}, desk.site.clock()).partition("back=")[2]
    for own in (
        f"{BASE}/enroll/back?key={key}",
        f"{BASE}/enroll/?back={key}",
        f"{BASE}/enroll/code",
        f"{BASE}/enroll/status",
        f"{BASE}/enroll/back?key={key}&x=//evil.example.com",
    ):
        browser = desk.browser()
        answer = browser.sign_in("linus", own)
        assert has_ticket(answer)
        ticket = parse_qs(urlsplit(answer.headers["Location"]).query)["ticket"][0]
        following = browser.get(answer.headers["Location"])
        assert ticket not in following.headers.get("Location", "")
        assert ticket not in following.text
    for outside in (
        f"{BASE}/login?x=/enroll/",
        f"{BASE}/enroll/../login",
        f"{BASE}/enroll/%2e%2e/login",
        f"{BASE}/enroll/..%2flogin",
        f"{BASE}/enroll/..;/logout",
        f"{BASE}/enrollx",
        f"{ORIGIN}@evil.example.com/cas/enroll/",
        f"{ORIGIN}.evil.example.com/cas/enroll/",
        "https://evil.example.com/cas/enroll/",
        f"{BASE}/duo/callback",
        f"{BASE}/logout?service={EVIL}",
    ):
        assert desk.browser().login_page(outside).status_int in (400, 403), outside


def test_a_link_that_was_stolen_signs_nobody_in_and_names_nobody(desk: Desk) -> None:
    """Apereo 2019-11-24: a link says what for, and not who."""
    link = desk.browser().enrolment_link(PAYROLL, "grace")
    thief = desk.browser()
    page = thief.go(link)
    assert page.forms["login"]
    assert "grace" not in page.text
    thief.sign_in_where_asked(page, "linus")
    assert heading(thief.go("/enroll/")) == "Set up your device"
    assert desk.duo.user("linus").devices == []
    assert "grace" not in thief.go("/enroll/").text


def test_pages_with_a_code_are_framed_kept_and_referred_to_by_nobody(desk: Desk) -> None:
    """Clickjacking, copies in caches, and codes in what other sites are told of where somebody came from."""
    browser = desk.browser()
    start = browser.enter("linus")
    page = browser.press(start)
    code = code_of(page)
    assert code not in page.request.url
    for answer in (start, page, browser.get("/enroll/status"), desk.browser().refused(PAYROLL, "grace")):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    cookies = "; ".join(page.headers.getall("Set-Cookie"))
    assert code not in cookies
    outside = [link["href"] for link in page.html.find_all("a", href=True) if link["href"].startswith("http")]
    assert all(link.startswith(f"https://{desk.duo.api_host}") or "duosecurity" in link for link in outside)
