"""The settings of one Duo application, checked before anything is asked of Duo."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from casduo.mfa.duo.errors import DuoMisconfigured

_API_HOST = re.compile(r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::(?P<port>[0-9]{1,5}))?")
_CLIENT_ID_LENGTH = 20
_CLIENT_SECRET_LENGTH = 40


@dataclass(frozen=True, slots=True)
class DuoSettings:
    """One application in Duo's admin panel. Times are seconds.

    :param api_host: ``api-xxxxxxxx.duosecurity.com``, with ``:port`` only where Duo is simulated. Browser and server
        must reach it by this very name.
    :param client_id: of the Web SDK application, 20 characters.
    :param client_secret: its secret, 40 characters.
    :param redirect_uri: where Duo sends the browser back to.
    :param integration_key: of the Auth API application; empty uses ``client_id`` and ``client_secret`` for it.
    :param secret_key: its secret.
    :param previous_client_id: of the application that was used before, empty for none; prompts that were begun with it
        are ended with it.
    :param previous_client_secret: its secret.
    :param previous_integration_key: likewise of the Auth API application, for following pushes.
    :param previous_secret_key: its secret.
    :param ca_file: PEM file of authorities to trust besides those that Duo's own clients pin.
    :param proxy: ``http://[user:password@]host:port`` for everything sent to Duo.
    :param connect_timeout: for reaching Duo.
    :param read_timeout: longest silence while Duo answers.
    :param deadline: for one call as a whole.
    :param health_cache: how long a good health answer serves; 0 asks each time.
    :param breaker_failures: outages in a row after which Duo is left alone.
    :param breaker_pause: for how long.
    :param concurrency: threads that may wait for Duo at a time; those that follow a push are not counted.
    :param poll_timeout: longest silence while a push is followed; must exceed the time for which Duo withholds its
        answer while there is no news, some tens of seconds.
    :param polls: connections kept for following pushes.
    :param label: what a device shows before the word "request".
    :param verified_push: tell Duo that the person sees the digits of a verified push.
    :param name: of the application, for the log; empty for the main one.
    """

    api_host: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    integration_key: str = ""
    secret_key: str = field(default="", repr=False)
    previous_client_id: str = ""
    previous_client_secret: str = field(default="", repr=False)
    previous_integration_key: str = ""
    previous_secret_key: str = field(default="", repr=False)
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)
    connect_timeout: float = 3.0
    read_timeout: float = 5.0
    deadline: float = 8.0
    health_cache: float = 5.0
    breaker_failures: int = 5
    breaker_pause: float = 10.0
    concurrency: int = 16
    poll_timeout: float = 45.0
    polls: int = 16
    label: str = "Sign-in"
    verified_push: bool = True
    name: str = field(default="", compare=False)

    @property
    def auth_api_keys(self) -> tuple[str, str]:
        """Integration key and secret key for the Auth API."""
        if self.integration_key:
            return self.integration_key, self.secret_key
        return self.client_id, self.client_secret

    @property
    def previous_auth_api_keys(self) -> tuple[str, str] | None:
        """Those of before for the Auth API, ``None`` where there are none."""
        if self.previous_integration_key:
            return self.previous_integration_key, self.previous_secret_key
        if self.previous_client_id and not self.integration_key:
            return self.previous_client_id, self.previous_client_secret
        return None

    def check(self) -> None:
        """Refuse what cannot work, before the first login finds out.

        :raises DuoMisconfigured: ``detail`` names the setting; its value is never quoted.
        """
        split_api_host(self.api_host)
        _check_pair("client_id", self.client_id, "client_secret", self.client_secret)
        if self.integration_key or self.secret_key:
            _check_pair("integration_key", self.integration_key, "secret_key", self.secret_key)
        uri = urlsplit(self.redirect_uri)
        if uri.scheme not in ("https", "http") or not uri.hostname or uri.fragment:
            raise DuoMisconfigured("redirect_uri", "The redirect URI must be an absolute URL of this server.")


def split_api_host(api_host: str) -> tuple[str, int | None]:
    """Split ``name:port``: the one official client wants them apart, the other together.

    :raises DuoMisconfigured: a scheme, a path, anything else than a name and perhaps a port.
    """
    match = _API_HOST.fullmatch(api_host)
    port = int(match["port"]) if match and match["port"] else None
    if match is None or (port is not None and not 0 < port < 65536):
        raise DuoMisconfigured("api_host", "The API host must be a host name, without https:// and without a path.")
    return match["host"], port


def _check_pair(id_name: str, identifier: str, secret_name: str, secret: str) -> None:
    for name, value, length in (
        (id_name, identifier, _CLIENT_ID_LENGTH),
        (secret_name, secret, _CLIENT_SECRET_LENGTH),
    ):
        if len(value) != length or not value.isascii() or not value.isprintable():
            raise DuoMisconfigured(name, f"Duo's {name.replace('_', ' ')} has exactly {length} characters.")
