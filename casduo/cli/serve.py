"""``casduo serve``: answers requests until it is told to stop."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click
import structlog

# Most of what answers requests, so that the serving processes begin with it and share the memory that it takes.
import casduo.compose  # noqa: F401
from casduo.cli.check import EXIT_BAD_FILE, report
from casduo.errors import Problem, UpstreamUnavailable
from casduo.log import configure_log, tell_faults, tell_problem
from casduo.memory import settle
from casduo.nodes.starting import begin_node
from casduo.serving.notices import ServiceManager
from casduo.serving.supervisor import Supervisor
from casduo.settings import Settings, ensure_secret_key, find_settings
from casduo.settings.sections import ServerSettings
from casduo.signals import Signals
from casduo.store.embedded import EmbeddedValkey
from casduo.store.opening import embedded_valkey
from casduo.worker.child import WorkerChild

_LOOK_SECONDS = 1.0

_log = structlog.get_logger("casduo")


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="The settings file; default as CASDUO_CONFIG says.")
@click.option("--server", type=click.Choice(["granian", "gunicorn"]), help="The WSGI server, instead of the setting.")
def serve(config: Path | None, server: str | None) -> None:
    """Answer requests. Refuses to start with settings or a registry that cannot be used, and says all that is wrong.
    SIGHUP has it read its settings anew, SIGTERM has it finish what is in hand and end.
    """
    problems, settings = _read(config)
    if settings is None:
        for problem in problems:
            click.echo(str(problem), err=True)
        sys.exit(EXIT_BAD_FILE)
    _refuse_taken_port(settings)
    configure_log(settings.log.format, settings.log.level)
    tell_faults()
    for problem in problems:
        tell_problem(problem)
    _, said = ensure_secret_key(settings)
    if said:
        _log.warning("secret_key.made", detail=said)
    path = find_settings(config, os.environ)
    if path is not None:
        # The serving processes read the same file. A link is not followed here: it may be led elsewhere before they
        # start, and what the file names lies beside the link.
        path = path.absolute()
        os.environ["CASDUO_CONFIG"] = str(path)
    if settings.duo is not None:
        # For the same reason as the application above.
        from casduo.mfa.duo import official  # noqa: F401
    said = begin_node(settings, os.environ)
    if said:
        _log.warning("metrics.not_told", detail=said)
    signals = Signals()
    manager = ServiceManager()
    with ExitStack() as stack:
        # Started here so that both outlive every serving process and are stopped after the last of them, Valkey last.
        embedded = embedded_valkey(settings)
        if embedded is not None:
            _start(embedded, stack)
        worker = _OwnWorker(path, settings)
        stack.callback(worker.stop)
        if signals.stopped:
            return

        in_force = settings

        def read() -> ServerSettings | None:
            nonlocal in_force
            problems, read = _read(config)
            for problem in problems:
                tell_problem(problem)
            if read is None:
                _log.error("reload.refused", advice="the settings of before stay in force; correct them, then SIGHUP")
                return None
            if _store_of(read) != _store_of(settings):
                # Serving processes would look for a Valkey that nobody has started, or leave the one that is there.
                _log.error(
                    "reload.refused", advice="to begin with an embedded Valkey, leave or move it takes a restart"
                )
                return None
            configure_log(read.log.format, read.log.level)
            in_force = read
            return read.server

        try:
            supervisor = Supervisor(
                settings.server,
                server or settings.server.server,
                read,
                manager,
                # Not before: with settings that no process can use there would be none.
                replaced=lambda: worker.follow(in_force),
            )
        except OSError as error:
            click.echo(f"cannot listen on {settings.server.bind}: {error.strerror}", err=True)
            sys.exit(1)
        signals.then(supervisor.take)
        settle()
        status = supervisor.run()
    sys.exit(status)


def _read(config: Path | None) -> tuple[Sequence[Problem], Settings | None]:
    """Return what is wrong with the settings and the registry, and the settings if both can be used."""
    problems, settings = report(config, None, os.environ)
    return problems, None if any(problem.level == "error" for problem in problems) else settings


def _store_of(settings: Settings) -> Path | None:
    """Return where the Valkey lies that this process has started, ``None`` where it has started none."""
    return settings.server.state_directory.resolve() if settings.redis.url is None else None


class _OwnWorker:
    """The worker that belongs to this server, if the settings want one."""

    def __init__(self, config: Path | None, settings: Settings) -> None:
        self._config = config
        self._child: WorkerChild | None = None
        self.follow(settings)

    def follow(self, settings: Settings) -> None:
        """Start one with these settings, and end the one of before."""
        before, self._child = self._child, None
        if settings.server.worker:
            self._child = WorkerChild(self._config, lambda sentence: _log.error("worker.died", detail=sentence))
            self._child.start()
        if before is not None:
            # It finishes what it has in hand; what it does not, the other one takes over.
            threading.Thread(target=before.stop, name="worker-before").start()

    def stop(self) -> None:
        """End it and wait for its end."""
        if self._child is not None:
            self._child.stop()


def _start(embedded: EmbeddedValkey, stack: ExitStack) -> None:
    stack.callback(embedded.stop)
    try:
        embedded.start()
    except UpstreamUnavailable as error:
        click.echo(error.detail, err=True)
        sys.exit(1)
    threading.Thread(target=_keep_alive, args=(embedded,), daemon=True).start()


def _keep_alive(embedded: EmbeddedValkey) -> None:
    """Start the embedded Valkey again when it dies; its data are in its file."""
    while True:
        time.sleep(_LOOK_SECONDS)
        try:
            if embedded.revive():
                _log.error("valkey.died", detail="the embedded Valkey had stopped and was started again")
        except UpstreamUnavailable as error:
            _log.error("valkey.unavailable", detail=error.detail)
        except OSError as error:
            _log.error("valkey.unavailable", detail=error.strerror)


def _refuse_taken_port(settings: Settings) -> None:
    """Say in one sentence that somebody else listens there; the servers would print a page, or try for a while."""
    host, port = settings.server.address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            click.echo(f"cannot listen on {settings.server.bind}: {error.strerror}", err=True)
            sys.exit(1)
