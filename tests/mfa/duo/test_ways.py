"""Which ways a person has, and with which one the built-in page begins."""

from __future__ import annotations

from casduo.mfa.duo.gateway import Device
from casduo.mfa.duo.ways import first_way, named_way, typed_way, ways_of

IPHONE = Device("DPIPHONE", "phone", "iPhone of Ada", frozenset({"auto", "mobile_otp", "phone", "push", "sms"}))
TABLET = Device("DPTABLET", "phone", "Tablet", frozenset({"auto", "push"}))
DESK = Device("DPDESK", "phone", "Desk phone", frozenset({"phone"}))
TOKEN = Device("DHTOKEN", "token", "Token 2036")
DEVICES = [TOKEN, IPHONE, TABLET, DESK]


def test_pushes_come_first_then_calls_then_codes_in_the_order_of_the_devices() -> None:
    assert [way.text for way in ways_of(DEVICES)] == [
        "push:DPIPHONE",
        "push:DPTABLET",
        "phone:DPIPHONE",
        "phone:DPDESK",
        "sms:DPIPHONE",
    ]


def test_a_way_is_found_only_among_ones_own() -> None:
    way = named_way(DEVICES, "push:DPTABLET")
    assert way is not None
    assert (way.kind, way.device, way.label) == ("push", "DPTABLET", "Tablet")
    for foreign in ("push:DPOTHER", "push:DPDESK", "auto", "", "push:", "sms:DPTABLET"):
        assert named_way(DEVICES, foreign) is None


def test_push2_is_the_second_device_that_can() -> None:
    assert typed_way(DEVICES, "push", 2) == named_way(DEVICES, "push:DPTABLET")
    assert typed_way(DEVICES, "phone", 2) == named_way(DEVICES, "phone:DPDESK")
    assert typed_way(DEVICES, "push", 3) is None


def test_the_first_push_goes_to_the_device_that_answered_last() -> None:
    assert first_way(DEVICES, "push:DPTABLET") == named_way(DEVICES, "push:DPTABLET")
    assert first_way(DEVICES, "") == named_way(DEVICES, "push:DPIPHONE")


def test_a_device_that_is_gone_or_somebody_elses_gives_way_to_the_first_one() -> None:
    assert first_way(DEVICES, "push:DPGONE") == named_way(DEVICES, "push:DPIPHONE")


def test_who_answered_otherwise_is_sent_nothing_unasked() -> None:
    assert first_way(DEVICES, "passcode") is None
    assert first_way(DEVICES, "phone:DPIPHONE") is None
    assert first_way([TOKEN, DESK], "") is None
