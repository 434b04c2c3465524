"""What a client does with a card when somebody presses a button: finds it, gathers inputs, checks them, makes texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from casduo.simulators.webex.model import Card

Json = Mapping[str, Any]


class InputsRefused(ValueError):
    """A client would not send these inputs; ``problems`` says why, by the id of an input."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Button:
    """An ``Action.Submit`` of a card.

    :param place: where it stands, for instance ``actions.1.card.actions.0``
    :param inputs: the inputs that are sent with it, by id: those of its own card and of the cards around that one
    """

    place: str
    action: Json
    inputs: Mapping[str, Json]

    @property
    def title(self) -> str:
        """What stands on it."""
        return str(self.action.get("title", ""))


def buttons(card: Card) -> list[Button]:
    """Return every button of a card that sends something, in the order they are shown."""
    return list(_buttons(card, "", {}))


def button_titled(card: Card, wanted: str | Json) -> Button:
    """Return a button.

    :param wanted: its title, or members that its ``data`` has
    :raises KeyError: there is none
    """
    for button in buttons(card):
        if button.title == wanted if isinstance(wanted, str) else _has(button.action.get("data"), wanted):
            return button
    raise KeyError(f"a button {wanted!r} among {[button.title for button in buttons(card)]}")


def gather(button: Button, typed: Mapping[str, str], *, data_as_text: bool) -> dict[str, Any]:
    """Return what a client sends when a button is pressed: every input, and over it the button's data.

    :param typed: what was put into inputs; the others have the values the card gives them
    :param data_as_text: make texts of the button's data too
    :raises KeyError: the card has no such input
    :raises InputsRefused: an input is missing or of the wrong form
    """
    for name in typed:
        if name not in button.inputs:
            raise KeyError(f"an input {name!r} among {list(button.inputs)}")
    values = {name: typed.get(name, default_value(field)) for name, field in button.inputs.items()}
    problems = {name: problem for name, field in button.inputs.items() if (problem := _problem(field, values[name]))}
    if problems:
        raise InputsRefused(problems)
    data = button.action.get("data")
    members = data if isinstance(data, Mapping) else {} if data is None else {"data": data}
    return {**values, **({name: as_text(value) for name, value in members.items()} if data_as_text else members)}


def default_value(field: Json) -> str:
    """Return what an input holds before anybody touched it."""
    if field["type"] == "Input.Toggle":
        off = str(field.get("valueOff", "false"))
        return str(field.get("value", off))
    value = field.get("value")
    return "" if value is None else as_text(value)


def as_text(value: object) -> str:
    """Return a value of JSON as a text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _buttons(card: Json, path: str, around: Mapping[str, Json]) -> Iterator[Button]:
    body = list(_elements(card.get("body") or (), f"{path}body"))
    inputs = {**around, **{node["id"]: node for _, node in body if node["type"].startswith("Input.")}}
    actions = [(place, node) for place, node in body if node["type"].startswith("Action.")]
    actions += [(f"{path}actions.{number}", action) for number, action in enumerate(card.get("actions") or ())]
    if card.get("selectAction"):
        actions.append((f"{path}selectAction", card["selectAction"]))
    for place, action in actions:
        if action["type"] == "Action.Submit":
            # An action may say that it sends nothing but its data.
            yield Button(place, action, {} if action.get("associatedInputs") == "none" else inputs)
        elif action["type"] == "Action.ShowCard":
            yield from _buttons(action["card"], f"{place}.card.", inputs)


def _elements(nodes: Any, path: str) -> Iterator[tuple[str, Json]]:
    """Return elements, their children, and the actions among them, with their places."""
    for number, node in enumerate(nodes):
        if not isinstance(node, Mapping):
            continue
        place = f"{path}.{number}"
        yield place, node if "type" in node else {**node, "type": "Column"}
        for name in ("items", "columns", "actions", "inlines", "images"):
            yield from _elements(node.get(name) or (), f"{place}.{name}")
        if node.get("selectAction"):
            yield f"{place}.selectAction", node["selectAction"]


def _has(data: object, wanted: Json) -> bool:
    return isinstance(data, Mapping) and all(data.get(name) == value for name, value in wanted.items())


def _problem(field: Json, value: str) -> str:
    """Return what is wrong with an input, or nothing."""
    said = str(field.get("errorMessage", ""))
    on = str(field.get("valueOn", "true"))
    empty = value != on if field["type"] == "Input.Toggle" else not value
    if empty:
        return (said or "This is needed.") if field.get("isRequired") else ""
    if field["type"] == "Input.Text":
        longest, pattern = field.get("maxLength"), field.get("regex")
        if isinstance(longest, int) and len(value) > longest:
            return said or f"At most {longest} characters."
        if isinstance(pattern, str) and not _matches(pattern, value):
            return said or "This does not have the right form."
    if field["type"] == "Input.Number" and not _in_range(field, value):
        return said or "This is not a number that fits."
    if field["type"] == "Input.ChoiceSet" and not _is_choice(field, value):
        return said or "This is not one of the choices."
    return ""


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:
        # The pattern is JavaScript's; one that Python cannot read is left to others.
        return True


def _in_range(field: Json, value: str) -> bool:
    try:
        number = float(value)
        return float(field.get("min", number)) <= number <= float(field.get("max", number))
    except (TypeError, ValueError):
        return False


def _is_choice(field: Json, value: str) -> bool:
    known = {choice["value"] for choice in field["choices"]}
    return set(value.split(",") if field.get("isMultiSelect") else [value]) <= known
