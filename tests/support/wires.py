"""The ways by which applications validate tickets, as they look on the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import pytest

from casduo.services.model import Protocol
from tests.support.raw import Answer, call
from tests.support.site import LIBRARY, Site, ticket_of

TEXTS = {
    "INVALID_REQUEST": "A required parameter is missing or cannot be read",
    "INVALID_TICKET": "Ticket not recognized",
    "INVALID_TICKET_SPEC": "A proxy ticket was presented where only service tickets are accepted",
    "INVALID_SERVICE": "Ticket was issued for another service",
    "UNAUTHORIZED_SERVICE": "Service is not authorized",
    "UNAUTHORIZED_SERVICE_PROXY": "Service is not authorized to use proxy authentication",
    "INVALID_PROXY_CALLBACK": "The proxy callback could not be used; it must answer while this validation is under way",
    "INVALID_AUTHENTICATION_CONTEXT": "The required authentication was not performed",
    "INTERNAL_ERROR": "The server could not answer; try again",
}
NOT_NEW = "Ticket was not issued from a new login"

SAML_TYPE = "text/xml; charset=utf-8"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_SAMLP = "urn:oasis:names:tc:SAML:1.0:protocol"

Fields = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Wire:
    """One way to ask and to be answered."""

    path: str
    format: str = ""

    @property
    def name(self) -> str:
        return f"{self.path[1:]}{self.format}"

    @property
    def protocol(self) -> Protocol:
        return "cas1" if self.path == "/validate" else "cas3" if self.path.startswith("/p3") else "cas2"

    @property
    def takes_proxy_tickets(self) -> bool:
        return self.path.endswith("proxyValidate")

    @property
    def knows_proxies(self) -> bool:
        """Whether a ``pgtUrl`` means anything here."""
        return self.protocol in ("cas2", "cas3")

    @property
    def media_type(self) -> str:
        kind = "text/plain" if self.path == "/validate" else f"application/{self.format.lower() or 'xml'}"
        return f"{kind}; charset=utf-8"

    @property
    def methods(self) -> str:
        return "HEAD, GET, POST"

    def ask(self, site: Site, fields: Fields, raw: str = "", **more: Any) -> Answer:
        """Ask as an application does.

        :param raw: what is added to the query as it is, with ``service`` and ``ticket`` for what they are called here
        """
        pairs = [*_pairs(fields), *([("format", self.format)] if self.format else [])]
        return call(site, path=f"/cas{self.path}", query=urlencode(pairs) + raw, **more)

    def failure(self, code: str, text: str = "") -> str:
        """What an application is told of a failure."""
        text = text or TEXTS[code]
        if self.path == "/validate":
            return "no\n\n"
        if self.format == "JSON":
            return f'{{"serviceResponse":{{"authenticationFailure":{{"code":"{code}","description":"{text}"}}}}}}'
        return (
            '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">\n'
            f'<cas:authenticationFailure code="{code}">{text}</cas:authenticationFailure>\n</cas:serviceResponse>\n'
        )

    def told(self, answer: Answer) -> str:
        """The answer without what is different each time."""
        return answer.body.decode()

    def accepts(self, answer: Answer) -> bool:
        """Whether an application takes the answer for a success."""
        return answer.body.startswith(b"yes\n") or b"authenticationSuccess" in answer.body


class SamlWire(Wire):
    """SAML 1.1: the ticket in an envelope, the service as ``TARGET``, whatever else there is in the query."""

    @property
    def protocol(self) -> Protocol:
        return "saml1"

    @property
    def media_type(self) -> str:
        return SAML_TYPE

    @property
    def methods(self) -> str:
        return "POST"

    def ask(self, site: Site, fields: Fields, raw: str = "", **more: Any) -> Answer:
        pairs = [("TARGET" if name == "service" else name, value) for name, value in _pairs(fields)]
        query = urlencode([pair for pair in pairs if pair[0] != "ticket"]) + raw.replace("&service=", "&TARGET=")
        body = envelope(*(value for name, value in pairs if name == "ticket"))
        return call(
            site, **{"method": "POST", "kind": SAML_TYPE, "body": body, **more}, path="/cas/samlValidate", query=query
        )

    def failure(self, code: str, text: str = "") -> str:
        status = {"INVALID_REQUEST": "Requester", "INTERNAL_ERROR": "Responder"}.get(code, "RequestDenied")
        return (
            f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{_SOAP}"><SOAP-ENV:Header/><SOAP-ENV:Body><samlp:Response '
            f'xmlns:samlp="{_SAMLP}" MajorVersion="1" MinorVersion="1" ResponseID="_ID" IssueInstant="NOW">'
            f'<samlp:Status><samlp:StatusCode Value="samlp:{status}"/><samlp:StatusMessage>{text or TEXTS[code]}'
            "</samlp:StatusMessage></samlp:Status></samlp:Response></SOAP-ENV:Body></SOAP-ENV:Envelope>"
        )

    def told(self, answer: Answer) -> str:
        body = re.sub(r"\b_[0-9a-f]{32}\b", "_ID", answer.body.decode("ascii"))
        body = re.sub(r' InResponseTo="[^"]*"', "", body)
        return re.sub(r'(IssueInstant=")[^"]*', r"\1NOW", body, count=1)

    def accepts(self, answer: Answer) -> bool:
        return b"<saml:NameIdentifier>" in answer.body


class ProxyWire(Wire):
    """Asking for a proxy ticket: ``service`` is the target and ``ticket`` the proxy-granting ticket."""

    def ask(self, site: Site, fields: Fields, raw: str = "", **more: Any) -> Answer:
        names = {"service": "targetService", "ticket": "pgt"}
        pairs = [(names.get(name, name), value) for name, value in _pairs(fields)]
        raw = raw.replace("&service=", "&targetService=").replace("&ticket=", "&pgt=")
        return super().ask(site, pairs, raw, **more)

    def failure(self, code: str, text: str = "") -> str:
        told = super().failure(code, text)
        return told if self.format == "JSON" else told.replace("authenticationFailure", "proxyFailure")

    def accepts(self, answer: Answer) -> bool:
        return b"proxySuccess" in answer.body


def _pairs(fields: Fields) -> list[tuple[str, str]]:
    return list(fields.items()) if isinstance(fields, Mapping) else list(fields)


def envelope(*artifacts: str) -> bytes:
    """The request of a SAML client for these tickets, of which there should be one."""
    inside = "".join(f"<samlp:AssertionArtifact>{escape(each)}</samlp:AssertionArtifact>" for each in artifacts)
    return (
        f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{_SOAP}"><SOAP-ENV:Header/><SOAP-ENV:Body>'
        f'<samlp:Request xmlns:samlp="{_SAMLP}" MajorVersion="1" MinorVersion="1" RequestID="_r1">{inside}'
        "</samlp:Request></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    ).encode()


SAML = SamlWire("/samlValidate")
CAS_WIRES = [
    Wire("/validate"),
    *(
        Wire(f"{prefix}/{path}", format_)
        for prefix in ("", "/p3")
        for path in ("serviceValidate", "proxyValidate")
        for format_ in ("", "JSON")
    ),
]
WIRES = [*CAS_WIRES, SAML]
PROXY_WIRES = [ProxyWire("/proxy"), ProxyWire("/proxy", "JSON")]
LAX = Wire("/p3/proxyValidate")
"""The endpoint that takes whatever ticket is still good."""


def wires(*chosen: Wire) -> pytest.MarkDecorator:
    """Run a test with each of these."""
    return pytest.mark.parametrize("wire", chosen, ids=lambda wire: wire.name)


every_wire = wires(*WIRES)
every_machine = wires(*WIRES, *PROXY_WIRES)
every_cas_wire = wires(*CAS_WIRES)
proxying_wires = wires(*(wire for wire in WIRES if wire.knows_proxies))
other_wires = wires(*(wire for wire in WIRES if not wire.knows_proxies))
proxy_ticket_wires = wires(*(wire for wire in WIRES if wire.takes_proxy_tickets))
service_ticket_wires = wires(*(wire for wire in WIRES if not wire.takes_proxy_tickets))


def fresh(site: Site, service: str = LIBRARY) -> dict[str, str]:
    """What an application sends after somebody signed in with a password."""
    return {"service": service, "ticket": ticket_of(site.browser().sign_in("ada", service))}


def from_session(site: Site, service: str = LIBRARY) -> dict[str, str]:
    """The same for somebody who was signed in already."""
    browser = site.browser()
    browser.sign_in("ada", "")
    return {"service": service, "ticket": ticket_of(browser.login_page(service))}


def assert_refused(wire: Wire, answer: Answer, code: str, text: str = "") -> None:
    """The application is told a failure, to the byte, as it always is: with status 200."""
    assert answer.status == 200
    assert answer.header("Content-Type") == wire.media_type
    assert wire.told(answer) == wire.failure(code, text)


def burned(site: Site, wire: Wire, asked: Mapping[str, str], code: str, text: str = "", service: str = LIBRARY) -> None:
    """The request is refused with ``code``, and then the ticket is of no use to anybody, asked for rightly or not.

    :param service: the one that the ticket is for
    """
    assert_refused(wire, wire.ask(site, asked), code, text)
    assert_refused(LAX, LAX.ask(site, {"service": service, "ticket": asked["ticket"]}), "INVALID_TICKET")
    assert_refused(wire, wire.ask(site, {"service": service, "ticket": asked["ticket"]}), "INVALID_TICKET")


def change_registry(site: Site, old: str, new: str) -> None:
    """Edit the registry file of a running server, first place only, and let it take notice."""
    source = site.composed.parts.services
    text = source.path.read_text(encoding="utf-8")
    assert old in text
    source.path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert source.poll()
