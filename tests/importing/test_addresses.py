"""What expressions of other servers become: patterns that mean the same addresses, or fewer, and say so."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casduo.errors import MalformedService
from casduo.importing.addresses import (
    CUT,
    DOTS,
    FRAGMENT,
    REACH,
    Untranslatable,
    any_case,
    compiled,
    from_ant,
    from_expression,
    from_literal,
    known_hosts,
)
from casduo.services.urls import ServiceUrl, origin_of, parse_service

SCHEMES = frozenset({"http", "https", "imaps"})


def accepts(patterns: tuple[str, ...], url: ServiceUrl) -> bool:
    return any(pattern.matches(url) for pattern in compiled(patterns))


def spellings(url: ServiceUrl) -> set[str]:
    """Return the texts that this server takes for the same address and the old servers did not."""
    origins = {origin_of(url), f"{url.scheme}://{url.host}:{url.port}"}
    paths = {url.path, ""} if url.path == "/" else {url.path}
    query = f"?{url.query}" if url.query else ""
    return {origin + path + query for origin in origins for path in paths}


@pytest.mark.parametrize(
    ("expression", "patterns"),
    [
        (r"^https://host\.example\.edu(/.*)?$", ["https://host.example.edu/**"]),
        (r"^(https|imaps)://.*", ["https://**:*/**", "imaps://**:*/**"]),
        (r"^https?://h\.example\.edu(:\d+)?/app.*", [f"{s}://h.example.edu:*/app*/**" for s in ("http", "https")]),
        (r"https://a\.edu/.*|https://b\.edu/.*", ["https://a.edu/**", "https://b.edu/**"]),
        (r"^https://h\.edu/login\?x=1.*", ["https://h.edu/login?x=1*&**"]),
        (r"^https://h\.edu/(foo|bar)/?$", [f"https://h.edu/{p}?" for p in ("foo", "foo/", "bar", "bar/")]),
        (r"^https://h\.edu/\S*$", ["https://h.edu/**"]),
        (r"^https://\Qh.edu\E/.*", ["https://h.edu/**"]),
        (r"^https://h[.]edu/.*?", ["https://h.edu/**"]),
        (r"^HTTPS://H\.EDU/.*", ["https://h.edu/**"]),
        (r"^https://h\.edu/a/.*/b$", [r"regex:https://h\.edu/a/.*/b"]),
        (r"^https://h\.edu:\d+/.*", ["regex:https://h\\.edu:[0-9]+/.*"]),
        (r"^https://[a-z0-9-]+\.example\.edu/.*", [r"regex:https://[a-z0-9-]+\.example\.edu/.*"]),
        (r"^http.*", ["http://**:*/**", "https://**:*/**"]),
        (r"^https://([A-Za-z0-9_-]+\.)*h\.edu/.*", [r"regex:https://([.A-Za-z0-9_-]+\.)?h\.edu/.*"]),
        (r"^https://([a-z-]+[.])+h\.edu/.*", [r"regex:https://[.a-z-]+\.h\.edu/.*"]),
        (r"^https://[A-F0-9]+\.h\.edu/.*", [r"regex:https://[A-Fa-f0-9]+\.h\.edu/.*"]),
    ],
)
def test_expression_becomes_patterns_that_mean_the_same(expression, patterns):
    address = from_expression(expression)
    assert list(address.patterns) == patterns
    assert address.narrower == ()


@pytest.mark.parametrize(
    ("expression", "patterns", "narrower", "no_longer"),
    [
        (r"^https://h.example.edu/.*", ["https://h.example.edu/**"], {DOTS}, "https://h-example.edu/"),
        (r"^https://h\.example\.edu.*", ["https://h.example.edu:*/**"], {CUT}, "https://h.example.edu.evil.net/"),
        (
            r"^https://.*\.example\.edu/.*",
            [r"regex:https://.*\.example\.edu/.*"],
            {REACH},
            "https://evil.net/x.example.edu/",
        ),
        (r"^https://h\.edu/#/app.*", ["https://h.edu/?"], {FRAGMENT}, "https://h.edu/other"),
    ],
)
def test_what_cannot_have_been_meant_is_left_out_and_said(expression, patterns, narrower, no_longer):
    address = from_expression(expression)
    assert list(address.patterns) == patterns
    assert set(address.narrower) == narrower
    assert not accepts(address.patterns, parse_service(no_longer))


@pytest.mark.parametrize(
    ("expression", "known"),
    [
        (r"^https://h\.example\.edu/(?!admin).*", "https://h.example.edu:*/**"),
        (r"^https://h\.example\.edu/(a+)+$", "https://h.example.edu:*/**"),
        # Java reads these otherwise than Python, or not at all.
        (r"^https://[a-z&&[^b]]+\.edu/.*", None),
        (r"^https://[a-z[0-9]]+\.edu/.*", None),
        (r"^https://h\.edu/a{,3}", "https://h.edu:*/**"),
        # The run of labels would have to begin within one.
        (r"^https://h\.edu([a-z]+\.)*[a-z]+/.*", None),
        # Labels mean hosts; the same in a path does not mean the same.
        (r"^https://h\.edu/([a-z]+\.)*x", "https://h.edu:*/**"),
        (r"^https://(?!evil).*\.edu/.*", None),
        (r"(https://h\.edu/.*", None),
        (r"^[a-z]+://h\.edu/.*", None),
        ("(" * 5000, None),
        ("https://" + "(a|b)" * 40 + "/", None),
        ("", None),
        (r"https://h\.edu/\p{L}", "https://h.edu:*/**"),
        (r"a|https://h\.edu/(?!x)", None),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_host_if_that_is_certain(expression, known):
    with pytest.raises(Untranslatable) as refused:
        from_expression(expression)
    assert str(refused.value)
    assert known_hosts(refused.value.known) == ([known] if known else [])


def test_all_hosts_are_known_that_an_expression_can_begin_with():
    with pytest.raises(Untranslatable) as refused:
        from_expression(r"^https?://(www\.)?h\.edu/(?!admin).*")
    assert known_hosts(refused.value.known) == [
        f"{s}://{h}:*/**" for s in ("http", "https") for h in ("www.h.edu", "h.edu")
    ]
    assert known_hosts(["https://h.edu/", "https://h"]) == []


def test_hyphen_at_the_end_of_a_set_stays_a_hyphen_in_any_case():
    assert any_case(r"regex:https://h\.edu/[a-z+-]+/.*") == r"regex:https://h\.edu/[a-zA-Z+-]+/.*"
    assert any_case(r"regex:https://h\.edu/[%-F]/.*") is None


def test_beginning_of_an_address_is_enough_where_the_old_server_said_so():
    assert from_expression(r"^https://h\.edu/app", whole=False).patterns == ("https://h.edu/app*/**",)
    assert from_expression(r"^https://h\.edu/app$", whole=False).patterns == ("https://h.edu/app?",)


def test_ant_patterns_and_literal_addresses():
    assert from_ant("https://h.edu/**").patterns == ("https://h.edu/**",)
    assert from_ant("http?://**").patterns == ("https://**:*/**",)
    assert from_ant("http*://h.edu/**").patterns == ("http://h.edu/**", "https://h.edu/**")
    assert from_literal("https://h.edu/a(b)").patterns == ("https://h.edu/a(b)?",)
    assert from_literal("https://h.edu/a+b").patterns == (r"regex:https://h\.edu/a\+b",)
    assert from_literal("https://h.edu/a", begins=True).patterns == ("https://h.edu/a*/**",)


SCHEME = st.sampled_from(["https", "http", "https?", "(http|https)", "(?:https)"])
HOST = st.sampled_from(
    [
        r"h\.example\.edu",
        r"(www\.)?example\.edu",
        r"(a|b)\.example\.edu",
        r"[a-z0-9-]+\.example\.edu",
        r"H\.Example\.edu",
        r"h\d\.example\.edu",
        r"h.example.edu",
        r".*\.example\.edu",
        r"\w+\.example\.edu",
        r"([a-z0-9-]+\.)*example\.edu",
        r"([^.]+[.])+example\.edu",
        r"[A-Z0-9]+\.example\.edu",
    ]
)
PORT = st.sampled_from(["", "", "", ":8443", r"(:\d+)?", r":\d+", "(:443)?", r":[0-9]{1,5}"])
PATH = st.lists(
    st.sampled_from(
        ["/a", "/b", "/app", r"/x\.php", "/[^/]+", "/(a|b)", "/a?", "/.*", "/v[0-9]+", r"/\d+", "/[A-Za-z0-9_+-]+"]
    ),
    max_size=3,
)
END = st.sampled_from(
    ["", ".*", "/.*", "(/.*)?", "/", "/?", r"(\?.*)?", r"\?q=1", r"\?q=1.*", ".+", r"($|/.*)", r"[/?].*", r"\S*"]
)
EXPRESSION = st.builds(
    lambda scheme, host, port, path, end, edges: f"{edges[0]}{scheme}://{host}{port}{''.join(path)}{end}{edges[1]}",
    SCHEME,
    HOST,
    PORT,
    PATH,
    END,
    st.sampled_from([("^", "$"), ("^", ""), ("", "")]),
)
URL = st.builds(
    lambda scheme, host, port, path, end, query: f"{scheme}://{host}{port}{''.join(path)}{end}{query}",
    st.sampled_from(["https", "https", "http"]),
    st.sampled_from(
        [
            *("h.example.edu", "example.edu", "www.example.edu", "a.example.edu", "b.example.edu", "h1.example.edu"),
            *("x.y.example.edu", "h-example.edu", "h.example.edu.evil.net", "evil.net", "hxexample.edu"),
        ]
    ),
    st.sampled_from(["", "", "", ":8443", ":443", ":80"]),
    st.lists(st.sampled_from(["/a", "/b", "/app", "/x.php", "/x-php", "/", "/v1", "/7", "/a.example.edu"]), max_size=3),
    st.sampled_from(["", "", "/", "x"]),
    st.sampled_from(["", "", "?q=1", "?q=12", "?q=1&r=2", "?r=/a/b"]),
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSION, st.lists(URL, min_size=8, max_size=8), st.booleans())
def test_patterns_accept_what_the_expression_accepted_and_nothing_else(expression, urls, whole):
    matches = re.compile(expression, re.IGNORECASE).fullmatch if whole else re.compile(expression, re.IGNORECASE).match
    try:
        address = from_expression(expression, whole=whole)
    except Untranslatable:
        return
    for raw in urls:
        try:
            url = parse_service(raw, SCHEMES)
        except MalformedService:
            continue
        before = any(map(matches, spellings(url)))
        # /a/** also means /a.
        slash = ServiceUrl(raw, url.scheme, url.host, url.port, f"{url.path}/", url.query, "", "")
        as_good = before or any(map(matches, spellings(slash)))
        now = accepts(address.patterns, url)
        assert not now or as_good, (expression, address, raw)
        if not address.narrower:
            assert now or not before, (expression, address, raw)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSION, st.lists(URL, min_size=5, max_size=5))
def test_paths_in_any_case_are_the_same_paths_and_no_others(expression, urls):
    try:
        patterns = from_expression(expression).patterns
    except Untranslatable:
        return
    every = [any_case(pattern) for pattern in patterns]
    if None in every:
        return
    for raw in urls:
        try:
            url, shouted = parse_service(raw), parse_service(raw.upper())
        except MalformedService:
            continue
        expected = accepts(patterns, url)
        assert accepts((*patterns, *filter(None, every)), shouted) == expected, (patterns, every, raw)
        assert accepts((*patterns, *filter(None, every)), url) == expected, (patterns, every, raw)
