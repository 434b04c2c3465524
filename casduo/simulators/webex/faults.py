"""Switches for everything a Webex that misbehaves can do. What goes wrong below HTTP is ``transport``."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

AnswerKind = Literal[
    "bad_gateway_html",
    "html",
    "empty",
    "empty_error",
    "cut_json",
    "json_list",
    "json_null",
    "json_text",
    "no_members",
    "wrong_types",
    "latin1",
    "huge",
    "redirect",
]
"""What an answer looks like that is not the right one: a gateway's page with 502, a page with 200, nothing with 200 and
with 503, JSON that ends too early, that is something else than an object, that has other members than it should, that
is not UTF-8, that has half a megabyte; a redirect."""

SilenceKind = Literal["drop", "hang"]
"""``drop`` closes the connection without an answer; ``hang`` says nothing until the client gives up."""

DeliveryKind = Literal[
    "twice", "late", "out_of_order", "lost", "no_signature", "bad_signature", "changed_body", "other_content_type"
]
"""``late``: after some time of the simulator's clock; ``out_of_order``: after the next one to the same webhook;
``lost``: never; ``changed_body``: one byte is another one than was signed."""

ANSWER_KINDS: tuple[AnswerKind, ...] = get_args(AnswerKind)
SILENCE_KINDS: tuple[SilenceKind, ...] = get_args(SilenceKind)
DELIVERY_KINDS: tuple[DeliveryKind, ...] = get_args(DeliveryKind)

ENDPOINTS = (
    "GET /messages",
    "POST /messages",
    "GET /messages/direct",
    "GET /messages/{id}",
    "PUT /messages/{id}",
    "DELETE /messages/{id}",
    "GET /rooms",
    "GET /rooms/{id}",
    "GET /people",
    "GET /people/me",
    "GET /people/{id}",
    "GET /webhooks",
    "POST /webhooks",
    "GET /webhooks/{id}",
    "PUT /webhooks/{id}",
    "DELETE /webhooks/{id}",
    "POST /attachment/actions",
    "GET /attachment/actions/{id}",
)
"""Every endpoint, as faults name it."""

EVERY = "*"
"""Stands for every endpoint."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer with a status of one's choice and the usual error body.

    :param retry_after: what ``Retry-After`` says, a number of seconds or any text; None leaves it out
    :param message: for people; empty for one that fits the status
    """

    status: int
    retry_after: int | str | None = None
    message: str = ""


Effect = Failure | AnswerKind | SilenceKind


@dataclass(slots=True)
class Fault:
    """Something that is to go wrong with a call.

    :param done: whether the call is carried out all the same, and only its answer is lost
    """

    endpoint: str
    effect: Effect
    done: bool
    left: int | None


@dataclass(slots=True)
class _Delay:
    endpoint: str
    seconds: float
    left: int | None


@dataclass(slots=True)
class DeliveryFault:
    """Something that is to go wrong with a delivery. ``seconds`` is how late a late one comes."""

    kind: DeliveryKind
    seconds: float
    left: int | None


_RuleT = TypeVar("_RuleT", Fault, _Delay, DeliveryFault)


class WebexFaults:
    """Switches of the simulated Webex.

    Endpoints are those of :data:`ENDPOINTS` (``POST /messages``, ``DELETE /messages/{id}``); ``*`` is every one.
    ``times`` counts calls, None means until :meth:`clear`. The first switch that fits a call is taken, before anybody
    looks at its token. Connections are aborted by paths, with ``transport.reset``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._delays: list[_Delay] = []
        self._deliveries: list[DeliveryFault] = []
        self._released = threading.Event()
        self.next_origin: str | None = None
        """Scheme and host that links to the next page lead to, instead of the right ones."""

    def fail(
        self,
        endpoint: str,
        status: int,
        *,
        times: int | None = 1,
        retry_after: int | str | None = None,
        message: str = "",
        done: bool = False,
    ) -> None:
        """Answer with a status instead of the right answer.

        :param done: carry the call out all the same, as a gateway does that gave up waiting too early
        :raises ValueError: no such endpoint, or not the status of an error
        """
        if not 400 <= status <= 599:
            raise ValueError("status must be one of an error, 400 to 599")
        self._add(endpoint, Failure(status, retry_after, message), done, times)

    def answer(self, endpoint: str, kind: AnswerKind, *, times: int | None = 1, done: bool = False) -> None:
        """Give another answer than the right one. :raises ValueError: no such endpoint"""
        self._add(endpoint, kind, done, times)

    def drop(self, endpoint: str, *, times: int | None = 1, done: bool = False) -> None:
        """Close the connection without an answer, with ``done`` after the call was carried out."""
        self._add(endpoint, "drop", done, times)

    def hang(self, endpoint: str, *, times: int | None = 1, done: bool = False) -> None:
        """Never answer, with ``done`` after the call was carried out."""
        self._add(endpoint, "hang", done, times)

    def delay(self, endpoint: str, seconds: float, *, times: int | None = None) -> None:
        """Wait some real time before anything else happens. :raises ValueError: no such endpoint, no time"""
        _check(endpoint, times)
        if seconds <= 0:
            raise ValueError("seconds must be more than 0")
        with self._lock:
            self._delays.append(_Delay(endpoint, seconds, times))

    def deliveries(self, kind: DeliveryKind, *, times: int | None = 1, seconds: float = 60.0) -> None:
        """Spoil deliveries of webhooks.

        :param seconds: of the simulator's clock, by which a late one is late
        """
        _check(EVERY, times)
        with self._lock:
            self._deliveries.append(DeliveryFault(kind, seconds, times))

    def clear(self) -> None:
        """Take every switch back; calls that hang are dropped."""
        with self._lock:
            self._faults.clear()
            self._delays.clear()
            self._deliveries.clear()
        self.next_origin = None
        self.release()

    def release(self) -> None:
        """Drop calls that hang and let go on what is delayed."""
        with self._lock:
            released, self._released = self._released, threading.Event()
        released.set()

    # -- asked by the simulator --------------------------------------------------------------------------------------

    def take(self, endpoint: str) -> Fault | None:
        """Return what is to go wrong with a call, and count it."""
        with self._lock:
            return _take(self._faults, [fault for fault in self._faults if fault.endpoint in (EVERY, endpoint)])

    def take_delivery(self) -> DeliveryFault | None:
        """Return what is to go wrong with a delivery, and count it."""
        with self._lock:
            return _take(self._deliveries, self._deliveries)

    def wait(self, endpoint: str) -> None:
        """Take the time a call is to take."""
        with self._lock:
            delay = _take(self._delays, [delay for delay in self._delays if delay.endpoint in (EVERY, endpoint)])
            released = self._released
        if delay is not None:
            released.wait(delay.seconds)

    def hold(self) -> None:
        """Wait until :meth:`release`."""
        with self._lock:
            released = self._released
        released.wait()

    def _add(self, endpoint: str, effect: Effect, done: bool, times: int | None) -> None:
        _check(endpoint, times)
        with self._lock:
            self._faults.append(Fault(endpoint, effect, done, times))


def _take(rules: list[_RuleT], fitting: list[_RuleT]) -> _RuleT | None:
    """Return the first rule that fits, and take it out once it was used as often as it was to be."""
    if not fitting:
        return None
    rule = fitting[0]
    if rule.left is not None:
        rule.left -= 1
        if rule.left == 0:
            rules.remove(rule)
    return rule


def _check(endpoint: str, times: int | None) -> None:
    if endpoint not in (EVERY, *ENDPOINTS):
        raise ValueError(f"{endpoint!r} is none of the endpoints {', '.join(ENDPOINTS)}")
    if times is not None and times < 1:
        raise ValueError("times must be at least 1")
