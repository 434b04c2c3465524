"""Indexes by which sessions are found: by their user, by the address that a session began at, and by the services it
led to.

They are written in the round trip that opens a session or grants a ticket. They end with the last session that they
name, and they only help to look: a member whose session is gone does no harm. Those of addresses and services are for
operators, who decide nothing by them, and bounded; that of a user is not, for ending all of somebody's sessions means
all.

Addresses are kept by block (a /24 of IPv4, a /64 of IPv6), each member with its own address, so that a network can be
looked for without looking through everything. Keys hold fingerprints of blocks.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from functools import lru_cache

from casduo.addresses import Address, parse_address
from casduo.fieldtypes import Network
from casduo.signing import fingerprint
from casduo.store import Batch, Store, load_script
from casduo.tickets.ids import SessionName
from casduo.values import value_object

_NOTE = load_script(__file__, "index.lua")

MOST = 50_000
"""Sessions that one index remembers; beyond that those are forgotten that end first."""
MOST_BLOCKS = 256
"""Blocks that one question may be about."""
_ALL = 0
_SPELLINGS_MS = 90 * 86_400_000
"""How long a spelling is remembered after the last sign-in: longer than anything that is kept under it."""
_PAGE = 2000
"""Members of an index that are read at a time."""
_KEPT = 4096
"""Addresses whose block is remembered: who signs in once soon does so again."""
_BLOCK = {4: 24, 6: 64}
"""Bits that the addresses of a block share, by version of IP."""


@value_object(frozen=True, slots=True)
class Until:
    """How long an index is to remember something.

    :param now: epoch seconds
    :param ends: when the session ends at the latest, in epoch seconds
    """

    now: float
    ends: float


def note_address(batch: Batch, address: str, session: SessionName, until: Until) -> None:
    """Add that a session began at ``address``; nothing for what is no address."""
    found = parse_address(address)
    if found is not None:
        key, text = _place_of(found)
        _note(batch, key, f"{text} {session.text}", until, MOST)


def note_service(batch: Batch, service_id: str, session: SessionName, until: Until) -> None:
    """Add that a session led to a service, or is about to."""
    _note(batch, _service_key(service_id), session.text, until, MOST)


def note_user(batch: Batch, principal_id: str, session: SessionName, until: Until) -> None:
    """Add that a session is somebody's."""
    _note(batch, user_index_key(principal_id), session.text, until, _ALL)


def note_spelling(batch: Batch, principal_id: str) -> None:
    """Add how a name is spelled that people type in any letters; nothing for one in small letters."""
    if principal_id != principal_id.lower():
        key = _spellings_key(principal_id)
        batch.command("SADD", key, principal_id)
        batch.command("PEXPIRE", key, _SPELLINGS_MS)


def spellings_of(store: Store, name: str) -> tuple[str, ...]:
    """Return the principals' ids that a name stands for as people type it, itself among them. One round trip."""
    return tuple(dict.fromkeys((name, *sorted(store.command("SMEMBERS", _spellings_key(name))))))


def blocks_of(network: Network) -> Sequence[Network] | None:
    """Return the blocks in which the addresses of ``network`` lie, ``None`` where those are too many to look at."""
    bits = _BLOCK[network.version]
    if network.prefixlen >= bits:
        return (network.supernet(new_prefix=bits),)
    if 2 ** (bits - network.prefixlen) > MOST_BLOCKS:
        return None
    return tuple(network.subnets(new_prefix=bits))


def in_network(store: Store, network: Network, blocks: Sequence[Network]) -> Iterator[SessionName]:
    """Yield the sessions that began in ``network``, those of a block first that end last.

    :param blocks: see :func:`blocks_of`
    """
    for member in members_of(store, list(map(_block_key, blocks))):
        address, _, name = member.partition(" ")
        if ipaddress.ip_address(address) in network:
            yield SessionName.parse(name)


def of_service(store: Store, service_id: str) -> Iterator[SessionName]:
    """Yield the sessions that led to a service, or were about to, those first that end last."""
    return map(SessionName.parse, members_of(store, [_service_key(service_id)]))


def members_of(store: Store, keys: Sequence[str]) -> Iterator[str]:
    """Yield the members of indexes, those of each first that end last. No more is read than is asked for: the
    beginnings of all indexes in one round trip, then a page of one in each.

    A member may come twice where others come in between.
    """
    batch = store.batch()
    replies = [batch.command("ZREVRANGE", key, 0, _PAGE - 1) for key in keys]
    batch.run()
    for key, reply in zip(keys, replies, strict=True):
        page, start = reply.value, 0
        yield from page
        while len(page) == _PAGE:
            start += _PAGE
            page = store.command("ZREVRANGE", key, start, start + _PAGE - 1)
            yield from page


def user_index_key(principal_id: str) -> str:
    """Return the key of the index of a user's sessions: names of sessions, by the moment at which they end."""
    return f"casduo:{{u:{fingerprint(principal_id)[:32]}}}:sessions"


def _spellings_key(name: str) -> str:
    return f"casduo:{{u:{fingerprint(name.lower())[:32]}}}:spellings"


def _note(batch: Batch, key: str, member: str, until: Until, most: int) -> None:
    batch.script(_NOTE, (key,), (member, int((until.ends - until.now) * 1000), most))


@lru_cache(_KEPT)
def _place_of(address: Address) -> tuple[str, str]:
    """Return the key of the block that an address lies in, and the address as it stands there."""
    block = ipaddress.ip_network((address, _BLOCK[address.version]), strict=False)
    return _block_key(block), str(address)


def _block_key(block: Network) -> str:
    return f"casduo:{{a:{fingerprint(str(block))[:32]}}}:sessions"


def _service_key(service_id: str) -> str:
    return f"casduo:{{s:{service_id}}}:sessions"
