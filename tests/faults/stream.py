"""A steady stream of real logins, and what became of each of them while something was broken.

A login is a whole one: the form, the password, the redirect with a ticket, its validation, and then the ticket once
more, as a thief would who has seen it. What is *wrong* is never excused by a fault: somebody else's name, a page
without a sentence and a reference, an answer that does not come, a ticket that is good twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Self
from urllib.parse import parse_qs, quote, urljoin, urlsplit
from xml.etree.ElementTree import ParseError

import requests
from bs4 import BeautifulSoup
from defusedxml import ElementTree

from tests.support.site import LIBRARY, PASSWORDS
from tests.support.waiting import until

LONGEST = 20.0
"""Seconds after which a person has long gone: an answer that takes longer is wrong, whatever it says."""
_PAUSE = 0.05
_CAS = "{http://www.yale.edu/tp/cas}"
_PASSING = frozenset({"INTERNAL_ERROR", "INVALID_TICKET"})
"""What an application may be told of a fresh ticket while something is broken: it sends the person back for another."""


class _Told(Exception):
    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Clear(_Told):
    """A login ended with an answer that a person, or an application, can do something with."""


class Cut(_Told):
    """Nobody listened, or the connection broke: the browser says so by itself, and has a button to load once more."""


class Wrong(_Told):
    """What must not be."""


@dataclass
class Tally:
    """What became of the logins.

    ``twice`` are tickets that were good twice; ``lost`` what :mod:`tests.faults.ledger` misses; ``recovered`` the
    seconds from the moment that the test named until a login was whole again.
    """

    tried: int = 0
    completed: int = 0
    clear: dict[str, int] = field(default_factory=dict)
    cut: int = 0
    wrong: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    recovered: float | None = None

    def __str__(self) -> str:
        clear = ", ".join(f"{number} {what}" for what, number in sorted(self.clear.items())) or "0"
        again = "" if self.recovered is None else f"; whole again after {self.recovered:.1f} s"
        return (
            f"logins tried {self.tried}, completed {self.completed}, with a clear answer {clear}, cut off {self.cut}, "
            f"wrong {len(self.wrong)}; tickets used twice {len(self.twice)}; events lost {len(self.lost)}{again}"
        )

    @property
    def told(self) -> int:
        """How many people had a clear answer in place of a login."""
        return sum(self.clear.values())

    def assert_sound(self) -> None:
        """Nothing that must not be has been, and somebody got through."""
        assert not self.wrong, f"{self}\n" + "\n".join(self.wrong[:5])
        assert not self.twice, f"{self}\n" + "\n".join(self.twice[:5])
        assert not self.lost, f"{self}\n" + "\n".join(self.lost[:5])
        assert self.completed > 0, str(self)


@dataclass(frozen=True)
class Login:
    """A login that was whole, for the ledger. ``ticket`` was validated; it began ``at``, in the thread ``by``."""

    username: str
    ticket: str
    at: float
    by: str


Walk = Callable[[requests.Session, str, str], tuple[str, str]]
"""Signs a person (user name) in with a fresh browser at a server (its base with a slash at the end), and returns the
service and the ticket for it. Raises ``Clear``, ``Cut`` or ``Wrong``."""


class Stream:
    """People who sign in, each with a fresh browser, in several threads, over and over.

    :param bases: bases of the servers, each with a slash at the end; logins begin at one after the other, and each
        ticket is validated at the one behind that where it was issued
    :param walk: how a person signs in
    :param people: who does
    :param verify: the file with the authority of the servers' certificates, empty for none
    """

    def __init__(
        self,
        bases: Sequence[str],
        *,
        walk: Walk | None = None,
        people: Sequence[str] = tuple(PASSWORDS),
        threads: int = 4,
        verify: str = "",
    ) -> None:
        self.tally = Tally()
        self.logins: list[Login] = []
        self._bases, self._people, self._verify = tuple(bases), tuple(people), verify
        self._walk = walk or sign_in
        self._spent: list[tuple[str, str, str]] = []
        self._good: dict[str, int] = {}
        self._ends = threading.Event()
        self._lock = threading.Lock()
        self._numbers = count()
        self._crew = [threading.Thread(target=self._go_on, daemon=True) for _ in range(threads)]

    def __enter__(self) -> Self:
        for one in self._crew:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Let the logins under way end, and no further ones begin."""
        self._ends.set()
        for one in self._crew:
            if one.ident is not None:
                one.join()

    def flows(self, more: int = 8) -> None:
        """Wait until so many further logins were whole."""
        before = self.tally.completed
        until(lambda: self.tally.completed >= before + more, f"{more} further logins")

    def tells(self, more: int = 1, what: object = "of the fault") -> float:
        """Wait until so many further people were told that it does not work now, or something was wrong, which nothing
        mends. Returns the seconds.
        """
        before = self.tally.told
        return until(
            lambda: bool(self.tally.wrong) or self.tally.told >= before + more,
            f"{more} further people are told: {what}",
        )

    def goes_on_for(self, seconds: float) -> None:
        """Let the stream flow, whatever becomes of the logins."""
        time.sleep(seconds)

    def recovers(self, since: float | None = None) -> float:
        """Wait until each of the threads has a login that *began* now and is whole, and for some more. Nobody still
        waits for what broke.

        :param since: when the fault began, or ended, by :func:`time.monotonic`; now, where nothing is said
        :return: the seconds since then; the tally has the most of all times
        """
        begun = time.monotonic()

        def whole() -> bool:
            return {login.by for login in self.logins if login.at >= begun} == {one.name for one in self._crew}

        until(whole, "the logins of everybody are whole again")
        took = time.monotonic() - (begun if since is None else since)
        self.tally.recovered = max(took, self.tally.recovered or 0.0)
        self.flows()
        return took

    def present_again(self) -> None:
        """Present every ticket once more: none may be good again, and one once that never was."""
        with self._browser() as thief:
            for number, (ticket, service, username) in enumerate(self._spent):
                self._not_twice(thief, self._base(number), ticket, service, username)

    def _browser(self) -> requests.Session:
        found = requests.Session()
        # Otherwise a bundle, or a proxy, named in the environment would win over ours.
        found.trust_env = False
        found.verify = self._verify or True
        return found

    def _go_on(self) -> None:
        while not self._ends.wait(_PAUSE):
            number = next(self._numbers)
            base, person = self._base(number), self._people[number % len(self._people)]
            began = time.monotonic()
            try:
                with self._browser() as browser:
                    self._login(browser, base, person, began)
            except Clear as told:
                self._note(lambda told=told: _add(self.tally.clear, told.what))
            except Cut:
                self._note(self._cut_off)
            except Exception as fault:
                # A walk that finds a page other than it should be raises whatever it raises.
                what = fault.what if isinstance(fault, Wrong) else f"{type(fault).__name__}: {fault}"
                self._note(lambda text=f"{person}: {what}": self.tally.wrong.append(text))

    def _base(self, number: int) -> str:
        return self._bases[number % len(self._bases)]

    def _login(self, browser: requests.Session, base: str, person: str, began: float) -> None:
        with self._lock:
            self.tally.tried += 1
        service, ticket = self._walk(browser, base, person)
        with self._lock:
            self._spent.append((ticket, service, person))
        try:
            name = validate(browser, self._base(self._bases.index(base) + 1), ticket, service)
        except Cut:
            # The server may have said yes to somebody who was gone: then it may not say so again, else once.
            self._not_twice(browser, base, ticket, service, person)
            raise
        if name != person:
            raise Wrong(f"the ticket of {person} is good for {name}")
        with self._lock:
            self.tally.completed += 1
            self.logins.append(Login(person, ticket, began, threading.current_thread().name))
            self._good[ticket] = 1
        self._not_twice(browser, base, ticket, service, person)

    def _not_twice(self, browser: requests.Session, base: str, ticket: str, service: str, person: str) -> None:
        """Present a ticket until it would be good twice, if it could be."""
        for _ in range(2 - self._good.get(ticket, 0)):
            try:
                name = validate(browser, base, ticket, service)
            except (Clear, Cut):
                continue
            with self._lock:
                self._good[ticket] = self._good.get(ticket, 0) + 1
                if self._good[ticket] > 1:
                    self.tally.twice.append(f"{ticket[-8:]} of {person}, once more good for {name}")

    def _cut_off(self) -> None:
        self.tally.cut += 1

    def _note(self, change: Callable[[], object]) -> None:
        with self._lock:
            change()


def sign_in(browser: requests.Session, base: str, person: str) -> tuple[str, str]:
    """Sign in by password for the library: a :data:`Walk`."""
    page = ask(browser, "GET", f"{base}login?service={quote(LIBRARY, safe='')}")
    answer = send_form(browser, page, username=person, password=PASSWORDS[person])
    return LIBRARY, ticket_of(answer)


def ask(browser: requests.Session, method: str, address: str, **options: object) -> requests.Response:
    """Ask and, within the server, go where the answer leads.

    :raises Clear: the answer is a page that says what is the matter, with a reference
    :raises Cut: there is none
    :raises Wrong: the answer is neither a page of the flow nor such a page, or came too late
    """
    began = time.monotonic()
    try:
        answer = browser.request(method, address, allow_redirects=False, timeout=LONGEST, **options)  # type: ignore[arg-type]
    except requests.Timeout as fault:
        raise Wrong(f"no answer from {urlsplit(address).path} within {LONGEST:.0f} s") from fault
    except requests.RequestException as fault:
        raise Cut(type(fault).__name__) from fault
    if (took := time.monotonic() - began) > LONGEST:
        raise Wrong(f"an answer from {urlsplit(address).path} after {took:.0f} s")
    target = answer.headers.get("Location", "")
    if answer.is_redirect and urljoin(address, target).startswith(address.partition("/cas/")[0] + "/cas/"):
        return ask(browser, "GET", urljoin(address, target))
    if answer.status_code < 400:
        return answer
    raise Clear(_told(answer))


def send_form(browser: requests.Session, page: requests.Response, **fields: str) -> requests.Response:
    """Send the form of the login page as it stands, with what a person types; errors as :func:`ask`."""
    form = BeautifulSoup(page.text, "html.parser").find("form", id="login")
    if form is None:
        raise Wrong(f"no form to sign in: {page.status_code}: {_words(page)}")
    hidden = {field["name"]: field["value"] for field in form.find_all("input", type="hidden")}
    return ask(browser, "POST", urljoin(page.url, str(form["action"])), data=hidden | fields)


def ticket_of(answer: requests.Response) -> str:
    """Return the ticket of a redirect to a service; a page of the flow in its place is a clear answer if it says so.

    :raises Clear: the login page says with its heading or its summary of errors why not
    :raises Wrong: it is something else
    """
    found = parse_qs(urlsplit(answer.headers.get("Location", "")).query).get("ticket")
    if found:
        return found[0]
    page = BeautifulSoup(answer.text, "html.parser")
    problem = page.find(class_="note")
    if problem is None:
        raise Wrong(f"neither a ticket nor a reason: {answer.status_code}: {_words(answer)}")
    raise Clear("page: " + " ".join(problem.get_text(" ").split())[:60])


def validate(browser: requests.Session, base: str, ticket: str, service: str) -> str:
    """Validate as an application does. Returns the name that it learns.

    :raises Clear: the protocol's own answer that the ticket is no good, or that the server cannot tell
    :raises Cut: there is no answer
    :raises Wrong: there is one that an application can do nothing with
    """
    query = f"service={quote(service, safe='')}&ticket={ticket}"
    try:
        answer = browser.get(f"{base}p3/serviceValidate?{query}", allow_redirects=False, timeout=LONGEST)
    except requests.Timeout as fault:
        raise Wrong(f"no answer to a validation within {LONGEST:.0f} s") from fault
    except requests.RequestException as fault:
        raise Cut(type(fault).__name__) from fault
    try:
        root = ElementTree.fromstring(answer.text)
    except ParseError as fault:
        if answer.status_code in (502, 503, 504):
            raise Clear(f"validation {answer.status_code}") from fault
        raise Wrong(f"a validation is answered by {answer.status_code}: {_words(answer)}") from fault
    user = root.findtext(f".//{_CAS}user")
    if user is not None:
        return user
    failure = root.find(f"{_CAS}authenticationFailure")
    code = "" if failure is None else failure.get("code", "")
    if code not in _PASSING:
        raise Wrong(f"a validation is refused with {code or 'nothing'}")
    raise Clear(f"validation {code}")


def _told(answer: requests.Response) -> str:
    """Return what kind of page this is.

    :raises Wrong: it lacks what a person needs: a heading, and a reference to name to whoever helps
    """
    page = BeautifulSoup(answer.text, "html.parser")
    heading = page.find("h1")
    if answer.status_code in (502, 503, 504) and heading is not None and heading.text[:3] == str(answer.status_code):
        # The proxy's own words: there is nobody behind it.
        return f"proxy {answer.status_code}"
    if heading is None or "Traceback" in answer.text:
        raise Wrong(f"{answer.status_code} without a sentence: {_words(answer)}")
    if answer.status_code >= 500 and page.find(class_="reference") is None:
        raise Wrong(f"{answer.status_code} without a reference: {_words(answer)}")
    if answer.status_code == 500:
        raise Wrong(f"a mistake of ours: {_words(answer)}")
    return f"{answer.status_code} {' '.join(heading.get_text(' ').split())}"


def _words(answer: requests.Response) -> str:
    return " ".join(BeautifulSoup(answer.text, "html.parser").get_text(" ").split())[:300]


def _add(counts: dict[str, int], what: str) -> None:
    counts[what] = counts.get(what, 0) + 1
