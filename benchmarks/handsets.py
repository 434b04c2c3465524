"""IP phones by the hundred, in a process of their own: one asyncio task each, which sends the requests of a real one.

It reads of an answer what drives a phone on: where a form goes, and what Refresh says. Whether a strict phone would
take the pages is shown by a sample of emulated ones (:class:`casduo.simulators.phone.IpPhone`) in the same crowd,
which are not measured.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from urllib.parse import urlencode, urlsplit

from benchmarks.driver import Answer, parse_answer
from casduo.simulators.phone import PRESETS, IpPhone
from casduo.simulators.phone.screen import Screen

MODEL = "8845"
PATIENCE = 120.0
"""Seconds after which somebody gives up."""
TIMES = 5
"""How often somebody begins anew before they give up."""
RETRY_AFTER = 4.0
"""Seconds that somebody takes to type PIN or key once more."""
HTTP_TIMEOUT = 10.0
"""Seconds that a phone waits for an answer."""

LOGGED_IN = "Logged in"
"""Title of the page at the end, also of somebody who was logged in already."""
MOMENT = "One moment"
_FORM = re.compile(rb'<CiscoIPPhoneInput>.*?<URL( method="post")?>([^<]+)</URL>', re.DOTALL)
_TEXT = re.compile(rb"<Text>([^<]*)</Text>")
_REFRESH = re.compile(r"(\d+); url=(\S+)")
_HEADERS = "".join(f"{name}: {value}\r\n" for name, value in PRESETS[MODEL].headers("en-US"))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who comes to a phone ``begins`` seconds after the start. A ``strict`` phone is an emulated one."""

    device: str
    userid: str
    pin: str = field(repr=False)
    begins: float = 0.0
    strict: bool = False


@dataclass(slots=True)
class Told:
    """What became of one person: whether they were ``logged_in``, after how many seconds; how long each page took, by
    kind; how often they had to type the PIN once more or to begin anew; and what went wrong.
    """

    person: Person
    pages: list[tuple[str, float]] = field(default_factory=list)
    logged_in: bool = False
    seconds: float = 0.0
    typed_again: int = 0
    begun_again: int = 0
    errors: list[str] = field(default_factory=list)


def kind_of(asked: str, answer: Answer) -> str:
    """Return what kind of page an answer is, by what was asked for: ``form``, ``pin`` or ``news``.

    A page that ends something, asked for as news, is a ``login``, whether it went well or not.
    """
    if titled(answer, MOMENT):
        return "one moment"
    if asked == "news":
        return "waiting" if answer.header("Refresh") else "login"
    return {"form": "form", "pin": "user id and PIN"}[asked]


def titled(answer: Answer, title: str) -> bool:
    """Say whether a page has this title."""
    return f"<Title>{title}</Title>".encode() in answer.body


def form_of(answer: Answer) -> tuple[str, bool] | None:
    """Return where a form is sent and whether by POST; ``None`` for a page that is none."""
    found = _FORM.search(answer.body)
    return (found[2].decode().replace("&amp;", "&"), found[1] is not None) if found else None


def refresh_of(answer: Answer) -> tuple[float, str] | None:
    """Return in how many seconds a phone asks for which address by itself, ``None`` where it waits for a key."""
    found = _REFRESH.fullmatch(answer.header("Refresh"))
    return (float(found[1]), found[2]) if found else None


def request_of(url: str, cookies: dict[str, str], form: dict[str, str] | None = None) -> bytes:
    """Return what a phone sends for ``url``, a form by POST, byte by byte like :class:`IpPhone`."""
    parts = urlsplit(url)
    body = urlencode(form).encode() if form is not None else b""
    jar = "; ".join(f"{name}={value}" for name, value in cookies.items())
    lines = [
        f"{'GET' if form is None else 'POST'} {parts.path}{'?' + parts.query if parts.query else ''} HTTP/1.1\r\n",
        f"Host: {parts.netloc}\r\n",
        _HEADERS,
        f"Cookie: {jar}\r\n" if jar else "",
    ]
    if form is not None:
        lines.append(f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n")
    return "".join(lines).encode() + b"\r\n" + body


class Handset:
    """One phone and the person in front of it."""

    def __init__(self, person: Person, service_url: str, source_address: str) -> None:
        self.told = Told(person)
        self._person = person
        self._url = service_url
        self._source_address = source_address
        self._cookies: dict[str, str] = {}

    async def work(self) -> Told:
        """Log in, as often as it takes."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                while not self.told.logged_in:
                    end = await self._log_in()
                    self.told.logged_in = titled(end, LOGGED_IN)
                    if not self.told.logged_in and not await self._tries_again(end):
                        break
        except TimeoutError:
            self.told.errors.append("gave up waiting")
        self.told.seconds = time.monotonic() - began
        return self.told

    async def _tries_again(self, end: Answer) -> bool:
        found = _TEXT.search(end.body)
        said = " ".join(found[1].decode("utf-8", "replace").split()[:9]) if found else f"status {end.status}"
        self.told.errors.append(said)
        self.told.begun_again += 1
        await asyncio.sleep(RETRY_AFTER)
        return self.told.begun_again < TIMES

    async def _log_in(self) -> Answer:
        """Go from the services key to a page that ends it, and return that."""
        self._cookies.clear()
        answer = await self._led_on("form", await self._ask("form", self._url))
        while (form := form_of(answer)) is not None:
            fields = {"userid": self._person.userid, "pin": self._person.pin}
            answer = await self._led_on("news", await self._ask("pin", form[0], fields))
            if form_of(answer) is not None:
                self.told.typed_again += 1
                await asyncio.sleep(RETRY_AFTER)
        return answer

    async def _led_on(self, asked: str, answer: Answer) -> Answer:
        """Do as Refresh says until a page waits for a key."""
        while (refresh := refresh_of(answer)) is not None:
            await asyncio.sleep(refresh[0])
            answer = await self._ask(asked, refresh[1])
        return answer

    async def _ask(self, asked: str, url: str, form: dict[str, str] | None = None) -> Answer:
        began = time.monotonic()
        try:
            async with asyncio.timeout(HTTP_TIMEOUT):
                answer = await self._exchange(url, form)
        except (OSError, TimeoutError) as error:
            self.told.errors.append(type(error).__name__)
            self.told.pages.append((asked, time.monotonic() - began))
            return Answer(b"HTTP/1.1 000 no answer", b"")
        self.told.pages.append((kind_of(asked, answer), time.monotonic() - began))
        self._cookies |= answer.cookies()
        return answer

    async def _exchange(self, url: str, form: dict[str, str] | None) -> Answer:
        parts = urlsplit(url)
        async with _connected(parts.hostname or "", parts.port or 80, self._source_address) as (reader, writer):
            writer.write(request_of(url, self._cookies, form))
            data = b""
            while (answer := parse_answer(data)) is None:
                received = await reader.read(65_536)
                if not received:
                    raise ConnectionResetError
                data += received
            return answer


@asynccontextmanager
async def _connected(
    host: str, port: int, source_address: str
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(host, port, local_addr=(source_address, 0))
    try:
        yield reader, writer
    finally:
        writer.close()


def log_in_strictly(person: Person, service_url: str, source_address: str) -> Told:
    """Have an emulated phone do the same, which notes everything that a strict phone refuses."""
    told, began = Told(person), time.monotonic()
    phone = IpPhone(person.device, MODEL, service_url=service_url, source_address=source_address)
    while time.monotonic() < began + PATIENCE and not told.logged_in and told.begun_again < TIMES:
        phone.press_services()
        while (screen := _at_rest(phone, began + PATIENCE)) is not None and screen.kind == "input":
            phone.type(userid=person.userid, pin=person.pin)
            phone.press("Submit")
        told.logged_in = screen is not None and screen.title == LOGGED_IN
        if not told.logged_in:
            told.begun_again += 1
            said = " ".join(screen.text.split()[:9]) if screen is not None else "no page"
            told.errors.append(phone.prompt_error or said)
            time.sleep(RETRY_AFTER)
    told.seconds = time.monotonic() - began
    told.errors += phone.violations
    return told


def _at_rest(phone: IpPhone, until: float) -> Screen | None:
    """Let Refresh happen until a page waits for a key."""
    while phone.page is not None and phone.page.due is not None and time.monotonic() < until:
        time.sleep(0.1)
        phone.tick()
    return phone.screen


def shift_change(people: list[Person], base: str, pipe: Connection) -> None:
    """Be all phones. Says ``ready``, waits for a word, and sends back what became of everybody.

    :param base: address of the registered service
    """
    os.nice(5)
    threads = ThreadPoolExecutor(max(1, sum(person.strict for person in people)))

    async def one(number: int, person: Person) -> Told:
        await asyncio.sleep(person.begins)
        address = f"127.{1 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"
        service_url = f"{base}/?device={person.device}"
        if person.strict:
            return await asyncio.get_running_loop().run_in_executor(
                threads, log_in_strictly, person, service_url, address
            )
        return await Handset(person, service_url, address).work()

    async def everybody() -> list[Told]:
        return list(await asyncio.gather(*(one(number, person) for number, person in enumerate(people))))

    pipe.send("ready")
    pipe.recv()
    pipe.send(asyncio.run(everybody()))
