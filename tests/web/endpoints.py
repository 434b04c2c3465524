"""Every address of a person and of an application, how it is asked, and what its answers may hold."""

from __future__ import annotations

import re

from tests.support.raw import Answer

PAGES = ["/login", "/login/step", "/logout", "/logout/told", "/duo/callback", "/duo/push/status", "/enroll/back"]
SAML = "/samlValidate"
MACHINES = [
    *("/validate", "/serviceValidate", "/proxyValidate", "/p3/serviceValidate", "/p3/proxyValidate"),
    *("/proxy", SAML),
]
FORMS = ["/language"]
"""Addresses that only take forms of other pages."""

ENDPOINTS = PAGES + FORMS + MACHINES
LINKS = ["/login/step", "/logout/told", "/duo/callback", "/duo/push/status", "/enroll/back", "/healthz", "/readyz"]
TICKET = re.compile(r"\b(?:ST|PT|TGT|PGT)-[A-Za-z0-9]{4}-[A-Za-z0-9]{20,}")


def asking(path: str) -> str:
    """The method by which an address is asked."""
    return "POST" if path in (SAML, *FORMS) else "GET"


def unreadable(answer: Answer) -> bool:
    """Whether an application is told that its request cannot be read."""
    return answer.body == b"no\n\n" or b"INVALID_REQUEST" in answer.body or b'"samlp:Requester"' in answer.body
