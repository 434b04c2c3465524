"""Django settings for the other CAS servers, tuned as somebody who runs them would.

Everything that varies comes from the environment: ``PEER`` (the distribution's name), ``PEER_SECRET``, ``PEER_STORE``
and ``PEER_DATABASE``. The store is either ``postgresql`` (sessions in it too, so that several nodes could share it and
a restart loses nothing; the database is the directory with the server's socket) or ``memory`` (a SQLite file on a
memory disk, sessions in the memory of the one process: as fast as it gets, and neither shared nor kept). No debug mode,
no log output, the cheapest password hash Django has, connections that stay open: all in the peers' favour.
"""

from __future__ import annotations

import os

PEER = os.environ["PEER"]
SECRET_KEY = os.environ["PEER_SECRET"]
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "peer_urls"
WSGI_APPLICATION = "peer_wsgi.application"
USE_TZ = True
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    {"django-cas-server": "cas_server", "django-mama-cas": "mama_cas"}[PEER],
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
if PEER == "django-cas-server":
    MIDDLEWARE.insert(1, "django.middleware.locale.LocaleMiddleware")
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 1_000_000}}
}
LOGGING_CONFIG = None

if os.environ["PEER_STORE"] == "postgresql":
    SESSION_ENGINE = "django.contrib.sessions.backends.db"
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["PEER_DATABASE"],
            "NAME": PEER.replace("-", "_"),
            "USER": "postgres",
            "CONN_MAX_AGE": None,
        }
    }
else:
    SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["PEER_DATABASE"],
            "OPTIONS": {"timeout": 30},
            "CONN_MAX_AGE": None,
        }
    }

MAMA_CAS_SERVICES = [
    {
        "SERVICE": r"^https://application\.example\.edu/",
        "CALLBACKS": ["mama_cas.callbacks.user_name_attributes"],
    }
]
CAS_NEW_VERSION_HTML_WARNING = False
CAS_NEW_VERSION_EMAIL_WARNING = False
