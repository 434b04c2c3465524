"""What strangers can make the server do: never more work than their requests are long, and no guessing past limits."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from casduo.errors import CasduoError
from casduo.protocol.parameters import parse_parameters
from casduo.protocol.saml1 import parse_saml_request
from casduo.services.patterns import compile_pattern
from casduo.services.urls import location, parse_service
from tests.support.raw import exchange
from tests.support.served import serving
from tests.support.site import LIBRARY, PASSWORDS, Build, Site

PATIENCE = 3.0
"""Seconds of the processor for what takes some thousandths; what grows with the square of its length takes longer."""


def test_an_address_full_of_beginnings_of_tickets_keeps_nobody_waiting(tmp_path: Path, valkey_url: str) -> None:
    """Apereo 2025-04-11: a regular expression that backtracks, open to everybody. Here it hid tickets in the log."""
    with serving(tmp_path, valkey_url) as served:
        for beginning in ("ST-", "PGT-", "TGT-a-", "ST-aaaaaaaaaaaaaaa-", "-", "PGTIOU-ST-"):
            path = f"/cas/{beginning * (60_000 // len(beginning))}"
            request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            assert exchange(served.address, request, seconds=PATIENCE).startswith(b"HTTP/1.1 404"), beginning


SERVICES = [
    "https://h/" + ";jsessionid=" * 600,
    "https://h" + "/.x" * 2600,
    "https://h/?" + "&" * 8000,
    "https://h/" + "%" * 8000,
    "https://h/?" + "%2" * 4000,
    "https://" + "a:" * 4000,
    "https://" + "[" * 8000,
    "https://" + "a." * 120 + "b/",
    "https://" + "\u00fc" * 250 + "/",
    "https://" + "xn--" * 60 + "/",
    "a" * 8000 + ":",
    "https://" + "@" * 8000,
    "https://h/" + "\u00fc" * 4000,
    "https://h/#" + "#" * 8000,
    "https://h/" + "a/" * 4000,
]
PATTERNS = [
    "https://*a*a*a*a*a*.example.edu/**",
    "https://h/*a*a*a*a*a*b",
    "https://h/**/a/**/b/**/c",
    "https://h/?**&a&**&b&**",
    "regex:https://h/([a-z]+)*",
    "regex:https://h/(a|aa)+b",
    "regex:https://[a-z]+[a-z]*\\.example\\.edu/.*.*.*x",
]
MESSAGES = [
    "<?xml " + " encoding" * 7000,
    "<?xml encoding" + " " * 65_000,
    "<?xml " + "encoding= " * 6500,
    '<E xmlns="http://schemas.xmlsoap.org/soap/envelope/" '
    + " ".join(f'a{number}=""' for number in range(6000))
    + "/>",
    '<E xmlns="http://schemas.xmlsoap.org/soap/envelope/" '
    + " ".join(f'xmlns:a{number}="u"' for number in range(2500)),
    '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/">' + "<a>" * 20_000,
    '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/">' + "<a/>" * 16_000,
    '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/">' + "&#65;" * 12_000,
    "<" * 65_000,
]
FORMS = ["&" * 60_000, "=" * 60_000, "%" * 60_000, ";" * 60_000, "a=%E0" * 9000, "service=" + "%2525" * 9000]


def test_nothing_that_comes_in_costs_the_square_of_its_length() -> None:
    """Apereo 2025-04-11 (webfinger) for everything that strangers send and that is looked at with a pattern."""
    patterns = []
    for text in PATTERNS:
        try:
            patterns.append(compile_pattern(text))
        except ValueError:
            # A regular expression that backtracks is refused when the registry is read.
            assert text.startswith("regex:")
    assert len(patterns) >= 4
    started = time.process_time()
    for service in [
        *SERVICES,
        *(f"https://h/{'a' * 8000}{end}" for end in ("", "b", "/", "!")),
        f"https://{'a' * 60}.edu/",
    ]:
        try:
            url = parse_service(service)
            location(service)
        except CasduoError:
            continue
        for pattern in patterns:
            pattern.matches(url)
    for message in MESSAGES:
        with pytest.raises(CasduoError):
            parse_saml_request(message.encode())
    for form in FORMS:
        for pair in ((form, b""), ("", form.encode())):
            try:
                parse_parameters(*pair)
            except CasduoError:
                continue
    assert time.process_time() - started < PATIENCE


# Guessing

SPELLINGS = [
    "ada",
    "ADA",
    "\uff41da",
    "a\uff44a",
    "\U0001d41ada",
    "\u00aada",
    "\u24d0da",
    "\u00e5da",
    "a\u0301da",
    "\uff21d\uff41",
]
"""One user to a directory (RFC 4518): letters of another width or style, which OpenLDAP takes for the plain ones, and
accents, which others leave out of account.
"""


@pytest.mark.parametrize("case", ["lower", "keep"])
def test_a_person_has_one_limit_however_the_name_is_spelled(build: Build, case: str) -> None:
    """Apereo 2021-02-13, for guessing: to a directory many spellings are one person; each had a limit of its own."""
    registry = "services: [{id: library, name: L, url: 'https://library.example.edu/**'}]"
    site = build(registry=registry, settings=f"login: {{username_case: {case}}}\n")
    told = [_guess(site, name) for name in SPELLINGS]
    assert told == [401] * 5 + [429] * 5
    assert _guess(site, "ada", PASSWORDS["ada"]) == 429
    assert _guess(site, "grace", PASSWORDS["grace"]) == 303


def _guess(site: Site, name: str, password: str = "wrong") -> int:
    browser = site.browser()
    return browser.fill(browser.login_page(LIBRARY), name, password).status_int
