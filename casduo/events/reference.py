"""The reference of all kinds of event as Markdown, made from their classes."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from casduo.events.catalogue import EVENTS
from casduo.events.model import Event

_INTRODUCTION = """\
# Events

<!-- Made by `python -m casduo.docsgen` from the classes that casduo/events/catalogue.py lists. Change them there. -->

What happens is written as an event: as a line of the log, to the [audit trail](audit.md), and to [Webex](webex.md)
where the settings want that. `audit.without`, `webex.notify` and `casduo audit tail --event` name events by their kind.

Every record of an event has these members; what is empty is left out:

| member | what |
| --- | --- |
| `id` | a name of its own |
| `at` | when it happened, in seconds since 1970 |
| `event` | its kind, from the table below |
| `level` | `info`, `warning` or `error` |
| `reference` | the short text that the page showed for the same request |
| `address` | where the request came from |
| `principal` | who it was, or claimed to be |
| `service` | the id of the entry in the registry |
| `strength` | what a second factor has proved in the session |
| `agent` | which browser it was, in casduo's own words: *Firefox on Linux* |
| `facts` | what only this kind of event tells, see below |

No event holds a password, a PIN, a passcode, a key or a whole ticket: of tickets, the kind and the last four characters
are told.
"""
_HEAD = "| kind | level | what it tells | facts |\n| --- | --- | --- | --- |"
_ROLE = re.compile(r":\w+:`~?([\w.]+)`")


def events_reference() -> str:
    """Return the reference: one table, a row for each class of event."""
    return "\n".join([_INTRODUCTION, _HEAD, *(_row(event) for event in EVENTS)]) + "\n"


def _row(event: type[Event]) -> str:
    cells = (
        ", ".join(f"`{kind}`" for kind in event.kinds()),
        event.level,
        " ".join(_sentences(event)),
        ", ".join(_facts(event)),
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _sentences(event: type[Event]) -> Iterator[str]:
    yield _markdown(event.__doc__ or "", event)
    for base in event.__mro__[1:]:
        if base in (Event, object):
            return
        # Its first sentence says what they have in common; the rest is about the facts.
        yield _markdown((base.__doc__ or "").strip().partition(".")[2], base)


def _facts(event: type[Event]) -> Iterator[str]:
    hints = get_type_hints(event)
    for item in fields(event):
        if item.name != "about":
            choices = get_args(hints[item.name]) if get_origin(hints[item.name]) is Literal else ()
            yield f"`{item.name}`{f' ({_words(choices)})' if choices else ''}"


def _markdown(text: str, owner: type[Any]) -> str:
    """Return a docstring as one line of Markdown; a list of words stands in place of its name."""

    def named(found: re.Match[str]) -> str:
        module, _, name = found[1].rpartition(".")
        home = importlib.import_module(module) if module else sys.modules[owner.__module__]
        value = getattr(home, name)
        if get_origin(value) is Literal:
            return _words(get_args(value))
        return ", ".join(f"`{kind}`" for kind in value.kinds()) if _is_event(value) else f"`{name}`"

    return " ".join(_ROLE.sub(named, text).replace("``", "`").split())


def _is_event(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Event)


def _words(choices: Sequence[object]) -> str:
    return ", ".join(f"`{choice}`" for choice in choices)
