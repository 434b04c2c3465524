"""The Duo applications of the settings, by name."""

from __future__ import annotations

from collections.abc import Mapping

from casduo.clock import Clock, system_clock
from casduo.mfa.duo.gateway import DuoGateway, NullDuoGateway
from casduo.mfa.duo.settings import DuoSettings
from casduo.outbound import Bulkhead
from casduo.outbound.breaker import BreakerMemory
from casduo.settings import DuoSettings as DuoSection
from casduo.settings import Settings

MAIN = ""
"""The name of the application that the settings describe under ``duo`` itself."""
_FOLLOWED = 4096
"""Connections that a process keeps for following pushes, if that is its task."""


class DuoApplications:
    """Gateways by the name of their application in Duo. Empty where Duo is off."""

    def __init__(self, gateways: Mapping[str, DuoGateway]) -> None:
        self._gateways = dict(gateways)
        self._none = NullDuoGateway()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all applications, that of the main one (``""``) first."""
        return tuple(self._gateways)

    @property
    def main(self) -> DuoGateway:
        """The gateway of the main application."""
        return self.of(MAIN)

    def of(self, name: str) -> DuoGateway:
        """Return the gateway of an application; for one that is not set up, a gateway that refuses everything."""
        return self._gateways.get(name, self._none)


def build_applications(
    settings: Settings, clock: Clock = system_clock, memory: BreakerMemory | None = None, *, polling: bool = False
) -> DuoApplications:
    """Return the gateways of all applications in the settings. Asks nobody.

    Applications on one host share connections and what is known of an outage, all of them share the places of those who
    wait, and applications with the same keys share their health.

    :param clock: epoch seconds.
    :param memory: what all processes know of outages; None for what this one knows.
    :param polling: this process follows pushes, thousands at a time.
    :raises DuoMisconfigured: settings that cannot work; ``detail`` names the one.
    """
    if settings.duo is None:
        return DuoApplications({})
    # Duo's clients take a fifteenth of the start; who has no Duo needs none of them.
    from casduo.mfa.duo.official import OfficialDuoGateway
    from casduo.mfa.duo.upstream import Upstream

    bulkhead = Bulkhead("duo", _places(settings))
    upstreams: dict[str, Upstream] = {}
    alike: dict[DuoSettings, DuoGateway] = {}
    gateways: dict[str, DuoGateway] = {}
    for name in (MAIN, *settings.duo.applications):
        one = _application(settings, settings.duo.for_application(name or None), name, polling)
        if one not in alike:
            one.check()
            if one.api_host not in upstreams:
                upstreams[one.api_host] = Upstream(one, clock, bulkhead, memory)
            alike[one] = OfficialDuoGateway(one, upstreams[one.api_host])
        gateways[name] = alike[one]
    return DuoApplications(gateways)


def _application(settings: Settings, duo: DuoSection, name: str, polling: bool) -> DuoSettings:
    auth_api, before = duo.auth_api, duo.universal.previous
    pushed = auth_api.previous if auth_api else None
    return DuoSettings(
        api_host=duo.api_host,
        client_id=duo.universal.client_id,
        client_secret=duo.universal.client_secret.get_secret_value(),
        redirect_uri=f"{(settings.server.url or '').rstrip('/')}/duo/callback",
        integration_key=auth_api.integration_key if auth_api else "",
        secret_key=auth_api.secret_key.get_secret_value() if auth_api else "",
        previous_client_id=before.client_id if before else "",
        previous_client_secret=before.client_secret.get_secret_value() if before else "",
        previous_integration_key=pushed.integration_key if pushed else "",
        previous_secret_key=pushed.secret_key.get_secret_value() if pushed else "",
        ca_file=str(duo.ca_file or settings.outbound.ca_file or "") or None,
        proxy=duo.proxy.get_secret_value() if duo.proxy else None,
        connect_timeout=duo.connect_timeout,
        read_timeout=duo.read_timeout,
        deadline=duo.connect_timeout + duo.read_timeout,
        breaker_failures=duo.breaker.failures,
        breaker_pause=duo.breaker.pause,
        concurrency=_places(settings),
        polls=_FOLLOWED if polling else _places(settings),
        label=duo.push.label,
        name=name,
    )


def _places(settings: Settings) -> int:
    return max(1, settings.server.threads // 2)
