"""Several ``casduo serve`` that have everything in common, and a browser whose requests go to one after the other."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from argon2 import PasswordHasher
from bs4 import BeautifulSoup

from tests.support.ports import free_port
from tests.support.site import BASE, write_site
from tests.support.waiting import PATIENCE, until

_ROOT = Path(__file__).parents[2]

VAULT = "https://vault.example.edu/safe"
HOURS = "https://hours.example.edu/week"
_REGISTRY = """
services:
  - {id: vault, name: Vault, url: "https://vault.example.edu/**", requires_duo: {prompt: push}}
  - {id: hours, name: Hours, url: "https://hours.example.edu/**", requires_duo: {prompt: push, fail: open}}
"""
PEOPLE = ("ada", "alan", "barbara", "donald", "edsger", "frances", "grace", "ken", "linus", "margaret")
PASSWORD = "Analytical-Engine"


@dataclass(frozen=True)
class Node:
    """A ``casduo serve`` of several."""

    port: int
    process: subprocess.Popen[bytes]
    directory: Path

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the lines of the log about one kind of event."""
        lines = (self.directory / "serve.log").read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in found if line["event"] == name]

    def kill(self) -> None:
        """Kill it with all its processes, at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def answers(self) -> bool:
        assert self.process.poll() is None, (self.directory / "serve.log").read_text()
        with suppress(OSError):
            return requests.get(f"http://localhost:{self.port}/cas/readyz", timeout=5).ok
        return False


@contextmanager
def running_nodes(directory: Path, redis_url: str, settings: str, count: int) -> Iterator[list[Node]]:
    """Run nodes that have everything in common but the port."""
    nodes: list[Node] = []
    try:
        for _ in range(count):
            nodes.append(_start_node(directory, redis_url, settings))
        until(lambda: all(node.answers() for node in nodes), f"{count} nodes answer")
        yield nodes
    finally:
        for node in nodes:
            node.process.terminate()
        for node in nodes:
            node.process.wait(PATIENCE)


def _start_node(directory: Path, redis_url: str, settings: str) -> Node:
    port = free_port()
    home = directory / f"node-{port}"
    home.mkdir()
    path = write_files(home, redis_url, settings, f", bind: '127.0.0.1:{port}'")
    command = [sys.executable, "-m", "casduo", "serve", "--config", str(path)]
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=_ROOT, start_new_session=True)
    return Node(port, process, home)


def write_files(directory: Path, redis_url: str, settings: str, bind: str = "") -> Path:
    """Write settings, registry and users. Returns the file of the settings."""
    url = "http://localhost/cas"
    path = write_site(directory, redis_url, _REGISTRY, settings)
    server = f"url: '{url}', insecure_http: true, worker: false, drain: 0{bind}"
    path.write_text(path.read_text(encoding="utf-8").replace(f"url: {BASE}", server), encoding="utf-8")
    secret = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1).hash(PASSWORD)
    users = [f"{name}: {{password: '{secret}', attributes: {{mail: {name}@example.edu}}}}\n" for name in PEOPLE]
    (directory / "users.yaml").write_text("".join(users), encoding="utf-8")
    return path


class Window:
    """A browser. Each request goes to the next node, as behind a load balancer that remembers nobody."""

    def __init__(self, *nodes: Node) -> None:
        self._nodes = itertools.cycle(nodes)
        self.http = requests.Session()
        self.http.trust_env = False

    def get(self, path: str) -> requests.Response:
        return self.http.get(self._next(path), allow_redirects=False, timeout=PATIENCE)

    def move(self, *nodes: Node) -> None:
        """Be sent to these nodes from now on."""
        self._nodes = itertools.cycle(nodes)

    def ask(self, service: str) -> requests.Response:
        """Come from an application."""
        return self.follow(self.get(f"/cas/login?service={quote(service, safe='')}"))

    def send(self, page: requests.Response, **fields: str) -> requests.Response:
        """Send a form of a page, and go where that leads within the server."""
        hidden = BeautifulSoup(page.text, "html.parser").find_all("input", type="hidden")
        data = {field["name"]: field["value"] for field in hidden} | fields
        return self.follow(self.http.post(self._next("/cas/login"), data, allow_redirects=False, timeout=PATIENCE))

    def sign_in(self, name: str, service: str = VAULT) -> requests.Response:
        return self.send(self.ask(service), username=name, password=PASSWORD)

    def follow(self, answer: requests.Response) -> requests.Response:
        while answer.headers.get("Location", "").startswith("/cas/"):
            answer = self.get(answer.headers["Location"])
        return answer

    def state(self, page: requests.Response) -> str:
        """Ask for news as the page's script does; empty for none to be had."""
        answer = self.get(request_of(page)["data-status"])
        return str(answer.json()["state"]) if answer.ok else ""

    def look(self, page: requests.Response) -> requests.Response:
        """Load the page that waits once more."""
        return self.follow(self.get(request_of(page)["data-refresh"]))

    def let_in(self, page: requests.Response, since: str) -> float:
        """Wait for the page's news and then for the ticket. Returns how many seconds that took."""
        took = until(lambda: self.state(page) not in ("", "sending", "waiting"), f"news after {since}")
        done = self.look(page)
        assert has_ticket(done), f"{since}: {done.status_code} after {took:.1f} s: {words(done)}"
        return took

    def _next(self, path: str) -> str:
        return f"http://localhost:{next(self._nodes).port}{path}"


def request_of(page: requests.Response) -> Any:
    """Return the element that tells of the push under way."""
    found = BeautifulSoup(page.text, "html.parser").find(id="request")
    assert found is not None, f"{page.status_code}: {words(page)}"
    return found


def has_request(page: requests.Response) -> bool:
    return 'id="request"' in page.text


def has_ticket(answer: requests.Response) -> bool:
    return answer.status_code in (302, 303) and "ticket=ST-" in answer.headers["Location"]


def words(answer: requests.Response) -> str:
    return " ".join(BeautifulSoup(answer.text, "html.parser").get_text(" ").split())
