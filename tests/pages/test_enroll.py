"""The enrolment pages: what each says, whom it offers which way on, and that nothing from outside disturbs them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import html5lib
import pytest

from tests.pages.enroll_states import (
    CODE,
    CODE_PAGE,
    CONTINUE,
    DEVICES,
    REASONS,
    START,
    STATUS,
    enroll_code,
    enroll_devices,
    enroll_problem,
    enroll_start,
)
from tests.pages.rendering import BARE_SITE, render
from tests.pages.states import PAYROLL, Form, Service

FORM = Form("/cas/enroll/code", csrf="made-for-this-session")
HOSTILE = "<script>alert(1)</script> \"quoted\" 'too' & \u202eturned\u2066 \x00 {{ 7 * 7 }} " + "x" * 10_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as parsed, strictly."""

    html: str

    @property
    def tree(self) -> Any:
        parser = html5lib.HTMLParser(strict=True, tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
        return parser.parse(self.html)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.tree.find("body").itertext()).split())

    def links(self) -> dict[str, str]:
        """Return the addresses of the links of the main part, by their texts."""
        found = self.tree.findall(".//main//a")
        return {" ".join("".join(link.itertext()).split()): link.attrib["href"] for link in found}

    def buttons(self) -> list[str]:
        return ["".join(button.itertext()).strip() for button in self.tree.findall(".//main//button")]


def shown(view: str, page: dict[str, Any], **options: Any) -> Shown:
    return Shown(render(f"{view}.html", page, error_page=view == "enroll_problem", **options))


def test_the_picture_is_drawn_here_and_stands_beside_link_and_text() -> None:
    page = shown("enroll_code", enroll_code())
    picture = page.tree.find(".//main//img")
    assert picture.attrib["src"].startswith("data:image/svg+xml")
    assert "QR code" in picture.attrib["alt"]
    assert page.links()["Open Duo Mobile here"].startswith("https://m-")
    assert CODE in page.words
    # Nothing but the link leads to another host, and that only when it is pressed.
    loaded = re.findall(r'(?:src|href)="(https?://[^"]+)"', page.html.partition("<main")[0])
    assert loaded == []


def test_refresh_is_for_those_without_scripts_and_never_doubles_the_script() -> None:
    page = shown("enroll_code", enroll_code())
    assert page.html.count("http-equiv") == 1
    assert f'<noscript><meta http-equiv="refresh" content="5; url={CODE_PAGE}"></noscript>' in page.html
    code = page.tree.find(".//*[@id='code']")
    assert (code.attrib["data-again"], code.attrib["data-refresh"]) == (STATUS, CODE_PAGE)


def test_the_seconds_are_not_read_aloud() -> None:
    tree = shown("enroll_code", enroll_code()).tree
    (live,) = [element for element in tree.iter() if "aria-live" in element.attrib or "role" in element.attrib]
    assert (live.attrib["id"], live.attrib["role"], live.attrib["aria-live"]) == ("news", "status", "polite")
    assert "".join(live.itertext()) == ""


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Waiting for your device."),
        ({"confirming": True}, "Your device has taken the code. Duo is confirming it."),
        ({"confirming": True, "trouble": True}, "Duo does not answer right now."),
        ({"service": PAYROLL}, "When your device is set up, Payroll opens by itself."),
        ({"minutes": 1}, "The code works for about 1 minute"),
    ],
)
def test_the_page_says_how_things_stand(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in shown("enroll_code", enroll_code(**changes)).words


def test_without_a_link_none_is_offered() -> None:
    assert list(shown("enroll_code", enroll_code(activation_url=None)).links()) == ["I have scanned it"]


def test_the_page_before_the_code_says_what_it_takes_and_how_long() -> None:
    words = shown("enroll_start", enroll_start(FORM, service=PAYROLL)).words
    assert "Payroll asks you to confirm on a device of your own that it is you." in words
    assert "about two minutes" in words
    assert "The code works for 10 minutes" in words


def test_what_went_wrong_comes_first_and_takes_the_focus() -> None:
    error = {"id": "enroll.error.limited", "facts": {"minutes": 24}}
    for view, page in (
        ("enroll_start", enroll_start(FORM, error=error)),
        ("enroll_devices", enroll_devices(form=FORM, error=error)),
    ):
        tree = shown(view, page).tree
        alert = tree.find(".//main")[0]
        assert alert.attrib["role"] == "alert"
        assert "autofocus" in alert.attrib
        assert tree.findtext(".//title").startswith("Error: ")


@pytest.mark.parametrize("view", ["enroll_start", "enroll_devices"])
def test_forms_post_to_one_address_and_carry_their_proof(view: str) -> None:
    page = enroll_start(FORM) if view == "enroll_start" else enroll_devices(form=FORM)
    (form,) = shown(view, page).tree.findall(".//form")
    assert (form.attrib["method"], form.attrib["action"]) == ("post", "/cas/enroll/code")
    assert {field.attrib["name"]: field.attrib["value"] for field in form.iter("input")} == {
        "csrf": "made-for-this-session"
    }


def test_devices_are_listed_with_what_they_do() -> None:
    page = shown("enroll_devices", enroll_devices())
    rows = [" ".join("".join(row.itertext()).split()) for row in page.tree.findall(".//ul[@class='devices']/li")]
    assert rows == [
        "iPhone of Ada (XXX-XXX-0142) Confirms with the app",
        "Desk (XXX-XXX-0100) Takes calls and text messages",
        "20361492 Shows codes",
        "Device without a name Confirms with the app",
    ]
    assert page.buttons() == []


@pytest.mark.parametrize(
    ("changes", "buttons", "links"),
    [
        ({}, [], ["Show my other applications"]),
        ({"service": PAYROLL, "continue_url": CONTINUE}, [], ["Continue to Payroll"]),
        ({"continue_url": CONTINUE}, [], ["Continue"]),
        ({"form": FORM}, ["Add another device"], ["Show my other applications"]),
        ({"form": FORM, "confirm_first": True}, ["Confirm, then add another device"], ["Show my other applications"]),
    ],
)
def test_the_devices_page_offers_what_there_is(changes: dict[str, Any], buttons: list[str], links: list[str]) -> None:
    page = shown("enroll_devices", enroll_devices(**changes), site=BARE_SITE)
    assert page.buttons() == buttons
    assert list(page.links()) == links


def test_a_new_device_is_announced_by_the_heading() -> None:
    page = shown("enroll_devices", enroll_devices(done=True, devices=DEVICES[:1], renewed=True))
    assert page.tree.findtext(".//h1") == "Your device is set up"
    assert "not used in time" not in page.words


def test_duo_s_own_page_opens_in_another_window_and_says_so() -> None:
    portal = "https://api-xxxxxxxx.duo.test/portal?code=4"
    tree = shown("enroll_portal", {"portal_url": portal, "check_url": START}).tree
    link = tree.find(".//a[@target]")
    assert (link.attrib["href"], link.attrib["rel"]) == (portal, "noopener noreferrer")
    described = [tree.find(f".//*[@id='{name}']").text for name in link.attrib["aria-describedby"].split()]
    assert described[0] == "It opens in a new window. When you are done there, come back here."
    assert "works once" in described[1]


@pytest.mark.parametrize("reason", REASONS)
def test_every_problem_names_a_way_on(reason: str) -> None:
    page = shown("enroll_problem", enroll_problem(reason))
    assert page.links()
    assert page.tree.findtext(".//h1")


def test_problems_offer_the_way_that_helps() -> None:
    onward = {"service": PAYROLL, "continue_url": CONTINUE}
    for reason, changes, link in (
        ("link_used", onward, "Open Payroll again"),
        ("link_expired", onward, "Open Payroll again"),
        ("link_expired", {"continue_url": CONTINUE}, "Continue"),
        ("unneeded", onward, "Continue to Payroll"),
        ("unavailable", {**onward, "retry_url": START}, "Try again"),
    ):
        assert next(iter(shown("enroll_problem", enroll_problem(reason, **changes)).links())) == link
    assert "Continue to Payroll" not in shown("enroll_problem", enroll_problem("refused", **onward)).links()


def hostile() -> list[tuple[str, dict[str, Any]]]:
    service = Service(HOSTILE, HOSTILE, HOSTILE, None)
    address = "https://payroll.example.edu/?\"'<>"
    devices = [{"name": HOSTILE, "kind": kind} for kind in ("app", "phone", "token")]
    code = enroll_code(service=service, code=f"duo://{HOSTILE}", activation_url=address)
    return [
        ("enroll_start", enroll_start(FORM, service=service)),
        ("enroll_code", code | {"again_url": address, "refresh_url": address}),
        ("enroll_portal", {"portal_url": address, "check_url": address}),
        ("enroll_devices", enroll_devices(service=service, continue_url=address, devices=devices)),
        ("enroll_problem", enroll_problem("refused", said=HOSTILE)),
        ("enroll_problem", enroll_problem("link_used", service=service, continue_url=address)),
    ]


@pytest.mark.parametrize(("view", "page"), hostile())
def test_hostile_texts_stay_texts(view: str, page: dict[str, Any]) -> None:
    found = shown(view, page)
    assert "<script>alert" not in found.html
    assert "49" not in re.findall(r">([^<]*)<", found.html)
    assert [script for script in found.tree.iter("script") if "src" not in script.attrib] == []
