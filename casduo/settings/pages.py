"""How pages look, whom they name, and in which languages."""

from __future__ import annotations

import math
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from casduo.fieldtypes import Line, Lines, LocalLine, Location, Section, WebUrl
from casduo.languages import LANGUAGES, find_language
from casduo.looks import DARK_CARD, LIGHT_CARD, TEXT_CONTRAST, contrast, readable


def _colour(value: str) -> str:
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", value):
        raise ValueError("must be a colour such as '#1f5fa8', in quotes because of the '#'")
    return value


def _refuse_unreadable(colour: str, ground: str, said: str) -> str:
    reached = contrast(colour, ground)
    if reached < TEXT_CONTRAST:
        nearest = readable(colour, ground)
        shown = math.floor(reached * 10) / 10
        raise ValueError(f"{said}: a contrast of {shown}, below 4.5; the nearest that passes is '{nearest}'")
    return colour


Colour = Annotated[Line, AfterValidator(_colour)]


class FooterLink(Section):
    """A link in the foot of every page."""

    text: LocalLine = Field(description="What it is called; a text, or texts by language.")
    url: WebUrl = Field(description="Where it leads.")


class PageSettings(Section):
    """How pages look, whom they name, and in which languages."""

    languages: Lines = Field(
        default=LANGUAGES, min_length=1, description="Languages that people can choose from, of en, de, fr and es."
    )
    language: Line | None = Field(
        default=None,
        description="The site's own language: for who reads none of the others, and for names in logs, events and "
        "messages. Without it: the first of `languages`.",
    )
    organisation: LocalLine = Field(
        default="casduo",
        description="Name of the organisation, in the heading of every page; a text, or texts by language.",
    )
    logo: Location | None = Field(default=None, description="Image file (SVG or PNG, at most 256 KiB) for the heading.")
    logo_dark: Location | None = Field(default=None, description="The same for dark screens.")
    logo_alt: LocalLine | None = Field(
        default=None,
        description="What the logo shows, in words; a text, or texts by language. Without it: the organisation.",
    )
    accent_colour: Colour = Field(
        default="#1f5fa8",
        description="Colour of buttons and links, `#rrggbb`; white text must be readable on it (4.5:1).",
    )
    accent_colour_dark: Colour | None = Field(
        default=None,
        description="The same for dark screens; must be readable on dark (4.5:1). Without it: made of `accent_colour`.",
    )
    scheme: Literal["auto", "light", "dark"] = Field(
        default="auto", description="Whether pages are light or dark; `auto`: as the screen is set."
    )
    help_text: LocalLine | None = Field(
        default=None,
        description="Line in the footer, such as the help desk's number; a text, or texts by language.",
    )
    help_url: WebUrl | None = Field(default=None, description="Link to the help desk.")
    privacy_url: WebUrl | None = Field(default=None, description="Link to the privacy notice.")
    footer_links: tuple[FooterLink, ...] = Field(default=(), max_length=10, description="More links in the footer.")
    templates: Location | None = Field(
        default=None, description="Folder of templates that take the places of those that come with casduo."
    )
    static: Location | None = Field(
        default=None, description="Folder of files for such templates, served below `/static/`."
    )

    @property
    def own_language(self) -> str:
        """The site's language."""
        return self.language or self.languages[0]

    @field_validator("languages")
    @classmethod
    def _tags(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for language in languages:
            if language not in LANGUAGES:
                near = find_language(language, LANGUAGES)
                there = f"did you mean {near}?" if near else f"there are {', '.join(LANGUAGES)}"
                raise ValueError(f"there are no translations for {language!r}; {there}")
        if len(set(languages)) != len(languages):
            raise ValueError("names a language twice")
        return languages

    @field_validator("language")
    @classmethod
    def _offered(cls, language: str | None, info: ValidationInfo) -> str | None:
        offered = info.data.get("languages", ())
        if language is not None and offered and language not in offered:
            raise ValueError(f"must be one of pages.languages: {', '.join(offered)}")
        return language

    @field_validator("accent_colour")
    @classmethod
    def _readable(cls, colour: str) -> str:
        return _refuse_unreadable(colour, LIGHT_CARD, "is too light for white text on it")

    @field_validator("accent_colour_dark")
    @classmethod
    def _readable_dark(cls, colour: str | None) -> str | None:
        return _refuse_unreadable(colour, DARK_CARD, "is too dark for dark screens") if colour else colour
