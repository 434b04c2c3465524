"""The JSON schema of registry.yaml, by which editors complete keys and underline mistakes."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from casduo.fieldtypes import Section, format_duration
from casduo.services.model import RegisteredService


class RegistryFile(Section):
    """The registered services of a casduo server, in the order in which URLs are matched."""

    services: list[RegisteredService] = Field(description="The services; the first one that matches a URL has it.")


def registry_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) of the registry file.

    It knows keys, kinds of value and fixed words. What takes more than that (patterns, names, dates, references) is
    left to ``casduo check``.
    """
    schema = RegistryFile.model_json_schema(by_alias=True, mode="validation")
    for part in [schema, *schema["$defs"].values()]:
        _tidy(part)
    # Keys such as x-common hold anchors for other keys.
    schema["patternProperties"] = {"^x-": {}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "casduo registry", **schema}


def _tidy(part: dict[str, Any]) -> None:
    """Leave out what tells a person nothing, and write the rest as people would."""
    part.pop("title", None)
    _describe(part)
    for field in part.get("properties", {}).values():
        field.pop("title", None)
        _describe(field)
        default = field.get("default")
        if isinstance(default, float):
            field["default"] = format_duration(default)
        elif default in (None, {}, []):
            field.pop("default", None)


def _describe(part: dict[str, Any]) -> None:
    if "description" in part:
        part["description"] = part["description"].replace("``", "`").replace("\n", " ")
