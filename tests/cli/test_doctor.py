"""``casduo doctor``: what it prints, what it ends with, and that it leaves no trace."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from casduo.cli import main
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.duo import DuoSimulator
from casduo.store import Store
from tests.diagnosis.clinic import MAIN, REDIS_PASSWORD, WORKER, Clinic, healthy_clinic
from tests.support.served import serving_alone

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clinic(tmp_path: Path, duo: DuoSimulator, store: Store, valkey_url: str) -> Clinic:
    return healthy_clinic(tmp_path, duo, store, valkey_url)


# --- all is well -----------------------------------------------------------------------------------------------------


def test_a_healthy_installation_is_told_so_in_full(clinic: Clinic) -> None:
    result = clinic.run()
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "Settings",
        "Registry",
        "Redis",
        "Worker",
        "Events",
        "Users file (users_file)",
        f"Duo at {clinic.duo.api_host}",
        MAIN,
        "no faults, nothing to look at, 18 well",
    ]
    assert all(line.startswith("  ok ") for line in lines if line.startswith(" "))


def test_nobody_is_bothered_and_nothing_is_left_at_duo(clinic: Clinic) -> None:
    before = len(clinic.duo.users())
    clinic.examine("--user", "ada")
    assert clinic.duo.pending() == []
    assert len(clinic.duo.users()) == before
    assert clinic.duo.phone("ada").messages() == []


def test_the_log_keeps_out_of_it_and_is_back_afterwards(clinic: Clinic, caplog: pytest.LogCaptureFixture) -> None:
    clinic.settings["duo"]["auth_api"]["secret_key"] = "x" * 40
    clinic.examine()
    assert caplog.records == []
    logging.getLogger("casduo").warning("back")
    assert len(caplog.records) == 1


def test_an_installation_without_duo(clinic: Clinic) -> None:
    del clinic.settings["duo"]
    (clinic.directory / "registry.yaml").write_text("services: []\n")
    visit = clinic.examine()
    assert visit.level == "ok"
    assert "Duo is off" in visit.of("section duo", "Duo")["found"]


# --- the rest of the installation ------------------------------------------------------------------------------------


def test_settings_that_cannot_be_used_are_the_only_finding(clinic: Clinic) -> None:
    clinic.settings["sesion"] = {}
    clinic.settings["duo"]["universal"]["client_secret"] = "too-short-to-be-one"
    clinic.secrets.add("too-short-to-be-one")
    visit = clinic.examine()
    assert [each["part"] for each in visit.findings] == ["Settings"]
    assert "sesion: unknown key" in visit.of("file", "Settings")["cause"]
    assert visit.exit_code == 2


def test_settings_that_are_missing(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["doctor", "--config", str(tmp_path / "missing.yaml")])
    assert result.exit_code == 2
    assert "cannot be read" in result.output


def test_what_serving_needs_is_a_fault(clinic: Clinic) -> None:
    clinic.settings["authentication"] = []
    assert "nobody could sign in" in clinic.examine().of("file", "Settings")["cause"]
    del clinic.settings["server"]["url"]
    visit = clinic.examine("--user", "ada")
    assert "server.url: is missing" in visit.of("file", "Settings")["cause"]
    assert visit.of("section duo", "Duo")["detail"] == "redirect_uri"


def test_a_worker_that_does_not_run(clinic: Clinic, store: Store) -> None:
    store.command("DEL", WORKER)
    visit = clinic.examine()
    assert visit.unwell == {"sign of life": "no_worker"}


def test_a_redis_that_is_away_does_not_keep_duo_from_being_examined(clinic: Clinic) -> None:
    clinic.settings["redis"] = {"url": f"unix://{clinic.directory}/nobody.sock", "password": REDIS_PASSWORD}
    visit = clinic.examine()
    assert visit.unwell == {"connection": "unavailable"}
    assert visit.of("prompt")["level"] == "ok"


def test_the_command_is_there_and_says_what_it_ends_with() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "casduo", "doctor", "--help"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert "exit code 0 when all is well" in " ".join(result.stdout.split())


def test_a_server_that_runs_is_well(tmp_path: Path, authority: CertificateAuthority) -> None:
    leaf = authority.issue()
    settings = f"outbound: {{ca_file: '{authority.ca_file}'}}\nsession: {{idle: 2h}}\n"
    with serving_alone(tmp_path, tls=leaf, settings=settings, worker=True):
        words = [sys.executable, "-m", "casduo", "doctor", "--config", str(tmp_path / "casduo.yaml")]
        for _ in range(100):
            result = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
            # The worker takes a moment longer to come up than the server.
            if "none for 20 seconds" not in result.stdout:
                break
    assert result.returncode == 0, result.stdout
    assert result.stderr == ""
    assert "This server" in result.stdout
