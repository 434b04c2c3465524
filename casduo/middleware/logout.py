"""Reads the back-channel sign-out message of a CAS server: text in, the ticket out, or :class:`InvalidLogoutRequest`.

The message is a form with one field, ``logoutRequest``, that holds a SAML 2.0 ``LogoutRequest`` whose
``SessionIndex`` is the service or proxy ticket that began the session (CAS Protocol 3.0, 2.3.3). It is not signed:
knowing the ticket is the proof. So whoever reads tickets (in logs, in referrers) can end sessions, and no more than
that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from casduo.middleware.errors import InvalidLogoutRequest
from casduo.middleware.tickets import is_ticket

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BYTES: Final = 64 * 1024
"""Longest form body that is looked at; real messages have some 500 bytes."""

FIELD: Final = b"logoutRequest="
"""How the body begins: servers send this one field, and first."""

_PROTOCOL: Final = "{urn:oasis:names:tc:SAML:2.0:protocol}"


def logout_message(body: bytes) -> str | None:
    """Return the message inside a form body, or ``None`` when the form is something else.

    A form that merely has a field of this name belongs to the application; a message is XML.

    :param body: an ``application/x-www-form-urlencoded`` body.
    :raises InvalidLogoutRequest: the body claims to be a message and is not UTF-8.
    """
    if not body.startswith(FIELD) or len(body) > MAX_BYTES:
        return None
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise InvalidLogoutRequest("not a URL-encoded UTF-8 form") from error
    message = fields[0][1].lstrip()
    return message if message.startswith("<") else None


def session_index(message: str) -> str:
    """Return the ticket whose session is to end.

    :param message: the ``LogoutRequest`` document.
    :raises InvalidLogoutRequest: it is not a SAML 2.0 ``LogoutRequest`` with exactly one ``SessionIndex``, has a
        document type or entities, or names something that cannot be a ticket.
    """
    try:
        root: Element = defusedxml.ElementTree.fromstring(message, forbid_dtd=True)
    except (SyntaxError, ValueError, DefusedXmlException) as error:
        raise InvalidLogoutRequest("not well-formed XML without a document type") from error
    if root.tag != f"{_PROTOCOL}LogoutRequest":
        raise InvalidLogoutRequest("the root is not samlp:LogoutRequest")
    indexes = root.findall(f"{_PROTOCOL}SessionIndex")
    if len(indexes) != 1:
        raise InvalidLogoutRequest("not exactly one SessionIndex")
    ticket = (indexes[0].text or "").strip()
    if len(indexes[0]) or not is_ticket(ticket, proxied=True):
        raise InvalidLogoutRequest("the SessionIndex is not a ticket")
    return ticket
