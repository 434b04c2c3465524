"""The units of ``deploy/systemd``: systemd understands every line, they are closed tightly, and the settings take what
they hand over.
"""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from casduo.cli import main
from casduo.settings import load_settings
from tests.support.proxies import DEPLOY

FOLDER = DEPLOY / "systemd"
UNITS = ("casduo.service", "casduo-worker.service")
MOST_EXPOSED = 15
"""Tenths of systemd's measure from 0 (closed) to 10 (open). What is left: the network, which it is there for."""


class Unit(configparser.RawConfigParser):
    """A unit file, of which keys may stand several times."""

    def __init__(self, name: str) -> None:
        super().__init__(strict=False, interpolation=None)
        self.text = (FOLDER / name).read_text(encoding="utf-8")
        self.optionxform = str  # type: ignore[assignment, method-assign]
        self.read_string(self.text)

    def all(self, key: str) -> list[str]:
        return re.findall(rf"^{key}=(.*)$", self.text, re.MULTILINE)


def systemd(*arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which(arguments[0]) is None:
        raise RuntimeError(f"{arguments[0]} is missing: apt-get install systemd (bin/test does it)")
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units as they would lie in a system, with a program where they look for one."""
    directory = tmp_path_factory.mktemp("units")
    program = directory / "casduo"
    program.write_text("#!/bin/sh\n", encoding="ascii")
    program.chmod(0o755)
    for name in UNITS:
        text = (FOLDER / name).read_text(encoding="utf-8").replace("/opt/casduo/bin/casduo", str(program))
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def test_systemd_understands_every_line(installed: Path) -> None:
    done = systemd("systemd-analyze", "verify", "--man=no", *(str(installed / name) for name in UNITS))
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "casduo" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.parametrize("name", UNITS)
def test_units_are_closed_tightly(name: str) -> None:
    done = systemd(
        "systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(FOLDER / name)
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", UNITS)
def test_commands_of_the_units_exist_and_take_their_options(name: str) -> None:
    command = Unit(name).get("Service", "ExecStart").split()
    assert command[0] == "/opt/casduo/bin/casduo"
    assert command[2:] == ["--config", "/etc/casduo/casduo.yaml"]
    done = CliRunner().invoke(main, [command[1], "--help"])
    assert done.exit_code == 0
    assert "--config" in done.output


@pytest.mark.parametrize("name", UNITS)
def test_settings_take_the_secrets_that_a_unit_hands_over(name: str, tmp_path: Path) -> None:
    unit = Unit(name)
    environ = dict(line.split("=", 1) for line in unit.all("Environment") if line.startswith("CASDUO_"))
    credentials = {line.partition(":")[0] for line in unit.all("LoadCredential")}
    assert {value.removeprefix("%d/") for value in environ.values()} == credentials
    for credential in credentials:
        (tmp_path / credential).write_text(f"{credential}-".ljust(40, "x") + "\n", encoding="ascii")
    path = tmp_path / "casduo.yaml"
    path.write_text(
        "server: {url: https://sso.example.edu/cas, worker: false}\n"
        "redis: {url: 'rediss://redis.example.edu:6379/0'}\n"
        "authentication: [{type: ldap, servers: [ldaps://ldap.example.edu], bind_dn: cn=x, base: dc=x}]\n"
        "duo: {api_host: api-1.duosecurity.com, universal: {client_id: DIXXXXXXXXXXXXXXXXXX},\n"
        "  auth_api: {integration_key: DIYYYYYYYYYYYYYYYYYY}}\n",
        encoding="ascii",
    )
    settings = load_settings(path, {name: value.replace("%d", str(tmp_path)) for name, value in environ.items()})
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value().startswith("secret_key-")
    assert settings.redis.password is not None
    assert settings.redis.password.get_secret_value().startswith("redis_password-")
    assert settings.duo is not None


def test_both_units_are_the_same_account_with_one_state_directory() -> None:
    units = [Unit(name) for name in UNITS]
    for key in ("User", "Group", "StateDirectory", "StateDirectoryMode", "UMask"):
        assert len({unit.get("Service", key) for unit in units}) == 1
    assert {unit.get("Service", "User") for unit in units} == {"casduo"}


def test_the_account_can_be_made(tmp_path: Path) -> None:
    done = systemd("systemd-sysusers", "--dry-run", f"--root={tmp_path}", str(FOLDER / "casduo.sysusers"))
    assert done.returncode == 0, done.stderr
    assert "casduo" in done.stdout + done.stderr


def test_the_worker_ends_before_an_embedded_valkey_does() -> None:
    """What is started after something else is stopped before it."""
    assert "casduo.service" in Unit("casduo-worker.service").get("Unit", "After").split()
