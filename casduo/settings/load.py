"""Finds casduo.yaml, lays the environment over it, and reports everything that is wrong at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, tzinfo
from pathlib import Path

from pydantic import ValidationError

from casduo.errors import Problem, SettingsError
from casduo.events.outbox_events import OUTBOX_KINDS
from casduo.fieldtypes import zone_of
from casduo.languages import LANGUAGES
from casduo.problems import listed, problems_of
from casduo.settings.authentication import LdapHandler
from casduo.settings.environment import CONFIG_VARIABLE, overlay
from casduo.settings.model import Settings
from casduo.settings.secretfiles import read_secret_files
from casduo.settings.webex import WebexSettings
from casduo.yamlfile import Document, load_yaml

NO_FILE = "settings"
"""Stands for the file in problems when there is none."""

_PLACES = (Path("casduo.yaml"), Path("/etc/casduo/casduo.yaml"))


def find_settings(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the settings file: ``config`` if given, else ``$CASDUO_CONFIG``, ``./casduo.yaml`` or
    ``/etc/casduo/casduo.yaml``, whichever exists first; ``None`` if there is none.

    A file that was asked for by name is returned whether it exists or not: its absence is an error.
    """
    if config is not None:
        return config
    if environ.get(CONFIG_VARIABLE):
        return Path(environ[CONFIG_VARIABLE])
    return next((place for place in _PLACES if place.is_file()), None)


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings of the file at ``path`` (``None``: defaults only) with the environment laid over them.

    :raises SettingsError: something is wrong; holds all problems
    """
    settings, problems = read_settings(path, environ)
    if settings is None:
        raise SettingsError(tuple(problems))
    return settings


def read_settings(path: Path | None, environ: Mapping[str, str]) -> tuple[Settings | None, list[Problem]]:
    """Return the settings, ``None`` if they cannot be used, and everything there is to say about them.

    Warnings come only with settings that can be used.
    """
    try:
        document = load_yaml(path) if path is not None else Document(NO_FILE)
    except SettingsError as error:
        return None, list(error.problems)
    if document.data is None:
        document.data = {}
    if not isinstance(document.data, dict):
        return None, [document.problem((), "must be a mapping (key: value)")]
    base = path.parent if path is not None else Path()
    # Keys such as x-common hold anchors for other keys; nothing else reads them.
    document.data = {key: value for key, value in document.data.items() if not key.startswith("x-")}
    problems = overlay(document, environ)
    unread = read_secret_files(document, base)
    _place_state(document, environ)
    settings = None
    try:
        context = {"base": base, "zone": _zone(document), "language": _language(document)}
        settings = Settings.model_validate(document.data, context=context)
    except ValidationError as error:
        # A secret whose file cannot be read is missing too, but that is one mistake, not two.
        told = {path for problem in unread for path in (problem.path, problem.path.removesuffix("_file"))}
        problems += [problem for problem in problems_of(error, document, Settings) if problem.path not in told]
    problems = sorted(problems + unread)
    if settings is not None:
        problems = sorted([*problems, *_contradictions(settings, document)])
    if settings is None or any(problem.level == "error" for problem in problems):
        return None, problems
    return settings, sorted([*problems, *_warnings(settings, document), *_notes(settings, document)])


def missing_to_serve(settings: Settings, file: str) -> list[Problem]:
    """Return what ``casduo serve`` needs beyond valid settings; ``file`` names the settings in the problems."""
    problems = []
    if settings.server.url is None:
        sentence = "is missing: the public address, such as https://sso.example.edu/cas"
        problems.append(Problem(file, 0, 0, "server.url", sentence))
    if not settings.authentication:
        problems.append(Problem(file, 0, 0, "authentication", "is missing: nobody could sign in; name a handler"))
    elif settings.ucm is None and all(handler.type == "ucm_pin" for handler in settings.authentication):
        sentence = "has handlers for PINs only, and there is no section 'ucm': nobody could sign in"
        problems.append(Problem(file, 0, 0, "authentication", sentence))
    return problems


def _zone(document: Document) -> tzinfo:
    """Return the time zone of dates in the settings themselves; one that is not known is told of as a mistake."""
    server = document.data.get("server")
    name = server.get("time_zone") if isinstance(server, dict) else None
    try:
        return zone_of(name) if isinstance(name, str) else UTC
    except ValueError:
        return UTC


def _language(document: Document) -> str:
    """Return the site's language as ``pages`` says it, for texts by language in the settings themselves."""
    pages = document.data.get("pages")
    said = pages if isinstance(pages, dict) else {}
    offered = said.get("languages")
    first = offered[0] if isinstance(offered, list) and offered else offered
    chosen = said.get("language") or first
    return chosen if isinstance(chosen, str) and chosen in LANGUAGES else LANGUAGES[0]


def _place_state(document: Document, environ: Mapping[str, str]) -> None:
    """Fill in ``server.state_directory`` from what systemd (systemd.exec, StateDirectory=) or the XDG Base Directory
    Specification hand over, unless the file has it.
    """
    server = document.data.setdefault("server", {}) or {}
    if not isinstance(server, dict) or server.get("state_directory") is not None:
        return
    # systemd separates several directories with colons; the first one is the unit's main one.
    systemd = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    home = environ.get("XDG_STATE_HOME", "")
    if systemd.startswith("/"):
        document.data["server"] = {**server, "state_directory": systemd}
    elif home.startswith("/"):
        document.data["server"] = {**server, "state_directory": f"{home}/casduo"}


_FAILS_OPEN = "while Duo cannot be reached a password alone is enough"


def _contradictions(settings: Settings, document: Document) -> Iterator[Problem]:
    """Yield what one section asks for and another one does not provide."""
    if settings.phones.registered_address == "require" and (settings.ucm is None or settings.ucm.ris is None):
        message = "needs ucm.ris: nobody else knows at which address a phone is registered"
        yield document.problem(("phones", "registered_address"), message)
    if settings.admin.enabled and settings.duo is None and not settings.admin.without_duo:
        message = "needs the section 'duo'; a site that has none writes without_duo: true"
        yield document.problem(("admin",), message)
    if settings.admin.without_duo and settings.duo is not None:
        message = "must not be true where there is a section 'duo': administrators are asked for Duo"
        yield document.problem(("admin", "without_duo"), message)


def _notes(settings: Settings, document: Document) -> Iterator[Problem]:
    """Yield a note for everything the settings say that has no effect, for now or by something else that they say."""

    def note(path: tuple[str | int, ...], message: str) -> Problem:
        return document.problem(path, message, "note")

    if not settings.audit.enabled and settings.audit.model_fields_set - {"enabled"}:
        yield note(("audit",), "nothing else in it has an effect: enabled is false")
    for path, message in _idle_in_webex(settings.webex) if settings.webex is not None else ():
        yield note(("webex", *path), message)


def _idle_in_webex(webex: WebexSettings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what has no effect in the section about Webex: where it stands, and why."""
    routes = webex.notify.items()
    for kind, route in routes:
        place = ("notify", kind)
        if route.to == "none":
            unused = [name for name in ("room", "template") if getattr(route, name) is not None]
            if unused:
                has = "have" if len(unused) > 1 else "has"
                yield place, f"{listed(unused, 'and')} {has} no effect: it goes nowhere"
        elif kind in OUTBOX_KINDS:
            yield place, "is never posted: it tells of messages to Webex themselves; casduo outbox and the log have it"
        elif route.to == "person" and route.room is not None:
            yield (*place, "room"), "has no effect: it goes to a person"
    if webex.webhook.secret is None:
        for name in ("url", "previous_secret", "require_sha256"):
            if name in webex.webhook.model_fields_set and getattr(webex.webhook, name):
                yield ("webhook", name), "has no effect without webex.webhook.secret"
        if webex.organisations:
            yield ("organisations",), "has no effect without webex.webhook.secret: no button comes back from Webex"


def _warnings(settings: Settings, document: Document) -> Iterator[Problem]:
    """Yield what works but should be looked at."""

    def warning(path: tuple[str | int, ...], message: str) -> Problem:
        return document.problem(path, message, "warning")

    server, duo = settings.server, settings.duo
    if server.url is not None and server.url.startswith("http://"):
        yield warning(("server", "url"), "plain http: passwords and cookies cross the network in the clear")
    for index, handler in enumerate(settings.authentication):
        if isinstance(handler, LdapHandler) and handler.allow_plaintext and not handler.start_tls:
            yield warning(("authentication", index, "allow_plaintext"), "passwords may travel in the clear")
        if handler.type == "ucm_pin" and settings.ucm is None:
            yield warning(("authentication", index), "has no effect without the section 'ucm'")
    if duo is not None and duo.fail == "open":
        yield warning(("duo", "fail"), _FAILS_OPEN)
    for name, application in duo.applications.items() if duo is not None else ():
        if application.fail == "open":
            yield warning(("duo", "applications", name, "fail"), _FAILS_OPEN)
    if settings.webex is not None and settings.webex.room is None:
        yield from _homeless(settings.webex, document)
    if settings.ucm is None and document.data.get("phones"):
        yield warning(("phones",), "has no effect without the section 'ucm'")
    if duo is None and document.data.get("enrollment"):
        yield warning(("enrollment",), "has no effect without the section 'duo'")
    if duo is not None and not settings.enrollment.enabled:
        if duo.admin_api is not None:
            yield warning(("duo", "admin_api"), "has no effect: only the enrolment pages use it; they are switched off")
        if duo.enrollment_url is None:
            message = "people without a device are shown no way to one; name a page in duo.enrollment_url"
            yield warning(("enrollment", "enabled"), message)


def _homeless(webex: WebexSettings, document: Document) -> Iterator[Problem]:
    """Yield what would be posted in the space ``webex.room``, which is not there."""
    told = [(kind, route) for kind, route in webex.notify.items() if route.to != "none" and kind not in OUTBOX_KINDS]
    for kind, route in told:
        if route.to == "space" and route.room is None:
            message = "is posted nowhere: neither it nor the section 'webex' has a room"
            yield document.problem(("webex", "notify", kind), message, "warning")
    if not any(route.to == "person" or route.room is not None for _, route in told):
        message = "has no room: nothing is posted but requests for access to services whose entry names one"
        yield document.problem(("webex",), message, "warning")
