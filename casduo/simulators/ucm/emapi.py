"""The Extension Mobility API at ``/emservice/EMServiceServlet`` (Cisco's guide to it): 200 whatever comes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from xml.etree.ElementTree import Element

from werkzeug.wrappers import Request

from casduo.simulators.ucm.axl_answers import serialised
from casduo.simulators.ucm.cluster import Cluster
from casduo.simulators.ucm.emapi_answers import (
    checked_users,
    device_profiles,
    device_users,
    document,
    failure,
    success,
    user_devices,
)
from casduo.simulators.ucm.emapi_request import UNKNOWN_QUERY, EmCall, read_call, read_operation
from casduo.simulators.ucm.errors import EmFailure, HttpRefusal, LoginReason, LoginRefusal
from casduo.simulators.ucm.exchange import Exchange, Reply
from casduo.simulators.ucm.model import User

_NO_CALLER, _WRONG_CALLER, _NO_RIGHT, _NOT_ENABLED_AT_LOGOUT, _BUSY = 2, 3, 10, 5, 26

_CODES: Mapping[LoginReason, int] = {
    "no_device": 11,
    "no_profile": 12,
    "occupied": 18,
    "nobody": 19,
    "not_enabled": 22,
    "no_user": 23,
    "elsewhere": 25,
    "password_change": 27,
}

_CHANGES = frozenset({"login", "logout", "logoutAll"})


class EmInterface:
    """The Extension Mobility service of one node."""

    name = "em"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lock = threading.Lock()
        self._at_work = 0
        self._operations: Mapping[str, Callable[[EmCall, float, int], Element]] = {
            "login": self._log_in,
            "logout": self._log_out,
            "logoutAll": self._log_out_all,
            "deviceUserQuery": self._device_users,
            "userDevicesQuery": self._user_devices,
            "deviceProfileQuery": self._profiles,
            "userDeviceProfileQuery": self._profiles,
            "checkUser": self._check_users,
        }

    def read(self, request: Request, body: bytes) -> tuple[str, Iterable[tuple[str, str]]]:
        """Return the operation and its parameters as far as they can be read."""
        return read_operation(request.form.get("xml", ""))

    def answer(self, exchange: Exchange) -> Reply:
        """Do what is asked. :raises HttpRefusal: it is not a POST"""
        if exchange.request.method != "POST":
            raise HttpRefusal(405, "send the document with POST")
        dialect = self._cluster.policy.em_dialect
        query = exchange.record.operation not in _CHANGES
        try:
            with self._turn(exchange.record.operation):
                exchange.wait()
                content = self._content(exchange)
        except EmFailure as error:
            exchange.record.outcome = f"em {error.em_code}"
            return Reply(200, serialised(document(failure(error, dialect), dialect, query=query)))
        return Reply(200, serialised(exchange.spoiled(document(content, dialect, query=query))))

    @contextmanager
    def _turn(self, operation: str) -> Iterator[None]:
        """Take a place among the logins and logouts at work. :raises EmFailure: 26, there is none left"""
        if operation not in _CHANGES:
            yield
            return
        with self._lock:
            if self._at_work >= self._cluster.policy.max_concurrent:
                raise EmFailure(_BUSY)
            self._at_work += 1
        try:
            yield
        finally:
            with self._lock:
                self._at_work -= 1

    def _content(self, exchange: Exchange) -> Element:
        call = read_call(exchange.request.form.get("xml", ""))
        with self._cluster.working() as now:
            self._check_caller(call, now, exchange.node)
            exchange.record.account = call.caller
            if exchange.refusal is not None:
                raise EmFailure(exchange.refusal.code)
            try:
                return self._operations[call.operation](call, now, exchange.node)
            except LoginRefusal as refusal:
                code = _CODES[refusal.reason]
                if refusal.reason == "not_enabled" and call.operation == "logout":
                    code = _NOT_ENABLED_AT_LOGOUT
                raise EmFailure(code, refusal.about) from refusal

    # -- who asks ----------------------------------------------------------------------------------------------------

    def _check_caller(self, call: EmCall, now: float, node: int) -> None:
        if not call.caller or not call.certificate:
            raise EmFailure(_NO_CALLER)
        policy = self._cluster.policy
        account = self._cluster.application_users.get(call.caller)
        user = None if account else self._cluster.user(call.caller)
        credential = account.password if account else user.password if user else None
        # How an encrypted certificate is made is told nowhere, so there is none that is right.
        if credential is None or call.encrypted or not credential.check(call.certificate, now, policy):
            raise EmFailure(_WRONG_CALLER, call.caller)
        if "em" not in (account.roles if account else ()) and not (user and self._is_own(user, call, now, node)):
            raise EmFailure(_NO_RIGHT, call.caller)

    def _is_own(self, user: User, call: EmCall, now: float, node: int) -> bool:
        """Whether somebody acts for nobody but themselves."""
        if call.operation == "logout":
            login = self._cluster.login_on(call.text("deviceName") or "", now, node)
            return login is not None and login.user == user.userid
        if call.operation in ("logoutAll", "deviceUserQuery"):
            return False
        asked = [call.user()] if call.operation == "login" else call.users()
        return all(self._cluster.user(userid) is user for userid in asked)

    # -- logins ------------------------------------------------------------------------------------------------------

    def _log_in(self, call: EmCall, now: float, node: int) -> Element:
        minutes = call.minutes()
        self._cluster.log_in(
            call.text("deviceName") or "",
            call.user(),
            call.text("deviceProfile") or None,
            now,
            node=node,
            by="em",
            seconds=self._seconds(call.user(), minutes),
        )
        return success()

    def _seconds(self, userid: str, minutes: int | None) -> float | None:
        user = self._cluster.user(userid)
        limits = [None if minutes is None else minutes * 60.0, self._cluster.policy.maximum_login_seconds]
        if user is not None and user.maximum_login_minutes is not None:
            limits.append(user.maximum_login_minutes * 60.0)
        return min((limit for limit in limits if limit is not None), default=None)

    def _log_out(self, call: EmCall, now: float, node: int) -> Element:
        self._cluster.log_out(call.text("deviceName") or "", now, node=node)
        return success()

    def _log_out_all(self, call: EmCall, now: float, node: int) -> Element:
        for login in self._cluster.logins():
            self._cluster.log_out(login.device, now, node=node)
        return success()

    # -- queries -----------------------------------------------------------------------------------------------------

    def _device_users(self, call: EmCall, now: float, node: int) -> Element:
        policy = self._cluster.policy
        return device_users(
            (
                (name, self._cluster.phones.get(name), self._cluster.login_on(name, now, node))
                for name in call.devices()
            ),
            last_login=policy.tells_last_login and policy.em_dialect == "current",
        )

    def _user_devices(self, call: EmCall, now: float, node: int) -> Element:
        return user_devices(
            (userid, self._cluster.user(userid), self._cluster.logins_of(userid, now, node)) for userid in call.users()
        )

    def _profiles(self, call: EmCall, now: float, node: int) -> Element:
        if self._cluster.policy.profile_query not in ("both", call.operation):
            raise EmFailure(UNKNOWN_QUERY)
        return device_profiles((userid, self._cluster.user(userid)) for userid in call.users())

    def _check_users(self, call: EmCall, now: float, node: int) -> Element:
        return checked_users((userid, self._cluster.user(userid)) for userid in call.users())
