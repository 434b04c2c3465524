"""The URL table: the peer's own, under ``/cas``."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path

if settings.PEER == "django-cas-server":
    urlpatterns = [path("cas/", include("cas_server.urls", namespace="cas_server"))]
else:
    urlpatterns = [path("cas/", include("mama_cas.urls"))]
