"""The commands of the control interface: everything a test in the same process can do, by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from casduo.simulators.duo.account import USERNAME_RULES, AccountSettings
from casduo.simulators.duo.descriptions import (
    describe_application,
    describe_state,
    describe_transaction,
    describe_user,
)
from casduo.simulators.duo.fault_commands import FAULT_COMMANDS
from casduo.simulators.duo.model import (
    APPLICATION_TYPES,
    CAPABILITIES,
    NEW_USER_POLICIES,
    REPLIES,
    USER_STATUSES,
    Application,
    Device,
    Phone,
    Script,
    Token,
)
from casduo.simulators.duo.simulator import DuoSimulator
from casduo.simulators.duo.transactions import Transaction
from casduo.simulators.steering import Arguments, Command, ControlError, words

_PRESSES = ("approve", "deny", "fraud", "pick_up", "push_failed", "ignore")


# -- looking ---------------------------------------------------------------------------------------------------------


def _help(simulator: DuoSimulator, arguments: Arguments) -> object:
    return {name: {"takes": command.takes, "does": command.does} for name, command in COMMANDS.items()}


def _state(simulator: DuoSimulator, arguments: Arguments) -> object:
    return describe_state(simulator)


def _requests(simulator: DuoSimulator, arguments: Arguments) -> object:
    path = arguments.text("path", "") or None
    return [dataclasses.asdict(record) for record in simulator.requests(path)]


def _clear_requests(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.requests.clear()
    return None


def _await_polls(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.await_polls(int(arguments.number("count", 1.0)), arguments.number("timeout", 10.0))
    return None


def _mails(simulator: DuoSimulator, arguments: Arguments) -> object:
    return [dataclasses.asdict(mail) for mail in simulator.mails()]


# -- people ----------------------------------------------------------------------------------------------------------


def _add_user(simulator: DuoSimulator, arguments: Arguments) -> object:
    devices = arguments.objects("devices")
    user = simulator.add_user(
        arguments.text("username"),
        arguments.choice("status", USER_STATUSES, "active"),
        None if devices is None else [_device(each) for each in devices],
        script=_steps(arguments.object("script")),
        bypass_codes=arguments.texts("bypass_codes") or (),
    )
    return describe_user(user)


def _device(arguments: Arguments) -> Device:
    if arguments.choice("type", ("phone", "token"), "phone") == "token":
        return Token(arguments.text("serial", "20361492"))
    wanted = arguments.texts("capabilities")
    if wanted is not None and not set(wanted) <= set(CAPABILITIES):
        raise ControlError(f"capabilities must be among {', '.join(CAPABILITIES)}")
    return Phone(
        name=arguments.text("name", "iPhone"),
        number=arguments.text("number", ""),
        capabilities=tuple(each for each in CAPABILITIES if wanted is None or each in wanted),
        activated=arguments.yes("activated", True),
    )


def _steps(arguments: Arguments | None) -> Script | None:
    if arguments is None:
        return None
    return Script(arguments.choice("reply", REPLIES), arguments.number("after", 0.0), _steps(arguments.object("then")))


def _remove_user(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.remove_user(arguments.text("username"))
    return None


def _set_status(simulator: DuoSimulator, arguments: Arguments) -> object:
    user = simulator.user(arguments.text("username"))
    user.status = arguments.choice("status", USER_STATUSES)
    user.failures = 0
    return describe_user(user)


def _reply(simulator: DuoSimulator, arguments: Arguments) -> object:
    phone = simulator.phone(arguments.text("username"))
    actions: Mapping[str, Callable[[], Transaction]] = {
        "approve": phone.approve,
        "deny": phone.deny,
        "fraud": phone.report_fraud,
        "pick_up": phone.pick_up,
        "push_failed": phone.fail_delivery,
        "ignore": phone.dismiss,
    }
    return describe_transaction(actions[arguments.choice("reply", _PRESSES)]())


def _enter_code(simulator: DuoSimulator, arguments: Arguments) -> object:
    return simulator.phone(arguments.text("username")).enter_code(arguments.text("code"))


def _script(simulator: DuoSimulator, arguments: Arguments) -> object:
    phone = simulator.phone(arguments.text("username"))
    reply = arguments.optional_choice("reply", REPLIES)
    phone.script(reply, arguments.number("after", 0.0), _steps(arguments.object("then")))
    return None


def _passcode(simulator: DuoSimulator, arguments: Arguments) -> object:
    return simulator.phone(arguments.text("username")).passcode()


def _messages(simulator: DuoSimulator, arguments: Arguments) -> object:
    return simulator.phone(arguments.text("username")).messages()


def _activate(simulator: DuoSimulator, arguments: Arguments) -> object:
    return simulator.activate(arguments.text("activation_code"), arguments.text("phone_name", ""))


# -- settings --------------------------------------------------------------------------------------------------------


def _new_user_policy(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.new_user_policy = arguments.choice("policy", NEW_USER_POLICIES)
    return None


def _settings(simulator: DuoSimulator, arguments: Arguments) -> object:
    settings = simulator.settings
    settings.new_user_policy = arguments.choice("new_user_policy", NEW_USER_POLICIES, settings.new_user_policy)
    settings.username_rule = arguments.choice("username_rule", USERNAME_RULES, settings.username_rule)
    for field in dataclasses.fields(AccountSettings):
        present = getattr(settings, field.name)
        if isinstance(present, int | float) and arguments.has(field.name):
            value = arguments.number(field.name)
            if value <= 0 or (isinstance(present, int) and not value.is_integer()):
                raise ControlError(f"{field.name} must be above 0, and a whole number if it counts something")
            setattr(settings, field.name, type(present)(value))
    return dataclasses.asdict(settings)


def _auto_push(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.auto_push = arguments.yes("on")
    return None


def _allow(simulator: DuoSimulator, arguments: Arguments) -> object:
    paths = arguments.texts("paths")
    if paths is None:
        raise ControlError("paths must be a list of texts")
    simulator.allowed_paths[arguments.choice("type", APPLICATION_TYPES)] = frozenset(paths)
    return None


def _advance(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.advance(arguments.number("seconds"))
    return None


# -- applications ----------------------------------------------------------------------------------------------------


def _add_application(simulator: DuoSimulator, arguments: Arguments) -> object:
    application = simulator.add_application(
        arguments.choice("type", APPLICATION_TYPES, "websdk"),
        arguments.text("name", "CAS"),
        redirect_uris=arguments.texts("redirect_uris"),
        integration_key=arguments.text("integration_key", "") or None,
        secret_key=arguments.text("secret_key", "") or None,
        new_user_policy=arguments.optional_choice("new_user_policy", NEW_USER_POLICIES),
        remembered_devices=arguments.yes("remembered_devices", False),
        verified_push=arguments.yes("verified_push", False),
        trusted_networks=arguments.texts("trusted_networks") or (),
    )
    return _with_secret(application)


def _change_application(simulator: DuoSimulator, arguments: Arguments) -> object:
    changed = simulator.change_application(
        arguments.text("integration_key"),
        new_user_policy=arguments.optional_choice("new_user_policy", NEW_USER_POLICIES),
        remembered_devices=arguments.yes("remembered_devices") if arguments.has("remembered_devices") else None,
        verified_push=arguments.yes("verified_push") if arguments.has("verified_push") else None,
        trusted_networks=arguments.texts("trusted_networks"),
    )
    return describe_application(changed)


def _remove_application(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.remove_application(arguments.text("integration_key"))
    return None


def _rotate_secret(simulator: DuoSimulator, arguments: Arguments) -> object:
    return _with_secret(simulator.rotate_secret(arguments.text("integration_key")))


def _change_type(simulator: DuoSimulator, arguments: Arguments) -> object:
    application = simulator.change_type(arguments.text("integration_key"), arguments.choice("type", APPLICATION_TYPES))
    return describe_application(application)


def _with_secret(application: Application) -> dict[str, object]:
    return {**describe_application(application), "secret_key": application.secret_key}


COMMANDS: dict[str, Command[DuoSimulator]] = {
    "help": Command(_help, "", "tells what there is, as this list"),
    "state": Command(_state, "", "tells settings, users, applications and waiting requests; so does GET"),
    "add_user": Command(
        _add_user,
        "username, [status], [devices], [script], [bypass_codes]",
        f"makes a user known; status is one of {words(USER_STATUSES)}; a device has type phone or token and name,"
        " number, capabilities, activated or serial; a script is an object as for the command script",
    ),
    "remove_user": Command(_remove_user, "username", "forgets a user"),
    "set_status": Command(_set_status, "username, status", "changes a status and forgets failures"),
    "reply": Command(_reply, "username, reply", f"presses a button: {words(_PRESSES)}"),
    "enter_code": Command(_enter_code, "username, code", "types the code of a verified push; result: was it right"),
    "script": Command(
        _script,
        "username, reply, [after], [then]",
        f"has every later request answered after so many seconds: {words(REPLIES)}; null waits to be told; then is"
        " an object with the next reply and after, for push_failed and pick_up",
    ),
    "passcode": Command(_passcode, "username", "reads a fresh passcode from the app or the hardware token"),
    "messages": Command(_messages, "username", "reads the passcodes that came by SMS"),
    "activate": Command(_activate, "activation_code, [phone_name]", "scans a code or opens an activation URL"),
    "new_user_policy": Command(_new_user_policy, "policy", f"sets the account's: {words(NEW_USER_POLICIES)}"),
    "settings": Command(
        _settings,
        ", ".join(f"[{field.name}]" for field in dataclasses.fields(AccountSettings)),
        "changes settings of the account and tells all",
    ),
    "auto_push": Command(_auto_push, "on", "says whether the prompt sends a push by itself"),
    "allow": Command(_allow, "type, paths", "sets what a type of application may call, to see 40301 anywhere"),
    "advance": Command(_advance, "seconds", "lets time pass at once"),
    "add_application": Command(
        _add_application,
        "[type], [name], [redirect_uris], [integration_key], [secret_key], [new_user_policy], [remembered_devices],"
        " [verified_push], [trusted_networks]",
        f"adds an application and tells its keys; type is one of {words(APPLICATION_TYPES)}",
    ),
    "change_application": Command(
        _change_application,
        "integration_key, [new_user_policy], [remembered_devices], [verified_push], [trusted_networks]",
        "changes policies of an application",
    ),
    "remove_application": Command(_remove_application, "integration_key", "forgets an application: 40102"),
    "rotate_secret": Command(_rotate_secret, "integration_key", "makes a new secret key: 40103 with the old one"),
    "change_type": Command(_change_type, "integration_key, type", "makes it one of another type: 40301"),
    **FAULT_COMMANDS,
    "requests": Command(_requests, "[path]", "tells what was asked, without secrets"),
    "clear_requests": Command(_clear_requests, "", "forgets what was asked"),
    "await_polls": Command(_await_polls, "[count], [timeout]", "answers once so many calls wait for a person"),
    "mails": Command(_mails, "", "tells the invitations that the Admin API had sent"),
}
"""Every command by the name that ``do`` takes."""
