"""Patterns of the registry: what they mean, what they refuse, how two of them relate, and which are too wide."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.errors import MalformedService
from casduo.services.patterns import Pattern, compile_pattern
from casduo.services.urls import WEB_SCHEMES, parse_service

GOOD = "good.example.edu"

# A service on the left, and on the right the host that browsers visit for it (WHATWG URL; empty: none).
WHERE_BROWSERS_GO = [
    ("https://good.example.edu@evil.test/", "evil.test"),
    ("https://good.example.edu:pw@evil.test/", "evil.test"),
    ("https://a@b@evil.test/", "evil.test"),
    ("https://good.example.edu\\@evil.test/", GOOD),
    ("https://good.example.edu\\.evil.test/", GOOD),
    ("https://evil.test\\@good.example.edu/", "evil.test"),
    ("https://evil.test#@good.example.edu/", "evil.test"),
    ("https://evil.test?@good.example.edu/", "evil.test"),
    ("https://evil.test/@good.example.edu/", "evil.test"),
    ("https://evil.test/https://good.example.edu/", "evil.test"),
    ("https://evil.test//good.example.edu/", "evil.test"),
    ("https://evil.test/.good.example.edu/", "evil.test"),
    ("https://evil.test/?x=https://good.example.edu/", "evil.test"),
    ("https://evil.test;good.example.edu/", "evil.test;good.example.edu"),
    ("https://good.example.edu.evil.test/", "good.example.edu.evil.test"),
    ("https://good.example.edu%2eevil.test/", "good.example.edu.evil.test"),
    ("https://good.example.edu%00.evil.test/", ""),
    ("https://good.example.edu%2f.evil.test/", ""),
    ("https://good.example.edu\t.evil.test/", "good.example.edu.evil.test"),
    ("https://good.example.edu\n.evil.test/", "good.example.edu.evil.test"),
    ("https://good.example.edu\u3002evil.test/", "good.example.edu.evil.test"),
    ("https://good.example.edu\u00ad.evil.test/", "good.example.edu.evil.test"),
    ("https://good.example.edu\uff0f.evil.test/", ""),
    ("https://evil.test\uff0fgood.example.edu/", ""),
    ("https:good.example.edu/", "sso.example.edu"),
    ("https:/good.example.edu/", "sso.example.edu"),
    ("https:///evil.test/good.example.edu/", "evil.test"),
    ("https:\\\\evil.test/good.example.edu/", "evil.test"),
    ("//evil.test/good.example.edu", "evil.test"),
    ("/\\evil.test/good.example.edu", "evil.test"),
    ("\\\\evil.test/good.example.edu", "evil.test"),
    ("http:evil.test/good.example.edu", "evil.test"),
    ("https://good.example.edu:80:80/", ""),
    ("https://good.example.edu:443@evil.test/", "evil.test"),
    ("https://good.example.edu:@evil.test/", "evil.test"),
    ("https://@evil.test/good.example.edu", "evil.test"),
    ("https://evilgood.example.edu/", "evilgood.example.edu"),
    ("https://x.good.example.edu/", "x.good.example.edu"),
    ("https://good.example.edu./", "good.example.edu."),
    ("https://goodXexample.edu/", "goodxexample.edu"),
    ("https://good-example.edu/", "good-example.edu"),
    ("https://good.example.edux/", "good.example.edux"),
    ("https://[good.example.edu]/", ""),
    ("https://good.example.edu[.evil.test/", ""),
    ("https://\uff47ood.example.edu/", GOOD),
    ("https://GOOD.EXAMPLE.EDU/", GOOD),
    ("https://good.example.edu:443/", GOOD),
    ("https://good.example.edu:8443/", GOOD),
    ("http://good.example.edu/", GOOD),
    ("https://good.example.edu/..//evil.test/", GOOD),
    ("https://good.example.edu/%2e%2e//evil.test/", GOOD),
    (" https://evil.test/", "evil.test"),
    ("\0https://evil.test/", "evil.test"),
    ("javascript:alert(1)//good.example.edu/", ""),
    ("data:text/html,good.example.edu", ""),
]


def means(pattern: str, service: str) -> bool:
    try:
        return compile_pattern(pattern).matches(parse_service(service))
    except MalformedService:
        return False


class TestMeaning:
    @pytest.mark.parametrize(
        ("pattern", "service"),
        [
            ("https://h/**", "https://h"),
            ("https://h/**", "https://h/"),
            ("https://h/**", "https://h/a/b/?c#d"),
            ("https://h/**", "https://h//"),
            ("https://h", "https://h/?a"),
            ("https://h/a/**", "https://h/a"),
            ("https://h/a/**", "https://h/a/"),
            ("https://h/a/**", "https://h/a;jsessionid=1"),
            ("https://h/a/**/z", "https://h/a/z"),
            ("https://h/a/**/z", "https://h/a/b/c/z"),
            ("https://h/**/a/**/z/**", "https://h/x/a/a/y/z/z"),
            ("https://h/*/z", "https://h/a/z"),
            ("https://h/a*z/**", "https://h/az/b"),
            ("https://h/a*z", "https://h/abcz"),
            ("https://h/a*b*c", "https://h/a.b.bc"),
            ("https://gateway.example.edu/targets/oracle-b", "https://gateway.example.edu/targets/oracle-b?x=1"),
            ("https://*.example.edu/**", "https://library.example.edu/"),
            ("https://app*.example.edu/**", "https://app.example.edu/"),
            ("https://dev-*-x.example.edu/**", "https://dev-1-x.example.edu/"),
            ("https://10.0.0.*/**", "https://10.0.0.7/"),
            ("https://[2001:db8::1]:8443/**", "https://[2001:0db8::1]:8443/a"),
            ("https://h:*/**", "https://h:8443/"),
            ("https://h:*/**", "https://h/"),
            ("https://h:84*/**", "https://h:8443/"),
            ("https://h:443/**", "https://h/"),
            ("HTTPS://H/**", "https://h/"),
            ("https://**", "https://any.host.example/at/all"),
            ("https://B\u00fccher.example/**", "https://xn--bcher-kva.example/"),
            ("https://*.b\u00fccher.example/**", "https://a.b\u00fccher.example/"),
            ("https://h/%7Eada/caf%c3%a9/a%20b", "https://h/~ada/caf\u00e9/a b"),
            ("https://h/~ada/caf\u00e9", "https://h/%7eada/caf%C3%A9"),
            ("https://h/a%2Ab", "https://h/a%2ab"),
            ("https://h/a?", "https://h/a"),
            ("https://h/a?", "https://h/a?ticket=ST-1"),
            ("https://h/a?x=1", "https://h/a?x=1&"),
            ("https://h/a?x=*", "https://h/a?x="),
            ("https://h/a?x=*&**", "https://h/a?x=7&y=8&z"),
            ("https://h/a?**&y=8", "https://h/a?x=7&y=8"),
            ("https://h/a?q=a+b", "https://h/a?q=a%20b"),
            (r"regex:https?://h\.example/a/[0-9]+", "http://h.example/a/12"),
            (r"regex:^https://h\.example/.*$", "https://h.example/a?b"),
            (r"regex:https://(?:www\.)?h\.example(:\d+)?/.*", "https://www.h.example:8443/"),
            (r"regex:https://h\.example:8443/", "https://h.example:8443"),
            (r"regex:(http|https):\/\/h\.example\/(?:a|b)/?", "https://h.example/b/"),
            (r"regex:https://dept-[0-9]{1,2}\.example\.edu/.*", "https://dept-12.example.edu/"),
        ],
    )
    def test_means(self, pattern: str, service: str) -> None:
        assert means(pattern, service)

    @pytest.mark.parametrize(
        ("pattern", "service", "part"),
        [
            ("https://h/**", "http://h/", "scheme"),
            ("https://h/**", "https://i/", "host"),
            ("https://h/**", "https://h.h/", "host"),
            ("https://h/**", "https://h:8443/", "port"),
            ("https://h/a", "https://h/a/", "path"),
            ("https://h/a", "https://h/A", "path"),
            ("https://h", "https://h/a", "path"),
            ("https://h/a/**", "https://h/ab", "path"),
            ("https://h/a/**", "https://h/a%2Fb", "path"),
            ("https://h/a/**", "https://h/a;b/c", "path"),
            ("https://h/a/**/z", "https://h/a/b", "path"),
            ("https://h/*", "https://h/", "path"),
            ("https://h/a/*", "https://h/a/", "path"),
            ("https://h/a/*", "https://h/a/b/c", "path"),
            ("https://h/a*z", "https://h/a/z", "path"),
            ("https://h/aa*aa", "https://h/aaa", "path"),
            ("https://h/a%2Ab", "https://h/aXb", "path"),
            ("https://*.example.edu/**", "https://a.b.example.edu/", "host"),
            ("https://*.example.edu/**", "https://example.edu/", "host"),
            ("https://*.example.edu/**", "https://a.example.edu.evil.test/", "host"),
            ("https://*.example.edu/**", "https://evil.test/.example.edu/", "host"),
            ("https://app*.example.edu/**", "https://app.x.example.edu/", "host"),
            ("https://*/**", "https://a.b/", "host"),
            ("https://*/**", "https://[::1]/", "host"),
            ("https://h:84*/**", "https://h:9443/", "port"),
            ("https://**", "http://h/", "scheme"),
            ("https://h/a?", "https://h/a?x", "query"),
            ("https://h/a?x=1", "https://h/a", "query"),
            ("https://h/a?x=1", "https://h/a?x=1&y=2", "query"),
            ("https://h/a?x=*", "https://h/a?x=1&y=2", "query"),
            ("https://h/a?x=1&y=2", "https://h/a?y=2&x=1", "query"),
            (r"regex:https://h\.example/a", "http://h.example/a", "scheme"),
            (r"regex:https://h\.example/a", "https://hxexample/a", "host"),
            (r"regex:https://.*\.example/a", "https://h.test/x.example/a", "host"),
            (r"regex:https://h\.example/a", "https://h.example:8443/a", "port"),
            (r"regex:https://h\.example:\d+/a", "https://h.example/ab", "path"),
            (r"regex:https://h\.example/a", "https://h.example/ab", "path"),
            (r"regex:https://h\.example/a", "https://h.example/a?b", "path"),
        ],
    )
    def test_does_not_mean_and_says_why(self, pattern: str, service: str, part: str) -> None:
        assert compile_pattern(pattern).difference(parse_service(service)) == part

    def test_another_scheme_is_meant_where_it_is_written(self) -> None:
        pattern = compile_pattern("imaps://mail.example.edu/**")
        url = parse_service("imaps://mail.example.edu", WEB_SCHEMES | pattern.schemes)
        assert pattern.matches(url)
        assert not pattern.matches(parse_service("https://mail.example.edu"))

    @pytest.mark.parametrize(
        "pattern",
        [
            "https://good.example.edu/**",
            "https://good.example.edu:*/**",
            "http://good.example.edu/**",
            "https://goo*.example.edu/**",
            r"regex:https?://good\.example\.edu(:\d+)?/.*",
            r"regex:https://g[^x]+\.example\.edu/.*",
            r"regex:https://(?:good|well)\.example\.edu/[^?]*",
        ],
    )
    @pytest.mark.parametrize(("service", "visited"), WHERE_BROWSERS_GO)
    def test_no_trick_makes_another_host_pass_for_this_one(self, pattern: str, service: str, visited: str) -> None:
        if means(pattern, service):
            assert visited.partition(":")[0] == GOOD

    @pytest.mark.parametrize("service", ["https://good.example.edu/", "https://GOOD.example.edu:443/a?b#c"])
    def test_the_right_host_still_passes(self, service: str) -> None:
        assert means("https://good.example.edu/**", service)
        assert means(r"regex:https?://good\.example\.edu(:\d+)?/.*", service)


class TestAttributes:
    def test_of_a_pattern(self) -> None:
        pattern = compile_pattern("https://H.example.edu/a/b/*/c")
        assert pattern.text == "https://H.example.edu/a/b/*/c"
        assert (pattern.host, pattern.host_tail, pattern.path_head) == ("h.example.edu", "h.example.edu", "/a/b")
        assert pattern.schemes == {"https"}
        assert not pattern.is_regex

    def test_of_a_wildcard_host(self) -> None:
        pattern = compile_pattern("http://*.a*.example.edu/**")
        assert (pattern.host, pattern.host_tail, pattern.path_head) == ("", "example.edu", "")

    @pytest.mark.parametrize(
        ("text", "schemes", "host"),
        [
            (r"regex:https://h\.example\.edu/.*", {"https"}, "h.example.edu"),
            (r"regex:https?://h\-1\.example\.edu:8443/.*", {"https", "http"}, "h-1.example.edu"),
            (r"regex:(?:http|imaps)://h[12]\.example\.edu/.*", {"http", "imaps"}, ""),
        ],
    )
    def test_of_a_regex(self, text: str, schemes: set[str], host: str) -> None:
        pattern = compile_pattern(text)
        assert pattern.is_regex
        assert pattern.schemes == schemes
        assert pattern.host == host

    @pytest.mark.parametrize(
        ("text", "host", "known"),
        [
            ("https://h.example/a", "h.example", True),
            ("https://*.example/a", "h.example", True),
            ("https://*.example/a", "a.h.example", False),
            ("https://**", "h.example", True),
            (r"regex:https://[a-z]\.example:\d+/", "h.example", True),
            (r"regex:https://h\.example/", "i.example", False),
        ],
    )
    def test_accepts_host(self, text: str, host: str, known: bool) -> None:
        assert compile_pattern(text).accepts_host(host) is known


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "starts with its scheme"),
            ("library.example.edu/**", "starts with its scheme"),
            ("//library.example.edu/**", "starts with its scheme"),
            ("http*://h/", "starts with its scheme"),
            ("*://h/", "starts with its scheme"),
            ("^https://h/.*", "starts with its scheme"),
            (".*example.edu.*", "starts with its scheme"),
            ("https://", "starts with its scheme"),
            ("https:///a", "starts with its scheme"),
            ("https://ada@h/", "no user name"),
            ("https://h/#a", "no fragment"),
            ("https://h\\i/", "no backslash"),
            (r"https://h\.example/.*", "no backslash"),
            ("https://h /", "no spaces"),
            ("https://h/a b", "no spaces"),
            ("https://h/\n", "no control"),
            ("https://h/.*", "no wildcard"),
            ("https://h/../a", ". or .."),
            ("https://h/%2e%2e/a", ". or .."),
            ("https://h/a**", "stands alone"),
            ("https://h/a***/", "stands alone"),
            ("https://h/**/a/**/b/**/c/**", "at most"),
            ("https://h" + "/a" * 70, "at most"),
            ("https://h/" + "a" * 2048, "at most"),
            ("https://**.example.edu/", "exactly one label"),
            ("https://h:0/", "1 to 65535"),
            ("https://h:70000/", "1 to 65535"),
            ("https://h:80:80/", "number or *"),
            ("https://h:x/", "number or *"),
            ("https://h:/", "number or *"),
            ("https://h./", "valid name"),
            ("https://h..example/", "valid name"),
            ("https://*./", "valid name"),
            ("https://h%2e/", "valid name"),
            ("https://*.a%2e/", "valid name"),
            ("https://*.b\u00fc*/", "valid name"),
            ("https://127.1/", "valid name"),
            ("https://[::1%25x]/", "valid name"),
            ("https://\u2615.example/", "international name"),
            ("regex:.*", "starts with its scheme"),
            (r"regex:.*example\.edu/.*", "starts with its scheme"),
            (r"regex:h\.example/.*", "starts with its scheme"),
            (r"regex:https://h\.example.*", "needs a slash"),
            (r"regex:https://h\.example(/.*)?", "needs a slash"),
            (r"regex:https:///.*", "names a host"),
            (r"regex:https://h.example/.*", r"written \."),
            (r"regex:https://H\.example/.*", "lower case"),
            (r"regex:https://h\.example:80[0-9]/.*", "a port"),
            (r"regex:https://ada@h\.example/.*", "a port"),
            (r"regex:https://h\.example/a|https://evil\.test/", "in brackets"),
            (r"regex:https://h\.example|evil\.test/", "in brackets"),
            (r"regex:https://h\.example/(?i)a", "look-around and flags"),
            (r"regex:https://h\.example/(?=a).*", "look-around and flags"),
            (r"regex:https://h\.example/(?P<x>a)", "look-around and flags"),
            (r"regex:https://h\.example/(a)\1", "may not use"),
            (r"regex:https://h\.example/a$b", "with a backslash"),
            (r"regex:https://h\.example/[[a]", "need a backslash"),
            (r"regex:https://h\.example/[a", "with a backslash"),
            (r"regex:https://h\.example/a)", "not a regular expression"),
            (r"regex:https://(h\.example/a)", "needs a slash"),
            (r"regex:https://h\.example/*+a**", "not a regular expression"),
            ("regex:https://h\\.example/" + "a" * 512, "at most 512"),
        ],
    )
    def test_is_refused_with_a_sentence(self, text: str, words: str) -> None:
        with pytest.raises(ValueError, match=r"\w") as caught:
            compile_pattern(text)
        assert words in str(caught.value)

    @pytest.mark.parametrize(
        "rest",
        ["(a+)+b", "(a|aa)+b", "(?:a*)*", "(a?){64}", ".*.*.*b", ".*a.*b.*c", "a?" * 30 + "a" * 30, "a{0,99}" * 5],
    )
    def test_expressions_that_can_be_slow_are_refused(self, rest: str) -> None:
        with pytest.raises(ValueError, match="regular expression"):
            compile_pattern(rf"regex:https://h\.example/{rest}")

    @pytest.mark.parametrize("rest", [".*/edit/.*", "[0-9]{4}/(?:a|b|c)/[^/]+", "course-[0-9]+(?:/.*)?", "(ab)*?c?"])
    def test_ordinary_expressions_are_not(self, rest: str) -> None:
        assert compile_pattern(rf"regex:https://h\.example/{rest}").is_regex

    @settings(deadline=None)
    @given(st.text(max_size=40) | st.text("htps:/*.?&=a[]()|+{}19^$\\-@#%", max_size=30).map("regex:https://".__add__))
    def test_any_text_is_read_or_refused_with_a_value_error(self, text: str) -> None:
        with contextlib.suppress(ValueError):
            assert isinstance(compile_pattern(text), Pattern)


class TestWidth:
    @pytest.mark.parametrize(
        "text",
        [
            "https://**",
            "https://**/app/**",
            "https://*/**",
            "https://*.edu/**",
            "https://*.*.edu/**",
            "https://*example.edu/**",
            "https://www.*/**",
            "https://library.*.edu/**",
            "https://*.ac.uk/**",
            "https://*.com.au/**",
            r"regex:https://.*/.*",
            r"regex:https?://[^/]+/.*",
            r"regex:https://.*\.edu/.*",
            r"regex:https://.*example\.edu/.*",
            r"regex:https://[a-z]+\.ac\.uk/.*",
        ],
    )
    def test_too_wide(self, text: str) -> None:
        sentence = compile_pattern(text).width()
        assert sentence is not None
        assert sentence.startswith("means ")

    @pytest.mark.parametrize(
        "text",
        [
            "https://library.example.edu/**",
            "https://intranet/**",
            "https://*.example.edu/**",
            "https://*.*.example.edu/**",
            "https://*.example.ac.uk/**",
            r"regex:https://library\.example\.edu/.*",
            r"regex:https://(www\.)?example\.edu/.*",
            r"regex:https://(?:a|b)\.edu/.*",
            r"regex:https://.*\.example\.edu/.*",
        ],
    )
    def test_narrow_enough(self, text: str) -> None:
        assert compile_pattern(text).width() is None


class TestRelations:
    @pytest.mark.parametrize(
        ("wide", "narrow"),
        [
            ("https://h/**", "https://h/a/*/b?x"),
            ("https://*.example.edu/**", "https://library.example.edu/**"),
            ("https://*.example.edu/**", "https://lib*.example.edu/a"),
            ("https://**", "https://h/**"),
            ("https://**", r"regex:https://h\.example/.*"),
            ("https://h.example:*/**", r"regex:https://h\.example(:8443)?/.*"),
            ("https://h:*/**", "https://h:84*/**"),
            ("https://h/a/**", "https://h/a"),
            ("https://h/**/b", "https://h/a/b"),
            ("https://h/**/b/**", "https://h/**/a/b/**"),
            ("https://h/a*", "https://h/ab*c"),
            ("https://h/a?**", "https://h/a?x=1"),
            ("https://h/a?x=*", "https://h/a?x=1*"),
            (r"regex:https://h\.example/.*", r"regex:https://h\.example/.*"),
        ],
    )
    def test_covers(self, wide: str, narrow: str) -> None:
        assert compile_pattern(wide).covers(compile_pattern(narrow))
        assert compile_pattern(wide).overlaps(compile_pattern(narrow))
        assert compile_pattern(narrow).overlaps(compile_pattern(wide))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("https://h/**", "http://h/**"),
            ("https://h/**", "https://h:8443/**"),
            ("https://h/a/**", "https://h/**"),
            ("https://h/*", "https://h/**"),
            ("https://h/*", "https://h/"),
            ("https://*.example.edu/**", "https://*.*.example.edu/**"),
            ("https://a*.example.edu/**", "https://*.example.edu/**"),
            ("https://*.example.edu/**", "https://**"),
            ("https://h/a?x=1", "https://h/a"),
            ("https://h/a?x=*", "https://h/a?**"),
            ("https://h.example/**", r"regex:https?://h\.example/.*"),
            ("https://h.example/**", r"regex:https://h\.example:8443/.*"),
            ("https://h.example/a/**", r"regex:https://h\.example/a/.*"),
            (r"regex:https://h\.example/.*", "https://h.example/a"),
        ],
    )
    def test_does_not_cover(self, one: str, other: str) -> None:
        assert not compile_pattern(one).covers(compile_pattern(other))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("https://a/**", "https://b/**"),
            ("https://h/a/**", "https://h/b/**"),
            ("https://h/a*", "https://h/b*"),
            ("https://h/*a", "https://h/*b"),
            ("https://h/a", "https://h/a/*"),
            ("https://h/a?x=1", "https://h/a?y=*"),
            ("https://*.example.edu/**", "https://example.edu/**"),
            (r"regex:https://a\.example/.*", "https://b.example/**"),
            (r"regex:http://a\.example/.*", "https://a.example/**"),
            (r"regex:https://a\.example/.*", r"regex:https://b\.example/.*"),
        ],
    )
    def test_does_not_overlap(self, one: str, other: str) -> None:
        assert not compile_pattern(one).overlaps(compile_pattern(other))
        assert not compile_pattern(other).overlaps(compile_pattern(one))

    def test_a_guess_is_made_where_two_regexes_may_meet(self) -> None:
        one, other = r"regex:https://[a-m]+\.example/.*", r"regex:https://[n-z]+\.example/.*"
        assert compile_pattern(one).overlaps(compile_pattern(other))


ELEMENTS = ["a", "b", "ab", "*", "a*", "*b", "a*b", "*a*"]
WRITTEN = st.builds(
    lambda scheme, host, port, path, query: f"{scheme}://{'.'.join(host)}{port}{''.join('/' + s for s in path)}{query}",
    st.sampled_from(["http", "https"]),
    st.lists(st.sampled_from(ELEMENTS), min_size=1, max_size=2) | st.just(["**"]),
    st.sampled_from(["", "", ":8443", ":*", ":84*"]),
    st.lists(st.sampled_from([*ELEMENTS, "", "**"]), max_size=4).filter(lambda row: row.count("**") < 4),
    st.sampled_from(["", "", "?", "?a=1", "?a=*", "?**", "?*", "?a=1&**", "?**&b"]),
)
VISITED = st.builds(
    lambda scheme, host, port, path, query: f"{scheme}://{'.'.join(host)}{port}{''.join('/' + s for s in path)}{query}",
    st.sampled_from(["http", "https"]),
    st.lists(st.sampled_from(["a", "b", "ab", "aab", "axb"]), min_size=1, max_size=2),
    st.sampled_from(["", "", ":8443", ":8444"]),
    st.lists(st.sampled_from(["a", "b", "ab", "aab", "axb", "", "x"]), max_size=4),
    st.sampled_from(["", "", "?a=1", "?a=12", "?a=1&b", "?x", "?b"]),
)


def row_by_definition(row: list[str], texts: list[str]) -> bool:
    """What the documentation says, as slowly and plainly as can be."""
    if not row:
        return not texts
    if row[0] == "**":
        return any(row_by_definition(row[1:], texts[at:]) for at in range(len(texts) + 1))
    return bool(texts) and element_by_definition(row[0], texts[0]) and row_by_definition(row[1:], texts[1:])


def element_by_definition(glob: str, text: str) -> bool:
    if glob == "*":
        return bool(text)
    if not glob:
        return not text
    if glob[0] == "*":
        return any(rest_by_definition(glob[1:], text[at:]) for at in range(len(text) + 1))
    return rest_by_definition(glob, text)


def rest_by_definition(glob: str, text: str) -> bool:
    if not glob:
        return not text
    if glob[0] == "*":
        return any(rest_by_definition(glob[1:], text[at:]) for at in range(len(text) + 1))
    return text[:1] == glob[0] and rest_by_definition(glob[1:], text[1:])


def split(text: str) -> tuple[str, list[str], str, list[str], list[str] | None]:
    scheme, _, rest = text.partition("://")
    rest, mark, query = rest.partition("?")
    authority, *path = rest.split("/")
    host, _, port = authority.partition(":")
    default = "443" if scheme == "https" else "80"
    parameters = [part for part in query.split("&") if part] if mark else None
    return scheme, host.split("."), port or default, path or [""], parameters


class TestProperties:
    @settings(deadline=None)
    @given(WRITTEN, VISITED)
    def test_matching_is_what_the_documentation_says(self, text: str, service: str) -> None:
        scheme, host, port, path, query = split(text)
        on_scheme, on_host, on_port, on_path, on_query = split(service)
        if host == ["**"] and "/" not in text.partition("://")[2]:
            path = ["**"]
        expected = (
            scheme == on_scheme
            and (host == ["**"] or row_by_definition(host, on_host))
            and element_by_definition(port, on_port)
            and row_by_definition(path, on_path)
            and (query is None or row_by_definition(query, on_query or []))
        )
        assert means(text, service) == expected

    @settings(deadline=None)
    @given(WRITTEN, WRITTEN, st.lists(VISITED, min_size=1, max_size=20))
    def test_what_covers_matches_all_the_other_matches(self, one: str, other: str, services: list[str]) -> None:
        wide, narrow = compile_pattern(one), compile_pattern(other)
        covers, overlaps = wide.covers(narrow), wide.overlaps(narrow)
        assert overlaps == narrow.overlaps(wide)
        assert overlaps or not covers
        for service in services:
            assert not (covers and means(other, service)) or means(one, service)
            assert not (means(one, service) and means(other, service)) or overlaps

    @settings(deadline=None)
    @given(WRITTEN)
    def test_every_pattern_covers_itself(self, text: str) -> None:
        assert compile_pattern(text).covers(compile_pattern(text))
        assert compile_pattern(text).overlaps(compile_pattern(text))

    @settings(deadline=None)
    @given(WRITTEN, VISITED)
    def test_host_and_head_never_exclude_what_matches(self, text: str, service: str) -> None:
        pattern, url = compile_pattern(text), parse_service(service)
        if pattern.matches(url):
            assert pattern.accepts_host(url.host)
            assert f".{url.host}".endswith(f".{pattern.host_tail}" if pattern.host_tail else "")
            assert url.path.startswith(pattern.path_head)
