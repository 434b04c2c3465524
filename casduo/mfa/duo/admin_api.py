"""Thin wrapper of duo_client's Admin: what gives a person whose account exists a code for a phone, and no more of it.

Source: Duo's Admin API documentation, "Users" and "Phones". No login ever needs it; only the enrolment pages ask. The
client signs and parses; :class:`HttpClient` carries, for the reasons given in :mod:`casduo.mfa.duo.auth_api`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import duo_client  # type: ignore[import-untyped]

from casduo.errors import UpstreamBusy
from casduo.mfa.duo.carried import Carried, guarded
from casduo.mfa.duo.errors import DuoBusy, DuoMisconfigured, DuoUnavailable
from casduo.mfa.duo.upstream import through
from casduo.outbound import Breaker, Bulkhead
from casduo.outbound.http import HttpClient

T = TypeVar("T")

_MOBILE, _PLATFORM = "mobile", "generic smartphone"
"""What a phone has to be called before its app can be set up; the app tells Duo more of it."""
_UNKNOWN = "unknown"
_LONGEST_CODE = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AccountPhone:
    """A phone of an account. ``ready``: its app can be set up, and has not been."""

    id: str
    ready: bool


@dataclass(frozen=True, slots=True)
class DuoAccount:
    """A person's account at Duo, by the name of Duo's own."""

    user_id: str
    phones: tuple[AccountPhone, ...] = ()


@dataclass(frozen=True, slots=True)
class Activation:
    """A code that sets up the app on a phone.

    :param code: what a QR code shows, ``duo://...``; whoever has it becomes this person's device.
    :param url: the same as a link, for people who are on that phone; empty if Duo gave none.
    :param seconds: how long it is good for.
    """

    code: str = field(repr=False)
    url: str = field(repr=False)
    seconds: float


class AdminApi:
    """One Admin API application. Safe to share by threads.

    Whatever goes wrong is a :class:`~casduo.mfa.duo.errors.DuoFailure`.

    :param api_host: with the port, if it is not 443.
    :param http: what carries the calls.
    :param breaker, bulkhead: of these calls alone; they are few, and must not stand in the way of logins.
    """

    def __init__(
        self,
        integration_key: str,
        secret_key: str,
        api_host: str,
        http: HttpClient,
        *,
        breaker: Breaker,
        bulkhead: Bulkhead,
    ) -> None:
        self.client = _Client(integration_key, secret_key, api_host, http)
        self._breaker = breaker
        self._bulkhead = bulkhead

    def find_account(self, username: str) -> DuoAccount | None:
        """Return the account of a name, ``None`` when Duo does not know it (``GET /users?username=``).

        :param username: the canonical name, the same as for the Auth API.
        """
        found = self._ask(lambda: self.client.get_users_by_name(username))
        if not isinstance(found, list):
            raise _unreadable()
        return _account(found[0]) if found else None

    def add_phone(self, user_id: str) -> AccountPhone:
        """Give an account a phone that its app can be set up on; it has no number and is no device before that
        (``POST /phones``, ``POST /users/{id}/phones``).
        """
        made = self._ask(lambda: self.client.add_phone(type=_MOBILE, platform=_PLATFORM))
        phone = _phone(made)
        if phone is None:
            raise _unreadable()
        self._ask(lambda: self.client.add_user_phone(user_id, phone.id))
        return phone

    def activate(self, phone_id: str, seconds: int) -> Activation:
        """Return a new code for a phone; those before it are good for nothing from now on
        (``POST /phones/{id}/activation_url``).

        :param seconds: how long it is to be good for.
        """
        made = self._ask(lambda: self.client.create_activation_url(phone_id, valid_secs=seconds))
        activation = _activation(made)
        if activation is None:
            raise _unreadable()
        return activation

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            with self._bulkhead:
                return through(self._breaker, lambda: guarded(call))
        except DuoMisconfigured as failure:
            _log.error("Duo's Admin API: misconfigured, %s. %s", failure.detail, failure.message)
            raise
        except UpstreamBusy:
            busy = DuoBusy("bulkhead_full", "Too many people wait for Duo's Admin API at the same time.")
        raise busy


class _Client(Carried, duo_client.Admin):  # type: ignore[misc]
    """duo_client's Admin API on our own connections."""

    def may_repeat(self, method: str, path: str) -> bool:
        return method == "GET"


def _account(described: object) -> DuoAccount:
    match described:
        case {"user_id": str(user_id), "phones": [*phones]} if user_id:
            return DuoAccount(user_id, tuple(_phones(phones)))
        case {"user_id": str(user_id)} if user_id:
            return DuoAccount(user_id)
    raise _unreadable()


def _phones(described: Iterable[object]) -> Iterable[AccountPhone]:
    return (phone for phone in map(_phone, described) if phone is not None)


def _phone(described: object) -> AccountPhone | None:
    match described:
        case {"phone_id": str(phone_id)} if phone_id and isinstance(described, Mapping):
            kind, platform = str(described.get("type", "")).lower(), str(described.get("platform", "")).lower()
            smart = kind == _MOBILE and platform not in ("", _UNKNOWN)
            return AccountPhone(phone_id, smart and described.get("activated") is False)
    return None


def _activation(described: object) -> Activation | None:
    """Read the code out of the address of its picture: Duo draws ``value``, and tells it nowhere else."""
    match described:
        case {"activation_barcode": str(barcode), "valid_secs": int(seconds)} if isinstance(described, Mapping):
            code = _code_in(barcode)
            if code and seconds > 0:
                return Activation(code, _https(described.get("activation_url")), float(seconds))
    return None


def _code_in(barcode: str) -> str:
    try:
        values = parse_qs(urlsplit(barcode).query).get("value", [])
    except ValueError:
        return ""
    code = values[0] if len(values) == 1 else ""
    plain = code.isascii() and code.isprintable() and len(code) <= _LONGEST_CODE
    return code if code.startswith("duo://") and plain else ""


def _https(url: object) -> str:
    plain = isinstance(url, str) and url.startswith("https://") and url.isascii() and url.isprintable()
    return str(url) if plain else ""


def _unreadable() -> DuoUnavailable:
    return DuoUnavailable("unreadable", "The Admin API's answer is not one that its interface describes.")
