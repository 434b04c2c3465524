"""The rows of the Duo decision table that a browser with the Universal Prompt can reach, against the simulated Duo."""

from __future__ import annotations

import pytest
from webtest.response import TestResponse

from casduo.simulators.duo import DuoSimulator
from tests.support.site import LIBRARY, PAYROLL, Browser, Build, Site, has_ticket, heading, ticket_of, words

TIMESHEETS = "https://timesheets.example.edu/week"
SENTENCE = "There was a problem accessing to DUO"


def through_duo(browser: Browser, duo: DuoSimulator, prompt: TestResponse) -> TestResponse:
    assert prompt.headers.get("Location", "").startswith(duo.base_url), heading(prompt)
    return browser.get(duo.visit_prompt(prompt.headers["Location"]))


def context_of(site: Site, answer: TestResponse, service: str) -> dict[str, object]:
    told = site.validate(ticket_of(answer), service, format="json").json["serviceResponse"]
    attributes: dict[str, object] = told["authenticationSuccess"]["attributes"]
    return attributes


# Row 1


def test_row_1_a_session_fresh_from_duo_is_not_asked_again(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    through_duo(browser, duo, browser.sign_in("ada", PAYROLL))
    asked = len(duo.requests)
    again = browser.login_page(PAYROLL)
    assert has_ticket(again)
    assert len(duo.requests) == asked
    assert context_of(site, again, PAYROLL)["authnContextClass"] == "mfa-duo"


def test_row_1_a_mark_older_than_the_service_allows_is_asked_again(
    build: Build, duo: DuoSimulator, duo_settings: str
) -> None:
    registry = """
    services:
      - {id: vault, name: Vault, url: "https://vault.example.edu/**", requires_duo: {max_age: 10m}}
    """
    site = build(registry=registry, settings=duo_settings)
    browser, vault = site.browser(), "https://vault.example.edu/"
    through_duo(browser, duo, browser.sign_in("ada", vault))
    site.clock.advance(599)
    assert has_ticket(browser.login_page(vault))
    site.clock.advance(2)
    assert browser.login_page(vault).headers["Location"].startswith(duo.base_url)


def test_renew_asks_for_password_and_duo(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    through_duo(browser, duo, browser.sign_in("ada", PAYROLL))
    page = browser.login_page(PAYROLL, renew="true")
    assert "ada" in words(page)
    prompt = browser.fill(page, "ada")
    assert prompt.headers["Location"].startswith(duo.base_url)
    done = browser.get(duo.visit_prompt(prompt.headers["Location"]))
    assert site.validate(ticket_of(done), PAYROLL, renew="true", format="json").json["serviceResponse"].keys() == {
        "authenticationSuccess"
    }


def test_a_step_up_in_a_live_session_asks_for_duo_only_and_is_no_new_login(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    browser.sign_in("ada", LIBRARY)
    session = browser.session
    done = through_duo(browser, duo, browser.login_page(PAYROLL))
    assert browser.session == session
    attributes = context_of(site, done, PAYROLL)
    assert attributes["isFromNewLogin"] is False
    assert attributes["authnContextClass"] == "mfa-duo"


# Rows 2 and 3


@pytest.mark.parametrize("fault", ["stopped", "server_error", "html", "preauth"])
def test_row_2_duo_down_and_closed_gives_a_session_and_no_ticket(site: Site, duo: DuoSimulator, fault: str) -> None:
    make_fault(duo, fault)
    browser = site.browser()
    answer = browser.sign_in("ada", PAYROLL)
    assert answer.status_int == 503
    assert SENTENCE in words(answer)
    assert browser.session
    assert has_ticket(browser.login_page(LIBRARY))


@pytest.mark.parametrize("fault", ["stopped", "server_error", "html", "preauth"])
def test_row_3_duo_down_and_open_lets_in_and_says_so_and_asks_again_later(
    site: Site, duo: DuoSimulator, fault: str
) -> None:
    make_fault(duo, fault)
    browser = site.browser()
    answer = browser.sign_in("ada", TIMESHEETS)
    attributes = context_of(site, answer, TIMESHEETS)
    assert "authnContextClass" not in attributes
    assert attributes["bypassMultifactorAuthentication"] == "true"
    assert site.journal.named("duo.bypassed")[0].principal == "ada"
    mend(site, duo, fault)
    assert browser.login_page(TIMESHEETS).headers["Location"].startswith(duo.base_url)


def test_failing_open_takes_nothing_from_a_session_that_duo_has_confirmed(
    build: Build, duo: DuoSimulator, duo_settings: str
) -> None:
    registry = """
    services:
      - {id: vault, name: Vault, url: "https://vault.example.edu/**", requires_duo: {max_age: 10m, fail: open}}
      - {id: payroll, name: Payroll, url: "https://payroll.example.edu/**", requires_duo: true}
    """
    site = build(registry=registry, settings=duo_settings)
    browser = site.browser()
    through_duo(browser, duo, browser.sign_in("ada", PAYROLL))
    site.clock.advance(660)
    make_fault(duo, "stopped")
    assert has_ticket(browser.login_page("https://vault.example.edu/"))
    assert has_ticket(browser.login_page(PAYROLL))


def test_a_bypassed_session_opens_no_closed_service(site: Site, duo: DuoSimulator) -> None:
    make_fault(duo, "stopped")
    browser = site.browser()
    assert has_ticket(browser.sign_in("ada", TIMESHEETS))
    assert SENTENCE in words(browser.login_page(PAYROLL))


def test_trying_again_after_an_outage_asks_for_duo_only(site: Site, duo: DuoSimulator) -> None:
    make_fault(duo, "stopped")
    browser = site.browser()
    page = browser.sign_in("ada", PAYROLL)
    mend(site, duo, "stopped")
    prompt = page.forms[0].submit(status="*")
    assert has_ticket(through_duo(browser, duo, prompt))


# Row 4


@pytest.mark.parametrize("fault", ["wrong key", "wrong clock", "wrong type", "rate limit", "foreign certificate"])
@pytest.mark.parametrize("service", [PAYROLL, TIMESHEETS])
def test_row_4_misconfiguration_never_opens_anything(
    site: Site, duo: DuoSimulator, foreign_leaf: object, fault: str, service: str
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
            duo.use_certificate(foreign_leaf)  # type: ignore[arg-type]
    answer = site.browser().sign_in("ada", service)
    assert answer.status_int == 503
    assert SENTENCE in words(answer)
    assert site.journal.named("fault")


# Row 5


def test_row_5_somebody_without_a_device_gets_a_session_and_a_way_to_enrol_and_no_ticket(site: Site) -> None:
    browser = site.browser()
    answer = browser.sign_in("grace", PAYROLL)
    assert answer.status_int == 403
    assert "You have none yet" in words(answer)
    assert "Payroll" in heading(answer) + words(answer)
    links = [link.get("href") or "" for link in answer.html.find_all("a")]
    assert [link for link in links if link.startswith("https://kb.example.edu/duo?return=")]
    assert has_ticket(browser.login_page(LIBRARY))


def test_row_5_after_enrolling_the_service_first_asked_for_opens(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = browser.sign_in("grace", PAYROLL)
    duo.add_user("grace")
    links = [link.get("href") for link in page.html.find_all("a") if "service=" in (link.get("href") or "")]
    prompt = browser.get("https://sso.example.edu" + links[0])
    assert has_ticket(through_duo(browser, duo, prompt))


def test_row_5_somebody_duo_does_not_know_is_unenrolled_too(build: Build, duo: DuoSimulator, duo_settings: str) -> None:
    duo.remove_user("grace")
    site = build(settings=duo_settings)
    assert "You have none yet" in words(site.browser().sign_in("grace", PAYROLL))


# Rows 6 and 7


def test_row_6_duo_denies_beforehand_in_its_own_words(site: Site) -> None:
    browser = site.browser()
    answer = browser.sign_in("linus", PAYROLL)
    assert answer.status_int == 403
    assert heading(answer) == "You were not let in to Payroll"
    assert has_ticket(browser.login_page(LIBRARY))


def test_row_7_duo_lets_somebody_pass_and_the_application_can_see_it(site: Site) -> None:
    answer = site.browser().sign_in("alan", PAYROLL)
    attributes = context_of(site, answer, PAYROLL)
    assert "authnContextClass" not in attributes
    assert attributes["bypassedMultifactorAuthenticationProviderId"] == "mfa-duo"


def let_through_at_the_prompt(browser: Browser, duo: DuoSimulator) -> TestResponse:
    """Sign ada in to Payroll and have the prompt let her through unasked: her standing changed on the way there."""
    prompt = browser.sign_in("ada", PAYROLL)
    duo.add_user("ada", "bypass")
    return through_duo(browser, duo, prompt)


def test_row_7_who_the_prompt_lets_pass_unasked_has_not_passed_duo(site: Site, duo: DuoSimulator) -> None:
    answer = let_through_at_the_prompt(site.browser(), duo)
    attributes = context_of(site, answer, PAYROLL)
    assert "authnContextClass" not in attributes
    assert attributes["bypassedMultifactorAuthenticationReason"] == "duo_bypass"


def test_row_7_passing_the_prompt_unasked_can_be_refused_too(
    build: Build, duo: DuoSimulator, duo_settings: str
) -> None:
    site = build(settings=duo_settings.replace("duo: {", "duo: {accept_preauth_allow: false, "))
    answer = let_through_at_the_prompt(site.browser(), duo)
    assert answer.status_int == 403
    assert not has_ticket(answer)


def test_row_7_passing_unasked_can_be_refused_by_setting(build: Build, duo_settings: str) -> None:
    site = build(settings=duo_settings.replace("duo: {", "duo: {accept_preauth_allow: false, "))
    answer = site.browser().sign_in("alan", PAYROLL)
    assert answer.status_int == 403


# Rows 8, 9 and what comes back from the prompt


def test_rows_8_and_9_prompt_approved_ticket_with_context(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    done = through_duo(browser, duo, browser.sign_in("ada", PAYROLL))
    attributes = context_of(site, done, PAYROLL)
    assert attributes["authnContextClass"] == "mfa-duo"
    assert attributes["isFromNewLogin"] is True
    answered = site.journal.named("duo.answered")[-1]
    assert (answered.outcome, answered.principal) == ("allowed", "ada")
    assert answered.factor
    assert answered.transaction


def test_row_10_a_result_of_deny_opens_nothing(site: Site, duo: DuoSimulator) -> None:
    duo.faults.id_token = "result_deny"
    browser = site.browser()
    answer = through_duo(browser, duo, browser.sign_in("ada", PAYROLL))
    assert answer.status_int == 403
    assert has_ticket(browser.login_page(LIBRARY))


@pytest.mark.parametrize(
    "fault",
    [
        "wrong_signature",
        "wrong_algorithm",
        "wrong_issuer",
        "wrong_audience",
        "expired",
        "issued_in_future",
        "other_user",
        "other_case",
        "no_nonce",
        "other_nonce",
        "no_username",
    ],
)
def test_a_result_that_does_not_verify_opens_nothing(site: Site, duo: DuoSimulator, fault: str) -> None:
    duo.faults.id_token = fault  # type: ignore[assignment]
    browser = site.browser()
    answer = through_duo(browser, duo, browser.sign_in("ada", PAYROLL))
    assert answer.status_int in (400, 503)
    assert not has_ticket(answer)
    assert has_ticket(browser.login_page(LIBRARY))


@pytest.mark.parametrize("fault", ["other_user", "other_case"])
def test_a_name_that_duo_spells_otherwise_is_no_endless_restart(site: Site, duo: DuoSimulator, fault: str) -> None:
    duo.faults.id_token = fault  # type: ignore[assignment]
    browser = site.browser()
    assert SENTENCE in words(through_duo(browser, duo, browser.sign_in("ada", PAYROLL)))
    assert any("spelling" in event.detail for event in site.journal.named("fault"))


def test_a_result_without_a_verdict_opens_nothing(site: Site, duo: DuoSimulator) -> None:
    duo.faults.id_token = "no_auth_result"
    browser = site.browser()
    assert not has_ticket(through_duo(browser, duo, browser.sign_in("ada", PAYROLL)))


# Row 16


@pytest.mark.parametrize("fault", ["error", "no_code", "wrong_code", "used_code"])
def test_row_16_a_return_that_is_of_no_use_offers_to_start_again(site: Site, duo: DuoSimulator, fault: str) -> None:
    duo.faults.callback = fault  # type: ignore[assignment]
    browser = site.browser()
    answer = through_duo(browser, duo, browser.sign_in("ada", PAYROLL))
    assert answer.status_int == 400
    duo.faults.clear()
    links = [link.get("href") for link in answer.html.find_all("a") if "service=" in (link.get("href") or "")]
    prompt = browser.get("https://sso.example.edu" + links[0])
    assert has_ticket(through_duo(browser, duo, prompt))


@pytest.mark.parametrize("fault", ["no_state", "wrong_state"])
def test_row_16_a_lost_state_is_a_page_and_no_ticket(site: Site, duo: DuoSimulator, fault: str) -> None:
    duo.faults.callback = fault  # type: ignore[assignment]
    browser = site.browser()
    answer = through_duo(browser, duo, browser.sign_in("ada", PAYROLL))
    assert answer.status_int == 400
    assert not has_ticket(answer)


def test_row_16_a_replayed_callback_is_a_page_that_knows_the_way(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    prompt = browser.sign_in("ada", PAYROLL)
    callback = duo.visit_prompt(prompt.headers["Location"])
    assert has_ticket(browser.get(callback))
    exchanged = duo.requests.count("/oauth/v1/token")
    again = browser.get(callback)
    assert again.status_int == 400
    assert duo.requests.count("/oauth/v1/token") == exchanged
    links = [link.get("href") for link in again.html.find_all("a") if "service=" in (link.get("href") or "")]
    assert has_ticket(browser.get("https://sso.example.edu" + links[0]))


def test_a_stolen_callback_is_worth_nothing_in_another_browser(site: Site, duo: DuoSimulator) -> None:
    browser, thief = site.browser(), site.browser()
    callback = duo.visit_prompt(browser.sign_in("ada", PAYROLL).headers["Location"])
    thief.login_page()
    assert not has_ticket(thief.get(callback))
    assert not thief.session
    assert has_ticket(browser.get(callback))


def test_a_waiting_flow_ends_with_its_lifetime(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    callback = duo.visit_prompt(browser.sign_in("ada", PAYROLL).headers["Location"])
    store = site.composed.parts.store
    for key in store.command("KEYS", "*:flow:*"):
        assert 599_000 < store.command("PTTL", key) <= 600_000
        store.command("DEL", key)
    assert browser.get(callback).status_int == 400


def test_duo_dies_while_the_person_is_at_the_prompt_and_nothing_fails_open(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    callback = duo.visit_prompt(browser.sign_in("ada", TIMESHEETS).headers["Location"])
    duo.stop_listening()
    answer = browser.get(callback)
    assert SENTENCE in words(answer)
    assert browser.session


def test_a_service_disabled_meanwhile_stays_closed(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    callback = duo.visit_prompt(browser.sign_in("ada", PAYROLL).headers["Location"])
    source = site.composed.parts.services
    source.path.write_text(
        source.path.read_text().replace("requires_duo: true", "requires_duo: true\n    enabled: false")
    )
    assert source.poll()
    answer = browser.get(callback)
    assert answer.status_int == 403
    assert not has_ticket(answer)


def test_nobody_is_asked_for_duo_without_a_service_or_where_the_registry_does_not_say_so(
    site: Site, duo: DuoSimulator
) -> None:
    browser = site.browser()
    browser.sign_in("ada", "")
    assert has_ticket(browser.login_page(LIBRARY))
    assert len(duo.requests) == 0


def make_fault(duo: DuoSimulator, fault: str) -> None:
    match fault:
        case "stopped":
            duo.stop_listening()
        case "server_error":
            duo.faults.break_down()
        case "html":
            duo.faults.answer("*", "html")
        case "preauth":
            duo.faults.answer("/auth/v2/preauth", "bad_gateway_html")


def mend(site: Site, duo: DuoSimulator, fault: str) -> None:
    duo.faults.clear()
    if fault == "stopped":
        duo.listen_again()
    # As if the breaker's pause were over, which goes by Redis's clock.
    store = site.composed.parts.store
    for key in store.command("KEYS", "casduo:{breaker:*"):
        store.command("DEL", key)
    site.clock.advance(11)
