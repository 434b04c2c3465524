"""Everything a test can do to the simulator in its own process, the control interface can do from outside."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duo_client
import pytest
import requests

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.control import COMMANDS, control_server
from casduo.simulators.duo.model import Application
from casduo.simulators.server import SimulatorServer
from tests.simulators.duo.conftest import Refusal

Control = Callable[..., Any]
RefusalOf = Callable[[Callable[[], object]], Refusal]


@pytest.fixture
def server(duo: DuoSimulator) -> Iterator[SimulatorServer]:
    with control_server(duo) as running:
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


class TestPeople:
    def test_users_are_added_changed_and_removed(self, control: Control, auth: duo_client.Auth) -> None:
        user = control("add_user", username="Ada", bypass_codes=["123456789"])
        assert (user["username"], user["status"], len(user["devices"])) == ("ada", "active", 1)
        assert auth.auth("passcode", username="ada", passcode="123456789")["result"] == "allow"
        assert control("set_status", username="ada", status="disabled")["status"] == "disabled"
        assert auth.preauth(username="ada")["result"] == "deny"
        control("remove_user", username="ada")
        assert auth.preauth(username="ada")["result"] == "enroll"

    def test_devices_can_be_described(self, control: Control, auth: duo_client.Auth) -> None:
        devices = [
            {"type": "phone", "name": "old", "number": "5550100", "capabilities": ["sms"]},
            {"type": "token", "serial": "777"},
        ]
        control("add_user", username="ada", devices=devices)
        phone, token = auth.preauth(username="ada")["devices"]
        assert (phone["capabilities"], phone["number"], token["name"]) == (["sms"], "XXX-XXX-0100", "777")

    def test_requests_are_answered(self, duo: DuoSimulator, control: Control, auth: duo_client.Auth) -> None:
        control("add_user", username="ada")
        txid = auth.auth("push", username="ada", device="auto", async_txn=True)["txid"]
        assert control("state")["pending"][0]["username"] == "ada"
        assert control("reply", username="ada", reply="approve")["status"] == "allow"
        assert auth.auth_status(txid)["success"]

    def test_replies_can_be_scripted(self, control: Control, auth: duo_client.Auth) -> None:
        control("add_user", username="ada")
        control("script", username="ada", reply="deny")
        assert auth.auth("push", username="ada", device="auto")["status"] == "deny"
        control("script", username="ada", reply=None)
        assert control("state")["pending"] == []

    def test_every_button_can_be_pressed(self, duo: DuoSimulator, control: Control, auth: duo_client.Auth) -> None:
        control("add_user", username="ada")
        auth.auth("phone", username="ada", device="auto", async_txn=True)
        assert control("reply", username="ada", reply="pick_up")["status"] == "answered"
        assert control("reply", username="ada", reply="ignore")["dismissed"] is True
        assert control("reply", username="ada", reply="push_failed")["status"] == "push_failed"
        assert control("reply", username="ada", reply="fraud")["status"] == "fraud"

    def test_scripts_may_have_steps_and_come_with_the_user(
        self, duo: DuoSimulator, control: Control, auth: duo_client.Auth
    ) -> None:
        steps = {"reply": "push_failed", "after": 1, "then": {"reply": "approve", "after": 2}}
        user = control("add_user", username="ada", script=steps)
        assert user["script"]["then"]["reply"] == "approve"
        control("script", username="ada", **steps)
        txid = auth.auth("push", username="ada", device="auto", async_txn=True)["txid"]
        control("advance", seconds=3)
        assert auth.auth_status(txid)["success"]

    def test_the_code_of_a_verified_push_can_be_typed(
        self, control: Control, auth: duo_client.Auth, authapi: Application
    ) -> None:
        control("add_user", username="ada")
        changed = control("change_application", integration_key=authapi.integration_key, verified_push=True)
        assert (changed["verified_push"], changed["remembered_devices"]) == (True, False)
        networks = ["192.0.2.0/24"]
        changed = control("change_application", integration_key=authapi.integration_key, trusted_networks=networks)
        assert (changed["verified_push"], changed["trusted_networks"]) == (True, networks)
        txid = auth.auth("push", username="ada", device="auto", async_txn=True)["txid"]
        code = control("state")["pending"][0]["verification_code"]
        assert control("enter_code", username="ada", code="12") is False
        assert control("enter_code", username="ada", code=code) is True
        assert auth.auth_status(txid)["success"]

    def test_messages_and_invitations_can_be_read(self, duo: DuoSimulator, control: Control) -> None:
        control("add_user", username="ada", devices=[{"number": "555", "activated": False}])
        application = duo.add_application("authapi")
        client = duo_client.Auth(
            application.integration_key,
            application.secret_key,
            duo.host,
            ca_certs=str(duo.ca_file),
            port=duo.port,
            timeout=10,
        )
        client.auth("sms", username="ada", device="auto")
        assert control("messages", username="ada") == duo.phone("ada").messages()
        duo.change_type(application.integration_key, "admin")
        client.json_api_call("POST", "/admin/v1/users/enroll", {"username": "grace", "email": "g@example.org"})
        assert control("mails")[0]["address"] == "g@example.org"

    def test_passcodes_can_be_read(self, control: Control, auth: duo_client.Auth) -> None:
        control("add_user", username="ada")
        passcode = control("passcode", username="ada")
        assert auth.auth("passcode", username="ada", passcode=passcode)["result"] == "allow"

    def test_codes_can_be_scanned(self, control: Control, auth: duo_client.Auth) -> None:
        code = auth.enroll("grace")["activation_code"]
        assert control("activate", activation_code=code) is True
        assert control("activate", activation_code=code) is False

    def test_the_policy_can_be_set(self, control: Control, auth: duo_client.Auth) -> None:
        control("new_user_policy", policy="allow")
        assert auth.preauth(username="grace")["result"] == "allow"

    def test_settings_can_be_read_and_changed(self, duo: DuoSimulator, control: Control, auth: duo_client.Auth) -> None:
        assert control("settings")["lockout_threshold"] == 10
        told = control("settings", lockout_threshold=1, poll_hold=0.5, username_rule="simple", new_user_policy="deny")
        assert (told["lockout_threshold"], told["poll_hold"], told["sms_batch"]) == (1, 0.5, 3)
        assert (duo.settings.username_rule, duo.new_user_policy) == ("simple", "deny")
        assert isinstance(duo.settings.lockout_threshold, int)
        control("add_user", username="ada")
        auth.auth("passcode", username="ADA@example.org", passcode="000000000")
        assert control("state")["users"][0]["status"] == "locked out"

    def test_the_rest_can_be_set_too(
        self, duo: DuoSimulator, control: Control, auth: duo_client.Auth, refusal_of: RefusalOf
    ) -> None:
        control("auto_push", on=False)
        assert duo.auto_push is False
        control("allow", type="authapi", paths=["/auth/v2/check"])
        assert refusal_of(lambda: auth.preauth(username="ada")).code == 40301

    def test_one_can_wait_until_somebody_waits(
        self, duo: DuoSimulator, control: Control, server: SimulatorServer, auth: duo_client.Auth
    ) -> None:
        assert refused(server, {"do": "await_polls", "timeout": 0.01}) == (
            504,
            "fewer than 1 requests wait for a person",
        )
        control("add_user", username="ada")
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(auth.auth, "push", username="ada", device="auto")
            control("await_polls", count=1)
            control("advance", seconds=60)
            assert asking.result(10)["status"] == "timeout"


class TestApplications:
    def test_they_are_added_changed_and_removed(
        self, duo: DuoSimulator, control: Control, auth: duo_client.Auth, authapi: Application, refusal_of: RefusalOf
    ) -> None:
        added = control("add_application", type="websdk", name="Portal", redirect_uris=["https://a.example/"])
        assert len(added["secret_key"]) == 40
        assert added["redirect_uris"] == ["https://a.example/"]
        key = authapi.integration_key
        assert control("change_type", integration_key=key, type="admin")["type"] == "admin"
        assert refusal_of(auth.check).code == 40301
        assert control("rotate_secret", integration_key=key)["secret_key"] != authapi.secret_key
        assert refusal_of(auth.check).code == 40103
        control("remove_application", integration_key=key)
        assert refusal_of(auth.check).code == 40102
        assert "secret_key" not in str(control("state"))


class TestFaults:
    def test_answers_refusals_and_clocks(
        self, duo: DuoSimulator, control: Control, auth: duo_client.Auth, refusal_of: RefusalOf
    ) -> None:
        control("answer", path="/auth/v2/check", kind="html", times=1)
        assert refusal_of(auth.check).code is None
        control("refuse", path="/auth/v2/check", code=50000)
        assert refusal_of(auth.check).code == 50000
        control("clock_offset", seconds=400)
        assert refusal_of(auth.check).code == 40105
        control("id_token", kind="expired")
        control("callback", kind="no_state")
        assert (duo.faults.id_token, duo.faults.callback) == ("expired", "no_state")
        control("clear_faults")
        assert "time" in auth.check()
        assert (duo.faults.id_token, duo.faults.callback) == (None, None)

    def test_answers_can_be_overwritten(self, control: Control, server: SimulatorServer, auth: duo_client.Auth) -> None:
        control("overwrite", path="/auth/v2/check", members={"time": "noon"})
        assert auth.check() == {"time": "noon"}
        control("overwrite", path="/auth/v2/check", members={})
        assert auth.check() != {"time": "noon"}
        assert refused(server, {"do": "overwrite", "members": []}) == (400, "members must be an object")

    def test_a_rate_limit_may_say_when_to_come_back(self, duo: DuoSimulator, control: Control) -> None:
        control("refuse", path="/auth/v2/ping", code=42901, retry_after=3)
        answer = requests.get(f"{duo.base_url}/auth/v2/ping", verify=str(duo.ca_file), timeout=10)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")

    @pytest.mark.usefixtures("leaks_collected")
    def test_connections_are_reset_or_meet_silence(
        self, duo: DuoSimulator, control: Control, auth: duo_client.Auth
    ) -> None:
        control("reset", path="/auth/v2/ping", times=1)
        with pytest.raises(ConnectionResetError):
            auth.ping()
        control("mute", on=True)
        assert duo.transport.silent_connections
        control("mute", on=False)
        assert "time" in auth.ping()

    @pytest.mark.usefixtures("leaks_collected")
    def test_certificates(self, authority: CertificateAuthority) -> None:
        with DuoSimulator(authority.issue(), authority=authority) as duo, control_server(duo) as server:
            steer = f"{server.url}/_control"
            requests.post(steer, json={"do": "certificate", "kind": "expired"}, timeout=10).raise_for_status()
            with pytest.raises(requests.exceptions.SSLError):
                requests.get(duo.base_url, verify=str(duo.ca_file), timeout=10)
            requests.post(steer, json={"do": "certificate", "kind": None}, timeout=10).raise_for_status()
            assert requests.get(duo.base_url, verify=str(duo.ca_file), timeout=10).status_code == 200

    @pytest.mark.usefixtures("leaks_collected")
    def test_the_network(self, duo: DuoSimulator, control: Control, auth: duo_client.Auth) -> None:
        control("listen", on=False)
        with pytest.raises(ConnectionRefusedError):
            auth.ping()
        control("listen", on=True)
        control("cut", path="/auth/v2/ping", after=0, times=1)
        with pytest.raises(http.client.HTTPException):
            auth.ping()
        control("delay", path="/auth/v2/check", seconds=1, jitter=1)
        control("silence", path="/auth/v2/check")
        treatment = duo.transport.treatment("/auth/v2/check")
        assert treatment.silent
        assert treatment.delay >= 1.0
        control("clear_faults")
        assert "time" in auth.check()


class TestRequests:
    def test_they_can_be_read_and_cleared(self, control: Control, auth: duo_client.Auth) -> None:
        auth.ping()
        auth.check()
        assert [record["path"] for record in control("requests")] == ["/auth/v2/ping", "/auth/v2/check"]
        assert [record["status"] for record in control("requests", path="/auth/v2/check")] == [200]
        control("clear_requests")
        assert control("requests") == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("document", "text"),
        [
            ([], "JSON object"),
            ({}, "do must be one of"),
            ({"do": "dance"}, "do must be one of"),
            ({"do": "add_user"}, "username must be a text"),
            ({"do": "add_user", "username": "ada", "status": "asleep"}, "status must be one of"),
            ({"do": "add_user", "username": "ada", "devices": "phone"}, "devices must be a list of objects"),
            ({"do": "add_user", "username": "ada", "devices": [{"capabilities": ["fly"]}]}, "capabilities must be"),
            ({"do": "add_user", "username": "ada", "bypass_codes": [1]}, "bypass_codes must be a list of texts"),
            ({"do": "clock_offset", "seconds": "many"}, "seconds must be a number"),
            ({"do": "silence", "times": 0}, "times must be a whole number"),
            ({"do": "listen", "on": "yes"}, "on must be true or false"),
            ({"do": "settings", "memory": 0}, "memory must be above 0"),
            ({"do": "settings", "sms_batch": 1.5}, "sms_batch must be above 0, and a whole number"),
            ({"do": "settings", "poll_hold": float("inf")}, "poll_hold must be a number"),
            ({"do": "settings", "username_rule": "loud"}, "username_rule must be one of"),
            ({"do": "allow", "type": "admin"}, "paths must be a list"),
            ({"do": "add_user", "username": "ada", "script": "approve"}, "script must be an object"),
            ({"do": "add_user", "username": "ada", "script": {"reply": "approve", "after": -1}}, "before being asked"),
            ({"do": "certificate", "kind": "expired"}, "its authority"),
        ],
    )
    def test_what_is_wrong_is_said(self, server: SimulatorServer, document: Any, text: str) -> None:
        status, error = refused(server, document)
        assert status == 400
        assert text in error

    def test_what_is_not_there_is_said(self, server: SimulatorServer, duo: DuoSimulator) -> None:
        assert refused(server, {"do": "passcode", "username": "nobody"})[0] == 404
        duo.add_user("ada")
        assert refused(server, {"do": "reply", "username": "ada", "reply": "approve"})[0] == 404
        assert requests.get(f"{server.url}/elsewhere", timeout=10).status_code == 404

    def test_what_is_no_json_is_refused(self, server: SimulatorServer) -> None:
        url = f"{server.url}/_control"
        assert requests.post(url, {"do": "state"}, timeout=10).status_code == 415
        headers = {"Content-Type": "application/json"}
        assert requests.post(url, b"{", headers=headers, timeout=10).status_code == 400

    def test_a_page_of_another_host_cannot_reach_it(self, server: SimulatorServer) -> None:
        answer = requests.get(f"{server.url}/_control", headers={"Host": "rebound.example:80"}, timeout=10)
        assert answer.status_code == 403

    def test_it_is_not_on_the_listener_that_clients_use(self, duo: DuoSimulator) -> None:
        answer = requests.post(f"{duo.base_url}/_control", json={"do": "state"}, verify=str(duo.ca_file), timeout=10)
        assert answer.status_code == 404


def test_the_state_can_simply_be_read(server: SimulatorServer, duo: DuoSimulator) -> None:
    assert requests.get(f"{server.url}/_control", timeout=10).json()["api_host"] == duo.api_host


def test_there_is_help(control: Control) -> None:
    told = control("help")
    assert set(told) == set(COMMANDS)
    assert all(command["does"] for command in told.values())
    assert told["reply"]["takes"] == "username, reply"


def test_every_command_has_a_name_in_plain_words() -> None:
    assert all(name.replace("_", "").isalpha() and name.islower() for name in COMMANDS)
