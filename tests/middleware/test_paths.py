"""Which path demands what; no spelling of a path opens what another spelling closes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.middleware.paths import Access, PathRules, problem_of

RULES = PathRules(
    public=["/static/*", "/healthz", "/größe/*"],
    gateway=["/", "/news/*"],
    protected=["/*"],
    renew=["/pay/*", "/static/private/*"],
)


@pytest.mark.parametrize(
    ("path", "access"),
    [
        ("/", Access.GATEWAY),
        ("/news", Access.GATEWAY),
        ("/news/1", Access.GATEWAY),
        ("/newsletter", Access.PROTECTED),
        ("/static/a.css", Access.PUBLIC),
        ("/static/", Access.PUBLIC),
        ("/static", Access.PUBLIC),
        ("/staticx", Access.PROTECTED),
        ("/healthz", Access.PUBLIC),
        ("/healthz/", Access.PROTECTED),
        ("/HEALTHZ", Access.PROTECTED),
        ("/pay", Access.RENEW),
        ("/pay/now", Access.RENEW),
        ("/static/private/x", Access.RENEW),
        ("", Access.PROTECTED),
        ("/größe/x".encode().decode("latin-1"), Access.PUBLIC),
    ],
)
def test_the_longest_pattern_decides(path: str, access: Access) -> None:
    assert RULES.access(path) is access


@pytest.mark.parametrize(
    "path",
    [
        "/static/../account",
        "/static/%2e%2e/account",
        "/static/%252e%252e/account",
        "/static/..\\account",
        "/static/..;/account",
        "/static/..;x=1/account",
        "/static\\..\\account",
        "/static/a/../../account",
        "/static/%2e%2e%2faccount",
    ],
)
def test_no_detour_through_a_public_path(path: str) -> None:
    assert RULES.access(path) >= Access.PROTECTED


@pytest.mark.parametrize("path", ["//pay", "/./pay", "/x/../pay/now", "/%70ay", "/pay;x", "/pay;x/y", "\\pay"])
def test_other_spellings_of_a_strict_path_are_strict(path: str) -> None:
    assert RULES.access(path) is Access.RENEW


def test_of_equal_patterns_the_stricter_wins() -> None:
    rules = PathRules(public=["/a"], gateway=["/a"], protected=["/a"], renew=[])
    assert rules.access("/a") is Access.PROTECTED


def test_what_no_pattern_names_is_public() -> None:
    assert PathRules(protected=["/admin/*"]).access("/other") is Access.PUBLIC


@given(st.text(st.sampled_from("/.%25ecf;\\ap"), max_size=25))
def test_a_path_that_leads_out_is_never_public(tail: str) -> None:
    assert RULES.access(f"/static/x/../../account/{tail}/../x") >= Access.PUBLIC
    if ".." not in tail and "%" not in tail:
        assert RULES.access(f"/static/../pay/{tail}") is Access.RENEW


@pytest.mark.parametrize("pattern", ["static/*", "/a*", "/*/b", "", "/**"])
def test_other_patterns_are_refused(pattern: str) -> None:
    assert problem_of(pattern)


@pytest.mark.parametrize("pattern", ["/*", "/", "/a", "/a/*", "/a b/*"])
def test_patterns_are_accepted(pattern: str) -> None:
    assert problem_of(pattern) is None
