from __future__ import annotations

import pytest

from casduo.errors import Problem
from casduo.services.file import read_registry
from casduo.services.lint import COMPARISON_LIMIT


def checked(text: str) -> list[Problem]:
    reading = read_registry(text.encode(), "registry.yaml", None, with_lint=True)
    assert reading.registry is not None, reading.problems
    return list(reading.problems)


def entries(*urls: str | list[str]) -> str:
    """A registry with the services s0, s1, ... in lines 2, 3, ..."""
    written = [url if isinstance(url, list) else f"'{url}'" for url in urls]
    lines = [f"  - {{id: s{number}, name: S, url: {url}}}" for number, url in enumerate(written)]
    return "\n".join(["services:", *lines])


def told(text: str) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.path, problem.message) for problem in checked(text)]


def test_services_with_urls_of_their_own_are_left_alone() -> None:
    text = entries(
        "https://library.example.edu/**",
        "https://wiki.example.edu/**",
        ["https://apps.example.edu/mail/**", "https://apps.example.edu/calendar/**"],
        "https://apps.example.edu:8443/**",
        "https://*.dev.example.edu/**",
    )
    assert told(text) == []


def test_a_special_case_before_the_general_one_is_left_alone() -> None:
    assert told(entries("https://a.example.edu/admin/**", "https://a.example.edu/**", "https://*.example.edu/**")) == []


def test_a_service_behind_a_wider_one_can_never_be_reached() -> None:
    text = entries("https://a.example.edu/**", "https://b.example.edu/**", "https://a.example.edu/admin/**")
    assert told(text) == [
        (4, "services[2]", "the service can never be reached: 's0' (line 2) comes first and matches all of it")
    ]


def test_a_service_behind_a_wildcard_host_can_never_be_reached() -> None:
    assert [path for _, path, _ in told(entries("https://*.example.edu/**", "https://a.example.edu/x"))] == [
        "services[1]"
    ]


def test_the_same_pattern_twice_is_told_once() -> None:
    assert len(told(entries("https://a.example.edu/**", "https://a.example.edu/**"))) == 1


def test_one_unreachable_pattern_of_several_is_named() -> None:
    text = entries("https://a.example.edu/**", ["https://b.example.edu/**", "https://a.example.edu/x"])
    ((line, path, sentence),) = told(text)
    assert (line, path) == (3, "services[1].url[1]")
    assert sentence.startswith("https://a.example.edu/x never gets here: 's0' (line 2)")


def test_the_first_of_several_wider_services_is_named() -> None:
    text = entries("https://a.example.edu/**", "https://*.example.edu/**", "https://a.example.edu/x/**")
    assert "'s0'" in told(text)[0][2]


def test_a_disabled_service_that_hides_another_is_named_as_disabled() -> None:
    text = """\
services:
  - {id: old, name: Old, url: https://a.example.edu/**, enabled: false, disabled_reason: Moved.}
  - {id: new, name: New, url: https://a.example.edu/**}
"""
    ((_, path, sentence),) = told(text)
    assert path == "services[1]"
    assert "'old' (line 2, disabled)" in sentence


def test_patterns_that_cross_are_told() -> None:
    text = entries("https://a.example.edu/*/edit", "https://a.example.edu/wiki/*")
    assert told(text) == [
        (3, "services[1].url", "also matches URLs of 's0' (line 2), which get that service: it comes first")
    ]


def test_patterns_that_cross_on_hosts_are_told() -> None:
    text = entries("https://app-*.example.edu/**", "https://*-test.example.edu/**")
    assert [path for _, path, _ in told(text)] == ["services[1].url"]


def test_two_patterns_of_one_service_may_overlap() -> None:
    assert told(entries(["https://a.example.edu/**", "https://a.example.edu/x", "https://*.example.edu/x"])) == []


@pytest.mark.parametrize("url", ["https://**/**", "https://*/**", "https://*.edu/**", "https://*.ac.uk/**"])
def test_wide_patterns_are_told(url: str) -> None:
    assert [path for _, path, _ in told(entries(url))] == ["services[0].url"]


def test_plain_http_is_told_except_on_this_machine() -> None:
    text = entries(
        "http://a.example.edu/**",
        "http://localhost:8080/**",
        "http://127.0.0.1:8080/**",
        "http://[::1]:8080/**",
        "http://app.localhost/**",
    )
    ((_, path, sentence),) = told(text)
    assert path == "services[0].url"
    assert sentence.startswith("plain http")


def test_regular_expressions_are_told_but_what_they_overlap_is_not_guessed() -> None:
    text = entries(
        "https://a.example.edu/**", "regex:https://[a-z]\\.example\\.edu/x", "regex:https://[a-f]\\.example\\.edu/y"
    )
    assert [path for _, path, _ in told(text)] == ["services[1].url", "services[2].url"]


def test_the_same_regular_expression_twice_is_told() -> None:
    pattern = "regex:https://a-[0-9]+\\.example\\.edu/x"
    assert "services[1]" in [path for _, path, _ in told(entries(pattern, pattern))]


def test_a_reason_without_being_disabled_is_told() -> None:
    text = "services: [{id: a, name: A, url: https://a.example.edu/**, disabled_reason: Moved.}]"
    assert told(text) == [(1, "services[0].disabled_reason", "has no effect while the service is enabled")]


def entry(keys: str) -> str:
    return f"services: [{{id: a, name: A, url: https://a.example.edu/**, {keys}}}]"


@pytest.mark.parametrize(
    "attributes",
    [
        "[memberOf, mail]",
        "{mail: contact}",
        "{contact: mail}",
        "{who: 'cn;lang-de'}",
        "{who: EDUPERSONPRINCIPALNAME}",
        "{uid: {from: mail, match: '(.+)@.+', replace: '\\1'}}",
        "{who: {from: uid, match: 'a.*'}}",
        "[clientIpAddress]",
    ],
)
def test_a_pairwise_id_beside_what_tells_who_it_is_is_told(attributes: str) -> None:
    ((_, path, sentence),) = told(entry(f"pairwise_id: true, attributes: {attributes}"))
    assert path.startswith("services[0].attributes.")
    assert "which pairwise_id is there to hide" in sentence
    assert told(entry(f"attributes: {attributes}")) == []


@pytest.mark.parametrize(
    "attributes",
    [
        "[memberOf, affiliation]",
        "{cn: {static: Somebody}}",
        "{domain: {from: mail, match: '.+@(.+)', replace: '\\1'}}",
    ],
)
def test_a_pairwise_id_beside_what_many_share_is_left_alone(attributes: str) -> None:
    assert told(entry(f"pairwise_id: true, attributes: {attributes}")) == []


def test_everything_is_a_warning() -> None:
    text = entries("http://*/**", "https://a.example.edu/**", "https://a.example.edu/**")
    assert {problem.level for problem in checked(text)} == {"warning"}


def test_keys_without_an_effect_are_noted_where_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casduo.services.lint.NOT_YET_IN_FORCE", ("channel", "requires_duo.max_age", "target"))
    text = """\
services:
  - id: a
    name: A
    url: https://a.example.edu/**
    channel: browser
    target: {host: wiki}
    requires_duo: {mode: report, max_age: 8h}
"""
    problems = checked(text)
    assert {problem.level for problem in problems} == {"note"}
    assert [(problem.line, problem.path) for problem in problems] == [
        (6, "services[0].target"),
        (7, "services[0].requires_duo.max_age"),
    ]


def test_many_services_on_one_host_are_compared_by_their_paths() -> None:
    text = entries(
        *[f"https://apps.example.edu/app{number}/**" for number in range(3000)], "https://apps.example.edu/app7/x"
    )
    assert [path for _, path, _ in told(text)] == ["services[3000]"]


def test_deep_paths_are_found_below_and_above() -> None:
    text = entries(
        "https://a.example.edu/x/y/**",
        "https://*.example.edu/x/y/z/*",
        "https://a.example.edu/x/*/q",
        "https://a.example.edu/x",
    )
    assert [path for _, path, _ in told(text)] == ["services[1].url", "services[2].url"]


def test_too_many_pairs_are_not_compared_and_that_is_said() -> None:
    count = int((2 * COMPARISON_LIMIT) ** 0.5) + 10
    text = entries(*[f"https://app{number}-*.example.edu/**" for number in range(count)])
    ((_, path, sentence),) = told(text)
    assert path == "services"
    assert "the rest was not compared" in sentence
