"""Steers the simulator over HTTP: ``POST /_control`` with a JSON object that names what to do.

It listens on a port of its own, because whoever reaches it can approve any login. Browsers are kept out: a page of
another site can send neither ``application/json`` nor this host's name.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from werkzeug.wrappers import Request, Response

from casduo.simulators.duo.faults import ANSWER_KINDS, CALLBACK_FAULTS, ID_TOKEN_FAULTS
from casduo.simulators.duo.model import (
    APPLICATION_TYPES,
    CAPABILITIES,
    NEW_USER_POLICIES,
    REPLIES,
    USER_STATUSES,
    Application,
    Device,
    Phone,
    Token,
    User,
)
from casduo.simulators.duo.simulator import DuoSimulator
from casduo.simulators.duo.transactions import Transaction
from casduo.simulators.server import SimulatorServer

_Choice = TypeVar("_Choice", bound=str)


class ControlError(Exception):
    """A command that cannot be carried out; the text says why."""


class Arguments:
    """The members of a command, read with the type they must have."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members = members

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text. :raises ControlError: it is missing without a default, or not a text."""
        value = self._members.get(name, default)
        if not isinstance(value, str):
            raise ControlError(f"{name} must be a text")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """Return a number. :raises ControlError: as :meth:`text`."""
        value = self._members.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ControlError(f"{name} must be a number")
        return float(value)

    def times(self) -> int | None:
        """Return ``times``: a whole number from 1, or None for without end."""
        if self._members.get("times") is None:
            return None
        value = self.number("times")
        if value < 1 or not value.is_integer():
            raise ControlError("times must be a whole number from 1")
        return int(value)

    def yes(self, name: str) -> bool:
        """Return a truth value. :raises ControlError: it is anything else."""
        value = self._members.get(name)
        if not isinstance(value, bool):
            raise ControlError(f"{name} must be true or false")
        return value

    def choice(self, name: str, choices: Sequence[_Choice], default: _Choice | None = None) -> _Choice:
        """Return one of several words. :raises ControlError: it is another."""
        value = self._members.get(name, default)
        for choice in choices:
            if choice == value:
                return choice
        raise ControlError(f"{name} must be one of {', '.join(choices)}")

    def optional_choice(self, name: str, choices: Sequence[_Choice]) -> _Choice | None:
        """Return one of several words, or None where null stands. :raises ControlError: it is another."""
        return None if self._members.get(name) is None else self.choice(name, choices)

    def texts(self, name: str) -> list[str] | None:
        """Return a list of texts, None when absent. :raises ControlError: it is anything else."""
        value = self._members.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ControlError(f"{name} must be a list of texts")
        return value

    def objects(self, name: str) -> list[Arguments] | None:
        """Return a list of objects, None when absent. :raises ControlError: it is anything else."""
        value = self._members.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise ControlError(f"{name} must be a list of objects")
        return [Arguments(item) for item in value]


Command = Callable[[DuoSimulator, Arguments], object]


class ControlApplication:
    """The WSGI application behind ``/_control``."""

    def __init__(self, simulator: DuoSimulator) -> None:
        self._simulator = simulator

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self._respond(Request(environ))(environ, start_response)

    def _respond(self, request: Request) -> Response:
        if request.path != "/_control":
            return _answer({"error": "only /_control is here"}, 404)
        if request.host.rpartition(":")[0] not in ("localhost", "127.0.0.1", "[::1]"):
            return _answer({"error": "address this machine by its own name"}, 403)
        if request.method == "GET":
            return _answer(_state(self._simulator, Arguments({})), 200)
        if request.method != "POST" or request.mimetype != "application/json":
            return _answer({"error": "send a JSON object with POST, as application/json"}, 415)
        try:
            members = json.loads(request.get_data())
            if not isinstance(members, dict):
                raise ControlError("send a JSON object")
            command = COMMANDS[Arguments(members).choice("do", list(COMMANDS))]
            return _answer({"result": command(self._simulator, Arguments(members))}, 200)
        except LookupError as error:
            return _answer({"error": f"not found: {error}"}, 404)
        except (ControlError, ValueError) as error:
            return _answer({"error": str(error)}, 400)


def control_server(simulator: DuoSimulator, port: int = 0) -> SimulatorServer:
    """Return a server for the control interface, not started yet. It speaks plain HTTP on the loopback address."""
    return SimulatorServer(ControlApplication(simulator), port=port, name="duo-control")


# -- what can be done ------------------------------------------------------------------------------------------------


def _state(simulator: DuoSimulator, arguments: Arguments) -> object:
    return {
        "api_host": simulator.api_host,
        "new_user_policy": simulator.new_user_policy,
        "users": [_describe_user(user) for user in simulator.users()],
        "applications": [_describe_application(each) for each in simulator.applications()],
        "pending": [_describe_transaction(transaction) for transaction in simulator.pending()],
        "requests": simulator.requests.count(),
    }


def _add_user(simulator: DuoSimulator, arguments: Arguments) -> object:
    devices = arguments.objects("devices")
    user = simulator.add_user(
        arguments.text("username"),
        arguments.choice("status", USER_STATUSES, "active"),
        None if devices is None else [_device(each) for each in devices],
        bypass_codes=arguments.texts("bypass_codes") or (),
    )
    return _describe_user(user)


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
    )


def _remove_user(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.remove_user(arguments.text("username"))
    return None


def _set_status(simulator: DuoSimulator, arguments: Arguments) -> object:
    user = simulator.user(arguments.text("username"))
    user.status = arguments.choice("status", USER_STATUSES)
    user.failures = 0
    return _describe_user(user)


def _reply(simulator: DuoSimulator, arguments: Arguments) -> object:
    phone = simulator.phone(arguments.text("username"))
    actions = {"approve": phone.approve, "deny": phone.deny, "fraud": phone.report_fraud}
    return _describe_transaction(actions[arguments.choice("reply", list(actions))]())


def _script(simulator: DuoSimulator, arguments: Arguments) -> object:
    phone = simulator.phone(arguments.text("username"))
    phone.script(arguments.optional_choice("reply", REPLIES), arguments.number("after", 0.0))
    return None


def _passcode(simulator: DuoSimulator, arguments: Arguments) -> object:
    return simulator.phone(arguments.text("username")).passcode()


def _activate(simulator: DuoSimulator, arguments: Arguments) -> object:
    return simulator.activate(arguments.text("activation_code"), arguments.text("phone_name", "iPhone"))


def _new_user_policy(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.new_user_policy = arguments.choice("policy", NEW_USER_POLICIES)
    return None


def _add_application(simulator: DuoSimulator, arguments: Arguments) -> object:
    application = simulator.add_application(
        arguments.choice("type", APPLICATION_TYPES, "websdk"),
        arguments.text("name", "CAS"),
        redirect_uris=arguments.texts("redirect_uris"),
    )
    return _with_secret(application)


def _remove_application(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.remove_application(arguments.text("integration_key"))
    return None


def _rotate_secret(simulator: DuoSimulator, arguments: Arguments) -> object:
    return _with_secret(simulator.rotate_secret(arguments.text("integration_key")))


def _change_type(simulator: DuoSimulator, arguments: Arguments) -> object:
    application = simulator.change_type(arguments.text("integration_key"), arguments.choice("type", APPLICATION_TYPES))
    return _describe_application(application)


def _fault_answer(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.faults.answer(arguments.text("path", "*"), arguments.choice("kind", ANSWER_KINDS), arguments.times())
    return None


def _fault_refuse(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.faults.refuse(
        arguments.text("path", "*"),
        int(arguments.number("code")),
        arguments.text("detail", "") or None,
        arguments.times(),
    )
    return None


def _fault_id_token(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.faults.id_token = arguments.optional_choice("kind", ID_TOKEN_FAULTS)
    return None


def _fault_callback(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.faults.callback = arguments.optional_choice("kind", CALLBACK_FAULTS)
    return None


def _clock_offset(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.faults.clock_offset = arguments.number("seconds")
    return None


def _delay(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.transport.delay(
        arguments.number("seconds"), jitter=arguments.number("jitter", 0.0), path=arguments.text("path", "*")
    )
    return None


def _silence(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.transport.stay_silent(arguments.text("path", "*"), arguments.times())
    return None


def _cut(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.transport.cut(
        arguments.text("path", "*"), after=int(arguments.number("after", 0.0)), times=arguments.times()
    )
    return None


def _listen(simulator: DuoSimulator, arguments: Arguments) -> object:
    if arguments.yes("on"):
        simulator.listen_again()
    else:
        simulator.stop_listening()
    return None


def _clear_faults(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.faults.clear()
    simulator.transport.clear()
    return None


def _requests(simulator: DuoSimulator, arguments: Arguments) -> object:
    path = arguments.text("path", "") or None
    return [dataclasses.asdict(record) for record in simulator.requests(path)]


def _clear_requests(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.requests.clear()
    return None


COMMANDS: dict[str, Command] = {
    "state": _state,
    "add_user": _add_user,
    "remove_user": _remove_user,
    "set_status": _set_status,
    "reply": _reply,
    "script": _script,
    "passcode": _passcode,
    "activate": _activate,
    "new_user_policy": _new_user_policy,
    "add_application": _add_application,
    "remove_application": _remove_application,
    "rotate_secret": _rotate_secret,
    "change_type": _change_type,
    "answer": _fault_answer,
    "refuse": _fault_refuse,
    "id_token": _fault_id_token,
    "callback": _fault_callback,
    "clock_offset": _clock_offset,
    "delay": _delay,
    "silence": _silence,
    "cut": _cut,
    "listen": _listen,
    "clear_faults": _clear_faults,
    "requests": _requests,
    "clear_requests": _clear_requests,
}
"""Every command by the name that ``do`` takes."""


def _describe_user(user: User) -> dict[str, object]:
    return {
        "username": user.username,
        "user_id": user.id,
        "status": user.status,
        "failures": user.failures,
        "devices": [device.describe() for device in user.devices],
    }


def _describe_application(application: Application) -> dict[str, object]:
    return {
        "integration_key": application.integration_key,
        "type": application.type,
        "name": application.name,
        "redirect_uris": application.redirect_uris,
    }


def _with_secret(application: Application) -> dict[str, object]:
    return {**_describe_application(application), "secret_key": application.secret_key}


def _describe_transaction(transaction: Transaction) -> dict[str, object]:
    return {
        "username": transaction.username,
        "factor": transaction.factor,
        "application": transaction.details.application,
        "kind": transaction.details.kind,
        "address": transaction.details.address,
        "information": [list(pair) for pair in transaction.details.information],
        "created": transaction.created,
        "ends": transaction.ends,
        **transaction.state.describe(),
    }


def _answer(body: object, status: int) -> Response:
    return Response(json.dumps(body), status, content_type="application/json; charset=utf-8")
