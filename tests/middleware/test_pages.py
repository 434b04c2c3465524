"""The pages people may see: whole, accessible in the ways a machine can tell, and without anything to run."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest
from bs4 import BeautifulSoup

from casduo.middleware import notices, pages

EVIL = "https://app.example.edu/?<script>alert(1)</script>&\"'"

NOTICES = [
    notices.sign_in_needed(EVIL, reading=True),
    notices.sign_in_needed(EVIL, reading=False),
    notices.denied("UNAUTHORIZED_SERVICE", EVIL),
    notices.denied("INVALID_TICKET", EVIL),
    notices.denied("INVALID_AUTHENTICATION_CONTEXT", EVIL, "mfa-duo"),
    notices.unavailable(EVIL),
    notices.misconfigured(),
    notices.cookies_off(EVIL),
    notices.loop(EVIL),
    notices.too_long(EVIL),
    notices.unknown_host(),
    notices.confirm_sign_out("token", EVIL),
    notices.wrong_method(),
    notices.failed(),
]


@pytest.fixture(params=NOTICES, ids=lambda page: page.title)
def html(request: pytest.FixtureRequest) -> str:
    return pages.render(
        request.param, app_name='<b>"App"', help_url="https://help.example.edu/?a&b", reference="abc123", now=0.0
    )


def test_each_has_language_title_heading_and_landmarks(html: str) -> None:
    page = BeautifulSoup(html, "html.parser")
    assert page.html is not None
    assert page.html["lang"] == "en"
    assert page.title is not None
    assert len(page.find_all("h1")) == len(page.find_all("main")) == len(page.find_all("footer")) == 1
    assert page.h1 is not None
    assert page.title.text.startswith(page.h1.text)
    viewport = page.find("meta", {"name": "viewport"})
    assert viewport is not None
    assert "maximum-scale" not in str(viewport)


def test_nothing_in_them_runs_or_is_loaded(html: str) -> None:
    page = BeautifulSoup(html, "html.parser")
    assert page.find_all(["script", "img", "link", "iframe"]) == []
    assert page.find_all(style=True) == []
    assert not re.search(r"\son\w+=", html)


def test_texts_from_outside_are_escaped(html: str) -> None:
    assert "<script>alert" not in html
    assert "<b>" not in html


def test_the_style_is_the_one_the_policy_allows(html: str) -> None:
    style = BeautifulSoup(html, "html.parser").style
    assert style is not None
    assert style.string is not None
    digest = base64.b64encode(hashlib.sha256(style.string.encode()).digest()).decode()
    policy = dict(pages.headers("https://sso.example.edu"))["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script" not in policy


def test_reference_and_time_are_there_to_be_read_out(html: str) -> None:
    assert "abc123" in html
    assert '<time datetime="1970-01-01T00:00:00Z">1970-01-01 00:00:00 UTC</time>' in html


def test_a_page_is_small(html: str) -> None:
    assert len(html) < 6_000


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [
        ("ink", "card", 4.5),
        ("quiet", "card", 4.5),
        ("on-accent", "accent", 4.5),
        ("accent", "ground", 4.5),
        ("accent", "card", 3.0),
        ("quiet", "card", 3.0),
    ],
)
def test_colours_can_be_told_apart(scheme: int, text: str, ground: str, least: float) -> None:
    colours = [dict(re.findall(r"--([a-z-]+):(#[0-9a-f]+)", rule)) for rule in re.findall(r":root{[^}]+}", _STYLE)]
    assert _contrast(colours[scheme][text], colours[scheme][ground]) >= least


_STYLE = pages.render(NOTICES[0], app_name="", help_url=None, reference="", now=0.0)


def test_a_form_may_lead_to_the_cas_server() -> None:
    assert "form-action 'self' https://sso.example.edu;" in str(pages.headers("https://sso.example.edu"))


def test_help_is_linked_where_it_is_known(browse: Any) -> None:
    page = browse(help_url="https://help.example.edu/", app_name="Library").request("/", "POST")
    assert '<a href="https://help.example.edu/">Help</a>' in page.text
    assert "Library" in page.text
    assert "<footer>" not in browse().request("/", "POST").text
