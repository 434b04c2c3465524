"""The administration pages in a browser, with scripts and without: an administrator's day, with a second editor, a file
that is changed by hand, messages that go wrong, and people who may not do all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect

from casduo.endpoints.admin.routes import PAGES
from tests.demo.approving import FORM_HEADING, REVIEW_HEADING, WAITING_HEADING
from tests.demo.critic import Critic
from tests.demo.newcomers import PASSWORD, Newcomer
from tests.demo.running import DemoProcess
from tests.demo.walking import Walker, never_seen

WITHOUT_SCRIPTS = [page.path for page in PAGES if page.path != "/admin/services/lint"]
"""Only a script asks the linter; without one there is a button."""


@pytest.fixture(scope="module")
def critic() -> Iterator[Critic]:
    """Somebody who looks at each state once, whoever comes by it."""
    critic = Critic()
    yield critic
    assert critic.complaints == []


@pytest.fixture
def registry(demo: DemoProcess) -> Iterator[Path]:
    """The file of the demo's services, which is the same again afterwards."""
    path = demo.state / "registry.yaml"
    before = path.read_text()
    yield path
    path.chmod(0o600)
    path.write_text(before)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_an_administrators_day(
    demo: DemoProcess, chromium: Browser, critic: Critic, registry: Path, newcomer: Newcomer, scripts: bool
) -> None:
    ada = Walker.arriving(demo, chromium, critic, scripts=scripts)
    # With scripts, Duo's answer is noticed sooner.
    user, margaret = (Walker.arriving(demo, chromium, critic, scripts=True) for _ in range(2))
    arrives(ada)
    finds_a_service(ada)
    makes_mistakes(ada)
    tries_a_url(ada)
    changes_it(ada, registry)
    meets_a_second_editor(ada, registry)
    meets_a_change_by_hand(ada, registry)
    goes_back(ada)
    adds_and_deletes(ada)
    sees_a_broken_file_and_one_that_may_not_be_written(ada, registry)
    messages_go_wrong_and_are_sent_again(ada, user, newcomer)
    ends_a_session(ada, user, newcomer)
    cancels_a_request(ada, user, newcomer)
    looks_at_applications(ada)
    looks_at_the_server(ada)
    others_may_not_do_all_of_it(margaret, user, newcomer)
    is_signed_out_meanwhile(ada)
    assert never_seen([page.path for page in PAGES] if scripts else WITHOUT_SCRIPTS, ada.been) == []
    for walker in (ada, user, margaret):
        walker.context.close()


def arrives(ada: Walker) -> None:
    ada.goes_to("/admin/")
    ada.signs_in("ada")
    ada.comes_to("Administration", "admin-overview")


def finds_a_service(ada: Walker) -> None:
    page = ada.page
    ada.follows("Services", within="nav")
    ada.comes_to("Services", "services")
    ada.types("Search, or a URL", "nothing of the kind")
    ada.presses("Find")
    expect(page.get_by_text("No service fits.")).to_be_visible()
    ada.looks("services-none")
    ada.types("Search, or a URL", ada.demo.app("Payroll"))
    ada.presses("Find")
    expect(page.get_by_text("1 service found")).to_be_visible()
    ada.looks("services-by-url")
    ada.follows("Payroll")
    ada.comes_to("Payroll", "service")


def makes_mistakes(ada: Walker) -> None:
    page = ada.page
    ada.types("URL patterns, one a line", "http//nonsense")
    ada.presses("Look at the change", within="#entry-form")
    ada.is_told("There is a problem")
    ada.looks("service-problems")
    expect(page.get_by_label("URL patterns, one a line")).to_have_value("http//nonsense")
    ada.goes_to("/admin/services/entry/payroll")
    text = page.get_by_label("Text of the entry").input_value()
    ada.types("Text of the entry", text.replace("requires_duo", "requires_dou"))
    if ada.scripts:
        expect(page.locator("#lint")).to_contain_text("did you mean 'requires_duo'")
        ada.looks("service-linted")
    else:
        ada.presses("Check")
        ada.is_told("did you mean 'requires_duo'")
    ada.types("Text of the entry", text)
    if ada.scripts:
        expect(page.locator("#lint")).to_contain_text("No mistakes.")
    else:
        ada.presses("Check")
        expect(page.get_by_role("status").filter(has_text="Nothing is wrong with it")).to_be_visible()
        ada.looks("service-checked")


def tries_a_url(ada: Walker) -> None:
    page = ada.page
    ada.presses("Try this text", within="#yaml-form")
    ada.comes_to("Try a URL", "trial")
    ada.types("URL", ada.demo.app("Payroll"))
    ada.types("User name", "nobody-of-this-name")
    ada.presses("Try")
    ada.is_told("Nobody of this name was found")
    ada.looks("trial-problem")
    ada.types("User name", "grace")
    ada.presses("Try")
    expect(page.get_by_role("heading", name="What happens")).to_be_visible()
    expect(page.locator(".trial > .note")).to_contain_text("Duo")
    ada.looks("trial-result")


def changes_it(ada: Walker, registry: Path) -> None:
    edits(ada, "Payslips, tax papers and travel expenses")
    ada.comes_to("Change Payroll", "service-review")
    expect(ada.page.locator(".diff tr.added")).to_contain_text("travel expenses")
    assert "travel" not in registry.read_text()
    saves(ada, "the travel office moved in")
    ada.looks("service-saved")
    assert "travel" in registry.read_text()
    ada.reloads_until("In force on 1 of 1 node.")
    ada.follows("Show the change")
    ada.comes_to(change_heading(ada), "service-change-present")
    shown = requests.get(
        f"{ada.demo.cas_url}/login", {"service": ada.demo.app("Payroll")}, verify=ada.demo.ca_file, timeout=10
    )
    assert "travel expenses" in shown.text


def meets_a_second_editor(ada: Walker, registry: Path) -> None:
    second = ada.tab()
    for editor in (ada, second):
        editor.goes_to("/admin/services/entry/payroll")
    ada.types("Description", "What Ada typed")
    second.types("Owner", "Human resources")
    second.presses("Look at the change", within="#entry-form")
    saves(second, "they answer questions about it")
    second.page.close()
    ada.presses("Look at the change", within="#entry-form")
    ada.comes_to("The registry was changed meanwhile", "service-conflict")
    expect(ada.page.get_by_text("ada saved a change while you were at it")).to_be_visible()
    expect(ada.page.locator(".diff tr.added")).to_contain_text("owner: Human resources")
    field = ada.page.get_by_label("Text of the entry")
    typed = field.input_value()
    assert "What Ada typed" in typed
    field.fill(
        typed.replace("    url:", "    owner: Human resources\n    url:").replace("  url:", "  owner: HR\n  url:")
    )
    ada.presses("Look at the change")
    saves(ada, "both put together")
    assert "What Ada typed" in registry.read_text()


def meets_a_change_by_hand(ada: Walker, registry: Path) -> None:
    ada.goes_to("/admin/services/entry/timesheets")
    ada.types("Description", "Typed in the browser")
    registry.write_text(registry.read_text().replace("Hours and holidays", "Written by hand"))
    ada.presses("Look at the change", within="#entry-form")
    ada.comes_to("The registry was changed meanwhile", "service-conflict-by-hand")
    expect(ada.page.get_by_text("The file was changed by hand")).to_be_visible()
    expect(ada.page.get_by_label("Text of the entry")).to_have_value(re.compile("Typed in the browser"))
    ada.follows("Start again from what is there")
    expect(ada.page.get_by_label("Description")).to_have_value("Written by hand")


def goes_back(ada: Walker) -> None:
    page = ada.page
    ada.follows("History of this service")
    ada.comes_to("History of timesheets", "service-history-of-one")
    ada.goes_to("/admin/services/history")
    ada.comes_to("History of the registry", "service-history")
    ada.follows(re.sub(r"\s+", " ", page.locator("tbody a").first.inner_text()))
    ada.comes_to(change_heading(ada), "service-change")
    ada.presses("Return to before this change")
    ada.comes_to("Take back an earlier text of the whole registry", "service-return")
    saves(ada, "nobody had asked for it")
    ada.goes_to("/admin/services/entry/timesheets")
    expect(page.get_by_label("Description")).to_have_value("Hours and holidays")


def adds_and_deletes(ada: Walker) -> None:
    page = ada.page
    ada.goes_to("/admin/services")
    ada.follows("New service")
    ada.comes_to("New service", "service-new")
    ada.presses("Look at the change", within="#entry-form")
    ada.is_told("There is a problem")
    ada.looks("service-new-problems")
    ada.types("Id", "moodle")
    ada.types("Name", "Moodle")
    ada.types("URL patterns, one a line", "https://moodle.example.edu/**")
    ada.presses("Look at the change", within="#entry-form")
    saves(ada, "lectures begin")
    ada.reloads_until("In force on 1 of 1 node.")
    ada.goes_to("/admin/services/entry/moodle")
    ada.presses("Delete")
    ada.comes_to("Delete Moodle", "service-delete")
    ada.types("Type the name or the id to delete it", "library")
    ada.types("Reason", "lectures are over")
    ada.presses("Delete")
    ada.is_told("Type the name or the id of the service that is to be deleted")
    ada.looks("service-delete-problem")
    expect(page.get_by_label("Reason")).to_have_value("lectures are over")
    ada.presses("Rather switch it off")
    saves(ada, "lectures are over")
    ada.goes_to("/admin/services/entry/moodle")
    ada.looks("service-off")


def sees_a_broken_file_and_one_that_may_not_be_written(ada: Walker, registry: Path) -> None:
    good = registry.read_text()
    registry.write_text("services:\n  - id: [\n")
    ada.goes_to("/admin/services")
    ada.reloads_until("The registry file has a mistake")
    ada.looks("services-broken")
    ada.goes_to("/admin/services/entry/library")
    ada.comes_to("Nothing was changed", "service-stopped")
    registry.write_text(good)
    registry.chmod(0o400)
    ada.goes_to("/admin/services/entry/library")
    expect(ada.page.get_by_text("write-protected")).to_be_visible()
    expect(ada.button("Look at the change")).to_have_count(0)
    ada.looks("service-read-only")
    registry.chmod(0o600)


def messages_go_wrong_and_are_sent_again(ada: Walker, user: Walker, person: Newcomer) -> None:
    ada.follows("Messages", within="nav")
    ada.comes_to("Messages to Webex", "outbox")
    ada.demo.webex(do="fail", status=400, endpoint="POST /messages", times=None, message="The text is too long.")
    try:
        user.signs_in_trusting(person)
        ada.reloads_until("Webex refused it")
    finally:
        ada.demo.webex(do="clear_faults")
    ada.looks("outbox-dead")
    ada.page.locator("summary", has_text="Send again or drop").first.click()
    ada.looks("outbox-unfolded")
    ada.page.get_by_label("Why (may be left out)").first.fill("mended")
    ada.page.get_by_role("button", name="Send it again").first.click()
    ada.hears("It will be sent again.")
    ada.looks("outbox-done")


def ends_a_session(ada: Walker, user: Walker, person: Newcomer) -> None:
    user.open("Library")
    user.is_at("Library", person.name)
    ada.follows("Sign-ins", within="nav")
    ada.comes_to("Who is signed in", "sessions")
    ada.searches("User name", "nobody")
    expect(ada.page.get_by_text("Nobody is signed in who fits.")).to_be_visible()
    ada.looks("sessions-none")
    ada.searches("Address or network", "everywhere")
    ada.is_told("This is not an address or a network.")
    ada.looks("sessions-problem")
    ada.types("Address or network", "")
    ada.searches("User name", person.username)
    expect(ada.page.get_by_role("heading", name="1 sign-in")).to_be_visible()
    row = ada.page.get_by_role("row").filter(has_text=person.username)
    expect(row).to_contain_text("Timesheets")
    expect(row).to_contain_text("Library")
    ada.looks("sessions-found")
    row.get_by_role("link", name=re.compile("^End ")).click()
    ada.comes_to("End 1 sign-in?", "sessions-end")
    ada.types("Why (may be left out)", "asked for by telephone")
    ada.presses("End 1 sign-in")
    ada.hears("1 sign-in was ended.")
    ada.looks("sessions-ended")
    user.goes_to("/account/")
    user.sees("Sign in")
    user.opens_in_time("Library", "Sign in")


def cancels_a_request(ada: Walker, user: Walker, person: Newcomer) -> None:
    ada.follows("Access requests", within="nav")
    ada.comes_to("Access requests", "approvals")
    user.open("Database server")
    user.signs_in(person.username, PASSWORD)
    user.sees(FORM_HEADING)
    user.page.get_by_label("Reason", exact=True).fill("the tablespace is full")
    user.page.get_by_role("button", name="Check the request").click()
    user.sees(REVIEW_HEADING)
    user.page.get_by_role("button", name="Send the request").click()
    user.sees(WAITING_HEADING)
    ada.page.reload()
    ada.looks("approvals-waiting")
    ada.follows(person.name)
    ada.comes_to(f"Request of {person.name} for OracleLinux_SystemB", "approval")
    ada.types("Why (may be left out)", "the machine is being replaced")
    ada.presses("Cancel the request")
    expect(ada.page.locator(".stage")).to_have_text("Withdrawn")
    ada.looks("approval-cancelled")
    ada.follows("All requests")
    ada.follows("All")
    expect(ada.page.get_by_role("link", name=person.name).first).to_be_visible()


def looks_at_applications(ada: Walker) -> None:
    page = ada.page
    ada.follows("Sign-outs", within="nav")
    ada.comes_to("What applications were told of sign-outs", "signouts")
    ada.searches("Application", "nothing")
    ada.is_told("No application of the registry has this id.")
    ada.looks("signouts-problem")
    ada.searches("Application", "library")
    expect(page.get_by_text("It answered").first).to_be_visible()
    ada.looks("signouts-told")
    ada.follows("Failed validations", within="nav")
    ada.comes_to("Failed validations", "failures")
    validates_twice(ada)
    ada.searches("Application", "library")
    ada.reloads_until("What helps:")
    ada.looks("failures-found")
    ada.searches("Application", "payroll")
    expect(page.get_by_text("No validation has failed lately.")).to_be_visible()
    ada.looks("failures-none")


def validates_twice(ada: Walker) -> None:
    """Have an application validate a ticket a second time, which is refused."""
    service = ada.demo.app("Library")
    led = ada.context.request.get(f"{ada.demo.cas_url}/login", params={"service": service}, max_redirects=0)
    ticket = led.headers["location"].rpartition("ticket=")[2]
    for _ in range(2):
        validation = {"service": service, "ticket": ticket}
        requests.get(f"{ada.demo.cas_url}/serviceValidate", validation, verify=ada.demo.ca_file, timeout=10)


def looks_at_the_server(ada: Walker) -> None:
    page = ada.page
    ada.follows("Health", within="nav")
    ada.comes_to("Health", "health")
    ada.follows("Flows", within="nav")
    ada.comes_to("How logins proceed", "flows")
    page.locator(".tabs").get_by_role("link").nth(1).click()
    ada.comes_to("How logins proceed", "flow")
    ada.follows("Audit trail", within="nav")
    ada.comes_to("Audit trail", "audit")
    ada.searches("Event", "nothing.of_the_kind")
    ada.is_told("There is no such kind of event.")
    ada.looks("audit-problem")
    ada.searches("Event", "registry.edited")
    expect(page.get_by_text("both put together").first).to_be_visible()
    ada.looks("audit-found")
    ada.searches("User name", "nobody")
    expect(page.get_by_text("Nothing was found in the part that was read.")).to_be_visible()
    ada.looks("audit-none")


def others_may_not_do_all_of_it(margaret: Walker, user: Walker, person: Newcomer) -> None:
    """Margaret may look; somebody else may not even do that."""
    margaret.goes_to("/admin/services/entry/library")
    margaret.signs_in("margaret")
    margaret.comes_to("Library", "service-viewed")
    expect(margaret.button("Look at the change")).to_have_count(0)
    margaret.goes_to("/admin/sessions?user=margaret")
    expect(margaret.page.get_by_text("This is you, here")).to_be_visible()
    expect(margaret.page.get_by_role("link", name=re.compile("^End "))).to_have_count(0)
    margaret.looks("sessions-viewed")
    user.goes_to("/admin/")
    user.comes_to("You may not do this", "admin-denied")
    expect(user.page.get_by_text("is not an administrator")).to_be_visible()


def is_signed_out_meanwhile(ada: Walker) -> None:
    ada.goes_to("/admin/services/entry/library")
    ada.types("Text of the entry", "- id: library\n  name: Typed for nothing\n")
    other = ada.tab()
    other.goes_to("/logout")
    other.sees("You are signed out")
    other.page.close()
    ada.presses("Look at the change", within="#yaml-form")
    ada.comes_to("Nothing was changed yet", "admin-again")
    expect(ada.page.get_by_label("text")).to_have_value(re.compile("Typed for nothing"))


def edits(ada: Walker, description: str) -> None:
    ada.goes_to("/admin/services/entry/payroll")
    ada.types("Description", description)
    ada.presses("Look at the change", within="#entry-form")


def saves(ada: Walker, reason: str) -> None:
    """Give a reason for a change that is shown, save it, and hear that it is."""
    ada.types("Reason", reason)
    ada.presses("Save")
    ada.hears("Saved as change")


def change_heading(ada: Walker) -> str:
    """Return the heading of the page about the change that the address names."""
    ada.page.wait_for_url("**/history/*")
    return f"Change {ada.page.url.rpartition('/')[2]}"
