"""Answers held against the vendor's schema, and zeep loaded from the vendor's WSDL. Collected only where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import zeep
from lxml import etree
from requests.auth import HTTPBasicAuth
from zeep.exceptions import Fault
from zeep.transports import Transport

from casduo.simulators.ucm import UcmSimulator
from tests.simulators.ucm.conftest import AXL_SECRET, PHONE, PLAIN_PHONE, REAL_SCHEMA, AxlClient

SOAP_BODY = "{http://schemas.xmlsoap.org/soap/envelope/}Body"
BINDING = "{http://www.cisco.com/AXLAPIService/}AXLAPIBinding"

CASES = [
    ("doAuthenticateUser", "<userid>ada</userid><pin>1815</pin>"),
    ("doAuthenticateUser", "<userid>ada</userid><pin>0000</pin>"),
    ("doAuthenticateUser", "<userid>linus</userid><pin>19691</pin>"),
    ("getUser", "<userid>ada</userid>"),
    ("getUser", "<userid>linus</userid>"),
    (
        "getUser",
        "<userid>ada</userid><returnedTags><mailid/><phoneProfiles><profileName/></phoneProfiles></returnedTags>",
    ),
    ("getPhone", f"<name>{PHONE}</name>"),
    ("getPhone", f"<name>{PLAIN_PHONE}</name>"),
    ("listPhone", "<searchCriteria><name>%</name></searchCriteria><returnedTags><name/></returnedTags>"),
    ("listPhone", "<searchCriteria><name>none</name></searchCriteria><returnedTags><name/></returnedTags>"),
    ("getDeviceProfile", "<name>ada-ward</name>"),
    ("listDeviceProfile", "<searchCriteria><name>%</name></searchCriteria><returnedTags/>"),
    (
        "doDeviceLogin",
        f"<deviceName>{PHONE}</deviceName><loginDuration>0</loginDuration><profileName>ada-ward</profileName>"
        "<userId>ada</userId>",
    ),
    ("doDeviceLogout", f"<deviceName>{PHONE}</deviceName>"),
    ("getCCMVersion", ""),
    ("executeSQLQuery", "<sql>select d.name, d.pkid from device d</sql>"),
]


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(REAL_SCHEMA / "AXLSoap.xsd"))


@pytest.fixture(scope="module")
def wsdl() -> zeep.Client:
    return zeep.Client(str(REAL_SCHEMA / "AXLAPI.wsdl"))


@pytest.fixture
def service(ucm: UcmSimulator, wsdl: zeep.Client) -> Iterator[Callable[..., Any]]:
    """Operations over the real WSDL, strict as zeep is by default."""
    with requests.Session() as session:
        session.auth = HTTPBasicAuth("axl", AXL_SECRET)
        # A bundle named in the environment would win over the session's.
        session.trust_env = False
        session.verify = str(ucm.ca_file)
        wsdl.transport = Transport(session=session, operation_timeout=10)
        proxy = wsdl.create_service(BINDING, f"{ucm.nodes[0].url}/axl/")
        yield lambda operation, **arguments: getattr(proxy, operation)(**arguments)


@pytest.mark.parametrize("in_use", [False, True])
@pytest.mark.parametrize(("operation", "arguments"), CASES)
def test_an_answer_is_valid(
    ucm: UcmSimulator, axl: AxlClient, schema: etree.XMLSchema, operation: str, arguments: str, in_use: bool
) -> None:
    ucm.user("linus").pin_expires_in_days = 3
    if in_use:
        ucm.log_in(PHONE, "ada")
    answer = axl(operation, arguments)
    assert answer.status == 200
    (element,) = etree.fromstring(answer.response.content).find(SOAP_BODY)
    schema.assertValid(etree.fromstring(etree.tostring(element)))


def test_a_fault_is_valid_once_it_has_the_namespace_of_the_wsdl(
    ucm: UcmSimulator, axl: AxlClient, schema: etree.XMLSchema
) -> None:
    ucm.nodes[0].faults.spoil("namespaced_fault")
    answer = axl("getUser", "<userid>nobody</userid>")
    element = etree.fromstring(answer.response.content).find(".//{*}axlError")
    schema.assertValid(etree.fromstring(etree.tostring(element)))


class TestZeep:
    def test_pins(self, service: Callable[..., Any]) -> None:
        right = service("doAuthenticateUser", userid="ada", pin="1815")
        wrong = service("doAuthenticateUser", userid="ada", pin="1816")
        # A refusal is a text that is true to Python, as from a real UCM.
        assert (right["return"].userAuthenticated, wrong["return"].userAuthenticated) == ("true", "false")

    def test_users(self, service: Callable[..., Any]) -> None:
        user = service("getUser", userid="ada")["return"].user
        assert (user.mailid, user.status, user.defaultProfile._value_1) == ("ada@example.edu", 1, "ada-ward")
        assert [each._value_1 for each in user.phoneProfiles.profileName] == ["ada-ward", "ada-office"]

    def test_a_user_without_profiles(self, service: Callable[..., Any]) -> None:
        user = service("getUser", userid="linus")["return"].user
        assert (user.phoneProfiles, user.defaultProfile._value_1) == (None, None)

    def test_only_what_was_asked_for(self, service: Callable[..., Any]) -> None:
        tags = {"mailid": "", "phoneProfiles": {"profileName": ""}}
        user = service("getUser", userid="ada", returnedTags=tags)["return"].user
        assert (user.mailid, user.firstName, len(user.phoneProfiles.profileName)) == ("ada@example.edu", None, 2)

    def test_logins(self, ucm: UcmSimulator, service: Callable[..., Any]) -> None:
        done = service("doDeviceLogin", deviceName=PHONE, loginDuration=0, profileName="ada-ward", userId="ada")
        assert done["return"] == "true"
        phone = service("getPhone", name=PHONE)["return"].phone
        assert (phone.loginUserId, phone.currentProfileName._value_1) == ("ada", "ada-ward")
        assert phone.enableExtensionMobility == "true"
        assert service("doDeviceLogout", deviceName=PHONE)["return"] == "true"
        assert service("doDeviceLogout", deviceName=PHONE)["return"] == "false"
        assert ucm.login_of(PHONE) is None

    def test_lists(self, service: Callable[..., Any]) -> None:
        phones = service("listPhone", searchCriteria={"name": "SEP%"}, returnedTags={"name": ""})["return"].phone
        assert len(phones) == 3
        none = service("listPhone", searchCriteria={"name": "no"}, returnedTags={"name": ""})["return"]
        assert none is None

    def test_queries(self, service: Callable[..., Any]) -> None:
        rows = service("executeSQLQuery", sql="select d.name from device d where d.name = 'ada-ward'")["return"].row
        assert [[(column.tag, column.text) for column in row] for row in rows] == [[("name", "ada-ward")]]

    def test_the_release(self, service: Callable[..., Any]) -> None:
        assert service("getCCMVersion")["return"].componentVersion.version.startswith("14.0.")

    def test_faults(self, service: Callable[..., Any]) -> None:
        with pytest.raises(Fault, match="not found") as caught:
            service("getUser", userid="nobody")
        assert caught.value.detail.findtext(".//axlcode") == "5007"
