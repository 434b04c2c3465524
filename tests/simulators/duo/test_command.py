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


@pytest.mark.parametrize("user", ["ada:asleep", ":bypass"])
def test_a_state_it_does_not_know_is_refused(tmp_path: Path, user: str) -> None:
    result = CliRunner().invoke(command, ["--state", str(tmp_path), "--user", user])
    assert result.exit_code == 2
    assert "NAME:STATE" in result.output
