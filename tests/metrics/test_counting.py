"""Which events are counted where: every kind, and never anything but what a label's set has."""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.errors import UpstreamError
from casduo.events import model
from casduo.events.catalogue import EVENTS
from casduo.events.model import Event, Subject
from casduo.metrics import table
from casduo.metrics.counting import ROWS, WITHOUT, Count, counts_of
from casduo.metrics.table import INSTRUMENTS, OTHER
from casduo.webex.events import WebhookRefused

ADA = Subject("AAAA-BBBB", "192.0.2.7", "ada", "payroll", "duo")


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_kind_of_event_is_counted_or_said_not_to_be(kind: type[Event]) -> None:
    assert (kind in ROWS) != (kind in WITHOUT), f"give {kind.__name__} a row in casduo/metrics/counting.py, or say why"


def test_nothing_is_counted_that_does_not_happen() -> None:
    assert {*ROWS, *WITHOUT} == set(EVENTS)


def filled(kind: type[Event], text: str, number: int) -> Event:
    """Return an event that has ``text`` or ``number`` wherever something can stand."""
    values: dict[str, Any] = {"about": Subject(text, text, text, text, text)}
    for item in fields(kind):
        if item.name != "about":
            values[item.name] = number if item.type in ("int", int) else text
    return kind(**values)


@given(
    kind=st.sampled_from(EVENTS),
    text=st.text(max_size=40) | st.sampled_from(["ada", "192.0.2.7", "ST-abcd-1234", "https://payroll.example.edu/x"]),
    number=st.integers(0, 10**9),
)
def test_whatever_an_event_holds_a_label_has_one_of_its_own_values(kind: type[Event], text: str, number: int) -> None:
    for count in counts_of(filled(kind, text, number)):
        known = count.instrument.labels.values()
        assert len(count.labels) == len(known)
        assert all(value in (*values, OTHER) for value, values in zip(count.labels, known, strict=True))
        assert count.amount >= 0


def test_labels_are_told_apart_by_what_the_operator_wants_to_know() -> None:
    def of(event: Event) -> tuple[Count, ...]:
        return counts_of(event)

    assert of(model.SignInRefused(ADA, reason="locked")) == (Count(table.SIGN_INS, ("refused", "locked")),)
    assert of(model.SignInThrottled(ADA, wait=3)) == (Count(table.SIGN_INS, ("throttled", "")),)
    assert of(model.SignedOut(ADA, cause="fraud", sessions=3)) == (Count(table.SESSIONS_ENDED, ("fraud",), 3),)
    assert of(model.DuoAnswered(ADA, outcome="denied", factor="duo_push")) == (
        Count(table.DUO_ANSWERED, ("denied", "push")),
    )
    assert of(model.ServiceRefused(ADA, reason="malformed: userinfo")) == (
        Count(table.SERVICES_REFUSED, ("malformed",)),
    )
    assert of(model.RestAnswered(ADA, status=404)) == (Count(table.REST_CALLS, ("4xx",)),)
    assert of(WebhookRefused(ADA, untold=4)) == (Count(table.WEBHOOK_REFUSED, (), 5),)
    assert of(model.RegistryChanged(ADA)) == ()


def test_a_word_that_nobody_knows_is_other() -> None:
    event = model.SignInRefused(ADA, reason="new")
    assert counts_of(event) == (Count(table.SIGN_INS, ("refused", OTHER)),)


def test_services_are_counted_only_where_that_is_asked_for() -> None:
    validated = model.TicketValidated(ADA, ticket="ST-...", protocol="cas3")
    assert counts_of(validated) == (Count(table.VALIDATIONS, ("cas3", "ok")),)
    assert counts_of(validated, by_service=True)[1:] == (Count(table.SERVICE_VALIDATIONS, ("payroll", "ok")),)
    refused = model.ValidationRefused(ADA, code="INVALID_TICKET", protocol="cas2")
    assert counts_of(refused, by_service=True)[1:] == (Count(table.SERVICE_VALIDATIONS, ("payroll", "refused")),)
    nobodys = model.ValidationRefused(Subject(), code="INVALID_TICKET", protocol="cas2")
    assert len(counts_of(nobodys, by_service=True)) == 1


# --- the table of metrics --------------------------------------------------------------------------------------------


def test_names_follow_the_conventions_of_prometheus() -> None:
    names = [instrument.name for instrument in INSTRUMENTS]
    assert len(names) == len(set(names))
    for instrument in INSTRUMENTS:
        assert instrument.name.startswith("casduo_")
        assert (instrument.kind == "counter") == instrument.name.endswith("_total"), instrument.name
        assert instrument.kind != "histogram" or instrument.name.endswith("_seconds"), instrument.name
        assert not instrument.what.endswith("."), instrument.name


def test_every_metric_of_the_module_is_in_the_list() -> None:
    made = {value.name for value in vars(table).values() if isinstance(value, table.Instrument)}
    assert made == {instrument.name for instrument in INSTRUMENTS}


def test_no_label_could_hold_a_person() -> None:
    free = {label for each in INSTRUMENTS for label, known in each.labels.items() if not known}
    assert free == {"service", "route", "status", "server", "bulkhead", "version", "python"}


def test_every_failure_of_an_upstream_is_told_apart_from_others() -> None:
    import_module("casduo.compose")
    import_module("casduo.worker.process")
    found, classes = set(), [UpstreamError]
    while classes:
        classes += classes.pop().__subclasses__()
        found |= {each.code for each in classes if each.__module__.startswith("casduo.")}
    assert "UPSTREAM_BUSY" in found
    # Nobody raises it; those under it have codes of their own.
    assert found - {"WEBEX"} <= set(table.FAULTS.labels["code"])
