"""The Universal Prompt as pages; what may happen there is decided by ``prompt``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from werkzeug.wrappers import Request, Response

from casduo.simulators.duo.enrollment import Site
from casduo.simulators.duo.faults import DuoFaults
from casduo.simulators.duo.prompt import Prompt, PromptSession, View, phone_to_ask
from casduo.simulators.duo.rendering import Renderer
from casduo.simulators.pages import see_other, text


class PromptPages:
    """Answers for ``/frame/prompt``. The caller holds the account's lock.

    :param clock: the simulator's time in epoch seconds.
    """

    def __init__(
        self, prompt: Prompt, faults: DuoFaults, renderer: Renderer, site: Site, clock: Callable[[], float]
    ) -> None:
        self._prompt = prompt
        self._faults = faults
        self._renderer = renderer
        self._site = site
        self._clock = clock

    def show(self, request: Request, session_id: str) -> Response:
        """Show a visit, or carry out what the person chose."""
        now = self._clock()
        session = self._prompt.find(session_id, now)
        if session is None:
            message = "This login has expired. Go back to where you came from and start again."
            return self._renderer.message(message, 404)
        if request.method == "POST":
            self._act(session, request.form, now)
            return see_other(f"/frame/prompt/{session.id}")
        view = self._prompt.view(session, now, self._faults.callback)
        if view.stage == "leave":
            return see_other(view.location)
        return self._render(session, view, holding=request.args.get("show") == "passcode")

    def show_version(self, request: Request, session_id: str) -> Response:
        """Tell a script whether the page would look different now."""
        session = self._prompt.find(session_id, self._clock())
        return text(session.version if session is not None else "gone")

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

    def _render(self, session: PromptSession, view: View, *, holding: bool) -> Response:
        transaction = session.transaction
        phone = phone_to_ask(view.user) if view.user else None
        return self._renderer.page(
            "prompt.html",
            view=view,
            session=session,
            application=session.application.name,
            username=session.request.username,
            waiting_for=transaction if view.stage == "waiting" else None,
            device_name=phone.display_name if phone is not None else "",
            abilities={ability for each in view.user.phones for ability in each.abilities} if view.user else set(),
            # Without scripts the page refreshes itself; somebody who types a passcode asks for it to hold still.
            holding=holding,
            activation=session.activation,
            payload=self._site.payload(session.activation) if session.activation else "",
        )
