"""Single logout: what a service is told when a session ends (CAS protocol 2.3.3 and appendix C).

A ``LogoutRequest`` of SAML 2.0 that names the ticket by which the service began its own session. Deployed clients read
it with regular expressions, into small buffers and with parsers of their own; each oddity here is for one of them.
"""

from __future__ import annotations

import base64
import re
import time
import zlib
from urllib.parse import quote

from casduo.protocol.destination import Destination, destination
from casduo.protocol.xml import escape
from casduo.services.model import RegisteredService
from casduo.services.urls import open_ended
from casduo.signing import random_text
from casduo.tickets.model import Visit

BODY_TYPE = "application/x-www-form-urlencoded"
NOBODY = "@NOT_USED@"
"""What the message says of the person: nothing. Clients go by the ticket."""

_ID = re.compile(r"[A-Za-z0-9-]+")
_CALLBACK = "casduo"


def logout_request(ticket_id: str, message_id: str, now: float, name_id: str = NOBODY) -> str:
    """Return the message, on one line.

    Without an XML declaration (django-cas-ng refuses one in decoded text, rubycas-client looks for the root at the
    start), with the prefix ``samlp`` (phpCAS and rubycas-client search for it) and without ``+`` and ``%`` anywhere
    (phpCAS decodes twice).

    :param ticket_id: the ticket that the service validated
    :param message_id: see :func:`new_message_id`
    :param now: epoch seconds
    :param name_id: the person, for services that want to know
    :raises ValueError: an id has other characters than letters, digits and hyphens
    """
    if not (_ID.fullmatch(ticket_id) and _ID.fullmatch(message_id)):
        raise ValueError("ids have letters, digits and hyphens only")
    instant = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    name = escape(name_id).replace("+", "&#43;").replace("%", "&#37;")
    return (
        f'<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="{message_id}" Version="2.0"'
        f' IssueInstant="{instant}">'
        f'<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{name}</saml:NameID>'
        f"<samlp:SessionIndex>{ticket_id}</samlp:SessionIndex></samlp:LogoutRequest>"
    )


def new_message_id() -> str:
    """Return an id for a message. SAML wants it unique and not to begin with a digit (SAML 2.0 core, 1.3.4)."""
    return f"LR-{random_text(22)}"


def logout_body(ticket_id: str, message_id: str, now: float) -> bytes:
    """Return the message as the body of a POST: the one field ``logoutRequest``, below 1024 bytes.

    mod_auth_cas compares the first bytes and has no room for more. The arguments are those of :func:`logout_request`.
    """
    return f"logoutRequest={quote(logout_request(ticket_id, message_id, now), safe='')}".encode()


def front_channel_url(visit: Visit, entry: RegisteredService, now: float) -> str | None:
    """Return the address by which a browser tells a service, ``None`` when that one is not told so.

    The message is compressed with zlib, header included, and in Base64, as java-cas-client reads it; ``callback`` is
    the name of a function that its answer calls, which nobody waits for.

    :param entry: the entry that the ticket was granted for, as it is now
    :param now: epoch seconds
    """
    found = destination(visit, entry)
    if not isinstance(found, Destination) or found.channel != "front_channel":
        return None
    message = logout_request(visit.ticket, new_message_id(), now)
    packed = base64.b64encode(zlib.compress(message.encode())).decode()
    return f"{open_ended(found.url)}callback={_CALLBACK}&logoutRequest={quote(packed, safe='')}"
