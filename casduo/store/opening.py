"""Opens the store that the settings name, for the server, the worker and commands alike."""

from __future__ import annotations

from casduo.errors import UpstreamUnavailable
from casduo.settings import Settings
from casduo.store.embedded import EmbeddedValkey
from casduo.store.store import Store, client_for

_FEW_CONNECTIONS = 4


def embedded_valkey(settings: Settings) -> EmbeddedValkey | None:
    """Return the Valkey of the state directory, not yet started; ``None`` where the settings name another server.

    :raises UpstreamUnavailable: there is no place for its socket
    """
    return EmbeddedValkey(settings.server.state_directory / "valkey") if settings.redis.url is None else None


def open_store(settings: Settings, embedded: EmbeddedValkey | None, connections: int) -> Store:
    """Return the store. Nothing is connected before the first command.

    :param embedded: what :func:`embedded_valkey` returned
    :param connections: how many connections are needed at once; the settings may allow for more
    """
    redis = settings.redis
    url = embedded.url if embedded is not None else redis.url or ""
    password = redis.password.get_secret_value() if redis.password and embedded is None else ""
    most = max(redis.max_connections, connections)
    return Store(client_for(url, password, redis.timeout, most, str(redis.ca_file or "")))


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
