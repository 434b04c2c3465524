"""Where the services of phones are: each answers below the address that the registry gives it, at this server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from casduo.services.index import Registry

_FIXED = re.compile(r"(https?://[^*?#]+?)/*(?:\*{2})?")
"""A pattern of an address and all below it."""


@dataclass(frozen=True, slots=True)
class Mount:
    """One address of one service. ``base`` is it without a slash at its end, ``path`` the path of it."""

    service_id: str
    base: str

    @property
    def path(self) -> str:
        """The path below which it answers."""
        return urlsplit(self.base).path


def mount_of(pattern: str, service_id: str) -> Mount | None:
    """Return where a service with this URL pattern answers; ``None`` for a pattern that is no single place.

    A service needs a path of its own: pages for browsers live on the same host.
    """
    found = _FIXED.fullmatch(pattern)
    mount = Mount(service_id, found[1]) if found is not None else None
    return mount if mount is not None and mount.path else None


@lru_cache(maxsize=1)
def mounts_of(registry: Registry) -> tuple[Mount, ...]:
    """Return the mounts of all services of phones, the longest path first."""
    services = (entry for entry in registry.services if entry.channel == "phone")
    mounts = (mount_of(url, entry.id) for entry in services for url in entry.urls)
    return tuple(sorted(filter(None, mounts), key=lambda mount: -len(mount.path)))


def find_mount(path: str, registry: Registry) -> Mount | None:
    """Return the mount that a path belongs to, ``None`` for none.

    :param path: decoded once
    """
    for mount in mounts_of(registry):
        if path == mount.path or path.startswith(f"{mount.path}/"):
            return mount
    return None
