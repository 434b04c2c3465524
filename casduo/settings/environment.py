"""Environment variables that override casduo.yaml: ``CASDUO_SERVER__URL`` stands for ``server.url``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_origin

from casduo.errors import Problem, SettingsError
from casduo.modelwalk import bare, field_annotation, is_model, item_annotation, model_for, written_name
from casduo.problems import did_you_mean
from casduo.settings.model import Settings
from casduo.yamlfile import Document, KeyPath, parse_yaml

PREFIX = "CASDUO_"
CONFIG_VARIABLE = "CASDUO_CONFIG"


def variable(path: KeyPath) -> str:
    """Return the name of the variable for the setting at ``path``."""
    return PREFIX + "__".join(str(key).upper() for key in path)


def known_variables(model: Any = Settings, path: KeyPath = ()) -> Iterator[str]:
    """Yield the names of all variables for settings with a fixed place, which those in lists do not have."""
    for name, field in model.model_fields.items():
        inner = (*path, written_name(model, name))
        if is_model(bare(field.annotation)):
            yield from known_variables(bare(field.annotation), inner)
        else:
            yield variable(inner)


def overlay(document: Document, environ: Mapping[str, str]) -> list[Problem]:
    """Put the values of ``CASDUO_...`` variables into ``document.data`` and note where they came from.

    ``__`` goes one level down; a number picks an entry that the file has (``CASDUO_AUTHENTICATION__0__BIND_PASSWORD``).
    Lists are written with commas or as YAML, ``[en, de]``. A variable without a value counts as not set.

    :return: a problem for each variable that names no setting. One without ``__`` is left alone, for an orchestrator
        may set ``CASDUO_PORT`` and the like, unless a setting was clearly meant.
    """
    problems = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE and environ[name]:
            problems += _set(document, name, environ[name])
    return problems


def _set(document: Document, name: str, text: str) -> list[Problem]:
    place = f"environment variable {name}"
    keys = [key.lower() for key in name.removeprefix(PREFIX).split("__")]
    target = _find(document.data, keys)
    if target is None:
        return _unknown(name, place, nested=len(keys) > 1)
    path, annotation = target
    if is_model(annotation):
        sentence = f"'{path[-1]}' is a section; set its keys, {name}__..."
        return [Problem(place, 0, 0, "", sentence, "error" if len(keys) > 1 else "warning")]
    try:
        value = _value(text, annotation)
    except SettingsError as error:
        # The parser's sentence, without the value: it may be a secret.
        return [Problem(place, 0, 0, "", error.problems[0].message)]
    _put(document.data, path, value)
    document.sources[path] = place
    return []


def _find(data: dict[str, Any], keys: list[str]) -> tuple[KeyPath, Any] | None:
    """Return key path and declared type of the setting that ``keys`` name, or ``None``."""
    container: Any = data
    annotation: Any = Settings
    path: KeyPath = ()
    for word in keys:
        step, annotation = _step(container, annotation, word)
        if step is None:
            return None
        path = (*path, step)
        container = _inside(container, step)
    return path, bare(annotation)


def _step(container: Any, annotation: Any, word: str) -> tuple[str | int | None, Any]:
    model = model_for(annotation, container)
    if model is not None:
        declared = field_annotation(model, word)
        return (word, declared) if declared is not None else (None, None)
    if isinstance(container, list):
        known = word.isdecimal() and word.isascii() and len(word) < 6 and int(word) < len(container)
        return (int(word), item_annotation(bare(annotation))) if known else (None, None)
    if get_origin(bare(annotation)) is dict and word:
        return word, item_annotation(bare(annotation))
    return None, None


def _inside(container: Any, step: str | int) -> Any:
    """Return what lies at ``step``; an empty section where the file has nothing."""
    inner = None
    if isinstance(container, dict):
        inner = container.get(step)
    elif isinstance(container, list) and isinstance(step, int):
        inner = container[step]
    return {} if inner is None else inner


def _put(data: dict[str, Any], path: KeyPath, value: Any) -> None:
    """Set the value at ``path``. Where the file has something else than a section on the way, that mistake is told
    soon enough and nothing is set.
    """
    container: Any = data
    *way, last = path
    for step in way:
        if isinstance(container, dict) and container.get(step) is None:
            container[step] = {}
        container = _inside(container, step)
    if isinstance(container, dict):
        container[str(last)] = value
    elif isinstance(container, list) and isinstance(last, int):
        container[last] = value


def _value(text: str, annotation: Any) -> Any:
    many = get_origin(annotation) in (tuple, list, dict)
    if many and text.lstrip().startswith(("[", "{")):
        return parse_yaml(text.encode("utf-8", "surrogateescape"), "").data
    if get_origin(annotation) in (tuple, list):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _unknown(name: str, place: str, *, nested: bool) -> list[Problem]:
    known = list(known_variables())
    if nested:
        return [Problem(place, 0, 0, "", f"there is no such setting{did_you_mean(name, known)}")]
    meant = [candidate for candidate in known if candidate.replace("__", "_") == name]
    return [Problem(place, 0, 0, "", f"is not used, did you mean '{meant[0]}'?", "warning")] if meant else []
