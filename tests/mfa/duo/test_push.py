"""Pushes, calls and text messages: what is sent to Duo, and what becomes of it when it cannot be sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casduo.errors import CasduoError
from casduo.mfa.duo.auth_api import AuthApi, push_information
from casduo.mfa.duo.errors import (
    DuoBadParameter,
    DuoBusy,
    DuoFailure,
    DuoMisconfigured,
    DuoRateLimited,
    DuoUnavailable,
    DuoUnexpected,
    DuoUntrusted,
)
from casduo.mfa.duo.gateway import DuoGateway, NullDuoGateway, VerifiedPush
from casduo.outbound import Bulkhead
from casduo.outbound.http import HttpClient
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.faults import ANSWER_KINDS, CannedAnswer
from casduo.simulators.duo.model import Phone, Token

pytestmark = pytest.mark.filterwarnings("ignore:The HMAC key is")

AUTH, PREAUTH = "/auth/v2/auth", "/auth/v2/preauth"
ADA_AT = ("ada", "192.0.2.7")


def send_push(gateway: DuoGateway) -> object:
    return gateway.push(*ADA_AT)


def send_call(gateway: DuoGateway) -> object:
    return gateway.push(*ADA_AT, factor="phone")


def send_codes(gateway: DuoGateway) -> object:
    return gateway.send_codes(*ADA_AT)


SENDS = [pytest.param(send, id=send.__name__) for send in (send_push, send_call, send_codes)]


def failure_of(call: Callable[[], object]) -> DuoFailure:
    with pytest.raises(DuoFailure) as caught:
        call()
    failure = caught.value
    assert failure.__cause__ is None
    assert failure.__context__ is None or isinstance(failure.__context__, CasduoError)
    assert failure.may_fail_open is False
    return failure


# -- a push ----------------------------------------------------------------------------------------------------------


def test_a_push_waits_on_the_phone_and_nobody_waits_for_it(gateway: DuoGateway, duo: DuoSimulator) -> None:
    transaction = gateway.push(*ADA_AT, info={"Application": "Payroll", "Place": "Main campus"})
    waiting = duo.pending("ada")
    assert [each.txid for each in waiting] == [transaction]
    assert waiting[0].factor == "push"
    assert waiting[0].details.address == "192.0.2.7"
    assert waiting[0].details.information == (("Application", "Payroll"), ("Place", "Main campus"))
    assert duo.requests(AUTH)[0].parameters["async"] == "1"


def test_the_word_before_request_is_a_setting(make_gateway: Any, duo: DuoSimulator) -> None:
    make_gateway(label="Sign-in").push(*ADA_AT)
    make_gateway(label="Anmelde-").push(*ADA_AT)
    assert [each.details.kind for each in duo.pending("ada")] == ["Sign-in", "Anmelde-"]


def test_a_push_goes_to_the_device_that_is_named(gateway: DuoGateway, duo: DuoSimulator) -> None:
    old, new = Phone("old"), Phone("new")
    duo.add_user("ada", devices=[old, new])
    gateway.push(*ADA_AT, new.id)
    gateway.push(*ADA_AT)
    assert [each.device for each in duo.pending("ada")] == [new, old]


def test_an_unknown_address_is_left_out(gateway: DuoGateway, duo: DuoSimulator) -> None:
    gateway.push("ada", "")
    gateway.send_codes("ada", "")
    assert [record.parameters.get("ipaddr") for record in duo.requests(AUTH)] == [None, None]


def test_labels_and_values_are_encoded_once(gateway: DuoGateway, duo: DuoSimulator) -> None:
    info = {"Host": "a.example/?x=1&y=2", "Ort & Straße": "100 % = 50+50", "Emoji": "☎", "%41": "%2B"}
    gateway.push(*ADA_AT, info=info)
    assert duo.pending("ada")[0].details.information == tuple(info.items())


def test_a_push_without_anything_to_show_shows_nothing(gateway: DuoGateway, duo: DuoSimulator) -> None:
    gateway.push(*ADA_AT, info={"Place": ""})
    assert "pushinfo" not in duo.requests(AUTH)[0].parameters


@given(st.dictionaries(st.text(min_size=1, max_size=40), st.text(max_size=400), max_size=60))
def test_whatever_is_to_be_shown_arrives_as_far_as_there_is_room(info: dict[str, str]) -> None:
    encoded = push_information(info)
    assert len(encoded) <= 20_000
    assert encoded.isascii()
    sent = [(_sendable(label), _sendable(value)) for label, value in info.items() if value]
    shown = parse_qsl(encoded, keep_blank_values=True, strict_parsing=bool(encoded))
    assert shown == sent[: len(shown)]


def test_what_there_is_no_room_for_is_left_out_from_the_end() -> None:
    info = {f"Label {number}": "ü" * 400 for number in range(20)}
    shown = parse_qsl(push_information(info), strict_parsing=True)
    assert 5 < len(shown) < 20
    assert dict(shown) == dict(list(info.items())[: len(shown)])


def _sendable(text: str) -> str:
    return text.encode(errors="replace").decode()


@given(
    username=st.text(max_size=30),
    device=st.one_of(st.just("auto"), st.text(max_size=30)),
    info=st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=3),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_parameters_nothing_but_a_failure_of_duos_is_raised(
    gateway: DuoGateway, username: str, device: str, info: dict[str, str]
) -> None:
    failures: list[DuoFailure] = []
    for send in (
        lambda: gateway.push(username, "192.0.2.7", device, info=info),
        lambda: gateway.push("ada", "192.0.2.7", device, factor="phone"),
        lambda: gateway.send_codes("ada", "192.0.2.7", device),
        lambda: gateway.push_status(device) if device != "auto" else None,
        lambda: gateway.enroll_status(username, device),
    ):
        try:
            send()
        except DuoFailure as failure:
            failures.append(failure)
    for each in failures:
        assert each.may_fail_open is False
        assert not isinstance(each, DuoUnavailable | DuoUnexpected)


# -- a call and a text message ---------------------------------------------------------------------------------------


def test_a_call_shows_nothing_and_so_is_told_nothing(gateway: DuoGateway, duo: DuoSimulator) -> None:
    verified = VerifiedPush("45f7c92b-f45f-4862-8545-e0f58e78075a", "708")
    gateway.push(*ADA_AT, factor="phone", info={"Application": "Payroll"}, verified=verified)
    assert duo.pending("ada")[0].factor == "phone"
    assert not {"type", "pushinfo", "txid"} & set(duo.requests(AUTH)[0].parameters)


def test_codes_are_sent_and_that_allows_nobody(gateway: DuoGateway, duo: DuoSimulator) -> None:
    verdict = gateway.send_codes(*ADA_AT)
    assert (verdict.allowed, verdict.status, verdict.factor) == (False, "sent", "sms")
    assert verdict.status_message
    assert gateway.passcode("ada", duo.phone("ada").messages()[0], "").allowed


def test_codes_for_somebody_who_is_locked_out_are_not_sent(gateway: DuoGateway) -> None:
    assert gateway.send_codes("linus", "").status == "locked_out"


def test_codes_for_somebody_whom_duo_lets_pass_allow_nobody(gateway: DuoGateway) -> None:
    verdict = gateway.send_codes("alan", "")
    assert (verdict.allowed, verdict.status) == (False, "bypass")


# -- who cannot be sent anything -------------------------------------------------------------------------------------


@pytest.mark.parametrize("send", ["push", "send_codes"])
def test_what_duo_does_not_accept_is_named(gateway: DuoGateway, duo: DuoSimulator, send: str) -> None:
    duo.add_user("ken", devices=[Token("20361492")])
    ask = getattr(gateway, send)
    for arguments, detail in (
        (("nobody", ""), "username"),
        (("ada", "", "DP" + "0" * 18), "device"),
        (("ken", ""), "no_capable_device"),
        (("grace", ""), "no_capable_device"),
    ):
        failure = failure_of(lambda arguments=arguments: ask(*arguments))  # type: ignore[misc]
        assert (type(failure), failure.detail) == (DuoBadParameter, detail)


def test_a_device_of_somebody_else_is_none(gateway: DuoGateway, duo: DuoSimulator) -> None:
    phone = Phone("alan's")
    duo.add_user("alan", devices=[phone])
    assert failure_of(lambda: gateway.push(*ADA_AT, phone.id)).detail == "device"


# -- a verified push -------------------------------------------------------------------------------------------------


@pytest.fixture
def verifying(duo: DuoSimulator, http: HttpClient) -> AuthApi:
    keys = duo.add_application("authapi", verified_push=True)
    return AuthApi(keys.integration_key, keys.secret_key, duo.api_host, http)


def test_a_verified_push_asks_for_the_digits_that_preauth_told(verifying: AuthApi, duo: DuoSimulator) -> None:
    verified = verifying.preauth(*ADA_AT).verified
    assert verified is not None
    assert verified.code.isdigit()
    transaction = verifying.push(*ADA_AT, "auto", "push", {}, verified)
    assert transaction == verified.transaction
    assert verified.code in verifying.push_status(transaction).status_message
    phone = duo.phone("ada")
    assert not phone.enter_code("0" if verified.code != "0" else "1")
    assert phone.enter_code(verified.code)
    assert verifying.push_status(transaction).allowed


def test_without_a_verified_push_none_is_told(gateway: DuoGateway) -> None:
    assert gateway.preauth(*ADA_AT).verified is None


def test_duo_is_told_of_our_support_only_where_the_settings_have_it(make_gateway: Any, duo: DuoSimulator) -> None:
    for supported in (True, False):
        make_gateway(verified_push=supported).preauth(*ADA_AT)
    told = [record.parameters.get("client_supports_verified_push") for record in duo.requests(PREAUTH)]
    assert told == ["1", None]


def test_the_digits_serve_for_one_push(verifying: AuthApi) -> None:
    verified = verifying.preauth(*ADA_AT).verified
    verifying.push(*ADA_AT, "auto", "push", {}, verified)
    assert failure_of(lambda: verifying.push(*ADA_AT, "auto", "push", {}, verified)).detail == "txid"


def test_digits_and_transaction_are_not_shown() -> None:
    assert "708" not in repr(VerifiedPush("45f7c92b", "708"))
    assert "45f7" not in repr(VerifiedPush("45f7c92b", "708"))


# -- when Duo cannot be used: nothing opens any more -----------------------------------------------------------------

UNAVAILABLE_KINDS = {
    "server_error_json": "server_error",
    "server_error_stat_ok": "server_error",
    "unavailable_json": "server_error",
    "bad_gateway_html": "server_error",
    "bad_gateway_latin1": "server_error",
}


@pytest.mark.parametrize("send", SENDS)
@pytest.mark.parametrize("kind", ANSWER_KINDS)
def test_odd_answers(gateway: DuoGateway, duo: DuoSimulator, send: Any, kind: Any) -> None:
    duo.faults.answer(AUTH, kind)
    failure = failure_of(lambda: send(gateway))
    if kind == "fail_with_200":
        assert (type(failure), failure.detail) == (DuoMisconfigured, "request")
    else:
        assert (type(failure), failure.detail) == (DuoUnavailable, UNAVAILABLE_KINDS.get(kind, "unreadable"))
    assert duo.requests.count(AUTH) == 1


@pytest.mark.parametrize("txid", ["", 7, None, ["a"], "a b", "a\nb", "ö", "x" * 501])
def test_an_answer_without_a_transaction_is_unreadable(gateway: DuoGateway, duo: DuoSimulator, txid: object) -> None:
    body = CannedAnswer(
        200, "application/json", f'{{"stat": "OK", "response": {{"txid": {json.dumps(txid)}}}}}'.encode()
    )
    duo.faults.answer(AUTH, body)
    assert failure_of(lambda: send_push(gateway)).detail == "unreadable"


@pytest.mark.parametrize("send", SENDS)
@pytest.mark.parametrize(
    ("code", "detail", "expected"),
    [
        (40001, "device", DuoBadParameter),
        (40002, "username", DuoBadParameter),
        (40002, "No capable device", DuoBadParameter),
        (40002, "pushinfo", DuoMisconfigured),
        (40002, None, DuoMisconfigured),
        (40103, None, DuoMisconfigured),
        (40105, None, DuoMisconfigured),
        (40301, None, DuoMisconfigured),
        (42901, None, DuoRateLimited),
        (50000, None, DuoUnavailable),
    ],
)
def test_refusals_are_told_apart(
    gateway: DuoGateway, duo: DuoSimulator, send: Any, code: int, detail: str | None, expected: type[DuoFailure]
) -> None:
    duo.faults.refuse(AUTH, code, detail)
    assert type(failure_of(lambda: send(gateway))) is expected
    assert duo.requests.count(AUTH) == 1


@pytest.mark.parametrize("send", SENDS)
def test_nothing_is_sent_twice_though_the_answer_is_lost(gateway: DuoGateway, duo: DuoSimulator, send: Any) -> None:
    duo.transport.cut(AUTH)
    assert failure_of(lambda: send(gateway)).detail == "reset"
    assert duo.requests.count(AUTH) == 1


@pytest.mark.parametrize("send", SENDS)
def test_a_silent_a_stammering_and_a_stopped_duo(make_gateway: Any, duo: DuoSimulator, send: Any) -> None:
    gateway = make_gateway(read_timeout=0.5)
    duo.transport.stay_silent(AUTH, times=1)
    assert failure_of(lambda: send(gateway)).detail == "timeout"
    duo.transport.cut(AUTH, after=100, times=1)
    assert failure_of(lambda: send(gateway)).detail == "unreadable"
    duo.stop_listening()
    assert failure_of(lambda: send(gateway)).detail == "refused"


@pytest.mark.parametrize("send", SENDS)
def test_a_strange_certificate_is_told_nothing(
    gateway: DuoGateway, duo: DuoSimulator, stranger: CertificateAuthority, send: Any
) -> None:
    duo.use_certificate(stranger.issue())
    assert type(failure_of(lambda: send(gateway))) is DuoUntrusted
    assert len(duo.requests) == 0


@pytest.mark.parametrize("send", SENDS)
def test_an_open_breaker_opens_no_door(make_gateway: Any, duo: DuoSimulator, send: Any) -> None:
    gateway = make_gateway(VirtualClock(), breaker_failures=1)
    duo.stop_listening()
    assert [failure_of(lambda: send(gateway)).detail for _ in range(2)] == ["refused", "breaker_open"]


@pytest.mark.parametrize("send", SENDS)
def test_no_more_than_allowed_wait_for_duo_at_a_time(make_gateway: Any, duo: DuoSimulator, send: Any) -> None:
    bulkhead = Bulkhead("duo", 1)
    gateway = make_gateway(bulkhead=bulkhead)
    with bulkhead:
        assert type(failure_of(lambda: send(gateway))) is DuoBusy
    assert len(duo.requests) == 0
    send(gateway)


@pytest.mark.parametrize("send", SENDS)
def test_a_refused_device_does_not_count_as_an_outage(make_gateway: Any, duo: DuoSimulator, send: Any) -> None:
    gateway = make_gateway(breaker_failures=1)
    duo.faults.refuse(AUTH, 40002, "device", times=2)
    for _ in range(2):
        failure_of(lambda: send(gateway))
    send(gateway)


def test_failures_quote_neither_devices_nor_keys(gateway: DuoGateway, duo: DuoSimulator) -> None:
    duo.faults.refuse(AUTH, 40002, "device")
    failure = failure_of(lambda: gateway.push("ada", "192.0.2.7", "DPSECRET", info={"a": "confidential"}))
    shown = f"{failure} {failure!r} {failure.message} {vars(failure)}"
    assert all(secret not in shown for secret in ("DPSECRET", "confidential", "192.0.2.7"))


def test_what_is_misconfigured_is_logged_with_the_applications_name(
    make_gateway: Any, duo: DuoSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = make_gateway(name="payroll")
    duo.faults.refuse(AUTH, 40301)
    failure_of(lambda: send_push(gateway))
    assert "Duo application payroll: misconfigured, rights." in caplog.text


def test_without_duo_nothing_is_sent() -> None:
    gateway = NullDuoGateway()
    calls: list[Callable[[], object]] = [
        lambda: gateway.push("ada", ""),
        lambda: gateway.push_status("45f7c92b"),
        lambda: gateway.send_codes("ada", ""),
        lambda: gateway.enroll("ada", 600),
        lambda: gateway.enroll_status("DU", "duo://"),
    ]
    for call in calls:
        failure = failure_of(call)
        assert (type(failure), failure.detail) == (DuoMisconfigured, "off")
