"""Addresses of several Redis that belong together: those that Sentinels watch over, and a Redis Cluster.

``rediss+sentinel://user@s1:26379,s2:26379,s3:26379/master/0`` and ``rediss+cluster://user@n1:6379,n2:6379,n3:6379``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

SENTINEL_SCHEMES = ("redis+sentinel", "rediss+sentinel")
CLUSTER_SCHEMES = ("redis+cluster", "rediss+cluster")
SENTINEL_PORT = 26379
REDIS_PORT = 6379

_NODE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?")
_PATH = re.compile(r"/(?P<master>[A-Za-z0-9_.-]+)(?:/(?P<database>[0-9]{1,3}))?/?")

Node = tuple[str, int]
"""Host and port."""


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """Where to ask who is master.

    :param nodes: each Sentinel
    :param master: the name by which Sentinels know the master (``sentinel monitor NAME ...``)
    :param database: of the master
    :param username: at the master, empty for its default user
    :param tls: whether Sentinels and master speak TLS
    """

    nodes: tuple[Node, ...]
    master: str
    database: int = 0
    username: str = ""
    tls: bool = False


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """Some nodes of a Redis Cluster, of which one is asked who the others are. See :class:`SentinelAddress`."""

    nodes: tuple[Node, ...]
    username: str = ""
    tls: bool = False


def parse_nodes(url: str) -> SentinelAddress | ClusterAddress | None:
    """Read an address of several Redis; ``None`` where it is one of another kind.

    :raises ValueError: it is of this kind, and wrong; the text is a sentence without the address, which may hold a
        password
    """
    parts = urlsplit(url)
    user, _, places = parts.netloc.rpartition("@")
    username, tls = unquote(user.partition(":")[0]), parts.scheme.startswith("rediss")
    extra = parts.query or parts.fragment
    if parts.scheme in SENTINEL_SCHEMES:
        nodes, path = _nodes(places, SENTINEL_PORT), _PATH.fullmatch(parts.path)
        if path is None or extra or not nodes:
            raise ValueError("must be like redis+sentinel://host1:26379,host2:26379,host3:26379/NAME_OF_MASTER/0")
        return SentinelAddress(nodes, path["master"], int(path["database"] or 0), username, tls)
    if parts.scheme in CLUSTER_SCHEMES:
        nodes = _nodes(places, REDIS_PORT)
        if parts.path.strip("/") or extra or not nodes:
            raise ValueError("must be like redis+cluster://host1:6379,host2:6379,host3:6379, without a database")
        return ClusterAddress(nodes, username, tls)
    return None


def _nodes(places: str, port: int) -> tuple[Node, ...]:
    """Return hosts and ports; none of them where one cannot be read.

    :raises ValueError: a port is none
    """
    found = [_NODE.fullmatch(place) for place in places.split(",")]
    nodes = tuple((node["host"].strip("[]"), int(node["port"] or port)) for node in found if node is not None)
    if any(number not in range(1, 65536) for _, number in nodes):
        raise ValueError("has a port that is none")
    return nodes if len(nodes) == len(found) else ()
