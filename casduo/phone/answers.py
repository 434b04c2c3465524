"""From a screen to what goes over the wire: the object's XML in the phone's encoding, and its headers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from casduo.phone.models import Traits
from casduo.phone.screens import InputScreen, MenuScreen, Screen, SoftKey, TextScreen

_PAST = "Sat, 01 Jan 2000 00:00:00 GMT"
"""A page that has expired is not gone back to. 8800 phones believe no date before 1970-01-02."""
_FORGOTTEN = [("Expires", _PAST), ("Cache-Control", "no-store")]
_NO_PAGE = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
]
"""For browsers that somebody leads here: it is XML and nothing else, and carries nothing out. Phones know neither."""

_TEMPLATES = {TextScreen: "phone/text.xml", MenuScreen: "phone/menu.xml", InputScreen: "phone/input.xml"}
_NAMED = {"&#39;": "&apos;", "&#34;": "&quot;"}


class Render(Protocol):
    """Fills in a template of ``views/``."""

    def __call__(self, template: str, /, **data: Any) -> str:
        """Return the document, its values escaped."""
        ...


def answer_of(screen: Screen, traits: Traits, render: Render) -> tuple[bytes, list[tuple[str, str]]]:
    """Return body and headers of the answer, ``Content-Length`` among them. Its status is 200, whatever it tells:
    of anything else a phone shows nothing but the number.

    :param render: :meth:`casduo.web.Web.document`
    """
    document = render(
        _TEMPLATES[type(screen)],
        screen=screen,
        charset=traits.charset,
        posts=traits.posts,
        heading=_heading(screen, traits),
        softkeys=_placed(screen.softkeys, traits),
    )
    body, headers = _sent(document, traits)
    if not screen.kept:
        headers += _FORGOTTEN
    if isinstance(screen, TextScreen) and screen.refresh is not None:
        headers.append(("Refresh", f"{screen.refresh.seconds}; url={screen.refresh.url}"))
    return body, headers


def orders_of(uris: Sequence[str], traits: Traits, render: Render) -> tuple[bytes, list[tuple[str, str]]]:
    """Return the answer that has a phone do something in place of showing a page: CiscoIPPhoneExecute.

    :param uris: three at most, one of them an address at most; phones promise no order
    """
    body, headers = _sent(render("phone/execute.xml", charset=traits.charset, uris=uris), traits)
    return body, headers + _FORGOTTEN


def _sent(document: str, traits: Traits) -> tuple[bytes, list[tuple[str, str]]]:
    body = _encoded(document, traits)
    kind = f"text/xml; charset={traits.charset}"
    return body, [("Content-Type", kind), ("Content-Length", str(len(body))), *_NO_PAGE]


def _heading(screen: Screen, traits: Traits) -> dict[str, str]:
    """Return title and prompt as far as the model shows them.

    A text says everything itself: its prompt is there for models that would make one up. In forms and menus the prompt
    says what to do, and what went wrong.
    """
    names = ["Title", "Prompt"]
    if traits.one_heading:
        names = ["Title"] if isinstance(screen, TextScreen) else ["Prompt"]
    elif isinstance(screen, TextScreen) and not traits.needs_prompt:
        names = ["Title"]
    texts = {"Title": screen.title, "Prompt": screen.prompt}
    return {name: texts[name] for name in names if texts[name]}


def _placed(softkeys: tuple[SoftKey, ...], traits: Traits) -> list[tuple[int, SoftKey]]:
    placed = sorted(((traits.places[key.role], key) for key in softkeys), key=lambda pair: pair[0])
    return [(place, key) for place, (_, key) in enumerate(placed, 1)] if traits.close else placed


def _encoded(document: str, traits: Traits) -> bytes:
    """Return the document with the names of the two quotes, which all phones know, in place of their numbers."""
    for number, name in _NAMED.items():
        document = document.replace(number, name)
    # What an encoding lacks goes by its number.
    return document.encode(traits.charset, "xmlcharrefreplace")
