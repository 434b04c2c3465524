"""Which login is under way at a phone, so that a key pressed twice does not begin two of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from casduo.signing import fingerprint
from casduo.store import Batch, load_script

_BEGIN = load_script(__file__, "login_begin.lua")


@dataclass(frozen=True, slots=True)
class OpenLogin:
    """A login under way: the key it begins with, and whether it is of the same person as the one that asks. ``note`` is
    what stands for it in Redis.
    """

    execution: str = field(repr=False)
    same_person: bool
    note: str = field(repr=False)


class OpenLogins:
    """One note for each phone at its address: anybody can say that they are a phone, and meets nobody's login by it.

    A note holds the key of a waiting flow. Alone that is no use: phones have to bring it signed by us, and browsers do
    not have the mark that it is bound to.

    :param lifetime: seconds for which a login may take
    """

    def __init__(self, lifetime: float) -> None:
        self._lifetime_ms = int(lifetime * 1000)

    def begin(
        self, batch: Batch, place: str, userid: str, execution: str, instead: OpenLogin | None = None
    ) -> OpenLogin | None:
        """Take note of a login, unless one is noted; return that one then. Runs the batch.

        :param place: the mark of the phone and its address that keys of its flows are bound to
        :param userid: of the person, exactly as UCM spells it: two people whose names are alike are two
        :param instead: the one that was noted and gives way, if nothing else has taken its place meanwhile
        """
        gives_way = instead.note if instead is not None else ""
        # Its own note is there already where the connection broke and all was sent once more.
        noted = batch.script(_BEGIN, (_key(place),), (_value(userid, execution), gives_way, self._lifetime_ms))
        batch.run()
        if not noted.value:
            return None
        person, _, other = str(noted.value).partition(" ")
        return OpenLogin(other, person == _person(userid), str(noted.value))


def _key(place: str) -> str:
    return f"casduo:{{em:{fingerprint(place)[:32]}}}:login"


def _value(userid: str, execution: str) -> str:
    return f"{_person(userid)} {execution}"


def _person(userid: str) -> str:
    return fingerprint(userid)[:32]
