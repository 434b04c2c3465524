"""Where phones are registered, as it is noted in Redis, on both servers."""

from __future__ import annotations

import pytest

from casduo.phone.addresses import PhoneAddresses
from casduo.store import Store
from casduo.ucm.model import Registrations

DEVICE, OTHER = "SEP001122334455", "SEP00AABBCCDDEE"
NOW = 1_800_000_000.25
AGE = 600.0


@pytest.fixture
def addresses(any_store: Store) -> PhoneAddresses:
    return PhoneAddresses(any_store, AGE)


def at(*told: str, device: str = DEVICE, complete: bool = True) -> Registrations:
    return Registrations({device: told}, complete)


def test_what_was_read_is_known(addresses: PhoneAddresses) -> None:
    addresses.keep((DEVICE, OTHER), at("192.0.2.7", "2001:DB8:0::7"), NOW)
    assert addresses.of(DEVICE, NOW) == ("192.0.2.7", "2001:db8::7")
    assert addresses.of(OTHER, NOW) == ()


def test_ipv4_written_as_ipv6_is_the_same_address(addresses: PhoneAddresses) -> None:
    addresses.keep((DEVICE,), at("::ffff:192.0.2.7"), NOW)
    assert addresses.of(DEVICE, NOW) == ("192.0.2.7",)


def test_names_are_kept_in_upper_case(addresses: PhoneAddresses) -> None:
    addresses.keep((DEVICE.lower(),), at("192.0.2.7"), NOW)
    assert addresses.of(DEVICE, NOW) == ("192.0.2.7",)


def test_what_is_too_old_is_not_believed(addresses: PhoneAddresses) -> None:
    addresses.keep((DEVICE,), at("192.0.2.7"), NOW)
    assert addresses.of(DEVICE, NOW + AGE) == ("192.0.2.7",)
    assert addresses.of(DEVICE, NOW + AGE + 1) == ()


def test_a_phone_that_is_nowhere_any_more_is_forgotten_at_once(addresses: PhoneAddresses, any_store: Store) -> None:
    addresses.keep((DEVICE, OTHER), at("192.0.2.7"), NOW)
    addresses.keep((OTHER,), Registrations({}, complete=True), NOW)
    assert addresses.of(DEVICE, NOW) == ("192.0.2.7",)
    addresses.keep((DEVICE, OTHER), Registrations({}, complete=True), NOW)
    assert addresses.of(DEVICE, NOW) == ()
    assert any_store.command("KEYS", "*") == []


def test_while_a_node_does_not_tell_what_was_read_stays(addresses: PhoneAddresses) -> None:
    addresses.keep((DEVICE,), at("192.0.2.7"), NOW)
    addresses.keep((DEVICE,), Registrations({}, complete=False), NOW + 60)
    assert addresses.of(DEVICE, NOW + 60) == ("192.0.2.7",)
    assert addresses.of(DEVICE, NOW + AGE + 1) == ()


def test_a_phone_without_an_address_is_nowhere(addresses: PhoneAddresses) -> None:
    addresses.keep((DEVICE,), at(), NOW)
    assert addresses.of(DEVICE, NOW) == ()


def test_notes_go_by_themselves(addresses: PhoneAddresses, any_store: Store) -> None:
    addresses.keep((DEVICE,), at("192.0.2.7"), NOW)
    (key,) = any_store.command("KEYS", "*")
    assert 2 * AGE * 1000 - 5_000 < any_store.command("PTTL", key) <= 2 * AGE * 1000


def test_one_worker_reads_and_goes_on_reading(addresses: PhoneAddresses) -> None:
    assert addresses.lead("worker-1", 60.0)
    assert not addresses.lead("worker-2", 60.0)
    assert addresses.lead("worker-1", 60.0)


def test_another_one_takes_over_when_it_is_silent(addresses: PhoneAddresses, any_store: Store) -> None:
    assert addresses.lead("worker-1", 60.0)
    (key,) = any_store.command("KEYS", "*")
    any_store.command("DEL", key)
    assert addresses.lead("worker-2", 60.0)
    assert not addresses.lead("worker-1", 60.0)
