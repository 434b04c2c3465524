"""How Duo is asked for a service: each value in effect, what it means, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from casduo.explanation.conditions import Facts, access
from casduo.explanation.model import Duo, Origin, Value
from casduo.fieldtypes import format_duration
from casduo.protocol.responses import DUO_CONTEXT
from casduo.services.model import DuoRule, RegisteredService
from casduo.services.policies import Mode
from casduo.settings import DuoApplication, DuoSettings, Settings

MODES: dict[Mode, str] = {
    "required": "Duo is asked of everybody whom the rule means",
    "optional": "Duo is asked of people who have a device; the others get in without",
    "report": "Duo is asked of nobody; it is written down of whom it would be",
}
_MEANINGS = {
    ("fail", "closed"): "while Duo cannot be reached nobody gets in",
    ("fail", "open"): "while Duo cannot be reached the password is enough",
    ("prompt", "universal"): "Duo's own page",
    ("prompt", "push"): "the built-in page",
    ("accept_preauth_allow", "yes"): "people whom Duo lets pass without a factor get in",
    ("accept_preauth_allow", "no"): "people whom Duo lets pass without a factor are refused",
    ("trusted_browser", "no"): "Duo is asked in every browser",
    ("max_age", ""): "one Duo login counts as long as the session",
    ("application", ""): "the one in the section duo; Duo by any other counts too",
    ("unenrolled", "enroll"): "people without a device are shown the way to one",
    ("unenrolled", "refuse"): "people without a device are refused, and shown no way to one",
    ("request_parameter", ""): "no application can ask for Duo by its request",
}


def duo_values(service: RegisteredService, settings: Settings, duo: Duo, facts: Facts) -> tuple[Value, ...]:
    """Return the values that decide how Duo is asked for ``service``; none where Duo never is.

    :param duo: whether it is required of the person where the request does not ask for it
    """
    section = settings.duo
    if section is not None and service.channel == "phone":
        return tuple(_values_on_phones(service, section, facts)) if service.duo_rule is not None else ()
    if section is None or (service.duo_rule is None and section.request_parameter is None):
        return ()
    return tuple(_values(service, settings, section, duo, facts))


def _values(
    service: RegisteredService, settings: Settings, section: DuoSettings, duo: Duo, facts: Facts
) -> Iterator[Value]:
    rule = service.duo_rule
    application = section.applications.get(rule.application or "") if rule is not None else None
    if rule is not None:
        yield _mode(service, facts.now)
    yield _application(rule)
    prompt = _value("prompt", rule.prompt if rule is not None else None, application, section)
    falls_back = section.prompt_fallback and prompt.text == "universal"
    yield _further(prompt, ", or the built-in one while that is down" if falls_back else "")
    yield _value("fail", rule.fail if rule is not None else None, application, section)
    max_age = format_duration(rule.max_age) if rule is not None and rule.max_age is not None else None
    yield _own("max_age", max_age, "the session's Duo counts so long")
    trust = _value("trusted_browser", rule.trusted_browser if rule is not None else None, application, section)
    yield _further(trust, f", and never for longer than {max_age}" if max_age and trust.text != "no" else "")
    yield _value("accept_preauth_allow", None, application, section)
    yield from _enrolment(service, settings, section, application, facts)
    yield _request_parameter(section, duo)


def _values_on_phones(service: RegisteredService, section: DuoSettings, facts: Facts) -> Iterator[Value]:
    """Yield what there is to say of phones, for which some of it is fixed (``DuoTerms.on_phones``)."""
    rule = service.duo_rule
    assert rule is not None
    application = section.applications.get(rule.application or "")
    yield _mode(service, facts.now)
    yield _application(rule)
    yield Value("prompt", "push", "casduo's own pages, on the phone: push, call, text message, passcode", "default")
    fail = _value("fail", rule.fail, application, section)
    yield replace(fail, meaning=fail.meaning.replace("the password", "the PIN"))
    yield _value("accept_preauth_allow", None, application, section)
    yield Value("trusted_browser", "no", "Duo is asked at each login", "default")
    yield Value("unenrolled", "refuse", "people without a device are told to set one up at a computer", "default")


def _mode(service: RegisteredService, now: float) -> Value:
    rule = service.duo_rule
    assert rule is not None
    mode = rule.mode_at(now)
    meaning = MODES[mode] if mode is not None else "nothing is asked yet"
    return Value("mode", mode or "", meaning, "entry" if "mode" in rule.model_fields_set else "default")


def _application(rule: DuoRule | None) -> Value:
    name = rule.application if rule is not None else None
    return _own("application", name, "the one of this name in duo.applications; Duo by another does not count")


def _enrolment(
    service: RegisteredService,
    settings: Settings,
    section: DuoSettings,
    application: DuoApplication | None,
    facts: Facts,
) -> Iterator[Value]:
    written: Origin = "entry" if "unenrolled" in service.model_fields_set else "default"
    yield Value("unenrolled", service.unenrolled, _MEANINGS["unenrolled", service.unenrolled], written)
    if service.unenrolled == "refuse":
        return
    address = _value("enrollment_url", service.enrollment_url, application, section)
    if address.text:
        yield replace(address, meaning="people without a device are sent there, with a link back")
        return
    pages = settings.enrollment
    where = f"the built-in pages, {settings.server.url or ''}/enroll/"
    yield replace(address, meaning=where if pages.enabled else "there is none: the built-in pages are switched off")
    if pages.enabled and not pages.access.is_open:
        rules = access(pages.access, facts)
        conditions = "; ".join(condition.sentence for condition in rules.conditions)
        yield Value("enrollment.access", rules.state, f"to register there, {conditions}", "settings")


def _request_parameter(section: DuoSettings, duo: Duo) -> Value:
    name = section.request_parameter
    if name is None:
        return Value("request_parameter", "", _MEANINGS["request_parameter", ""], "default")
    required = duo.state == "met" and duo.mode == "required"
    changes = "changes nothing here: Duo is required anyway" if required else "asks for Duo all the same"
    return Value("request_parameter", name, f"{name}={DUO_CONTEXT} in the address of the login {changes}", "settings")


def _further(value: Value, meaning: str) -> Value:
    return replace(value, meaning=value.meaning + meaning)


def _own(name: str, value: str | None, meaning: str) -> Value:
    """Return a value that only the entry can name."""
    text = value or ""
    return Value(name, text, _MEANINGS.get((name, text), meaning), "entry" if text else "default")


def _value(name: str, own: object, application: DuoApplication | None, section: DuoSettings) -> Value:
    """Return a value that the section ``duo`` names unless the Duo application or the entry does."""
    of_application = getattr(application, name, None)
    found: object
    origin: Origin
    if own is not None:
        found, origin = own, "entry"
    elif of_application is not None:
        found, origin = of_application, "application"
    else:
        found, origin = getattr(section, name), "settings" if name in section.model_fields_set else "default"
    text = _text(found)
    return Value(name, text, _MEANINGS.get((name, text), "people may choose not to be asked again for so long"), origin)


def _text(found: object) -> str:
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, float):
        return format_duration(found) if found else "no"
    return str(found or "")
