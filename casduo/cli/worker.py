"""``casduo worker``: does what may take its time, until it is told to stop."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import click

_SIGNALS = frozenset({signal.SIGHUP, signal.SIGTERM})


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="The settings file; default as CASDUO_CONFIG says.")
@click.option("--parent", type=int, hidden=True, help="End when the process with this id is no longer the parent.")
def worker(config: Path | None, parent: int | None) -> None:
    """Do what takes time: follow pushes, tell applications of sign-outs, write the audit trail, post to Webex, end
    access and logins on phones. `casduo serve` starts one by itself; more may run anywhere.
    """
    # They wait until somebody listens to them: by themselves they would end it.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    # Before anything is imported that opens sockets or starts threads: from here on, threads are greenlets. Not when
    # this module is imported, for others look at its commands.
    import gevent
    from gevent import monkey

    monkey.patch_all()

    import sys
    import threading

    import structlog

    from casduo.errors import CasduoError, SettingsError
    from casduo.log import configure_log, tell_faults, tell_problem
    from casduo.memory import settle
    from casduo.services.file import load_registry
    from casduo.serving.notices import ServiceManager
    from casduo.settings import find_settings, load_settings
    from casduo.worker.parts import build_parts
    from casduo.worker.process import run_jobs, stop_without_parent, try_out

    settings = load_settings(find_settings(config, os.environ), os.environ)
    configure_log(settings.log.format, settings.log.level)
    tell_faults()
    stopping, ending, anew = threading.Event(), threading.Event(), threading.Event()
    manager = ServiceManager()

    def end() -> None:
        ending.set()
        stopping.set()

    def read_anew() -> None:
        manager.reloading()
        try:
            found = load_settings(find_settings(config, os.environ), os.environ)
            load_registry(found.registry, found)
            try_out(found)
        except CasduoError as error:
            for problem in error.problems if isinstance(error, SettingsError) else ():
                tell_problem(problem)
            structlog.get_logger("casduo").error(
                "reload.refused", detail=str(error), advice="the settings of before stay in force"
            )
            manager.ready("the settings cannot be used; going on with those of before")
            return
        anew.set()
        stopping.set()

    gevent.signal_handler(signal.SIGTERM, end)
    gevent.signal_handler(signal.SIGINT, end)
    # One that a server has started is replaced by it.
    gevent.signal_handler(signal.SIGHUP, read_anew if parent is None else lambda: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    if parent is not None:
        stop_without_parent(parent, stopping)
    parts = build_parts(settings, stopping)
    settle()
    manager.ready("at work")
    run_jobs(parts)
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    # What has come before is heard.
    gevent.sleep(0)
    if anew.is_set() and not ending.is_set():
        # The same process begins again: what it had in hand lies in Redis and is taken up there. Signals that come
        # meanwhile wait, for what is blocked stays so.
        manager.keep_for_successor()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
    manager.stopping()
