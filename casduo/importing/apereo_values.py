"""Values as Jackson writes them: collections that name their class, enumerations, objects that say nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from casduo.importing.entries import unknown_field
from casduo.importing.fields import Fate, Fields
from casduo.importing.model import Draft, one_line
from casduo.importing.reading import CLASS

_JAVA_CLASS = re.compile(r"(?:java|javax|org|com|net|scala|groovy)(?:\.[A-Za-z_$][\w$]*)+")
_SCALAR_CLASS = re.compile(r"javax?(?:\.[A-Za-z_$][\w$]*)+")

_LONGEST = 5_000_000
"""Characters of a text that says who gets what: all of them, for half of an expression means others."""

SCRIPT = re.compile(r"^\s*(?:groovy\s*\{|(?:file|classpath|https?):.*\.(?:groovy|js|py|rb)\s*$|#\{|\$\{)", re.DOTALL)
"""Where a value is a script, a file with one, or an expression that is worked out when it is needed."""


def plain(value: Any) -> Any:
    """Take the classes off collections: ``["java.util.HashSet", ["a"]]`` is ``["a"]``."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) == 2 and isinstance(value[0], str):
        if isinstance(value[1], list) and _JAVA_CLASS.fullmatch(value[0]):
            return plain(value[1])
        if not isinstance(value[1], dict | list) and _SCALAR_CLASS.fullmatch(value[0]):
            return value[1]
    return [plain(member) for member in value]


def class_name(data: Any) -> str:
    """Return the class of an object without its package; empty when it names none."""
    name = data.get(CLASS) if isinstance(data, dict) else None
    return name.rpartition(".")[2] if isinstance(name, str) else ""


def members(data: Any) -> dict[str, Any]:
    """Return the members of an object without its class; none for what is no object."""
    return {key: value for key, value in data.items() if key != CLASS} if isinstance(data, dict) else {}


def is_empty(value: Any) -> bool:
    """Say whether a value says nothing: nothing, ``false``, 0, an empty text or list, an object with no members."""
    if isinstance(value, dict):
        return all(is_empty(member) for member in members(value).values())
    return value is None or value is False or value == "" or value == [] or (value == 0 and value is not True)


def kept(value: Any) -> bool:
    """Say whether a value is there at all: an object with a class is, even without members."""
    return class_name(value) != "" or not is_empty(value)


def flag(value: Any, default: bool) -> bool:
    """Return a yes or no, also one that is written as text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    return default


def switch(draft: Draft, field: str, value: Any, default: bool) -> bool:
    """Return a yes or no that keeps people out. One that cannot be read closes the entry."""
    if value is None:
        return default
    if flag(value, True) != flag(value, False):
        draft.close(field, f"{one_line(value)[:40]!r} is neither yes nor no")
    return flag(value, default)


def texts(value: Any) -> list[str]:
    """Return a text, or a list of them, as a list without empty ones."""
    listed = value if isinstance(value, list) else [value]
    return [text for one in listed if (text := one_line(one, _LONGEST))]


def text_of(data: Mapping[str, Any], key: str) -> str:
    """Return a member that is a text; empty when it is none."""
    return one_line(data.get(key), _LONGEST)


def leave(draft: Draft, field: str, fate: Fate) -> None:
    """Note a field that is not mapped, as its table says."""
    match fate.becomes:
        case "harmless":
            draft.left_out(field, fate.sentence)
        case "closed":
            draft.close(field, fate.sentence)
        case _:
            draft.lost(field, fate.sentence)


def says_something(value: Any) -> bool:
    """Say whether a field that nobody knows may mean something: ``false`` may."""
    return value not in (None, "", [], {})


def unknown(draft: Draft, field: str, value: Any, known: Fields) -> None:
    """Note a field that is in no table."""
    if says_something(value):
        unknown_field(draft, field, known)


def rest(draft: Draft, prefix: str, data: Any, table: Fields, done: Collection[str], *, guarding: bool = False) -> None:
    """Note every member of an object that is not in ``done``, as its table says.

    :param guarding: the object keeps people out, so a member that is not known closes the entry
    """
    for name, value in members(data).items():
        if name in done or (is_empty(value) if name in table else not says_something(value)):
            continue
        if name in table and table[name].becomes != "mapped":
            leave(draft, f"{prefix}.{name}", table[name])
        elif guarding:
            draft.close(f"{prefix}.{name}", "is not known, and may keep people out")
        else:
            unknown(draft, f"{prefix}.{name}", value, table)


def account_for(draft: Draft, prefix: str, data: Any) -> None:
    """Name every member of a policy that no finding has named, so that none is dropped in silence.

    :param prefix: its field; empty: the service itself
    """
    parts = prefix.split(".") if prefix else []
    named = {tuple(finding.field.split(".")[: len(parts) + 1]) for finding in draft.findings}
    rest_of_it = [name for name in members(data) if (*parts, *name.split(".")[:1]) not in named]
    if not rest_of_it:
        return
    if not prefix:
        draft.left_out("other fields", f"said nothing: {', '.join(rest_of_it)}")
        return
    whole = [finding for finding in draft.of("closed", "lost", "left_out") if finding.field == prefix]
    sentence = "what else it held goes with it" if whole else "also looked at"
    draft.left_out(prefix, f"{sentence}: {', '.join(rest_of_it)}")


def values_by_name(value: Any) -> Iterator[tuple[str, list[str]]]:
    """Yield the members of a map of attributes, each with its values."""
    for name, listed in members(value).items():
        yield name, texts(listed)
