"""The softkeys of our pages: what they are called, what they do, and where they are."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.phone.languages import Text
from casduo.phone.models import Role
from casduo.phone.screens import SoftKey
from casduo.phone.urls import PhoneUrls

_CLOSE = "Init:Services"
"""Closes the service, wherever in it one is; ``SoftKey:Exit`` goes back one page only."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Makes softkeys. A page that has one of its own loses all those of the phone, so the phone's are here as well."""

    text: Text
    urls: PhoneUrls

    def submit(self) -> tuple[SoftKey, SoftKey]:
        """What a form needs: send it, and take back the last letter."""
        return self._key("submit", "SoftKey:Submit", "act"), SoftKey("<<", "SoftKey:<<", "update")

    def select(self) -> SoftKey:
        """Take the item of the menu that is marked."""
        return self._key("select", "SoftKey:Select", "act")

    def exit(self) -> SoftKey:
        """Close the service."""
        return self._key("exit", _CLOSE, "exit")

    def cancel(self) -> SoftKey:
        """Give up the login under way; where there is none yet, there is only the service to close."""
        return self._key("cancel", self.urls.cancel() if self.urls.token else _CLOSE, "exit")

    def back(self) -> SoftKey:
        """Back to the page that waits. ``SoftKey:Back`` would go further: that page has expired."""
        return self._key("back", self.urls.wait(), "exit")

    def update(self, url: str = "") -> SoftKey:
        """Ask for news. ``SoftKey:Update`` might fetch the address of the form again, and with it the PIN.

        :param url: where, if no login waits for them
        """
        return self._key("update", url or self.urls.wait(), "update")

    def go_on(self) -> SoftKey:
        """Go on where nothing is left to wait for."""
        return self._key("next", self.urls.wait(), "act")

    def begin(self, name: str, role: Role = "act") -> SoftKey:
        """Begin anew; ``name`` is ``login`` or ``retry``."""
        return self._key(name, self.urls.entry(), role)

    def form(self) -> SoftKey:
        """Get the form, on a phone in use."""
        return self._key("login", self.urls.login(), "update")

    def logout(self, role: Role = "act") -> SoftKey:
        """Ask about logging out."""
        return self._key("logout", self.urls.logout(), role)

    def log_out(self) -> SoftKey:
        """Log out."""
        return self._key("logout", self.urls.log_out(), "act")

    def send(self, name: str, way: str) -> SoftKey:
        """Have something sent; ``name`` is ``push``, ``call`` or ``retry``."""
        return self._key(name, self.urls.push(way), "act")

    def passcode(self, role: Role) -> SoftKey:
        """Type a passcode."""
        return self._key("passcode", self.urls.passcode(), role)

    def ways(self) -> SoftKey:
        """See what else can be sent."""
        return self._key("more", self.urls.ways(), "more")

    def _key(self, name: str, url: str, role: Role) -> SoftKey:
        return SoftKey(self.text(f"phone.key.{name}"), url, role)
