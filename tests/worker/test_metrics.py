"""A worker that no server started tells its numbers itself, to those who may ask."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from casduo.meter import Meter, measure_with
from casduo.settings import load_settings
from casduo.worker.heartbeat import Heartbeat
from casduo.worker.parts import Parts, build_parts
from casduo.worker.process import run_jobs
from tests.support.ports import free_port
from tests.support.site import write_site
from tests.support.waiting import until


class Worker:
    """A worker in a thread of the test."""

    def __init__(self, directory: Path, redis_url: str, networks: str = "127.0.0.1") -> None:
        self.port = free_port()
        settings = f"metrics: {{listen: '127.0.0.1:{self.port}', networks: {networks}}}\n"
        path = write_site(directory, redis_url, "services: []\n", settings)
        self.parts: Parts = build_parts(load_settings(path, {}), threading.Event())
        self._thread = threading.Thread(target=run_jobs, args=(self.parts, [Heartbeat]))
        self._thread.start()

    def get(self, path: str, **options: object) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=10, **options)

    def answers(self) -> bool:
        try:
            return self.get("/nothing").status_code == 404
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        self.parts.stopping.set()
        self._thread.join()
        measure_with(Meter())


@pytest.fixture
def worker(tmp_path: Path, valkey_url: str) -> Iterator[Worker]:
    found = Worker(tmp_path, valkey_url)
    until(found.answers, "it listens")
    yield found
    found.stop()


def test_it_tells_its_numbers_and_that_it_lives(worker: Worker) -> None:
    assert worker.get("/healthz").text == "ok\n"
    until(lambda: 'casduo_processes{role="worker"} 1.0' in worker.get("/metrics").text, "it has looked at itself")
    until(lambda: "casduo_worker_up 1.0" in worker.get("/metrics").text, "it has given a sign of life")
    text = worker.get("/metrics").text
    assert re.search(r"^casduo_redis_seconds_count [1-9]", text, re.M)
    assert 'casduo_nodes{role="worker"} 1.0' in text
    assert worker.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"}).text.endswith(
        "EOF\n"
    )


def test_it_tells_nobody_else(worker: Worker, tmp_path: Path, valkey_url: str) -> None:
    assert worker.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403
    assert worker.get("/nothing").status_code == 404
    assert requests.post(f"http://127.0.0.1:{worker.port}/metrics", data="x", timeout=10).status_code == 405
    directory = tmp_path / "other"
    directory.mkdir()
    other = Worker(directory, valkey_url, networks="192.0.2.0/24")
    until(other.answers, "it listens")
    answer = other.get("/metrics")
    other.stop()
    assert (answer.status_code, "casduo" in answer.text) == (403, False)


def test_a_port_that_is_taken_does_not_keep_it_from_working(
    worker: Worker, tmp_path: Path, valkey_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "casduo.yaml"
    second = build_parts(load_settings(path, {}), threading.Event())
    second.stopping.set()
    run_jobs(second, [Heartbeat])
    assert "metrics.not_told" in capsys.readouterr().out
