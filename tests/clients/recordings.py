"""Requests as deployed clients put them on the wire, byte for byte but for host, service and tickets."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from urllib.parse import quote, quote_plus

from tests.clients.readers import Answer
from tests.support.served import Served

_LINE = "\r\n"


def php_encoded(text: str) -> str:
    """As PHP's ``urlencode`` does: the tilde too, and a space as ``+``."""
    return quote_plus(text).replace("~", "%7E")


def java_encoded(text: str) -> str:
    """As ``java.net.URLEncoder`` does, which is for forms: a space is ``+``, a star stays."""
    return quote_plus(text, safe="*").replace("~", "%7E")


def dotnet_encoded(text: str) -> str:
    """As .NET's ``HttpUtility.UrlEncode`` does: digits in lower case, and some marks stay."""
    return _lower(quote_plus(text, safe="!()*"))


def ruby_encoded(text: str) -> str:
    """As Ruby's ``CGI.escape`` does, and Addressable with values of a query."""
    return quote_plus(text)


def apache_encoded(text: str) -> str:
    """As mod_auth_cas does: digits in lower case, a space as ``%20``, and the tilde is encoded too."""
    return _lower(quote(text, safe="!$'()*,").replace("~", "%7E"))


@dataclass(frozen=True)
class Recording:
    """A request with gaps: ``{host}``, and ``{service}``, ``{ticket}`` and ``{callback}`` as the client encodes them.

    In ``body`` the ticket stands as it is.
    """

    encode: Callable[[str], str]
    head: str
    body: str = ""

    def bytes(self, host: str, service: str = "", ticket: str = "", callback: str = "") -> bytes:
        """Return the request with its gaps filled."""
        body = self.body.replace("{ticket}", ticket).encode()
        lines = self.head.strip().splitlines()
        if body:
            lines.append(f"Content-Length: {len(body)}")
        head = _LINE.join(lines).format(
            host=host, service=self.encode(service), ticket=self.encode(ticket), callback=self.encode(callback)
        )
        return f"{head}{_LINE}{_LINE}".encode("latin-1") + body


_CURL = "Host: {host}\nAccept: */*"
_JAVA = (
    "User-Agent: Java/17.0.9\nHost: {host}\nAccept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2\n"
    "Connection: keep-alive"
)
_DOTNET = "Host: {host}"
_RUBY = (
    "Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3\nAccept: */*\nUser-Agent: Ruby\n"
    "Connection: close\nHost: {host}"
)
_APACHE = "User-Agent: mod_auth_cas 1.0.8\nHost: {host}\nAccept: */*"
_SECURITY = "http://www.oasis-open.org/committees/security"

_ENVELOPE = '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/">'
_OLD_REQUEST = (
    f"{_ENVELOPE}<SOAP-ENV:Header/><SOAP-ENV:Body>"
    '<samlp:Request xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol"  MajorVersion="1" MinorVersion="1"'
    ' RequestID="_192.168.16.51.1024506224022" IssueInstant="2002-06-19T17:03:44.022Z">'
    "<samlp:AssertionArtifact>{ticket}</samlp:AssertionArtifact></samlp:Request></SOAP-ENV:Body></SOAP-ENV:Envelope>"
)
"""What phpCAS and .NET send, to this day with the example of the specification in it: that id, and that date."""
_JAVA_REQUEST = f"""<!--
    The licence of the file comes first, with <brackets> and "quotes" in it.
-->
{_ENVELOPE}
  <SOAP-ENV:Header/>
  <SOAP-ENV:Body>
    <Request xmlns="urn:oasis:names:tc:SAML:1.0:protocol"
             MajorVersion="1"
             MinorVersion="1"
             RequestID="_00112233445566778899aabbccddeeff"
             IssueInstant="2026-03-04T05:06:07Z">
      <AssertionArtifact>{{ticket}}</AssertionArtifact>
    </Request>
  </SOAP-ENV:Body>
</SOAP-ENV:Envelope>
"""


def _get(encode: Callable[[str], str], headers: str, target: str) -> Recording:
    return Recording(encode, f"GET /cas/{target} HTTP/1.1\n{headers}")


_SERVICE_FIRST = "service={service}&ticket={ticket}"
# The order of a HashMap of Java's: pgtUrl, ticket, service, renew.
_TICKET_FIRST = "ticket={ticket}&service={service}"

RECORDINGS = {
    "phpcas 1.0": _get(php_encoded, _CURL, f"validate?{_SERVICE_FIRST}"),
    "phpcas 2.0": _get(php_encoded, _CURL, f"serviceValidate?{_SERVICE_FIRST}"),
    "phpcas 3.0": _get(php_encoded, _CURL, f"p3/serviceValidate?{_SERVICE_FIRST}"),
    "phpcas renew": _get(php_encoded, _CURL, f"serviceValidate?{_SERVICE_FIRST}&renew=true"),
    "phpcas proxied": _get(php_encoded, _CURL, f"proxyValidate?{_SERVICE_FIRST}"),
    "phpcas proxy": _get(php_encoded, _CURL, f"p3/proxyValidate?{_SERVICE_FIRST}&pgtUrl={{callback}}"),
    "phpcas saml": Recording(
        php_encoded,
        f"POST /cas/samlValidate?TARGET={{service}} HTTP/1.1\n{_CURL}\nsoapaction: {_SECURITY}\n"
        "cache-control: no-cache\npragma: no-cache\naccept: text/xml\nconnection: keep-alive\ncontent-type: text/xml",
        _OLD_REQUEST,
    ),
    "java 1.0": _get(java_encoded, _JAVA, f"validate?{_TICKET_FIRST}"),
    "java 2.0": _get(java_encoded, _JAVA, f"serviceValidate?{_TICKET_FIRST}"),
    "java 3.0": _get(java_encoded, _JAVA, f"p3/serviceValidate?{_TICKET_FIRST}"),
    "java renew": _get(java_encoded, _JAVA, f"p3/serviceValidate?{_TICKET_FIRST}&renew=true"),
    "java proxied": _get(java_encoded, _JAVA, f"p3/proxyValidate?{_TICKET_FIRST}"),
    "java proxy": _get(java_encoded, _JAVA, f"p3/proxyValidate?pgtUrl={{callback}}&{_TICKET_FIRST}"),
    "java json": _get(java_encoded, _JAVA, f"p3/serviceValidate?{_TICKET_FIRST}&format=JSON"),
    "java saml": Recording(
        java_encoded,
        f"POST /cas/samlValidate?TARGET={{service}} HTTP/1.1\nContent-Type: text/xml\nSOAPAction: {_SECURITY}\n"
        f"Cache-Control: no-cache\nPragma: no-cache\n{_JAVA}",
        _JAVA_REQUEST,
    ),
    "dotnet 1.0": _get(dotnet_encoded, _DOTNET, f"validate?{_SERVICE_FIRST}"),
    "dotnet 2.0": _get(dotnet_encoded, _DOTNET, f"serviceValidate?{_SERVICE_FIRST}"),
    "dotnet renew": _get(dotnet_encoded, _DOTNET, f"serviceValidate?{_SERVICE_FIRST}&renew=true"),
    "dotnet saml": Recording(
        dotnet_encoded,
        "POST /cas/samlValidate?TARGET={service}&SAMLart={ticket} HTTP/1.1\n"
        f"Content-Type: text/xml\nSOAPAction: {_SECURITY}\n{_DOTNET}\nExpect: 100-continue",
        _OLD_REQUEST,
    ),
    "dotnet saml as form": Recording(
        dotnet_encoded,
        "POST /cas/samlValidate?TARGET={service}&SAMLart={ticket} HTTP/1.1\n"
        f"Content-Type: application/x-www-form-urlencoded\n{_DOTNET}\nExpect: 100-continue",
        _OLD_REQUEST,
    ),
    "rubycas": _get(ruby_encoded, _RUBY, f"proxyValidate?{_SERVICE_FIRST}"),
    "rubycas renew": _get(ruby_encoded, _RUBY, f"proxyValidate?{_SERVICE_FIRST}&renew=1"),
    "rubycas proxy": _get(ruby_encoded, _RUBY, f"proxyValidate?{_SERVICE_FIRST}&pgtUrl={{callback}}"),
    "rubycas 1.0": _get(ruby_encoded, _RUBY, f"validate?{_SERVICE_FIRST}"),
    "omniauth": _get(ruby_encoded, _RUBY, f"serviceValidate?{_SERVICE_FIRST}"),
    "mod_auth_cas 1.0": _get(apache_encoded, _APACHE, f"validate?{_SERVICE_FIRST}"),
    "mod_auth_cas 2.0": _get(apache_encoded, _APACHE, f"serviceValidate?{_SERVICE_FIRST}"),
    "mod_auth_cas renew": _get(apache_encoded, _APACHE, f"serviceValidate?{_SERVICE_FIRST}&renew=true"),
}


def host_of(cas: Served) -> str:
    """Return what clients write into ``Host``."""
    return f"localhost:{cas.address[1]}"


def replay(cas: Served, request: bytes) -> Answer:
    """Send a request over a connection of its own, and return the answer.

    Who announces a body with ``Expect`` waits until the server wants it, as .NET does.
    """
    head, blank, body = request.partition(b"\r\n\r\n")
    with _connection(cas) as stream:
        if b"\r\nExpect: 100-continue" in head:
            stream.sendall(head + blank)
            interim = stream.recv(4096)
            assert re.fullmatch(rb"HTTP/1\.1 100 [^\r]*\r\n\r\n", interim), interim
            stream.sendall(body)
        else:
            stream.sendall(request)
        answer = HTTPResponse(stream)
        answer.begin()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def look_up(cas: Served, target: str, cookies: str = "", referrer: str = "") -> Answer:
    """Ask for an address of the server as a browser does that was sent there, without touching a byte of it."""
    lines = [f"GET {target} HTTP/1.1", f"Host: {host_of(cas)}", "Accept: text/html", "Sec-Fetch-Site: cross-site"]
    lines += [f"{name}: {value}" for name, value in {"Cookie": cookies, "Referer": referrer}.items() if value]
    return replay(cas, (_LINE.join(lines) + _LINE * 2).encode("latin-1"))


@contextmanager
def _connection(cas: Served) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=cas.ca)
    with (
        socket.create_connection(cas.address, timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as stream,
    ):
        yield stream


def _lower(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), text)
