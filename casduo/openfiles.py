"""How many files and sockets this process may have open."""

from __future__ import annotations

import resource
from contextlib import suppress


def ask_for_open_files(wanted: int) -> int:
    """Ask the system for ``wanted`` open files and sockets, and return how many it grants.

    What many systems grant unasked is 1024.
    """
    granted, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if granted != resource.RLIM_INFINITY and granted < wanted:
        asked = wanted if most == resource.RLIM_INFINITY else min(most, wanted)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (asked, most))
        granted = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return wanted if granted == resource.RLIM_INFINITY else granted
