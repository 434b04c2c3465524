"""Texts of others in Markdown: whatever they hold, they show as what they are."""

from __future__ import annotations

import unicodedata
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from casduo.simulators.webex import markdown as simulated
from casduo.webex.text import LONGEST_MESSAGE, cut, escape, moment, plain
from tests.webex.hostile import HOSTILE, texts

COMMONMARK = MarkdownIt("gfm-like", {"linkify": True, "html": True})
# Without a scheme nobody can tell a host from the end of a sentence.
COMMONMARK.linkify.set({"fuzzy_link": False, "fuzzy_email": False})


def inline_of(markdown: str) -> list[Token]:
    """The inline tokens of a text that must be one paragraph and nothing else."""
    tokens = COMMONMARK.parse(markdown)
    if not tokens:
        return []
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"], markdown
    return tokens[1].children or []


def shown(markdown: str) -> str:
    """What a reader sees of a text that must have nothing in it but text."""
    inline = inline_of(markdown)
    assert {token.type for token in inline} <= {"text", "text_special"}, (markdown, inline)
    return "".join(token.content for token in inline)


@given(texts)
def test_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    assert shown(escape(text)) == plain(text)


@given(texts)
def test_it_shows_the_same_in_the_middle_of_our_own_words(text: str) -> None:
    assert shown(f"Access request of {escape(text)}: waits") == f"Access request of {plain(text)}: waits".replace(
        "  ", " "
    )


@given(texts, texts)
def test_two_texts_cannot_join_into_something(one: str, other: str) -> None:
    inline = inline_of(f"**{escape(one) or 'x'}** at {escape(other)}")
    assert {token.type for token in inline} <= {"text", "text_special", "strong_open", "strong_close"}


@given(texts)
def test_the_simulated_webex_sees_no_mention_and_no_link_either(text: str) -> None:
    nodes = simulated.parse(escape(text))
    assert {node.kind for node in nodes} <= {"text"}
    assert simulated.plain(nodes) == plain(text)


@given(texts, st.integers(1, 600))
def test_it_is_one_line_without_characters_that_nobody_sees(text: str, limit: int) -> None:
    line = plain(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert line == " ".join(line.split())
    assert line.encode("utf-8").decode() == line
    formats = {character for character in line if unicodedata.category(character) in ("Cf", "Cc", "Zl", "Zp")}
    assert formats <= {"\u200c", "\u200d", "\u2060"}


@given(texts)
def test_no_client_finds_an_address_to_make_a_link_of(text: str) -> None:
    line = plain(text).lower()
    assert "://" not in line
    assert "www." not in line


@given(texts, st.integers(3, 9000))
@example("😀" * 3000, LONGEST_MESSAGE)
@example("\\*" * 4000, LONGEST_MESSAGE)
def test_a_text_is_cut_between_two_characters(text: str, size: int) -> None:
    shorter = cut(text, size)
    assert len(shorter.encode("utf-8")) <= size
    assert shorter == text.encode("utf-8", "replace").decode() or shorter.endswith("…")
    assert text.encode("utf-8", "replace").decode().startswith(shorter.removesuffix("…")) or shorter == text


def test_what_fits_is_not_cut() -> None:
    assert cut("a" * LONGEST_MESSAGE) == "a" * LONGEST_MESSAGE
    assert cut("a" * (LONGEST_MESSAGE + 1)) == "a" * (LONGEST_MESSAGE - 3) + "…"
    assert len(cut("é" * LONGEST_MESSAGE).encode()) in (LONGEST_MESSAGE, LONGEST_MESSAGE - 1)


def test_half_of_an_escape_is_not_left_over() -> None:
    assert cut(r"ab\*cde", 6) == "ab…"
    assert cut(r"a\\bcde", 6) == r"a\\…"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_show_as_they_are(text: str) -> None:
    assert shown(escape(text)) == plain(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Ada\nLovelace", "Ada Lovelace"),
        ("  Ada\t Lovelace ", "Ada Lovelace"),
        ("\u202eadmin", "admin"),
        ("می‌خواهم", "می‌خواهم"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("https://evil.example", "https:\u2060//evil.example"),
        ("**admin** approved", "**admin** approved"),
        ("x" * 200, "x" * 119 + "…"),
        (7, "7"),
    ],
)
def test_what_is_left_of_a_text(text: object, line: str) -> None:
    assert plain(text) == line


def test_of_a_text_that_is_nearly_all_dropped_no_more_is_read() -> None:
    assert plain("a" + "\u202e" * 1_000_000 + "b", 10) == "a…"


def test_a_moment_is_told_in_utc_and_in_the_servers_zone() -> None:
    noon = 1_785_585_600.0
    assert moment(noon, UTC) == "2026-08-01 12:00 UTC"
    assert moment(noon, ZoneInfo("Europe/Berlin")) == "2026-08-01 12:00 UTC (14:00 Europe/Berlin)"
    assert moment(noon, ZoneInfo("Pacific/Auckland")) == "2026-08-01 12:00 UTC (2026-08-02 00:00 Pacific/Auckland)"
    assert moment(noon, ZoneInfo("Africa/Abidjan")) == "2026-08-01 12:00 UTC"


@pytest.mark.parametrize("at", [1e300, float("inf"), float("nan"), -1e18])
def test_what_is_no_moment_is_no_error(at: float) -> None:
    assert moment(at, ZoneInfo("Europe/Berlin")) == "at no time there is"
