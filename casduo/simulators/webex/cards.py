"""Which cards Webex takes: Adaptive Cards up to schema 1.3, small, with few actions and known elements only.

Sources: the schema of Adaptive Cards, and the restrictions that Webex's developer guide on cards names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casduo.simulators.webex.errors import WebexRefusal
from casduo.simulators.webex.model import CARD_TYPE
from casduo.simulators.webex.settings import Settings

_VERSION = re.compile(r"1\.\d{1,2}")
_OLDEST = (1, 0)
_DEEPEST = 16
_TEMPLATING = frozenset({"$data", "$when", "$root"})


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a type of element must have, and where others stand in it.

    :param texts: members that must be texts
    :param lists: members that must be lists
    :param inside: members that hold elements or actions
    """

    texts: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()


_INPUT = _Shape(texts=("id",))

_ELEMENTS: Mapping[str, _Shape] = {
    "TextBlock": _Shape(texts=("text",)),
    "RichTextBlock": _Shape(lists=("inlines",), inside=("inlines",)),
    "TextRun": _Shape(texts=("text",), inside=("selectAction",)),
    "Image": _Shape(texts=("url",), inside=("selectAction",)),
    "ImageSet": _Shape(lists=("images",), inside=("images",)),
    "FactSet": _Shape(lists=("facts",)),
    "Container": _Shape(lists=("items",), inside=("items", "selectAction")),
    "ColumnSet": _Shape(lists=("columns",), inside=("columns", "selectAction")),
    "Column": _Shape(inside=("items", "selectAction")),
    "ActionSet": _Shape(lists=("actions",), inside=("actions",)),
    "Input.Text": _INPUT,
    "Input.Number": _INPUT,
    "Input.Date": _INPUT,
    "Input.Time": _INPUT,
    "Input.Toggle": _Shape(texts=("id", "title")),
    "Input.ChoiceSet": _Shape(texts=("id",), lists=("choices",)),
}
_ACTIONS: Mapping[str, _Shape] = {
    "Action.Submit": _Shape(),
    "Action.OpenUrl": _Shape(texts=("url",)),
    "Action.ShowCard": _Shape(inside=("card",)),
    "Action.ToggleVisibility": _Shape(lists=("targetElements",)),
}
_CARD = _Shape(inside=("body", "actions", "selectAction"))

_ALLOWED_IN: Mapping[str, frozenset[str]] = {
    "inlines": frozenset({"TextRun"}),
    "images": frozenset({"Image"}),
    "columns": frozenset({"Column"}),
    "actions": frozenset(_ACTIONS),
    "selectAction": frozenset(_ACTIONS) - {"Action.ShowCard"},
    "card": frozenset({"AdaptiveCard"}),
}
_ALLOWED_ELSEWHERE = frozenset(_ELEMENTS) - {"TextRun", "Column"}
_SHAPES: Mapping[str, _Shape] = {**_ELEMENTS, **_ACTIONS, "AdaptiveCard": _CARD}


def check_attachments(attachments: object, settings: Settings) -> tuple[Mapping[str, Any], ...]:
    """Return what may be attached to a message.

    :param attachments: what was sent, None for nothing
    :raises WebexRefusal: 400, it is something else than one card that Webex would show
    """
    if attachments is None or attachments == []:
        return ()
    if not isinstance(attachments, list) or len(attachments) != 1:
        raise _refused("attachments must be a list with one card")
    attachment = attachments[0]
    if not isinstance(attachment, dict) or attachment.get("contentType") != CARD_TYPE:
        raise _refused(f"contentType of an attachment must be {CARD_TYPE}")
    card = attachment.get("content")
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        raise _refused("content of an attachment must be an object of type AdaptiveCard")
    _check_version(card.get("version"), settings.max_card_version)
    if "refresh" in card:
        raise _refused("cards with refresh are not supported")
    nodes = list(_walk(card, "card", "content", 0))
    _check_actions([node for _, node in nodes], settings.max_card_actions)
    _check_inputs([node for _, node in nodes])
    if len(json.dumps(card, ensure_ascii=False, separators=(",", ":")).encode()) > settings.max_card_bytes:
        raise _refused(f"a card has {settings.max_card_bytes} bytes at most")
    return (attachment,)


def _check_version(version: object, newest: str) -> None:
    if not isinstance(version, str) or _VERSION.fullmatch(version) is None:
        raise _refused("version of a card must be a text such as 1.3")
    if not _OLDEST <= _number(version) <= _number(newest):
        raise _refused(f"version {version} of cards is not supported, {newest} is the newest")


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _check_actions(nodes: Sequence[Mapping[str, Any]], most: int) -> None:
    count = sum(node["type"] in _ACTIONS for node in nodes)
    if count > most:
        raise _refused(f"a card has {most} actions at most, those of cards inside it counted; this one has {count}")


def _check_inputs(nodes: Sequence[Mapping[str, Any]]) -> None:
    ids = [node["id"] for node in nodes if node["type"].startswith("Input.")]
    if len(ids) != len(set(ids)):
        raise _refused("every input of a card needs an id of its own")


def _walk(node: object, member: str, place: str, depth: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return everything in a card that has a type, with its place, and refuse what is not as it must be."""
    if depth > _DEEPEST:
        raise _refused("the card is nested too deeply")
    if member == "inlines" and isinstance(node, str):
        return
    if not isinstance(node, dict):
        raise _refused(f"{place} must be an object")
    kind = node.get("type")
    if member == "columns" and kind is None:
        kind, node = "Column", {**node, "type": "Column"}
    if not isinstance(kind, str) or kind not in _ALLOWED_IN.get(member, _ALLOWED_ELSEWHERE):
        raise _refused(f"{place} cannot be of type {kind!r}")
    if not _TEMPLATING.isdisjoint(node):
        raise _refused(f"{place} wants templating, which is not supported")
    shape = _SHAPES[kind]
    _check_members(node, shape, place)
    yield place, node
    for name in shape.inside:
        for path, child in _children(node, name, place):
            yield from _walk(child, name, path, depth + 1)


def _check_members(node: Mapping[str, Any], shape: _Shape, place: str) -> None:
    for name in shape.texts:
        if not isinstance(node.get(name), str) or (name != "text" and not node[name]):
            raise _refused(f"{place}.{name} must be a text")
    for name in shape.lists:
        if not isinstance(node.get(name), list):
            raise _refused(f"{place}.{name} must be a list")
    for name, members in (("facts", ("title", "value")), ("choices", ("title", "value"))):
        if name in shape.lists and not all(_has_texts(each, members) for each in node[name]):
            raise _refused(f"{place}.{name} must be objects with {' and '.join(members)}")
    if node["type"] == "Action.OpenUrl" and not node["url"].startswith(("https://", "http://")):
        raise _refused(f"{place}.url must be an address on the web")
    if node["type"] == "Image" and not node["url"].startswith("https://"):
        raise _refused(f"{place}.url must be an address that begins with https")


def _has_texts(node: object, names: Sequence[str]) -> bool:
    return isinstance(node, dict) and all(isinstance(node.get(name), str) for name in names)


def _children(node: Mapping[str, Any], name: str, place: str) -> Iterator[tuple[str, object]]:
    value = node.get(name)
    if value is None and name != "card":
        return
    if name in ("card", "selectAction"):
        yield f"{place}.{name}", value
    elif isinstance(value, list):
        yield from ((f"{place}.{name}[{number}]", child) for number, child in enumerate(value))
    else:
        raise _refused(f"{place}.{name} must be a list")


def _refused(reason: str) -> WebexRefusal:
    return WebexRefusal(400, f"The card cannot be shown: {reason}.")
