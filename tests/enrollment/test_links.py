"""Links to enrolment and back: ours alone, for a while, and never anywhere but to our own login."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from casduo.enrollment.links import EnrollmentLinks
from casduo.signing import Purpose, Signing

NOW = 1_700_000_000.0
SERVER = "https://sso.example.edu/cas"
ASKED = {"service": "https://payroll.example.edu/slips?month=5&year=2026#top", "method": "POST"}
SIGNING = Signing(["k" * 40])
LINKS = EnrollmentLinks(SIGNING, "/cas", SERVER, 1800.0)


def token_of(link: str, name: str) -> str:
    return parse_qs(urlsplit(link).query)[name][0]


def key_of(external: str) -> str:
    back = token_of(external, "return")
    assert back.startswith(f"{SERVER}/enroll/back?key=")
    return token_of(back, "key")


def test_a_link_to_our_own_pages_tells_what_was_asked_for() -> None:
    link = LINKS.built_in(ASKED, NOW)
    assert link.startswith("/cas/enroll/?back=")
    found = LINKS.read(token_of(link, "back"), NOW + 60)
    assert found is not None
    assert (found.asked, found.expired) == (ASKED, False)


@pytest.mark.parametrize(
    ("url", "begins"),
    [
        ("https://kb.example.edu/duo", "https://kb.example.edu/duo?return="),
        ("https://kb.example.edu/article?id=7", "https://kb.example.edu/article?id=7&return="),
        ("https://kb.example.edu/article?", "https://kb.example.edu/article?return="),
        ("https://kb.example.edu/article?a&", "https://kb.example.edu/article?a&return="),
    ],
)
def test_pages_elsewhere_are_told_the_way_back(url: str, begins: str) -> None:
    external = LINKS.external(url, ASKED, NOW)
    assert external.startswith(begins)
    found = LINKS.read(key_of(external), NOW)
    assert found is not None
    assert found.asked == ASKED


def test_a_fragment_stays_at_the_end() -> None:
    external = LINKS.external("https://kb.example.edu/duo#phones", ASKED, NOW)
    assert urlsplit(external).fragment == "phones"
    assert LINKS.read(key_of(external), NOW) is not None


def test_a_link_runs_out_and_still_says_what_it_was_for() -> None:
    token = token_of(LINKS.built_in(ASKED, NOW), "back")
    assert LINKS.read(token, NOW + 1800).expired is False  # type: ignore[union-attr]
    late = LINKS.read(token, NOW + 1802)
    assert late is not None
    assert (late.asked, late.expired) == (ASKED, True)


def test_two_links_of_the_same_second_are_two() -> None:
    names = {LINKS.read(token_of(LINKS.built_in(ASKED, NOW), "back"), NOW).name for _ in range(2)}  # type: ignore[union-attr]
    assert len(names) == 2


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        token_of(LINKS.built_in(ASKED, NOW), "back") + "x",
        SIGNING.dumps(Purpose.SIGN_OUT, ["name", ASKED], NOW),
        SIGNING.dumps(Purpose.ENROLL_RETURN, "https://evil.example", NOW),
        SIGNING.dumps(Purpose.ENROLL_RETURN, ["name", "https://evil.example"], NOW),
        Signing(["o" * 40]).dumps(Purpose.ENROLL_RETURN, ["name", ASKED], NOW),
    ],
)
def test_what_is_not_ours_is_no_link(token: str) -> None:
    assert LINKS.read(token, NOW) is None


def test_a_slash_at_the_end_of_the_server_s_address_makes_no_difference() -> None:
    links = EnrollmentLinks(SIGNING, "/cas", f"{SERVER}/")
    assert key_of(links.external("https://kb.example.edu/", ASKED, NOW))


def test_the_repr_of_a_link_shows_no_service() -> None:
    asked: dict[str, Any] = {"service": "https://payroll.example.edu/?secret=1"}
    assert "secret" not in repr(LINKS.read(token_of(LINKS.built_in(asked, NOW), "back"), NOW))
