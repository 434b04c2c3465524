"""One HTTP exchange as a phone makes it: nothing followed, nothing decoded, given up after a while."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path
from urllib.parse import urlsplit

from casduo.simulators.phone.errors import HOST_NOT_FOUND, NO_CONNECTION, Refusal

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Call:
    """A request to make. ``body`` None is a GET, otherwise a POST of a form."""

    url: str = field(repr=False)
    body: bytes | None = field(default=None, repr=False)

    @property
    def method(self) -> str:
        """``GET`` or ``POST``."""
        return "GET" if self.body is None else "POST"

    @property
    def target(self) -> str:
        """Path and query, as they stand in the request line."""
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if "?" in self.url else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``body`` holds one byte more than was asked for at most."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """Return the first header of that name, in any case of letters; empty where there is none."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Return every header of that name."""
        return tuple(value for key, value in self.headers if key.lower() == name.lower())


class Network:
    """How a phone reaches servers.

    :param ca_file: PEM file with the certificates the phone trusts; None trusts nobody, as phones know no public CA.
    :param source_address: the phone's own IP address, which also decides between IPv4 and IPv6; empty leaves the choice
        of an IPv4 address to the system.
    :param resolve: where a host really is, as address and port, before the system is asked.
    :param timeout: seconds of waiting for the next bytes. What phones have is written nowhere; the default of
        :class:`~casduo.simulators.phone.phone.IpPhone` is a guess.
    """

    def __init__(
        self, ca_file: Path | None, source_address: str, resolve: Mapping[str, Address] | None, timeout: float
    ) -> None:
        self._ca_file = ca_file
        self._source_address = source_address
        self._resolve = dict(resolve or {})
        self._timeout = timeout
        self._tls: ssl.SSLContext | None = None

    def exchange(self, call: Call, headers: Sequence[tuple[str, str]], *, host_is_address: bool, most: int) -> Answer:
        """Make a request on a connection of its own.

        :param headers: all headers but Host and those about the body.
        :param host_is_address: put the server's address into the Host header.
        :param most: the number of bytes of the body to read, and one more so that the caller sees there are more.
        :raises Refusal: the server was not reached, is not trusted, or did not answer in time.
        """
        parts = urlsplit(call.url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            address = self._resolve.get(host) or (self._address_of(host), port)
        except (OSError, UnicodeError) as error:
            raise Refusal(HOST_NOT_FOUND, type(error).__name__, blame=False) from None
        connection = HTTPConnection(*address, timeout=self._timeout, source_address=(self._source_address, 0))
        try:
            connection.connect()
            shown = address[0] if host_is_address else host
            if parts.scheme == "https":
                connection.sock = self._context().wrap_socket(connection.sock, server_hostname=host)
            self._send(connection, call, _host_header(shown, parts.port), headers)
            response = connection.getresponse()
            return Answer(response.status, tuple(response.getheaders()), _body(response, most))
        except ssl.SSLCertVerificationError as error:
            raise Refusal(HOST_NOT_FOUND, f"the certificate is not trusted: {error.verify_message}") from None
        except ssl.SSLError as error:
            raise Refusal(HOST_NOT_FOUND, type(error).__name__, blame=False) from None
        except (OSError, HTTPException) as error:
            raise Refusal(NO_CONNECTION, type(error).__name__, blame=False) from None
        finally:
            connection.close()

    def _address_of(self, host: str) -> str:
        family = socket.AF_INET6 if ":" in self._source_address else socket.AF_INET
        return str(socket.getaddrinfo(host, None, family, socket.SOCK_STREAM)[0][4][0])

    def _send(self, connection: HTTPConnection, call: Call, host: str, headers: Sequence[tuple[str, str]]) -> None:
        connection.putrequest(call.method, call.target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host)
        for name, value in headers:
            connection.putheader(name, value)
        if call.body is not None:
            connection.putheader("Content-Type", "application/x-www-form-urlencoded")
            connection.putheader("Content-Length", str(len(call.body)))
        connection.endheaders(call.body)

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            if self._ca_file is not None:
                self._tls.load_verify_locations(self._ca_file)
        return self._tls


def _body(response: HTTPResponse, most: int) -> bytes:
    body = response.read(most + 1)
    # A bounded read takes an early end for the end, and so does the reading of headers.
    cut_in_the_headers = response.length is None and not response.chunked and not body
    if cut_in_the_headers or (response.length and len(body) <= most):
        raise IncompleteRead(b"")
    return body


def _host_header(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"
