"""What the states do, grouped by subject. A table names a function as ``subject.function``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from casduo.webflow.actions import (
    approval,
    duo,
    duo_page,
    duo_push,
    home,
    login_form,
    logout,
    phone_entry,
    phone_form,
    phone_login,
    phone_logout,
    phone_profiles,
    phone_ticket,
    phone_told,
    service,
    session,
    ticket,
)

_SUBJECTS: tuple[ModuleType, ...] = (
    *(service, session, login_form, duo, duo_push, duo_page, approval, ticket, home, logout),
    *(phone_entry, phone_form, phone_profiles, phone_ticket, phone_login, phone_logout, phone_told),
)

FUNCTIONS: dict[str, Callable[..., Any]] = {
    f"{module.__name__.rpartition('.')[2]}.{name}": function
    for module in _SUBJECTS
    for name, function in vars(module).items()
    if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
}
"""Every public function of the subjects, by the name tables use."""
