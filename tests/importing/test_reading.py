"""Files of other servers that are hostile or broken: a clear error for each, and the others are read all the same."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casduo.errors import SettingsError
from casduo.importing.apereo import import_apereo
from casduo.importing.apereo_fields import TABLES
from casduo.importing.document import registry_text
from casduo.importing.reading import read_json, read_yaml
from casduo.services.file import read_registry
from tests.importing.apereo_files import service

BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%s: &%s [*%s, *%s, *%s, *%s, *%s, *%s, *%s, *%s, *%s]\n" % ((name, name) + (before,) * 9)
    for name, before in zip(
        (b"b", b"c", b"d", b"e", b"f", b"g", b"h"), (b"a", b"b", b"c", b"d", b"e", b"f", b"g"), strict=True
    )
)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("big.json", b"[" + b" " * 5_000_000 + b"]", "larger than 5 MB"),
        ("deep.json", b'{"a":' * 3_000 + b"1" + b"}" * 3_000, "deeper"),
        ("deeper.json", b"[" * 1_000_000, "deeper"),
        ("deep.hjson.json", b"{a:" * 3_000, "deeper"),
        ("deep.yml", b"[" * 300, "deeper"),
        ("bomb.yml", BOMB, "holds more than"),
        ("itself.yml", b"&a [*a]", "not defined above"),
        ("nul.json", b'{"serviceId": "x\0y"}', "control character U+0000"),
        ("escape.json", b'{"serviceId": "^https://a/.*", "name": "\\u0007"}', "U+0007"),
        ("half.json", b'{"serviceId": "^https://a/.*", "\\ud800": 1}', "U+D800"),
        ("latin.json", b'{\n"name": "Universit\xe9"}', ":2:19: error: byte 0xE9 is not UTF-8"),
        ("utf16.json", '{"serviceId": "x"}'.encode("utf-16"), "not UTF-8"),
        ("broken.json", b'{"serviceId": "x"', "not JSON"),
        ("comment.json", b"{ /* no end", "not JSON"),
        ("number.json", b'{"id": ' + b"9" * 10_000 + b"}", "not JSON"),
        ("twice.json", b'{"serviceId": "^https://a/.*", "serviceId": "^https://b/.*"}', "written twice"),
        ("twice.yml", b"serviceId: a\nserviceId: b\n", "written twice"),
        ("key.yml", b"[a, b]: c\n", "key must be plain text"),
        ("broken.yml", b"a: [", "not YAML"),
        ("empty.json", b"", "no serviceId"),
        ("empty.yml", b"", "holds no service"),
        ("other.json", b'{"name": "package.json"}', "no serviceId"),
        ("list.json", b"[1]", "no serviceId"),
        ("types.json", b'{"serviceId": ["a"], "name": "x"}', "no serviceId"),
    ],
)
def test_bad_file_is_refused_with_a_sentence_and_the_others_are_read(name, content, words):
    start = time.process_time()
    result = import_apereo([(name, content), ("good.json", json.dumps(service()).encode())])
    assert [draft.entry["id"] for draft in result.drafts] == ["app"]
    (problem,) = result.problems
    assert name in str(problem)
    assert words in str(problem)
    assert time.process_time() - start < 30


def test_tags_construct_nothing():
    text = "!!python/object/apply:os.system ['false']\n"
    assert read_yaml(text, "x.yml") == [["false"]]
    assert read_yaml("!<java.lang.ProcessBuilder> {a: !!python/name:os.system x}", "x.yml") == [
        {"@class": "java.lang.ProcessBuilder", "a": "x"}
    ]


def test_hjson_as_people_write_it():
    assert read_json("{\n# one\n// two\n/* three */\na: 1,\nb: 'it',\nc: [1, 2,],\n}", "x") == {
        "a": 1,
        "b": "it",
        "c": [1, 2],
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"accessStrategy": 5, "multifactorPolicy": "x", "attributeReleasePolicy": [], "usernameAttributeProvider": 1},
        {"properties": {"requiresDuo": {"values": {"values": []}}}, "contacts": {"a": 1}, "logoutUrl": {}, "logo": []},
        {"name": {"a": 1}, "id": "not a number", "evaluationOrder": [], "description": 7.5},
        {"@class": 7, "matchingStrategy": [], "supportedProtocols": {"a": 1}, "responseType": []},
        {"name": "\u202eevil", "description": "a\nb", "theme": "x" * 100_000},
        {"accessStrategy": {"strategies": {"a": 1}, "@class": "x.ChainingRegisteredServiceAccessStrategy"}},
        {"attributeReleasePolicy": {"@class": "x.ChainingAttributeReleasePolicy", "policies": ["a", 1, None]}},
        {"attributeReleasePolicy": {"@class": "x.ChainingAttributeReleasePolicy", "policies": True}},
        {
            "attributeReleasePolicy": {
                "@class": "x.ReturnMappedAttributeReleasePolicy",
                "allowedAttributes": {"a": {"b": 1}},
            }
        },
        {"singleSignOnParticipationPolicy": {"@class": "x.LastUsedTimeX", "timeValue": True, "timeUnit": {}}},
        {
            "usernameAttributeProvider": {
                "@class": "x.PrincipalAttributeRegisteredServiceUsernameProvider",
                "usernameAttribute": "a\nb",
            }
        },
    ],
)
def test_wrong_types_stop_nothing(fields):
    content = json.dumps({**service(), **fields}).encode()
    result = import_apereo([("x.json", content), ("good.json", json.dumps(service(number=2)).encode())])
    assert len(result.drafts) == 2
    assert all(finding.sentence.isprintable() for draft in result.drafts for finding in draft.findings)


@pytest.mark.parametrize(
    "expression",
    [
        "^https://h\\.edu/(a+)+$",
        "^https://h\\.edu/(a|a)*b",
        "(.*)*" * 50,
        "^https://" + "[a-z]*" * 80 + "/",
        "a{1,99999999}",
    ],
)
def test_expressions_that_could_take_forever_are_never_run(expression):
    start = time.process_time()
    fields = {
        "proxyPolicy": {"@class": "x.RegexMatchingRegisteredServiceProxyPolicy", "pattern": expression},
        "accessStrategy": {"requiredAttributes": {"a": [expression]}},
        "attributeReleasePolicy": {"allowedAttributes": ["mail"], "attributeFilter": {"pattern": expression}},
    }
    import_apereo([("x.json", json.dumps(service(expression, **fields)).encode())])
    assert time.process_time() - start < 30


def test_problem_names_the_place():
    with pytest.raises(SettingsError) as refused:
        read_json('{\n  "a": [1, 2\n}', "x.json")
    assert refused.value.problems[0].line == 3


CLASSES = [
    *("DefaultRegisteredServiceAccessStrategy", "TimeBasedRegisteredServiceAccessStrategy"),
    *("ChainingRegisteredServiceAccessStrategy", "HttpRequestRegisteredServiceAccessStrategy"),
    *("DefaultRegisteredServiceMultifactorPolicy", "ReturnAllowedAttributeReleasePolicy"),
    *("ReturnMappedAttributeReleasePolicy", "ChainingAttributeReleasePolicy", "ReturnStaticAttributeReleasePolicy"),
    *("PrincipalAttributeRegisteredServiceUsernameProvider", "RegexMatchingRegisteredServiceProxyPolicy"),
    *("LastUsedTimeRegisteredServiceSingleSignOnParticipationPolicy", "DefaultRegisteredServiceProperty"),
]
NAMES = sorted(
    {name for table in TABLES.values() for name in table} | {"requiresDuo", "values", "mail", "expirationDate", "x"}
)
WORDS = ["", "mfa-duo", "staff", "2026-01-01", "x.*", "HOURS"]
LEAF = st.none() | st.booleans() | st.integers() | st.sampled_from(WORDS)


def members(inner):
    return st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)


def typed(inner):
    return st.builds(lambda kind, named: {"@class": kind, **named}, st.sampled_from(CLASSES), members(inner))


VALUE = st.recursive(
    LEAF | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | members(inner) | typed(inner),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(NAMES), VALUE, max_size=6))
def test_whatever_the_fields_hold_the_registry_can_be_used(fields):
    content = json.dumps({**fields, "serviceId": "^https://a\\.example\\.edu/.*"}).encode()
    result = import_apereo([("x.json", content), ("good.json", json.dumps(service(number=2)).encode())])
    reading = read_registry(registry_text(result.drafts, "x").encode(), "r", None, with_lint=True)
    assert reading.registry is not None, reading.problems
    assert len(reading.registry) == 2 - len(result.problems)
