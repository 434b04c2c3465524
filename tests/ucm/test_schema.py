"""The requests casduo writes are what AXL's schema says, and so are the answers it learns from.

They are always held against the built-in schema; against Cisco's own too, where there is a copy: beside the repository,
or in the folder that ``CASDUO_AXL_SCHEMA`` names. It may not be given away, so nobody else has it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from string import Template

import pytest
from lxml import etree

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.ucm import UcmSimulator
from casduo.ucm import schema as module
from casduo.ucm.errors import UcmMisconfigured, UcmRefused
from casduo.ucm.schema import OPERATIONS, AxlSchema
from tests.ucm.axl_rig import CLOSED_PHONE, OTHER_PHONE, PHONE, PIN, Axl, Exchanged, axl, budget, listen, populate
from tests.ucm.axl_rig import schema as built_in

REPOSITORY = Path(__file__).parents[2]
OWN = Path(module.__file__).parent
FULL = Path(os.environ.get("CASDUO_AXL_SCHEMA") or REPOSITORY.parent / "shared" / "axl" / "14.0")
HAS_FULL = (FULL / "AXLAPI.wsdl").is_file()
BODY = "{http://schemas.xmlsoap.org/soap/envelope/}Body"
EMPTY = ("SCHEMAV_CVC_PATTERN_VALID", "SCHEMAV_CVC_DATATYPE_VALID_1_2_1", "SCHEMAV_CVC_MINLENGTH_VALID")
"""What a schema has against an empty element, and nothing else."""


def own_text(name: str, version: str = "14.0") -> str:
    return Template((OWN / name).read_text(encoding="utf-8")).substitute(version=version)


@cache
def grammar(name: str) -> etree.XMLSchema:
    if name == "own":
        return etree.XMLSchema(etree.fromstring(own_text("axl.xsd").encode()))
    return etree.XMLSchema(etree.parse(FULL / "AXLSoap.xsd"))


@cache
def writer(name: str) -> AxlSchema:
    return built_in() if name == "own" else AxlSchema("14.0", FULL / "AXLAPI.wsdl")


GRAMMARS = ["own", *(["full"] if HAS_FULL else [])]


def complaints(name: str, envelope: bytes) -> list[str]:
    """Return what a schema has against the content of an envelope.

    The documented way of asking for a tag is an empty element, which Cisco's schema allows only where it allows empty
    texts: that alone is passed over.
    """
    (content,) = etree.fromstring(envelope).find(BODY)
    alone = etree.fromstring(etree.tostring(content))
    schema = grammar(name)
    schema.validate(alone)
    return [
        f"{each.path}: {each.message}"
        for each in schema.error_log
        if not ("/returnedTags/" in each.path and each.type_name in EMPTY and not text_at(alone, each.path))
    ]


def text_at(element: etree._Element, path: str) -> str:
    return str(element.xpath(f"string({path})", namespaces=element.nsmap))


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Exchanged]]:
    """Everything that a client says and hears which does all it can."""
    authority = CertificateAuthority.create(tmp_path_factory.mktemp("authority"))
    with UcmSimulator(authority.issue()) as ucm:
        populate(ucm)
        found = axl(ucm)
        exchanged = listen(found.nodes)
        do_everything(found)
        yield exchanged


def do_everything(found: Axl) -> None:
    for userid, pin in (("ada", PIN), ("ada", "0000"), ("nobody", PIN)):
        found.directory.check_pin(userid, pin, budget())
    for userid in ("ada", "grace", "o'brien", "nobody"):
        found.directory.user(userid, budget())
    found.logins.log_in(PHONE, "ada", "ada-ward", 0.0, budget())
    for device in (PHONE, OTHER_PHONE, CLOSED_PHONE, "SEP000000000000"):
        found.logins.state(device, budget())
    for userid in ("ada", "o'brien"):
        found.logins.devices_of(userid, budget())
    with pytest.raises(UcmRefused):
        found.logins.log_in(CLOSED_PHONE, "ada", "ada-ward", 0.0, budget())
    found.logins.log_out(PHONE, budget())
    with pytest.raises(UcmRefused):
        found.logins.log_out(PHONE, budget())
    found.client.version(budget())
    everything = {"searchCriteria": {"name": "%"}, "returnedTags": {"name": "", "description": "", "model": ""}}
    found.client.ask("listPhone", len, budget(), **everything)
    found.client.ask("listDeviceProfile", len, budget(), **everything, skip=0, first=10)
    found.client.ask("getDeviceProfile", len, budget(), name="ada-ward", returnedTags={"name": "", "model": ""})


def test_every_operation_is_said(heard: list[Exchanged]) -> None:
    said = {etree.QName(etree.fromstring(each.request).find(BODY)[0]).localname for each in heard}
    assert said == set(OPERATIONS)


@pytest.mark.parametrize("name", GRAMMARS)
def test_everything_said_is_valid(name: str, heard: list[Exchanged]) -> None:
    assert [found for each in heard for found in complaints(name, each.request)] == []


@pytest.mark.parametrize("name", GRAMMARS)
def test_everything_heard_is_valid(name: str, heard: list[Exchanged]) -> None:
    answers = [each.answer.body for each in heard if each.answer.status == 200]
    assert len(answers) > len(OPERATIONS)
    assert [found for body in answers for found in complaints(name, body)] == []


def test_records_are_always_cut_down_to_what_is_needed(heard: list[Exchanged]) -> None:
    got = [etree.fromstring(each.request).find(BODY)[0] for each in heard]
    asked = [each for each in got if etree.QName(each).localname.startswith(("get", "list"))]
    without = [etree.QName(each).localname for each in asked if each.find("returnedTags") is None]
    assert set(without) == {"getCCMVersion"}


def test_the_header_names_the_version_of_the_body(heard: list[Exchanged]) -> None:
    for each in heard:
        element = etree.QName(etree.fromstring(each.request).find(BODY)[0])
        assert element.namespace == "http://www.cisco.com/AXL/API/14.0"
        assert each.headers["SOAPAction"] == f'"CUCM:DB ver=14.0 {element.localname}"'


SAMPLES: dict[str, dict[str, object]] = {
    "doAuthenticateUser": {"pin": PIN, "userid": "ada"},
    "getUser": {"returnedTags": {"mailid": "", "phoneProfiles": {"profileName": ""}, "userid": ""}, "userid": "ada"},
    "getPhone": {"name": PHONE, "returnedTags": {"enableExtensionMobility": "", "loginUserId": ""}},
    "doDeviceLogin": {"userId": "ada", "profileName": "<a & b>", "loginDuration": 0, "deviceName": PHONE},
    "doDeviceLogout": {"deviceName": PHONE},
    "getCCMVersion": {},
    "executeSQLQuery": {"sql": "SELECT name FROM device WHERE name = 'it''s'"},
}


@pytest.mark.parametrize("name", GRAMMARS)
@pytest.mark.parametrize("operation", SAMPLES)
def test_children_stand_in_the_order_of_the_schema(operation: str, name: str) -> None:
    written = writer(name).request(operation, **SAMPLES[operation])
    assert complaints(name, written.body) == []
    built_in_body = built_in().request(operation, **SAMPLES[operation]).body
    assert etree.canonicalize(written.body.decode()) == etree.canonicalize(built_in_body.decode())


@pytest.mark.parametrize("version", ["11.5", "12.5", "14.0", "15.0"])
def test_every_version_has_its_namespace_and_action(version: str) -> None:
    written = AxlSchema(version).request("doDeviceLogout", deviceName=PHONE)
    assert f"http://www.cisco.com/AXL/API/{version}".encode() in written.body
    assert written.action == f'"CUCM:DB ver={version} doDeviceLogout"'


@pytest.mark.parametrize("pin", ["", "123", "12a4", "١٢٣٤", "1" * 129])
def test_the_built_in_schema_knows_what_a_pin_is(pin: str) -> None:
    assert complaints("own", built_in().request("doAuthenticateUser", userid="ada", pin=pin).body)


@pytest.mark.parametrize(
    ("operation", "content"),
    [
        ("doAuthenticateUser", {"userid": "ada", "secret": PIN}),
        ("doAuthenticateUser", {"userid": "ada\x00", "pin": PIN}),
        ("doAuthenticateUser", {"userid": "ada\ud800", "pin": PIN}),
        ("doDeviceLogin", {"deviceName": PHONE, "loginDuration": PIN + "x"}),
    ],
)
def test_what_cannot_be_written_is_refused_without_being_quoted(operation: str, content: dict[str, object]) -> None:
    with pytest.raises(UcmMisconfigured) as caught:
        built_in().request(operation, **content)
    assert caught.value.detail == "schema"
    assert caught.value.__context__ is None
    assert PIN not in repr(caught.value)


def test_a_request_shows_no_body() -> None:
    assert PIN not in repr(built_in().request("doAuthenticateUser", userid="ada", pin=PIN))


# -- A schema of the administrator's ---------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder with a schema as an administrator might have it; returns the path of the WSDL."""

    def make(version: str = "12.5", edit: Callable[[str], str] = str) -> Path:
        (tmp_path / "axl.xsd").write_text(own_text("axl.xsd", version), encoding="utf-8")
        wsdl = tmp_path / "AXLAPI.wsdl"
        wsdl.write_text(edit(own_text("axl.wsdl", version)), encoding="utf-8")
        return wsdl

    return make


def refused(version: str, wsdl: Path) -> str:
    with pytest.raises(UcmMisconfigured) as caught:
        AxlSchema(version, wsdl)
    return caught.value.detail


def test_an_administrators_schema_is_used(folder: Callable[..., Path]) -> None:
    written = AxlSchema("12.5", folder()).request("doDeviceLogout", deviceName=PHONE)
    assert b"http://www.cisco.com/AXL/API/12.5" in written.body


def test_an_administrators_schema_may_be_reached_by_a_link(folder: Callable[..., Path], tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "current.wsdl"
    link.parent.mkdir()
    link.symlink_to(folder())
    assert AxlSchema("12.5", link).request("getCCMVersion").operation == "getCCMVersion"


def test_a_schema_of_another_version_is_refused(folder: Callable[..., Path]) -> None:
    assert refused("14.0", folder("12.5")) == "wsdl_version"


def test_a_schema_that_lacks_an_operation_is_refused(folder: Callable[..., Path]) -> None:
    def without_login(text: str) -> str:
        root = etree.fromstring(text.encode())
        for operation in root.xpath("//*[local-name() = 'operation'][@name = 'doDeviceLogin']"):
            operation.getparent().remove(operation)
        return etree.tostring(root).decode()

    assert refused("12.5", folder(edit=without_login)) == "wsdl_incomplete"


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: "",
        lambda text: "<html/>",
        lambda text: text[:-40],
        lambda text: text.replace('schemaLocation="axl.xsd"', 'schemaLocation="no-such.xsd"'),
        lambda text: text.replace('schemaLocation="axl.xsd"', 'schemaLocation="../axl.xsd"'),
        lambda text: text.replace('schemaLocation="axl.xsd"', 'schemaLocation="/etc/hostname"'),
        lambda text: text.replace('schemaLocation="axl.xsd"', 'schemaLocation="http://localhost:9/axl.xsd"'),
        lambda text: text.replace('schemaLocation="axl.xsd"', 'schemaLocation="https://localhost:9/axl.xsd"'),
        lambda text: text.replace("<definitions", "<!DOCTYPE definitions><definitions", 1),
    ],
    ids=["empty", "html", "cut", "missing", "parent", "elsewhere", "http", "https", "doctype"],
)
def test_a_schema_that_cannot_be_used_is_refused(edit: Callable[[str], str], folder: Callable[..., Path]) -> None:
    assert refused("12.5", folder(edit=edit)) in ("wsdl_unreadable", "wsdl_version")


def test_a_schema_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refused("14.0", tmp_path / "AXLAPI.wsdl") == "wsdl_unreadable"
