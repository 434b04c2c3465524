"""A UCM whose nodes are away, hang, cut their answers off or lie, while people log in on phones all the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
import requests

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.phone import IpPhone
from casduo.simulators.ucm import UcmSimulator
from casduo.store.embedded import EmbeddedValkey
from tests.faults.conftest import Sound
from tests.faults.relay import (
    HTTP,
    HUNG,
    LOST,
    OUTAGES,
    REFUSED,
    Exchange,
    Fault,
    Relay,
    Relays,
    flood,
    honest,
    lose,
    says,
)
from tests.faults.stage import Stage, on_stage
from tests.faults.stream import Clear, Cut, Stream, Wrong
from tests.support.waiting import until
from tests.support.ward import PINS

STAFF = ("ada", "grace", "linus", "alan")
DEVICES = {name: f"SEP00112233440{number}" for number, name in enumerate(STAFF)}
LOCKS = {name: threading.Lock() for name in STAFF}
REGISTRY = """
services:
  - {id: library, name: Library, url: "https://library.example.edu/**"}
  - {id: extension-mobility, name: Extension Mobility, url: "http://localhost/em/**", channel: phone,
     authentication: [ucm_pin]}
"""
TIME_OUT, BUDGET, PAUSE = 1.0, 3.0, 1.0
LIFETIME = 90.0
"""Seconds that a login may take. For half of them one that finds no place is tried again, and for a quarter it looks
what became of one whose answer was lost; meanwhile the phone says "One moment".
"""
LONGEST = 10.0
"""Seconds that a phone waits for one answer."""
_CLEAR = {
    "does not work at the moment": "does not work at the moment",
    "Very busy": "very busy",
    "Very many": "very busy",
    "cannot tell whether": "cannot tell whether that worked",
}
"""What a phone may say while its UCM is away."""


def _page(status: str, body: str, kind: str = "text/xml") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n{body}".encode()


def asked(exchange: Exchange, *words: bytes) -> bool:
    """Say whether the request is about this."""
    return any(word in exchange.request for word in words)


def spoiled(name: str, *about: bytes, words: bytes) -> Fault:
    """Something else is said of these requests; all others are answered as they should be."""

    def treat(exchange: Exchange) -> None:
        (says(words) if asked(exchange, *about) else honest)(exchange)

    return Fault(name, treat)


def _swap_people(exchange: Exchange) -> bytes:
    """Answer a question about one person as if it had been about another."""
    answer = exchange.answer()
    for one, other in (("ada", "alan"), ("alan", "ada")):
        if asked(exchange, f">{one}<".encode()):
            body = answer.partition(b"\r\n\r\n")[2].replace(f">{one}<".encode(), f">{other}<".encode())
            body = body.replace(f"{one}-ward".encode(), f"{other}-ward".encode())
            return _page("200 OK", body.decode())
    return answer


LIES = (
    spoiled("answers in HTML", b"", words=_page("200 OK", "<html><body>Please log in</body></html>", "text/html")),
    spoiled("answers half an XML", b"", words=_page("200 OK", "<?xml version='1.0'?><soapenv:Envelope xmlns:soape")),
    spoiled("answers 500", b"", words=_page("500 Internal Server Error", "")),
    spoiled("answers 502", b"", words=_page("502 Bad Gateway", "<html>Bad gateway</html>", "text/html")),
    spoiled("answers 429", b"", words=_page("429 Too Many Requests", "")),
    spoiled("answers 302", b"", words=_page("302 Found", "", "text/html\r\nLocation: http://127.0.0.1:9/")),
    spoiled(
        "answers a PIN with another operation",
        b"doAuthenticateUser",
        words=_page(
            "200 OK",
            "<soapenv:Envelope xmlns:soapenv='http://schemas.xmlsoap.org/soap/envelope/'><soapenv:Body>"
            "<ns:getUserResponse xmlns:ns='http://www.cisco.com/AXL/API/14.0'><return/></ns:getUserResponse>"
            "</soapenv:Body></soapenv:Envelope>",
        ),
    ),
    Fault("answers without end", flood(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<a>")),
)
"""No login may come of these where all nodes tell them, and no phone may claim one."""
OTHERS = Fault("answers of another person", says(_swap_people))


def _lose_logins(exchange: Exchange) -> None:
    (lose if asked(exchange, b"%3Clogin%3E", b"<login>") else honest)(exchange)


LOST_LOGINS = Fault("loses the answers to logins", _lose_logins)


class Handsets(Stream):
    """People who log in on phones of their own, over and over. A login is whole when the phone says so and the UCM
    agrees; there is no ticket.
    """

    def __init__(self, stage: Stage, ucm: UcmSimulator) -> None:
        super().__init__(stage.bases, people=STAFF, threads=len(STAFF))
        self._ucm = ucm
        self.whole: list[float] = []
        """When those began that were whole."""

    def flows(self, more: int = 8) -> None:
        before = self.tally.completed
        until(lambda: bool(self.tally.wrong) or self.tally.completed >= before + more, f"{more} further on phones")
        assert not self.tally.wrong, self.tally.wrong[:3]

    def recovers(self, since: float | None = None) -> float:
        begun = time.monotonic()
        until(lambda: any(at >= begun for at in self.whole[-20:]), "a login on a phone is whole again")
        self.tally.recovered = time.monotonic() - (begun if since is None else since)
        self.flows(4)
        return self.tally.recovered

    def _login(self, browser: requests.Session, base: str, person: str, began: float) -> None:
        with self._lock:
            self.tally.tried += 1
        # Each thread has the turn of whoever comes next, so two may be at one person's phone.
        with LOCKS[person]:
            self._at_phone(base, person)
        with self._lock:
            self.tally.completed += 1
            self.whole.append(began)

    def _at_phone(self, base: str, person: str) -> None:
        device = DEVICES[person]
        if self._ucm.login_of(device) is not None:
            self._ucm.log_out(device)
        port = int(base.rpartition(":")[2].partition("/")[0])
        phone = IpPhone(
            device,
            "8845",
            service_url="http://localhost/em/?device=#DEVICENAME#",
            resolve={"localhost": ("127.0.0.1", port)},
            timeout=LONGEST,
        )
        phone.press_services()
        if phone.screen is None:
            raise Cut(phone.prompt_error)
        if "One moment" in str(phone.screen):
            # There is no form while the UCM is too busy to say who is on the phone. It asks again by itself, until
            # somebody has had enough.
            raise Clear("has to wait for the form")
        self._told(phone, person)
        phone.type(userid=person, pin=PINS[person])
        phone.press("Submit")
        self._moment(phone)
        phone.check()
        self._told(phone, person)
        shown = str(phone.screen)
        if "You are logged in as" not in shown and "already logged in" not in shown:
            raise Wrong(f"neither logged in nor a reason: {phone.prompt_error} {shown}")
        found = self._ucm.login_of(device)
        if found is None or (found.user, found.profile) != (person, f"{person}-ward"):
            raise Wrong(f"the phone says that {person} is logged in, the UCM says {found}")

    def _moment(self, phone: IpPhone) -> None:
        """Wait as the phone says for what becomes of a login."""
        ends = time.monotonic() + LIFETIME
        while "One moment" in str(phone.screen) and not phone.prompt_error:
            if time.monotonic() > ends:
                raise Wrong(f"one moment for ever: {phone.requests[-4:]} {len(phone.requests)} {phone.screen}")
            time.sleep(0.1)
            phone.tick()

    def _told(self, phone: IpPhone, person: str) -> None:
        shown = str(phone.screen)
        if phone.prompt_error:
            raise Wrong(f"no page: {phone.prompt_error}")
        if "is not right" in shown or "too many wrong" in shown:
            raise Wrong(f"a right PIN is called wrong: {shown}")
        for words, what in _CLEAR.items():
            if words in " ".join(shown.split()):
                found = self._ucm.login_of(phone.device)
                if found is not None and found.user != person:
                    raise Wrong(f"{found.user} is logged in where {person} wanted to be")
                if found is not None and what != "cannot tell whether that worked":
                    raise Wrong(f"the phone says that it {what}, and {person} is logged in")
                raise Clear(what)


@dataclass(frozen=True)
class Cluster(Relays):
    """A UCM of two nodes, and phones that need it."""

    ucm: UcmSimulator
    stage: Stage
    authority: CertificateAuthority


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    directory = tmp_path_factory.mktemp("ucm")
    authority = CertificateAuthority.create(directory / "authority")
    leaf = authority.issue()
    with ExitStack() as stack:
        redis = stack.enter_context(EmbeddedValkey(directory / "valkey"))
        ucm = stack.enter_context(UcmSimulator(leaf, nodes=2))
        ucm.add_application_user("axlreader", "axl-secret", roles={"axl"})
        ucm.add_application_user("emproxy", "proxy-secret", roles={"em"})
        for name in STAFF:
            ucm.add_user(name, pin=PINS[name], mail=f"{name}@example.edu", profiles=[f"{name}-ward"])
            ucm.add_phone(DEVICES[name], enabled=True)
        relays = tuple(Relay(node.port, HTTP, leaf) for node in ucm.nodes)
        for relay in relays:
            stack.callback(relay.close)
        nodes = ", ".join(f"'localhost:{relay.port}'" for relay in relays)
        settings = (
            f"phones: {{transaction_lifetime: {LIFETIME}s}}\n"
            f"ucm: {{ca_file: {leaf.ca}, connect_timeout: {TIME_OUT}s, read_timeout: {TIME_OUT}s, budget: {BUDGET}s,\n"
            f"  pause: {PAUSE}s, axl: {{servers: [{nodes}], username: axlreader, password: axl-secret}},\n"
            f"  em: {{servers: [{nodes}], username: emproxy, password: proxy-secret}}}}\n"
        )
        stage = stack.enter_context(
            on_stage(
                directory / "stage", redis.url, registry=REGISTRY, settings=settings, handlers="- {type: ucm_pin}\n"
            )
        )
        yield Cluster((relays[0], relays[1]), ucm, stage, authority)


def test_phones_tell_the_truth_while_nodes_are_away(cluster: Cluster, rounds: range, sound: Sound) -> None:
    stage, brief = cluster.stage, len(rounds) == 1
    stranger = Fault("shows a wrong certificate", certificate=cluster.authority.issue_wrong("wrong_name"))
    faults = (REFUSED, LOST, HUNG) if brief else (*OUTAGES, stranger)
    with Stream(stage.bases, threads=2) as others, Handsets(stage, cluster.ucm) as phones:
        phones.flows(4)
        for _ in rounds:
            for fault in faults:
                print(f"-- {fault}")
                cluster.relays[0].become(fault)
                phones.recovers()
                cluster.become(fault)
                phones.tells(5, fault)
                others.flows(4)
                mended = time.monotonic()
                cluster.mend()
                phones.recovers(mended)
            print(f"-- {LOST_LOGINS}")
            tried, sent = phones.tally.tried, cluster.ucm.calls("login")
            cluster.become(LOST_LOGINS)
            # Each is looked up and found, and not sent again.
            phones.flows(6)
            cluster.mend()
            phones.recovers()
            assert cluster.ucm.calls("login") - sent <= phones.tally.tried - tried + len(STAFF)
        sound(phones, stage)
        sound(others, stage)
        assert (others.tally.clear, others.tally.cut) == ({}, 0)


def test_nobody_is_logged_in_by_a_node_that_lies(cluster: Cluster, rounds: range, sound: Sound) -> None:
    stage, brief = cluster.stage, len(rounds) == 1
    with Stream(stage.bases, threads=1) as others, Handsets(stage, cluster.ucm) as phones:
        phones.flows(4)
        for _ in rounds:
            for lie in (LIES[0], LIES[6]) if brief else LIES:
                print(f"-- {lie}")
                cluster.become(lie)
                phones.tells(5, lie)
                done = phones.tally.completed
                phones.tells(3, lie)
                assert phones.tally.completed == done, f"{lie}: {phones.tally}"
                mended = time.monotonic()
                cluster.mend()
                phones.recovers(mended)
            print(f"-- {OTHERS}")
            cluster.become(OTHERS)
            phones.tells(4, OTHERS)
            cluster.mend()
            phones.recovers()
        sound(phones, stage)
        sound(others, stage)
        assert (others.tally.clear, others.tally.cut) == ({}, 0)
