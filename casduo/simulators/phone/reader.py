"""Turns a parsed document into an object, by the vendor's schema read to the letter."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from casduo.simulators.phone.errors import UNSUPPORTED_OBJECT, Refusal, invalid
from casduo.simulators.phone.markup import Element
from casduo.simulators.phone.objects import Displayable, Execution, InputItem, Kind, MenuItem, SoftKey
from casduo.simulators.phone.presets import ALL_OBJECTS, Preset
from casduo.simulators.phone.uris import check_uri, check_url, is_http

Remark = Callable[[str], None]
"""Takes a violation that does not keep the object from being shown."""

MOST_ITEMS = 100
MOST_INPUTS = 5
LONGEST_NAME = 64
MOST_EXECUTE_ITEMS = 3

_OTHER_OBJECTS = frozenset(
    f"CiscoIPPhone{name}"
    for name in (
        "Directory",
        "Error",
        "GraphicFileMenu",
        "GraphicMenu",
        "IconFileMenu",
        "IconMenu",
        "Image",
        "ImageFile",
        "Response",
        "Status",
        "StatusFile",
    )
)
"""Objects that exist and that this phone does not draw."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in the order of children: which element, how often, and what it holds in turn.

    ``inside`` None is an element with text and no children.
    """

    name: str
    least: int = 1
    most: int = 1
    inside: tuple[Slot, ...] | None = None
    attributes: frozenset[str] = frozenset()


_TITLE_AND_PROMPT = (Slot("Title", 0), Slot("Prompt", 0))
_SOFTKEYS = Slot("SoftKeyItem", 0, 16, (Slot("Name"), Slot("URL"), Slot("URLDown", 0), Slot("Position")))
_SHAPES: dict[str, tuple[Slot, ...]] = {
    "CiscoIPPhoneText": (*_TITLE_AND_PROMPT, Slot("Text"), _SOFTKEYS),
    "CiscoIPPhoneMenu": (
        *_TITLE_AND_PROMPT,
        Slot("MenuItem", 0, MOST_ITEMS, (Slot("Name"), Slot("URL"))),
        _SOFTKEYS,
    ),
    "CiscoIPPhoneInput": (
        *_TITLE_AND_PROMPT,
        Slot("URL", attributes=frozenset({"method"})),
        Slot(
            "InputItem",
            0,
            MOST_INPUTS,
            (Slot("DisplayName"), Slot("QueryStringParam"), Slot("DefaultValue"), Slot("InputFlags")),
        ),
        _SOFTKEYS,
    ),
    "CiscoIPPhoneExecute": (Slot("ExecuteItem", 1, MOST_EXECUTE_ITEMS, (), attributes=frozenset({"Priority", "URL"})),),
}
_KINDS: dict[str, Kind] = {"CiscoIPPhoneText": "text", "CiscoIPPhoneMenu": "menu", "CiscoIPPhoneInput": "input"}


def read_object(root: Element, preset: Preset, remark: Remark) -> Displayable | Execution:
    """Check a document against its object's schema and the model's limits.

    :raises Refusal: ``XML Error [5]`` for an object the model does not have, else ``XML Error [4]``.
    """
    if root.name in _OTHER_OBJECTS or (root.name in ALL_OBJECTS and root.name not in preset.objects):
        raise Refusal(UNSUPPORTED_OBJECT, f"{preset.model} does not show a {root.name}")
    if root.name not in _SHAPES:
        raise invalid(f"there is no object {root.name}{_other_case(root.name, _SHAPES)}", root.line)
    _check_attributes(root, frozenset())
    _check_children(root, _SHAPES[root.name])
    if root.name == "CiscoIPPhoneExecute":
        return _execution(root, remark)
    return _displayable(root, _KINDS[root.name], preset, remark)


def _check_children(element: Element, slots: tuple[Slot, ...]) -> None:
    if element.text.strip():
        raise invalid(f"text in {element.name}, which holds elements", element.line)
    names = [slot.name for slot in slots]
    counts = dict.fromkeys(names, 0)
    furthest = 0
    for child in element.children:
        if child.name not in counts:
            raise invalid(f"{element.name} has no {child.name}{_other_case(child.name, names)}", child.line)
        place = names.index(child.name)
        if place < furthest:
            raise invalid(f"{child.name} stands behind {names[furthest]} in {element.name}", child.line)
        furthest = place
        counts[child.name] += 1
        if counts[child.name] > slots[place].most:
            raise invalid(f"{counts[child.name]} times {child.name}, {slots[place].most} are the most", child.line)
        _check_attributes(child, slots[place].attributes)
        _check_inside(child, slots[place])
    for slot in slots:
        if counts[slot.name] < slot.least:
            raise invalid(f"no {slot.name} in {element.name}", element.line)


def _check_inside(child: Element, slot: Slot) -> None:
    if slot.inside is not None:
        _check_children(child, slot.inside)
    elif child.children:
        raise invalid(f"elements in {child.name}, which holds text", child.line)


def _check_attributes(element: Element, allowed: frozenset[str]) -> None:
    for name in element.attributes:
        if name not in allowed:
            raise invalid(f"{element.name} has no attribute {name}{_other_case(name, allowed)}", element.line)


def _other_case(name: str, known: Collection[str]) -> str:
    meant = next((each for each in known if each.lower() == name.lower()), "")
    return f", only {meant}" if meant else ""


def _displayable(root: Element, kind: Kind, preset: Preset, remark: Remark) -> Displayable:
    title, prompt = root.text_of("Title"), root.text_of("Prompt")
    if preset.title_or_prompt and title and prompt:
        remark(f"{preset.model} shows no Title where there is a Prompt")
        title = ""
    if preset.needs_prompt and not prompt:
        remark(f"{preset.model} expects a Prompt")
    form = root.child("URL")
    return Displayable(
        kind,
        title,
        prompt,
        text=root.text_of("Text"),
        items=tuple(_menu_item(child, remark) for child in root.children if child.name == "MenuItem"),
        url="" if form is None else _form_url(form, remark),
        posts=form is not None and form.attributes.get("method") == "post",
        inputs=_inputs(root),
        softkeys=_softkeys(root, kind, preset, remark),
    )


def _menu_item(item: Element, remark: Remark) -> MenuItem:
    name, url = item.text_of("Name"), item.text_of("URL")
    if not name.strip():
        raise invalid("a MenuItem without a Name", item.line)
    if len(name) > LONGEST_NAME:
        raise invalid(f"a Name of {len(name)} characters, {LONGEST_NAME} are the most", item.line)
    if name.count("\n") > 2:
        raise invalid("a Name with more than two line breaks", item.line)
    check_uri(url, f"MenuItem in line {item.line}", "menu", remark)
    return MenuItem(name, url)


def _form_url(form: Element, remark: Remark) -> str:
    method = form.attributes.get("method", "get")
    if method not in ("get", "post"):
        raise invalid("the method of a form's URL is neither 'get' nor 'post'", form.line)
    check_url(form.text, "the form's URL", remark)
    return form.text


def _inputs(root: Element) -> tuple[InputItem, ...]:
    found = tuple(_input(child) for child in root.children if child.name == "InputItem")
    if len({item.name for item in found}) < len(found):
        raise invalid("two InputItems with the same QueryStringParam", root.line)
    return found


def _input(item: Element) -> InputItem:
    found = InputItem(
        item.text_of("DisplayName"),
        item.text_of("QueryStringParam"),
        item.text_of("DefaultValue"),
        item.text_of("InputFlags"),
    )
    if not found.label.strip():
        raise invalid("an InputItem without a DisplayName", item.line)
    if not re.fullmatch(r"[A-Za-z0-9_.\-]+", found.name):
        raise invalid("a QueryStringParam that is not a plain name", item.line)
    if not re.fullmatch(r"[ATNEUL]P?", found.flags):
        raise invalid("InputFlags that are not one of A T N E U L, with P behind it for a mask", item.line)
    return found


def _softkeys(root: Element, kind: Kind, preset: Preset, remark: Remark) -> tuple[SoftKey, ...]:
    found = tuple(_softkey(child, kind, preset, remark) for child in root.children if child.name == "SoftKeyItem")
    if len({key.position for key in found}) < len(found):
        raise invalid("two SoftKeyItems with the same Position", root.line)
    return tuple(sorted(found, key=lambda key: key.position))


def _softkey(item: Element, kind: Kind, preset: Preset, remark: Remark) -> SoftKey:
    name, place = item.text_of("Name"), item.text_of("Position")
    if not name.strip():
        raise invalid("a SoftKeyItem without a Name", item.line)
    allowed = re.fullmatch(r"[1-9][0-9]?", place) and int(place) <= preset.positions
    if not allowed and not (place == "-1" and preset.applications_key):
        raise invalid(f"a Position that is not 1 to {preset.positions}", item.line)
    check_uri(item.text_of("URL"), f"SoftKeyItem {name!r}", kind, remark)
    if item.child("URLDown") is not None:
        check_uri(item.text_of("URLDown"), f"SoftKeyItem {name!r}, pressed", kind, remark)
    return SoftKey(name, item.text_of("URL"), int(place))


def _execution(root: Element, remark: Remark) -> Execution:
    uris = []
    for number, item in enumerate(root.children, 1):
        if item.attributes.get("Priority", "0") not in ("0", "1", "2"):
            raise invalid("a Priority that is not 0, 1 or 2", item.line)
        uri = item.attributes.get("URL", "")
        check_uri(uri, f"ExecuteItem {number}", "execute", remark)
        uris.append(uri)
    if sum(map(is_http, uris)) > 1:
        raise invalid("more than one http URL in an Execute object", root.line)
    return Execution(tuple(uris))
