"""What people see of the simulated Duo: which address is which page, and what protects them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from casduo.simulators.duo.account import Account
from casduo.simulators.duo.enrollment import Site
from casduo.simulators.duo.enrollment_pages import EnrollmentPages
from casduo.simulators.duo.faults import DuoFaults
from casduo.simulators.duo.phone_pages import PhonePages
from casduo.simulators.duo.prompt import Prompt
from casduo.simulators.duo.prompt_pages import PromptPages
from casduo.simulators.duo.rendering import Renderer
from casduo.simulators.duo.waiting import Waiting
from casduo.simulators.pages import from_own_page, see_other, static_file, text

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""No form-action: browsers apply it to redirects too, and the prompt redirects to wherever the application lives."""

_READ = ("GET",)
_FORM = ("GET", "POST")

_URLS = Map(
    [
        Rule("/", endpoint="home", methods=_READ),
        Rule("/static/<name>", endpoint="static", methods=_READ),
        Rule("/frame/qr", endpoint="qr", methods=_READ),
        Rule("/frame/prompt/<session_id>", endpoint="prompt", methods=_FORM),
        Rule("/frame/prompt/<session_id>/version", endpoint="prompt_version", methods=_READ),
        Rule("/phone", endpoint="phones", methods=_READ),
        Rule("/phone/<username>", endpoint="phone", methods=_FORM),
        Rule("/phone/<username>/habits", endpoint="habits", methods=_FORM),
        Rule("/phone/<username>/version", endpoint="phone_version", methods=_READ),
        Rule("/activate/<code>", endpoint="activate", methods=_FORM),
        Rule("/portal", endpoint="portal", methods=_FORM),
        Rule("/portal/<code>", endpoint="portal_progress", methods=_READ),
        Rule("/portal/<code>/version", endpoint="portal_version", methods=_READ),
    ],
    strict_slashes=False,
    merge_slashes=False,
)


class Pages:
    """Answers browsers.

    :param site: the address of this server as browsers know it.
    :param clock: the simulator's time in epoch seconds.
    """

    def __init__(
        self,
        account: Account,
        waiting: Waiting,
        prompt: Prompt,
        faults: DuoFaults,
        site: Site,
        clock: Callable[[], float],
    ) -> None:
        self._account = account
        self._waiting = waiting
        self._clock = clock
        self._renderer = Renderer()
        prompts = PromptPages(prompt, faults, self._renderer, site, clock)
        phones = PhonePages(account, self._renderer, clock)
        enrollment = EnrollmentPages(account, self._renderer, site, clock)
        self._show: Mapping[str, Callable[..., Response]] = {
            "home": lambda request: see_other("/phone"),
            "static": lambda request, name: static_file("casduo.simulators.duo", name),
            "qr": enrollment.show_qr,
            "prompt": prompts.show,
            "prompt_version": prompts.show_version,
            "phones": phones.show_all,
            "phone": phones.show,
            "habits": phones.show_habits,
            "phone_version": phones.show_version,
            "activate": enrollment.show_activate,
            "portal": enrollment.show_portal,
            "portal_progress": enrollment.show_portal_progress,
            "portal_version": enrollment.show_portal_version,
        }

    def respond(self, request: Request) -> Response | None:
        """Answer a request for a page; None when there is no such page."""
        try:
            endpoint, arguments = _URLS.bind_to_environ(request.environ).match()
        except NotFound:
            return None
        except HTTPException as error:
            return text(error.description or "", error.code or 400)
        if request.method == "POST" and not from_own_page(request):
            return self._renderer.message("That request came from another site.", 403)
        with self._waiting.lock:
            self._account.settle(self._clock())
            response = self._show[endpoint](request, **arguments)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response
