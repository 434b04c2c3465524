"""``simulate ucm`` in a process of its own: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from casduo.simulators.ucm.command import ucm as command
from casduo.simulators.ucm.control import COMMANDS
from tests.simulators.ucm.conftest import OTHER_PHONE, PHONE

Start = Callable[..., dict[str, str]]

_LOGIN = (
    f"<request><appInfo><appID>casduo</appID><appCertificate>{{}}</appCertificate></appInfo><login><deviceName>{PHONE}"
    "</deviceName><userID>ada</userID></login></request>"
)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the command and returns what it printed, by what stands before the last word of each line."""
    running: list[subprocess.Popen[str]] = []

    def run(*arguments: str, nodes: int = 2) -> dict[str, str]:
        program = "from casduo.simulators.ucm.command import ucm; ucm()"
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, "--state", str(tmp_path / "state"), *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        lines = [process.stdout.readline().split() for _ in range(nodes + 4)]
        return {" ".join(words[:-1]): words[-1] for words in lines}

    yield run
    for process in running:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""
        process.stdout.close()


def test_it_says_where_everything_is_and_works(start: Start) -> None:
    printed = start("--user", "ada:1815", "--user", "grace:1906:a,b", "--phone", PHONE, "--phone", OTHER_PHONE)
    password_file = Path(printed["password"])
    assert stat.S_IMODE(password_file.stat().st_mode) == 0o600
    password = password_file.read_text().strip()
    assert password not in str(printed)
    url = f"https://{printed['node 2']}/emservice/EMServiceServlet"
    answer = requests.post(url, {"xml": _LOGIN.format(password)}, verify=printed["CA"], timeout=10)
    assert "<success" in answer.text
    state = requests.get(printed["control"], timeout=10).json()
    assert [user["profiles"] for user in state["users"]] == [["ada-phone"], ["a", "b"]]
    assert state["phones"][0]["login"]["profile"] == "ada-phone"


def test_password_and_authority_outlive_a_run(start: Start) -> None:
    first = start("--nodes", "1", nodes=1)
    password = Path(first["password"]).read_text()
    again = start("--nodes", "3", "--multiple-login", "allow", nodes=3)
    assert Path(again["password"]).read_text() == password
    assert Path(again["CA"]).read_bytes() == Path(first["CA"]).read_bytes()
    assert requests.get(again["control"], timeout=10).json()["policy"]["multiple_login"] == "allow"


@pytest.mark.parametrize("user", ["ada", ":1815", "ada:181", "ada:secret"])
def test_a_user_needs_a_pin_that_is_not_told_when_it_is_wrong(tmp_path: Path, user: str) -> None:
    result = CliRunner().invoke(command, ["--state", str(tmp_path), "--user", user])
    assert result.exit_code == 2
    assert "NAME:PIN" in result.output
    assert user not in result.output.replace("NAME:PIN", "")


def test_its_help_names_every_command_of_the_control_interface() -> None:
    result = CliRunner().invoke(command, ["--help"])
    for name in COMMANDS:
        assert f"    {name}" in result.output
