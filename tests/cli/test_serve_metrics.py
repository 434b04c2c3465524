"""``casduo serve`` with two processes: the numbers of both in one scrape, kept when one is killed; its worker's as
well; and the nodes that they are.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from casduo.nodes.roster import present_nodes
from casduo.store import Store
from casduo.store.embedded import EmbeddedValkey
from casduo.store.store import client_for
from tests.support.naming import names
from tests.support.served import Served, serving
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
PASSWORD = "Analytical-Engine"
LIBRARY = "https://library.example.edu/catalogue"
MANY = 40


@dataclass(frozen=True)
class Pair:
    """A server of two processes, with a Redis of its own."""

    served: Served
    directory: Path
    store: Store

    @property
    def settings(self) -> Path:
        return self.directory / "casduo.yaml"

    def get(self, path: str, **options: object) -> requests.Response:
        """Ask on a connection of its own, so that any of the processes answers."""
        return requests.get(self.served.url + path, timeout=20, headers={"Connection": "close"}, **options)

    def value(self, name: str, **labels: str) -> float:
        """Return one number of a scrape: 0 where there is none, -1 where nobody answers, as who was killed just now."""
        try:
            text = self.get("metrics").text
        except requests.ConnectionError:
            return -1.0
        for line in text.splitlines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
                return float(found[3])
        return 0.0

    def sign_in(self) -> str:
        """Sign in at the library and return the ticket."""
        with requests.Session() as session:
            service = f"?service={quote(LIBRARY, safe='')}"
            page = session.get(f"{self.served.url}login{service}", timeout=20).text
            fields = {
                unescape(name): unescape(value)
                for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
            }
            answer = session.post(
                f"{self.served.url}login",
                data={**fields, "username": "ada", "password": PASSWORD},
                allow_redirects=False,
                timeout=20,
            )
        return answer.headers["Location"].partition("ticket=")[2]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "casduo", *arguments, "--config", str(self.settings)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def processes(self) -> set[int]:
        """Return the serving processes that have announced themselves."""
        nodes = present_nodes(self.store)
        return {member.process for node in nodes if node.role == "server" for member in node.members}


@contextmanager
def two_processes(directory: Path, server: str, *, worker: bool) -> Iterator[Pair]:
    with EmbeddedValkey(directory / "valkey") as valkey, pytest.MonkeyPatch.context() as environment:
        environment.setenv("CASDUO_SERVER__PROCESSES", "2")
        environment.setenv("CASDUO_SERVER__SERVER", server)
        store = Store(client_for(valkey.url, "", 5.0, 4, ""))
        with closing(store), serving(directory, valkey.url, worker=worker) as served:
            found = Pair(served, directory, store)
            until(lambda: found.value("casduo_processes", role="server") == 2, "both processes serve")
            yield found


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    directory = tmp_path_factory.mktemp("pair")
    # What a server left that was killed.
    left = directory / "state" / "metrics" / "left"
    left.mkdir(parents=True)
    (left / "counter_1.db").write_bytes(b"")
    with two_processes(directory, "granian", worker=True) as found:
        assert not left.exists()
        yield found


def test_processes_of_another_server_are_counted_together_too(tmp_path: Path) -> None:
    with two_processes(tmp_path, "gunicorn", worker=False) as pair:
        for _ in range(MANY):
            pair.get("healthz")
        healthy = {"route": "/healthz", "status": "200"}
        until(lambda: pair.value("casduo_request_seconds_count", **healthy) == MANY, "every request is counted")
        until(lambda: len(pair.processes()) == 2, "both processes have announced themselves")
        (node,) = present_nodes(pair.store)
        assert len(node.members) == 2


def test_one_scrape_tells_the_numbers_of_both_processes(pair: Pair) -> None:
    before = pair.value("casduo_validations_total", protocol="cas3", outcome="ok")
    asked = pair.value("casduo_request_seconds_count", route="/healthz", status="200")
    for _ in range(MANY):
        pair.get("healthz")
    ticket = pair.sign_in()
    service = quote(LIBRARY, safe="")
    for _ in range(2):
        pair.get(f"p3/serviceValidate?ticket={ticket}&service={service}")
    until(
        lambda: pair.value("casduo_request_seconds_count", route="/healthz", status="200") == asked + MANY,
        "every request is counted, whoever answered it",
    )
    until(
        lambda: pair.value("casduo_validations_total", protocol="cas3", outcome="ok") == before + 1,
        "one validation was good",
    )
    assert pair.value("casduo_validations_total", protocol="cas3", outcome="INVALID_TICKET") >= 1
    assert pair.value("casduo_signins_total", outcome="ok", reason="") >= 1
    assert pair.value("casduo_redis_up") == 1
    text = pair.get("metrics").text
    assert not names(text, "ada")
    assert ticket not in text


def test_the_worker_of_the_server_is_in_its_numbers(pair: Pair) -> None:
    until(lambda: pair.value("casduo_processes", role="worker") == 1, "the worker is counted")
    until(lambda: pair.value("casduo_events_waiting") == 0, "the worker has written the audit trail")
    assert pair.value("casduo_process_resident_memory_bytes", role="worker") > 0


def test_processes_of_the_server_are_one_node(pair: Pair) -> None:
    until(lambda: len(pair.processes()) == 2, "both processes have announced themselves")
    until(lambda: pair.value("casduo_nodes", role="worker") == 1, "the worker too")
    listed = pair.run("nodes")
    assert listed.returncode == 0, listed.stderr
    assert "in force on 1 of 1 node" in listed.stdout
    found = json.loads(pair.run("nodes", "--json").stdout)
    assert (found["on"], found["of"], found["lagging"]) == (1, 1, [])
    assert [len(node["processes"]) for node in found["nodes"] if node["role"] == "server"] == [2]
    assert pair.value("casduo_nodes", role="server") == 1
    assert pair.value("casduo_nodes_in_force", role="server") == 1


def test_numbers_of_a_process_that_was_killed_stay(pair: Pair) -> None:
    healthy = {"route": "/healthz", "status": "200"}
    counted = pair.value("casduo_request_seconds_count", **healthy) + MANY
    for _ in range(MANY):
        pair.get("healthz")
    until(lambda: pair.value("casduo_request_seconds_count", **healthy) == counted, "all are counted")
    until(lambda: len(pair.processes()) == 2, "both processes have announced themselves")
    killed = min(pair.processes())
    os.kill(killed, signal.SIGKILL)
    until(lambda: pair.value("casduo_processes", role="server") == 2 and _gone(pair, killed), "another takes its place")
    assert pair.value("casduo_request_seconds_count", **healthy) == counted
    (directory,) = (path for path in (pair.directory / "state" / "metrics").iterdir() if path.is_dir())
    assert (directory / "histogram_ended.db").exists()


def _gone(pair: Pair, process: int) -> bool:
    """Say whether nothing is left of a process but what it has counted."""
    return not list((pair.directory / "state" / "metrics").glob(f"*/*_{process}.*"))
