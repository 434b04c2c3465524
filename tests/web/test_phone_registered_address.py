"""Logging in only from where the phone is registered: phones of the loopback network, each with its own address."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from casduo.simulators.phone import IpPhone
from casduo.ucm.model import Registrations
from tests.support.pushing import wait_for, working
from tests.support.ward import OTHER_PHONE, PHONE, Ward

TERMS = {
    "settings": "phones: {registered_address: require, address_binding: off, refresh: 2s}\n",
    "ucm_settings": "ris: {servers: [NODES], username: risreader, password: ris-secret}",
}
HERE, ELSEWHERE = "127.0.0.2", "127.0.0.3"
REFUSED = "This phone was not recognised."


@pytest.fixture
def ward(ward_with: Callable[..., Ward]) -> Ward:
    """A ward without a worker, where the phone is registered at :data:`HERE`."""
    found = ward_with(**TERMS, worker=False)
    note(found, HERE)
    return found


def note(ward: Ward, *addresses: str, device: str = PHONE) -> None:
    """Write down, as the worker does, where a phone is now."""
    parts = ward.site.composed.parts
    parts.phone_addresses.keep((device,), Registrations({device: addresses}, complete=True), ward.site.clock())


def refused(phone: IpPhone) -> bool:
    return REFUSED in " ".join(str(phone.screen).split())


def details(ward: Ward) -> list[tuple[str, str]]:
    return [(event.reason, event.detail) for event in ward.site.journal.named("phone.device_refused")]


def test_from_its_address_a_phone_is_shown_the_form(ward: Ward) -> None:
    phone = ward.opened(source_address=HERE)
    assert phone.screen is not None
    assert phone.screen.kind == "input"
    assert details(ward) == []


def test_a_login_goes_through(ward: Ward) -> None:
    phone = ward.submitted("alan", source_address=HERE)
    ward.logged_in(phone)
    assert ward.login() == ("alan", "alan-ward")


def test_from_another_address_it_is_refused_with_what_to_do(ward: Ward) -> None:
    phone = ward.opened(source_address=ELSEWHERE)
    assert refused(phone)
    assert "two minutes" in str(phone.screen)
    assert "Reference" in str(phone.screen)
    assert details(ward) == [("address", HERE)]
    (event,) = ward.site.journal.named("phone.device_refused")
    assert (event.device, event.about.address) == (PHONE, ELSEWHERE)
    assert ward.ucm.calls() == 0


def test_a_phone_that_is_registered_nowhere_is_refused(ward: Ward) -> None:
    assert refused(ward.opened(OTHER_PHONE, source_address=HERE))
    assert details(ward) == [("address", "not_known")]


def test_nobody_borrows_the_name_of_another_phone(ward: Ward) -> None:
    note(ward, ELSEWHERE, device=OTHER_PHONE)
    assert refused(ward.opened(PHONE, source_address=ELSEWHERE))


def test_what_was_read_too_long_ago_is_not_believed(ward: Ward) -> None:
    phone = ward.at_form(source_address=HERE)
    ward.pass_time(601)
    phone.press_services()
    assert refused(phone)
    assert details(ward) == [("address", "not_known")]


def test_the_form_is_not_taken_from_elsewhere(ward: Ward) -> None:
    phone = ward.at_form(source_address=HERE)
    note(ward, ELSEWHERE)
    ward.submit(phone, "alan")
    assert refused(phone)
    assert ward.pin_checks() == 0


def test_a_login_goes_on_where_it_began(ward: Ward) -> None:
    assert ward.site.composed.parts.phone_rules.address_binding == "exact"


def test_one_that_has_moved_goes_on_at_its_new_address(ward: Ward) -> None:
    phone = ward.opened(source_address=ELSEWHERE)
    assert refused(phone)
    note(ward, ELSEWHERE)
    phone.press("Retry")
    assert phone.screen is not None
    assert phone.screen.kind == "input"


def test_a_phone_with_two_addresses_may_come_from_either(ward: Ward) -> None:
    note(ward, "2001:db8::7", "::ffff:127.0.0.3")
    assert not refused(ward.opened(source_address=ELSEWHERE))


def test_logging_out_is_for_the_phone_itself_too(ward: Ward) -> None:
    ward.ucm.log_in(PHONE, "ada")
    phone = ward.opened(source_address=HERE)
    note(ward, ELSEWHERE)
    phone.press("Logout")
    assert refused(phone)
    assert ward.login() == ("ada", "ada-ward")


def test_a_worker_reads_where_phones_are(ward: Ward) -> None:
    note(ward)
    ward.ucm.phone(PHONE).address, ward.ucm.phone(PHONE).registered = HERE, True
    assert refused(ward.opened(source_address=HERE))
    with working(ward.site, clock=ward.time):
        wait_for(lambda: ward.site.composed.parts.phone_addresses.of(PHONE, ward.site.clock()) != ())
    assert refused(ward.opened(source_address=ELSEWHERE))
    ward.logged_in(ward.submitted("alan", source_address=HERE))


def test_without_the_setting_any_address_will_do(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(worker=False)
    assert not refused(ward.opened(source_address=ELSEWHERE))
