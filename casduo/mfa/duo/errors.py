"""Every way in which Duo can fail us, and whether it may ever be a reason to let somebody in without Duo."""

from __future__ import annotations

from typing import Self

from casduo.errors import UpstreamBusy, UpstreamError, UpstreamMisconfigured, UpstreamUnavailable


class DuoFailure(UpstreamError):
    """Common branch: ``except DuoFailure`` catches whatever a gateway raises.

    :param detail: a fixed word, for logs, metrics and tests.
    :param message: one sentence for the operator, made of our own words and numbers only. Nothing that Duo or a
        library wrote gets in: their texts quote URLs, codes and assertions.
    :param may_fail_open: whether a service whose registry entry says ``fail: open`` may be entered because of this
        failure. False is the rule: outages are the only exception, and only before a factor was offered.
    """

    code = "DUO_FAILURE"

    def __init__(self, detail: str, message: str = "", *, may_fail_open: bool = False) -> None:
        super().__init__("duo", detail)
        self.message = message
        self.may_fail_open = may_fail_open

    def closed(self) -> Self:
        """Return the same failure as it counts once a factor was offered: from then on nothing but allow opens."""
        return type(self)(self.detail, self.message)


class DuoUnavailable(DuoFailure, UpstreamUnavailable):
    """Duo cannot be reached, or what answers makes no sense.

    The one failure that may fail open, unless a factor was offered before. Details: ``refused``, ``reset``, ``dns``,
    ``timeout``, ``deadline``, ``proxy``, ``connection``, ``unreadable``, ``too_large``, ``server_error``,
    ``breaker_open``.
    """

    code = "DUO_UNAVAILABLE"


class DuoUnexpected(DuoFailure, UpstreamUnavailable):
    """Duo, or its client, failed in a way nobody foresaw. Details: ``unknown_code``, ``unexpected``."""

    code = "DUO_UNEXPECTED"


class DuoRateLimited(DuoFailure, UpstreamUnavailable):
    """Duo answers 429. Whoever can use up the rate limit must not be able to turn Duo off. Detail: ``rate_limited``."""

    code = "DUO_RATE_LIMITED"


class DuoBusy(DuoFailure, UpstreamBusy):
    """Too many of our own threads already wait for Duo. Detail: ``bulkhead_full``."""

    code = "DUO_BUSY"


class DuoMisconfigured(DuoFailure, UpstreamMisconfigured):
    """Duo answers and refuses us, or the settings cannot work.

    Details: ``keys``, ``clock``, ``rights``, ``request``; from :func:`build_gateway` also ``api_host``, ``client_id``,
    ``client_secret``, ``redirect_uri``, ``ca_file``; ``off`` where Duo is not set up at all.
    """

    code = "DUO_MISCONFIGURED"


class DuoUntrusted(DuoMisconfigured):
    """The certificate shown for Duo's host does not verify; somebody may be in the middle. Detail: ``certificate``."""

    code = "DUO_UNTRUSTED"


class DuoBadParameter(DuoFailure):
    """Duo does not accept a value that belongs to this login. Detail: ``username``, ``user_id``, ``device``,
    ``no_capable_device``, ``passcode``, ``txid``, ``activation_code``.
    """

    code = "DUO_BAD_PARAMETER"


class DuoStale(DuoFailure):
    """The code that came back from the prompt is missing, used, too old or not ours: start the prompt again.

    Details: ``code_missing``, ``code_refused``.
    """

    code = "DUO_STALE"


class DuoBadToken(DuoFailure):
    """Duo's result does not stand up to verification, so it is no result.

    Details: ``expired`` and ``not_yet_valid`` (look at the clocks), ``signature``, ``algorithm``, ``issuer``,
    ``audience``, ``claims``, ``malformed``, ``username``, ``nonce``.
    """

    code = "DUO_BAD_TOKEN"
