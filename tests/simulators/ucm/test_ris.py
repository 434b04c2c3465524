"""The simulated real-time information service, asked by envelopes written by hand."""

from __future__ import annotations

import pytest
import requests

from casduo.simulators.clock import VirtualClock
from casduo.simulators.ucm import UcmSimulator
from casduo.simulators.ucm.control import control_server
from tests.simulators.ucm.conftest import OTHER_PHONE, PHONE, PLAIN_PHONE, Answer

PATH = "/realtimeservice2/services/RISService70"
SECRET = "ris-Secret"


class RisClient:
    """Asks as the reference's examples do."""

    def __init__(self, ucm: UcmSimulator) -> None:
        self._ucm = ucm

    def __call__(
        self,
        *names: str,
        operation: str = "selectCmDeviceExt",
        most: str = "1000",
        status: str = "Registered",
        by: str = "Name",
        node: int = 0,
        account: tuple[str, str] | None = ("ris", SECRET),
        extra: str = "",
    ) -> Answer:
        items = "".join(f"<s:item><s:Item>{name}</s:Item></s:item>" for name in names)
        criteria = (
            f"<s:MaxReturnedDevices>{most}</s:MaxReturnedDevices><s:DeviceClass>Phone</s:DeviceClass>"
            f"<s:Model>255</s:Model><s:Status>{status}</s:Status><s:NodeName/><s:SelectBy>{by}</s:SelectBy>"
            f"<s:SelectItems>{items}</s:SelectItems><s:Protocol>Any</s:Protocol>{extra}"
            "<s:DownloadStatus>Any</s:DownloadStatus>"
        )
        return self.send(
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:s="http://schemas.cisco.com/ast/soap"><e:Body>'
            f"<s:{operation}><s:StateInfo/><s:CmSelectionCriteria>{criteria}</s:CmSelectionCriteria></s:{operation}>"
            "</e:Body></e:Envelope>",
            node=node,
            account=account,
        )

    def send(self, document: str, *, node: int = 0, account: tuple[str, str] | None = ("ris", SECRET)) -> Answer:
        url, ca_file = f"{self._ucm.nodes[node].url}{PATH}", str(self._ucm.ca_file)
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        return Answer(
            requests.post(url, document.encode(), headers=headers, auth=account, verify=ca_file, timeout=10.0)
        )


@pytest.fixture
def ris(ucm: UcmSimulator) -> RisClient:
    ucm.add_application_user("ris", SECRET, {"ris"})
    ucm.phone(PHONE).address, ucm.phone(PHONE).registered = "192.0.2.7", True
    return RisClient(ucm)


def test_a_registered_phone_is_told_with_its_address(ris: RisClient) -> None:
    answer = ris(PHONE)
    assert answer.status == 200
    assert (answer.text("IP"), answer.text("IPAddrType")) == ("192.0.2.7", "ipv4")
    assert answer.text("TotalDevicesFound") == "1"
    assert answer.texts("ReturnCode") == ["Ok", "NotFound", "NotFound"]
    assert PHONE in answer.texts("Name")
    assert {each.tag.partition("}")[0] for each in answer.root.iter()} == {
        "{http://schemas.xmlsoap.org/soap/envelope/",
        "{http://schemas.cisco.com/ast/soap",
    }


def test_a_phone_has_no_address_before_it_registers(ris: RisClient, ucm: UcmSimulator) -> None:
    assert ucm.add_phone("SEP0000000000AA").registered is False
    assert ucm.add_phone("SEP0000000000BB", address="192.0.2.9").registered is True
    assert ris("SEP0000000000AA", status="Any").text("TotalDevicesFound") == "0"
    assert ris("SEP0000000000BB", status="Any").text("IP") == "192.0.2.9"


def test_one_that_is_not_registered_any_more_is_told_on_request(ris: RisClient, ucm: UcmSimulator) -> None:
    ucm.phone(PHONE).registered = False
    assert ris(PHONE).texts("IP") == []
    assert ris(PHONE, status="UnRegistered").text("IP") == "192.0.2.7"


def test_an_address_of_either_kind_is_told(ris: RisClient, ucm: UcmSimulator) -> None:
    ucm.phone(PHONE).address = "192.0.2.7 2001:db8::7"
    assert ris(PHONE).texts("IPAddrType") == ["ipv4", "ipv6"]


def test_wildcards_are_for_the_older_operation(ris: RisClient, ucm: UcmSimulator) -> None:
    ucm.phone(OTHER_PHONE).address, ucm.phone(OTHER_PHONE).registered = "192.0.2.8", True
    assert ris("*").status == 500
    assert ris("*", operation="selectCmDevice").texts("IP") == ["192.0.2.7", "192.0.2.8"]
    assert ris("SEP0011*", operation="selectCmDevice").texts("IP") == ["192.0.2.7"]


def test_what_is_beyond_the_most_is_left_out_without_a_word(ris: RisClient, ucm: UcmSimulator) -> None:
    for name in (OTHER_PHONE, PLAIN_PHONE):
        ucm.phone(name).address, ucm.phone(name).registered = "192.0.2.8", True
    assert ris(PHONE, OTHER_PHONE, PLAIN_PHONE, most="2").text("TotalDevicesFound") == "2"
    ucm.policy.ris_returned_devices = 1
    assert ris(PHONE, OTHER_PHONE, PLAIN_PHONE).text("TotalDevicesFound") == "1"


def test_a_sixteenth_question_in_a_minute_is_refused_by_every_node(
    ris: RisClient, ucm: UcmSimulator, clock: VirtualClock
) -> None:
    assert [ris(PHONE, node=number % 3).status for number in range(16)] == [200] * 15 + [500]
    refused = ris(PHONE, node=2)
    assert "RateControl" in refused.text("faultcode")
    assert "Exceeded allowed rate" in refused.text("faultstring")
    clock.advance(60)
    assert ris(PHONE).status == 200
    assert ucm.calls("selectCmDeviceExt") == 18


def test_a_node_that_does_not_tell_is_listed(ris: RisClient, ucm: UcmSimulator) -> None:
    ucm.policy.ris_silent_nodes = 1
    assert ris(PHONE).texts("ReturnCode") == ["Ok", "NotFound", "NodeNotResponding"]


def test_only_who_may_ask_is_answered(ris: RisClient) -> None:
    assert ris(PHONE, account=None).status == 401
    assert ris(PHONE, account=("ris", "wrong")).status == 401
    assert ris(PHONE, account=("axl", "axl-Secret")).status == 403


@pytest.mark.parametrize(
    "how",
    [
        {"operation": "selectCmDeviceSIP"},
        {"by": "DirNumber"},
        {"most": "many"},
        {"status": "Perhaps"},
        {"extra": "<s:Colour/>"},
    ],
)
def test_what_is_not_understood_is_a_fault(ris: RisClient, how: dict[str, str]) -> None:
    answer = ris(PHONE, **how)
    assert answer.status == 500
    assert answer.text("faultstring")


def test_what_is_no_question_is_a_fault(ris: RisClient) -> None:
    assert ris.send("<no").status == 500
    assert ris.send('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>').status == 500


def test_it_has_the_faults_of_the_other_interfaces(ris: RisClient, ucm: UcmSimulator) -> None:
    faults = ucm.nodes[0].faults
    faults.answer("unavailable", "selectCmDeviceExt", times=1)
    assert ris(PHONE).status == 503
    faults.refuse(7, "no", "selectCmDeviceExt", times=1)
    assert ris(PHONE).text("faultstring") == "no"
    faults.overwrite("selectCmDeviceExt", "IP", "198.51.100.1")
    faults.spoil("unknown_element", "selectCmDeviceExt")
    answer = ris(PHONE)
    assert answer.text("IP") == "198.51.100.1"
    assert "notInAnySchema" in {each.tag.rpartition("}")[2] for each in answer.root.iter()}
    ucm.nodes[0].services.discard("ris")
    assert ris(PHONE).status == 404


def test_where_a_phone_is_can_be_said_from_outside(ris: RisClient, ucm: UcmSimulator) -> None:
    def send(**command: object) -> None:
        answer = requests.post(f"{server.url}/_control", json=command, timeout=10)
        assert answer.status_code == 200, answer.text

    with control_server(ucm) as server:
        send(do="add_phone", name="SEP0000000000BB", address="192.0.2.9")
        assert ris("SEP0000000000BB").text("IP") == "192.0.2.9"
        send(do="change_phone", name="SEP0000000000BB", registered=False)
        assert ris("SEP0000000000BB").texts("IP") == []
        send(do="change_phone", name="SEP0000000000BB", address="192.0.2.10")
        assert ris("SEP0000000000BB").text("IP") == "192.0.2.10"
        send(do="policy", ris_requests_per_minute=3)
    assert ris("SEP0000000000BB").status == 500
