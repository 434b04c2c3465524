"""People in all they do, at once, in a process of their own: the mixed profile of ``benchmarks.load``.

The same people come in two ways. In a *closed loop* so many are under way and whoever is done is followed by the next:
as much as the server can do. In an *open loop* they come at fixed moments, whatever the answers take, and what somebody
had to wait for counts from the moment at which they came.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from multiprocessing.connection import Connection
from typing import TypeVar

from benchmarks.driver import Answer, UnexpectedAnswer, parse_answer
from benchmarks.handsets import Handset, Person
from benchmarks.scenarios import Browser, Target, forged, user_element, validate

SHARES: Mapping[str, int] = {
    "ticket on a live session": 55,
    "sign-in": 20,
    "sign-out": 13,
    "refused validation": 8,
    "sign-in with a push": 3,
    "login on a phone": 1,
}
"""Of a hundred people so many come for this. Whoever gets a ticket has an application validate it, which is counted
apart.
"""
VALIDATION = "validation"
SLOW = frozenset({"sign-in with a push", "login on a phone"})
"""What waits for somebody: no place of the closed loop is taken by it."""

SESSION_USABLE = 90.0
"""Seconds for which people come back to a session; it has to live longer than that."""
LOOK_EVERY = 2.0
"""Seconds between two questions of the page that waits for a push."""
_DRAINING = 10
"""Times as long as people came closed loop that sign-outs may take to be told."""
PATIENCE = 60.0
"""Seconds after which somebody gives up."""
_IDLE = 10.0
"""Seconds after which a connection is not used again: the server may be about to close it."""
_WAITING = 200
"""People who may wait for a push or a phone at a time, in a closed loop."""
_STATUS = re.compile(rb'data-status="([^"]+)"')
_REFRESH = re.compile(rb'data-refresh="([^"]+)"')
_Value = TypeVar("_Value")
_INDEX = re.compile(rb"SessionIndex(?:>|%3E)([A-Za-z0-9.-]+)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is and who comes.

    :param open, guarded: the applications' addresses; the second one asks for Duo
    :param port: where the applications listen
    :param phones: address of the registered service for phones; empty for none
    :param pushed: names of people whom Duo knows
    :param people: who logs in on which phone
    """

    target: Target
    open: str
    guarded: str
    port: int
    phones: str
    pushed: tuple[str, ...]
    people: tuple[Person, ...]


@dataclass(slots=True)
class Tally:
    """What became of one kind: how many were tried, how long those took that went well (seconds), what went wrong."""

    tried: int = 0
    took: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Crowded:
    """What one run gave.

    :param kinds: by what people came for
    :param late: by how many seconds this process began too late with each, for which the server can do nothing
    :param busy: the share of a core that this process took
    :param untold: tickets of ended sessions of which no application has heard
    :param told: messages that came
    """

    kinds: dict[str, Tally]
    seconds: float = 0.0
    late: list[float] = field(default_factory=list)
    busy: float = 0.0
    untold: int = 0
    told: int = 0

    @property
    def rate(self) -> float:
        """People a second who got what they came for."""
        return sum(len(self.kinds[kind].took) for kind in SHARES) / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class _Signed:
    """Somebody who is signed in, and the tickets that applications validated since."""

    username: str
    browser: Browser
    service: str
    since: float
    tickets: list[str] = field(default_factory=list)


class _Wires:
    """Connections to the server that are kept; each has one request under way."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._idle: deque[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def ask(self, request: bytes) -> Answer:
        """Send a request on a connection of its own and return the answer."""
        reader, writer = await self._take()
        try:
            writer.write(request)
            data = b""
            while (answer := parse_answer(data)) is None:
                received = await reader.read(65_536)
                if not received:
                    raise UnexpectedAnswer("the server closed the connection")
                data += received
        except BaseException:
            writer.close()
            raise
        self._idle.append((time.monotonic(), reader, writer))
        return answer

    async def _take(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle and self._idle[0][0] < time.monotonic() - _IDLE:
            self._idle.popleft()[2].close()
        if self._idle:
            _, reader, writer = self._idle.pop()
            return reader, writer
        return await asyncio.open_connection(*self._address)

    def close(self) -> None:
        """Close all that lie idle."""
        for _, _, writer in self._idle:
            writer.close()


class Applications:
    """What the tickets are for: it hears of sessions that end, and answers."""

    def __init__(self) -> None:
        self.told: set[str] = set()
        self.messages = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the messages of one connection."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                found = re.search(rb"(?i)content-length: *(\d+)", head)
                body = await reader.readexactly(int(found[1]) if found else 0)
                named = _INDEX.search(body)
                if named:
                    self.messages += 1
                    self.told.add(named[1].decode())
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            # Also at the end of everything: Python 3.11 prints a traceback for each connection that is cancelled.
            writer.close()


class _Clock:
    """How long somebody waited for answers, without the time in which nothing was asked."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._slept = 0.0

    async def sleep(self, seconds: float) -> None:
        """Do nothing for a while."""
        before = time.monotonic()
        await asyncio.sleep(seconds)
        self._slept += time.monotonic() - before

    @property
    def waited(self) -> float:
        """Seconds until now."""
        return time.monotonic() - self._began - self._slept


class Crowd:
    """Everybody. Shares of kinds are those of :data:`SHARES`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._wires = _Wires(place.target.address)
        self._names = itertools.cycle(place.target.usernames)
        self._pushed = itertools.cycle(place.pushed)
        self._phones = deque(enumerate(place.people))
        self._sessions: deque[_Signed] = deque()
        self._applications = Applications()
        self._ended: list[str] = []
        self._sample = "ST-" + "A" * 29
        self._result = Crowded({})
        self._calls: dict[str, Callable[[_Clock], Awaitable[None]]] = {
            "ticket on a live session": self._come_back,
            "sign-in": self._sign_in,
            "sign-out": self._sign_out,
            "refused validation": self._be_refused,
            "sign-in with a push": self._confirm,
            "login on a phone": self._log_in_on_phone,
        }

    def kinds(self, seed: int) -> Iterator[str]:
        """Yield what people come for: each once, then in their shares within each hundred."""
        yield from SHARES
        chance = random.Random(seed)  # noqa: S311
        hundred = [kind for kind, share in SHARES.items() for _ in range(share)]
        while True:
            chance.shuffle(hundred)
            yield from hundred

    async def serve(self) -> asyncio.Server:
        """Run the applications."""
        return await asyncio.start_server(self._applications.serve, "127.0.0.1", self._place.port)

    async def closed(self, seconds: float, width: int, seed: int) -> Crowded:
        """Have ``width`` people under way for ``seconds``. The time counts until all that they have left to do is done:
        a server that puts off sign-outs and pushes cannot take as many people for long.
        """
        self._begin()
        kinds, waiting = self.kinds(seed), set[asyncio.Task[None]]()
        used, began = time.process_time(), time.monotonic()

        async def one_after_the_other() -> None:
            while time.monotonic() < began + seconds:
                kind = next(kinds)
                if kind in SLOW and len(waiting) < _WAITING:
                    task = asyncio.create_task(self._come(kind, time.monotonic()))
                    waiting.add(task)
                    task.add_done_callback(waiting.discard)
                elif kind not in SLOW:
                    await self._come(kind, time.monotonic())

        await asyncio.gather(*(one_after_the_other() for _ in range(width)))
        self._result.busy = (time.process_time() - used) / (time.monotonic() - began)
        await asyncio.gather(*waiting)
        await self._hear(max(PATIENCE, _DRAINING * seconds))
        self._result.seconds = time.monotonic() - began
        return self._result

    async def open(self, rate: float, seconds: float, seed: int) -> Crowded:
        """Have ``rate`` people a second come, for ``seconds``, at fixed moments."""
        self._begin()
        kinds, under_way, every = self.kinds(seed), set[asyncio.Task[None]](), 1.0 / rate
        used, began = time.process_time(), time.monotonic()
        for number in range(int(rate * seconds)):
            due = began + number * every
            if due > time.monotonic():
                await asyncio.sleep(due - time.monotonic())
            self._result.late.append(time.monotonic() - due)
            task = asyncio.create_task(self._come(next(kinds), due))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        self._result.seconds = time.monotonic() - began
        self._result.busy = (time.process_time() - used) / self._result.seconds
        await asyncio.gather(*under_way)
        await self._hear(PATIENCE)
        return self._result

    def close(self) -> None:
        """Close all connections."""
        self._wires.close()

    def _begin(self) -> None:
        self._result = Crowded({kind: Tally() for kind in (*SHARES, VALIDATION)})
        self._ended.clear()

    async def _hear(self, patience: float) -> None:
        """Wait until the applications have heard of every session that was ended, not for ever."""
        deadline = time.monotonic() + patience
        while (missing := set(self._ended) - self._applications.told) and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
        self._result.untold = len(missing)
        self._result.told = self._applications.messages

    async def _come(self, kind: str, due: float) -> None:
        tally, clock = self._result.kinds[kind], _Clock(due)
        tally.tried += 1
        try:
            async with asyncio.timeout(PATIENCE):
                await self._calls[kind](clock)
        except UnexpectedAnswer as error:
            tally.errors.append(str(error))
        except (OSError, TimeoutError) as error:
            tally.errors.append(type(error).__name__)

    def _done(self, kind: str, clock: _Clock) -> None:
        self._result.kinds[kind].took.append(clock.waited)

    async def _through(self, flow: Generator[bytes, Answer, _Value]) -> _Value:
        """Go through a flow and return what it comes to."""
        request = next(flow)
        while True:
            try:
                request = flow.send(await self._wires.ask(request))
            except StopIteration as end:
                found: _Value = end.value
                return found

    # -- what people do ------------------------------------------------------------------------------------------------

    async def _sign_in(self, clock: _Clock) -> None:
        signed = await self._signed_in(clock)
        self._sessions.append(signed)

    async def _signed_in(self, clock: _Clock, kind: str = "sign-in") -> _Signed:
        name = next(self._names)
        browser = Browser(self._place.target, self._place.open)
        signed = _Signed(name, browser, self._place.open, time.monotonic())
        ticket = await self._through(browser.sign_in(name))
        self._done(kind, clock)
        await self._validate(signed, ticket)
        return signed

    async def _come_back(self, clock: _Clock) -> None:
        signed = self._session()
        if signed is None:
            # Nobody is signed in yet: at the very beginning.
            signed = await self._signed_in(_Clock(time.monotonic()), "sign-in")
            self._result.kinds["sign-in"].tried += 1
            clock = _Clock(time.monotonic())
        ticket = await self._through(signed.browser.ask_for_ticket())
        self._done("ticket on a live session", clock)
        await self._validate(signed, ticket)
        self._sessions.append(signed)

    async def _sign_out(self, clock: _Clock) -> None:
        signed = self._session()
        if signed is None:
            signed = await self._signed_in(_Clock(time.monotonic()), "sign-in")
            self._result.kinds["sign-in"].tried += 1
            clock = _Clock(time.monotonic())
        answer = await self._through(signed.browser.get_page(f"{self._place.target.path}/logout"))
        if answer.status != 200 or answer.cookies().get("TGC-casduo") != "":
            raise UnexpectedAnswer(f"status {answer.status} and a session that stays, after signing out")
        self._ended += signed.tickets
        self._done("sign-out", clock)

    async def _be_refused(self, clock: _Clock) -> None:
        ticket = forged(self._sample)
        flow = validate(self._place.target, ticket, expected=b"INVALID_TICKET", service=self._place.open)
        await self._through(flow)
        self._done("refused validation", clock)

    async def _confirm(self, clock: _Clock) -> None:
        name, browser = next(self._pushed), Browser(self._place.target, self._place.guarded)
        signed = _Signed(name, browser, self._place.guarded, time.monotonic())
        page = await self._followed(browser, await self._through(browser.send_password(name)))
        status, refresh = _STATUS.search(page.body), _REFRESH.search(page.body)
        if status is None or refresh is None or not status[1]:
            raise UnexpectedAnswer(f"status {page.status} in place of a page that waits for a push")
        while True:
            await clock.sleep(LOOK_EVERY)
            news = json.loads((await self._through(browser.get_page(unescape(status[1].decode())))).body)
            if news["state"] not in ("sending", "waiting"):
                break
        answer = await self._through(browser.get_page(unescape(refresh[1].decode())))
        ticket = browser.ticket_in(answer)
        self._done("sign-in with a push", clock)
        await self._validate(signed, ticket)
        self._sessions.append(signed)

    async def _followed(self, browser: Browser, answer: Answer) -> Answer:
        """Go where a redirect within the server leads."""
        while answer.status in {302, 303}:
            path = answer.header("Location").removeprefix(f"http://{self._place.target.host}")
            if not path.startswith("/"):
                raise UnexpectedAnswer("a redirect to somewhere else in place of a page")
            answer = await self._through(browser.get_page(path))
        return answer

    async def _log_in_on_phone(self, clock: _Clock) -> None:
        if not self._phones:
            raise UnexpectedAnswer("no phone was free")
        number, person = self._phones.popleft()
        try:
            address = f"127.{1 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"
            told = await Handset(person, f"{self._place.phones}/?device={person.device}", address).work()
        finally:
            self._phones.append((number, person))
        if not told.logged_in or told.errors:
            raise UnexpectedAnswer(told.errors[0] if told.errors else "not logged in")
        self._result.kinds["login on a phone"].took.append(sum(seconds for _, seconds in told.pages))

    def _session(self) -> _Signed | None:
        """Return the session that was left alone for longest, for its own use."""
        oldest = time.monotonic() - SESSION_USABLE
        while self._sessions:
            signed = self._sessions.popleft()
            if signed.since > oldest:
                return signed
        return None

    async def _validate(self, signed: _Signed, ticket: str) -> None:
        tally, clock = self._result.kinds[VALIDATION], _Clock(time.monotonic())
        tally.tried += 1
        self._sample = ticket
        expected = user_element(signed.username)
        try:
            await self._through(validate(self._place.target, ticket, expected=expected, service=signed.service))
        except UnexpectedAnswer as error:
            tally.errors.append(str(error))
            return
        tally.took.append(clock.waited)
        signed.tickets.append(ticket)


def crowd(place: Place, pipe: Connection) -> None:
    """Do as the pipe says, in turn: ``("closed", seconds, width)`` or ``("open", rate, seconds)``, each answered by a
    :class:`Crowded`; anything else ends it.
    """

    async def everybody() -> None:
        people, loop = Crowd(place), asyncio.get_running_loop()
        async with await people.serve():
            pipe.send("ready")
            for seed in itertools.count():
                match await loop.run_in_executor(None, pipe.recv):
                    case "closed", float(seconds), int(width):
                        pipe.send(await people.closed(seconds, width, seed))
                    case "open", float(rate), float(seconds):
                        pipe.send(await people.open(rate, seconds, seed))
                    case _:
                        break
            people.close()

    asyncio.run(everybody())
