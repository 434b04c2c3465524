"""What a flow asks to be sent. Actions make these; only ``web.py`` turns them into HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from casduo.webflow.engine import Effect


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a page: where it posts and its hidden fields. ``execution`` is filled in by whoever sends the page of a
    flow that waits; ``csrf`` guards a form that belongs to no waiting flow.
    """

    action: str
    hidden: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    csrf: str = field(default="", repr=False)
    execution: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Page(Effect):
    """A page: ``view`` names the template, ``data`` is what it shows, ``form`` its form if it has one.

    ``wait`` are seconds for ``Retry-After``, 0 for none. ``steady`` says that but for the form's values the page is the
    same for everybody on the way to one service, so that it need not be rendered each time.
    """

    view: str
    data: Mapping[str, object] = field(default_factory=dict, repr=False)
    status: int = 200
    form: Form | None = None
    wait: int = 0
    steady: bool = False


@dataclass(frozen=True, slots=True)
class Redirect(Effect):
    """Send the browser to ``url``, which is ready for a ``Location`` header."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HeaderAnswer(Effect):
    """CAS ``method=HEADER``: service and ticket travel as response headers (CAS protocol 2.2.4)."""

    service: str
    ticket: str = field(repr=False)
