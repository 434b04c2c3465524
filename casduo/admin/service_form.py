"""The form of one registry entry: which keys it has, what they read as there, and what a change of them is in the file.

A key that the form cannot say, because it is written in a longer way, is not in it; it is changed as YAML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from casduo.services.editing.keys import REMOVED, Path
from casduo.yamlfile import resolve_plain

Kind = Literal["text", "long", "lines", "flag", "choice", "word", "attributes", "duo"]
"""``lines``: one value a line; ``word``: as YAML reads it, so that ``false`` is no text; ``long``: a sentence;
``attributes``: names, or ``name = source``; ``duo``: whether there is a rule.
"""

OTHERWISE: Final = object()
"""What cannot be said in a form."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``name`` is that of the input and, with dots, the path of the key.

    :param choices: values of a ``choice``; the empty one stands for the default
    :param default: of a ``flag``: what holds where nothing is written
    """

    name: str
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    default: bool = False
    single: bool = False

    @property
    def path(self) -> Path:
        """The keys that lead to it."""
        return tuple(self.name.split("."))

    @property
    def label(self) -> str:
        """The id of its text."""
        return f"admin.service.field.{self.name.replace('.', '_')}"


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that stand together. ``folded``: shown when asked for, unless one of them is set."""

    name: str
    fields: tuple[Field, ...]
    folded: bool = True


GROUPS: Final[tuple[Group, ...]] = (
    Group(
        "basics",
        (
            Field("id"),
            Field("name"),
            Field("description", "long"),
            Field("url", "lines", single=True),
            Field("owner"),
            Field("enabled", "flag", default=True),
            Field("disabled_reason", "long"),
        ),
        folded=False,
    ),
    Group(
        "duo",
        (
            Field("requires_duo", "duo"),
            Field("requires_duo.mode", "choice", ("", "required", "optional", "report")),
            Field("requires_duo.max_age"),
            Field("requires_duo.prompt", "choice", ("", "universal", "push")),
            Field("requires_duo.fail", "choice", ("", "closed", "open")),
            Field("requires_duo.trusted_browser", "word"),
            Field("requires_duo.when.groups", "lines"),
        ),
        folded=False,
    ),
    Group(
        "access",
        (
            Field("access.groups", "lines"),
            Field("access.networks", "lines"),
            Field("access.from"),
            Field("access.until"),
            Field("access.reason", "long"),
        ),
    ),
    Group("release", (Field("attributes", "attributes"), Field("username_attribute"))),
    Group(
        "approval",
        (
            Field("requires_approval.approvers", "lines"),
            Field("requires_approval.max_duration"),
            Field("requires_approval.room"),
        ),
    ),
    Group(
        "session",
        (
            Field("single_sign_on", "flag", default=True),
            Field("warn", "flag"),
            Field("logout.type", "choice", ("", "back_channel", "front_channel", "none")),
            Field("logout.url"),
            Field("proxy.allow", "flag"),
            Field("proxy.callback", "lines", single=True),
        ),
    ),
)
FIELDS: Final = {field.name: field for group in GROUPS for field in group.fields}


def written(entry: object, field: Field) -> str | None:
    """Return what ``field`` reads as in the form for ``entry``, as plain data; None where a form cannot say it."""
    found: Any = entry
    for key in field.path:
        if isinstance(found, bool) and field.path[0] == "requires_duo":
            return ""
        if not isinstance(found, dict):
            return None if found is not None else ""
        if key not in found:
            return ("on" if field.default else "") if field.kind == "flag" else ""
        found = found[key]
    return _typed(found, field)


def _typed(value: Any, field: Field) -> str | None:
    match field.kind, value:
        case _, None:
            return ("on" if field.default else "") if field.kind == "flag" else ""
        case "duo", bool() | dict():
            return "on" if value is not False else ""
        case "flag", bool():
            return "on" if value else ""
        case "choice", str() if value in field.choices:
            return value
        case "word" | "text", bool():
            return "true" if value else "false"
        case "text" | "long" | "word", str() | int() | float():
            return str(value)
        case "lines", str() | int() | float():
            return str(value)
        case "lines", list() if all(isinstance(one, str | int | float) for one in value):
            return "\n".join(map(str, value))
        case "attributes", list() if all(isinstance(one, str) for one in value):
            return "\n".join(value)
        case "attributes", dict() if all(one is None or isinstance(one, str) for one in value.values()):
            return "\n".join(name if one in (None, name) else f"{name} = {one}" for name, one in value.items())
    return None


def as_form(entry: object) -> dict[str, str | None]:
    """Return what every field reads as."""
    return {name: written(entry, field) for name, field in FIELDS.items()}


def changes(entry: object, typed: Mapping[str, str]) -> dict[Path, Any]:
    """Return what of ``entry`` changes by what was typed; what reads as before does not.

    :param typed: by names of fields; one that is missing is empty
    """
    found: dict[Path, Any] = {}
    wants_duo = bool(typed.get("requires_duo", ""))
    for name, field in FIELDS.items():
        before, raw = written(entry, field), typed.get(name, "").replace("\r\n", "\n")
        now = _normal(raw, field)
        if before is None or before in (raw, now):
            continue
        if field.path[0] == "requires_duo" and len(field.path) > 1 and not wants_duo:
            continue
        value = _value(now, field, _at(entry, field.path))
        if value is REMOVED and not _is_written(entry, field.path):
            continue
        found[field.path] = value
    return found


def _normal(typed: str, field: Field) -> str:
    if field.kind in ("lines", "attributes"):
        return "\n".join(line for one in typed.splitlines() if (line := one.strip()))
    return " ".join(typed.split()) if field.kind != "flag" else typed


def _value(typed: str, field: Field, before: object) -> Any:
    match field.kind:
        case "flag":
            return REMOVED if bool(typed) == field.default else bool(typed)
        case "duo":
            return True if typed else REMOVED
        case "lines":
            lines = typed.splitlines()
            if not lines:
                return REMOVED
            return lines[0] if len(lines) == 1 and (field.single or isinstance(before, str)) else lines
        case "attributes":
            return _attributes(typed.splitlines(), before)
        case "word":
            return resolve_plain(typed) if typed else REMOVED
    return typed or REMOVED


def _attributes(lines: Sequence[str], before: object) -> Any:
    if not lines:
        return REMOVED
    pairs = [[part.strip() for part in line.split("=", 1)] for line in lines]
    if all(len(pair) == 1 for pair in pairs) and not isinstance(before, dict):
        return [pair[0] for pair in pairs]
    return {pair[0]: pair[-1] for pair in pairs}


def _at(entry: Any, path: Path) -> Any:
    for key in path:
        entry = entry.get(key) if isinstance(entry, dict) else None
    return entry


def _is_written(entry: Any, path: Path) -> bool:
    owner = _at(entry, path[:-1]) if len(path) > 1 else entry
    return isinstance(owner, dict) and path[-1] in owner


def field_of(key: str) -> str:
    """Return the name of the field that a key path is about, such as ``url`` for ``url[1]``; empty for none."""
    plain = key.split("[")[0]
    while plain:
        if plain in FIELDS:
            return plain
        plain = plain.rpartition(".")[0]
    return ""
