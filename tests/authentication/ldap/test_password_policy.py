from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.authentication.ldap.password_policy import PolicyResponse, decode


@pytest.mark.parametrize(
    ("value", "response"),
    [
        ("3000", PolicyResponse()),
        ("3003 810100", PolicyResponse(error=0)),
        ("3003 810101", PolicyResponse(error=1)),
        ("3003 810102", PolicyResponse(error=2)),
        ("3006 a0048002 0e10", PolicyResponse(expires_in=3600)),
        ("3005 a003810102", PolicyResponse(grace_logins=2)),
        ("3008 a003810100 810100", PolicyResponse(grace_logins=0, error=0)),
        ("3007 a0058003 012345", PolicyResponse(expires_in=0x12345)),
        ("3081 06 a00480020e10", PolicyResponse(expires_in=3600)),
        ("3006 820141 810101", PolicyResponse(error=1)),
        ("3005 a003820105", PolicyResponse()),
    ],
)
def test_what_servers_send_is_read(value: str, response: PolicyResponse) -> None:
    assert decode(bytes.fromhex(value)) == response


@pytest.mark.parametrize(
    "value",
    ["", "30", "3001", "0403810101", "3003810101 00", "3002 8100", "30808101010000", "308500000000000381", "300a8108"],
)
def test_what_is_not_such_a_value_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"truncated|unreadable|not a password policy"):
        decode(bytes.fromhex(value))


@given(st.binary(max_size=40) | st.binary(max_size=20).map(lambda tail: b"\x30" + bytes([len(tail)]) + tail))
def test_no_octets_do_anything_but_be_read_or_be_refused(value: bytes) -> None:
    with suppress(ValueError):
        decode(value)
