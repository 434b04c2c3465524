"""Ticket ids."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.tickets.ids import TicketKind, new_session_id, new_ticket_id, parse_ticket_id


def test_a_hundred_thousand_service_tickets_have_32_safe_characters_and_differ() -> None:
    session = new_session_id()
    made = {str(new_ticket_id(TicketKind.SERVICE, session)) for _ in range(100_000)}
    assert len(made) == 100_000
    form = re.compile(r"ST-[A-Za-z0-9-]{29}")
    assert all(form.fullmatch(ticket) and len(ticket) == 32 for ticket in made)


@pytest.mark.parametrize("kind", list(TicketKind))
def test_an_id_reads_back_as_itself(kind: TicketKind) -> None:
    ticket = new_ticket_id(kind, new_session_id())
    assert parse_ticket_id(str(ticket)) == ticket
    assert len(str(ticket)) <= {"ST": 32, "PT": 32, "PGT": 64, "TGT": 256}[kind.value]


@pytest.mark.parametrize("kind", list(TicketKind))
def test_at_least_128_random_bits(kind: TicketKind) -> None:
    assert kind.random_length * 5.954 > 128


def test_an_id_never_shows_itself() -> None:
    ticket = new_session_id()
    assert str(ticket) not in repr(ticket)
    assert ticket.masked == f"TGT-…{str(ticket)[-4:]}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ST-",
        "ST-abcd",
        "ST-abcd-",
        "ST-abcd-short",
        "LT-abcd-" + "x" * 24,
        "ST-ab_d-" + "x" * 24,
        "ST-abcd-" + "x" * 25,
        "ST-abcd-" + "x" * 24 + "\n",
        "st-abcd-" + "x" * 24,
        "TGT-abcd-" + "x" * 24,
    ],
)
def test_what_cannot_be_an_id_is_none(text: str) -> None:
    assert parse_ticket_id(text) is None


@given(st.text())
def test_reading_never_fails(text: str) -> None:
    parse_ticket_id(text)
