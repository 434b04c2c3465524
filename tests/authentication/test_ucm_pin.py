"""The handler for PINs: who somebody is by them, and what is said where they do not get in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from casduo.authentication.authenticator import Authenticator
from casduo.authentication.lookup import PrincipalLookup, look_up
from casduo.authentication.model import Authenticated, Credential, ExpiresIn, Principal, Rejected
from casduo.authentication.ucm_pin import PrincipalKind, UcmPinHandler
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.ucm import UcmSimulator
from casduo.ucm.errors import UcmBusy, UcmMisconfigured, UcmUnavailable
from tests.ucm.axl_rig import PIN, axl, populate

NOW = 1_800_000_000.0
ADA = Credential("ada", PIN)


@pytest.fixture(scope="module")
def leaf(tmp_path_factory: pytest.TempPathFactory) -> LeafFiles:
    return CertificateAuthority.create(tmp_path_factory.mktemp("authority")).issue()


@pytest.fixture
def ucm(leaf: LeafFiles) -> Iterator[UcmSimulator]:
    with UcmSimulator(leaf, nodes=2) as simulator:
        populate(simulator)
        yield simulator


def handler(ucm: UcmSimulator, principal: PrincipalKind = "userid", seconds: float = 4.0) -> UcmPinHandler:
    return UcmPinHandler("ucm_pin", axl(ucm).directory, principal, seconds, 3)


def test_it_is_what_the_settings_say(ucm: UcmSimulator) -> None:
    found = handler(ucm)
    assert (found.name, found.max_waiting) == ("ucm_pin", 3)


def test_a_right_pin_makes_a_principal_with_all_that_ucm_knows(ucm: UcmSimulator) -> None:
    outcome = handler(ucm).authenticate(ADA, NOW)
    assert outcome == Authenticated(
        Principal(
            "ada",
            {
                "userid": ("ada",),
                "mail": ("ada@example.edu",),
                "givenName": ("Ada",),
                "sn": ("Lovelace",),
                "displayName": ("Ada Lovelace",),
                "department": ("Ward 3",),
                "telephoneNumber": ("1815",),
                "locale": ("English United States",),
                "emProfile": ("ada-office", "ada-ward"),
                "emDefaultProfile": ("ada-ward",),
            },
        ),
        "ucm_pin",
    )


def test_what_ucm_does_not_know_is_no_attribute(ucm: UcmSimulator) -> None:
    outcome = handler(ucm).authenticate(Credential("grace", "19061906"), NOW)
    assert isinstance(outcome, Authenticated)
    assert outcome.principal.attributes == {"userid": ("grace",)}


@pytest.mark.parametrize(
    ("principal", "identifier"), [("userid", "ada"), ("mailid", "ada@example.edu"), ("mail_name", "ada")]
)
def test_the_name_is_what_the_settings_say(principal: PrincipalKind, identifier: str, ucm: UcmSimulator) -> None:
    outcome = handler(ucm, principal).authenticate(Credential("ADA", PIN), NOW)
    assert isinstance(outcome, Authenticated)
    assert (outcome.principal.id, outcome.principal.attributes["userid"]) == (identifier, ("ada",))


@pytest.mark.parametrize("mail", ["", "ada", "@example.edu"])
@pytest.mark.parametrize("principal", ["mailid", "mail_name"])
def test_who_is_to_be_known_by_a_mail_address_needs_one(principal: PrincipalKind, mail: str, ucm: UcmSimulator) -> None:
    ucm.user("ada").mail = mail
    found = handler(ucm, principal)
    assert found.authenticate(ADA, NOW) == Rejected("not_permitted_now", "ucm_pin", "no mail address", proved=True)
    assert found.authenticate(Credential("ada", "0000"), NOW) == Rejected("wrong", "ucm_pin", "code 1")


@pytest.mark.parametrize("said", ["false", "f", "0", "", None, "nonsense"])
def test_a_refusal_is_a_refusal(said: str | None, ucm: UcmSimulator) -> None:
    ucm.nodes[0].faults.overwrite("doAuthenticateUser", "userAuthenticated", said)
    outcome = handler(ucm).authenticate(ADA, NOW)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.proved) == ("wrong", False)
    assert ucm.calls("getUser") == 0


def test_an_unknown_user_and_a_wrong_pin_look_alike(ucm: UcmSimulator) -> None:
    found = handler(ucm)
    assert found.authenticate(Credential("ada", "0000"), NOW) == found.authenticate(Credential("nobody", "0000"), NOW)
    ucm.policy.unknown_user = "fault"
    outcome = found.authenticate(Credential("nobody", "0000"), NOW)
    assert outcome == Rejected("wrong", "ucm_pin", "code 5007")


def test_who_is_locked_out_looks_the_same(ucm: UcmSimulator) -> None:
    found = handler(ucm)
    wrong = [found.authenticate(Credential("ada", "0000"), NOW) for _ in range(3)]
    assert ucm.locked("ada")
    assert {found.authenticate(ADA, NOW), *wrong} == {wrong[0]}


@pytest.mark.parametrize("pin", ["password", "12", "1234 "])
def test_what_is_no_pin_is_wrong_without_a_question(pin: str, ucm: UcmSimulator) -> None:
    assert handler(ucm).authenticate(Credential("ada", pin), NOW) == Rejected("wrong", "ucm_pin")
    assert ucm.calls() == 0


def test_a_pin_that_runs_out_is_told(ucm: UcmSimulator) -> None:
    ucm.user("ada").pin_expires_in_days = 3
    outcome = handler(ucm).authenticate(ADA, NOW)
    assert isinstance(outcome, Authenticated)
    assert outcome.warnings == (ExpiresIn(3 * 86_400),)


def test_who_has_a_pin_and_is_no_end_user_is_told_so(ucm: UcmSimulator) -> None:
    ucm.nodes[0].faults.refuse(5007, "the user was not found", "getUser")
    outcome = handler(ucm).authenticate(ADA, NOW)
    assert outcome == Rejected("not_permitted_now", "ucm_pin", "no end user", proved=True)


@pytest.mark.parametrize(
    ("kind", "error", "reason"),
    [
        ("unavailable", UcmBusy, "busy"),
        ("html", UcmUnavailable, "unavailable"),
        ("unauthorized", UcmMisconfigured, "unavailable"),
    ],
)
@pytest.mark.parametrize("operation", ["doAuthenticateUser", "getUser"])
def test_a_ucm_that_cannot_be_asked_is_no_refusal(
    operation: str, kind: str, error: type[Exception], reason: str, ucm: UcmSimulator
) -> None:
    for node in ucm.nodes:
        node.faults.answer(kind, operation)
    found = handler(ucm)
    with pytest.raises(error):
        found.authenticate(ADA, NOW)
    outcome = Authenticator([found], 4).authenticate(ADA, NOW)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == reason


def test_both_questions_share_one_budget(ucm: UcmSimulator) -> None:
    for node in ucm.nodes:
        node.faults.spoil("hang", "getUser")
    with pytest.raises(UcmUnavailable):
        handler(ucm, seconds=0.3).authenticate(ADA, NOW)


def test_nothing_is_asked_to_pass_the_time(ucm: UcmSimulator) -> None:
    handler(ucm).spend(ADA, NOW, asked=False)
    assert ucm.calls() == 0


def test_people_are_looked_up_without_a_pin(ucm: UcmSimulator) -> None:
    found = handler(ucm, "mailid")
    assert isinstance(found, PrincipalLookup)
    looked_up = look_up([found], ["ucm_pin"], "ADA", NOW)
    assert looked_up.handler == "ucm_pin"
    assert looked_up.person is not None
    signed_in = found.authenticate(ADA, NOW)
    assert isinstance(signed_in, Authenticated)
    assert looked_up.person.principal == signed_in.principal
    assert (looked_up.person.refusal, looked_up.person.judged) == (None, False)
    assert found.lookup("nobody", NOW) is None
    assert ucm.calls("doAuthenticateUser") == 1


def test_looking_up_tells_who_lacks_a_mail_address(ucm: UcmSimulator) -> None:
    person = handler(ucm, "mail_name").lookup("grace", NOW)
    assert person is not None
    assert (person.principal.id, person.refusal) == ("grace", "not_permitted_now")
