"""What a device shows of a request."""

from __future__ import annotations

from ipaddress import ip_network

from casduo.mfa.duo.info import place_of, push_info

PLACES = (
    ("Main campus", (ip_network("192.0.2.0/25"), ip_network("2001:db8::/32"))),
    ("Guest network", (ip_network("192.0.2.0/24"),)),
)


def test_the_device_shows_application_host_address_and_place_in_this_order() -> None:
    info = push_info("Payroll", "payroll.example.edu", "192.0.2.7", PLACES)
    assert list(info.items()) == [
        ("Application", "Payroll"),
        ("Host", "payroll.example.edu"),
        ("Address", "192.0.2.7"),
        ("Place", "Main campus"),
    ]


def test_the_device_shows_the_phone_at_which_somebody_logs_in() -> None:
    info = push_info("Extension Mobility", "sso.example.edu", "10.0.0.7", (), "SEP001122334455")
    assert list(info) == ["Application", "Host", "Phone", "Address"]
    assert info["Phone"] == "SEP001122334455"


def test_what_is_not_known_is_left_out() -> None:
    assert push_info("Payroll", "", "", PLACES) == {"Application": "Payroll"}
    assert "Place" not in push_info("Payroll", "", "198.51.100.4", PLACES)


def test_the_first_place_that_fits_is_named() -> None:
    assert place_of("192.0.2.200", PLACES) == "Guest network"
    assert place_of("2001:db8::1", PLACES) == "Main campus"
    assert place_of("::ffff:192.0.2.7", PLACES) == "Main campus"
    assert place_of("no address", PLACES) == ""
