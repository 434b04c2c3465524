from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.errors import SettingsError
from casduo.services.file import check_registry, load_registry, read_registry, registry_version
from casduo.services.urls import parse_service
from casduo.settings import Settings

Write = Callable[[str], Path]

DUO = {
    "api_host": "api-12345678.duosecurity.com",
    "universal": {"client_id": "DI01234567890123456X", "client_secret": "0123456789012345678901234567890123456789"},
    "applications": {"hr": {"fail": "open"}},
}
USERS = {"type": "users_file", "name": "local", "path": "users.yaml"}


@pytest.fixture
def registry_file(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "registry.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def made(**sections: Any) -> Settings:
    return Settings.model_validate(sections)


def told(text: str, with_settings: Settings | None = None) -> list[tuple[int, str, str]]:
    reading = read_registry(text.encode(), "registry.yaml", with_settings)
    assert (reading.registry is None) == bool(reading.problems)
    return [(problem.line, problem.path, problem.message) for problem in reading.problems]


def test_a_registry_is_loaded(registry_file: Write) -> None:
    path = registry_file("services:\n  - {id: wiki, name: Wiki, url: https://wiki.example.edu/**}\n")
    registry = load_registry(path, None)
    found = registry.find(parse_service("https://wiki.example.edu/page"))
    assert found is not None
    assert found.id == "wiki"
    assert registry.version == registry_version(path.read_bytes())


def test_a_registry_may_be_empty_but_must_say_so() -> None:
    assert told("services: []") == []
    assert "is empty" in told("")[0][2]
    assert "is empty" in told("# nothing yet\n")[0][2]
    assert told("services:\n")[0][2] == "must be a list ('- id: ...')"
    assert told("- id: a")[0][2] == "must begin with 'services:'"
    assert told("{}")[0] == (1, "services", "is missing")
    assert [problem[1:] for problem in told("servcies: []")] == [
        ("servcies", "unknown key, did you mean 'services'?"),
        ("services", "is missing"),
    ]


def test_every_problem_is_told_at_once() -> None:
    text = """\
services:
  - id: library
    name: Library
    url: https://library.example.edu/**
    atributes: [mail]
  - id: library
    name: Library again
    url: library.example.edu
  - not a mapping
  - id: payroll
    url: https://payroll.example.edu/**
    requires_duo: {fial: open, max_age: soon}
    access: {networks: [10.1.2.3/8]}
    attributes: [mail, user, "cn;lang-de"]
more: 1
"""
    found = told(text)
    assert [(line, path) for line, path, _ in found] == [
        (5, "services[0].atributes"),
        (6, "services[1].id"),
        (8, "services[1].url"),
        (9, "services[2]"),
        (10, "services[3].name"),
        (12, "services[3].requires_duo.fial"),
        (12, "services[3].requires_duo.max_age"),
        (13, "services[3].access.networks[0]"),
        (14, "services[3].attributes[1]"),
        (14, "services[3].attributes[2]"),
        (15, "more"),
    ]
    sentences = {path: sentence for _, path, sentence in found}
    assert sentences["services[0].atributes"] == "unknown key, did you mean 'attributes'?"
    assert sentences["services[1].id"] == "'library' is used twice, first in line 2"
    assert sentences["services[3].requires_duo.fial"] == "unknown key, did you mean 'fail'?"


def test_a_union_is_told_in_one_sentence() -> None:
    text = "services:\n  - {id: a, name: A, url: https://a.example.edu/**, requires_duo: %s}\n"
    sentence = "must be true, false or a mapping such as {max_age: 8h}"
    assert told(text % "maybe") == [(2, "services[0].requires_duo", sentence)]
    text = "services:\n  - {id: a, name: A, url: https://a.example.edu/**, attributes: %s}\n"
    assert told(text % "mail") == [(2, "services[0].attributes", "must be a mapping (key: value)")]
    assert [problem[1] for problem in told(text % "{mail: [a, b]}")] == ["services[0].attributes.mail"]


def test_a_list_of_urls_is_told_by_entry_and_a_single_one_by_key() -> None:
    assert told("services: [{id: a, name: A, url: [https://a.example.edu/**, x]}]")[0][1] == "services[0].url[1]"
    assert told("services: [{id: a, name: A, url: x}]")[0][1] == "services[0].url"


def test_keys_for_anchors_are_left_alone() -> None:
    text = """\
x-staff: &staff {access: {groups: [staff]}, attributes: [mail]}
services:
  - {<<: *staff, id: a, name: A, url: https://a.example.edu/**}
"""
    reading = read_registry(text.encode(), "r", None)
    assert reading.registry is not None
    assert reading.registry.services[0].access.groups == ("staff",)


def test_references_to_the_settings_are_checked() -> None:
    text = """\
services:
  - {id: a, name: A, url: https://a.example.edu/**, authentication: [locla, campus]}
  - {id: b, name: B, url: https://b.example.edu/**, requires_duo: {application: HR}}
  - {id: c, name: C, url: https://c.example.edu/**, proxy: {targets: [aa, b]}}
"""
    assert [path for _, path, _ in told(text)] == ["services[2].proxy.targets"]
    settings = made(duo=DUO, authentication=[USERS])
    assert told(text, settings) == [
        (2, "services[0].authentication", "the settings have no handler 'campus'"),
        (2, "services[0].authentication", "the settings have no handler 'locla', did you mean 'local'?"),
        (3, "services[1].requires_duo.application", "the settings have no Duo application 'HR', did you mean 'hr'?"),
        (4, "services[2].proxy.targets", "there is no service 'aa', did you mean 'a'?"),
    ]


def test_duo_without_settings_for_it_is_refused() -> None:
    text = "services: [{id: a, name: A, url: https://a.example.edu/**, requires_duo: true}]"
    assert told(text, made(duo=DUO)) == []
    assert told(text, made()) == [
        (1, "services[0].requires_duo", "Duo is required, but the settings have no section 'duo'")
    ]


def test_dates_are_meant_in_the_zone_of_the_settings() -> None:
    text = b"services: [{id: a, name: A, url: https://a.example.edu/**, access: {from: 2026-01-01}}]"
    reading = read_registry(text, "r", made(server={"time_zone": "Europe/Berlin"}))
    assert reading.registry is not None
    start = reading.registry.services[0].access.from_
    assert start is not None
    assert start.isoformat() == "2026-01-01T00:00:00+01:00"


def test_syntax_errors_in_several_entries_are_told(registry_file: Write) -> None:
    path = registry_file("services:\n  - id: a\n    name: 'A\n  - id: b\n    url: [x\n")
    with pytest.raises(SettingsError) as caught:
        load_registry(path, None)
    assert [problem.line for problem in caught.value.problems] == [3, 5]


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_registry(tmp_path / "registry.yaml", None)
    assert [problem.message for problem in check_registry(tmp_path / "registry.yaml", None)] == [
        "cannot be read: No such file or directory"
    ]


def test_a_check_adds_warnings_and_notes_that_do_not_stop_loading(
    registry_file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casduo.services.lint.NOT_YET_IN_FORCE", ("warn",))
    path = registry_file("services: [{id: a, name: A, url: 'http://a.example.edu/**', warn: true}]")
    assert [problem.level for problem in check_registry(path, None)] == ["warning", "note"]
    assert load_registry(path, None).services[0].id == "a"


def test_ten_thousand_services_are_read_in_one_piece() -> None:
    entries = "".join(
        f"  - {{id: s{n}, name: S, url: https://s{n}.example.edu/**, requires_duo: true}}\n" for n in range(10_000)
    )
    reading = read_registry(f"services:\n{entries}".encode(), "r", None, with_lint=True)
    assert reading.problems == ()
    assert reading.registry is not None
    assert len(reading.registry.services) == 10_000


_words = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["a", "https://a.example.edu/**", "https://*/**", "regex:https://a/.*", "8h", "2026-01-01", "*"]),
)
_keys = st.one_of(
    st.text(max_size=4),
    st.sampled_from(
        (
            *(
                "id",
                "name",
                "url",
                "requires_duo",
                "when",
                "groups",
                "attributes",
                "networks",
                "access",
                "from",
                "until",
            ),
            *(
                "proxy",
                "callback",
                "allow",
                "logout",
                "type",
                "description",
                "de",
                "multivalue",
                "static",
                "match",
                "replace",
            ),
            *("username_attribute", "x-y"),
        )
    ),
)
_values = st.recursive(
    _words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=5), max_leaves=15
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.dictionaries(_keys, _values, max_size=8) | _values, max_size=4))
def test_no_input_makes_reading_fail_otherwise_than_by_problems(services: list[object]) -> None:
    with_settings = made(duo=DUO, authentication=[USERS])
    for content in (json.dumps({"services": services}), json.dumps(services)):
        reading = read_registry(content.encode(), "r", with_settings, with_lint=True)
        errors = [problem for problem in reading.problems if problem.level == "error"]
        assert (reading.registry is None) == bool(errors)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_no_bytes_make_reading_fail_otherwise_than_by_problems(content: bytes) -> None:
    for text in (content, b"services:\n  - " + content, b"services: [" + content + b"]"):
        reading = read_registry(text, "r", None, with_lint=True)
        assert reading.registry is not None or reading.problems
