from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from casduo.services.model import ALL_PROTOCOLS, NOT_YET_IN_FORCE, DuoRule, RegisteredService, ReleaseRule
from casduo.services.names import LISTED_NAMES, RESERVED_NAMES, SERVER_NAMES, is_ncname


def service(**keys: Any) -> RegisteredService:
    written = {"id": "wiki", "name": "Wiki", "url": "https://wiki.example.edu/**", **keys}
    return RegisteredService.model_validate(written)


def refusal(**keys: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        service(**keys)
    return "; ".join(finding["msg"] for finding in caught.value.errors())


def test_the_least_entry_is_a_plain_service() -> None:
    wiki = service()
    assert wiki.urls == ("https://wiki.example.edu/**",)
    assert wiki.duo_rule is None
    assert wiki.release_rules == ()
    assert wiki.access.is_open
    assert wiki.enabled
    assert wiki.single_sign_on
    assert wiki.protocols == ALL_PROTOCOLS
    assert wiki.username_attribute is None


def test_an_entry_does_not_change_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        service().enabled = False  # type: ignore[misc]


def test_url_is_one_pattern_or_a_list() -> None:
    both = ["https://a.example.edu/**", "https://b.example.edu/**"]
    assert service(url=both).urls == tuple(both)
    assert "must be a" not in refusal(url=[])


@pytest.mark.parametrize("name", ["", "Wiki", "a b", "-a", "ä", "a/b", "a" * 65])
def test_ids_are_short_plain_words(name: str) -> None:
    assert refusal(id=name)


@pytest.mark.parametrize("name", ["library", "oracle-b", "mail2", "a.b_c"])
def test_plain_words_are_ids(name: str) -> None:
    assert service(id=name).id == name


@pytest.mark.parametrize("url", ["wiki.example.edu", "ftp", "https://wiki.example.edu/#top", 5, [5]])
def test_what_is_no_pattern_is_refused(url: object) -> None:
    assert refusal(url=url)


@pytest.mark.parametrize("written", [True, {}])
def test_duo_without_conditions(written: object) -> None:
    assert service(requires_duo=written).duo_rule == DuoRule()


@pytest.mark.parametrize("written", [False, None])
def test_no_duo(written: object) -> None:
    assert service(requires_duo=written).duo_rule is None


def test_duo_with_conditions() -> None:
    rule = service(
        requires_duo={
            "when": {"groups": "staff", "attributes": {"affiliation": ["employee"]}, "networks": ["10.0.0.0/8"]},
            "max_age": "8h",
            "prompt": "push",
            "fail": "closed",
            "mode": "optional",
            "from": "2026-01-01",
            "until": "2027-01-01",
            "trusted_browser": "30d",
            "application": "hr",
        }
    ).duo_rule
    assert rule is not None
    assert rule.when is not None
    assert rule.when.groups == ("staff",)
    assert rule.when.attributes == {"affiliation": ("employee",)}
    assert rule.max_age == 28_800
    assert rule.trusted_browser == 30 * 86_400
    assert rule.mode_at(0) == "optional"
    assert rule.from_ == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "written", ["yes", 1, ["staff"], {"fail": "never"}, {"when": True}, {"max_age": 0}, {"until": "2026", "from": 1}]
)
def test_what_is_no_duo_rule_is_refused(written: object) -> None:
    assert refusal(requires_duo=written)


def test_attributes_may_be_a_list_of_names() -> None:
    assert service(attributes=["mail", "displayName"]).release_rules == (
        ReleaseRule("mail", "mail"),
        ReleaseRule("displayName", "displayName"),
    )


def test_attributes_may_be_renamed_and_changed() -> None:
    rules = service(
        attributes={
            "name_": "cn;lang-de",
            "mail": None,
            "eppn": {"from": "uid", "match": "(.+)", "replace": r"\1@example.edu", "case": "lower"},
            "affiliation": {"static": ["member", "staff"]},
            "cn": {"case": "upper"},
        }
    ).release_rules
    assert rules == (
        ReleaseRule("name_", "cn;lang-de"),
        ReleaseRule("mail", "mail"),
        ReleaseRule("eppn", "uid", (), "(.+)", r"\1@example.edu", "lower"),
        ReleaseRule("affiliation", "", ("member", "staff")),
        ReleaseRule("cn", "cn", case="upper"),
    )


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_names_that_clients_take_for_something_else_are_refused(name: str) -> None:
    assert "Rename it" in refusal(attributes=[name])
    assert "Rename it" in refusal(attributes={name: "mail"})


@pytest.mark.parametrize("name", sorted(SERVER_NAMES))
def test_names_that_the_server_fills_are_refused(name: str) -> None:
    assert "said by the server" in refusal(attributes=[name])


@pytest.mark.parametrize("name", sorted(LISTED_NAMES))
def test_names_that_the_server_fills_on_request_can_only_be_listed(name: str) -> None:
    assert service(attributes=[name]).release_rules == (ReleaseRule(name, name),)
    assert service(attributes={name: None}).release_rules == (ReleaseRule(name, name),)
    assert "filled by the server" in refusal(attributes={name: "description"})
    assert "filled by the server" in refusal(attributes={name: {"static": "push"}})


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("cn;lang-de", "cn_lang-de"),
        ("urn:oid:0.9", "urn_oid_0.9"),
        ("mail@home", "mail_home"),
        ("2fa", "_2fa"),
        ("-x", "_-x"),
        ("a b", "a_b"),
        ("::", "name"),
    ],
)
def test_names_that_cannot_be_xml_elements_are_refused_with_a_better_one(name: str, hint: str) -> None:
    assert f"such as {hint}: {name!r}" in refusal(attributes=[name])
    assert service(attributes={hint if hint != "name" else "x": name}).release_rules[0].source == name


def test_xml_names_may_have_letters_of_any_language() -> None:
    assert is_ncname("größe")
    assert is_ncname("_x-1.2")
    for bad in ("", "1a", "a:b", "a b", ".a", "a\u00d7"):
        assert not is_ncname(bad)


@pytest.mark.parametrize(
    "written",
    [
        "mail",
        5,
        ["mail", {"cn": "x"}],
        {"mail": 5},
        {"mail": {"form": "x"}},
        {"mail": {"from": "x", "static": "y"}},
        {"mail": {"match": "("}},
        {"mail": {"replace": "x"}},
        {"mail": {"match": "a", "replace": r"\1"}},
        {"mail": {"match": "a", "replace": r"\q"}},
        {"mail": {"case": "title"}},
        {"": "x"},
    ],
)
def test_what_is_no_list_of_attributes_is_refused(written: object) -> None:
    assert refusal(attributes=written)


def test_the_user_name_can_be_an_attribute() -> None:
    rule = service(username_attribute="mail").username_attribute
    assert rule is not None
    assert (rule.attribute, rule.case) == ("mail", "keep")
    rule = service(username_attribute={"attribute": "mail", "case": "lower"}).username_attribute
    assert rule is not None
    assert rule.case == "lower"
    assert refusal(username_attribute={"case": "lower"})


def test_access_rules_are_read() -> None:
    access = service(
        access={
            "groups": ["staff"],
            "attributes": {"affiliation": "employee"},
            "networks": "10.0.0.0/8",
            "from": "2026-01-01",
            "until": "2027-01-01T08:00+01:00",
            "reason": "Staff only.",
        }
    ).access
    assert not access.is_open
    assert access.from_ == datetime(2026, 1, 1, tzinfo=UTC)
    assert access.until == datetime(2027, 1, 1, 7, tzinfo=UTC)
    assert [str(network) for network in access.networks] == ["10.0.0.0/8"]


def test_dates_are_meant_in_the_zone_of_the_settings() -> None:
    written = {"id": "a", "name": "A", "url": "https://a.example.edu/**", "access": {"from": "2026-07-01"}}
    read = RegisteredService.model_validate(written, context={"zone": ZoneInfo("America/New_York")})
    assert read.access.from_ == datetime(2026, 7, 1, 4, tzinfo=UTC)


def test_a_period_must_not_be_empty() -> None:
    assert "later than 'from'" in refusal(access={"from": "2027-01-01", "until": "2027-01-01"})
    assert "later than 'from'" in refusal(requires_duo={"from": "2027-01-01", "until": "2026-01-01"})


def test_proxying_needs_a_callback_over_https() -> None:
    assert service(proxy={"allow": True, "callback": "https://wiki.example.edu/pgt"}).proxy.allow
    assert "is missing" in refusal(proxy={"allow": True})
    assert "https:// only" in refusal(proxy={"allow": True, "callback": "http://wiki.example.edu/pgt"})
    assert "https:// only" in refusal(proxy={"allow": True, "callback": "regex:https?://wiki\\.example\\.edu/pgt"})
    assert refusal(proxy={"accept_status": [500]})
    assert refusal(proxy={"accept_status": []})


@pytest.mark.parametrize("written", ["repeat", "first", "join:,", "join:; "])
def test_ways_to_send_several_values(written: str) -> None:
    assert service(multivalue=written).multivalue.startswith(written.split(":", maxsplit=1)[0])


@pytest.mark.parametrize("written", ["last", "join", "join:", "join:\n", "repeat,first"])
def test_other_ways_to_send_several_values_are_refused(written: str) -> None:
    assert refusal(multivalue=written)


@pytest.mark.parametrize(
    "keys",
    [
        {"channel": "fax"},
        {"protocols": []},
        {"protocols": ["cas4"]},
        {"service_match": "prefix"},
        {"response": "redirect"},
        {"json_values": "scalar"},
        {"client": "perl"},
        {"logout": {"type": "channel"}},
        {"logout": {"url": "payroll"}},
        {"enrollment_url": "http://kb.example.edu/duo"},
        {"unenrolled": "ignore"},
        {"session": {"idle": "0"}},
        {"requires_approval": {}},
        {"requires_approval": {"approvers": []}},
        {"requires_approval": {"approvers": ["luke"]}},
        {"target": {}},
        {"name": {"english": "Wiki"}},
        {"name": {"de": "Wi\nki"}},
        {"name": {"de": ["Wiki"]}},
        {"name": {}},
        {"name": {"en": "Wiki", "de": "x" * 201}},
        {"description": {"de": ""}},
        {"texts": {"de": {"name": "Wiki"}}},
        {"name": "Wi\nki"},
        {"name": "x" * 201},
        {"authentication": [1]},
        {"require_duo": True},
    ],
)
def test_values_without_a_meaning_are_refused(keys: dict[str, Any]) -> None:
    assert refusal(**keys)


def test_everything_in_the_design_is_accepted() -> None:
    full = service(
        description={"en": "Where people write things down.", "de": "Zum Aufschreiben."},
        logo="logos/wiki.svg",
        owner="wiki@example.edu",
        enabled=False,
        disabled_reason="Moved.",
        channel="phone",
        authentication=["ucm_pin"],
        pairwise_id=True,
        unenrolled="refuse",
        single_sign_on=False,
        protocols=["cas2", "saml1"],
        logout={"type": "none"},
        service_match="loose",
        response="post",
        response_by_request=False,
        json_values="list",
        client="mod_auth_cas",
        session={"idle": "30m", "lifetime": "2h"},
        accept_remember_me=False,
        allow_http_saml=True,
        warn=True,
        requires_approval={"approvers": "luke@example.edu", "room": "R", "max_duration": "2h"},
        target={"host": "OracleLinux_SystemB", "ip": "172.16.200.53", "account": "root"},
    )
    assert full.requires_approval is not None
    assert full.requires_approval.max_duration == 7200


def test_every_key_without_an_effect_exists() -> None:
    for path in NOT_YET_IN_FORCE:
        assert path.split(".")[0] in RegisteredService.model_fields
