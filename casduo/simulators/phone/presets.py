"""How phone models differ: what they send, which objects they know and where their softkeys are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SELECT_FIRST: Mapping[str, int] = {"Select": 1, "Submit": 1, "Update": 2, "Next": 2, "<<": 2, "Exit": 3, "Cancel": 3}
"""Places of a phone's own softkeys from left to right, as 7900 phones have them."""

EXIT_FIRST: Mapping[str, int] = {"Exit": 1, "Cancel": 1, "Select": 2, "Submit": 2, "Update": 3, "Next": 3, "<<": 3}
"""The same on 7800, 8800 and later desk phones."""

FROM_THE_RIGHT: Mapping[str, int] = {"Select": 1, "Submit": 1, "Update": 1, "Next": 1, "Exit": 2, "Cancel": 2, "<<": 3}
"""The same where place 1 is the right key and further ones go left (8821)."""

ALL_OBJECTS = frozenset({"CiscoIPPhoneText", "CiscoIPPhoneMenu", "CiscoIPPhoneInput", "CiscoIPPhoneExecute"})

_ACCEPT = "x-CiscoIPPhone/*, text/*, image/png, */*"
_ACCEPT_VERSION = "x-CiscoIPPhone/*;version=8.5.1, text/*, image/png, */*"
_UTF8_FIRST = "utf-8,iso-8859-1;q=0.8"


@dataclass(frozen=True, slots=True)
class Preset:
    """One phone model. ``dataclasses.replace`` makes a variant of it.

    :param model: as in ``x-CiscoIPPhoneModelName``.
    :param display: as in ``x-CiscoIPPhoneDisplay``: width, height, depth in bits, C(olour) or G(rey).
    :param columns: characters in a line of the drawn display.
    :param accept_charset: the header; encodings it does not name are refused.
    :param posts: carries out ``method="post"`` of an Input; others submit everything with GET.
    :param cookies: keeps cookies at all.
    :param windows: closing the service's window forgets its cookies.
    :param host_is_address: the Host header holds the server's address although the URL had a name (CSCur13256).
    :param needs_prompt: pages without a Prompt are a violation.
    :param title_or_prompt: shows no Title where there is a Prompt; both together are a violation.
    :param objects: the objects the model can show; others are ``XML Error [5]``.
    :param positions: the highest Position of a softkey.
    :param applications_key: Position -1, the Applications button, is allowed.
    :param places: where the model's own softkeys are.
    :param strict_expires: Expires counts only when it lies after 1 January 1970.
    :param terse: words for statuses instead of numbers (6900).
    :param max_bytes: the largest answer read.
    """

    model: str
    display: str
    columns: int = 40
    user_agent: str = "Allegro-Software-WebClient/4.34"
    accept: str = _ACCEPT_VERSION
    accept_charset: str = _UTF8_FIRST
    sdk_version: str = "8.5.1"
    posts: bool = False
    cookies: bool = True
    windows: bool = True
    host_is_address: bool = False
    needs_prompt: bool = False
    title_or_prompt: bool = False
    objects: frozenset[str] = ALL_OBJECTS
    positions: int = 16
    applications_key: bool = False
    places: Mapping[str, int] = field(default_factory=lambda: EXIT_FIRST)
    strict_expires: bool = False
    terse: bool = False
    max_bytes: int = 196_608

    @property
    def charsets(self) -> frozenset[str]:
        """The encodings in ``accept_charset``, in lower case."""
        names = (part.partition(";")[0].strip().lower() for part in self.accept_charset.split(","))
        return frozenset(name for name in names if name)

    def headers(self, language: str) -> tuple[tuple[str, str], ...]:
        """Return what the model sends with every request, besides Host and cookies."""
        return (
            ("User-Agent", self.user_agent),
            ("Accept", self.accept),
            ("Accept-Language", language),
            ("Accept-Charset", self.accept_charset),
            ("x-CiscoIPPhoneModelName", self.model),
            ("x-CiscoIPPhoneSDKVersion", self.sdk_version),
            ("x-CiscoIPPhoneDisplay", self.display),
        )


PRESETS: Mapping[str, Preset] = {
    # An old one: one encoding, and an SDK from before most of what later phones know.
    "7960": Preset(
        "CP-7960G",
        "133, 65, 2, G",
        columns=24,
        user_agent="Allegro-Software-WebClient/3.12",
        accept=_ACCEPT,
        accept_charset="iso-8859-1",
        sdk_version="3.2.1",
        windows=False,
        needs_prompt=True,
        places=SELECT_FIRST,
    ),
    "7965": Preset(
        "CP-7965G",
        "298,156,16,C",
        columns=32,
        accept=_ACCEPT,
        accept_charset="iso-8859-1,utf-8;q=0.8",
        windows=False,
        host_is_address=True,
        needs_prompt=True,
        places=SELECT_FIRST,
    ),
    # Nobody says that 6900 phones keep cookies, so this one does not.
    "6921": Preset(
        "CP-6921",
        "396, 81, 1, G",
        columns=32,
        accept=_ACCEPT,
        cookies=False,
        windows=False,
        title_or_prompt=True,
        terse=True,
    ),
    "7841": Preset("CP-7841", "396, 162, 1, G", posts=True),
    "8845": Preset("CP-8845", "559, 265, 24, C", posts=True, strict_expires=True),
    # The vendor's list of phones that can POST says "8800" and leaves this one unclear: it does not.
    "8821": Preset(
        "CP-8821",
        "240, 320, 24, C",
        columns=28,
        positions=8,
        applications_key=True,
        places=FROM_THE_RIGHT,
        strict_expires=True,
    ),
    "9841": Preset("DP-9841", "480, 240, 24, C", sdk_version="10.1.1", strict_expires=True),
    # The wireless 800 series has no Input object.
    "860": Preset(
        "CP-860",
        "480, 800, 24, C",
        columns=32,
        cookies=False,
        objects=ALL_OBJECTS - {"CiscoIPPhoneInput"},
    ),
}
"""Presets by the number people call the model."""
