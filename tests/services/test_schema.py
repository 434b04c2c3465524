from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from casduo.services.model import RegisteredService
from casduo.services.schema import registry_schema
from casduo.yamlfile import load_yaml, parse_yaml

ROOT = Path(__file__).parents[2]
SCHEMA = registry_schema()
KINDS: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def fits(data: Any, schema: dict[str, Any]) -> bool:
    """Whether ``data`` is valid by the keywords of JSON Schema that the registry's schema uses."""
    known = {
        "$ref", "$defs", "$schema", "title", "description", "default", "anyOf", "type", "enum", "const", "pattern",
        "properties", "patternProperties", "additionalProperties", "required", "items", "minItems", "maxLength",
        "minimum", "maximum", "exclusiveMinimum",
    }  # fmt: skip
    assert set(schema) <= known, set(schema) - known
    if "$ref" in schema:
        return fits(data, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    if "anyOf" in schema and not any(fits(data, choice) for choice in schema["anyOf"]):
        return False
    if "type" in schema and not _is(data, schema["type"]):
        return False
    if data not in schema.get("enum", [data]) or data != schema.get("const", data):
        return False
    if isinstance(data, str):
        return bool(re.search(schema.get("pattern", ""), data)) and len(data) <= schema.get("maxLength", len(data))
    if isinstance(data, int | float):
        return schema.get("minimum", data) <= data <= schema.get("maximum", data) and (
            "exclusiveMinimum" not in schema or data > schema["exclusiveMinimum"]
        )
    if isinstance(data, list):
        return len(data) >= schema.get("minItems", 0) and all(fits(item, schema.get("items", {})) for item in data)
    if isinstance(data, dict):
        return _object_fits(data, schema)
    return True


def _is(data: Any, kind: str) -> bool:
    return isinstance(data, KINDS[kind]) and (kind == "boolean" or not isinstance(data, bool))


def _object_fits(data: dict[str, Any], schema: dict[str, Any]) -> bool:
    if not set(schema.get("required", ())) <= set(data):
        return False
    for key, value in data.items():
        patterns = [part for pattern, part in schema.get("patternProperties", {}).items() if re.search(pattern, key)]
        part = schema.get("properties", {}).get(
            key, patterns[0] if patterns else schema.get("additionalProperties", {})
        )
        if part is False or (part is not True and not fits(value, part)):
            return False
    return True


def read(text: str) -> Any:
    return parse_yaml(text.encode(), "f").data


def test_the_sample_fits_the_schema() -> None:
    assert fits(load_yaml(ROOT / "registry.yaml").data, SCHEMA)


def test_the_sample_names_the_schema_for_editors() -> None:
    first = (ROOT / "registry.yaml").read_text().splitlines()[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert named is not None
    assert (ROOT / named[1]).is_file()


_ENTRY = "services: [{id: a, name: A, url: https://a.example.edu/**, %s}]"


@pytest.mark.parametrize(
    "key",
    [
        "requires_duo: true",
        "requires_duo: {max_age: 8h, when: {groups: staff}, trusted_browser: false}",
        "requires_duo: {max_age: 3600, trusted_browser: 30d}",
        "requires_duo: {mode: optional, application: hr}",
        "requires_duo: {mode: {report: 2026-12-01, required: 2027-02-01T08:00}}",
        "attributes: [mail]",
        "attributes: {mail: mail, cn: , role: {static: [a]}}",
        "username_attribute: mail",
        "username_attribute: {attribute: mail, case: lower}",
        "access: {from: 2026-01-01, networks: 10.0.0.0/8, attributes: {a: b, c: [d]}}",
        "proxy: {accept_status: [200, 202]}",
        "description: {en: x, de: y}",
        "enabled: false",
    ],
)
def test_what_the_registry_accepts_fits_the_schema(key: str) -> None:
    data = read(_ENTRY % key)
    RegisteredService.model_validate(data["services"][0])
    assert fits(data, SCHEMA)


@pytest.mark.parametrize(
    "key",
    [
        "require_duo: true",
        "requires_duo: maybe",
        "requires_duo: {fail: never}",
        "requires_duo: {max_age: soon}",
        "requires_duo: {mode: always}",
        "requires_duo: {mode: {always: 2026-12-01}}",
        "requires_duo: {trusted_browser: true}",
        "attributes: mail",
        "attributes: {mail: {form: x}}",
        "protocols: [cas4]",
        "channel: fax",
        "proxy: {accept_status: [500]}",
    ],
)
def test_what_the_registry_refuses_does_not_fit_the_schema(key: str) -> None:
    data = read(_ENTRY % key)
    with pytest.raises(ValueError, match="validation error"):
        RegisteredService.model_validate(data["services"][0])
    assert not fits(data, SCHEMA)


def test_keys_for_anchors_fit_the_schema_and_other_keys_do_not() -> None:
    assert fits(read("x-common: {a: 1}\nservices: []"), SCHEMA)
    assert not fits(read("service: []\nservices: []"), SCHEMA)
    assert not fits(read("{}"), SCHEMA)


def test_every_key_has_a_description_for_the_editor() -> None:
    for name, part in SCHEMA["$defs"].items():
        assert part["description"], name
        for key, field in part.get("properties", {}).items():
            assert field.get("description"), f"{name}.{key}"
            assert "``" not in field["description"]
