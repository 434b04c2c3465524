"""The addresses that IP phones come to, below the URL of each registered service of phones.

Whatever happens, the answer is 200 and a page that the phone can show: another status leaves a number on its bottom
line (contract of phone services, "HTTP errors"). What a phone says of itself is used for layout, never for trust.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from casduo.endpoints.base import Route, Server
from casduo.errors import (
    BadRequest,
    CasduoError,
    FlowError,
    FlowKeyExpired,
    FlowKeyForeign,
    FlowKeyUsed,
    UpstreamUnavailable,
)
from casduo.events.model import Fault, FlowRefused, Subject
from casduo.events.phone import PhoneDeviceRefused
from casduo.outbound.budget import Budget
from casduo.phone.answers import answer_of, orders_of
from casduo.phone.devices import LONGEST_NAME, bound_address, device_name
from casduo.phone.languages import language_of, texts
from casduo.phone.models import Traits, traits_of
from casduo.phone.mounts import Mount, find_mount
from casduo.phone.presenter import screen_of
from casduo.phone.runs import TakesLonger
from casduo.phone.tokens import COOKIE, PhoneToken
from casduo.phone.urls import PhoneUrls
from casduo.protocol.errors import InvalidRequest, ProtocolError
from casduo.request import Request
from casduo.signing import fingerprint
from casduo.web import Reply
from casduo.webflow.actions.phone_entry import AGAIN_AFTER
from casduo.webflow.actions.phone_told import told
from casduo.webflow.context import Inbound
from casduo.webflow.effects import GoOn, Join, Page, ToStep
from casduo.webflow.execution import Answer
from casduo.webflow.extension_mobility import EXTENSION_MOBILITY, EXTENSION_MOBILITY_LOGOUT
from casduo.webflow.scope import Scope
from casduo.webflow.stands import LOST
from casduo.webflow.transactions import Stand

_MOMENT = Page("phone_moment", {"seconds": AGAIN_AFTER})
_GRACE = 0.5
"""Seconds for what is to be done besides the questions to others, for which the budget of a request is."""
_FIELDS = {
    "login": ("userid", "pin"),
    "passcode": ("passcode",),
    "push": ("factor",),
    "select": ("profile", "from"),
    "logout": ("pin",),
}
"""What can be sent to which step; a field of another one means nothing there."""
_NOT_YET = ".0"
"""Version, in its key, of a login that had not come to its first stop when the phone was told to wait."""
_ASKS = {"": "entry", "logout": "logout"}
"""Steps that only ask, as the view ``phone_moment`` names them."""
_SUBMITTED = {"passcode": "passcode", "push": "factor", "select": "", "cancel": "", "logout": ""}
"""What can be pressed where a flow waits: the last part of the address, and the field it cannot do without."""


@dataclass(slots=True)
class PhoneVisit:
    """One request of a phone, and what answers it.

    ``step`` is the part of the address behind the device. ``looking`` says that such an address is asked for what it
    offers, without a choice: the form for a passcode, or the menu of ways. ``execution`` is the key of the login it is
    about, empty for none. ``token`` is what the address says of the login under way, ``traits`` what the phone can
    show.
    """

    server: Server
    request: Request
    mount: Mount
    device: str
    step: str
    fields: Mapping[str, str] = field(repr=False)
    looking: bool = False
    execution: str = field(default="", repr=False)
    token: PhoneToken | None = field(init=False)
    traits: Traits = field(init=False)

    def __post_init__(self) -> None:
        rules, phones, request = self.server.parts.phone_rules, self.server.phones, self.request
        self.token = phones.tokens.read(self.fields.get("t", ""), request.now)
        self.traits = traits_of(request.environ, rules.post_models)

    def inbound(self, budget: Budget, *, posted: bool) -> Inbound:
        """Return what actions may know of this request.

        :param budget: what is left of the time for it
        """
        inbound = self.request.inbound(self._mark(self.device))
        fields = {name: self.fields[name] for name in _FIELDS.get(self.step, ()) if name in self.fields}
        if self.step == "cancel":
            fields["cancel"] = "true"
        return replace(
            inbound,
            fields=fields,
            posted=posted,
            on_phone=True,
            step=self.step,
            device=self.device,
            model=self.traits.model,
            budget=budget,
            # A phone is in no session of a browser's.
            session_cookie="",
            trust_cookie="",
            way_cookie="",
        )

    def _mark(self, device: str) -> str:
        """Return what flows of a phone are bound to: its name, and the address that this request came from."""
        binding = self.server.parts.phone_rules.address_binding
        return f"em {device} {bound_address(self.request.address, binding)}"

    # -- what is asked -----------------------------------------------------------------------------------------------

    def answer(self) -> Reply:
        """Answer the request, in time: what is not done yet is asked for again."""
        phones, patience = self.server.phones, self.server.parts.phone_rules.budget + _GRACE
        token = self.token
        if self._typed:
            self.execution = phones.transactions.new_execution()
        elif token is not None and not token.expired and self._fits(token):
            self.execution = token.execution
        # Whatever its version, and for nobody else.
        name = f"{self.execution.rpartition('.')[0]} {self._mark(self.device)}" if self.execution else ""
        try:
            return phones.runs.within(patience, self._answer, self._failed, name=name, asks=self.step == "wait")
        except TakesLonger as longer:
            return self._later(begun=longer.begun)
        except UpstreamUnavailable as failure:
            if self.step != "wait" or not self.execution:
                raise
            # The login is still there, and goes on when Redis is back.
            self._failed(failure)
            return self.show(_MOMENT, self.execution)

    def _later(self, *, begun: bool) -> Reply:
        """Have the phone ask again."""
        if self._typed and begun:
            return self.show(_MOMENT, f"{self.execution.rpartition('.')[0]}{_NOT_YET}")
        if self.execution and not self._typed:
            return self.show(_MOMENT, self.execution)
        if begun:
            return self.show(told("unavailable", "again", "exit", problem=True))
        if self.step in _ASKS:
            return self.show(Page("phone_moment", {**_MOMENT.data, "again": _ASKS[self.step]}))
        return self.show(told("busy", "again", "exit", seconds=5))

    def _failed(self, failure: BaseException) -> None:
        """Take note of what went wrong, where it cannot be told in answer to the request."""
        code = failure.code if isinstance(failure, CasduoError) else "UNEXPECTED"
        detail = str(failure) if isinstance(failure, CasduoError) else type(failure).__name__
        self.server.parts.journal.write(Fault(self._subject, code=code, detail=detail))

    @property
    def _typed(self) -> bool:
        """Whether somebody has sent user id and PIN."""
        return self.step == "login" and bool(self.fields.get("userid") or self.fields.get("pin"))

    def _answer(self) -> Reply:
        # Now it begins: it may have waited for a place.
        budget = Budget(self.server.parts.phone_rules.budget)
        if not self.step:
            return self._start(EXTENSION_MOBILITY.name, budget)
        if self.step == "login":
            return self._start(EXTENSION_MOBILITY.name, budget, posted=self._typed)
        if self.step == "logout" and not self.fields.get("t"):
            return self._start(EXTENSION_MOBILITY_LOGOUT.name, budget)
        if self.step != "wait" and self.step not in _SUBMITTED:
            return self.show(told("error", "again", "exit", problem=True))
        token = self.token
        if token is None or token.expired:
            return self.show(told("expired", "again", "exit"))
        execution = token.execution
        try:
            if not self.execution:
                raise FlowKeyForeign()
            return self._go_on(execution, budget)
        except FlowKeyForeign:
            return self._foreign(execution)
        except FlowError as error:
            if isinstance(error, FlowKeyExpired) and self._not_yet(token):
                return self.show(_MOMENT, execution)
            self.server.parts.journal.write(FlowRefused(self._subject, code=error.code))
            return self.show(told("expired", "again", "exit"))

    def _fits(self, token: PhoneToken) -> bool:
        """Whether the phone's cookie, if it has one, goes with the login that the address names."""
        mark = self.request.cookies.get(COOKIE, "")
        return not mark or self.server.phones.tokens.fits(mark, token.execution)

    def _not_yet(self, token: PhoneToken) -> bool:
        """Whether a login may still be on its way to its first stop, at another process."""
        return token.execution.endswith(_NOT_YET) and self.request.now - token.made_at < LOST

    def _start(self, flow: str, budget: Budget, *, posted: bool = False) -> Reply:
        scope = Scope(service=f"{self.mount.base}/{quote(self.device, safe='')}")
        transactions = self.server.phones.transactions
        # Of what only asks nothing is kept.
        execution = self.execution or transactions.new_execution()
        return self._send(transactions.begin(flow, execution, scope, self.inbound(budget, posted=posted)), budget)

    def _go_on(self, execution: str, budget: Budget) -> Reply:
        transactions = self.server.phones.transactions
        needed = _SUBMITTED.get(self.step)
        if needed is None or (needed and not self.fields.get(needed)):
            self.looking = True
            return self._look(execution, budget)
        try:
            return self._send(transactions.go_on(execution, self.inbound(budget, posted=True)), budget)
        except FlowKeyUsed:
            # A key was pressed twice: the other press has done it, or is about to.
            return self._look(execution, budget)

    def _look(self, execution: str, budget: Budget) -> Reply:
        """Show how a login stands, and go on with it where what it waited for has come."""
        transactions, inbound = self.server.phones.transactions, self.inbound(budget, posted=False)
        stand = transactions.stand(execution, inbound)
        if not isinstance(stand.effect, GoOn):
            return self._told(stand)
        try:
            return self._send(transactions.go_on(stand.execution, inbound), budget)
        except FlowKeyUsed:
            return self.show(_MOMENT, execution)

    def _foreign(self, execution: str) -> Reply:
        """A login goes on where it began or not at all. Another phone beside it ends it: one of the two is not what it
        says. From another address nothing happens to it, whatever somebody has read there.
        """
        transactions = self.server.phones.transactions
        origin = transactions.origin(execution)
        here = fingerprint(self._mark(origin.service.rpartition("/")[2])) == origin.mark
        if here:
            transactions.discard(execution)
        refused = PhoneDeviceRefused(
            self._subject,
            device=self.device,
            model=self.traits.model,
            reason="wrong_device" if here else "wrong_address",
            transaction=execution[2:6],
        )
        self.server.parts.journal.write(refused)
        return self.show(told("wrong_device" if here else "moved_on", "again", "exit", problem=True))

    # -- how it is answered ------------------------------------------------------------------------------------------

    def _send(self, answer: Answer, budget: Budget) -> Reply:
        effect = answer.effect
        if isinstance(effect, Join):
            return self._joined(effect.execution, budget)
        if isinstance(effect, ToStep):
            return self._look(answer.execution, budget)
        assert isinstance(effect, Page)
        if effect.data.get("clear_calls"):
            return self._clear_calls()
        return self.show(effect, answer.execution)

    def _joined(self, execution: str, budget: Budget) -> Reply:
        """Show the login that the same person has under way at this phone, once it has come to its first stop."""
        try:
            return self._look(execution, budget)
        except FlowError:
            return self.show(_MOMENT, execution)

    def _clear_calls(self) -> Reply:
        """Have the phone forget its lists of calls; the page of the login that has just ended comes after."""
        again = PhoneUrls(self.mount.base, self.device, self.fields["t"]).wait()
        body, headers = orders_of(["Init:CallHistory", again], self.traits, self.server.web.document)
        return Reply(200, headers, body)

    def _told(self, stand: Stand) -> Reply:
        if stand.state == "busy":
            return self.show(_MOMENT, stand.execution)
        assert isinstance(stand.effect, Page)
        return self.show(stand.effect, stand.execution)

    def show(self, page: Page, execution: str = "") -> Reply:
        """Answer with a page.

        :param execution: the key of the login that waits behind it
        """
        tokens, request, traits = self.server.phones.tokens, self.request, self.traits
        token = self._again(execution) if execution else ""
        # What can be no name of a phone is not said after it, at whatever length.
        urls = PhoneUrls(self.mount.base, device_name(self.device, ".*") or "", token)
        language = language_of(str(request.environ.get("HTTP_ACCEPT_LANGUAGE", "")))
        screen = screen_of(
            *(page.view, page.data, urls, traits, texts(language), request.reference),
            typing=self.looking and self.step == "passcode",
            choosing=self.looking and self.step == "push",
            refresh=self.server.phones.refresh,
        )
        body, headers = answer_of(screen, traits, self.server.web.document)
        mark = tokens.mark(execution) if execution else ""
        if mark and request.cookies.get(COOKIE) != mark:
            headers.append(self.server.web.phone_cookie(COOKIE, mark, self.mount.base))
        return Reply(200, headers, body)

    def _again(self, execution: str) -> str:
        """Return the token of a login. The one that came is good for no longer because the login is asked for again:
        else a phone would ask for ever.
        """
        given = self.token
        same = given is not None and given.execution == execution
        made_at = given.made_at if given is not None and same else self.request.now
        return self.server.phones.tokens.make(execution, made_at)

    @property
    def _subject(self) -> Subject:
        return self.request.subject(service=self.mount.service_id)


def phone_route(server: Server, request: Request) -> Route | None:
    """Return the route of an address of phones, ``None`` where no service of theirs answers."""
    found = find_mount(request.path, server.parts.services.current())
    return Route(phone, ("GET", "POST"), "application", refuse) if found is not None else None


def phone(server: Server, request: Request) -> Reply:
    """Everything below the URL of a registered service of phones. It is not for pages of other sites."""
    request.refuse_foreign_post()
    return _visit(server, request, request.phone_parameters).answer()


def refuse(server: Server, request: Request, failure: ProtocolError) -> Reply:
    """Tell of a request that could not be read, or of a fault of ours."""
    page = told("error" if isinstance(failure, InvalidRequest) else "unavailable", "again", "exit", problem=True)
    return _visit(server, request, {}).show(page)


def _visit(server: Server, request: Request, fields: Mapping[str, str]) -> PhoneVisit:
    mount = find_mount(request.path, server.parts.services.current())
    if mount is None:
        # The registry has changed in this very moment.
        raise BadRequest("unregistered")
    device, _, step = request.path[len(mount.path) :].strip("/").partition("/")
    device = (device or fields.get("device", ""))[: LONGEST_NAME + 1]
    # Some letters of other scripts have plain ones as their upper case.
    device = device.upper() if device.isascii() else device
    return PhoneVisit(server, request, mount, device, step, fields)
