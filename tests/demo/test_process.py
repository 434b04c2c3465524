"""How a demo starts, starts again, fails to start, and ends: with nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis
import requests
from click.testing import CliRunner, Result

from casduo.cli import main
from tests.demo.running import PORTS, DemoProcess, free_ports

Start = Callable[..., DemoProcess]

KEPT = ("keys.json", "users.yaml", "registry.yaml", "server/secret_key", "tls/ca.crt", "tls/leaf-localhost.crt")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts demos one after the other, all with the same state."""
    started: list[DemoProcess] = []

    def run(port: int | None = None, *, choose_itself: bool = False) -> DemoProcess:
        demo = DemoProcess(tmp_path, None if choose_itself else port or free_ports())
        started.append(demo)
        demo.start()
        return demo

    yield run
    for demo in reversed(started):
        demo.clean_up()


def invoke(*arguments: str) -> Result:
    """Run the command in this process; only for what ends before anything is started."""
    return CliRunner().invoke(main, ["demo", *arguments])


def command_line(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def valkeys(demo: DemoProcess) -> list[int]:
    return [pid for pid in demo.processes() if b"valkey-server" in command_line(pid)]


def answers(url: str, ca_file: str) -> bool:
    return requests.get(url, verify=ca_file, timeout=10).ok


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_process_and_frees_every_port(start: Start, number: int) -> None:
    first = free_ports()
    demo = start(first)
    demo.await_ready()
    assert len(demo.processes()) >= 3
    assert demo.end(number) == 0
    assert demo.processes() == []
    assert not demo.ready_file.exists()
    for port in range(first, first + PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))


def test_a_signal_during_the_start_ends_it_too(start: Start) -> None:
    demo = start()
    while not valkeys(demo):
        assert demo.process.poll() is None, demo.output
    assert demo.end() == 0
    assert (demo.processes(), demo.output) == ([], "")
    assert not demo.ready_file.exists()


def test_when_the_server_dies_the_demo_shows_its_last_words_and_ends(start: Start) -> None:
    demo = start()
    demo.await_ready()
    (demo.state / "serve.log").write_text("the last thing it said\n", encoding="utf-8")
    # The server and what it started itself have a session of their own, named after it.
    server = next(pid for pid in demo.processes() if b"\0serve\0" in command_line(pid) and os.getsid(pid) == pid)
    os.kill(server, signal.SIGKILL)
    assert demo.process.wait(30) == 1
    assert "casduo serve ended by itself (status -9)" in demo.output
    assert "the last thing it said" in demo.output
    assert demo.processes() == []


def test_when_valkey_dies_it_is_started_again(start: Start) -> None:
    demo = start()
    demo.await_ready()
    (killed,) = valkeys(demo)
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while valkeys(demo) in ([], [killed]) or not answers(f"{demo.cas_url}/readyz", demo.ca_file):
        assert time.monotonic() < deadline


def test_when_the_server_cannot_start_the_demo_shows_why_and_ends(start: Start) -> None:
    demo = start()
    demo.await_ready()
    demo.end()
    (demo.state / "registry.yaml").write_text("services: [{id: library}]\n", encoding="utf-8")
    demo = start()
    assert demo.process.wait(30) == 1
    assert "services[0].url" in demo.output
    assert demo.processes() == []


def test_the_second_start_uses_what_the_first_one_made(start: Start) -> None:
    demo = start()
    demo.await_ready()
    with redis.Redis.from_url(demo.ready["redis_url"]) as client:
        client.set("kept", "yes")
    certificates, kept = demo.certificates(), [(demo.state / name).read_bytes() for name in KEPT]
    demo.end()
    demo = start(demo.port)
    demo.await_ready()
    assert demo.certificates() == certificates
    assert [(demo.state / name).read_bytes() for name in KEPT] == kept
    with redis.Redis.from_url(demo.ready["redis_url"]) as client:
        assert client.get("kept") == b"yes"


def test_a_start_on_other_ports_takes_the_services_along(start: Start) -> None:
    demo = start()
    demo.await_ready()
    demo.end()
    demo = start()
    demo.await_ready()
    registry = (demo.state / "registry.yaml").read_text(encoding="utf-8")
    assert all(f"{app['url']}**" in registry for app in demo.ready["apps"])
    assert "was edited" not in demo.output


def test_services_that_somebody_edited_are_left_alone_and_it_says_so(start: Start) -> None:
    demo = start()
    demo.await_ready()
    demo.end()
    registry = demo.state / "registry.yaml"
    edited = registry.read_text(encoding="utf-8").replace("name: Payroll", "name: Pay")
    registry.write_text(edited, encoding="utf-8")
    demo = start()
    demo.await_ready()
    assert registry.read_text(encoding="utf-8") == edited
    words = " ".join(demo.output.split())
    assert f"{registry} was edited and does not name {demo.app('Library').rstrip('/')} (Library) and" in words


def test_without_a_port_the_next_free_ones_are_taken(start: Start) -> None:
    with socket.socket() as taken:
        # When the port is taken already, that is just as well.
        with suppress(OSError):
            taken.bind(("127.0.0.1", 8445))
            taken.listen()
        demo = start(choose_itself=True)
        demo.await_ready()
        assert demo.tls_ports[0] > 8445
        demo.end()


def test_a_second_demo_with_the_same_state_is_refused(start: Start, tmp_path: Path) -> None:
    demo = start()
    demo.await_ready()
    result = invoke("--state", str(demo.state))
    assert result.exit_code == 1
    assert f"{demo.state} cannot be used (another demo runs with it)" in result.output
    assert result.output.count("\n") == 1


def test_a_state_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory", encoding="utf-8")
    result = invoke("--state", str(tmp_path / "file" / "state"))
    assert result.exit_code == 1
    assert f"{tmp_path / 'file' / 'state'} cannot be used (not a directory)" in result.output
    assert result.output.count("\n") == 1


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    first = free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first + 2))
        taken.listen()
        result = invoke("--state", str(tmp_path / "state"), "--port", str(first))
    assert result.exit_code == 1
    assert f"port {first + 2} cannot be used" in result.output
    assert result.output.count("\n") == 1


def test_a_users_file_that_somebody_broke_is_refused_with_the_place(tmp_path: Path) -> None:
    users = tmp_path / "state" / "users.yaml"
    users.parent.mkdir()
    users.write_text("ada:\n  pasword: secret\n", encoding="utf-8")
    result = invoke("--state", str(users.parent), "--port", str(free_ports()))
    assert result.exit_code == 2
    assert f"{users}:2:" in result.output


def test_a_ready_file_without_a_directory_is_refused(tmp_path: Path) -> None:
    result = invoke("--state", str(tmp_path / "state"), "--ready-file", str(tmp_path / "missing" / "ready.json"))
    assert result.exit_code == 2
    assert "there is no directory" in result.output


def test_a_ready_file_of_an_earlier_run_is_taken_away_at_once(tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    ready_file.write_text("{}", encoding="utf-8")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        invoke("--state", str(tmp_path / "state"), "--port", str(port), "--ready-file", str(ready_file))
    assert not ready_file.exists()
