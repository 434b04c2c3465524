"""People's own pages as data: what each one shows, and which forms it has. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from casduo.account.signins import HOUR, ListedSignIn, listed
from casduo.agents import PHONE, Agent, agent_named, agent_of
from casduo.approvals.model import ApprovalRequest
from casduo.approvals.pages import ApprovalPages
from casduo.messages import factor_id
from casduo.mfa.duo.gateway import Device, Preauth, PreauthResult
from casduo.mfa.strength import Level, Strength
from casduo.mfa.trust import Trust
from casduo.rules import LoginRules
from casduo.services.builtin import OWN_SERVICES
from casduo.services.index import Registry
from casduo.tickets.model import TicketGrantingTicket, Visit
from casduo.tickets.registry import KnownSession
from casduo.webflow.effects import Form, Page

SESSIONS, BROWSERS, SIGN_INS, DUO = "sessions/end", "browsers/forget", "sign-ins", "duo"
"""The addresses of the pages, below that of the first one."""

Result = Literal["session", "sessions", "browser", "browsers", "gone", "stale"]
"""What came of a form, as the page behind it says it: one or all others were ended or forgotten; there was nothing of
the kind any more; the form was not one of this session's, and nothing was done.
"""
ALL: Final = "all"
"""In a form, in place of a name: every other one."""
MOST_DISOWNED: Final = 5
"""Sign-ins that a person may disown within an hour."""

_SHOWN: Final = 16
"""Characters of a fingerprint that name a session or a browser on a page; good for nothing but to find it again among
those of the same person.
"""
_STRENGTHS: Final = frozenset(get_args(Level))
_FEW = 3
_MOST_SESSIONS = 20
_MOST_SERVICES = 8
_ASK_AGAIN = 10
"""Seconds after which it makes sense to ask Duo again."""


def shown_name(fingerprint: str) -> str:
    """Return by what a session or a trusted browser goes on a page."""
    return fingerprint[:_SHOWN]


def limited(lines: Iterable[ListedSignIn], now: float) -> bool:
    """Whether somebody has disowned so many sign-ins of late that no more are taken now."""
    return sum(1 for line in lines if now - line.disowned < HOUR) >= MOST_DISOWNED


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as its person sees it. Moments are ISO 8601 with the zone of the settings; ``form`` ends it, ``None``
    for the one in which the page is looked at. ``more`` is how many applications are not named.
    """

    current: bool
    agent: Agent
    address: str
    since: str
    used: str
    expires: str
    strength: str
    factor: str | None
    remembered: bool
    services: tuple[str, ...]
    more: int
    form: Form | None


@dataclass(frozen=True, slots=True)
class SignInRow:
    """A sign-in as its person sees it. ``text`` is the id of the text for what came of it, ``facts`` what that holds;
    ``factor`` is the id of a text that it holds as well, or ``None``; ``times`` how often between ``first`` and
    ``last``.
    """

    text: str
    facts: dict[str, str]
    factor: str | None
    entered: bool
    guessed: bool
    agent: Agent
    address: str
    service: str
    times: int
    first: str
    last: str
    disowned: str | None
    url: str


@dataclass(frozen=True, slots=True)
class AccountPages:
    """Makes the pages.

    :param duo: whether the server has a Duo to ask
    """

    rules: LoginRules
    registry: Registry
    duo: bool

    def overview(
        self,
        own: str,
        sessions: Sequence[KnownSession],
        browsers: Sequence[Trust],
        sign_ins: Sequence[ListedSignIn],
        requests: Sequence[ApprovalRequest],
        csrf: str,
        now: float,
        result: str = "",
    ) -> Page:
        """The first page: sessions, trusted browsers, the latest sign-ins and requests.

        :param own: fingerprint of the session in which the page is looked at
        :param csrf: for its forms
        :param result: what came of a form just now, one of :data:`Result`
        """
        # One's own first: it is the one that people recognise, and by which they recognise the others.
        ordered = sorted(sessions, key=lambda one: (one.name.fingerprint != own, -one.ticket.used_at))
        asked = ApprovalPages(self.rules).requests(requests[:_FEW], now).data["requests"]
        data = {
            **self._frame("overview"),
            "result": result or None,
            "sessions": [self._session(one, own, csrf) for one in ordered[:_MOST_SESSIONS]],
            "more_sessions": len(ordered[_MOST_SESSIONS:]),
            "end_others_url": self._url(SESSIONS) if len(ordered) > 1 else None,
            "browsers": [self._browser(one, csrf) for one in browsers],
            "forget_all_url": self._url(BROWSERS) if len(browsers) > 1 else None,
            "sign_ins": [self._sign_in(one) for one in listed(sign_ins, 0, _FEW, 1)],
            "requests": asked,
            "requests_url": self.rules.requests_url,
            "asking": bool(requests) or any(entry.requires_approval is not None for entry in self.registry.services),
            "confirmed": self._confirmed([one.ticket for one in sessions], sign_ins),
        }
        return Page("account", data)

    def confirm(self, what: Literal["sessions", "browsers"], number: int, csrf: str) -> Page:
        """The page that asks before all others end, or all browsers are forgotten.

        :param number: how many that are
        """
        action, field = (SESSIONS, "session") if what == "sessions" else (BROWSERS, "browser")
        data = {**self._frame("overview"), "what": what, "number": number}
        return Page("account_confirm", data, form=Form(self._url(action), ((field, ALL),), csrf=csrf))

    def sign_ins(self, lines: Sequence[ListedSignIn], result: str = "") -> Page:
        """The list of sign-ins of late."""
        rows = [self._sign_in(one) for one in lines]
        return Page("account_sign_ins", {**self._frame("sign_ins"), "result": result or None, "sign_ins": rows})

    def disown(self, line: ListedSignIn, csrf: str, *, too_many: bool = False) -> Page:
        """The page on which a sign-in is disowned, or that says that it was, and what to do next."""
        data = {
            **self._frame("sign_ins"),
            "sign_in": self._sign_in(line),
            "error": too_many,
            "sessions_url": self.rules.account_url,
        }
        form = Form(self._url(f"{SIGN_INS}/{line.name}"), csrf=csrf) if not line.disowned and not too_many else None
        return Page("account_disown", data, status=429 if too_many else 200, form=form)

    def second_factor(
        self,
        preauth: Preauth | None,
        session: TicketGrantingTicket,
        sessions: Sequence[KnownSession],
        sign_ins: Sequence[ListedSignIn],
    ) -> Page:
        """The page that says how somebody stands with Duo.

        :param preauth: what Duo has just said of them, ``None`` where it could not be asked
        :param session: the one in which the page is looked at: what devices are called is told to those who have shown
            one of them
        """
        proven = session.strength.level in ("duo", "trusted")
        state = _STATES[preauth.result] if preauth is not None else "unavailable"
        devices = preauth.devices if preauth is not None else ()
        data = {
            **self._frame("duo"),
            "state": state,
            "devices": [{"name": device.label, "kind": _kind(device)} for device in devices] if proven else [],
            "number": len(devices),
            "proven": proven,
            "said": preauth.status_message if preauth is not None and state == "refused" else None,
            "confirmed": self._confirmed([one.ticket for one in sessions], sign_ins),
            "enroll_url": f"{self.rules.base}/enroll/" if self.rules.duo_enrollment else None,
        }
        gone = state == "unavailable"
        return Page("account_duo", data, status=503 if gone else 200, wait=_ASK_AGAIN if gone else 0)

    # -- pieces ------------------------------------------------------------------------------------------------------

    def _frame(self, here: str) -> dict[str, Any]:
        """What the navigation of every page needs."""
        pages = [("overview", self.rules.account_url), ("sign_ins", self._url(SIGN_INS))]
        if self.duo:
            pages.append(("duo", self._url(DUO)))
        return {"pages": [{"name": name, "url": url, "here": name == here} for name, url in pages]}

    def _session(self, known: KnownSession, own: str, csrf: str) -> SessionRow:
        ticket, current = known.ticket, known.name.fingerprint == own
        names = self._services(known.visits)
        hidden = (("session", shown_name(known.name.fingerprint)),)
        return SessionRow(
            current,
            agent_of(ticket.agent),
            ticket.address,
            self._iso(ticket.authenticated_at),
            self._iso(max(ticket.used_at, ticket.authenticated_at)),
            self._iso(known.expires),
            "password" if ticket.strength.level == "none" else ticket.strength.level,
            _factor(ticket.strength),
            ticket.remembered,
            names[:_MOST_SERVICES],
            len(names[_MOST_SERVICES:]),
            Form(self._url(SESSIONS), hidden, csrf=csrf) if not current else None,
        )

    def _services(self, visits: Iterable[Visit]) -> tuple[str, ...]:
        """Return the names of applications, the one opened last first; our own pages are none."""
        ids = dict.fromkeys(visit.service_id for visit in reversed(tuple(visits)))
        return tuple(self._service(name) for name in ids if name not in OWN_SERVICES)

    def _service(self, name: str) -> str:
        entry = self.registry.by_id(name)
        return entry.name if entry is not None else name

    def _browser(self, trust: Trust, csrf: str) -> dict[str, Any]:
        return {
            "agent": agent_of(trust.agent),
            "address": trust.address,
            "since": self._iso(trust.at),
            "until": self._iso(trust.until),
            "form": Form(self._url(BROWSERS), (("browser", shown_name(trust.name)),), csrf=csrf),
        }

    def _sign_in(self, line: ListedSignIn) -> SignInRow:
        told = line.told
        text, facts = f"sign_in.{told.outcome}", {}
        if told.outcome == "signed_in":
            text = f"{text}.{told.strength if told.strength in _STRENGTHS else 'none'}"
        elif told.outcome in ("phone", "phone_refused"):
            facts = {"device": told.device}
        elif told.outcome == "refused" and told.agent == PHONE:
            text = "sign_in.refused_pin"
        factor = factor_id(told.factor) if told.factor and told.entered else None
        return SignInRow(
            f"{text}_with_factor" if factor is not None else text,
            facts,
            factor,
            told.entered,
            told.guessed,
            agent_named(told.agent),
            told.address,
            self._service(told.service) if told.service and told.service not in OWN_SERVICES else "",
            line.times,
            self._iso(line.first),
            self._iso(line.last),
            self._iso(line.disowned) if line.disowned else None,
            self._url(f"{SIGN_INS}/{line.name}"),
        )

    def _confirmed(self, sessions: Iterable[TicketGrantingTicket], lines: Iterable[ListedSignIn]) -> str | None:
        """Return when Duo last said yes to the person, as far as is known here."""
        moments = [one.strength.at for one in sessions if one.strength.level == "duo"]
        moments += [one.last for one in lines if one.told.outcome == "confirmed" or one.told.strength == "duo"]
        return self._iso(max(moments)) if moments else None

    def _url(self, below: str) -> str:
        return f"{self.rules.account_url}{below}"

    def _iso(self, moment: float) -> str:
        return datetime.fromtimestamp(int(moment), self.rules.approvals.zone).isoformat()


_STATES: Final = {
    PreauthResult.AUTH: "devices",
    PreauthResult.ENROLL: "none",
    PreauthResult.ALLOW: "unneeded",
    PreauthResult.DENY: "refused",
}


def _factor(strength: Strength) -> str | None:
    return factor_id(strength.factor) if strength.factor else None


def _kind(device: Device) -> str:
    """What a device does, in the words of the enrolment pages."""
    if device.kind == "token":
        return "token"
    return "app" if "push" in device.capabilities else "phone"
