"""The registry and the report that an import writes."""

from __future__ import annotations

import json
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casduo.importing.document import registry_text
from casduo.importing.report import report_data, report_text
from casduo.services.file import read_registry
from casduo.services.model import RegisteredService
from casduo.yamlfile import parse_yaml
from tests.importing.apereo_files import by_name, hash_set, service, taken_over, typed

SERVICES = (
    service(
        name="Payroll",
        url=r"^https://payroll\.example\.edu/.*",
        evaluationOrder=1,
        contacts=["java.util.ArrayList", [typed("C", email="payroll@example.edu")]],
        accessStrategy=typed(
            "DefaultRegisteredServiceAccessStrategy", requiredAttributes=by_name(memberOf=hash_set("staff"))
        ),
        multifactorPolicy=typed(
            "DefaultRegisteredServiceMultifactorPolicy",
            multifactorAuthenticationProviders=hash_set("mfa-duo"),
            failureMode="CLOSED",
        ),
        attributeReleasePolicy=typed("ReturnAllAttributeReleasePolicy"),
    ),
    service(
        name="Old",
        number=2,
        url="^https://old.example.edu/.*",
        evaluationOrder=2,
        usernameAttributeProvider=typed("AnonymousRegisteredServiceUsernameAttributeProvider"),
    ),
    {
        **service(name="Mobile", number=3),
        "@class": "org.apereo.cas.services.OidcRegisteredService",
        "evaluationOrder": 3,
    },
)

REGISTRY = """\
services:
  # From Payroll-1000-0.json (id 1000)
  # LOOK accessStrategy.requiredAttributes: memberOf: values count as a whole; the old server may have looked for
  #   them within longer ones
  # LOOK attributeReleasePolicy: all attributes were released, and here only those are that are listed: say
  #   --all-attributes mail,displayName,... or write 'attributes' into the entry
  - id: payroll
    name: Payroll
    url: https://payroll.example.edu/**
    owner: payroll@example.edu
    requires_duo: {fail: closed}
    access:
      attributes: {memberOf: [staff]}

  # From Old-2-1.json (id 2)
  # CLOSED usernameAttributeProvider: people had names that only this service knew them by, made with a salt.
  #   pairwise_id makes such names too, but OTHER ones: NOBODY KEEPS THEIR ACCOUNT at the application. Enable the
  #   entry only if the application can start anew, or once its accounts have been given the new names
  - id: old
    name: Old
    url: https://old.example.edu/**
    enabled: false
    disabled_reason: This application is being moved to a new sign-in server.
    pairwise_id: true

  # From Mobile-3-2.json (id 3): no entry for 'Mobile'
  # LOOK @class: signs in by OpenID Connect, which is not spoken here
"""


def test_registry_reads_as_if_a_person_had_written_it():
    text = registry_text(taken_over(*SERVICES).drafts, "Apereo CAS")
    assert re.sub(r"(# From .*?), [0-9a-f]{12}", r"\1", text[text.index("services:") :]) == REGISTRY
    assert text.startswith("# yaml-language-server: $schema=docs/registry.schema.json\n")
    assert read_registry(text.encode(), "registry.yaml", None).registry is not None


def test_report_says_of_each_service_what_became_of_it_and_ends_with_totals():
    result = taken_over(*SERVICES)
    reading = read_registry(registry_text(result.drafts, "x").encode(), "r", None, with_lint=True)
    text = report_text(result, reading.problems)
    assert "Payroll -> payroll    Payroll-1000-0.json (id 1000)" in text
    assert "Old -> old (disabled)    Old-2-1.json (id 2)" in text
    assert "Mobile -> no entry" in text
    assert "  taken     multifactorPolicy.failureMode: fail: closed" in text
    assert "Services: 3. Entries: 2, of which 0 need no look and 1 are closed until somebody decides." in text
    data = report_data(result, reading.problems)
    assert json.loads(json.dumps(data)) == data
    assert data["totals"]["closed_entries"] == 1
    assert [one["id"] for one in data["services"]] == ["payroll", "old", None]


def test_what_the_linter_says_stands_with_its_entry():
    result = taken_over(service(r"^https?://h\.example\.edu/.*", "Plain"))
    reading = read_registry(registry_text(result.drafts, "x").encode(), "r", None, with_lint=True)
    assert "plain http" in report_data(result, reading.problems)["services"][0]["lint"][0]


TEXT = st.text(max_size=20) | st.sampled_from(
    ["no", "1e3", "null", "~", "2026-01-01", "- a", "#x", "a: b", "&a", "!x", "'", '"']
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXT, TEXT, st.lists(TEXT, max_size=3), TEXT)
def test_whatever_names_and_values_hold_the_registry_says_the_same(name, description, values, attribute):
    result = taken_over(
        service(
            name=name,
            description=description,
            accessStrategy={"requiredAttributes": {attribute: values}} if values else None,
            attributeReleasePolicy=typed("ReturnStaticAttributeReleasePolicy", allowedAttributes=by_name(org=values)),
            theme=name,
            **({attribute: 1} if attribute.isidentifier() and not attribute.startswith("_") else {}),
        )
    )
    for draft in result.entries:
        text = registry_text([draft], name.replace("\n", " ") or "x")
        written = parse_yaml(text.partition("services:")[2].join(["services:", ""]).encode(), "r").data["services"][0]
        assert RegisteredService.model_validate(written) == RegisteredService.model_validate(draft.entry)
