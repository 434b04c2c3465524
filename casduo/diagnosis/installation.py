"""The order of all examinations, from the files on this machine to the cloud."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from casduo.clock import Clock, system_clock
from casduo.diagnosis.certificates import judge_own_certificate
from casduo.diagnosis.directories import examine_authentication
from casduo.diagnosis.duo import examine_duo
from casduo.diagnosis.model import Finding, Part
from casduo.diagnosis.store import examine_store
from casduo.diagnosis.ucm import examine_ucm
from casduo.diagnosis.webex import examine_webex
from casduo.errors import Problem, SettingsError, UpstreamMisconfigured
from casduo.outbound.tls import Authorities, shown_from, verdict_on_files
from casduo.services.file import read_registry
from casduo.settings import Settings
from casduo.yamlfile import read_bytes

_CHECK = "run casduo check, which names every line"


def examine(
    settings: Settings,
    problems: Sequence[Problem],
    file: str,
    clock: Clock = system_clock,
    *,
    user: str = "",
    application: str | None = None,
) -> Iterator[Finding]:
    """Examine everything, and yield each finding as soon as it is made.

    :param problems: of the settings file, which can be used all the same.
    :param file: its name.
    :param user: canonical name of a person to ask Duo about; empty for none.
    :param application: of Duo, to examine this one only; empty is the main one.
    """
    yield judge_problems(Part("Settings"), file, problems)
    yield examine_registry(settings)
    yield from examine_store(settings, clock)
    yield from examine_authentication(settings)
    yield from examine_own_certificate(settings, clock)
    yield from examine_ucm(settings, clock)
    yield from examine_duo(settings, clock, user=user, application=application)
    yield from examine_webex(settings, clock)


def judge_problems(part: Part, file: str, problems: Sequence[Problem], said: str = "") -> Finding:
    """Return the finding about a file that a person wrote.

    :param said: what it holds, for one that can be used.
    """
    errors, warnings = (sorted(each for each in problems if each.level == level) for level in ("error", "warning"))
    found = f"{file}{f', {said}' if said else ''}"
    if errors:
        told = "; ".join(map(str, errors[:3]))
        return part.fault("file", f"{found}: {_count(errors, 'error')}", "unusable", told, _CHECK)
    if warnings:
        told = "; ".join(map(str, warnings[:3]))
        return part.attention("file", f"{found}: {_count(warnings, 'warning')}", "warnings", told, _CHECK)
    return part.ok("file", found)


def examine_registry(settings: Settings) -> Finding:
    """Examine the registry of services as the server would read it."""
    part, file = Part("Registry"), str(settings.registry)
    try:
        reading = read_registry(read_bytes(settings.registry), file, settings, with_lint=True)
    except SettingsError as error:
        return judge_problems(part, file, error.problems)
    registry = reading.registry
    said = f"{_count(registry.services, 'service')}, state {registry.version}" if registry is not None else ""
    return judge_problems(part, file, reading.problems, said)


def examine_own_certificate(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Examine the certificate that this server shows, where it has one: else TLS ends at a proxy in front."""
    server, setting = settings.server, "server.tls_certificate"
    if server.url is None or server.tls_certificate is None or server.tls_key is None:
        return
    part = Part("This server")
    host = urlsplit(server.url).hostname or ""
    extra = (str(settings.outbound.ca_file),) if settings.outbound.ca_file is not None else ()
    try:
        chain = shown_from(server.tls_certificate, server.tls_key)
        verdict = verdict_on_files(server.tls_certificate, server.tls_key, host, Authorities(extra, system=True))
    except UpstreamMisconfigured as error:
        yield _unusable_files(part, settings, error.detail)
        return
    yield judge_own_certificate(part, host, chain, verdict, clock(), setting)


def _unusable_files(part: Part, settings: Settings, detail: str) -> Finding:
    if detail == "ca_file":
        cause = f"{settings.outbound.ca_file} is missing, damaged, or holds something else than certificates"
        return part.fault("certificate", "cannot be verified", detail, cause, "correct outbound.ca_file")
    causes = {
        "file": "one of them is missing, or may not be read by this user",
        "key_mismatch": "the key is not that of the certificate",
        "not_pem": "one of them is not PEM, is damaged, or the key is encrypted",
    }
    found = f"no server can use {settings.server.tls_certificate} with {settings.server.tls_key}"
    remedy = "correct server.tls_certificate and server.tls_key"
    return part.fault("certificate", found, detail, causes[detail], remedy)


def _count(things: Sequence[object], word: str) -> str:
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"
