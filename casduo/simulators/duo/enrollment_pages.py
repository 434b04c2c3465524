"""Enrolment as pages: the QR code, the phone that scans it, and the portal where people enrol without help."""

from __future__ import annotations

import io
from collections.abc import Callable

import segno
from werkzeug.wrappers import Request, Response

from casduo.simulators.duo.account import Account
from casduo.simulators.duo.enrollment import ENROLLMENT_LIFETIME, Activation, Site
from casduo.simulators.duo.model import User
from casduo.simulators.duo.rendering import Renderer
from casduo.simulators.pages import see_other, text

_LONGEST_QR_VALUE = 500
_LONGEST_NAME = 60


class EnrollmentPages:
    """Answers for ``/frame/qr``, ``/activate`` and ``/portal``. The caller holds the account's lock.

    :param clock: the simulator's time in epoch seconds.
    """

    def __init__(self, account: Account, renderer: Renderer, site: Site, clock: Callable[[], float]) -> None:
        self._account = account
        self._renderer = renderer
        self._site = site
        self._clock = clock

    def show_qr(self, request: Request) -> Response:
        """Draw an activation code."""
        value = request.args.get("value", "")
        if not 0 < len(value) <= _LONGEST_QR_VALUE:
            return text("not the text of an activation code", 400)
        image = io.BytesIO()
        segno.make(value, error="m").save(image, kind="png", scale=6, border=4)
        return Response(image.getvalue(), content_type="image/png")

    def show_activate(self, request: Request, code: str) -> Response:
        """Play the phone that scanned a code, and set up the app on it."""
        now = self._clock()
        activation = self._account.enrollments.find(code)
        if activation is None or activation.status(now) == "invalid":
            return self._renderer.message("This activation code is not valid, or no longer.", 404)
        if request.method == "POST":
            name = request.form.get("name", "").strip()
            self._account.enrollments.claim(activation, name[:_LONGEST_NAME], now)
            return see_other(f"/activate/{code}")
        return self._renderer.page("activate.html", activation=activation)

    def show_portal(self, request: Request) -> Response:
        """Take an invitation; it is used up by the press of the button, not by looking at the page."""
        if request.method == "GET":
            code = request.args.get("code", "")
            return self._renderer.page("portal.html", code=code, activation=None, payload="")
        now = self._clock()
        link = self._account.enrollments.accept(request.form.get("code", ""), now)
        if link is None:
            return self._renderer.message("This link was used already or has run out.", 404)
        user = self._account.find(link.username) or self._account.add(User(link.username))
        activation = self._account.enrollments.start(user, ENROLLMENT_LIFETIME, now)
        return see_other(f"/portal/{activation.code}")

    def show_portal_progress(self, request: Request, code: str) -> Response:
        """Show the code to scan, and that it was scanned."""
        activation = self._account.enrollments.find(code)
        if activation is None:
            return self._renderer.message("This page has run out.", 404)
        return self._renderer.page(
            "portal.html", code="", activation=activation, payload=self._site.payload(activation)
        )

    def show_portal_version(self, request: Request, code: str) -> Response:
        """Tell a script whether the code was scanned."""
        return text(_status(self._account.enrollments.find(code), self._clock()))


def _status(activation: Activation | None, now: float) -> str:
    return activation.status(now) if activation is not None else "gone"
