"""Reads the answers of the CAS server: bytes in, a verdict out, or :class:`InvalidResponse`.

Pure, and strict on purpose: this is where an answer becomes an identity. Only the first child element of the root
decides, exactly one outcome is accepted, and what the schema of CAS Protocol 3.0 (appendix A) does not know is an
error rather than something to guess about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from casduo.middleware.errors import InvalidResponse
from casduo.middleware.tickets import is_iou, is_proxy_ticket

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BYTES: Final = 1024 * 1024
"""Longest answer that is looked at."""

_NAMESPACE: Final = "{http://www.yale.edu/tp/cas}"
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MAX_USER_LENGTH: Final = 256
_MAX_PROXY_LENGTH: Final = 2048
_MAX_PROXIES: Final = 32


@dataclass(frozen=True, slots=True)
class Success:
    """The ticket was good.

    :param user: the name in ``cas:user``, as it came.
    :param attributes: every attribute with all its values, in the order of the answer.
    :param proxies: callback addresses of those through whom the ticket came, the one that brought it first.
    :param iou: what the proxy-granting ticket was delivered under, if the answer names such a thing.
    """

    user: str
    attributes: Mapping[str, tuple[str, ...]]
    proxies: tuple[str, ...] = ()
    iou: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """The CAS server refused the ticket, or to give one.

    :param code: ``INVALID_TICKET``, ``INVALID_SERVICE``, ... (CAS Protocol 3.0, 2.5.3 and 2.7.3).
    :param description: the server's text. Some servers repeat the ticket in it, so it is in no ``repr``, and neither
        pages nor logs show it.
    """

    code: str
    description: str = field(repr=False)


def parse_service_response(body: bytes, *, proxied: bool = False) -> Success | Failure:
    """Read the answer to a validation.

    :param body: the answer's body, UTF-8, at most :data:`MAX_BYTES` long.
    :param proxied: proxy tickets were allowed. Otherwise a success that names proxies is an error.
    :raises InvalidResponse: it is anything else than one well-formed success or failure.
    """
    outcome = _outcome(body)
    if outcome.tag == f"{_NAMESPACE}authenticationSuccess":
        return _success(outcome, proxied=proxied)
    if outcome.tag == f"{_NAMESPACE}authenticationFailure":
        return _failure(outcome)
    raise InvalidResponse("neither success nor failure")


def parse_proxy_response(body: bytes) -> str | Failure:
    """Read the answer of ``/proxy`` (CAS Protocol 3.0, 2.7.2 and 2.7.3) and return the proxy ticket.

    :param body: the answer's body, UTF-8, at most :data:`MAX_BYTES` long.
    :raises InvalidResponse: it is anything else than one well-formed success or failure.
    """
    outcome = _outcome(body)
    if outcome.tag == f"{_NAMESPACE}proxyFailure":
        return _failure(outcome)
    if outcome.tag != f"{_NAMESPACE}proxySuccess":
        raise InvalidResponse("neither success nor failure")
    if len(outcome) != 1 or outcome[0].tag != f"{_NAMESPACE}proxyTicket":
        raise InvalidResponse("not exactly one cas:proxyTicket")
    ticket = _flat_text(outcome[0]).strip()
    if not is_proxy_ticket(ticket):
        raise InvalidResponse("the cas:proxyTicket is not a proxy ticket")
    return ticket


def _outcome(body: bytes) -> Element:
    root = _parse(body)
    if root.tag != f"{_NAMESPACE}serviceResponse":
        raise InvalidResponse("the root is not cas:serviceResponse")
    return _only_child(root)


def _parse(body: bytes) -> Element:
    if len(body) > MAX_BYTES:
        raise InvalidResponse("longer than 1 MiB")
    try:
        # Decoded here, so that a declared encoding cannot make the parser read something else than a log would show.
        root: Element = defusedxml.ElementTree.fromstring(body.decode("utf-8"), forbid_dtd=True)
    except (SyntaxError, ValueError, DefusedXmlException) as error:
        raise InvalidResponse("not well-formed UTF-8 XML without a document type") from error
    return root


def _only_child(root: Element) -> Element:
    if len(root) != 1:
        raise InvalidResponse("not exactly one outcome")
    return root[0]


def _failure(element: Element) -> Failure:
    code = element.get("code", "")
    if not _CODE.fullmatch(code):
        raise InvalidResponse("a failure without a proper code")
    return Failure(code, (element.text or "").strip())


def _success(element: Element, *, proxied: bool) -> Success:
    if not len(element) or element[0].tag != f"{_NAMESPACE}user":
        raise InvalidResponse("cas:user is not the first element of the success")
    user = _user(element[0])
    attributes: dict[str, tuple[str, ...]] = {}
    proxies: tuple[str, ...] = ()
    iou = None
    seen = {element[0].tag}
    for child in element[1:]:
        if child.tag in seen:
            raise InvalidResponse("an element of the success occurs twice")
        seen.add(child.tag)
        if child.tag == f"{_NAMESPACE}attributes":
            attributes = _attributes(child)
        elif child.tag == f"{_NAMESPACE}proxyGrantingTicket":
            iou = _iou(child)
        elif child.tag != f"{_NAMESPACE}proxies":
            raise InvalidResponse("an unknown element in the success")
        elif proxied:
            proxies = _proxies(child)
        else:
            # serviceValidate never accepts proxy tickets (2.5), so a proxied identity is not for us.
            raise InvalidResponse("the ticket came through a proxy")
    return Success(user, attributes, proxies, iou)


def _user(element: Element) -> str:
    user = _flat_text(element)
    if not user or len(user) > _MAX_USER_LENGTH or user != user.strip() or _CONTROL.search(user):
        raise InvalidResponse("the user name is empty, too long, or holds white space or control characters")
    return user


def _iou(element: Element) -> str | None:
    # Some servers send the element empty where there is none.
    text = _flat_text(element).strip()
    return text if is_iou(text) else None


def _proxies(element: Element) -> tuple[str, ...]:
    if not 0 < len(element) <= _MAX_PROXIES or any(child.tag != f"{_NAMESPACE}proxy" for child in element):
        raise InvalidResponse("cas:proxies holds no proxies, too many, or something else")
    addresses = tuple(_flat_text(child).strip() for child in element)
    if any(not address or len(address) > _MAX_PROXY_LENGTH or _CONTROL.search(address) for address in addresses):
        raise InvalidResponse("the address of a proxy is empty, too long, or holds control characters")
    return addresses


def _attributes(element: Element) -> dict[str, tuple[str, ...]]:
    values: dict[str, list[str]] = {}
    for child in element:
        name = child.tag.removeprefix(_NAMESPACE)
        if name == child.tag or not name:
            raise InvalidResponse("an attribute outside the CAS namespace")
        values.setdefault(name, []).append(_flat_text(child))
    return {name: tuple(texts) for name, texts in values.items()}


def _flat_text(element: Element) -> str:
    if len(element):
        raise InvalidResponse("markup where a plain value belongs")
    return element.text or ""
