"""Examines an installation: what was looked at, what was found, and where something is wrong, why and what helps.

model.py         a finding, and how several add up
text.py          findings as lines for a terminal, and as values for JSON
installation.py  the order of all examinations
hosts.py         the way to a server
duo.py           Duo: the way there, its certificate, our keys, and what it says of a person
ucm.py           each node of a UCM: the way there, its certificate, its services, what our accounts may do
ucm_refusals.py  what a failure of a UCM node means for the settings (pure)
certificates.py  what a server's certificates mean (pure)
refusals.py      what a failure of Duo means for the settings (pure)
people.py        what Duo's answer about a person means (pure)
clocks.py        what a difference between two clocks means (pure)
network.py       why a connection does not come about (pure)
store.py         Redis, and whether a worker is there
nodes.py         which nodes there are, and whether all have the same registry (pure)
readiness.py     whether this process should be sent people
events.py        whether events are read, and the audit trail
outbox.py        what waits to be sent to Webex, and how workers get on with it
webex.py         Webex: the way there, the token, the spaces, the webhook
directories.py   where passwords are checked
breakers.py      what breakers tell of directory servers and the nodes of a UCM (pure)
health.py        the short form, for monitoring
"""

from __future__ import annotations
