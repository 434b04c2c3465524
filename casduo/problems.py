"""Turns the validator's findings about a file into sentences for the person who wrote it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError

from casduo.errors import Problem
from casduo.fieldtypes import shown
from casduo.modelwalk import bare, field_annotation, is_model, item_annotation, tags, written_name

if TYPE_CHECKING:
    from casduo.yamlfile import Document, KeyPath


def problems_of(
    error: ValidationError, document: Document, model: type[BaseModel], prefix: KeyPath = ()
) -> list[Problem]:
    """Return one problem per finding in ``error``, in the order of the file.

    :param document: where the validated data came from
    :param model: what they were validated against
    :param prefix: the key path of the validated part within the document
    """
    root = _at(document.data, prefix)
    problems = []
    findings = error.errors(include_url=False, include_context=True)
    for finding in findings:
        if finding["type"] == "too_short" and _has_bad_entries(finding["loc"], findings):
            continue
        spot = _Spot(prefix, root, model)
        for step in finding["loc"]:
            spot.enter(step)
        problems.append(document.problem(spot.path, _sentence(finding, spot)))
    return sorted(set(problems))


def _has_bad_entries(place: tuple[int | str, ...], findings: Sequence[Any]) -> bool:
    """Whether a list at ``place`` is only too short because the validator does not count its bad entries."""
    return any(len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in findings)


def path_text(path: KeyPath) -> str:
    """Return a key path as a person would write it: ``services[2].requires_duo.fail``."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif re.fullmatch(r"[\w-]+", key):
            text += f".{key}" if text else key
        else:
            text += f"[{shown(key)}]"
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``, did you mean 'x'?`` for the nearest of ``known``, or nothing when none is near."""
    names = list(known)
    flat = {name.lower().replace("-", "_"): name for name in names}
    near = difflib.get_close_matches(word.lower().replace("-", "_"), flat, n=1, cutoff=0.6)
    return f", did you mean '{flat[near[0]]}'?" if near else ""


def known_keys(model: type[BaseModel]) -> list[str]:
    """Return the keys ``model`` accepts, as they are written in the file."""
    return [written_name(model, name) for name in model.model_fields]


def listed(words: Iterable[object], last: str = "or") -> str:
    """Return ``a, b or c``."""
    texts = [str(word) for word in words]
    return f"{', '.join(texts[:-1])} {last} {texts[-1]}" if len(texts) > 1 else "".join(texts)


class _Spot:
    """Follows the steps of a finding through the data, as written, and the model, as declared."""

    def __init__(self, path: KeyPath, data: Any, annotation: Any) -> None:
        self.path = path
        self.data = data
        self.annotation = annotation
        self.owner: type[BaseModel] | None = None

    @property
    def secret(self) -> bool:
        """Whether the value must not be shown."""
        return SecretStr in (self.annotation, *get_args(self.annotation))

    def enter(self, step: str | int) -> None:
        """Go one step down."""
        annotation, self.owner = bare(self.annotation), None
        if is_model(annotation):
            self.owner = annotation
            self._member(step, field_annotation(annotation, str(step)))
        elif isinstance(annotation, tuple):
            # One of several models, told apart by the key ``type``: the step is its value, not a key.
            self.annotation = next((model for model in annotation if step in tags(model)), None)
        elif step == "[key]":
            self.annotation = None
        elif isinstance(self.data, list) and isinstance(step, str):
            # A list written where a mapping is also accepted.
            self._member(self.data.index(step) if step in self.data else 0, None)
        elif isinstance(self.data, list | dict):
            self._member(step, item_annotation(annotation))
        else:
            # A single value written where a list is also accepted.
            self.annotation = item_annotation(annotation)

    def _member(self, step: str | int, annotation: Any) -> None:
        self.path = (*self.path, step)
        self.data = _at(self.data, (step,))
        self.annotation = annotation


def _at(data: Any, path: Sequence[str | int]) -> Any:
    for key in path:
        if isinstance(data, dict):
            data = data.get(key)
        elif isinstance(data, list) and isinstance(key, int) and key < len(data):
            data = data[key]
        else:
            return None
    return data


# --- sentences ------------------------------------------------------------------------------------------------------

_FIXED: Mapping[str, str] = {
    "string_type": "must be text; put it into quotes",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "frozen_set_type": "must be a list",
    "dict_type": "must be a mapping (key: value)",
    "model_type": "must be a mapping (key: value)",
    "model_attributes_type": "must be a mapping (key: value)",
}


def _sentence(finding: Mapping[str, Any], spot: _Spot) -> str:
    kind, context = finding["type"], finding.get("ctx", {})
    value = finding.get("input")
    if kind == "missing":
        return _missing(spot)
    if kind == "extra_forbidden":
        return _unknown(str(spot.path[-1]), spot)
    if kind == "value_error":
        return str(context["error"])
    if value is None and kind in _FIXED:
        return f"has no value; it {_FIXED[kind]}"
    if kind in _FIXED:
        # A text where a section or list should be may be a secret that slipped a line.
        quoted = kind.startswith(("bool_", "int_", "float_")) and isinstance(value, str | int | float)
        return f"{_FIXED[kind]}, not {shown(value)}" if quoted and not spot.secret else _FIXED[kind]
    return _limits(kind, context) or _choices(kind, context, value, spot) or str(finding["msg"])


def _missing(spot: _Spot) -> str:
    key, owner = str(spot.path[-1]), spot.owner
    other = f"{key}_file"
    if owner is not None and other in owner.model_fields:
        return f"is missing; give it, or '{other}'"
    annotation = bare(spot.annotation)
    if is_model(annotation):
        fields = annotation.model_fields
        needed = [written_name(annotation, name) for name in fields if fields[name].is_required()]
        return f"is missing; it needs {listed(needed, 'and')}" if needed else "is missing"
    return "is missing"


def _unknown(key: str, spot: _Spot) -> str:
    keys = known_keys(spot.owner) if spot.owner is not None else []
    near = did_you_mean(key, keys)
    return f"unknown key{near}" if near or not keys else f"unknown key; known here: {', '.join(sorted(keys))}"


def _limits(kind: str, context: Mapping[str, Any]) -> str:
    match kind:
        case "greater_than_equal":
            return f"must be {context['ge']} or more"
        case "greater_than":
            return f"must be more than {context['gt']}"
        case "less_than_equal":
            return f"must be {context['le']} or less"
        case "less_than":
            return f"must be less than {context['lt']}"
        case "too_short":
            return f"must have at least {context['min_length']} {_plural('entry', 'entries', context['min_length'])}"
        case "too_long":
            return f"must have at most {context['max_length']} entries"
        case "string_too_short":
            return f"must have at least {context['min_length']} characters"
        case "string_too_long":
            return f"must have at most {context['max_length']} characters"
    return ""


def _plural(one: str, many: str, count: int) -> str:
    return one if count == 1 else many


def _choices(kind: str, context: Mapping[str, Any], value: Any, spot: _Spot) -> str:
    if kind == "literal_error":
        choices = get_args(_literal(spot.annotation)) or (context["expected"],)
        near = did_you_mean(value, map(str, choices)) if isinstance(value, str) else ""
        return f"must be {listed(choices)}, not {shown(value)}{near}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        models = bare(spot.annotation)
        known = [tag for model in models for tag in tags(model)] if isinstance(models, tuple) else []
        if kind == "union_tag_not_found":
            return f"needs the key 'type': {listed(known)}"
        return f"unknown type {shown(context['tag'])}{did_you_mean(context['tag'], known)}; known: {listed(known)}"
    return ""


def _literal(annotation: Any) -> Any:
    declared = bare(annotation)
    return declared if get_origin(declared) is Literal else None
