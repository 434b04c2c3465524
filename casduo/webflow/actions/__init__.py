"""What the states do, grouped by subject. A table names a function as ``subject.function``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from casduo.webflow.actions import duo, login_form, logout, service, session, ticket

_SUBJECTS: tuple[ModuleType, ...] = (service, session, login_form, duo, ticket, logout)

FUNCTIONS: dict[str, Callable[..., Any]] = {
    f"{module.__name__.rpartition('.')[2]}.{name}": function
    for module in _SUBJECTS
    for name, function in vars(module).items()
    if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
}
"""Every public function of the subjects, by the name tables use."""
