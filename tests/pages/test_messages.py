"""Texts: every one is used, every one that is used exists, and facts from outside cannot disturb a page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from types import MappingProxyType

import pytest

from casduo.messages import (
    ENGLISH,
    FACT_LIMIT,
    PROSE_LIMIT,
    BrokenCatalogue,
    Catalogue,
    Message,
    Plural,
    UnknownMessage,
    WrongFacts,
    catalogue,
    check,
    factor_id,
    presentable,
    text,
)
from casduo.messages.english import GROUPS
from tests.pages.rendering import VIEWS, render
from tests.pages.states import STATES

VIEW_TEXTS = {str(view.relative_to(VIEWS)): view.read_text(encoding="utf-8") for view in VIEWS.rglob("*.html")}


def english_with(**changes: Message) -> Catalogue:
    """Return the English catalogue under another name with some of its messages replaced."""
    return replace(ENGLISH, language="en-XA", messages=MappingProxyType(dict(ENGLISH.messages) | changes))


@pytest.mark.parametrize("view", sorted(VIEW_TEXTS))
def test_every_id_in_a_view_exists(view: str) -> None:
    named = set(re.findall(r'\bt\(\s*"([^"]+)"\s*[,)]', VIEW_TEXTS[view]))
    assert named <= ENGLISH.messages.keys()


def test_every_text_is_read_by_somebody() -> None:
    read = set()

    def note(self: Catalogue, message_id: str, /, **facts: object) -> str:
        read.add(message_id)
        return ENGLISH.text(message_id, **facts)  # type: ignore[arg-type]

    noting = type("Noting", (Catalogue,), {"text": note})
    noticed = noting(**{name: getattr(ENGLISH, name) for name in Catalogue.__slots__})
    for state in STATES:
        render(state.view, state.page, site=state.site, catalogue=noticed, error_page=state.is_error_page)
    by_the_frame_of_other_pages = {"page.skip", "page.navigation", "page.language"}
    of_tables = {name for name in ENGLISH.messages if name.startswith(("agent.", "factor."))}
    assert ENGLISH.messages.keys() - read - by_the_frame_of_other_pages - of_tables == set()


def test_no_text_stands_in_two_groups() -> None:
    assert sum(map(len, GROUPS)) == len(ENGLISH.messages)


def test_a_text_holds_its_facts() -> None:
    assert text("login.to_service", "en", service="Payroll") == "to continue to Payroll"
    assert text("login.error.throttled", "en", seconds=1).endswith("Try again in 1 second.")
    assert text("login.error.throttled", "en", seconds=40).endswith("Try again in 40 seconds.")
    assert text("login.error.throttled", "en", seconds=3600).endswith("Try again in 3,600 seconds.")


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("2026-03-04T10:22:31+01:00", "4 March 2026, 10:22 UTC+01:00"),
        ("2026-03-04T10:22:31-03:30", "4 March 2026, 10:22 UTC-03:30"),
        ("2026-12-31T23:59:59Z", "31 December 2026, 23:59 UTC"),
        (datetime(2026, 1, 1, tzinfo=UTC), "1 January 2026, 00:00 UTC"),
    ],
)
def test_a_moment_is_written_with_its_zone(given: str | datetime, written: str) -> None:
    assert text("fact.moment", "en", at=given) == written


@pytest.mark.parametrize("given", ["2026-09-01", "2026-09-01T00:00:00+02:00", date(2026, 9, 1)])
def test_a_date_is_written_without_time(given: str | date) -> None:
    assert text("service_denied.reason.not_yet", "en", start=given) == "It can be used from 1 September 2026 on."


def test_an_unknown_id_is_named() -> None:
    with pytest.raises(UnknownMessage, match=r"login\.heding"):
        text("login.heding", "en")


@pytest.mark.parametrize(
    ("message_id", "facts"),
    [
        ("login.to_service", {}),
        ("login.to_service", {"service": "Payroll", "host": "payroll.example.edu"}),
        ("login.to_service", {"service": 7}),
        ("login.error.throttled", {}),
        ("login.error.throttled", {"seconds": "40"}),
        ("fact.moment", {"at": "yesterday"}),
        ("fact.moment", {"at": "2026-03-04T10:22:31"}),
        ("service_denied.reason.not_yet", {"start": "soon"}),
        ("service_denied.reason.not_yet", {"start": 3}),
    ],
)
def test_wrong_facts_are_refused(message_id: str, facts: dict[str, str | int]) -> None:
    with pytest.raises(WrongFacts, match=re.escape(message_id)):
        text(message_id, "en", **facts)


@pytest.mark.parametrize(
    ("asked", "given"), [("en", "en"), ("en-GB", "en"), ("de-AT", "de"), ("fr_CA", "fr"), ("tlh", "en"), ("", "en")]
)
def test_a_language_falls_back_to_its_base_and_then_to_english(asked: str, given: str) -> None:
    assert catalogue(asked).language == given


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"login.salute": "Hello"}, "login.salute is not used"),
        ({"login.to_service": "to go on"}, "login.to_service holds"),
        ({"login.to_service": "to {service:name}"}, "asks for a kind of fact that does not exist"),
        ({"login.error.throttled": Plural("seconds", {"other": "{seconds:number} s"})}, "has the forms"),
    ],
)
def test_a_catalogue_that_does_not_fit_is_refused(changes: dict[str, Message], problem: str) -> None:
    with pytest.raises(BrokenCatalogue, match=re.escape(problem)):
        check(english_with(**changes), reference=ENGLISH)


def test_a_catalogue_names_all_its_problems_at_once() -> None:
    lacking = dict(english_with(**{"login.to_service": "to go on"}).messages)
    del lacking["login.heading"]
    with pytest.raises(BrokenCatalogue) as refused:
        check(replace(ENGLISH, messages=lacking), reference=ENGLISH)
    assert [problem.split()[0] for problem in refused.value.problems] == ["login.heading", "login.to_service"]


def test_a_language_with_more_plural_forms_is_one_more_catalogue() -> None:
    forms = {"one": "{seconds:number} sekunda", "few": "{seconds:number} sekundy", "many": "{seconds:number} sekund"}
    plural = Plural("seconds", forms | {"other": "{seconds:number} sekundy"})

    def polish(count: int) -> str:
        if count == 1:
            return "one"
        return "few" if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14) else "many"

    made = replace(
        ENGLISH, language="pl", plural=polish, messages=dict(ENGLISH.messages) | {"login.error.throttled": plural}
    )
    spoken = [made.text("login.error.throttled", seconds=count) for count in (1, 2, 5, 12, 22)]
    assert spoken == ["1 sekunda", "2 sekundy", "5 sekund", "12 sekund", "22 sekundy"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Payroll", "Payroll"),
        ("Zürich 東京 ", "Zürich 東京 "),
        ("two\r\nlines\tand\u2028three", "two lines and three"),
        ("good\u202elive\u202c", "goodlive"),
        ("\u2068isolated\u2069", "isolated"),
        ("zero\u200bwidth\u00ad", "zerowidth"),
        ("می\u200cروم", "می\u200cروم"),
        ("nul\x00bell\x07", "nul bell"),
        ("half\ud800", "half\ufffd"),
        ("", ""),
    ],
)
def test_text_from_outside_is_made_harmless(value: str, shown: str) -> None:
    assert presentable(value) == shown


def test_long_text_from_outside_loses_its_middle() -> None:
    shown = presentable("www.bank.example." + "a" * 10_000 + ".evil.example")
    assert len(shown) == FACT_LIMIT
    assert shown.startswith("www.bank.example.a")
    assert shown.endswith(".evil.example")
    assert "…" in shown


def test_sentences_from_outside_may_be_longer() -> None:
    assert len(text("fact.text", "en", value="word " * 1000)) == FACT_LIMIT
    assert len(text("fact.prose", "en", value="word " * 1000)) == PROSE_LIMIT


@pytest.mark.parametrize(
    ("duo_says", "message_id"),
    [
        ("duo_push", "factor.duo_push"),
        ("WebAuthn Security Key", "factor.webauthn_security_key"),
        ("carrier_pigeon", "factor.other"),
        ("", "factor.other"),
    ],
)
def test_a_factor_of_duo_has_a_text(duo_says: str, message_id: str) -> None:
    assert factor_id(duo_says) == message_id
    assert text(message_id, "en")
