"""Values that requests are made of."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import pytest

from casduo.values import value_object


@value_object(frozen=True, slots=True)
class Place:
    name: str
    floor: int = 0


def test_values_with_equal_fields_are_one_key() -> None:
    found = {Place("library", 1): "books"}
    assert found[Place("library", 1)] == "books"
    assert Place("library") != Place("library", 1)


def test_a_value_is_a_dataclass_without_room_for_anything_else() -> None:
    place = replace(Place("library"), floor=2)
    assert [field.name for field in fields(place)] == ["name", "floor"]
    assert (place.name, place.floor) == ("library", 2)
    with pytest.raises(AttributeError):
        object.__setattr__(place, "colour", "red")


def test_a_value_that_may_change_is_refused() -> None:
    with pytest.raises(TypeError, match="do not change"):
        value_object(frozen=False, slots=True)


def test_a_frozen_dataclass_cannot_be_one_by_inheritance() -> None:
    with pytest.raises(TypeError, match="cannot inherit"):

        @dataclass(frozen=True, slots=True)
        class Room(Place):
            number: int = 0
