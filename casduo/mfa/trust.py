"""Browsers in which a person who passed Duo chose not to be asked again for a while: their cookies and their records.

* The cookie alone is worth nothing: Redis has to know of it. Whoever is to be asked again is forgotten there.
* A record alone is worth nothing either: it holds fingerprints of what the cookie holds, and the cookie is signed.
* The cookie names nobody. Whose it is can be checked by those who know the name, and by them only.
* Trust is one person's in one browser. In a browser that two people use, each one's cookie says nothing of the other.
* Whether a trust is young enough for a service is the service's rule; here it ends with the lifetime it was given.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from casduo.signing import Purpose, Signing, TokenInvalid, equal, fingerprint, random_text
from casduo.store import Batch, Store, load_script

MOST = 20
"""Browsers that one person may trust; the oldest go."""

_TRUST = load_script(__file__, "trust_browser.lua")
_FORGET = load_script(__file__, "trust_forget.lua", confirmed=True)

_ID_LENGTH = 22
"""Random characters, 131 bits."""


@dataclass(frozen=True, slots=True)
class Trust:
    """A browser that a person trusts.

    :param name: what it is called where nobody may use it, 32 hexadecimal digits; enough to forget it
    :param principal: whose trust it is
    :param application: the Duo application that said yes, by its name in the settings, empty for the main one
    :param at: the moment of Duo's yes, epoch seconds
    :param until: when it ends, epoch seconds
    :param agent: what the browser called itself then
    :param address: where it was then
    """

    name: str
    principal: str
    application: str
    at: float
    until: float
    agent: str
    address: str


class TrustRecords:
    """The records, for those who list and revoke them.

    Every method raises :class:`~casduo.errors.UpstreamUnavailable` while Redis does not answer.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, principal: str, now: float) -> list[Trust]:
        """Return the browsers that a person trusts, the oldest trust first. Two round trips, one if there are none."""
        names = self._store.command("ZRANGE", _index_key(principal), 0, -1)
        if not names:
            return []
        texts = self._store.command("MGET", *(_record_key(principal, name) for name in names))
        known = (_trust(name, principal, text) for name, text in zip(names, texts, strict=True) if text is not None)
        return [trust for trust in known if now < trust.until]

    def forget(self, principal: str, name: str) -> bool:
        """Forget one browser; Duo is asked there from now on. One round trip.

        :param name: as in :class:`Trust`; what cannot be one is not found
        :return: whether there was one of this name
        """
        batch = self._store.batch()
        found = batch.confirmed("DEL", _record_key(principal, name))
        batch.command("ZREM", _index_key(principal), name)
        batch.run()
        return bool(found.value)

    def forget_all(self, principal: str) -> int:
        """Forget every browser of a person, and return how many there were. One round trip, one atomic step."""
        return int(self._store.call(_FORGET, (_index_key(principal),), (_record_key(principal, ""),)))


class TrustedBrowsers(TrustRecords):
    """The records, and the cookies that stand for them."""

    def __init__(self, store: Store, signing: Signing) -> None:
        super().__init__(store)
        self._signing = signing

    def trust(
        self,
        batch: Batch,
        principal: str,
        *,
        application: str,
        agent: str,
        address: str,
        at: float,
        lifetime: float,
        instead: str = "",
    ) -> str:
        """Add the record of a newly trusted browser, and return its cookie's value: a bearer value.

        :param application, agent, address: as in :class:`Trust`
        :param at: the moment of Duo's yes, epoch seconds
        :param lifetime: seconds from then for which the browser is trusted
        :param instead: the value that the browser has so far, if any: where it is this person's, its record goes
        :raises ValueError: ``lifetime`` is not positive
        """
        if lifetime <= 0:
            raise ValueError("a browser is trusted for some time or not at all")
        identity, until = random_text(_ID_LENGTH), at + lifetime
        name, former = _name(identity), self._identity(instead, principal, at)
        batch.script(
            _TRUST,
            (_index_key(principal), _record_key(principal, name)),
            (
                json.dumps([application, at, until, agent, address], separators=(",", ":"), ensure_ascii=False),
                name,
                int(at * 1000),
                max(1, int(lifetime * 1000)),
                _name(former) if former else "",
                MOST,
                _record_key(principal, ""),
            ),
        )
        return self._signing.dumps(Purpose.TRUSTED_BROWSER, [identity, _mark(identity, principal), until], at)

    def look(self, cookie: str, principal: str, now: float) -> Trust | None:
        """Return the trust that a cookie stands for, ``None`` for none.

        One round trip; none where the cookie is not ours, somebody else's or too old.

        :param cookie: the value as the browser sent it, empty for none
        :param principal: who is signing in
        """
        identity = self._identity(cookie, principal, now)
        if not identity:
            return None
        name = _name(identity)
        text = self._store.command("GET", _record_key(principal, name))
        return _trust(name, principal, text) if text is not None else None

    def _identity(self, cookie: str, principal: str, now: float) -> str:
        """Return the random part of a cookie, empty where the cookie says nothing of this person now."""
        if not cookie:
            return ""
        try:
            value = self._signing.loads(Purpose.TRUSTED_BROWSER, cookie, math.inf, now)
        except TokenInvalid:
            return ""
        match value:
            case [str(identity), str(mark), int() | float() as until] if now < until:
                return identity if equal(mark, _mark(identity, principal)) else ""
        return ""


def _mark(identity: str, principal: str) -> str:
    # With the random part, so that the cookies of one person have nothing in common and names cannot be looked up.
    return fingerprint(f"{identity}.{principal}")[:32]


def _name(identity: str) -> str:
    return fingerprint(identity)[:32]


def _trust(name: str, principal: str, text: str) -> Trust:
    application, at, until, agent, address = json.loads(text)
    return Trust(name, principal, application, at, until, agent, address)


def _index_key(principal: str) -> str:
    return f"casduo:{{u:{fingerprint(principal)[:32]}}}:trusted"


def _record_key(principal: str, name: str) -> str:
    return f"{_index_key(principal)}:{name}"
