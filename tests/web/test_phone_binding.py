"""A login goes on at the phone where it began, or not at all: other phones, other addresses, made-up and old tokens."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from casduo.simulators.phone import IpPhone
from tests.support.naming import names
from tests.support.ward import BASE, OTHER_PHONE, PHONE, Ward

STEPS = ["wait", "passcode?passcode=123456", "push?factor=push:DPXXXXXXXXXXXXXXXXXX", "select?profile=0", "cancel"]


def token_of(phone: IpPhone) -> str:
    """Return the token in the addresses of the page that a phone shows."""
    page = phone.page
    assert page is not None
    addresses = [page.next_url, page.content.url, *(key.url for key in page.keys), *(i.url for i in page.content.items)]
    (token,) = {value for url in addresses for value in parse_qs(urlsplit(url).query).get("t", [])}
    return token


def address(token: str, step: str = "wait", device: str = PHONE) -> str:
    name, _, query = step.partition("?")
    return f"{BASE}/{device}/{name}?t={token}" + (f"&{query}" if query else "")


def refusals(ward: Ward) -> list[str]:
    return [event.reason for event in ward.site.journal.named("phone.device_refused")]


def test_a_token_is_short_and_the_cookie_too_and_both_say_nothing(ward: Ward) -> None:
    phone = ward.submitted("ada")
    token = token_of(phone)
    assert len(token) <= 64
    assert not names(token, "ada")
    assert phone.cookies.names() == ("casduo-em",)
    assert len(phone.cookies.header(f"{BASE}/{PHONE}/wait", ward.time())) < 100


@pytest.mark.parametrize("step", STEPS)
def test_another_phone_with_the_token_ends_the_login(ward: Ward, step: str) -> None:
    phone = ward.submitted("ada")
    stranger = ward.phone(OTHER_PHONE)
    stranger.open(address(token_of(phone), step, OTHER_PHONE))
    assert "This was begun on another phone, so it was ended." in str(stranger.screen)
    assert refusals(ward) == ["wrong_device"]
    ward.answer_push()
    ward.await_screen(phone, lambda text: "That took too long. Please start again." in text)
    assert ward.login_writes() == 0


def test_another_address_that_claims_to_be_the_phone_gets_nothing_and_ends_nothing(ward: Ward) -> None:
    phone = ward.submitted("ada", source_address="127.0.0.1")
    thief = ward.phone(source_address="127.0.0.2")
    for step in STEPS:
        thief.open(address(token_of(phone), step))
        assert "went on elsewhere" in str(thief.screen)
    assert set(refusals(ward)) == {"wrong_address"}
    ward.answer_push()
    thief.open(address(token_of(phone)))
    assert ward.login_writes() == 0
    ward.logged_in(phone)
    assert ward.login() == ("ada", "ada-ward")


@pytest.mark.parametrize(
    ("binding", "other", "goes_on"),
    [
        ("exact", "127.0.0.2", False),
        ("network", "127.0.0.2", True),
        ("network", "127.0.1.1", False),
        ("off", "127.9.9.9", True),
    ],
)
def test_how_far_an_address_may_move_is_a_setting(
    ward_with: Callable[..., Ward], binding: str, other: str, goes_on: bool
) -> None:
    ward = ward_with(settings=f"phones: {{address_binding: {binding!r}}}\n")
    phone = ward.submitted("ada", source_address="127.0.0.1")
    moved = ward.phone(source_address=other)
    moved.open(address(token_of(phone)))
    assert ("Approve the request" in str(moved.screen)) == goes_on
    ward.answer_push()
    if goes_on:
        ward.logged_in(moved)
    assert (ward.login() is not None) == goes_on


def test_the_cookie_of_another_login_ends_this_one(ward: Ward) -> None:
    """Whoever can make a phone of the same name at the same address still lacks what it keeps."""
    phone = ward.submitted("ada")
    ada = token_of(phone)
    other = ward.submitted("mary")
    other.open(address(ada))
    assert "begun on another phone" in str(other.screen)
    phone.press("Update")
    ward.await_screen(phone, lambda text: "start again" in text)


def test_a_phone_that_lost_its_cookie_goes_on(ward: Ward) -> None:
    phone = ward.submitted("ada")
    phone.cookies.clear()
    ward.answer_push()
    ward.logged_in(phone)


def test_a_phone_that_keeps_no_cookies_goes_all_the_way(ward: Ward) -> None:
    phone = ward.submitted("mary", model="6921")
    assert phone.cookies.names() == ()
    ward.answer_push("mary")
    ward.await_screen(phone, lambda text: "mary-office" in text)
    phone.pick(1)
    ward.logged_in(phone)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:],
        lambda token: ("A" if token[0] != "A" else "B") + token[1:],
        lambda token: token[:20],
        lambda token: "",
        lambda token: token + "x",
        lambda token: "%00",
        lambda token: "x" * 200,
    ],
    ids=["signature", "first letter", "cut", "empty", "longer", "zero", "very long"],
)
def test_a_token_that_was_changed_leads_nowhere(ward: Ward, step: str, spoil: Callable[[str], str]) -> None:
    phone = ward.submitted("ada")
    forger = ward.phone()
    forger.open(address(spoil(token_of(phone)), step))
    assert "That took too long. Please start again." in str(forger.screen)
    ward.pass_time(3)
    assert "Approve the request" in str(phone.screen)
    assert ward.login_writes() == 0


def test_the_version_in_a_token_is_signed_as_well(ward: Ward) -> None:
    phone = ward.submitted("ada")
    head, version, rest = token_of(phone).split("-", 2)
    forger = ward.phone()
    forger.open(address(f"{head}-{int(version) + 1}-{rest}"))
    assert "start again" in str(forger.screen)


def test_a_token_is_no_good_for_another_user(ward: Ward) -> None:
    """What is in the address besides it is not looked at."""
    phone = ward.submitted("ada")
    ward.answer_push()
    phone.open(address(token_of(phone)) + "&userid=mary&profile=mary-ward&device=SEP00AABBCCDDEE")
    ward.logged_in(phone)
    assert ward.login() == ("ada", "ada-ward")
    assert ward.login(OTHER_PHONE) is None


def test_a_token_of_a_login_logs_nobody_out_and_that_of_a_logout_nobody_in(ward: Ward) -> None:
    phone = ward.submitted("ada")
    login = token_of(phone)
    ward.ucm.log_in(PHONE, "grace")
    phone.open(address(login, "logout"))
    assert ward.login() == ("grace", "grace-ward")
    other = ward.opened()
    other.press("Logout")
    logout = token_of(other)
    for step in ("wait", "select?profile=0", "passcode?passcode=123456"):
        other.open(address(logout, step))
        assert ward.login_writes() == 0


def test_a_token_is_no_good_on_pages_for_browsers(ward: Ward) -> None:
    phone = ward.submitted("ada")
    token = token_of(phone)
    browser = ward.site.browser()
    for path in (f"/login?execution={token}", f"/login/step?key={token}", f"/duo/push/status?key={token}"):
        assert "iPhone" not in browser.get(path).text
    assert ward.login_writes() == 0


def test_what_a_phone_looks_at_without_a_token_tells_nothing(ward: Ward) -> None:
    ward.submitted("ada")
    stranger = ward.phone()
    for step in ("wait", "passcode", "push", "select", "cancel"):
        stranger.open(f"{BASE}/{PHONE}/{step}")
        assert "start again" in str(stranger.screen)
        assert not names(str(stranger.screen), "ada")
