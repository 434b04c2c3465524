"""Builds the enrolment pages' collaborator from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casduo.clock import Clock, system_clock
from casduo.enrollment.service import Enrollment, EnrollmentTerms, Gateways
from casduo.enrollment.sessions import CodeLimit, EnrollSessions
from casduo.errors import UpstreamMisconfigured
from casduo.events.journal import Journal
from casduo.mfa.duo.errors import DuoMisconfigured, DuoUnavailable
from casduo.outbound import Breaker, Bulkhead
from casduo.outbound.http import HttpClient, HttpSettings
from casduo.settings import DuoSettings, Settings
from casduo.store import Store

if TYPE_CHECKING:
    from casduo.mfa.duo.admin_api import AdminApi

_DEADLINE = 8.0
"""Seconds for one call of the Admin API as a whole."""


def build_enrollment(
    settings: Settings, store: Store, gateways: Gateways, journal: Journal, clock: Clock = system_clock
) -> Enrollment | None:
    """Return what the enrolment pages work with; ``None`` where the settings switch them off.

    :param gateways: the Duo applications, ``Parts.duo``
    :raises DuoMisconfigured: the file of certificate authorities for Duo cannot be read
    """
    duo, enrollment = settings.duo, settings.enrollment
    if duo is None or not enrollment.enabled:
        return None
    # Long enough for any code that is asked for while the password is young enough, and for what comes after its end.
    lifetime = enrollment.password_age + enrollment.code_lifetime + 300.0
    terms = EnrollmentTerms(int(enrollment.code_lifetime), enrollment.password_age, _same_account(duo))
    return Enrollment(
        EnrollSessions(store, lifetime, enrollment.link_lifetime),
        CodeLimit(store),
        gateways,
        terms,
        journal,
        _admin_api(settings, duo, clock),
    )


def _same_account(duo: DuoSettings) -> frozenset[str]:
    """Return the names of the applications whose account the Admin API's keys belong to: that of ``duo.api_host``."""
    others = (name for name, one in duo.applications.items() if one.api_host in (None, duo.api_host))
    return frozenset(("", *others))


def _admin_api(settings: Settings, duo: DuoSettings, clock: Clock) -> AdminApi | None:
    keys = duo.admin_api
    if keys is None:
        return None
    # Not before: see build_applications.
    from casduo.mfa.duo.admin_api import AdminApi
    from casduo.mfa.duo.universal import PINNED_CA_FILE

    places = max(1, settings.server.threads // 4)
    http_settings = HttpSettings(
        connect_timeout=duo.connect_timeout,
        read_timeout=duo.read_timeout,
        deadline=_DEADLINE,
        pool=places,
        ca_file=PINNED_CA_FILE,
        extra_ca_file=str(duo.ca_file or settings.outbound.ca_file or "") or None,
        proxy=duo.proxy.get_secret_value() if duo.proxy else None,
    )
    try:
        http = HttpClient("duo", http_settings)
    except UpstreamMisconfigured as error:
        failure = DuoMisconfigured(error.detail, "The file of certificate authorities for Duo cannot be read.")
    else:
        breaker = Breaker(
            "duo admin api",
            duo.breaker.failures,
            duo.breaker.pause,
            clock,
            is_outage=lambda error: isinstance(error, DuoUnavailable),
        )
        key, secret = keys.integration_key, keys.secret_key.get_secret_value()
        return AdminApi(key, secret, duo.api_host, http, breaker=breaker, bulkhead=Bulkhead("duo admin api", places))
    raise failure
