"""What Duo's answer about a person means for a login."""

from __future__ import annotations

import pytest

from casduo.diagnosis.model import Finding, Part
from casduo.diagnosis.people import Terms, judge_person, judge_stranger
from casduo.diagnosis.text import as_text
from casduo.mfa.duo.gateway import Device, Preauth, PreauthResult

PART = Part("Duo")
TERMS = Terms(accept_allow=True)
PHONE = Device("DP1", "phone", "iPhone (XXX-XXX-0100)", frozenset({"auto", "push", "sms", "phone", "mobile_otp"}))
LANDLINE = Device("DP2", "phone", "", frozenset({"auto", "phone"}))
TOKEN = Device("DH1", "token", "20361492")
ATTACK = "\x1b]0;owned\x07\x1b[2J\u202eoK\r\n\x9b31m"


def ada(preauth: Preauth, terms: Terms = TERMS) -> Finding:
    return judge_person(PART, "ada", preauth, terms)


def test_somebody_with_devices() -> None:
    finding = ada(Preauth(PreauthResult.AUTH, "Account is active", (PHONE, TOKEN, LANDLINE)))
    assert finding.level == "ok"
    assert finding.examined == "user ada"
    assert finding.found == (
        "is asked for Duo, and has iPhone (XXX-XXX-0100) (push, call, text message, passcode); 20361492 (passcode); "
        "phone (call)"
    )
    assert finding.facts == {"result": "auth", "can_push": True}


@pytest.mark.parametrize("devices", [(TOKEN,), (LANDLINE,), ()])
def test_somebody_who_cannot_be_pushed(devices: tuple[Device, ...]) -> None:
    assert ada(Preauth(PreauthResult.AUTH, "", devices)).facts["can_push"] is False


def test_a_phone_that_can_nothing_is_shown_as_such() -> None:
    assert (
        "iPhone (nothing that Duo names)"
        in ada(Preauth(PreauthResult.AUTH, "", (Device("1", "phone", "iPhone"),))).found
    )


@pytest.mark.parametrize(
    ("terms", "where"),
    [
        (Terms(True), "led to the built-in enrolment pages"),
        (Terms(True, "https://kb.example.edu/duo"), "led to https://kb.example.edu/duo"),
        (Terms(True, enrollment=False), "told to ask for help"),
    ],
)
def test_somebody_without_a_device_is_led_somewhere(terms: Terms, where: str) -> None:
    finding = ada(Preauth(PreauthResult.ENROLL), terms)
    assert (finding.level, finding.detail) == ("attention", "enroll")
    assert where in finding.remedy
    assert where in judge_stranger(PART, Preauth(PreauthResult.ENROLL), terms).found


@pytest.mark.parametrize(
    ("accept", "words"),
    [(True, "counts as 'bypassed'"), (False, "does not let them in (duo.accept_preauth_allow: false)")],
)
def test_somebody_whom_duo_lets_pass(accept: bool, words: str) -> None:
    finding = ada(Preauth(PreauthResult.ALLOW, "Bypassing second factor"), Terms(accept))
    assert (finding.level, finding.detail) == ("attention", "allow")
    assert "Duo says: 'Bypassing second factor'" in finding.found
    assert words in finding.cause


def test_somebody_whom_duo_refuses_with_its_words() -> None:
    finding = ada(Preauth(PreauthResult.DENY, "Your account is locked out"))
    assert (finding.level, finding.detail) == ("attention", "deny")
    assert finding.found == "is refused by Duo; Duo says: 'Your account is locked out'"


@pytest.mark.parametrize("result", list(PreauthResult))
def test_nothing_that_duo_writes_reaches_the_terminal_as_a_command(result: PreauthResult) -> None:
    device = Device("DP1", "phone", ATTACK, frozenset({"push"}))
    text = as_text(ada(Preauth(result, ATTACK, (device,))))
    assert all(line.isprintable() for line in text.split("\n"))
    assert text.count("\n") == len(text.splitlines()) <= 3


def test_what_becomes_of_people_whom_duo_does_not_know() -> None:
    assert judge_stranger(PART, Preauth(PreauthResult.ENROLL), TERMS).level == "ok"
    allowed = judge_stranger(PART, Preauth(PreauthResult.ALLOW), TERMS)
    assert (allowed.level, allowed.detail) == ("attention", "unknown_allowed")
    assert "new user policy" in allowed.cause
    denied = judge_stranger(PART, Preauth(PreauthResult.DENY), TERMS)
    assert (denied.level, denied.detail) == ("attention", "unknown_denied")


@pytest.mark.parametrize("terms", [Terms(True, enrollment=False), Terms(True, "https://kb.example.edu/duo")])
def test_refusing_unknown_people_is_fine_where_nobody_enrols_here(terms: Terms) -> None:
    assert judge_stranger(PART, Preauth(PreauthResult.DENY), terms).level == "ok"
