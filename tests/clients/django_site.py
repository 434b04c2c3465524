"""A Django site that is what docs/recipes/django.md makes of an empty one. Run as a program: Django is set up once in a
process, and for ever.

Arguments: the recipe's Python, its port, certificate and key, and a directory for its database.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import types
from pathlib import Path

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.server import SimulatorServer


def main() -> None:
    recipe, port, certificate, key, directory = sys.argv[1:]
    settings = types.ModuleType("recipe_settings")
    vars(settings).update(
        SECRET_KEY="s" * 50,
        ALLOWED_HOSTS=["localhost"],
        ROOT_URLCONF="recipe_urls",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{directory}/db.sqlite3"}},
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        # django-cas-ng greets people by Django's messages, which this site has not.
        CAS_LOGIN_MSG=None,
        CAS_LOGGED_MSG=None,
    )
    in_settings, in_urls = json.loads(Path(recipe).read_text(encoding="utf-8"))
    exec(in_settings, vars(settings))  # noqa: S102 - the document under test
    sys.modules["recipe_settings"] = settings
    os.environ["DJANGO_SETTINGS_MODULE"] = "recipe_settings"

    import django
    from django.contrib.auth.decorators import login_required
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpRequest, JsonResponse
    from django.urls import path

    django.setup()

    @login_required
    def home(request: HttpRequest) -> JsonResponse:
        user = request.user
        return JsonResponse(
            {
                "user": user.get_username(),
                "email": user.email,
                "groups": sorted(group.name for group in user.groups.all()),
                "attributes": request.session["attributes"],
            }
        )

    urls = types.ModuleType("recipe_urls")
    urls.urlpatterns = [path("", home)]  # type: ignore[attr-defined]
    exec(in_urls, vars(urls))  # noqa: S102 - the document under test
    sys.modules["recipe_urls"] = urls
    call_command("migrate", verbosity=0)
    leaf = LeafFiles(Path(certificate), Path(key), Path(certificate))
    with SimulatorServer(get_wsgi_application(), certificate=leaf, port=int(port), name="django"):
        print("ready", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
