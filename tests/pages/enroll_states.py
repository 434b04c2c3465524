"""The enrolment pages in every state that a person can meet, with sample data; ``states.py`` takes them from here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from casduo.enrollment.qr import qr_picture

CODE = "duo://8LIRa5danrICkhHtkLxi-YXBpLXh4eHh4eHh4LmR1b3NlY3VyaXR5LmNvbQ"
STATUS, CODE_PAGE, START = "/cas/enroll/status", "/cas/enroll/code", "/cas/enroll/"
CONTINUE = "/cas/login?service=https%3A%2F%2Fpayroll.example.edu%2F"
REASONS = ("unavailable", "nobody", "unneeded", "refused", "link_used", "link_expired", "sign_in")
DEVICES = [
    {"name": "iPhone of Ada (XXX-XXX-0142)", "kind": "app"},
    {"name": "Desk (XXX-XXX-0100)", "kind": "phone"},
    {"name": "20361492", "kind": "token"},
    {"name": "", "kind": "app"},
]
LIMITED = {"id": "enroll.error.limited", "facts": {"minutes": 24}}
UNAVAILABLE: dict[str, Any] = {"id": "enroll.error.unavailable", "facts": {}}


def enroll_start(form: object, **changes: Any) -> dict[str, Any]:
    """Return the data of the page before the code, for somebody who came by themselves."""
    return dict(service=None, minutes=10, renewed=False, error=None, form=form) | changes


def enroll_code(**changes: Any) -> dict[str, Any]:
    """Return the data of the page with a code that nobody has used yet."""
    page: dict[str, Any] = dict(service=None, qr=qr_picture(CODE), code=CODE, confirming=False, trouble=False)
    page |= dict(activation_url="https://m-xxxxxxxx.duo.test/activate/8LIRa5danrICkhHtkLxi", seconds=581, minutes=10)
    return page | dict(again_url=STATUS, refresh_url=CODE_PAGE) | changes


def enroll_devices(**changes: Any) -> dict[str, Any]:
    """Return the data of the page of somebody who has devices, where none can be added."""
    page: dict[str, Any] = dict(service=None, continue_url=None, done=False, devices=DEVICES, renewed=False)
    return page | dict(confirm_first=False, error=None, form=None) | changes


def enroll_problem(reason: str, **changes: Any) -> dict[str, Any]:
    """Return the data of the page about what stands in the way."""
    return dict(reason=reason, service=None, continue_url=None, retry_url=None, said=None) | changes


def enroll_states(service: object, form: object) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield name, view and data of each state.

    :param service: what people came for
    :param form: the form of the pages that have one
    """
    for name, changes in (
        ("", {}),
        ("-service", {"service": service}),
        ("-renewed", {"service": service, "renewed": True, "minutes": 1}),
        ("-limited", {"error": LIMITED, "renewed": True}),
        ("-limited-soon", {"error": LIMITED | {"facts": {"minutes": 1}}}),
        ("-unavailable", {"error": UNAVAILABLE}),
    ):
        yield f"enroll_start{name}", "enroll_start.html", enroll_start(form, **changes)
    for name, changes in (
        ("", {}),
        ("-service", {"service": service}),
        ("-soon", {"seconds": 40, "minutes": 1, "activation_url": None}),
        ("-confirming", {"service": service, "confirming": True}),
        ("-trouble", {"trouble": True}),
    ):
        yield f"enroll_code{name}", "enroll_code.html", enroll_code(**changes)
    portal = dict(portal_url="https://api-xxxxxxxx.duo.test/portal?code=4&akey=DI", check_url=START)
    yield "enroll_portal", "enroll_portal.html", portal
    onward = {"service": service, "continue_url": CONTINUE}
    for name, changes in (
        ("", {}),
        ("-done", {"done": True, "devices": DEVICES[:1], **onward}),
        ("-unregistered", {"done": True, "devices": DEVICES[:1], "continue_url": CONTINUE}),
        ("-add", {"form": form, "renewed": True}),
        ("-confirm", {"form": form, "confirm_first": True, **onward}),
        ("-limited", {"form": form, "error": LIMITED}),
    ):
        yield f"enroll_devices{name}", "enroll_devices.html", enroll_devices(**changes)
    for reason in REASONS:
        yield f"enroll_problem-{reason}", "enroll_problem.html", enroll_problem(reason)
    for reason in ("unneeded", "link_used"):
        yield f"enroll_problem-{reason}-service", "enroll_problem.html", enroll_problem(reason, **onward)
    link = enroll_problem("link_expired", continue_url=CONTINUE)
    yield "enroll_problem-link_expired-unregistered", "enroll_problem.html", link
    yield "enroll_problem-again", "enroll_problem.html", enroll_problem("unavailable", retry_url=START, **onward)
    said = enroll_problem("refused", said="Your account is disabled.")
    yield "enroll_problem-refused-said", "enroll_problem.html", said
