"""The built-in Duo page as it is sent: what it says in each state, and what it offers to those who use no script."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

import html5lib
import pytest

from casduo.messages import ENGLISH, Plural
from tests.pages.pseudo import PSEUDO
from tests.pages.rendering import render
from tests.pages.states import IPHONE, STATES, STEP, Error, State, duo_push, request, ways

PUSH_STATES = [state for state in STATES if state.view == "duo_push.html"]
OTHER_STATES = [state for state in PUSH_STATES if state.page["state"] != "signed_in"]
WAITING = [state for state in PUSH_STATES if state.page["request"]]

every_push_state = pytest.mark.parametrize("state", PUSH_STATES, ids=lambda state: state.name)
every_other_state = pytest.mark.parametrize("state", OTHER_STATES, ids=lambda state: state.name)


def parsed(state: State) -> Element:
    """Return the document of a state."""
    html = render(state.view, state.page, site=state.site)
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    tree: Element = parser.parse(html)
    return tree


def page(name: str) -> Element:
    """Return the document of the state ``duo_push-name``."""
    return parsed(next(state for state in PUSH_STATES if state.name == f"duo_push-{name}"))


def words(element: Element | None) -> str:
    """Return all text below an element."""
    assert element is not None
    return " ".join("".join(element.itertext()).split())


def by_id(tree: Element, name: str) -> Element:
    """Return the element of that id."""
    found = tree.find(f".//*[@id='{name}']")
    assert found is not None
    return found


def buttons(tree: Element) -> dict[str, tuple[str | None, str | None]]:
    """Return name and value of each button by its text."""
    return {words(each): (each.attrib.get("name"), each.attrib.get("value")) for each in tree.iter("button")}


def refreshed(state: State) -> list[str]:
    """Return the elements that load the page anew, and insist that they are for those without scripts."""
    html = render(state.view, state.page, site=state.site)
    found = re.findall(r'<meta http-equiv="refresh"[^>]*>', html)
    assert [f"<noscript>{each}</noscript>" in html for each in found] == [True] * len(found)
    return found


@every_push_state
def test_there_is_one_live_region_and_it_is_empty_at_first(state: State) -> None:
    tree = parsed(state)
    regions = [each for each in tree.iter() if each.attrib.get("role") == "status" or "aria-live" in each.attrib]
    assert [(each.attrib["role"], each.attrib["aria-live"], words(each)) for each in regions] == [
        ("status", "polite", "")
    ]


@every_other_state
def test_everything_that_is_sent_carries_the_place_in_the_flow(state: State) -> None:
    for form in parsed(state).iter("form"):
        hidden = [field.attrib["name"] for field in form.iter("input") if field.attrib["type"] == "hidden"]
        assert hidden == ["execution", "service"]
        assert form.attrib["action"] == "/cas/login"


@every_other_state
def test_one_can_always_leave(state: State) -> None:
    assert buttons(parsed(state))["Cancel"] == ("cancel", "1")


@every_other_state
def test_every_way_is_offered_once(state: State) -> None:
    offered = [value for name, value in buttons(parsed(state)).values() if name == "factor"]
    assert sorted(str(value) for value in offered) == sorted(way["value"] for way in state.page["ways"])


@every_push_state
def test_a_refusal_can_be_reported_and_nothing_else(state: State) -> None:
    reports = [value for name, value in buttons(parsed(state)).values() if name == "report"]
    assert reports == (["1"] if state.page["state"] == "denied" else [])


@every_push_state
def test_problems_come_first_and_in_the_title(state: State) -> None:
    tree = parsed(state)
    alerts = [each for each in tree.iter() if each.attrib.get("role") == "alert"]
    problem = bool(state.page["error"]) and state.page["state"] != "signed_in"
    assert len(alerts) == problem
    assert (tree.findtext(".//title") or "").startswith("Error: ") == problem
    assert all(alert.attrib["tabindex"] == "-1" and "autofocus" in alert.attrib for alert in alerts)


def test_it_says_what_happened_where_and_for_what() -> None:
    tree = page("waiting")
    assert words(tree.find(".//h1")) == "Check your device"
    assert f"We sent a request to {IPHONE}. Approve it to continue to Payroll." in words(tree.find(".//main"))
    assert words(by_id(tree, "line")) == "Waiting for your answer."
    assert "about 45 s left" in words(by_id(tree, "time"))
    assert words(by_id(tree, "said")) == "Duo says: Pushed a login request to your device..."


def test_a_call_is_a_call() -> None:
    tree = page("calling")
    assert words(tree.find(".//h1")) == "Answer the call"
    assert words(by_id(tree, "line")) == "Your device is ringing."
    assert "press the key it names" in words(tree.find(".//main"))
    assert "If you cannot take the call or hear it, use a passcode." in words(by_id(tree, "request"))
    assert words(by_id(page("calling-answered"), "line")) == "The call was answered. Press the key it names."


def test_nothing_is_said_of_a_phone_where_it_may_be_another_device() -> None:
    texts = [text for name, text in ENGLISH.messages.items() if name.startswith("duo_push.")]
    said = [form for text in texts for form in (text.forms.values() if isinstance(text, Plural) else [text])]
    assert [sentence for sentence in said if "your phone" in sentence.lower()] == []


def test_a_device_without_a_name_is_your_device() -> None:
    main = words(page("waiting-unnamed").find(".//main"))
    assert "We sent a request to your device." in main
    assert "Codes were sent to your device as a text message." in words(page("codes-sent-unnamed").find(".//main"))


@pytest.mark.parametrize(("name", "digits"), [("waiting-number", "427"), ("waiting-long-number", "427195")])
def test_the_number_is_read_digit_by_digit_and_never_turned_round(name: str, digits: str) -> None:
    state = next(state for state in PUSH_STATES if state.name == f"duo_push-{name}")
    for catalogue in (ENGLISH, PSEUDO):
        html = render(state.view, state.page, catalogue=catalogue)
        assert f'<span dir="ltr" aria-hidden="true">{" ".join(digits)}</span>' in html
        assert ", ".join(digits) in html
    assert f"The number is {', '.join(digits)}." in words(page(name).find(".//main"))


@pytest.mark.parametrize(
    ("name", "label", "off"),
    [
        ("waiting", "Send again", True),
        ("waiting-again", "Send again", False),
        ("calling", "Call again", True),
        ("calling-answered", "Call again", False),
    ],
)
def test_sending_again_waits_and_says_why(name: str, label: str, off: bool) -> None:
    tree = page(name)
    again = by_id(tree, "again")
    assert words(again) == label
    assert ("disabled" in again.attrib) == off
    if off:
        assert "again in 15 s" in words(by_id(tree, again.attrib["aria-describedby"]))


def test_the_field_takes_a_passcode_and_is_nothing_like_a_password() -> None:
    for name, inputmode in (("waiting", "numeric"), ("codes-with-letters", None)):
        field = by_id(page(name), "passcode").attrib
        assert (field["name"], field["type"], field["autocomplete"]) == ("passcode", "text", "one-time-code")
        assert field.get("inputmode") == inputmode
        assert not {"maxlength", "pattern", "placeholder", "readonly", "value"} & field.keys()
    assert "You can also type push, phone or sms." in words(by_id(page("waiting"), "passcode-hint"))


@pytest.mark.parametrize("name", ["passcode", "passcode-1", "reused", "unreadable"])
def test_a_passcode_that_did_not_work_is_told_at_the_field(name: str) -> None:
    tree = page(f"codes-{name}")
    field = by_id(tree, "passcode").attrib
    assert field["aria-invalid"] == "true"
    assert field["aria-describedby"].startswith("problem-heading problem-text")
    assert [link.attrib["href"] for link in by_id(tree, "problem").iter("a")] == ["#passcode"]


@pytest.mark.parametrize("name", ["codes-throttled", "codes-no_device", "limited", "timeout"])
def test_other_problems_do_not_blame_the_field(name: str) -> None:
    assert "aria-invalid" not in by_id(page(name), "passcode").attrib


def test_tries_are_told_once() -> None:
    assert "You have 3 tries left." in words(by_id(page("codes-passcode-3"), "problem"))
    assert words(by_id(page("waiting-wrong-passcode"), "tries")) == "You have 4 tries left."
    assert words(by_id(page("codes-sent"), "tries")) == "You have 1 try left."


@pytest.mark.parametrize("name", ["codes", "codes-sent", "waiting-codes-sent"])
def test_who_is_to_type_a_passcode_can_type_at_once(name: str) -> None:
    tree = page(name)
    field = by_id(tree, "passcode").attrib
    assert "autofocus" in field
    assert ("notice" in field["aria-describedby"].split()) == ("sent" in name)


def test_who_is_to_look_at_a_device_is_shown_no_keyboard() -> None:
    assert "autofocus" not in by_id(page("waiting"), "passcode").attrib
    assert "autofocus" not in by_id(page("ready"), "passcode").attrib


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("timeout", "Login timed out."),
        ("denied", "Login request denied."),
        ("waiting-wrong-passcode", "Invalid passcode, please try again."),
        ("codes-sent", "New SMS passcodes sent."),
    ],
)
def test_duos_words_are_marked_as_such(name: str, text: str) -> None:
    tree = page(name)
    quoted = [each for each in tree.iter("p") if words(each).startswith("Duo says: ")]
    assert f"Duo says: {text}" in [words(each) for each in quoted]
    assert text in [words(each) for each in tree.iter("bdi")]


def test_the_sentences_that_were_promised_stand_in_the_outcomes() -> None:
    assert "You refused the request on your device." in words(by_id(page("denied"), "problem"))
    assert "If this was not you, report it" in words(by_id(page("denied"), "problem"))
    assert "No answer came within 60 seconds." in words(by_id(page("timeout"), "problem"))


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("ready", "Send the request"),
        ("ready-phone", "Start the call"),
        ("denied", "Send again"),
        ("timeout", "Send again"),
        ("timeout-phone", "Call again"),
        ("pending", f"Send a request to {IPHONE}"),
        ("limited", f"Send a request to {IPHONE}"),
        ("codes", "Confirm"),
        ("codes-sent", "Confirm"),
    ],
)
def test_the_likely_next_step_stands_out(name: str, label: str) -> None:
    tree = page(name)
    assert [words(each) for each in tree.iter("button") if each.attrib["class"] == "button primary"] == [label]


def test_another_request_of_the_same_person_is_explained() -> None:
    assert "a request from another sign-in, for Timetable." in words(page("pending").find(".//main"))
    assert "refuse the request and report it" in words(page("pending-unnamed").find(".//main"))


def test_who_signed_in_elsewhere_only_goes_on() -> None:
    tree = page("signed_in")
    assert words(tree.find(".//h1")) == "You are already signed in"
    assert list(tree.iter("form")) == []
    assert [words(link) for link in tree.iter("a") if "button" in link.attrib.get("class", "")] == [
        "Continue to Payroll"
    ]


@pytest.mark.parametrize("state", WAITING, ids=lambda state: state.name)
def test_without_scripts_the_page_looks_for_an_answer_until_the_time_is_over(state: State) -> None:
    found = refreshed(state)
    looks = bool(state.page["request"]["seconds"] and state.page["still_url"])
    assert len(found) == looks
    if looks:
        assert found[0].startswith('<meta http-equiv="refresh" content="5; url=/cas/login/step?execution=')
    else:
        assert "Look for my answer" in render(state.view, state.page)


@every_push_state
def test_without_a_request_nothing_is_loaded_again(state: State) -> None:
    if not state.page["request"]:
        assert refreshed(state) == []


def test_without_scripts_a_passcode_can_be_typed_in_peace() -> None:
    html = render("duo_push.html", duo_push("waiting", request=request()))
    noscript = re.findall(r"<noscript>(.*?)</noscript>", html, re.DOTALL)
    assert f'href="{STEP.replace("&", "&amp;")}&amp;still=1"' in noscript[-1]


def test_text_messages_do_not_hide_the_request_under_way() -> None:
    data = duo_push("waiting", request=request(), ways=ways("sms:DP1"), notice=Error("duo_push.notice.fallback"))
    labels = buttons(parsed(State("", "duo_push.html", data)))
    assert labels[f"Send new codes to {IPHONE}"] == ("factor", "sms:DP1")
    assert labels[f"Send a request to {IPHONE}"] == ("factor", "push:DP1")
