"""Refusals of the simulated Webex.

WebexRefusal    an answer with a status of the error table, and why
"""

from __future__ import annotations

from typing import ClassVar

from casduo.errors import CasduoError


class WebexRefusal(CasduoError):
    """A call is refused; nothing was done.

    :param status: HTTP status, 400 to 599
    :param message: for people; it becomes ``message`` and ``errors[0].description`` of the answer
    :param retry_after: seconds to name in ``Retry-After``; None leaves the header out
    """

    code: ClassVar[str] = "SIMULATED_WEBEX_REFUSAL"

    def __init__(self, status: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.retry_after = retry_after
