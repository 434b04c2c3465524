"""What a demo is made of, piece by piece, without starting one."""

from __future__ import annotations

import dataclasses
import json
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
from casduo.simulators.demo.people import APPROVER, PEOPLE
from casduo.simulators.demo.state import ARGON2, Keys, State
from casduo.simulators.demo.ucm import PHONES, ucm_simulator
from casduo.simulators.demo.webex import space, webex_simulator
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
    found += [ADDRESSES.ip_phones_port, *ADDRESSES.ucm_ports, ADDRESSES.ucm_control_port]
    found += [ADDRESSES.webex_port, ADDRESSES.webex_control_port]
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
    write_settings(state, ADDRESSES, certificate, keys, "a-space")
    problems, settings = report(state.settings_file, None, {})
    assert problems == []
    assert settings is not None
    assert settings.server.url == ADDRESSES.cas_url
    assert settings.duo is not None
    assert settings.duo.api_host == ADDRESSES.duo_host
    assert settings.ucm is not None
    assert settings.ucm.em is not None
    assert settings.ucm.axl.servers == settings.ucm.em.servers == ADDRESSES.ucm_servers
    assert settings.ucm.axl.password.get_secret_value() == keys.ucm_axl_password
    assert settings.ucm.em.password.get_secret_value() == keys.ucm_em_password
    assert settings.webex is not None
    assert (settings.webex.base_url, settings.webex.room) == (ADDRESSES.webex_api_url, "a-space")
    assert settings.webex.token.get_secret_value() == keys.webex_token
    assert settings.webex.webhook.secret is not None
    assert settings.webex.webhook.secret.get_secret_value() == keys.webex_webhook_secret
    assert stat.S_IMODE(state.settings_file.stat().st_mode) == 0o600


def test_services_nobody_edited_move_to_other_ports(state: State) -> None:
    write_registry(state, ADDRESSES)
    assert write_registry(state, ELSEWHERE) == ""
    written = state.registry_file.read_text(encoding="utf-8")
    assert "localhost:9444/**" in written
    assert "localhost:9443/em/**" in written


def test_services_that_somebody_edited_stay_and_do_not_fit_other_ports(state: State) -> None:
    write_registry(state, ADDRESSES)
    edited = state.registry_file.read_text(encoding="utf-8") + "# mine\n"
    state.registry_file.write_text(edited, encoding="utf-8")
    assert write_registry(state, ADDRESSES) == ""
    note = write_registry(state, ELSEWHERE)
    assert "https://localhost:9444 (Library) and https://localhost:9445 (Payroll)" in note
    assert "https://localhost:9443/em (IP phones)" in note
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
    secrets = (keys.duo_client_secret, keys.apps_secret, keys.ucm_axl_password, keys.ucm_em_password)
    secrets += (keys.webex_token, keys.webex_webhook_secret)
    assert all(value not in repr(keys) for value in secrets)
    assert stat.S_IMODE((state.directory / "keys.json").stat().st_mode) == 0o600
    assert dataclasses.asdict(keys).keys() == dataclasses.asdict(Keys()).keys()


def test_keys_that_an_earlier_demo_did_not_have_are_made_and_stay(state: State) -> None:
    earlier = dataclasses.asdict(state.keys())
    del earlier["ucm_axl_password"], earlier["ucm_em_password"]
    (state.directory / "keys.json").write_text(json.dumps(earlier), encoding="utf-8")
    keys = state.keys()
    assert keys.apps_secret == earlier["apps_secret"]
    assert state.keys() == keys


def test_the_ucm_knows_everybody_and_every_phone(state: State) -> None:
    ucm = ucm_simulator(ADDRESSES, state.certificate(), state.keys())
    assert [phone.name for phone in ucm.phones()] == [phone.device for phone in PHONES]
    assert ucm.servers == list(ADDRESSES.ucm_servers)
    for person in PEOPLE:
        user = ucm.user(person.username)
        assert user.profiles == [profile.name for profile in person.profiles]
        assert user.default_profile in ("", *user.profiles)
        assert (user.mail, user.display_name) == (f"{person.username}@example.edu", person.name)


def test_there_are_people_with_no_profile_with_one_and_with_several() -> None:
    assert {min(len(person.profiles), 2) for person in PEOPLE} == {0, 1, 2}
    assert any(len(person.profiles) > 1 and person.default_profile for person in PEOPLE)
    assert all(person.pin.isdigit() and len(person.pin) >= 4 for person in PEOPLE)
    names = [profile.name for person in PEOPLE for profile in person.profiles]
    assert len(names) == len(set(names))


def test_webex_knows_everybody_and_the_staff_are_in_the_space(state: State) -> None:
    webex = webex_simulator(ADDRESSES, state.certificate(), state.keys(), state)
    people = {person.email: person for person in webex.people() if person.type == "person"}
    assert people.keys() == {person.email for person in PEOPLE}
    members = set(space(webex).members)
    for person in PEOPLE:
        assert (people[person.email].id in members) == ("staff" in person.groups)
    assert people[APPROVER.email].id in members
    (bot,) = (person for person in webex.people() if person.type == "bot")
    assert (bot.id in members, bot.token) == (True, state.keys().webex_token)


def test_webex_goes_on_where_it_was_and_gives_no_id_twice(state: State) -> None:
    certificate, keys = state.certificate(), state.keys()
    first = webex_simulator(ADDRESSES, certificate, keys, state)
    first.save(state.webex_file)
    unsaved = first.post(APPROVER.email, space(first).id, "lost")
    second = webex_simulator(ELSEWHERE, certificate, keys, state)
    assert second.people() == first.people()
    assert space(second).id == space(first).id
    assert second.post(APPROVER.email, space(second).id, "kept").id != unsaved.id


def test_webex_begins_anew_where_what_it_saved_cannot_be_read_and_takes_a_new_token(state: State) -> None:
    certificate, keys = state.certificate(), state.keys()
    state.webex_file.write_text("{}", encoding="utf-8")
    webex = webex_simulator(ADDRESSES, certificate, keys, state)
    webex.save(state.webex_file)
    other = webex_simulator(ADDRESSES, certificate, Keys(), state)
    assert [person.email for person in other.people()] == [person.email for person in webex.people()]
    assert {person.token for person in other.people() if person.type == "bot"}.isdisjoint({keys.webex_token})


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
