"""The rows of the Duo decision table on the built-in page, against the simulated Duo and with a real worker."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Phone
from tests.support.pushing import execution_of, look_again, news, press, settled, status_url_of, wait_for, working
from tests.support.site import LIBRARY, Browser, Build, Site, has_ticket, heading, ticket_of, words

VAULT = "https://vault.example.edu/safe"
HOURS = "https://hours.example.edu/week"
SENTENCE = "There was a problem accessing to DUO"
REGISTRY = """
services:
  - {id: library, name: Library catalogue, url: "https://library.example.edu/**"}
  - {id: vault, name: Vault, url: "https://vault.example.edu/**", requires_duo: {prompt: push}}
  - {id: hours, name: Hours, url: "https://hours.example.edu/**", requires_duo: {prompt: push, fail: open}}
  - {id: strict, name: Strict, url: "https://strict.example.edu/**", requires_duo: {prompt: push}, unenrolled: refuse}
  - {id: kiosk, name: Kiosk, url: "https://kiosk.example.edu/**", requires_duo: {prompt: push, trusted_browser: 30d}}
  - {id: bank, name: Bank, url: "https://bank.example.edu/**",
     requires_duo: {prompt: push, trusted_browser: false}}
"""


@pytest.fixture
def duo(duo: DuoSimulator) -> DuoSimulator:
    duo.settings.poll_hold = 0.3
    return duo


@pytest.fixture
def site(build: Build, duo_settings: str) -> Iterator[Site]:
    site = build(registry=REGISTRY, settings=duo_settings)
    with working(site):
        yield site


def strength(site: Site, answer: object, service: str = VAULT) -> dict[str, object]:
    told = site.validate(ticket_of(answer), service, format="json").json["serviceResponse"]  # type: ignore[arg-type]
    attributes: dict[str, object] = told["authenticationSuccess"]["attributes"]
    return attributes


def signed_in_without(browser: Browser) -> bool:
    """Whether there is a session that is good for what asks for no Duo."""
    return has_ticket(browser.login_page(LIBRARY))


# Rows 8 and 9


def test_row_9_a_push_goes_out_by_itself_and_its_approval_opens_the_service(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    assert page.status_int == 200
    (sent,) = duo.pending("ada")
    assert sent.factor == "push"
    duo.phone("ada").approve()
    done = settled(browser, page)
    attributes = strength(site, done)
    assert attributes["authnContextClass"] == "mfa-duo"
    assert attributes["isFromNewLogin"] is True


def test_the_device_shows_application_host_and_address(site: Site, duo: DuoSimulator) -> None:
    site.browser().sign_in("ada", VAULT)
    (sent,) = duo.pending("ada")
    shown = str(sent)
    for word in ("Vault", "vault.example.edu", "192.0.2.7"):
        assert word in shown


def test_nothing_waits_in_a_request_and_reloading_sends_nothing_again(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    assert "/cas/login/step?" in page.request.url
    for _ in range(3):
        assert look_again(browser, page).status_int == 200
    assert len(duo.pending("ada")) == 1
    assert duo.requests.count("/auth/v2/auth") == 1
    assert news(browser, page)["state"] == "waiting"


def test_a_link_sends_no_push_before_a_form_is_sent(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    browser.sign_in("ada", LIBRARY)
    page = browser.follow(browser.login_page(VAULT))
    assert not duo.pending("ada")
    page = press(browser, page, factor=f"push:{duo.user('ada').devices[0].id}")
    assert len(duo.pending("ada")) == 1
    duo.phone("ada").approve()
    assert strength(site, settled(browser, page))["isFromNewLogin"] is False


def test_a_right_code_wins_and_the_push_opens_nothing_afterwards(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    done = press(browser, page, passcode=duo.phone("ada").passcode())
    assert has_ticket(done)
    assert strength(site, done)["authnContextClass"] == "mfa-duo"
    duo.phone("ada").approve()
    assert not has_ticket(look_again(browser, page)) or browser.session


@pytest.mark.parametrize("typed", ["push", "PUSH", " push1 "])
def test_the_word_push_sends_a_push(site: Site, duo: DuoSimulator, typed: str) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    duo.phone("ada").deny()
    page = settled(browser, page)
    page = press(browser, page, passcode=typed)
    duo.phone("ada").approve()
    assert has_ticket(settled(browser, page))


def test_a_call_is_answered_and_opens(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = press(browser, browser.sign_in("ada", VAULT), passcode="phone")
    (call,) = [each for each in duo.pending("ada") if each.factor == "phone"]
    assert call
    duo.phone("ada").approve()
    assert has_ticket(settled(browser, page))


# Rows 2, 3 and 4


def test_row_2_duo_down_and_closed_gives_a_session_and_no_ticket(site: Site, duo: DuoSimulator) -> None:
    duo.stop_listening()
    browser = site.browser()
    answer = browser.sign_in("ada", VAULT)
    assert answer.status_int == 503
    assert SENTENCE in words(answer)
    assert signed_in_without(browser)


def test_row_3_duo_down_and_open_lets_in_and_says_so(site: Site, duo: DuoSimulator) -> None:
    duo.stop_listening()
    browser = site.browser()
    attributes = strength(site, browser.sign_in("ada", HOURS), HOURS)
    assert attributes["bypassMultifactorAuthentication"] == "true"
    assert site.journal.named("duo.bypassed")


@pytest.mark.parametrize("fault", ["wrong key", "wrong clock", "wrong type", "rate limit", "foreign certificate"])
@pytest.mark.parametrize("service", [VAULT, HOURS])
def test_row_4_misconfiguration_never_opens_anything(
    site: Site, duo: DuoSimulator, foreign_leaf: LeafFiles, fault: str, service: str
) -> None:
    keys = duo.applications()[0].integration_key
    match fault:
        case "wrong key":
            duo.rotate_secret(keys)
        case "wrong clock":
            duo.faults.clock_offset = 400
        case "wrong type":
            duo.change_type(keys, "admin")
        case "rate limit":
            duo.faults.rate_limit()
        case "foreign certificate":
            duo.use_certificate(foreign_leaf)
    answer = site.browser().sign_in("ada", service)
    assert answer.status_int == 503
    assert SENTENCE in words(answer)


# Rows 5, 6 and 7


def test_row_5_somebody_without_a_device_is_led_to_enrolment(site: Site) -> None:
    browser = site.browser()
    answer = browser.sign_in("grace", VAULT)
    assert answer.status_int == 403
    assert [link for link in answer.html.find_all("a") if "/cas/enroll/" in (link.get("href") or "")]
    assert signed_in_without(browser)


def test_row_5_a_service_may_send_such_people_back_to_the_sign_in_page(site: Site) -> None:
    browser = site.browser()
    answer = browser.sign_in("grace", "https://strict.example.edu/")
    assert "Login Failed." in words(answer)
    links = [link["href"] for link in answer.html.find_all("a", href=True) if "/cas/login" in link["href"]]
    assert browser.get("https://sso.example.edu" + links[0]).forms["login"]


def test_row_6_duo_denies_beforehand(site: Site) -> None:
    browser = site.browser()
    assert browser.sign_in("linus", VAULT).status_int == 403
    assert signed_in_without(browser)


def test_row_7_duo_lets_somebody_pass_and_the_application_can_see_it(site: Site) -> None:
    attributes = strength(site, site.browser().sign_in("alan", VAULT))
    assert "authnContextClass" not in attributes
    assert attributes["bypassedMultifactorAuthenticationProviderId"] == "mfa-duo"


# Rows 10 to 14


def test_row_10_a_refusal_keeps_the_person_on_the_page_with_a_session_and_all_ways(
    site: Site, duo: DuoSimulator
) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    duo.phone("ada").deny()
    refused = settled(browser, page)
    assert refused.status_int == 200
    assert execution_of(refused) != execution_of(page)
    assert signed_in_without(browser)
    again = press(browser, refused, factor=f"push:{duo.user('ada').devices[0].id}")
    duo.phone("ada").approve()
    attributes = strength(site, settled(browser, again))
    assert attributes["isFromNewLogin"] is True


def test_row_10_a_wrong_code_says_so_and_leaves_the_push_open(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = press(browser, browser.sign_in("ada", VAULT), passcode="000000")
    assert not has_ticket(page)
    assert signed_in_without(browser)
    assert news(browser, page)["state"] == "waiting"
    duo.phone("ada").approve()
    assert has_ticket(settled(browser, page))


def test_row_10_a_wrong_code_tells_how_many_tries_are_left(site: Site) -> None:
    browser = site.browser()
    page = press(browser, browser.sign_in("ada", VAULT), passcode="000000")
    left = re.search(r"You have ([0-9]+) tries left", words(page))
    assert left
    page = press(browser, page, passcode="000001")
    assert f"You have {int(left[1]) - 1} tries left" in words(page)


def test_row_10_a_code_that_was_used_is_called_used_and_nobody_is_signed_out(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    code = duo.phone("ada").passcode()
    assert has_ticket(press(browser, browser.sign_in("ada", VAULT), passcode=code))
    other = site.browser()
    page = press(other, other.sign_in("ada", VAULT), passcode=code)
    assert not has_ticket(page)
    assert has_ticket(browser.login_page(LIBRARY))
    assert not site.journal.named("signout")


def test_what_is_neither_code_nor_word_costs_no_call_to_duo(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    asked = len(duo.requests)
    page = press(browser, page, passcode="my code")
    assert page.status_int == 200
    assert duo.requests.count("/auth/v2/auth") == 1
    assert len(duo.requests) <= asked + 5


def test_row_11_a_reported_push_ends_every_session_and_the_page_stays_neutral(site: Site, duo: DuoSimulator) -> None:
    owner, thief = site.browser(), site.browser()
    owner.sign_in("ada", LIBRARY)
    page = thief.sign_in("ada", VAULT)
    duo.phone("ada").report_fraud()
    answer = settled(thief, page)
    assert answer.status_int == 403
    assert "fraud" not in words(answer).lower()
    assert not thief.session
    assert not has_ticket(owner.login_page(LIBRARY))
    assert not has_ticket(thief.login_page(LIBRARY))


def test_row_11_no_right_code_overtakes_a_report(site: Site, duo: DuoSimulator) -> None:
    thief = site.browser()
    page = thief.sign_in("ada", VAULT)
    code = duo.phone("ada").passcode()
    duo.phone("ada").report_fraud()
    wait_for(lambda: news(thief, page)["state"] == "fraud")
    answer = press(thief, page, passcode=code)
    assert answer.status_int == 403
    assert not has_ticket(answer)
    assert not thief.session


def test_row_11_the_person_at_the_browser_can_report_a_refused_request(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    duo.phone("ada").deny()
    answer = press(browser, settled(browser, page), report="1")
    assert answer.status_int == 403
    assert not has_ticket(browser.login_page(LIBRARY))


def test_row_12_no_answer_in_time_is_said_in_duos_words_and_can_be_tried_again(site: Site, duo: DuoSimulator) -> None:
    duo.settings.request_timeout = 0.5
    browser = site.browser()
    page = settled(browser, browser.sign_in("ada", VAULT))
    assert "Login timed out." in words(page)
    assert signed_in_without(browser)
    duo.settings.request_timeout = 60
    page = press(browser, page, factor=f"push:{duo.user('ada').devices[0].id}")
    duo.phone("ada").approve()
    assert has_ticket(settled(browser, page))


def test_row_13_a_lock_out_is_final(site: Site, duo: DuoSimulator) -> None:
    duo.settings.lockout_threshold = 1
    browser = site.browser()
    page = press(browser, browser.sign_in("ada", VAULT), passcode="000000")
    page = press(browser, page, passcode="000001") if "execution" in page.text and page.status_int == 200 else page
    assert page.status_int == 403
    assert signed_in_without(browser)


def test_row_14_codes_are_sent_and_count_as_no_failure(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = press(browser, browser.sign_in("ada", VAULT), passcode="sms")
    assert page.status_int == 200
    text = str(duo.phone("ada").messages()[-1])
    found = re.findall(r"[0-9]{6,}", text)
    assert has_ticket(press(browser, page, passcode=found[0]))


# Row 15


def test_row_15_somebody_whose_device_takes_no_push_is_offered_codes(site: Site, duo: DuoSimulator) -> None:
    duo.remove_user("ada")
    duo.add_user("ada", devices=[Phone(capabilities=frozenset({"sms", "mobile_otp"}))])  # type: ignore[arg-type]
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    assert page.status_int == 200
    assert not duo.pending("ada")
    assert has_ticket(press(browser, page, passcode=duo.phone("ada").passcode()))


# Row 16


def test_row_16_a_key_that_was_used_begins_again(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    press(browser, page, passcode="000000")
    again = browser.post("/login", {"execution": execution_of(page), "passcode": "000000"})
    assert again.status_int in (200, 302, 303)
    assert not has_ticket(again)


def test_row_16_the_page_of_another_browser_shows_nothing_and_goes_nowhere(site: Site, duo: DuoSimulator) -> None:
    browser, thief = site.browser(), site.browser()
    page = browser.sign_in("ada", VAULT)
    thief.login_page()
    assert "iPhone" not in thief.get(page.request.url).text
    assert thief.get(status_url_of(page)).json["state"] == "gone"
    duo.phone("ada").approve()
    assert not has_ticket(thief.get(page.request.url))
    assert has_ticket(settled(browser, page))


def test_row_16_a_page_that_was_open_too_long_still_knows_what_for(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    store = site.composed.parts.store
    for key in store.command("KEYS", "*:flow:*"):
        store.command("DEL", key)
    form = browser.get(page.request.url)
    assert "Vault" in words(form)
    assert form.forms["login"]


# Row 17


@pytest.mark.parametrize("service", [VAULT, HOURS])
def test_row_17_duo_dies_after_a_push_was_sent_and_nothing_opens(site: Site, duo: DuoSimulator, service: str) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", service)
    duo.stop_listening()
    answer = press(browser, page, passcode="123456")
    assert answer.status_int == 503
    assert SENTENCE in words(answer)


# What is under way, once


def test_a_cancelled_push_opens_nothing(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    form = press(browser, page, cancel="1")
    assert form.forms["login"]
    duo.phone("ada").approve()
    assert not has_ticket(look_again(browser, page))
    assert not browser.session


def test_after_five_minutes_of_pushes_only_codes_are_taken(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    way = f"push:{duo.user('ada').devices[0].id}"
    for _ in range(2):
        page = press(browser, page, factor=way)
    sent = duo.requests.count("/auth/v2/auth")
    page = press(browser, page, factor=way)
    assert duo.requests.count("/auth/v2/auth") == sent == 3
    assert page.status_int == 429
    assert has_ticket(press(browser, page, passcode=duo.phone("ada").passcode()))


def test_another_browser_of_the_same_person_sends_no_second_push(site: Site, duo: DuoSimulator) -> None:
    first, second = site.browser(), site.browser()
    page = first.sign_in("ada", VAULT)
    other = second.sign_in("ada", VAULT)
    assert other.status_int == 200
    assert len(duo.pending("ada")) == 1
    duo.phone("ada").approve()
    assert has_ticket(settled(first, page))
    assert not second.session


def test_the_same_browser_takes_over_its_own_push(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    browser.sign_in("ada", VAULT)
    page = browser.sign_in("ada", VAULT)
    assert news(browser, page)["state"] == "waiting"
    assert duo.requests.count("/auth/v2/auth") == 2


def test_signing_in_meanwhile_in_another_window_is_noticed(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    window = press(browser, browser.sign_in("ada", HOURS), passcode=duo.phone("ada").passcode())
    assert has_ticket(window)
    assert news(browser, page)["state"] in ("elsewhere", "gone")


# Half down


def test_while_only_duos_page_is_down_ours_takes_over(build: Build, duo: DuoSimulator, duo_settings: str) -> None:
    site = build(settings=duo_settings)
    with working(site):
        duo.faults.break_down("/oauth/v1/health_check")
        browser = site.browser()
        page = browser.sign_in("ada", "https://payroll.example.edu/slips")
        assert page.status_int == 200
        duo.phone("ada").approve()
        assert has_ticket(settled(browser, page))


def test_without_a_worker_no_push_is_sent_and_codes_work(build: Build, duo: DuoSimulator, duo_settings: str) -> None:
    site = build(registry=REGISTRY, settings=duo_settings)
    browser = site.browser()
    page = browser.sign_in("ada", VAULT)
    assert not duo.pending("ada")
    assert has_ticket(press(browser, page, passcode=duo.phone("ada").passcode()))


# Trusted browsers


def test_a_trusted_browser_is_not_asked_again_where_the_service_takes_that(site: Site, duo: DuoSimulator) -> None:
    kiosk, browser = "https://kiosk.example.edu/", site.browser()
    question = press(browser, browser.sign_in("ada", kiosk), passcode=duo.phone("ada").passcode())
    assert question.status_int == 200
    assert has_ticket(press(browser, question, trust="yes"))
    browser.forget_session()
    done = browser.sign_in("ada", kiosk)
    assert strength(site, done, kiosk)["authnContextClass"] == "mfa-duo"
    assert not has_ticket(browser.login_page("https://bank.example.edu/"))
    browser.forget_session()
    site.clock.advance(31 * 86400)
    assert not has_ticket(browser.sign_in("ada", kiosk))


def test_who_does_not_trust_the_browser_is_asked_each_time(site: Site, duo: DuoSimulator) -> None:
    kiosk, browser = "https://kiosk.example.edu/", site.browser()
    question = press(browser, browser.sign_in("ada", kiosk), passcode=duo.phone("ada").passcode())
    assert has_ticket(press(browser, question, trust="no"))
    browser.forget_session()
    assert not has_ticket(browser.sign_in("ada", kiosk))


def test_renew_asks_a_trusted_browser_too(site: Site, duo: DuoSimulator) -> None:
    kiosk, browser = "https://kiosk.example.edu/", site.browser()
    question = press(browser, browser.sign_in("ada", kiosk), passcode=duo.phone("ada").passcode())
    press(browser, question, trust="yes")
    page = browser.fill(browser.login_page(kiosk, renew="true"), "ada")
    assert not has_ticket(page)
    assert heading(page)
