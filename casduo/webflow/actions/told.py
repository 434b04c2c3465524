"""What the sign-out page says about applications: which were told, which did not answer, which tells the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from casduo.protocol.slo import front_channel_url
from casduo.rules import LoginRules
from casduo.services.builtin import OWN_SERVICES
from casduo.services.index import Registry
from casduo.signing import Purpose, Signing, TokenInvalid
from casduo.tickets.ledger import LedgerLine
from casduo.tickets.registry import Closing
from casduo.tickets.signouts import SignOut
from casduo.webflow.effects import Page

_GRAVITY = ("told", "browser", "unsupported", "waiting", "failed")
"""States by how much they matter to the person; of several sign-ins to one application the worst is shown."""
_ASKING_SECONDS = 300.0
"""How long a page may ask for news."""


def told_url(sign_out: SignOut, rules: LoginRules, signing: Signing, now: float) -> str:
    """Return the address at which the sign-out page asks for news. It shows names of applications, so it is signed."""
    return f"{rules.logout_url}/told?key={signing.dumps(Purpose.SIGN_OUT, sign_out.text, now)}"


def sign_out_of(key: str, signing: Signing, now: float) -> SignOut | None:
    """Return the sign-out that the key of :func:`told_url` stands for, ``None`` when it is none of ours or too old."""
    try:
        text = signing.loads(Purpose.SIGN_OUT, key, _ASKING_SECONDS, now)
    except TokenInvalid:
        return None
    tag, _, name = str(text).partition(".")
    return SignOut(tag, name)


def signed_out_page(
    told: Sequence[LedgerLine],
    registry: Registry,
    *,
    again_url: str,
    frames: Sequence[str] = (),
    continue_to: Mapping[str, str] | None = None,
) -> Page:
    """Return the sign-out page with what is known by now.

    :param again_url: where the page asks for news while somebody has not answered, empty for nowhere
    :param frames: addresses by which the browser tells services
    :param continue_to: name and address of the application to go on to
    """
    rows = told_rows(told, registry)
    waiting = any(row["state"] == "waiting" for row in rows)
    data = {
        "applications": rows,
        "continue_to": continue_to,
        "frames": tuple(frames),
        "again_url": again_url if waiting else "",
    }
    return Page("signed_out", data)


def told_rows(told: Sequence[LedgerLine], registry: Registry) -> list[dict[str, str]]:
    """Return name and state of each application, in the order in which they were opened.

    Our own pages are left out: their sessions have ended with the one of which people signed out.
    """
    states: dict[str, str] = {}
    for line in told:
        if line.visit.service_id in OWN_SERVICES:
            continue
        entry = registry.by_id(line.visit.service_id)
        name = entry.name if entry is not None else line.visit.service_id
        states[name] = max(states.get(name, _GRAVITY[0]), line.state, key=_GRAVITY.index)
    return [{"name": name, "state": state} for name, state in states.items()]


def front_channel(closing: Closing, registry: Registry, now: float) -> tuple[str, ...]:
    """Return the addresses by which the browser tells those services that want it so (CAS protocol 2.3.3)."""
    found: list[str] = []
    for visit in closing.visits if closing.telling else ():
        entry = registry.by_id(visit.service_id)
        address = front_channel_url(visit, entry, now) if entry is not None else None
        if address is not None:
            found.append(address)
    return tuple(found)
