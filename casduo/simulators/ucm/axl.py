"""AXL at ``/axl/``: who may ask, in which version, and the answer to one call (AXL Developer Guide)."""

from __future__ import annotations

from collections.abc import Iterable

from werkzeug.wrappers import Request

from casduo.simulators.ucm.axl_answers import envelope, fault, response
from casduo.simulators.ucm.axl_operations import OPERATIONS, AxlOperations
from casduo.simulators.ucm.axl_request import AXL, AxlCall, read_action, read_call
from casduo.simulators.ucm.cluster import Cluster
from casduo.simulators.ucm.errors import INVALID, AxlFault, HttpRefusal
from casduo.simulators.ucm.exchange import Exchange, Reply
from casduo.simulators.ucm.model import ApplicationUser
from casduo.simulators.ucm.sessions import COOKIE, Sessions

VERSION_NOT_OFFERED = 599
"""Status for a version that is not offered. Taken from general knowledge, not from a document."""


class AxlInterface:
    """The AXL service of one node."""

    name = "axl"

    def __init__(self, cluster: Cluster, sessions: Sessions) -> None:
        self._cluster = cluster
        self._sessions = sessions
        self._operations = AxlOperations(cluster)

    def read(self, request: Request, body: bytes) -> tuple[str, Iterable[tuple[str, str]]]:
        """Return the operation and its parameters as far as they can be read."""
        try:
            call = read_call(body)
        except AxlFault:
            return "", ()
        return call.operation, call.leaves()

    def answer(self, exchange: Exchange) -> Reply:
        """Do what is asked.

        :raises HttpRefusal: wrong account (401), no right (403), session over (404), version not offered (599)
        """
        exchange.wait()
        with self._cluster.working() as now:
            cookie = exchange.request.cookies.get(COOKIE)
            account = self._account(exchange.request, cookie, now)
            exchange.record.account = account.name
            if cookie is None:
                cookie = self._sessions.open(account.name, now)
                headers: tuple[tuple[str, str], ...] = (("Set-Cookie", f"{COOKIE}={cookie}; Path=/; Secure; HttpOnly"),)
            else:
                headers = ()
            try:
                call = self._call(exchange, account)
                content = OPERATIONS[call.operation].run(self._operations, call, now, exchange.node)
            except AxlFault as error:
                exchange.record.outcome = f"axl {error.axl_code}"
                return Reply(500, self._fault(error, exchange), headers=headers)
        element = exchange.spoiled(response(call.operation, call.version, call.sequence, content))
        return Reply(200, envelope(element), headers=headers)

    def _fault(self, error: AxlFault, exchange: Exchange) -> bytes:
        version = self._cluster.policy.axl_versions[-1]
        namespace = f"{AXL}{version}" if exchange.effect == "namespaced_fault" else None
        return envelope(fault(error, exchange.record.operation, namespace))

    def _account(self, request: Request, cookie: str | None, now: float) -> ApplicationUser:
        if cookie is not None:
            name = self._sessions.use(cookie, now, self._cluster.policy.session_seconds)
            if name is None:
                raise HttpRefusal(404, "the session is over")
            account = self._cluster.application_users.get(name)
        else:
            given = request.authorization
            if given is None or given.type != "basic":
                raise HttpRefusal(401, "this request needs authentication")
            account = self._cluster.application_users.get(given.username or "")
            if account is not None and not account.password.check(given.password or "", now, self._cluster.policy):
                account = None
        if account is None:
            raise HttpRefusal(401, "this request needs authentication")
        if not account.roles & {"axl", "axl-read"}:
            raise HttpRefusal(403, "access to the requested resource is denied")
        return account

    def _call(self, exchange: Exchange, account: ApplicationUser) -> AxlCall:
        version, named = read_action(exchange.request.headers.get("SOAPAction"))
        call = read_call(exchange.body)
        if version != call.version or named not in (None, call.operation):
            raise AxlFault(INVALID, "header SOAPAction and body do not agree", client=True)
        if version not in self._cluster.policy.axl_versions:
            raise HttpRefusal(VERSION_NOT_OFFERED, f"version {version} of the schema is not offered")
        operation = OPERATIONS.get(call.operation)
        if operation is None:
            raise AxlFault(INVALID, f"there is no operation {call.operation}", client=True)
        if operation.writes and "axl" not in account.roles:
            raise HttpRefusal(403, "access to the requested resource is denied")
        if call.sequence is not None and not operation.numbered:
            raise AxlFault(INVALID, f"{call.operation} has no attribute sequence", client=True)
        call.check(operation.arguments)
        if exchange.refusal is not None:
            raise AxlFault(exchange.refusal.code, exchange.refusal.text)
        return call
