"""Everything a test can do to the simulator in its own process, the control interface can do from outside."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from requests.exceptions import ConnectionError as NoConnection

from casduo.simulators.server import SimulatorServer
from casduo.simulators.ucm import UcmSimulator
from casduo.simulators.ucm.control import COMMANDS, control_server
from tests.simulators.ucm.conftest import OTHER_PHONE, PHONE, PLAIN_PHONE, AxlClient, EmClient

Control = Callable[..., Any]


@pytest.fixture
def server(ucm: UcmSimulator) -> Iterator[SimulatorServer]:
    with control_server(ucm) as running:
        yield running


@pytest.fixture
def control(server: SimulatorServer) -> Control:
    """Sends a command and returns its result; a refusal fails the test."""

    def send(do: str, **arguments: Any) -> Any:
        answer = requests.post(f"{server.url}/_control", json={"do": do, **arguments}, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    return send


def refused(server: SimulatorServer, document: Any) -> tuple[int, str]:
    headers = {"Content-Type": "application/json"}
    answer = requests.post(f"{server.url}/_control", json.dumps(document), headers=headers, timeout=10)
    return answer.status_code, answer.json()["error"]


class TestLooking:
    def test_the_state_is_told_without_secrets(self, ucm: UcmSimulator, server: SimulatorServer) -> None:
        ucm.log_in(PHONE, "ada")
        answer = requests.get(f"{server.url}/_control", timeout=10)
        state = answer.json()
        assert [node["node"] for node in state["nodes"]] == [1, 2, 3]
        phones = {phone["name"]: phone for phone in state["phones"]}
        assert (phones[PHONE]["login"]["user"], phones[OTHER_PHONE]["login"]) == ("ada", None)
        assert state["application_users"][0] == {"name": "axl", "roles": ["axl"]}
        for secret in ("1815", "Analytical", "Secret"):
            assert secret not in answer.text

    def test_help_names_every_command(self, control: Control) -> None:
        assert set(control("help")) == set(COMMANDS)

    def test_requests_can_be_read_and_forgotten(self, control: Control, axl: AxlClient) -> None:
        axl.pin("ada", "1815")
        axl("getCCMVersion")
        (record,) = control("requests", operation="doAuthenticateUser")
        assert record["parameters"] == {"userid": "ada", "pin": "[hidden]"}
        control("clear_requests")
        assert control("requests") == []


class TestPeopleAndPhones:
    def test_somebody_comes_changes_and_goes(self, ucm: UcmSimulator, control: Control, axl: AxlClient) -> None:
        control("add_user", userid="margaret", pin="1969", mail="m@example.edu", profiles=["m"], last_name="Hamilton")
        assert axl.pin("margaret", "1969").text("userAuthenticated") == "true"
        control("change_user", userid="margaret", profiles=["m", "moon"], default_profile="moon", pin_expires_in_days=2)
        user = ucm.user("margaret")
        assert (user.last_name, user.profiles, user.default_profile) == ("Hamilton", ["m", "moon"], "moon")
        assert ucm.log_in(PHONE, "margaret").profile == "moon"
        assert control("change_user", userid="margaret", pin_expires_in_days=-1)["pin_expires_in_days"] is None
        control("remove_user", userid="margaret")
        assert ucm.login_of(PHONE) is None

    def test_pins_are_changed_and_unlocked(self, ucm: UcmSimulator, control: Control, axl: AxlClient) -> None:
        for _ in range(3):
            axl.pin("ada", "0000")
        control("unlock", userid="ada")
        assert not ucm.locked("ada")
        control("change_pin", userid="ada", pin="1852")
        assert axl.pin("ada", "1852").text("userAuthenticated") == "true"

    def test_phones_and_profiles(self, ucm: UcmSimulator, control: Control) -> None:
        control("add_phone", name="SEP0000000000AA", enabled=False, model="Cisco 7841")
        control("change_phone", name="SEP0000000000AA", enabled=True, description="Gate")
        phone = ucm.phone("SEP0000000000AA")
        assert (phone.enabled, phone.model, phone.description) == (True, "Cisco 7841", "Gate")
        control("remove_phone", name="SEP0000000000AA")
        control("add_profile", name="night", description="Night shift")
        assert "night" in [profile.name for profile in ucm.profiles()]
        control("remove_profile", name="night")
        assert "night" not in [profile.name for profile in ucm.profiles()]

    def test_programs_get_accounts(self, control: Control, axl: AxlClient) -> None:
        control("add_application_user", name="portal", password="open", roles=["axl-read"])
        assert axl("getCCMVersion", account=("portal", "open")).status == 200

    def test_logins_by_hand(self, control: Control) -> None:
        assert (
            control("log_in", device=PHONE, userid="ada", profile="ada-office", seconds=60)["profile"] == "ada-office"
        )
        assert control("login_of", device=PHONE)["user"] == "ada"
        control("advance", seconds=60)
        assert control("login_of", device=PHONE) is None
        control("log_in", device=PHONE, userid="ada")
        control("log_out", device=PHONE)
        assert control("login_of", device=PHONE) is None


class TestPolicy:
    def test_settings_change_and_are_told(self, ucm: UcmSimulator, control: Control) -> None:
        told = control(
            "policy",
            multiple_login="allow",
            axl_keeps_policy=True,
            max_concurrent=2,
            lockout_seconds=60,
            maximum_login_seconds=0,
            axl_versions=["15.0"],
        )
        policy = ucm.policy
        assert (policy.multiple_login, policy.axl_keeps_policy, policy.max_concurrent) == ("allow", True, 2)
        assert (policy.lockout_seconds, policy.maximum_login_seconds, policy.axl_versions) == (60.0, None, ("15.0",))
        assert told["axl_versions"] == ["15.0"]

    @pytest.mark.parametrize(
        "change",
        [
            {"multiple_login": "sometimes"},
            {"max_concurrent": 1.5},
            {"lockout_seconds": -1},
            {"axl_keeps_policy": "yes"},
            {"axl_versions": []},
        ],
    )
    def test_what_is_wrong_changes_nothing(
        self, ucm: UcmSimulator, server: SimulatorServer, change: dict[str, object]
    ) -> None:
        status, _ = refused(server, {"do": "policy", "own_profiles_only": False, **change})
        assert status == 400
        assert ucm.policy.own_profiles_only


class TestFaults:
    def test_answers_of_one_node(self, control: Control, axl: AxlClient) -> None:
        control("answer", kind="unavailable", node=2, operation="getCCMVersion", times=1)
        assert [axl("getCCMVersion", node=node).status for node in (0, 1, 1)] == [200, 503, 200]

    def test_without_a_node_all_are_meant(self, control: Control, axl: AxlClient) -> None:
        control("answer", kind="html")
        assert [axl("getCCMVersion", node=node).response.text[:6] for node in range(3)] == ["<html>"] * 3
        control("clear_faults", node=3)
        assert axl("getCCMVersion", node=2).text("version")

    def test_answers_are_spoiled_refused_and_overwritten(
        self, ucm: UcmSimulator, control: Control, axl: AxlClient, em: EmClient
    ) -> None:
        control("spoil", kind="lost", operation="doDeviceLogin")
        with pytest.raises(NoConnection):
            axl.log_in(PHONE, "ada", "ada-ward")
        assert ucm.login_of(PHONE) is not None
        control("refuse", code=26, operation="login", times=1)
        assert em.log_in(OTHER_PHONE, "grace").code == 26
        control("overwrite", operation="doAuthenticateUser", element="userAuthenticated", text="f")
        assert axl.pin("ada", "1815").text("userAuthenticated") == "f"
        control("overwrite", operation="doAuthenticateUser", element="userAuthenticated")
        assert axl.pin("ada", "1815").texts("userAuthenticated") == []

    @pytest.mark.parametrize(
        "command",
        [{"do": "cut"}, {"do": "reset"}, {"do": "listen", "on": False}, {"do": "certificate", "kind": "expired"}],
    )
    def test_connections_fail(self, control: Control, axl: AxlClient, command: dict[str, Any]) -> None:
        control(**command, node=1)
        with pytest.raises(NoConnection):
            axl("getCCMVersion")
        assert axl("getCCMVersion", node=1).status == 200
        control("clear_faults")
        control("listen", on=True)
        control("certificate", kind=None)
        assert axl("getCCMVersion").status == 200

    @pytest.mark.parametrize(
        "command",
        [
            {"do": "work", "seconds": 30, "operation": "getCCMVersion"},
            {"do": "delay", "seconds": 30},
            {"do": "silence"},
            {"do": "mute", "on": True},
            {"do": "spoil", "kind": "hang"},
        ],
    )
    def test_nodes_are_slow(self, control: Control, axl: AxlClient, command: dict[str, Any]) -> None:
        control(**command, node=1)
        with pytest.raises((requests.exceptions.Timeout, NoConnection)):
            axl("getCCMVersion", timeout=0.3)

    def test_services_end_and_begin(self, control: Control, axl: AxlClient) -> None:
        control("services", names=["em"], node=1)
        assert axl("getCCMVersion").status == 404
        control("services", names=["axl", "em"])
        assert axl("getCCMVersion").status == 200


class TestWhatIsWrong:
    @pytest.mark.parametrize(
        ("document", "status"),
        [
            ([], 400),
            ({}, 400),
            ({"do": "nothing"}, 400),
            ({"do": "log_in", "device": PLAIN_PHONE, "userid": "ada"}, 400),
            ({"do": "unlock", "userid": "nobody"}, 404),
            ({"do": "add_user", "userid": "ada"}, 400),
            ({"do": "add_phone", "name": PHONE}, 400),
            ({"do": "answer", "kind": "html", "node": 4}, 400),
            ({"do": "services", "names": ["ris"]}, 400),
            ({"do": "add_application_user", "name": "x", "password": "y", "roles": ["root"]}, 400),
        ],
    )
    def test_a_command_says_what(self, server: SimulatorServer, document: Any, status: int) -> None:
        assert refused(server, document)[0] == status

    def test_pages_of_other_sites_are_kept_out(self, server: SimulatorServer) -> None:
        url = f"{server.url}/_control"
        assert requests.post(url, '{"do": "help"}', timeout=10).status_code == 415
        headers = {"Host": "evil.example.org:80", "Content-Type": "application/json"}
        assert requests.post(url, '{"do": "help"}', headers=headers, timeout=10).status_code == 403
        assert requests.get(server.url, timeout=10).status_code == 404
