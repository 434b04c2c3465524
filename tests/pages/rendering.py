"""Renders the views as the server does: the same Jinja settings, the same globals, sample data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from casduo.languages import NAMES
from casduo.messages import ENGLISH, Catalogue

VIEWS = Path(__file__).resolve().parents[2] / "views"
STATIC = VIEWS / "static"
BACK = "/cas/login?service=https%3A%2F%2Fpayroll.example.edu%2F"
NONCE = "bm9uY2UtZm9yLXRlc3Rz"
REFERENCE = "K7QF-2M9D"
TIME = "2026-03-04T10:22:31+01:00"


Languages = tuple[tuple[str, str], ...]

ALL_LANGUAGES: Languages = tuple(NAMES.items())


@dataclass(frozen=True, slots=True)
class Link:
    """A link in the foot of every page."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Site:
    """What the settings say about the place, as the server hands it to the views."""

    organisation: str = "Analytical University"
    logo: str | None = None
    logo_dark: str | None = None
    logo_alt: str = ""
    help_text: str = "Help desk: +1 555 0100"
    help_url: str | None = "https://help.example.edu/"
    privacy_url: str | None = "https://www.example.edu/privacy"
    footer_links: tuple[Link, ...] = ()
    scheme: str = "auto"
    accent_colour: str = "#1f5aa8"
    forgot_password_url: str | None = "https://id.example.edu/forgotten"
    change_password_url: str | None = "https://id.example.edu/change"
    base: str = "/cas"


SITE = Site()
BARE_SITE = Site(
    help_text="", help_url=None, privacy_url=None, forgot_password_url=None, change_password_url=None, base=""
)
BRANDED_SITE = replace(SITE, logo="/cas/static/logo.svg", logo_alt="Analytical University")


def static(name: str) -> str:
    """Return the URL of a static file and insist that the file exists; the server makes theme.css itself."""
    assert name == "theme.css" or (STATIC / name).is_file(), f"no static file {name}"
    return f"/cas/static/{name}"


@cache
def environment(site: Site = SITE, catalogue: Catalogue = ENGLISH, languages: Languages = ()) -> Environment:
    """Return a Jinja environment set up like the server's: one per language, everything but page data in globals."""
    made = Environment(
        loader=FileSystemLoader(VIEWS), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.globals.update(t=catalogue.text, static=static, site=site, lang=catalogue.language, languages=languages)
    return made


def render(
    view: str,
    page: Mapping[str, Any],
    *,
    site: Site = SITE,
    catalogue: Catalogue = ENGLISH,
    error_page: bool = False,
    languages: Languages = (),
) -> str:
    """Render ``view`` with the data of its contract; only error pages are given a reference and a time.

    :param languages: what can be chosen in the foot of the page; nothing: the forms are those of the page alone
    """
    data: dict[str, Any] = {"reference": REFERENCE, "time": TIME} if error_page else {}
    return environment(site, catalogue, languages).get_template(view).render(nonce=NONCE, page=page, back=BACK, **data)
