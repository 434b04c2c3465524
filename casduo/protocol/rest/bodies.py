"""What the REST protocol answers: a page that old clients read with regular expressions, and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape

from casduo.protocol.rest.errors import PersonAsked
from casduo.services.release import Released

HTML_TYPE = "text/html; charset=utf-8"

_PAGES = ("text/html", "application/xhtml+xml", "*/*", "text/*")
_BARE = ("application/json", "text/plain")


def wants_page(accept: str) -> bool:
    """Say whether the page is wanted, or the bare ticket: by whichever the ``Accept`` header names first.

    Without the header, and for ``*/*``, it is the page: that is what clients expect who say nothing.
    """
    for part in accept.split(","):
        kind = part.partition(";")[0].strip().lower()
        if kind in _PAGES:
            return True
        if kind in _BARE:
            return False
    return True


def session_page(url: str) -> bytes:
    """Return the page about a new session, whose form leads to ``url``.

    On one line, and without a slash between the address and any later quotation mark: clients in the field take the
    ticket from it with ``.*action=".*/(.*?)".*``, matched as a whole and greedily.
    """
    action = escape(url, quote=True)
    return (
        "<!DOCTYPE html><html><head><title>201 Created</title></head><body><h1>Session created</h1>"
        f'<form action="{action}" method="POST">Service: <input type="text" name="service" value="">'
        '<input type="submit" value="Get a ticket"></form></body></html>'
    ).encode()


def asked_json(asked: PersonAsked) -> bytes:
    """Return what a person was sent: ``factor`` and ``device``; where an answer is waited for, ``push`` to ask with
    again, and ``code`` where the person has to type one on the device.
    """
    answer = {"factor": asked.factor, "device": asked.device, "push": asked.push, "code": asked.digits}
    return _json({name: value for name, value in answer.items() if value})


def person_json(released: Released) -> bytes:
    """Return who a person is: ``id``, and ``attributes``, each a list."""
    answer = {"id": released.user, "attributes": {name: list(values) for name, values in released.attributes.items()}}
    return _json(answer)


def _json(answer: Mapping[str, object]) -> bytes:
    return json.dumps(answer, separators=(",", ":")).encode()
