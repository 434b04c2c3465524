"""Examines an API host of Duo: the way there, its certificate, its answer to a ping, and its clock."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from casduo.clock import Clock
from casduo.diagnosis.certificates import Seen, SettingNames, judge_duo_certificate
from casduo.diagnosis.clocks import judge_duo_clock
from casduo.diagnosis.hosts import Examination, examine_network, no_tls
from casduo.diagnosis.model import Finding, Part
from casduo.diagnosis.network import Way
from casduo.diagnosis.refusals import Keys, explain
from casduo.errors import UpstreamMisconfigured, UpstreamUnavailable
from casduo.mfa.duo.auth_api import AuthApi
from casduo.mfa.duo.errors import DuoFailure
from casduo.mfa.duo.universal import PINNED_CA_FILE
from casduo.outbound.tls import Authorities, Verdict, shown_by, time_told_by, verdict_on

SLOW = 2.0
"""Seconds. A login asks Duo two or three times before the person is asked for anything."""


def examine_host(
    part: Part, way: Way, authorities: tuple[str, str], api: AuthApi, keys: Keys, clock: Clock
) -> Examination:
    """Examine an API host.

    :param authorities: the setting that names a file of further authorities, or would, and the file, empty for none.
    :param api: to send the ping with.
    :param keys: of ``api``.
    """
    if urlsplit(way.destination.proxy or "").scheme == "https":
        found = f"goes by way of {way.hop}; that one is spoken to over TLS itself, so nothing behind it was looked at"
        yield part.ok("network", found)
    elif not ((yield from examine_network(part, way)) and (yield from _certificate(part, way, authorities, clock))):
        return False
    return (yield from _ping(part, api, keys, clock))


def judge_ping(part: Part, seconds: float) -> Finding:
    """Return the finding about a ping that was answered after so many seconds."""
    found, milliseconds = f"answered in {seconds * 1000:.0f} ms", round(seconds * 1000)
    if seconds <= SLOW:
        return part.ok("ping", found, milliseconds=milliseconds)
    cause = "every login asks Duo two or three times before the person is asked for anything, and waits as long"
    remedy = "look at status.duo.com, and at the network and the web proxy in between"
    return part.attention("ping", found, "slow", cause, remedy, milliseconds=milliseconds)


def _certificate(part: Part, way: Way, authorities: tuple[str, str], clock: Clock) -> Examination:
    setting, file = authorities
    try:
        seen = _look(way, file)
    except UpstreamMisconfigured:
        cause = f"{setting} is damaged, or holds something else than certificates"
        yield part.fault("certificate", "cannot be verified", "ca_file", cause, f"correct {setting}")
        return False
    except UpstreamUnavailable as failure:
        yield no_tls(part, way, failure.detail)
        return False
    yield judge_duo_certificate(part, way.destination.host, seen, clock(), SettingNames(way.host_setting, setting))
    return seen.used is Verdict.TRUSTED


def _look(way: Way, file: str) -> Seen:
    destination = way.destination
    used = verdict_on(destination, Authorities((PINNED_CA_FILE, file) if file else (PINNED_CA_FILE,)))
    return Seen(
        chain=shown_by(destination),
        pinned=verdict_on(destination, Authorities((PINNED_CA_FILE,))) if file else used,
        used=used,
        system=verdict_on(destination, Authorities(system=True)),
        told=time_told_by(destination) if used in (Verdict.EXPIRED, Verdict.NOT_YET_VALID) else None,
    )


def _ping(part: Part, api: AuthApi, keys: Keys, clock: Clock) -> Examination:
    started = time.monotonic()
    try:
        duo_time = api.ping()
    except DuoFailure as failure:
        yield explain(failure, keys).finding(part, "ping")
        return False
    skew = duo_time - clock()
    yield judge_ping(part, time.monotonic() - started)
    yield judge_duo_clock(part, skew)
    return True
