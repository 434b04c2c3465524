"""One node of the cluster: a socket of its own, the services that run on it, and the faults it has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from casduo.simulators.certificates import CertificateAuthority, CertificateFault, LeafFiles
from casduo.simulators.server import SimulatorServer
from casduo.simulators.transport import TransportFaults
from casduo.simulators.ucm.axl import VERSION_NOT_OFFERED, AxlInterface
from casduo.simulators.ucm.axl_answers import envelope, fault
from casduo.simulators.ucm.cluster import Cluster
from casduo.simulators.ucm.emapi import EmInterface
from casduo.simulators.ucm.errors import INTERNAL, AxlFault, HttpRefusal
from casduo.simulators.ucm.exchange import Exchange, Interface, Reply
from casduo.simulators.ucm.faults import MEMORY_TEXT, TOO_LARGE_TEXT, NodeFaults
from casduo.simulators.ucm.requests_log import RequestLog
from casduo.simulators.ucm.ris import RisInterface
from casduo.simulators.ucm.sessions import Sessions
from casduo.simulators.wire import Answer, WsgiApplication
from casduo.simulators.wire import Request as WireRequest

_log = logging.getLogger("casduo.simulators.ucm")

_DROP = 444
"""Status by which the application has its server close the connection without an answer; it never leaves the node."""

_HTML = "text/html;charset=utf-8"


class Node:
    """One node.

    :param number: its place in the cluster, from 0; the first is the publisher
    :param certificate: for TLS; None speaks plain HTTP
    :param authority: who signed the certificate; needed by :meth:`show_certificate` only
    :param ris: the service that tells where phones are registered
    """

    def __init__(
        self,
        number: int,
        cluster: Cluster,
        requests: RequestLog,
        clock: Callable[[], float],
        *,
        ris: RisInterface,
        certificate: LeafFiles | None,
        authority: CertificateAuthority | None,
        host: str,
        port: int,
        address: str,
    ) -> None:
        self.number = number
        self.faults = NodeFaults()
        self._sessions = Sessions()
        self._certificate = certificate
        self._authority = authority
        self._listening = False
        self._application = _Application(number, cluster, requests, clock, self.faults, self._sessions, ris)
        self._server = _NodeServer(
            self._application, certificate=certificate, host=host, port=port, address=address, name=f"ucm-{number + 1}"
        )

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self._server.host}:{self._server.port}"

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return self._server.url

    @property
    def port(self) -> int:
        """The TCP port; 0 before the first start of a node that was to choose one."""
        return self._server.port

    @property
    def transport(self) -> TransportFaults:
        """Switches for what happens below HTTP."""
        return self._server.faults

    @property
    def listening(self) -> bool:
        """Whether connections are accepted."""
        return self._listening

    @property
    def services(self) -> set[str]:
        """The services that run here, among ``axl``, ``em`` and ``ris``; the paths of others are not found."""
        return self._application.services

    def start(self) -> None:
        """Open the port and answer. See :meth:`SimulatorServer.start`."""
        self._server.start()
        self._listening = True

    def stop(self) -> None:
        """Close the port and every connection. Harmless when not started."""
        self._listening = False
        self.faults.release()
        self._server.stop()

    def stop_listening(self) -> None:
        """Refuse connections, as a node that is down. Its sessions are gone."""
        self._listening = False
        self.faults.release()
        self._server.stop_listening()
        self._sessions.clear()

    def listen_again(self) -> None:
        """Accept connections again on the same port."""
        self._server.listen_again()
        self._listening = True

    def drop_connections(self) -> None:
        """Close every open connection."""
        self.faults.release()
        self._server.drop_connections()

    def show_certificate(self, fault: CertificateFault | None) -> None:
        """Show a certificate that clients must refuse, on new connections; None shows the right one again.

        :raises ValueError: the simulator speaks plain HTTP, or was not told its authority
        """
        if fault is None:
            self._server.use_certificate(self._certificate)
        elif self._certificate is None or self._authority is None:
            raise ValueError("a wrong certificate needs a certificate and the authority that signed it")
        else:
            self._server.use_certificate(self._authority.issue_wrong(fault))
        self.drop_connections()


class _NodeServer(SimulatorServer):
    """A server whose application may have a connection closed instead of answering."""

    def _answer(self, request: WireRequest, peer: str) -> tuple[Answer, list[Callable[[], None]]]:
        answer, after_sent = super()._answer(request, peer)
        if answer.status.startswith(f"{_DROP} "):
            raise ConnectionAbortedError("closed by a fault")
        return answer, after_sent


class _Application:
    """The WSGI application of a node."""

    def __init__(
        self,
        number: int,
        cluster: Cluster,
        requests: RequestLog,
        clock: Callable[[], float],
        faults: NodeFaults,
        sessions: Sessions,
        ris: RisInterface,
    ) -> None:
        self.services = {"axl", "em", "ris"}
        self._number = number
        self._requests = requests
        self._clock = clock
        self._faults = faults
        self._interfaces: Mapping[str, Interface] = {
            "/axl/": AxlInterface(cluster, sessions),
            "/emservice/EMServiceServlet": EmInterface(cluster),
            "/realtimeservice2/services/RISService70": ris,
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self._respond(Request(environ))(environ, start_response)

    def _respond(self, request: Request) -> WsgiApplication:
        interface = self._interfaces.get(request.path)
        if interface is None or interface.name not in self.services:
            return _response(_page(HttpRefusal(404, "there is nothing here")))
        body = request.get_data(parse_form_data=False, cache=True)
        operation, parameters = interface.read(request, body)
        record = self._requests.begin(self._number, interface.name, operation, parameters, self._clock())
        effect = self._faults.take(operation)
        if effect == "hang":
            self._faults.hang()
        if effect in ("hang", "dropped"):
            reply = Reply(_DROP)
        elif isinstance(effect, str) and effect in _CANNED:
            reply = _CANNED[effect](operation)
        else:
            exchange = Exchange(request, body, self._number, record, self._faults, effect)
            reply = self._spoiled(_answer(interface, exchange), effect)
        record.status = None if reply.status == _DROP else reply.status
        _log.info("%s", record)
        return _response(reply)

    def _spoiled(self, reply: Reply, effect: object) -> Reply:
        if effect == "cut_xml":
            return Reply(reply.status, reply.body[: len(reply.body) * 2 // 3], reply.content_type, reply.headers)
        if effect == "lost_silently":
            self._faults.hang()
        return Reply(_DROP) if effect in ("lost", "lost_silently") else reply


def _answer(interface: Interface, exchange: Exchange) -> Reply:
    try:
        return interface.answer(exchange)
    except HttpRefusal as refusal:
        return _page(refusal)


def _page(refusal: HttpRefusal) -> Reply:
    text = f"<html><head><title>{refusal.status}</title></head><body><p>{escape(refusal.text)}</p></body></html>"
    headers = (("WWW-Authenticate", 'Basic realm="Cisco Web Services Realm"'),) if refusal.status == 401 else ()
    return Reply(refusal.status, text.encode(), _HTML, headers)


def _fault(text: str, operation: str) -> Reply:
    return Reply(500, envelope(fault(AxlFault(INTERNAL, text), operation)))


_PHRASES: Mapping[int, str] = {
    200: "OK",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    _DROP: "Dropped",
    500: "Internal Server Error",
    503: "Service Unavailable",
    VERSION_NOT_OFFERED: "Version Not Offered",
}

_CANNED: Mapping[str, Callable[[str], Reply]] = {
    "unavailable": lambda operation: _page(HttpRefusal(503, "the service is not available")),
    "unavailable_empty": lambda operation: Reply(503),
    "html": lambda operation: Reply(200, b"<html><body><p>Down for maintenance</p></body></html>", _HTML),
    "empty": lambda operation: Reply(200),
    "unauthorized": lambda operation: _page(HttpRefusal(401, "this request needs authentication")),
    "forbidden": lambda operation: _page(HttpRefusal(403, "access to the requested resource is denied")),
    "not_found": lambda operation: _page(HttpRefusal(404, "there is nothing here")),
    "version_not_offered": lambda operation: _page(HttpRefusal(VERSION_NOT_OFFERED, "the version is not offered")),
    "memory": lambda operation: _fault(MEMORY_TEXT, operation),
    "too_large": lambda operation: _fault(TOO_LARGE_TEXT, operation),
}


def _response(reply: Reply) -> Response:
    response = Response(reply.body, f"{reply.status} {_PHRASES[reply.status]}", content_type=reply.content_type)
    response.headers.extend(reply.headers)
    return response
