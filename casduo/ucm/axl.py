"""Asks a UCM over AXL, its provisioning interface: who its users are and, where nothing better is set up, who is logged
in on which phone.

Source: AXL Developer Guide, releases 11.5 to 15.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from casduo.outbound.budget import Budget
from casduo.ucm.axl_answers import NOT_FOUND, column, phone_names, phone_of, pin_answer, user_of
from casduo.ucm.axl_client import UPSTREAM, AxlClient
from casduo.ucm.errors import RefusalKind, UcmBusy, UcmMisconfigured, UcmRefused, UcmUnavailable
from casduo.ucm.model import PhoneState, PinAnswer, UcmUser, is_pin

_USERID = re.compile(r"[\w .@'+%&#!$~^=-]{1,128}")
_NAME_LENGTH = 128
_TOLD = ""
"""How a tag is asked for: empty."""
_USER_TAGS = {
    "firstName": _TOLD,
    "displayName": _TOLD,
    "lastName": _TOLD,
    "userid": _TOLD,
    "mailid": _TOLD,
    "department": _TOLD,
    "userLocale": _TOLD,
    "phoneProfiles": {"profileName": _TOLD},
    "defaultProfile": _TOLD,
    "telephoneNumber": _TOLD,
}
_PHONE_TAGS = {"loginUserId": _TOLD, "enableExtensionMobility": _TOLD, "currentProfileName": _TOLD}
_PAGE = 1000
"""Phones listed at a time; AXL refuses answers beyond 8 MB."""
_PHONES_OF = (
    "SELECT d.name FROM extensionmobilitydynamic AS m INNER JOIN device AS d ON d.pkid = m.fkdevice "
    "INNER JOIN enduser AS u ON u.pkid = m.fkenduser WHERE lower(u.userid) = lower('{userid}')"
)
"""AXL cannot search phones by who is logged in, so the database is asked."""


class AxlDirectory:
    """UCM's users, over AXL. Implements :class:`~casduo.ucm.interfaces.UserDirectory`."""

    def __init__(self, client: AxlClient) -> None:
        self._client = client

    def check_pin(self, userid: str, pin: str, budget: Budget) -> PinAnswer:
        """See :meth:`UserDirectory.check_pin`. What cannot be a user id or a PIN is wrong without a question.

        A node whose answer gets lost leaves open whether it has counted the try. The next one is asked all the same,
        for otherwise nobody could log in while one node hangs; so UCM may count a wrong PIN twice then.
        """
        if not (_USERID.fullmatch(userid) and is_pin(pin)):
            return PinAnswer(False)
        answer = self._client.ask("doAuthenticateUser", pin_answer, budget, userid=userid, pin=pin)
        return PinAnswer(False, str(NOT_FOUND)) if answer is None else answer

    def user(self, userid: str, budget: Budget) -> UcmUser | None:
        """See :meth:`UserDirectory.user`."""
        if not _USERID.fullmatch(userid):
            return None

        def read(found: Element) -> UcmUser:
            return user_of(found, userid)

        return self._client.ask("getUser", read, budget, userid=userid, returnedTags=_USER_TAGS)

    def phones(self, budget: Budget) -> tuple[str, ...]:
        """Return the names of all phones, as UCM spells them; raises what :meth:`user` raises."""
        wanted = {"searchCriteria": {"name": "%"}, "returnedTags": {"name": _TOLD}, "first": _PAGE}
        names: dict[str, None] = {}
        while True:
            known = len(names)
            page = self._client.ask("listPhone", phone_names, budget, skip=known, **wanted) or ()
            names.update(dict.fromkeys(page))
            if len(page) < _PAGE or len(names) == known:
                return tuple(names)


class AxlLogins:
    """Logins on phones, over AXL. Implements :class:`~casduo.ucm.interfaces.PhoneLogins`.

    AXL writes what it is told: whether UCM's policy for people who are logged in elsewhere applies is documented
    nowhere, and the guide says that logins made here do not end by themselves.
    """

    def __init__(self, client: AxlClient) -> None:
        self._client = client

    @property
    def has_policy(self) -> bool:
        """No."""
        return False

    @property
    def ends_logins(self) -> bool:
        """No."""
        return False

    def state(self, device: str, budget: Budget) -> PhoneState:
        """See :meth:`PhoneLogins.state`."""

        def read(found: Element) -> PhoneState:
            return phone_of(found, device)

        known = (
            self._client.ask("getPhone", read, budget, name=device, returnedTags=_PHONE_TAGS)
            if _is_name(device)
            else None
        )
        return PhoneState(device, known=False) if known is None else known

    def devices_of(self, userid: str, budget: Budget) -> tuple[str, ...]:
        """See :meth:`PhoneLogins.devices_of`. Asks the database, whose tables may change with a release of UCM.

        :raises UcmMisconfigured: no question can be made of this user id; ``detail`` is ``userid``. To answer "nowhere"
            would let in somebody who is logged in elsewhere.
        """
        if not _USERID.fullmatch(userid):
            raise UcmMisconfigured(UPSTREAM, "userid")
        sql = _PHONES_OF.format(userid=userid.replace("'", "''"))
        found = self._client.ask("executeSQLQuery", lambda rows: column(rows, "name"), budget, sql=sql)
        if found is None:
            raise UcmUnavailable(UPSTREAM, f"axl {NOT_FOUND}")
        return found

    def log_in(self, device: str, userid: str, profile: str, seconds: float, budget: Budget) -> None:
        """See :meth:`PhoneLogins.log_in`. ``seconds`` is not passed on: nobody would keep to it."""
        _check(_is_name(device), "no_device")
        _check(_is_name(profile), "no_profile")
        _check(_USERID.fullmatch(userid) is not None, "no_user")
        self._client.carry_out(
            "doDeviceLogin", budget, deviceName=device, loginDuration=0, profileName=profile, userId=userid
        )

    def log_out(self, device: str, budget: Budget) -> None:
        """See :meth:`PhoneLogins.log_out`. AXL has no word for "nobody is logged in", so after a no we look."""
        _check(_is_name(device), "no_device")
        try:
            self._client.carry_out("doDeviceLogout", budget, deviceName=device)
        except UcmRefused as refused:
            if refused.kind == "no_device" or not self._is_free(device, budget):
                raise
            failure = UcmRefused("nobody", refused.detail)
        else:
            return
        raise failure

    def _is_free(self, device: str, budget: Budget) -> bool:
        try:
            state = self.state(device, budget)
        except (UcmUnavailable, UcmBusy, UcmMisconfigured):
            return False
        return state.known and not state.user


def _is_name(name: str) -> bool:
    return 0 < len(name) <= _NAME_LENGTH and name.isprintable()


def _check(passes: bool, kind: RefusalKind) -> None:
    if not passes:
        raise UcmRefused(kind, "name")
