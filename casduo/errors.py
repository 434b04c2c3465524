"""Every error casduo raises: one root, a fixed code and typed facts per leaf.

    CasduoError
    ├── SettingsError            the settings or the registry cannot be used; carries every problem
    ├── ServiceError             the ``service`` of a request
    │   └── MalformedService     not a URL we accept
    ├── FlowError                the place in a login flow that a request claims
    │   ├── FlowKeyExpired       signed by us, too old
    │   ├── FlowKeyUsed          already used once
    │   ├── FlowKeyForeign       made for another browser
    │   └── FlowKeyInvalid       not signed by us, or not readable
    ├── RequestError             a request that no page can answer sensibly
    │   ├── BadRequest           unreadable or contradictory parameters
    │   ├── CookiesMissing       the browser sends no cookies back
    │   └── ForeignOrigin        a state-changing request from another site
    ├── ProtocolError            answered on the wire; see ``casduo.protocol.errors``
    └── UpstreamError            somebody casduo depends on
        ├── UpstreamUnavailable  refused, timed out, broken answer
        ├── UpstreamBusy         our own bulkhead is full
        └── UpstreamMisconfigured  it answers, and says that we are set up wrongly

Texts are for people; ``code`` is for protocol answers, audit and tests. No error carries a secret:
a ticket appears as its kind, a password never.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


class CasduoError(Exception):
    """Root of all errors casduo raises on purpose.

    ``code`` is fixed per class and stable across releases.
    """

    code: ClassVar[str] = "CASDUO"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a file that a person wrote.

    ``line`` and ``column`` count from 1; 0 means that the problem has no place (a missing file, an environment
    variable). ``path`` is the key's path as a person would write it, ``services[2].requires_duo.fail``.
    ``level`` is ``error`` (the file cannot be used), ``warning`` (it can, but look at it) or ``note`` (worth knowing).
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    level: str = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        subject = f" {self.path}:" if self.path else ""
        return f"{place}: {self.level}:{subject} {self.message}"


class SettingsError(CasduoError):
    """Settings or registry cannot be used. ``problems`` holds all of them, not only the first."""

    code = "SETTINGS"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class ServiceError(CasduoError):
    """The ``service`` of a request cannot be served."""

    code = "SERVICE"


class MalformedService(ServiceError):
    """The ``service`` is not a URL casduo accepts. ``reason`` is a fixed word such as ``userinfo``."""

    code = "SERVICE_MALFORMED"

    def __init__(self, reason: str) -> None:
        super().__init__(f"malformed service: {reason}")
        self.reason = reason


class FlowError(CasduoError):
    """A request claims a place in a flow that it does not have.

    ``again`` says what the flow was for, as far as it is known: enough to begin it anew.
    """

    code = "FLOW"

    def __init__(self, again: Mapping[str, Any] | None = None) -> None:
        super().__init__(self.code)
        self.again: Mapping[str, Any] = again or {}


class FlowKeyExpired(FlowError):
    """The flow key is ours but older than a form may stay open."""

    code = "FLOW_EXPIRED"


class FlowKeyUsed(FlowError):
    """The flow key was used before; keys are for one use."""

    code = "FLOW_USED"


class FlowKeyForeign(FlowError):
    """The flow key was made for another browser."""

    code = "FLOW_FOREIGN"


class FlowKeyInvalid(FlowError):
    """The flow key was not made by this server."""

    code = "FLOW_INVALID"


class RequestError(CasduoError):
    """A request that cannot be carried out as it stands."""

    code = "REQUEST"


class BadRequest(RequestError):
    """Unreadable or contradictory parameters. ``reason`` is a fixed word, never the value."""

    code = "BAD_REQUEST"

    def __init__(self, reason: str) -> None:
        super().__init__(f"bad request: {reason}")
        self.reason = reason


class CookiesMissing(RequestError):
    """The browser did not send back the cookie that the form came with."""

    code = "COOKIES_MISSING"


class ForeignOrigin(RequestError):
    """A state-changing request whose Origin or Sec-Fetch-Site names another site."""

    code = "FOREIGN_ORIGIN"


class UpstreamError(CasduoError):
    """Somebody casduo depends on did not do their part. ``upstream`` names them: ``redis``, ``ldap``, ``duo``."""

    code = "UPSTREAM"

    def __init__(self, upstream: str, detail: str = "") -> None:
        super().__init__(f"{upstream}: {detail}" if detail else upstream)
        self.upstream = upstream
        self.detail = detail


class UpstreamUnavailable(UpstreamError):
    """It refused, timed out or answered nonsense. Trying again later may help."""

    code = "UPSTREAM_UNAVAILABLE"


class UpstreamBusy(UpstreamError):
    """Too many of our own requests already wait for it; nobody was asked."""

    code = "UPSTREAM_BUSY"


class UpstreamMisconfigured(UpstreamError):
    """It answers and says that keys, clock or rights are wrong. Never a reason to let anybody in."""

    code = "UPSTREAM_MISCONFIGURED"
