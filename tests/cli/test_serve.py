"""``casduo serve`` as a process of its own: refusing, answering under both WSGI servers, and leaving nothing behind."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import redis
import requests

from casduo.authentication.passwords import Argon2Settings, Passwords
from casduo.store.embedded import EmbeddedValkey
from tests.support.ports import free_port
from tests.support.waiting import until
from tests.worker.applications import Application, Gauge, application

ROOT = Path(__file__).parents[2]
PASSWORD = "Analytical-Engine"
HASH = Passwords(Argon2Settings(memory_kib=8, time_cost=1, parallelism=1)).hash(PASSWORD)
LIBRARY = "https://library.example.edu/catalogue"

_PATIENCE = 60.0
"""Seconds until a server that does not answer or end counts as hanging."""


@dataclass
class Directory:
    """The files of one server, on a port of its own."""

    path: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/cas"

    @property
    def valkey(self) -> Path:
        """The socket of the embedded Valkey."""
        return EmbeddedValkey(self.path / "state" / "valkey").socket

    def write(self, settings: str = "", registry: str = "") -> None:
        """Write all files; the arguments go behind what a server needs."""
        (self.path / "casduo.yaml").write_text(
            f"server: {{url: '{self.url}', insecure_http: true, bind: '127.0.0.1:{self.port}', threads: 4, drain: 0}}\n"
            "authentication: [{type: users_file, path: users.yaml, argon2: {memory_kib: 8}}]\n" + settings
        )
        (self.path / "registry.yaml").write_text(
            "services:\n  - {id: library, name: Library, url: https://library.example.edu/**}\n" + registry
        )
        users = self.path / "users.yaml"
        users.write_text(f"ada: {{password: '{HASH}'}}\n")
        users.chmod(0o600)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "casduo", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """That of the tests without what would lead the server to other files."""
        ours = ("CASDUO_", "STATE_DIRECTORY", "XDG_STATE_HOME")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return kept | {"PYTHONPATH": str(ROOT)}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.path,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )


@dataclass
class Running:
    """A server that answers. ``told`` is what it has written so far, ``end`` stops it and returns its exit code."""

    directory: Directory
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def told(self) -> str:
        return self.log.read_text()

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(_PATIENCE)


Serve = Callable[..., Running]


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    made = Directory(tmp_path, free_port())
    made.write()
    return made


@pytest.fixture
def app() -> Iterator[Application]:
    """An application that takes sign-out messages."""
    with application(Gauge()) as found:
        yield found


@pytest.fixture
def serve(directory: Directory) -> Iterator[Serve]:
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        log = directory.path / f"serve-{len(started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                directory.command("serve", *arguments),
                cwd=directory.path,
                env=directory.environment,
                stdout=output,
                stderr=output,
            )
        started.append(Running(directory, process, log))
        wait_until_it_answers(started[-1])
        return started[-1]

    yield start
    for running in started:
        if running.process.poll() is None:
            running.end()


def wait_until_it_answers(running: Running) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        assert running.process.poll() is None, f"it ended at once:\n{running.told}"
        assert time.monotonic() < deadline, f"it does not answer:\n{running.told}"
        try:
            if requests.get(f"{running.directory.url}/healthz", timeout=5).text == "ok\n":
                return
        except requests.ConnectionError:
            time.sleep(0.02)


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


# -- refusing --------------------------------------------------------------------------------------------------------


def test_broken_files_are_refused_with_the_report_of_the_check_and_exit_code_2(directory: Directory) -> None:
    directory.write("sesion: {idle: 2h}\nlog: {level: loud}\n", "  - {id: Wiki, name: Wiki, url: wiki.example.edu}\n")

    checked, served = directory.run("check"), directory.run("serve")

    assert (checked.returncode, served.returncode) == (2, 2)
    *problems, summary = checked.stdout.splitlines()
    assert served.stderr.splitlines() == problems
    assert served.stdout == ""
    assert {problem.partition(":")[0] for problem in problems} == {"casduo.yaml", "registry.yaml"}
    assert summary.startswith("4 errors")
    assert not (directory.path / "state").exists()


def test_settings_without_what_serving_needs_are_refused(directory: Directory) -> None:
    (directory.path / "casduo.yaml").write_text("log: {level: info}\n")

    served = directory.run("serve")

    assert served.returncode == 2
    assert "server.url: is missing" in served.stderr
    assert "authentication: is missing" in served.stderr


def test_a_file_that_is_not_there_is_named(directory: Directory) -> None:
    served = directory.run("serve", "--config", "elsewhere.yaml")

    assert served.returncode == 2
    assert "elsewhere.yaml: error: cannot be read: No such file or directory" in served.stderr


def test_a_port_that_is_taken_ends_it_and_its_valkey(directory: Directory) -> None:
    with socket.create_server(("127.0.0.1", directory.port)):
        served = directory.run("serve", "--server", "granian")

    assert served.returncode == 1
    assert "in use" in served.stderr
    assert not listens(directory.valkey)


# -- answering -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "how"), [("granian", signal.SIGTERM), ("granian", signal.SIGINT), ("gunicorn", signal.SIGTERM)]
)
def test_it_signs_people_in_and_leaves_nothing_running(
    serve: Serve, directory: Directory, server: str, how: signal.Signals
) -> None:
    running = serve("--server", server)
    assert listens(directory.valkey)

    with requests.Session() as browser:
        told = sign_in(directory.url, browser)

    assert "<cas:user>ada</cas:user>" in told
    assert running.end(how) == 0
    assert not listens(directory.valkey)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{directory.url}/healthz", timeout=5)
    assert PASSWORD not in running.told
    assert "Traceback" not in running.told


def test_it_says_once_that_it_made_a_secret_key(serve: Serve, directory: Directory) -> None:
    key = directory.path / "state" / "secret_key"

    first = serve()
    assert re.findall(r"made a secret key in (\S+);", first.told) == ["state/secret_key"]
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text().strip() not in first.told
    first.end()

    second = serve()
    assert "secret key" not in second.told


@pytest.mark.parametrize("moment", [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
def test_told_to_stop_while_it_starts_it_stops(directory: Directory, moment: float) -> None:
    with (directory.path / "serve.log").open("wb") as output:
        process = subprocess.Popen(
            directory.command("serve"), cwd=directory.path, env=directory.environment, stdout=output, stderr=output
        )
    try:
        until(lambda: listens(directory.valkey), "Valkey's start")
        time.sleep(moment)
        process.send_signal(signal.SIGTERM)
        assert process.wait(_PATIENCE) == 0
        assert "Traceback" not in (directory.path / "serve.log").read_text()
    finally:
        process.kill()
        process.wait()
    assert not listens(directory.valkey)


def test_a_session_outlives_a_restart(serve: Serve, directory: Directory) -> None:
    with requests.Session() as browser:
        first = serve()
        sign_in(directory.url, browser)
        first.end()

        serve("--server", "gunicorn")

        answer = browser.get(f"{directory.url}/login", params={"service": LIBRARY}, allow_redirects=False, timeout=30)
    assert "ticket=ST-" in answer.headers["Location"]


def test_an_embedded_valkey_that_dies_is_started_again_with_its_data(serve: Serve, directory: Directory) -> None:
    with requests.Session() as browser:
        serve()
        sign_in(directory.url, browser)
        # What is written leaves for the file within a second or two.
        wait_for(lambda: has_written(directory))
        kill_valkey(directory)

        def comes_back() -> bool:
            answer = browser.get(
                f"{directory.url}/login", params={"service": LIBRARY}, allow_redirects=False, timeout=30
            )
            return "ticket=ST-" in answer.headers.get("Location", "")

        wait_for(comes_back)


def test_files_lie_beside_a_link_to_the_settings(serve: Serve, directory: Directory) -> None:
    file = directory.path / "casduo.yaml"
    (directory.path / "elsewhere").mkdir()
    file.rename(directory.path / "elsewhere" / "casduo.yaml")
    file.symlink_to("elsewhere/casduo.yaml")

    serve()

    assert [path.name for path in (directory.path / "elsewhere").iterdir()] == ["casduo.yaml"]


def test_a_link_to_the_settings_that_is_led_elsewhere_is_followed_at_a_reload(
    serve: Serve, directory: Directory
) -> None:
    """As a Kubernetes volume does, which takes the directory of before away."""
    here = directory.path
    text = (here / "casduo.yaml").read_text().replace("threads: 4", f"threads: 4, state_directory: '{here}/state'")
    for name in ("one", "two"):
        (here / name).mkdir()
        (here / name / "casduo.yaml").write_text(f"{text}pages: {{organisation: Site {name}}}\n")
        for other in ("registry.yaml", "users.yaml"):
            shutil.copy(here / other, here / name / other)
    (here / "current").symlink_to("one")
    running = serve("--config", "current/casduo.yaml")
    (here / "new").symlink_to("two")
    (here / "new").replace(here / "current")
    shutil.rmtree(here / "one")

    running.process.send_signal(signal.SIGHUP)

    wait_for(lambda: "Site two" in requests.get(f"{directory.url}/login", timeout=30).text)
    assert "reload.failed" not in running.told


def test_warnings_do_not_keep_it_from_starting(serve: Serve, directory: Directory) -> None:
    directory.write(registry="  - {id: old, name: Old, url: 'http://old.example.edu/**'}\n")

    running = serve()

    assert "casduo.yaml:1:10: warning: server.url: plain http" in running.told
    assert re.search(r"registry.yaml:3:\d+: warning: services\[1\].url: plain http", running.told)


# -- its worker ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", ["granian", "gunicorn"])
def test_it_starts_a_worker_and_ends_it(serve: Serve, server: str) -> None:
    running = serve("--server", server)
    wait_for(lambda: len(workers_of(running.process.pid)) == 1)
    (worker,) = workers_of(running.process.pid)

    assert running.end() == 0

    assert not runs(worker)


def test_by_its_worker_applications_hear_of_a_sign_out(serve: Serve, directory: Directory, app: Application) -> None:
    directory.write(registry=f"  - {{id: app, name: App, url: '{app.url}/**'}}\n")
    running = serve()

    with requests.Session() as browser:
        assert "<cas:user>ada</cas:user>" in sign_in(directory.url, browser, f"{app.url}/front")
        browser.get(f"{directory.url}/logout", timeout=30)
        wait_for(lambda: len(app.received) == 1)

    (request,) = app.received
    assert (request.method, request.path) == ("POST", "/front")
    assert request.ticket.startswith("ST-")
    running.end()
    assert "signout.told" in running.told
    assert request.ticket not in running.told


def test_a_worker_that_dies_is_started_again(serve: Serve) -> None:
    running = serve()
    wait_for(lambda: len(workers_of(running.process.pid)) == 1)
    first = workers_of(running.process.pid)

    os.kill(first[0], signal.SIGKILL)

    wait_for(lambda: workers_of(running.process.pid) not in ([], first))
    assert "the worker ended (status -9) and is started again in 1s" in running.told


def test_without_a_worker_if_the_settings_say_so(serve: Serve, directory: Directory) -> None:
    settings = directory.path / "casduo.yaml"
    settings.write_text(settings.read_text().replace("threads: 4", "threads: 4, worker: false"))

    running = serve()

    assert workers_of(running.process.pid) == []


def test_a_worker_does_not_outlive_a_server_that_is_killed(serve: Serve, directory: Directory) -> None:
    running = serve()
    wait_for(lambda: len(workers_of(running.process.pid)) == 1)
    (worker,) = workers_of(running.process.pid)
    others = set(children_of(running.process.pid)) - {worker}

    running.process.kill()
    running.process.wait()

    wait_for(lambda: not runs(worker))
    for process in others:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    wait_for(lambda: not listens(directory.valkey))


def test_a_serving_process_that_ends_takes_neither_valkey_nor_worker_along(serve: Serve, directory: Directory) -> None:
    running = serve("--server", "gunicorn")
    wait_for(lambda: len(workers_of(running.process.pid)) == 1)
    worker, valkey = workers_of(running.process.pid), valkey_process(directory)
    (serving,) = set(children_of(running.process.pid)) - {*worker, valkey}

    os.kill(serving, signal.SIGTERM)

    wait_for(lambda: serving not in children_of(running.process.pid))
    wait_for(lambda: len(children_of(running.process.pid)) == 3)
    wait_until_it_answers(running)
    assert (workers_of(running.process.pid), valkey_process(directory)) == (worker, valkey)


def children_of(process: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def workers_of(process: int) -> list[int]:
    return [child for child in children_of(process) if b"\0worker\0" in command_line(child)]


def command_line(process: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


def runs(process: int) -> bool:
    # A process that has ended and that nobody has asked about has an empty command line.
    return command_line(process) != b""


def valkey_process(directory: Directory) -> int:
    with redis.Redis(unix_socket_path=str(directory.valkey)) as client:
        return int(client.info("server")["process_id"])


def has_written(directory: Directory) -> bool:
    """Whether everything is in the file that would be lost by a kill; Valkey waits there for a slow disk."""
    with redis.Redis(unix_socket_path=str(directory.valkey)) as client:
        return client.info("persistence")["aof_buffer_length"] == 0


def kill_valkey(directory: Directory) -> None:
    os.kill(valkey_process(directory), signal.SIGKILL)


def wait_for(condition: Callable[[], bool], seconds: float = _PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def sign_in(url: str, browser: requests.Session, service: str = LIBRARY) -> str:
    """Sign ada in and return what the application is told about her ticket."""
    page = browser.get(f"{url}/login", params={"service": service}, timeout=30)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    fields = {name: unescape(value) for name, value in hidden.items()} | {"username": "ada", "password": PASSWORD}
    origin = {"Origin": url.removesuffix("/cas")}
    answer = browser.post(f"{url}/login", fields, headers=origin, allow_redirects=False, timeout=30)
    assert answer.headers["Location"].startswith(f"{service}?ticket=ST-"), answer.text
    (ticket,) = parse_qs(urlsplit(answer.headers["Location"]).query)["ticket"]
    told = requests.get(f"{url}/p3/serviceValidate", params={"service": service, "ticket": ticket}, timeout=30)
    return told.text
