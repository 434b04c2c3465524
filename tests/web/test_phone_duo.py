"""The rows of the Duo decision table at a phone: what Duo says, what the phone shows, and the way on from there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from casduo.simulators.phone import IpPhone
from tests.support.site import has_ticket
from tests.support.ward import OTHER_PHONE, PHONE, Ward, entry

OPEN = entry(requires_duo="{fail: open}")
LIBRARY = "  - {id: library, name: Library, url: 'https://library.example.edu/**'}\n"


def shown(phone: IpPhone) -> str:
    assert phone.screen is not None, phone.prompt_error
    return str(phone.screen)


def keys(phone: IpPhone) -> tuple[str, ...]:
    assert phone.screen is not None
    return phone.screen.softkeys


def try_again(ward: Ward, phone: IpPhone) -> None:
    """Take the way back that the page offers, to the end."""
    phone.press("Retry")
    ward.answer_push()
    ward.logged_in(phone)
    assert ward.login() == ("ada", "ada-ward")


def mend(ward: Ward) -> None:
    """Let Duo be as it should, and everything of before be forgotten."""
    ward.duo.faults.clear()
    ward.pass_time_unseen(60)


# Rows 2, 3 and 4: Duo cannot be used


def test_row_2_while_duo_is_down_nobody_gets_in(ward: Ward) -> None:
    ward.duo.stop_listening()
    phone = ward.submitted("ada")
    assert "Duo cannot be reached at the moment." in shown(phone)
    assert "Reference: " in shown(phone)
    assert keys(phone) == ("Exit", "Retry")
    assert ward.login_writes() == 0
    ward.duo.listen_again()
    mend(ward)
    phone.press("Retry")
    ward.submit(phone, "ada")
    ward.answer_push()
    ward.logged_in(phone)


def test_row_3_where_the_entry_says_open_people_get_in_without_duo_and_that_is_written_down(
    ward_with: Callable[..., Ward],
) -> None:
    ward = ward_with(registry=OPEN)
    ward.duo.stop_listening()
    ward.logged_in(ward.submitted("ada"))
    assert ward.login() == ("ada", "ada-ward")
    (bypassed,) = ward.site.journal.named("duo.bypassed")
    assert (bypassed.about.principal, bypassed.about.service) == ("ada", "extension-mobility")


def test_row_3_what_was_let_through_counts_for_this_login_only(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=OPEN)
    ward.duo.stop_listening()
    ward.logged_in(ward.submitted("ada"))
    ward.ucm.log_out(PHONE)
    ward.duo.listen_again()
    mend(ward)
    assert "Approve the request" in shown(ward.submitted("ada"))


@pytest.mark.parametrize("registry", [entry(), OPEN], ids=["closed", "open"])
@pytest.mark.parametrize("fault", ["wrong key", "wrong type", "rate limit", "foreign certificate"])
def test_row_4_what_is_set_up_wrong_opens_nothing(ward_with: Callable[..., Ward], registry: str, fault: str) -> None:
    ward = ward_with(registry=registry)
    match fault:
        case "wrong key":
            ward.duo.rotate_secret(ward.keys.integration_key)
        case "wrong type":
            ward.duo.change_type(ward.keys.integration_key, "admin")
        case "rate limit":
            ward.duo.faults.rate_limit()
        case "foreign certificate":
            ward.duo.show_certificate("other_authority")
            ward.duo.server.drop_connections()
    phone = ward.submitted("ada")
    assert "Duo cannot be reached at the moment." in shown(phone)
    assert ward.login_writes() == 0
    assert ward.site.journal.named("fault")


# Rows 5, 6 and 7: before anything is asked


def test_row_5_somebody_without_a_device_is_told_what_to_do(ward: Ward) -> None:
    phone = ward.submitted("grace")
    assert "You have no device for Duo yet. Set one up at a computer" in shown(phone)
    assert keys(phone) == ("Exit",)
    assert ward.login_writes() == 0
    ward.duo.add_user("grace")
    phone = ward.submitted("grace")
    ward.answer_push("grace")
    ward.logged_in(phone)


def test_row_5_somebody_duo_has_never_heard_of_is_told_the_same(ward: Ward) -> None:
    ward.duo.remove_user("ada")
    assert "You have no device for Duo yet" in shown(ward.submitted("ada"))
    ward.duo.faults.refuse("/auth/v2/preauth", 40002, "username")
    assert "You have no device for Duo yet" in shown(ward.submitted("ada"))
    assert ward.login_writes() == 0


def test_row_5_where_duo_is_optional_people_without_a_device_get_in(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=entry(requires_duo="{mode: optional}"))
    ward.logged_in(ward.submitted("grace"))
    assert ward.login() == ("grace", "grace-ward")
    assert "Approve the request" in shown(ward.submitted("ada", OTHER_PHONE))


def test_row_6_duo_denies_beforehand(ward: Ward) -> None:
    phone = ward.submitted("linus")
    assert "Duo did not let you in." in shown(phone)
    assert ward.login_writes() == 0
    assert ward.pushes_sent() == 0


def test_row_7_somebody_duo_lets_pass_gets_in_at_once(either_ward: Ward) -> None:
    either_ward.logged_in(either_ward.submitted("alan"))
    assert either_ward.login() == ("alan", "alan-ward")
    (answered,) = either_ward.site.journal.named("duo.answered")
    assert answered.outcome == "bypassed"


def test_row_7_unless_the_settings_want_an_answer_of_everybody(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(duo_settings="accept_preauth_allow: false,")
    assert "Duo did not let you in." in shown(ward.submitted("alan"))
    assert ward.login_writes() == 0


# Rows 8 to 13: the push


def test_row_8_the_waiting_page_says_where_to_look_and_asks_for_news_by_itself(ward: Ward) -> None:
    phone = ward.submitted("ada")
    assert shown(phone).startswith("Confirm with Duo\nApprove the request in Duo Mobile on iPhone.\n\n60 seconds left.")
    assert keys(phone) == ("Cancel", "Passcode", "Update", "More")
    assert phone.screen is not None
    assert phone.screen.refresh_in == 3
    ward.pass_time(3)
    assert "57 seconds left." in shown(phone)
    phone.press("Update")
    assert "57 seconds left." in shown(phone)
    assert ward.pushes_sent() == 1


def test_row_8_the_device_shows_service_host_and_address_of_the_phone(ward: Ward) -> None:
    ward.submitted("ada", source_address="127.3.4.5")
    (sent,) = ward.duo.pending("ada")
    for word in ("Extension Mobility", "sso.example.edu", "127.3.4.5"):
        assert word in str(sent)


def test_row_9_an_approval_logs_in_once(either_ward: Ward) -> None:
    phone = either_ward.submitted("ada")
    either_ward.answer_push()
    assert "You are logged in as ada.\n\nProfile: ada-ward" in either_ward.logged_in(phone)
    assert either_ward.login() == ("ada", "ada-ward")
    assert either_ward.login_writes() == 1


def test_row_10_a_refusal_says_so_and_can_be_tried_again(ward: Ward) -> None:
    phone = ward.submitted("ada")
    ward.answer_push(reply="deny")
    ward.await_screen(phone, lambda text: "You refused the request." in text)
    assert keys(phone) == ("Cancel", "Retry", "Passcode", "More")
    assert ward.login_writes() == 0
    try_again(ward, phone)


def test_row_11_a_report_is_answered_neutrally_and_ends_every_session(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=entry() + LIBRARY)
    browser = ward.site.browser()
    assert has_ticket(browser.sign_in("ada"))
    phone = ward.submitted("ada")
    ward.answer_push(reply="report_fraud")
    text = ward.await_screen(phone, lambda text: "Duo did not let you in." in text)
    assert "fraud" not in text.lower()
    assert keys(phone) == ("Exit",)
    assert ward.login_writes() == 0
    assert not has_ticket(browser.login_page())
    assert "fraud" in ward.verdicts()


def test_row_11_a_report_ends_every_session_however_ucm_spells_the_name(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=entry() + LIBRARY)
    ward.ucm.remove_user("ada")
    ward.ucm.add_user("Ada", pin="24680", mail="Ada@example.edu", profiles=["ada-ward"], default_profile="ada-ward")
    browser = ward.site.browser()
    assert has_ticket(browser.sign_in("ada"))
    phone = ward.submitted("ada")
    ward.answer_push(reply="report_fraud")
    ward.await_screen(phone, lambda text: "Duo did not let you in." in text)
    assert not has_ticket(browser.login_page())


def test_row_12_no_answer_in_time_says_so_and_can_be_tried_again(ward: Ward) -> None:
    phone = ward.submitted("ada")
    ward.outlast_push()
    ward.pass_time(3)
    assert "No answer came in time." in shown(phone)
    assert keys(phone) == ("Cancel", "Retry", "Passcode", "More")
    try_again(ward, phone)


def test_row_12_a_push_put_aside_counts_down_to_the_end(ward: Ward) -> None:
    phone = ward.submitted("ada")
    ward.duo.phone("ada").dismiss()
    for _ in range(19):
        ward.pass_time(3)
    assert "3 seconds left." in shown(phone)
    ward.outlast_push()
    ward.pass_time(3)
    assert "No answer came in time." in shown(phone)
    assert ward.login_writes() == 0


def test_row_12_without_word_from_a_worker_the_phone_stops_waiting_by_itself(ward: Ward) -> None:
    phone = ward.submitted("ada")
    ward.duo.transport.stay_silent("/auth/v2/auth_status")
    for _ in range(26):
        ward.pass_time(3)
    assert "No answer came in time." in shown(phone)
    ward.duo.transport.clear()
    ward.duo.server.drop_connections()


def test_row_13_whoever_gets_locked_out_meanwhile_is_told_so(ward: Ward) -> None:
    phone = ward.submitted("ada")
    ward.duo.user("ada").status = "locked out"
    ward.answer_push()
    ward.await_screen(phone, lambda text: "Duo has locked your account. The help desk can unlock it." in text)
    assert keys(phone) == ("Exit",)
    assert ward.login_writes() == 0


def test_row_13_a_wrong_code_too_many_locks_out(ward: Ward) -> None:
    ward.duo.settings.lockout_threshold = 1
    phone = ward.submitted("ada")
    for _ in range(2):
        if "Passcode" in keys(phone):
            phone.press("Passcode")
        phone.type(passcode="000000")
        phone.press("Submit")
        if "locked" in shown(phone):
            break
    assert "Duo has locked your account." in shown(phone)


# Rows 16 and 17: what comes in between


def test_row_16_an_address_that_is_lost_or_made_up_begins_again(ward: Ward) -> None:
    phone = ward.submitted("ada")
    store = ward.site.composed.parts.store
    for key in store.command("KEYS", "*:flow:*"):
        store.command("DEL", key)
    phone.press("Update")
    ward.await_screen(phone, lambda text: "That took too long. Please start again." in text)
    phone.press("Retry")
    assert phone.screen is not None
    assert phone.screen.kind == "input"


@pytest.mark.parametrize("registry", [entry(), OPEN], ids=["closed", "open"])
def test_row_17_once_a_push_was_sent_nothing_opens_without_its_answer(
    ward_with: Callable[..., Ward], registry: str
) -> None:
    ward = ward_with(registry=registry)
    phone = ward.submitted("ada")
    ward.duo.transport.reset()
    for _ in range(26):
        ward.pass_time(3)
    assert ward.login_writes() == 0
    assert "You are logged in" not in shown(phone)


@pytest.mark.parametrize("registry", [entry(), OPEN], ids=["closed", "open"])
@pytest.mark.parametrize("way_on", ["Retry", "Passcode"])
def test_row_17_nor_by_trying_again_while_duo_is_down(
    ward_with: Callable[..., Ward], registry: str, way_on: str
) -> None:
    ward = ward_with(registry=registry)
    phone = ward.submitted("ada")
    ward.answer_push(reply="deny")
    ward.await_screen(phone, lambda text: "You refused" in text)
    ward.duo.transport.reset()
    phone.press(way_on)
    if way_on == "Passcode":
        phone.type(passcode="123456")
        phone.press("Submit")
    assert "Duo cannot be reached at the moment." in shown(phone)
    assert keys(phone) == ("Exit", "Retry")
    assert ward.login_writes() == 0
