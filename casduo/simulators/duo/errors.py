"""Refusals of the simulated Duo, with the codes and texts that clients see.

    DuoRefusal            an API answer with ``stat: FAIL``
    OauthRefusal          an OAuth answer with ``error``

The HTTP status of an Auth API refusal is the first three digits of its code (Auth API, "Response codes").
"""

from __future__ import annotations

from typing import ClassVar

from casduo.errors import CasduoError

MISSING_PARAMETER = 40001
INVALID_PARAMETER = 40002
DUPLICATE_RESOURCE = 40003
MISSING_CREDENTIALS = 40101
UNKNOWN_INTEGRATION_KEY = 40102
INVALID_SIGNATURE = 40103
MISSING_TIMESTAMP = 40104
BAD_TIMESTAMP = 40105
WRONG_INTEGRATION_TYPE = 40301
NOT_FOUND = 40401
METHOD_NOT_ALLOWED = 40501
TOO_MANY_REQUESTS = 42901
INTERNAL_ERROR = 50000

MESSAGES = {
    MISSING_PARAMETER: "Missing required request parameters",
    INVALID_PARAMETER: "Invalid request parameters",
    DUPLICATE_RESOURCE: "Duplicate resource",
    MISSING_CREDENTIALS: "Missing request credentials",
    UNKNOWN_INTEGRATION_KEY: "Invalid integration key in request credentials",
    INVALID_SIGNATURE: "Invalid signature in request credentials",
    MISSING_TIMESTAMP: "Missing request timestamp",
    BAD_TIMESTAMP: "Bad request timestamp",
    WRONG_INTEGRATION_TYPE: "Access forbidden",
    NOT_FOUND: "Resource not found",
    METHOD_NOT_ALLOWED: "Method not allowed",
    TOO_MANY_REQUESTS: "Too Many Requests",
    INTERNAL_ERROR: "Internal server error",
}


class DuoRefusal(CasduoError):
    """A call of the Auth API or the Admin API is refused.

    :param api_code: Duo's five-digit code.
    :param detail: ``message_detail``, the parameter's name for 40001 and 40002; None leaves the key out.
    :param retry_after: seconds to tell in the headers of a 429; None tells nothing.
    """

    code: ClassVar[str] = "SIMULATED_DUO_REFUSAL"

    def __init__(self, api_code: int, detail: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(f"{api_code} {detail or ''}".strip())
        self.api_code = api_code
        self.detail = detail
        self.retry_after = retry_after

    @property
    def http_status(self) -> int:
        """The HTTP status that goes with the code."""
        return self.api_code // 100

    def body(self) -> dict[str, object]:
        """Return the JSON object to answer with."""
        body: dict[str, object] = {
            "stat": "FAIL",
            "code": self.api_code,
            "message": MESSAGES.get(self.api_code, "Unknown error"),
        }
        if self.detail is not None:
            body["message_detail"] = self.detail
        return body


class OauthRefusal(CasduoError):
    """An OAuth call is refused with HTTP 400 (RFC 6749 section 5.2).

    :param error: ``invalid_client``, ``invalid_grant``, ``unauthorized_request`` and so on.
    :param description: ``error_description``.
    """

    code: ClassVar[str] = "SIMULATED_OAUTH_REFUSAL"

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description

    def body(self) -> dict[str, object]:
        """Return the JSON object to answer with."""
        return {"error": self.error, "error_description": self.description}
