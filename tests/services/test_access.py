"""Access rules: who may use a service, from where and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.services.access import decide, group_names
from casduo.services.model import AccessRules

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()
ADA = {
    "groups": ("staff", "maths"),
    "memberOf": ("cn=Faculty,ou=groups,dc=example,dc=edu",),
    "affiliation": ("member",),
}


def rules(**keys: Any) -> AccessRules:
    return AccessRules.model_validate(keys)


def reason(access: AccessRules | None, *, address: str = "10.1.2.3", now: float = NOON, **more: Any) -> str:
    decision = decide(access, ADA, address, now, **more)
    assert decision.allowed == (not decision.reason)
    assert decision.allowed == all(rule.met for rule in decision.rules)
    return decision.reason


@pytest.mark.parametrize("access", [None, AccessRules()])
def test_without_rules_everybody_may(access: AccessRules | None) -> None:
    decision = decide(access, {}, "", NOON)
    assert decision.allowed
    assert decision.rules == ()


def test_a_disabled_service_lets_nobody_in() -> None:
    assert reason(None, enabled=False) == "disabled"
    assert reason(rules(groups=["nobody"]), enabled=False) == "disabled"


class TestGroups:
    @pytest.mark.parametrize("groups", ["staff", ["nobody", "maths"], "Faculty", ADA["memberOf"]])
    def test_one_is_enough(self, groups: Any) -> None:
        assert reason(rules(groups=groups)) == ""

    @pytest.mark.parametrize("groups", ["STAFF", "staf", "faculty", "cn=Faculty", "groups", "member"])
    def test_others_are_refused_and_case_counts(self, groups: str) -> None:
        assert reason(rules(groups=groups)) == "group"

    def test_are_looked_for_where_settings_say(self) -> None:
        assert reason(rules(groups="member"), group_attributes=("affiliation",)) == ""
        assert reason(rules(groups="staff"), group_attributes=("affiliation",)) == "group"

    @pytest.mark.parametrize(
        ("value", "short"),
        [
            ("CN=Staff,DC=example", "Staff"),
            ("cn = Staff , dc=example", "Staff"),
            ("cn=Smith\\, Ada,ou=x,dc=example", "Smith, Ada"),
            ("cn=caf\\C3\\A9,dc=example", "caf\u00e9"),
            ("cn=a\\+b,dc=example", "a+b"),
        ],
    )
    def test_distinguished_names_have_a_short_form(self, value: str, short: str) -> None:
        assert group_names({"memberOf": (value,)}) == {value, short}

    @pytest.mark.parametrize(
        "value", ["staff", "cn=staff", "a,b=c", "=x,dc=y", "cn=a+ou=b,dc=c", "x, y=z", "cn=,dc=x", ""]
    )
    def test_other_values_have_none(self, value: str) -> None:
        assert group_names({"memberOf": (value,)}) == ({value} if value else set())

    @settings(deadline=None)
    @given(st.text())
    def test_any_value_can_be_a_group(self, value: str) -> None:
        assert value in {"", *group_names({"groups": (value,)})}


class TestAttributes:
    def test_one_value_is_enough_and_every_name_must_fit(self) -> None:
        assert reason(rules(attributes={"affiliation": ["guest", "member"]})) == ""
        assert reason(rules(attributes={"affiliation": "member", "groups": "staff"})) == ""
        assert reason(rules(attributes={"affiliation": "member", "mail": "x"})) == "attribute"
        assert reason(rules(attributes={"affiliation": "Member"})) == "attribute"


class TestNetworks:
    @pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7"])
    def test_inside(self, address: str) -> None:
        assert reason(rules(networks=["10.0.0.0/8", "2001:db8::/32"]), address=address) == ""

    @pytest.mark.parametrize(
        "address", ["11.1.2.3", "::ffff:11.1.2.3", "2001:db9::7", "", "unknown", "10.1.2", "10.1.2.3, 8.8.8.8"]
    )
    def test_outside_or_unreadable(self, address: str) -> None:
        assert reason(rules(networks=["10.0.0.0/8", "2001:db8::/32"]), address=address) == "network"

    def test_the_whole_internet_still_wants_an_address(self) -> None:
        assert reason(rules(networks=["0.0.0.0/0", "::/0"]), address="") == "network"


class TestTimes:
    ACCESS = rules(**{"from": "2026-06-01T12:00", "until": "2026-07-01"})

    def test_from_is_the_first_allowed_moment(self) -> None:
        assert reason(self.ACCESS, now=NOON) == ""
        assert reason(self.ACCESS, now=NOON - 0.001) == "not_yet"

    def test_until_is_the_first_refused_moment(self) -> None:
        end = datetime(2026, 7, 1, tzinfo=UTC).timestamp()
        assert reason(self.ACCESS, now=end - 0.001) == ""
        assert reason(self.ACCESS, now=end) == "expired"


class TestExplanation:
    ACCESS = rules(
        **{"from": "2026-01-01", "until": "2027-01-01"},
        groups=["staff", "admins"],
        networks="192.0.2.0/24",
        attributes={"affiliation": "member"},
    )

    def test_every_rule_is_told_with_its_outcome(self) -> None:
        decision = decide(self.ACCESS, ADA, "10.1.2.3", NOON)
        assert [(rule.kind, rule.met) for rule in decision.rules] == [
            ("not_yet", True),
            ("expired", True),
            ("network", False),
            ("group", True),
            ("attribute", True),
        ]
        assert [rule.sentence for rule in decision.rules] == [
            "it must be 2026-01-01 00:00 UTC or later",
            "it must be before 2027-01-01 00:00 UTC",
            "the address must be in 192.0.2.0/24",
            "the person must be in staff or admins",
            "attribute affiliation must be member",
        ]

    def test_the_first_rule_that_is_not_met_is_the_reason(self) -> None:
        assert reason(self.ACCESS, address="192.0.2.1", now=0) == "not_yet"
        assert reason(self.ACCESS) == "network"

    def test_nothing_of_the_person_is_told(self) -> None:
        decision = decide(self.ACCESS, {"groups": ("secret-group",)}, "198.51.100.77", NOON)
        assert "secret-group" not in repr(decision)
        assert "198.51.100.77" not in repr(decision)
