"""Duo, seen from casduo: the official clients behind one interface, and what their failures mean.

    gateway.py       the interface: health, preauth, prompt, pushes, passcodes, enrolment; the values they return
    errors.py        every way in which Duo can fail us, and which of them may ever open a door
    applications.py  the applications of the settings, by name
    official.py      the gateway made of both official clients
    upstream.py      what applications on one host share: connections, places for those who wait, breakers
    checks.py        the questions behind a health, asked once for all who want to know
    health.py        what their answers say together, clock included
    universal.py     thin wrapper of duo_universal, the browser's prompt
    auth_api.py      thin wrapper of duo_client, Duo's Auth API
    admin_api.py     thin wrapper of duo_client's Admin, for the enrolment pages
    carried.py       duo_client on our own connections
    classify.py      what an exception or a refusal of the official clients means
    answers.py       what Duo's good answers say
    settings.py      one Duo application
    pushes.py        pushes under way, in Redis
    reports.py       people of whom Duo is to be asked later, for the roll-out
    sending.py       sends a push, so that a worker follows it
    passcodes.py     passcodes, limited like passwords
    entry.py         what a person types where Duo is answered
    info.py          what a device shows of a request
    ways.py          by which ways a person can answer

Of the gateways only ``gateway``, ``errors`` and :func:`casduo.mfa.duo.applications.build_applications` are for the rest
of casduo.
"""

from __future__ import annotations
