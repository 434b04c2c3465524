"""What people see of the simulated Duo: the prompt in the browser, their phone, and enrolment."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

import segno
from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from casduo.simulators.duo.account import Account
from casduo.simulators.duo.enrollment import Activation
from casduo.simulators.duo.faults import DuoFaults
from casduo.simulators.duo.model import Phone, Reply, Token, User
from casduo.simulators.duo.prompt import ENROLLMENT_LIFETIME, Prompt, PromptSession, View, phone_to_ask
from casduo.simulators.duo.waiting import Waiting

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

_REPLIES: Mapping[str, Reply] = {"approve": "approve", "deny": "deny", "fraud": "fraud"}

_STATIC_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

_LONGEST_QR_VALUE = 500

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
        Rule("/phone/<username>/version", endpoint="phone_version", methods=_READ),
        Rule("/activate/<code>", endpoint="activate", methods=_FORM),
        Rule("/portal", endpoint="portal", methods=_FORM),
        Rule("/portal/<code>", endpoint="portal_progress", methods=_READ),
        Rule("/portal/<code>/version", endpoint="portal_version", methods=_READ),
    ],
    strict_slashes=False,
)


class Pages:
    """Answers browsers.

    :param clock: the simulator's time in epoch seconds.
    """

    def __init__(
        self, account: Account, waiting: Waiting, prompt: Prompt, faults: DuoFaults, clock: Callable[[], float]
    ) -> None:
        self._account = account
        self._waiting = waiting
        self._prompt = prompt
        self._faults = faults
        self._clock = clock
        self._templates = Environment(
            loader=PackageLoader("casduo.simulators.duo"), autoescape=True, undefined=StrictUndefined
        )
        self._templates.filters["clock"] = lambda moment: time.strftime("%H:%M:%S", time.localtime(moment))
        self._show: Mapping[str, Callable[..., Response]] = {
            "home": self._show_home,
            "static": self._show_static,
            "qr": self._show_qr,
            "prompt": self._show_prompt,
            "prompt_version": self._show_prompt_version,
            "phones": self._show_phones,
            "phone": self._show_phone,
            "phone_version": self._show_phone_version,
            "activate": self._show_activate,
            "portal": self._show_portal,
            "portal_progress": self._show_portal_progress,
            "portal_version": self._show_portal_version,
        }

    def respond(self, request: Request) -> Response | None:
        """Answer a request for a page; None when there is no such page."""
        try:
            endpoint, arguments = _URLS.bind_to_environ(request.environ).match()
        except NotFound:
            return None
        except HTTPException as error:
            return Response(error.description, error.code, content_type="text/plain; charset=utf-8")
        if request.method == "POST" and not _from_own_page(request):
            return self._message("That request came from another site.", 403)
        with self._waiting.lock:
            self._account.settle(self._clock())
            response = self._show[endpoint](request, **arguments)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    # -- the prompt --------------------------------------------------------------------------------------------------

    def _show_prompt(self, request: Request, session_id: str) -> Response:
        now = self._clock()
        session = self._prompt.find(session_id, now)
        if session is None:
            return self._message("This login has expired. Go back to where you came from and start again.", 404)
        if request.method == "POST":
            self._act(session, request.form, now)
            return _see_other(f"/frame/prompt/{session.id}")
        view = self._prompt.view(session, now, self._faults.callback)
        if view.stage == "leave":
            return _see_other(view.location)
        return self._render_prompt(session, view, holding=request.args.get("show") == "passcode")

    def _act(self, session: PromptSession, form: Mapping[str, str], now: float) -> None:
        action = form.get("action", "")
        if action == "push":
            self._prompt.send_request(session, "push", now)
        elif action == "phone":
            self._prompt.send_request(session, "phone", now)
        elif action == "sms":
            self._prompt.send_sms(session, now)
        elif action == "passcode":
            self._prompt.enter_passcode(session, form.get("passcode", ""), now)
        elif action == "enroll":
            self._prompt.enroll(session, now)

    def _render_prompt(self, session: PromptSession, view: View, *, holding: bool) -> Response:
        transaction = session.transaction
        abilities = {ability for phone in view.user.phones for ability in phone.capabilities} if view.user else set()
        phone = phone_to_ask(view.user) if view.user else None
        return self._page(
            "prompt.html",
            view=view,
            session=session,
            application=session.application.name,
            username=session.request.username,
            waiting_for=transaction if view.stage == "waiting" else None,
            device_name=phone.display_name if phone is not None else "",
            abilities=abilities,
            # Without scripts the page refreshes itself; somebody who types a passcode asks for it to hold still.
            holding=holding,
            activation=session.activation,
            payload=session.activation.payload(self._api_host()) if session.activation else "",
        )

    def _show_prompt_version(self, request: Request, session_id: str) -> Response:
        session = self._prompt.find(session_id, self._clock())
        return _text(session.version if session is not None else "gone")

    # -- the phone ---------------------------------------------------------------------------------------------------

    def _show_home(self, request: Request) -> Response:
        return _see_other("/phone")

    def _show_phones(self, request: Request) -> Response:
        waiting = {transaction.username for transaction in self._account.pending()}
        people = sorted(self._account.users.values(), key=lambda user: user.username)
        return self._page("phones.html", people=people, waiting=waiting)

    def _show_phone(self, request: Request, username: str) -> Response:
        now = self._clock()
        user = self._account.find(username)
        if user is None:
            return self._message("Nobody of that name has a phone here.", 404)
        passcode = notice = ""
        if request.method == "POST":
            if request.form.get("action") == "passcode":
                passcode = _next_passcode(user, request.form.get("device", ""))
            else:
                notice = self._press(user, request.form, now)
                if not notice:
                    return _see_other(f"/phone/{user.username}")
        return self._render_phone(user, passcode, notice)

    def _press(self, user: User, form: Mapping[str, str], now: float) -> str:
        """Carry out the press of a button and return what went wrong, or nothing."""
        transaction = self._account.transactions.get(form.get("txid", ""))
        if transaction is None or transaction.username != user.username:
            return "That request is gone."
        action = form.get("action", "")
        reply = _REPLIES.get(action)
        if reply == "approve" and transaction.verification_code not in ("", form.get("code", "").strip()):
            return "That is not the code shown on the login page."
        if action == "pick_up":
            self._account.pick_up(transaction, now)
            return ""
        if reply is None:
            return "That button does nothing."
        return "" if self._account.reply(transaction, reply, now) else "That request has run out."

    def _render_phone(self, user: User, passcode: str, notice: str) -> Response:
        return self._page(
            "phone.html",
            user=user,
            pending=self._account.pending(user.username),
            version=self._phone_version(user),
            generators=[
                device
                for device in user.usable_devices
                if isinstance(device, Token) or "mobile_otp" in device.capabilities
            ],
            messages=[code for phone in user.phones for code in phone.sms_codes.unused],
            passcode=passcode,
            notice=notice,
        )

    def _show_phone_version(self, request: Request, username: str) -> Response:
        user = self._account.find(username)
        return _text(self._phone_version(user) if user is not None else "gone")

    def _phone_version(self, user: User) -> str:
        pending = self._account.pending(user.username)
        return ".".join([f"{each.txid}-{each.version}" for each in pending]) or "idle"

    # -- enrolment ---------------------------------------------------------------------------------------------------

    def _show_qr(self, request: Request) -> Response:
        value = request.args.get("value", "")
        if not 0 < len(value) <= _LONGEST_QR_VALUE:
            return _text("not the text of an activation code", 400)
        image = io.BytesIO()
        segno.make(value, error="m").save(image, kind="png", scale=6, border=4)
        return Response(image.getvalue(), content_type="image/png")

    def _show_activate(self, request: Request, code: str) -> Response:
        now = self._clock()
        activation = self._account.enrollments.find(code)
        if activation is None or activation.status(now) == "invalid":
            return self._message("This activation code is not valid, or no longer.", 404)
        if request.method == "POST":
            name = request.form.get("name", "").strip() or "iPhone"
            self._account.enrollments.claim(activation, name[:60], now)
            return _see_other(f"/activate/{code}")
        return self._page("activate.html", activation=activation)

    def _show_portal(self, request: Request) -> Response:
        if request.method == "GET":
            return self._page("portal.html", code=request.args.get("code", ""), activation=None, payload="")
        now = self._clock()
        link = self._account.enrollments.accept(request.form.get("code", ""), now)
        if link is None:
            return self._message("This link was used already or has run out.", 404)
        user = self._account.find(link.username) or self._account.add(User(link.username))
        activation = self._account.enrollments.start(user, ENROLLMENT_LIFETIME, now)
        return _see_other(f"/portal/{activation.code}")

    def _show_portal_progress(self, request: Request, code: str) -> Response:
        activation = self._account.enrollments.find(code)
        if activation is None:
            return self._message("This page has run out.", 404)
        return self._page("portal.html", code="", activation=activation, payload=activation.payload(self._api_host()))

    def _show_portal_version(self, request: Request, code: str) -> Response:
        activation = self._account.enrollments.find(code)
        return _text(_activation_version(activation, self._clock()))

    # -- odds and ends -----------------------------------------------------------------------------------------------

    def _show_static(self, request: Request, name: str) -> Response:
        content_type = next((kind for suffix, kind in _STATIC_TYPES.items() if name.endswith(suffix)), None)
        source = resources.files("casduo.simulators.duo") / "static" / name
        if content_type is None or not source.is_file():
            return _text("no such file", 404)
        return Response(source.read_bytes(), content_type=content_type, headers={"Cache-Control": "public, max-age=60"})

    def _api_host(self) -> str:
        return self._prompt.oauth.base_url.partition("://")[2]

    def _message(self, message: str, status: int) -> Response:
        response = self._page("message.html", message=message)
        response.status_code = status
        return response

    def _page(self, template: str, **values: Any) -> Response:
        text = self._templates.get_template(template).render(**values)
        return Response(text, content_type="text/html; charset=utf-8")


def _activation_version(activation: Activation | None, now: float) -> str:
    return activation.status(now) if activation is not None else "gone"


def _next_passcode(user: User, device_id: str) -> str:
    device = next((device for device in user.usable_devices if device.id == device_id), None)
    if isinstance(device, Phone) and "mobile_otp" not in device.capabilities:
        return ""
    return device.generator.next_code() if device is not None else ""


def _from_own_page(request: Request) -> bool:
    """Browsers say where a form came from; programs say nothing, and they are welcome."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or origin == request.host_url.rstrip("/")


def _see_other(location: str) -> Response:
    response = Response(status=303, content_type="text/plain; charset=utf-8")
    response.headers["Location"] = location
    return response


def _text(text: str, status: int = 200) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
