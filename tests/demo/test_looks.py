"""Every page of the demo as it really comes, scripts on: accessible, no wider than a phone, quiet on the console."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.demo.browsing import DUO_HEADING, Visitor
from tests.demo.critic import Critic
from tests.demo.running import DemoProcess


@pytest.fixture
def visitor(demo: DemoProcess, chromium: Browser, critic: Critic) -> Iterator[Visitor]:
    """Somebody with scripts on."""
    context = chromium.new_context(ignore_https_errors=True)
    context.on("console", critic.listen)
    yield Visitor(demo, context, context.new_page())
    context.close()


def test_signing_in_and_out(visitor: Visitor, critic: Critic) -> None:
    page = visitor.page
    visitor.open("Library")
    visitor.sees("Sign in")
    critic.look(page, "sign-in")
    visitor.sign_in("ada", "difference")
    expect(page.get_by_role("alert")).to_be_visible()
    critic.look(page, "wrong-password")
    visitor.sign_in("ada")
    visitor.is_at("Library", "Ada Lovelace")
    critic.look(page, "library")
    page.goto(f"{visitor.demo.cas_url}/login")
    visitor.sees("You are signed in")
    critic.look(page, "signed-in")
    page.get_by_role("button", name="Sign out", exact=True).click()
    visitor.sees("You are signed out")
    expect(page.get_by_role("row", name="Library")).to_contain_text("Signed out")
    critic.look(page, "signed-out")
    visitor.open("Library")
    visitor.sees("Sign in")
    visitor.sign_in("ada")
    visitor.is_at("Library", "Ada Lovelace")
    page.get_by_role("button", name="Sign out", exact=True).click()
    visitor.sees("You are signed out")
    critic.look(page, "signed-out-of-library")


def test_being_refused(visitor: Visitor, critic: Critic) -> None:
    page, stranger = visitor.page, f"mallory-{secrets.token_hex(4)}"
    visitor.open("Library")
    for _ in range(6):
        visitor.sign_in(stranger, "guess")
        expect(page.get_by_role("alert")).to_be_visible()
    critic.look(page, "throttled")
    page.goto(f"{visitor.demo.cas_url}/login?service=https://localhost:1/")
    visitor.sees("This application is not allowed to use this sign-in")
    critic.look(page, "unregistered")
    visitor.open("Payroll")
    visitor.sign_in("linus")
    visitor.sees("You were not let in to Payroll")
    critic.look(page, "locked-out")


def test_confirming_with_duo(visitor: Visitor, critic: Critic) -> None:
    page = visitor.page
    visitor.open("Payroll")
    visitor.sign_in("ada")
    visitor.sees(DUO_HEADING)
    critic.look(page, "duo-waiting")
    phone = visitor.context.new_page()
    phone.goto(visitor.demo.phones_url)
    critic.look(phone, "phones")
    phone.get_by_role("link", name="ada", exact=True).click()
    expect(phone.get_by_role("button", name="Approve")).to_be_visible()
    critic.look(phone, "phone-asked")
    phone.get_by_role("button", name="Deny").click()
    expect(phone.get_by_text("No requests.")).to_be_visible()
    critic.look(phone, "phone-idle")
    expect(page.get_by_role("alert")).to_be_visible(timeout=15_000)
    critic.look(page, "duo-denied")
    page.get_by_role("button", name="Try again on iPhone").click()
    visitor.sees(DUO_HEADING)
    visitor.answer_push("ada", "Approve")
    visitor.is_at("Payroll", "Ada Lovelace")
    critic.look(page, "payroll")


def test_enrolling(visitor: Visitor, critic: Critic) -> None:
    page = visitor.page
    visitor.open("Payroll")
    visitor.sign_in("grace")
    visitor.sees("One more step for Payroll")
    critic.look(page, "unenrolled")
    page.get_by_role("link", name="Set up a device").click()
    visitor.sees("Set up your device")
    critic.look(page, "enrol")
    phone = visitor.enrol()
    critic.look(phone, "activated")
    visitor.sees(DUO_HEADING)
    critic.look(page, "enrolled")


@pytest.mark.usefixtures("without_duo")
def test_going_without_duo(visitor: Visitor, critic: Critic) -> None:
    visitor.open("Payroll")
    visitor.sign_in("ada")
    visitor.sees("There was a problem accessing to DUO")
    critic.look(visitor.page, "duo-down")
    visitor.open("Timesheets")
    visitor.is_at("Timesheets", "Ada Lovelace")
    critic.look(visitor.page, "timesheets")


def test_ip_phones(visitor: Visitor, critic: Critic) -> None:
    page = visitor.page
    page.goto(visitor.demo.ready["phone_url"])
    visitor.sees("Which phone?")
    critic.look(page, "ip-phones")
    for phone in visitor.demo.ready["phones"]:
        page.goto(visitor.demo.ready["phone_url"])
        page.get_by_role("link", name=phone["name"]).click()
        visitor.sees(phone["name"])
        critic.look(page, f"ip-phone-{phone['model']}")
        page.get_by_role("button", name="Services").click()
        expect(page.get_by_label("PIN")).to_be_visible()
        critic.look(page, f"ip-phone-{phone['model']}-form")
