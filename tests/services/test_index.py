"""The registry: which service has a URL, as a linear search would find it, only faster."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from functools import partial
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.services.patterns import compile_pattern
from casduo.services.urls import parse_service


def service(name: str, *urls: str, **more: Any) -> RegisteredService:
    return RegisteredService.model_validate({"id": name, "name": name, "url": urls, **more})


def registry(*services: RegisteredService) -> Registry:
    return Registry(services, "test")


def found(services: Registry, url: str) -> str | None:
    entry = services.find(parse_service(url))
    return entry.id if entry else None


def calls(function: Callable[[], object]) -> int:
    """How many Python functions run: what a search costs, whatever the machine."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    # What others left behind has functions of its own to say goodbye with.
    gc.disable()
    sys.setprofile(counted)
    try:
        function()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


LIBRARY = service("library", "https://library.example.edu/**", "https://opac.example.edu/**")
PAYROLL = service("payroll", "https://payroll.example.edu/**", enabled=False)
WIKIS = service("wikis", "https://*.wiki.example.edu/**")
DEPARTMENTS = service("departments", r"regex:https://dept-[0-9]+\.example\.edu(:\d+)?/.*")
EVERYTHING = service("everything", "https://*.example.edu/**")
CAMPUS = registry(LIBRARY, PAYROLL, WIKIS, DEPARTMENTS, EVERYTHING)


class TestFind:
    @pytest.mark.parametrize(
        ("url", "name"),
        [
            ("https://library.example.edu/a", "library"),
            ("https://opac.example.edu", "library"),
            ("https://maths.wiki.example.edu/Start", "wikis"),
            ("https://dept-7.example.edu:8443/a?b", "departments"),
            ("https://dept-x.example.edu/", "everything"),
            ("https://a.b.example.edu/", None),
            ("http://library.example.edu/", None),
            ("https://library.example.edu.evil.test/", None),
        ],
    )
    def test_the_first_match_in_file_order(self, url: str, name: str | None) -> None:
        assert found(CAMPUS, url) == name

    def test_a_wide_entry_hides_what_comes_after_it(self) -> None:
        assert found(registry(EVERYTHING, LIBRARY), "https://library.example.edu/") == "everything"

    def test_a_disabled_service_keeps_its_urls(self) -> None:
        entry = CAMPUS.find(parse_service("https://payroll.example.edu/slip"))
        assert entry is PAYROLL
        assert not entry.enabled

    def test_a_narrow_path_before_a_wide_one(self) -> None:
        services = registry(
            service("admin", "https://h.example.edu/a/admin/**"),
            service("login", "https://h.example.edu/*/login"),
            service("app", "https://h.example.edu/a/**"),
            service("root", "https://h.example.edu"),
            service("rest", "https://h.example.edu/**"),
        )
        base = "https://h.example.edu"
        assert found(services, f"{base}/a/admin") == "admin"
        assert found(services, f"{base}/a/login") == "login"
        assert found(services, f"{base}/a/administration") == "app"
        assert found(services, f"{base}/") == "root"
        assert found(services, f"{base}//") == "rest"

    def test_an_empty_registry_knows_nothing(self) -> None:
        assert registry().find(parse_service("https://h.example.edu/")) is None
        assert not registry().knows_host("h.example.edu")
        assert registry().schemes == {"http", "https"}

    @pytest.mark.parametrize(
        "pattern",
        [
            "https://app-{}.example.edu/**",
            "https://*.dept-{}.example.edu/**",
            "https://gateway.example.edu/targets/system-{}",
            "https://gateway.example.edu/targets/system-{}/**",
        ],
    )
    def test_ten_thousand_services_cost_as_much_as_ten(self, pattern: str) -> None:
        def cost(size: int) -> list[int]:
            last = service("last", "https://last.example.edu/**")
            services = registry(*(service(f"s{n}", pattern.format(n)) for n in range(size)), last)
            urls = [
                pattern.format(size - 1).replace("*.", "a.").replace("**", "x"),
                "https://last.example.edu/a",
                "https://h/",
            ]
            return [calls(partial(services.find, parse_service(url))) for url in urls]

        assert cost(10_000) == cost(10)


SERVICES = st.lists(
    st.tuples(
        st.lists(
            st.builds(
                lambda host, path: f"https://{host}{path}",
                st.sampled_from(["a.x.edu", "b.x.edu", "*.x.edu", "a.*.edu", "*.*.edu", "x.edu", "**", "a*.x.edu"]),
                st.sampled_from(
                    ["", "/", "/**", "/a", "/a/", "/a/**", "/a/b", "/*/b", "/a/*", "/a/b/**", "/**/b", "/?q=1"]
                ),
            )
            | st.sampled_from(
                [r"regex:https://a\.x\.edu/a/.*", r"regex:https://[ab]\.x\.edu/.*", r"regex:https://.+\.edu/a/b"]
            ),
            min_size=1,
            max_size=3,
        ),
        st.booleans(),
    ),
    max_size=12,
)
URLS = st.builds(
    lambda host, path: f"https://{host}{path}",
    st.sampled_from(["a.x.edu", "b.x.edu", "c.x.edu", "a.y.edu", "x.edu", "a.b.x.edu", "edu", "10.0.0.1", "[::1]"]),
    st.sampled_from(["", "/", "//", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c", "/b", "/c/b", "/ab", "/?q=1", "/a?q=1"]),
)


def linear(services: Sequence[RegisteredService], url: str) -> RegisteredService | None:
    for entry in services:
        if any(compile_pattern(text).matches(parse_service(url)) for text in entry.urls):
            return entry
    return None


@settings(deadline=None)
@given(SERVICES, st.lists(URLS, min_size=1, max_size=10))
def test_finds_what_a_linear_search_finds(rows: list[tuple[list[str], bool]], urls: list[str]) -> None:
    services = [service(f"s{number}", *texts, enabled=enabled) for number, (texts, enabled) in enumerate(rows)]
    index = registry(*services)
    for url in urls:
        expected = linear(services, url)
        assert index.find(parse_service(url)) is expected
        assert [note.service for note in index.explain(parse_service(url)) if note.chosen] == (
            [expected] if expected else []
        )
        if expected is not None and expected.enabled:
            assert index.knows_host(parse_service(url).host)


class TestKnowsHost:
    @pytest.mark.parametrize(
        "host", ["library.example.edu", "maths.wiki.example.edu", "dept-1.example.edu", "x.example.edu"]
    )
    def test_of_enabled_services(self, host: str) -> None:
        assert CAMPUS.knows_host(host)

    @pytest.mark.parametrize("host", ["example.edu", "evil.test", "library.example.edu.evil.test", ""])
    def test_not_of_others(self, host: str) -> None:
        assert not CAMPUS.knows_host(host)

    def test_not_of_disabled_services_and_other_schemes(self) -> None:
        services = registry(PAYROLL, service("mail", "imaps://mail.example.edu/**"))
        assert not services.knows_host("payroll.example.edu")
        assert not services.knows_host("mail.example.edu")
        assert services.schemes == {"http", "https", "imaps"}


class TestExplain:
    def test_has_a_note_for_every_service(self) -> None:
        notes = CAMPUS.explain(parse_service("https://library.example.edu:8443/a"))
        assert [(note.service.id, note.difference, note.chosen) for note in notes] == [
            ("library", "port", False),
            ("payroll", "host", False),
            ("wikis", "host", False),
            ("departments", "host", False),
            ("everything", "port", False),
        ]
        assert notes[0].pattern == "https://library.example.edu/**"
        assert notes[0].sentence == "library: the port differs from https://library.example.edu/**"

    def test_tells_the_chosen_one_from_later_matches(self) -> None:
        notes = {note.service.id: note for note in CAMPUS.explain(parse_service("https://opac.example.edu/"))}
        assert notes["library"].chosen
        assert notes["library"].sentence == "library: chosen by https://opac.example.edu/**"
        assert not notes["everything"].chosen
        assert "an earlier service has the URL" in notes["everything"].sentence

    def test_says_that_the_chosen_one_is_disabled(self) -> None:
        notes = {note.service.id: note for note in CAMPUS.explain(parse_service("https://payroll.example.edu/"))}
        assert notes["payroll"].sentence.endswith("and the service is disabled")


class TestSnapshot:
    def test_by_id(self) -> None:
        assert CAMPUS.by_id("wikis") is WIKIS
        assert CAMPUS.by_id("nothing") is None

    def test_version_and_services_are_as_given(self) -> None:
        index = Registry([LIBRARY, WIKIS], "2026-11-21")
        assert index.version == "2026-11-21"
        assert index.services == (LIBRARY, WIKIS)
        assert len(index) == 2

    def test_two_services_of_one_id_are_refused(self) -> None:
        with pytest.raises(ValueError, match="same id"):
            registry(LIBRARY, service("library", "https://other.example.edu/**"))
