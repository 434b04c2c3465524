"""The phone page in a real browser: live by itself, usable without scripts, no wider than the smallest phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import duo_client
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Phone, Token
from tests.pages import axe
from tests.simulators.duo.conftest import AuthClientFactory

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
NARROW = {"width": 320, "height": 640}


@pytest.fixture
def duo(leaf: LeafFiles) -> Iterator[DuoSimulator]:
    """A simulator whose time passes as it does for the browser."""
    with DuoSimulator(leaf) as running:
        yield running


@pytest.fixture
def ada(duo: DuoSimulator) -> Phone:
    phone = Phone("Ada's iPhone", "+1 555 555 0100")
    duo.add_user("ada", devices=[phone, Token("20361492")])
    return phone


@pytest.fixture
def careful(duo: DuoSimulator, auth_client: AuthClientFactory) -> duo_client.Auth:
    return auth_client(duo.add_application("authapi", "Payroll of Example University", verified_push=True))


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    opened = chromium.new_context(ignore_https_errors=True)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, duo: DuoSimulator, ada: Phone) -> Page:
    """Ada's phone."""
    opened = context.new_page()
    opened.goto(f"{duo.base_url}/phone/ada")
    return opened


@pytest.fixture
def page_without_scripts(chromium: Browser, duo: DuoSimulator, ada: Phone) -> Iterator[Page]:
    opened = chromium.new_context(ignore_https_errors=True, java_script_enabled=False)
    page = opened.new_page()
    page.goto(f"{duo.base_url}/phone/ada")
    yield page
    opened.close()


def push(client: duo_client.Auth, **arguments: str) -> str:
    txid: str = client.auth("push", username="ada", device="auto", async_txn=True, **arguments)["txid"]
    return txid


def test_a_request_appears_by_itself_and_is_approved(page: Page, auth: duo_client.Auth) -> None:
    expect(page.get_by_text("No requests.")).to_be_visible()
    txid = push(auth, type="CAS login", ipaddr="192.0.2.7")
    expect(page.get_by_role("heading", name="CAS login request")).to_be_visible()
    expect(page).to_have_title("(1) Phone of ada")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("No requests.")).to_be_visible()
    assert auth.auth_status(txid)["success"]


def test_the_seconds_run(page: Page, auth: duo_client.Auth) -> None:
    push(auth)
    timer = page.get_by_role("timer")
    expect(timer).to_be_visible()
    shown = int(timer.inner_text())
    assert 55 <= shown <= 60
    expect(timer).to_have_text(str(shown - 1))


def test_a_code_is_typed_while_another_request_arrives(
    duo: DuoSimulator, page: Page, auth: duo_client.Auth, careful: duo_client.Auth
) -> None:
    txid = push(careful)
    field = page.get_by_label("Code on the login page")
    field.fill("1")
    looked = duo.pending("ada")[0]
    push(auth)
    with page.expect_response("**/version"):
        pass
    expect(field).to_have_value("1")
    field.fill(looked.verification_code)
    page.get_by_role("button", name="Approve").first.click()
    expect(page.get_by_role("article")).to_have_count(1)
    assert careful.auth_status(txid)["success"]


def test_a_wrong_code_is_said_and_the_right_one_works(duo: DuoSimulator, page: Page, careful: duo_client.Auth) -> None:
    txid = push(careful)
    code = duo.pending("ada")[0].verification_code
    field = page.get_by_label("Code on the login page")
    field.fill("".join(str(9 - int(digit)) for digit in code))
    field.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("That is not the code shown on the login page.")
    field.fill(code)
    field.press("Enter")
    expect(page.get_by_text("No requests.")).to_be_visible()
    assert careful.auth_status(txid)["success"]


@pytest.mark.parametrize(
    ("button", "status"), [("Approve", "allow"), ("Deny", "deny"), ("It's fraud", "fraud"), ("Ignore", "pushed")]
)
def test_every_button_works_without_scripts(
    page_without_scripts: Page, auth: duo_client.Auth, button: str, status: str
) -> None:
    txid = push(auth)
    page_without_scripts.get_by_role("button", name=button).click(timeout=10_000)
    expect(page_without_scripts.get_by_text("No requests.")).to_be_visible()
    assert auth.auth_status(txid)["status"] == status


def test_habits_are_set_without_scripts(page_without_scripts: Page, duo: DuoSimulator) -> None:
    page = page_without_scripts
    page.get_by_role("link", name="What this phone does by itself").click()
    page.get_by_label("Denies every request").check()
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Denies every request")).to_be_visible()
    script = duo.user("ada").script
    assert script is not None
    assert script.reply == "deny"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_smallest_phone_and_everybody_can_use_it(
    duo: DuoSimulator,
    context: BrowserContext,
    page: Page,
    auth: duo_client.Auth,
    careful: duo_client.Auth,
    scheme: str,
) -> None:
    page.set_viewport_size(NARROW)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    information = {"Service": "Library-catalogue-of-a-university-with-a-long-name", "Reason": "a reason " * 12}
    push(careful, ipaddr="2001:db8:85a3:8d3:1319:8a2e:370:7348", pushinfo=urlencode(information))
    auth.auth("phone", username="ada", device="auto", async_txn=True)
    auth.auth("sms", username="ada", device="auto")
    # The tallest the page can be: a code to type, a call to answer, messages and passcodes.
    for path in ("/phone/ada", "/phone/ada/habits", "/phone"):
        page.goto(duo.base_url + path)
        assert page.evaluate(WIDER) == 0, path
        assert axe.findings(page) == [], path
    page.goto(f"{duo.base_url}/phone/ada")
    page.get_by_role("button", name="New passcode from token").click()
    expect(page.locator(".code")).to_have_text(re.compile(r"^\d{6}$"))
    assert page.evaluate(WIDER) == 0


def test_a_request_that_ran_out_disappears_by_itself(page: Page, duo: DuoSimulator, auth: duo_client.Auth) -> None:
    duo.settings.request_timeout = 4.0
    push(auth)
    expect(page.get_by_role("article")).to_be_visible()
    expect(page.get_by_text("No requests.")).to_be_visible()
