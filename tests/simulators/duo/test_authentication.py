"""auth and auth_status, asked by the official client: every factor, every outcome, and the waiting in between."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import duo_client
import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.handset import NothingWaits
from casduo.simulators.duo.model import Application, Phone, Script, Token
from tests.simulators.duo.conftest import AuthClientFactory, Refusal

RefusalOf = Callable[[Callable[[], object]], Refusal]

WAITING = {
    "waiting": True,
    "success": False,
    "status": "pushed",
    "status_msg": "Pushed a login request to your device...",
}
ALLOWED = {"waiting": False, "success": True, "status": "allow", "status_msg": "Success. Logging you in..."}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


@pytest.fixture
def ada(duo: DuoSimulator) -> Phone:
    phone = Phone("Ada's iPhone", "+1 555 555 0100")
    duo.add_user("ada", devices=[phone, Token()])
    return phone


def push(auth: duo_client.Auth, **arguments: str) -> str:
    """Send a push to ada and return its txid, with the news that it was sent already heard."""
    txid: str = auth.auth("push", username="ada", device="auto", async_txn=True, **arguments)["txid"]
    assert auth.auth_status(txid) == WAITING
    return txid


class TestPasscodes:
    def test_a_passcode_of_the_app_works_once(self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone) -> None:
        passcode = duo.phone("ada").passcode()
        assert auth.auth("passcode", username="ada", passcode=passcode) == {
            "result": "allow", "status": "allow", "status_msg": "Success. Logging you in...",
        }  # fmt: skip
        assert auth.auth("passcode", username="ada", passcode=passcode) == {
            "result": "deny",
            "status": "fraud",
            "status_msg": "This passcode has already been used. Please generate a new passcode and try again.",
        }

    def test_a_wrong_passcode(self, auth: duo_client.Auth, ada: Phone) -> None:
        assert auth.auth("passcode", username="ada", passcode="000000000") == {
            "result": "deny", "status": "deny", "status_msg": "Incorrect passcode. Please try again.",
        }  # fmt: skip

    def test_spaces_do_not_matter(self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone) -> None:
        passcode = duo.phone("ada").passcode()
        answer = auth.auth("passcode", username="ada", passcode=f" {passcode[:3]} {passcode[3:]} ")
        assert answer["result"] == "allow"

    def test_a_hardware_token_is_enough(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        duo.add_user("grace", devices=[Token()])
        assert auth.preauth(username="grace")["result"] == "auth"
        answer = auth.auth("passcode", username="grace", passcode=duo.phone("grace").passcode())
        assert answer["result"] == "allow"

    def test_a_bypass_code_works_once(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        duo.add_user("grace", bypass_codes=["123456789"])
        results = [auth.auth("passcode", username="grace", passcode="123456789")["status"] for _ in range(2)]
        assert results == ["allow", "fraud"]

    def test_one_person_s_passcode_is_no_use_to_another(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone
    ) -> None:
        duo.add_user("mallory")
        assert auth.auth("passcode", username="mallory", passcode=duo.phone("ada").passcode())["result"] == "deny"

    def test_it_may_be_asked_for_asynchronously(self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone) -> None:
        passcode = duo.phone("ada").passcode()
        txid = auth.auth("passcode", username="ada", passcode=passcode, async_txn=True)["txid"]
        assert auth.auth_status(txid) == ALLOWED

    def test_somebody_without_a_generator_has_none(self, duo: DuoSimulator) -> None:
        duo.add_user("grace", devices=[Phone(capabilities=("auto", "push"))])
        with pytest.raises(LookupError, match="nothing that shows passcodes"):
            duo.phone("grace").passcode()


class TestSms:
    def test_passcodes_are_sent_and_that_is_a_deny_which_counts_as_no_failure(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone
    ) -> None:
        assert auth.auth("sms", username="ada", device="auto") == {
            "result": "deny", "status": "sent", "status_msg": "New SMS passcodes sent.",
        }  # fmt: skip
        assert duo.user("ada").failures == 0
        assert auth.preauth(username="ada")["devices"][0]["sms_nextcode"] == "1"

    def test_a_code_from_the_message_works_and_the_next_one_is_announced(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone
    ) -> None:
        auth.auth("sms", username="ada", device=ada.id)
        first = duo.phone("ada").messages()[0]
        assert auth.auth("passcode", username="ada", passcode=first)["result"] == "allow"
        assert auth.preauth(username="ada")["devices"][0]["sms_nextcode"] == "2"

    def test_a_new_message_puts_an_end_to_the_old_codes(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone
    ) -> None:
        auth.auth("sms", username="ada", device="auto")
        old = duo.phone("ada").messages()[0]
        auth.auth("sms", username="ada", device="auto")
        assert auth.auth("passcode", username="ada", passcode=old)["status"] == "deny"


class TestPush:
    def test_it_is_approved(self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone) -> None:
        txid = push(auth)
        assert uuid.UUID(txid)
        duo.phone("ada").approve()
        assert auth.auth_status(txid) == ALLOWED

    @pytest.mark.parametrize(
        ("reply", "status", "message"),
        [
            ("deny", "deny", "Login request denied."),
            ("report_fraud", "fraud", "Login request reported as fraudulent."),
        ],
    )
    def test_it_is_refused(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, reply: str, status: str, message: str
    ) -> None:
        txid = push(auth)
        getattr(duo.phone("ada"), reply)()
        assert auth.auth_status(txid) == {
            "waiting": False, "success": False, "status": status, "status_msg": message,
        }  # fmt: skip

    def test_nobody_answers(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, clock: VirtualClock, pool: ThreadPoolExecutor
    ) -> None:
        txid = push(auth)
        polling = pool.submit(auth.auth_status, txid)
        duo.await_polls()
        clock.advance(30.0)
        assert polling.result(10) == WAITING
        clock.advance(30.0)
        assert auth.auth_status(txid) == {
            "waiting": False, "success": False, "status": "timeout", "status_msg": "Login timed out.",
        }  # fmt: skip

    def test_a_push_that_ran_out_cannot_be_approved(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, clock: VirtualClock
    ) -> None:
        push(auth)
        clock.advance(60.0)
        with pytest.raises(NothingWaits):
            duo.phone("ada").approve()

    def test_one_that_is_lost_can_still_be_found(self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone) -> None:
        txid = push(auth)
        duo.phone("ada").fail_delivery()
        news = auth.auth_status(txid)
        assert (news["waiting"], news["status"]) == (True, "push_failed")
        duo.phone("ada").approve()
        assert auth.auth_status(txid) == ALLOWED

    def test_the_phone_shows_what_the_application_says(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone
    ) -> None:
        push(
            auth,
            ipaddr="192.0.2.7",
            type="CAS login",
            display_username="Ada L.",
            pushinfo="service=Payroll%20portal&from=192.0.2.7",
        )
        details = duo.pending("ada")[0].details
        assert (details.application, details.username, details.kind, details.address) == (
            "Payroll", "Ada L.", "CAS login", "192.0.2.7",
        )  # fmt: skip
        assert details.information == (("service", "Payroll portal"), ("from", "192.0.2.7"))

    def test_the_newest_of_several_is_answered(self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone) -> None:
        first = push(auth)
        second = push(auth)
        assert duo.phone("ada").approve().txid == second
        assert [waiting.txid for waiting in duo.phone("ada").pending] == [first]

    def test_a_chosen_device_is_asked(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        first, second = Phone("first"), Phone("second")
        duo.add_user("ada", devices=[first, second])
        auth.auth("push", username="ada", device=second.id, async_txn=True)
        assert duo.pending("ada")[0].device is second

    def test_auto_takes_the_first_phone_that_can(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        able = Phone("able")
        duo.add_user("ada", devices=[Token(), Phone("old", capabilities=("sms",)), able])
        auth.auth("auto", username="ada", device="auto", async_txn=True)
        assert duo.pending("ada")[0].device is able

    def test_a_synchronous_push_answers_when_the_person_does(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, pool: ThreadPoolExecutor
    ) -> None:
        asking = pool.submit(auth.auth, "push", username="ada", device="auto")
        duo.await_polls()
        duo.phone("ada").approve()
        assert asking.result(10)["result"] == "allow"

    def test_a_synchronous_push_runs_out(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, clock: VirtualClock, pool: ThreadPoolExecutor
    ) -> None:
        asking = pool.submit(auth.auth, "push", username="ada", device="auto")
        duo.await_polls()
        clock.advance(60.0)
        assert asking.result(10)["status"] == "timeout"


class TestPuttingAside:
    def test_a_request_put_aside_can_still_be_answered(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone
    ) -> None:
        txid = push(auth)
        assert duo.phone("ada").dismiss().dismissed
        duo.phone("ada").approve()
        assert auth.auth_status(txid) == ALLOWED

    def test_a_code_where_none_is_asked_for_does_nothing(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone
    ) -> None:
        push(auth)
        assert not duo.phone("ada").enter_code("")
        assert len(duo.pending("ada")) == 1


class TestCalls:
    def test_the_phone_rings_is_answered_and_a_key_is_pressed(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone
    ) -> None:
        txid = auth.auth("phone", username="ada", device="auto", async_txn=True)["txid"]
        assert auth.auth_status(txid)["status"] == "calling"
        duo.phone("ada").pick_up()
        assert auth.auth_status(txid)["status"] == "answered"
        duo.phone("ada").approve()
        assert auth.auth_status(txid) == ALLOWED


class TestScripts:
    def test_a_user_replies_after_some_time(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, clock: VirtualClock, pool: ThreadPoolExecutor
    ) -> None:
        duo.phone("ada").script("approve", after=3.0)
        txid = push(auth)
        polling = pool.submit(auth.auth_status, txid)
        duo.await_polls()
        clock.advance(2.9)
        assert not polling.done()
        clock.advance(0.1)
        assert polling.result(10) == ALLOWED

    @pytest.mark.parametrize(
        ("reply", "status"),
        [("approve", "allow"), ("deny", "deny"), ("fraud", "fraud"), ("push_failed", "push_failed")],
    )
    def test_a_user_replies_at_once(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, reply: str, status: str
    ) -> None:
        duo.user("ada").script = Script(reply)  # type: ignore[arg-type]
        txid = auth.auth("push", username="ada", device="auto", async_txn=True)["txid"]
        assert auth.auth_status(txid)["status"] == status

    def test_a_lost_push_that_nobody_looks_for_runs_out(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, clock: VirtualClock
    ) -> None:
        duo.phone("ada").script("push_failed")
        txid = auth.auth("push", username="ada", device="auto", async_txn=True)["txid"]
        assert auth.auth_status(txid)["status"] == "push_failed"
        clock.advance(60.0)
        assert auth.auth_status(txid)["status"] == "timeout"

    def test_a_script_ends(self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone) -> None:
        duo.phone("ada").script("approve")
        duo.phone("ada").ignore()
        push(auth)
        assert len(duo.pending()) == 1

    def test_a_script_may_have_steps(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, clock: VirtualClock
    ) -> None:
        duo.phone("ada").script("push_failed", after=1.0, then=Script("approve", after=5.0))
        txid = push(auth)
        clock.advance(1.0)
        assert auth.auth_status(txid)["status"] == "push_failed"
        clock.advance(5.0)
        assert auth.auth_status(txid) == ALLOWED

    def test_a_call_may_be_answered_and_refused(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, clock: VirtualClock, pool: ThreadPoolExecutor
    ) -> None:
        duo.phone("ada").script("pick_up", after=3.0, then=Script("deny", after=2.0))
        txid = auth.auth("phone", username="ada", device="auto", async_txn=True)["txid"]
        assert auth.auth_status(txid)["status"] == "calling"
        for status in ("answered", "deny"):
            polling = pool.submit(auth.auth_status, txid)
            duo.await_polls()
            clock.advance(3.0)
            assert polling.result(10)["status"] == status

    def test_a_step_that_would_come_too_late_does_not_come(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, clock: VirtualClock
    ) -> None:
        duo.phone("ada").script("push_failed", after=30.0, then=Script("approve", after=30.0))
        txid = push(auth)
        clock.advance(60.0)
        assert auth.auth_status(txid)["status"] == "timeout"

    def test_a_push_cannot_be_picked_up(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, clock: VirtualClock
    ) -> None:
        duo.phone("ada").script("pick_up", then=Script("approve", after=1.0))
        txid = push(auth)
        clock.advance(1.0)
        assert auth.auth_status(txid) == ALLOWED

    def test_scripts_that_make_no_sense_are_refused(self) -> None:
        with pytest.raises(ValueError, match="a reply is one of"):
            Script("shout")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="before being asked"):
            Script("approve", after=-1.0)
        with pytest.raises(ValueError, match="nothing comes after approve"):
            Script("approve", then=Script("deny"))


class TestStatus:
    def test_the_end_is_told_again(self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone) -> None:
        txid = push(auth)
        duo.phone("ada").approve()
        assert auth.auth_status(txid) == auth.auth_status(txid) == ALLOWED

    def test_it_is_forgotten_after_a_while(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, clock: VirtualClock, refusal_of: RefusalOf
    ) -> None:
        txid = push(auth)
        duo.phone("ada").approve()
        clock.advance(299.0)
        assert auth.auth_status(txid) == ALLOWED
        clock.advance(1.0)
        refusal = refusal_of(lambda: auth.auth_status(txid))
        assert (refusal.code, refusal.detail) == (40002, "txid")

    def test_a_time_out_is_forgotten_after_a_while(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, clock: VirtualClock, refusal_of: RefusalOf
    ) -> None:
        txid = push(auth)
        clock.advance(359.0)
        assert auth.auth_status(txid)["status"] == "timeout"
        clock.advance(1.0)
        assert refusal_of(lambda: auth.auth_status(txid)).detail == "txid"

    def test_unknown_and_missing_ids(self, auth: duo_client.Auth, refusal_of: RefusalOf) -> None:
        assert refusal_of(lambda: auth.auth_status(str(uuid.uuid4()))).detail == "txid"
        assert refusal_of(lambda: auth.auth_status("")).code == 40001

    def test_another_application_cannot_ask(
        self,
        duo: DuoSimulator,
        auth: duo_client.Auth,
        auth_client: AuthClientFactory,
        ada: Phone,
        refusal_of: RefusalOf,
    ) -> None:
        txid = push(auth)
        other = auth_client(duo.add_application("authapi", "Other"))
        assert refusal_of(lambda: other.auth_status(txid)).detail == "txid"

    def test_two_who_wait_hear_the_same(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, pool: ThreadPoolExecutor
    ) -> None:
        txid = push(auth)
        polls = [pool.submit(auth.auth_status, txid) for _ in range(2)]
        duo.await_polls(2)
        duo.phone("ada").approve()
        assert [poll.result(10) for poll in polls] == [ALLOWED, ALLOWED]

    def test_one_who_comes_later_hears_nothing_that_was_told_before(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, clock: VirtualClock, pool: ThreadPoolExecutor
    ) -> None:
        txid = push(auth)
        successor = pool.submit(auth.auth_status, txid)
        duo.await_polls()
        assert not successor.done()
        clock.advance(30.0)
        assert successor.result(10) == WAITING

    @pytest.mark.usefixtures("leaks_collected")
    def test_news_that_reached_nobody_is_told_again(
        self,
        duo: DuoSimulator,
        auth: duo_client.Auth,
        auth_client: AuthClientFactory,
        authapi: Application,
        ada: Phone,
        pool: ThreadPoolExecutor,
    ) -> None:
        txid = push(auth)
        impatient = auth_client(authapi, timeout=0.2)
        with pytest.raises(TimeoutError):
            impatient.auth_status(txid)
        duo.phone("ada").fail_delivery()
        assert auth.auth_status(txid)["status"] == "push_failed"

    def test_an_approval_wakes_only_its_own_poll(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, pool: ThreadPoolExecutor
    ) -> None:
        duo.add_user("grace")
        other = auth.auth("push", username="grace", device="auto", async_txn=True)["txid"]
        auth.auth_status(other)
        polls: dict[str, Future[dict[str, object]]] = {
            txid: pool.submit(auth.auth_status, txid) for txid in (push(auth), other)
        }
        duo.await_polls(2)
        duo.phone("ada").approve()
        mine, theirs = polls.values()
        assert mine.result(10) == ALLOWED
        assert not theirs.done()
        duo.phone("grace").deny()
        assert theirs.result(10)["status"] == "deny"

    @pytest.mark.usefixtures("leaks_collected")
    def test_stopping_the_simulator_ends_the_waiting(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, pool: ThreadPoolExecutor
    ) -> None:
        txid = push(auth)
        polling = pool.submit(auth.auth_status, txid)
        duo.await_polls()
        duo.stop()
        error = polling.exception(10)
        assert error is None or isinstance(error, OSError)

    def test_a_test_that_waits_for_a_poll_in_vain_is_told(self, duo: DuoSimulator) -> None:
        with pytest.raises(TimeoutError, match="fewer than 1"):
            duo.await_polls(timeout=0.01)


class TestParameters:
    @pytest.mark.parametrize(
        ("arguments", "code", "detail"),
        [
            ({"factor": "", "username": "ada"}, 40001, "factor"),
            ({"factor": "smoke", "username": "ada"}, 40002, "factor"),
            ({"factor": "push", "device": "auto"}, 40001, "user_id or username"),
            ({"factor": "push", "username": "nobody", "device": "auto"}, 40002, "username"),
            ({"factor": "push", "user_id": "DUxxxxxxxxxxxxxxxxxx", "device": "auto"}, 40002, "user_id"),
            ({"factor": "push", "username": "ada"}, 40001, "device"),
            ({"factor": "passcode", "username": "ada"}, 40001, "passcode"),
            ({"factor": "push", "username": "ada", "device": "DPxxxxxxxxxxxxxxxxxx"}, 40002, "device"),
            ({"factor": "push", "username": "grace", "device": "auto"}, 40002, "no capable device"),
            ({"factor": "push", "username": "ada", "device": "auto", "pushinfo": "no pairs"}, 40002, "pushinfo"),
            ({"factor": "auto", "username": "ada", "device": "auto", "pushinfo": "a=" * 10_001}, 40002, "pushinfo"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_named(
        self,
        duo: DuoSimulator,
        auth: duo_client.Auth,
        ada: Phone,
        refusal_of: RefusalOf,
        arguments: dict[str, str],
        code: int,
        detail: str,
    ) -> None:
        duo.add_user("grace", devices=[Token()])
        refusal = refusal_of(lambda: auth.auth(**arguments))
        assert (refusal.status, refusal.code, refusal.detail) == (400, code, detail)

    def test_a_device_of_somebody_else_is_none_of_mine(
        self, duo: DuoSimulator, auth: duo_client.Auth, ada: Phone, refusal_of: RefusalOf
    ) -> None:
        duo.add_user("mallory")
        assert refusal_of(lambda: auth.auth("push", username="mallory", device=ada.id)).detail == "device"


class TestStanding:
    @pytest.mark.parametrize(
        ("status", "result", "told"),
        [("bypass", "allow", "bypass"), ("disabled", "deny", "deny"), ("locked out", "deny", "locked_out")],
    )
    @pytest.mark.parametrize("factor", ["push", "passcode"])
    def test_the_status_of_a_user_comes_before_any_factor(
        self, duo: DuoSimulator, auth: duo_client.Auth, status: str, result: str, told: str, factor: str
    ) -> None:
        duo.add_user("ada", status)  # type: ignore[arg-type]
        answer = auth.auth(factor, username="ada", device="auto", passcode="123456")
        assert (answer["result"], answer["status"]) == (result, told)
        assert duo.pending() == []
