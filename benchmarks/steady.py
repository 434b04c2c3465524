"""A steady stream of service ticket validations, from a process of its own: as many a second however slow they are."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from benchmarks.driver import Answer, Flow, UnexpectedAnswer, parse_answer
from benchmarks.scenarios import Browser, Step, Target, user_element, validate

SESSIONS = 8


@dataclass(slots=True)
class Stream:
    """What a stream gave: when each validation began (by the system's monotonic clock) and how long it took, in
    seconds; how much later than it should this process woke up for each; and what went wrong.
    """

    validations: list[tuple[float, float]] = field(default_factory=list)
    delays: list[tuple[float, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def between(self, begin: float, end: float) -> list[float]:
        """Return how long those took that began in a part of the time."""
        return _between(self.validations, begin, end)

    def delays_between(self, begin: float, end: float) -> list[float]:
        """Return how much too late this process was in a part of the time: what it adds to what it measures."""
        return _between(self.delays, begin, end)


def _between(found: list[tuple[float, float]], begin: float, end: float) -> list[float]:
    return [seconds for at, seconds in found if begin <= at < end]


class _Session:
    """Somebody's browser and the application it goes to, on one connection that is kept."""

    def __init__(self, target: Target, number: int, found: Stream) -> None:
        self._target = target
        self._username = target.usernames[number % len(target.usernames)]
        self._browser = Browser(target)
        self._found = found

    async def go_on(self, every: float, first: float) -> None:
        """Sign in; then every so many seconds get a ticket, which is not timed, and have it validated."""
        self._reader, self._writer = await asyncio.open_connection(*self._target.address)
        await self._through(self._browser.sign_in(self._username))
        due = time.monotonic() + first
        while True:
            slept = due > time.monotonic()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if slept:
                self._found.delays.append((due, time.monotonic() - due))
            due += every
            try:
                ticket = await self._through(self._browser.ask_for_ticket())
                began = time.monotonic()
                expected = user_element(self._username)
                await self._through(validate(self._target, ticket, expected=expected))
                self._found.validations.append((began, time.monotonic() - began))
            except UnexpectedAnswer as error:
                self._found.failures.append(str(error))

    async def _through(self, flow: Flow | Step) -> str:
        """Go through a flow and return what it comes to."""
        request = next(flow)
        while True:
            self._writer.write(request)
            try:
                request = flow.send(await self._answer())
            except StopIteration as end:
                return str(end.value)

    async def _answer(self) -> Answer:
        data = b""
        while (answer := parse_answer(data)) is None:
            received = await self._reader.read(65_536)
            if not received:
                raise UnexpectedAnswer("the server closed the connection")
            data += received
        return answer


def stream(target: Target, rate: float, pipe: Connection) -> None:
    """Validate ``rate`` tickets a second until the pipe says that it is enough; sends back a :class:`Stream`."""

    async def everybody() -> Stream:
        loop, found, enough = asyncio.get_running_loop(), Stream(), asyncio.Event()
        loop.add_reader(pipe.fileno(), enough.set)
        every = SESSIONS / rate
        tasks = [
            asyncio.create_task(_Session(target, number, found).go_on(every, every * number / SESSIONS))
            for number in range(SESSIONS)
        ]
        waiting = asyncio.create_task(enough.wait())
        await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
            task.cancel()
        return found

    pipe.send(asyncio.run(everybody()))
