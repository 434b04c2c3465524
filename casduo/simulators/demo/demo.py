"""The demo as one object: started, watched, and ended with every process it started."""

from __future__ import annotations

import http.client
import logging
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.demo.addresses import Addresses, choose_addresses
from casduo.simulators.demo.applications import APPS, app_server
from casduo.simulators.demo.child import ServeProcess
from casduo.simulators.demo.configuration import write_registry, write_settings
from casduo.simulators.demo.duo import duo_simulator
from casduo.simulators.demo.errors import NotReady, PortUnusable, ServeEnded
from casduo.simulators.demo.state import Keys, State
from casduo.simulators.demo.summary import Facts
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.control import control_server
from casduo.simulators.server import SimulatorServer
from casduo.store.embedded import EmbeddedValkey

_READY_SECONDS = 60.0
_ASK_EVERY = 0.05
_LOOK_EVERY = 0.5
_GRACE = 5.0
"""Seconds that the sign-in server has to end."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that was started, by :func:`started_demo`.

    :param facts: what is where.
    :param serve: the sign-in server, without which there is no demo.
    :param valkey: where that one keeps sessions.
    """

    facts: Facts
    serve: ServeProcess
    valkey: EmbeddedValkey

    def await_ready(self, ended: threading.Event) -> bool:
        """Wait until everything answers. Returns False when ``ended`` is set meanwhile.

        :raises ServeEnded: the sign-in server ended by itself.
        :raises NotReady: something does not answer.
        """
        context = ssl.create_default_context(cafile=str(self.facts.ca_file))
        deadline = time.monotonic() + _READY_SECONDS
        for url in self._probes():
            while not _answers(url, context):
                if ended.wait(_ASK_EVERY):
                    return False
                self._check_serve()
                if time.monotonic() > deadline:
                    raise NotReady(url, _READY_SECONDS, self.facts.state.serve_log)
        return not ended.is_set()

    def watch(self, ended: threading.Event) -> None:
        """Return when ``ended`` is set. A Valkey that dies meanwhile is started again.

        :raises ServeEnded: the sign-in server ended by itself.
        :raises UpstreamUnavailable: Valkey died and does not come back.
        """
        while not ended.wait(_LOOK_EVERY):
            self._check_serve()
            self.valkey.revive()

    def _probes(self) -> Iterator[str]:
        addresses = self.facts.addresses
        yield f"{addresses.cas_url}/readyz"
        yield addresses.phones_url
        for app in addresses.apps:
            yield f"{addresses.app_url(app)}/icon.svg"

    def _check_serve(self) -> None:
        status = self.serve.status
        if status is not None:
            raise ServeEnded(status, self.facts.state.serve_log, self.serve.last_lines())


@contextmanager
def started_demo(directory: Path, port: int | None) -> Iterator[Demo]:
    """Start casduo, its Valkey, the applications and Duo, for this machine only; all of it ends with the context.

    :param directory: what is kept from one start to the next; made if missing.
    :param port: the first of the ports; None takes 8443, or the next ones that are free.
    :raises StateUnusable: the directory cannot be written to, or another demo has it.
    :raises PortUnusable: a port is taken.
    :raises UpstreamUnavailable: the embedded Valkey does not start.
    :raises SettingsError: somebody edited the users file and it is wrong now.
    """
    state = State(directory.resolve())
    with ExitStack() as stack:
        stack.enter_context(state.locked())
        stack.enter_context(_log_to(state.apps_log))
        addresses = choose_addresses(port, APPS)
        certificate, keys = state.certificate(), state.keys()
        state.complete_users()
        note = write_registry(state, addresses)
        write_settings(state, addresses, certificate, keys)
        # The sign-in server finds it running and leaves it alone, so it is ended here however that one ends.
        valkey = stack.enter_context(EmbeddedValkey(state.valkey_directory))
        serve = ServeProcess(state.settings_file, state.serve_log)
        stack.callback(serve.stop, _GRACE)
        serve.start()
        for server in _servers(addresses, certificate, keys):
            try:
                stack.enter_context(server)
            except OSError as error:
                raise PortUnusable.from_error(server.port, error, len(addresses.ports)) from None
        yield Demo(Facts(addresses, state, certificate.ca, valkey.url, note), serve, valkey)


def _servers(addresses: Addresses, certificate: LeafFiles, keys: Keys) -> list[DuoSimulator | SimulatorServer]:
    """Return all servers of this process, not started yet."""
    duo = duo_simulator(addresses, certificate, keys)
    apps = [app_server(app, addresses, certificate, keys.apps_secret) for app in addresses.apps]
    return [duo, control_server(duo, addresses.control_port), *apps]


@contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """Write what this process logs into a file: the terminal shows the table."""
    root = logging.getLogger()
    with closing(logging.FileHandler(path, mode="w", encoding="utf-8")) as handler:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.addHandler(handler)
        try:
            yield
        finally:
            root.removeHandler(handler)


def _answers(url: str, context: ssl.SSLContext) -> bool:
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=2.0, context=context)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
