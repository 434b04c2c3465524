"""Explanations of a URL: how it is read, whose it is, and which entries come near."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from casduo.explanation import Explanation, as_text
from casduo.explanation.reading import SENTENCES
from casduo.services.urls import parse_service
from tests.explanation.telling import entry, of, told


class TestUrl:
    def test_its_canonical_form_is_told(self) -> None:
        reading = told(url="https://APP.example.edu:443/%7Eada?ticket=ST-1#top").reading
        assert reading.canonical == "https://app.example.edu/~ada"
        assert (reading.reason, reading.problem) == ("", "")

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("https://ada@app.example.edu/", "userinfo"),
            ("https://app.example.edu/a/../b", "dot_segment"),
            ("https://app.example.edu\\@evil.test/", "backslash"),
            ("app.example.edu/x", "no_scheme"),
            ("https:app.example.edu", "no_host"),
            ("ftp://app.example.edu/", "scheme"),
            ("https://app.example.edu:x/", "port"),
            ("https://app.example.edu/a\nb", "control"),
        ],
    )
    def test_a_malformed_one_is_refused_with_a_sentence(self, url: str, reason: str) -> None:
        explanation = told(url=url)
        assert (explanation.verdict, explanation.reading.reason) == ("malformed", reason)
        assert explanation.sentence == f"The URL is refused: {SENTENCES[reason]}."
        assert explanation.service is None
        assert (explanation.entries, explanation.omitted) == ((), 1)

    def test_there_is_a_sentence_for_every_reason(self) -> None:
        documented = (parse_service.__doc__ or "").partition(":raises MalformedService:")[2]
        assert set(SENTENCES) == set(re.findall(r"``(\w+)``", documented.partition("one of")[2]))

    @hypothesis_settings(deadline=None)
    @given(st.text() | st.text(alphabet="htps:/@\\%.[]?#a0*\n ").map("https://{}".format))
    def test_nothing_is_too_odd_to_be_explained(self, url: str) -> None:
        explanation = told(url=url)
        assert (explanation.verdict == "malformed") == bool(explanation.reading.problem)
        assert as_text(explanation).replace("\n", "").isprintable()

    def test_one_that_was_encoded_for_a_parameter_is_recognised(self) -> None:
        assert "percent-encoded" in told(url="https%3A%2F%2Fapp.example.edu%2F").sentence

    @pytest.mark.parametrize("name", ["service", "TARGET"])
    def test_the_address_of_the_login_page_stands_for_the_service_in_it(self, name: str) -> None:
        address = f"https://sso.example.edu/cas/login?{name}=https%3A%2F%2Fapp.example.edu%2Fx%3Fa%3Db"
        explanation = told(url=address)
        assert (explanation.reading.given, explanation.reading.url) == (address, "https://app.example.edu/x?a=b")
        assert of(explanation).id == "app"

    @pytest.mark.parametrize("query", ["", "?", "?renew=true", "?service="])
    def test_the_login_page_without_a_service_stands_for_itself(self, query: str) -> None:
        assert told(url=f"https://sso.example.edu/cas/login{query}").verdict == "unregistered"


class TestEntries:
    def shown(self, explanation: Explanation) -> list[tuple[str, str, str]]:
        return [(each.id, each.relation, each.why) for each in explanation.entries]

    def test_the_chosen_one_comes_first_then_what_comes_near(self) -> None:
        explanation = told(
            entry("far", "https://far.example.edu/**"),
            entry("admin", "https://app.example.edu/admin/**"),
            entry("staging", "https://app.example.edu:8443/**"),
            entry("plain", "http://app.example.edu/**"),
            entry("search", "https://app.example.edu/x?q=*"),
            entry("app"),
            entry("wide", "https://*.example.edu/**"),
        )
        assert self.shown(explanation) == [
            ("app", "chosen", "has the URL"),
            ("wide", "later", "matches too, but an earlier entry has the URL"),
            ("admin", "same host", "the URL has another path, /x"),
            ("staging", "same host", "the URL has another port, 443"),
            ("plain", "same host", "the URL has another scheme, https"),
            ("search", "same host", "the URL has another query, none"),
        ]
        assert explanation.omitted == 1

    def test_every_entry_is_told_on_request(self) -> None:
        explanation = told(entry(), entry("far", "https://far.example.edu/**"), everything=True)
        assert self.shown(explanation) == [
            ("app", "chosen", "has the URL"),
            ("far", "other", "the URL has another host"),
        ]
        assert explanation.omitted == 0

    def test_of_several_patterns_the_one_with_this_host_explains(self) -> None:
        patterns = ["http://app.example.edu/**", "https://new.example.edu/**"]
        explanation = told(entry("app", patterns))
        assert explanation.verdict == "unregistered"
        assert explanation.entries[0].pattern == "http://app.example.edu/**"
        assert explanation.entries[0].why == "the URL has another scheme, https"

    @pytest.mark.parametrize(
        "near",
        [
            "https://apps.example.edu/**",
            "https://app.example.org/**",
            "https://www.app.example.edu/**",
            "https://*.app.example.edu/**",
            "https://example.edu/**",
        ],
    )
    def test_a_host_that_looks_alike_is_told_when_none_is_right(self, near: str) -> None:
        explanation = told(entry("near", near), entry("far", "https://payroll.example.edu/**"))
        assert self.shown(explanation) == [("near", "like", "the URL has another host")]
        assert (explanation.verdict, explanation.omitted) == ("unregistered", 1)

    def test_hosts_of_one_campus_do_not_look_alike_for_that(self) -> None:
        campus = "very-long-name-of-a-department.university.example.edu"
        explanation = told(entry("b", f"https://b.{campus}/**"), url=f"https://a.{campus}/")
        assert explanation.entries == ()

    def test_a_host_that_looks_alike_is_of_no_interest_when_another_is_right(self) -> None:
        assert len(told(entry(), entry("apps", "https://apps.example.edu/**")).entries) == 1

    def test_only_the_few_that_look_most_alike_are_told(self) -> None:
        services = [entry(f"s{number}", f"https://app{number}.example.edu/**") for number in range(9)]
        explanation = told(*services)
        assert (len(explanation.entries), explanation.omitted) == (5, 4)

    def test_nothing_near_is_nothing_told(self) -> None:
        explanation = told(entry("far", "https://far.example.edu/**"))
        assert (explanation.entries, explanation.omitted) == ((), 1)
        assert "403" in explanation.sentence
