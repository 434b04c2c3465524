from __future__ import annotations

import pytest

from casduo.authentication import ExpiresIn, GraceLogins, Reason
from casduo.authentication.ldap.directory import BindAnswer
from casduo.authentication.ldap.policy import Accepted, Refused, judge
from casduo.authentication.ldap.settings import Vendor

LOCKED = bytes.fromhex("3003810101")
EXPIRED = bytes.fromhex("3003810100")
RESET = bytes.fromhex("3003810102")
TOO_SHORT = bytes.fromhex("3003810106")


def refused_by_active_directory(code: str) -> BindAnswer:
    return BindAnswer(
        49, f"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data {code}, v3839\0"
    )


@pytest.mark.parametrize(
    ("code", "reason", "proved"),
    [
        ("525", "unknown", False),
        ("52e", "wrong", False),
        ("52E", "wrong", False),
        ("530", "not_permitted_now", True),
        ("531", "not_permitted_now", True),
        ("532", "expired", True),
        ("533", "disabled", True),
        ("701", "expired", True),
        ("773", "must_change", True),
        ("775", "locked", False),
        ("57", "wrong", False),
        ("deadbeef", "wrong", False),
    ],
)
@pytest.mark.parametrize("vendor", ["auto", "active_directory"])
def test_active_directory_says_why_in_its_diagnostic(code: str, reason: Reason, proved: bool, vendor: Vendor) -> None:
    verdict = judge(refused_by_active_directory(code), vendor, password_policy=True)

    assert verdict == Refused(reason, f"data {code.lower()}", proved)


def test_openldap_is_not_read_as_active_directory() -> None:
    assert judge(refused_by_active_directory("533"), "openldap", password_policy=True) == Refused("wrong", "result 49")


def test_a_data_code_counts_only_with_invalid_credentials() -> None:
    answer = BindAnswer(0, refused_by_active_directory("533").diagnostic)

    assert judge(answer, "auto", password_policy=True) == Accepted()


@pytest.mark.parametrize(
    ("code", "control", "verdict"),
    [
        (49, LOCKED, Refused("locked", "accountLocked")),
        (49, EXPIRED, Refused("expired", "passwordExpired", proved=True)),
        (49, RESET, Refused("wrong", "result 49")),
        (49, None, Refused("wrong", "result 49")),
        (0, RESET, Refused("must_change", "changeAfterReset", proved=True)),
        (0, EXPIRED, Refused("expired", "passwordExpired", proved=True)),
        (0, LOCKED, Refused("locked", "accountLocked")),
        (0, TOO_SHORT, Accepted()),
        (0, None, Accepted()),
        (0, bytes.fromhex("3005a003810102"), Accepted((GraceLogins(2),))),
        (0, bytes.fromhex("3006a00480020e10"), Accepted((ExpiresIn(3600),))),
        (0, b"", Refused("unavailable", "unreadable password policy control")),
        (49, b"\xff", Refused("unavailable", "unreadable password policy control")),
    ],
)
def test_the_password_policy_control_is_heeded(code: int, control: bytes | None, verdict: Accepted | Refused) -> None:
    assert judge(BindAnswer(code, policy=control), "openldap", password_policy=True) == verdict


def test_the_control_is_ignored_where_it_was_not_asked_for() -> None:
    assert judge(BindAnswer(0, policy=b"\xff"), "openldap", password_policy=False) == Accepted()


@pytest.mark.parametrize("vendor", ["auto", "openldap", "active_directory"])
def test_nothing_but_success_is_accepted_and_nothing_is_proved_without_a_reason(vendor: Vendor) -> None:
    for code in range(1, 256):
        verdict = judge(BindAnswer(code), vendor, password_policy=True)

        assert isinstance(verdict, Refused)
        assert verdict.detail
        assert not verdict.proved


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (32, "wrong"),
        (34, "wrong"),
        (48, "wrong"),
        (50, "wrong"),
        (19, "locked"),
        (53, "disabled"),
        (2, "unavailable"),
        (8, "unavailable"),
        (10, "unavailable"),
        (13, "unavailable"),
        (14, "unavailable"),
        (51, "unavailable"),
        (52, "unavailable"),
        (54, "unavailable"),
        (81, "unavailable"),
        (255, "unavailable"),
    ],
)
def test_other_result_codes(code: int, reason: Reason) -> None:
    verdict = judge(BindAnswer(code), "auto", password_policy=True)

    assert isinstance(verdict, Refused)
    assert verdict.reason == reason
