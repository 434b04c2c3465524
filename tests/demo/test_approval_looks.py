"""Asking, deciding and what Webex shows of it, as it really comes: accessible, no wider than a phone, quiet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from casduo.simulators.demo.people import APPROVER
from tests.demo.approving import APP, FORM_HEADING, MACHINE, REVIEW_HEADING, Asker, Webex
from tests.demo.browsing import DUO_HEADING, Visitor
from tests.demo.critic import Critic
from tests.demo.newcomers import Newcomer
from tests.demo.running import DemoProcess


@pytest.fixture
def context(chromium: Browser, critic: Critic) -> Iterator[BrowserContext]:
    """A browser with scripts on."""
    context = chromium.new_context(ignore_https_errors=True)
    context.on("console", critic.listen)
    yield context
    context.close()


@pytest.fixture
def asker(demo: DemoProcess, context: BrowserContext) -> Asker:
    """Somebody without cookies."""
    return Asker(demo, context, context.new_page())


def test_asking_and_giving_up(asker: Asker, newcomer: Newcomer, critic: Critic) -> None:
    page = asker.page
    asker.comes_to_the_form(newcomer)
    critic.look(page, "ask")
    for what in ("date", "time"):
        page.get_by_label(f"End {what}").fill(page.get_by_label(f"Start {what}").input_value())
    asker.checks("No time at all")
    expect(page.get_by_role("alert")).to_be_focused()
    critic.look(page, "ask-problem")
    page.goto(asker.demo.app(APP))
    asker.sees(FORM_HEADING)
    asker.checks("A row was lost in the table of loans, and the backup has it")
    asker.sees(REVIEW_HEADING)
    critic.look(page, "ask-review")
    asker.sends()
    critic.look(page, "request-pending")
    page.goto(f"{asker.demo.cas_url}/login")
    asker.sees("You are signed in")
    remote = page.get_by_role("region", name="Remote access")
    expect(remote).to_contain_text("Waiting for a decision")
    critic.look(page, "signed-in-remote-access")
    remote.get_by_role("link", name=f"See the request for {MACHINE}").click()
    page.get_by_role("button", name="Withdraw the request").click()
    asker.sees("Withdrawn")
    critic.look(page, "request-withdrawn")
    page.get_by_role("link", name="My requests").click()
    asker.sees("My requests")
    critic.look(page, "requests")


def test_deciding(asker: Asker, newcomer: Newcomer, chromium: Browser, critic: Critic) -> None:
    demo, reason = asker.demo, f"An index is broken, says {newcomer.name}"
    asker.asks(newcomer, reason)
    with chromium.new_context(ignore_https_errors=True) as context:
        context.on("console", critic.listen)
        webex = Webex(context.new_page(), demo.ready["webex_url"])
        webex.looks_into(APPROVER.username, demo.ready["webex_space"])
        webex.said(reason)
        critic.look(webex.page, "webex-request")
        approver = Visitor(demo, context, context.new_page())
        approver.page.goto(f"{demo.cas_url}/approvals")
        approver.sign_in(APPROVER.username)
        approver.sees(DUO_HEADING)
        approver.answer_push(APPROVER.username, "Approve")
        approver.sees("Access requests")
        critic.look(approver.page, "approvals")
        approver.page.get_by_role("link", name=f"{newcomer.name}: {MACHINE}").click()
        approver.sees(f"{newcomer.name} asks for access to {MACHINE}")
        critic.look(approver.page, "approval")
        approver.page.get_by_role("button", name="Approve").click()
        expect(approver.page.get_by_text("You approved this request")).to_be_visible()
        critic.look(approver.page, "approval-decided")
        asker.is_at(APP, newcomer.name)
        critic.look(asker.page, "database")
