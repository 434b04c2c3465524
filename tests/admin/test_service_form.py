from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casduo.admin.service_form import FIELDS, as_form, changes, field_of
from casduo.services.editing.document import RegistryText
from casduo.services.editing.keys import REMOVED

SAMPLE = RegistryText((Path(__file__).parents[2] / "registry.yaml").read_bytes(), "registry.yaml")


@pytest.mark.parametrize("place", range(len(SAMPLE.services)))
def test_a_form_that_is_sent_as_it_came_changes_nothing(place: int) -> None:
    entry = SAMPLE.services[place]
    typed = {name: value.replace("\n", "\r\n") for name, value in as_form(entry).items() if value}
    assert changes(entry, typed) == {}


@pytest.mark.parametrize(
    ("entry", "typed", "expected"),
    [
        ({"id": "a", "url": "x"}, {"url": "x\r\ny"}, {("url",): ["x", "y"]}),
        ({"id": "a", "url": ["x", "y"]}, {"url": " y \n\n"}, {("url",): "y"}),
        ({"id": "a", "enabled": False}, {"enabled": "on"}, {("enabled",): REMOVED}),
        ({"id": "a"}, {"enabled": ""}, {("enabled",): False}),
        ({"id": "a", "requires_duo": {"max_age": "8h"}}, {}, {("requires_duo",): REMOVED}),
        ({"id": "a", "requires_duo": True}, {"requires_duo": "on", "requires_duo.trusted_browser": "false"},
         {("requires_duo", "trusted_browser"): False}),
        ({"id": "a", "attributes": {"mail": {"from": "mail", "case": "lower"}}}, {"attributes": ""}, {}),
        ({"id": "a", "attributes": ["mail"]}, {"attributes": "mail\nname = cn"},
         {("attributes",): {"mail": "mail", "name": "cn"}}),
        ("no mapping", {}, {}),
    ],
)  # fmt: skip
def test_only_what_was_changed_changes(entry: Any, typed: dict[str, str], expected: dict[Any, Any]) -> None:
    kept = {"id": "a", "url": "", "enabled": "on", "single_sign_on": "on"}
    if isinstance(entry, dict):
        kept |= {name: value for name, value in as_form(entry).items() if value and name not in ("requires_duo",)}
    if expected == {("requires_duo",): REMOVED} or "requires_duo" in typed:
        kept.pop("requires_duo", None)
    assert changes(entry, kept | typed) == expected


def test_a_problem_is_told_at_the_field_that_holds_the_key() -> None:
    assert field_of("url[1]") == "url"
    assert field_of("requires_duo.when.groups[0]") == "requires_duo.when.groups"
    assert field_of("requires_duo.fial") == "requires_duo"
    assert field_of("target.host") == ""
    assert {name for name in FIELDS if field_of(name) != name} == set()
