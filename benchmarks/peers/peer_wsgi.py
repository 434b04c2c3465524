"""The peer as a WSGI application, with SQLite in the fastest mode that keeps its data when the process crashes."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application
from django.db.backends.signals import connection_created

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "peer_settings")


def _tune_sqlite(connection, **_facts) -> None:  # type: ignore[no-untyped-def]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=OFF")


connection_created.connect(_tune_sqlite)
application = get_wsgi_application()
