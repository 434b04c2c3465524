"""Explanations of who gets in, and of whom Duo is asked: what the server would decide, and why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from casduo.explanation import Person
from casduo.mfa.policy import owed
from casduo.mfa.strength import NO_STRENGTH
from casduo.services.access import decide
from casduo.settings import Settings
from tests.explanation.telling import ADA, CAMPUS, DUO, GRACE, HOME, NOON, entry, made, of, told

PAYROLL_RULES = {"groups": ["staff"], "networks": ["10.0.0.0/8"], "from": "2026-01-01", "until": "2027-01-01"}


class TestAccess:
    def test_each_rule_is_told_with_the_fact_it_was_held_against(self) -> None:
        explanation = told(entry(access=PAYROLL_RULES), person=ADA, address=CAMPUS)
        assert [(rule.state, rule.sentence, rule.fact) for rule in of(explanation).access.conditions] == [
            ("met", "it must be 2026-01-01 00:00 UTC or later", "it is 2026-06-01 12:00 UTC"),
            ("met", "it must be before 2027-01-01 00:00 UTC", "it is 2026-06-01 12:00 UTC"),
            ("met", "the address must be in 10.0.0.0/8", "it is 10.1.2.3"),
            ("not met", "the person must be in staff", "ada is in students"),
        ]
        assert explanation.verdict == "refused"
        assert explanation.sentence == "ada is refused by App: the person must be in staff (ada is in students)."

    def test_what_was_not_given_is_open(self) -> None:
        explanation = told(entry(access=PAYROLL_RULES))
        states = [rule.state for rule in of(explanation).access.conditions]
        assert states == ["met", "met", "depends", "depends"]
        assert explanation.verdict == "depends"
        assert explanation.sentence == (
            "Whoever signs in gets into App with the password alone, if all of this is met: "
            "the address must be in 10.0.0.0/8; the person must be in staff."
        )

    def test_a_rule_that_nobody_meets_refuses_everybody(self) -> None:
        explanation = told(entry(access={"until": "2026-02-01", "groups": ["staff"]}))
        assert explanation.verdict == "refused"
        assert explanation.sentence.startswith("Nobody gets into App: it must be before 2026-02-01 00:00 UTC (it is ")

    @pytest.mark.parametrize(
        ("access", "fact"),
        [
            ({"groups": ["Staff"]}, "grace is in staff; upper and lower case count here, so staff is another one"),
            (
                {"attributes": {"mail": "grace@example.edu"}},
                "it is Grace@example.edu; upper and lower case count here, so Grace@example.edu is another one",
            ),
            ({"attributes": {"affiliation": ["faculty"]}}, "grace has no attribute affiliation"),
            ({"attributes": {"cn": ["Ada Lovelace"]}}, "it is Grace Hopper"),
        ],
    )
    def test_the_fact_says_why_it_was_not_enough(self, access: Any, fact: str) -> None:
        (rule,) = of(told(entry(access=access), person=GRACE)).access.conditions
        assert (rule.state, rule.fact) == ("not met", fact)

    def test_a_person_without_groups_is_told_where_they_were_looked_for(self) -> None:
        settings = made(login={"group_attributes": ["isMemberOf"]})
        (rule,) = of(told(entry(access={"groups": ["staff"]}), person=GRACE, settings=settings)).access.conditions
        assert rule.fact == "grace has none of the attributes that hold groups: isMemberOf"

    def test_of_many_groups_a_few_are_told(self) -> None:
        person = Person("ada", {"groups": tuple(f"g{number:02}" for number in range(20))})
        (rule,) = of(told(entry(access={"groups": ["staff"]}), person=person)).access.conditions
        assert rule.fact == "ada is in g00, g01, g02, g03, g04, g05, g06, g07 and 12 more"

    def test_groups_are_told_by_all_names_that_rules_may_use(self) -> None:
        person = Person("ada", {"memberOf": ("cn=staff,ou=groups,dc=example,dc=edu",)})
        explanation = told(person=person)
        assert explanation.groups == ("cn=staff,ou=groups,dc=example,dc=edu", "staff")

    def test_a_switched_off_service_lets_nobody_in(self) -> None:
        explanation = told(entry(enabled=False, disabled_reason="Replaced by Wiki."), person=GRACE)
        assert explanation.verdict == "disabled"
        assert explanation.sentence == "App is switched off; nobody gets in: Replaced by Wiki."
        assert of(explanation).access.state == "not met"
        assert [answer.code for answer in of(explanation).answers] == ["UNAUTHORIZED_SERVICE"]

    @pytest.mark.parametrize("reason", ["locked", "disabled", "expired", "must_change"])
    def test_an_account_that_its_own_store_refuses_goes_before_the_rules(self, reason: Any) -> None:
        person = Person("grace", GRACE.attributes, "local", reason)
        explanation = told(entry(access={"groups": ["nobody"]}), person=person)
        assert explanation.verdict == "no_sign_in"
        assert explanation.sentence.startswith("grace cannot sign in: the ")

    def test_a_service_for_phones_is_not_there_for_browsers(self) -> None:
        explanation = told(entry(channel="phone", authentication=["pins"]), person=GRACE)
        assert explanation.verdict == "phone"
        assert of(explanation).handlers == ("pins",)
        assert of(explanation).answers == ()


class TestDuo:
    def test_a_service_that_never_asks(self) -> None:
        explanation = told(person=GRACE)
        assert of(explanation).duo.state == "not met"
        assert of(explanation).duo.reasons == ("the service does not require Duo",)
        assert of(explanation).duo.values == ()
        assert (explanation.verdict, explanation.sentence) == (
            "password",
            "grace gets into App with the password alone.",
        )

    def test_a_service_that_asks_everybody_needs_no_person_for_the_answer(self) -> None:
        explanation = told(entry(requires_duo=True))
        assert explanation.verdict == "duo"
        assert explanation.sentence == "Whoever signs in gets into App with the password and Duo."

    def test_conditions_are_judged_one_by_one(self) -> None:
        rule = {
            "when": {"groups": ["STAFF"], "attributes": {"cn": "nobody"}, "networks": ["10.0.0.0/8"]},
            "from": "2026-01-01",
            "until": "2026-05-01",
        }
        duo = of(told(entry(requires_duo=rule), person=GRACE, address=CAMPUS)).duo
        assert [(each.state, each.sentence, each.fact) for each in duo.conditions] == [
            ("met", "it must be 2026-01-01 00:00 UTC or later", "it is 2026-06-01 12:00 UTC"),
            ("not met", "it must be before 2026-05-01 00:00 UTC", "it is 2026-06-01 12:00 UTC"),
            ("met", "the person must be in STAFF", "grace is in staff"),
            ("not met", "attribute cn must be nobody", "it is Grace Hopper"),
            ("met", "the address must be in 10.0.0.0/8", "it is 10.1.2.3"),
        ]
        assert duo.state == "not met"
        assert duo.reasons == ("the service required Duo only before 2026-05-01 00:00 UTC",)

    @pytest.mark.parametrize(
        ("person", "address", "state"),
        [
            (GRACE, CAMPUS, "met"),
            (GRACE, HOME, "not met"),
            (GRACE, None, "depends"),
            (ADA, None, "not met"),
            (None, CAMPUS, "depends"),
            (None, HOME, "not met"),
            (None, None, "depends"),
        ],
    )
    def test_what_excuses_without_the_rest_excuses_anyway(
        self, person: Person | None, address: str | None, state: str
    ) -> None:
        rule = {"when": {"groups": ["staff"], "networks": ["10.0.0.0/8"]}}
        assert of(told(entry(requires_duo=rule), person=person, address=address)).duo.state == state

    def test_what_it_depends_on_is_named(self) -> None:
        rule = {"when": {"networks": ["10.0.0.0/8"]}}
        explanation = told(entry(requires_duo=rule), person=GRACE)
        assert explanation.verdict == "depends"
        assert explanation.sentence == (
            "grace gets into App with the password; whether Duo is asked for depends on the address."
        )

    def values(self, settings: Settings | None = None, **keys: Any) -> dict[str, tuple[str, str]]:
        duo = of(told(entry(**{"requires_duo": True, **keys}), settings=settings)).duo
        return {value.name: (value.text, value.origin) for value in duo.values}

    def test_values_come_from_casduo_where_nobody_says_otherwise(self) -> None:
        assert self.values() == {
            "fail": ("closed", "default"),
            "prompt": ("universal", "default"),
            "max_age": ("", "default"),
            "application": ("", "default"),
            "enrollment_url": ("", "default"),
            "accept_preauth_allow": ("yes", "default"),
        }

    def test_the_section_duo_goes_before_the_default_even_where_it_says_the_same(self) -> None:
        section = {
            **DUO,
            "fail": "closed",
            "prompt": "push",
            "enrollment_url": "https://kb.example.edu/duo",
            "accept_preauth_allow": False,
        }
        assert self.values(made(duo=section)) == {
            "fail": ("closed", "settings"),
            "prompt": ("push", "settings"),
            "max_age": ("", "default"),
            "application": ("", "default"),
            "enrollment_url": ("https://kb.example.edu/duo", "settings"),
            "accept_preauth_allow": ("no", "settings"),
        }

    def test_the_entry_goes_before_the_section_duo(self) -> None:
        settings = made(duo={**DUO, "fail": "closed", "enrollment_url": "https://kb.example.edu/duo"})
        rule = {"fail": "open", "max_age": "8h", "prompt": "push"}
        values = self.values(settings, requires_duo=rule, enrollment_url="https://kb.example.edu/app")
        assert {name: value for name, value in values.items() if value[1] == "entry"} == {
            "fail": ("open", "entry"),
            "prompt": ("push", "entry"),
            "max_age": ("8h", "entry"),
            "enrollment_url": ("https://kb.example.edu/app", "entry"),
        }

    def test_values_that_have_no_effect_yet_say_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("casduo.explanation.values.NOT_YET_IN_FORCE", ("requires_duo.prompt",))
        duo = of(told(entry(requires_duo=True))).duo
        assert [value.name for value in duo.values if not value.in_force] == ["prompt"]

    @pytest.mark.parametrize(("pending", "origin"), [((), "application"), (("requires_duo.application",), "default")])
    def test_the_application_goes_between_entry_and_section_once_it_has_an_effect(
        self, monkeypatch: pytest.MonkeyPatch, pending: tuple[str, ...], origin: str
    ) -> None:
        monkeypatch.setattr("casduo.explanation.values.NOT_YET_IN_FORCE", pending)
        settings = made(duo={**DUO, "applications": {"hr": {"fail": "open"}}})
        values = self.values(settings, requires_duo={"application": "hr"})
        assert values["application"] == ("hr", "entry")
        assert values["fail"] == ("open" if origin == "application" else "closed", origin)


# --- agreement with those who decide --------------------------------------------------------------------------------

NAMES = st.sampled_from(["staff", "Staff", "students", "cn=staff,ou=groups"])
CONDITION = st.fixed_dictionaries(
    {},
    optional={
        "groups": st.lists(NAMES, min_size=1, max_size=2),
        "attributes": st.dictionaries(st.sampled_from(["mail", "groups"]), NAMES, max_size=2),
        "networks": st.lists(st.sampled_from(["10.0.0.0/8", "192.0.2.0/24"]), min_size=1),
    },
)
PERIOD = st.sampled_from([{}, {"from": "2026-01-01"}, {"until": "2026-05-01"}, {"from": "2026-07-01"}])
PEOPLE = st.dictionaries(
    st.sampled_from(["groups", "memberOf", "mail"]), st.lists(NAMES, min_size=1, max_size=2).map(tuple), max_size=3
)


@hypothesis_settings(deadline=None)
@given(CONDITION, PERIOD, CONDITION, PERIOD, PEOPLE, st.sampled_from([CAMPUS, HOME, "::1"]))
def test_the_states_are_the_decisions_of_the_server(
    access: dict[str, Any],
    access_time: dict[str, str],
    when: dict[str, Any],
    duo_time: dict[str, str],
    attributes: dict[str, tuple[str, ...]],
    address: str,
) -> None:
    service = entry(access={**access, **access_time}, requires_duo={"when": when, **duo_time})
    explained = of(told(service, person=Person("ada", attributes), address=address))

    assert (explained.access.state == "met") == decide(service.access, attributes, address, NOON).allowed
    decision = owed(service.duo_rule, attributes, address, NO_STRENGTH, NOON)
    assert (explained.duo.state == "met") == decision.required
    assert explained.duo.reasons == decision.reasons
    assert "depends" not in (explained.access.state, explained.duo.state)


@hypothesis_settings(deadline=None)
@given(CONDITION, PERIOD, st.lists(PEOPLE, min_size=1, max_size=5), st.sampled_from([CAMPUS, HOME, None]))
def test_what_is_said_of_everybody_holds_for_everybody(
    when: dict[str, Any], time: dict[str, str], people: list[dict[str, tuple[str, ...]]], address: str | None
) -> None:
    service = entry(access={**when, **time}, requires_duo={"when": when, **time})
    general = of(told(service, address=address))
    for attributes in people:
        one = of(told(service, person=Person("ada", attributes), address=address or CAMPUS))
        assert general.access.state in ("depends", one.access.state)
        assert general.duo.state in ("depends", one.duo.state)
