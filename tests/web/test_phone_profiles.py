"""Which profile somebody logs in with: one, several to choose from, the default one, or none at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from casduo.simulators.phone import IpPhone
from tests.support.ward import PHONE, Ward

STRANGE = ["Ward & Co", "<b>3 < 4</b>", 'The "Office"', "#7 (fax)", "100%", "Dienstzimmer Müller", "a=b&c=d", "O'Hara"]


def at_menu(ward: Ward, profiles: Sequence[str], default: str = "", **options: str) -> IpPhone:
    """Return a phone at which somebody may choose."""
    ward.hire("many", profiles=profiles, default=default)
    phone = ward.submitted("many", **options)
    assert phone.screen is not None
    assert phone.screen.kind == "menu", str(phone.screen)
    return phone


def items(phone: IpPhone) -> list[str]:
    assert phone.screen is not None
    return list(phone.screen.items)


def test_who_has_one_profile_is_not_asked(either_ward: Ward) -> None:
    either_ward.logged_in(either_ward.submitted("alan"))
    assert either_ward.login() == ("alan", "alan-ward")


def test_who_has_several_chooses_with_the_default_one_first(either_ward: Ward) -> None:
    ward = either_ward
    phone = ward.submitted("mary")
    ward.answer_push("mary")
    ward.await_screen(phone, lambda shown: shown.startswith("Choose a profile"))
    assert items(phone) == ["mary-ward", "mary-clinic", "mary-office"]
    assert phone.screen is not None
    assert phone.screen.softkeys == ("Cancel", "Select")
    phone.dial("3")
    assert "Profile: mary-office" in ward.logged_in(phone)
    assert ward.login() == ("mary", "mary-office")


def test_the_select_key_takes_the_marked_one(ward: Ward) -> None:
    phone = at_menu(ward, ["ward", "office"])
    phone.highlight(2)
    phone.press("Select")
    ward.logged_in(phone)
    assert ward.login() == ("many", "office")


def test_a_default_that_is_none_of_the_persons_profiles_changes_nothing(ward: Ward) -> None:
    phone = at_menu(ward, ["ward", "office"], default="gone")
    assert items(phone) == ["ward", "office"]


def test_who_has_none_is_told_so_and_not_asked_by_duo(ward: Ward) -> None:
    phone = ward.submitted("edsger")
    assert "You have no phone profile yet" in str(phone.screen)
    assert phone.screen is not None
    assert phone.screen.softkeys == ("Exit",)
    assert len(ward.duo.requests) == 0


def test_who_has_none_may_be_told_so_after_duo_only(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings="phones: {no_profile: after_duo}\n")
    phone = ward.submitted("edsger")
    assert "Approve" in str(phone.screen)
    ward.answer_push("edsger")
    ward.await_screen(phone, lambda shown: "You have no phone profile yet" in shown)
    assert ward.login_writes() == 0


def test_the_settings_may_take_the_default_profile_unasked(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings="phones: {profiles: default}\n")
    phone = ward.submitted("mary")
    ward.answer_push("mary")
    ward.logged_in(phone)
    assert ward.login() == ("mary", "mary-ward")


def test_without_a_default_people_are_asked_all_the_same(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings="phones: {profiles: default}\n")
    phone = at_menu(ward, ["ward", "office"])
    phone.pick(2)
    ward.logged_in(phone)
    assert ward.login() == ("many", "office")


@pytest.mark.parametrize("model", ["8845", "7960"])
def test_names_with_signs_in_them_are_shown_and_taken_whole(either_ward: Ward, model: str) -> None:
    ward = either_ward
    phone = at_menu(ward, STRANGE, model=model)
    assert items(phone) == STRANGE
    for number, name in enumerate(STRANGE, 1):
        if number > 1:
            ward.ucm.log_out(PHONE)
            phone = ward.submitted("many", model=model)
        phone.pick(number)
        ward.logged_in(phone)
        assert ward.login() == ("many", name)


def test_letters_an_old_phone_cannot_show_go_by_number(ward: Ward) -> None:
    phone = at_menu(ward, ["Łódź", "東京"], model="7960")
    assert items(phone) == ["Łódź", "東京"]
    phone.pick(2)
    ward.logged_in(phone)
    assert ward.login() == ("many", "東京")


def test_a_long_name_is_cut_on_the_display_and_whole_at_ucm(ward: Ward) -> None:
    names = ["x" * 100 + "1", "x" * 100 + "2"]
    phone = at_menu(ward, names)
    assert all(len(shown) == 64 for shown in items(phone))
    phone.pick(2)
    ward.logged_in(phone)
    assert ward.login() == ("many", names[1])


@pytest.mark.parametrize("count", [30, 31, 99, 100, 101, 250])
def test_more_than_a_page_of_profiles_can_be_turned_over(ward: Ward, count: int) -> None:
    names = [f"profile-{number:03}" for number in range(count)]
    phone = at_menu(ward, names, default=names[-1])
    seen = items(phone)
    while seen[-1] == "More profiles":
        phone.pick(len(items(phone)))
        assert not phone.prompt_error
        seen[-1:] = items(phone)
    assert seen == [names[-1], *names[:-1]]
    phone.pick(len(items(phone)))
    ward.logged_in(phone)
    assert ward.login() == ("many", names[-2])


def test_an_address_of_the_page_before_shows_the_page_that_was_turned_to(ward: Ward) -> None:
    phone = at_menu(ward, [f"profile-{number:03}" for number in range(40)])
    assert phone.page is not None
    former = phone.page.content.items[0].url
    phone.pick(31)
    second = items(phone)
    assert second == [f"profile-{number:03}" for number in range(30, 40)]
    phone.open(former)
    assert items(phone) == second
    assert ward.login() is None


@pytest.mark.parametrize("profile", ["7", "-1", "x", "99999", "", "2&profile=0", "٣"])
def test_a_place_that_is_not_in_the_list_shows_the_list_again(ward: Ward, profile: str) -> None:
    phone = at_menu(ward, ["ward", "office"])
    assert phone.page is not None
    address = phone.page.content.items[0].url
    phone.open(address.replace("profile=0", f"profile={'%D9%A3' if profile == '٣' else profile}"))
    assert ward.login_writes() == 0
    assert phone.screen is not None
    assert phone.screen.kind == "menu" or "Something went wrong" in str(phone.screen)


def test_a_profile_taken_away_in_the_meantime_is_not_logged_in_with(ward: Ward) -> None:
    phone = at_menu(ward, ["ward", "office"])
    ward.ucm.user("many").profiles.remove("office")
    ward.pass_time(61)
    phone.pick(2)
    assert "That profile is not yours any more" in str(phone.screen)
    assert ward.login_writes() == 0
    phone.press("Retry")
    assert phone.screen is not None
    assert phone.screen.kind == "input"


def test_a_list_that_changed_is_not_mixed_up(ward: Ward) -> None:
    """The place in the list stands for the name that was shown."""
    phone = at_menu(ward, ["ward", "office", "clinic"])
    ward.ucm.user("many").profiles[:] = ["clinic", "office"]
    ward.pass_time(61)
    phone.pick(2)
    ward.logged_in(phone)
    assert ward.login() == ("many", "office")


def test_a_profile_that_ucm_no_longer_has_is_refused(either_ward: Ward) -> None:
    ward = either_ward
    phone = at_menu(ward, ["ward", "office"])
    ward.ucm.remove_profile("office")
    phone.pick(2)
    assert "The phone system does not allow this" in str(phone.screen)
    assert ward.login() is None


def test_whoever_cancels_is_not_logged_in(ward: Ward) -> None:
    phone = at_menu(ward, ["ward", "office"])
    phone.press("Cancel")
    assert "Cancelled. Nothing was changed." in str(phone.screen)
    assert ward.login_writes() == 0
    phone.press("Login")
    assert phone.screen is not None
    assert phone.screen.kind == "input"


def test_a_profile_is_still_written_after_the_person_took_their_time(ward: Ward) -> None:
    phone = at_menu(ward, ["ward", "office"])
    ward.pass_time(170)
    phone.pick(1)
    ward.logged_in(phone)
    assert ward.login() == ("many", "ward")


def test_mail_and_profiles_are_read_behind_elements_nobody_knows(ward: Ward) -> None:
    for node in ward.ucm.nodes:
        node.faults.spoil("unknown_element", "getUser")
    ward.logged_in(ward.submitted("alan"))
    assert ward.login() == ("alan", "alan-ward")


def test_the_order_of_elements_does_not_matter(ward: Ward) -> None:
    for node in ward.ucm.nodes:
        node.faults.spoil("changed_order", "getUser")
    ward.logged_in(ward.submitted("alan"))
    assert ward.login() == ("alan", "alan-ward")
