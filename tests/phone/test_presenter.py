"""Which screen a page of the flow becomes: what it says, what can be pressed, and where that leads."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from casduo import webflow
from casduo.phone.languages import texts
from casduo.phone.models import Traits
from casduo.phone.presenter import screen_of
from casduo.phone.screens import InputScreen, MenuScreen, Screen, TextScreen
from casduo.phone.urls import PhoneUrls
from tests.phone.pages import (
    BASE,
    CALL,
    CASES,
    CODES,
    DEVICE,
    IPHONE,
    LANGUAGES,
    TABLET,
    TOKEN,
    URLS,
    Case,
    duo,
    error,
    form,
    logout,
    profiles,
    request,
    screen,
    sent,
    told,
)

DUO_ACTIONS = Path(webflow.__file__).parent / "actions" / "duo_push.py"


def shown(
    view: str, data: dict[str, Any], *, typing: bool = False, choosing: bool = False, language: str = "en"
) -> Screen:
    return screen(Case("", view, data, typing, choosing), language)


def text(view: str, data: dict[str, Any], **asked: Any) -> TextScreen:
    found = shown(view, data, **asked)
    assert isinstance(found, TextScreen)
    return found


def entry(view: str, data: dict[str, Any], **asked: Any) -> InputScreen:
    found = shown(view, data, **asked)
    assert isinstance(found, InputScreen)
    return found


def menu(view: str, data: dict[str, Any], **asked: Any) -> MenuScreen:
    found = shown(view, data, **asked)
    assert isinstance(found, MenuScreen)
    return found


def keys(found: Screen) -> dict[str, str]:
    return {key.name: key.url for key in found.softkeys}


def test_the_form_asks_for_user_id_and_pin() -> None:
    found = entry("phone_form", form())
    assert (found.title, found.prompt) == ("Extension Mobility", "Enter user ID and PIN")
    assert found.url == URLS.login()
    assert [(field.name, field.flags, field.value) for field in found.fields] == [
        ("userid", "A", ""),
        ("pin", "NP", ""),
    ]
    assert keys(found) == {"Submit": "SoftKey:Submit", "<<": "SoftKey:<<", "Exit": "Init:Services"}
    assert found.kept


def test_a_refused_form_says_why_and_keeps_the_user_id() -> None:
    found = entry("phone_form", form("credentials", "ada"))
    assert found.prompt == "User ID or PIN is not right."
    assert [field.value for field in found.fields] == ["ada", ""]
    assert not found.kept


@pytest.mark.parametrize(
    ("user", "own", "said"),
    [
        ("grace", False, "grace is logged in on this phone."),
        ("", False, "Somebody is logged in on this phone."),
        ("ada", True, "You are logged in on this phone as ada."),
        ("", True, "You are logged in on this phone."),
    ],
)
def test_a_phone_in_use_says_by_whom_and_offers_to_log_out(user: str, own: bool, said: str) -> None:
    found = text("phone_occupied", {"user": user, "own": own})
    assert found.text.startswith(said + "\n\n")
    assert keys(found) == {"Logout": URLS.logout(), "Exit": "Init:Services"}


def test_profiles_are_chosen_by_their_place_in_the_list() -> None:
    found = menu("phone_profiles", profiles(3))
    assert [(item.name, item.url) for item in found.items] == [
        (f"ada-ward-{index}", URLS.select(index)) for index in range(3)
    ]
    assert keys(found) == {"Select": "SoftKey:Select", "Cancel": URLS.cancel()}


def test_more_profiles_are_a_page_further() -> None:
    found = menu("phone_profiles", profiles(99, 99))
    assert len(found.items) == 100
    assert (found.items[-1].name, found.items[-1].url) == ("More profiles", URLS.more_profiles(99))


def test_a_logout_asks_first() -> None:
    found = text("phone_logout", logout(pin=False))
    assert found.text == "Log out ada?"
    assert keys(found) == {"Logout": URLS.log_out(), "Cancel": URLS.cancel()}


def test_a_logout_asks_for_the_pin_where_it_has_to() -> None:
    found = entry("phone_logout", logout(pin=True))
    assert (found.title, found.prompt) == ("Log out ada?", "Enter the PIN to log out")
    assert found.url == URLS.log_out()
    assert [(field.name, field.flags) for field in found.fields] == [("pin", "NP")]


def test_a_wrong_pin_at_logout_does_not_speak_of_a_user_id() -> None:
    assert entry("phone_logout", logout(pin=True, word="credentials")).prompt == "That PIN is not right."
    assert entry("phone_logout", logout(pin=True, word="missing")).prompt == "Enter the PIN to log out"


def test_who_waits_comes_back_by_themselves() -> None:
    found = text("phone_moment", {"seconds": 2})
    assert found.refresh is not None
    assert (found.refresh.seconds, found.refresh.url) == (2, URLS.wait())
    assert keys(found) == {"Update": URLS.wait(), "Exit": "Init:Services"}


def test_who_waits_where_no_login_is_under_way_comes_back_to_the_same_place() -> None:
    for again, url in (("entry", URLS.entry()), ("logout", URLS.logout())):
        found = text("phone_moment", {"seconds": 2, "again": again})
        assert found.refresh is not None
        assert found.refresh.url == url
        assert keys(found) == {"Update": url, "Exit": "Init:Services"}


def test_a_push_is_waited_for() -> None:
    found = screen_of("duo_push", duo(request=request()), URLS, Traits(), texts("en"), "", False, 5)
    assert isinstance(found, TextScreen)
    assert found.text == "Approve the request in Duo Mobile on iPhone (XXX-XXX-4242).\n\n45 seconds left."
    assert found.refresh is not None
    assert (found.refresh.seconds, found.refresh.url) == (5, URLS.wait())
    assert keys(found) == {
        "Passcode": URLS.passcode(),
        "Update": URLS.wait(),
        "Cancel": URLS.cancel(),
        "More": URLS.ways(),
    }


def test_a_number_to_type_is_read_digit_by_digit() -> None:
    assert "\n\n4 8 1 9 2 0\n\n" in text("duo_push", duo(request=request(code="481920"))).text


def test_a_wrong_code_is_told_while_a_push_is_waited_for() -> None:
    found = text("duo_push", duo(request=request(), error=error("passcode"), tries=1))
    assert found.text.startswith("Wrong code. 1 try left.\n\nApprove the request")


def test_a_call_says_what_to_do() -> None:
    found = text("duo_push", duo(request=request(factor="phone")))
    assert found.title == "Answer the call"
    assert found.text.startswith("We are calling iPhone (XXX-XXX-4242).")


@pytest.mark.parametrize(
    ("ways", "again_in", "more"),
    [
        ([IPHONE], 20, False),
        ([IPHONE], 0, True),
        ([IPHONE, TABLET], 20, True),
        ([IPHONE, CODES], 20, True),
        ([], 0, False),
    ],
)
def test_a_push_is_sent_again_from_the_menu_and_not_too_soon(ways: list[Any], again_in: int, more: bool) -> None:
    found = text("duo_push", duo(request=request(), ways=ways, again_in=again_in))
    assert ("More" in keys(found)) is more


@pytest.mark.parametrize("state", ["denied", "timeout", "limited", "pending"])
def test_what_failed_is_tried_again_on_the_same_device(state: str) -> None:
    found = text("duo_push", duo(state, default_way=TABLET["value"]))
    assert keys(found)["Retry"] == URLS.push(str(TABLET["value"]))
    assert keys(found)["Passcode"] == URLS.passcode()
    assert keys(found)["Cancel"] == URLS.cancel()
    assert found.refresh is None


def test_a_way_that_is_gone_is_replaced_by_the_first() -> None:
    found = text("duo_push", duo("timeout", default_way="push:DPGONE"))
    assert keys(found)["Retry"] == URLS.push(str(IPHONE["value"]))


def test_nothing_is_sent_as_a_text_message_by_a_single_key() -> None:
    found = text("duo_push", duo("denied", ways=[CODES], default_way=CODES["value"]))
    assert keys(found) == {"Passcode": URLS.passcode(), "Cancel": URLS.cancel(), "More": URLS.ways()}


@pytest.mark.parametrize(("way", "key"), [(IPHONE, "Send"), (CALL, "Call")])
def test_what_was_not_asked_for_yet_is_named(way: dict[str, Any], key: str) -> None:
    found = text("duo_push", duo("ready", ways=[way], default_way=way["value"]))
    assert keys(found)[key] == URLS.push(way["value"])
    assert f"press {key}." in found.text


def test_another_sign_in_is_named_where_it_can_be() -> None:
    assert "(Payroll)" in text("duo_push", duo("pending", other="Payroll")).text
    assert "(" not in text("duo_push", duo("pending")).text


def test_ways_are_a_menu() -> None:
    found = menu("duo_push", duo(request=request()), choosing=True)
    assert [(item.name, item.url) for item in found.items] == [
        ("Request to iPhone (XXX-XXX-4242)", URLS.push(str(IPHONE["value"]))),
        ("Request to Ward tablet", URLS.push(str(TABLET["value"]))),
        ("Call to iPhone (XXX-XXX-4242)", URLS.push(str(CALL["value"]))),
        ("Codes by text message to iPhone (XXX-XXX-4242)", URLS.push(str(CODES["value"]))),
    ]
    assert keys(found) == {"Select": "SoftKey:Select", "Back": URLS.wait()}


def test_a_passcode_is_typed_without_being_disturbed() -> None:
    found = entry("duo_push", duo(request=request()), typing=True)
    assert (found.url, found.prompt) == (URLS.passcode(), "Enter your Duo passcode")
    assert [(field.name, field.flags, field.value) for field in found.fields] == [("passcode", "N", "")]
    assert keys(found)["Back"] == URLS.wait()


def test_who_has_no_device_types_a_code_at_once() -> None:
    found = entry("duo_push", duo("codes", ways=[]))
    assert found.fields[0].flags == "N"
    assert keys(found)["Cancel"] == URLS.cancel()
    assert "Back" not in keys(found)


def test_a_code_with_letters_can_be_typed() -> None:
    assert entry("duo_push", duo("codes", ways=[], digits_only=False)).fields[0].flags == "A"


@pytest.mark.parametrize("word", ["passcode", "reused", "unreadable"])
def test_after_a_wrong_code_the_form_comes_again_with_the_reason(word: str) -> None:
    found = entry("duo_push", duo("ready", error=error(word), tries=2 if word == "passcode" else None))
    assert found.prompt
    assert found.prompt != "Enter your Duo passcode"
    assert keys(found)["More"] == URLS.ways()
    assert "Back" not in keys(found)


def test_codes_that_were_sent_are_asked_for() -> None:
    assert entry("duo_push", duo("codes", notice=sent())).prompt == "Codes were sent. Enter one."


def test_a_notice_for_browsers_is_none_for_phones() -> None:
    notice = {"id": "duo_push.notice.fallback", "facts": {}, "said": None}
    assert shown("duo_push", duo("ready", notice=notice)) == shown("duo_push", duo("ready"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_that_the_flow_knows_has_a_text(language: str) -> None:
    words = set(re.findall(r"duo_push\.error\.(\w+)", DUO_ACTIONS.read_text(encoding="utf-8")))
    assert len(words) >= 10
    other = texts(language)("phone.duo.error.other")
    facts = {"throttled": {"seconds": 40}, "limited": {"seconds": 40}}
    for word in sorted(words):
        found = shown("duo_push", duo("codes", ways=[], error=error(word, **facts.get(word, {}))), language=language)
        assert found.prompt not in ("", other, texts(language)("phone.duo.passcode_prompt")), word


def test_an_error_that_phones_do_not_know_is_told_all_the_same() -> None:
    assert text("duo_push", duo("denied", error=error("meteorite"))).text.startswith("That did not work.")


def test_what_is_told_names_the_reference_only_where_something_is_wrong() -> None:
    assert text("phone_told", told("expired", "again")).text == "That took too long. Please start again."
    assert text("phone_told", told("error", "again", problem=True)).text.endswith("\n\nReference: K7QF2M9D")


def test_keys_of_what_is_told_lead_where_they_say() -> None:
    found = text("phone_told", told("already", "logout", "exit", user="ada"))
    assert keys(found) == {"Exit": "Init:Services", "Logout": URLS.logout()}
    found = text("phone_told", told("unavailable", "again", "logout"))
    assert keys(found) == {"Exit": "Init:Services", "Retry": URLS.entry(), "Logout": URLS.logout()}
    assert keys(text("phone_told", told("logged_out", "again"))) == {"Exit": "Init:Services", "Login": URLS.entry()}


def test_a_fact_that_is_not_known_is_not_missed() -> None:
    assert "has to log out first" in text("phone_told", told("occupied", user="")).text
    assert text("phone_told", told("elsewhere", places=())).text.startswith("You are logged in on another phone. ")
    assert "Profile" not in text("phone_told", told("logged_in", user="ada", profile="")).text


def test_long_facts_do_not_fill_the_display() -> None:
    places = tuple(f"SEP0011223344{number:02}" for number in range(50))
    assert len(text("phone_told", told("elsewhere", places=places)).text) < 120


def test_without_a_login_under_way_cancel_closes_the_service() -> None:
    found = screen_of("phone_logout", logout(pin=False), URLS, Traits(), texts("en"), "")
    assert keys(found)["Cancel"] == URLS.cancel()
    urls = PhoneUrls(BASE, DEVICE)
    found = screen_of("phone_profiles", profiles(1), urls, Traits(), texts("en"), "")
    assert keys(found)["Cancel"] == "Init:Services"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_phone_without_forms_is_told_so(case: Case) -> None:
    found = screen(case, traits=Traits(has_input=False))
    assert not isinstance(found, InputScreen)
    if isinstance(screen(case), InputScreen):
        assert isinstance(found, TextScreen)
        assert found.text.startswith("You cannot log in on this kind of phone.")
        assert keys(found) == {"Exit": "Init:Services"}


def test_a_view_that_is_none_of_a_phones_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="duo_trust"):
        shown("duo_trust", {})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_a_display(language: str) -> None:
    for case in CASES:
        found = screen(case, language)
        assert len(found.title) <= 32, case.name
        assert len(found.prompt) <= 32, case.name
        assert all(len(key.name) <= 9 for key in found.softkeys), case.name
        if isinstance(found, TextScreen):
            wrapped = [part for line in found.text.split("\n") if line for part in textwrap.wrap(line, 28)]
            assert len(wrapped) <= 9, case.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_key_that_a_page_speaks_of_is_there(language: str) -> None:
    """Texts are given the labels of the keys they name; those labels are what stands below them."""
    named: list[str] = []
    say = texts(language)

    def noting(message_id: str, /, **facts: Any) -> str:
        named.extend(value for name, value in facts.items() if name in ("key", "logout", "passcode", "more"))
        return say(message_id, **facts)

    for case in CASES:
        named.clear()
        found = screen_of(case.view, case.data, URLS, Traits(), noting, "", case.typing, choosing=case.choosing)
        assert set(named) <= set(keys(found)), case.name


def test_no_page_shows_the_token_but_in_addresses() -> None:
    for case in CASES:
        assert TOKEN not in repr(screen(case))
