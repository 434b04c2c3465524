"""Services of Apereo CAS: files, order, names, and that nothing falls through to an entry that asks less."""

from __future__ import annotations

import json

import pytest

from casduo.importing.apereo import import_apereo
from casduo.importing.apereo_fields import OTHER_CLASSES, SERVICE
from tests.importing.apereo_files import by_name, draft_of, hash_set, said, service, taken_over, typed

WRITTEN_BY_HAND = rb"""
{
  /* as people write them
     by hand */
  "@class" : "org.apereo.cas.services.RegexRegisteredService",
  "serviceId" : "^https://library\\.example\\.edu/.*",
  name: "Library",   # no quotes
  "id" : 10000001,
  "description" : '''
      several
      lines
      ''',
  "attributeReleasePolicy" : {
    "@class" : "org.jasig.cas.services.ReturnAllowedAttributeReleasePolicy",
    "allowedAttributes" : [ "java.util.ArrayList", [ "mail", "displayName" ] ],
  },
}
"""

YAML = b"""--- !<org.apereo.cas.services.CasRegisteredService>
serviceId: "^https://wiki\\\\.example\\\\.edu/.*"
name: Wiki
id: 7
evaluationOrder: 5
accessStrategy: !<org.apereo.cas.services.DefaultRegisteredServiceAccessStrategy>
  enabled: true
  requiredAttributes: !<java.util.HashMap>
    affiliation: !<java.util.HashSet>
      - staff
"""

OLD = b"""
{"services": [
  {"id": 1, "serviceId": "https://old.example.edu/**", "name": "Old",
   "@class": "org.jasig.cas.services.RegisteredServiceImpl",
   "enabled": true, "ssoEnabled": false, "allowedToProxy": true, "anonymousAccess": false, "evaluationOrder": 2,
   "allowedAttributes": ["mail"], "extraAttributes": {"requiresDuo": "true"}, "theme": "default"},
  {"id": 2, "serviceId": "^https://off\\\\.example\\\\.edu/.*", "name": "Off", "enabled": false, "evaluationOrder": 1}
]}
"""


def test_files_of_all_kinds_become_entries_in_the_order_of_evaluation():
    files = [("Library-10000001.json", WRITTEN_BY_HAND), ("Wiki-7.yml", YAML), ("servicesRegistry.conf", OLD)]
    result = import_apereo(files)
    assert [draft.entry for draft in result.drafts] == [
        {
            "id": "library",
            "name": "Library",
            "description": "several lines",
            "url": "https://library.example.edu/**",
            "attributes": ["mail", "displayName"],
        },
        {"id": "off", "name": "Off", "url": "https://off.example.edu/**", "enabled": False},
        {
            "id": "old",
            "name": "Old",
            "url": "https://old.example.edu/**",
            "attributes": ["mail"],
            "requires_duo": True,
            "single_sign_on": False,
        },
        {
            "id": "wiki",
            "name": "Wiki",
            "url": "https://wiki.example.edu/**",
            "access": {"attributes": {"affiliation": ["staff"]}},
        },
    ]
    assert result.problems == ()
    assert not result.complete, "allowedToProxy does not say where tickets may be sent"


def test_export_of_all_services_is_read():
    services = [service(name="A"), {"broken": True}, service(name="B", number=2)]
    result = import_apereo([("services.json", json.dumps(["java.util.ArrayList", services]).encode())])
    assert [draft.entry["id"] for draft in result.drafts] == ["a", "b"]
    assert [problem.file for problem in result.problems] == ["services.json, service 2"]


def test_views_of_the_management_application_are_refused_for_they_name_fields_otherwise():
    view = {"assignedId": 1, "serviceId": "^https://a\\.example\\.edu/.*", "sasCASEnabled": False, "evalOrder": 1}
    result = import_apereo([("getServices.json", json.dumps({"services": [view]}).encode())])
    assert result.drafts == ()
    assert "management application" in result.problems[0].message


def test_ties_are_ordered_by_name_as_the_old_server_did():
    drafts = taken_over(
        service(name="zebra", evaluationOrder=1), service(name="Bee", evaluationOrder=1), service(name="x")
    ).drafts
    assert [draft.name for draft in drafts] == ["x", "Bee", "zebra"]


def test_same_names_and_strange_names_get_ids_of_their_own():
    names = ["Café Ünï", "Café Ünï", "日本", "", "a" * 300, "x\u202ey\nz"]
    result = taken_over(*(service(name=name, number=number) for number, name in enumerate(names)))
    ids = [draft.entry["id"] for draft in result.drafts]
    assert len(set(ids)) == len(names)
    assert {"cafe-uni", "cafe-uni-1", "service"} <= set(ids)
    assert all("\u202e" not in draft.entry["name"] and "\n" not in draft.entry["name"] for draft in result.drafts)


def test_two_files_with_the_same_id_are_closed_for_the_old_server_knew_one_of_them():
    result = taken_over(service(name="A"), service(name="B"), service(name="C", number=3))
    assert [draft.entry.get("enabled", True) for draft in result.drafts] == [False, False, True]
    assert ["knew only one of them" in problem.message for problem in result.problems] == [True]


def test_the_same_service_in_two_files_is_written_once():
    result = taken_over(service(name="A"), service(name="A"))
    assert [draft.entry.get("enabled", True) for draft in result.drafts] == [True]
    assert ["written once" in problem.message for problem in result.problems] == [True]


@pytest.mark.parametrize("kind", sorted(OTHER_CLASSES))
def test_services_of_other_protocols_are_listed_and_never_guessed(kind):
    result = taken_over({**service(), "@class": f"org.apereo.cas.support.{kind}"})
    (draft,) = result.drafts
    assert draft.entry == {}
    assert OTHER_CLASSES[kind] in draft.findings[0].sentence
    assert not result.complete


def test_field_that_is_not_known_is_reported_with_what_may_be_meant():
    draft = draft_of(acessStrategy={"enabled": False})
    (finding,) = draft.of("closed")
    assert "did you mean 'accessStrategy'" in finding.sentence
    assert "did you mean 'theme'" in draft_of(themee="x").of("lost")[0].sentence


def test_field_that_nobody_knows_closes_the_entry_when_its_name_sounds_as_if_it_kept_people_out():
    assert draft_of(allowedGroups=["staff"]).closed
    assert draft_of(properties=by_name(restrictTo=typed("P", values=hash_set("staff")))).closed
    assert draft_of(accessStrategy=typed("DefaultRegisteredServiceAccessStrategy", letInOnMondays=False)).closed
    assert not draft_of(colour="red").closed


@pytest.mark.parametrize(
    ("later", "held"), [("^https://.*", True), (r"^https://app\.example\.edu/.*", True), (r"^https://b\.edu/.*", False)]
)
def test_addresses_of_other_protocols_are_held_where_a_later_entry_would_get_them(later, held):
    other = {**service(name="App"), "@class": "org.apereo.cas.support.saml.services.SamlRegisteredService"}
    draft, wide = taken_over({**other, "evaluationOrder": 1}, service(later, "Wide", 2, evaluationOrder=2)).drafts
    assert draft.entry.get("enabled") == (False if held else None)
    assert draft.entry.get("url") == ("https://app.example.edu/**" if held else None)
    assert "enabled" not in wide.entry


def test_every_field_of_the_table_is_accounted_for():
    values = {"serviceId": r"^https://app\.example\.edu/.*", "name": "App", "id": 1, "evaluationOrder": 3}
    for name in SERVICE:
        draft = draft_of(**{name: [{"x": "y"}]}) if name not in values else draft_of()
        looked_at = {finding.field.partition(".")[0] for finding in draft.findings}
        # What only tells more people something, or looks.
        quiet = {*values, "attributeFilter", "contacts", "ignoreAttributes", "allowedAttributes", "description"}
        assert name in looked_at or name in quiet, name
        assert not any("is not known, did you" in finding.sentence for finding in draft.findings)


@pytest.mark.parametrize(
    ("fields", "entry"),
    [
        ({"responseType": "POST"}, {"response": "post"}),
        ({"supportedProtocols": hash_set("CAS30", "SAML1")}, {"protocols": ["cas3", "saml1"]}),
        ({"logo": "https://cdn.example.edu/logo.png"}, {"logo": "https://cdn.example.edu/logo.png"}),
        (
            {"contacts": ["java.util.ArrayList", [typed("X", name="Ada", email="ada@example.edu")]]},
            {"owner": "ada@example.edu"},
        ),
        ({"theme": "x", "informationUrl": "y", "privacyUrl": "z", "locale": "en"}, {}),
    ],
)
def test_plain_fields(fields, entry):
    draft = draft_of(**fields)
    assert {key: draft.entry[key] for key in draft.entry if key not in ("id", "name", "url")} == entry
    assert not draft.of("lost", "closed")


@pytest.mark.parametrize("field", [{"environments": hash_set("prod")}, {"templateName": "Base"}])
def test_what_other_files_or_installations_say_closes_the_entry(field):
    draft = draft_of(**field)
    assert draft.entry["enabled"] is False
    assert ("closed", next(iter(field))) in said(draft)


# --- nothing falls through --------------------------------------------------------------------------------------------

DUO = typed("DefaultRegisteredServiceMultifactorPolicy", multifactorAuthenticationProviders=hash_set("mfa-duo"))
ALL = service("^https://.*", "All", 9, evaluationOrder=900)


def registered(result):
    from casduo.services.index import Registry
    from casduo.services.model import RegisteredService

    return Registry([RegisteredService.model_validate(draft.entry) for draft in result.entries], "test")


def found(result, url):
    from casduo.services.urls import parse_service

    service = registered(result).find(parse_service(url))
    return service.id if service else None


def test_path_in_another_case_does_not_get_past_duo():
    result = taken_over(service(r"^https://h\.example\.edu/payroll.*", "Payroll", 1, multifactorPolicy=DUO), ALL)
    assert found(result, "https://h.example.edu/PAYROLL/x") == "payroll"
    assert found(result, "https://h.example.edu/other") == "all"


def test_path_in_another_case_leads_to_the_same_account():
    provider = typed("PrincipalAttributeRegisteredServiceUsernameProvider", usernameAttribute="mail")
    result = taken_over(service(r"^https://h\.example\.edu/app.*", "App", 1, usernameAttributeProvider=provider), ALL)
    assert found(result, "https://h.example.edu/APP/x") == "app"


def test_path_that_cannot_be_written_in_every_case_is_closed():
    long = "/".join(["registration"] * 12)
    result = taken_over(service(rf"^https://h\.example\.edu/{long}.*", "Long", 1, multifactorPolicy=DUO), ALL)
    assert result.drafts[0].entry["enabled"] is False
    assert ("closed", "url") in said(result.drafts[0])


def test_case_is_left_alone_where_no_later_entry_asks_less():
    result = taken_over(service(r"^https://h\.example\.edu/payroll.*", "Payroll", 1), ALL)
    assert result.drafts[0].entry["url"] == "https://h.example.edu/payroll*/**"


def test_address_that_cannot_be_translated_keeps_its_host_closed():
    result = taken_over(service(r"^https://h\.example\.edu/(?!public).*", "Secret", 1, multifactorPolicy=DUO), ALL)
    assert found(result, "https://h.example.edu/x") == "secret"
    assert result.drafts[0].entry["enabled"] is False
    assert result.drafts[1].entry.get("enabled", True) is True


def test_entries_are_closed_that_could_get_addresses_which_nobody_knows():
    result = taken_over(
        service(r"^https://(?!www).*\.example\.edu/.*", "Secret", 1),
        service(name="Vanilla", number=2),
        service(r"^https://other\.example\.org/.*", "Wonder"),
        ALL,
    )
    secret, plain, other, everything = result.drafts
    assert secret.entry == {}
    assert plain.entry["enabled"] is False, "its host was the secret one's"
    assert other.entry.get("enabled", True) is True
    assert everything.entry["enabled"] is False
    assert "Secret" in everything.of("closed")[0].sentence


def test_matching_strategies():
    def url(strategy, text):
        return draft_of(url=text, matchingStrategy=typed(strategy)).entry.get("url")

    assert url("FullRegexRegisteredServiceMatchingStrategy", r"https://h\.edu/a") == "https://h.edu/a?"
    assert url("PartialRegexRegisteredServiceMatchingStrategy", r"https://h\.edu/a") == "https://h.edu/a*/**"
    assert url("LiteralRegisteredServiceMatchingStrategy", "https://h.edu/a") == "https://h.edu/a?"
    assert url("StartsWithRegisteredServiceMatchingStrategy", "https://h.edu/a") == "https://h.edu/a*/**"
    assert draft_of(matchingStrategy=typed("OfOurOwn")).closed
    begins = typed("StartsWithRegisteredServiceMatchingStrategy", expectedUrl="https://h.edu/b")
    assert draft_of(url=r"^https://.*", matchingStrategy=begins).entry["url"] == "https://h.edu/b*/**"
    whole = typed("LiteralRegisteredServiceMatchingStrategy", caseInsensitive=True)
    assert not draft_of(url="https://h.edu/a", matchingStrategy=whole).closed
    assert draft_of(url="https://h.edu/a", matchingStrategy={**whole, "notOn": "Mondays"}).closed
