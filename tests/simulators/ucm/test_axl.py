"""What each AXL operation answers: texts for truth values, references with identifiers, only what was asked for."""

from __future__ import annotations

import re

import pytest

from casduo.simulators.ucm import UcmSimulator
from tests.simulators.ucm.conftest import OTHER_PHONE, PHONE, PLAIN_PHONE, AxlClient

UUID = re.compile(r"\{[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}\}")


class TestPins:
    def test_a_right_pin_is_the_text_true(self, axl: AxlClient) -> None:
        answer = axl.pin("ada", "1815")
        assert (answer.status, answer.text("userAuthenticated"), answer.text("code")) == (200, "true", "0")
        assert answer.texts("daysToExpiry") == []

    @pytest.mark.parametrize(("userid", "pin"), [("ada", "1816"), ("nobody", "1815"), ("ada", "181500")])
    def test_a_refusal_is_the_text_false_and_says_nothing_about_the_user(
        self, axl: AxlClient, userid: str, pin: str
    ) -> None:
        answer = axl.pin(userid, pin)
        assert (answer.status, answer.text("userAuthenticated"), answer.text("code")) == (200, "false", "1")

    def test_an_unknown_user_may_be_a_fault(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.policy.unknown_user = "fault"
        assert axl.pin("nobody", "1815").text("axlcode") == "5007"

    @pytest.mark.parametrize("pin", ["123", "", "12a4", "12 34"])
    def test_a_pin_the_schema_does_not_know_is_a_fault(self, axl: AxlClient, pin: str) -> None:
        answer = axl.pin("ada", pin)
        assert (answer.status, answer.text("axlcode")) == (500, "5003")

    def test_the_password_is_another_secret(self, axl: AxlClient) -> None:
        right = axl("doAuthenticateUser", "<userid>ada</userid><password>Analytical</password>")
        wrong = axl("doAuthenticateUser", "<userid>ada</userid><password>1815</password>")
        assert (right.text("userAuthenticated"), wrong.text("userAuthenticated")) == ("true", "false")

    def test_people_without_a_pin_cannot_prove_one(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.add_user("margaret")
        assert axl.pin("margaret", "0000").text("userAuthenticated") == "false"

    def test_somebody_inactive_or_with_a_pin_to_change_is_refused(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.user("ada").active = False
        ucm.user("linus").must_change_pin = True
        assert axl.pin("ada", "1815").text("userAuthenticated") == "false"
        assert axl.pin("linus", "19691").text("userAuthenticated") == "false"

    @pytest.mark.parametrize(("days", "warn"), [(3, "true"), (60, "false")])
    def test_a_pin_that_runs_out_is_told(self, ucm: UcmSimulator, axl: AxlClient, days: int, warn: str) -> None:
        ucm.user("ada").pin_expires_in_days = days
        answer = axl.pin("ada", "1815")
        assert (answer.text("daysToExpiry"), answer.text("isWarningNeeded")) == (str(days), warn)


class TestUsers:
    def test_a_user_is_told_whole_without_tags(self, axl: AxlClient) -> None:
        answer = axl("getUser", "<userid>ada</userid>")
        assert answer.text("mailid") == "ada@example.edu"
        assert answer.text("displayName") == "Ada Lovelace"
        assert answer.text("enableCti") == "true"
        assert answer.texts("profileName") == ["ada-ward", "ada-office"]

    def test_only_the_tags_asked_for_come(self, axl: AxlClient) -> None:
        tags = "<returnedTags><mailid/><phoneProfiles><profileName/></phoneProfiles></returnedTags>"
        user = axl("getUser", f"<userid>ada</userid>{tags}").root.find(".//user")
        assert [child.tag for child in user] == ["mailid", "phoneProfiles"]

    def test_references_have_identifiers_in_braces(self, axl: AxlClient) -> None:
        user = axl("getUser", "<userid>ada</userid>").root.find(".//user")
        assert UUID.fullmatch(user.get("uuid"))
        assert user.find("defaultProfile").text == "ada-ward"
        assert UUID.fullmatch(user.find("defaultProfile").get("uuid"))
        assert user.find("phoneProfiles")[0].get("uuid") == user.find("defaultProfile").get("uuid")

    def test_what_is_not_there_is_an_empty_element(self, axl: AxlClient) -> None:
        user = axl("getUser", "<userid>linus</userid>").root.find(".//user")
        for name in ("phoneProfiles", "defaultProfile", "mailid"):
            assert (len(user.find(name)), user.find(name).text, user.find(name).attrib) == (0, None, {})

    def test_ids_are_found_in_any_case_and_told_as_they_are(self, axl: AxlClient) -> None:
        assert axl("getUser", "<userid>GRACE</userid>").text("userid") == "Grace"

    def test_a_user_is_found_by_identifier(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        assert axl("getUser", f"<uuid>{ucm.user('ada').uuid}</uuid>").text("userid") == "ada"

    def test_nobody_is_fault_5007_without_a_namespace(self, axl: AxlClient) -> None:
        answer = axl("getUser", "<userid>nobody</userid>")
        detail = answer.root.find(".//detail/axlError")
        assert answer.status == 500
        assert [(child.tag, child.text) for child in detail if child.tag != "axlmessage"] == [
            ("axlcode", "5007"),
            ("request", "getUser"),
        ]

    def test_profile_names_are_escaped(self, axl: AxlClient) -> None:
        assert axl("getUser", "<userid>grace</userid>").texts("profileName") == ["grace <&> phone"]

    def test_the_other_list_of_profiles_is_another(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.user("ada").cti_profiles = ["ada-ward"]
        user = axl("getUser", "<userid>ada</userid>").root.find(".//user")
        assert [child.text for child in user.find("ctiControlledDeviceProfiles")] == ["ada-ward"]

    def test_a_pin_is_never_told(self, axl: AxlClient) -> None:
        text = axl("getUser", "<userid>ada</userid>").response.text
        assert "Analytical" not in text
        assert "<pin" not in text


class TestPhones:
    def test_a_free_phone(self, axl: AxlClient) -> None:
        answer = axl("getPhone", f"<name>{PHONE}</name>")
        assert answer.text("enableExtensionMobility") == "true"
        assert answer.text("loginUserId") == ""
        assert answer.root.find(".//currentProfileName").attrib == {}

    def test_a_phone_in_use(self, ucm: UcmSimulator, axl: AxlClient) -> None:
        ucm.log_in(PHONE, "ada")
        answer = axl("getPhone", f"<name>{PHONE}</name>")
        assert (answer.text("loginUserId"), answer.text("currentProfileName")) == ("ada", "ada-ward")
        assert answer.text("loginTime") == "1800000000"

    def test_a_phone_without_extension_mobility(self, axl: AxlClient) -> None:
        assert axl("getPhone", f"<name>{PLAIN_PHONE}</name>").text("enableExtensionMobility") == "false"

    def test_no_phone_is_fault_5007(self, axl: AxlClient) -> None:
        assert axl("getPhone", "<name>SEP999999999999</name>").text("axlcode") == "5007"

    @pytest.mark.parametrize(
        ("criteria", "names"),
        [
            ("<name>SEP%</name>", [PLAIN_PHONE, PHONE, OTHER_PHONE]),
            ("<name>%55</name>", [PHONE]),
            ("<name>sep%</name><description>Ward%</description>", [PHONE]),
            ("<protocol>SCCP</protocol>", [OTHER_PHONE]),
            ("<devicePoolName>Hospital</devicePoolName>", [PHONE]),
            ("<name>SEP.*</name>", []),
        ],
    )
    def test_phones_are_listed_by_pattern(self, axl: AxlClient, criteria: str, names: list[str]) -> None:
        answer = axl("listPhone", f"<searchCriteria>{criteria}</searchCriteria><returnedTags><name/></returnedTags>")
        assert answer.texts("name") == sorted(names)

    def test_a_list_can_be_paged(self, axl: AxlClient) -> None:
        ask = "<searchCriteria><name>%</name></searchCriteria><returnedTags><name/></returnedTags>"
        assert len(axl("listPhone", f"{ask}<skip>1</skip><first>1</first>").texts("name")) == 1
        assert len(axl("listPhone", f"{ask}<skip>2</skip>").texts("name")) == 1

    def test_a_list_needs_criteria_and_tags(self, axl: AxlClient) -> None:
        assert axl("listPhone", "<searchCriteria><name>%</name></searchCriteria>").text("axlcode") == "5003"
        assert axl("listPhone", "<searchCriteria/><returnedTags/>").text("axlcode") == "5003"

    def test_there_is_no_search_by_who_is_logged_in(self, axl: AxlClient) -> None:
        ask = "<searchCriteria><loginUserId>ada</loginUserId></searchCriteria><returnedTags><name/></returnedTags>"
        assert axl("listPhone", ask).text("axlcode") == "5003"


class TestProfiles:
    def test_a_profile(self, axl: AxlClient) -> None:
        answer = axl("getDeviceProfile", "<name>ada-ward</name>")
        assert (answer.text("name"), answer.text("class")) == ("ada-ward", "Device Profile")

    def test_profiles_are_listed_by_pattern(self, axl: AxlClient) -> None:
        ask = "<searchCriteria><name>ada%</name></searchCriteria><returnedTags><name/></returnedTags>"
        assert axl("listDeviceProfile", ask).texts("name") == ["ada-office", "ada-ward"]


class TestTheRest:
    def test_the_release_is_told(self, axl: AxlClient) -> None:
        assert axl("getCCMVersion").text("version").startswith("14.0.")

    def test_a_sequence_is_given_back(self, axl: AxlClient) -> None:
        answer = axl("getUser", "<userid>ada</userid>", attributes=' sequence="7"')
        (response,) = answer.root[0]
        assert response.get("sequence") == "7"

    def test_the_version_takes_no_sequence(self, axl: AxlClient) -> None:
        assert axl("getCCMVersion", attributes=' sequence="7"').text("axlcode") == "5003"

    @pytest.mark.parametrize(
        ("operation", "arguments"),
        [
            ("getUser", ""),
            ("getUser", "<userid>ada</userid><uuid>x</uuid>"),
            ("getUser", "<userID>ada</userID>"),
            ("getUser", "<returnedTags/><userid>ada</userid>"),
            ("getUser", "<uuid>ada</uuid>"),
            ("doAuthenticateUser", "<userid>ada</userid>"),
            ("doAuthenticateUser", "<userid>ada</userid><pin>1815</pin><password>x</password>"),
            ("doAuthenticateUser", "<userid>ada</userid><pin>1815</pin><pin>1815</pin>"),
            ("doDeviceLogin", f"<deviceName>{PHONE}</deviceName><userId>ada</userId>"),
            (
                "doDeviceLogin",
                f"<deviceName>{PHONE}</deviceName><loginDuration>0</loginDuration><profileName>ada-ward</profileName>"
                "<userid>ada</userid>",
            ),
            ("updateUser", "<userid>ada</userid>"),
        ],
    )
    def test_what_is_not_in_the_schema_is_a_fault(
        self, ucm: UcmSimulator, axl: AxlClient, operation: str, arguments: str
    ) -> None:
        assert axl(operation, arguments).text("axlcode") == "5003"
        assert ucm.login_of(PHONE) is None

    @pytest.mark.parametrize(
        "body",
        [
            "no XML",
            "<cut",
            "<html/>",
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>',
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><getUser/></e:Body></e:Envelope>',
            '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        ],
    )
    def test_what_is_no_envelope_is_a_fault(self, axl: AxlClient, body: str) -> None:
        assert axl("getUser", body=body).text("axlcode") == "5003"
