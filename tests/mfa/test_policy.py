"""Duo policy: who owes Duo, for how long one Duo login counts, and that nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.mfa.policy import CLOCK_TOLERANCE, DuoDecision, owed
from casduo.mfa.strength import DUO_BYPASS, NO_STRENGTH, UNAVAILABLE, Strength
from casduo.services.model import DuoRule

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()
GRACE = {"groups": ("Staff",), "memberOf": ("CN=Admins,OU=groups,DC=example",), "affiliation": ("Employee",)}


def rule(**keys: Any) -> DuoRule:
    return DuoRule.model_validate(keys)


def judge(
    duo: DuoRule | None, strength: Strength = NO_STRENGTH, *, address: str = "10.1.2.3", now: float = NOON, **more: Any
) -> DuoDecision:
    decision = owed(duo, GRACE, address, strength, now, **more)
    assert decision.reasons
    assert decision.required or not decision.owed
    return decision


class TestRequired:
    def test_not_without_a_rule(self) -> None:
        assert judge(None) == DuoDecision(False, False, ("the service does not require Duo",))

    def test_of_everybody_by_default(self) -> None:
        assert judge(rule()).required

    @pytest.mark.parametrize("groups", ["Staff", "staff", "STAFF", ["nobody", "admins"]])
    def test_of_groups_whatever_their_case(self, groups: Any) -> None:
        assert judge(rule(when={"groups": groups})).required

    def test_not_of_other_groups(self) -> None:
        assert judge(rule(when={"groups": "students"})) == DuoDecision(
            False, False, ("the service requires Duo only of members of students",)
        )

    def test_of_groups_where_settings_say(self) -> None:
        assert judge(rule(when={"groups": "employee"}), group_attributes=("affiliation",)).required

    def test_of_attribute_values_whatever_their_case(self) -> None:
        assert judge(rule(when={"attributes": {"affiliation": ["guest", "employee"]}})).required
        assert not judge(rule(when={"attributes": {"affiliation": "guest"}})).required
        assert not judge(rule(when={"attributes": {"affiliation": "employee", "mail": "x"}})).required

    def test_from_networks(self) -> None:
        assert judge(rule(when={"networks": "10.0.0.0/8"})).required
        assert not judge(rule(when={"networks": "10.0.0.0/8"}), address="192.0.2.1").required

    @pytest.mark.parametrize("address", ["", "unknown", "10.1.2"])
    def test_from_an_address_that_cannot_be_read(self, address: str) -> None:
        assert judge(rule(when={"networks": "192.0.2.0/24"}), address=address).required

    def test_only_where_every_condition_holds(self) -> None:
        when = {"groups": "staff", "networks": "10.0.0.0/8"}
        assert judge(rule(when=when)).required
        assert not judge(rule(when=when), address="192.0.2.1").required

    def test_only_in_its_time(self) -> None:
        duo = rule(**{"from": "2026-06-01T12:00", "until": "2026-07-01"})
        end = datetime(2026, 7, 1, tzinfo=UTC).timestamp()
        assert not judge(duo, now=NOON - 1).required
        assert judge(duo, now=NOON).required
        assert judge(duo, now=end - 1).required
        assert not judge(duo, now=end).required

    def test_not_even_a_strong_session_changes_it(self) -> None:
        decision = judge(rule(), Strength.duo("push", NOON))
        assert decision.required
        assert not decision.owed


class TestOwed:
    def test_by_a_session_with_a_password_only(self) -> None:
        assert judge(rule()).owed

    def test_not_after_duo(self) -> None:
        assert not judge(rule(), Strength.duo("push", NOON - 8 * 3600)).owed

    def test_again_when_duo_is_too_old(self) -> None:
        duo = rule(max_age="8h")
        assert not judge(duo, Strength.duo("push", NOON - 8 * 3600)).owed
        assert judge(duo, Strength.duo("push", NOON - 8 * 3600 - 1)).owed

    @pytest.mark.parametrize("why", [DUO_BYPASS, UNAVAILABLE, ""])
    @pytest.mark.parametrize("age", [0, 1, 3600])
    def test_again_after_any_bypass(self, why: str, age: float) -> None:
        decision = judge(rule(), Strength.bypassed(why, NOON - age))
        assert decision.owed
        assert any("does not count" in reason for reason in decision.reasons)

    @pytest.mark.parametrize("duo", [rule(), rule(max_age="8h")])
    def test_a_clock_may_be_a_little_behind(self, duo: DuoRule) -> None:
        assert not judge(duo, Strength.duo("push", NOON + CLOCK_TOLERANCE)).owed
        assert judge(duo, Strength.duo("push", NOON + CLOCK_TOLERANCE + 1)).owed

    def test_by_a_mark_without_a_real_moment(self) -> None:
        assert judge(rule(), Strength.duo("push", float("nan"))).owed
        assert judge(rule(), Strength.duo("push", float("inf"))).owed

    @settings(deadline=None)
    @given(
        st.sampled_from(["none", "bypassed", "duo"]),
        st.sampled_from(["", DUO_BYPASS, UNAVAILABLE]),
        st.floats(NOON - 1e6, NOON + 1e6),
        st.sampled_from([None, 60, 3600, "30d"]),
    )
    def test_nothing_but_fresh_duo_pays(self, level: Any, why: str, at: float, max_age: Any) -> None:
        duo = rule(max_age=max_age)
        decision = judge(duo, Strength(level, "push", at, why))
        age = NOON - at
        fresh = age >= -CLOCK_TOLERANCE and (duo.max_age is None or age <= duo.max_age)
        assert decision.owed == (level != "duo" or not fresh)


class TestReasons:
    def test_tell_every_condition_and_the_state_of_the_session(self) -> None:
        duo = rule(
            when={"groups": ["staff"], "networks": "10.0.0.0/8", "attributes": {"affiliation": "employee"}}, max_age=60
        )
        assert judge(duo, Strength.duo("push", NOON - 90)).reasons == (
            "the service requires Duo",
            "the person is in staff",
            "attribute affiliation is employee",
            "the address is in 10.0.0.0/8, or cannot be read",
            "the session's Duo is 90 seconds old, more than the 60 allowed",
        )

    @pytest.mark.parametrize(
        ("strength", "last"),
        [
            (NO_STRENGTH, "the session has only a password"),
            (Strength.duo("passcode", NOON), "the session has Duo (passcode) that is fresh enough"),
            (
                Strength.duo("push", NOON + 3600),
                "the session's Duo lies in the future, so the clocks of two nodes differ",
            ),
            (
                Strength.bypassed(UNAVAILABLE, NOON),
                "the session passed without Duo before (Duo was unavailable), which does not count",
            ),
            (
                Strength.bypassed(DUO_BYPASS, NOON),
                "the session passed without Duo before (Duo let the person pass), which does not count",
            ),
        ],
    )
    def test_end_with_the_session(self, strength: Strength, last: str) -> None:
        assert judge(rule(), strength).reasons == ("the service requires Duo", last)

    def test_say_when_it_will_or_did_hold(self) -> None:
        duo = rule(**{"from": "2026-06-01", "until": "2026-07-01"})
        assert judge(duo, now=0).reasons == ("the service requires Duo only from 2026-06-01 00:00 UTC",)
        assert judge(duo, now=2e9).reasons == ("the service required Duo only before 2026-07-01 00:00 UTC",)

    def test_say_whom_it_does_not_mean(self) -> None:
        assert judge(rule(when={"networks": ["192.0.2.0/24"]})).reasons == (
            "the service requires Duo only from 192.0.2.0/24",
        )
        assert judge(rule(when={"attributes": {"mail": ["x", "y"]}})).reasons == (
            "the service requires Duo only where attribute mail is x or y",
        )


class TestStrengthFields:
    @settings(deadline=None)
    @given(
        st.sampled_from(["bypassed", "duo"]),
        st.text(max_size=10),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=10),
    )
    def test_survive_the_store(self, level: Any, factor: str, at: float, why: str) -> None:
        strength = Strength(level, factor, at, why)
        assert Strength.from_fields(strength.to_fields()) == strength

    def test_no_strength_overwrites_an_earlier_mark(self) -> None:
        stored = Strength.duo("push", NOON).to_fields()
        stored.update(NO_STRENGTH.to_fields())
        assert Strength.from_fields(stored) == NO_STRENGTH

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"mfa_level": "duo"},
            {"mfa_level": "duo", "mfa_at": ""},
            {"mfa_level": "duo", "mfa_at": "yesterday"},
            {"mfa_level": "duo", "mfa_at": "nan"},
            {"mfa_level": "duo", "mfa_at": "inf"},
            {"mfa_level": "DUO", "mfa_at": "1"},
            {"mfa_level": "strong", "mfa_at": "1"},
            {"mfa_at": "1", "mfa_factor": "push"},
        ],
    )
    def test_what_cannot_be_read_is_no_strength(self, fields: dict[str, str]) -> None:
        assert Strength.from_fields(fields) == NO_STRENGTH
