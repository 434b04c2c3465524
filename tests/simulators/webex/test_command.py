"""``simulate webex`` in a process of its own: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from casduo.cli.simulate import simulate
from casduo.simulators.webex.command import webex as command
from casduo.simulators.webex.control import COMMANDS

Start = Callable[..., dict[str, str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the command and returns what it printed; starting it again ends the one before."""
    running: list[subprocess.Popen[str]] = []

    def end() -> None:
        while running:
            process = running.pop()
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
            assert process.stdout is not None
            assert process.stdout.read() == ""
            process.stdout.close()

    def run(*arguments: str, lines: int = 5) -> dict[str, str]:
        end()
        program = "from casduo.simulators.webex.command import webex; webex()"
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, "--state", str(tmp_path / "state"), *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        return dict(process.stdout.readline().split() for _ in range(lines))

    yield run
    end()


PEOPLE = ("--person", "luke@example.edu:Luke Skywalker", "--person", "yoda@example.edu", "--bot", "Helper")


def test_it_says_where_everything_is_and_works(start: Start) -> None:
    printed = start(*PEOPLE, "--room", "Access requests", "--room", "Alone:luke@example.edu, casduo@webex.bot")
    assert printed["API"].startswith("https://localhost:")
    tokens_file = Path(printed["tokens"])
    assert stat.S_IMODE(tokens_file.stat().st_mode) == 0o600
    document = json.loads(tokens_file.read_text())
    assert document["base_url"] == printed["API"]
    token = document["tokens"]["casduo@webex.bot"]
    assert token not in str(printed)
    answer = requests.get(
        f"{printed['API']}rooms", headers={"Authorization": f"Bearer {token}"}, verify=printed["CA"], timeout=10
    )
    assert {room["title"] for room in answer.json()["items"]} == {"Access requests", "Alone"}
    page = requests.get(printed["page"], verify=printed["CA"], timeout=10).text
    assert "Luke Skywalker" in page
    assert token not in page
    state = requests.get(printed["control"], timeout=10).json()
    assert [len(room["members"]) for room in state["rooms"]] == [4, 2]


def test_tokens_ids_and_what_was_said_outlive_a_run(start: Start, tmp_path: Path) -> None:
    snapshot = ("--snapshot", str(tmp_path / "snapshot.json"), "--room", "Access requests")
    first = start(*PEOPLE, *snapshot, "--plain", lines=4)
    assert first["API"].startswith("http://localhost:")
    tokens = json.loads(Path(first["tokens"]).read_text())["tokens"]
    headers = {"Authorization": f"Bearer {tokens['casduo@webex.bot']}"}
    (room,) = requests.get(f"{first['API']}rooms", headers=headers, timeout=10).json()["items"]
    body = {"roomId": room["id"], "text": "remember"}
    posted = requests.post(f"{first['API']}messages", json=body, headers=headers, timeout=10).json()["id"]
    again = start(*PEOPLE, *snapshot, "--plain", lines=4)
    assert json.loads(Path(again["tokens"]).read_text())["tokens"] == tokens
    found = requests.get(f"{again['API']}messages/{posted}", headers=headers, timeout=10)
    assert (found.status_code, found.json()["text"]) == (200, "remember")
    assert len(requests.get(f"{again['API']}rooms", headers=headers, timeout=10).json()["items"]) == 1
    assert stat.S_IMODE((tmp_path / "snapshot.json").stat().st_mode) == 0o600
    without = start(*PEOPLE, "--plain", "--room", "Other", lines=4)
    (other,) = requests.get(f"{without['API']}rooms", headers=headers, timeout=10).json()["items"]
    assert (other["title"], other["id"]) == ("Other", room["id"])


@pytest.mark.parametrize(
    "arguments",
    [("--person", "luke"), ("--bot", ":x@webex.bot"), ("--room", ":luke"), ("--room", "Space:nobody@example.edu")],
)
def test_arguments_that_make_no_sense(tmp_path: Path, arguments: tuple[str, str]) -> None:
    result = CliRunner().invoke(command, ["--state", str(tmp_path), *arguments])
    assert result.exit_code == 2
    assert arguments[1] in result.output


def test_its_help_names_every_command_of_the_control_interface() -> None:
    result = CliRunner().invoke(simulate, ["webex", "--help"])
    for name in COMMANDS:
        assert f"    {name}" in result.output
