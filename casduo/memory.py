"""Memory of a process that has loaded all it needs."""

from __future__ import annotations

import contextlib
import ctypes
import gc


def settle() -> None:
    """Take what exists now for what stays: the garbage collector does not look at it any more, so that pages which a
    process shares with its parent stay shared, and what loading has left free goes back to the system.

    For once, when a process is about to begin its work.
    """
    gc.freeze()
    # malloc_trim(3) of the GNU C library; others have nothing like it, or need nothing.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
