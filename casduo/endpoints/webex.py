"""Where Webex tells that somebody pressed a button. It exists only where the settings have a secret for it."""

from __future__ import annotations

from collections.abc import Mapping

from casduo.endpoints.base import Route, Server
from casduo.errors import BadRequest, UpstreamError
from casduo.events.model import Fault
from casduo.protocol.errors import InvalidRequest, ProtocolError
from casduo.request import Request
from casduo.web import Reply
from casduo.webex.events import RefusedDelivery
from casduo.webex.hook import PATH, Delivery
from casduo.webex.notice import LONGEST

_AGAIN_AFTER = "10"
_STATUSES: Mapping[RefusedDelivery, int] = {
    "too_large": 413,
    "malformed": 400,
    "no_signature": 401,
    "weak_signature": 401,
    "wrong_signature": 401,
    "unknown_webhook": 403,
    "foreign": 403,
}


def webhook(server: Server, request: Request) -> Reply:
    """``/webex/webhook``: takes a press in and answers at once, 204 also where it was told of before.

    The body is not parsed before its signature is verified, whatever type it is said to have. With 503 nothing was
    taken in. No answer says more than its status.
    """
    hook = server.webex
    assert hook is not None
    try:
        refused = hook.receive(_delivery(request), request.now)
    except BadRequest as error:
        refused = "too_large" if error.reason == "too_long" else "malformed"
    except UpstreamError as error:
        server.parts.journal.write(Fault(request.subject(), code=error.code, detail=str(error), path=PATH))
        return server.web.plain(503, extra=[("Retry-After", _AGAIN_AFTER)])
    if refused is None:
        return server.web.plain(204)
    hook.refused(request.subject(), refused, request.now)
    return server.web.plain(_STATUSES[refused])


def refuse(server: Server, request: Request, failure: ProtocolError) -> Reply:
    """Tell a fault that nobody foresaw."""
    return server.web.plain(400 if isinstance(failure, InvalidRequest) else 500)


def _delivery(request: Request) -> Delivery:
    environ = request.environ
    return Delivery(
        request.raw_body(LONGEST), environ.get("HTTP_X_SPARK_SIGNATURE", ""), environ.get("HTTP_X_WEBEX_SIGNATURE", "")
    )


WEBEX_ROUTES: Mapping[str, Route] = {PATH: Route(webhook, ("POST",), "application", refuse)}
