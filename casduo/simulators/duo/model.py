"""What a Duo account consists of: applications, users and the devices they carry."""

from __future__ import annotations

import ipaddress
import secrets
import string
from dataclasses import dataclass, field
from typing import Literal, get_args

from casduo.simulators.duo.passcodes import BypassCodes, CodeGenerator, CodeList

ApplicationType = Literal["websdk", "authapi", "admin"]
UserStatus = Literal["active", "bypass", "disabled", "locked out"]
NewUserPolicy = Literal["enroll", "allow", "deny"]
Capability = Literal["auto", "push", "sms", "phone", "mobile_otp"]
Reply = Literal["approve", "deny", "fraud", "ignore", "push_failed", "pick_up"]
PhoneType = Literal["Unknown", "Mobile", "Landline"]

USER_STATUSES: tuple[UserStatus, ...] = get_args(UserStatus)
APPLICATION_TYPES: tuple[ApplicationType, ...] = get_args(ApplicationType)
NEW_USER_POLICIES: tuple[NewUserPolicy, ...] = get_args(NewUserPolicy)
CAPABILITIES: tuple[Capability, ...] = get_args(Capability)
REPLIES: tuple[Reply, ...] = get_args(Reply)
PHONE_TYPES: tuple[PhoneType, ...] = get_args(PhoneType)
_STEPS: tuple[Reply, ...] = ("push_failed", "pick_up")

_APP: frozenset[Capability] = frozenset({"push", "mobile_otp"})
"""What the app on a phone does; calls and messages need no app, only a number."""

_ID_CHARACTERS = string.ascii_uppercase + string.digits
_SECRET_CHARACTERS = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """Return a 20-character identifier: ``DI`` application, ``DU`` user, ``DP`` phone, ``DH`` hardware token."""
    return prefix + "".join(secrets.choice(_ID_CHARACTERS) for _ in range(20 - len(prefix)))


def new_secret_key() -> str:
    """Return a secret key of 40 characters."""
    return "".join(secrets.choice(_SECRET_CHARACTERS) for _ in range(40))


@dataclass(frozen=True, slots=True)
class Application:
    """An application that may talk to Duo, with the keys a client is given.

    :param integration_key: 20 characters beginning with DI; the OIDC client id.
    :param secret_key: 40 characters; the OIDC client secret.
    :param redirect_uris: where the Universal Prompt may send people back to, compared character for character; None
        allows whatever the application signs, as an application without such a list in Duo's panel.
    :param new_user_policy: what becomes of unknown users here; None follows the account.
    :param remembered_devices: hand out ``trusted_device_token`` after an allow.
    :param verified_push: a push is approved by typing a code that the login page shows. A client that supports this
        reads the code from ``preauth``; one that does not is sent the same kind of push, and the code is in
        ``status_msg``, because a policy that a client could switch off by staying silent would be none.
    :param trusted_networks: addresses from where nobody is asked for a second factor, ``192.0.2.0/24``.
    """

    type: ApplicationType
    name: str
    integration_key: str = field(default_factory=lambda: new_id("DI"))
    secret_key: str = field(default_factory=new_secret_key, repr=False)
    redirect_uris: tuple[str, ...] | None = None
    new_user_policy: NewUserPolicy | None = None
    remembered_devices: bool = False
    verified_push: bool = False
    trusted_networks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.type not in APPLICATION_TYPES:
            raise ValueError(f"an application is one of {', '.join(APPLICATION_TYPES)}")
        if len(self.integration_key) != 20 or len(self.secret_key) != 40:
            raise ValueError("an integration key has 20 characters and a secret key has 40")
        for network in self.trusted_networks:
            ipaddress.ip_network(network)

    def trusts(self, address: str) -> bool:
        """Whether an address, empty if none is known, is in a trusted network."""
        networks = (ipaddress.ip_network(network) for network in self.trusted_networks)
        return bool(address) and any(ipaddress.ip_address(address) in network for network in networks)


@dataclass(slots=True)
class Phone:
    """A phone.

    :param number: digits as people write them; shown masked. Empty for a phone known only by its app.
    :param capabilities: what it can do, in the order Duo lists it, once the app on it was set up.
    :param activated: whether it was. Before that a phone without a number is no use, and one with a number takes
        calls and messages.
    :param type: as the Admin API words it.
    :param platform: as the Admin API words it; no app can be set up on an ``Unknown`` one.
    """

    name: str = "iPhone"
    number: str = ""
    capabilities: tuple[Capability, ...] = CAPABILITIES
    activated: bool = True
    id: str = field(default_factory=lambda: new_id("DP"))
    generator: CodeGenerator = field(default_factory=CodeGenerator)
    sms_codes: CodeList = field(default_factory=CodeList)
    type: PhoneType = "Mobile"
    platform: str = "Generic Smartphone"

    def __post_init__(self) -> None:
        unknown = set(self.capabilities) - set(CAPABILITIES)
        if unknown:
            raise ValueError(f"a phone cannot {', '.join(sorted(unknown))}")

    @property
    def abilities(self) -> tuple[Capability, ...]:
        """What it can do now, in the order Duo lists it."""
        if not self.activated and not self.number:
            return ()
        return tuple(
            each for each in CAPABILITIES if each in self.capabilities and (self.activated or each not in _APP)
        )

    @property
    def usable(self) -> bool:
        """Whether a login can be confirmed with it."""
        return bool(self.abilities)

    @property
    def masked_number(self) -> str:
        """The number with all but the last four digits hidden."""
        digits = [character for character in self.number if character.isdigit()]
        return f"XXX-XXX-{''.join(digits[-4:])}" if digits else ""

    @property
    def display_name(self) -> str:
        """What a person recognises the phone by."""
        name = self.name or "Phone"
        return f"{name} ({self.masked_number})" if self.number else name

    def describe(self) -> dict[str, object]:
        """Return the phone as ``preauth`` lists it."""
        described: dict[str, object] = {
            "device": self.id,
            "type": "phone",
            "name": self.name,
            "display_name": self.display_name,
            "number": self.masked_number,
            "capabilities": list(self.abilities),
        }
        if self.sms_codes.unused:
            described["sms_nextcode"] = self.sms_codes.unused[0][0]
        return described


@dataclass(slots=True)
class Token:
    """A hardware token that shows passcodes and can do nothing else.

    :param serial: printed on its back.
    """

    serial: str = "20361492"
    id: str = field(default_factory=lambda: new_id("DH"))
    generator: CodeGenerator = field(default_factory=CodeGenerator)

    def describe(self) -> dict[str, object]:
        """Return the token as ``preauth`` lists it: without capabilities, and without a display name."""
        return {"device": self.id, "type": "token", "name": self.serial}


Device = Phone | Token


@dataclass(frozen=True, slots=True)
class Script:
    """What a user does with every request that reaches the phone.

    :param reply: ``ignore`` lets it run out; ``push_failed`` means that the push never arrives by itself;
        ``pick_up`` answers a call without pressing a key.
    :param after: seconds from the request to the reply, or from the step before.
    :param then: what comes next, after a reply that is not the end: ``Script("push_failed", 1, Script("approve", 5))``.
    """

    reply: Reply
    after: float = 0.0
    then: Script | None = None

    def __post_init__(self) -> None:
        if self.reply not in REPLIES:
            raise ValueError(f"a reply is one of {', '.join(REPLIES)}")
        if self.after < 0:
            raise ValueError("nobody replies before being asked")
        if self.then is not None and self.reply not in _STEPS:
            raise ValueError(f"nothing comes after {self.reply}")


@dataclass(slots=True)
class User:
    """A person Duo knows.

    :param username: in the form the account's user-name rule produces.
    :param failures: consecutive failed logins; a successful one starts again at 0.
    :param script: how the person replies; None waits for somebody to press a button.
    :param last_login: epoch seconds of the last success; None before the first.
    """

    username: str
    status: UserStatus = "active"
    devices: list[Device] = field(default_factory=list)
    id: str = field(default_factory=lambda: new_id("DU"))
    bypass_codes: BypassCodes = field(default_factory=BypassCodes)
    failures: int = 0
    script: Script | None = None
    realname: str = ""
    email: str = ""
    notes: str = ""
    last_login: float | None = None

    @property
    def usable_devices(self) -> list[Device]:
        """The devices a login can be confirmed with."""
        return [device for device in self.devices if isinstance(device, Token) or device.usable]

    @property
    def phones(self) -> list[Phone]:
        """The usable phones."""
        return [device for device in self.usable_devices if isinstance(device, Phone)]
