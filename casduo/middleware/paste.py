"""Entry points for PasteDeploy: the middleware as a ``[filter:...]`` of an ini file, options as text.

    [filter:cas]
    use = egg:casduo
    cas_url = https://sso.example.edu/cas
    service_url = https://app.example.edu
    secret_key_file = /etc/app/secret.key
    public_paths = /static/* /healthz
    session_lifetime = 8h

Lists are separated by white space. Times are seconds, or a number with ``s``, ``m``, ``h`` or ``d``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from casduo.middleware.errors import SettingsError
from casduo.middleware.middleware import CasMiddleware
from casduo.middleware.settings import Settings

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")


def make_filter(app: WSGIApplication, global_conf: Mapping[str, str] | None, **options: str) -> CasMiddleware:
    """Wrap ``app``: a ``paste.filter_app_factory``.

    :param global_conf: the ini file's ``[DEFAULT]``; not used.
    :param options: options of :class:`~casduo.middleware.Settings` as text, and ``secret_key_file``.
    :raises SettingsError: with a sentence for every problem.
    """
    return CasMiddleware(app, settings_from_text(options))


def filter_factory(global_conf: Mapping[str, str] | None, **options: str) -> Callable[[WSGIApplication], CasMiddleware]:
    """Return a function that wraps an application: a ``paste.filter_factory``. Options as for :func:`make_filter`."""
    settings = settings_from_text(options)
    return lambda app: CasMiddleware(app, settings)


def settings_from_text(options: Mapping[str, str]) -> Settings:
    """Return settings from texts.

    :raises SettingsError: a text cannot be converted, or the settings cannot be used.
    """
    problems: list[str] = []
    values: dict[str, Any] = {}
    for name, text in options.items():
        try:
            values[_OPTION_NAMES.get(name, name)] = _CONVERTERS.get(name, str)(text.strip())
        except ValueError as error:
            problems.append(f"{name} {error}")
    if "secret_key" in options and "secret_key_file" in options:
        problems.append("secret_key and secret_key_file exclude each other")
    if problems:
        raise SettingsError(tuple(problems))
    return Settings.of(values)


def _seconds(text: str) -> float:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("must be a time such as 90, 15m or 8h")
    return float(match[1]) * _UNITS[match[2]]


def _truth(text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError("must be true or false")
    return text.lower() in _TRUE


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _optional(text: str) -> str | None:
    return None if text.lower() in ("", "none") else text


def _lines_of_file(path: str) -> tuple[str, ...]:
    try:
        with open(path, encoding="utf-8") as file:
            return tuple(line.strip() for line in file if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read ({type(error).__name__})") from None


_OPTION_NAMES: Final = {"secret_key_file": "secret_key"}

_CONVERTERS: Final[dict[str, Callable[[str], Any]]] = {
    "secret_key": _words,
    "secret_key_file": _lines_of_file,
    "allowed_hosts": _words,
    "protected_paths": _words,
    "public_paths": _words,
    "gateway_paths": _words,
    "renew_paths": _words,
    "single_logout_from": _words,
    "allowed_proxies": _words,
    "logout_path": _optional,
    "connect_timeout": _seconds,
    "read_timeout": _seconds,
    "redis_timeout": _seconds,
    "session_lifetime": _seconds,
    "session_idle": _seconds,
    "gateway_interval": _seconds,
    "renew_max_age": _seconds,
    "cookie_secure": _truth,
}
