"""Names under which attributes may be released."""

from __future__ import annotations

import re

RESERVED_NAMES = frozenset(
    {
        # Elements of the answer itself. Clients search the whole document for them, so an attribute of this name can
        # become the user, a proxy chain or a failure (a Java client joins the text of every element called "user").
        "attribute",
        "attributes",
        "authenticationFailure",
        "authenticationSuccess",
        "proxies",
        "proxy",
        "proxyFailure",
        "proxyGrantingTicket",
        "proxySuccess",
        "proxyTicket",
        "serviceResponse",
        "user",
        # Older ways to write attributes that some clients switch to when they see them.
        "attraStyle",
        "name",
        "norEduPerson",
        "value",
    }
)
"""Names that no attribute may be released under."""

SERVER_NAMES = frozenset(
    {
        "authenticationDate",
        "isFromNewLogin",
        "longTermAuthenticationRequestTokenUsed",
        "authnContextClass",
        "bypassMultifactorAuthentication",
        "bypassedMultifactorAuthenticationProviderId",
        "bypassedMultifactorAuthenticationReason",
    }
)
"""Names of what the server itself says about the login. Applications trust them, so no directory may fill them."""

LISTED_NAMES = frozenset(
    {
        "authenticationMethod",
        "clientIpAddress",
        "credentialType",
        "mfaFactor",
        "mfaTime",
        "successfulAuthenticationHandlers",
        "userAgent",
    }
)
"""What the server says about the login only where a service lists it; nothing else may be released as one of these."""

# Namespaces in XML 1.0, production NCName; XML 1.0 (5th edition), productions 4 and 4a without the colon.
_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NCNAME = re.compile(f"[{_START}][{_START}.0-9\u00b7\u0300-\u036f\u203f\u2040-]*")
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def is_ncname(name: str) -> bool:
    """Return whether ``name`` can be an XML element without a colon."""
    return _NCNAME.fullmatch(name) is not None


def released_name(name: str) -> str:
    """Check a name that an attribute is to be released under (CAS protocol, sections 2.5.7 and appendix A).

    :raises ValueError: it is reserved, or cannot be an XML element
    """
    if name in RESERVED_NAMES:
        raise ValueError("is part of the answer itself; clients could take it for the user or a failure. Rename it")
    if name in SERVER_NAMES:
        raise ValueError("is said by the server itself and cannot be an attribute")
    if not is_ncname(name):
        near = _NOT_IN_NAME.sub("_", name).strip("_") or "name"
        near = near if is_ncname(near) else f"_{near}"
        raise ValueError(f"cannot be an XML element; rename it, such as {near}: {name!r}")
    return name
