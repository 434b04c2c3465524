"""The real-time information service (RisPort70) at ``/realtimeservice2/services/RISService70``: where phones are
registered.

Written from Cisco's RisPort70 reference and from answers that programs of others have published. Guesses are: the words
of faults (that of too many questions is told by several), that those count for the whole cluster, and that nothing is
said of devices that are nowhere.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from fnmatch import fnmatchcase
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException
from werkzeug.wrappers import Request

from casduo.simulators.ucm.axl_answers import branch, envelope, leaf
from casduo.simulators.ucm.axl_request import SOAP
from casduo.simulators.ucm.cluster import Cluster
from casduo.simulators.ucm.errors import HttpRefusal, RisFault
from casduo.simulators.ucm.exchange import Exchange, Reply
from casduo.simulators.ucm.model import Phone

AST = "http://schemas.cisco.com/ast/soap"
OPERATIONS = ("selectCmDevice", "selectCmDeviceExt")
_CRITERIA = (
    "MaxReturnedDevices",
    "DeviceClass",
    "Model",
    "Status",
    "NodeName",
    "SelectBy",
    "SelectItems",
    "Protocol",
    "DownloadStatus",
)
_RATE_PERIOD = 60.0


class RateLimit:
    """Questions of the last minute, to all nodes together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: list[float] = []

    def count(self, now: float, most: int) -> None:
        """Count a question. :raises RisFault: there were too many"""
        with self._lock:
            self._asked = [at for at in self._asked if now - at < _RATE_PERIOD]
            if len(self._asked) >= most:
                words = f"Current allowed rate for realtime information is {most} requests per minute."
                raise RisFault("RateControl", f"AxisFault: Exceeded allowed rate for Reatime information. {words}")
            self._asked.append(now)


class RisInterface:
    """The service of one node, which tells about the whole cluster. Phones are registered at the first node."""

    name = "ris"

    def __init__(self, cluster: Cluster, limit: RateLimit, nodes: int) -> None:
        self._cluster = cluster
        self._limit = limit
        self._nodes = nodes

    def read(self, request: Request, body: bytes) -> tuple[str, Iterable[tuple[str, str]]]:
        """Return the operation, and which names are asked for."""
        try:
            question = _question(body)
        except RisFault:
            return "", ()
        items = [each.text or "" for each in question.iter(f"{{{AST}}}Item")]
        return _local(question), (("names", str(len(items))), ("first", items[0] if items else ""))

    def answer(self, exchange: Exchange) -> Reply:
        """Do what is asked. :raises HttpRefusal: wrong account (401), no right (403), not a POST (405)"""
        if exchange.request.method != "POST":
            raise HttpRefusal(405, "send the question with POST")
        exchange.wait()
        with self._cluster.working() as now:
            exchange.record.account = self._account(exchange.request, now)
            try:
                self._limit.count(now, self._cluster.policy.ris_requests_per_minute)
                if exchange.refusal is not None:
                    raise RisFault(str(exchange.refusal.code), exchange.refusal.text)
                question = _question(exchange.body)
                found = self._found(question, now)
            except RisFault as error:
                exchange.record.outcome = f"ris {error.word}"
                return Reply(500, envelope(_fault(error)))
        return Reply(200, envelope(_prefixed(exchange.spoiled(self._told(_local(question), found)))))

    def _account(self, request: Request, now: float) -> str:
        given = request.authorization
        account = self._cluster.application_users.get(given.username or "") if given and given.type == "basic" else None
        if given is None or account is None:
            raise HttpRefusal(401, "this request needs authentication")
        if not account.password.check(given.password or "", now, self._cluster.policy):
            raise HttpRefusal(401, "this request needs authentication")
        if "ris" not in account.roles:
            raise HttpRefusal(403, "access to the requested resource is denied")
        return account.name

    def _found(self, question: Element, now: float) -> list[Phone]:
        operation, criteria = _local(question), _criteria(question)
        texts = {_local(each): each.text or "" for each in criteria}
        items = frozenset((each.text or "").lower() for each in criteria.iter(f"{{{AST}}}Item"))
        if texts["SelectBy"] != "Name":
            raise RisFault("Client", "SelectBy has to be Name here")
        if operation == "selectCmDeviceExt" and any("*" in item for item in items):
            raise RisFault("Client", "selectCmDeviceExt takes no wildcards")
        if not texts["MaxReturnedDevices"].isdecimal():
            raise RisFault("Client", "MaxReturnedDevices has to be a number")
        wanted = {"Any": (True, False), "Registered": (True,), "UnRegistered": (False,)}.get(texts["Status"])
        if wanted is None:
            raise RisFault("Client", "there is no such Status")
        found = [
            phone
            for _, phone in sorted(self._cluster.phones.items())
            # A phone that never registered is not known here.
            if phone.address and phone.registered in wanted and _fits(phone.name, items)
        ]
        return found[: min(int(texts["MaxReturnedDevices"]), self._cluster.policy.ris_returned_devices)]

    def _told(self, operation: str, phones: list[Phone]) -> Element:
        nodes = [self._node(number, phones if number == 0 else []) for number in range(self._nodes)]
        result = branch("SelectCmDeviceResult", leaf("TotalDevicesFound", len(phones)), branch("CmNodes", *nodes))
        state = leaf("StateInfo", '<StateInfo ClusterWide="1"/>')
        return branch(f"{operation}Response", branch("selectCmDeviceReturn", result, state))

    def _node(self, number: int, phones: list[Phone]) -> Element:
        away = number >= self._nodes - self._cluster.policy.ris_silent_nodes
        code = "NodeNotResponding" if away else "Ok" if phones else "NotFound"
        return branch(
            "item",
            leaf("ReturnCode", code),
            leaf("Name", f"ucm{number + 1}"),
            leaf("NoChange", False),
            branch("CmDevices", *([] if away else map(_device, phones))),
        )


def _device(phone: Phone) -> Element:
    status = "Registered" if phone.registered else "UnRegistered"
    return branch(
        "item",
        leaf("Name", phone.name),
        leaf("DirNumber", f"1000-{status}"),
        leaf("DeviceClass", "Phone"),
        leaf("Model", 36217),
        leaf("Product", 36217),
        leaf("BoxProduct", 0),
        leaf("Httpd", "No"),
        leaf("RegistrationAttempts", 0),
        leaf("IsCtiControllable", True),
        leaf("LoginUserId", ""),
        leaf("Status", status),
        leaf("StatusReason", 0),
        leaf("PerfMonObject", 2),
        leaf("DChannel", 0),
        leaf("Description", phone.description),
        branch("H323Trunk", leaf("ConfigName", ""), leaf("TechPrefix", ""), leaf("Zone", "")),
        leaf("TimeStamp", int(phone.registered_at)),
        leaf("Protocol", phone.protocol),
        leaf("NumOfLines", 1),
        branch("LinesStatus", branch("item", leaf("DirectoryNumber", 1000), leaf("Status", status))),
        leaf("ActiveLoadID", "sip8845_65.14-1-1"),
        leaf("InactiveLoadID", ""),
        leaf("DownloadStatus", "Unknown"),
        leaf("DownloadFailureReason", ""),
        leaf("DownloadServer", ""),
        branch("IPAddress", *(_address(each) for each in phone.address.split())),
    )


def _address(address: str) -> Element:
    kind = "ipv6" if ":" in address else "ipv4"
    return branch(
        "item", leaf("IP", address), leaf("IPAddrType", kind), leaf("Attribute", "AdministrativeAndSignaling")
    )


def _question(body: bytes) -> Element:
    """Return the operation. :raises RisFault: there is none that is known"""
    try:
        root: Element = defusedxml.ElementTree.fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise RisFault("Client", "the question cannot be read") from error
    content = root.find(f"{{{SOAP}}}Body")
    if content is None or len(content) != 1 or content[0].tag not in [f"{{{AST}}}{name}" for name in OPERATIONS]:
        raise RisFault("Client", "there is no such operation")
    return content[0]


def _criteria(question: Element) -> Element:
    """Return the criteria of a question. :raises RisFault: elements are missing, unknown or in another order"""
    if [each.tag for each in question] != [f"{{{AST}}}StateInfo", f"{{{AST}}}CmSelectionCriteria"]:
        raise RisFault("Client", "a question has StateInfo and CmSelectionCriteria")
    if [each.tag for each in question[1]] != [f"{{{AST}}}{name}" for name in _CRITERIA]:
        raise RisFault("Client", f"the criteria are {', '.join(_CRITERIA)}, in this order")
    return question[1]


def _fits(name: str, items: frozenset[str]) -> bool:
    return name.lower() in items or any(fnmatchcase(name.lower(), item) for item in items if "*" in item)


def _fault(error: RisFault) -> Element:
    return branch("soapenv:Fault", leaf("faultcode", f"ns1:Server.{error.word}"), leaf("faultstring", error.message))


def _prefixed(element: Element) -> Element:
    """Put an answer into the namespace of the service, all of it, as it is with real ones."""
    for each in element.iter():
        each.tag = f"ns1:{each.tag}"
    element.set("xmlns:ns1", AST)
    return element


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]
