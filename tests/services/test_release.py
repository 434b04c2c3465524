"""Attribute release: what a service learns about a person, and that it is nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.errors import ServiceError
from casduo.services.model import RegisteredService
from casduo.services.pairwise import PairwiseIds, pairwise_id
from casduo.services.policies import MAX_MATCHED
from casduo.services.release import PairwiseKeyMissing, UsernameUnfit, release, username

ADA = {
    "mail": ("ada@example.edu",),
    "displayName": ("Ada Lovelace",),
    "memberOf": ("staff", "", "maths", "staff"),
    "employeeNumber": ("0042",),
    "title": ("",),
    "fax": (),
    "uid": ("Ada",),
}


def service(**keys: Any) -> RegisteredService:
    return RegisteredService.model_validate({"id": "x", "name": "x", "url": "https://x.example.edu/**", **keys})


def attributes(listed: Any, known: dict[str, tuple[str, ...]] = ADA) -> dict[str, tuple[str, ...]]:
    return release(service(attributes=listed), "ada", known).attributes


class TestAttributes:
    def test_nothing_is_released_that_is_not_listed(self) -> None:
        assert release(service(), "ada", ADA).attributes == {}
        assert attributes(["mail"]) == {"mail": ("ada@example.edu",)}

    def test_attributes_can_be_renamed(self) -> None:
        assert attributes({"email": "mail", "name_": "displayName"}) == {
            "email": ("ada@example.edu",),
            "name_": ("Ada Lovelace",),
        }

    def test_empty_values_and_repetitions_are_left_out(self) -> None:
        assert attributes(["memberOf", "title", "fax", "missing"]) == {"memberOf": ("staff", "maths")}

    def test_names_are_compared_exactly(self) -> None:
        assert attributes(["Mail"]) == {}

    def test_letters_can_change_case(self) -> None:
        assert attributes({"n": {"from": "displayName", "case": "upper"}}) == {"n": ("ADA LOVELACE",)}

    def test_fixed_values_are_the_same_for_everybody(self) -> None:
        assert attributes({"org": {"static": ["Example", "University"]}}, {}) == {"org": ("Example", "University")}

    def test_values_that_do_not_match_as_a_whole_are_left_out(self) -> None:
        listed = {"groups": {"from": "memberOf", "match": "st.*|nobody"}, "half": {"from": "memberOf", "match": "sta"}}
        assert attributes(listed) == {"groups": ("staff",)}

    def test_values_can_be_rewritten(self) -> None:
        listed = {"account": {"from": "mail", "match": r"([^@]+)@example\.edu", "replace": r"EX\\\1", "case": "lower"}}
        assert attributes(listed) == {"account": ("ex\\ada",)}
        assert attributes({"none": {"from": "mail", "match": ".*", "replace": ""}}) == {}

    def test_a_list_of_rules_is_applied_each_for_itself(self) -> None:
        listed = {
            "account": {"from": "mail", "match": r"(.+)@example\.edu", "replace": r"\1"},
            "groups": {"from": "memberOf", "match": "staff", "case": "upper"},
            "org": {"static": "Example"},
            "who": "displayName",
        }
        assert attributes(listed) == {
            "account": ("ada",),
            "groups": ("STAFF",),
            "org": ("Example",),
            "who": ("Ada Lovelace",),
        }

    def test_values_that_become_the_same_come_once(self) -> None:
        assert attributes({"domain": {"from": "m", "match": ".+@(.+)", "replace": r"\1"}}, {"m": ("a@x", "b@x")}) == {
            "domain": ("x",)
        }

    def test_a_case_that_does_not_count_is_said_so(self) -> None:
        assert attributes({"g": {"from": "g", "match": "(?i)staff"}}, {"g": ("Staff", "Stuff")}) == {"g": ("Staff",)}

    def test_values_of_great_length_do_not_match(self) -> None:
        rule = {"g": {"from": "g", "match": ".+"}}
        assert attributes(rule, {"g": ("x" * MAX_MATCHED,)}) == {"g": ("x" * MAX_MATCHED,)}
        assert attributes(rule, {"g": ("x" * (MAX_MATCHED + 1),)}) == {}
        assert attributes(["g"], {"g": ("x" * (MAX_MATCHED + 1),)}) == {"g": ("x" * (MAX_MATCHED + 1),)}

    @pytest.mark.parametrize("name", ["clientIpAddress", "mfaTime", "credentialType"])
    def test_no_directory_speaks_for_the_server(self, name: str) -> None:
        assert attributes([name], {name: ("forged",)}) == {}

    @settings(deadline=None)
    @given(
        st.dictionaries(st.sampled_from("abcdef"), st.lists(st.text(max_size=5), max_size=4).map(tuple)),
        st.lists(st.sampled_from("abcdef"), unique=True),
    )
    def test_what_is_released_is_listed_and_not_empty(
        self, known: dict[str, tuple[str, ...]], listed: list[str]
    ) -> None:
        released = attributes(listed, known)
        assert set(released) <= set(listed)
        for name, values in released.items():
            assert values
            assert all(values)
            assert set(values) <= set(known[name])


class TestUser:
    def test_is_the_principal_by_default(self) -> None:
        assert release(service(), "ada", ADA).user == "ada"

    def test_can_be_an_attribute(self) -> None:
        assert release(service(username_attribute="mail"), "ada", ADA).user == "ada@example.edu"
        assert release(service(username_attribute="uid"), "ada", ADA).user == "Ada"

    @pytest.mark.parametrize(("case", "user"), [("keep", "Ada"), ("lower", "ada"), ("upper", "ADA")])
    def test_letters_can_change_case(self, case: str, user: str) -> None:
        entry = service(username_attribute={"attribute": "uid", "case": case})
        assert release(entry, "x", ADA).user == user

    @pytest.mark.parametrize(
        ("case", "name", "user"),
        [
            ("lower", "\u212aATE", "\u212aate"),  # the Kelvin sign is not the letter k
            ("lower", "\u0130DA", "\u0130da"),
            ("upper", "\u017fam", "\u017fAM"),  # a long s is not an S
            ("upper", "\u0131da", "\u0131DA"),
            ("upper", "stra\u00dfe", "STRA\u00dfE"),
            ("lower", "\u00c4RA", "\u00e4ra"),
        ],
    )
    def test_changing_case_never_makes_one_person_another(self, case: str, name: str, user: str) -> None:
        entry = service(username_attribute={"attribute": "uid", "case": case})
        assert release(entry, "x", {"uid": (name,)}).user == user

    @pytest.mark.parametrize("values", [(), ("",), ("  ",), ("\u00a0",)])
    def test_without_a_value_nobody_is_told_the_principal_instead(self, values: tuple[str, ...]) -> None:
        with pytest.raises(UsernameUnfit) as caught:
            release(service(username_attribute="mail"), "ada", {"mail": values})
        assert (caught.value.attribute, caught.value.reason) == ("mail", "missing")
        with pytest.raises(UsernameUnfit):
            release(service(username_attribute="mail"), "ada", {})

    def test_of_two_values_none_is_taken(self) -> None:
        with pytest.raises(UsernameUnfit) as caught:
            release(service(username_attribute="mail"), "ada", {"mail": ("ada@a.edu", "ada@b.edu")})
        assert caught.value.reason == "several"

    def test_the_same_value_twice_is_one(self) -> None:
        assert release(service(username_attribute="mail"), "x", {"mail": ("ada", "", "ada")}).user == "ada"

    @pytest.mark.parametrize(
        "break_", ["\n", "\r", "\0", "\t", "\x7f", "\x85", "\u2028", "\u2029", "\ud800", "\ufffe", "\uffff"]
    )
    def test_line_breaks_and_control_characters_are_refused(self, break_: str) -> None:
        for entry in (service(), service(username_attribute="uid")):
            with pytest.raises(UsernameUnfit) as caught:
                release(entry, f"ada{break_}grace", {"uid": (f"ada{break_}grace",)})
            assert caught.value.reason == "characters"
            assert "grace" not in str(caught.value)

    def test_the_error_is_one_about_the_service(self) -> None:
        with pytest.raises(ServiceError) as caught:
            release(service(), "", ADA)
        assert caught.value.code == "SERVICE_USERNAME"

    def test_can_be_had_without_the_attributes(self) -> None:
        entry = service(username_attribute="mail", pairwise_id=True)
        assert username(entry, "ada", ADA) == "ada@example.edu"

    @settings(deadline=None)
    @given(st.text(), st.lists(st.text(max_size=4), max_size=3).map(tuple), st.booleans())
    def test_is_one_line_and_never_empty(self, principal: str, values: tuple[str, ...], by_attribute: bool) -> None:
        entry = service(username_attribute="uid") if by_attribute else service()
        try:
            user = release(entry, principal, {"uid": values}).user
        except UsernameUnfit:
            return
        assert user.strip()
        assert user.splitlines() == [user]
        assert user in (values if by_attribute else (principal,))


KEY = "a key of at least thirty-two characters"
IDS = PairwiseIds(lambda: KEY)


class TestPairwiseIds:
    def test_the_service_is_told_an_id_instead_of_the_name(self) -> None:
        released = release(service(pairwise_id=True, attributes=["memberOf"]), "ada", ADA, pairwise=IDS)
        assert released.user == pairwise_id(KEY, "x", "ada")
        assert released.attributes == {"memberOf": ("staff", "maths")}

    def test_it_is_made_of_the_name_that_would_have_been_told(self) -> None:
        entry = service(pairwise_id=True, username_attribute={"attribute": "uid", "case": "lower"})
        assert release(entry, "somebody", ADA, pairwise=IDS).user == pairwise_id(KEY, "x", "ada")

    def test_two_services_are_told_different_ones(self) -> None:
        both = [service(id=name, pairwise_id=True) for name in ("library", "payroll")]
        assert len({release(entry, "ada", ADA, pairwise=IDS).user for entry in both}) == 2

    def test_who_has_no_name_gets_no_id(self) -> None:
        entry = service(pairwise_id=True, username_attribute="missing")
        with pytest.raises(UsernameUnfit):
            release(entry, "ada", ADA, pairwise=IDS)

    def test_services_that_want_none_need_no_key(self) -> None:
        def fetch() -> str:
            raise AssertionError("the key was asked for")

        assert release(service(), "ada", ADA, pairwise=PairwiseIds(fetch)).user == "ada"

    def test_without_a_key_nobody_is_told_the_name_instead(self) -> None:
        with pytest.raises(PairwiseKeyMissing, match="payroll is told pairwise ids") as caught:
            release(service(id="payroll", pairwise_id=True), "ada", ADA)
        assert caught.value.code == "SERVICE_PAIRWISE_KEY"
        assert isinstance(caught.value, ServiceError)


class TestExpressions:
    """What ``match`` may be: nothing that a value could keep the server busy with."""

    @pytest.mark.parametrize(
        "match",
        [
            "staff|faculty",
            "^staff$",
            r"([^@]+)@example\.edu",
            r"cn=([^,]+),ou=([^,]+),.*",
            r"(\w+)\.(\w+)@.*",
            "(?i)urn:mace:(staff|student)",
            ".*staff.*",
            "[0-9]{3,8}",
        ],
    )
    def test_quick_ones_are_taken(self, match: str) -> None:
        assert service(attributes={"a": {"match": match}}).release_rules[0].match == match

    @pytest.mark.parametrize(
        ("match", "why"),
        [
            ("(a+)+b", "no repeats"),
            ("(?:x*)*", "no repeats"),
            ("(a|b*){2,}", "no repeats"),
            ("(a|a)+b", "no alternatives"),
            (".*a.*b.*c", "can be slow"),
            ("(a*)?a*a*b", "can be slow"),
            ("staff|.*a.*b.*c", "can be slow"),
            ("a?" * 30 + "a" * 30, "can be slow"),
            (r"(.)\1", "may not use"),
            ("(?=a).*", "without look-around"),
            ("(?P<name>a)", "without look-around"),
            ("[z-a]+b", "not a regular expression"),
            ("(", "not a regular expression"),
            ("a" * 513, "at most 512"),
        ],
    )
    def test_others_are_refused(self, match: str, why: str) -> None:
        with pytest.raises(ValueError, match=why):
            service(attributes={"a": {"match": match}})

    @settings(deadline=None)
    @given(st.text("ab.*+?|()[]{}^$\\d1,", max_size=14), st.text("abc1,", min_size=1, max_size=4))
    def test_whatever_is_taken_is_quick_on_what_was_made_to_be_slow(self, match: str, part: str) -> None:
        try:
            entry = service(attributes={"a": {"match": match}})
        except ValueError:
            return
        slow = (part * MAX_MATCHED)[: MAX_MATCHED - 1] + "!"
        release(entry, "ada", {"a": (slow, slow[1:] + part)})
