"""What a demo is made of, piece by piece, without starting one."""

from __future__ import annotations

import dataclasses
import socket
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from casduo.authentication.passwords import Passwords
from casduo.authentication.users_document import read_users
from casduo.cli import main
from casduo.cli.check import report
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.demo.addresses import Addresses, choose_addresses
from casduo.simulators.demo.applications import APPS
from casduo.simulators.demo.configuration import write_registry, write_settings
from casduo.simulators.demo.errors import PortUnusable
from casduo.simulators.demo.people import PEOPLE
from casduo.simulators.demo.state import ARGON2, Keys, State
from tests.demo.running import PORTS, free_ports

ADDRESSES = Addresses(8443, APPS)
ELSEWHERE = Addresses(9443, APPS)


@pytest.fixture
def state(tmp_path: Path) -> State:
    """A state directory whose name is hard on configuration files."""
    directory = tmp_path / 'it\'s: a #1 "demo"'
    directory.mkdir()
    return State(directory)


def test_ports_follow_each_other_without_a_gap() -> None:
    found = [8443, *(ADDRESSES.app_port(app) for app in APPS), ADDRESSES.duo_port, ADDRESSES.control_port]
    assert found == list(ADDRESSES.ports)
    assert len(ADDRESSES.ports) == PORTS


def test_a_port_that_was_asked_for_and_is_taken_is_refused() -> None:
    first = free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first + PORTS - 1))
        taken.listen()
        with pytest.raises(PortUnusable) as caught:
            choose_addresses(first, APPS)
    assert caught.value.port == first + PORTS - 1


def test_ports_that_were_asked_for_and_are_free_are_taken() -> None:
    first = free_ports()
    assert choose_addresses(first, APPS).first == first


def test_settings_and_services_are_good_files(state: State) -> None:
    certificate, keys = state.certificate(), state.keys()
    state.complete_users()
    assert write_registry(state, ADDRESSES) == ""
    write_settings(state, ADDRESSES, certificate, keys)
    problems, settings = report(state.settings_file, None, {})
    assert problems == []
    assert settings is not None
    assert settings.server.url == ADDRESSES.cas_url
    assert settings.duo is not None
    assert settings.duo.api_host == ADDRESSES.duo_host
    assert stat.S_IMODE(state.settings_file.stat().st_mode) == 0o600


def test_services_nobody_edited_move_to_other_ports(state: State) -> None:
    write_registry(state, ADDRESSES)
    assert write_registry(state, ELSEWHERE) == ""
    assert "localhost:9444/**" in state.registry_file.read_text(encoding="utf-8")


def test_services_that_somebody_edited_stay_and_do_not_fit_other_ports(state: State) -> None:
    write_registry(state, ADDRESSES)
    edited = state.registry_file.read_text(encoding="utf-8") + "# mine\n"
    state.registry_file.write_text(edited, encoding="utf-8")
    assert write_registry(state, ADDRESSES) == ""
    note = write_registry(state, ELSEWHERE)
    assert "https://localhost:9444 (Library) and https://localhost:9445 (Payroll)" in note
    assert state.registry_file.read_text(encoding="utf-8") == edited


def test_deleted_services_come_back(state: State) -> None:
    write_registry(state, ADDRESSES)
    state.registry_file.unlink()
    assert write_registry(state, ELSEWHERE) == ""
    assert state.registry_file.exists()


def test_everybody_has_the_password_that_is_printed(state: State) -> None:
    state.complete_users()
    users = read_users(state.users_file.read_text(encoding="utf-8"), "users.yaml")
    passwords = Passwords(ARGON2)
    for person in PEOPLE:
        user = users[person.username]
        assert passwords.matches(user.password, person.password)
        assert (user.name, user.attributes["mail"]) == (person.name, (f"{person.username}@example.edu",))


def test_users_that_somebody_edited_stay_and_missing_ones_come_back(state: State) -> None:
    state.complete_users()
    before = state.users_file.read_text(encoding="utf-8")
    lines = before.splitlines(keepends=True)
    start = next(number for number, line in enumerate(lines) if line.startswith("linus:"))
    state.users_file.write_text("# mine\n" + "".join(lines[:start]), encoding="utf-8")
    state.complete_users()
    after = state.users_file.read_text(encoding="utf-8")
    assert after.startswith("# mine\n" + "".join(lines[:start]))
    assert "linus:" in after


def test_keys_stay_and_are_for_their_owner_only(state: State) -> None:
    keys = state.keys()
    assert state.keys() == keys
    assert all(value not in repr(keys) for value in (keys.duo_client_secret, keys.apps_secret))
    assert stat.S_IMODE((state.directory / "keys.json").stat().st_mode) == 0o600
    assert dataclasses.asdict(keys).keys() == dataclasses.asdict(Keys()).keys()


def test_the_certificate_stays_as_long_as_it_is_good(state: State) -> None:
    certificate = state.certificate()
    first = certificate.cert.read_bytes()
    assert state.certificate().cert.read_bytes() == first
    CertificateAuthority.create(certificate.ca.parent, "somebody new")
    assert state.certificate().cert.read_bytes() != first


def test_a_certificate_without_its_key_is_replaced(state: State) -> None:
    certificate = state.certificate()
    first = certificate.cert.read_bytes()
    certificate.key.unlink()
    assert state.certificate().cert.read_bytes() != first


def test_stand_ins_can_be_run_alone() -> None:
    result = CliRunner().invoke(main, ["simulate", "duo", "--help"])
    assert result.exit_code == 0
    assert "--control-port" in result.output
