"""Decides what the enrolment pages can do for somebody, from what Duo says of them. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from casduo.enrollment.model import Code, EnrollSession
from casduo.mfa.duo.gateway import Device, Preauth, PreauthResult
from casduo.mfa.strength import Strength

Need = Literal["code", "portal", "nobody", "devices", "unneeded", "refused"]
"""What somebody needs: a code; Duo's own pages; the help desk, for there is no way here; nothing, they have devices;
nothing, Duo lets them in without; nothing that pages could give, Duo refuses them.
"""

Addition = Literal["", "confirm", "offered"]
"""Whether another device can be added: not here; after confirming with one that is there; yes."""

PUSH = "push"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the pages can do.

    :param devices: what Duo lists; the app's passcodes alone make a device too
    :param addition: whether another device can be added
    :param portal_url: Duo's own enrolment page, for one use within minutes
    :param said: Duo's text for the person, where it refuses them
    """

    need: Need
    devices: tuple[Device, ...] = ()
    addition: Addition = ""
    portal_url: str = field(default="", repr=False)
    said: str = ""


def standing(session: EnrollSession, preauth: Preauth, *, admin: bool, proven: bool) -> Standing:
    """Decide what can be done for the person of ``session``.

    An account can be made once. Where it is there and no device came to it, ``enroll`` is refused (Auth API), and a new
    code comes from the Admin API or from Duo's own page.

    :param preauth: Duo's answer for this person, just asked
    :param admin: the Admin API is there to make codes for accounts that exist
    :param proven: the person has confirmed with Duo in this single sign-on session
    """
    match preauth.result:
        case PreauthResult.AUTH:
            addition: Addition = "" if not admin else "offered" if proven else "confirm"
            return Standing("devices", preauth.devices, addition)
        case PreauthResult.ALLOW:
            return Standing("unneeded")
        case PreauthResult.DENY:
            return Standing("refused", said=preauth.status_message)
        case PreauthResult.ENROLL:
            spent = session.stage == "elsewhere" or (session.code is not None and not admin)
            if not spent:
                return Standing("code")
            return Standing("portal", portal_url=preauth.enroll_portal_url) if preauth.enroll_portal_url else _NOBODY


_NOBODY = Standing("nobody")


def agrees(preauth: Preauth, code: Code | None) -> bool:
    """Say whether Duo lists the device that took ``code``: only then is somebody registered.

    :param code: ``None`` where the device was registered elsewhere; any device is good then
    """
    if preauth.result is not PreauthResult.AUTH:
        return False
    if code is None:
        return True
    return any(PUSH in device.capabilities and code.device in ("", device.id) for device in preauth.devices)


def proves(strength: Strength, applications: Collection[str]) -> bool:
    """Say whether somebody has confirmed with a device of the account that one is to be added to.

    A trusted browser is none, nor is being let in without: both would add a device for a stolen password.

    :param applications: names of the Duo applications of that account
    """
    return strength.level == "duo" and strength.application in applications
