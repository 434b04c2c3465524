"""Opens the store that the settings name, for the server, the worker and commands alike."""

from __future__ import annotations

from urllib.parse import quote

from casduo.errors import UpstreamUnavailable
from casduo.settings import Settings
from casduo.settings.redisnodes import ClusterAddress, Node, SentinelAddress, parse_nodes
from casduo.store.cluster import ClusterStore, NodeStore
from casduo.store.embedded import EmbeddedValkey
from casduo.store.sentinel import sentinel_client
from casduo.store.store import Confirmation, Store, client_for

_FEW_CONNECTIONS = 4


def embedded_valkey(settings: Settings) -> EmbeddedValkey | None:
    """Return the Valkey of the state directory, not yet started; ``None`` where the settings name another server.

    :raises UpstreamUnavailable: there is no place for its socket
    """
    return EmbeddedValkey(settings.server.state_directory / "valkey") if settings.redis.url is None else None


def open_store(
    settings: Settings, embedded: EmbeddedValkey | None, connections: int, patience: float | None = None
) -> Store:
    """Return the store. Nothing is connected before the first command.

    :param embedded: what :func:`embedded_valkey` returned
    :param connections: how many connections are needed at once; the settings may allow for more
    :param patience: seconds for connecting and for each answer, at most; without it as the settings say
    """
    redis = settings.redis
    url = embedded.url if embedded is not None else redis.url or ""
    password = redis.password.get_secret_value() if redis.password and embedded is None else ""
    most = max(redis.max_connections, connections)
    timeout = redis.timeout if patience is None else min(redis.timeout, patience)
    ca_file = str(redis.ca_file or "")
    # Redis answers before the connection gives up waiting.
    confirmation = Confirmation(redis.confirmations, timeout / 2) if redis.confirmations else None
    match parse_nodes(url):
        case SentinelAddress() as address:
            theirs = redis.sentinel_password.get_secret_value() if redis.sentinel_password else ""
            return Store(sentinel_client(address, password, theirs, timeout, most, ca_file), confirmation)
        case ClusterAddress() as cluster:

            def connect(node: Node) -> NodeStore:
                client = client_for(_url_of(node, cluster), password, timeout, most, ca_file)
                return NodeStore(client, node, confirmation)

            return ClusterStore(cluster.nodes, connect, timeout)
    return Store(client_for(url, password, timeout, most, ca_file), confirmation)


def _url_of(node: Node, cluster: ClusterAddress) -> str:
    host = f"[{node[0]}]" if ":" in node[0] else node[0]
    user = f"{quote(cluster.username, safe='')}@" if cluster.username else ""
    return f"{'rediss' if cluster.tls else 'redis'}://{user}{host}:{node[1]}/0"


def running_store(settings: Settings) -> Store:
    """Return the store of a casduo that runs, for commands that look into it. Nothing is started for them.

    :raises UpstreamUnavailable: nothing answers there; the detail is a sentence with the remedy
    """
    embedded = embedded_valkey(settings)
    store = open_store(settings, embedded, _FEW_CONNECTIONS)
    try:
        store.ping()
    except UpstreamUnavailable as error:
        store.close()
        raise UpstreamUnavailable("redis", _advice(settings, embedded, error.detail)) from error
    return store


def _advice(settings: Settings, embedded: EmbeddedValkey | None, why: str) -> str:
    if embedded is not None:
        return (
            f"no casduo runs on the state directory {embedded.directory.parent}, or this user may not read it; "
            "name the settings of the running server with --config"
        )
    return f"Redis at {settings.redis.url} does not answer ({why}); look at section redis of the settings"
