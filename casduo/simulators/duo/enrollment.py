"""Enrolment: activation codes that a phone claims, and invitations to the enrolment portal."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlencode

from casduo.simulators.duo.model import Phone, User

PORTAL_LIFETIME = 300.0
"""Seconds a link to the enrolment portal works."""

ENROLLMENT_LIFETIME = 3600.0
"""Seconds the code shown by the prompt and by the portal works."""


@dataclass(slots=True)
class Site:
    """The address of the server as clients know it, and the links that lead there.

    :param api_host: host and port.
    :param base_url: scheme and ``api_host``.
    """

    api_host: str = ""
    base_url: str = ""

    def payload(self, activation: Activation) -> str:
        """Return what the QR code holds and ``activation_code`` says."""
        return activation.payload(self.api_host)

    def barcode_url(self, activation: Activation) -> str:
        """Return where the QR code is drawn."""
        return f"{self.base_url}/frame/qr?{urlencode({'value': self.payload(activation)})}"

    def activation_url(self, activation: Activation) -> str:
        """Return the page that plays the phone."""
        return f"{self.base_url}/activate/{activation.code}"

    def portal_url(self, link: PortalLink, integration_key: str) -> str:
        """Return the page where a person enrols without help."""
        return f"{self.base_url}/portal?{urlencode({'code': link.code, 'akey': integration_key})}"


@dataclass(slots=True)
class Activation:
    """A code that sets up the app on a phone.

    :param user: whose phone it is; None while it belongs to nobody.
    :param expires: epoch seconds; the code is no use from then on.
    """

    code: str
    user: User | None
    phone: Phone
    expires: float
    claimed: bool = False

    def status(self, now: float) -> Literal["success", "waiting", "invalid"]:
        """Return what ``enroll_status`` says about it."""
        if self.claimed:
            return "success"
        return "waiting" if now < self.expires else "invalid"

    def payload(self, api_host: str) -> str:
        """Return what the QR code holds and ``activation_code`` says."""
        host = base64.urlsafe_b64encode(api_host.encode()).decode().rstrip("=")
        return f"duo://{self.code}-{host}"


@dataclass(slots=True)
class PortalLink:
    """A short-lived invitation to the enrolment portal, for one use."""

    code: str
    username: str
    expires: float


@dataclass(frozen=True, slots=True)
class Mail:
    """A message that Duo would have sent: an invitation to the enrolment portal."""

    address: str
    username: str
    link: str = field(repr=False)


@dataclass(slots=True)
class Enrollments:
    """The codes that are out. Not thread-safe: the caller holds a lock."""

    activations: dict[str, Activation] = field(default_factory=dict, repr=False)
    portal_links: dict[str, PortalLink] = field(default_factory=dict, repr=False)

    def start(self, user: User, valid_seconds: float, now: float) -> Activation:
        """Give the user a phone that is not activated yet, and the code that activates it."""
        phone = Phone(name="", activated=False)
        user.devices.append(phone)
        return self.reactivate(user, phone, valid_seconds, now)

    def reactivate(self, user: User | None, phone: Phone, valid_seconds: float, now: float) -> Activation:
        """Make another code for a phone; the ones before it that nobody used are no use any more."""
        for earlier in self.activations.values():
            if earlier.phone is phone:
                earlier.expires = min(earlier.expires, now)
        activation = Activation(secrets.token_urlsafe(15), user, phone, now + valid_seconds)
        self.activations[activation.code] = activation
        return activation

    def find(self, code_or_payload: str) -> Activation | None:
        """Return the activation for a bare code or for the text of a QR code."""
        code = code_or_payload.removeprefix("duo://")
        if code != code_or_payload:
            code = code.rpartition("-")[0]
        return self.activations.get(code)

    def claim(self, activation: Activation, phone_name: str, now: float) -> bool:
        """Let a phone use the code. Returns False when the code was used before or ran out.

        :param phone_name: what the person calls the phone; empty keeps the name it has.
        """
        if activation.status(now) != "waiting":
            return False
        activation.claimed = True
        activation.phone.activated = True
        activation.phone.name = phone_name or activation.phone.name or "iPhone"
        return True

    def invite(self, username: str, now: float, lifetime: float = PORTAL_LIFETIME) -> PortalLink:
        """Make a link to the enrolment portal that works for ``lifetime`` seconds."""
        link = PortalLink(secrets.token_hex(8), username, now + lifetime)
        self.portal_links[link.code] = link
        return link

    def accept(self, code: str, now: float) -> PortalLink | None:
        """Use up a link to the portal; None when it was used before, ran out or never existed."""
        link = self.portal_links.pop(code, None)
        return link if link is not None and now < link.expires else None
