"""Asks a UCM which phones there are and at which addresses they are registered: AXL for the names, its real-time
information service (RIS) for the addresses.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from casduo.outbound.budget import Budget
from casduo.ucm.axl import AxlDirectory
from casduo.ucm.errors import UcmBusy, UcmMisconfigured
from casduo.ucm.model import Registrations
from casduo.ucm.nodes import Node, Nodes
from casduo.ucm.ris_documents import ACTION, PATH, is_throttled, read_registrations, registered_question
from casduo.ucm.soap import Unreadable

LARGEST_ANSWER = 8 * 1024 * 1024
"""Bytes. A phone takes about 2 KB, and a thousand are asked for at once."""


class RegisteredPhones:
    """A :class:`~casduo.ucm.interfaces.PhoneRegistry`. Safe to share by threads.

    :param directory: over AXL, for the names of phones
    :param nodes: those with the service "Cisco RIS Data Collector"; the one asked tells about the whole cluster
    :param username: an application user who may ask it
    """

    def __init__(self, directory: AxlDirectory, nodes: Nodes, username: str, password: str) -> None:
        self._directory = directory
        self._nodes = nodes
        self._authorization = f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode('ascii')}"

    def names(self, budget: Budget) -> tuple[str, ...]:
        """See :class:`~casduo.ucm.interfaces.PhoneRegistry`."""
        return self._directory.phones(budget)

    def registrations(self, names: Sequence[str], budget: Budget) -> Registrations:
        """See :class:`~casduo.ucm.interfaces.PhoneRegistry`."""
        question = registered_question(names)

        def ask(node: Node, within: float) -> Registrations:
            return self._exchange(node, question, within)

        return self._nodes.read(ask, budget)

    def _exchange(self, node: Node, question: bytes, within: float) -> Registrations:
        """The status decides before a body is looked at, as over AXL; a wrong account is tried at no other node."""
        headers = {
            "Accept": "text/xml",
            "Authorization": self._authorization,
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": ACTION,
        }
        answer = node.post(PATH, within, body=question, headers=headers, repeatable=True)
        status = answer.status
        if status in (401, 403):
            raise UcmMisconfigured(node.upstream, str(status))
        if status in (429, 503):
            raise UcmBusy(node.upstream, f"http_{status}")
        if is_throttled(answer.body):
            raise UcmBusy(node.upstream, "rate")
        if status != 200:
            raise node.trouble(f"http_{status}")
        try:
            return read_registrations(answer.body)
        except Unreadable:
            failure = node.trouble("unreadable")
        raise failure
