"""What a flow asks to be sent. Actions make these; only ``web.py`` turns them into HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from casduo.values import value_object
from casduo.webflow.engine import Effect

TRUST_COOKIE = "casduo-trust"
"""The mark of a browser whose owner chose not to be asked by Duo for a while. A bearer value."""

WAY_COOKIE = "casduo-duo-way"
"""How Duo was answered in this browser last. No secret: a device's id that only its owner is asked about."""


@value_object(frozen=True, slots=True)
class Form:
    """A form of a page: where it posts and its hidden fields. ``execution`` is filled in by whoever sends the page of a
    flow that waits; ``csrf`` guards a form that belongs to no waiting flow.
    """

    action: str
    hidden: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    csrf: str = field(default="", repr=False)
    execution: str = field(default="", repr=False)


@value_object(frozen=True, slots=True)
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


@value_object(frozen=True, slots=True)
class Redirect(Effect):
    """Send the browser to ``url``, which is ready for a ``Location`` header."""

    url: str = field(repr=False)


@value_object(frozen=True, slots=True)
class ToStep(Redirect):
    """Show the page with which the flow waits now by a request of its own, so that loading it again repeats nothing.
    ``url`` is where a browser finds it.
    """


@value_object(frozen=True, slots=True)
class Join(Effect):
    """Show what another run of the flow waits with: the same person began it at the same phone a moment ago."""

    execution: str = field(repr=False)


@value_object(frozen=True, slots=True)
class GoOn(Effect):
    """What a page waited for has come: nothing is shown, the flow goes on with ``event``."""

    event: str


@value_object(frozen=True, slots=True)
class NewCookie:
    """A cookie to set, for ``lifetime`` seconds; an empty value takes it away. Some are bearer values."""

    value: str = field(repr=False)
    lifetime: int


@value_object(frozen=True, slots=True)
class HeaderAnswer(Effect):
    """CAS ``method=HEADER``: service and ticket travel as response headers (CAS protocol 2.2.4)."""

    service: str
    ticket: str = field(repr=False)
