"""Explanations of what the application is told: the name, the attributes, and the answer to the letter."""

from __future__ import annotations

from typing import Any

import pytest

from casduo.explanation import Person
from casduo.services.model import RegisteredService
from casduo.services.pairwise import PairwiseIds, pairwise_id
from tests.explanation.telling import ADA, DUO, GRACE, NOBODY, entry, made, of, told


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
        settings = made(duo={**DUO, "accept_preauth_allow": False})
        before, after = self.when(entry(requires_duo=True), person=GRACE, settings=settings)
        assert before == ("before Duo, when no ticket is made yet", "INVALID_AUTHENTICATION_CONTEXT")
        assert after == ("after Duo", "")

    def test_each_way_around_duo_has_one_and_shows_it(self) -> None:
        service = entry(requires_duo={"mode": "optional", "fail": "open"})
        _, _, *around = of(told(service, person=GRACE)).answers
        assert [(answer.when, answer.code) for answer in around] == [
            ("for somebody without a device", ""),
            ("for somebody whom Duo lets pass", ""),
            ("while Duo cannot be reached", ""),
        ]
        for answer, why in zip(around, ("unenrolled", "duo_bypass", "unavailable"), strict=True):
            assert f"<cas:bypassedMultifactorAuthenticationReason>{why}<" in answer.body
            assert "authnContextClass" not in answer.body

    def test_a_trusted_browser_has_one_where_the_application_sees_a_difference(self) -> None:
        settings = made(duo={**DUO, "trusted_browser": "30d", "accept_preauth_allow": False})
        curious = entry(requires_duo=True, attributes=["mfaFactor"])
        trusted = of(told(curious, person=GRACE, settings=settings)).answers[2]
        assert trusted.when == "in a trusted browser"
        assert "<cas:mfaFactor>trusted_browser<" in trusted.body
        assert "<cas:authnContextClass>mfa-duo<" in trusted.body
        assert len(self.when(entry(requires_duo=True), person=GRACE, settings=settings)) == 2

    def test_the_duo_of_the_application_that_the_entry_names_opens_it(self) -> None:
        settings = made(duo={**DUO, "applications": {"hr": {"accept_preauth_allow": False}}})
        assert self.when(entry(requires_duo={"application": "hr"}), person=GRACE, settings=settings)[1:] == [
            ("after Duo", "")
        ]

    def test_a_rule_that_only_reports_changes_none(self) -> None:
        assert self.when(entry(requires_duo={"mode": "report"}), person=GRACE) == [("after the password", "")]

    @pytest.mark.parametrize(("rule", "section"), [({"fail": "open"}, "closed"), ({"max_age": "8h"}, "open")])
    def test_a_service_that_fails_open_has_one_for_that(self, rule: dict[str, str], section: str) -> None:
        explanation = told(entry(requires_duo=rule), person=GRACE, settings=made(duo={**DUO, "fail": section}))
        answer = of(explanation).answers[-1]
        assert answer.when == "while Duo cannot be reached"
        assert "<cas:bypassMultifactorAuthentication>true<" in answer.body

    def test_who_is_refused_is_refused_once(self) -> None:
        service = entry(requires_duo=True, access={"groups": ["staff"]})
        assert [code for _, code in self.when(service, person=ADA)] == ["UNAUTHORIZED_SERVICE"]

    def test_a_later_entry_with_the_same_url_is_not_asked(self) -> None:
        assert self.when(entry(), entry("wide", "https://*.example.edu/**", enabled=False), person=GRACE) == [
            ("after the password", "")
        ]
