"""Sends AXL requests, SOAP over HTTP, and decides by status and fault what an answer is worth.

Source: AXL Developer Guide, releases 11.5 to 15.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TypeVar
from xml.etree.ElementTree import Element

from casduo.outbound.budget import Budget
from casduo.outbound.http import HttpAnswer
from casduo.ucm.axl_answers import AxlFault, read_answer, read_fault, version_of, was_written
from casduo.ucm.errors import UcmBusy, UcmMisconfigured, UcmRefused, UcmUnavailable
from casduo.ucm.nodes import Node, Nodes
from casduo.ucm.schema import AxlRequest, AxlSchema
from casduo.ucm.soap import Unreadable

T = TypeVar("T")

UPSTREAM = "ucm axl"
"""What errors call the interface as a whole."""
_PATH = "/axl/"
"""Without the slash at its end UCM answers with a redirection."""


class AxlRefused(UcmRefused):
    """A SOAP fault about what was asked. ``missing`` says that UCM has no such thing."""

    def __init__(self, fault: AxlFault) -> None:
        self.missing = fault.meaning == "not_found"
        super().__init__(fault.missing if self.missing else "other", fault.word)


class AxlClient:
    """Sends requests to the nodes that serve AXL. Safe to share by threads.

    The status decides before a body is looked at: what comes with 401 or 503 is some page in HTML. A wrong account
    (401) is never tried at the next node, where it would count towards the same lockout.

    :param username: application user with the right to use AXL; a read-only one is enough for looking things up
    """

    def __init__(self, nodes: Nodes, username: str, password: str, schema: AxlSchema) -> None:
        self._nodes = nodes
        self._schema = schema
        self._authorization = f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode('ascii')}"

    def ask(self, operation: str, read: Callable[[Element], T], budget: Budget, **content: object) -> T | None:
        """Ask for something that changes nothing, at one node after the other; None where UCM has no such thing.

        :param read: makes a value of the element ``return``; an ``Unreadable`` counts against the node
        :param content: children of the request; their values have been checked
        :raises UcmUnavailable: no answer, or a fault that says nothing about what was asked
        :raises UcmBusy: UCM throttles
        :raises UcmMisconfigured: account, rights, version or schema are wrong
        """
        request = self._schema.request(operation, **content)

        def exchange(node: Node, within: float) -> T:
            return self._exchange(node, within, request, read, repeatable=True)

        try:
            return self._nodes.read(exchange, budget)
        except AxlRefused as refused:
            if refused.missing:
                return None
            failure = UcmUnavailable(UPSTREAM, refused.detail)
        raise failure

    def carry_out(self, operation: str, budget: Budget, **content: object) -> None:
        """Have something changed, once at most.

        :raises UcmRefused: UCM said no
        :raises UcmUnavailable: as :meth:`ask`; where it was ``sent``, it may have been carried out
        """
        request = self._schema.request(operation, **content)

        def exchange(node: Node, within: float) -> bool:
            return self._exchange(node, within, request, was_written, repeatable=False)

        if not self._nodes.write(exchange, budget):
            raise UcmRefused("other", "axl false")

    def version(self, budget: Budget) -> str:
        """Return the version of the UCM itself, such as ``14.0.1.12900-161``. Raises what :meth:`ask` raises."""
        return self.ask("getCCMVersion", version_of, budget) or ""

    def _exchange(
        self, node: Node, within: float, request: AxlRequest, read: Callable[[Element], T], *, repeatable: bool
    ) -> T:
        budget = Budget(within)
        cookie = node.cookie.header
        answer = self._send(node, budget, request, cookie, repeatable=repeatable)
        if answer.status == 404 and cookie:
            # UCM's word for a session that was idle for half an hour: nothing has been carried out.
            node.cookie.drop(cookie)
            answer = self._send(node, budget, request, "", repeatable=repeatable)
        found = _returned(node, request.operation, answer)
        node.cookie.keep(answer.headers)
        try:
            return read(found)
        except Unreadable:
            failure = node.trouble("unreadable")
        raise failure

    def _send(self, node: Node, budget: Budget, request: AxlRequest, cookie: str, *, repeatable: bool) -> HttpAnswer:
        headers = {
            "Accept": "text/xml",
            "Authorization": self._authorization,
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": request.action,
        }
        if cookie:
            headers["Cookie"] = cookie
        return node.post(_PATH, budget.left, body=request.body, headers=headers, repeatable=repeatable)


def _returned(node: Node, operation: str, answer: HttpAnswer) -> Element:
    """Return the element ``return`` of an answer, or raise what its status or its fault means."""
    status = answer.status
    if status in (401, 403):
        raise UcmMisconfigured(node.upstream, str(status))
    if status in (429, 503):
        raise UcmBusy(node.upstream, f"http_{status}")
    if status == 599:
        raise UcmMisconfigured(node.upstream, "version")
    if status != 200 and status < 500:
        # A node without the service says 404, and another one may have it. Neither that nor any other of these
        # statuses comes from AXL, so nothing was carried out.
        raise node.trouble(f"http_{status}", sent=False)
    fault = read_fault(answer.body)
    if fault is not None:
        raise _refusal(node, fault)
    if status != 200:
        raise node.trouble(f"http_{status}")
    try:
        return read_answer(operation, answer.body)
    except Unreadable:
        failure = node.trouble("unreadable")
    raise failure


def _refusal(node: Node, fault: AxlFault) -> UcmBusy | UcmMisconfigured | AxlRefused:
    match fault.meaning:
        case "memory":
            return UcmBusy(node.upstream, fault.word)
        case "version" | "too_large" as meaning:
            return UcmMisconfigured(node.upstream, meaning)
        case _:
            return AxlRefused(fault)
