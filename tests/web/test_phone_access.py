"""The registry's word at phones: who may log in there, from where, when, and whether at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from casduo.simulators.phone import IpPhone
from tests.support.site import ORIGIN
from tests.support.ward import BASE, OTHER_PHONE, PHONE, Ward, entry

MAY_NOT = "You may not use Extension Mobility. If you need it, call the help desk."
SURGERY = entry(access="{attributes: {department: [Surgery]}}")


def shown(phone: IpPhone) -> str:
    assert phone.screen is not None, phone.prompt_error
    return str(phone.screen)


def test_who_is_in_the_right_department_may_log_in(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=SURGERY)
    ward.ucm.user("alan").department = "Surgery"
    ward.logged_in(ward.submitted("alan"))
    assert ward.login() == ("alan", "alan-ward")


@pytest.mark.parametrize("department", ["Accounting", "surgery", "Surgery 2", ""])
def test_who_is_not_may_not_and_is_not_asked_by_duo(ward_with: Callable[..., Ward], department: str) -> None:
    ward = ward_with(registry=SURGERY)
    ward.ucm.user("ada").department = department
    phone = ward.submitted("ada")
    assert MAY_NOT in shown(phone)
    assert "Reference: " in shown(phone)
    assert ward.login_writes() == 0
    assert len(ward.duo.requests) == 0


def test_groups_may_come_from_an_attribute_of_ucm(ward_with: Callable[..., Ward]) -> None:
    settings = "login: {group_attributes: [department]}\n"
    ward = ward_with(registry=entry(access="{groups: [Surgery]}"), settings=settings)
    ward.ucm.user("alan").department = "Surgery"
    ward.logged_in(ward.submitted("alan"))
    assert MAY_NOT in shown(ward.submitted("ada", OTHER_PHONE))


def test_a_wrong_pin_tells_nothing_about_who_may(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=SURGERY)
    assert "User ID or PIN is not right." in shown(ward.submitted("ada", pin="00000"))


def test_only_phones_of_some_networks_may_be_used(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=entry(access="{networks: ['127.1.0.0/16']}"))
    assert MAY_NOT in shown(ward.submitted("alan", source_address="127.2.0.1"))
    ward.logged_in(ward.submitted("alan", source_address="127.1.0.1"))


def test_a_service_may_begin_and_end(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=entry(access="{until: 2020-01-01}"))
    assert MAY_NOT in shown(ward.submitted("alan"))
    assert ward.login_writes() == 0


def test_a_right_that_is_taken_away_while_the_push_is_out_counts(ward: Ward) -> None:
    """The ticket is judged by what the registry says when it is used."""
    phone = ward.submitted("ada")
    with ward.registered(SURGERY):
        ward.answer_push()
        ward.await_screen(phone, lambda text: MAY_NOT in text)
    assert ward.login_writes() == 0
    assert ward.site.journal.named("ticket.refused")


# Disabled, and not there


def test_a_service_that_is_switched_off_says_so_at_once(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=entry(enabled="false"))
    phone = ward.opened()
    assert "Login on phones is switched off at the moment." in shown(phone)
    phone.open(f"{BASE}/{PHONE}/login?userid=alan&pin=97531")
    assert "switched off" in shown(phone)
    phone.open(f"{BASE}/{PHONE}/logout")
    assert "switched off" in shown(phone)
    assert ward.ucm.requests.count() == 0


def test_a_service_that_is_switched_off_meanwhile_logs_nobody_in_any_more(ward: Ward) -> None:
    phone = ward.submitted("ada")
    with ward.registered(entry(enabled="false")):
        ward.answer_push()
        ward.await_screen(phone, lambda text: "switched off" in text)
    assert ward.login_writes() == 0


def test_a_service_that_is_taken_out_of_the_registry_meanwhile_is_not_found(ward: Ward) -> None:
    phone = ward.submitted("ada")
    with ward.registered("  - {id: other, name: Other, url: 'https://other.example.edu/**'}\n"):
        ward.answer_push()
        ward.pass_time(3)
        assert phone.prompt_error.startswith("HTTP Error")
    assert ward.login_writes() == 0
    # There is no page of ours any more.
    phone.violations.clear()


def test_a_service_that_is_made_to_ask_for_duo_meanwhile_lets_nobody_past(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=entry(requires_duo="false"))
    phone = ward.submitted("mary")
    assert "Choose a profile" in shown(phone)
    with ward.registered(entry()):
        phone.pick(1)
        assert "You are logged in" not in shown(phone)
    assert ward.login_writes() == 0


@pytest.mark.parametrize("path", ["/emx/", "/e", "/em2/SEP001122334455/login", "/EM/"])
def test_an_address_of_no_service_is_not_found(ward: Ward, path: str) -> None:
    answer = ward.site.browser().get(f"{ORIGIN}{path}")
    assert answer.status_int == 404
    assert ward.ucm.requests.count() == 0


def test_services_of_phones_have_no_page_for_browsers(ward: Ward) -> None:
    """Nobody gets a ticket for them by a password."""
    answer = ward.site.browser().login_page(f"{BASE}/{PHONE}")
    assert answer.status_int == 403
    assert "login" not in answer.forms


def test_a_ticket_of_a_phones_login_is_no_good_to_anybody(ward: Ward) -> None:
    ward.logged_in(ward.submitted("alan"))
    (granted,) = ward.site.journal.named("ticket.granted")
    (validated,) = ward.site.journal.named("ticket.validated")
    assert granted.ticket == validated.ticket
    assert validated.about.service == "extension-mobility"
    for key in ward.site.composed.parts.store.command("KEYS", "*"):
        assert not key.startswith(("casduo:ST-", "casduo:TGT-")), key


def test_two_services_of_phones_have_rules_of_their_own(ward_with: Callable[..., Ward]) -> None:
    lobby = entry(name="Lobby", url=f"{ORIGIN}/lobby/**", requires_duo="false").replace("mobility", "lobby")
    ward = ward_with(registry=entry() + lobby)
    assert "Approve the request" in shown(ward.submitted("ada"))
    phone = ward.at_form(OTHER_PHONE, base=f"{ORIGIN}/lobby")
    assert phone.screen is not None
    assert phone.screen.title == "Lobby"
    ward.submit(phone, "mary")
    assert "Choose a profile" in shown(phone)
    stranger = ward.phone(OTHER_PHONE)
    assert phone.page is not None
    stranger.open(phone.page.content.items[0].url.replace("/lobby/", "/em/"))
    assert ward.login(OTHER_PHONE) in (None, ("mary", "mary-ward"))


def test_events_name_phone_person_and_service_and_no_secret(ward: Ward) -> None:
    ward.logged_in(ward.submitted("alan"))
    (event,) = ward.site.journal.named("phone.logged_in")
    assert (event.device, event.model, event.profile) == (PHONE, "CP-8845", "alan-ward")
    assert (event.about.principal, event.about.service) == ("alan", "extension-mobility")
    assert event.about.address == "127.0.0.1"
    assert "97531" not in repr(ward.site.journal.events)
