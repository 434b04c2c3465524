"""The endpoints of Auth API v2. Each takes a verified call and returns the ``response`` of its answer.

Source: Duo's Auth API documentation, one section per endpoint.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import parse_qsl

from casduo.simulators.duo import transactions
from casduo.simulators.duo.account import Account
from casduo.simulators.duo.call import Call, Endpoint
from casduo.simulators.duo.enrollment import Site
from casduo.simulators.duo.errors import INVALID_PARAMETER, MISSING_PARAMETER, DuoRefusal
from casduo.simulators.duo.model import Capability, Device, Phone, User, new_id
from casduo.simulators.duo.passcode_check import check_passcode
from casduo.simulators.duo.passcodes import Verdict, random_digits
from casduo.simulators.duo.text_prompt import TextPrompt, chosen, text_prompt
from casduo.simulators.duo.transactions import Details, Transaction
from casduo.simulators.duo.verified_push import Verification
from casduo.simulators.duo.waiting import Waiting

_DEFAULT_VALID_SECONDS = 86400
_MAXIMUM_PUSHINFO = 20_000
_MAXIMUM_BYPASS_CODES = 10
_FACTORS = ("auto", "push", "passcode", "phone", "sms", "prompt")
_OUT_OF_BAND: tuple[Capability, ...] = ("push", "phone", "sms")


class AuthApi:
    """The endpoints, over one account.

    :param site: the address of this server as clients know it.
    :param logo: PNG bytes shown for ``/auth/v2/logo``; None answers as an account without a logo.
    """

    def __init__(self, account: Account, waiting: Waiting, site: Site) -> None:
        self._account = account
        self._waiting = waiting
        self._site = site
        self.logo_image: bytes | None = None
        self.endpoints: dict[str, Endpoint] = {
            "/auth/v2/ping": Endpoint("GET", self._time, signed=False),
            "/auth/v2/check": Endpoint("GET", self._time),
            "/auth/v2/logo": Endpoint("GET", self._logo),
            "/auth/v2/preauth": Endpoint("POST", self._preauth),
            "/auth/v2/auth": Endpoint("POST", self._auth),
            "/auth/v2/auth_status": Endpoint("GET", self._auth_status),
            "/auth/v2/enroll": Endpoint("POST", self._enroll),
            "/auth/v2/enroll_status": Endpoint("POST", self._enroll_status),
        }

    def _time(self, call: Call) -> object:
        return {"time": int(call.wall)}

    def _logo(self, call: Call) -> object:
        if self.logo_image is None:
            raise DuoRefusal(INVALID_PARAMETER, "no logo")
        return self.logo_image

    # -- preauth -----------------------------------------------------------------------------------------------------

    def _preauth(self, call: Call) -> object:
        user = self._named_user(call)
        _check_address(call)
        decision = self._account.preauth(
            call.caller, user, address=call.get("ipaddr"), trusted_device_token=call.get("trusted_device_token")
        )
        answer: dict[str, object] = {"result": decision.result, "status_msg": decision.message}
        prompt = None
        if decision.result == "enroll":
            url = self._portal_url(call, user.username if user else call.get("username"))
            answer["enroll_portal_url"] = url
            prompt = TextPrompt(f"Please enroll at {url}")
        if decision.result == "auth" and user is not None:
            answer["devices"] = [device.describe() for device in decision.devices]
            verified = call.caller.verified_push and call.flag("client_supports_verified_push")
            if verified and any("push" in phone.abilities for phone in user.phones):
                verification = self._account.prepare_verification(user, call.now)
                answer["txid"] = verification.txid
                answer["verification_code"] = verification.code
                answer["expiration"] = int(call.wall + self._account.settings.request_timeout)
            prompt = text_prompt(user, verified_push=verified)
        if prompt is not None and call.flag("text_prompt"):
            answer["prompt"] = prompt.describe()
        return answer

    def _portal_url(self, call: Call, username: str) -> str:
        link = self._account.enrollments.invite(self._account.canonical(username), call.now)
        return self._site.portal_url(link, call.caller.integration_key)

    # -- auth --------------------------------------------------------------------------------------------------------

    def _auth(self, call: Call) -> object:
        factor = call.require("factor")
        if factor not in _FACTORS:
            raise DuoRefusal(INVALID_PARAMETER, "factor")
        user = self._known_user(call)
        _check_address(call)
        transaction = self._start(call, user, factor)
        if call.flag("async"):
            return {"txid": transaction.txid}
        # Longer than any request lives: what ends the wait is the end of the request.
        self._waiting.until(transaction, lambda each: not each.pending, 2 * self._account.settings.request_timeout)
        return transaction.describe()

    def _start(self, call: Call, user: User, factor: str) -> Transaction:
        passcode = call.require("passcode") if factor == "passcode" else ""
        device_id = call.require("device") if factor not in ("passcode", "prompt") else ""
        choice = call.require("prompt") if factor == "prompt" else ""
        standing = self._account.standing(user)
        if standing is not None:
            return self._account.conclude(user, call.caller, factor=factor, device=None, state=standing, now=call.now)
        if factor == "prompt":
            factor, device_id, passcode = chosen(choice, user)
        if factor == "passcode":
            return self._passcode(call, user, passcode)
        details = self._details(call, user)
        phone, factor = _capable_phone(user, device_id, factor)
        if factor == "sms":
            self._account.send_sms(phone)
            return self._account.conclude(
                user, call.caller, factor=factor, device=phone, state=transactions.SMS_SENT, now=call.now
            )
        verification = self._prepared(call, user) if factor == "push" else None
        return self._account.begin(
            user, call.caller, factor=factor, device=phone, details=details, now=call.now, verification=verification
        )

    def _prepared(self, call: Call, user: User) -> Verification | None:
        """Return what preauth prepared for this push, if the caller says that it did.

        :raises DuoRefusal: 40002 when ``txid`` was not made for this user, was used before, or has run out. A push
            with another code than the login page shows would help nobody.
        """
        txid = call.get("txid")
        if not txid:
            return None
        verification = self._account.verifications.take(txid, user.username, call.now)
        if verification is None:
            raise DuoRefusal(INVALID_PARAMETER, "txid")
        return verification

    def _passcode(self, call: Call, user: User, passcode: str) -> Transaction:
        check = check_passcode(user, passcode, call.now)
        state = {
            Verdict.VALID: transactions.ALLOWED,
            Verdict.USED: transactions.USED_PASSCODE,
            Verdict.WRONG: transactions.WRONG_PASSCODE,
        }[check.verdict]
        return self._account.conclude(
            user, call.caller, factor=check.factor or "passcode", device=check.device, state=state, now=call.now
        )

    def _details(self, call: Call, user: User) -> Details:
        pushinfo = call.get("pushinfo")
        if len(pushinfo.encode()) > _MAXIMUM_PUSHINFO:
            raise DuoRefusal(INVALID_PARAMETER, "pushinfo")
        try:
            information = parse_qsl(pushinfo, keep_blank_values=True, strict_parsing=bool(pushinfo))
        except ValueError as error:
            raise DuoRefusal(INVALID_PARAMETER, "pushinfo") from error
        return Details(
            application=call.caller.name,
            username=call.get("display_username") or user.username,
            kind=call.get("type") or "Login",
            address=call.get("ipaddr"),
            host=call.get("hostname"),
            information=tuple(information),
        )

    def _auth_status(self, call: Call) -> object:
        transaction = self._account.find_transaction(call.require("txid"), call.caller, call.now)
        if transaction is None:
            raise DuoRefusal(INVALID_PARAMETER, "txid")
        self._waiting.until(
            transaction, lambda each: each.has_news or not each.pending, self._account.settings.poll_hold
        )
        version = transaction.version
        # A caller that hung up has heard nothing, so the next one is told the same news.
        call.after_sent(lambda: transaction.mark_reported(version))
        return transaction.describe()

    # -- enrolment ---------------------------------------------------------------------------------------------------

    def _enroll(self, call: Call) -> object:
        username = call.get("username") if "username" in call.parameters else f"user-{random_digits(10)}"
        if not self._account.canonical(username) or self._account.find(username) is not None:
            raise DuoRefusal(INVALID_PARAMETER, "username")
        seconds = call.number("valid_secs", _DEFAULT_VALID_SECONDS, at_most=30 * _DEFAULT_VALID_SECONDS)
        bypass_codes = [random_digits(9) for _ in range(call.number("bypass_codes", 0, at_most=_MAXIMUM_BYPASS_CODES))]
        user = self._account.add(User(username, id=new_id("DU")))
        user.bypass_codes.replace(list(bypass_codes))
        activation = self._account.enrollments.start(user, seconds, call.now)
        answer: dict[str, object] = {
            "user_id": user.id,
            "username": user.username,
            "activation_code": self._site.payload(activation),
            "activation_barcode": self._site.barcode_url(activation),
            "activation_url": self._site.activation_url(activation),
            "expiration": int(call.wall + seconds),
        }
        if bypass_codes:
            answer["bypass_codes"] = bypass_codes
        return answer

    def _enroll_status(self, call: Call) -> object:
        user_id, code = call.require("user_id"), call.require("activation_code")
        user = self._account.find_by_id(user_id)
        if user is None:
            raise DuoRefusal(INVALID_PARAMETER, "user_id")
        activation = self._account.enrollments.find(code)
        if activation is None or activation.user is not user:
            return "invalid"
        return activation.status(call.now)

    # -- who is meant ------------------------------------------------------------------------------------------------

    def _named_user(self, call: Call) -> User | None:
        """Return the user a call is about; None for a name nobody has.

        :raises DuoRefusal: 40001 when neither name nor id is given; 40002 for both, and for an id nobody has.
        """
        username, user_id = call.get("username"), call.get("user_id")
        if not username and not user_id:
            raise DuoRefusal(MISSING_PARAMETER, "user_id or username")
        if username and user_id:
            raise DuoRefusal(INVALID_PARAMETER, "user_id or username")
        if username:
            return self._account.find(username)
        user = self._account.find_by_id(user_id)
        if user is None:
            raise DuoRefusal(INVALID_PARAMETER, "user_id")
        return user

    def _known_user(self, call: Call) -> User:
        user = self._named_user(call)
        if user is None:
            raise DuoRefusal(INVALID_PARAMETER, "username")
        return user


def _check_address(call: Call) -> None:
    address = call.get("ipaddr")
    if address:
        try:
            ipaddress.ip_address(address)
        except ValueError as error:
            raise DuoRefusal(INVALID_PARAMETER, "ipaddr") from error


def _capable_phone(user: User, device_id: str, factor: str) -> tuple[Phone, Capability]:
    """Return the phone to ask and the factor to ask by: the first capable one for ``auto``."""
    devices: list[Device] = user.usable_devices
    if device_id != "auto":
        devices = [device for device in devices if device.id == device_id]
        if not devices:
            raise DuoRefusal(INVALID_PARAMETER, "device")
    wanted = [name for name in _OUT_OF_BAND if factor in ("auto", name)]
    for capability in wanted:
        for device in devices:
            if isinstance(device, Phone) and capability in device.abilities:
                return device, capability
    raise DuoRefusal(INVALID_PARAMETER, "no capable device")
