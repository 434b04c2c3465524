"""Asks the CAS server about tickets: one pooled, timed GET without redirects, its certificate checked."""

from __future__ import annotations

import logging
import re
import time
from typing import Final

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3.exceptions import HTTPError, ProtocolError

from casduo.middleware.errors import CasUnavailable, InvalidResponse
from casduo.middleware.response import MAX_BYTES, Failure, Success, parse_proxy_response, parse_service_response
from casduo.middleware.tickets import is_proxy_ticket
from casduo.middleware.urls import proxy_url, validation_url

_CONNECTIONS: Final = 32
_TICKET_PARAMETER: Final = re.compile(r"((?:ticket|pgt)=)[^&\s]*")


class _HideTickets(logging.Filter):
    """urllib3 writes whole request lines to its debug log; a ticket must not stand there."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                _TICKET_PARAMETER.sub(r"\1(hidden)", value) if isinstance(value, str) else value
                for value in record.args
            )
        return True


_HIDE_TICKETS: Final = _HideTickets()


class _NoCookies(RequestsCookieJar):
    """The connection pool is shared by all users; whatever cookie the server sets, nobody's request may carry it."""

    def set_cookie(self, cookie: object, *args: object, **kwargs: object) -> None:
        return


class CasClient:
    """Validates tickets at one CAS server, and buys proxy tickets there. Safe to use from many threads.

    :param base_url: address of the CAS server as the application reaches it.
    :param ca_file: PEM file with the authorities to trust, or ``None`` for those that ``requests`` ships with.
    :param connect_timeout: longest wait for a connection, in seconds.
    :param read_timeout: longest wait for the whole answer, in seconds.
    :param pgt_url: where the server is to bring proxy-granting tickets, or ``None`` for none.
    :param proxied: proxy tickets are accepted too.
    """

    def __init__(
        self,
        base_url: str,
        *,
        ca_file: str | None,
        connect_timeout: float,
        read_timeout: float,
        pgt_url: str | None = None,
        proxied: bool = False,
    ) -> None:
        self._base_url = base_url
        self._pgt_url = pgt_url
        self._proxied = proxied
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._http = requests.Session()
        # Neither proxies nor a netrc of the environment: who validates tickets is for the settings to say.
        self._http.trust_env = False
        self._http.verify = ca_file or True
        self._http.cookies = _NoCookies()
        self._http.headers = requests.structures.CaseInsensitiveDict(
            {"User-Agent": "casduo-middleware", "Accept": "application/xml, text/xml", "Accept-Encoding": "identity"}
        )
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=_CONNECTIONS, max_retries=0)
        self._http.mount("https://", adapter)
        self._http.mount("http://", adapter)
        logging.getLogger("urllib3.connectionpool").addFilter(_HIDE_TICKETS)

    def validate(self, ticket: str, service: str, *, renew: bool) -> Success | Failure:
        """Ask ``/p3/serviceValidate`` or ``/p3/proxyValidate`` about a ticket (CAS Protocol 3.0, 2.8).

        The ticket is used up by it.

        :param ticket: as it came, already known to look like one.
        :param service: the very address that was given to ``/login``.
        :param renew: accept the ticket only if credentials were typed for it.
        :raises CasUnavailable: there was no proper answer in time.
        :raises InvalidResponse: there was one, and it may not be believed.
        """
        url = validation_url(self._base_url, service, ticket, renew=renew, pgt_url=self._pgt_url, proxied=self._proxied)
        answer = parse_service_response(self._fetch(url), proxied=self._proxied)
        if isinstance(answer, Success) and not answer.proxies and is_proxy_ticket(ticket):
            raise InvalidResponse("a proxy ticket without its proxies")
        return answer

    def proxy_ticket(self, pgt: str, target_service: str) -> str | Failure:
        """Ask ``/proxy`` for a proxy ticket (CAS Protocol 3.0, 2.7), to be used once at the target.

        :param pgt: the proxy-granting ticket, which may be used again.
        :param target_service: the very address that the target will validate the ticket for.
        :raises CasUnavailable: there was no proper answer in time.
        :raises InvalidResponse: there was one, and it may not be believed.
        """
        return parse_proxy_response(self._fetch(proxy_url(self._base_url, pgt, target_service)))

    def _fetch(self, url: str) -> bytes:
        # Causes are named by a word of ours and chained to nothing: texts of requests' errors hold the URL, the URL
        # holds a ticket.
        try:
            return self._get(url)
        except requests.exceptions.SSLError:
            reason = "certificate"
        except requests.exceptions.Timeout:
            reason = "timeout"
        except (requests.exceptions.RequestException, HTTPError, OSError):
            reason = "unreachable"
        raise CasUnavailable(reason)

    def _get(self, url: str) -> bytes:
        deadline = time.monotonic() + self._connect_timeout + self._read_timeout
        with self._open(url) as response:
            if response.status_code != 200:
                raise CasUnavailable(f"status {response.status_code}")
            body = bytearray()
            while chunk := response.raw.read1(65536):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise CasUnavailable("answer too long")
                if time.monotonic() > deadline:
                    raise CasUnavailable("timeout")
            return bytes(body)

    def _open(self, url: str) -> requests.Response:
        timeout = (self._connect_timeout, self._read_timeout)
        try:
            return self._http.get(url, timeout=timeout, allow_redirects=False, stream=True)
        except requests.exceptions.ConnectionError as error:
            # A kept connection may be closed by the server in the moment it is used again; then nobody has read the
            # request. Asked twice, the worst that can happen is a ticket refused as used, and a new sign-in, or a proxy
            # ticket that nobody uses.
            if not error.args or not isinstance(error.args[0], ProtocolError):
                raise
            return self._http.get(url, timeout=timeout, allow_redirects=False, stream=True)
