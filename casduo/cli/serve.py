"""``casduo serve``: answers requests until it is told to stop."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import click

from casduo.app import Wsgi
from casduo.cli.check import EXIT_BAD_FILE, report
from casduo.errors import UpstreamUnavailable
from casduo.log import configure_log
from casduo.settings import Settings, ensure_secret_key, find_settings
from casduo.store.embedded import EmbeddedValkey
from casduo.store.opening import embedded_valkey
from casduo.worker.child import WorkerChild

_APPLICATION = "casduo.wsgi:application"
_LOOK_SECONDS = 1.0


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="The settings file; default as CASDUO_CONFIG says.")
@click.option("--server", type=click.Choice(["granian", "gunicorn"]), help="The WSGI server, instead of the setting.")
def serve(config: Path | None, server: str | None) -> None:
    """Answer requests. Refuses to start with settings or a registry that cannot be used, and says all that is wrong."""
    problems, settings = report(config, None, os.environ)
    for problem in problems:
        click.echo(str(problem), err=True)
    if settings is None or any(problem.level == "error" for problem in problems):
        sys.exit(EXIT_BAD_FILE)
    _refuse_taken_port(settings)
    configure_log(settings.log.format, settings.log.level)
    _, said = ensure_secret_key(settings)
    if said:
        click.echo(said, err=True)
    path = find_settings(config, os.environ)
    if path is not None:
        # The serving processes read the same file.
        os.environ["CASDUO_CONFIG"] = str(path.resolve())
    with ExitStack() as stack:
        # Started here so that both outlive every serving process and are stopped after the last of them, Valkey last.
        embedded = embedded_valkey(settings)
        if embedded is not None:
            _start(embedded, stack)
        if settings.server.worker:
            worker = WorkerChild(path.resolve() if path else None, lambda sentence: click.echo(sentence, err=True))
            _at_the_end(stack, worker.stop)
            worker.start()
        if (server or settings.server.server) == "granian":
            _granian(settings)
        else:
            _gunicorn(settings)


def _start(embedded: EmbeddedValkey, stack: ExitStack) -> None:
    try:
        embedded.start()
    except UpstreamUnavailable as error:
        click.echo(error.detail, err=True)
        sys.exit(1)
    _at_the_end(stack, embedded.stop)
    threading.Thread(target=_keep_alive, args=(embedded,), daemon=True).start()


def _at_the_end(stack: ExitStack, stop: Callable[[], None]) -> None:
    """Have ``stop`` called on the way out of this process.

    gunicorn forks, and its serving processes come by here too when they end: what they share is not theirs to stop.
    """
    owner = os.getpid()
    stack.callback(lambda: stop() if os.getpid() == owner else None)


def _keep_alive(embedded: EmbeddedValkey) -> None:
    """Start the embedded Valkey again when it dies; its data are in its file."""
    while True:
        time.sleep(_LOOK_SECONDS)
        try:
            if embedded.revive():
                click.echo("the embedded Valkey had stopped and was started again", err=True)
        except UpstreamUnavailable as error:
            click.echo(error.detail, err=True)


def _refuse_taken_port(settings: Settings) -> None:
    """Say in one sentence that somebody else listens there; the servers would print a page, or try for a while."""
    host, port = _address(settings)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            click.echo(f"cannot listen on {settings.server.bind}: {error.strerror}", err=True)
            sys.exit(1)


def _address(settings: Settings) -> tuple[str, int]:
    host, _, port = settings.server.bind.rpartition(":")
    return host.strip("[]"), int(port)


def _granian(settings: Settings) -> None:
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    host, port = _address(settings)
    section = settings.server
    Granian(
        _APPLICATION,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=section.processes,
        blocking_threads=section.threads,
        http=HTTPModes.http1,
        ssl_cert=section.tls_certificate,
        ssl_key=section.tls_key,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
    ).serve()


def _gunicorn(settings: Settings) -> None:
    from gunicorn.app.base import BaseApplication

    section = settings.server

    class Served(BaseApplication):
        """gunicorn without its command line."""

        def load_config(self) -> None:
            options = {
                "bind": section.bind,
                "workers": section.processes,
                "threads": section.threads,
                "worker_class": "gthread",
                "certfile": str(section.tls_certificate) if section.tls_certificate else None,
                "keyfile": str(section.tls_key) if section.tls_key else None,
                # At "warning" it would repeat malformed request lines, and with them tickets.
                "loglevel": "error",
                # The longest it takes; a service may have 8192 bytes.
                "limit_request_line": 8190,
                "keepalive": 30,
            }
            for name, value in options.items():
                if value is not None:
                    self.cfg.set(name, value)

        def load(self) -> Wsgi:  # type: ignore[override]
            from casduo import wsgi

            return wsgi.application

    Served().run()
