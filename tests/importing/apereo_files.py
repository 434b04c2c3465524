"""Service files as Apereo CAS has them, made of what matters to a test."""

from __future__ import annotations

import json
from typing import Any

from casduo.importing.apereo import import_apereo
from casduo.importing.model import Draft, Import
from casduo.importing.options import Options

PACKAGE = "org.apereo.cas.services."


def typed(name: str, /, **members: Any) -> dict[str, Any]:
    """Return an object of the class ``name``."""
    return {"@class": PACKAGE + name, **members}


def hash_set(*values: Any) -> list[Any]:
    """Return a set as Jackson writes it."""
    return ["java.util.HashSet", list(values)]


def by_name(**members: Any) -> dict[str, Any]:
    """Return a map as Jackson writes it."""
    return {"@class": "java.util.HashMap", **members}


def service(
    url: str = r"^https://app\.example\.edu/.*", name: str = "App", number: int = 1000, **fields: Any
) -> dict[str, Any]:
    """Return a service."""
    return typed("CasRegisteredService", serviceId=url, name=name, id=number, **fields)


def taken_over(*services: dict[str, Any], options: Options | None = None) -> Import:
    """Import services, each in a file of its own."""
    files = [(f"{one.get('name')}-{one.get('id')}-{at}.json", json.dumps(one)) for at, one in enumerate(services)]
    return import_apereo([(name, text.encode()) for name, text in files], options)


def draft_of(options: Options | None = None, **fields: Any) -> Draft:
    """Import one service with these fields."""
    (draft,) = taken_over(service(**fields), options=options).drafts
    return draft


def said(draft: Draft) -> set[tuple[str, str]]:
    """Return the kinds of findings with their fields, but for what every entry says."""
    return {(finding.kind, finding.field) for finding in draft.findings} - {("taken", "serviceId")}
