"""Service patterns of django-cas-server and services of django-mama-cas as entries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from casduo.importing.django_cas_server import FIELDS as DJANGO_FIELDS
from casduo.importing.django_cas_server import import_django_cas_server
from casduo.importing.mama_cas import import_mama_cas
from casduo.importing.options import Options
from casduo.services.model import RegisteredService

# What "manage.py dumpdata cas_server" of django-cas-server 3.1 wrote.
DUMP = Path(__file__).parent / "data" / "django-cas-server.json"


def kinds(draft):
    return {(finding.kind, finding.field) for finding in draft.findings}


def test_dump_of_django_cas_server():
    result = import_django_cas_server("dump.json", DUMP.read_bytes())
    strange, payroll, mail = result.drafts
    assert strange.entry == {
        "id": "strange",
        "name": "Strange",
        "url": "https://strange.example.edu:*/**",
        "enabled": False,
        "disabled_reason": "This application is being moved to a new sign-in server.",
        "logout": {"type": "none"},
    }
    assert {("closed", "pattern"), ("closed", "filters")} <= kinds(strange)
    assert payroll.entry == {
        "id": "payroll",
        "name": "Payroll",
        "url": "https://payroll.example.edu/**",
        "enabled": False,
        "disabled_reason": "This application is being moved to a new sign-in server.",
        "attributes": {"email": "mail", "groups": {"from": "groups", "match": "^(.*)-all$", "replace": r"\1"}},
        "username_attribute": "mail",
        "access": {"attributes": {"affiliation": ["staff", "faculty"]}},
        "logout": {"url": "https://payroll.example.edu/slo"},
        "proxy": {"allow": True, "callback": "https://payroll.example.edu/**", "targets": ["mail-example-edu"]},
    }
    assert {("closed", "restrict_users"), ("lost", "replacements")} <= kinds(payroll)
    assert mail.entry["url"] == "https://mail.example.edu:*/**"
    assert ("lost", "attributs") in kinds(mail)
    for draft in result.drafts:
        RegisteredService.model_validate(draft.entry)
    assert "s3cr3tsessionkey" not in repr(result)


def test_people_let_in_by_name_and_all_attributes_can_be_answered():
    options = Options(all_attributes=("mail", "cn"), username_attribute="uid")
    _, payroll, mail = import_django_cas_server("dump.json", DUMP.read_bytes(), options).drafts
    assert payroll.entry["access"]["attributes"]["uid"] == ["ada", "grace"]
    assert not payroll.closed
    assert mail.entry["attributes"] == ["mail", "cn"]


def test_every_field_of_the_dump_is_known():
    rows = json.loads(DUMP.read_text())
    fields = {key for row in rows if row["model"] == "cas_server.servicepattern" for key in row["fields"]}
    assert fields == set(DJANGO_FIELDS) - {"usernames", "attributs", "replacements", "filters"}


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"{}",
        b'[{"model": "auth.user", "fields": {}}]',
        b'[{"model": "cas_server.servicepattern", "fields": 5}]',
        b'[{"model": "cas_server.servicepattern", "pk": 1, "fields": {}}, '
        b'{"model": "cas_server.username", "fields": {"service_pattern": 2, "value": "ada"}}]',
        b'[{"model": "cas_server.servicepattern", "pk": 1, "fields": {"pattern": "^https://a/"}}, '
        b'{"model": "cas_server.filterattributvalue", "pk": 1, "fields": null}]',
        b'[{"model": "cas_server.servicepattern", "pk": 1, "fields": {"pattern": "^https://a/"}}, 5]',
        b'[{"model": "cas_server.servicepattern", "pk": 1, "fields": {"pattern": "^https://a/"}}, '
        b'{"model": "cas_server.servicepattern", "pk": 1, "fields": {"pattern": "^https://b/"}}]',
        b"nothing",
        b"\xff",
    ],
)
def test_what_is_no_dump_is_refused(content):
    result = import_django_cas_server("dump.json", content)
    assert result.drafts == ()
    assert result.problems


SETTINGS = rb"""
import os
SECRET_KEY = os.environ["X"]
MAMA_CAS_SERVICES = [
    {
        'SERVICE': r'^https://[^\.]+\.example\.com',
        'CALLBACKS': ['mama_cas.callbacks.user_name_attributes'],
        'LOGOUT_ALLOW': True,
        'LOGOUT_URL': 'https://www.example.com/logout',
        'PROXY_ALLOW': True,
        'PROXY_PATTERN': r'^https://proxy\.example\.com',
    },
    {'SERVICE': r'^https://wiki\.example\.com/', 'LOGOUT_ALOW': True},
    {'SERVICE': 5},
]
raise SystemExit("never run")
"""


def test_settings_of_mama_cas_are_read_and_never_run():
    result = import_mama_cas("settings.py", SETTINGS)
    first, second = result.drafts
    # The beginning of an address was enough; without a slash that could have been the beginning of a host, too.
    assert first.entry["url"] == r"regex:https://[^\.]+\.example\.com.*(:\d+)?/.*"
    assert first.entry["logout"] == {"url": "https://www.example.com/logout"}
    assert first.entry["proxy"] == {"allow": True, "callback": "https://proxy.example.com:*/**"}
    assert ("lost", "CALLBACKS") in kinds(first)
    assert second.entry["url"] == "https://wiki.example.com/**"
    assert second.entry["logout"] == {"type": "none"}
    assert "proxy" not in second.entry
    assert "did you mean 'LOGOUT_ALLOW'" in second.of("lost")[0].sentence
    assert [problem.path for problem in result.problems] == ["MAMA_CAS_SERVICES[2]"]


def test_older_settings_and_json():
    old = b"MAMA_CAS_VALID_SERVICES = (r'https?://www\\.example\\.com/',)\nMAMA_CAS_ENABLE_SINGLE_SIGN_OUT = True\n"
    (draft,) = import_mama_cas("settings.py", old).drafts
    assert draft.entry["url"] == ["http://www.example.com/**", "https://www.example.com/**"]
    assert "logout" not in draft.entry
    (draft,) = import_mama_cas("s.json", b'[{"SERVICE": "^https://a\\\\.example\\\\.com/"}]').drafts
    assert draft.entry["id"] == "a-example-com"
    assert import_mama_cas("s.py", b"[{'SERVICE': '^https://a/'}]").drafts


@pytest.mark.parametrize(
    "content",
    [
        b"MAMA_CAS_SERVICES = load()",
        b"MAMA_CAS_SERVICES = [{'SERVICE': PREFIX + '/x'}]",
        b"MAMA_CAS_SERVICES = []\nMAMA_CAS_SERVICES += [1]",
        b"MAMA_CAS_SERVICES = [{'SERVICE': '^https://a/'}]\nMAMA_CAS_SERVICES.append(more)",
        b"MAMA_CAS_SERVICES = [{'SERVICE': '^https://a/'}]\nMAMA_CAS_SERVICES[0]['SERVICE'] = 'b'",
        b"A, MAMA_CAS_SERVICES = 1, [{'SERVICE': '^https://a/'}]",
        b"if DEBUG:\n    MAMA_CAS_SERVICES = [{'SERVICE': 'x'}]",
        b"MAMA_CAS_SERVICES = [{'SERVICE': 'x'}]\nMAMA_CAS_SERVICES = [{'SERVICE': 'y'}]",
        b"MAMA_CAS_SERVICES = []",
        b"X = 1",
        b"def f(:",
        b"(" * 50_000,
        b"-" * 100_000 + b"1",
        b"MAMA_CAS_SERVICES = " + b"[" * 150 + b"]" * 150,
        b"\0",
    ],
)
def test_settings_that_cannot_be_known_without_running_them_are_refused(content):
    result = import_mama_cas("settings.py", content)
    assert not any(draft.entry for draft in result.drafts)
    assert result.problems


def test_what_goes_without_effect_is_named_all_the_same():
    settings = b"""MAMA_CAS_TICKET_EXPIRE = 90
MAMA_CAS_SERVICES = [{'SERVICE': r'^https://a\\.edu/', 'LOGOUT_URL': 'https://a.edu/x', 'PROXY_ALLOW': False,
                      'PROXY_PATTERN': '^https://a'}]
"""
    result = import_mama_cas("settings.py", settings)
    assert {("left_out", "LOGOUT_URL"), ("left_out", "PROXY_PATTERN")} <= kinds(result.drafts[0])
    assert [(problem.path, problem.level) for problem in result.problems] == [("MAMA_CAS_TICKET_EXPIRE", "note")]
    assert result.complete
    row = {"pattern": "^https://a\\.edu/", "single_log_out_callback": "https://a.edu/x"}
    rows = [
        {"model": "cas_server.servicepattern", "pk": 1, "fields": row},
        {"model": "cas_server.username", "pk": 1, "fields": {"service_pattern": 1, "value": "ada"}},
        {"model": "cas_server.replaceattributvalue", "pk": 1, "fields": {"service_pattern": 1, "attribut": "mail"}},
        {"model": "cas_server.federatediendityprovider", "pk": 1, "fields": {}},
    ]
    result = import_django_cas_server("dump.json", json.dumps(rows).encode())
    told = {("left_out", "single_log_out_callback"), ("left_out", "usernames"), ("left_out", "replacements")}
    assert told <= kinds(result.drafts[0])
    assert "signed in at instead" in result.problems[0].message


def test_services_of_a_backend_are_missed_aloud():
    settings = SETTINGS + b"MAMA_CAS_SERVICE_BACKENDS = ['example.Backend']\n"
    assert any("example.Backend" in problem.message for problem in import_mama_cas("settings.py", settings).problems)
