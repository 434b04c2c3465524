"""Browsers are called what people call them, and no text from outside comes through."""

from __future__ import annotations

import pytest

from casduo.agents import PHONE, Agent, agent_named, agent_of, agent_words
from casduo.messages import text

_MACS = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
_ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0", "Firefox on Android"),
        (f"{_IPHONE} FxiOS/128.0 Mobile/15E148 Safari/605.1.15", "Firefox on iPhone"),
        (f"{_LINUX} Chrome/126.0.0.0 Safari/537.36", "Chrome on Linux"),
        (f"{_WINDOWS} Chrome/126.0.0.0 Safari/537.36", "Chrome on Windows"),
        (f"{_ANDROID} Chrome/126.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        (f"{_LINUX} HeadlessChrome/126.0.0.0 Safari/537.36", "Chrome without a window on Linux"),
        (f"{_WINDOWS} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", "Microsoft Edge on Windows"),
        (f"{_WINDOWS} Chrome/126.0.0.0 Safari/537.36 OPR/112.0.0.0", "Opera on Windows"),
        (f"{_ANDROID} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36", "Samsung Internet on Android"),
        (f"{_MACS} Version/17.5 Safari/605.1.15", "Safari on macOS"),
        (f"{_IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/126.0.0.0 Safari/537.36", "Chrome on ChromeOS"),
        ("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer on Windows"),
        ("curl/8.5.0", "curl"),
        ("Something/1.0 (X11; FreeBSD amd64)", "Unknown browser on FreeBSD"),
        ("", "Unknown browser"),
        ("Mozilla/5.0", "Unknown browser"),
    ],
)
def test_a_browser_is_called_what_people_call_it(told: str, words: str) -> None:
    agent = agent_of(told)
    assert str(agent) == words
    assert text(agent.text_id, "en", **agent.facts) == words


def test_what_is_no_name_is_said_in_the_language_of_the_page() -> None:
    headless = f"{_LINUX} HeadlessChrome/126.0.0.0 Safari/537.36"
    for language, words in {
        "de": ("Chrome ohne Fenster auf Linux", "IP-Telefon"),
        "fr": ("Chrome sans interface graphique sous Linux", "Téléphone IP"),
        "es": ("Chrome sin ventana en Linux", "Teléfono IP"),
    }.items():
        told = [agent_named(agent_words(headless)), agent_named(PHONE)]
        assert tuple(text(agent.text_id, language, **agent.facts) for agent in told) == words
    alone = agent_of("HeadlessChrome/126.0.0.0")
    assert text(alone.text_id, "de", **alone.facts) == "Chrome ohne Fenster"


@pytest.mark.parametrize(
    "told",
    [
        "<script>alert(1)</script>",
        "{browser} {0.__class__} %s {{ 7*7 }}",
        "\u202eFirefox\x00\r\nSet-Cookie: a=b",
        "\ud800\udfff",
        "(" * 100_000,
        "Firef" + "o" * 1_000_000 + "x/",
    ],
)
def test_nothing_of_a_hostile_text_comes_through(told: str) -> None:
    assert agent_of(told) == Agent()


def test_what_stands_far_behind_is_not_looked_at() -> None:
    assert agent_of("x" * 400 + "Firefox/128.0 (X11; Linux)") == Agent()
