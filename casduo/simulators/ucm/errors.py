"""Refusals of the simulated UCM.

LoginRefusal    a login or logout that is not carried out, whichever interface asked
AxlFault        a SOAP fault of AXL
EmFailure       a failure of the Extension Mobility API, with its code
RisFault        a SOAP fault of the real-time information service
HttpRefusal     an answer below SOAP and XML
"""

from __future__ import annotations

from typing import ClassVar, Literal

from casduo.errors import CasduoError

LoginReason = Literal[
    "no_device", "no_user", "no_profile", "not_enabled", "occupied", "elsewhere", "nobody", "password_change"
]

NOT_FOUND = 5007
INVALID = 5003
INTERNAL = -1


class LoginRefusal(CasduoError):
    """A login or a logout is refused; ``reason`` says why, ``about`` names what it is about."""

    code: ClassVar[str] = "SIMULATED_UCM_LOGIN_REFUSAL"

    def __init__(self, reason: LoginReason, about: str = "") -> None:
        super().__init__(f"{reason} {about}".strip())
        self.reason = reason
        self.about = about


class AxlFault(CasduoError):
    """A SOAP fault.

    :param axl_code: 5007 nothing found, -1 internal, other negative numbers of the database, 5000 and up of the rules.
    :param client: whether the fault is the caller's.
    """

    code: ClassVar[str] = "SIMULATED_UCM_AXL_FAULT"

    def __init__(self, axl_code: int, message: str, *, client: bool = False) -> None:
        super().__init__(f"{axl_code} {message}")
        self.axl_code = axl_code
        self.message = message
        self.client = client


class EmFailure(CasduoError):
    """A failure of the Extension Mobility API; ``em_code`` is one of the numbers its guide lists."""

    code: ClassVar[str] = "SIMULATED_UCM_EM_FAILURE"

    def __init__(self, em_code: int, about: str = "") -> None:
        super().__init__(f"{em_code} {about}".strip())
        self.em_code = em_code
        self.about = about


class RisFault(CasduoError):
    """A SOAP fault of the real-time information service; ``word`` ends its code."""

    code: ClassVar[str] = "SIMULATED_UCM_RIS_FAULT"

    def __init__(self, word: str, message: str) -> None:
        super().__init__(f"{word} {message}")
        self.word = word
        self.message = message


class HttpRefusal(CasduoError):
    """An answer with a status and a page for people, from the web server before any application."""

    code: ClassVar[str] = "SIMULATED_UCM_HTTP_REFUSAL"

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}")
        self.status = status
        self.text = text
