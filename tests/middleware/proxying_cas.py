"""A CAS server that lets applications be proxies: it brings tickets to callbacks before it answers, as real ones do."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.sax.saxutils import escape

from werkzeug.test import Client

from tests.middleware.conftest import ScriptedCas, failure, success

Query = dict[str, list[str]]
Deliver = Callable[[str, dict[str, str]], int]


@dataclass(frozen=True)
class Identity:
    """Who a ticket speaks for, and through whom."""

    user: str
    proxies: tuple[str, ...] = ()


@dataclass
class ProxyingCas(ScriptedCas):
    """The proxy half of the protocol.

    ``apps`` are the applications that the server reaches, by origin; ``targets`` the services that take proxy tickets.
    ``deliver`` carries a callback out and returns its status. ``meanwhile`` is called with PGT and IOU between a
    callback and the answer, ``name_iou`` says which IOU the answer names.
    """

    apps: dict[str, Any] = field(default_factory=dict)
    targets: set[str] = field(default_factory=set)
    deliver: Deliver | None = None
    meanwhile: Callable[[str, str], None] = lambda pgt, iou: None
    name_iou: Callable[[str], str | None] = lambda iou: iou
    granting: dict[str, Identity] = field(default_factory=dict)
    proxy_tickets: dict[str, tuple[str, Identity]] = field(default_factory=dict)
    callbacks: list[tuple[str, int]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    confidential: list[str] = field(default_factory=list)

    def validate(self, query: Query, *, proxied: bool = False) -> bytes:
        """Judge a ticket: used up first, then the endpoint, the service, ``renew``, and the callback last."""
        with self._lock:
            self.validations.append(query)
            ticket = query["ticket"][0]
            own, through = self.tickets.pop(ticket, None), self.proxy_tickets.pop(ticket, None)
        if own is not None:
            service, identity, primary = own[0], Identity(own[1]), own[2]
        elif through is not None:
            service, identity, primary = *through, False
        else:
            return failure("INVALID_TICKET")
        if through is not None and not proxied:
            return failure("INVALID_TICKET_SPEC")
        if service != query["service"][0]:
            return failure("INVALID_SERVICE")
        if "renew" in query and not primary:
            return failure("INVALID_TICKET")
        more = ""
        if callback := query.get("pgtUrl", [""])[0]:
            iou = self._grant(callback, identity)
            if iou is None:
                return failure("INVALID_PROXY_CALLBACK")
            named = self.name_iou(iou)
            more = f"<cas:proxyGrantingTicket>{named}</cas:proxyGrantingTicket>" if named is not None else ""
        if identity.proxies:
            chain = "".join(f"<cas:proxy>{escape(proxy)}</cas:proxy>" for proxy in identity.proxies)
            more += f"<cas:proxies>{chain}</cas:proxies>"
        return success(identity.user, self.attributes | {"isFromNewLogin": [str(primary).lower()]}, more)

    def answer(self, path: str, query: Query) -> bytes | None:
        self.asked.append(path.rpartition("/cas")[2])
        if path.endswith("/p3/proxyValidate"):
            return self.validate(query, proxied=True)
        if path.endswith("/proxy"):
            return self._proxy(query)
        return None

    def end_session(self, user: str) -> None:
        """What the person signs out of: no ticket can be bought any more."""
        self.granting = {pgt: identity for pgt, identity in self.granting.items() if identity.user != user}

    def issue_proxy_ticket(self, service: str, user: str, *proxies: str) -> str:
        ticket = f"PT-{secrets.token_hex(14)}"
        self.proxy_tickets[ticket] = service, Identity(user, proxies)
        self.confidential.append(ticket)
        return ticket

    def _grant(self, callback: str, identity: Identity) -> str | None:
        if not callback.startswith("https://"):
            return None
        pgt, iou = f"PGT-{secrets.token_hex(24)}", f"PGTIOU-{secrets.token_hex(24)}"
        self.confidential += [pgt, iou]
        status = (self.deliver or self._call)(callback, {"pgtId": pgt, "pgtIou": iou})
        self.callbacks.append((callback, status))
        if status != 200:
            return None
        self.granting[pgt] = Identity(identity.user, (callback, *identity.proxies))
        self.meanwhile(pgt, iou)
        return iou

    def _call(self, callback: str, fields: dict[str, str]) -> int:
        parts = urlsplit(callback)
        origin = f"{parts.scheme}://{parts.netloc}"
        client = Client(self.apps[origin], use_cookies=False)
        return client.get(parts.path, base_url=origin, query_string=urlencode(fields)).status_code

    def _proxy(self, query: Query) -> bytes:
        if not query.get("pgt") or not query.get("targetService"):
            return _refusal("INVALID_REQUEST")
        identity, target = self.granting.get(query["pgt"][0]), query["targetService"][0]
        if identity is None:
            return _refusal("INVALID_TICKET")
        if not any(target.startswith(known) for known in self.targets):
            return _refusal("UNAUTHORIZED_SERVICE")
        ticket = self.issue_proxy_ticket(target, identity.user, *identity.proxies)
        return _response(f"<cas:proxySuccess><cas:proxyTicket>{ticket}</cas:proxyTicket></cas:proxySuccess>")


def _refusal(code: str) -> bytes:
    return _response(f'<cas:proxyFailure code="{code}">no</cas:proxyFailure>')


def _response(inner: str) -> bytes:
    return f'<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">{inner}</cas:serviceResponse>'.encode()
