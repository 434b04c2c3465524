"""The list of all events: complete, told apart, described, and without a place for secrets."""

from __future__ import annotations

import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

import casduo
from casduo.events.catalogue import EVENTS, KINDS
from casduo.events.model import Event, Subject
from casduo.events.reference import events_reference

SECRET = {
    *("password", "passwd", "pin", "passcode", "otp", "secret", "token", "credential", "credentials", "cookie", "key"),
    *("bearer", "signature", "activation", "barcode", "url", "query", "body", "seed", "nonce", "hash"),
}
"""Words that no fact is named for: what is called so may be what it is called."""


def subclasses(kind: type[Event]) -> set[type[Event]]:
    return {kind}.union(*map(subclasses, kind.__subclasses__()))


def named(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_no_event_has_a_place_for_a_secret(event: type[Event]) -> None:
    for item in (*fields(event), *fields(Subject)):
        assert SECRET.isdisjoint(item.name.split("_")), f"{event.__name__}.{item.name}"


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_fact_is_a_plain_value(event: type[Event]) -> None:
    facts = event(Subject())
    for item in fields(event):
        if item.name != "about":
            assert isinstance(getattr(facts, item.name), str | int | float | bool), item.name


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_names_and_levels_are_as_they_should_be(event: type[Event]) -> None:
    assert event.level in ("info", "warning", "error")
    assert event.kinds()
    for kind in event.kinds():
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", kind)
    assert event.name != Event.name


def test_every_class_of_event_is_in_the_list() -> None:
    package = Path(casduo.__file__).parent
    for path in package.rglob("*events*.py"):
        import_module(".".join(("casduo", *path.relative_to(package).with_suffix("").parts)))
    for path in (package / "events").glob("*.py"):
        import_module(f"casduo.events.{path.stem}")
    # By name: a dataclass with slots is made twice, and the first one stays among the subclasses.
    known = [event for event in subclasses(Event) if event.__module__.startswith("casduo.")]
    bases = {named(base) for event in known for base in event.__mro__ if named(base) != named(event)}
    assert {named(event) for event in known} - bases == {named(event) for event in EVENTS}
    assert len(set(EVENTS)) == len(EVENTS)


def test_every_kind_is_in_the_reference_with_its_description() -> None:
    text = events_reference()
    for kind in KINDS:
        assert f"`{kind}`" in text
    for row in text.splitlines():
        if row.startswith("|"):
            assert not re.search(r":(data|class|func|meth):", row)
            assert "``" not in row
    for event in EVENTS:
        assert event.__doc__
        assert not event.__doc__.startswith(f"{event.__name__}(")
