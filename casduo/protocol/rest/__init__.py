"""The REST protocol: programs that hold people's passwords get sessions and tickets for them.

    clients.py     which program calls
    forms.py       what it sends
    checks.py      whether a person may use a service in this way: pure
    passwords.py   passwords and Duo passcodes, limited like those of the sign-in form
    sessions.py    what the addresses do
    bodies.py      what they answer
    errors.py      every way in which they refuse

Source: the REST protocol of Apereo CAS, which has no specification of its own but its documentation.
"""

from __future__ import annotations
