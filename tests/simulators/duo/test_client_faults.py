"""Each fault of the network and of Duo, and the exception that each official client makes of it."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duo_client
import duo_universal
import pytest
import requests

from casduo.simulators.certificates import CERTIFICATE_FAULTS, CertificateAuthority, CertificateFault, LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.faults import ANSWER_KINDS, CannedAnswer
from casduo.simulators.duo.model import Application, Phone
from casduo.simulators.duo.visit import PromptStayed
from tests.simulators.duo.conftest import NONCE, STATE, AuthClientFactory, Refusal, UniversalClientFactory

pytestmark = pytest.mark.usefixtures("leaks_collected")

RefusalOf = Callable[[Callable[[], object]], Refusal]
DuoException = duo_universal.DuoException
PING = "/auth/v2/ping"
CHECK = "/auth/v2/check"
HEALTH = "/oauth/v1/health_check"
TOKEN = "/oauth/v1/token"


def unwrapped(call: Callable[[], Any]) -> Any:
    """Return what is inside the DuoException that a call raises."""
    with pytest.raises(DuoException) as caught:
        call()
    inner = caught.value.args[0]
    while isinstance(inner, DuoException):
        inner = inner.args[0]
    return inner


def exchange(client: duo_universal.Client) -> Any:
    return client.exchange_authorization_code_for_2fa_result("c" * 32, "ada", NONCE)


class TestAnswersToDuoClient:
    @pytest.mark.parametrize(
        ("kind", "status", "code"),
        [
            ("server_error_json", 500, 50000),
            ("server_error_stat_ok", 500, None),
            ("unavailable_json", 503, None),
            ("bad_gateway_html", 502, None),
            ("redirect", 302, None),
            ("html", 200, None),
            ("no_stat", 200, None),
            ("json_list", 200, None),
            ("fail_with_200", 200, 40002),
        ],
    )
    def test_they_are_runtime_errors(
        self, duo: DuoSimulator, auth: duo_client.Auth, refusal_of: RefusalOf, kind: Any, status: int, code: int | None
    ) -> None:
        duo.faults.answer(CHECK, kind, times=1)
        refusal = refusal_of(auth.check)
        assert (refusal.status, refusal.code) == (status, code)
        assert "time" in auth.check()

    def test_a_page_that_is_not_utf_8_is_something_else(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        duo.faults.answer(CHECK, "bad_gateway_latin1")
        with pytest.raises(UnicodeDecodeError):
            auth.check()

    @pytest.mark.parametrize("kind", ["response_null", "response_string", "response_list"])
    def test_so_is_a_status_of_the_wrong_shape(self, duo: DuoSimulator, auth: duo_client.Auth, kind: Any) -> None:
        duo.faults.answer("/auth/v2/auth_status", kind)
        with pytest.raises(AttributeError):
            auth.auth_status("45f7c92b-f45f-4862-8545-e0f58e78075a")

    @pytest.mark.parametrize(
        ("code", "detail"), [(50000, None), (40301, None), (40002, "username"), (40003, None), (99999, None)]
    )
    def test_any_code_can_be_provoked(
        self, duo: DuoSimulator, auth: duo_client.Auth, refusal_of: RefusalOf, code: int, detail: str | None
    ) -> None:
        duo.faults.refuse("/auth/v2/preauth", code, detail)
        refusal = refusal_of(lambda: auth.preauth(username="ada"))
        assert (refusal.code, refusal.detail) == (code, detail)
        assert "time" in auth.check()

    def test_a_breakdown(self, duo: DuoSimulator, auth: duo_client.Auth, refusal_of: RefusalOf) -> None:
        duo.faults.break_down()
        assert refusal_of(auth.ping).code == 50000
        duo.faults.clear()
        assert "time" in auth.ping()

    def test_wrong_keys_are_noticed_before_a_rate_limit(
        self, duo: DuoSimulator, auth: duo_client.Auth, authapi: Application, refusal_of: RefusalOf
    ) -> None:
        duo.faults.rate_limit()
        duo.rotate_secret(authapi.integration_key)
        assert refusal_of(auth.check).code == 40103


class TestRateLimit:
    def test_the_client_tries_again_with_the_same_signature(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        auth._INITIAL_BACKOFF_WAIT_SECS = 0
        duo.faults.rate_limit(CHECK, times=1)
        assert "time" in auth.check()
        assert [record.status for record in duo.requests(CHECK)] == [429, 200]

    def test_the_client_gives_up(self, duo: DuoSimulator, auth: duo_client.Auth, refusal_of: RefusalOf) -> None:
        auth._MAX_BACKOFF_WAIT_SECS = 0
        duo.faults.rate_limit(CHECK)
        assert refusal_of(auth.check) == Refusal(429, 42901, None, "Received 429 Too Many Requests")
        assert duo.requests.count(CHECK) == 1

    @pytest.mark.parametrize("seconds", [7, None])
    def test_the_answer_may_say_when_to_come_back(
        self, duo: DuoSimulator, authapi: Application, seconds: int | None
    ) -> None:
        duo.faults.rate_limit(PING, retry_after=seconds)
        answer = requests.get(duo.base_url + PING, verify=str(duo.ca_file), timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (429, 42901)
        assert answer.headers.get("Retry-After") == (None if seconds is None else "7")


class TestNetworkUnderDuoClient:
    def test_nobody_listens(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        duo.stop_listening()
        with pytest.raises(ConnectionRefusedError):
            auth.ping()
        duo.listen_again()
        assert "time" in auth.ping()

    def test_nobody_answers(self, duo: DuoSimulator, auth_client: AuthClientFactory, authapi: Application) -> None:
        duo.transport.stay_silent(PING)
        with pytest.raises(TimeoutError):
            auth_client(authapi, timeout=0.1).ping()

    def test_nobody_even_shakes_hands(
        self, duo: DuoSimulator, auth_client: AuthClientFactory, authapi: Application
    ) -> None:
        duo.transport.silent_connections = True
        with pytest.raises(TimeoutError):
            auth_client(authapi, timeout=0.1).ping()

    def test_the_line_is_cut_before_an_answer(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        duo.transport.cut(PING)
        with pytest.raises(http.client.RemoteDisconnected):
            auth.ping()

    def test_the_line_is_reset(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        duo.transport.reset(PING, times=1)
        with pytest.raises(ConnectionResetError):
            auth.ping()
        assert "time" in auth.ping()

    def test_the_line_is_cut_within_an_answer(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        duo.transport.cut(PING, after=160)
        with pytest.raises(http.client.IncompleteRead):
            auth.ping()

    def test_another_authority(
        self, duo: DuoSimulator, auth: duo_client.Auth, foreign_authority: CertificateAuthority
    ) -> None:
        duo.use_certificate(foreign_authority.issue())
        with pytest.raises(ssl.SSLCertVerificationError):
            auth.ping()

    def test_an_expired_certificate(
        self, duo: DuoSimulator, auth: duo_client.Auth, authority: CertificateAuthority
    ) -> None:
        duo.use_certificate(authority.issue(expired=True))
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            auth.ping()

    def test_a_wrong_name(self, duo: DuoSimulator, auth: duo_client.Auth, authority: CertificateAuthority) -> None:
        duo.use_certificate(authority.issue(["wrong.example.org"], localhost=False))
        with pytest.raises(http.client.HTTPException, match="hostname mismatch"):
            auth.ping()

    def test_a_fault_of_one_path_leaves_the_others_alone(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        duo.transport.cut("/auth/v2/auth_status")
        assert "time" in auth.ping()


class TestAnswersToDuoUniversal:
    @pytest.mark.parametrize(
        ("kind", "inner"),
        [
            ("server_error_json", dict),
            ("fail_with_200", dict),
            ("bad_gateway_html", json.JSONDecodeError),
            ("bad_gateway_latin1", UnicodeDecodeError),
            ("html", json.JSONDecodeError),
            ("no_stat", KeyError),
            ("unavailable_json", KeyError),
            ("json_list", TypeError),
        ],
    )
    def test_the_health_check_fails(
        self, duo: DuoSimulator, universal: duo_universal.Client, kind: Any, inner: type
    ) -> None:
        duo.faults.answer(HEALTH, kind)
        assert type(unwrapped(universal.health_check)) is inner

    def test_the_health_check_looks_at_nothing_but_stat(
        self, duo: DuoSimulator, universal: duo_universal.Client
    ) -> None:
        duo.faults.answer(HEALTH, "server_error_stat_ok", times=1)
        assert universal.health_check()["stat"] == "OK"
        duo.faults.answer(HEALTH, CannedAnswer(302, "text/html", b"", (("Location", PING),)))
        assert "time" in universal.health_check()["response"]

    def test_a_redirect_to_nowhere(self, duo: DuoSimulator, universal: duo_universal.Client) -> None:
        duo.faults.answer(HEALTH, "redirect")
        assert unwrapped(universal.health_check)["code"] == 40401

    @pytest.mark.parametrize("code", [50000, 42901])
    def test_codes_that_mean_later(self, duo: DuoSimulator, universal: duo_universal.Client, code: int) -> None:
        duo.faults.refuse(HEALTH, code)
        duo.faults.refuse(TOKEN, code)
        assert unwrapped(universal.health_check)["code"] == code
        assert unwrapped(lambda: exchange(universal))["code"] == code

    @pytest.mark.parametrize(
        ("kind", "inner"),
        [
            ("server_error_json", dict),
            ("unavailable_json", dict),
            ("html", requests.exceptions.JSONDecodeError),
            ("no_stat", KeyError),
            ("json_list", TypeError),
        ],
    )
    def test_the_exchange_fails(
        self, duo: DuoSimulator, universal: duo_universal.Client, kind: Any, inner: type
    ) -> None:
        duo.faults.answer(TOKEN, kind)
        assert type(unwrapped(lambda: exchange(universal))) is inner

    def test_the_exchange_lets_one_error_escape(self, duo: DuoSimulator, universal: duo_universal.Client) -> None:
        duo.faults.answer(TOKEN, "bad_gateway_html")
        with pytest.raises(json.JSONDecodeError):
            exchange(universal)


class TestNetworkUnderDuoUniversal:
    @pytest.mark.parametrize("call", [duo_universal.Client.health_check, exchange])
    def test_nobody_listens(
        self, duo: DuoSimulator, universal: duo_universal.Client, call: Callable[[duo_universal.Client], Any]
    ) -> None:
        duo.stop_listening()
        assert type(unwrapped(lambda: call(universal))) is requests.exceptions.ConnectionError

    @pytest.mark.parametrize("call", [duo_universal.Client.health_check, exchange])
    @pytest.mark.parametrize("way", ["cut", "reset"])
    def test_the_line_is_cut_before_an_answer(
        self, duo: DuoSimulator, universal: duo_universal.Client, call: Callable[[duo_universal.Client], Any], way: str
    ) -> None:
        duo.transport.cut() if way == "cut" else duo.transport.reset()
        assert type(unwrapped(lambda: call(universal))) is requests.exceptions.ConnectionError

    @pytest.mark.parametrize("call", [duo_universal.Client.health_check, exchange])
    def test_the_line_is_cut_within_an_answer(
        self, duo: DuoSimulator, universal: duo_universal.Client, call: Callable[[duo_universal.Client], Any]
    ) -> None:
        duo.transport.cut(after=160)
        assert type(unwrapped(lambda: call(universal))) is requests.exceptions.ChunkedEncodingError

    @pytest.mark.parametrize("call", [duo_universal.Client.health_check, exchange])
    @pytest.mark.parametrize("way", ["silent request", "silent connection", "slow"])
    def test_the_client_waits_as_long_as_nobody_answers(
        self, duo: DuoSimulator, universal: duo_universal.Client, call: Callable[[duo_universal.Client], Any], way: str
    ) -> None:
        if way == "silent request":
            duo.transport.stay_silent()
        elif way == "silent connection":
            duo.transport.silent_connections = True
        else:
            duo.transport.delay(3600.0)
        with ThreadPoolExecutor(1) as pool:
            calling = pool.submit(call, universal)
            with pytest.raises(TimeoutError):
                calling.exception(0.2)
            duo.stop()
            assert isinstance(calling.exception(10), DuoException)

    @pytest.mark.parametrize("wrong", ["authority", "name", "expired"])
    def test_a_certificate_that_is_wrong(
        self,
        duo: DuoSimulator,
        universal: duo_universal.Client,
        authority: CertificateAuthority,
        foreign_authority: CertificateAuthority,
        wrong: str,
    ) -> None:
        leaves = {
            "authority": lambda: foreign_authority.issue(),
            "name": lambda: authority.issue(["wrong.example.org"], localhost=False),
            "expired": lambda: authority.issue(expired=True),
        }
        duo.use_certificate(leaves[wrong]())
        assert type(unwrapped(universal.health_check)) is requests.exceptions.SSLError

    def test_a_host_that_is_not_there(
        self, duo: DuoSimulator, universal_client: UniversalClientFactory, websdk: Application
    ) -> None:
        duo.stop()
        error = unwrapped(universal_client(websdk).health_check)
        assert isinstance(error, requests.exceptions.ConnectionError)


def test_every_kind_of_answer_is_there_for_every_path(duo: DuoSimulator) -> None:
    for kind in ANSWER_KINDS:
        duo.faults.answer("*", kind, times=1)
    for _ in ANSWER_KINDS:
        assert duo.faults.canned(PING) is not None
    assert duo.faults.canned(PING) is None


def test_counts_below_one_are_refused(duo: DuoSimulator) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        duo.faults.rate_limit(times=0)


class TestOverwrittenAnswers:
    def test_a_value_nobody_has_heard_of(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        duo.add_user("ada")
        duo.faults.overwrite("/auth/v2/preauth", {"result": "maybe", "status_msg": "<b>hi</b>", "devices": None})
        assert auth.preauth(username="ada") == {"result": "maybe", "status_msg": "<b>hi</b>"}
        duo.faults.overwrite("/auth/v2/preauth", {})
        assert auth.preauth(username="ada")["result"] == "auth"

    def test_a_time_out_that_is_called_waiting(
        self, duo: DuoSimulator, auth: duo_client.Auth, clock: VirtualClock
    ) -> None:
        duo.add_user("ada")
        duo.faults.overwrite("/auth/v2/auth_status", {"result": "waiting"})
        txid = auth.auth("push", username="ada", device="auto", async_txn=True)["txid"]
        clock.advance(60.0)
        status = auth.auth_status(txid)
        assert (status["waiting"], status["status"]) == (True, "timeout")

    def test_it_can_be_for_every_path_and_is_taken_back(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        duo.faults.overwrite("*", {"time": 7})
        assert auth.ping() == auth.check() == {"time": 7}
        duo.faults.clear()
        assert auth.ping()["time"] > 7


class TestPeopleAndTheirPhones:
    def test_a_phone_without_the_app_takes_a_passcode_and_no_push(
        self, duo: DuoSimulator, auth: duo_client.Auth, refusal_of: RefusalOf
    ) -> None:
        duo.add_user("ada", devices=[Phone("old", "555 0100", capabilities=("auto", "sms", "phone"))])
        assert auth.preauth(username="ada")["devices"][0]["capabilities"] == ["auto", "sms", "phone"]
        refusal = refusal_of(lambda: auth.auth("push", username="ada", device="auto"))
        assert (refusal.code, refusal.detail) == (40002, "no capable device")
        auth.auth("sms", username="ada", device="auto")
        assert auth.auth("passcode", username="ada", passcode=duo.phone("ada").messages()[0])["result"] == "allow"

    def test_a_phone_that_is_not_set_up_yet_takes_calls_and_messages(
        self, duo: DuoSimulator, auth: duo_client.Auth
    ) -> None:
        duo.add_user("ada", devices=[Phone("new", "555 0100", activated=False)])
        assert auth.preauth(username="ada")["devices"][0]["capabilities"] == ["auto", "sms", "phone"]

    def test_the_prompt_knows_what_the_phone_can(
        self, duo: DuoSimulator, universal: duo_universal.Client, websdk: Application
    ) -> None:
        duo.add_user("ada", devices=[Phone("old", "555 0100", capabilities=("auto", "sms", "phone"))])
        with pytest.raises(PromptStayed) as caught:
            duo.visit_prompt(universal.create_auth_url("ada", STATE, NONCE))
        assert "Call my phone" in caught.value.page
        assert "Send a push" not in caught.value.page


@pytest.mark.parametrize("fault", CERTIFICATE_FAULTS)
def test_a_simulator_that_knows_its_authority_can_show_wrong_certificates(
    authority: CertificateAuthority, fault: CertificateFault
) -> None:
    with DuoSimulator(authority.issue(), authority=authority) as duo:
        url = duo.base_url + PING
        duo.show_certificate(fault)
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, verify=str(duo.ca_file), timeout=10)
        duo.show_certificate(None)
        assert requests.get(url, verify=str(duo.ca_file), timeout=10).json()["stat"] == "OK"


def test_one_that_does_not_know_it_cannot(duo: DuoSimulator) -> None:
    with pytest.raises(ValueError, match="its authority"):
        duo.show_certificate("expired")


def test_a_clock_that_nobody_moves_cannot_be_advanced(leaf: LeafFiles, duo: DuoSimulator, clock: VirtualClock) -> None:
    before = clock()
    duo.advance(60.0)
    assert clock() == before + 60.0
    with pytest.raises(ValueError, match="virtual clock"):
        DuoSimulator(leaf).advance(60.0)


def test_a_latency_is_per_endpoint(duo: DuoSimulator, universal: duo_universal.Client) -> None:
    duo.transport.delay(3600.0, path=TOKEN)
    assert universal.health_check()["stat"] == "OK"
    assert universal.create_auth_url("ada", STATE, NONCE)
