"""Where the files lie that come with casduo but are no Python: the templates and the sample settings.

In a wheel they are inside the package (``setup.py`` copies them there); in a checkout and in an editable install they
are beside it, where people edit them.
"""

from __future__ import annotations

from pathlib import Path

from casduo.errors import CasduoError

PACKAGE = Path(__file__).resolve().parent


class IncompleteInstallation(CasduoError):
    """A file that comes with casduo is not there. ``name`` is the file, ``looked_in`` the places it could have been."""

    code = "INSTALLATION_INCOMPLETE"

    def __init__(self, name: str, looked_in: tuple[Path, ...]) -> None:
        places = " and ".join(str(place) for place in looked_in)
        super().__init__(f"{name} is missing from this installation of casduo; looked for {places}")
        self.name = name
        self.looked_in = looked_in


def views_directory() -> Path:
    """Return the directory of the templates. Raises ``IncompleteInstallation``."""
    return _first("views", PACKAGE / "views", PACKAGE.parent / "views")


def sample_registry() -> Path:
    """Return the commented sample ``registry.yaml``. Raises ``IncompleteInstallation``."""
    return _sample("registry.yaml")


def sample_settings() -> Path:
    """Return the commented sample of the settings, ``casduo.example.yaml``. Raises ``IncompleteInstallation``."""
    return _sample("casduo.example.yaml")


def _sample(name: str) -> Path:
    return _first(name, PACKAGE / "sample" / name, PACKAGE.parent / name)


def _first(name: str, *places: Path) -> Path:
    for place in places:
        if place.exists():
            return place
    raise IncompleteInstallation(name, places)
