"""The nodes of an installation: who serves, with which version and which state of the registry.

model.py      what a process says of itself, and what several add up to (pure)
roster.py     where they say it, in Redis; what is not said again is forgotten
announcing.py the thread that says it for a serving process
starting.py   what casduo serve tells its processes
"""

from __future__ import annotations
