"""``python -m tests.security.stuffing``: guesses at passwords by the hundred thousand, and pushes by the hundred, while
honest people sign in. Says what came through, what honest people noticed, and what it cost.

    python -m tests.security.stuffing                        stuffing, a few accounts aimed at, and push bombing
    python -m tests.security.stuffing --guesses 200000

Everything runs in this process, at a server with the limits as they are by default, behind one proxy that tells where
requests come from. An hour passes by a clock of its own; what Redis keeps ages along.
"""

from __future__ import annotations

import argparse
import logging
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from argon2 import PasswordHasher

from casduo.compose import compose
from casduo.events.model import SignInRefused
from casduo.settings import load_settings
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.duo import DuoSimulator
from casduo.store import Store
from casduo.store.embedded import EmbeddedValkey
from casduo.store.store import client_for
from tests.security.pocket import Pocket, login_key, tickets_in
from tests.support.pushing import working
from tests.support.site import Recorder, SetClock, Site, write_site
from tests.support.waiting import until

HOUR = 3600.0
_RIGHT = "Correct-Horse-1"
_PUSH = re.compile(r'name="execution" value="([^"]+)"(?:(?!</form>).)*?name="factor" value="(push:[^"]+)"', re.S)
_TRIES = 5
"""How often an honest person tries, waiting as told, before giving up."""
_REGISTRY = """
services:
  - {id: library, name: Library, url: "https://library.example.edu/**"}
"""
_WITH_DUO = '  - {id: payroll, name: Payroll, url: "https://payroll.example.edu/**", requires_duo: true}\n'
LIBRARY, PAYROLL = "https://library.example.edu/", "https://payroll.example.edu/"

# Takes time off everything that Redis is to forget. ARGV[1] milliseconds.
_AGE = """
local left = 0
for _, key in ipairs(redis.call('KEYS', '*')) do
  local ttl = redis.call('PTTL', key)
  if ttl > 0 then redis.call('PEXPIRE', key, ttl - ARGV[1]) end
  left = left + 1
end
return left
"""


def visitor(address: str) -> Pocket:
    """A browser at this address, behind the proxy."""
    return Pocket(address, proxy="10.255.0.1")


@dataclass
class Honest:
    """Somebody who only wants in."""

    name: str
    visitor: Pocket
    due: float
    slips: bool
    tries: int = 0
    throttled: int = 0


@dataclass
class Tally:
    """What happened."""

    checked: Counter[str] = field(default_factory=Counter)
    by_line: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    seconds_refused: float = 0.0
    seconds_checked: float = 0.0
    honest: Counter[str] = field(default_factory=Counter)
    peak: int = 0


class Ground:
    """A server with many accounts, and a clock for it and its Redis."""

    def __init__(self, directory: Path, redis_url: str, accounts: int, clock: SetClock, more: str) -> None:
        self.store = Store(client_for(redis_url, "", 60.0, 8, ""))
        self.clock, self.journal = clock, Recorder()
        path = write_site(directory, redis_url, _REGISTRY + (_WITH_DUO if more else ""), more)
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("server: {", "server: {trusted_proxies: 1, ", 1), encoding="utf-8")
        hashed = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1).hash(_RIGHT)
        users = "".join(f"user{number}: {{password: '{hashed}'}}\n" for number in range(accounts))
        (directory / "users.yaml").write_text(users, encoding="utf-8")
        composed = compose(load_settings(path, {}), clock=self.clock, journal=self.journal, watch=False)
        self.site = Site(composed, self.clock, self.journal, path)
        self._aged = time.monotonic()

    def age(self, seconds: float) -> None:
        """Let Redis forget what the clock has left behind; what it forgot by itself meanwhile counts."""
        now = time.monotonic()
        self.store.command("EVAL", _AGE, 0, max(0, int((seconds - (now - self._aged)) * 1000)))
        self._aged = now

    def memory(self) -> int:
        """Bytes that Redis uses for what it keeps."""
        told = dict(line.split(":", 1) for line in self.store.command("INFO", "memory").splitlines() if ":" in line)
        return int(told["used_memory_dataset"])

    def close(self) -> None:
        self.site.composed.close()
        self.store.close()


def stuff(ground: Ground, guesses: int, accounts: int, lines: int, honest: int) -> Tally:
    """Guess for an hour, evenly over accounts and addresses, while honest people come one after the other."""
    tally, chance = Tally(), random.Random(7)  # noqa: S311
    attacker = visitor("203.0.113.1")
    key = login_key(attacker.go(ground.site, "/login", {"service": LIBRARY}))
    # Half of the honest are among those who are guessed at.
    people = [
        Honest(
            f"user{number // 2 % accounts if number % 2 else accounts + number}",
            visitor(f"192.0.2.{number % 250}"),
            0.0,
            slips,
        )
        for number, slips in ((number, number % 10 == 3) for number in range(honest))
    ]
    start = ground.clock()
    for number, person in enumerate(people):
        person.due = start + HOUR * number / honest
    minute = start
    for number in range(guesses):
        ground.clock.now = start + HOUR * number / guesses
        if ground.clock() >= minute + 60:
            ground.age(ground.clock() - minute)
            minute = ground.clock()
            tally.peak = max(tally.peak, ground.memory())
        for person in [one for one in people if one.due <= ground.clock()]:
            _comes(ground, person, tally)
            if person.due == float("inf"):
                people.remove(person)
        line = chance.randrange(lines)
        attacker.address = f"10.{line >> 16 & 255}.{line >> 8 & 255}.{line & 255}"
        name = f"user{number % accounts}"
        key = _guess(ground, attacker, key, name, tally)
    return tally


def _guess(ground: Ground, attacker: Pocket, key: str, name: str, tally: Tally) -> str:
    before, began = len(ground.journal.events), time.process_time()
    answer = attacker.ask(
        ground.site, "/login", form={"execution": key, "username": name, "password": "guess", "service": LIBRARY}
    )
    took = time.process_time() - began
    if any(isinstance(event, SignInRefused) for event in ground.journal.events[before:]):
        tally.checked[name] += 1
        tally.by_line[attacker.address] += 1
        tally.seconds_checked += took
    else:
        assert answer.status == 429, answer
        tally.refused += 1
        tally.seconds_refused += took
    del ground.journal.events[:]
    return login_key(answer)


def _comes(ground: Ground, person: Honest, tally: Tally) -> None:
    """An honest person tries: once wrongly if they slip, then as often as is told to wait."""
    person.tries += 1
    key = login_key(person.visitor.go(ground.site, "/login", {"service": LIBRARY}))
    wrong = person.slips and person.tries == 1
    password = "a-slip" if wrong else _RIGHT
    answer = person.visitor.ask(
        ground.site,
        "/login",
        form={"execution": key, "username": person.name, "password": password, "service": LIBRARY},
    )
    del ground.journal.events[:]
    if answer.status == 429:
        person.throttled += 1
    if tickets_in(answer):
        tally.honest["at once" if not person.throttled else "after waiting"] += 1
        person.due = float("inf")
    elif person.tries > _TRIES:
        tally.honest["gave up"] += 1
        person.due = float("inf")
    else:
        wait = answer.header("Retry-After")
        person.due = ground.clock() + (float(wait) if wait else 2.0)


def bomb(ground: Ground, duo: DuoSimulator, people: int, minutes: int) -> tuple[int, Counter[int]]:
    """Have somebody who knows the passwords of many people ask for a push for each of them, once a minute, each time
    in a new browser and from elsewhere. Nobody ever answers.

    :return: how often that was tried, and how many people were sent how many pushes
    """
    tries = 0
    for minute in range(minutes):
        for number in range(people):
            tries += 1
            thief = visitor(f"10.{minute}.{number >> 8}.{number & 255}")
            key = login_key(thief.go(ground.site, "/login", {"service": PAYROLL}))
            name = f"user{number}"
            page = thief.go(
                ground.site,
                "/login",
                form={"execution": key, "username": name, "password": _RIGHT, "service": PAYROLL},
            )
            # Where none was sent by itself there may be a button that does.
            if button := _PUSH.search(page.body.decode()):
                thief.go(ground.site, "/login", form={"execution": button[1], "factor": button[2]})
        ground.clock.advance(61)
        ground.age(61)
        # Nobody answers, and Duo says so.
        until(lambda: not _waiting(ground.store), "all pushes have timed out")
    sent: Counter[str] = Counter()
    for request in duo.requests("/auth/v2/auth"):
        sent[str(request.parameters.get("username"))] += 1
    return tries, Counter(sent.values())


def _waiting(store: Store) -> bool:
    keys = store.command("KEYS", "casduo:*:push:*")
    return any(store.command("HGET", key, "state") in ("sending", "waiting") for key in keys)


@contextmanager
def ground_with(accounts: int, clock: SetClock, more: str = "") -> Iterator[Ground]:
    """A server with so many accounts, on a Redis of its own."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder) / "valkey") as server:
        ground = Ground(Path(folder), server.url, accounts, clock, more)
        yield ground
        ground.close()


def report(title: str, ground: Ground, tally: Tally, guesses: int, lines: int) -> None:
    """Print what came of an hour of guesses."""
    print(f"\n{title}: {guesses} guesses in an hour from {lines} addresses")
    checked = sorted(tally.checked.values()) or [0]
    print(f"  passwords that were looked at: {sum(checked)}; refused unseen: {tally.refused}")
    print(f"  of one account: {checked[-1]} at most, {checked[len(checked) // 2]} in the middle")
    print(f"  from one address: {max(tally.by_line.values(), default=0)} at most")
    if tally.refused:
        per = 1000 * tally.seconds_refused / tally.refused
        print(f"  processor time: {per:.1f} ms for a refused guess, the password is not looked at")
    print(f"  honest people: {dict(tally.honest)}")
    end = ground.memory()
    ground.clock.advance(2 * HOUR)
    ground.age(2 * HOUR)
    peak, later = tally.peak, ground.memory()
    print(f"  Redis: {peak / 1e6:.1f} MB at the peak, {end / 1e6:.1f} at the end, {later / 1e6:.1f} two hours later")


def main() -> None:
    """Do all three and print figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.security.stuffing")
    parser.add_argument("--guesses", type=int, default=20_000, help="in an hour")
    parser.add_argument("--people", type=int, default=100, help="to whom pushes are sent")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    # The shape is that of 200,000 guesses at 2,000 accounts from 5,000 addresses, whatever their number.
    many, lines = max(20, asked.guesses // 100), max(50, asked.guesses // 40)
    for title, accounts in ((f"Stuffing, {many} accounts", many), ("Aimed at 20 accounts", 20)):
        with ground_with(accounts + 200, SetClock(float(int(time.time())))) as ground:
            report(title, ground, stuff(ground, asked.guesses, accounts, lines, 200), asked.guesses, lines)
    with tempfile.TemporaryDirectory() as folder:
        leaf = CertificateAuthority.create(Path(folder)).issue()
        clock = SetClock(float(int(time.time())))
        with DuoSimulator(leaf, clock, wall_clock=time.time) as duo:
            duo.settings.poll_hold, duo.settings.lockout_threshold = 0.2, 10_000
            for number in range(asked.people):
                duo.add_user(f"user{number}")
            with ground_with(asked.people, clock, duo_settings(duo)) as ground, working(ground.site, clock=clock):
                tries, sent = bomb(ground, duo, asked.people, 60)
    print(f"\nPush bombing: {tries} tries in an hour, {asked.people} people")
    print(f"  pushes that reached one person: {max(sent, default=0)} at most; people by pushes: {dict(sent)}")


def duo_settings(duo: DuoSimulator) -> str:
    """Settings with the built-in page and its limits as they are by default."""
    keys = duo.add_application()
    return (
        f"duo: {{api_host: '{duo.api_host}', ca_file: {duo.ca_file},\n"
        f"  universal: {{client_id: {keys.integration_key}, client_secret: {keys.secret_key}}}, prompt: push}}\n"
    )


if __name__ == "__main__":
    main()
