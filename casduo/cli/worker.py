"""``casduo worker``: does what may take its time, until it is told to stop."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import click


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="The settings file; default as CASDUO_CONFIG says.")
@click.option("--parent", type=int, hidden=True, help="End when the process with this id is no longer the parent.")
def worker(config: Path | None, parent: int | None) -> None:
    """Tell applications when a session has ended. `casduo serve` starts one by itself; more may run anywhere."""
    # Before anything is imported that opens sockets or starts threads: from here on, threads are greenlets. Not when
    # this module is imported, for others look at its commands.
    import gevent
    from gevent import monkey

    monkey.patch_all()

    import threading

    from casduo.log import configure_log
    from casduo.settings import find_settings, load_settings
    from casduo.worker.parts import build_parts
    from casduo.worker.process import run_jobs, stop_without_parent

    settings = load_settings(find_settings(config, os.environ), os.environ)
    configure_log(settings.log.format, settings.log.level)
    stopping = threading.Event()
    gevent.signal_handler(signal.SIGTERM, stopping.set)
    gevent.signal_handler(signal.SIGINT, stopping.set)
    if parent is not None:
        stop_without_parent(parent, stopping)
    run_jobs(build_parts(settings, stopping))
