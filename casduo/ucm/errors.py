"""What can go wrong with a UCM: it cannot be asked, is too busy, is set up otherwise, or says a plain no."""

from __future__ import annotations

from typing import ClassVar, Literal

from casduo.errors import CasduoError, UpstreamBusy, UpstreamMisconfigured, UpstreamUnavailable

RefusalKind = Literal[
    "no_device",
    "no_profile",
    "no_user",
    "not_enabled",
    "occupied",
    "nobody",
    "elsewhere",
    "policy",
    "password_change",
    "other",
]
"""``occupied``: somebody else is on the phone; ``nobody``: there is nobody to log out; ``elsewhere``: the user is
logged in on another phone and UCM's policy forbids a second login; ``policy``: another rule of UCM's.
"""


class UcmUnavailable(UpstreamUnavailable):
    """No node gave an answer that can be read. ``sent`` says that the request may have been carried out all the same:
    what was to be written has to be read before it is written again.
    """

    code: ClassVar[str] = "UCM_UNAVAILABLE"

    def __init__(self, upstream: str, detail: str, *, sent: bool = False) -> None:
        super().__init__(upstream, detail)
        self.sent = sent


class UcmBusy(UpstreamBusy):
    """UCM, or our own limit on calls under way, has too much to do now. Nothing was carried out; trying again in a few
    seconds may help.
    """

    code: ClassVar[str] = "UCM_BUSY"


class UcmMisconfigured(UpstreamMisconfigured):
    """UCM answers, and says that account, rights, version or address are wrong: somebody has to look after it."""

    code: ClassVar[str] = "UCM_MISCONFIGURED"


class UcmRefused(CasduoError):
    """UCM understood and said no. ``kind`` says what about, ``detail`` holds its number (``em 25``), never its text."""

    code: ClassVar[str] = "UCM_REFUSED"

    def __init__(self, kind: RefusalKind, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail


UcmError = UcmUnavailable | UcmBusy | UcmMisconfigured | UcmRefused
UCM_ERRORS = (UcmUnavailable, UcmBusy, UcmMisconfigured, UcmRefused)
"""Everything that asking a UCM can come to besides an answer."""
