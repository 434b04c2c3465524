"""How Duo is asked for a service: each value in effect, and where it comes from."""

from __future__ import annotations

from casduo.explanation.model import Origin, Value
from casduo.fieldtypes import format_duration
from casduo.services.model import NOT_YET_IN_FORCE, RegisteredService
from casduo.settings import DuoApplication, DuoSettings

_MEANINGS = {
    ("fail", "closed"): "while Duo cannot be reached nobody gets in",
    ("fail", "open"): "while Duo cannot be reached the password is enough",
    ("prompt", "universal"): "Duo's own page",
    ("prompt", "push"): "the built-in page",
    ("accept_preauth_allow", "yes"): "people whom Duo lets pass without a factor get in",
    ("accept_preauth_allow", "no"): "people whom Duo lets pass without a factor are refused",
    ("enrollment_url", ""): "people without a device are sent where Duo says, if it does",
    ("max_age", ""): "one Duo login counts as long as the session",
    ("application", ""): "the one in the section duo",
}


def duo_values(service: RegisteredService, duo: DuoSettings | None) -> tuple[Value, ...]:
    """Return the values that decide how Duo is asked for ``service``; none where Duo never is.

    :param duo: the section of the settings
    """
    rule = service.duo_rule
    if rule is None or duo is None:
        return ()
    application = duo.applications.get(rule.application or "") if _in_force("application") else None
    max_age = format_duration(rule.max_age) if rule.max_age is not None else None
    return (
        _value("fail", rule.fail, application, duo),
        _value("prompt", rule.prompt, application, duo),
        _own("max_age", max_age, "the session's Duo counts so long"),
        _own("application", rule.application, "a section of duo.applications"),
        _value("enrollment_url", service.enrollment_url, application, duo),
        _value("accept_preauth_allow", None, application, duo),
    )


def _own(name: str, value: str | None, meaning: str) -> Value:
    """Return a value that only the entry can name."""
    text = value or ""
    return Value(name, text, _MEANINGS.get((name, text), meaning), "entry" if text else "default", _in_force(name))


def _value(name: str, own: str | None, application: DuoApplication | None, duo: DuoSettings) -> Value:
    """Return a value that the section ``duo`` names unless the Duo application or the entry does."""
    of_application = getattr(application, name, None)
    found: object
    origin: Origin
    if own is not None:
        found, origin = own, "entry"
    elif of_application is not None:
        found, origin = of_application, "application"
    else:
        found, origin = getattr(duo, name), "settings" if name in duo.model_fields_set else "default"
    text = ("yes" if found else "no") if isinstance(found, bool) else str(found or "")
    meaning = _MEANINGS.get((name, text), "people without a device are sent there")
    return Value(name, text, meaning, origin, _in_force(name))


def _in_force(name: str) -> bool:
    return f"requires_duo.{name}" not in NOT_YET_IN_FORCE
