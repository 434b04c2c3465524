"""Steers a simulator over HTTP: ``POST /_control`` with a JSON object that names what to do.

It listens on a port of its own, because whoever reaches it can let anybody in. Browsers are kept out: a page of another
site can send neither ``application/json`` nor this host's name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic

from werkzeug.wrappers import Request, Response

from casduo.simulators.steering import Arguments, Command, ControlError, SimulatorT


class ControlApplication(Generic[SimulatorT]):
    """The WSGI application behind ``/_control``.

    :param commands: what can be done, by name.
    :param describe: makes what a GET answers, a value for JSON.
    :param refusals: errors of the simulator that say no to a command, as :class:`ControlError` does.
    """

    def __init__(
        self,
        simulator: SimulatorT,
        commands: Mapping[str, Command[SimulatorT]],
        describe: Callable[[SimulatorT], object],
        refusals: tuple[type[Exception], ...] = (),
    ) -> None:
        self._simulator = simulator
        self._commands = commands
        self._describe = describe
        self._refusals: tuple[type[Exception], ...] = (ControlError, ValueError, *refusals)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self._respond(Request(environ))(environ, start_response)

    def _respond(self, request: Request) -> Response:
        if request.path != "/_control":
            return _answer({"error": "only /_control is here"}, 404)
        if request.host.rpartition(":")[0] not in ("localhost", "127.0.0.1", "[::1]"):
            return _answer({"error": "address this machine by its own name"}, 403)
        if request.method == "GET":
            return _answer(self._describe(self._simulator), 200)
        if request.method != "POST" or request.mimetype != "application/json":
            return _answer({"error": "send a JSON object with POST, as application/json"}, 415)
        try:
            return _answer({"result": self._carry_out(request.get_data())}, 200)
        except LookupError as error:
            return _answer({"error": f"not found: {error}"}, 404)
        except TimeoutError as error:
            return _answer({"error": str(error)}, 504)
        except self._refusals as error:
            return _answer({"error": str(error)}, 400)

    def _carry_out(self, body: bytes) -> object:
        members = json.loads(body)
        if not isinstance(members, dict):
            raise ControlError("send a JSON object")
        arguments = Arguments(members)
        return self._commands[arguments.choice("do", list(self._commands))].run(self._simulator, arguments)


def _answer(body: object, status: int) -> Response:
    return Response(json.dumps(body), status, content_type="application/json; charset=utf-8")
