"""The REST protocol: programs that hold people's passwords get sessions and tickets for them.

    clients.py     which program calls
    forms.py       what it sends
    checks.py      whether a person may use a service in this way: pure
    passwords.py   passwords, limited like those of the sign-in form
    factors.py     what a form brings besides the password: a passcode, or a push
    pushing.py     sends pushes, calls and passcodes, and takes the answers
    tokens.py      what a program asks about a push with
    sessions.py    what the addresses do
    bodies.py      what they answer
    errors.py      every way in which they refuse

Source: the REST protocol of Apereo CAS, which has no specification of its own but its documentation.
"""

from __future__ import annotations
