"""Duo policy: who owes Duo, for how long one Duo login counts, and that nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.mfa.policy import CLOCK_TOLERANCE, DuoDecision, owed
from casduo.mfa.strength import DUO_BYPASS, NO_STRENGTH, UNAVAILABLE, UNENROLLED, Strength
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
        assert judge(None) == DuoDecision(False, False, ("the service does not require Duo",), lack="password")

    def test_of_everybody_by_default(self) -> None:
        assert judge(rule()).required

    @pytest.mark.parametrize("groups", ["Staff", "staff", "STAFF", ["nobody", "admins"]])
    def test_of_groups_whatever_their_case(self, groups: Any) -> None:
        assert judge(rule(when={"groups": groups})).required

    def test_not_of_other_groups(self) -> None:
        assert judge(rule(when={"groups": "students"})) == DuoDecision(
            False, False, ("the service requires Duo only of members of students",), lack="password"
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

    @pytest.mark.parametrize("why", [DUO_BYPASS, UNAVAILABLE, UNENROLLED, ""])
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
        st.sampled_from(["none", "bypassed", "trusted", "duo"]),
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


class TestModes:
    DATED = rule(mode={"report": "2026-05-01", "optional": "2026-06-01T12:00", "required": "2026-07-01"})

    def test_required_is_the_default(self) -> None:
        assert judge(rule()).mode == "required"
        assert rule() == rule(mode="required")

    def test_optional_asks_and_says_so(self) -> None:
        decision = judge(rule(mode="optional", when={"groups": "staff"}))
        assert (decision.required, decision.owed, decision.mode) == (True, True, "optional")
        assert decision.reasons == (
            "the service requires Duo of people who have a device",
            "the person is in staff",
            "the session has only a password",
        )

    def test_report_asks_nobody_and_tells_what_it_would_have_done(self) -> None:
        decision = judge(rule(mode="report", when={"groups": "staff"}))
        assert (decision.required, decision.owed, decision.mode, decision.reported) == (False, False, "report", True)
        assert decision.reasons == (
            "the service would require Duo, but its mode is report: nobody is asked",
            "the person is in staff",
            "the session has only a password",
        )

    def test_nothing_is_reported_of_whom_duo_would_not_have_been_asked(self) -> None:
        assert not judge(rule(mode="report"), Strength.duo("push", NOON)).reported
        assert not judge(rule(mode="report", when={"groups": "students"})).reported
        assert not judge(rule()).reported

    @pytest.mark.parametrize(
        ("day", "mode"),
        [
            (datetime(2026, 4, 30, 23, 59, 59), ""),
            (datetime(2026, 5, 1), "report"),
            (datetime(2026, 6, 1, 11, 59, 59), "report"),
            (datetime(2026, 6, 1, 12), "optional"),
            (datetime(2026, 6, 30, 23, 59, 59), "optional"),
            (datetime(2026, 7, 1), "required"),
            (datetime(2126, 7, 1), "required"),
        ],
    )
    def test_each_holds_from_its_date_on(self, day: datetime, mode: str) -> None:
        assert judge(self.DATED, now=day.replace(tzinfo=UTC).timestamp()).mode == mode

    def test_before_the_first_date_nothing_is_asked(self) -> None:
        decision = judge(self.DATED, now=0)
        assert (decision.required, decision.reported) == (False, False)
        assert decision.reasons == (
            "the service requires no Duo before 2026-05-01 00:00 UTC, when its mode report begins",
        )

    def test_the_mode_of_a_rule_that_does_not_mean_the_person_is_none(self) -> None:
        assert judge(rule(mode="optional", when={"groups": "students"})).mode == ""
        assert judge(rule(mode="optional", until="2026-05-01")).mode == ""


class TestRaised:
    """An application's request may ask for Duo where its entry does not."""

    SAYS = "the application asks for Duo by its request"

    @pytest.mark.parametrize(
        "duo",
        [
            None,
            rule(when={"groups": "students"}),
            rule(**{"from": "2027-01-01"}),
            rule(mode={"required": "2027-01-01"}),
            rule(mode="optional"),
            rule(mode="report"),
        ],
    )
    def test_whatever_asks_less_counts_as_required(self, duo: DuoRule | None) -> None:
        decision = judge(duo, raised=True)
        assert (decision.required, decision.owed, decision.mode, decision.reported) == (True, True, "required", False)
        assert self.SAYS in decision.reasons
        assert not judge(duo, Strength.duo("push", NOON), raised=True).owed

    def test_it_adds_nothing_to_a_rule_that_requires_duo(self) -> None:
        assert judge(rule(max_age="1h"), raised=True) == judge(rule(max_age="1h"))

    def test_what_the_entry_says_of_freshness_and_application_stays(self) -> None:
        duo = rule(when={"groups": "students"}, max_age="1h", application="hr")
        assert judge(duo, Strength.duo("push", NOON - 3601, "hr"), raised=True).lack == "age"
        assert judge(duo, Strength.duo("push", NOON), raised=True).lack == "application"
        assert not judge(duo, Strength.duo("push", NOON, "hr"), raised=True).owed


class TestApplications:
    def test_a_rule_that_names_one_takes_its_duo_only(self) -> None:
        hr = rule(application="hr")
        assert not judge(hr, Strength.duo("push", NOON, "hr")).owed
        assert not judge(hr, Strength.trusted(NOON, "hr"), trusted_browser=60).owed
        for strength in (Strength.duo("push", NOON), Strength.trusted(NOON, "lab")):
            decision = judge(hr, strength, trusted_browser=60)
            assert decision.lack == "application"
            assert decision.reasons[-1] == "the session's Duo is not by the Duo application hr"

    def test_other_rules_take_any(self) -> None:
        assert not judge(rule(), Strength.duo("push", NOON, "hr")).owed
        assert not judge(rule(), Strength.trusted(NOON, "hr"), trusted_browser=60).owed


class TestTrustedBrowsers:
    DAY = 86_400.0

    def test_pay_for_as_long_as_the_service_trusts_them(self) -> None:
        decision = judge(rule(), Strength.trusted(NOON - 30 * self.DAY), trusted_browser=30 * self.DAY)
        assert not decision.owed
        assert decision.reasons[-1] == "the browser is trusted since a Duo login that is fresh enough"
        late = judge(rule(), Strength.trusted(NOON - 30 * self.DAY - 1), trusted_browser=30 * self.DAY)
        assert (late.owed, late.lack) == (True, "trust")
        assert late.reasons[-1] == "Duo was passed in this browser 2592001 seconds ago, more than the 2592000 allowed"

    @pytest.mark.parametrize("age", [-30, 0, 1])
    def test_pay_nothing_where_the_service_trusts_none(self, age: float) -> None:
        assert judge(rule(), Strength.trusted(NOON - age)).lack == "trust"

    def test_pay_no_longer_than_duo_itself_would(self) -> None:
        duo = rule(max_age="8h")
        assert not judge(duo, Strength.trusted(NOON - 8 * 3600), trusted_browser=30 * self.DAY).owed
        assert judge(duo, Strength.trusted(NOON - 8 * 3600 - 1), trusted_browser=30 * self.DAY).lack == "age"

    def test_say_nothing_about_the_age_of_a_real_duo(self) -> None:
        assert not judge(rule(), Strength.duo("push", NOON - 300 * self.DAY), trusted_browser=self.DAY).owed


RULES = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["required", "optional", "report", {"report": "2026-01-01", "required": "2026-07-01"}]),
        "when": st.sampled_from(
            [{"groups": "staff"}, {"groups": "students"}, {"networks": "10.0.0.0/8"}, {"networks": "192.0.2.0/24"}]
        ),
        "from": st.sampled_from(["2026-01-01", "2026-08-01"]),
        "until": st.sampled_from(["2026-09-01", "2027-01-01"]),
        "max_age": st.sampled_from(["1h", "30d"]),
        "application": st.just("hr"),
    },
).map(lambda keys: rule(**keys))
MOMENTS = st.floats(NOON - 40 * 86_400, NOON + 30)
APPLICATIONS = st.sampled_from(["", "hr"])
TRUST = st.sampled_from([0.0, 3600.0, 30 * 86_400.0])


class TestOrder:
    @settings(deadline=None)
    @given(RULES, st.sampled_from(["none", "bypassed", "trusted", "duo"]), MOMENTS, APPLICATIONS, TRUST)
    def test_asking_by_request_never_lowers_anything(
        self, duo: DuoRule | None, level: Any, at: float, application: str, trust: float
    ) -> None:
        strength = Strength(level, "push", at, application=application)
        plain = judge(duo, strength, trusted_browser=trust)
        raised = judge(duo, strength, trusted_browser=trust, raised=True)
        assert raised.required
        assert raised.owed >= plain.owed
        assert raised.lack == plain.lack
        assert raised.owed == bool(raised.lack)

    @settings(deadline=None)
    @given(RULES, MOMENTS, APPLICATIONS, TRUST, st.booleans())
    def test_a_stronger_mark_never_owes_more(
        self, duo: DuoRule | None, at: float, application: str, trust: float, raised: bool
    ) -> None:
        marks = [
            NO_STRENGTH,
            Strength.bypassed(UNAVAILABLE, at),
            Strength.trusted(at, application),
            Strength.duo("push", at, application),
        ]
        owing = [judge(duo, mark, trusted_browser=trust, raised=raised).owed for mark in marks]
        assert owing == sorted(owing, reverse=True)

    @settings(deadline=None)
    @given(RULES, MOMENTS, st.floats(0, 40 * 86_400), APPLICATIONS, TRUST, st.sampled_from(["trusted", "duo"]))
    def test_a_younger_mark_never_owes_more(
        self, duo: DuoRule | None, at: float, younger: float, application: str, trust: float, level: Any
    ) -> None:
        old, young = (
            judge(duo, Strength(level, "", moment, application=application), trusted_browser=trust)
            for moment in (at, min(at + younger, NOON + 30))
        )
        assert young.owed <= old.owed

    @settings(deadline=None)
    @given(RULES, MOMENTS, st.booleans())
    def test_the_parts_of_a_decision_agree(self, duo: DuoRule | None, at: float, raised: bool) -> None:
        decision = judge(duo, Strength.duo("push", at), raised=raised)
        assert decision.owed == (decision.required and bool(decision.lack))
        assert decision.required == (decision.mode in ("required", "optional"))
        assert decision.reported <= (decision.mode == "report")


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
            (
                Strength.bypassed(UNENROLLED, NOON),
                "the session passed without Duo before (the person had no device), which does not count",
            ),
            (Strength.bypassed("", NOON), "the session passed without Duo before, which does not count"),
            (
                Strength.trusted(NOON - 90),
                "Duo was passed in this browser 90 seconds ago, which does not count here",
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
        st.sampled_from(["bypassed", "trusted", "duo"]),
        st.text(max_size=10),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=10),
        st.text(max_size=10),
    )
    def test_survive_the_store(self, level: Any, factor: str, at: float, why: str, application: str) -> None:
        strength = Strength(level, factor, at, why, application)
        assert Strength.from_fields(strength.to_fields()) == strength

    def test_a_bypass_leaves_a_mark_that_is_worth_more_and_is_noted_beside_it(self) -> None:
        for worth_more in (Strength.duo("push", NOON - 60, "hr"), Strength.trusted(NOON - 60)):
            left = worth_more.after_bypass(UNAVAILABLE, NOON)
            assert (left.level, left.at, left.application) == (worth_more.level, NOON - 60, worth_more.application)
            assert Strength.from_fields(left.to_fields()) == left
            assert (left.why, left.passed_over_at) == (UNAVAILABLE, NOON)
        for worth_less in (NO_STRENGTH, Strength.bypassed(DUO_BYPASS, NOON - 60)):
            assert worth_less.after_bypass(UNAVAILABLE, NOON) == Strength.bypassed(UNAVAILABLE, NOON)

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
