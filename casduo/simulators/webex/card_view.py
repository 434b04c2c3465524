"""How a card looks on the page: which classes an element gets, what is visible, what was typed. Facts for templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from casduo.simulators.webex import markdown
from casduo.simulators.webex.model import Card
from casduo.simulators.webex.pressing import default_value

Json = Mapping[str, Any]

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "size": ("small", "default", "medium", "large", "extralarge"),
    "weight": ("lighter", "default", "bolder"),
    "color": ("default", "dark", "light", "accent", "good", "warning", "attention"),
    "horizontalAlignment": ("left", "center", "right"),
    "fontType": ("default", "monospace"),
    "spacing": ("none", "small", "default", "medium", "large", "extralarge", "padding"),
    "style": ("default", "emphasis", "accent", "good", "warning", "attention", "heading", "positive", "destructive"),
}
_FLAGS = ("separator", "isSubtle", "italic", "strikethrough", "underline", "highlight")
_WEIGHTS = 9

Toggle = tuple[str, str]
"""A press of an ``Action.ToggleVisibility``: the id of the message and the place of the action in its card."""


def classes(element: Json) -> str:
    """Return the classes of an element: only words that the style sheet knows, whatever the card says."""
    found = []
    for name, known in _CHOICES.items():
        value = element.get(name)
        if isinstance(value, str) and value.lower() in known and value.lower() not in ("default", "left"):
            found.append(f"{name.removeprefix('horizontal').lower()}-{value.lower()}")
    found += [name.removeprefix("is").lower() for name in _FLAGS if element.get(name) is True]
    if element.get("type") == "TextBlock" and element.get("wrap") is not True:
        found.append("unwrapped")
    return " ".join(found)


def column_class(column: Json) -> str:
    """Return how wide a column is: as its content, as what is left, or by weight. Pixels count as content."""
    width = column.get("width", "stretch")
    if isinstance(width, str) and width.isascii() and width.isdigit():
        width = int(width)
    if isinstance(width, int | float) and not isinstance(width, bool):
        return f"share-{max(1, min(_WEIGHTS, round(width)))}"
    return "stretch" if width == "stretch" else "auto"


def card_text(text: str) -> Markup:
    """Return a text of a card as HTML; cards know Markdown, and no mentions."""
    return markdown.html(markdown.parse(text))


@dataclass(frozen=True, slots=True)
class CardView:
    """A card on the page of somebody.

    :param key: of its message, an HTML id
    :param typed: what was put into its inputs, where it is shown again
    :param problems: what was wrong with them
    :param visible: what toggles made of elements, by their ids
    :param toggles: those pressed so far on the whole page
    """

    card: Card
    message_id: str
    key: str
    typed: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    visible: Mapping[str, bool] = field(default_factory=dict)
    toggles: Sequence[Toggle] = ()

    def shown(self, element: Json) -> bool:
        """Return whether an element is visible."""
        name = element.get("id")
        shown = element.get("isVisible") is not False
        return self.visible.get(name, shown) if isinstance(name, str) else shown

    def value(self, element: Json) -> str:
        """Return what an input holds."""
        return self.typed.get(str(element["id"]), default_value(element))

    def problem(self, element: Json) -> str:
        """Return what is wrong with an input, or nothing."""
        return self.problems.get(str(element["id"]), "")

    def has_problem(self, card: Json) -> bool:
        """Return whether something is wrong with an input of a card inside this one, which has to be open then."""
        return any(element.get("id") in self.problems for element in _everything(card))

    def toggled(self, place: str) -> str:
        """Return the query of the page on which an action was pressed as well."""
        return urlencode([("toggle", "~".join(each)) for each in (*self.toggles, (self.message_id, place))])

    def targets(self, action: Json) -> str:
        """Return what an action shows or hides, for the script: ``id``, ``+id`` to show, ``-id`` to hide, by lines."""
        marks = {None: "", True: "+", False: "-"}
        return "\n".join(f"{marks[visible]}{name}" for name, visible in _targets(action))


def visibility(card: Card, message_id: str, toggles: Iterable[Toggle]) -> dict[str, bool]:
    """Return what presses of toggles make of the elements of a card, by their ids."""
    shown = {
        str(element["id"]): element.get("isVisible") is not False for element in _everything(card) if "id" in element
    }
    initially = dict(shown)
    for of, place in toggles:
        action = _at(card, place) if of == message_id else None
        if action is not None and action.get("type") == "Action.ToggleVisibility":
            for name, visible in _targets(action):
                shown[name] = not shown.get(name, True) if visible is None else visible
    return {name: value for name, value in shown.items() if initially.get(name) != value}


def _targets(action: Json) -> list[tuple[str, bool | None]]:
    found: list[tuple[str, bool | None]] = []
    for target in action.get("targetElements", ()):
        if isinstance(target, str):
            found.append((target, None))
        elif isinstance(target, Mapping) and isinstance(target.get("elementId"), str):
            visible = target.get("isVisible")
            found.append((target["elementId"], visible if isinstance(visible, bool) else None))
    return found


def _everything(node: object) -> list[Json]:
    """Return every object inside a card that has a type, and the card."""
    if isinstance(node, Mapping):
        inside = [each for value in node.values() for each in _everything(value)]
        return [node, *inside] if "type" in node or "items" in node else inside
    if isinstance(node, list):
        return [each for value in node for each in _everything(value)]
    return []


def _at(card: Card, place: str) -> Json | None:
    """Return what stands at a place of a card, None when there is nothing."""
    node: Any = card
    for step in place.split("."):
        if isinstance(node, list) and step.isascii() and step.isdigit() and int(step) < len(node):
            node = node[int(step)]
        elif isinstance(node, Mapping):
            node = node.get(step)
        else:
            return None
    return node if isinstance(node, Mapping) else None
