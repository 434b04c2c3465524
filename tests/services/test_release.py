"""Attribute release: what a service learns about a person, and that it is nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.errors import ServiceError
from casduo.services.model import RegisteredService
from casduo.services.release import UsernameUnfit, release

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

    @pytest.mark.parametrize("break_", ["\n", "\r", "\0", "\t", "\x7f", "\x85", "\u2028", "\u2029", "\ud800"])
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
