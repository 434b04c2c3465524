"""Which proxies may call: every one on the way, and no address that only looks like an allowed one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.middleware.proxies import allowed, problem_of

PORTAL = "https://portal.example.edu/cas/pgt"


@pytest.mark.parametrize(
    ("chain", "patterns"),
    [
        ([PORTAL], [PORTAL]),
        ([f"{PORTAL}?tenant=1"], [f"{PORTAL}?tenant=1"]),
        ([PORTAL], ["https://portal.example.edu/*"]),
        ([PORTAL], ["https://other.example.edu/*", "https://portal.example.edu/cas/*"]),
        (["https://portal.example.edu:8443/a/b/"], ["https://portal.example.edu:8443/*"]),
        ([PORTAL, "https://broker.example.edu/pgt"], [PORTAL, "https://broker.example.edu/*"]),
        ([PORTAL, PORTAL], [PORTAL]),
    ],
)
def test_a_chain_of_allowed_proxies_is_allowed(chain: list[str], patterns: list[str]) -> None:
    assert allowed(chain, patterns)


@pytest.mark.parametrize(
    ("chain", "patterns"),
    [
        ([], [PORTAL]),
        ([], []),
        ([PORTAL], []),
        ([PORTAL, "https://evil.example/pgt"], [PORTAL]),
        (["https://evil.example/pgt", PORTAL], [PORTAL]),
        ([f"{PORTAL}/x"], [PORTAL]),
        ([f"{PORTAL}?x"], [PORTAL]),
        ([PORTAL.upper()], [PORTAL]),
        ([""], ["https://portal.example.edu/*"]),
    ],
)
def test_any_other_is_not(chain: list[str], patterns: list[str]) -> None:
    assert not allowed(chain, patterns)


@pytest.mark.parametrize(
    "proxy",
    [
        "https://portal.example.edu",
        "https://portal.example.edu/",
        "https://portal.example.edu/apps",
        "https://portal.example.edu/appsx",
        "https://portal.example.edu/apps/../evil",
        "https://portal.example.edu/apps/./x",
        "https://portal.example.edu/apps//x",
        "https://portal.example.edu/apps/%2e%2e/evil",
        "https://portal.example.edu/apps/..;/evil",
        "https://portal.example.edu/apps\\..\\evil",
        "https://portal.example.edu/apps/x?y",
        "https://portal.example.edu/apps/x#y",
        "https://portal.example.edu/apps/x\n",
        "https://portal.example.edu/apps/x y",
        "https://portal.example.edu@evil.example/apps/x",
        "https://portal.example.edu.evil.example/apps/x",
        "http://portal.example.edu/apps/x",
        "https://portal.example.edu:443/apps/x",
        "//portal.example.edu/apps/x",
    ],
)
def test_a_star_stands_for_plain_addresses_below_only(proxy: str) -> None:
    assert not allowed([proxy], ["https://portal.example.edu/apps/*"])


@given(st.text(st.sampled_from("htps:/portal.exmdu@?#%2*\\ "), max_size=60))
def test_whatever_matches_a_star_begins_with_what_stands_before_it(proxy: str) -> None:
    pattern = "https://portal.example.edu/*"
    assert not allowed([proxy], [pattern]) or proxy.startswith("https://portal.example.edu/")


@pytest.mark.parametrize("pattern", [PORTAL, f"{PORTAL}?tenant=1", "https://portal.example.edu:8443/*"])
def test_a_pattern_is_an_address_or_ends_in_a_star(pattern: str) -> None:
    assert problem_of(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "*",
        "/*",
        "https://*",
        "https:///*",
        "https://*.example.edu/pgt",
        "https://portal.example.edu*",
        "https://portal.example.edu/*/pgt",
        "https://portal.example.edu/**",
        "http://portal.example.edu/pgt",
        "portal.example.edu/pgt",
        "https://[portal/pgt",
        "https://portal.example.edu/ä",
        "https://portal.example.edu/a\nb",
    ],
)
def test_anything_else_is_a_mistake(pattern: str) -> None:
    assert problem_of(pattern) is not None
