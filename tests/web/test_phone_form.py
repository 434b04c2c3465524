"""The first page of a phone: which phones get it, what it looks like, and what becomes of what is typed there."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from casduo.simulators.phone.presets import PRESETS
from tests.support.ward import BASE, OLD_PHONE, OTHER_PHONE, PHONE, Ward

POSTING = ["7841", "8845"]
GETTING = ["7960", "7965", "6921", "8821", "9841"]


def test_the_services_key_opens_a_form_for_user_id_and_pin(ward: Ward) -> None:
    phone = ward.at_form()
    assert phone.screen is not None
    assert phone.screen.title == "Extension Mobility"
    assert phone.screen.prompt == "Enter user ID and PIN"
    assert [(each.name, each.flags) for each in phone.screen.inputs] == [("userid", "A"), ("pin", "NP")]
    assert phone.screen.softkeys == ("Exit", "Submit", "<<")
    phone.press("Exit")
    assert phone.screen is None


@pytest.mark.parametrize("model", POSTING)
def test_a_model_that_can_post_keeps_the_pin_out_of_the_address(ward: Ward, model: str) -> None:
    phone = ward.submitted("alan", model=model)
    ward.logged_in(phone)
    assert str(phone.requests[-1]) == f"POST /em/{PHONE}/login"


@pytest.mark.parametrize("model", GETTING)
def test_a_model_that_only_gets_can_log_in_as_well(ward: Ward, model: str) -> None:
    phone = ward.submitted("alan", model=model)
    ward.logged_in(phone)
    assert str(phone.requests[-1]) == f"GET /em/{PHONE}/login?userid=alan&pin=***"
    assert ward.login() == ("alan", "alan-ward")


@pytest.mark.parametrize("model", [*POSTING, *GETTING])
def test_every_model_goes_all_the_way_with_a_push_and_a_choice(ward: Ward, model: str) -> None:
    phone = ward.submitted("mary", model=model)
    ward.answer_push("mary")
    ward.await_screen(phone, lambda shown: "mary-clinic" in shown)
    phone.pick(2)
    ward.logged_in(phone)
    assert ward.login() == ("mary", "mary-clinic")


def test_a_phone_without_forms_is_told_so(ward: Ward) -> None:
    phone = ward.opened(model="860")
    assert "cannot log in on this kind of phone" in str(phone.screen)
    assert phone.screen is not None
    assert phone.screen.softkeys == ("Exit",)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10"])
def test_links_come_from_the_registry_whatever_the_phone_calls_us(ward: Ward, address: str) -> None:
    """Some firmware puts a number into the Host header."""
    phone = ward.at_form(OLD_PHONE, source_address=address)
    assert PRESETS["7965"].host_is_address
    assert phone.page is not None
    assert phone.page.content.url == f"{BASE}/{OLD_PHONE}/login"


# What is typed


@pytest.mark.parametrize(("userid", "pin"), [("", ""), ("ada", ""), ("", "24680"), ("   ", "24680")])
def test_half_a_form_asks_for_both_and_nobody_about_it(ward: Ward, userid: str, pin: str) -> None:
    phone = ward.at_form()
    phone.type(userid=userid, pin=pin)
    phone.press("Submit")
    assert phone.screen is not None
    assert phone.screen.kind == "input"
    assert ward.pin_checks() == 0
    if userid.strip() or pin:
        assert phone.screen.prompt == "Enter both user ID and PIN."
        assert phone.screen.inputs[0].shown == userid.strip()


@pytest.mark.parametrize("typed", ["ada", "ADA", " Ada ", "aDa"])
def test_upper_and_lower_case_and_spaces_around_a_user_id_do_not_matter(ward: Ward, typed: str) -> None:
    phone = ward.at_form()
    phone.type(userid=typed, pin="24680")
    phone.press("Submit")
    assert "Approve" in str(phone.screen)


@pytest.mark.parametrize(
    "userid", ["o'hara", "per%cent", "a&b", "plus+sign", "ada@example.edu", "with space", "jürgen", "hash#tag", "a=b"]
)
@pytest.mark.parametrize("model", ["8845", "7960"])
def test_user_ids_with_signs_in_them_arrive_whole(either_ward: Ward, userid: str, model: str) -> None:
    ward = either_ward
    ward.hire(userid, profiles=["the-ward"])
    phone = ward.at_form(model=model)
    ward.submit(phone, userid)
    ward.logged_in(phone)
    assert ward.login() == (userid, "the-ward")


def test_somebody_with_signs_in_the_user_id_who_is_on_another_phone_is_found_there(either_ward: Ward) -> None:
    ward = either_ward
    ward.hire("o'h%ra", profiles=["the-ward"])
    ward.ucm.log_in(OTHER_PHONE, "o'h%ra", "the-ward")
    phone = ward.at_form()
    ward.submit(phone, "o'h%ra")
    assert "logged in on another phone" in str(phone.screen)
    assert ward.login() is None


@pytest.mark.parametrize(
    "userid", ["a" * 300, "ä" * 300, "<b>bold</b>", "a\\b", '"quoted"', "' or 1=1 --", "*", "日本"]
)
def test_a_user_id_that_nobody_can_have_is_wrong_like_any_other(ward: Ward, userid: str) -> None:
    phone = ward.at_form()
    ward.submit(phone, userid)
    assert phone.screen is not None
    assert phone.screen.kind == "input"
    assert phone.screen.prompt == "User ID or PIN is not right."
    assert ward.login_writes() == 0


@pytest.mark.parametrize("pin", ["1", "123", "1" * 129, "٢٤٦٨٠", "24680x", "2468 0"])
def test_what_cannot_be_a_pin_is_wrong_without_asking_ucm(ward: Ward, pin: str) -> None:
    phone = ward.at_form()
    phone.open(f"{BASE}/{PHONE}/login?userid=ada&pin={quote(pin)}")
    assert phone.screen is not None
    assert phone.screen.prompt == "User ID or PIN is not right."
    assert ward.pin_checks() == 0


def test_the_form_after_a_wrong_pin_remembers_who_but_not_the_pin(ward: Ward) -> None:
    phone = ward.submitted("ada", pin="99999")
    assert phone.screen is not None
    assert [each.shown for each in phone.screen.inputs] == ["ada", ""]


def test_the_back_key_of_a_page_of_the_login_leads_to_the_form_and_sends_nothing_again(ward: Ward) -> None:
    phone = ward.submitted("ada")
    sent, checked = ward.pushes_sent(), ward.pin_checks()
    phone.back()
    assert phone.screen is not None
    assert phone.screen.kind == "input"
    assert [each.shown for each in phone.screen.inputs] == ["", ""]
    assert (ward.pushes_sent(), ward.pin_checks()) == (sent, checked)


# Which phones


@pytest.mark.parametrize(
    "device",
    [
        "SEP00",
        "SEP00112233445566",
        "ATA001122334455",
        "CSFADA",
        "%3Cb%3E",
        "SEP%2001122334455",
        "SEP%E9",
        "SEP00112233445%EF%BC%95",
        "S" * 60,
    ],
)
def test_a_name_that_no_phone_of_ours_has_is_refused(ward: Ward, device: str) -> None:
    phone = ward.phone()
    phone.open(f"{BASE}/?device={device}")
    assert "This phone may not be used to log in" in str(phone.screen)
    assert ward.ucm.requests.count() == 0
    (refused,) = ward.site.journal.named("phone.device_refused")
    assert refused.reason == "name"


def test_a_phone_without_a_name_is_refused(ward: Ward) -> None:
    phone = ward.phone()
    phone.open(f"{BASE}/")
    assert "This phone may not be used to log in" in str(phone.screen)


def test_a_name_in_small_letters_is_the_same_phone(ward: Ward) -> None:
    phone = ward.submitted("alan", device=PHONE.lower())
    ward.logged_in(phone)
    assert ward.login() == ("alan", "alan-ward")


def test_the_settings_say_how_phones_are_called(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings="phones: {device_names: 'CSF[A-Z]{1,12}'}\n")
    assert "may not be used" in str(ward.opened(PHONE).screen)
    ward.ucm.add_phone("CSFADA")
    phone = ward.submitted("alan", device="CSFADA")
    ward.logged_in(phone)
    assert ward.login("CSFADA") == ("alan", "alan-ward")


def test_phones_outside_their_networks_are_refused(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings="phones: {networks: ['127.1.0.0/16']}\n")
    phone = ward.opened(source_address="127.2.0.1")
    assert "may not be used" in str(phone.screen)
    (refused,) = ward.site.journal.named("phone.device_refused")
    assert (refused.reason, refused.device) == ("network", PHONE)
    phone = ward.submitted("alan", source_address="127.1.2.3")
    ward.logged_in(phone)


def test_an_address_that_leads_nowhere_is_a_page_all_the_same(ward: Ward) -> None:
    phone = ward.phone()
    phone.open(f"{BASE}/{PHONE}/no/such/page")
    assert "Something went wrong here" in str(phone.screen)
    assert phone.screen is not None
    assert phone.screen.softkeys == ("Exit", "Retry")
    phone.press("Retry")
    assert phone.screen.kind == "input"


# What no phone sends


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"userid": "ada"}', "application/json"),
        (b"userid=ada&pin=24680", "text/plain"),
        (b"userid=%zz&pin=%", "application/x-www-form-urlencoded"),
        (b"userid=" + b"a" * 200_000, "application/x-www-form-urlencoded"),
        (b"userid=a%00da&pin=24680", "application/x-www-form-urlencoded"),
        (b"userid=ada%0d%0apin:&pin=24680", "application/x-www-form-urlencoded"),
    ],
    ids=["json", "text", "percent signs", "too long", "zero", "line breaks"],
)
def test_what_cannot_be_read_is_answered_with_a_page(ward: Ward, body: bytes, kind: str) -> None:
    app = ward.site.browser().app
    answer = app.post(f"{BASE}/{PHONE}/login", body, headers={"Content-Type": kind}, status="*")
    assert answer.status_int == 200
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert answer.text.startswith('<?xml version="1.0" encoding="utf-8"?>')
    assert ward.pushes_sent() == 0


def test_a_head_request_begins_nothing(ward: Ward) -> None:
    app = ward.site.browser().app
    assert app.head(f"{BASE}/{PHONE}/login?userid=alan&pin=97531", status="*").status_int == 200
    assert ward.pin_checks() == 0


def test_another_sites_page_cannot_send_the_form(ward: Ward) -> None:
    app = ward.site.browser().app
    headers = {"Origin": "https://evil.example.org", "Sec-Fetch-Site": "cross-site"}
    answer = app.post(f"{BASE}/{PHONE}/login", {"userid": "alan", "pin": "97531"}, headers=headers, status="*")
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert ward.login() is None
