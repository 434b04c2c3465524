"""The store of a server, opened by what its settings say of Redis."""

from __future__ import annotations

from pathlib import Path

from casduo.settings import load_settings
from casduo.store import Store
from casduo.store.opening import open_store


def opened_store(directory: Path, redis: str, connections: int = 8) -> Store:
    """Open it.

    :param directory: where the settings are written
    :param redis: what stands between the braces of ``redis: {...}``
    :param connections: how many it may open
    """
    path = directory / "casduo.yaml"
    path.write_text(
        f"server: {{url: 'https://sso.example.edu/cas'}}\nredis: {{{redis}}}\n"
        "authentication: [{type: users_file, path: users.yaml}]\n",
        encoding="utf-8",
    )
    return open_store(load_settings(path, {}), None, connections)
