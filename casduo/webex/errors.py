"""What can go wrong with Webex, by what helps. No text here holds anything that Webex or we have sent.

    UpstreamError
    └── WebexError                  with the status, and Webex's name for the call
        ├── WebexUnavailable        no answer, or none that can be read: later
        │   └── WebexLeftAlone      it did not answer before; nobody was asked
        ├── WebexThrottled          too many calls (429): nothing more until then
        │   └── WebexPaused         others had too many; nobody was asked
        ├── WebexLocked             locked for a moment (423): this one later
        ├── WebexMisconfigured      our settings are wrong: somebody has to look
        │   └── WebexUnauthorized   the token is (401)
        └── WebexRefused            it does not do that (400, 403, 404 ...): never

What is to become of a message, :mod:`casduo.webex.remedies` says.
"""

from __future__ import annotations

from typing import ClassVar

from casduo.errors import UpstreamError, UpstreamMisconfigured, UpstreamUnavailable


class WebexError(UpstreamError):
    """Webex did not do what was asked.

    :param detail: a fixed word
    :param status: of its answer, 0 for none
    :param tracking: its name for the call, which Cisco's support asks for; may be empty
    """

    code: ClassVar[str] = "WEBEX"

    def __init__(self, detail: str, *, status: int = 0, tracking: str = "") -> None:
        super().__init__("webex", detail)
        self.status = status
        self.tracking = tracking

    @property
    def told(self) -> str:
        """The error in fixed words, with Webex's name for the call."""
        parts = (self.detail, f"tracking id {self.tracking}" if self.tracking else "")
        return ", ".join(filter(None, parts))


class WebexUnavailable(WebexError, UpstreamUnavailable):
    """No answer that can be read, or one that says that Webex itself is in trouble.

    :param ambiguous: what was asked may have been done all the same
    :param after: seconds that Webex wants to be left alone, 0 where it does not say
    """

    code: ClassVar[str] = "WEBEX_UNAVAILABLE"

    def __init__(
        self, detail: str, *, ambiguous: bool = False, after: float = 0.0, status: int = 0, tracking: str = ""
    ) -> None:
        super().__init__(detail, status=status, tracking=tracking)
        self.ambiguous = ambiguous
        self.after = after


class WebexLeftAlone(WebexUnavailable):
    """Webex failed several times in a row and is left alone. ``after``: for so many seconds at most."""

    code: ClassVar[str] = "WEBEX_LEFT_ALONE"

    def __init__(self, after: float) -> None:
        super().__init__("breaker_open", after=after)


class WebexThrottled(WebexError):
    """Too many calls; this one was not carried out. No further one may be made for ``after`` seconds."""

    code: ClassVar[str] = "WEBEX_THROTTLED"

    def __init__(self, after: float, *, detail: str = "status 429", status: int = 429, tracking: str = "") -> None:
        super().__init__(detail, status=status, tracking=tracking)
        self.after = after


class WebexPaused(WebexThrottled):
    """Too many calls with this token, by whomever, a while ago. Webex was not asked."""

    code: ClassVar[str] = "WEBEX_PAUSED"

    def __init__(self, after: float) -> None:
        super().__init__(after, detail="paused", status=0)


class WebexLocked(WebexError):
    """What the call is about is locked. It may be made again in ``after`` seconds."""

    code: ClassVar[str] = "WEBEX_LOCKED"

    def __init__(self, after: float, *, tracking: str = "") -> None:
        super().__init__("status 423", status=423, tracking=tracking)
        self.after = after


class WebexMisconfigured(WebexError, UpstreamMisconfigured):
    """Settings are wrong, or nobody here trusts who answers in Webex's place. The call was not carried out."""

    code: ClassVar[str] = "WEBEX_MISCONFIGURED"


class WebexUnauthorized(WebexMisconfigured):
    """The bot's token is wrong, or good no longer."""

    code: ClassVar[str] = "WEBEX_UNAUTHORIZED"


class WebexRefused(WebexError):
    """Webex understood and does not do it; asking again would not help."""

    code: ClassVar[str] = "WEBEX_REFUSED"
