"""The built-in Duo page: an approval opens one login of one person, and nothing but Duo's yes opens any."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote

import pytest

from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Phone
from tests.security.steps import signed_in
from tests.support.naming import names
from tests.support.pushing import execution_of, look_again, news, press, settled, status_url_of, working
from tests.support.rest import REST, Program, push_of
from tests.support.site import LIBRARY, ORIGIN, PASSWORDS, Build, Site, has_ticket, query, ticket_of
from tests.support.wires import change_registry
from tests.worker.working import eventually

VAULT = "https://vault.example.edu/safe"
HOURS = "https://hours.example.edu/week"
NOTES = "https://notes.example.edu/"
PILOT = "https://pilot.example.edu/"
CLINIC = "https://clinic.example.edu/"
PUSHES = "casduo:*:push:*"
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
REGISTRY = """
services:
  - {id: library, name: Library catalogue, url: "https://library.example.edu/**"}
  - {id: vault, name: Vault, url: "https://vault.example.edu/**", requires_duo: true}
  - {id: hours, name: Hours, url: "https://hours.example.edu/**", requires_duo: {fail: open}}
  - {id: notes, name: Notes, url: "https://notes.example.edu/**"}
  - {id: pilot, name: Pilot, url: "https://pilot.example.edu/**", requires_duo: {mode: report, fail: open}}
  - {id: clinic, name: Clinic, url: "https://clinic.example.edu/**", requires_duo: {application: clinic}}
"""


@pytest.fixture
def duo(duo: DuoSimulator) -> DuoSimulator:
    duo.settings.poll_hold = 0.3
    duo.settings.lockout_threshold = 1000
    return duo


@pytest.fixture
def site(build: Build, duo: DuoSimulator) -> Iterator[Site]:
    keys = duo.add_application()
    settings = (
        f"duo: {{api_host: '{duo.api_host}', ca_file: {duo.ca_file}, breaker: {{failures: 2, pause: 10s}},\n"
        f"  universal: {{client_id: {keys.integration_key}, client_secret: {keys.secret_key}}},\n"
        "  prompt: push, request_parameter: authn_method, applications: {clinic: {}}}\n"
    )
    site = build(registry=REGISTRY, settings=settings + REST)
    with working(site):
        yield site


def way(duo: DuoSimulator, kind: str = "push") -> str:
    return f"{kind}:{duo.user('ada').devices[0].id}"


def granted(site: Site, service: str = "vault") -> list[object]:
    """The tickets that were made for a service."""
    return [event for event in site.journal.named("ticket.granted") if event.about.service == service]


def verdicts_are_in(site: Site) -> None:
    """Wait until the worker has written down what was answered, and leave it there."""
    store = site.composed.parts.store
    waiting = ("sending", "waiting")
    eventually(lambda: not any(store.command("HGET", key, "state") in waiting for key in store.command("KEYS", PUSHES)))


def sent(duo: DuoSimulator) -> int:
    """How often Duo was asked to send something."""
    return duo.requests.count("/auth/v2/auth")


# Whose approval


def test_an_approval_opens_the_login_that_it_was_sent_for_and_no_other_of_the_same_person(
    site: Site, duo: DuoSimulator
) -> None:
    """Apereo 2019-11-24: a factor has to belong to its login. Another browser of the person waits, and gets nothing."""
    owner, thief = site.browser(), site.browser()
    page = owner.sign_in("ada", VAULT)
    waiting = thief.sign_in("ada", VAULT)
    duo.phone("ada").approve()
    done = settled(owner, page)
    assert has_ticket(done)
    assert not has_ticket(look_again(thief, waiting))
    assert not has_ticket(press(thief, look_again(thief, waiting), passcode="000000"))
    assert len(granted(site)) == 1


def test_an_approval_of_somebody_else_opens_nothing(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2019-11-24: the key of one person's page is worth nothing in another's browser, at any address."""
    duo.add_user("grace")
    ada, grace = site.browser(), site.browser()
    page, other = ada.sign_in("ada", VAULT), grace.sign_in("grace", VAULT)
    key = execution_of(page)
    duo.phone("ada").approve()
    eventually(lambda: news(ada, page)["state"] == "allowed")
    assert news(grace, other)["state"] == "waiting"
    for answer in (
        grace.get(page.request.url),
        grace.post("/login", {"execution": key, "passcode": duo.phone("grace").passcode()}),
        grace.post("/login", {"execution": key, "factor": way(duo)}),
        grace.get(f"/duo/callback?state={key}&duo_code=0123456789abcdef"),
        grace.get(status_url_of(page)),
        look_again(grace, other),
    ):
        assert not has_ticket(answer)
    assert has_ticket(look_again(ada, page))


def test_a_push_that_was_overtaken_or_sent_anew_opens_nothing_when_it_is_approved(
    site: Site, duo: DuoSimulator
) -> None:
    """CVE-2024-11209: a step that is over stays over. The older of two pushes is approved, the newer one refused."""
    browser = site.browser()
    first = browser.sign_in("ada", VAULT)
    second = browser.sign_in("ada", HOURS)
    third = press(browser, second, factor=way(duo))
    duo.phone("ada").deny()
    assert not has_ticket(settled(browser, third))
    for _ in range(2):
        duo.phone("ada").approve()
    site.composed.parts.later.flush()
    for page in (first, second, third):
        assert not has_ticket(look_again(browser, page))
    assert news(browser, first)["state"] in ("gone", "elsewhere")
    assert granted(site) == granted(site, "hours") == []


def test_an_approval_after_cancelling_opens_nothing(site: Site, duo: DuoSimulator) -> None:
    """CVE-2024-11209: who gave up has given up, whatever the phone says afterwards and whatever is sent again."""
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    assert press(browser, page, cancel="1").forms["login"]
    duo.phone("ada").approve()
    assert news(browser, page)["state"] == "gone"
    for _ in range(2):
        assert not has_ticket(look_again(browser, page))
        assert not has_ticket(browser.post("/login", {"execution": execution_of(page)}))
    assert not browser.session
    assert granted(site) == []


def test_a_login_that_is_over_cannot_be_finished_again_after_signing_out(site: Site, duo: DuoSimulator) -> None:
    """CVE-2024-11209: the address and the forms of the page are replayed; each was good once."""
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    duo.phone("ada").approve()
    assert has_ticket(settled(browser, page))
    browser.get("/logout")
    key = execution_of(page)
    following = key[: key.rindex(".") + 1] + str(int(key.rpartition(".")[2]) + 1)
    for each in (key, following):
        assert not has_ticket(browser.get(page.request.url.replace(key, each)))
        assert not has_ticket(browser.post("/login", {"execution": each}))
        assert not has_ticket(browser.get(f"/duo/callback?state={each}&duo_code=0123456789abcdef"))
    assert len(granted(site)) == 1
    assert sent(duo) == 1


@pytest.mark.parametrize("end", ["logout", "administrator", "refused before"])
def test_a_push_is_of_no_use_to_a_session_that_ended_meanwhile(site: Site, duo: DuoSimulator, end: str) -> None:
    """CVE-2023-28862: store the session after the last "no". Signed out in another window, or by an administrator."""
    if end == "refused before":
        browser = site.browser()
        page = press(browser, browser.sign_in("ada", VAULT), passcode="000000")
    else:
        browser = signed_in(site)
        page = press(browser, browser.follow(browser.login_page(VAULT)), factor=way(duo))
    if end == "logout":
        browser.get("/logout")
    else:
        site.composed.parts.tickets.close_sessions_of("ada", "administrator", site.clock())
    duo.phone("ada").approve()
    verdicts_are_in(site)
    answer = look_again(browser, page)
    assert not has_ticket(answer)
    assert answer.forms["login"]
    assert not has_ticket(browser.login_page(LIBRARY))
    assert granted(site) == []


def test_another_person_who_signs_in_meanwhile_gets_nothing_of_an_approval(site: Site, duo: DuoSimulator) -> None:
    """CVE-2021-35472 (LemonLDAP::NG): two people in one browser stay two people."""
    browser = signed_in(site)
    page = press(browser, browser.follow(browser.login_page(VAULT)), factor=way(duo))
    browser.sign_in("grace", LIBRARY, renew="true")
    duo.phone("ada").approve()
    answer = look_again(browser, page)
    assert not has_ticket(answer)
    assert granted(site) == []
    assert not has_ticket(browser.login_page(VAULT))


def test_a_login_that_waits_behind_duos_yes_ends_with_the_sessions_of_its_person(site: Site, duo: DuoSimulator) -> None:
    """CVE-2023-28862: an approval given by mistake, a thief who takes their time on the page after it, and a help desk
    that ends everything meanwhile.
    """
    thief = site.browser()
    page = thief.sign_in("ada", VAULT)
    duo.phone("ada").approve()
    verdicts_are_in(site)
    site.clock.advance(5)
    site.composed.parts.tickets.close_sessions_of("ada", "administrator", site.clock())
    assert not has_ticket(look_again(thief, page))


def test_what_is_written_on_a_session_is_by_which_application_of_duo_it_was(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2018-09-26: the entry names another Duo application while the push is on its way. The yes was not its."""
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    change_registry(site, "requires_duo: true", "requires_duo: {application: clinic}")
    duo.phone("ada").approve()
    answer = settled(browser, page)
    if has_ticket(answer):
        assert b"authenticationSuccess" not in site.validate(ticket_of(answer), VAULT).body


# Nothing falls open


@pytest.mark.parametrize("again", ["factor", "phone", "sms", "passcode", "word", "look", "form"])
def test_once_a_factor_was_offered_an_outage_opens_nothing(site: Site, duo: DuoSimulator, again: str) -> None:
    """Apereo 2018-09-26: somebody cuts the line behind the push, and then tries every button of the page."""
    browser = site.browser()
    page = browser.sign_in("ada", HOURS)
    duo.stop_listening()
    fields = {
        "factor": {"factor": way(duo)},
        "phone": {"factor": way(duo, "phone")},
        "sms": {"factor": way(duo, "sms")},
        "passcode": {"passcode": "123456"},
        "word": {"passcode": "push"},
        "form": {"execution": execution_of(page)},
    }.get(again)
    if fields is None:
        answer = browser.get(page.request.url)
    else:
        answer = browser.post("/login", {"execution": execution_of(page), **fields})
        if answer.status_int in (302, 303) and "/login/step?" in answer.headers["Location"]:
            answer = browser.get(ORIGIN + answer.headers["Location"])
    assert not has_ticket(answer)
    assert granted(site, "hours") == []
    assert not site.journal.named("duo.bypassed")


@pytest.mark.parametrize("fault", ["down", "wrong key", "rate limit"])
def test_the_page_that_sends_nothing_by_itself_has_offered_a_factor_too(
    site: Site, duo: DuoSimulator, fault: str
) -> None:
    """Apereo 2018-09-26: Duo answered when the page was made, so it is not Duo's absence that lets somebody in."""
    browser = signed_in(site)
    page = browser.follow(browser.login_page(HOURS))
    match fault:
        case "down":
            duo.stop_listening()
        case "wrong key":
            duo.rotate_secret(duo.applications()[0].integration_key)
        case "rate limit":
            duo.faults.rate_limit()
    answer = press(browser, page, factor=way(duo))
    assert not has_ticket(answer)
    assert not site.journal.named("duo.bypassed")


def test_our_page_in_place_of_duos_opens_nothing_either(build: Build, duo: DuoSimulator, duo_settings: str) -> None:
    """Apereo 2018-09-26, half down: first Duo's own page, then, once ours was shown, the rest of it."""
    site = build(settings=duo_settings)
    with working(site):
        duo.faults.break_down("/oauth/v1/health_check")
        browser = site.browser()
        page = browser.sign_in("ada", "https://timesheets.example.edu/")
        assert duo.pending("ada")
        duo.stop_listening()
        assert not has_ticket(press(browser, page, factor=way(duo)))
    assert not site.journal.named("duo.bypassed")
    assert granted(site, "timesheets") == []


@pytest.mark.parametrize(
    "extra",
    [
        {"authn_method": "none"},
        {"authn_method": "mfa-none"},
        {"authn_method": "MFA-DUO"},
        {"authn_method": "false", "fail": "open", "prompt": "none", "trusted_browser": "30d", "mode": "report"},
    ],
)
def test_what_a_request_asks_for_lowers_nothing(site: Site, duo: DuoSimulator, extra: dict[str, str]) -> None:
    """Apereo 2018-09-26: what an entry demands cannot be talked down by the address, nor by the form."""
    browser = site.browser()
    page = browser.login_page(VAULT, **extra)
    answer = browser.fill(page, "ada")
    assert not has_ticket(answer)
    form = {**dict(browser.login_page(VAULT).forms["login"].submit_fields()), **extra}
    other = browser.post("/login", {**form, "username": "ada", "password": PASSWORDS["ada"]})
    assert not has_ticket(browser.follow(other))
    assert granted(site) == []


@pytest.mark.parametrize("service", [NOTES, PILOT])
def test_what_a_request_asks_for_is_demanded_even_of_those_who_rewrite_the_form(
    site: Site, duo: DuoSimulator, service: str
) -> None:
    """Apereo 2018-09-26: the wish for Duo is in the signed key of the form, not in its fields."""
    browser = site.browser()
    fields = dict(browser.login_page(service, authn_method="mfa-duo").forms["login"].submit_fields())
    fields = {name: value for name, value in fields.items() if name in ("execution",)}
    answer = browser.post("/login", {**fields, "username": "ada", "password": PASSWORDS["ada"], "service": service})
    assert not has_ticket(browser.follow(answer))
    assert len(duo.pending("ada")) == 1


# Bombing


def test_no_address_sends_a_push_by_being_opened(site: Site, duo: DuoSimulator) -> None:
    """Push bombing: pictures, links and redirects of other sites, with the session of somebody who is signed in."""
    browser = signed_in(site)
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"}
    page = browser.follow(browser.login_page(VAULT))
    key = execution_of(page)
    for address in (
        "/login" + query(service=VAULT),
        "/login" + query(service=VAULT, factor=way(duo), execution=key),
        "/login" + query(service=VAULT, passcode="push", authn_method="mfa-duo"),
        page.request.url,
        page.request.url + f"&factor={quote(way(duo))}&passcode=push",
    ):
        for headers in (foreign, {}):
            browser.follow(browser.get(address, headers=headers))
    for fields in ({"service": VAULT}, {"execution": key, "factor": way(duo)}):
        for headers in (foreign, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example.com"}):
            assert browser.post("/login", fields, headers=headers).status_int == 403
    assert sent(duo) == 0


def test_nobody_is_sent_more_than_the_limit_however_it_is_tried(site: Site, duo: DuoSimulator) -> None:
    """Push bombing by whoever has the password: new browsers, spellings, services, text messages, calls, programs."""
    program = Program(site)
    session = program.session("ada")
    for number in range(4):
        for name, service in (("ada", VAULT), ("ADA", HOURS), (" Ada ", CLINIC)):
            browser = site.browser()
            page = browser.fill(browser.login_page(service), name, PASSWORDS["ada"])
            for kind in ("push", "phone", "sms"):
                if "execution" in page.text and page.status_int in (200, 429):
                    page = press(browser, page, factor=way(duo, kind))
            if number % 2:
                press(browser, page, cancel="1")
        program.ticket(session, VAULT, passcode="push")
        program.ticket(session, VAULT, passcode="sms")
    assert sent(duo) == 3


def test_a_device_that_is_not_ones_own_is_sent_nothing(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2025-04-11: the name comes from the login and the device from Duo's list, never from the form."""
    duo.add_user("grace")
    browser = site.browser()
    page = press(browser, browser.sign_in("ada", VAULT), cancel="1")
    page = browser.sign_in("ada", VAULT)
    before = sent(duo)
    for factor in (
        f"push:{duo.user('grace').devices[0].id}",
        "push:auto",
        f"auto:{duo.user('ada').devices[0].id}",
        f"passcode:{duo.user('ada').devices[0].id}",
    ):
        page = press(browser, page, factor=factor, username="grace", principal="grace")
    assert sent(duo) == before
    assert not duo.pending("grace")


def test_a_limit_that_a_thief_uses_up_leaves_the_owner_their_codes(site: Site, duo: DuoSimulator) -> None:
    """Denial of service by whoever has the password: pushes stop, a code still opens, in any browser."""
    thief = site.browser()
    page = thief.sign_in("ada", VAULT)
    for _ in range(3):
        page = press(thief, page, factor=way(duo))
    assert page.status_int == 429
    owner = site.browser()
    assert has_ticket(press(owner, owner.sign_in("ada", VAULT), passcode=duo.phone("ada").passcode()))


# Guessing


def test_guesses_at_codes_count_wherever_they_are_made(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2018-09-26 by patience: new browsers, right passwords, other spellings and services, programs, and an
    owner who approves pushes meanwhile. Nothing of it washes the count.
    """
    program = Program(site, address="192.0.2.7")
    guesses = 0
    for name, service in (("ada", VAULT), ("Ada", HOURS), ("ADA", CLINIC)):
        browser = site.browser()
        page = browser.fill(browser.login_page(service), name, PASSWORDS["ada"])
        page = press(browser, page, passcode=f"{guesses:06d}")
        guesses += 1
        if duo.pending("ada"):
            duo.phone("ada").approve()
            assert has_ticket(settled(browser, page))
    for _ in range(4):
        program.ticket(program.session("ada"), VAULT, passcode=f"{guesses:06d}")
        guesses += 1
    asked = sent(duo)
    browser = site.browser()
    page = press(browser, browser.sign_in("ada", NOTES, authn_method="mfa-duo"), passcode="999999")
    assert "try again in" in page.text.lower() or "wait" in page.text.lower()
    assert sent(duo) <= asked + 1
    assert program.ticket(program.session("ada"), VAULT, passcode="999999").status == 429


def test_nobody_without_the_password_uses_up_the_codes_of_a_person(site: Site, duo: DuoSimulator) -> None:
    """Denial of service by anybody: whatever is typed as a name at the sign-in form counts as a name there, and not
    as somebody's passcode.
    """
    for number in range(25):
        browser = site.browser()
        browser.app.extra_environ["REMOTE_ADDR"] = f"198.51.100.{number}"
        for name in ("ada\0passcode", "passcode\0ada"):
            browser.fill(browser.login_page(VAULT), name, "wrong")
    owner = site.browser()
    page = owner.sign_in("ada", VAULT)
    assert has_ticket(press(owner, page, passcode=duo.phone("ada").passcode()))


# What is told


def test_the_news_of_a_push_are_for_its_browser_alone_and_tell_what_the_page_shows(
    site: Site, duo: DuoSimulator
) -> None:
    """CVE-2021-35472: no status of somebody else. Keys of other kinds, of other browsers, and changed ones are none."""
    ada, thief = site.browser(), site.browser()
    page = ada.sign_in("ada", VAULT)
    thief.login_page()
    address = status_url_of(page)
    facts = ada.get(address).json
    assert set(facts) == {"state", "status", "said", "seconds"}
    transaction = duo.pending("ada")[0].txid
    assert transaction not in str(facts) + page.text + address
    key = address.partition("key=")[2]
    for crafted in ("", "x", key[:-1], key[:-2] + "AA", execution_of(page), f"{key}.{key}", key.swapcase()):
        assert ada.get(f"/duo/push/status?key={quote(crafted)}").json["state"] == "gone"
    assert thief.get(address).json == {"state": "gone", "status": "", "said": "", "seconds": 0}
    assert site.browser().get(address).json["state"] == "gone"
    answer = ada.get(address, headers={"Origin": "https://evil.example.com"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_digits_of_a_verified_push_are_on_the_page_of_its_login_and_nowhere_else(
    build: Build, duo: DuoSimulator, site: Site
) -> None:
    """Push bombing is no use where the digits are to be typed: they must not reach another login of the person."""
    keys = duo.applications()[0].integration_key
    duo.change_application(keys, verified_push=True)
    ada, thief = site.browser(), site.browser()
    page = ada.sign_in("ada", VAULT)
    digits = duo.pending("ada")[0].verification_code
    shown = " ".join(digits)
    assert shown in page.text
    assert digits not in status_url_of(page)
    other = thief.sign_in("ada", VAULT)
    assert digits not in str(thief.get(status_url_of(page)).json)
    assert shown not in other.text
    assert digits not in re.sub(r'value="[^"]*"|href="[^"]*"|nonce="[^"]*"', "", other.text)
    stored = site.composed.parts.store
    press(ada, page, cancel="1")
    for each in stored.command("KEYS", "*:push:*"):
        assert "code" not in stored.command("HGETALL", each)[::2]


def test_words_of_duo_and_names_of_devices_and_services_stay_words(site: Site, duo: DuoSimulator) -> None:
    """leo108/php_cas_server PR 31: script in the form. Here it is Duo's, a phone's name, or the registry's."""
    duo.remove_user("ada")
    duo.add_user("ada", devices=[Phone(name=MARKUP, number="+1 555 0100")])
    change_registry(site, "name: Vault,", "name: '<script>alert(3)</script>',")
    duo.faults.overwrite("/auth/v2/auth_status", {"status_msg": MARKUP})
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    eventually(lambda: bool(news(browser, page)["said"]))
    pages = [look_again(browser, page), press(browser, page, passcode="sms")]
    other = site.browser()
    pages.append(other.sign_in("ada", VAULT))
    duo.phone("ada").deny()
    pages.append(settled(browser, pages[1]))
    for each in pages:
        assert each.status_int == 200
        for bad in ("<script>alert", "<img src=x", "onerror=alert(2)>"):
            assert bad not in each.text, bad
    assert any("<script>alert(1)" in unescape(each.text) for each in pages)
    answer = browser.get(status_url_of(pages[0]))
    assert answer.content_type == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_pages_and_news_of_duo_are_framed_kept_and_referred_to_by_nobody(site: Site, duo: DuoSimulator) -> None:
    """Clickjacking of an approval, and copies of the page in caches."""
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    answers = [page, browser.get(status_url_of(page))]
    answers.append(press(browser, page, passcode="000000"))
    duo.phone("ada").deny()
    answers.append(settled(browser, answers[-1]))
    answers.append(press(browser, answers[-1], report="1"))
    answers.append(site.browser().sign_in("linus", VAULT))
    answers.append(site.browser().sign_in("grace", VAULT))
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if answer.content_type == "text/html":
            assert "frame-ancestors 'none'" in policy
            nonce = re.search(r"'nonce-([^']+)'", policy)
            assert nonce
            assert all(f'nonce="{nonce[1]}"' in script for script in re.findall(r"<script[^>]*>", answer.text))
            assert not re.search(r"<[^>]+\son[a-z]+=|javascript:|<style|\sstyle=", answer.text)


def test_every_cookie_is_for_this_server_and_out_of_reach_of_scripts(site: Site, duo: DuoSimulator) -> None:
    """apereo/cas issue 2524 (2017): the session's cookie without HttpOnly. Those of Duo's pages have it too."""
    change_registry(site, "requires_duo: true", "requires_duo: {trusted_browser: 30d}")
    browser = site.browser()
    question = press(browser, browser.sign_in("ada", VAULT), passcode=duo.phone("ada").passcode())
    answer = browser.post("/login", {"execution": execution_of(question), "trust": "yes"})
    cookies = answer.headers.getall("Set-Cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} >= {"TGC-casduo", "casduo-trust"}
    for cookie in cookies:
        words = {word.strip().lower() for word in cookie.split(";")[1:]}
        assert words >= {"secure", "httponly", "samesite=lax", "path=/cas"}
        assert not any(word.startswith("domain") for word in words)
    (trust,) = [cookie for cookie in cookies if cookie.startswith("casduo-trust=")]
    assert not names(trust, "ada")


# Programs


def test_a_push_for_a_program_is_worth_nothing_at_the_page_and_the_reverse(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2019-11-24: a token of one way in is none for the other, nor for another person, service or program."""
    duo.add_user("grace")
    program = Program(site)
    ada, grace = program.session("ada"), program.session("grace")
    token = push_of(program.ticket(ada, VAULT, passcode="push"))
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    assert len(duo.pending("ada")) == 1
    duo.phone("ada").approve()
    assert not has_ticket(look_again(browser, page))
    verdicts_are_in(site)
    for session, service in ((grace, VAULT), (ada, HOURS), (ada, CLINIC), (grace, HOURS)):
        assert program.ticket(session, service, push=token).status == 400
    assert browser.get(f"/duo/push/status?key={quote(token)}").json["state"] == "gone"
    key = status_url_of(page).partition("key=")[2]
    for crafted in (key or "x", execution_of(page), token[:-2] + "AA"):
        assert program.ticket(ada, VAULT, push=crafted).status == 400
    assert program.ticket(ada, VAULT, push=token).status == 200
    assert program.ticket(program.session("ada"), VAULT, push=token).status in (401, 403)
