"""How a service is dealt with: by which protocols, in which form it is answered, whom it may call, how it signs out."""

from __future__ import annotations

from collections.abc import Iterator

from casduo.explanation.model import Origin, Proxying, SignOut, Value
from casduo.services.clients import client_defaults
from casduo.services.model import NOT_YET_IN_FORCE, RegisteredService

_MEANINGS = {
    ("client", ""): "nothing is known of it: what suits most clients",
    ("service_match", "canonical"): "the URL of the ticket, however it is written",
    ("service_match", "exact"): "the URL of the ticket to the letter",
    ("service_match", "loose"): "the URL of the ticket, but for order and case, a last slash and one encoding more",
    ("response", "get"): "the ticket travels in the address",
    ("response", "post"): "the ticket travels in a form",
    ("response", "header"): "the ticket travels in a header",
    ("response_by_request", "yes"): "a request may ask for another way",
    ("response_by_request", "no"): "whatever a request asks for",
    ("multivalue", "repeat"): "in XML an element for each value",
    ("multivalue", "first"): "in XML the first value only",
    ("json_values", "auto"): "in JSON a list where there are several values",
    ("json_values", "list"): "in JSON always a list",
    ("allow_http_saml", "yes"): "SAML attributes go to plain http addresses, too",
    ("allow_http_saml", "no"): "no SAML attributes for plain http addresses",
}


def dealings(service: RegisteredService) -> tuple[Value, ...]:
    """Return the values that decide how ``service`` is answered, each with where it comes from."""
    return tuple(_values(service))


def _values(service: RegisteredService) -> Iterator[Value]:
    reasons = {default.key: default.reason for default in client_defaults(service)}
    texts = {
        "client": service.client or "",
        "protocols": ", ".join(service.protocols),
        "service_match": service.service_match,
        "response": service.response or "get",
        "response_by_request": _yes(service.response_by_request),
        "multivalue": service.multivalue,
        "json_values": service.json_values,
        "allow_http_saml": _yes(service.allow_http_saml),
    }
    for name, text in texts.items():
        origin: Origin = "client" if name in reasons else "entry" if name in service.model_fields_set else "default"
        meaning = _meaning(name, text)
        if name in reasons:
            meaning += f": {reasons[name]}"
        yield Value(name, text, meaning, origin, name not in NOT_YET_IN_FORCE)


def _meaning(name: str, text: str) -> str:
    match name:
        case "client" if text:
            return "its values are taken where the entry has none"
        case "protocols":
            return "others are refused"
        case "multivalue" if text.startswith("join:"):
            return f"in XML one element, values joined by {text.removeprefix('join:')}"
    return _MEANINGS[name, text]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def proxying(service: RegisteredService) -> Proxying:
    """Return whether ``service`` may get proxy tickets, and for whom."""
    rule = service.proxy
    if not rule.allow:
        return Proxying(allowed=False)
    return Proxying(True, rule.callback, rule.private_addresses, rule.accept_status, rule.targets)


def sign_out(service: RegisteredService) -> SignOut:
    """Return how ``service`` learns that a session has ended."""
    return SignOut(service.logout.type, service.logout.url or "")
