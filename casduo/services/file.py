"""Reads registry.yaml: every problem at once, with its place, or the registry."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from casduo.errors import Problem, SettingsError
from casduo.problems import did_you_mean, problems_of
from casduo.services.approval_lint import lint_approvals
from casduo.services.builtin import ADMIN
from casduo.services.clients import with_client_defaults
from casduo.services.index import Registry
from casduo.services.lint import Entry, lint, notes
from casduo.services.model import RegisteredService
from casduo.services.own_lint import lint_own_pages
from casduo.services.phone_lint import lint_phones, phone_errors
from casduo.settings import Settings
from casduo.yamlfile import Document, parse_yaml, read_bytes

VERSION_LENGTH = 12
"""Characters of the digest that names a state of the registry."""


@dataclass(frozen=True, slots=True)
class RegistryReading:
    """What came of reading a registry file.

    ``registry`` is ``None`` when the file cannot be used. ``problems`` holds what is wrong, sorted by place, and the
    linter's warnings and notes when those were asked for.
    """

    registry: Registry | None
    problems: tuple[Problem, ...]


def load_registry(path: Path, settings: Settings | None) -> Registry:
    """Return the registry in the file at ``path``.

    :param settings: to check references to handlers and Duo applications; ``None`` skips that
    :raises SettingsError: the file cannot be used; holds all problems
    """
    reading = read_registry(read_bytes(path), str(path), settings)
    if reading.registry is None:
        raise SettingsError(reading.problems)
    return reading.registry


def check_registry(path: Path, settings: Settings | None) -> list[Problem]:
    """Return everything there is to say about the file at ``path``: errors, the linter's warnings, and notes."""
    try:
        content = read_bytes(path)
    except SettingsError as error:
        return list(error.problems)
    return list(read_registry(content, str(path), settings, with_lint=True, now=time.time()).problems)


def registry_version(content: bytes) -> str:
    """Return the name of the state that ``content`` describes."""
    return hashlib.sha256(content).hexdigest()[:VERSION_LENGTH]


def read_registry(
    content: bytes, file: str, settings: Settings | None, *, with_lint: bool = False, now: float = 0.0
) -> RegistryReading:
    """Read a registry from the bytes of its file.

    :param file: the name under which problems are reported
    :param with_lint: whether to look for what is valid and cannot be meant
    :param now: epoch seconds, for what the linter says about dates
    """
    try:
        document = parse_yaml(content, file)
    except SettingsError as error:
        return RegistryReading(None, error.problems)
    return read_document(document, registry_version(content), settings, with_lint=with_lint, now=now)


def read_document(
    document: Document, version: str, settings: Settings | None, *, with_lint: bool = False, now: float = 0.0
) -> RegistryReading:
    """Read a registry from a file that was parsed already, as :func:`read_registry` does.

    :param version: of its bytes, as :func:`registry_version` returns it
    """
    try:
        entries, problems = _validate(document, settings)
    except SettingsError as error:
        return RegistryReading(None, error.problems)
    problems += _same_ids(document)
    problems += _reserved_ids(document)
    problems += _unknown_services(entries, document)
    problems += phone_errors(entries, document, settings)
    if settings is not None:
        problems += _unknown_in_settings(entries, document, settings)
    usable = not problems
    if with_lint:
        problems += [*lint(entries, document, now), *notes(entries, document)]
        problems += lint_own_pages(entries, document, settings)
        problems += lint_phones(entries, document, settings)
        problems += lint_approvals(entries, document, settings)
    services = [with_client_defaults(entry.service) for entry in entries] if usable else []
    registry = Registry(services, version) if usable else None
    return RegistryReading(registry, tuple(sorted(problems)))


def _validate(document: Document, settings: Settings | None) -> tuple[list[Entry], list[Problem]]:
    """Return the entries that are valid each for itself, and what is wrong with the others.

    :raises SettingsError: there is no list of services at all
    """
    problems = []
    for key in _mapping(document):
        if key != "services" and not key.startswith("x-"):
            message = f"unknown key{did_you_mean(key, ['services'])}"
            problems.append(document.problem((key,), message))
    context = {"zone": settings.zone, "language": settings.pages.own_language} if settings is not None else {}
    entries = []
    for index, item in enumerate(_services(document, problems)):
        try:
            entries.append(Entry(index, RegisteredService.model_validate(item, context=context)))
        except ValidationError as error:
            problems += problems_of(error, document, RegisteredService, ("services", index))
    return entries, problems


def _mapping(document: Document) -> dict[str, Any]:
    if document.data is None:
        # An empty file is what a half-written one looks like; no services at all has to be written out.
        raise SettingsError((document.problem((), "is empty; a registry without services is written 'services: []'"),))
    if not isinstance(document.data, dict):
        raise SettingsError((document.problem((), "must begin with 'services:'"),))
    return document.data


def _services(document: Document, others: list[Problem]) -> list[Any]:
    services = document.data.get("services")
    if isinstance(services, list):
        return services
    sentence = "must be a list ('- id: ...')" if "services" in document.data else "is missing"
    raise SettingsError((*others, document.problem(("services",), sentence)))


def _written_ids(document: Document) -> Iterator[tuple[int, str]]:
    """Yield the ids in the file, of entries that are valid and others alike."""
    for index, item in enumerate(document.data["services"]):
        name = item.get("id") if isinstance(item, dict) else None
        if isinstance(name, str):
            yield index, name.strip()


def _same_ids(document: Document) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, name in _written_ids(document):
        if first.setdefault(name, index) != index:
            line, _ = document.position(("services", first[name]))
            message = f"{name!r} is used twice, first in line {line}"
            yield document.problem(("services", index, "id"), message)


def _reserved_ids(document: Document) -> Iterator[Problem]:
    for index, name in _written_ids(document):
        if name == ADMIN:
            message = "is the id of the administration pages, whose entry the settings make; take another one"
            yield document.problem(("services", index, "id"), message)


def _unknown_services(entries: list[Entry], document: Document) -> Iterator[Problem]:
    ids = {name for _, name in _written_ids(document)}
    for entry in entries:
        for name in entry.service.proxy.targets:
            if name not in ids:
                message = f"there is no service {name!r}{did_you_mean(name, ids)}"
                yield document.problem(("services", entry.index, "proxy", "targets"), message)


def _unknown_in_settings(entries: list[Entry], document: Document, settings: Settings) -> Iterator[Problem]:
    handlers, applications = settings.handler_names, settings.duo_applications
    for entry in entries:
        service, path = entry.service, ("services", entry.index)
        for name in service.authentication:
            if name not in handlers:
                message = f"the settings have no handler {name!r}{did_you_mean(name, handlers)}"
                yield document.problem((*path, "authentication"), message)
        rule = service.duo_rule
        if rule is not None and settings.duo is None:
            message = "Duo is required, but the settings have no section 'duo'"
            yield document.problem((*path, "requires_duo"), message)
        elif rule is not None and rule.application is not None and rule.application not in applications:
            message = f"the settings have no Duo application {rule.application!r}"
            message += did_you_mean(rule.application, applications)
            yield document.problem((*path, "requires_duo", "application"), message)
