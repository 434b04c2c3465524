"""Tokens for forms that belong to no waiting flow: bound to the session they act on, timed, for this one purpose."""

from __future__ import annotations

from casduo.signing import Purpose, Signing, TokenInvalid, equal

_LIFETIME = 12 * 3600.0


class CsrfTokens:
    """Makes and checks the tokens."""

    def __init__(self, signing: Signing) -> None:
        self._signing = signing

    def make(self, session: str, now: float) -> str:
        """Return a token for forms of the session with this fingerprint."""
        return self._signing.dumps(Purpose.CSRF, session, now)

    def fits(self, token: str, session: str, now: float) -> bool:
        """Whether ``token`` was made for this session and is not too old."""
        try:
            made_for = self._signing.loads(Purpose.CSRF, token, _LIFETIME, now)
        except TokenInvalid:
            return False
        return isinstance(made_for, str) and equal(made_for, session)
