"""Writes the references that are made from the models: ``python -m casduo.docsgen [DIRECTORY]``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, PlainValidator, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from casduo.events.reference import events_reference
from casduo.fieldtypes import format_duration
from casduo.metrics.reference import metrics_reference
from casduo.modelwalk import bare, is_model, item_annotation, tags, written_name
from casduo.services.schema import registry_schema
from casduo.settings import Settings
from casduo.settings.environment import variable
from casduo.viewdocs import templates_reference

GENERATED = ("settings.md", "registry.schema.json", "events.md", "metrics.md", "templates.md")


def generate() -> dict[str, str]:
    """Return the generated files of the ``docs`` directory: name to content."""
    schema = json.dumps(registry_schema(), indent=2, ensure_ascii=False) + "\n"
    return {
        "settings.md": settings_reference(),
        "registry.schema.json": schema,
        "events.md": events_reference(),
        "metrics.md": metrics_reference(),
        "templates.md": templates_reference(),
    }


def write(directory: Path) -> list[Path]:
    """Write the generated files into ``directory`` and return their paths."""
    written = []
    for name, content in generate().items():
        path = directory / name
        path.write_text(content, encoding="utf-8")
        written.append(path)
    return written


_INTRODUCTION = """\
# Settings

<!-- Made by `python -m casduo.docsgen` from casduo/settings. Change the descriptions there. -->

All settings lie in one YAML file. The server looks for it at `--config`, `$CASDUO_CONFIG`, `./casduo.yaml` and
`/etc/casduo/casduo.yaml`, in this order. `casduo check` reports everything that is wrong with it and with the registry
at once.

- **Durations** are written `500ms`, `30s`, `15m`, `8h`, `2d`, `1h30m`, or as a plain number of seconds.
- **Files** that are not absolute lie beside the settings file.
- **Secrets** can lie in a file of their own: every secret has a second key that ends in `_file`. White space around
  the content is ignored. Give one of the two, not both.
- **Environment variables** override the file. `__` goes one level down: `CASDUO_SERVER__URL` is `server.url`. Entries
  of a list in the file are picked by number, from 0: `CASDUO_AUTHENTICATION__0__BIND_PASSWORD`. Lists are written with
  commas (`en,de`) or as YAML (`[en, de]`). A variable without a value counts as not set.
- **YAML 1.2**: `no` and `off` are texts (but are understood where `false` is meant), `0777` is the number 777. Keys at
  the top that begin with `x-` are ignored; they are a place for anchors.
"""


def settings_reference() -> str:
    """Return the reference of all settings as Markdown: one table for each section."""
    everything = _Part("Top level", "What belongs to no section.", Settings, ())
    return "\n".join([_INTRODUCTION, *everything.lines()])


@dataclass(frozen=True, slots=True)
class _Part:
    """One section of the reference. ``default`` is the value that the section has when it is not written."""

    heading: str
    text: str
    model: type[BaseModel]
    path: tuple[str, ...]
    default: Any = None

    def lines(self) -> Iterator[str]:
        """Yield its table, then the sections in it."""
        yield f"## {self.heading}\n"
        yield f"{self.text}\n"
        inner: list[_Part] = []
        rows = []
        for name, field in self.model.model_fields.items():
            path = (*self.path, written_name(self.model, name))
            default = getattr(self.default, name, field.default)
            parts = list(_parts(field.annotation, path, default))
            inner += parts
            if not parts or not isinstance(default, BaseModel):
                rows.append(_row(path, field, default))
        if rows:
            yield "| key | value | default | what | environment variable |\n| --- | --- | --- | --- | --- |"
            yield from rows
            yield ""
        for part in inner:
            yield from part.lines()


def _row(path: tuple[str, ...], field: FieldInfo, default: Any) -> str:
    # Sections are set key by key, and what lies in lists or under free names has no variable to be listed here.
    fixed = not is_model(bare(field.annotation)) and not any("[" in key or key == "NAME" for key in path)
    cells = (
        f"`{path[-1]}`",
        "number" if _is_rate(field) else _kind(field.annotation),
        "required" if default is PydanticUndefined else f"`{default:g}`" if _is_rate(field) else _written(default),
        field.description or "",
        f"`{variable(path)}`" if fixed else "",
    )
    # A bar within a cell would begin the next one, even in code (GitHub Flavored Markdown, 4.10).
    escaped = (cell.replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _is_rate(field: FieldInfo) -> bool:
    """Return whether a field is a number with a fraction. All others that are kept as ``float`` are durations."""
    read_by_us = any(isinstance(each, PlainValidator) for each in field.metadata)
    return field.annotation is float and bool(field.metadata) and not read_by_us


def _parts(annotation: Any, path: tuple[str, ...], default: Any) -> Iterator[_Part]:
    """Yield the sections that a key holds: one, one by name, or a list of one kind or of several."""
    declared = bare(annotation)
    inner = bare(item_annotation(declared))
    if is_model(declared):
        yield _Part(f"`{'.'.join(path)}`", _about(declared), declared, path, default)
    elif get_origin(declared) is dict and is_model(inner):
        place = (*path, "NAME")
        yield _Part(f"`{'.'.join(place)}`", _about(inner), inner, place)
    elif get_origin(declared) is tuple and is_model(inner):
        yield _Part(f"`{'.'.join(path)}[]`", _about(inner), inner, (*path[:-1], f"{path[-1]}[]"))
    elif get_origin(declared) is tuple and isinstance(inner, tuple) and all(map(is_model, inner)):
        for model in inner:
            kind = tags(model)[0]
            yield _Part(f"`{'.'.join(path)}` of type `{kind}`", _about(model), model, (*path[:-1], f"{path[-1]}[]"))


def _about(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


_KINDS = {bool: "`true` or `false`", int: "number", float: "duration", SecretStr: "secret", Path: "file"}


def _kind(annotation: Any) -> str:
    declared = bare(annotation)
    if get_origin(declared) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(declared))
    if is_model(declared):
        return "section"
    origins = {tuple: "list", dict: "mapping"}
    return _KINDS.get(declared) or origins.get(get_origin(declared)) or "text"


def _written(value: Any) -> str:
    """Return a default as it would be written in the file; nothing where it means 'not given'."""
    if value is None or value in ((), {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float):
        # No time at all is what some durations call ``false``.
        return f"`{format_duration(value)}`" if value else "`false`"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{value}`"


def main(arguments: list[str]) -> None:
    """Write the files and name them."""
    for path in write(Path(arguments[0] if arguments else "docs")):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
