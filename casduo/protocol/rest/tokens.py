"""The token with which a program asks about a push: signed, timed, and good for the call it was made for."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.mfa.duo.pushes import PushName
from casduo.protocol.rest.call import RestCall
from casduo.protocol.rest.errors import BadForm, PushRefused
from casduo.signing import Purpose, Signing, TokenExpired, TokenInvalid

LIFETIME = 120.0
"""Seconds: the time that a person has, and as long again for the program to ask once more."""


@dataclass(frozen=True, slots=True)
class SentPush:
    """What a token holds: the push, and whom, what and by which Duo application it was sent for.

    :param service: registry id, empty for none
    :param application: its name in the settings; a yes to one application is none to another
    """

    name: PushName
    client: str
    principal: str
    service: str
    application: str

    def fits(self, call: RestCall, application: str) -> bool:
        """Say whether it was sent for this program, person and service, by this Duo application."""
        found = (self.client, self.principal, self.service, self.application)
        return found == (call.client.name, call.principal, call.service, application)


class PushTokens:
    """Makes and reads tokens. They open nothing without the password or the session that a call brings as well."""

    def __init__(self, signing: Signing) -> None:
        self._signing = signing

    def make(self, push: SentPush, now: float) -> str:
        """Return the token of a push that was just sent."""
        value = [push.name.text, push.client, push.principal, push.service, push.application]
        return self._signing.dumps(Purpose.REST_PUSH, value, now)

    def read(self, token: str, now: float) -> SentPush:
        """Return what a token holds.

        :raises BadForm: it is none of ours
        :raises PushRefused: it is too old
        """
        try:
            value = self._signing.loads(Purpose.REST_PUSH, token, LIFETIME, now)
        except TokenExpired:
            raise PushRefused("gone") from None
        except TokenInvalid:
            raise BadForm(text="push is not what was answered to an earlier call") from None
        text, *rest = value
        name = PushName.parse(text)
        assert name is not None
        return SentPush(name, *rest)
