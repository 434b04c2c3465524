"""Writes an explanation for reading at a terminal: the verdict first, then what it rests on, in aligned columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from casduo.explanation.conditions import depends_on, few
from casduo.explanation.model import (
    Access,
    Approval,
    Condition,
    Duo,
    Explanation,
    Origin,
    Person,
    Phone,
    Proxying,
    Release,
    ReleasedAttribute,
    Service,
    SignOut,
    State,
    Value,
)

_WIDEST = 56
"""Characters. A cell that is wider pushes its own row to the right, and no other."""

_ACCESS: dict[State, str] = {"met": "granted", "not met": "refused", "depends": "depends on"}
_DUO: dict[State, str] = {"met": "required", "not met": "not required", "depends": "depends on"}
_ORIGINS: dict[Origin, str] = {
    "entry": "from the entry",
    "client": "from the client",
    "application": "from the Duo application",
    "settings": "from the settings",
    "default": "default",
}

_CHANNELS = {
    "back_channel": "from server to server",
    "front_channel": "by the browser, on the sign-out page",
    "none": "the application is not told",
}

Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of an explanation: a title, and rows of one to four cells."""

    title: str
    rows: tuple[tuple[str, ...], ...]


def as_text(explanation: Explanation) -> str:
    """Return ``explanation`` as text that ends with a line feed. Control characters in it are written as escapes, for
    URL and directory are not to be trusted with a terminal.
    """
    return "".join(f"{_printable(line)}\n" for line in _lines(explanation))


def sections(explanation: Explanation) -> Iterator[Section]:
    """Yield what the verdict rests on, part by part."""
    yield from _section("URL", _url(explanation))
    if explanation.reading.canonical:
        yield from _section(f"Registry, state {explanation.registry}", _entries(explanation))
    if explanation.person is not None:
        yield from _section("Person", _person(explanation.person, explanation.groups))
    if explanation.service is not None:
        yield from _service(explanation.service, explanation.person)


def _lines(explanation: Explanation) -> Iterator[str]:
    yield explanation.sentence
    for section in sections(explanation):
        yield from _in_columns(section)


def _service(service: Service, person: Person | None) -> Iterator[Section]:
    access, duo, phone = service.access, service.duo, service.phone
    yield from _section("Sign-in", _sign_in(service))
    if phone is not None:
        yield from _section("Phone", _phone(phone))
    yield from _section(f"Access: {_ACCESS[access.state]}{_needed(access.conditions)}", _access(access))
    if phone is not None and phone.profiles:
        yield from _section("Profiles", [_condition(condition) for condition in phone.profiles])
    refused = service.release.problem or "not met" in {condition.state for condition in service.demands}
    late = "; not asked for, as people are refused before" if refused and duo.state != "not met" else ""
    yield from _section(f"Duo: {_duo_title(duo)}{late}", _duo(duo))
    if duo.modes:
        yield from _section("Modes of the rule", [(mode.state, mode.mode, f"from {mode.start}") for mode in duo.modes])
    if duo.values:
        yield from _section("How Duo is asked", _values(duo.values))
    if service.approval is not None:
        yield from _section("Approval: needed", _approval(service.approval))
    if service.target:
        yield from _section("Machine behind it", _values(service.target))
    if phone is not None:
        yield from _section("How logins on phones go", _values(phone.values))
        yield from _section("Wrong PINs that are let through", _values(phone.limits))
    else:
        yield from _application(service, person)
    if service.without_effect:
        yield from _section("Written in the entry, without effect yet", [(key,) for key in service.without_effect])


def _application(service: Service, person: Person | None) -> Iterator[Section]:
    yield from _section("The application is told", _release(service.release))
    yield from _section("How it is answered", _values(service.dealings))
    yield from _section(
        f"Proxying: {'allowed' if service.proxying.allowed else 'not allowed'}", _proxying(service.proxying)
    )
    yield from _section("Sign-out", _sign_out(service.sign_out))
    yield from _answers(service, person)


def _answers(service: Service, person: Person | None) -> Iterator[Section]:
    for answer in service.answers:
        rows = [(line,) for line in answer.body.splitlines()]
        yield from _section(f"Answer of {answer.path} {answer.when}", rows)
    if not service.answers:
        yield from _section(f"Answer of the validation: {_why_none(service, person)}", [])


def _why_none(service: Service, person: Person | None) -> str:
    needed = [] if person is not None else ["the person (--user)"]
    if any(condition.kind == "network" for condition in _open(service)):
        needed.append("the address (--address)")
    if needed:
        return f"depends on {' and '.join(needed)}"
    named = service.release.user or service.release.problem
    return "no CAS protocol is allowed" if named else "depends on the key of pairwise ids"


def _open(service: Service) -> list[Condition]:
    conditions = (*service.access.conditions, *service.duo.conditions)
    return [condition for condition in conditions if condition.state == "depends"]


def _needed(conditions: Sequence[Condition]) -> str:
    needed = depends_on(conditions)
    return f" {needed}" if needed else ""


def _url(explanation: Explanation) -> Iterator[Row]:
    reading = explanation.reading
    yield "asked about", reading.given
    if reading.url != reading.given:
        yield "service in it", reading.url
    if reading.asks_for_duo:
        yield "asks for", "Duo, by a parameter of the address"
    if reading.canonical:
        yield "compared as", reading.canonical


def _entries(explanation: Explanation) -> Iterator[Row]:
    for entry in explanation.entries:
        yield entry.id, entry.pattern, entry.why
    if explanation.omitted:
        entries = "entry has another host" if explanation.omitted == 1 else "entries have other hosts"
        yield (f"{explanation.omitted} {'more ' if explanation.entries else ''}{entries} (--all)",)


def _person(person: Person, groups: Sequence[str]) -> Iterator[Row]:
    yield "user name", person.name, _known(person)
    for name, values in person.attributes.items():
        yield name, few(values)
    known = {value for values in person.attributes.values() for value in values}
    if not known.issuperset(groups):
        yield "rules may say", few([group for group in groups if group not in known])


def _known(person: Person) -> str:
    if not person.handler:
        return "made up: nobody was looked up"
    unseen = "" if person.judged else "; whether the account is locked or expired shows only at a sign-in"
    return f"known to {person.handler}{unseen}"


def _phone(phone: Phone) -> Iterator[Row]:
    yield "answers at", f"{phone.base}/"
    yield "service URL", phone.service_url
    for condition in phone.conditions:
        yield _condition(condition)


def _sign_in(service: Service) -> Iterator[Row]:
    if service.phone is not None:
        yield "PIN", f"checked by {', '.join(service.handlers) or 'nobody'}"
        yield "session", "none is kept: the PIN is asked at each login"
        return
    yield "password", f"checked by {', '.join(service.handlers) or 'nobody'}"
    yield "session", _session(service)
    if service.warn:
        yield "warning", "people are asked before they are sent on"


def _session(service: Service) -> str:
    if not service.single_sign_on:
        return "not enough: the password is asked each time"
    demands = ["one of them has checked the password"] if service.own_handlers else []
    if not service.accept_remember_me:
        demands.append("it is not a remembered one")
    if service.session_lifetime:
        demands.append(f"the password was given no more than {service.session_lifetime} ago")
    if service.session_idle:
        demands.append(f"it was used no more than {service.session_idle} ago")
    return "a live one is enough" + (f", if {' and '.join(demands)}" if demands else "")


def _access(access: Access) -> Iterator[Row]:
    if not access.conditions:
        yield ("no rules",)
    for condition in access.conditions:
        yield _condition(condition)
    if access.reason:
        yield "if refused", f"people read: {access.reason}"


def _condition(condition: Condition) -> Row:
    return condition.state, condition.sentence, condition.fact


def _duo_title(duo: Duo) -> str:
    if duo.state == "depends":
        return f"{_DUO[duo.state]}{_needed(duo.conditions)}"
    if duo.mode == "optional":
        return "required of people who have a device"
    return "not asked for, only reported" if duo.mode == "report" else _DUO[duo.state]


def _duo(duo: Duo) -> Iterator[Row]:
    for reason in duo.reasons:
        yield "because", reason
    for condition in duo.conditions:
        yield _condition(condition)


def _values(values: Sequence[Value]) -> Iterator[Row]:
    for value in values:
        yield value.name, value.text or "-", _ORIGINS[value.origin], _meaning(value)


def _meaning(value: Value) -> str:
    # What is written and does nothing would mislead; what nobody wrote is what happens anyway.
    return value.meaning if value.in_force or value.origin == "default" else f"without effect yet: {value.meaning}"


def _approval(approval: Approval) -> Iterator[Row]:
    for approver in approval.approvers:
        yield "approver", approver, *(() if approver in approval.deciders else ("not about their own requests",))
    yield from _values(approval.values)


def _release(release: Release) -> Iterator[Row]:
    yield "user", release.user or ("nothing" if release.problem else "-"), release.problem or release.user_source
    for attribute in release.attributes:
        yield attribute.name, few(attribute.values) or "-", _explained(attribute)
    if not release.attributes:
        yield ("no attributes",)


def _explained(attribute: ReleasedAttribute) -> str:
    source = f"attribute {attribute.source}" if attribute.source and (attribute.values or not attribute.why) else ""
    made = ", ".join(filter(None, (source, attribute.shaping)))
    return "; ".join(filter(None, (made, attribute.why)))


def _proxying(proxying: Proxying) -> Iterator[Row]:
    if not proxying.allowed:
        return
    private = ", on private addresses, too" if proxying.private_addresses else ""
    yield "callbacks", few(proxying.callbacks) + private
    yield "accepted", f"status {', '.join(map(str, proxying.accept_status))}"
    yield "targets", few(proxying.targets) or "every service of the registry"


def _sign_out(sign_out: SignOut) -> Iterator[Row]:
    yield "channel", _CHANNELS[sign_out.channel]
    if sign_out.channel != "none":
        yield "address", sign_out.url or "the URL that the ticket was for"


# --- columns --------------------------------------------------------------------------------------------------------


def _section(title: str, rows: Iterator[Row] | Sequence[Row]) -> Iterator[Section]:
    yield Section(title, tuple(tuple(row) for row in rows))


def _in_columns(section: Section) -> Iterator[str]:
    table = section.rows
    widths: list[int] = []
    for row in table:
        # The last cell of a row needs no room behind it.
        for column, cell in enumerate(row[:-1]):
            widths += [0] * (column + 1 - len(widths))
            if len(cell) <= _WIDEST:
                widths[column] = max(widths[column], len(cell))
    yield ""
    yield section.title
    for row in table:
        cells = [cell.ljust(widths[column]) for column, cell in enumerate(row[:-1])]
        yield "  " + "  ".join([*cells, *row[-1:]]).rstrip()


def _printable(line: str) -> str:
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in line
    )
