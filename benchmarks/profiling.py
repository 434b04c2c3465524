"""``--profile``: casduo's WSGI application in this process, under the profiler, without sockets and threads.

The flows are those of the benchmark; only the driver differs. The embedded Valkey is a process of its own, so time
spent waiting for it shows as time in the socket's ``recv``.
"""

from __future__ import annotations

import cProfile
import importlib
import io
import os
import pstats
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.driver import Answer, FlowSource, Measurement, UnexpectedAnswer
from benchmarks.scenarios import SCENARIOS, Target
from benchmarks.subjects import USERS, write_casduo_files

PORT = 8443
LINES = 45

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class InProcessDriver:
    """Runs one flow after the other by calling the application."""

    connections = 1

    def __init__(self, application: Application) -> None:
        self._application = application
        self.profiler = cProfile.Profile()

    def run(self, new_flow: FlowSource, seconds: float) -> Measurement:
        """Run flows one by one. What the profiler holds afterwards is from the last call of this method."""
        measurement = Measurement()
        self.profiler = cProfile.Profile()
        begin = time.perf_counter()
        while time.perf_counter() < begin + seconds and (flow := new_flow()) is not None:
            began = time.perf_counter()
            try:
                answer = self._call(next(flow))
                while True:
                    answer = self._call(flow.send(answer))
            except StopIteration:
                measurement.latencies.append(time.perf_counter() - began)
            except UnexpectedAnswer as error:
                measurement.failures.append(str(error))
        measurement.seconds = time.perf_counter() - begin
        return measurement

    def _call(self, request: bytes) -> Answer:
        environ, started = environ_of(request), {}

        def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
            lines = "".join(f"\r\n{name}: {value}" for name, value in headers)
            started["head"] = f"HTTP/1.1 {status}{lines}".encode("latin-1")

        self.profiler.enable()
        try:
            chunks = self._application(environ, start_response)
            body = b"".join(chunks)
            if hasattr(chunks, "close"):
                chunks.close()
        finally:
            self.profiler.disable()
        return Answer(started["head"], body)


def environ_of(request: bytes) -> dict[str, Any]:
    """Return the WSGI environment of a request in bytes (PEP 3333)."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, protocol = first.split(" ")
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": protocol,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(PORT),
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for line in lines:
        name, _, value = line.partition(":")
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value.strip()
    return environ


def profile(scenario: str, seconds: float) -> None:
    """Run ``scenario`` for ``seconds`` and print where the time went, most expensive functions first."""
    with tempfile.TemporaryDirectory(prefix="casduo-profile-") as directory:
        password = secrets.token_urlsafe(12)
        os.environ["CASDUO_CONFIG"] = str(write_casduo_files(Path(directory), PORT, password))
        driver = InProcessDriver(importlib.import_module("casduo.wsgi").application)
        target = Target(("127.0.0.1", PORT), path="/cas", usernames=USERS, password=password)
        measurement = SCENARIOS[scenario](target, driver, seconds)
        print(f"{scenario}: {len(measurement.latencies)} flows, {len(measurement.failures)} failed")
        for reason in measurement.failures[:1]:
            print(f"first failure: {reason}")
        statistics = pstats.Stats(driver.profiler)
        for order in ("tottime", "cumulative"):
            statistics.sort_stats(order).print_stats(LINES)
