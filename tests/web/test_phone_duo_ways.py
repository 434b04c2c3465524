"""The ways to answer Duo at a phone besides approving a push: codes, calls, text messages, and words that are typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from casduo.simulators.duo.model import Phone, Token
from casduo.simulators.phone import IpPhone
from tests.support.ward import PHONE, Ward, entry


def shown(phone: IpPhone) -> str:
    assert phone.screen is not None, phone.prompt_error
    return str(phone.screen)


def waiting(ward: Ward, *devices: Phone | Token) -> IpPhone:
    """Return a phone at which ada, with these devices if any are named, has sent her PIN."""
    if devices:
        ward.duo.add_user("ada", devices=devices)
    return ward.submitted("ada")


def type_code(phone: IpPhone, code: str) -> None:
    """Type something where codes go."""
    assert phone.screen is not None
    if phone.screen.kind != "input":
        phone.press("Passcode")
    phone.type(passcode=code)
    phone.press("Submit")


def take_way(phone: IpPhone, name: str) -> None:
    """Take a line of the menu of ways."""
    phone.press("More")
    assert phone.screen is not None
    phone.pick(phone.screen.items.index(name) + 1)


# Codes


def test_a_right_code_logs_in_and_the_push_opens_nothing_afterwards(either_ward: Ward) -> None:
    ward = either_ward
    phone = waiting(ward)
    type_code(phone, ward.duo.phone("ada").passcode())
    ward.logged_in(phone)
    assert ward.login() == ("ada", "ada-ward")
    ward.duo.phone("ada").approve()
    ward.pass_time(6)
    assert ward.login_writes() == 1


def test_the_form_for_codes_does_not_go_away_by_itself_and_leads_back(ward: Ward) -> None:
    phone = waiting(ward)
    phone.press("Passcode")
    assert phone.screen is not None
    assert [(each.name, each.flags) for each in phone.screen.inputs] == [("passcode", "N")]
    assert phone.screen.refresh_in is None
    ward.pass_time(10)
    assert phone.screen.softkeys == ("Back", "Submit", "<<", "More")
    phone.press("Back")
    assert "Approve the request" in shown(phone)
    ward.answer_push()
    ward.logged_in(phone)


def test_an_approval_wins_over_the_form_for_codes(ward: Ward) -> None:
    phone = waiting(ward)
    phone.press("Passcode")
    ward.answer_push()
    phone.press("Back")
    ward.logged_in(phone)


def test_a_wrong_code_says_how_many_are_left_and_leaves_the_push_open(ward: Ward) -> None:
    phone = waiting(ward)
    type_code(phone, "000000")
    assert shown(phone).startswith("Confirm with Duo\nWrong code. 4 tries left.\n\nApprove the request")
    type_code(phone, "000001")
    assert "Wrong code. 3 tries left." in shown(phone)
    assert len(ward.duo.pending("ada")) == 1
    ward.answer_push()
    ward.logged_in(phone)


def test_without_a_push_a_wrong_code_leads_to_the_form_again(ward: Ward) -> None:
    phone = waiting(ward, Token())
    type_code(phone, "000000")
    assert phone.screen is not None
    assert (phone.screen.kind, phone.screen.prompt) == ("input", "Wrong code. 4 tries left.")


def test_after_too_many_wrong_codes_there_is_a_pause(ward: Ward) -> None:
    phone = waiting(ward)
    for number in range(5):
        type_code(phone, f"00000{number}")
    asked = ward.pushes_sent()
    type_code(phone, ward.duo.phone("ada").passcode())
    assert "Wrong too often. Wait" in shown(phone)
    assert ward.pushes_sent() == asked
    ward.pass_time(10)
    type_code(phone, ward.duo.phone("ada").passcode())
    ward.logged_in(phone)


def test_a_code_works_once(ward: Ward) -> None:
    code = ward.duo.phone("ada").passcode()
    phone = waiting(ward)
    type_code(phone, code)
    ward.logged_in(phone)
    ward.ucm.log_out(PHONE)
    phone = waiting(ward)
    type_code(phone, code)
    assert "Code already used. Take another." in shown(phone)
    assert ward.login() is None
    type_code(phone, ward.duo.phone("ada").passcode())
    ward.logged_in(phone)


def test_a_bypass_code_of_the_help_desk_works(ward: Ward) -> None:
    ward.duo.add_user("ada", bypass_codes=["123456789"])
    phone = ward.submitted("ada")
    type_code(phone, "123456789")
    ward.logged_in(phone)


@pytest.mark.parametrize("typed", ["", "12", "9" * 120])
def test_what_is_no_code_costs_no_call_to_duo(ward: Ward, typed: str) -> None:
    phone = waiting(ward)
    asked = ward.pushes_sent()
    type_code(phone, typed)
    if typed:
        assert "That is not a code. Try again." in shown(phone)
    assert ward.pushes_sent() == asked
    assert ward.login_writes() == 0


def test_spaces_in_a_code_do_not_matter(ward: Ward) -> None:
    phone = waiting(ward)
    phone.press("Passcode")
    assert phone.page is not None
    code = ward.duo.phone("ada").passcode()
    phone.open(f"{phone.page.content.url}&passcode={code[:3]}+{code[3:]}")
    ward.logged_in(phone)


# Row 14: codes by text message


def test_codes_by_text_message_are_asked_for_from_the_menu_and_count_as_no_failure(ward: Ward) -> None:
    phone = waiting(ward, Phone("Nokia", "+49 89 1234567"))
    phone.press("More")
    assert phone.screen is not None
    assert phone.screen.items == (
        "Request to Nokia (XXX-XXX-4567)",
        "Call to Nokia (XXX-XXX-4567)",
        "Codes by text message to Nokia (XXX-XXX-4567)",
    )
    phone.pick(3)
    assert "Codes were sent. Enter one." in shown(phone)
    type_code(phone, ward.duo.phone("ada").messages()[0])
    ward.logged_in(phone)
    assert ward.duo.user("ada").failures == 0


def test_text_messages_are_limited_like_pushes(ward: Ward) -> None:
    phone = waiting(ward)
    for _ in range(3):
        take_way(phone, "Codes by text message to iPhone")
    assert "Too many requests. Wait" in shown(phone)
    assert ward.pushes_sent() == 3


# Calls


def test_a_call_is_answered_and_logs_in(ward: Ward) -> None:
    phone = waiting(ward)
    take_way(phone, "Call to iPhone")
    assert "We are calling iPhone. Answer, and press the key you are told." in shown(phone)
    assert phone.screen is not None
    assert phone.screen.title == "Answer the call"
    ward.answer_push()
    ward.logged_in(phone)


def test_the_page_says_once_a_call_was_answered(ward: Ward) -> None:
    phone = waiting(ward)
    take_way(phone, "Call to iPhone")
    ward.duo.phone("ada").pick_up()
    ward.await_screen(phone, lambda text: "The call was answered. Press the key you are told." in text)
    ward.answer_push()
    ward.logged_in(phone)


def test_the_push_that_a_call_took_the_place_of_opens_nothing(ward: Ward) -> None:
    phone = waiting(ward)
    (push,) = ward.duo.pending("ada")
    take_way(phone, "Call to iPhone")
    (_, call) = sorted(ward.duo.pending("ada"), key=lambda each: each.factor == "phone")
    assert (push.factor, call.factor) == ("push", "phone")
    ward.answer_push(reply="deny")
    ward.duo.phone("ada").approve()
    ward.await_screen(phone, lambda text: "You refused the request." in text)
    ward.pass_time(6)
    assert ward.login_writes() == 0


# Words


@pytest.mark.parametrize(
    ("word", "then"),
    [("push", "Approve the request"), ("PUSH1", "Approve the request"), ("phone", "We are calling"), ("phone2", "Old")],
)
def test_the_words_people_know_from_duo_can_be_typed_where_letters_can(
    ward_with: Callable[..., Ward], word: str, then: str
) -> None:
    ward = ward_with(duo_settings="push: {passcodes: '[0-9a-z]{6,9}'},")
    phone = waiting(ward, Phone("New"), Phone("Old"))
    ward.answer_push(reply="deny")
    ward.await_screen(phone, lambda text: "You refused" in text)
    phone.press("Passcode")
    assert phone.screen is not None
    assert [each.flags for each in phone.screen.inputs] == ["A"]
    type_code(phone, word)
    assert then in shown(phone)
    ward.answer_push()
    ward.logged_in(phone)


def test_the_word_sms_sends_codes(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(duo_settings="push: {passcodes: '[0-9a-z]{6,9}'},")
    phone = waiting(ward)
    type_code(phone, "sms")
    assert "Codes were sent. Enter one." in shown(phone)
    type_code(phone, ward.duo.phone("ada").messages()[0])
    ward.logged_in(phone)


def test_words_arrive_from_phones_whose_field_takes_digits_only_as_well(ward: Ward) -> None:
    """The address does not know what the field allowed."""
    phone = waiting(ward)
    ward.answer_push(reply="deny")
    ward.await_screen(phone, lambda text: "You refused" in text)
    phone.press("Passcode")
    assert phone.page is not None
    phone.open(f"{phone.page.content.url}&passcode=push")
    assert "Approve the request" in shown(phone)


def test_a_device_that_is_not_there_is_not_asked(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(duo_settings="push: {passcodes: '[0-9a-z]{6,9}'},")
    phone = waiting(ward)
    asked = ward.pushes_sent()
    type_code(phone, "push9")
    assert "No device of yours can be asked." in shown(phone)
    assert ward.pushes_sent() == asked


@pytest.mark.parametrize("way", ["push:DPXXXXXXXXXXXXXXXXXX", "push", "auto", "push%3A%3Cb%3E", "sms:"])
def test_a_way_that_is_made_up_asks_nobody(ward: Ward, way: str) -> None:
    phone = waiting(ward)
    phone.press("More")
    assert phone.page is not None
    base, _, _ = phone.page.content.items[0].url.partition("&factor=")
    asked = ward.pushes_sent()
    phone.open(f"{base}&factor={way}")
    assert ward.pushes_sent() == asked
    assert "No device of yours can be asked." in shown(phone)


def test_somebody_elses_device_cannot_be_asked(ward: Ward) -> None:
    phone = waiting(ward)
    phone.press("More")
    assert phone.page is not None
    base, _, _ = phone.page.content.items[0].url.partition("&factor=")
    phone.open(f"{base}&factor=push:{ward.duo.user('mary').phones[0].id}")
    assert not ward.duo.pending("mary")


# Devices


def test_of_several_devices_the_first_is_asked_and_others_are_in_the_menu(ward: Ward) -> None:
    phone = waiting(ward, Phone("New"), Phone("Old"))
    assert "on New." in shown(phone)
    take_way(phone, "Request to Old")
    assert "on Old." in shown(phone)
    ward.answer_push()
    ward.logged_in(phone)


def test_the_menu_leads_back_without_sending_anything(ward: Ward) -> None:
    phone = waiting(ward)
    phone.press("More")
    phone.press("Back")
    assert "Approve the request" in shown(phone)
    assert ward.pushes_sent() == 1


@pytest.mark.parametrize("name", ["Ada's <iPhone> & more", "Büro\u202etelefon", "x" * 90, ""])
def test_names_of_devices_are_shown_as_text(ward: Ward, name: str) -> None:
    phone = waiting(ward, Phone(name))
    assert "Approve the request in Duo Mobile on" in shown(phone)
    assert "\u202e" not in shown(phone)
    phone.press("More")


def test_row_15_whose_device_takes_no_push_is_offered_codes_and_calls(ward: Ward) -> None:
    phone = waiting(ward, Phone("Landline", "+49 89 7654321", ("phone", "sms")))
    assert ward.pushes_sent() == 0
    take_way(phone, "Call to Landline (XXX-XXX-4321)")
    ward.answer_push()
    ward.logged_in(phone)


def test_row_15_whose_device_shows_codes_only_gets_the_form_at_once(ward: Ward) -> None:
    phone = waiting(ward, Token())
    assert phone.screen is not None
    assert phone.screen.kind == "input"
    assert phone.screen.prompt == "Enter your Duo passcode"
    assert "More" not in phone.screen.softkeys
    type_code(phone, ward.duo.phone("ada").passcode())
    ward.logged_in(phone)


def test_row_15_a_device_that_went_away_in_between_leaves_codes(ward: Ward) -> None:
    ward.duo.faults.refuse("/auth/v2/auth", 40002, "device", times=1)
    phone = waiting(ward)
    assert "No device of yours can be asked." in shown(phone)
    phone.press("Passcode")
    type_code(phone, ward.duo.phone("ada").passcode())
    ward.logged_in(phone)


def test_a_push_that_does_not_arrive_says_where_to_look(ward: Ward) -> None:
    phone = waiting(ward)
    ward.duo.phone("ada").fail_delivery()
    ward.await_screen(phone, lambda text: "The request did not arrive. Open Duo Mobile on iPhone" in text)
    ward.answer_push()
    ward.logged_in(phone)


def test_without_a_worker_no_push_is_sent_and_codes_are_taken(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(worker=False)
    phone = ward.submitted("ada")
    assert "Requests cannot be sent now." in shown(phone)
    assert ward.pushes_sent() == 0
    type_code(phone, ward.duo.phone("ada").passcode())
    ward.logged_in(phone)


# Verified push


def test_the_number_of_a_verified_push_is_on_the_phone_and_in_no_log(ward: Ward) -> None:
    ward.duo.change_application(ward.keys.integration_key, verified_push=True)
    phone = ward.submitted("ada")
    (sent,) = ward.duo.pending("ada")
    assert f"Type this number in Duo Mobile on iPhone:\n\n{' '.join(sent.verification_code)}" in shown(phone)
    assert sent.verification_code not in repr(ward.site.journal.events)
    assert not ward.duo.phone("ada").enter_code("000000")
    told = len(ward.verdicts())
    assert ward.duo.phone("ada").enter_code(sent.verification_code)
    ward.logged_in(phone)
    assert len(ward.verdicts()) == told + 1


def test_another_phone_does_not_show_the_number(ward: Ward) -> None:
    ward.duo.change_application(ward.keys.integration_key, verified_push=True)
    ward.submitted("ada")
    (sent,) = ward.duo.pending("ada")
    other = ward.submitted("ada", "SEP00AABBCCDDEE")
    assert "a request of another login" in shown(other)
    assert " ".join(sent.verification_code) not in shown(other)


def test_a_service_may_go_by_another_application_of_duo(ward_with: Callable[..., Ward]) -> None:
    """What one application has let through is worth nothing at another."""
    ward = ward_with(registry=entry(requires_duo="{prompt: universal}"))
    assert "Approve the request" in shown(ward.submitted("ada"))
