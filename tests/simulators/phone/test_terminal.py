"""The phone in a terminal: commands in, displays out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from casduo.cli.simulate import simulate
from casduo.simulators.clock import VirtualClock
from casduo.simulators.phone.terminal import Terminal
from casduo.simulators.server import SimulatorServer
from tests.simulators.phone.conftest import LOGIN, PAST, MakePhone, Service, menu, softkey, text

Run = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def pages(server: SimulatorServer, service: Service) -> None:
    service.put("/", LOGIN)
    waiting = text("Approve the request", softkey("Cancel", "{base}/cancel", 1))
    service.put("/login", waiting, ("Refresh", "3; url={base}/wait"), PAST)
    service.put("/wait", menu(("Ward", "{base}/done"), ("Office", "{base}/done")), PAST)
    service.put("/done", text("You are logged in"))
    service.put("/cancel", text("Cancelled"))


@pytest.fixture
def run(make_phone: MakePhone, clock: VirtualClock) -> Run:
    """Gives commands to a phone and returns what was written after each."""

    def run(*commands: str) -> list[str]:
        written: list[str] = []
        Terminal(make_phone(), written.append, clock.advance, clock).run(commands)
        return written

    return run


def test_a_whole_login(run: Run, service: Service) -> None:
    shown = run(
        "services", "type userid ada", "type pin 1815", "press Submit", "wait", "pick 2", "exit", "quit", "back"
    )
    assert len(shown) == 8
    assert "SEP001122334455" in shown[0]
    assert "Who are you?" in shown[1]
    assert "USERID: ada" in shown[2]
    assert "PIN: ****" in shown[3]
    assert "Approve the request" in shown[4]
    assert "2 Office" in shown[5]
    assert "You are logged in" in shown[6]
    assert "No profile" in shown[7]
    assert [seen.path for seen in service.seen] == ["/", "/login", "/wait", "/done"]


def test_values_may_hold_blanks(run: Run) -> None:
    assert "USERID: ada lovelace" in run("services", "type userid ada lovelace")[-1]


def test_waiting_some_seconds_lets_everything_due_happen(run: Run, service: Service) -> None:
    service.put("/wait", text("Still waiting"), ("Refresh", "3; url={base}/wait"), PAST)
    assert "Still waiting" in run("services", "press Submit", "wait 10")[-1]
    assert [seen.path for seen in service.seen] == ["/", "/login", "/wait", "/wait", "/wait"]


def test_keys_by_place_cursor_and_restart(run: Run) -> None:
    assert "Cancelled" in run("services", "key 2", "key 1")[-1]
    assert "You are logged in" in run("services", "press Submit", "wait", "highlight 2", "press Select")[-1]
    assert "ada-ward" in run("restart ada-ward")[-1]
    assert "Who are you?" in run("services", "press Submit", "press Cancel", "back")[-1]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("press Nothing", "no softkey 'Nothing' among Cancel, Submit, <<"),
        ("type colour red", "no field colour among userid, pin"),
        ("pick x", "digits"),
        ("key x", "a number, not 'x'"),
        ("wait", "nothing is due"),
        ("dance", "no command 'dance'; help lists them"),
        ("type", "no field"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, command: str, said: str) -> None:
    assert said in run("services", command)[-2]


def test_an_empty_line_shows_the_display_again(run: Run) -> None:
    first, second = run("services", "")[1:]
    assert first == second


def test_it_lists_requests_violations_and_itself(run: Run, service: Service) -> None:
    service.put("/login", "<Nonsense/>")
    shown = run("requests", "services", "press Submit", "requests", "violations", "help")
    assert shown[1] == "none"
    assert "XML Error [4]" in shown[3]
    assert shown[4].startswith("! POST /login: XML Error [4]: ")
    assert shown[5] == "200 GET /\n200 POST /login"
    assert shown[6] == shown[4].removeprefix("! ")
    assert "press LABEL" in shown[7]


def invoke(*arguments: str, lines: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(simulate, ["phone", *arguments], input=lines)
    return result.exit_code, result.output


def test_the_command_drives_a_phone(server: SimulatorServer, service: Service) -> None:
    service.put("/em/", LOGIN)
    code, output = invoke(
        f"http://sso.example.edu:{server.port}/em/?device=#DEVICENAME#",
        *("--model", "7841", "--device", "SEPAABBCCDDEEFF", "--language", "de-DE", "--source-address", "127.0.0.9"),
        *("--resolve", f"sso.example.edu=127.0.0.1:{server.port}"),
        lines="services\ntype userid ada\nquit\n",
    )
    assert code == 0
    assert "USERID: ada" in output
    assert service.seen[0].query == "device=SEPAABBCCDDEEFF"
    assert service.seen[0].peer == "127.0.0.9"


def test_the_command_fails_when_the_phone_refused_something(server: SimulatorServer, service: Service) -> None:
    service.put("/", "<Nonsense/>")
    code, output = invoke(f"{server.url}/", lines="services\n")
    assert code == 1
    assert "1 violations:\nGET /: XML Error [4]" in output


def test_the_command_takes_objects_when_it_knows_whom_to_ask(server: SimulatorServer) -> None:
    code, output = invoke(f"{server.url}/", "--authentication-url", f"{server.url}/authenticate", lines="quit\n")
    assert code == 0
    assert "objects to http://localhost:" in output
    assert "/CGI/Execute" in output


@pytest.mark.parametrize(
    "arguments",
    [
        ("--model", "1234"),
        ("--resolve", "sso.example.edu"),
        ("--resolve", "sso.example.edu=127.0.0.1"),
        ("--ca-file", str(Path("nowhere.pem"))),
    ],
)
def test_the_command_refuses_what_it_cannot_use(arguments: tuple[str, ...]) -> None:
    assert invoke("http://localhost/", *arguments)[0] == 2


def test_the_help_lists_the_commands_of_the_phone() -> None:
    code, output = invoke("--help")
    assert code == 0
    assert "press LABEL" in output
