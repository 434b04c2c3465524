"""The endpoints of Admin API v1 that help people to a device: users, phones, activation codes, bypass codes.

Source: Duo's Admin API documentation, "Users" and "Phones". Objects hold the members that such a tool reads, not all
that Duo lists. What Duo leaves open is decided here: an id nobody has is 40401, a bad value 40002 with its name.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule

from casduo.simulators.duo.account import Account
from casduo.simulators.duo.admin_objects import describe_bypass_code, describe_phone, describe_user
from casduo.simulators.duo.call import Call, Endpoint, Page
from casduo.simulators.duo.enrollment import Mail, Site
from casduo.simulators.duo.errors import (
    DUPLICATE_RESOURCE,
    INVALID_PARAMETER,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    DuoRefusal,
)
from casduo.simulators.duo.model import CAPABILITIES, PHONE_TYPES, Capability, Phone, PhoneType, User, UserStatus
from casduo.simulators.duo.passcodes import random_digits

_SETTABLE_STATUSES: tuple[UserStatus, ...] = ("active", "bypass", "disabled")

_PLATFORMS = ("Unknown", "Apple iOS", "Google Android", "Generic Smartphone")

_LANDLINE: tuple[Capability, ...] = ("auto", "phone")
"""What a phone can do that takes neither messages nor an app."""

_DAY = 86400
_MOST_BYPASS_CODES = 10
_BYPASS_CODE_DIGITS = 9

_USER = "/admin/v1/users/<user_id>"
_PHONE = "/admin/v1/phones/<phone_id>"

_URLS = Map(
    [
        Rule("/admin/v1/users", endpoint="list_users", methods=["GET"]),
        Rule("/admin/v1/users", endpoint="create_user", methods=["POST"]),
        Rule("/admin/v1/users/enroll", endpoint="invite_user", methods=["POST"]),
        Rule(_USER, endpoint="get_user", methods=["GET"]),
        Rule(_USER, endpoint="change_user", methods=["POST"]),
        Rule(_USER, endpoint="delete_user", methods=["DELETE"]),
        Rule(f"{_USER}/phones", endpoint="list_user_phones", methods=["GET"]),
        Rule(f"{_USER}/phones", endpoint="give_phone", methods=["POST"]),
        Rule(f"{_USER}/phones/<phone_id>", endpoint="take_phone", methods=["DELETE"]),
        Rule(f"{_USER}/bypass_codes", endpoint="list_bypass_codes", methods=["GET"]),
        Rule(f"{_USER}/bypass_codes", endpoint="create_bypass_codes", methods=["POST"]),
        Rule("/admin/v1/phones", endpoint="list_phones", methods=["GET"]),
        Rule("/admin/v1/phones", endpoint="create_phone", methods=["POST"]),
        Rule(_PHONE, endpoint="get_phone", methods=["GET"]),
        Rule(_PHONE, endpoint="delete_phone", methods=["DELETE"]),
        Rule(f"{_PHONE}/activation_url", endpoint="create_activation", methods=["POST"]),
    ],
    strict_slashes=False,
    merge_slashes=False,
)


class AdminApi:
    """The endpoints, over one account.

    :param site: the address of this server as clients know it.
    """

    def __init__(self, account: Account, site: Site) -> None:
        self._account = account
        self._site = site
        self._handlers: dict[str, Callable[..., object]] = {
            "list_users": self._list_users,
            "create_user": self._create_user,
            "invite_user": self._invite_user,
            "get_user": self._get_user,
            "change_user": self._change_user,
            "delete_user": self._delete_user,
            "list_user_phones": self._list_user_phones,
            "give_phone": self._give_phone,
            "take_phone": self._take_phone,
            "list_bypass_codes": self._list_bypass_codes,
            "create_bypass_codes": self._create_bypass_codes,
            "list_phones": self._list_phones,
            "create_phone": self._create_phone,
            "get_phone": self._get_phone,
            "delete_phone": self._delete_phone,
            "create_activation": self._create_activation,
        }

    def find(self, method: str, path: str) -> Endpoint | None:
        """Return the endpoint for a request; None when there is no such path.

        :raises DuoRefusal: 40501 when the path takes other methods.
        """
        try:
            name, arguments = _URLS.bind("").match(path, method)
        except (NotFound, RequestRedirect):
            return None
        except MethodNotAllowed as error:
            raise DuoRefusal(METHOD_NOT_ALLOWED) from error
        return Endpoint(method, functools.partial(self._handlers[name], **arguments))

    # -- users -------------------------------------------------------------------------------------------------------

    def _list_users(self, call: Call) -> object:
        users = sorted(self._account.users.values(), key=lambda user: user.username)
        if "username" in call.parameters:
            users = [user for user in users if user is self._account.find(call.get("username"))]
        if "username_list" in call.parameters:
            names = {self._account.canonical(name) for name in _names(call.get("username_list"))}
            users = [user for user in users if user.username in names]
        if "email" in call.parameters:
            users = [user for user in users if user.email.lower() == call.get("email").lower()]
        return _page(call, [describe_user(user) for user in users], at_most=300)

    def _create_user(self, call: Call) -> object:
        username = call.require("username")
        self._refuse_duplicate(username)
        user = User(username)
        _change(user, call)
        return describe_user(self._account.add(user))

    def _invite_user(self, call: Call) -> object:
        username, address = call.require("username"), call.require("email")
        seconds = call.number("valid_secs", 30 * _DAY, at_most=365 * _DAY)
        user = self._account.find(username) or self._account.add(User(username))
        user.email = address
        # Duo takes 0 for "never"; a year is as good here.
        link = self._account.enrollments.invite(user.username, call.now, seconds or 365 * _DAY)
        url = self._site.portal_url(link, call.caller.integration_key)
        self._account.mails.append(Mail(address, user.username, url))
        return ""

    def _get_user(self, call: Call, user_id: str) -> object:
        return describe_user(self._user(user_id))

    def _change_user(self, call: Call, user_id: str) -> object:
        user = self._user(user_id)
        username = call.get("username")
        if username and self._account.canonical(username) != user.username:
            self._refuse_duplicate(username)
            _change(user, call)
            self._account.remove(user.username)
            user.username = username
            self._account.add(user)
        else:
            _change(user, call)
        return describe_user(user)

    def _delete_user(self, call: Call, user_id: str) -> object:
        user = self._account.find_by_id(user_id)
        if user is not None:
            self._account.remove(user.username)
        return ""

    # -- phones ------------------------------------------------------------------------------------------------------

    def _list_user_phones(self, call: Call, user_id: str) -> object:
        user = self._user(user_id)
        return _page(call, [describe_phone(phone, user) for phone in _phones(user)], at_most=500)

    def _give_phone(self, call: Call, user_id: str) -> object:
        user = self._user(user_id)
        found = self._account.find_phone(call.require("phone_id"))
        if found is None:
            raise DuoRefusal(INVALID_PARAMETER, "phone_id")
        phone, owner = found
        # At Duo several people may share a phone. Here it has one owner, and giving it away takes it from the last.
        self._take(phone, owner)
        self._account.spare_phones.pop(phone.id, None)
        user.devices.append(phone)
        return ""

    def _take_phone(self, call: Call, user_id: str, phone_id: str) -> object:
        user = self._user(user_id)
        phone = next((phone for phone in _phones(user) if phone.id == phone_id), None)
        if phone is not None:
            self._take(phone, user)
            self._account.spare_phones[phone.id] = phone
        return ""

    def _list_phones(self, call: Call) -> object:
        described = [describe_phone(phone, user) for user in self._account.users.values() for phone in _phones(user)]
        described += [describe_phone(phone, None) for phone in self._account.spare_phones.values()]
        if "number" in call.parameters:
            described = [each for each in described if each["number"] == call.get("number")]
        return _page(call, described, at_most=500)

    def _create_phone(self, call: Call) -> object:
        number = call.get("number")
        if number and any(number == each.number for user in self._account.users.values() for each in _phones(user)):
            raise DuoRefusal(DUPLICATE_RESOURCE)
        kind: PhoneType = _one_of(call, "type", PHONE_TYPES, "Unknown")
        phone = Phone(
            name=call.get("name"),
            number=number,
            capabilities=CAPABILITIES if kind != "Landline" else _LANDLINE,
            activated=False,
            type=kind,
            platform=_one_of(call, "platform", _PLATFORMS, "Unknown"),
        )
        self._account.spare_phones[phone.id] = phone
        return describe_phone(phone, None)

    def _get_phone(self, call: Call, phone_id: str) -> object:
        return describe_phone(*self._phone(phone_id))

    def _delete_phone(self, call: Call, phone_id: str) -> object:
        found = self._account.find_phone(phone_id)
        if found is not None:
            self._take(*found)
            self._account.spare_phones.pop(phone_id, None)
        return ""

    def _create_activation(self, call: Call, phone_id: str) -> object:
        phone, user = self._phone(phone_id)
        if "Unknown" in (phone.type, phone.platform):
            raise DuoRefusal(INVALID_PARAMETER, "type" if phone.type == "Unknown" else "platform")
        seconds = call.number("valid_secs", _DAY, at_most=30 * _DAY)
        activation = self._account.enrollments.reactivate(user, phone, seconds, call.now)
        answer: dict[str, object] = {
            "activation_barcode": self._site.barcode_url(activation),
            "activation_url": self._site.activation_url(activation),
            "valid_secs": seconds,
        }
        if call.flag("install"):
            answer["installation_url"] = f"{self._site.base_url}/phone"
        return answer

    # -- bypass codes ------------------------------------------------------------------------------------------------

    def _list_bypass_codes(self, call: Call, user_id: str) -> object:
        codes = self._user(user_id).bypass_codes.unused(call.now)
        return _page(call, [describe_bypass_code(code) for code in codes], at_most=500)

    def _create_bypass_codes(self, call: Call, user_id: str) -> object:
        user = self._user(user_id)
        if call.get("codes") and call.get("count"):
            raise DuoRefusal(INVALID_PARAMETER, "codes")
        count = call.number("count", _MOST_BYPASS_CODES, at_most=_MOST_BYPASS_CODES)
        codes = [code.strip() for code in call.get("codes").split(",") if code.strip()]
        if any(not code.isalnum() for code in codes):
            raise DuoRefusal(INVALID_PARAMETER, "codes")
        codes = codes or [random_digits(_BYPASS_CODE_DIGITS) for _ in range(count)]
        seconds = call.number("valid_secs", 0, at_most=365 * _DAY)
        uses = call.number("reuse_count", 1, at_most=1000)
        if not call.flag("preserve_existing"):
            user.bypass_codes.replace([])
        user.bypass_codes.add(codes, uses=uses or None, expires=call.now + seconds if seconds else None)
        return codes

    # -- who and what is meant ---------------------------------------------------------------------------------------

    def _user(self, user_id: str) -> User:
        user = self._account.find_by_id(user_id)
        if user is None:
            raise DuoRefusal(NOT_FOUND)
        return user

    def _phone(self, phone_id: str) -> tuple[Phone, User | None]:
        found = self._account.find_phone(phone_id)
        if found is None:
            raise DuoRefusal(NOT_FOUND)
        return found

    def _refuse_duplicate(self, username: str) -> None:
        if self._account.find(username) is not None:
            raise DuoRefusal(DUPLICATE_RESOURCE)

    @staticmethod
    def _take(phone: Phone, owner: User | None) -> None:
        if owner is not None:
            owner.devices = [device for device in owner.devices if device is not phone]


def _phones(user: User) -> list[Phone]:
    """Return all phones of a user, those that are not set up yet too."""
    return [device for device in user.devices if isinstance(device, Phone)]


def _change(user: User, call: Call) -> None:
    status = _one_of(call, "status", _SETTABLE_STATUSES, user.status)
    if status != user.status:
        user.status = status
        user.failures = 0
    user.realname = call.parameters.get("realname", user.realname)
    user.email = call.parameters.get("email", user.email)
    user.notes = call.parameters.get("notes", user.notes)


def _one_of(call: Call, name: str, choices: tuple[Any, ...], default: Any) -> Any:
    """Return the choice a parameter names, in any case; the default when it is absent."""
    value = call.get(name)
    if not value:
        return default
    found = next((choice for choice in choices if choice.lower() == value.lower()), None)
    if found is None:
        raise DuoRefusal(INVALID_PARAMETER, name)
    return found


def _names(encoded: str) -> list[str]:
    try:
        names = json.loads(encoded)
    except ValueError as error:
        raise DuoRefusal(INVALID_PARAMETER, "username_list") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DuoRefusal(INVALID_PARAMETER, "username_list")
    return names


def _page(call: Call, objects: list[dict[str, object]], *, at_most: int) -> Page:
    """Return the part of a list that the caller asks for; 100 objects unless told otherwise."""
    limit = call.number("limit", 100, at_most=at_most)
    offset = call.number("offset", 0, at_most=10**9)
    if limit == 0:
        raise DuoRefusal(INVALID_PARAMETER, "limit")
    return Page(objects[offset : offset + limit], offset, limit, len(objects))
