"""What a command of a simulator's control interface is: members of a JSON object, read with their types, and a deed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

_Choice = TypeVar("_Choice", bound=str)
SimulatorT = TypeVar("SimulatorT")


class ControlError(Exception):
    """A command that cannot be carried out; the text says why."""


class Arguments:
    """The members of a command, read with the type they must have."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members = members

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text. :raises ControlError: it is missing without a default, or not a text."""
        value = self._members.get(name, default)
        if not isinstance(value, str):
            raise ControlError(f"{name} must be a text")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """Return a number. :raises ControlError: as :meth:`text`."""
        value = self._members.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ControlError(f"{name} must be a number")
        return float(value)

    def times(self) -> int | None:
        """Return ``times``: a whole number from 1, or None for without end."""
        if self._members.get("times") is None:
            return None
        value = self.number("times")
        if value < 1 or not value.is_integer():
            raise ControlError("times must be a whole number from 1")
        return int(value)

    def has(self, name: str) -> bool:
        """Return whether a member is there at all."""
        return name in self._members

    def yes(self, name: str, default: bool | None = None) -> bool:
        """Return a truth value. :raises ControlError: as :meth:`text`."""
        value = self._members.get(name, default)
        if not isinstance(value, bool):
            raise ControlError(f"{name} must be true or false")
        return value

    def choice(self, name: str, choices: Sequence[_Choice], default: _Choice | None = None) -> _Choice:
        """Return one of several words. :raises ControlError: it is another."""
        value = self._members.get(name, default)
        for choice in choices:
            if choice == value:
                return choice
        raise ControlError(f"{name} must be one of {', '.join(choices)}")

    def optional_choice(self, name: str, choices: Sequence[_Choice]) -> _Choice | None:
        """Return one of several words, or None where null stands. :raises ControlError: it is another."""
        return None if self._members.get(name) is None else self.choice(name, choices)

    def texts(self, name: str) -> list[str] | None:
        """Return a list of texts, None when absent. :raises ControlError: it is anything else."""
        value = self._members.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ControlError(f"{name} must be a list of texts")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """Return an object as it is. :raises ControlError: it is missing, or anything else."""
        value = self._members.get(name)
        if not isinstance(value, dict):
            raise ControlError(f"{name} must be an object")
        return value

    def object(self, name: str) -> Arguments | None:
        """Return an object to read from, None when absent. :raises ControlError: it is anything else."""
        return None if self._members.get(name) is None else Arguments(self.mapping(name))

    def objects(self, name: str) -> list[Arguments] | None:
        """Return a list of objects, None when absent. :raises ControlError: it is anything else."""
        value = self._members.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise ControlError(f"{name} must be a list of objects")
        return [Arguments(item) for item in value]


@dataclass(frozen=True, slots=True)
class Command(Generic[SimulatorT]):
    """One thing that can be done with a simulator.

    :param takes: the members of the JSON object, those that may be left out in brackets.
    :param does: one sentence for people.
    """

    run: Callable[[SimulatorT, Arguments], object]
    takes: str
    does: str


def words(choices: Sequence[str]) -> str:
    """Return choices as one text."""
    return ", ".join(choices)
