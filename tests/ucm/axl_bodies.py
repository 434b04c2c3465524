"""Bodies as a UCM's web server sends them."""

from __future__ import annotations

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
AXL = "http://www.cisco.com/AXL/API/14.0"


def envelope(content: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{SOAP}"><soapenv:Body>{content}</soapenv:Body></soapenv:Envelope>'
    ).encode()


def answer(operation: str, inside: str) -> bytes:
    """An answer with ``inside`` in its element ``return``."""
    return envelope(f'<ns:{operation}Response xmlns:ns="{AXL}"><return>{inside}</return></ns:{operation}Response>')


def fault(code: int | None, text: str) -> bytes:
    """A fault, its detail without a namespace as on real systems; without a code it has no detail."""
    detail = (
        ""
        if code is None
        else f"<detail><axlError><axlcode>{code}</axlcode><axlmessage>{text}</axlmessage>"
        "<request>getUser</request></axlError></detail>"
    )
    return envelope(
        f"<soapenv:Fault><faultcode>soapenv:Server</faultcode><faultstring>{text}</faultstring>{detail}</soapenv:Fault>"
    )
