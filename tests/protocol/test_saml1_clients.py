"""SAML 1.1 answers as each client reads them, and python-cas itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
import requests
from cas import CASClientWithSAMLV1

from casduo.protocol.errors import InvalidTicket, ProtocolError
from casduo.protocol.saml1 import SAML_TYPE, SamlRequest, parse_saml_request, saml_failure, saml_success
from casduo.protocol.validation import ValidatedTicket
from tests.protocol.saml1_messages import (
    FAILURES,
    INJECTED,
    ISSUER,
    NOW,
    PREFIXES,
    SERVICE,
    TICKET,
    failure,
    success,
    validated,
)

# As clients read it

Read = tuple[str, dict[str, list[str]]]


class Refusal(Exception):
    """What a client raises."""


def as_java(body: bytes, clock: float) -> Read:
    """The Java client: both dates, one second of tolerance; never looks at the status or the audience."""
    root = ElementTree.fromstring(body)  # noqa: S314
    conditions = root.find(".//sa:Assertion/sa:Conditions", PREFIXES)
    if conditions is None:
        raise Refusal("no dates")
    begin, end = (datetime.fromisoformat(conditions.attrib[name]).timestamp() for name in ("NotBefore", "NotOnOrAfter"))
    if not begin - 1 <= clock < end + 1:
        raise Refusal("dates")
    name = root.findtext(".//sa:AuthenticationStatement/sa:Subject/sa:NameIdentifier", None, PREFIXES)
    if name is None:
        raise Refusal("nobody")
    return name, attributes_in(root, ".//sa:AttributeStatement/sa:Attribute")


def as_phpcas(body: bytes, clock: float) -> Read:
    """phpCAS: the first ``NameIdentifier`` of any namespace anywhere is a success; nothing else matters."""
    root = ElementTree.fromstring(body)  # noqa: S314
    names = [element for element in root.iter() if element.tag.rpartition("}")[2] == "NameIdentifier"]
    if not names:
        raise Refusal("nobody")
    return (names[0].text or "").strip(), attributes_in(root, ".//sa:Attribute")


def as_mod_auth_cas(body: bytes, clock: float) -> Read:
    """mod_auth_cas: by local names; what follows the colon in the first status code; the first statement's name."""
    root = ElementTree.fromstring(body)  # noqa: S314
    response = child(child(root, "Body"), "Response")
    value = child(child(response, "Status"), "StatusCode").attrib["Value"]
    if value.partition(":")[2] != "Success":
        raise Refusal(value)
    statements = list(child(response, "Assertion"))[1:]
    found: dict[str, list[str]] = {}
    for statement in statements:
        for element in statement:
            if element.tag.rpartition("}")[2] == "Attribute":
                found[element.attrib["AttributeName"]] = [value.text or "" for value in element]
    return child(child(statements[0], "Subject"), "NameIdentifier").text or "", found


def as_old_mod_auth_cas(body: bytes, clock: float) -> Read:
    """mod_auth_cas 1.0.9: by position only; attributes and name of the statement after the conditions."""
    root = ElementTree.fromstring(body)  # noqa: S314
    response = root[1][0]
    if response[0][0].attrib["Value"] != "samlp:Success":
        raise Refusal("status")
    statement = response[1][1]
    found = {
        element.attrib["AttributeName"]: [value.text or "" for value in element]
        for element in statement
        if element.tag.rpartition("}")[2] == "Attribute"
    }
    return statement[0][0].text or "", found


def as_dotnet(body: bytes, clock: float) -> Read:
    """The .NET client: both dates, an authentication statement, one subject, and no attribute name twice."""
    root = ElementTree.fromstring(body)  # noqa: S314
    assertion = root.find(".//sa:Assertion", PREFIXES)
    conditions = root.find(".//sa:Assertion/sa:Conditions", PREFIXES)
    if assertion is None or conditions is None:
        raise Refusal("no assertion")
    begin, end = (datetime.fromisoformat(conditions.attrib[name]).timestamp() for name in ("NotBefore", "NotOnOrAfter"))
    if clock + 1 < begin or end <= clock - 1:
        raise Refusal("dates")
    name = assertion.findtext("sa:AuthenticationStatement/sa:Subject/sa:NameIdentifier", None, PREFIXES)
    if not name or name != assertion.findtext("sa:AttributeStatement/sa:Subject/sa:NameIdentifier", None, PREFIXES):
        raise Refusal("subjects")
    names = [element.attrib["AttributeName"] for element in assertion.iterfind(".//sa:Attribute", PREFIXES)]
    if len(set(names)) != len(names):
        raise Refusal("an attribute twice")
    return name, attributes_in(root, ".//sa:AttributeStatement/sa:Attribute")


def attributes_in(root: ElementTree.Element, path: str) -> dict[str, list[str]]:
    return {
        element.attrib["AttributeName"]: [value.text or "" for value in element.iterfind("sa:AttributeValue", PREFIXES)]
        for element in root.iterfind(path, PREFIXES)
    }


def child(element: ElementTree.Element, name: str) -> ElementTree.Element:
    return next(one for one in element if one.tag.rpartition("}")[2] == name)


CLIENTS = [as_java, as_phpcas, as_mod_auth_cas, as_old_mod_auth_cas, as_dotnet]


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_reads_the_user_and_the_attributes(client: Callable[[bytes, float], Read]) -> None:
    ticket = validated({"mail": ("ada@example.edu",), "memberOf": ("staff & co", "faculty\nof arts")}, user="zoë")
    user, attributes = client(success(ticket), NOW)
    assert user == "zoë"
    assert attributes == {
        "authenticationDate": ["2026-03-04T05:06:07Z"],
        "longTermAuthenticationRequestTokenUsed": ["false"],
        "isFromNewLogin": ["true"],
        "mail": ["ada@example.edu"],
        "memberOf": ["staff & co", "faculty\nof arts"],
    }


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", FAILURES)
def test_every_client_reads_a_failure_as_nobody(
    client: Callable[[bytes, float], Read], kind: type[ProtocolError]
) -> None:
    with pytest.raises(Refusal):
        client(failure(kind), NOW)


@pytest.mark.parametrize("client", [as_java, as_dotnet])
@pytest.mark.parametrize(("seconds", "accepted"), [(-32, False), (-31, True), (0, True), (60, True), (62, False)])
def test_clocks_may_differ_by_half_a_minute(
    client: Callable[[bytes, float], Read], seconds: int, accepted: bool
) -> None:
    clock = int(NOW) + seconds
    if accepted:
        assert client(success(), clock)[0] == "ada"
    else:
        with pytest.raises(Refusal):
            client(success(), clock)


def test_a_ticket_from_a_session_says_so() -> None:
    _, attributes = as_java(success(validated(primary=False)), NOW)
    assert attributes["isFromNewLogin"] == ["false"]


# python-cas itself


class Endpoint(HTTPServer):
    """``/samlValidate``, as small as can be. ``tickets`` are those it knows, each good for as long as one likes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.tickets: dict[str, ValidatedTicket] = {}

    def answer(self, body: bytes, target: str) -> bytes:
        asked = SamlRequest("", "")
        try:
            asked = parse_saml_request(body)
            if asked.artifact not in self.tickets:
                raise InvalidTicket
        except ProtocolError as error:
            return saml_failure(error, request_id=asked.request_id, now=NOW)
        ticket = self.tickets[asked.artifact]
        return saml_success(ticket, recipient=target, request_id=asked.request_id, issuer=ISSUER, now=NOW)


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.answer(body, parse_qs(urlsplit(self.path).query)["TARGET"][0])
        self.send_response(200)
        self.send_header("Content-Type", SAML_TYPE)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[CASClientWithSAMLV1]:
    with requests.Session() as session:
        # A proxy named in the environment would be asked for the loopback address.
        session.trust_env = False
        yield CASClientWithSAMLV1(
            service_url=SERVICE, server_url=f"http://127.0.0.1:{endpoint.server_port}/", session=session
        )


def test_python_cas_is_understood_and_understands(client: CASClientWithSAMLV1, endpoint: Endpoint) -> None:
    endpoint.tickets[TICKET] = validated(
        {"mail": ("ada@example.edu",), "memberOf": ("staff & co", "faculty\nof arts")}, "zoë"
    )
    assert client.verify_ticket(TICKET) == (
        "zoë",
        {
            "authenticationDate": "2026-03-04T05:06:07Z",
            "longTermAuthenticationRequestTokenUsed": "false",
            "isFromNewLogin": "true",
            "mail": "ada@example.edu",
            "memberOf": ["staff & co", "faculty\nof arts"],
        },
        None,
    )


@pytest.mark.parametrize(
    "ticket",
    [
        "ST-unknown",
        "",
        "ST-1\n\nyes\ngrace\n",
        *(ticket for ticket, _ in INJECTED.values()),
    ],
)
def test_python_cas_lets_nobody_in_with_another_ticket(
    client: CASClientWithSAMLV1, endpoint: Endpoint, ticket: str
) -> None:
    endpoint.tickets |= {"ST-1": validated(), "ST-2": validated()}
    assert client.verify_ticket(ticket) == (None, {}, None)


HOSTILE = "Robert'); \"]]><saml:NameIdentifier>&\n\U0001f600"


def test_python_cas_takes_no_markup_of_a_user_for_an_answer(client: CASClientWithSAMLV1, endpoint: Endpoint) -> None:
    endpoint.tickets[TICKET] = validated({"note": (HOSTILE, "nul\0")}, user=HOSTILE)
    user, attributes, _ = client.verify_ticket(TICKET)
    assert user == HOSTILE
    assert attributes["note"] == [HOSTILE, "nul"]
