"""The enrolment pages as data: what each one shows, whom it offers which way on. The templates say it in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from casduo.enrollment.model import Code, EnrollSession
from casduo.enrollment.qr import qr_picture
from casduo.enrollment.service import Progress
from casduo.enrollment.standing import PUSH, Standing
from casduo.errors import MalformedService
from casduo.mfa.duo.gateway import Device
from casduo.rules import LoginRules
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.services.urls import ServiceUrl, parse_service
from casduo.webflow.actions.facts import ServiceFacts, service_facts
from casduo.webflow.effects import Form, Page
from casduo.webflow.scope import Scope

START, CODE, STATUS = "/enroll/", "/enroll/code", "/enroll/status"
"""The addresses of the pages, below the server's path."""

Problem = Literal["unavailable", "nobody", "unneeded", "refused", "link_used", "link_expired", "sign_in"]
_STATUS: Mapping[Problem, int] = {
    "unavailable": 503,
    "nobody": 403,
    "unneeded": 200,
    "refused": 403,
    "link_used": 410,
    "link_expired": 410,
    "sign_in": 403,
}
_WAIT = 10
"""Seconds after which it makes sense to ask Duo again."""


@dataclass(frozen=True, slots=True)
class Onward:
    """The application somebody came from.

    :param service: what a page shows of it; ``None`` if they came by themselves, or it is not registered any more
    :param url: our own login for what they asked for; ``None`` if they came by themselves
    """

    service: ServiceFacts | None
    url: str | None


@dataclass(frozen=True, slots=True)
class EnrollmentPages:
    """Makes the pages. ``minutes`` is how long a code is good for."""

    rules: LoginRules
    minutes: int

    def onward(self, asked: Mapping[str, Any], registry: Registry) -> Onward:
        """Return where somebody goes on to. The address is one of our own login, which checks what it is asked for."""
        if not asked:
            return Onward(None, None)
        found = requested(asked, registry)
        return Onward(service_facts(*found) if found else None, self.rules.login_url(Scope.from_json(asked)))

    def standing(self, session: EnrollSession, found: Standing, onward: Onward, csrf: str, now: float) -> Page:
        """The page that says how somebody stands."""
        match found.need:
            case "code":
                return self._start(session, onward, csrf, now)
            case "portal":
                return self._portal(found)
            case "devices":
                return self._devices(session, found, onward, csrf, now)
            case "nobody" | "unneeded" | "refused":
                return self.problem(found.need, onward, said=found.said)

    def _start(self, session: EnrollSession, onward: Onward, csrf: str, now: float) -> Page:
        data = {
            "service": onward.service,
            "minutes": self.minutes,
            "renewed": session.code is not None,
            "error": _error(session, now),
        }
        return Page("enroll_start", data, form=self._form(csrf))

    def code(self, code: Code, progress: Progress, onward: Onward, now: float) -> Page:
        """The page with the code."""
        seconds = left(code, now)
        data = {
            "service": onward.service,
            "qr": qr_picture(code.text),
            "code": code.text,
            "activation_url": code.url or None,
            "seconds": seconds,
            "minutes": max(1, math.ceil(seconds / 60)),
            "confirming": progress.confirming,
            "trouble": progress.trouble,
            "again_url": f"{self.rules.base}{STATUS}",
            "refresh_url": f"{self.rules.base}{CODE}",
        }
        return Page("enroll_code", data)

    def _portal(self, found: Standing) -> Page:
        return Page("enroll_portal", {"portal_url": found.portal_url, "check_url": f"{self.rules.base}{START}"})

    def _devices(self, session: EnrollSession, found: Standing, onward: Onward, csrf: str, now: float) -> Page:
        data = {
            "service": onward.service,
            "continue_url": onward.url,
            "done": session.stage == "done",
            "devices": [{"name": device.label, "kind": _kind(device)} for device in found.devices],
            "renewed": session.code is not None,
            "confirm_first": found.addition == "confirm",
            "error": _error(session, now),
        }
        return Page("enroll_devices", data, form=self._form(csrf) if found.addition else None)

    def problem(self, reason: Problem, onward: Onward, *, said: str = "", retry_url: str | None = None) -> Page:
        """The page for what stands in the way.

        :param said: Duo's own words
        :param retry_url: where the same can be tried again
        """
        data = {
            "reason": reason,
            "service": onward.service,
            "continue_url": onward.url,
            "retry_url": retry_url,
            "said": said or None,
        }
        return Page("enroll_problem", data, status=_STATUS[reason], wait=_WAIT if reason == "unavailable" else 0)

    def _form(self, csrf: str) -> Form:
        return Form(f"{self.rules.base}{CODE}", csrf=csrf)


def requested(asked: Mapping[str, Any], registry: Registry) -> tuple[RegisteredService, ServiceUrl] | None:
    """Return entry and address of the application that a login was for; ``None`` if there is none."""
    try:
        url = parse_service(str(asked.get("service", "")), registry.schemes)
    except MalformedService:
        return None
    entry = registry.find(url)
    return (entry, url) if entry is not None else None


def left(code: Code, now: float) -> int:
    """Return for how many seconds a code is good."""
    return max(0, math.ceil(code.ends_at - now))


def _error(session: EnrollSession, now: float) -> dict[str, object] | None:
    match session.trouble:
        case "limited":
            minutes = max(1, math.ceil((session.trouble_until - now) / 60))
            return {"id": "enroll.error.limited", "facts": {"minutes": minutes}}
        case "unavailable":
            return {"id": "enroll.error.unavailable", "facts": {}}
    return None


def _kind(device: Device) -> str:
    """What a device does: ``app``, ``phone`` (calls and text messages) or ``token`` (shows codes)."""
    if device.kind == "token":
        return "token"
    return "app" if PUSH in device.capabilities else "phone"
