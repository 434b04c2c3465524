"""The Duo applications of the settings, each with the names of the settings that it is made of. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.diagnosis.model import Part
from casduo.diagnosis.network import Way
from casduo.diagnosis.people import Terms
from casduo.diagnosis.refusals import Keys
from casduo.mfa.duo.settings import split_api_host
from casduo.mfa.terms import duo_defaults
from casduo.outbound.tls import Destination
from casduo.problems import path_text
from casduo.settings import DuoSettings, Settings

_HTTPS = 443
_MAIN = ("duo",)


@dataclass(frozen=True, slots=True)
class Application:
    """One Duo application.

    :param name: empty for the main one.
    :param part: what its findings stand under.
    :param duo: its settings in full.
    :param auth: the keys for the Auth API, and where they stand.
    :param prompt: those for Duo's own page.
    :param way: to its API host.
    """

    name: str
    part: Part
    duo: DuoSettings
    auth: Keys
    prompt: Keys
    terms: Terms
    way: Way


def applications_of(settings: Settings, duo: DuoSettings) -> tuple[Application, ...]:
    """Return all Duo applications, the main one first.

    :param duo: the section of ``settings``.
    """
    return tuple(_application(settings, duo, name) for name in ("", *duo.applications))


def admin_keys(application: Application) -> Keys:
    """Return where the Admin API's keys stand."""
    return _pair((*_MAIN, "admin_api"), "integration_key", "secret_key", "Admin API", application.auth.host)


def own_authorities(settings: Settings) -> tuple[str, str]:
    """Return the setting that names a file of authorities to trust for Duo, or would, and the file, empty for none."""
    if settings.duo is not None and settings.duo.ca_file is not None:
        return "duo.ca_file", str(settings.duo.ca_file)
    if settings.outbound.ca_file is not None:
        return "outbound.ca_file", str(settings.outbound.ca_file)
    return "duo.ca_file", ""


def _application(settings: Settings, duo: DuoSettings, name: str) -> Application:
    base = (*_MAIN, "applications", name) if name else _MAIN
    own = duo.applications[name] if name else duo
    host = path_text((*(base if own.api_host else _MAIN), "api_host"))
    universal = base if own.universal else _MAIN
    prompt = _pair((*universal, "universal"), "client_id", "client_secret", "Web SDK", host)
    if own.auth_api:
        auth = _pair((*base, "auth_api"), "integration_key", "secret_key", "Auth API", host)
    elif duo.auth_api and not own.universal:
        auth = _pair((*_MAIN, "auth_api"), "integration_key", "secret_key", "Auth API", host)
    else:
        missing = path_text((*universal, "auth_api"))
        auth = Keys(prompt.identifier, prompt.secret, "Auth API", host, borrowed=True, own=missing)
    full = duo.for_application(name or None)
    defaults = duo_defaults(duo)
    terms = defaults.applications[name] if name else defaults.main
    return Application(
        name,
        Part(f"Duo, application {name}" if name else "Duo, main application", {"application": name}),
        full,
        auth,
        prompt,
        Terms(terms.accept_allow, terms.enrollment_url, settings.enrollment.enabled),
        _way(full, host),
    )


def _pair(section: tuple[str, ...], identifier: str, secret: str, kind: str, host: str) -> Keys:
    return Keys(path_text((*section, identifier)), path_text((*section, secret)), kind, host)


def _way(duo: DuoSettings, host_setting: str) -> Way:
    host, port = split_api_host(duo.api_host)
    proxy = duo.proxy.get_secret_value() if duo.proxy else None
    return Way(
        Destination(host, port or _HTTPS, duo.connect_timeout, duo.read_timeout, proxy), host_setting, "duo.proxy"
    )
