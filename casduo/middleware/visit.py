"""One request together with what the browser remembers: what every part of the middleware works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casduo.middleware.cookies import Header
from casduo.middleware.request import Request
from casduo.middleware.session import Session
from casduo.middleware.steps import Situation


@dataclass(frozen=True, slots=True)
class Visit:
    """A request, read and weighed.

    :param request: what was asked.
    :param situation: the facts that decide.
    :param session: the live session that lets its user in, or ``None``.
    :param session_cookies: every cookie that claims to be a session.
    :param headers: to be added to the application's answer.
    :param now: epoch seconds.
    """

    request: Request
    situation: Situation
    session: Session | None
    session_cookies: Sequence[str]
    headers: tuple[Header, ...]
    now: float
