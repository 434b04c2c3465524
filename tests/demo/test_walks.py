"""People with a real browser, scripts off: from an application to the sign-in server, to Duo, and back."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.demo.browsing import DUO_HEADING, Visitor
from tests.demo.running import DemoProcess


@pytest.fixture
def visitor(demo: DemoProcess, chromium: Browser) -> Iterator[Visitor]:
    """Somebody without scripts and without cookies who has put up with the certificate."""
    context = chromium.new_context(java_script_enabled=False, ignore_https_errors=True)
    yield Visitor(demo, context, context.new_page())
    context.close()


def test_a_password_is_enough_for_the_library(visitor: Visitor) -> None:
    visitor.open("Library")
    visitor.sees("Sign in")
    expect(visitor.page.get_by_text("to continue to Library")).to_be_visible()
    visitor.sign_in("ada")
    visitor.is_at("Library", "Ada Lovelace")
    expect(visitor.page.get_by_text("Not asked for")).to_be_visible()
    expect(visitor.page.get_by_text("ada@example.edu")).to_be_visible()


def test_payroll_asks_for_duo_and_for_no_second_password(visitor: Visitor) -> None:
    visitor.open("Library")
    visitor.sign_in("ada")
    visitor.is_at("Library", "Ada Lovelace")
    visitor.open("Payroll")
    visitor.sees(DUO_HEADING)
    visitor.answer_push("ada", "Approve")
    visitor.is_at("Payroll", "Ada Lovelace")
    expect(visitor.page.get_by_text("Approved with Duo")).to_be_visible()
    visitor.open("Timesheets")
    visitor.is_at("Timesheets", "Ada Lovelace")


@pytest.mark.parametrize("button", ["Deny", "It's fraud"])
def test_who_refuses_the_push_stays_at_duo_and_signed_in_without_it(visitor: Visitor, button: str) -> None:
    visitor.open("Library")
    visitor.sign_in("ada")
    visitor.is_at("Library", "Ada Lovelace")
    visitor.open("Payroll")
    visitor.sees(DUO_HEADING)
    visitor.answer_push("ada", button)
    expect(visitor.page.get_by_role("alert")).to_be_visible(timeout=15_000)
    visitor.open("Payroll")
    visitor.sees(DUO_HEADING)


def test_edsger_denies_by_himself(visitor: Visitor) -> None:
    visitor.open("Payroll")
    visitor.sign_in("edsger")
    expect(visitor.page.get_by_role("alert")).to_have_text("Login request denied.", timeout=15_000)


def test_alan_is_not_asked(visitor: Visitor) -> None:
    visitor.open("Payroll")
    visitor.sign_in("alan")
    visitor.is_at("Payroll", "Alan Turing")


def test_linus_is_locked_out_of_payroll_and_of_nothing_else(visitor: Visitor) -> None:
    visitor.open("Payroll")
    visitor.sign_in("linus")
    visitor.sees("You were not let in to Payroll")
    expect(visitor.page.get_by_text("Your account is locked out")).to_be_visible()
    visitor.open("Library")
    visitor.is_at("Library", "Linus Torvalds")


def test_grace_has_no_device_uses_the_library_enrols_and_gets_into_payroll(visitor: Visitor) -> None:
    visitor.open("Payroll")
    visitor.sign_in("grace")
    visitor.sees("One more step for Payroll")
    other_tab = Visitor(visitor.demo, visitor.context, visitor.context.new_page())
    other_tab.open("Library")
    other_tab.is_at("Library", "Grace Hopper")
    visitor.page.get_by_role("link", name="Set up a device").click()
    visitor.enrol().close()
    # Nobody presses anything: the application first asked for goes on by itself.
    visitor.sees(DUO_HEADING)
    visitor.answer_push("grace", "Approve")
    visitor.is_at("Payroll", "Grace Hopper")


@pytest.mark.usefixtures("without_duo")
def test_without_duo_payroll_is_closed_and_timesheets_open(visitor: Visitor) -> None:
    visitor.open("Payroll")
    visitor.sign_in("ada")
    visitor.sees("There was a problem accessing to DUO")
    visitor.open("Timesheets")
    visitor.is_at("Timesheets", "Ada Lovelace")
    visitor.open("Library")
    visitor.is_at("Library", "Ada Lovelace")
    visitor.open("Payroll")
    visitor.sees("There was a problem accessing to DUO")


def test_the_way_back_from_enrolment_leads_to_the_page_again(visitor: Visitor) -> None:
    visitor.open("Payroll")
    visitor.sign_in("grace")
    visitor.sees("One more step for Payroll")
    visitor.page.get_by_role("link", name="Set up a device").click()
    visitor.page.wait_for_url("**/cas/enroll/")
    visitor.page.go_back()
    visitor.sees("One more step for Payroll")


def test_duo_that_is_there_again_is_asked_after_it_was_passed_by(demo: DemoProcess, visitor: Visitor) -> None:
    demo.duo(do="listen", on=False)
    visitor.open("Timesheets")
    visitor.sign_in("ada")
    visitor.is_at("Timesheets", "Ada Lovelace")
    demo.duo(do="listen", on=True)
    # After several failures nobody is asked for a while; the demo's breaker pauses for two seconds.
    visitor.opens_in_time("Payroll", DUO_HEADING)


def test_signing_out_of_an_application_ends_single_sign_on(visitor: Visitor) -> None:
    visitor.open("Library")
    visitor.sign_in("ada")
    visitor.is_at("Library", "Ada Lovelace")
    visitor.page.get_by_role("button", name="Sign out", exact=True).click()
    visitor.sees("You are signed out")
    expect(visitor.page).to_have_url(visitor.demo.app("Library") + "signed-out")
    for app in ("Library", "Payroll"):
        visitor.open(app)
        visitor.sees("Sign in")


def test_the_sign_in_server_lists_applications_and_signs_out(visitor: Visitor) -> None:
    visitor.page.goto(f"{visitor.demo.cas_url}/login")
    visitor.sign_in("ada")
    visitor.sees("You are signed in")
    visitor.page.get_by_role("link", name="Library").click()
    visitor.is_at("Library", "Ada Lovelace")
    visitor.page.goto(f"{visitor.demo.cas_url}/login")
    visitor.page.get_by_role("button", name="Sign out", exact=True).click()
    visitor.sees("You are signed out")
    visitor.page.goto(f"{visitor.demo.cas_url}/login")
    visitor.sees("Sign in")


def test_signing_in_takes_nothing_but_the_keyboard(visitor: Visitor) -> None:
    visitor.open("Library")
    expect(visitor.page.get_by_label("User name")).to_be_focused()
    visitor.page.keyboard.type("ada")
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.get_by_label("Password")).to_be_focused()
    visitor.page.keyboard.type(visitor.demo.password("ada"))
    visitor.page.keyboard.press("Enter")
    visitor.is_at("Library", "Ada Lovelace")


def test_a_wrong_password_is_told_and_the_next_one_works(visitor: Visitor) -> None:
    visitor.open("Library")
    visitor.sign_in("ada", "difference")
    expect(visitor.page.get_by_role("alert")).to_contain_text("User name or password is not right.")
    expect(visitor.page).to_have_title("Error: Sign in \N{EN DASH} Example University")
    expect(visitor.page.get_by_label("User name")).to_have_value("ada")
    expect(visitor.page.get_by_label("Password")).to_have_value("")
    visitor.sign_in("ada")
    visitor.is_at("Library", "Ada Lovelace")


def test_who_guesses_has_to_wait(visitor: Visitor) -> None:
    stranger = f"mallory-{secrets.token_hex(4)}"
    visitor.open("Library")
    for _ in range(6):
        visitor.sign_in(stranger, "guess")
        expect(visitor.page.get_by_role("alert")).to_be_visible()
    expect(visitor.page.get_by_role("alert")).to_contain_text("There were too many tries.")


def test_a_form_that_comes_back_without_its_cookie_says_so(visitor: Visitor) -> None:
    visitor.open("Library")
    visitor.context.clear_cookies()
    visitor.sign_in("ada")
    visitor.sees("Cookies are switched off")
    visitor.page.get_by_role("link", name="Try again").click()
    visitor.sign_in("ada")
    visitor.is_at("Library", "Ada Lovelace")


def test_a_second_tab_follows_the_first_one(visitor: Visitor) -> None:
    visitor.open("Library")
    other = visitor.context.new_page()
    other.goto(visitor.demo.app("Library"))
    visitor.sign_in("ada")
    visitor.is_at("Library", "Ada Lovelace")
    second = Visitor(visitor.demo, visitor.context, other)
    second.sign_in("ada")
    second.is_at("Library", "Ada Lovelace")


def test_an_application_that_is_not_registered_gets_no_form(visitor: Visitor) -> None:
    visitor.page.goto(f"{visitor.demo.cas_url}/login?service=https://localhost:1/")
    visitor.sees("This application is not allowed to use this sign-in")
    expect(visitor.page.get_by_label("Password")).to_have_count(0)
