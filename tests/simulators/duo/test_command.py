"""``simulate duo`` in a process of its own: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duo_client
import pytest
import requests
from click.testing import CliRunner

from casduo.simulators.duo.command import duo as command
from casduo.simulators.duo.control import COMMANDS

Start = Callable[..., dict[str, str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the command and returns what it printed, by the first word of each line."""
    running: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> dict[str, str]:
        program = "from casduo.simulators.duo.command import duo; duo()"
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, "--state", str(tmp_path / "state"), *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        lines = [process.stdout.readline().split() for _ in range(5)]
        return {words[0]: words[-1] for words in lines}

    yield run
    for process in running:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""
        process.stdout.close()


def test_it_says_where_everything_is_and_works(start: Start, tmp_path: Path) -> None:
    printed = start("--user", "ada", "--user", "grace:bypass", "--user", "linus:token")
    keys_file = Path(printed["keys"])
    assert stat.S_IMODE(keys_file.stat().st_mode) == 0o600
    document = json.loads(keys_file.read_text())
    assert document["api_host"] == printed["API"]
    keys = document["applications"]["authapi"]
    assert keys["secret_key"] not in str(printed)
    host, _, port = printed["API"].partition(":")
    client = duo_client.Auth(
        keys["integration_key"], keys["secret_key"], host, port=int(port), ca_certs=printed["CA"], timeout=10
    )
    assert client.preauth(username="ada")["result"] == "auth"
    assert client.preauth(username="grace")["result"] == "allow"
    assert "ada" in requests.get(printed["phones"], verify=printed["CA"], timeout=10).text
    answer = requests.post(printed["control"], json={"do": "passcode", "username": "linus"}, timeout=10)
    assert client.auth("passcode", username="linus", passcode=answer.json()["result"])["result"] == "allow"


def test_keys_and_authority_stay_from_one_run_to_the_next(start: Start) -> None:
    first = start()
    before = Path(first["keys"]).read_text(), Path(first["CA"]).read_bytes()
    start()
    after = json.loads(Path(first["keys"]).read_text())
    assert after["applications"] == json.loads(before[0])["applications"]
    assert Path(first["CA"]).read_bytes() == before[1]


def test_every_type_of_application_has_keys(start: Start) -> None:
    printed = start("--user", "ada", "--host", "localhost")
    document = json.loads(Path(printed["keys"]).read_text())
    assert set(document["applications"]) == {"websdk", "authapi", "admin"}
    keys = document["applications"]["admin"]
    host, _, port = printed["API"].partition(":")
    admin = duo_client.Admin(
        keys["integration_key"], keys["secret_key"], host, port=int(port), ca_certs=printed["CA"], timeout=10
    )
    assert [user["username"] for user in admin.get_users()] == ["ada"]


def test_time_can_be_moved_and_certificates_changed_from_outside(start: Start) -> None:
    printed = start("--user", "ada", "--speed", "0")

    def steer(**command: object) -> requests.Response:
        return requests.post(printed["control"], json=command, timeout=10)

    assert steer(do="advance", seconds=60).status_code == 200
    assert steer(do="certificate", kind="other_authority").status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(printed["phones"], verify=printed["CA"], timeout=10)
    assert steer(do="certificate", kind=None).status_code == 200
    assert requests.get(printed["phones"], verify=printed["CA"], timeout=10).status_code == 200


def test_requests_can_be_watched_without_secrets(tmp_path: Path) -> None:
    program = "from casduo.simulators.duo.command import duo; duo()"
    arguments = ["--state", str(tmp_path), "--user", "ada", "--log"]
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        printed = {words[0]: words[-1] for words in (process.stdout.readline().split() for _ in range(5))}
        keys = json.loads(Path(printed["keys"]).read_text())["applications"]["authapi"]
        host, _, port = printed["API"].partition(":")
        client = duo_client.Auth(
            keys["integration_key"], keys["secret_key"], host, port=int(port), ca_certs=printed["CA"], timeout=10
        )
        client.auth("passcode", username="ada", passcode="123456")
        line = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert f"POST /auth/v2/auth 200 (v5 {keys['integration_key']})" in line
    assert "username='ada'" in line
    assert "123456" not in line
    assert keys["secret_key"] not in line


def test_the_help_names_every_command_of_the_control_interface() -> None:
    text = CliRunner().invoke(command, ["--help"]).output
    assert all(f"\n    {name}" in text for name in COMMANDS)


@pytest.mark.parametrize("user", ["ada:asleep", ":bypass"])
def test_a_state_it_does_not_know_is_refused(tmp_path: Path, user: str) -> None:
    result = CliRunner().invoke(command, ["--state", str(tmp_path), "--user", user])
    assert result.exit_code == 2
    assert "NAME:STATE" in result.output
