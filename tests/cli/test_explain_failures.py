"""``casduo explain --failures``: whose failures are shown, from which server, and what is said when there is none."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casduo.cli import main
from casduo.protocol.errors import InvalidService, InvalidTicket, ProtocolError
from casduo.protocol.failures import MOST, Attempt, FailureLog, noted
from casduo.protocol.mismatch import compare
from casduo.services.file import load_registry
from casduo.services.urls import WEB_SCHEMES, parse_service
from casduo.settings import load_settings
from casduo.store import Store
from casduo.store.embedded import EmbeddedValkey
from casduo.store.later import LaterWrites
from casduo.store.opening import running_store
from casduo.tickets.ids import TicketKind, new_session_id, new_ticket_id

ROOT = Path(__file__).parents[2]
SETTINGS = """\
server: {url: https://sso.example.edu/cas, state_directory: state}
authentication:
  - {type: users_file, path: users.yaml}
"""
REGISTRY = """\
services:
  - {id: payroll, name: Payroll, url: https://payroll.example.edu/**}
  - {id: wiki, name: Wiki, url: https://wiki.example.edu/**}
"""
PAYROLL = "https://payroll.example.edu/slips?year=2026"
PLAIN = PAYROLL.replace("https", "http")
UNKNOWN = InvalidTicket("unknown, expired or used before")

Note = Callable[..., None]
Explain = Callable[..., Result]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CASDUO_CONFIG", raising=False)
    (tmp_path / "casduo.yaml").write_text(SETTINGS)
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    return tmp_path


@pytest.fixture
def run(here: Path) -> Explain:
    return lambda *arguments: CliRunner().invoke(main, ["explain", "--failures", *arguments], catch_exceptions=False)


@pytest.fixture
def running(here: Path) -> Iterator[Store]:
    """The store of a casduo that runs on these settings."""
    settings = load_settings(here / "casduo.yaml", {})
    with EmbeddedValkey(settings.server.state_directory / "valkey"):
        store = running_store(settings)
        yield store
        store.close()


@pytest.fixture
def note(running: Store, here: Path) -> Note:
    """Notes a failed validation as the server does."""
    registry = load_registry(here / "registry.yaml", load_settings(here / "casduo.yaml", {}))
    later = LaterWrites(running)
    log = FailureLog(running, later)

    def add(error: ProtocolError, service: str = PAYROLL, ago: float = 0.0, ticket: str = "") -> None:
        ticket = ticket or str(new_ticket_id(TicketKind.SERVICE, new_session_id()))
        asked = Attempt(time.time() - ago, "/serviceValidate", service, ticket, "10.0.0.5", "K7QF-2M9D")
        log.note(noted(error, asked, registry))
        later.flush()

    return add


def mismatch(granted: str, presented: str) -> InvalidService:
    return InvalidService(mismatch=compare(granted, parse_service(presented), "payroll", WEB_SCHEMES))


def first(result: Result) -> str:
    return result.stdout.splitlines()[0]


@pytest.mark.parametrize("service", ["payroll", PAYROLL, "https://payroll.example.edu/"])
def test_failures_are_shown_by_id_and_by_address(run: Explain, note: Note, service: str) -> None:
    note(UNKNOWN, ago=60)
    note(mismatch(PAYROLL, PLAIN), PLAIN)
    note(UNKNOWN, "https://wiki.example.edu/")

    result = run(service)

    assert (result.exit_code, result.stderr) == (0, "")
    assert first(result) == "2 validations have failed for Payroll (payroll) in the last 7 days, the newest first."
    codes = re.findall(r"INVALID_\w+ at /serviceValidate", result.stdout)
    assert [code.split()[0] for code in codes] == ["INVALID_SERVICE", "INVALID_TICKET"]
    assert "  at login      https://payroll.example.edu/slips?year=[1]\n" in result.stdout
    assert "  at validation http://payroll.example.edu/slips?year=[1]\n" in result.stdout
    assert "2026" not in re.sub(r"^2026-.*|year=\[1\]", "", result.stdout, flags=re.MULTILINE)


def test_the_address_of_the_login_page_stands_for_the_application_in_it(run: Explain, note: Note) -> None:
    note(UNKNOWN)
    result = run("https://sso.example.edu/cas/login?service=https%3A%2F%2Fpayroll.example.edu%2F")
    assert first(result).startswith("1 validation has failed for Payroll (payroll)")


def test_an_address_that_no_entry_has_finds_what_was_kept_elsewhere(run: Explain, note: Note) -> None:
    note(mismatch(PAYROLL, PLAIN), PLAIN)
    note(UNKNOWN, "http://payroll.example.edu/other", ago=5)
    note(UNKNOWN, "https://games.example.net/", ago=9)

    result = run(PLAIN)

    assert first(result).startswith("2 validations have failed for payroll.example.edu, where no entry has http://")
    assert "games" not in result.stdout
    assert "  entry         no entry of the registry has this address\n" in result.stdout


def test_failures_of_addresses_that_nobody_has_can_be_asked_for(run: Explain, note: Note) -> None:
    note(UNKNOWN, "https://games.example.net/")
    result = run("unregistered")
    assert first(result).startswith("1 validation has failed for addresses that no entry of the registry has")
    assert "https://games.example.net/" in result.stdout


def test_no_failure_is_an_answer_too(run: Explain, running: Store) -> None:
    result = run("payroll")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "No validation for Payroll (payroll) has failed in the last 7 days.\n"


def test_that_no_more_are_kept_is_said(run: Explain, note: Note) -> None:
    for _ in range(MOST + 5):
        note(UNKNOWN)
    result = run("payroll")
    assert first(result).endswith("the newest first (no more than 20 are kept).")
    assert "  times         20 in a row, the first at " in result.stdout


def test_an_entry_that_has_left_the_registry_still_has_its_failures(run: Explain, note: Note, here: Path) -> None:
    note(UNKNOWN)
    (here / "registry.yaml").write_text(REGISTRY.replace("id: payroll", "id: wages"))

    assert first(run("payroll")).startswith("1 validation has failed for payroll in")


def test_json_holds_the_same_and_the_advice(run: Explain, note: Note) -> None:
    note(mismatch(PAYROLL, PLAIN), PLAIN, ago=5)
    note(UNKNOWN)
    data = json.loads(run("payroll", "--json").stdout)
    newest, oldest = data["failures"]
    assert data["service"] == "Payroll (payroll)"
    assert (newest["failure"]["cause"], oldest["failure"]["cause"]) == ("unknown", "https_lost")
    assert oldest["failure"]["difference"] == "scheme: https and http"
    assert oldest["advice"].keys() == {"happened", "cause", "remedy"}
    assert (oldest["times"], oldest["since"]) == (1, oldest["failure"]["at"])


@pytest.mark.parametrize("arguments", [("payroll",), (PAYROLL, "--json")])
def test_without_a_running_server_one_sentence_says_so(run: Explain, here: Path, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)

    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"Error: no casduo runs on the state directory {here}/state, or ")
    assert not (here / "state").exists()


def test_a_redis_that_does_not_answer_is_named(run: Explain, here: Path) -> None:
    (here / "casduo.yaml").write_text(f"{SETTINGS}redis: {{url: 'redis://127.0.0.1:1/0', timeout: 1s}}\n")
    result = run("payroll")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Redis at redis://127.0.0.1:1/0 does not answer")


@pytest.mark.parametrize(
    ("service", "complaint"),
    [
        ("pay-roll", "'pay-roll' is neither"),
        ("payroll.example.edu", "'payroll.example.edu' is neither"),
        ("https://a@payroll.example.edu/", "is refused as an address: it holds '@'"),
    ],
)
def test_what_is_neither_an_entry_nor_an_address_ends_with_1(
    run: Explain, running: Store, service: str, complaint: str
) -> None:
    result = run(service)
    assert (result.exit_code, result.stdout) == (1, "")
    assert complaint in result.stderr


@pytest.mark.parametrize(
    "option", [("--user", "ada"), ("--group", "staff"), ("--address", "10.0.0.1"), ("--all",), ("--at", "2026-01-01")]
)
def test_what_has_happened_takes_no_what_if(run: Explain, running: Store, option: tuple[str, ...]) -> None:
    result = run("payroll", *option)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--failures tells what has happened" in result.stderr
