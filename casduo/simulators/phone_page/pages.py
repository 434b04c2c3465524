"""The phones in a browser: which address is which page, who may press keys, and what protects them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.pages import from_own_page, see_other, static_file, text
from casduo.simulators.phone_page.desk_phone import DeskPhone
from casduo.simulators.phone_page.facts import CardHolder
from casduo.simulators.server import SimulatorServer

_PACKAGE = "casduo.simulators.phone_page"
_OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")
_PORT = re.compile(r":\d+$")

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

_KEYPAD = (
    *(("1", ""), ("2", "ABC"), ("3", "DEF"), ("4", "GHI"), ("5", "JKL"), ("6", "MNO")),
    *(("7", "PQRS"), ("8", "TUV"), ("9", "WXYZ"), ("*", ""), ("0", ""), ("#", "")),
)
"""Digits and the letters on their keys, as ITU-T E.161 has them."""
_SPOKEN = {"*": "Star", "#": "Pound"}

_READ = ("GET",)

_URLS = Map(
    [
        Rule("/", endpoint="phones", methods=_READ),
        Rule("/state", endpoint="state_of_all", methods=_READ),
        Rule("/static/<name>", endpoint="static", methods=_READ),
        Rule("/phones/<device>", endpoint="phone", methods=("GET", "POST")),
        Rule("/phones/<device>/state", endpoint="state", methods=_READ),
    ],
    strict_slashes=False,
    merge_slashes=False,
)


class PhonePages:
    """The WSGI application: call it as WSGI applications are called.

    :param phones: in the order in which they are shown.
    :param people: who can log in, for the table beside the phones; it shows their PINs.
    :param duo_url: where these people answer requests of Duo; empty for nothing to link to.
    """

    def __init__(self, phones: Sequence[DeskPhone], people: Sequence[CardHolder] = (), duo_url: str = "") -> None:
        self._phones = {phone.facts.device: phone for phone in phones}
        self._people = people
        self._duo_url = duo_url
        self._templates = Environment(loader=PackageLoader(_PACKAGE), autoescape=True, undefined=StrictUndefined)
        self._show: Mapping[str, Callable[..., Response]] = {
            "phones": self._show_all,
            "state_of_all": lambda request: _json({"version": self._version_of_all()}),
            "static": lambda request, name: static_file(_PACKAGE, name),
            "phone": self._show_phone,
            "state": self._show_state,
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        response = self._respond(Request(environ))
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        # A page elsewhere could have its own name lead to this machine: it would still be that name that is asked for.
        if _PORT.sub("", request.host) not in _OWN_NAMES:
            return self._message("Address this machine by its own name.", 403)
        try:
            endpoint, arguments = _URLS.bind_to_environ(request.environ).match()
        except NotFound:
            return self._message("There is no such page.", 404)
        except HTTPException as error:
            return text(error.description or "", error.code or 400)
        if request.method == "POST" and not from_own_page(request):
            return self._message("That request came from another site.", 403)
        return self._show[endpoint](request, **arguments)

    # -- pages -------------------------------------------------------------------------------------------------------

    def _show_all(self, request: Request) -> Response:
        return self._page("phones.html", version=self._version_of_all())

    def _show_phone(self, request: Request, device: str) -> Response:
        phone = self._phones.get(device)
        if phone is None:
            return self._message("There is no such phone.", 404)
        if request.method == "POST":
            typed = {name: value for name, value in request.form.items() if name.startswith("field-")}
            page = request.form.get("page", type=int)
            phone.press(request.form.get("key", ""), typed, request.form.get("at", ""), page)
            return see_other(_address(phone))
        view = phone.look()
        return self._page(
            "phone.html",
            facts=phone.facts,
            address=_address(phone),
            view=view,
            version=view.version,
            keypad=_KEYPAD,
            spoken=_SPOKEN,
        )

    def _show_state(self, request: Request, device: str) -> Response:
        """Tell a script whether the phone would look different now. Phones go on by themselves when somebody looks."""
        phone = self._phones.get(device)
        if phone is None:
            return self._message("There is no such phone.", 404)
        view = phone.look()
        return _json({"version": view.version, "clock": view.clock})

    def _version_of_all(self) -> str:
        logins = [phone.login for phone in self._phones.values()]
        return "-".join(f"{login.user}.{login.profile}" if login is not None else "" for login in logins)

    def _page(self, template: str, **values: Any) -> Response:
        phones = [
            {"facts": phone.facts, "address": _address(phone), "login": phone.login} for phone in self._phones.values()
        ]
        always = {"phones": phones, "people": self._people, "duo_url": self._duo_url}
        page = self._templates.get_template(template).render(**always, **values)
        return Response(page, content_type="text/html; charset=utf-8")

    def _message(self, message: str, status: int) -> Response:
        response = self._page("message.html", message=message)
        response.status_code = status
        return response


def phone_page_server(
    phones: Sequence[DeskPhone],
    certificate: LeafFiles | None,
    port: int = 0,
    people: Sequence[CardHolder] = (),
    duo_url: str = "",
) -> SimulatorServer:
    """Return a server for the page, not started yet. It listens on the loopback address only."""
    return SimulatorServer(PhonePages(phones, people, duo_url), certificate=certificate, port=port, name="phone-page")


def _address(phone: DeskPhone) -> str:
    return f"/phones/{quote(phone.facts.device, safe='')}"


def _json(body: object) -> Response:
    return Response(json.dumps(body), content_type="application/json; charset=utf-8")
