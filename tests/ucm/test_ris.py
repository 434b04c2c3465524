"""Asking a UCM which phones there are and where they are registered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from casduo.settings import Settings
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from casduo.simulators.ucm import UcmSimulator
from casduo.ucm.build import build_ucm
from casduo.ucm.errors import UcmBusy, UcmMisconfigured, UcmUnavailable
from casduo.ucm.interfaces import PhoneRegistry
from casduo.ucm.ris_documents import PATH, is_throttled, read_registrations, registered_question
from casduo.ucm.soap import Unreadable
from tests.ucm.axl_rig import PASSWORD, USERNAME
from tests.ucm.canned import Canned, CannedNode, canned_node, plenty

WARD, OFFICE, CLINIC = "SEP001122334455", "SEP00AABBCCDDEE", "SEP0000000000FF"
OPERATION = "selectCmDeviceExt"


def answer(*nodes: str) -> str:
    """Return an answer as real ones look: everything in the service's namespace, far more told than anybody wants."""
    return (
        "<?xml version='1.0' encoding='utf-8'?>"
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
        '<ns1:selectCmDeviceResponse xmlns:ns1="http://schemas.cisco.com/ast/soap"><ns1:selectCmDeviceReturn>'
        f"<ns1:SelectCmDeviceResult><ns1:TotalDevicesFound>1</ns1:TotalDevicesFound><ns1:CmNodes>{''.join(nodes)}"
        "</ns1:CmNodes></ns1:SelectCmDeviceResult><ns1:StateInfo/></ns1:selectCmDeviceReturn>"
        "</ns1:selectCmDeviceResponse></soapenv:Body></soapenv:Envelope>"
    )


def node(*devices: str, code: str = "Ok") -> str:
    return (
        f"<ns1:item><ns1:ReturnCode>{code}</ns1:ReturnCode><ns1:Name>ucm1</ns1:Name><ns1:NoChange>false</ns1:NoChange>"
        f"<ns1:CmDevices>{''.join(devices)}</ns1:CmDevices></ns1:item>"
    )


def device(name: str, *addresses: str, status: str = "Registered", since: str = "1547903169") -> str:
    items = "".join(
        f"<ns1:item><ns1:IP>{each}</ns1:IP><ns1:IPAddrType>ipv4</ns1:IPAddrType></ns1:item>" for each in addresses
    )
    return (
        f"<ns1:item><ns1:Name>{name}</ns1:Name><ns1:H323Trunk><ns1:ConfigName/></ns1:H323Trunk>"
        f"<ns1:Status>{status}</ns1:Status><ns1:LinesStatus><ns1:item><ns1:Status>UnRegistered</ns1:Status></ns1:item>"
        f"</ns1:LinesStatus><ns1:TimeStamp>{since}</ns1:TimeStamp><ns1:IPAddress>{items}</ns1:IPAddress></ns1:item>"
    )


def fault(code: str, text: str) -> Canned:
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><soapenv:Fault>'
        f"<faultcode>{code}</faultcode><faultstring>{text}</faultstring></soapenv:Fault></soapenv:Body>"
        "</soapenv:Envelope>"
    )
    return Canned(body.encode(), 500)


RATE = "AxisFault: Exceeded allowed rate for Reatime information. Current allowed rate is 15 requests per minute."


# -- documents -------------------------------------------------------------------------------------------------------


def test_all_addresses_of_a_registered_phone_are_its() -> None:
    found = read_registrations(answer(node(device(WARD, "192.0.2.7", "2001:db8::7"))).encode())
    assert found.addresses == {WARD: ("192.0.2.7", "2001:db8::7")}
    assert found.complete


def test_names_are_in_upper_case() -> None:
    found = read_registrations(answer(node(device(WARD.lower(), "192.0.2.7"))).encode())
    assert list(found.addresses) == [WARD]


@pytest.mark.parametrize("status", ["UnRegistered", "Rejected", "PartiallyRegistered", "Unknown", ""])
def test_a_phone_that_is_not_registered_is_nowhere(status: str) -> None:
    assert read_registrations(answer(node(device(WARD, "192.0.2.7", status=status))).encode()).addresses == {}


def test_of_two_nodes_the_later_registration_counts() -> None:
    early, late = device(WARD, "192.0.2.7", since="1547903100"), device(WARD, "192.0.2.8", since="1547903169")
    for nodes in ([node(early), node(late)], [node(late), node(early)]):
        assert read_registrations(answer(*nodes).encode()).addresses == {WARD: ("192.0.2.8",)}


@pytest.mark.parametrize("text", ["", "0.0.0.0", "::", "ucm1.example.edu", "192.0.2", "192.0.2.7:5060"])  # noqa: S104
def test_what_is_no_address_is_none(text: str) -> None:
    assert read_registrations(answer(node(device(WARD, text))).encode()).addresses == {WARD: ()}


@pytest.mark.parametrize(
    ("codes", "complete"),
    [(("Ok", "NotFound"), True), (("OK",), True), (("Ok", "NodeNotResponding"), False), (("",), False), ((), False)],
)
def test_an_answer_is_complete_when_every_node_has_answered(codes: tuple[str, ...], complete: bool) -> None:
    assert read_registrations(answer(*(node(code=code) for code in codes)).encode()).complete is complete


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>down</body></html>",
        answer(node())[:-40].encode(),
        b'<!DOCTYPE a [<!ENTITY b "c">]>' + answer(node()).partition("?>")[2].encode(),
        fault("ns1:Server.RateControl", RATE).body,
        answer().replace("CmNodes", "Nodes").encode(),
    ],
)
def test_anything_else_cannot_be_read(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_registrations(body)


def test_too_many_questions_are_known_by_code_or_by_words() -> None:
    assert is_throttled(fault("ns1:Server.RateControl", "no").body)
    assert is_throttled(fault("soapenv:Server", RATE).body)
    assert not is_throttled(fault("soapenv:Server", "something else").body)
    assert not is_throttled(answer(node(device(WARD, "allowed rate"))).encode())
    assert not is_throttled(b"RateControl")


def test_names_are_written_as_xml() -> None:
    assert b"<ns1:Item>a&lt;&amp;</ns1:Item>" in registered_question(["a<&"])


# -- the client ------------------------------------------------------------------------------------------------------


@pytest.fixture
def ucm(authority: CertificateAuthority) -> Iterator[UcmSimulator]:
    with UcmSimulator(authority.issue(), nodes=2, clock=VirtualClock(1_800_000_000.0)) as simulator:
        simulator.add_application_user(USERNAME, PASSWORD, roles={"axl-read"})
        simulator.add_application_user("ris", PASSWORD, roles={"ris"})
        simulator.add_phone(WARD, address="192.0.2.7")
        simulator.add_phone(OFFICE, address="192.0.2.8", registered=False)
        simulator.add_phone(CLINIC)
        yield simulator


Phones = Callable[..., PhoneRegistry]


@pytest.fixture
def phones(ucm: UcmSimulator) -> Iterator[Phones]:
    def make(*servers: str, password: str = PASSWORD) -> PhoneRegistry:
        axl = {"servers": ucm.servers, "username": USERNAME, "password": PASSWORD}
        ris = {"servers": list(servers) or ucm.servers, "username": "ris", "password": password}
        found = build_ucm(
            Settings.model_validate(
                {
                    "ucm": {"axl": axl, "ris": ris, "ca_file": str(ucm.ca_file)},
                    "phones": {"registered_address": "require"},
                }
            ),
            VirtualClock(),
        )
        assert found is not None
        assert found.phones is not None
        assert [each.upstream.split(" ")[1] for each in found.nodes].count("ris") == len(servers or ucm.servers)
        nodes.extend(found.nodes)
        return found.phones

    nodes: list[object] = []
    yield make
    for each in nodes:
        each.http.close()  # type: ignore[attr-defined]


def test_without_the_setting_nobody_is_to_be_asked(ucm: UcmSimulator) -> None:
    account = {"servers": ucm.servers, "username": USERNAME, "password": PASSWORD}
    found = build_ucm(Settings.model_validate({"ucm": {"axl": account, "ris": account}}), VirtualClock())
    assert found is not None
    assert found.phones is None
    assert {each.upstream.split(" ")[1] for each in found.nodes} == {"axl"}


def test_it_tells_where_phones_are(phones: Phones, ucm: UcmSimulator) -> None:
    found = phones().registrations((WARD, OFFICE, CLINIC, "SEPFFFFFFFFFFFF"), plenty())
    assert found.addresses == {WARD: ("192.0.2.7",)}
    assert found.complete
    assert ucm.calls(OPERATION) == 1


def test_it_tells_the_names_of_all_phones(phones: Phones) -> None:
    assert phones().names(plenty()) == (CLINIC, WARD, OFFICE)


def test_many_names_come_in_several_pages(phones: Phones, ucm: UcmSimulator) -> None:
    for number in range(2005):
        ucm.add_phone(f"SEP{number:012X}A")
    assert len(set(phones().names(plenty()))) == 2008
    assert ucm.calls("listPhone") == 3


def test_a_thousand_phones_fit_into_an_answer(phones: Phones, ucm: UcmSimulator) -> None:
    names = [f"SEPF{number:011X}" for number in range(1000)]
    for number, name in enumerate(names):
        ucm.add_phone(name, address=f"10.0.{number // 250}.{number % 250 + 1}", description="x" * 1000)
    found = phones().registrations(names, plenty())
    assert len(found.addresses) == 1000
    assert found.addresses[names[-1]] == ("10.0.3.250",)


def test_elements_that_nobody_knows_and_another_order_are_no_matter(phones: Phones, ucm: UcmSimulator) -> None:
    ucm.nodes[0].faults.spoil("unknown_element", times=1)
    ucm.nodes[1].faults.spoil("changed_order")
    asked = phones()
    assert asked.registrations((WARD,), plenty()).addresses == {WARD: ("192.0.2.7",)}
    ucm.nodes[0].stop_listening()
    assert asked.registrations((WARD,), plenty()).addresses == {WARD: ("192.0.2.7",)}


@pytest.mark.parametrize("kind", ["html", "empty", "not_found", "unavailable", "memory"])
def test_a_node_without_an_answer_leads_to_the_next(phones: Phones, ucm: UcmSimulator, kind: str) -> None:
    ucm.nodes[0].faults.answer(kind, OPERATION)  # type: ignore[arg-type]
    assert phones().registrations((WARD,), plenty()).addresses == {WARD: ("192.0.2.7",)}
    assert ucm.calls(OPERATION, node=1) == 1


def test_cut_off_is_no_answer(phones: Phones, ucm: UcmSimulator) -> None:
    for each in ucm.nodes:
        each.faults.spoil("cut_xml", OPERATION)
    with pytest.raises(UcmUnavailable, match="unreadable"):
        phones().registrations((WARD,), plenty())


def test_a_wrong_account_is_tried_once(phones: Phones, ucm: UcmSimulator) -> None:
    with pytest.raises(UcmMisconfigured) as caught:
        phones(password="wrong").registrations((WARD,), plenty())
    assert caught.value.detail == "401"
    assert ucm.calls(OPERATION) == 1


def test_an_account_without_the_right_is_told_apart(phones: Phones, ucm: UcmSimulator) -> None:
    ucm.add_application_user("ris", PASSWORD, roles={"em"})
    with pytest.raises(UcmMisconfigured) as caught:
        phones().registrations((WARD,), plenty())
    assert caught.value.detail == "403"


def test_beyond_the_limit_ucm_is_busy(phones: Phones, ucm: UcmSimulator) -> None:
    ucm.policy.ris_requests_per_minute = 1
    asked = phones()
    asked.registrations((WARD,), plenty())
    with pytest.raises(UcmBusy) as caught:
        asked.registrations((WARD,), plenty())
    assert caught.value.detail == "rate"


@pytest.fixture
def canned(authority: CertificateAuthority) -> Iterator[CannedNode]:
    found = canned_node(authority.issue())
    with found.server:
        yield found


def test_real_looking_answers_are_read(phones: Phones, canned: CannedNode) -> None:
    canned.say(answer(node(code="NotFound"), node(device(WARD, "10.229.207.21"))))
    found = phones(canned.name).registrations((WARD,), plenty())
    assert found.addresses == {WARD: ("10.229.207.21",)}
    (heard,) = canned.heard
    assert heard.path == PATH
    assert b"<ns1:StateInfo" in heard.content


def test_too_large_an_answer_is_given_up(phones: Phones, canned: CannedNode) -> None:
    canned.say(answer(node(device(WARD, "192.0.2.7"), f"<ns1:item>{'x' * 9_000_000}</ns1:item>")))
    with pytest.raises(UcmUnavailable):
        phones(canned.name).registrations((WARD,), plenty())


def test_a_password_is_in_no_error(phones: Phones, canned: CannedNode) -> None:
    canned.say(fault("soapenv:Server", "something else"))
    with pytest.raises(UcmUnavailable) as caught:
        phones(canned.name).registrations((WARD,), plenty())
    assert PASSWORD not in f"{caught.value!r} {caught.value}"
    assert caught.value.detail == "http_500"
