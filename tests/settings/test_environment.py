from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from casduo.settings import load_settings, read_settings
from casduo.settings.environment import known_variables, variable

Write = Callable[[str], Path]
Problems = Callable[..., dict[str, str]]


def test_a_variable_overrides_the_file(settings_file: Write) -> None:
    path = settings_file("session: {idle: 1h}\nserver: {threads: 4}")
    settings = load_settings(path, {"CASDUO_SESSION__IDLE": "30m", "CASDUO_LOGOUT__FOLLOW_SERVICE": "false"})
    assert settings.session.idle == 1800
    assert settings.server.threads == 4
    assert settings.logout.follow_service is False


def test_variables_need_no_file() -> None:
    settings = load_settings(None, {"CASDUO_SERVER__URL": "https://sso.example.edu/cas", "CASDUO_REGISTRY": "/r.yaml"})
    assert settings.server.url == "https://sso.example.edu/cas"
    assert settings.registry == Path("/r.yaml")


def test_lists_are_written_with_commas_or_as_yaml() -> None:
    assert load_settings(None, {"CASDUO_PAGES__LANGUAGES": "en, de"}).pages.languages == ("en", "de")
    assert load_settings(None, {"CASDUO_PAGES__LANGUAGES": "[en, 'fr']"}).pages.languages == ("en", "fr")
    handlers = "[{type: users_file, path: /users.yaml}]"
    assert load_settings(None, {"CASDUO_AUTHENTICATION": handlers}).handler_names == ("users_file",)


def test_a_number_picks_an_entry_of_the_file(settings_file: Write) -> None:
    path = settings_file("authentication:\n  - {type: ldap, servers: ldaps://h, base: dc=x, bind_dn: cn=a}")
    settings = load_settings(path, {"CASDUO_AUTHENTICATION__0__BIND_PASSWORD": "hunter2"})
    assert settings.authentication[0].bind_password.get_secret_value() == "hunter2"  # type: ignore[union-attr]


def test_an_entry_that_the_file_does_not_have_is_refused(problems_in: Problems) -> None:
    problems = problems_in("", CASDUO_AUTHENTICATION__0__BIND_PASSWORD="hunter2")
    assert "there is no such setting" in problems[""]
    assert "hunter2" not in str(problems)


def test_a_named_section_is_made_if_the_file_does_not_have_it(settings_file: Write, duo_section: str) -> None:
    settings = load_settings(settings_file(duo_section), {"CASDUO_DUO__APPLICATIONS__HR__FAIL": "open"})
    assert settings.duo is not None
    assert settings.duo.applications["hr"].fail == "open"


def test_a_variable_without_a_value_counts_as_not_set() -> None:
    assert load_settings(None, {"CASDUO_REDIS__URL": "", "CASDUO_NO__SUCH": ""}).redis.url is None


def test_a_misspelt_variable_is_refused_with_the_right_name() -> None:
    settings, problems = read_settings(None, {"CASDUO_DUO__FIAL": "open"})
    assert settings is None
    assert [str(problem) for problem in problems] == [
        "environment variable CASDUO_DUO__FIAL: error: there is no such setting, did you mean 'CASDUO_DUO__FAIL'?"
    ]


def test_one_underscore_too_few_is_warned_of() -> None:
    settings, problems = read_settings(None, {"CASDUO_REDIS_URL": "redis://h"})
    assert settings is not None
    assert "did you mean 'CASDUO_REDIS__URL'?" in problems[0].message


def test_variables_that_an_orchestrator_sets_are_left_alone() -> None:
    environ = {"CASDUO_PORT": "tcp://10.0.0.1:80", "CASDUO_SERVICE_HOST": "10.0.0.1", "CASDUO_CONFIG": "x.yaml"}
    assert read_settings(None, environ)[1] == []


def test_a_section_cannot_be_set_as_a_whole() -> None:
    settings, problems = read_settings(None, {"CASDUO_SERVER": "sso"})
    assert settings is not None
    assert "set its keys, CASDUO_SERVER__..." in problems[0].message
    settings, problems = read_settings(None, {"CASDUO_DUO__UNIVERSAL": "x"})
    assert settings is None
    assert "is a section" in problems[0].message


def test_a_bad_value_is_told_with_its_variable() -> None:
    _, problems = read_settings(None, {"CASDUO_SERVER__THREADS": "many"})
    assert str(problems[0]) == (
        "environment variable CASDUO_SERVER__THREADS: error: server.threads: must be a whole number, not 'many'"
    )


@pytest.mark.parametrize("value", ["[en", "[en, \udc80]", "{"])
def test_a_list_that_is_not_yaml_is_told_without_its_value(value: str) -> None:
    settings, problems = read_settings(None, {"CASDUO_PREVIOUS_SECRET_KEYS": value})
    assert settings is None
    assert problems
    assert "[en" not in str(problems)


def test_a_file_of_another_shape_does_not_break_the_overlay(problems_in: Problems) -> None:
    problems = problems_in("server: [1]\nduo: text\nauthentication: text", CASDUO_SERVER__URL="https://sso.example.edu")
    assert "duo" in problems
    assert "authentication" in problems


def test_every_variable_leads_to_its_setting() -> None:
    names = list(known_variables())
    assert len(names) > 60
    assert variable(("server", "url")) in names
    for name in names:
        _, problems = read_settings(None, {name: "\x01"})
        assert not any("no such setting" in problem.message for problem in problems), name
