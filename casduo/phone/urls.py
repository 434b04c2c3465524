"""The addresses of a phone's login. Each of them names the phone; what belongs to a login names that too.

They are made from the address in the registry, never from the ``Host`` header, in which some phones put a number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import quote, urlencode

from casduo.errors import CasduoError

LONGEST_URL = 199
"""Characters. No vendor document promises more than the classic 256, and a form adds what was typed."""

LONGEST_BASE = 80
"""Characters of :attr:`PhoneUrls.base` that leave room for everything behind it, on phones with names like
``SEP001122334455``.
"""


class PhoneUrlTooLong(CasduoError):
    """A phone would not take an address of ours: the address in the registry is too long."""

    code: ClassVar[str] = "PHONE_URL"

    def __init__(self, base: str, length: int) -> None:
        super().__init__(f"an address below {base} has {length} characters, {LONGEST_URL} are the most")
        self.base = base
        self.length = length


@dataclass(frozen=True, slots=True)
class PhoneUrls:
    """The addresses for one phone.

    :param base: public address of the service, without a slash at its end: ``https://sso.example.edu/em``
    :param device: name of the phone
    :param token: what names the login under way, empty where there is none yet
    """

    base: str
    device: str
    token: str = field(default="", repr=False)

    def entry(self) -> str:
        """Where it begins: the form, or who is on the phone."""
        return self._url("")

    def login(self) -> str:
        """Where user id and PIN are sent. It has no query: what is typed becomes one on phones that only GET."""
        return self._url("login")

    def wait(self) -> str:
        """Where a waiting phone asks for news."""
        return self._step("wait")

    def passcode(self) -> str:
        """Where a passcode is sent; without one, its form."""
        return self._step("passcode")

    def push(self, way: str) -> str:
        """Where something is sent to a device.

        :param way: as :attr:`casduo.mfa.duo.ways.Way.text` spells it
        """
        return self._step("push", factor=way)

    def ways(self) -> str:
        """The menu of what can be sent to which device."""
        return self._step("push")

    def select(self, profile: int) -> str:
        """Where a profile is chosen, by its place in the list."""
        return self._step("select", profile=str(profile))

    def more_profiles(self, first: int) -> str:
        """The menu of profiles from another place in the list on."""
        return self._step("select", **{"from": str(first)})

    def cancel(self) -> str:
        """Where the login under way is given up."""
        return self._step("cancel")

    def logout(self) -> str:
        """Where people are asked whether they want to log out."""
        return self._url("logout")

    def log_out(self) -> str:
        """Where they say that they do."""
        return self._step("logout")

    def _step(self, page: str, **fields: str) -> str:
        return self._url(page, t=self.token, **fields)

    def _url(self, page: str, **fields: str) -> str:
        url = f"{self.base}/{quote(self.device, safe='')}/{page}"
        if fields:
            url += "?" + urlencode(fields, safe=":", quote_via=quote)
        if len(url) > LONGEST_URL:
            raise PhoneUrlTooLong(self.base, len(url))
        return url
