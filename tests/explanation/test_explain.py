"""Explanations: each part says what the part of the server that decides would decide, and why."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from casduo.explanation import Explanation, Person, as_text, entry_for, explain, stores_for
from casduo.explanation.model import Proxying, Service, SignOut
from casduo.explanation.reading import SENTENCES
from casduo.mfa.policy import owed
from casduo.mfa.strength import NO_STRENGTH
from casduo.services.access import decide
from casduo.services.clients import with_client_defaults
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.services.pairwise import PairwiseIds, pairwise_id
from casduo.services.schema import registry_schema
from casduo.services.urls import parse_service
from casduo.settings import Settings

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()
CAMPUS = "10.1.2.3"
HOME = "192.0.2.7"

GRACE = Person("grace", {"groups": ("staff",), "mail": ("Grace@example.edu",), "cn": ("Grace Hopper",)}, "local")
ADA = Person("ada", {"groups": ("students",), "mail": ("ada@example.edu", "countess@example.edu")}, "local")
NOBODY = Person("linus")

PAYROLL_RULES = {"groups": ["staff"], "networks": ["10.0.0.0/8"], "from": "2026-01-01", "until": "2027-01-01"}
DUO = {
    "api_host": "api-12345678.duosecurity.com",
    "universal": {"client_id": "DI01234567890123456X", "client_secret": "0123456789012345678901234567890123456789"},
}


def made(**sections: Any) -> Settings:
    usual: dict[str, Any] = {
        "server": {"url": "https://sso.example.edu/cas"},
        "authentication": [
            {"type": "users_file", "name": "local", "path": "users.yaml"},
            {"type": "ucm_pin", "name": "pins", "servers": ["ucm.example.edu"], "username": "axl", "password": "x"},
        ],
        "duo": DUO,
    }
    return Settings.model_validate(usual | sections)


def entry(name: str = "app", url: str | list[str] = "https://app.example.edu/**", **keys: Any) -> RegisteredService:
    return RegisteredService.model_validate({"id": name, "name": name.title(), "url": url, **keys})


def told(
    *services: RegisteredService, url: str = "https://app.example.edu/x", settings: Settings | None = None, **more: Any
) -> Explanation:
    return explain(url, Registry(services or [entry()], "v1"), settings or made(), NOON, **more)


def of(explanation: Explanation) -> Service:
    assert explanation.service is not None
    return explanation.service


class TestUrl:
    def test_its_canonical_form_is_told(self) -> None:
        reading = told(url="https://APP.example.edu:443/%7Eada?ticket=ST-1#top").reading
        assert reading.canonical == "https://app.example.edu/~ada"
        assert (reading.reason, reading.problem) == ("", "")

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("https://ada@app.example.edu/", "userinfo"),
            ("https://app.example.edu/a/../b", "dot_segment"),
            ("https://app.example.edu\\@evil.test/", "backslash"),
            ("app.example.edu/x", "no_scheme"),
            ("https:app.example.edu", "no_host"),
            ("ftp://app.example.edu/", "scheme"),
            ("https://app.example.edu:x/", "port"),
            ("https://app.example.edu/a\nb", "control"),
        ],
    )
    def test_a_malformed_one_is_refused_with_a_sentence(self, url: str, reason: str) -> None:
        explanation = told(url=url)
        assert (explanation.verdict, explanation.reading.reason) == ("malformed", reason)
        assert explanation.sentence == f"The URL is refused: {SENTENCES[reason]}."
        assert explanation.service is None
        assert (explanation.entries, explanation.omitted) == ((), 1)

    def test_there_is_a_sentence_for_every_reason(self) -> None:
        documented = (parse_service.__doc__ or "").partition(":raises MalformedService:")[2]
        assert set(SENTENCES) == set(re.findall(r"``(\w+)``", documented.partition("one of")[2]))

    @hypothesis_settings(deadline=None)
    @given(st.text() | st.text(alphabet="htps:/@\\%.[]?#a0*\n ").map("https://{}".format))
    def test_nothing_is_too_odd_to_be_explained(self, url: str) -> None:
        explanation = told(url=url)
        assert (explanation.verdict == "malformed") == bool(explanation.reading.problem)
        assert as_text(explanation).replace("\n", "").isprintable()

    def test_one_that_was_encoded_for_a_parameter_is_recognised(self) -> None:
        assert "percent-encoded" in told(url="https%3A%2F%2Fapp.example.edu%2F").sentence

    @pytest.mark.parametrize("name", ["service", "TARGET"])
    def test_the_address_of_the_login_page_stands_for_the_service_in_it(self, name: str) -> None:
        address = f"https://sso.example.edu/cas/login?{name}=https%3A%2F%2Fapp.example.edu%2Fx%3Fa%3Db"
        explanation = told(url=address)
        assert (explanation.reading.given, explanation.reading.url) == (address, "https://app.example.edu/x?a=b")
        assert of(explanation).id == "app"

    @pytest.mark.parametrize("query", ["", "?", "?renew=true", "?service="])
    def test_the_login_page_without_a_service_stands_for_itself(self, query: str) -> None:
        assert told(url=f"https://sso.example.edu/cas/login{query}").verdict == "unregistered"


class TestEntries:
    def shown(self, explanation: Explanation) -> list[tuple[str, str, str]]:
        return [(each.id, each.relation, each.why) for each in explanation.entries]

    def test_the_chosen_one_comes_first_then_what_comes_near(self) -> None:
        explanation = told(
            entry("far", "https://far.example.edu/**"),
            entry("admin", "https://app.example.edu/admin/**"),
            entry("staging", "https://app.example.edu:8443/**"),
            entry("plain", "http://app.example.edu/**"),
            entry("search", "https://app.example.edu/x?q=*"),
            entry("app"),
            entry("wide", "https://*.example.edu/**"),
        )
        assert self.shown(explanation) == [
            ("app", "chosen", "has the URL"),
            ("wide", "later", "matches too, but an earlier entry has the URL"),
            ("admin", "same host", "the URL has another path, /x"),
            ("staging", "same host", "the URL has another port, 443"),
            ("plain", "same host", "the URL has another scheme, https"),
            ("search", "same host", "the URL has another query, none"),
        ]
        assert explanation.omitted == 1

    def test_every_entry_is_told_on_request(self) -> None:
        explanation = told(entry(), entry("far", "https://far.example.edu/**"), everything=True)
        assert self.shown(explanation) == [
            ("app", "chosen", "has the URL"),
            ("far", "other", "the URL has another host"),
        ]
        assert explanation.omitted == 0

    def test_of_several_patterns_the_one_with_this_host_explains(self) -> None:
        patterns = ["http://app.example.edu/**", "https://new.example.edu/**"]
        explanation = told(entry("app", patterns))
        assert explanation.verdict == "unregistered"
        assert explanation.entries[0].pattern == "http://app.example.edu/**"
        assert explanation.entries[0].why == "the URL has another scheme, https"

    @pytest.mark.parametrize(
        "near",
        [
            "https://apps.example.edu/**",
            "https://app.example.org/**",
            "https://www.app.example.edu/**",
            "https://*.app.example.edu/**",
            "https://example.edu/**",
        ],
    )
    def test_a_host_that_looks_alike_is_told_when_none_is_right(self, near: str) -> None:
        explanation = told(entry("near", near), entry("far", "https://payroll.example.edu/**"))
        assert self.shown(explanation) == [("near", "like", "the URL has another host")]
        assert (explanation.verdict, explanation.omitted) == ("unregistered", 1)

    def test_hosts_of_one_campus_do_not_look_alike_for_that(self) -> None:
        campus = "very-long-name-of-a-department.university.example.edu"
        explanation = told(entry("b", f"https://b.{campus}/**"), url=f"https://a.{campus}/")
        assert explanation.entries == ()

    def test_a_host_that_looks_alike_is_of_no_interest_when_another_is_right(self) -> None:
        assert len(told(entry(), entry("apps", "https://apps.example.edu/**")).entries) == 1

    def test_only_the_few_that_look_most_alike_are_told(self) -> None:
        services = [entry(f"s{number}", f"https://app{number}.example.edu/**") for number in range(9)]
        explanation = told(*services)
        assert (len(explanation.entries), explanation.omitted) == (5, 4)

    def test_nothing_near_is_nothing_told(self) -> None:
        explanation = told(entry("far", "https://far.example.edu/**"))
        assert (explanation.entries, explanation.omitted) == ((), 1)
        assert "403" in explanation.sentence


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


class TestRelease:
    def test_names_sources_values_and_what_is_missing(self) -> None:
        service = entry(attributes={"mail": "mail", "displayName": "cn", "phone": "telephoneNumber"})
        release = of(told(service, person=GRACE)).release
        assert [(each.name, each.source, each.values, each.why) for each in release.attributes] == [
            ("mail", "mail", ("Grace@example.edu",), ""),
            ("displayName", "cn", ("Grace Hopper",), ""),
            ("phone", "telephoneNumber", (), "the person has no attribute telephoneNumber"),
        ]
        assert (release.user, release.user_source) == ("grace", "the user name of the sign-in")

    def test_a_name_that_differs_in_case_is_pointed_at(self) -> None:
        (attribute,) = of(told(entry(attributes=["Mail"]), person=GRACE)).release.attributes
        assert attribute.why.startswith("the person has no attribute Mail; upper and lower case count here, so mail is")

    def test_values_that_a_rule_leaves_out_are_told(self) -> None:
        attributes = {"campusMail": {"from": "mail", "match": r".*@campus\.example"}, "org": {"static": "EDU"}}
        mail, org = of(told(entry(attributes=attributes), person=GRACE)).release.attributes
        assert (mail.values, mail.why) == ((), "none of the values of mail is left: Grace@example.edu")
        assert (org.values, org.why) == (("EDU",), "the same for everybody")

    def test_without_a_person_the_names_and_sources_are_told(self) -> None:
        service = entry(attributes={"displayName": "cn"}, username_attribute={"attribute": "mail", "case": "lower"})
        release = of(told(service)).release
        assert (release.user, release.user_source) == ("", "attribute mail, in lower case")
        assert [(each.name, each.source) for each in release.attributes] == [("displayName", "cn")]

    def test_the_user_name_is_told_as_the_application_gets_it(self) -> None:
        service = entry(username_attribute={"attribute": "mail", "case": "lower"})
        assert of(told(service, person=GRACE)).release.user == "grace@example.edu"

    @pytest.mark.parametrize(
        ("person", "why"),
        [
            (NOBODY, "attribute mail has no value"),
            (ADA, "attribute mail has several values, and nobody knows which one is meant"),
            (Person("eve", {"mail": ("a\nb",)}), "attribute mail holds control characters or line breaks"),
        ],
    )
    def test_no_user_name_is_a_refusal_and_the_rest_is_told_all_the_same(self, person: Person, why: str) -> None:
        service = entry(username_attribute="mail", attributes={"group": "groups"})
        explanation = told(service, person=person)
        assert explanation.verdict == "refused"
        assert explanation.sentence == f"{person.name} is refused by App: there is no user name to tell it; {why}."
        assert of(explanation).release.problem == why
        assert [each.values for each in of(explanation).release.attributes] == [person.attributes.get("groups", ())]
        assert [answer.code for answer in of(explanation).answers] == ["UNAUTHORIZED_SERVICE"]

    def test_what_the_server_says_itself_is_not_looked_for_in_the_directory(self) -> None:
        person = Person("eve", {"mfaFactor": ("forged",)})
        for known in (None, person):
            (attribute,) = of(told(entry(attributes=["mfaFactor"]), person=known)).release.attributes
            assert (attribute.values, attribute.why) == ((), "said by the server about the sign-in")

    def test_what_is_done_to_the_values_is_told(self) -> None:
        attributes = {
            "mail": "mail",
            "account": {"from": "mail", "match": r"(.+)@example\.edu", "replace": r"\1", "case": "lower"},
            "group": {"from": "groups", "case": "upper"},
        }
        for person in (None, GRACE):
            listed = of(told(entry(attributes=attributes), person=person)).release.attributes
            assert [each.shaping for each in listed] == [
                "",
                r"only what matches (.+)@example\.edu, as \1, in lower case",
                "in upper case",
            ]

    def test_some_values_that_a_rule_leaves_out_are_told(self) -> None:
        attributes = {"mail": {"from": "mail", "match": "c.*"}}
        (mail,) = of(told(entry(attributes=attributes), person=ADA)).release.attributes
        assert (mail.values, mail.why) == (("countess@example.edu",), "left out: ada@example.edu")

    @pytest.mark.parametrize(
        ("style", "why"),
        [
            ("repeat", ""),
            ("first", "in XML only ada@example.edu"),
            ("join:;", ""),
            ("join:@", "a value holds the separator @, so it reads as several"),
        ],
    )
    def test_that_several_values_are_told_otherwise_is_told(self, style: str, why: str) -> None:
        service = entry(attributes=["mail", "groups"], multivalue=style)
        mail, groups = of(told(service, person=ADA)).release.attributes
        assert (mail.why, groups.why) == (why, "")


class TestPairwiseIds:
    KEY = "a key of at least thirty-two characters"

    def test_the_id_is_told_where_its_key_is_known(self) -> None:
        service = entry(pairwise_id=True, username_attribute={"attribute": "mail", "case": "lower"})
        explained = of(told(service, person=GRACE, pairwise=PairwiseIds(lambda: self.KEY)))
        release = explained.release
        assert release.user == pairwise_id(self.KEY, "app", "grace@example.edu")
        assert [f"<cas:user>{release.user}</cas:user>" in answer.body for answer in explained.answers] == [True]
        assert release.user_source == "pairwise id made of attribute mail, in lower case"

    def test_without_the_key_the_rest_is_told_and_nobody_is_refused(self) -> None:
        explanation = told(entry(pairwise_id=True, attributes=["cn"]), person=GRACE)
        service = of(explanation)
        assert explanation.verdict == "password"
        assert (service.release.user, service.release.problem) == ("", "")
        assert service.release.user_source.endswith("the user name of the sign-in; the key for that is not known here")
        assert service.release.attributes[0].values == ("Grace Hopper",)
        assert service.answers == ()

    def test_a_name_that_is_missing_is_a_refusal_here_too(self) -> None:
        explanation = told(entry(pairwise_id=True, username_attribute="mail"), person=NOBODY)
        assert explanation.verdict == "refused"
        assert of(explanation).release.problem == "attribute mail has no value"


class TestDealings:
    def values(self, **keys: Any) -> dict[str, tuple[str, str]]:
        service = with_client_defaults(entry(**keys))
        return {value.name: (value.text, value.origin) for value in of(told(service)).dealings}

    def test_without_a_word_of_the_entry_all_of_it_is_default(self) -> None:
        assert self.values() == {
            "client": ("", "default"),
            "protocols": ("cas1, cas2, cas3, saml1, rest", "default"),
            "service_match": ("canonical", "default"),
            "response": ("get", "default"),
            "response_by_request": ("yes", "default"),
            "multivalue": ("repeat", "default"),
            "json_values": ("auto", "default"),
            "allow_http_saml": ("no", "default"),
        }

    def test_what_the_entry_says_is_its_own_even_where_it_says_the_same(self) -> None:
        keys = {
            "protocols": ["cas3"],
            "service_match": "loose",
            "response": "post",
            "response_by_request": False,
            "multivalue": "repeat",
            "json_values": "list",
            "allow_http_saml": True,
            "client": "java",
        }
        assert self.values(**keys) == {
            "client": ("java", "entry"),
            "protocols": ("cas3", "entry"),
            "service_match": ("loose", "entry"),
            "response": ("post", "entry"),
            "response_by_request": ("no", "entry"),
            "multivalue": ("repeat", "entry"),
            "json_values": ("list", "entry"),
            "allow_http_saml": ("yes", "entry"),
        }

    def test_what_the_client_brings_says_so_with_the_reason(self) -> None:
        values = self.values(client="rubycas", response_by_request=True)
        assert values["client"] == ("rubycas", "entry")
        assert values["multivalue"] == ("join:;", "client")
        assert values["response_by_request"] == ("yes", "entry")
        service = of(told(with_client_defaults(entry(client="rubycas"))))
        (multivalue,) = [value for value in service.dealings if value.name == "multivalue"]
        assert multivalue.meaning == (
            "in XML one element, values joined by ;: of an element that is repeated it keeps the last one only"
        )

    @pytest.mark.parametrize("field", ["service_match", "response", "multivalue", "json_values", "client"])
    def test_there_is_a_meaning_for_every_value(self, field: str) -> None:
        choices = registry_schema()["$defs"]["RegisteredService"]["properties"][field]
        words = choices.get("enum") or next((each["enum"] for each in choices.get("anyOf", ()) if "enum" in each), [])
        for word in words or ["repeat", "first", "join:; "]:
            (value,) = [each for each in of(told(entry(**{field: word}))).dealings if each.name == field]
            assert value.meaning

    def test_what_has_no_effect_yet_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("casduo.explanation.dealings.NOT_YET_IN_FORCE", ("client",))
        assert [value.name for value in of(told()).dealings if not value.in_force] == ["client"]

    def test_proxying(self) -> None:
        assert of(told()).proxying == Proxying(allowed=False)
        rule = {
            "allow": True,
            "callback": ["https://app.example.edu/pgt", "https://b.example.edu/**"],
            "private_addresses": True,
            "accept_status": [200, 302],
            "targets": ["mail"],
        }
        callbacks = ("https://app.example.edu/pgt", "https://b.example.edu/**")
        assert of(told(entry(proxy=rule))).proxying == Proxying(True, callbacks, True, (200, 302), ("mail",))

    def test_sign_out(self) -> None:
        assert of(told()).sign_out == SignOut("back_channel")
        rule = {"type": "front_channel", "url": "https://app.example.edu/out"}
        assert of(told(entry(logout=rule))).sign_out == SignOut("front_channel", "https://app.example.edu/out")

    def test_demands_on_the_session(self) -> None:
        service = of(told())
        assert (service.accept_remember_me, service.session_lifetime, service.session_idle) == (True, "", "")
        service = of(told(entry(accept_remember_me=False, session={"lifetime": "4h", "idle": 90})))
        assert (service.accept_remember_me, service.session_lifetime, service.session_idle) == (False, "4h", "1m30s")


class TestAnswers:
    @pytest.mark.parametrize(
        ("protocols", "path", "begins"),
        [
            (["cas1", "cas2", "cas3"], "/p3/serviceValidate", "<cas:serviceResponse"),
            (["saml1", "cas2", "cas1"], "/serviceValidate", "<cas:serviceResponse"),
            (["cas1"], "/validate", "yes\ngrace\n"),
        ],
    )
    def test_the_newest_cas_protocol_that_is_allowed_is_asked(
        self, protocols: list[str], path: str, begins: str
    ) -> None:
        (answer,) = of(told(entry(protocols=protocols), person=GRACE)).answers
        assert answer.path == path
        assert answer.body.startswith(begins)

    def test_a_failure_of_cas_1_is_one(self) -> None:
        service = entry(protocols=["cas1"], access={"groups": ["nobody"]})
        (answer,) = of(told(service, person=GRACE)).answers
        assert (answer.code, answer.body) == ("UNAUTHORIZED_SERVICE", "no\n\n")

    def test_there_is_none_where_no_cas_protocol_is_allowed(self) -> None:
        assert of(told(entry(protocols=["saml1", "rest"]), person=GRACE)).answers == ()

    @pytest.mark.parametrize("wanted", [True, False])
    def test_cas_2_has_attributes_where_the_settings_want_them(self, wanted: bool) -> None:
        settings = made(validation={"cas2_attributes": wanted})
        service = entry(protocols=["cas2"], attributes=["mail"])
        (answer,) = of(told(service, person=GRACE, settings=settings)).answers
        assert ("Grace@example.edu" in answer.body) == wanted

    def when(self, *services: RegisteredService, **more: Any) -> list[tuple[str, str]]:
        return [(answer.when, answer.code) for answer in of(told(*services, **more)).answers]

    def test_there_are_none_without_a_person_or_while_something_is_open(self) -> None:
        assert self.when() == []
        assert self.when(entry(access={"networks": ["10.0.0.0/8"]}), person=GRACE) == []
        assert self.when(entry(requires_duo={"when": {"networks": ["10.0.0.0/8"]}}), person=GRACE) == []

    def test_one_after_the_password(self) -> None:
        assert self.when(person=GRACE) == [("after the password", "")]

    def test_with_duo_one_before_and_one_after_it(self) -> None:
        before, after = self.when(entry(requires_duo=True), person=GRACE)
        assert before == ("before Duo, when no ticket is made yet", "INVALID_AUTHENTICATION_CONTEXT")
        assert after == ("after Duo", "")

    @pytest.mark.parametrize(("rule", "section"), [({"fail": "open"}, "closed"), ({"max_age": "8h"}, "open")])
    def test_a_service_that_fails_open_has_one_for_that(self, rule: dict[str, str], section: str) -> None:
        explanation = told(entry(requires_duo=rule), person=GRACE, settings=made(duo={**DUO, "fail": section}))
        answer = of(explanation).answers[2]
        assert answer.when == "while Duo cannot be reached"
        assert "<cas:bypassMultifactorAuthentication>true<" in answer.body

    def test_who_is_refused_is_refused_once(self) -> None:
        service = entry(requires_duo=True, access={"groups": ["staff"]})
        assert [code for _, code in self.when(service, person=ADA)] == ["UNAUTHORIZED_SERVICE"]

    def test_a_later_entry_with_the_same_url_is_not_asked(self) -> None:
        assert self.when(entry(), entry("wide", "https://*.example.edu/**", enabled=False), person=GRACE) == [
            ("after the password", "")
        ]


class TestTheRest:
    def test_what_is_written_and_does_nothing_yet_is_named_by_its_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("casduo.services.lint.NOT_YET_IN_FORCE", ("warn", "logout.url", "attributes.*.case"))
        attributes = {"mail": {"from": "mail", "case": "lower"}, "cn": "cn"}
        assert of(told(entry(warn=True, attributes=attributes))).without_effect == ("warn", "attributes.mail.case")

    def test_who_checks_the_password_and_whether_a_session_is_enough(self) -> None:
        service = of(told(entry(single_sign_on=False, warn=True)))
        assert service.handlers == ("local",)
        assert (service.single_sign_on, service.warn) == (False, True)

    def test_an_entry_may_name_the_stores_for_it(self) -> None:
        settings = made(
            authentication=[
                {"type": "users_file", "name": "local", "path": "a.yaml"},
                {"type": "users_file", "name": "guests", "path": "b.yaml"},
            ]
        )
        assert stores_for(entry(), settings) == ("local", "guests")
        assert stores_for(entry(authentication=["guests"]), settings) == ("guests",)

    def test_the_entry_of_a_url_can_be_had_alone(self) -> None:
        registry = Registry([entry()], "v1")
        found = entry_for("https://app.example.edu/x", registry, made())
        assert found is registry.services[0]
        assert entry_for("https://other.example.edu/", registry, made()) is None
        assert entry_for("no url", registry, made()) is None

    def test_all_of_it_is_plain_enough_for_json(self) -> None:
        service = entry(requires_duo=True, access={"groups": ["staff"]}, attributes=["mail"])
        explanation = told(service, person=GRACE, address=CAMPUS)
        data = json.loads(json.dumps(asdict(explanation)))
        assert data["verdict"] == "duo"
        assert data["person"]["attributes"]["groups"] == ["staff"]


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
