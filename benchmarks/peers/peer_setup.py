"""Make the peer's tables, its one service and its users: ``peer_setup.py PASSWORD USER...``."""

from __future__ import annotations

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "peer_settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402


def _add_service() -> None:
    from cas_server.models import ReplaceAttributName, ServicePattern

    pattern = ServicePattern.objects.create(name="application", pattern=r"^https://application\.example\.edu/")
    for attribute in ("first_name", "last_name", "email"):
        ReplaceAttributName.objects.create(name=attribute, service_pattern=pattern)


def main(password: str, usernames: list[str]) -> None:
    """Fill an empty database."""
    call_command("migrate", verbosity=0)
    hashed = make_password(password)
    User.objects.bulk_create(
        User(username=name, password=hashed, first_name=name.title(), last_name="Example", email=f"{name}@example.edu")
        for name in usernames
    )
    if settings.PEER == "django-cas-server":
        _add_service()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
