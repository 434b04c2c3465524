"""Finds casduo.yaml, lays the environment over it, and reports everything that is wrong at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from casduo.errors import Problem, SettingsError
from casduo.problems import problems_of
from casduo.settings.authentication import LdapHandler
from casduo.settings.environment import CONFIG_VARIABLE, overlay
from casduo.settings.model import Settings
from casduo.settings.secretfiles import read_secret_files
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
        settings = Settings.model_validate(document.data, context={"base": base})
    except ValidationError as error:
        # A secret whose file cannot be read is missing too, but that is one mistake, not two.
        told = {path for problem in unread for path in (problem.path, problem.path.removesuffix("_file"))}
        problems += [problem for problem in problems_of(error, document, Settings) if problem.path not in told]
    problems = sorted(problems + unread)
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
    return problems


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


NOT_YET_IN_FORCE = (
    ("duo", "applications"),
    ("pages", "logo_dark"),
    ("pages", "languages"),
)
"""Settings that are accepted and checked, and do nothing so far."""


def _notes(settings: Settings, document: Document) -> Iterator[Problem]:
    """Yield a note for everything the settings say that has no effect yet."""
    message = "is accepted but not yet in force"
    for section, key in NOT_YET_IN_FORCE:
        if key in (document.data.get(section) or {}):
            yield document.problem((section, key), message, "note")
    if settings.duo is not None and settings.duo.prompt != "universal":
        yield document.problem(("duo", "prompt"), message, "note")
    for index, handler in enumerate(settings.authentication):
        if handler.type == "ucm_pin":
            yield document.problem(("authentication", index), message, "note")


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
    if duo is not None and duo.fail == "open":
        yield warning(("duo", "fail"), "while Duo cannot be reached a password alone is enough")
