"""Access that somebody has to approve, with a real browser, from the application to Webex and back."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, expect

from casduo.cli import main
from casduo.simulators.demo.people import APPROVER
from tests.demo.approving import APP, FORM_HEADING, MACHINE, OUTCOME, WAITING_HEADING, Asker, Webex
from tests.demo.browsing import DUO_HEADING, PUSH_HEADING, Visitor
from tests.demo.newcomers import PASSWORD, Newcomer
from tests.demo.running import DemoProcess

both = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
PATIENCE = 30
"""Seconds: one message a second goes to a space, and other tests have people who sign in, too."""


@pytest.fixture
def scripts() -> bool:
    """Whether the browsers run scripts; some tests have it both ways."""
    return True


@pytest.fixture
def asker(demo: DemoProcess, chromium: Browser, scripts: bool) -> Iterator[Asker]:
    """Somebody without cookies."""
    context = chromium.new_context(java_script_enabled=scripts, ignore_https_errors=True)
    yield Asker(demo, context, context.new_page(), scripts)
    context.close()


@pytest.fixture
def webex(demo: DemoProcess, chromium: Browser, scripts: bool) -> Iterator[Webex]:
    """Another browser, at Webex."""
    context = chromium.new_context(java_script_enabled=scripts, ignore_https_errors=True)
    yield Webex(context.new_page(), demo.ready["webex_url"], scripts)
    context.close()


@pytest.fixture
def person(demo: DemoProcess, newcomer: Newcomer) -> Newcomer:
    """Somebody with a phone and an account at Webex."""
    demo.webex(do="add_person", email=newcomer.email, name=newcomer.name)
    return newcomer


def run(demo: DemoProcess, group: str, *words: str) -> str:
    """Run one of the commands that the demo names, in this process, and return what it prints."""
    result = CliRunner().invoke(main, [group, "--config", demo.ready["settings_file"], *words])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def approver(demo: DemoProcess, chromium: Browser, scripts: bool) -> Iterator[Visitor]:
    """The one who decides, at the page of those who do."""
    context = chromium.new_context(java_script_enabled=scripts, ignore_https_errors=True)
    approver = Visitor(demo, context, context.new_page(), scripts)
    approver.page.goto(f"{demo.cas_url}/approvals")
    approver.sign_in(APPROVER.username)
    approver.sees(DUO_HEADING)
    approver.answer_push(APPROVER.username, "Approve")
    approver.sees("Access requests")
    yield approver
    context.close()


@both
def test_approved_in_webex_the_page_goes_on_by_itself(
    asker: Asker, webex: Webex, person: Newcomer, demo: DemoProcess
) -> None:
    reason = f"The disk is full, says {person.name}"
    asker.asks(person, reason)
    webex.looks_into(APPROVER.username, demo.ready["webex_space"])
    webex.approves(reason)
    if not asker.scripts:
        asker.sees("Approved")
        asker.page.get_by_role("link", name=f"Continue to {MACHINE}").click()
    asker.is_at(APP, person.name)
    expect(asker.page.get_by_text("172.16.200.53", exact=True)).to_be_visible()
    expect(asker.page.get_by_text("Approved with Duo")).to_be_visible()
    outcome = webex.said(OUTCOME.format("approved"), reason)
    expect(outcome.get_by_role("button")).to_have_count(0)
    webex.said("Remote access:", person.username)
    webex.looks_into(person.username, "casduo")
    webex.said("approved", "Margaret Hamilton")


def test_rejected_on_the_page_of_those_who_decide(
    asker: Asker, approver: Visitor, webex: Webex, person: Newcomer, demo: DemoProcess
) -> None:
    reason = f"Curiosity, says {person.name}"
    asker.asks(person, reason)
    approver.page.reload()
    approver.page.get_by_role("link", name=f"{person.name}: {MACHINE}").click()
    approver.sees(f"{person.name} asks for access to {MACHINE}")
    expect(approver.page.get_by_text(reason)).to_be_visible()
    approver.page.get_by_label("Comment (optional)").fill("Ask the owner first")
    approver.page.get_by_role("button", name="Reject").click()
    expect(approver.page.get_by_text("You rejected this request")).to_be_visible()
    asker.sees("Not approved")
    expect(asker.page.get_by_text("Ask the owner first")).to_be_visible()
    webex.looks_into(APPROVER.username, demo.ready["webex_space"])
    webex.said(OUTCOME.format("rejected"), reason)
    webex.looks_into(person.username, "casduo")
    webex.said("rejected", "Margaret Hamilton")
    asker.page.get_by_role("link", name="Ask again").click()
    asker.sees(FORM_HEADING)


def test_who_may_not_decide_presses_in_vain(asker: Asker, webex: Webex, person: Newcomer, demo: DemoProcess) -> None:
    reason = f"Backups, says {person.name}"
    asker.asks(person, reason)
    webex.looks_into("edsger", demo.ready["webex_space"])
    webex.approves(reason)
    webex.looks_into("edsger", "casduo")
    webex.said("You are not an")
    asker.sees(WAITING_HEADING)
    webex.looks_into(APPROVER.username, demo.ready["webex_space"])
    webex.rejects(reason, "Not tonight")
    asker.sees("Not approved")
    expect(asker.page.get_by_text("Not tonight")).to_be_visible()
    asker.open(APP)
    asker.sees(FORM_HEADING)


def test_the_space_tells_of_sign_ins_and_of_fraud_and_all_is_written_down(
    asker: Asker, webex: Webex, newcomer: Newcomer, demo: DemoProcess
) -> None:
    asker.open("Library")
    asker.sign_in(newcomer.username, PASSWORD)
    asker.is_at("Library", newcomer.name)
    asker.open("Timesheets")
    asker.sees(PUSH_HEADING)
    asker.answer_push(newcomer.username, "It's fraud")
    asker.sees("You were not let in to Timesheets")
    webex.looks_into(APPROVER.username, demo.ready["webex_space"])
    webex.said(f"{newcomer.username} signed in to Library")
    violation = webex.said("Policy violation", newcomer.username)
    violation.get_by_text("More", exact=True).click()
    expect(violation.get_by_text("policy.violation")).to_be_visible()
    written = run(demo, "audit", "tail")
    assert re.search(rf"signin\.ok +{newcomer.username} +library", written)
    assert re.search(rf"policy\.violation +{newcomer.username} +timesheets", written)
    assert "all as they were written" in run(demo, "audit", "verify")
    deadline = time.monotonic() + PATIENCE
    while "nothing waits" not in run(demo, "outbox", "status"):
        assert time.monotonic() < deadline
