"""What the server refuses, read by clients that look for a yes anywhere, with requests that try to make it say one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote_plus

import pytest

from casduo.simulators.certificates import CertificateAuthority
from tests.clients import readers
from tests.clients.readers import Refused, Unreadable
from tests.clients.recordings import host_of, replay
from tests.support.served import Served, serving
from tests.support.visitor import Visitor

HOME = "https://course.example.edu/"
PORTAL = "https://portal.example.edu/"
TEXT = "https://text.example.edu/"

REGISTRY = f"""
services:
  - id: course
    name: Courses in Ruby on Rails
    url: {HOME}**
    client: rubycas
  - id: portal
    name: A portal that asks others
    url: {PORTAL}**
    proxy: {{allow: true, callback: 'https://localhost:*/pgt', private_addresses: true}}
  - id: text
    name: An application that speaks the oldest protocol
    url: {TEXT}**
    protocols: [cas1]
"""


@pytest.fixture(scope="module")
def cas(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, authority: CertificateAuthority) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("cas")
    with serving(directory, valkey_url, tls=authority.issue(), registry=REGISTRY) as found:
        yield found


@pytest.fixture
def ada(cas: Served) -> Iterator[Visitor]:
    """Ada, who has signed in."""
    with Visitor(cas.ca) as visitor:
        visitor.submit(visitor.step(f"{cas.url}login"))
        yield visitor


HOSTILE = "ST-1\nyes\nroot\n\nno\nnobody\n\n"
REFUSALS = {
    "forged": "service={home}&ticket={hostile}",
    "hostile service": "service={hostile}&ticket=ST-1",
    "hostile service behind a good host": "service={home}{hostile}&ticket=ST-1",
    "hostile callback": "service={home}&ticket={ticket}&pgtUrl={hostile}",
    "hostile callback of a proxy": "service={portal}&ticket={portal_ticket}&pgtUrl={hostile}",
    "hostile format": "service={home}&ticket={ticket}&format={hostile}",
    "hostile renew": "service={home}&ticket={ticket}&renew={hostile}",
    "two tickets": "service={home}&ticket={ticket}&ticket={hostile}",
    "no ticket": "service={home}",
    "no service": "ticket={hostile}",
    "another service": "service={home}x&ticket={ticket}",
    "another service, hostile": "service={home}%3Fa%3D{hostile}&ticket={ticket}",
    "protocol not allowed": "service={text}&ticket={text_ticket}",
    "bytes that are no text": "service={home}&ticket={ticket}%ff{hostile}",
    "JSON": "service={home}&ticket={hostile}&format=JSON",
    "proxy ticket": "service={home}&ticket=PT-1{hostile}",
}
ENDPOINTS = ["validate", "serviceValidate", "proxyValidate", "p3/serviceValidate", "p3/proxyValidate"]
ACCEPTED = {
    ("validate", refusal)
    for refusal in ("hostile callback", "hostile callback of a proxy", "hostile format", "protocol not allowed")
}
"""What CAS 1.0 takes no offence at, for it does not know these parameters."""


def test_an_echo_would_be_taken_for_a_yes() -> None:
    assert readers.rubycas_text(f"<x>Ticket {HOSTILE} is unknown</x>") == ("yes", "root")


@pytest.mark.parametrize(
    ("endpoint", "refusal"),
    [(endpoint, refusal) for endpoint in ENDPOINTS for refusal in REFUSALS if (endpoint, refusal) not in ACCEPTED],
)
def test_no_refusal_holds_lines_that_rubycas_takes_for_a_yes(
    cas: Served, ada: Visitor, endpoint: str, refusal: str
) -> None:
    query = REFUSALS[refusal].format(
        hostile=quote_plus(HOSTILE),
        home=quote_plus(HOME),
        portal=quote_plus(PORTAL),
        text=quote_plus(TEXT),
        ticket=ada.ticket(cas.url, HOME),
        portal_ticket=ada.ticket(cas.url, PORTAL),
        text_ticket=ada.ticket(cas.url, TEXT),
    )
    answer = replay(cas, f"GET /cas/{endpoint}?{query} HTTP/1.1\r\nHost: {host_of(cas)}\r\n\r\n".encode())
    told = answer.body.decode("ascii")
    assert answer.status == 200
    assert readers.rubycas_text(told) == (("no", "") if endpoint == "validate" else None)
    assert "root" not in told
    with pytest.raises((Refused, Unreadable)):
        readers.rubycas(answer)


@pytest.mark.parametrize(
    "query", ["pgt={hostile}&targetService={home}", "pgt=PGT-1&targetService={home}{hostile}", "pgt={hostile}", ""]
)
def test_no_refusal_of_a_proxy_ticket_does_either(cas: Served, query: str) -> None:
    asked = query.format(hostile=quote_plus(HOSTILE), home=quote_plus(HOME))
    answer = replay(cas, f"GET /cas/proxy?{asked} HTTP/1.1\r\nHost: {host_of(cas)}\r\n\r\n".encode())
    assert answer.status == 200
    assert b"<cas:proxyFailure code=" in answer.body
    assert readers.rubycas_text(answer.body.decode("ascii")) is None


@pytest.mark.parametrize("id", ["a\nyes\nroot\n\n", "&#10;yes&#10;root&#10;&#10;", "x yes", "<NameIdentifier>root"])
def test_no_refusal_of_saml_names_anybody(cas: Served, id: str) -> None:
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f'<Request xmlns="urn:oasis:names:tc:SAML:1.0:protocol" RequestID="{id}">'
        "<AssertionArtifact>ST-1\nyes\nroot\n\n</AssertionArtifact></Request></e:Body></e:Envelope>"
    ).encode()
    head = f"POST /cas/samlValidate?TARGET={quote_plus(HOME)} HTTP/1.1\r\nHost: {host_of(cas)}\r\n"
    answer = replay(cas, f"{head}Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    assert answer.status == 200
    assert b"root" not in answer.body
    with pytest.raises(Refused):
        readers.phpcas_saml(answer)
    for read in (readers.java_saml, readers.dotnet_saml):
        with pytest.raises(Refused):
            read(answer, datetime.now(UTC))
