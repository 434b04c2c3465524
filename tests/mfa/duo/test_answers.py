from __future__ import annotations

import pytest

from casduo.mfa.duo.answers import read_codes, read_preauth, read_push_status, read_time, read_verdict
from casduo.mfa.duo.errors import DuoUnavailable
from casduo.mfa.duo.gateway import Device, Preauth, PreauthResult, PushStatus, Verdict, VerifiedPush

PORTAL = "https://api-1234.duosecurity.com/portal?code=48bac5d9393fb2c2&akey=DA"


def test_a_person_with_a_phone_and_a_token() -> None:
    response = {
        "result": "auth",
        "status_msg": "Account is active",
        "devices": [
            {
                "device": "DP1",
                "type": "phone",
                "name": "ada's phone",
                "display_name": "ada's phone (XXX-XXX-0100)",
                "number": "XXX-XXX-0100",
                "capabilities": ["auto", "push", "mobile_otp"],
            },
            {"device": "DH1", "type": "token", "name": "20361492"},
        ],
    }
    assert read_preauth(response) == Preauth(
        PreauthResult.AUTH,
        "Account is active",
        (
            Device("DP1", "phone", "ada's phone (XXX-XXX-0100)", frozenset({"auto", "push", "mobile_otp"})),
            Device("DH1", "token", "20361492"),
        ),
    )


@pytest.mark.parametrize("word", ["enroll", "allow", "deny"])
def test_the_other_results(word: str) -> None:
    assert read_preauth({"result": word, "status_msg": "so it is"}) == Preauth(PreauthResult(word), "so it is")


@pytest.mark.parametrize("word", ["maybe", "", None, 7, "ALLOW", ["allow"], {"allow": True}])
def test_a_result_nobody_knows_is_a_refusal_and_is_logged(word: object, caplog: pytest.LogCaptureFixture) -> None:
    assert read_preauth({"result": word}).result is PreauthResult.DENY
    assert "refusal" in caplog.text


def test_a_missing_result_is_a_refusal() -> None:
    assert read_preauth({}).result is PreauthResult.DENY


@pytest.mark.parametrize("response", [None, "soon", [], 7])
def test_an_answer_that_is_no_object_is_unreadable(response: object) -> None:
    with pytest.raises(DuoUnavailable, match="unreadable"):
        read_preauth(response)


@pytest.mark.parametrize("devices", [None, "DP1", {}, [None, "DP1", {}, {"device": 7}, {"device": ""}]])
def test_devices_of_an_unforeseen_shape_are_left_out(devices: object) -> None:
    assert read_preauth({"result": "auth", "devices": devices}).devices == ()


def test_a_device_is_called_by_the_first_name_it_has() -> None:
    def label(**names: str) -> str:
        return read_preauth({"result": "auth", "devices": [{"device": "DP1", **names}]}).devices[0].label

    assert label(display_name="Phone", name="iPhone", number="0100") == "Phone"
    assert label(display_name="", name="iPhone", number="0100") == "iPhone"
    assert label(name="", number="0100") == "0100"
    assert label() == ""


def test_texts_lose_control_characters_and_excess() -> None:
    response = {"result": "deny", "status_msg": "\x1b[31mlocked\nout\u202e" + "x" * 1000}
    message = read_preauth(response).status_message
    assert message.isprintable()
    assert message.startswith("[31mlocked out")
    assert len(message) <= 500


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (PORTAL, PORTAL),
        ("http://api-1234.duosecurity.com/portal", None),
        ("javascript:alert(1)", None),
        ("https:///portal", None),
        ("https://[::1", None),
        ("https://a.example/\nSet-Cookie: a=1", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_only_a_secure_web_address_is_an_enrolment_portal(url: object, expected: str | None) -> None:
    assert read_preauth({"result": "enroll", "enroll_portal_url": url}).enroll_portal_url == expected


def test_the_portals_one_time_code_is_not_shown() -> None:
    assert "48bac5d9393fb2c2" not in repr(read_preauth({"result": "enroll", "enroll_portal_url": PORTAL}))


def test_a_verdict_with_all_its_circumstances() -> None:
    token = {
        "auth_result": {"result": "allow", "status": "allow", "status_msg": "Login Successful"},
        "auth_context": {"factor": "duo_push", "txid": "45f7c92b", "reason": "user_approved"},
    }
    expected = Verdict(True, "allow", "Login Successful", "duo_push", "45f7c92b", "user_approved")
    assert read_verdict(token) == expected


@pytest.mark.parametrize(
    "result",
    [
        None,
        "allow",
        ["allow"],
        {},
        {"result": None},
        {"result": True},
        {"result": "ALLOW"},
        {"result": "allow "},
        {"status": "allow"},
        {"result": "deny", "status": "allow"},
    ],
)
def test_nothing_but_allow_allows(result: object) -> None:
    assert read_verdict({"auth_result": result}).allowed is False


def test_a_token_without_a_result_allows_nothing() -> None:
    assert read_verdict({"preferred_username": "ada"}) == Verdict(False)


def test_the_time() -> None:
    assert read_time({"time": 1357020061}) == 1357020061.0


@pytest.mark.parametrize(
    "response", [{}, {"time": 0}, {"time": -1}, {"time": "1357020061"}, {"time": 10**400}, None, [], "soon"]
)
def test_no_time(response: object) -> None:
    with pytest.raises(DuoUnavailable, match="unreadable"):
        read_time(response)


def test_a_verified_push_has_a_transaction_and_digits() -> None:
    response = {"result": "auth", "txid": "45f7c92b-f45f", "verification_code": "708", "expiration": 1357020061}
    assert read_preauth(response).verified == VerifiedPush("45f7c92b-f45f", "708")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"txid": "45f7c92b"},
        {"verification_code": "708"},
        {"txid": "45f7 c92b", "verification_code": "708"},
        {"txid": 7, "verification_code": "708"},
        {"txid": "45f7c92b", "verification_code": 708},
        {"txid": "45f7c92b", "verification_code": ""},
        {"txid": "45f7c92b", "verification_code": "7 08"},
        {"txid": "45f7c92b", "verification_code": "7" * 21},
        {"txid": "45f7c92b", "verification_code": "\uff17\uff10\uff18"},
    ],
)
def test_anything_less_is_no_verified_push(fields: dict[str, object]) -> None:
    assert read_preauth({"result": "auth", **fields}).verified is None


@pytest.mark.parametrize("result", ["allow", "enroll", "deny", "maybe"])
def test_only_who_is_to_authenticate_gets_a_verified_push(result: str) -> None:
    response = {"result": result, "txid": "45f7c92b", "verification_code": "708"}
    assert read_preauth(response).verified is None


def test_capabilities_of_an_unforeseen_shape_are_left_out() -> None:
    devices = [{"device": "DP1", "capabilities": ["push", 7, None, "", ["sms"]]}]
    assert read_preauth({"result": "auth", "devices": devices}).devices[0].capabilities == frozenset({"push"})


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({"waiting": True, "success": False, "status": "pushed"}, PushStatus(True, False, "pushed")),
        ({"waiting": True, "success": False, "status": "timeout"}, PushStatus(False, False, "timeout")),
        ({"waiting": True, "success": True, "status": "allow"}, PushStatus(True, False, "allow")),
        ({"waiting": False, "success": True, "status": "allow"}, PushStatus(False, True, "allow")),
        ({"waiting": False, "success": True, "status": "bypass"}, PushStatus(False, False, "bypass")),
        ({"waiting": False, "success": True}, PushStatus(False, True)),
        ({"waiting": False, "success": False, "status": "allow"}, PushStatus(False, False, "allow")),
        ({"waiting": 1, "success": 1}, PushStatus(False, False)),
        ({}, PushStatus(False, False)),
    ],
)
def test_how_a_push_stands(response: dict[str, object], expected: PushStatus) -> None:
    assert read_push_status(response) == expected


@pytest.mark.parametrize("result", ["allow", "deny", None])
def test_sending_codes_allows_nobody_whatever_duo_says(result: object) -> None:
    assert read_codes({"result": result, "status": "sent"}) == Verdict(False, "sent", "", "sms")
