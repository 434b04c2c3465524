"""AXL as a client: a refusal is a refusal, one node's trouble is not another's, and no secret is ever written down."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator

import pytest

from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.ucm import UcmSimulator
from casduo.ucm.errors import UcmBusy, UcmMisconfigured, UcmRefused, UcmUnavailable
from casduo.ucm.model import PhoneState, PinAnswer, UcmUser
from tests.ucm.axl_rig import (
    CLOSED_PHONE,
    OTHER_PHONE,
    PASSWORD,
    PHONE,
    PIN,
    USERNAME,
    Axl,
    axl,
    budget,
    listen,
    populate,
    schema,
)


@pytest.fixture(scope="module")
def leaf(tmp_path_factory: pytest.TempPathFactory) -> LeafFiles:
    return CertificateAuthority.create(tmp_path_factory.mktemp("authority")).issue()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def ucm(leaf: LeafFiles, clock: VirtualClock) -> Iterator[UcmSimulator]:
    with UcmSimulator(leaf, nodes=3, clock=clock) as simulator:
        populate(simulator)
        yield simulator


@pytest.fixture
def found(ucm: UcmSimulator) -> Axl:
    return axl(ucm)


# -- PINs --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["false", "f", "0", "", None, "False", "no", "nonsense", "TRUE", "2"])
def test_a_refusal_is_a_refusal(said: str | None, ucm: UcmSimulator, found: Axl) -> None:
    ucm.nodes[0].faults.overwrite("doAuthenticateUser", "userAuthenticated", said)
    assert not found.directory.check_pin("ada", PIN, budget()).right


@pytest.mark.parametrize("said", ["true", "t", "1"])
def test_only_these_say_that_a_pin_is_right(said: str, ucm: UcmSimulator, found: Axl) -> None:
    ucm.nodes[0].faults.overwrite("doAuthenticateUser", "userAuthenticated", said)
    assert found.directory.check_pin("ada", "0000", budget()).right


def test_a_right_pin_and_a_wrong_one(found: Axl) -> None:
    assert found.directory.check_pin("ada", PIN, budget()) == PinAnswer(True, "0")
    assert found.directory.check_pin("ada", "0000", budget()) == PinAnswer(False, "1")


def test_an_unknown_user_has_no_right_pin(ucm: UcmSimulator, found: Axl) -> None:
    assert not found.directory.check_pin("nobody", PIN, budget()).right
    ucm.policy.unknown_user = "fault"
    assert found.directory.check_pin("nobody", PIN, budget()) == PinAnswer(False, "5007")


def test_a_pin_that_runs_out_is_told(ucm: UcmSimulator, found: Axl) -> None:
    ucm.user("ada").pin_expires_in_days = 3
    assert found.directory.check_pin("ada", PIN, budget()) == PinAnswer(True, "0", 3)
    ucm.user("ada").pin_expires_in_days = 90
    assert found.directory.check_pin("ada", PIN, budget()) == PinAnswer(True, "0")


@pytest.mark.parametrize(
    "pin",
    [
        "",
        "123",
        "1" * 129,
        "12345x",
        " 1234",
        "1234\n",
        "\uff11\uff12\uff13\uff14",
        "\u0661\u0662\u0663\u0664",
        "-1234",
        "12.34",
        "<1234/>",
    ],
)
def test_what_is_no_pin_never_leaves(pin: str, ucm: UcmSimulator, found: Axl) -> None:
    assert found.directory.check_pin("ada", pin, budget()) == PinAnswer(False)
    assert ucm.calls() == 0


@pytest.mark.parametrize(
    "userid", ["", "a" * 129, "a" * 300, "ada\n", "ada\x00", 'a"b', "a;b", "a\\b", "a<b", "ada\ud800"]
)
def test_what_is_no_user_id_never_leaves(userid: str, ucm: UcmSimulator, found: Axl) -> None:
    assert found.directory.check_pin(userid, PIN, budget()) == PinAnswer(False)
    assert found.directory.user(userid, budget()) is None
    with pytest.raises(UcmMisconfigured):
        found.logins.devices_of(userid, budget())
    with pytest.raises(UcmRefused) as caught:
        found.logins.log_in(PHONE, userid, "ada-ward", 0.0, budget())
    assert caught.value.kind == "no_user"
    assert ucm.calls() == 0


# -- Users -------------------------------------------------------------------------------------------------------------


def test_a_user_is_told(found: Axl) -> None:
    assert found.directory.user("ADA", budget()) == UcmUser(
        userid="ada",
        first_name="Ada",
        last_name="Lovelace",
        display_name="Ada Lovelace",
        mail="ada@example.edu",
        department="Ward 3",
        telephone="1815",
        locale="English United States",
        profiles=("ada-office", "ada-ward"),
        default_profile="ada-ward",
    )


def test_names_come_as_they_are(found: Axl) -> None:
    user = found.directory.user("o'brien", budget())
    assert user is not None
    assert user.profiles == ('o\'brien & "sons" <%#ä>',)


def test_a_user_without_anything(found: Axl) -> None:
    user = found.directory.user("grace", budget())
    assert user is not None
    assert (user.userid, user.mail, user.profiles, user.default_profile) == ("grace", "", (), "")


def test_nobody_has_this_id(found: Axl) -> None:
    assert found.directory.user("nobody", budget()) is None


@pytest.mark.parametrize("spoiled", ["unknown_element", "changed_order"])
def test_what_a_newer_ucm_says_besides_hides_no_mail_address(spoiled: str, ucm: UcmSimulator, found: Axl) -> None:
    ucm.nodes[0].faults.spoil(spoiled)
    user = found.directory.user("ada", budget())
    assert user is not None
    assert (user.mail, user.profiles) == ("ada@example.edu", ("ada-office", "ada-ward"))
    assert not found.directory.check_pin("ada", "0000", budget()).right
    assert found.directory.check_pin("ada", PIN, budget()).right
    assert ucm.calls(node=1) == 0


def test_a_fault_in_a_namespace_is_one_too(ucm: UcmSimulator, found: Axl) -> None:
    ucm.nodes[0].faults.spoil("namespaced_fault")
    assert found.directory.user("nobody", budget()) is None
    assert ucm.calls(node=1) == 0


def test_an_answer_about_somebody_else_is_no_answer(ucm: UcmSimulator, found: Axl) -> None:
    for node in ucm.nodes:
        node.faults.overwrite("getUser", "userid", "grace")
    with pytest.raises(UcmUnavailable, match="unreadable"):
        found.directory.user("ada", budget())


# -- Logins ------------------------------------------------------------------------------------------------------------


def test_axl_leaves_policy_and_time_to_others(found: Axl) -> None:
    assert (found.logins.has_policy, found.logins.ends_logins) == (False, False)


def test_a_login_and_a_logout(ucm: UcmSimulator, found: Axl) -> None:
    assert found.logins.state(PHONE, budget()) == PhoneState(PHONE, enabled=True)
    found.logins.log_in(PHONE, "ada", "ada-ward", 3600.0, budget())
    login = ucm.login_of(PHONE)
    assert login is not None
    assert (login.user, login.profile, login.duration) == ("ada", "ada-ward", 0)
    assert found.logins.state(PHONE, budget()) == PhoneState(PHONE, enabled=True, user="ada", profile="ada-ward")
    found.logins.log_out(PHONE, budget())
    assert ucm.login_of(PHONE) is None


def test_a_profile_with_any_name_can_be_logged_in_with(ucm: UcmSimulator, found: Axl) -> None:
    profile = 'o\'brien & "sons" <%#ä>'
    found.logins.log_in(PHONE, "o'brien", profile, 0.0, budget())
    assert found.logins.state(PHONE, budget()) == PhoneState(PHONE, enabled=True, user="o'brien", profile=profile)


def test_phones_that_are_closed_or_unknown(found: Axl) -> None:
    assert found.logins.state(CLOSED_PHONE, budget()) == PhoneState(CLOSED_PHONE, enabled=False)
    assert found.logins.state("SEP000000000000", budget()) == PhoneState("SEP000000000000", known=False)


@pytest.mark.parametrize("device", ["", "a" * 129, "SEP\n", "\x00"])
def test_what_is_no_name_never_leaves(device: str, ucm: UcmSimulator, found: Axl) -> None:
    assert found.logins.state(device, budget()) == PhoneState(device, known=False)
    for call in (
        lambda: found.logins.log_in(device, "ada", "ada-ward", 0.0, budget()),
        lambda: found.logins.log_out(device, budget()),
    ):
        with pytest.raises(UcmRefused) as caught:
            call()
        assert caught.value.kind == "no_device"
    with pytest.raises(UcmRefused) as caught:
        found.logins.log_in(PHONE, "ada", device, 0.0, budget())
    assert caught.value.kind == "no_profile"
    assert ucm.calls() == 0


@pytest.mark.parametrize(
    ("device", "userid", "profile", "kind"),
    [
        ("SEP000000000000", "ada", "ada-ward", "no_device"),
        (PHONE, "nobody", "ada-ward", "no_user"),
        (PHONE, "ada", "no-such", "no_profile"),
        (CLOSED_PHONE, "ada", "ada-ward", "other"),
    ],
)
def test_what_ucm_refuses(device: str, userid: str, profile: str, kind: str, found: Axl) -> None:
    with pytest.raises(UcmRefused) as caught:
        found.logins.log_in(device, userid, profile, 0.0, budget())
    assert caught.value.kind == kind


def test_a_false_is_a_refusal_too(ucm: UcmSimulator, found: Axl) -> None:
    ucm.policy.axl_refusal = "false"
    with pytest.raises(UcmRefused) as caught:
        found.logins.log_in(CLOSED_PHONE, "ada", "ada-ward", 0.0, budget())
    assert (caught.value.kind, caught.value.detail) == ("other", "axl false")


def test_nobody_is_there_to_be_logged_out(found: Axl) -> None:
    with pytest.raises(UcmRefused) as caught:
        found.logins.log_out(PHONE, budget())
    assert caught.value.kind == "nobody"


def test_an_unknown_phone_cannot_be_logged_out(ucm: UcmSimulator, found: Axl) -> None:
    with pytest.raises(UcmRefused) as caught:
        found.logins.log_out("SEP000000000000", budget())
    assert caught.value.kind == "no_device"
    assert ucm.calls("getPhone") == 0


def test_a_refused_logout_stays_one_where_somebody_is_logged_in(ucm: UcmSimulator, found: Axl) -> None:
    ucm.log_in(PHONE, "ada")
    ucm.nodes[0].faults.refuse(-1, "not now", "doDeviceLogout")
    with pytest.raises(UcmRefused) as caught:
        found.logins.log_out(PHONE, budget())
    assert caught.value.kind == "other"


def test_a_refused_logout_stays_one_where_nobody_can_say_who_is_there(ucm: UcmSimulator, found: Axl) -> None:
    for node in ucm.nodes:
        node.faults.answer("unavailable", "getPhone")
    with pytest.raises(UcmRefused) as caught:
        found.logins.log_out(PHONE, budget())
    assert caught.value.kind == "other"


@pytest.mark.parametrize("userid", ["ada", "ADA", "o'brien", "O'Brien"])
def test_where_somebody_is_logged_in(userid: str, ucm: UcmSimulator, found: Axl) -> None:
    assert found.logins.devices_of(userid, budget()) == ()
    ucm.policy.multiple_login = "allow"
    ucm.log_in(PHONE, userid)
    ucm.log_in(OTHER_PHONE, userid)
    assert set(found.logins.devices_of(userid, budget())) == {PHONE, OTHER_PHONE}
    assert found.logins.devices_of("grace", budget()) == ()


@pytest.mark.parametrize("userid", ["' OR 'a'='a", "a'' OR ''a''=''a", "'", "''", "%", "ada'--", "ada' -- "])
def test_no_user_id_changes_the_question(userid: str, ucm: UcmSimulator, found: Axl) -> None:
    ucm.log_in(PHONE, "ada")
    assert found.logins.devices_of(userid, budget()) == ()
    assert ucm.calls("executeSQLQuery") == 1


@pytest.mark.parametrize("userid", ["x') OR lower('a", "ada'; DELETE FROM device; --", "ada/*", 'ada"'])
def test_no_question_is_made_of_what_cannot_be_a_user_id(userid: str, ucm: UcmSimulator, found: Axl) -> None:
    with pytest.raises(UcmMisconfigured, match="userid"):
        found.logins.devices_of(userid, budget())
    assert ucm.calls() == 0


def test_a_database_that_refuses_does_not_mean_nowhere(ucm: UcmSimulator, found: Axl) -> None:
    for code in (5007, -217):
        ucm.nodes[0].faults.refuse(code, "column not found", "executeSQLQuery", times=1)
        with pytest.raises(UcmUnavailable, match=f"axl {code}"):
            found.logins.devices_of("ada", budget())


def test_the_version_is_told(found: Axl) -> None:
    assert found.client.version(budget()) == "14.0.1.10000-1"


# -- Answers below SOAP ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["unavailable", "unavailable_empty", "html", "empty", "not_found", "memory"])
def test_a_question_goes_on_to_the_next_node(kind: str, ucm: UcmSimulator, found: Axl) -> None:
    ucm.nodes[0].faults.answer(kind)
    assert found.directory.check_pin("ada", PIN, budget()).right
    assert not found.directory.check_pin("ada", "0000", budget()).right
    assert (ucm.calls(node=0), ucm.calls(node=1)) == (2, 2)


@pytest.mark.parametrize("spoiled", ["cut_xml", "dropped", "lost"])
def test_a_question_whose_answer_is_lost_goes_on_too(spoiled: str, ucm: UcmSimulator, found: Axl) -> None:
    ucm.nodes[0].faults.spoil(spoiled)
    assert found.directory.user("ada", budget()) is not None
    assert ucm.calls(node=1) == 1


def test_a_node_that_hangs_costs_no_login(ucm: UcmSimulator) -> None:
    found = axl(ucm, read_timeout=0.2)
    ucm.nodes[0].faults.spoil("hang")
    assert found.directory.check_pin("ada", PIN, budget()).right


def test_a_node_that_is_off_costs_no_login(ucm: UcmSimulator, found: Axl) -> None:
    ucm.nodes[0].stop_listening()
    assert found.directory.check_pin("ada", PIN, budget()).right
    found.logins.log_in(PHONE, "ada", "ada-ward", 0.0, budget())
    assert ucm.login_of(PHONE) is not None


@pytest.mark.parametrize(("kind", "detail"), [("unauthorized", "401"), ("forbidden", "403")])
def test_a_wrong_account_is_tried_at_one_node_only(kind: str, detail: str, ucm: UcmSimulator, found: Axl) -> None:
    ucm.nodes[0].faults.answer(kind)
    with pytest.raises(UcmMisconfigured) as caught:
        found.directory.check_pin("ada", PIN, budget())
    assert caught.value.detail == detail
    assert (ucm.calls(node=0), ucm.calls()) == (1, 1)


def test_a_wrong_password_of_ours_is_told_as_such(ucm: UcmSimulator) -> None:
    found = axl(ucm, password="wrong")
    with pytest.raises(UcmMisconfigured) as caught:
        found.directory.user("ada", budget())
    assert caught.value.detail == "401"
    assert ucm.calls() == 1


def test_an_account_that_may_only_read_can_check_pins_and_not_log_in(ucm: UcmSimulator) -> None:
    ucm.add_application_user("reader", "r3ad", roles={"axl-read"})
    found = axl(ucm, username="reader", password="r3ad")
    assert found.directory.check_pin("ada", PIN, budget()).right
    with pytest.raises(UcmMisconfigured) as caught:
        found.logins.log_in(PHONE, "ada", "ada-ward", 0.0, budget())
    assert caught.value.detail == "403"


def test_an_account_name_and_a_password_beyond_ascii(ucm: UcmSimulator) -> None:
    ucm.add_application_user("käsduo", "pässwörd:€", roles={"axl"})
    assert axl(ucm, username="käsduo", password="pässwörd:€").directory.user("ada", budget()) is not None


def test_a_version_that_is_not_offered_is_a_matter_of_the_settings(ucm: UcmSimulator) -> None:
    for version in ("11.5", "15.0"):
        with pytest.raises(UcmMisconfigured) as caught:
            axl(ucm, version=version).directory.user("ada", budget())
        assert caught.value.detail == "version"


@pytest.mark.parametrize("version", ["12.0", "12.5", "14.0"])
def test_every_version_on_offer_will_do(version: str, ucm: UcmSimulator) -> None:
    found = axl(ucm, version=version)
    assert found.directory.check_pin("ada", PIN, budget()).right
    found.logins.log_in(PHONE, "ada", "ada-ward", 0.0, budget())
    assert found.logins.devices_of("ada", budget()) == (PHONE,)


@pytest.mark.parametrize(
    ("kind", "error", "detail"),
    [
        ("unavailable", UcmBusy, "http_503"),
        ("memory", UcmBusy, "axl -1"),
        ("too_large", UcmMisconfigured, "too_large"),
        ("not_found", UcmUnavailable, "http_404"),
        ("html", UcmUnavailable, "unreadable"),
        ("empty", UcmUnavailable, "unreadable"),
    ],
)
def test_what_every_node_says_is_told(
    kind: str, error: type[Exception], detail: str, ucm: UcmSimulator, found: Axl
) -> None:
    for node in ucm.nodes:
        node.faults.answer(kind)
    with pytest.raises(error) as caught:
        found.directory.user("ada", budget())
    assert str(caught.value).endswith(detail)


def test_a_fault_about_nothing_asked_is_an_outage(ucm: UcmSimulator, found: Axl) -> None:
    ucm.nodes[0].faults.refuse(-1, "something within")
    with pytest.raises(UcmUnavailable, match="axl -1"):
        found.directory.check_pin("ada", PIN, budget())
    assert ucm.calls() == 1


# -- Writes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spoiled", ["lost", "cut_xml"])
def test_a_login_whose_answer_is_lost_is_sent_once(spoiled: str, ucm: UcmSimulator, found: Axl) -> None:
    ucm.nodes[0].faults.spoil(spoiled, "doDeviceLogin")
    with pytest.raises(UcmUnavailable) as caught:
        found.logins.log_in(PHONE, "ada", "ada-ward", 0.0, budget())
    assert caught.value.sent
    assert ucm.calls("doDeviceLogin") == 1
    assert found.logins.state(PHONE, budget()).user == "ada"


def test_a_login_that_nobody_answers_is_sent_once(ucm: UcmSimulator) -> None:
    found = axl(ucm, read_timeout=0.2)
    ucm.nodes[0].faults.spoil("lost_silently", "doDeviceLogin")
    with pytest.raises(UcmUnavailable) as caught:
        found.logins.log_in(PHONE, "ada", "ada-ward", 0.0, budget())
    assert caught.value.sent
    assert ucm.calls("doDeviceLogin") == 1


def test_a_throttled_login_changes_nothing(ucm: UcmSimulator, found: Axl) -> None:
    ucm.nodes[0].faults.answer("unavailable", "doDeviceLogin")
    with pytest.raises(UcmBusy):
        found.logins.log_in(PHONE, "ada", "ada-ward", 0.0, budget())
    assert ucm.login_of(PHONE) is None
    assert ucm.calls("doDeviceLogin") == 1


def test_a_login_goes_on_where_the_service_does_not_run(ucm: UcmSimulator, found: Axl) -> None:
    ucm.nodes[0].services.remove("axl")
    found.logins.log_in(PHONE, "ada", "ada-ward", 0.0, budget())
    assert ucm.login_of(PHONE) is not None


# -- Sessions ----------------------------------------------------------------------------------------------------------


def test_a_session_is_kept_per_node(ucm: UcmSimulator, found: Axl) -> None:
    heard = listen(found.nodes)
    found.directory.user("ada", budget())
    found.directory.user("ada", budget())
    ucm.nodes[0].stop_listening()
    found.directory.user("ada", budget())
    first, second, elsewhere = (each.headers.get("Cookie", "") for each in heard)
    assert (first, elsewhere) == ("", "")
    assert second.startswith("JSESSIONIDSSO=")
    assert ucm.calls() == 3


def test_a_session_that_was_idle_too_long_is_begun_anew(ucm: UcmSimulator, found: Axl, clock: VirtualClock) -> None:
    assert found.directory.check_pin("ada", PIN, budget()).right
    heard = listen(found.nodes)
    clock.advance(1801)
    assert found.directory.check_pin("ada", PIN, budget()).right
    assert [each.answer.status for each in heard] == [404, 200]
    assert found.directory.check_pin("ada", PIN, budget()).right
    cookies = [each.headers.get("Cookie", "") for each in heard]
    assert cookies[1] == ""
    assert cookies[2] not in ("", cookies[0])
    assert ucm.calls(node=1) == 0


def test_a_login_meets_a_session_that_is_over(ucm: UcmSimulator, found: Axl, clock: VirtualClock) -> None:
    found.logins.log_in(PHONE, "ada", "ada-ward", 0.0, budget())
    clock.advance(1801)
    found.logins.log_out(PHONE, budget())
    assert ucm.login_of(PHONE) is None


def test_a_node_that_answers_404_to_everything_is_asked_twice_at_most(ucm: UcmSimulator, found: Axl) -> None:
    found.directory.user("ada", budget())
    ucm.nodes[0].faults.answer("not_found")
    assert found.directory.user("ada", budget()) is not None
    assert (ucm.calls(node=0), ucm.calls(node=1)) == (3, 1)


# -- Secrets -----------------------------------------------------------------------------------------------------------


def test_no_secret_is_logged_by_anybody(
    ucm: UcmSimulator, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("", "zeep", "zeep.transports", "urllib3", "urllib3.connectionpool", "casduo"):
        caplog.set_level(logging.DEBUG, logger=name)
    schema.cache_clear()
    found = axl(ucm)
    found.directory.check_pin("ada", PIN, budget())
    found.directory.check_pin("ada", "97979797", budget())
    found.directory.user("ada", budget())
    found.logins.log_in(PHONE, "ada", "ada-ward", 0.0, budget())
    ucm.nodes[0].faults.answer("html")
    ucm.nodes[1].faults.refuse(-1, "something within")
    with pytest.raises(UcmUnavailable):
        found.directory.check_pin("ada", PIN, budget())
    said = caplog.text + "".join(capfd.readouterr())
    assert "/axl/" in said
    session = found.nodes.nodes[0].cookie.header.partition("=")[2]
    authorization = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    for secret in (PIN, "97979797", PASSWORD, authorization, session, "soap-env", "ada@example.edu"):
        assert secret
        assert secret not in said


def test_no_secret_is_in_an_error(ucm: UcmSimulator, found: Axl) -> None:
    ucm.nodes[0].faults.refuse(-1, f"cannot look at {PIN}")
    with pytest.raises(UcmUnavailable) as caught:
        found.directory.check_pin("ada", PIN, budget())
    told = [repr(caught.value), str(caught.value)]
    error: BaseException | None = caught.value
    while error is not None:
        told.append(repr(error))
        error = error.__cause__ or error.__context__
    assert not [each for each in told if PIN in each or PASSWORD in each]
    assert USERNAME not in "".join(told)
