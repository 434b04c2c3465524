"""The Extension Mobility API: HTTP 200 with a code inside, documents by the DTD, ids that travel percent-encoded."""

from __future__ import annotations

import threading

import pytest
import requests

from casduo.simulators.ucm import UcmSimulator
from tests.simulators.ucm.conftest import EM_SECRET, OTHER_PHONE, PHONE, PLAIN_PHONE, EmClient
from tests.support.waiting import until

LOGIN = f"<deviceName>{PHONE}</deviceName><userID>ada</userID>"
NOBODY = "SEP999999999999"


class TestLogins:
    def test_a_login_and_a_logout(self, ucm: UcmSimulator, em: EmClient) -> None:
        answer = em.log_in(PHONE, "ada", "ada-office")
        assert (answer.status, answer.root.tag, [child.tag for child in answer.root]) == (200, "response", ["success"])
        login = ucm.login_of(PHONE)
        assert login is not None
        assert (login.user, login.profile, login.by) == ("ada", "ada-office", "em")
        assert em.log_out(PHONE).texts("success") == [""]
        assert ucm.login_of(PHONE) is None

    def test_without_a_profile_it_is_the_default_one(self, ucm: UcmSimulator, em: EmClient) -> None:
        em.log_in(PHONE, "ada")
        login = ucm.login_of(PHONE)
        assert login is not None
        assert login.profile == "ada-ward"

    @pytest.mark.parametrize(
        ("device", "userid", "profile", "code"),
        [
            (NOBODY, "ada", "", 11),
            (PHONE, "ada", "nothing", 12),
            (PHONE, "ada", "grace <&> phone", 12),
            (PHONE, "linus", "", 12),
            (PLAIN_PHONE, "ada", "", 22),
            (PHONE, "nobody", "", 23),
        ],
    )
    def test_refusals_have_a_code_and_status_200(
        self, ucm: UcmSimulator, em: EmClient, device: str, userid: str, profile: str, code: int
    ) -> None:
        answer = em.log_in(device, userid, profile)
        assert (answer.status, answer.code) == (200, code)
        assert ucm.logins_of(userid) == []

    def test_a_phone_in_use_is_18(self, em: EmClient) -> None:
        em.log_in(PHONE, "ada")
        assert em.log_in(PHONE, "grace").code == 18
        assert em.log_in(PHONE, "ada", "ada-office").code == 18

    def test_the_same_login_again_is_a_success(self, em: EmClient) -> None:
        em.log_in(PHONE, "ada", "ada-ward")
        assert em.log_in(PHONE, "ada", "ada-ward").code == 0

    def test_a_pin_to_change_is_27(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.user("ada").must_change_pin = True
        assert em.log_in(PHONE, "ada").code == 27

    def test_logouts_that_have_nothing_to_do(self, em: EmClient) -> None:
        assert em.log_out(PHONE).code == 19
        assert em.log_out(PLAIN_PHONE).code == 5
        assert em.log_out(NOBODY).code == 11

    def test_everybody_is_logged_out(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.log_in(PHONE, "ada")
        ucm.log_in(OTHER_PHONE, "grace")
        assert em("request", "<logoutAll/>").code == 0
        assert (ucm.login_of(PHONE), ucm.login_of(OTHER_PHONE)) == (None, None)

    def test_ids_may_be_percent_encoded_and_are_found_in_any_case(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.add_user("jürgen@example.edu", profiles=["j"])
        assert em.log_in(PHONE, "J%C3%BCrgen%40example.edu").code == 0
        assert [login.user for login in ucm.logins_of("jürgen@example.edu")] == ["jürgen@example.edu"]


class TestSeveralPhones:
    def test_a_second_phone_is_refused_with_25(self, ucm: UcmSimulator, em: EmClient) -> None:
        em.log_in(PHONE, "ada")
        assert em.log_in(OTHER_PHONE, "ada").code == 25
        assert ucm.login_of(OTHER_PHONE) is None

    def test_or_allowed(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.policy.multiple_login = "allow"
        em.log_in(PHONE, "ada")
        assert em.log_in(OTHER_PHONE, "ada").code == 0
        assert len(ucm.logins_of("ada")) == 2

    def test_or_moved(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.policy.multiple_login = "auto_logout"
        em.log_in(PHONE, "ada")
        assert em.log_in(OTHER_PHONE, "ada").code == 0
        assert [login.device for login in ucm.logins_of("ada")] == [OTHER_PHONE]

    def test_a_refused_login_moves_nothing(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.policy.multiple_login = "auto_logout"
        em.log_in(PHONE, "ada")
        em.log_in(OTHER_PHONE, "grace")
        assert em.log_in(OTHER_PHONE, "ada").code == 18
        assert ucm.login_of(PHONE) is not None


class TestTooManyAtOnce:
    def test_one_more_than_the_node_takes_is_26(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.policy.max_concurrent = 1
        ucm.nodes[0].faults.delay(30, "login")
        first = threading.Thread(target=em.log_in, args=(PHONE, "ada"))
        first.start()
        until(lambda: em.log_out(OTHER_PHONE).code == 26, "the login is at work")
        # Queries take no place, and other nodes have places of their own.
        assert em.query("deviceUserQuery", "deviceName", PHONE).code == 0
        assert em.log_out(OTHER_PHONE, node=1).code == 19
        ucm.nodes[0].faults.clear()
        first.join()
        assert ucm.login_of(PHONE) is not None
        assert em.log_out(PHONE).code == 0


class TestCallers:
    @pytest.mark.parametrize(
        ("caller", "code"),
        [
            (("", ""), 2),
            (("em", ""), 2),
            (("em", "wrong"), 3),
            (("nobody", EM_SECRET), 3),
            (("axl", "axl-Secret"), 10),
            (("grace", "Cobol"), 10),
        ],
    )
    def test_who_may_not_log_others_in(
        self, ucm: UcmSimulator, em: EmClient, caller: tuple[str, str], code: int
    ) -> None:
        assert em.log_in(PHONE, "ada", caller=caller).code == code
        assert ucm.login_of(PHONE) is None

    def test_a_document_without_a_caller_is_2(self, em: EmClient) -> None:
        assert em.send(f"<request><login>{LOGIN}</login></request>").code == 2

    def test_a_caller_with_an_encrypted_certificate_is_not_known(self, em: EmClient) -> None:
        who = f"<appInfo><appID>em</appID><appEncryptedCertificate>{EM_SECRET}</appEncryptedCertificate></appInfo>"
        assert em.send(f"<request>{who}<login>{LOGIN}</login></request>").code == 3

    def test_people_may_act_for_themselves(self, ucm: UcmSimulator, em: EmClient) -> None:
        ada, grace = ("ada", "Analytical"), ("grace", "Cobol")
        assert em.log_in(PHONE, "ada", caller=ada).code == 0
        assert em.query("userDevicesQuery", "userID", "ada", caller=ada).texts("deviceName") == [PHONE]
        assert em.log_out(PHONE, caller=grace).code == 10
        assert em("request", "<logoutAll/>", ada).code == 10
        assert em.log_out(PHONE, caller=ada).code == 0


class TestDocuments:
    @pytest.mark.parametrize(
        "document",
        [
            "",
            "no XML",
            "<request>",
            "<response/>",
            "<request/>",
            f"<request><login>{LOGIN}</login><logout/><logout/></request>",
            f"<request><login>{LOGIN}</login><appInfo/></request>",
            f"<request><appInfo><appCertificate>x</appCertificate><appID>em</appID></appInfo><login>{LOGIN}</login></request>",
            "<request><login><userID>ada</userID><deviceName>x</deviceName></login></request>",
            f"<request><login>{LOGIN}<pin>1815</pin></login></request>",
            "<request><login><deviceName>x</deviceName></login></request>",
            "<request><deviceUserQuery><deviceName>x</deviceName></deviceUserQuery></request>",
            "<query><deviceUserQuery/></query>",
            f'<!DOCTYPE request [<!ENTITY a "b">]><request><login>{LOGIN}</login></request>',
        ],
    )
    def test_what_the_dtd_does_not_know_is_1(self, em: EmClient, document: str) -> None:
        assert em.send(document).code == 1

    @pytest.mark.parametrize(
        "duration", ["", "<time>0</time>", "<time>soon</time>", "<time/>", "<time>1</time><indefinite/>", "<hours/>"]
    )
    def test_a_duration_is_minutes_or_indefinite(self, em: EmClient, duration: str) -> None:
        assert em.log_in(PHONE, "ada", more=f"<exclusiveDuration>{duration}</exclusiveDuration>").code == 1

    def test_everything_that_may_follow_in_its_order(self, em: EmClient) -> None:
        more = "<exclusiveDuration><indefinite/></exclusiveDuration><remoteIPAddr>127.0.0.1</remoteIPAddr>"
        assert em.log_in(PHONE, "ada", "ada-ward", f"{more}<isViaHeaderSet>false</isViaHeaderSet>").code == 0

    def test_a_query_nobody_knows_is_8(self, em: EmClient) -> None:
        assert em.query("weatherQuery", "userID", "ada").code == 8

    def test_the_document_comes_by_post(self, ucm: UcmSimulator) -> None:
        url = f"{ucm.nodes[0].url}/emservice/EMServiceServlet?xml=%3Crequest/%3E"
        assert requests.get(url, verify=str(ucm.ca_file), timeout=10).status_code == 405


class TestQueries:
    def test_who_is_on_a_phone(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.add_user("em@example.edu", profiles=["em"])
        ucm.log_in(PHONE, "em@example.edu")
        devices = em.query("deviceUserQuery", "deviceName", PHONE, OTHER_PHONE, NOBODY).root[0]
        assert devices.tag == "deviceUserResults"
        assert [device.get("name") for device in devices] == [PHONE, OTHER_PHONE, NOBODY]
        assert [device[0].tag for device in devices] == ["userID", "none", "doesNotExist"]
        assert devices[0][0].text == "em%40example.edu"

    def test_who_was_there_last_is_told_beside(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.log_in(PHONE, "ada")
        ucm.log_out(PHONE)
        ask = ("deviceUserQuery", "deviceName", PHONE)
        assert em.query(*ask).texts("lastlogin") == ["ada"]
        assert em.query(*ask).texts("userID") == []
        ucm.policy.tells_last_login = False
        assert em.query(*ask).texts("lastlogin") == []

    def test_where_somebody_is(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.add_user("a b@c", profiles=["p"])
        ucm.log_in(PHONE, "a b@c")
        users = em.query("userDevicesQuery", "userID", "a%20b%40c", "Ada", "nobody").root[0]
        assert users.tag == "userDevicesResults"
        assert [user.get("id") for user in users] == ["a%20b%40c", "Ada", "nobody"]
        assert [(user[0].tag, user[0].text) for user in users] == [
            ("deviceName", PHONE),
            ("none", None),
            ("doesNotExist", None),
        ]

    @pytest.mark.parametrize("name", ["deviceProfileQuery", "userDeviceProfileQuery"])
    def test_which_profiles_somebody_has(self, em: EmClient, name: str) -> None:
        users = em.query(name, "userID", "ada", "linus", "nobody").root[0]
        found = [(each.findtext("deviceProfileName"), each.findtext("isDefaultDeviceProfile")) for each in users[0]]
        assert users.tag == "deviceProfileResults"
        assert found == [("ada-ward", "t"), ("ada-office", "f")]
        assert [user[0].tag for user in users[1:]] == ["none", "doesNotExist"]

    def test_only_one_name_of_that_query_may_be_known(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.policy.profile_query = "userDeviceProfileQuery"
        assert em.query("deviceProfileQuery", "userID", "ada").code == 8
        assert em.query("userDeviceProfileQuery", "userID", "ada").code == 0

    def test_who_exists(self, em: EmClient) -> None:
        users = em.query("checkUser", "userID", "ADA", "nobody").root[0]
        assert [user[0].tag for user in users] == ["exists", "doesNotExist"]

    def test_older_releases_answer_otherwise(self, ucm: UcmSimulator, em: EmClient) -> None:
        ucm.policy.em_dialect = "old"
        answer = em.query("deviceUserQuery", "deviceName", PHONE)
        assert (answer.root.tag, answer.texts("emccDevice")) == ("results", [])
        assert em.query("deviceUserQuery", "deviceName", PHONE, caller=("em", "wrong")).texts("errorMessage") != []
        assert em.log_out(PHONE).code == 19
