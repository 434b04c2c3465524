"""What an account and its applications are set to: lock-out, remembered devices, verified pushes."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import duo_client
import duo_universal
import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Phone, Token
from tests.simulators.duo.conftest import NONCE, STATE, AuthClientFactory, Refusal

RefusalOf = Callable[[Callable[[], object]], Refusal]

WRONG = "000000000"


@pytest.fixture
def ada(duo: DuoSimulator) -> Phone:
    phone = Phone("Ada's iPhone", "+1 555 555 0100")
    duo.add_user("ada", devices=[phone, Token()])
    return phone


def push(auth: duo_client.Auth, **arguments: str) -> str:
    """Send a push to ada and return its txid, with the news that it was sent already heard."""
    txid: str = auth.auth("push", username="ada", device="auto", async_txn=True, **arguments)["txid"]
    assert auth.auth_status(txid)["status"] == "pushed"
    return txid


class TestLockOut:
    @pytest.mark.parametrize("way", ["denied", "fraud", "timed out", "wrong passcode", "used passcode", "lost"])
    def test_every_failure_counts(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, clock: VirtualClock, way: str
    ) -> None:
        if way == "wrong passcode":
            auth.auth("passcode", username="ada", passcode=WRONG)
        elif way == "used passcode":
            passcode = duo.phone("ada").passcode()
            for _ in range(2):
                auth.auth("passcode", username="ada", passcode=passcode)
        else:
            push(auth)
            phone = duo.phone("ada")
            {"denied": phone.deny, "fraud": phone.report_fraud, "lost": phone.fail_delivery}.get(way, phone.ignore)()
            clock.advance(60.0)
            assert duo.pending() == []
        assert duo.user("ada").failures == 1

    @pytest.mark.parametrize("way", ["sent", "lost", "picked up", "waiting", "wrong code"])
    def test_what_is_no_failure_does_not_count(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, way: str
    ) -> None:
        if way == "sent":
            auth.auth("sms", username="ada", device="auto")
        else:
            auth.auth("phone", username="ada", device="auto", async_txn=True)
            phone = duo.phone("ada")
            actions: dict[str, Callable[[], object]] = {
                "lost": phone.fail_delivery,
                "picked up": phone.pick_up,
                "wrong code": lambda: phone.enter_code("1234"),
                "waiting": phone.dismiss,
            }
            actions[way]()
        assert duo.user("ada").failures == 0

    def test_too_many_failures_in_a_row_lock_a_user_out(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, clock: VirtualClock
    ) -> None:
        duo.settings.lockout_threshold = 3
        auth.auth("passcode", username="ada", passcode=WRONG)
        push(auth)
        duo.phone("ada").deny()
        push(auth)
        clock.advance(60.0)
        assert auth.auth("passcode", username="ada", passcode=WRONG)["status"] == "locked_out"
        assert auth.preauth(username="ada") == {"result": "deny", "status_msg": "Your account is locked out"}

    def test_a_success_starts_the_count_again(self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone) -> None:
        duo.settings.lockout_threshold = 2
        auth.auth("passcode", username="ada", passcode=WRONG)
        auth.auth("passcode", username="ada", passcode=duo.phone("ada").passcode())
        auth.auth("passcode", username="ada", passcode=WRONG)
        assert duo.user("ada").status == "active"

    def test_ten_failures_are_the_default(self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone) -> None:
        statuses = [auth.auth("passcode", username="ada", passcode=WRONG)["status"] for _ in range(11)]
        assert statuses == ["deny"] * 10 + ["locked_out"]

    def test_failures_of_all_applications_count_together(
        self, duo: DuoSimulator, auth: duo_client.Auth, auth_client: AuthClientFactory, ada: Phone
    ) -> None:
        duo.settings.lockout_threshold = 2
        other = auth_client(duo.add_application("authapi", "Other"))
        auth.auth("passcode", username="ada", passcode=WRONG)
        other.auth("passcode", username="ada", passcode=WRONG)
        assert duo.user("ada").status == "locked out"

    @pytest.mark.parametrize(
        ("status", "told", "success"),
        [("locked out", "locked_out", False), ("disabled", "deny", False), ("bypass", "bypass", True)],
    )
    def test_approving_a_request_from_before_does_not_help(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, status: str, told: str, success: bool
    ) -> None:
        txid = push(auth)
        duo.user("ada").status = status  # type: ignore[assignment]
        duo.phone("ada").approve()
        ended = auth.auth_status(txid)
        assert (ended["waiting"], ended["success"], ended["status"]) == (False, success, told)

    def test_nor_does_it_for_somebody_who_was_removed(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone
    ) -> None:
        txid = push(auth)
        phone = duo.phone("ada")
        duo.remove_user("ada")
        phone.approve()
        assert auth.auth_status(txid)["success"] is False

    @pytest.mark.parametrize(
        ("status", "told"), [("bypass", "bypass"), ("disabled", "deny"), ("locked out", "locked_out")]
    )
    def test_the_status_of_a_user_comes_by_polling_too(
        self, duo: DuoSimulator, auth: duo_client.Auth, status: str, told: str
    ) -> None:
        duo.add_user("grace", status)  # type: ignore[arg-type]
        txid = auth.auth("push", username="grace", device="auto", async_txn=True)["txid"]
        assert auth.auth_status(txid)["status"] == told
        assert duo.user("grace").failures == (1 if status == "disabled" else 0)


class TestRememberedDevices:
    def test_a_token_given_with_an_allow_lets_preauth_allow(
        self, duo: DuoSimulator, auth_client: AuthClientFactory, auth: duo_client.Auth, ada: Phone
    ) -> None:
        remembering = auth_client(duo.add_application("authapi", "Remembering", remembered_devices=True))
        answer = remembering.auth("passcode", username="ada", passcode=duo.phone("ada").passcode())
        token = answer["trusted_device_token"]
        assert remembering.preauth(username="ada", trusted_device_token=token)["result"] == "allow"
        assert remembering.preauth(username="ada", trusted_device_token="guess")["result"] == "auth"
        assert auth.preauth(username="ada", trusted_device_token=token)["result"] == "auth"

    def test_the_token_comes_with_the_last_status_too(
        self, duo: DuoSimulator, auth_client: AuthClientFactory, ada: Phone
    ) -> None:
        remembering = auth_client(duo.add_application("authapi", "Remembering", remembered_devices=True))
        txid = push(remembering)
        duo.phone("ada").approve()
        assert "trusted_device_token" in remembering.auth_status(txid)

    def test_nobody_else_can_use_it_and_a_lock_out_is_stronger(
        self, duo: DuoSimulator, auth_client: AuthClientFactory, ada: Phone
    ) -> None:
        remembering = auth_client(duo.add_application("authapi", "Remembering", remembered_devices=True))
        duo.add_user("mallory")
        token = remembering.auth("passcode", username="ada", passcode=duo.phone("ada").passcode())[
            "trusted_device_token"
        ]
        assert remembering.preauth(username="mallory", trusted_device_token=token)["result"] == "auth"
        duo.user("ada").status = "locked out"
        assert remembering.preauth(username="ada", trusted_device_token=token)["result"] == "deny"

    def test_applications_that_remember_nothing_hand_out_nothing(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone
    ) -> None:
        answer = auth.auth("passcode", username="ada", passcode=duo.phone("ada").passcode())
        assert "trusted_device_token" not in answer


class TestTrustedNetworks:
    @pytest.mark.parametrize(
        ("address", "result"),
        [("192.0.2.7", "allow"), ("2001:db8::7", "allow"), ("198.51.100.7", "auth"), (None, "auth")],
    )
    def test_nobody_is_asked_there(
        self, duo: DuoSimulator, auth_client: AuthClientFactory, ada: Phone, address: str | None, result: str
    ) -> None:
        lenient = duo.add_application("authapi", "Lenient", trusted_networks=["192.0.2.0/24", "2001:db8::/32"])
        assert auth_client(lenient).preauth(username="ada", ipaddr=address)["result"] == result

    @pytest.mark.parametrize(("status", "result"), [("locked out", "deny"), ("disabled", "deny")])
    def test_it_lets_nobody_in_who_may_not(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, status: str, result: str
    ) -> None:
        duo.change_application(auth.ikey, trusted_networks=["192.0.2.0/24"])
        duo.user("ada").status = status  # type: ignore[assignment]
        assert auth.preauth(username="ada", ipaddr="192.0.2.7")["result"] == result
        assert auth.preauth(username="nobody", ipaddr="192.0.2.7")["result"] == "enroll"

    def test_the_prompt_sends_people_back_from_there(
        self, duo: DuoSimulator, universal: duo_universal.Client, ada: Phone
    ) -> None:
        duo.change_application(universal._client_id, trusted_networks=["127.0.0.0/8"])
        callback = duo.visit_prompt(universal.create_auth_url("ada", STATE, NONCE))
        code = parse_qs(urlsplit(callback).query)["duo_code"][0]
        token = universal.exchange_authorization_code_for_2fa_result(code, "ada", NONCE)
        assert token["auth_context"]["reason"] == "trusted_network"

    def test_what_is_no_network_is_refused(self, duo: DuoSimulator) -> None:
        with pytest.raises(ValueError, match="does not appear to be"):
            duo.add_application("authapi", trusted_networks=["the library"])


class TestVerifiedPush:
    @pytest.fixture
    def verified(self, duo: DuoSimulator, auth_client: AuthClientFactory) -> duo_client.Auth:
        return auth_client(duo.add_application("authapi", "Careful", verified_push=True))

    def test_preauth_hands_out_the_code_that_the_push_asks_for(
        self, duo: DuoSimulator, verified: duo_client.Auth, ada: Phone
    ) -> None:
        answer = verified.preauth(username="ada", client_supports_verified_push=True)
        txid = verified.auth("push", username="ada", device="auto", async_txn=True, txid=answer["txid"])["txid"]
        assert txid == answer["txid"]
        assert duo.pending("ada")[0].verification_code == answer["verification_code"]
        message = verified.auth_status(txid)["status_msg"]
        assert message == f"Please enter verification code {answer['verification_code']} into Duo Mobile..."

    def test_the_code_approves_and_another_does_nothing(
        self, duo: DuoSimulator, verified: duo_client.Auth, ada: Phone
    ) -> None:
        code = verified.preauth(username="ada", client_supports_verified_push=True)
        txid = push(verified, txid=code["txid"])
        phone = duo.phone("ada")
        assert not phone.enter_code("".join(str(9 - int(digit)) for digit in code["verification_code"]))
        assert [waiting.txid for waiting in phone.pending] == [txid]
        assert phone.enter_code(f" {code['verification_code']} ")
        assert verified.auth_status(txid)["success"]

    def test_the_expiration_is_a_moment_not_a_duration(
        self, verified: duo_client.Auth, ada: Phone, clock: VirtualClock
    ) -> None:
        clock.advance(10_000.0)
        answer = verified.preauth(username="ada", client_supports_verified_push=True)
        assert 50 <= answer["expiration"] - time.time() <= 61

    @pytest.mark.parametrize("digits", [3, 6])
    def test_the_length_of_the_code_is_a_setting(
        self, duo: DuoSimulator, verified: duo_client.Auth, ada: Phone, digits: int
    ) -> None:
        duo.settings.verification_digits = digits
        answer = verified.preauth(username="ada", client_supports_verified_push=True)
        assert len(answer["verification_code"]) == digits

    def test_a_client_that_cannot_show_a_code_gets_none_but_the_push_asks_for_one(
        self, duo: DuoSimulator, verified: duo_client.Auth, ada: Phone
    ) -> None:
        assert "verification_code" not in verified.preauth(username="ada")
        txid = verified.auth("push", username="ada", device="auto", async_txn=True)["txid"]
        message = verified.auth_status(txid)["status_msg"]
        assert message == f"Please enter verification code {duo.pending('ada')[0].verification_code} into Duo Mobile..."

    def test_an_application_without_the_policy_gets_no_code(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone
    ) -> None:
        assert "txid" not in auth.preauth(username="ada", client_supports_verified_push=True)
        push(auth)
        assert duo.pending("ada")[0].verification_code == ""

    def test_the_policy_can_come_later(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, authapi: object
    ) -> None:
        duo.change_application(auth.ikey, verified_push=True)
        assert "verification_code" in auth.preauth(username="ada", client_supports_verified_push=True)
        duo.change_application(auth.ikey, verified_push=False, new_user_policy="deny", remembered_devices=True)
        assert "verification_code" not in auth.preauth(username="ada", client_supports_verified_push=True)
        assert auth.preauth(username="nobody")["result"] == "deny"

    def test_somebody_who_takes_no_pushes_gets_no_code(self, duo: DuoSimulator, verified: duo_client.Auth) -> None:
        duo.add_user("grace", devices=[Token(), Phone(capabilities=("auto", "sms", "phone"))])
        assert "txid" not in verified.preauth(username="grace", client_supports_verified_push=True)

    def test_a_call_asks_for_no_code(self, duo: DuoSimulator, verified: duo_client.Auth, ada: Phone) -> None:
        verified.auth("phone", username="ada", device="auto", async_txn=True)
        assert duo.pending("ada")[0].verification_code == ""

    @pytest.mark.parametrize("way", ["unknown", "used", "expired", "another person's"])
    def test_a_code_is_for_one_push_of_one_person_within_a_minute(
        self,
        duo: DuoSimulator,
        verified: duo_client.Auth,
        ada: Phone,
        clock: VirtualClock,
        refusal_of: RefusalOf,
        way: str,
    ) -> None:
        duo.add_user("mallory")
        txid = verified.preauth(username="ada", client_supports_verified_push=True)["txid"]
        if way == "used":
            push(verified, txid=txid)
        if way == "expired":
            clock.advance(60.0)
        arguments = {
            "username": "mallory" if way == "another person's" else "ada",
            "txid": "45f7c92b-f45f-4862-8545-e0f58e78075a" if way == "unknown" else txid,
        }
        refusal = refusal_of(lambda: verified.auth("push", device="auto", async_txn=True, **arguments))
        assert (refusal.code, refusal.detail) == (40002, "txid")
