"""``casduo serve`` as people run it: a process of its own on a port of this machine."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from casduo.settings import load_settings
from casduo.simulators.certificates import LeafFiles
from casduo.store.embedded import EmbeddedValkey
from casduo.store.opening import open_store
from tests.support.ports import free_port
from tests.support.site import BASE, write_site
from tests.support.waiting import until

_ROOT = Path(__file__).parents[2]

REGISTRY = """
services:
  - id: library
    name: Library catalogue
    url: https://library.example.edu/**
    attributes: [mail, displayName, groups]
"""


@dataclass(frozen=True)
class Served:
    """A running server. ``url`` is its base with a slash at the end, ``log`` the file of its standard error."""

    url: str
    address: tuple[str, int]
    ca: str
    log: Path


@contextmanager
def serving(
    directory: Path,
    redis_url: str,
    *,
    tls: LeafFiles | None = None,
    registry: str = REGISTRY,
    settings: str = "",
    handlers: str = "",
    worker: bool = False,
    server: str = "granian",
    threads: int = 32,
) -> Iterator[Served]:
    """Run ``casduo serve`` with the debug log on; ends it, and waits for its end, on the way out.

    :param handlers: more of them, see :func:`tests.support.site.write_site`
    :param worker: whether it starts a worker. Only on a Redis of its own: a worker does what is queued there, by its
        own registry, whoever queued it.
    :param server: the WSGI server that it runs
    :param threads: how many answer
    """
    port = free_port()
    base = f"{'https' if tls else 'http'}://localhost:{port}/cas"
    path = write_site(directory, redis_url, registry, "log: {level: debug}\n" + settings, handlers=handlers)
    section = f"url: '{base}', bind: '127.0.0.1:{port}', worker: {str(worker).lower()}, drain: 0"
    section += f", server: {server}, threads: {threads}"
    section += f", tls_certificate: '{tls.cert}', tls_key: '{tls.key}'" if tls else ", insecure_http: true"
    path.write_text(path.read_text(encoding="utf-8").replace(f"url: {BASE}", section), encoding="utf-8")
    log = directory / "stderr.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "casduo", "serve", "--config", str(path)], stdout=stderr, stderr=stderr, cwd=_ROOT
        )
        try:
            _wait_for(port, process, log)
            if worker:
                _wait_for_worker(path)
            yield Served(f"{base}/", ("127.0.0.1", port), str(tls.ca) if tls else "", log)
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def serving_alone(
    directory: Path,
    *,
    tls: LeafFiles | None = None,
    registry: str = REGISTRY,
    settings: str = "",
    worker: bool = False,
    server: str = "granian",
    threads: int = 32,
) -> Iterator[Served]:
    """Run ``casduo serve`` as :func:`serving` does, on a Redis of its own: what it writes a moment later comes up in no
    other test, and its worker takes nobody else's orders.
    """
    with (
        EmbeddedValkey(directory / "valkey") as valkey,
        serving(
            directory,
            valkey.url,
            tls=tls,
            registry=registry,
            settings=settings,
            worker=worker,
            server=server,
            threads=threads,
        ) as found,
    ):
        yield found


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"casduo serve ended at once: {log.read_text()}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"casduo serve did not come up: {log.read_text()}")


def _wait_for_worker(settings: Path) -> None:
    with closing(open_store(load_settings(settings, {}), None, 1)) as store:
        until(lambda: bool(store.command("EXISTS", "casduo:worker:alive")), "the worker is there")
