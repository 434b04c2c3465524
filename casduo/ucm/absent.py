"""A UCM that nobody has set up: whoever needs it is told so, in the terms of one that is set up wrongly."""

from __future__ import annotations

from typing import NoReturn

from casduo.ucm.errors import UcmMisconfigured


class NoUcm:
    """Takes the place of both :class:`~casduo.ucm.interfaces.UserDirectory` and
    :class:`~casduo.ucm.interfaces.PhoneLogins`.
    """

    has_policy = False
    ends_logins = False

    def check_pin(self, *_: object) -> NoReturn:
        """Refuse."""
        raise UcmMisconfigured("ucm", "not_set_up")

    user = state = devices_of = log_in = log_out = check_pin
