"""The choice of a language: the form in the foot of every page, and where it leads back to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from casduo.endpoints.base import Route, Server
from casduo.endpoints.browser import asked_for, logout
from casduo.errors import BadRequest
from casduo.request import Request
from casduo.web import Reply

_LONGEST_BACK = 4096
_OWN_PATH = re.compile(r"/(?!/)[!-\"$-\[\]-~]*")
_STEPS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
"""Parts of a path that browsers walk: ``..`` leads out of ours (URL Standard, 4.4)."""
_GOOD_FOR_ONE_USE = frozenset({"ticket", "back", "state", "code", "duo_code"})
"""Parameters of addresses that people are sent back to: they do nothing a second time, and belong on no page."""


def choose(server: Server, request: Request) -> Reply:
    """``/language``: remembers the language that was pressed, and shows the page it was pressed on.

    Nothing but how pages read hangs on it, so a form needs no token beside the check of where it comes from.
    """
    request.refuse_foreign_post()
    parameters = request.parameters
    reply = server.web.redirect(request, _own(server, parameters.get("back", "")))
    if parameters.get("language", "") in server.web.languages:
        server.web.keep_language(reply, parameters["language"])
    return reply


def way_back(server: Server, request: Request, route: Route | None, execution: str) -> str:
    """Return the address at which the page that answers ``request`` can be had once more, in another language.

    :param route: of the request; ``None`` where there is none
    :param execution: the key of the flow that waits with the page, empty for none
    """
    rules = server.parts.rules
    if route is None or route.endpoint is logout:
        # The question whether to sign out belongs to no login, and the service with it is not one to go to.
        return rules.home_url
    if execution or request.path == rules.home_url:
        return _login_again(server, request, execution)
    if not route.repeatable:
        return rules.home_url
    if request.method == "POST":
        return request.path if "GET" in route.methods else rules.home_url
    query = parse_qsl(request.environ.get("QUERY_STRING", ""), keep_blank_values=True)
    kept = urlencode([(name, value) for name, value in query if name not in _GOOD_FOR_ONE_USE])
    address = f"{request.path}?{kept}" if kept else request.path
    return address if len(address) <= _LONGEST_BACK else request.path


def _login_again(server: Server, request: Request, execution: str) -> str:
    rules = server.parts.rules
    try:
        asked = asked_for(request.parameters, rules)
    except BadRequest:
        return rules.home_url
    if execution.startswith("r."):
        return rules.step_url(asked, execution)
    # Without a flow that waits it is a refusal; what an application that nobody knows has sent along is not repeated.
    return rules.login_url(asked) if execution else rules.home_url


def _own(server: Server, address: str) -> str:
    """Return ``address`` if it is a path of ours, else that of the page where everybody can begin."""
    base = server.web.site.base
    plain = len(address) <= _LONGEST_BACK and _OWN_PATH.fullmatch(address)
    inside = address.startswith(f"{base}/") and not _STEPS.search(address.partition("?")[0])
    return address if plain and inside else server.parts.rules.home_url


LANGUAGE_ROUTES: Mapping[str, Route] = {"/language": Route(choose, ("POST",))}
