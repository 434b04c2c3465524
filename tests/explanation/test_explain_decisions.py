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
        phones = entry(url="https://sso.example.edu/em/**", channel="phone")
        login = "https://sso.example.edu/cas/login?service=https%3A%2F%2Fsso.example.edu%2Fem%2F"
        explanation = told(phones, url=login, person=GRACE)
        assert explanation.verdict == "phone"
        assert explanation.sentence == "App is for IP phones: to a browser it counts as not registered (403)."
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

    def meaning(self, name: str, settings: Settings | None = None, **more: Any) -> str:
        service = entry(**{"requires_duo": True, **more.pop("keys", {})})
        (found,) = [value for value in of(told(service, settings=settings, **more)).duo.values if value.name == name]
        return found.meaning

    def test_values_come_from_casduo_where_nobody_says_otherwise(self) -> None:
        assert self.values() == {
            "mode": ("required", "default"),
            "application": ("", "default"),
            "prompt": ("universal", "default"),
            "fail": ("closed", "default"),
            "max_age": ("", "default"),
            "trusted_browser": ("no", "default"),
            "accept_preauth_allow": ("yes", "default"),
            "unenrolled": ("enroll", "default"),
            "enrollment_url": ("", "default"),
            "request_parameter": ("", "default"),
        }

    def test_the_section_duo_goes_before_the_default_even_where_it_says_the_same(self) -> None:
        section = {
            **DUO,
            "fail": "closed",
            "prompt": "push",
            "trusted_browser": False,
            "enrollment_url": "https://kb.example.edu/duo",
            "accept_preauth_allow": False,
            "request_parameter": "authn_method",
        }
        assert self.values(made(duo=section)) == {
            "mode": ("required", "default"),
            "application": ("", "default"),
            "prompt": ("push", "settings"),
            "fail": ("closed", "settings"),
            "max_age": ("", "default"),
            "trusted_browser": ("no", "settings"),
            "accept_preauth_allow": ("no", "settings"),
            "unenrolled": ("enroll", "default"),
            "enrollment_url": ("https://kb.example.edu/duo", "settings"),
            "request_parameter": ("authn_method", "settings"),
        }

    def test_the_entry_goes_before_the_section_duo(self) -> None:
        section = {**DUO, "fail": "closed", "trusted_browser": "30d", "enrollment_url": "https://kb.example.edu/duo"}
        rule = {"fail": "open", "max_age": "8h", "prompt": "push", "mode": "required", "trusted_browser": "7d"}
        values = self.values(
            made(duo=section), requires_duo=rule, enrollment_url="https://kb.example.edu/app", unenrolled="enroll"
        )
        assert {name: value for name, value in values.items() if value[1] == "entry"} == {
            "mode": ("required", "entry"),
            "fail": ("open", "entry"),
            "prompt": ("push", "entry"),
            "max_age": ("8h", "entry"),
            "trusted_browser": ("7d", "entry"),
            "unenrolled": ("enroll", "entry"),
            "enrollment_url": ("https://kb.example.edu/app", "entry"),
        }

    def test_the_application_goes_between_entry_and_section(self) -> None:
        hr = {"fail": "open", "trusted_browser": False, "enrollment_url": "https://kb.example.edu/hr"}
        settings = made(duo={**DUO, "trusted_browser": "30d", "applications": {"hr": hr}})
        values = self.values(settings, requires_duo={"application": "hr"})
        assert values["application"] == ("hr", "entry")
        assert values["fail"] == ("open", "application")
        assert values["trusted_browser"] == ("no", "application")
        assert values["enrollment_url"] == ("https://kb.example.edu/hr", "application")
        assert self.values(settings, requires_duo={"application": "hr", "fail": "closed"})["fail"] == (
            "closed",
            "entry",
        )
        assert self.values(settings)["trusted_browser"] == ("30d", "settings")

    def test_what_takes_the_place_of_duos_page_is_told(self) -> None:
        assert self.meaning("prompt") == "Duo's own page, or the built-in one while that is down"
        assert self.meaning("prompt", made(duo={**DUO, "prompt_fallback": False})) == "Duo's own page"
        assert self.meaning("prompt", made(duo={**DUO, "prompt": "push"})) == "the built-in page"

    def test_what_bounds_a_trusted_browser_is_told(self) -> None:
        trusting = made(duo={**DUO, "trusted_browser": "30d"})
        assert self.meaning("trusted_browser", trusting) == "people may choose not to be asked again for so long"
        aging = {"requires_duo": {"max_age": "8h"}}
        assert self.meaning("trusted_browser", trusting, keys=aging).endswith("so long, and never for longer than 8h")
        assert self.meaning("trusted_browser", keys=aging) == "Duo is asked in every browser"

    def test_where_people_without_a_device_go(self) -> None:
        built_in = "the built-in pages, https://sso.example.edu/cas/enroll/"
        assert self.meaning("enrollment_url") == built_in
        off = made(enrollment={"enabled": False})
        assert self.meaning("enrollment_url", off) == "there is none: the built-in pages are switched off"
        external: dict[str, Any] = {"enrollment_url": "https://kb.example.edu/app"}
        assert (
            self.meaning("enrollment_url", keys=external) == "people without a device are sent there, with a link back"
        )
        refusing = self.values(unenrolled="refuse", **external)
        assert refusing["unenrolled"] == ("refuse", "entry")
        assert "enrollment_url" not in refusing

    @pytest.mark.parametrize(("person", "state"), [(GRACE, "met"), (ADA, "not met"), (None, "depends")])
    def test_who_may_use_the_built_in_pages(self, person: Person | None, state: str) -> None:
        settings = made(enrollment={"access": {"groups": ["staff"]}})
        values = of(told(entry(requires_duo=True), settings=settings, person=person)).duo.values
        (found,) = [value for value in values if value.name == "enrollment.access"]
        assert (found.text, found.origin) == (state, "settings")
        assert found.meaning == "to register there, the person must be in staff"
        assert "enrollment.access" not in self.values(settings, enrollment_url="https://kb.example.edu/app")


DATED = {"mode": {"report": "2026-05-01", "optional": "2026-06-01", "required": "2026-07-01"}}


class TestModes:
    def test_optional_asks_for_duo_where_there_is_a_device(self) -> None:
        explanation = told(entry(requires_duo={"mode": "optional"}), person=GRACE)
        assert explanation.verdict == "duo_optional"
        assert explanation.sentence == "grace gets into App with the password, and Duo if there is a device."
        duo = of(explanation).duo
        assert (duo.state, duo.mode, duo.reported, duo.modes) == ("met", "optional", False, ())

    def test_report_asks_for_the_password_alone(self) -> None:
        explanation = told(entry(requires_duo={"mode": "report"}), person=GRACE)
        assert explanation.verdict == "password"
        duo = of(explanation).duo
        assert (duo.state, duo.mode, duo.reported) == ("not met", "report", True)
        excused = of(told(entry(requires_duo={"mode": "report", "when": {"groups": ["x"]}}), person=GRACE)).duo
        assert (excused.state, excused.mode, excused.reported) == ("not met", "", False)

    def test_modes_by_date_are_told_with_the_one_in_force(self) -> None:
        duo = of(told(entry(requires_duo=DATED))).duo
        assert [(mode.mode, mode.start, mode.state) for mode in duo.modes] == [
            ("report", "2026-05-01 00:00 UTC", "over"),
            ("optional", "2026-06-01 00:00 UTC", "in force"),
            ("required", "2026-07-01 00:00 UTC", "to come"),
        ]
        assert [value.text for value in duo.values if value.name == "mode"] == ["optional"]
        (begun,) = duo.conditions
        assert (begun.state, begun.sentence) == ("met", "it must be 2026-05-01 00:00 UTC or later")

    def test_before_the_first_date_the_rule_asks_for_nothing(self) -> None:
        explanation = told(entry(requires_duo={"mode": {"required": "2026-07-01"}, "when": {"groups": ["staff"]}}))
        duo = of(explanation).duo
        assert explanation.verdict == "password"
        assert (duo.state, duo.mode) == ("not met", "")
        assert [condition.state for condition in duo.conditions] == ["not met", "depends"]
        assert [(value.text, value.meaning) for value in duo.values if value.name == "mode"] == [
            ("", "nothing is asked yet")
        ]


class TestRequestParameter:
    SETTINGS = made(duo={**DUO, "request_parameter": "authn_method"})
    LOGIN = "https://sso.example.edu/cas/login?service=https%3A%2F%2Fapp.example.edu%2F"
    ASKING = f"{LOGIN}&authn_method=mfa-duo"

    def meaning(self, **keys: Any) -> str:
        values = of(told(entry(**keys), settings=self.SETTINGS, person=GRACE)).duo.values
        return next(value.meaning for value in values if value.name == "request_parameter")

    def test_what_it_would_do_is_told_of_every_service(self) -> None:
        told_of = "authn_method=mfa-duo in the address of the login"
        assert self.meaning() == f"{told_of} asks for Duo all the same"
        assert self.meaning(requires_duo={"mode": "optional"}) == f"{told_of} asks for Duo all the same"
        assert self.meaning(requires_duo=True) == f"{told_of} changes nothing here: Duo is required anyway"

    def test_an_address_of_the_login_page_that_asks_is_explained_as_asking(self) -> None:
        explanation = told(url=self.ASKING, settings=self.SETTINGS, person=GRACE)
        assert explanation.reading.asks_for_duo
        assert explanation.verdict == "duo"
        assert of(explanation).duo.reasons == (
            "the service does not require Duo",
            "the application asks for Duo by its request",
            "the session has only a password",
        )
        assert [answer.when for answer in of(explanation).answers] == [
            "if the request did not ask for Duo",
            "after Duo",
        ]

    @pytest.mark.parametrize(
        "url", [LOGIN, f"{LOGIN}&authn_method=mfa-u2f", "https://app.example.edu/?authn_method=mfa-duo"]
    )
    def test_others_are_not(self, url: str) -> None:
        explanation = told(url=url, settings=self.SETTINGS, person=GRACE)
        assert (explanation.reading.asks_for_duo, explanation.verdict) == (False, "password")

    def test_without_the_setting_nothing_asks(self) -> None:
        assert told(url=self.ASKING, person=GRACE).verdict == "password"

    def test_no_condition_excuses_from_it(self) -> None:
        service = entry(requires_duo={"when": {"groups": ["x"], "networks": ["10.0.0.0/8"]}})
        assert told(service, url=self.ASKING, settings=self.SETTINGS).verdict == "duo"

    def test_it_changes_nothing_where_duo_is_required_anyway(self) -> None:
        asking = told(entry(requires_duo=True), url=self.ASKING, settings=self.SETTINGS, person=GRACE)
        assert next(answer.when for answer in of(asking).answers) == "before Duo, when no ticket is made yet"
        plain = told(entry(requires_duo=True), url=self.LOGIN, settings=self.SETTINGS, person=GRACE)
        assert of(asking) == of(plain)


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


MODE = st.sampled_from(
    [{}, {"mode": "optional"}, {"mode": "report"}, {"mode": {"report": "2026-01-01", "required": "2026-07-01"}}]
)


@hypothesis_settings(deadline=None)
@given(CONDITION, PERIOD, CONDITION, PERIOD, MODE, PEOPLE, st.sampled_from([CAMPUS, HOME, "::1"]))
def test_the_states_are_the_decisions_of_the_server(
    access: dict[str, Any],
    access_time: dict[str, str],
    when: dict[str, Any],
    duo_time: dict[str, str],
    mode: dict[str, Any],
    attributes: dict[str, tuple[str, ...]],
    address: str,
) -> None:
    service = entry(access={**access, **access_time}, requires_duo={"when": when, **duo_time, **mode})
    explained = of(told(service, person=Person("ada", attributes), address=address))

    assert (explained.access.state == "met") == decide(service.access, attributes, address, NOON).allowed
    decision = owed(service.duo_rule, attributes, address, NO_STRENGTH, NOON)
    assert (explained.duo.state == "met") == decision.required
    assert (explained.duo.mode, explained.duo.reported) == (decision.mode, decision.reported)
    assert explained.duo.reasons == decision.reasons
    assert "depends" not in (explained.access.state, explained.duo.state)


@hypothesis_settings(deadline=None)
@given(CONDITION, PERIOD, MODE, st.lists(PEOPLE, min_size=1, max_size=5), st.sampled_from([CAMPUS, HOME, None]))
def test_what_is_said_of_everybody_holds_for_everybody(
    when: dict[str, Any],
    time: dict[str, str],
    mode: dict[str, Any],
    people: list[dict[str, tuple[str, ...]]],
    address: str | None,
) -> None:
    service = entry(access={**when, **time}, requires_duo={"when": when, **time, **mode})
    general = of(told(service, address=address))
    for attributes in people:
        one = of(told(service, person=Person("ada", attributes), address=address or CAMPUS))
        assert general.access.state in ("depends", one.access.state)
        assert general.duo.state in ("depends", one.duo.state)
