"""Walks declared models and the plain data written for them side by side."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def bare(annotation: Any) -> Any:
    """Return ``annotation`` without ``Annotated`` and ``None``; of several alternatives, a tuple of all."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        members = [bare(member) for member in get_args(annotation) if member is not type(None)]
        return members[0] if len(members) == 1 else tuple(members)
    return annotation


def is_model(annotation: Any) -> bool:
    """Return whether ``annotation`` is a model class."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def written_name(model: type[BaseModel], name: str) -> str:
    """Return the key under which the field ``name`` is written in a file."""
    return model.model_fields[name].alias or name


def field_annotation(model: type[BaseModel], key: str) -> Any:
    """Return the annotation of the field written as ``key``, or ``None``."""
    for name, field in model.model_fields.items():
        if key in (name, field.alias):
            return field.annotation
    return None


def item_annotation(annotation: Any) -> Any:
    """Return the annotation of the items of a list, or of the values of a mapping, or ``None``."""
    arguments = get_args(annotation)
    return arguments[1 if get_origin(annotation) is dict else 0] if arguments else None


def tags(model: Any) -> tuple[Any, ...]:
    """Return the values of ``type`` by which a model is told from its alternatives."""
    return get_args(model.model_fields["type"].annotation)


def model_for(annotation: Any, data: Any) -> type[BaseModel] | None:
    """Return the model that ``data`` is to be read with; of alternatives, the one its ``type`` names."""
    candidate = bare(annotation)
    if isinstance(candidate, tuple):
        kind = data.get("type") if isinstance(data, dict) else None
        candidate = next((model for model in candidate if is_model(model) and kind in tags(model)), None)
    return candidate if is_model(candidate) else None


def written_sections(
    annotation: Any, data: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any], type[BaseModel]]]:
    """Yield path, data and model of every section that ``data`` holds, from the outside in."""
    model = model_for(annotation, data)
    if model is not None:
        if isinstance(data, dict):
            yield path, data, model
            for key in list(data):
                yield from written_sections(field_annotation(model, key), data[key], (*path, key))
        return
    declared = bare(annotation)
    if isinstance(data, list):
        for index, item in enumerate(data):
            yield from written_sections(item_annotation(declared), item, (*path, index))
    elif isinstance(data, dict):
        for key, item in data.items():
            yield from written_sections(item_annotation(declared), item, (*path, key))
