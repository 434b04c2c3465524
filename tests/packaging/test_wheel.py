"""The wheel has all that casduo needs, in the right places, and nothing else: it is enough for the demo."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import casduo
from tests.demo.running import free_ports
from tests.packaging.browser import Browser
from tests.packaging.builds import Built, Environment
from tests.support.containerfile import read_containerfile
from tests.support.ports import free_port

CONTAINERFILE = Path(__file__).parents[2] / "deploy" / "container" / "Containerfile"
START_SECONDS = 60.0
STOP_SECONDS = 20.0


def test_the_wheel_has_every_module_and_every_file_among_them(built: Built, checkout: Path) -> None:
    package = checkout / "casduo"
    expected = {
        str(path.relative_to(checkout)) for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"
    }
    assert expected <= built.names


def test_the_wheel_has_the_templates_and_the_samples_inside_the_package(built: Built, checkout: Path) -> None:
    views = {f"casduo/views/{path.relative_to(checkout / 'views')}" for path in _files(checkout / "views")}
    samples = {f"casduo/sample/{name}" for name in ("registry.yaml", "casduo.example.yaml")}
    assert views | samples <= built.names
    assert built.read("casduo/sample/registry.yaml") == (checkout / "registry.yaml").read_bytes()


def test_the_wheel_has_nothing_but_the_package(built: Built) -> None:
    tops = {name.partition("/")[0] for name in built.names}
    assert tops == {"casduo", f"casduo-{casduo.__version__}.dist-info"}


def test_the_source_distribution_has_what_a_build_and_a_reader_need(built: Built) -> None:
    needed = ("setup.py", "pyproject.toml", "LICENSE", "README.md", "registry.yaml", "views/login.html")
    assert [name for name in needed if not (built.unpacked / name).is_file()] == []


def test_the_metadata_name_the_version_the_python_and_the_licence(built: Built) -> None:
    assert built.metadata["Name"] == "casduo"
    assert built.metadata["Version"] == casduo.__version__
    assert built.metadata["Requires-Python"] == ">=3.11"
    assert built.metadata["License-Expression"] or built.metadata["License"] == "MIT"


def test_every_requirement_has_a_lower_and_most_an_upper_bound(built: Built) -> None:
    base = [line for line in built.metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert [line for line in base if not re.search(r"[<>]", line)] == []
    assert [line for line in base if "<" not in line] == []


def test_an_installed_casduo_finds_its_own_files(installed: Environment) -> None:
    code = (
        "from casduo.paths import sample_registry, sample_settings, views_directory\n"
        "print(views_directory() / 'login.html', sample_registry(), sample_settings(), sep='\\n')"
    )
    for line in installed.run("python", "-I", "-c", code).splitlines():
        assert Path(line).is_file()
        assert Path(line).is_relative_to(installed.directory.resolve())


def test_the_command_is_installed_and_knows_its_version(installed: Environment) -> None:
    assert casduo.__version__ in installed.run("casduo", "--version")


def test_the_middleware_is_found_by_its_paste_entry_point(installed: Environment) -> None:
    code = (
        "from importlib.metadata import entry_points\n"
        "(point,) = entry_points(group='paste.filter_app_factory', module='casduo.middleware.paste')\n"
        "print(point.load().__name__)"
    )
    assert installed.run("python", "-I", "-c", code) == "make_filter\n"


@pytest.fixture
def demo(installed: Environment, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Return the running demo, in a home directory of its own."""
    with (tmp_path / "log").open("wb") as log:
        started = subprocess.Popen(
            [installed.program("casduo"), "demo", "--ready-file", "ready.json", "--port", str(free_ports())],
            cwd=tmp_path,
            env=installed.variables | {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        yield started
        with suppress(ProcessLookupError):
            started.kill()
        started.wait()


def test_an_installed_demo_signs_people_in_and_ends_with_ctrl_c(demo: subprocess.Popen[bytes], tmp_path: Path) -> None:
    ready = _wait_for(tmp_path / "ready.json", demo, tmp_path / "log")
    user = next(user for user in ready["users"] if user["duo"] == "enrolled")
    application = next(application for application in ready["apps"] if not application["requires_duo"])
    browser = Browser(Path(ready["ca_file"]) if ready["ca_file"] else None)

    login = browser.open(application["url"])
    assert login.url.startswith(ready["cas_url"])
    form = login.form_with("execution")
    arrived = browser.submit(login, form, username=user["username"], password=user["password"])

    assert arrived.url.startswith(application["url"])
    assert user["username"] in arrived.text
    assert "ticket=" not in arrived.url

    demo.send_signal(signal.SIGINT)
    assert demo.wait(timeout=STOP_SECONDS) == 0
    assert not _answers(ready["cas_url"])


def _wait_for(path: Path, demo: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    while not path.is_file():
        assert demo.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.05)
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _answers(url: str) -> bool:
    host, _, port = url.split("/")[2].partition(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=1.0):
        return True
    return False


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_the_wheel_serves_in_the_environment_of_the_container_and_writes_nothing_but_its_state(
    installed: Environment, tmp_path: Path
) -> None:
    """What the Containerfile does with the wheel, without an engine: its environment, its command, its health check."""
    final = read_containerfile(CONTAINERFILE)[-1]
    port = free_port()
    (tmp_path / "casduo.yaml").write_text(
        "server: {url: 'https://sso.example.edu/cas', worker: false}\n"
        "authentication: [{type: users_file, path: users.yaml}]\n",
        encoding="ascii",
    )
    (tmp_path / "registry.yaml").write_text("services: []\n", encoding="ascii")
    (tmp_path / "users.yaml").write_text("{}\n", encoding="ascii")
    (tmp_path / "users.yaml").chmod(0o600)
    state = tmp_path / "state"
    environment = {
        **final.environment,
        "PATH": f"{installed.directory}/bin:/usr/bin:/bin",
        "CASDUO_CONFIG": str(tmp_path / "casduo.yaml"),
        "CASDUO_SERVER__BIND": f"127.0.0.1:{port}",
        "CASDUO_SERVER__STATE_DIRECTORY": str(state),
    }
    before = _inventory(installed.directory)
    command = [installed.program(final.words("ENTRYPOINT")[0]), *final.words("CMD")]
    check = json.loads(final.all("HEALTHCHECK")[0].partition("CMD ")[2])
    check[-1] = check[-1].replace(":8443", f":{port}")
    state.mkdir()
    process = subprocess.Popen(command, env=environment, cwd=state, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while subprocess.run(check, env=environment, cwd=state, capture_output=True, check=False).returncode != 0:
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        ready = check[-1].replace("/healthz", "/readyz")
        assert subprocess.run([*check[:-1], ready], env=environment, cwd=state, check=False).returncode == 0
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
        assert process.stderr is not None
        process.stderr.close()
    assert process.returncode == 0
    assert _inventory(installed.directory) == before


def _inventory(directory: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of last change of all files below a directory."""
    facts = {str(path): path.lstat() for path in directory.rglob("*")}
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in facts.items()}
