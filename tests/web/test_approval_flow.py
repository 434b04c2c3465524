"""Signing in to a service that somebody has to approve: what each way in leads to, and what does not lead in."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from webtest.response import TestResponse

from casduo.approvals.model import ApprovalRequest
from casduo.simulators.duo import DuoSimulator
from tests.support.site import LIBRARY, Browser, Build, Site, has_ticket, heading, ticket_of, words
from tests.web.asking import ORACLE, REGISTRY, ask, decide

ASKING = "Ask for access to OracleLinux_SystemB"


@pytest.fixture
def site(build: Build) -> Site:
    """A server with a machine that somebody has to approve, and no Duo."""
    return build(registry=REGISTRY)


def form_of(page: TestResponse) -> object:
    return next(form for form in page.forms.values() if "execution" in form.fields)


def sent(browser: Browser, page: TestResponse, button: str = "send", **typed: str) -> TestResponse:
    """Fill in the form of a request, and press a button of the page that shows it once more."""
    form = form_of(page)
    for name, value in ({"reason": "Replace the full disk"} | typed).items():
        form[name] = value  # type: ignore[index]
    review = browser.follow(form.submit(status="*"))  # type: ignore[attr-defined]
    if heading(review) != "Check your request":
        return review
    return browser.follow(form_of(review).submit(button, status="*"))  # type: ignore[attr-defined]


def only_request(site: Site) -> ApprovalRequest:
    [request] = site.composed.parts.approvals.recent()
    return request


# -- asking ----------------------------------------------------------------------------------------------------------


def test_after_the_password_comes_the_form_and_then_the_page_of_the_request(site: Site) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", ORACLE)
    assert heading(page) == ASKING
    waiting = sent(browser, page)
    request = only_request(site)
    assert heading(waiting) == "Waiting for a decision"
    assert waiting.request.path == f"/cas/requests/{request.id}"
    assert (request.principal, request.service, request.url) == ("ada", "oracle-b", ORACLE)
    assert (request.emails, request.name) == (("ada@example.edu",), "Ada L")
    assert (request.reason, request.state) == ("Replace the full disk", "pending")
    assert request.end - request.start <= 7200.0
    assert request.address == "192.0.2.7"
    assert [event.request for event in site.journal.named("approval.requested")] == [request.id]


def test_the_session_exists_meanwhile_and_other_services_work(site: Site) -> None:
    browser = site.browser()
    browser.sign_in("ada", ORACLE)
    assert has_ticket(browser.login_page(LIBRARY))


def test_who_comes_again_while_a_request_waits_is_shown_that_request(site: Site) -> None:
    browser = site.browser()
    sent(browser, browser.sign_in("ada", ORACLE))
    for visitor in (browser, site.browser()):
        page = visitor.login_page(ORACLE) if visitor is browser else visitor.sign_in("ada", ORACLE)
        assert heading(visitor.follow(page)) == "Waiting for a decision"
    only_request(site)


def test_an_approved_request_opens_the_service_and_the_ticket_names_it_in_the_events(site: Site) -> None:
    browser = site.browser()
    sent(browser, browser.sign_in("ada", ORACLE))
    request = only_request(site)
    decide(site, request)

    ticket = ticket_of(browser.login_page(ORACLE))

    assert "<cas:user>ada</cas:user>" in site.validate(ticket, ORACLE).text
    [accessed] = site.journal.named("target.accessed")
    assert (accessed.host, accessed.request, accessed.principal) == ("OracleLinux_SystemB", request.id, "ada")


def test_it_opens_for_that_person_only(site: Site) -> None:
    decide(site, ask(site))
    browser = site.browser()
    assert heading(browser.sign_in("linus", ORACLE)) == ASKING


def test_with_the_end_of_the_window_tickets_end_and_none_are_granted(site: Site) -> None:
    browser = site.browser()
    sent(browser, browser.sign_in("ada", ORACLE))
    request = only_request(site)
    decide(site, request)
    site.clock.now = request.end - 1.0
    late = ticket_of(browser.login_page(ORACLE))
    site.clock.now = request.end

    answer = site.validate(late, ORACLE).text

    assert 'code="INVALID_TICKET"' in answer or 'code="UNAUTHORIZED_SERVICE"' in answer
    assert heading(browser.follow(browser.login_page(ORACLE))) == ASKING


def test_before_the_window_the_person_is_told_when_it_opens_and_that_is_a_violation_once(site: Site) -> None:
    decide(site, ask(site, begins=600))
    browser = site.browser()
    for _ in range(2):
        page = browser.follow(browser.login_page(ORACLE)) if browser.session else browser.sign_in("ada", ORACLE)
        assert heading(page).startswith("Opens on")
    assert [event.rule for event in site.journal.named("policy.violation")] == ["outside_window"]
    site.clock.advance(600)
    assert has_ticket(browser.login_page(ORACLE))


def test_after_three_refusals_no_request_is_taken(site: Site) -> None:
    for _ in range(3):
        decide(site, ask(site), "rejected")
    page = site.browser().sign_in("ada", ORACLE)
    assert page.status_int == 403
    assert heading(page) != ASKING
    site.clock.advance(86_400)
    assert heading(site.browser().sign_in("ada", ORACLE)) == ASKING


def test_too_many_requests_that_wait_are_too_many(build: Build) -> None:
    other = REGISTRY[REGISTRY.index("  - id: oracle-b") :].replace("oracle-b", "oracle-c")
    site = build(registry=REGISTRY + other, settings="approvals: {most_open: 1}\n")
    browser = site.browser()
    sent(browser, browser.sign_in("ada", ORACLE.replace("oracle-b", "oracle-c")))
    answer = sent(browser, browser.follow(browser.login_page(ORACLE)))
    assert (answer.status_int, heading(answer) == ASKING) == (403, False)
    only_request(site)


# -- the form --------------------------------------------------------------------------------------------------------


def test_what_was_typed_is_kept_and_everything_wrong_is_told_at_once(site: Site) -> None:
    browser = site.browser()
    page = sent(browser, browser.sign_in("ada", ORACLE), reason="", start_time="half past", end_date="2031-02-30")
    assert heading(page) == ASKING
    assert "Error" in page.html.title.text
    fields = form_of(page).fields  # type: ignore[attr-defined]
    assert fields["start_time"][0].value == "half past"
    assert fields["end_date"][0].value == "2031-02-30"
    assert len(page.html.select("#problem a, .problem a, [role=alert] a")) == 3
    assert site.composed.parts.approvals.recent() == []


def test_a_window_that_is_longer_than_allowed_is_refused(site: Site) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", ORACLE)
    day = form_of(page)["end_date"].value  # type: ignore[index]
    page = sent(browser, page, start_date=day, start_time="00:00", end_date=f"{int(day[:4]) + 1}{day[4:]}")
    assert heading(page) == ASKING
    assert site.composed.parts.approvals.recent() == []


def test_change_leads_back_to_the_form_with_what_was_typed(site: Site) -> None:
    browser = site.browser()
    page = sent(browser, browser.sign_in("ada", ORACLE), "change", reason="Look at the disk")
    assert heading(page) == ASKING
    assert form_of(page)["reason"].value == "Look at the disk"  # type: ignore[index]
    assert site.composed.parts.approvals.recent() == []


def test_form_and_review_can_be_loaded_again(site: Site) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", ORACLE)
    assert heading(browser.get(page.request.url)) == ASKING
    form = form_of(page)
    form["reason"] = "Look"  # type: ignore[index]
    review = browser.follow(form.submit(status="*"))  # type: ignore[attr-defined]
    assert heading(browser.get(review.request.url)) == "Check your request"


def test_pressed_twice_there_is_one_request(site: Site) -> None:
    browser = site.browser()
    form = form_of(browser.sign_in("ada", ORACLE))
    form["reason"] = "Look"  # type: ignore[index]
    review = form_of(browser.follow(form.submit(status="*")))  # type: ignore[attr-defined]
    first = browser.follow(review.submit("send", status="*"))  # type: ignore[attr-defined]
    second = browser.follow(review.submit("send", status="*"))  # type: ignore[attr-defined]
    assert [heading(page) for page in (first, second)] == ["Waiting for a decision"] * 2
    only_request(site)


def test_two_windows_make_one_request(site: Site) -> None:
    browser = site.browser()
    pages = [browser.sign_in("ada", ORACLE), browser.follow(browser.login_page(ORACLE))]
    for page in pages:
        assert heading(sent(browser, page)) == "Waiting for a decision"
    only_request(site)


def test_approved_in_another_window_meanwhile_the_form_goes_on_to_the_service_s_request(site: Site) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", ORACLE)
    decide(site, ask(site))
    sent(browser, page)
    assert has_ticket(browser.login_page(ORACLE))


def test_who_signed_in_anew_in_another_window_meanwhile_stays_signed_in(site: Site) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", ORACLE)
    browser.sign_in("ada", LIBRARY, renew="true")
    present = browser.session
    assert heading(sent(browser, page)) == "Sign in"
    assert browser.session == present
    assert has_ticket(browser.login_page(LIBRARY))


def test_a_session_that_ended_meanwhile_asks_for_the_password(site: Site) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", ORACLE)
    site.composed.parts.tickets.close_sessions_of("ada", "administrator", site.clock())
    answer = sent(browser, page)
    assert heading(answer).startswith("Sign in")
    assert site.composed.parts.approvals.recent() == []


def test_the_key_of_the_form_is_good_in_its_own_browser_only(site: Site) -> None:
    browser, thief = site.browser(), site.browser()
    page = browser.sign_in("ada", ORACLE)
    thief.sign_in("linus", "")
    execution = form_of(page)["execution"].value  # type: ignore[index]
    answer = thief.follow(thief.post("/login", {"execution": execution, "service": ORACLE, "reason": "mine"}))
    assert heading(answer) == ASKING
    assert site.composed.parts.approvals.recent() == []


# -- other ways in ---------------------------------------------------------------------------------------------------


def test_an_application_that_asks_quietly_is_never_shown_a_form(site: Site) -> None:
    browser = site.browser()
    browser.sign_in("ada", "")
    answer = browser.login_page(ORACLE, gateway="true")
    assert (answer.status_int, answer.headers["Location"]) == (302, ORACLE)
    decide(site, ask(site))
    assert has_ticket(browser.login_page(ORACLE, gateway="true"))


def test_renew_asks_for_the_password_and_then_goes_the_same_way(site: Site) -> None:
    browser = site.browser()
    browser.sign_in("ada", "")
    page = browser.login_page(ORACLE, renew="true")
    assert heading(page) != ASKING
    assert heading(browser.fill(page, "ada")) == ASKING
    decide(site, ask(site))
    assert has_ticket(browser.fill(browser.login_page(ORACLE, renew="true"), "ada"))


def test_a_service_without_single_sign_on_goes_the_same_way(build: Build) -> None:
    site = build(registry=REGISTRY.replace("    target:", "    single_sign_on: false\n    target:"))
    browser = site.browser()
    page = browser.sign_in("ada", ORACLE)
    assert heading(page) == ASKING
    assert heading(sent(browser, page)) == "Waiting for a decision"
    decide(site, only_request(site))
    assert has_ticket(browser.sign_in("ada", ORACLE))


def test_duo_comes_before_the_form(build: Build, duo: DuoSimulator, duo_settings: str) -> None:
    registry = REGISTRY.replace("    target:", "    requires_duo: true\n    target:")
    site = build(registry=registry, settings=duo_settings)
    browser = site.browser()
    prompt = browser.sign_in("ada", ORACLE)
    assert prompt.headers["Location"].startswith(duo.base_url)
    page = browser.follow(browser.get(duo.visit_prompt(prompt.headers["Location"])))
    assert heading(page) == ASKING


def test_the_access_rules_come_before_the_form(build: Build) -> None:
    site = build(registry=REGISTRY.replace("    target:", "    access: {groups: [staff]}\n    target:"))
    page = site.browser().sign_in("ada", ORACLE)
    assert page.status_int == 403
    assert heading(page) != ASKING


def test_rest_opens_only_what_was_approved(build: Build) -> None:
    site = build(
        registry=REGISTRY, settings="rest: {enabled: true, clients: [{name: robot, networks: [192.0.2.0/24]}]}\n"
    )
    browser = site.browser()
    credentials = {"username": "ada", "password": "Analytical-Engine"}
    made = browser.post("/v1/tickets", credentials)
    assert made.status_int == 201, made.text
    path = urlsplit(made.headers["Location"]).path.removeprefix("/cas")
    refused = browser.post(path, {"service": ORACLE})
    assert refused.status_int == 403
    decide(site, ask(site))
    granted = browser.post(path, {"service": ORACLE})
    assert granted.status_int == 200
    assert "<cas:user>ada</cas:user>" in site.validate(granted.text.strip(), ORACLE).text


def test_what_is_used_after_the_time_is_told_once_with_whose_it_was(site: Site) -> None:
    browser = site.browser()
    sent(browser, browser.sign_in("ada", ORACLE))
    request = only_request(site)
    decide(site, request)
    site.clock.now = request.end - 1.0
    tickets = [ticket_of(browser.login_page(ORACLE)) for _ in range(2)]
    site.clock.now = request.end + 1.0

    for ticket in tickets:
        assert 'code="UNAUTHORIZED_SERVICE"' in site.validate(ticket, ORACLE).text

    [violation] = site.journal.named("policy.violation")
    assert (violation.rule, violation.request) == ("outside_window", request.id)
    assert (violation.principal, violation.service) == ("ada", "oracle-b")


def test_a_program_that_comes_too_early_is_told_of_too(build: Build) -> None:
    rest = "rest: {enabled: true, clients: [{name: robot, networks: [192.0.2.0/24]}]}\n"
    site = build(registry=REGISTRY, settings=rest)
    asked = ask(site, begins=600)
    decide(site, asked)
    browser = site.browser()
    made = browser.post("/v1/tickets", {"username": "ada", "password": "Analytical-Engine"})
    path = urlsplit(made.headers["Location"]).path.removeprefix("/cas")
    assert browser.post(path, {"service": ORACLE}).status_int == 403
    assert [event.request for event in site.journal.named("policy.violation")] == [asked.id]


def test_no_step_of_asking_puts_what_was_typed_into_an_address(site: Site) -> None:
    browser = site.browser()
    waiting = sent(browser, browser.sign_in("ada", ORACLE), reason="Secret project X")
    assert "Secret" not in waiting.request.url
    assert parse_qs(urlsplit(waiting.request.url).query) == {}


def test_signed_in_lists_the_machines_apart_with_how_they_stand(site: Site) -> None:
    browser = site.browser()
    browser.sign_in("ada", "")
    page = browser.get("/login")
    assert "Remote access" in words(page)
    decide(site, ask(site))
    assert "Open until" in words(browser.get("/login"))


def test_machines_are_not_hidden_behind_many_applications(build: Build) -> None:
    many = "".join(f"  - {{id: app-{n}, name: App {n}, url: 'https://app-{n}.example.edu/'}}\n" for n in range(60))
    site = build(registry=REGISTRY.replace("services:\n", "services:\n" + many))
    browser = site.browser()
    browser.sign_in("ada", "")
    page = words(browser.get("/login"))
    assert "OracleLinux_SystemB" in page
    assert "App 59" not in page
