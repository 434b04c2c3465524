"""Replies of Redis are read as what they are."""

from __future__ import annotations

import pytest

from casduo.store import fields_of


def test_names_and_values_in_turns_are_a_hash() -> None:
    assert fields_of(["state", "open", "at", "12"]) == {"state": "open", "at": "12"}
    assert fields_of([]) == {}


def test_a_name_without_a_value_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="shorter"):
        fields_of(["state", "open", "at"])
