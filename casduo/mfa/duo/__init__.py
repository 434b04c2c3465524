"""Duo, seen from casduo: the official clients behind one interface, and what their failures mean.

    gateway.py     the interface: health, preauth, prompt, exchange; the values they return
    errors.py      every way in which Duo can fail us, and which of them may ever open a door
    official.py    the gateway made of both official clients: breakers, bulkhead, shared health
    universal.py   thin wrapper of duo_universal, the browser's prompt
    auth_api.py    thin wrapper of duo_client, Duo's Auth API
    classify.py    what an exception or a refusal of the official clients means
    answers.py     what Duo's good answers say
    health.py      what ping and the check of our keys say together, clock included
    settings.py    one Duo application

Only ``gateway``, ``errors``, ``settings`` and :func:`casduo.mfa.duo.official.build_gateway` are for the rest of casduo.
"""

from __future__ import annotations
