"""A client that asks Sentinels who is master, each time it connects."""

from __future__ import annotations

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from casduo.settings.redisnodes import SentinelAddress


def sentinel_client(
    address: SentinelAddress,
    password: str,
    sentinel_password: str,
    timeout: float,
    max_connections: int,
    ca_file: str,
) -> redis.Redis:
    """Return a client of the present master. Nothing is connected before the first command.

    After a failover the connections to the old master end, or it says that it may only be read from. Either way they
    are dropped, and the next ones lead to the new master. What was sent is then sent once more, as
    :func:`~casduo.store.store.client_for` says. While no master is known, connecting fails.

    :param password: of the master; the user's name is in the address
    :param sentinel_password: of the Sentinels, empty for none
    :param timeout: seconds for connecting to each, and for each answer
    """
    common: dict[str, Any] = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    if address.tls:
        common |= {"ssl": True} | ({"ssl_ca_certs": ca_file} if ca_file else {})
    theirs = common | {"decode_responses": True} | ({"password": sentinel_password} if sentinel_password else {})
    master: dict[str, Any] = common | {
        "decode_responses": True,
        "max_connections": max_connections,
        "db": address.database,
    }
    if password:
        master["password"] = password
    if address.username:
        master["username"] = address.username
    sentinels = Sentinel(address.nodes, sentinel_kwargs=theirs)  # type: ignore[no-untyped-call]
    client: redis.Redis = sentinels.master_for(address.master, **master)  # type: ignore[no-untyped-call]
    return client
