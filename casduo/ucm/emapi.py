"""UCM's Extension Mobility API as a client: who is on which phone, login and logout by UCM's own rules for them.

Source: the "Extension Mobility API Developer Guide". Any node on which the service runs will do.
"""

from __future__ import annotations

from casduo.outbound.budget import Budget
from casduo.ucm.emapi_documents import (
    Caller,
    device_user_query,
    login_request,
    logout_request,
    read_device_user,
    read_outcome,
    read_user_devices,
    user_devices_query,
)
from casduo.ucm.errors import UcmBusy, UcmMisconfigured, UcmRefused
from casduo.ucm.model import PhoneState
from casduo.ucm.nodes import Node, Nodes

PATH = "/emservice/EMServiceServlet"


class EmApiLogins:
    """A :class:`~casduo.ucm.interfaces.PhoneLogins` by the Extension Mobility API. Safe to share by threads.

    :param nodes: those with the service "Cisco Extension Mobility"
    :param username: an application user in the group "Standard EM Authentication Proxy Rights"
    :param password: that user's
    """

    def __init__(self, nodes: Nodes, username: str, password: str) -> None:
        self._nodes = nodes
        self._caller = Caller(username, password)

    @property
    def has_policy(self) -> bool:
        """True: UCM's service parameters decide whether somebody may be on two phones."""
        return True

    @property
    def ends_logins(self) -> bool:
        """True: UCM keeps the time."""
        return True

    def state(self, device: str, budget: Budget) -> PhoneState:
        """See :class:`~casduo.ucm.interfaces.PhoneLogins`. This interface tells neither the profile nor whether people
        may log in on the phone; :meth:`log_in` is refused with ``not_enabled`` where they may not.
        """
        document = device_user_query(self._caller, device)

        def ask(node: Node, within: float) -> str | None:
            body = _exchange(node, document, within, repeatable=True)
            return read_device_user(body, device, node.upstream)

        try:
            user = self._nodes.read(ask, budget)
        except UcmRefused as refused:
            if refused.kind != "no_device":
                raise
            user = None
        return PhoneState(device, known=user is not None, user=user or "")

    def devices_of(self, userid: str, budget: Budget) -> tuple[str, ...]:
        """See :class:`~casduo.ucm.interfaces.PhoneLogins`."""
        document = user_devices_query(self._caller, userid)

        def ask(node: Node, within: float) -> tuple[str, ...]:
            body = _exchange(node, document, within, repeatable=True)
            return read_user_devices(body, userid, node.upstream)

        try:
            return self._nodes.read(ask, budget)
        except UcmRefused as refused:
            if refused.kind != "no_user":
                raise
        return ()

    def log_in(self, device: str, userid: str, profile: str, seconds: float, budget: Budget) -> None:
        """See :class:`~casduo.ucm.interfaces.PhoneLogins`. UCM counts in minutes; a part of one is rounded up."""
        self._write(login_request(self._caller, device, userid, profile, seconds), budget)

    def log_out(self, device: str, budget: Budget) -> None:
        """See :class:`~casduo.ucm.interfaces.PhoneLogins`."""
        self._write(logout_request(self._caller, device), budget)

    def _write(self, document: str, budget: Budget) -> None:
        def ask(node: Node, within: float) -> None:
            read_outcome(_exchange(node, document, within, repeatable=False), node.upstream)

        self._nodes.write(ask, budget)


def _exchange(node: Node, document: str, within: float, *, repeatable: bool) -> bytes:
    """Send a document to a node and return the body of its answer.

    :param repeatable: the document only asks
    :raises UcmUnavailable: no answer, or not one of the service's; errors as :meth:`~casduo.ucm.nodes.Node.post`
    """
    answer = node.post(PATH, within, form={"xml": document}, repeatable=repeatable)
    status = answer.status
    detail = f"http_{status}"
    if status == 200:
        return answer.body
    if status == 429:
        raise UcmBusy(node.upstream, detail)
    # These two come from the web server while the service is not activated on the node, or is just starting.
    if status in (404, 503):
        raise node.trouble(detail, sent=False)
    if 400 <= status < 500:
        raise UcmMisconfigured(node.upstream, detail)
    raise node.trouble(detail)
