"""``casduo.wsgi:application`` for any WSGI server: settings from ``CASDUO_CONFIG`` or the usual places."""

from __future__ import annotations

import atexit
import gc
import os

from casduo.app import Wsgi
from casduo.compose import Composed, compose
from casduo.errors import SettingsError
from casduo.log import configure_log
from casduo.memory import settle
from casduo.settings import find_settings, load_settings, missing_to_serve


def create() -> Composed:
    """Build the server from the settings of this machine.

    :raises SettingsError: settings or registry cannot be used; every problem is in it
    """
    path = find_settings(None, os.environ)
    settings = load_settings(path, os.environ)
    missing = missing_to_serve(settings, str(path) if path else "the settings")
    if missing:
        raise SettingsError(tuple(missing))
    configure_log(settings.log.format, settings.log.level)
    built = compose(settings)
    atexit.register(built.close)
    return built


# What this makes stays for good: the collector need not look at it meanwhile either.
gc.disable()
composed = create()
settle()
gc.enable()
application: Wsgi = composed.wsgi
