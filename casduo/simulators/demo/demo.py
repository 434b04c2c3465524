"""The demo as one object: started, watched, and ended with every process it started."""

from __future__ import annotations

import http.client
import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
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
from casduo.simulators.demo.ucm import ip_phones_server, ucm_simulator
from casduo.simulators.demo.webex import space, webex_simulator
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.control import control_server
from casduo.simulators.server import SimulatorServer
from casduo.simulators.ucm import UcmSimulator
from casduo.simulators.ucm.control import control_server as ucm_control_server
from casduo.simulators.webex import WebexSimulator
from casduo.simulators.webex.control import control_server as webex_control_server
from casduo.store import Store
from casduo.store.embedded import EmbeddedValkey
from casduo.store.store import client_for
from casduo.worker.heartbeat import worker_alive

_Server = DuoSimulator | UcmSimulator | WebexSimulator | SimulatorServer

_READY_SECONDS = 60.0
_ASK_EVERY = 0.05
_ASK_TIMEOUT = 2.0
_LOOK_EVERY = 0.5
_GRACE = 5.0
"""Seconds that the sign-in server has to end."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that was started, by :func:`started_demo`.

    :param facts: what is where.
    :param serve: the sign-in server, without which there is no demo.
    :param valkey: where that one keeps sessions.
    :param webex: where it posts.
    """

    facts: Facts
    serve: ServeProcess
    valkey: EmbeddedValkey
    webex: WebexSimulator

    def await_ready(self, ended: threading.Event) -> bool:
        """Wait until everything answers. Returns False when ``ended`` is set meanwhile.

        :raises ServeEnded: the sign-in server ended by itself.
        :raises NotReady: something does not answer.
        """
        deadline = time.monotonic() + _READY_SECONDS
        with closing(Store(client_for(self.facts.redis_url, "", _ASK_TIMEOUT, 1, ""))) as store:
            for name, answers in self._probes(store):
                while not answers():
                    if ended.wait(_ASK_EVERY):
                        return False
                    self._check_serve()
                    if time.monotonic() > deadline:
                        raise NotReady(name, _READY_SECONDS, self.facts.state.serve_log)
        # A run that is killed saves nothing at its end, and the next one needs the space and the webhook.
        self.webex.save(self.facts.state.webex_file)
        return not ended.is_set()

    def watch(self, ended: threading.Event) -> None:
        """Return when ``ended`` is set. A Valkey that dies meanwhile is started again.

        :raises ServeEnded: the sign-in server ended by itself.
        :raises UpstreamUnavailable: Valkey died and does not come back.
        """
        while not ended.wait(_LOOK_EVERY):
            self._check_serve()
            self.valkey.revive()

    def _probes(self, store: Store) -> Iterator[tuple[str, Callable[[], bool]]]:
        """Return what has to answer, by name."""
        context = ssl.create_default_context(cafile=str(self.facts.ca_file))
        addresses = self.facts.addresses
        apps = [f"{addresses.app_url(app)}/icon.svg" for app in addresses.apps]
        pages = (addresses.phones_url, addresses.ip_phones_url, addresses.webex_url)
        for url in (f"{addresses.cas_url}/readyz", *pages, *apps):
            yield url, partial(_answers, url, context)
        # Without a worker nobody is sent a push.
        yield "the worker", partial(_has_worker, store)
        # Without a webhook nobody hears of a button that was pressed.
        yield "the webhook of Webex", lambda: any(webhook.active for webhook in self.webex.webhooks)

    def _check_serve(self) -> None:
        status = self.serve.status
        if status is not None:
            raise ServeEnded(status, self.facts.state.serve_log, self.serve.last_lines())


@contextmanager
def started_demo(directory: Path, port: int | None) -> Iterator[Demo]:
    """Start casduo, its Valkey, the applications, Duo, a UCM with phones, and Webex, for this machine only.

    All of it ends with the context.

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
        webex = webex_simulator(addresses, certificate, keys, state)
        write_settings(state, addresses, certificate, keys, space(webex).id)
        # The sign-in server finds it running and leaves it alone, so it is ended here however that one ends.
        valkey = stack.enter_context(EmbeddedValkey(state.valkey_directory))
        serve = ServeProcess(state.settings_file, state.serve_log)
        stack.callback(serve.stop, _GRACE)
        serve.start()
        # Once Webex has ended: what is to be posted from then on waits for the next run.
        stack.callback(webex.save, state.webex_file)
        for port, server in _servers(addresses, certificate, keys, webex):
            try:
                stack.enter_context(server)
            except OSError as error:
                raise PortUnusable.from_error(port, error, len(addresses.ports)) from None
        yield Demo(Facts(addresses, state, certificate.ca, valkey.url, note), serve, valkey, webex)


def _servers(
    addresses: Addresses, certificate: LeafFiles, keys: Keys, webex: WebexSimulator
) -> Iterator[tuple[int, _Server]]:
    """Return all servers of this process, not started yet, with their ports; the first one of several.

    Webex comes first: the worker looks for its webhook at once, and then not for a minute.
    """
    yield addresses.webex_port, webex
    yield addresses.webex_control_port, webex_control_server(webex, addresses.webex_control_port)
    duo = duo_simulator(addresses, certificate, keys)
    yield addresses.duo_port, duo
    yield addresses.control_port, control_server(duo, addresses.control_port)
    ucm = ucm_simulator(addresses, certificate, keys)
    yield addresses.ucm_ports[0], ucm
    yield addresses.ucm_control_port, ucm_control_server(ucm, addresses.ucm_control_port)
    yield addresses.ip_phones_port, ip_phones_server(addresses, certificate, ucm)
    for app in addresses.apps:
        yield addresses.app_port(app), app_server(app, addresses, certificate, keys.apps_secret)


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


def _has_worker(store: Store) -> bool:
    batch = store.batch()
    alive = worker_alive(batch)
    batch.run()
    return bool(alive.value)


def _answers(url: str, context: ssl.SSLContext) -> bool:
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=_ASK_TIMEOUT, context=context)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
