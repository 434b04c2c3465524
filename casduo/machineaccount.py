"""Who has a command run on the server's machine, for the events of what it changes."""

from __future__ import annotations

import getpass
import os


def account() -> str:
    """Return the name of the account on this machine under which the command runs, or its number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return str(os.getuid())
