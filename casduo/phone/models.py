"""How models of phones differ, as far as our pages have to care.

Everything here is told by the phone itself and can be forged: it decides how a page looks, never what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from casduo.accept import accepted

Charset = Literal["utf-8", "iso-8859-1"]

Role = Literal["act", "update", "exit", "more"]
"""What a softkey does, which decides where it is: ``act`` goes on (Select and Submit stand there), ``update`` looks
again or repairs (Update, ``<<``), ``exit`` leaves (Exit, Cancel), ``more`` is whatever else there is.
"""

_ACT_FIRST: Mapping[Role, int] = MappingProxyType({"act": 1, "update": 2, "exit": 3, "more": 4})
_EXIT_FIRST: Mapping[Role, int] = MappingProxyType({"exit": 1, "act": 2, "update": 3, "more": 4})
_FROM_THE_RIGHT: Mapping[Role, int] = MappingProxyType({"act": 1, "exit": 2, "update": 3, "more": 4})

_TWO_KEYS = ("CP-8821", "DP-9821")
_WITHOUT_INPUT = re.compile(r"(?:CP|DP)-8[46]0S?")
_MODEL = re.compile(r"[^A-Z0-9-]")
_LONGEST_MODEL = 32


@dataclass(frozen=True, slots=True)
class Traits:
    """What a phone can do and expects.

    ``model`` is its name, such as ``CP-8845``, empty if it did not tell. ``posts`` says that it sends forms by POST
    where it is asked to, ``needs_prompt`` that it puts words of its own where a page has no prompt, ``one_heading``
    that it shows title or prompt but not both, ``has_input`` that it knows forms. ``places`` are the places of softkeys
    by role; with ``close`` set, keys move up into places that are free.
    """

    model: str = ""
    posts: bool = False
    needs_prompt: bool = True
    one_heading: bool = False
    has_input: bool = True
    places: Mapping[Role, int] = field(default_factory=lambda: _EXIT_FIRST)
    close: bool = False
    charset: Charset = "utf-8"


def traits_of(environ: Mapping[str, Any], post_models: Sequence[str]) -> Traits:
    """Return what is known about a phone.

    Sources: Cisco's IP Phone Services development notes for which model knows which object and method; places of the
    default softkeys as 7900 phones and the later ones show them.

    :param environ: of the request; the headers ``x-CiscoIPPhoneModelName`` and ``Accept-Charset`` are read
    :param post_models: beginnings of the names of models that send forms by POST
    """
    name = _MODEL.sub("", str(environ.get("HTTP_X_CISCOIPPHONEMODELNAME", "")).upper())[:_LONGEST_MODEL]
    old = name.startswith("CP-79")
    two_keys = name.startswith(_TWO_KEYS)
    return Traits(
        model=name,
        posts=name.startswith(tuple(post_models)),
        needs_prompt=old or not name,
        one_heading=name.startswith("CP-69"),
        has_input=not _WITHOUT_INPUT.fullmatch(name),
        places=_ACT_FIRST if old else _FROM_THE_RIGHT if two_keys else _EXIT_FIRST,
        close=two_keys,
        charset=_charset(str(environ.get("HTTP_ACCEPT_CHARSET", ""))),
    )


def _charset(header: str) -> Charset:
    """Return UTF-8 wherever the phone takes it, whatever it prefers: names are not all Latin."""
    taken = accepted(header)
    return "utf-8" if not taken or "utf-8" in taken or "*" in taken else "iso-8859-1"
