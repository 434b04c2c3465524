"""The commands of the control interface: everything a test in the same process can do, by name."""

from __future__ import annotations

import dataclasses
from typing import Any

from casduo.simulators.steering import Arguments, Command, ControlError, words
from casduo.simulators.ucm.descriptions import describe_login, describe_state, describe_user
from casduo.simulators.ucm.fault_commands import FAULT_COMMANDS
from casduo.simulators.ucm.model import ROLES, Phone, User
from casduo.simulators.ucm.policy import (
    AXL_REFUSALS,
    EM_DIALECTS,
    MULTIPLE_LOGINS,
    PROFILE_QUERIES,
    UNKNOWN_USERS,
    Policy,
)
from casduo.simulators.ucm.simulator import UcmSimulator

_USER_TEXTS = (
    "first_name",
    "middle_name",
    "last_name",
    "display_name",
    "department",
    "manager",
    "telephone",
    "mobile",
    "title",
    "locale",
    "directory_uri",
)
_USER_NUMBERS = ("pin_expires_in_days", "maximum_login_minutes")
_CHANGEABLE_TEXTS = (*_USER_TEXTS, "mail", "default_profile")
_PHONE_TEXTS = ("model", "protocol", "description", "device_pool", "search_space", "default_profile", "address")

_CHOICES: dict[str, tuple[str, ...]] = {
    "multiple_login": MULTIPLE_LOGINS,
    "axl_refusal": AXL_REFUSALS,
    "unknown_user": UNKNOWN_USERS,
    "em_dialect": EM_DIALECTS,
    "profile_query": PROFILE_QUERIES,
}
_COUNTS = (
    *("max_concurrent", "lockout_failures", "expiry_warning_days"),
    *("ris_requests_per_minute", "ris_returned_devices", "ris_silent_nodes"),
)
"""Settings that are whole numbers; every other number is seconds."""


# -- looking ---------------------------------------------------------------------------------------------------------


def _help(simulator: UcmSimulator, arguments: Arguments) -> object:
    return {name: {"takes": command.takes, "does": command.does} for name, command in COMMANDS.items()}


def _state(simulator: UcmSimulator, arguments: Arguments) -> object:
    return describe_state(simulator)


def _requests(simulator: UcmSimulator, arguments: Arguments) -> object:
    operation = arguments.text("operation", "") or None
    return [dataclasses.asdict(record) for record in simulator.requests(operation)]


def _clear_requests(simulator: UcmSimulator, arguments: Arguments) -> object:
    simulator.requests.clear()
    return None


# -- people and phones -----------------------------------------------------------------------------------------------


def _add_user(simulator: UcmSimulator, arguments: Arguments) -> object:
    user = simulator.add_user(
        arguments.text("userid"),
        pin=arguments.text("pin", ""),
        password=arguments.text("password", ""),
        mail=arguments.text("mail", ""),
        profiles=arguments.texts("profiles") or (),
        default_profile=arguments.text("default_profile", ""),
        **{name: arguments.text(name) for name in _USER_TEXTS if arguments.has(name)},
    )
    return describe_user(simulator, user)


def _change_user(simulator: UcmSimulator, arguments: Arguments) -> object:
    user = simulator.user(arguments.text("userid"))
    _set_texts(user, _CHANGEABLE_TEXTS, arguments)
    profiles = arguments.texts("profiles")
    if profiles is not None:
        known = {profile.name for profile in simulator.profiles()}
        for name in profiles:
            if name not in known:
                simulator.add_profile(name)
        user.profiles = profiles
    user.active = arguments.yes("active", user.active)
    user.must_change_pin = arguments.yes("must_change_pin", user.must_change_pin)
    for name in _USER_NUMBERS:
        if arguments.has(name):
            number = _whole(arguments, name)
            setattr(user, name, None if number < 0 else number)
    return describe_user(simulator, user)


def _remove_user(simulator: UcmSimulator, arguments: Arguments) -> object:
    simulator.remove_user(arguments.text("userid"))
    return None


def _change_pin(simulator: UcmSimulator, arguments: Arguments) -> object:
    simulator.change_pin(arguments.text("userid"), arguments.text("pin"))
    return None


def _unlock(simulator: UcmSimulator, arguments: Arguments) -> object:
    simulator.user(arguments.text("userid")).pin.unlock()
    return None


def _add_phone(simulator: UcmSimulator, arguments: Arguments) -> object:
    texts: dict[str, Any] = {name: arguments.text(name) for name in _PHONE_TEXTS if arguments.has(name)}
    phone = simulator.add_phone(arguments.text("name"), enabled=arguments.yes("enabled", True), **texts)
    return dataclasses.asdict(phone)


def _change_phone(simulator: UcmSimulator, arguments: Arguments) -> object:
    phone = simulator.phone(arguments.text("name"))
    _set_texts(phone, _PHONE_TEXTS, arguments)
    phone.enabled = arguments.yes("enabled", phone.enabled)
    phone.registered = arguments.yes(
        "registered", bool(phone.address) if arguments.has("address") else phone.registered
    )
    return dataclasses.asdict(phone)


def _remove_phone(simulator: UcmSimulator, arguments: Arguments) -> object:
    simulator.remove_phone(arguments.text("name"))
    return None


def _add_profile(simulator: UcmSimulator, arguments: Arguments) -> object:
    return dataclasses.asdict(
        simulator.add_profile(arguments.text("name"), description=arguments.text("description", ""))
    )


def _remove_profile(simulator: UcmSimulator, arguments: Arguments) -> object:
    simulator.remove_profile(arguments.text("name"))
    return None


def _add_application_user(simulator: UcmSimulator, arguments: Arguments) -> object:
    wanted = arguments.texts("roles")
    roles = ["axl"] if wanted is None else wanted
    if not set(roles) <= set(ROLES):
        raise ControlError(f"roles must be among {words(ROLES)}")
    simulator.add_application_user(
        arguments.text("name"), arguments.text("password"), [role for role in ROLES if role in roles]
    )
    return None


def _set_texts(thing: User | Phone, names: tuple[str, ...], arguments: Arguments) -> None:
    for name in names:
        if arguments.has(name):
            setattr(thing, name, arguments.text(name))


def _whole(arguments: Arguments, name: str) -> int:
    number = arguments.number(name)
    if not number.is_integer():
        raise ControlError(f"{name} must be a whole number")
    return int(number)


# -- logins ----------------------------------------------------------------------------------------------------------


def _log_in(simulator: UcmSimulator, arguments: Arguments) -> object:
    seconds = arguments.number("seconds") if arguments.has("seconds") else None
    login = simulator.log_in(
        arguments.text("device"), arguments.text("userid"), arguments.text("profile", "") or None, seconds
    )
    return describe_login(login)


def _log_out(simulator: UcmSimulator, arguments: Arguments) -> object:
    simulator.log_out(arguments.text("device"))
    return None


def _login_of(simulator: UcmSimulator, arguments: Arguments) -> object:
    return describe_login(simulator.login_of(arguments.text("device")))


# -- settings --------------------------------------------------------------------------------------------------------


def _policy(simulator: UcmSimulator, arguments: Arguments) -> object:
    policy = simulator.policy
    changes = {
        field.name: _setting(arguments, field.name, getattr(policy, field.name))
        for field in dataclasses.fields(Policy)
        if arguments.has(field.name)
    }
    for name, value in changes.items():
        setattr(policy, name, value)
    return dataclasses.asdict(policy)


def _setting(arguments: Arguments, name: str, present: object) -> object:
    if name in _CHOICES:
        return arguments.choice(name, _CHOICES[name])
    if name == "axl_versions":
        versions = arguments.texts(name)
        if not versions:
            raise ControlError("axl_versions must be a list of versions")
        return tuple(versions)
    if isinstance(present, bool):
        return arguments.yes(name)
    number = _whole(arguments, name) if name in _COUNTS else arguments.number(name)
    if number < 0:
        raise ControlError(f"{name} must not be below 0")
    return None if name == "maximum_login_seconds" and not number else number


def _advance(simulator: UcmSimulator, arguments: Arguments) -> object:
    simulator.advance(arguments.number("seconds"))
    return None


def _optional(names: tuple[str, ...]) -> str:
    return ", ".join(f"[{name}]" for name in names)


COMMANDS: dict[str, Command[UcmSimulator]] = {
    "help": Command(_help, "", "tells what there is, as this list"),
    "state": Command(_state, "", "tells nodes, policy, people, phones and who is on them; so does GET"),
    "add_user": Command(
        _add_user,
        f"userid, [pin], [password], [mail], [profiles], [default_profile], {_optional(_USER_TEXTS)}",
        "makes somebody known, and the profiles named",
    ),
    "change_user": Command(
        _change_user,
        f"userid, [active], [must_change_pin], [profiles], {_optional((*_USER_NUMBERS, *_CHANGEABLE_TEXTS))}",
        "changes what is known of somebody; a number below 0 takes it away",
    ),
    "remove_user": Command(_remove_user, "userid", "forgets somebody and ends their logins"),
    "change_pin": Command(_change_pin, "userid, pin", "gives somebody another PIN and ends a lock"),
    "unlock": Command(_unlock, "userid", "ends a lock and forgets failures"),
    "add_phone": Command(
        _add_phone, f"name, [enabled], {_optional(_PHONE_TEXTS)}", "makes a phone known; enabled: for logins"
    ),
    "change_phone": Command(
        _change_phone, f"name, [enabled], [registered], {_optional(_PHONE_TEXTS)}", "changes a phone"
    ),
    "remove_phone": Command(_remove_phone, "name", "forgets a phone"),
    "add_profile": Command(_add_profile, "name, [description]", "makes a device profile known"),
    "remove_profile": Command(_remove_profile, "name", "forgets a device profile"),
    "add_application_user": Command(
        _add_application_user,
        "name, password, [roles]",
        f"gives a program an account; roles are among {words(ROLES)}, default axl",
    ),
    "log_in": Command(_log_in, "device, userid, [profile], [seconds]", "logs somebody in by all rules"),
    "log_out": Command(_log_out, "device", "logs out whoever is on a phone"),
    "login_of": Command(_login_of, "device", "tells who is on a phone"),
    "policy": Command(
        _policy,
        _optional(tuple(field.name for field in dataclasses.fields(Policy))),
        "changes settings and tells all; maximum_login_seconds 0 is for no limit; "
        + "; ".join(f"{name}: {words(choices)}" for name, choices in _CHOICES.items()),
    ),
    "advance": Command(_advance, "seconds", "lets time pass at once"),
    **FAULT_COMMANDS,
    "requests": Command(_requests, "[operation]", "tells what was asked, without secrets"),
    "clear_requests": Command(_clear_requests, "", "forgets what was asked"),
}
"""Every command by the name that ``do`` takes."""
