"""What a process does once it has loaded all it needs."""

from __future__ import annotations

import subprocess
import sys

_SETTLES = """
import gc
from casduo.memory import settle
settle()
kept = gc.get_freeze_count()
cycle = []
cycle.append(cycle)
del cycle
print(kept > 1000, gc.collect() > 0)
"""


def test_what_was_loaded_is_left_alone_and_what_comes_later_is_collected() -> None:
    told = subprocess.run([sys.executable, "-c", _SETTLES], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True", "True"]
