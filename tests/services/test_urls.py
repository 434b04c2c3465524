"""Service URLs: what is refused, what is the same, and where the browser is sent."""

from __future__ import annotations

import string
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casduo.errors import MalformedService
from casduo.services.urls import (
    MAX_BYTES,
    ServiceUrl,
    append_ticket,
    canonical,
    first_difference,
    location,
    origin_of,
    parse_service,
    same_service,
)

TICKET = "ST-aB3d-0123456789abcdefghijklmn"


def reason(raw: str) -> str:
    with pytest.raises(MalformedService) as caught:
        parse_service(raw)
    return caught.value.reason


def same(one: str, other: str, level: str = "canonical") -> bool:
    return same_service(one, parse_service(other), level)  # type: ignore[arg-type]


class TestRefusals:
    """Whatever a browser could send elsewhere than we match."""

    @pytest.mark.parametrize(
        ("raw", "why"),
        [
            ("", "no_scheme"),
            ("good.example.edu", "no_scheme"),
            ("//good.example.edu/", "no_scheme"),
            ("/\\evil.example", "no_scheme"),
            (" https://good.example.edu/", "no_scheme"),
            ("\ufeffhttps://good.example.edu/", "no_scheme"),
            ("\uff48ttps://good.example.edu/", "no_scheme"),
            ("http:www.evil.example", "no_host"),
            ("https:good.example.edu/", "no_host"),
            ("https:/good.example.edu/", "no_host"),
            ("https:///evil.example/", "no_host"),
            ("https:////evil.example/", "no_host"),
            ("https:\\\\evil.example/", "no_host"),
            ("https://", "no_host"),
            ("https://?x", "no_host"),
            ("https://#x", "no_host"),
            ("javascript:alert(1)", "no_host"),
            ("javascript://good.example.edu/%0aalert(1)", "scheme"),
            ("ftp://good.example.edu/", "scheme"),
            ("imaps://good.example.edu/", "scheme"),
        ],
    )
    def test_scheme_and_host_must_be_plain(self, raw: str, why: str) -> None:
        assert reason(raw) == why

    @pytest.mark.parametrize(
        "raw",
        [
            "https://good.example.edu@evil.example/",
            "https://good.example.edu:pw@evil.example/",
            "https://a@b@good.example.edu/",
            "https://@good.example.edu/",
            "https://good.example.edu:443@evil.example/",
        ],
    )
    def test_user_names_are_refused(self, raw: str) -> None:
        assert reason(raw) == "userinfo"

    @pytest.mark.parametrize(
        "raw",
        [
            "https://evil.example\\@good.example.edu/",
            "https://good.example.edu\\.evil.example/",
            "https://good.example.edu/\\evil.example",
            "https://good.example.edu/a\\..\\b",
            "https://\\good.example.edu/",
        ],
    )
    def test_backslashes_before_the_query_are_refused(self, raw: str) -> None:
        assert reason(raw) == "backslash"

    def test_a_backslash_in_the_query_is_data(self) -> None:
        assert parse_service("https://h.example/?path=C:\\x").query == "path=C:%5Cx"

    @pytest.mark.parametrize("character", [*map(chr, range(0x20)), "\x7f"])
    @pytest.mark.parametrize("form", ["https://h.ex{}ample/", "https://h.example/{}", "ht{}tps://h/", "https://h/#{}"])
    def test_control_characters_are_refused_everywhere(self, character: str, form: str) -> None:
        assert reason(form.format(character)) == "control"

    @pytest.mark.parametrize(
        "raw",
        [
            "https://good.example.edu:x/",
            "https://good.example.edu:80:80/",
            "https://good.example.edu:0/",
            "https://good.example.edu:65536/",
            "https://good.example.edu:123456/",
            "https://good.example.edu:+80/",
            "https://good.example.edu:8 0/",
            "https://good.example.edu:\uff18\uff10/",
        ],
    )
    def test_bad_ports_are_refused(self, raw: str) -> None:
        assert reason(raw) == "port"

    @pytest.mark.parametrize(
        "host",
        [
            "good%2eevil.example",
            "good.example.edu%00.evil.example",
            "good.example.edu%2f.evil.example",
            "%67ood.example.edu",
            "good.example.edu%",
            "good..example",
            ".example",
            "good.example.edu.",
            "a" * 64 + ".example",
            ".".join(["abcdefgh"] * 30),
            "good example",
            "good<b>.example",
            "good,evil",
            "good;evil",
            "good*",
            "good^evil",
            "good|evil",
            # What looks like a number at the end is an IPv4 address for browsers, in any spelling.
            "0x7f.1",
            "0x7f000001",
            "127.1",
            "2130706433",
            "0177.0.0.1",
            "127.0.0.01",
            "256.1.1.1",
            "1.2.3.4.5",
            "example.1",
            "example.0x",
            "[::1",
            "::1",
            "[::1]x",
            "[fe80::1%25eth0]",
            "[fe80::1%eth0]",
            "[1::2::3]",
            "[]",
            "[v1.x]",
        ],
    )
    def test_hosts_with_two_readings_are_refused(self, host: str) -> None:
        assert reason(f"https://{host}/") in {"host", "port"}

    @pytest.mark.parametrize(
        "host",
        [
            "good.example\uff0fevil",  # full-width slash
            "good.example\uff20evil",  # full-width @
            "good.example\uff05evil",  # full-width percent
            "good.example\uff1a80",  # full-width colon
            "\u2100.example",  # maps to a/c
            "\uff10x7f.1",  # full-width zero
            "\u2460\u2461\u2466.1",  # circled digits
            "\u3002example",  # an ideographic dot makes an empty label
            "xn--zzzzzz.example",
            "xn--.example",
            "\u2615.example",  # browsers allow emoji, IDNA 2008 does not
            "a\u200db.example",
            "a\u00ad\u200b.",
            "\udc80.example",
        ],
    )
    def test_international_hosts_with_two_readings_are_refused(self, host: str) -> None:
        assert reason(f"https://{host}/") in {"host", "idna", "encoding", "port"}

    @pytest.mark.parametrize(
        "path",
        [
            "/.",
            "/..",
            "/a/../b",
            "/a/./b",
            "/a/%2e%2e/b",
            "/a/.%2E/b",
            "/a/%2e",
            "/a/..;/b",
            "/a/..;x=1/b",
            "/a/.;/b",
            "/a/%2e%2e;x/b",
            "/a/..%3b/b",
            "/a/..%2f..%2fb",
            "/a%2f../b",
            "/a/..%5cb",
            "/a%5C..%5Cb",
            "/a/..;jsessionid=1",
            "/app;jsessionid=1/../b",
            "/a/..?x",
            "/a/..#x",
        ],
    )
    def test_dot_segments_are_refused_in_every_disguise(self, path: str) -> None:
        assert reason(f"https://h.example{path}") == "dot_segment"

    @pytest.mark.parametrize("path", ["/.well-known/x", "/...", "/a..b", "/a.", "/a;..", "/x?next=/../y", "/#/../x"])
    def test_other_dots_are_fine(self, path: str) -> None:
        assert parse_service(f"https://h.example{path}").host == "h.example"

    def test_length_is_counted_in_bytes(self) -> None:
        start = "https://h.example/"
        assert len(parse_service(start + "a" * (MAX_BYTES - len(start))).path) == MAX_BYTES - len(start) + 1
        assert reason(start + "a" * (MAX_BYTES - len(start) + 1)) == "too_long"
        assert reason(start + "\u00fc" * (MAX_BYTES // 2)) == "too_long"

    def test_lone_surrogates_are_refused(self) -> None:
        assert reason("https://h.example/\ud800") == "encoding"

    def test_a_refusal_never_shows_the_url(self) -> None:
        with pytest.raises(MalformedService) as caught:
            parse_service("https://ada:secret@h.example/")
        assert "secret" not in str(caught.value)


class TestParts:
    def test_parts_are_normal_and_the_raw_text_stays(self) -> None:
        raw = "HTTPS://Library.Example.EDU:443/Caf\u00e9 1;jsessionid=A1?q=a+b&ticket=ST-1#Top"
        url = parse_service(raw)
        assert url == ServiceUrl(
            raw=raw,
            scheme="https",
            host="library.example.edu",
            port=443,
            path="/Caf%C3%A9%201",
            query="q=a%20b",
            fragment="Top",
            canonical="https://library.example.edu/Caf%C3%A9%201?q=a%20b",
        )
        assert url.parameters == ("q=a%20b",)

    def test_repr_shows_no_query(self) -> None:
        assert "secret" not in repr(parse_service("https://h.example/a?token=secret#secret"))

    @pytest.mark.parametrize(
        ("raw", "origin"),
        [
            ("https://h.example", "https://h.example"),
            ("https://h.example:/", "https://h.example"),
            ("https://h.example:0443/", "https://h.example"),
            ("http://h.example:443/", "http://h.example:443"),
            ("http://h_1.example:80/", "http://h_1.example"),
            ("https://10.0.0.7/", "https://10.0.0.7"),
            ("https://[2001:DB8:0::1]:8443/", "https://[2001:db8::1]:8443"),
            ("https://[::ffff:10.0.0.7]/", "https://[::ffff:a00:7]"),
            ("https://B\u00fccher.example/", "https://xn--bcher-kva.example"),
            ("https://XN--BCHER-KVA.example/", "https://xn--bcher-kva.example"),
            ("https://\uff42\uff4f\uff4f\uff4b\uff0eexample/", "https://book.example"),
        ],
    )
    def test_origin(self, raw: str, origin: str) -> None:
        assert origin_of(parse_service(raw)) == origin

    def test_other_schemes_only_where_named(self) -> None:
        url = parse_service("IMAPS://mail.example.edu", frozenset({"imaps"}))
        assert (url.scheme, url.port, url.canonical) == ("imaps", 0, "imaps://mail.example.edu/")
        assert reason("imaps://mail.example.edu") == "scheme"


class TestCanonical:
    @pytest.mark.parametrize(
        ("raw", "normal"),
        [
            ("https://h", "https://h/"),
            ("https://h?", "https://h/"),
            ("https://h/?&", "https://h/"),
            ("https://h/a/", "https://h/a/"),
            ("https://h/A", "https://h/A"),
            ("https://h//a", "https://h//a"),
            ("https://h/%7Eada/%c3%bc", "https://h/~ada/%C3%BC"),
            ("https://h/a+b?a+b", "https://h/a+b?a%20b"),
            ("https://h/?a=%2B", "https://h/?a=%2B"),
            ("https://h/a%2Fb", "https://h/a%2Fb"),
            ("https://h/100%?p=5%", "https://h/100%25?p=5%25"),
            ("https://h/%%32%65", "https://h/%252e"),
            ("https://h/?a[]=1&a%5b%5d=2", "https://h/?a%5B%5D=1&a%5B%5D=2"),
            ("https://h/?q='x'", "https://h/?q=%27x%27"),
            ("https://h/?b=2&a=1&a=1", "https://h/?b=2&a=1&a=1"),
            ("https://h/?a=1&ticket=ST-1", "https://h/?a=1"),
            ("https://h/?SAMLart=ST-1&a=1", "https://h/?a=1"),
            ("https://h/?%74icket=ST-1", "https://h/"),
            ("https://h/?tickets=1&Ticket=2&aticket=3", "https://h/?tickets=1&Ticket=2&aticket=3"),
            ("https://h/?a=1&&b=2&", "https://h/?a=1&b=2"),
            ("https://h/a;jsessionid=1.node?x", "https://h/a?x"),
            ("https://h/a;JSESSIONID=1", "https://h/a"),
            ("https://h/a;v=1;jsessionid=1;w=2", "https://h/a;v=1;w=2"),
            ("https://h/;jsessionid=1", "https://h/"),
            ("https://h/a;%6asessionid=1", "https://h/a"),
            ("https://h/a;jsessionidx=1", "https://h/a;jsessionidx=1"),
            ("https://h/a#/f?q;jsessionid=1", "https://h/a"),
        ],
    )
    def test_canonical_form(self, raw: str, normal: str) -> None:
        assert canonical(raw) == normal

    def test_a_session_id_hides_no_segment(self) -> None:
        # A browser visits what follows it, so it must be matched.
        assert canonical("https://h/public;jsessionid=1/admin") == "https://h/public;jsessionid=1/admin"


TEXTS = st.text(max_size=60)
PATHS = st.lists(st.text(string.ascii_letters + string.digits + "-_~ %+;=:@'\u00e9\u65e5", max_size=8), max_size=4)
QUERIES = st.lists(
    st.tuples(st.text(string.ascii_letters + " +%'[]\u00e9", max_size=6), st.text(max_size=8)).map("=".join), max_size=4
)
FRAGMENTS = st.sampled_from(["", "#", "#top", "#/route?x=1", "#a#b"])
HOSTS = st.sampled_from(
    ["h", "library.example.edu", "B\u00fccher.example", "10.0.0.7", "[2001:db8::1]", "x_1.example:8443"]
)


def acceptable(raw: str) -> bool:
    try:
        parse_service(raw)
    except MalformedService:
        return False
    return True


URLS = (
    st.tuples(st.sampled_from(["http", "https", "HTTPS"]), HOSTS, PATHS, QUERIES, st.booleans(), FRAGMENTS)
    .map(
        lambda parts: (
            f"{parts[0]}://{parts[1]}"
            + "".join(f"/{segment}" for segment in parts[2])
            + ("?" if parts[4] else "")
            + ("&".join(parts[3]).replace("#", "") if parts[4] else "")
            + parts[5]
        )
    )
    .filter(acceptable)
)


class TestProperties:
    @settings(deadline=None)
    @given(TEXTS | TEXTS.map(lambda text: f"https://{text}") | TEXTS.map(lambda text: f"https://h/{text}"))
    @example("https://[::ffff:1.2.3.4.5]/")
    @example("https://\u0378.example/")
    @example("https://xn--\u00fc.example/")
    @example("https://\u05d0\u0031a.example/")
    def test_any_text_is_parsed_or_refused(self, raw: str) -> None:
        if acceptable(raw):
            assert parse_service(raw).canonical.isascii()

    @settings(deadline=None)
    @given(URLS)
    def test_canonical_is_idempotent(self, raw: str) -> None:
        assert canonical(canonical(raw)) == canonical(raw)

    @settings(deadline=None)
    @given(URLS)
    def test_canonical_is_composed_of_the_parts(self, raw: str) -> None:
        url = parse_service(raw)
        assert url.canonical == origin_of(url) + url.path + (f"?{url.query}" if url.query else "")

    @settings(deadline=None)
    @given(URLS, st.sampled_from(["ticket", "SAMLart"]))
    @example("https://h/a?", "ticket")
    @example("https://h/a?x=?", "ticket")
    @example("https://h/a?x=1&", "ticket")
    @example("https://h/a#f?q", "ticket")
    @example("https://h", "ticket")
    def test_appending_a_ticket_changes_nothing_else(self, raw: str, name: str) -> None:
        appended = append_ticket(raw, name, TICKET)  # type: ignore[arg-type]
        front, sign, fragment = raw.partition("#")
        assert appended.startswith(front)
        assert appended.endswith(f"{name}={TICKET}{sign}{fragment}")
        assert canonical(appended) == canonical(raw)
        assert same(raw, appended)

    @settings(deadline=None)
    @given(URLS)
    def test_every_service_is_itself(self, raw: str) -> None:
        for level in ("exact", "canonical", "loose"):
            assert same(raw, raw, level)
        assert first_difference(parse_service(raw), parse_service(raw)) == ""

    @settings(deadline=None)
    @given(URLS)
    def test_known_encodings_are_the_same(self, raw: str) -> None:
        url, _, _ = raw.partition("#")
        front, mark, query = url.partition("?")
        scheme, _, rest = front.partition("://")
        host, slash, path = rest.partition("/")
        assert same(raw, f"{scheme.upper()}://{host.upper()}{slash}{path}{mark}{query}")
        if "/" in rest and ";" not in path:
            assert same(raw, f"{front};jsessionid=0A1{mark}{query}")
        if ":8443" not in host:
            assert same(raw, f"{scheme}://{host}:{443 if scheme.lower() == 'https' else 80}{slash}{path}{mark}{query}")
        if mark:
            assert same(raw, f"{front}?{query.replace('+', '%20')}")
            assert same(raw, f"{front}?{query.replace(' ', '+')}")
        assert same(raw, location(url))

    @settings(deadline=None)
    @given(URLS)
    def test_location_is_ascii_and_leads_to_the_matched_place(self, raw: str) -> None:
        target = location(append_ticket(raw, "ticket", TICKET))
        assert target.isascii()
        assert " " not in target
        assert urlsplit(target).netloc.lower().removesuffix(":") in {
            parse_service(raw).host,
            f"{parse_service(raw).host}:{parse_service(raw).port}",
        }
        assert canonical(target) == canonical(raw)


class TestAppendTicket:
    @pytest.mark.parametrize(
        ("service", "expected"),
        [
            ("https://h/a", "https://h/a?ticket=ST-1"),
            ("https://h/a?", "https://h/a?ticket=ST-1"),
            ("https://h/a?x=1", "https://h/a?x=1&ticket=ST-1"),
            ("https://h/a?x=1&", "https://h/a?x=1&ticket=ST-1"),
            ("https://h/a?b=2&a=1&a=2", "https://h/a?b=2&a=1&a=2&ticket=ST-1"),
            ("https://h/a?next=/b?", "https://h/a?next=/b?&ticket=ST-1"),
            ("https://h/a#f", "https://h/a?ticket=ST-1#f"),
            ("https://h/a#/f?q", "https://h/a?ticket=ST-1#/f?q"),
            ("https://h/a?x#/f?q#", "https://h/a?x&ticket=ST-1#/f?q#"),
            ("https://h/a?ticket=ST-0", "https://h/a?ticket=ST-0&ticket=ST-1"),
        ],
    )
    def test_joins_as_the_protocol_says(self, service: str, expected: str) -> None:
        assert append_ticket(service, "ticket", "ST-1") == expected

    @pytest.mark.parametrize("ticket", ["", "ST-1&service=x", "ST-1#", "ST_1", "ST-\r\nx", "ST-%41"])
    def test_a_ticket_that_needs_encoding_is_a_mistake_of_ours(self, ticket: str) -> None:
        with pytest.raises(ValueError, match="without encoding"):
            append_ticket("https://h/", "ticket", ticket)


class TestLocation:
    @pytest.mark.parametrize(
        ("url", "header"),
        [
            ("https://H.example/a b?q=\u00fc%C3#\u00e9 x", "https://H.example/a%20b?q=%C3%BC%C3#%C3%A9%20x"),
            ("https://h.example/%zz\"<>|^`{}'", "https://h.example/%zz\"<>|^`{}'"),
            ("https://B\u00fccher.example:8443/", "https://xn--bcher-kva.example:8443/"),
            ("https://[::1]/\u00fc", "https://[::1]/%C3%BC"),
            ("https://h.example/\U0001f600", "https://h.example/%F0%9F%98%80"),
        ],
    )
    def test_only_spaces_and_non_ascii_change(self, url: str, header: str) -> None:
        assert location(url) == header

    def test_the_host_is_mapped_here_and_not_by_the_browser(self) -> None:
        # Some browsers turn this letter into "ss", others into a small sharp s.
        raw = "https://stra\u1e9ee.example/"
        assert location(raw) == f"https://{parse_service(raw).host}/"

    @pytest.mark.parametrize(
        "url", ["https://h/\r\nSet-Cookie: x", "https://h/\u00fc\0", "\u00fc", "https://h/\u00fc\ud800"]
    )
    def test_what_cannot_be_a_header_is_refused(self, url: str) -> None:
        with pytest.raises(MalformedService):
            location(url)


class TestSameService:
    @pytest.mark.parametrize(
        ("granted", "presented"),
        [
            ("https://h/?app=a", "https://h/?app=b"),
            ("https://h/a", "https://h/A"),
            ("https://h/a", "https://h/a/"),
            ("https://h/a", "http://h/a"),
            ("https://h/a", "https://h:8443/a"),
            ("https://h/a", "https://h.example/a"),
            ("https://h/?a=1&b=2", "https://h/?b=2&a=1"),
            ("https://h/?a=1", "https://h/?a=1&a=1"),
            ("https://h/a", "https://h/a%2F"),
            ("https://h/a%2520", "https://h/a%20"),
            ("https://h/a", "https://h/ab"),
        ],
    )
    def test_another_service_is_not_the_same(self, granted: str, presented: str) -> None:
        assert not same(granted, presented)
        assert not same(granted, presented, "exact")

    @pytest.mark.parametrize(
        ("granted", "presented"),
        [
            ("https://h/A/", "https://h/a"),
            ("https://h/?a=1&b=2", "https://h/?b=2&a=1"),
            ("https://h/a%2520b", "https://h/a%20b"),
            ("https://h/?next=%2Fx%3Fy%3D1", "https://h/?next=%252Fx%253Fy%253D1"),
            ("https://h/?next=/x", "https://h/?next=%2Fx"),
        ],
    )
    def test_loose_forgives_double_encoding_order_case_and_slash(self, granted: str, presented: str) -> None:
        assert same(granted, presented, "loose")
        assert same(presented, granted, "loose")

    @pytest.mark.parametrize(
        "presented", ["http://h/?a=1", "https://h:8443/?a=1", "https://i/?a=1", "https://h/?a=2", "https://h/?A=1"]
    )
    def test_loose_still_wants_the_same_place_and_values(self, presented: str) -> None:
        assert not same("https://h/?a=1", presented, "loose")

    def test_exact_counts_every_byte(self) -> None:
        assert same("https://h/%c3", "https://h/%C3")
        assert not same("https://h/%c3", "https://h/%C3", "exact")

    def test_a_stored_service_that_cannot_be_read_matches_nothing(self) -> None:
        assert not same("https://ada@h/", "https://h/")

    def test_other_schemes_compare_too(self) -> None:
        presented = parse_service("imaps://mail.example.edu/", frozenset({"imaps"}))
        assert same_service("imaps://MAIL.example.edu", presented)


class TestFirstDifference:
    @pytest.mark.parametrize(
        ("one", "other", "text"),
        [
            ("http://h/", "https://i/", "scheme: http and https"),
            ("https://h/", "https://i:1/", "host: h and i"),
            ("https://h/a", "https://h:8443/b", "port: 443 and 8443"),
            ("https://h/a/b?x", "https://h/a/c?y", "path: segment 2 is 'b' and 'c'"),
            ("https://h/a", "https://h/a/", "path: segment 2 is missing and ''"),
            ("https://h/?a=1&b=secret", "https://h/?a=1&b=hidden", "query: values of 'b' differ"),
            ("https://h/?a=1&b=secret", "https://h/?a=1", "query: only one has 'b'"),
            ("https://h/?a=secret&b=2", "https://h/?b=2&a=secret", "query: 'a' and 'b' in the same place"),
            ("https://h/", "https://h/;jsessionid=1?#x", ""),
        ],
    )
    def test_names_the_part(self, one: str, other: str, text: str) -> None:
        assert first_difference(parse_service(one), parse_service(other)) == text

    @settings(deadline=None)
    @given(URLS, URLS)
    def test_never_tells_values_and_never_misses(self, one: str, other: str) -> None:
        a, b = parse_service(one), parse_service(other)
        assert bool(first_difference(a, b)) == (a.canonical != b.canonical)
        assert len(first_difference(a, b)) < 400
