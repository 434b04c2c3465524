"""Numbers for Prometheus: what is measured, how it is gathered from all processes, and how it is told.

table.py       every metric, in one table (pure)
counting.py    which events are counted where, in one table (pure)
prometheus.py  the meter that makes numbers of what it is told; the only module that imports prometheus_client
depths.py      how much waits in Redis, and how it is: asked at each scrape, in one round trip
directory.py   where the processes of a server put their numbers, for any of them to tell
scraping.py    the answer to a scrape
build.py       measuring as the settings want it
process.py     what the system knows of this process
publishing.py  the thread that applies what was told, and looks at the process itself
journal.py     the journal that counts
reference.py   the reference of all metrics
listening.py   the address of a worker that no server started
"""

from __future__ import annotations
