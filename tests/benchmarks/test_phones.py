"""The benchmark of phones: its light phones read and send what emulated ones do, and it counts what went wrong."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from threading import Thread

import pytest

from benchmarks.driver import Answer
from benchmarks.handsets import MODEL, Person, Told, form_of, kind_of, refresh_of, request_of
from benchmarks.phone_report import Round, p95, pages_text, people_text, stream_text, went_well
from benchmarks.phones import crowd
from benchmarks.steady import Stream
from casduo.simulators.phone import IpPhone

ADA = Person("SEP001122334455", "ada", "24680")


def page(body: str, *headers: str) -> bytes:
    """Return an answer as a phone gets it."""
    xml = f'<?xml version="1.0" encoding="utf-8"?>\n{body}'.encode()
    lines = ["HTTP/1.1 200 OK", "Content-Type: text/xml; charset=utf-8", f"Content-Length: {len(xml)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + xml


def answer(body: str = "", *headers: str) -> Answer:
    head, _, rest = page(body, *headers).partition(b"\r\n\r\n")
    return Answer(head, rest)


def form(url: str, *, posts: bool = True) -> str:
    fields = "".join(
        f"<InputItem><DisplayName>{name}</DisplayName><QueryStringParam>{name}</QueryStringParam>"
        f"<DefaultValue></DefaultValue><InputFlags>{flags}</InputFlags></InputItem>"
        for name, flags in (("userid", "A"), ("pin", "NP"))
    )
    method = ' method="post"' if posts else ""
    return (
        f"<CiscoIPPhoneInput><Title>Login</Title><Prompt>Both</Prompt><URL{method}>{url}</URL>{fields}"
        "<SoftKeyItem><Name>Submit</Name><URL>SoftKey:Submit</URL><Position>2</Position></SoftKeyItem>"
        "</CiscoIPPhoneInput>"
    )


def text(title: str) -> str:
    return f"<CiscoIPPhoneText><Title>{title}</Title><Text>Text</Text></CiscoIPPhoneText>"


# -- what a light phone reads and sends --------------------------------------------------------------------------------


class Recorder:
    """Answers one connection after the other with the next page, and keeps what came."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._listening.getsockname()[1]}/em"
        self.pages: list[bytes] = []
        self.requests: list[bytes] = []
        self._thread = Thread(target=self._serve)

    def start(self, *pages: bytes) -> None:
        self.pages += pages
        self._thread.start()

    def _serve(self) -> None:
        for each in self.pages:
            connection, _ = self._listening.accept()
            with connection:
                self.requests.append(_whole_request(connection))
                connection.sendall(each)

    def stop(self) -> None:
        self._thread.join(10)
        self._listening.close()


def _whole_request(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as stream:
        head = b"".join(iter(stream.readline, b"\r\n")) + b"\r\n"
        length = re.search(rb"Content-Length: (\d+)", head)
        return head + (stream.read(int(length[1])) if length else b"")


@pytest.fixture
def server() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.stop()


def test_light_phones_send_the_same_bytes_as_emulated_ones(server: Recorder) -> None:
    phone = IpPhone(ADA.device, MODEL, service_url=f"{server.base}/?device=#DEVICENAME#")
    login, wait = f"{server.base}/{ADA.device}/login", f"{server.base}/{ADA.device}/wait?t=abc"
    cookie = "Set-Cookie: casduo-em=1a2b; Path=/em; HttpOnly"
    server.start(page(form(login)), page(text("Confirm"), f"Refresh: 3; url={wait}", cookie), page(text("Logged in")))
    phone.press_services()
    phone.type(userid=ADA.userid, pin=ADA.pin)
    phone.press("Submit")
    phone.open(wait)
    phone.check()
    assert server.requests == [
        request_of(f"{server.base}/?device={ADA.device}", {}),
        request_of(login, {}, {"userid": ADA.userid, "pin": ADA.pin}),
        request_of(wait, {"casduo-em": "1a2b"}),
    ]


def test_a_form_says_where_it_is_sent_and_how() -> None:
    assert form_of(answer(form("https://sso.example.edu/em/x?a=1&amp;b=2"))) == (
        "https://sso.example.edu/em/x?a=1&b=2",
        True,
    )
    assert form_of(answer(form("https://sso.example.edu/em/x", posts=False))) == ("https://sso.example.edu/em/x", False)
    assert form_of(answer(text("Logged in"))) is None


def test_a_refresh_says_when_and_where() -> None:
    assert refresh_of(answer(text("Confirm"), "Refresh: 3; url=https://sso.example.edu/em/wait?t=a")) == (
        3.0,
        "https://sso.example.edu/em/wait?t=a",
    )
    assert refresh_of(answer(text("Logged in"))) is None


@pytest.mark.parametrize(
    ("asked", "answered", "kind"),
    [
        ("form", answer(form("https://a.example/")), "form"),
        ("pin", answer(text("Confirm with Duo"), "Refresh: 3; url=x"), "user id and PIN"),
        ("news", answer(text("Confirm with Duo"), "Refresh: 3; url=x"), "waiting"),
        ("news", answer(text("Logged in")), "login"),
        ("pin", answer(text("One moment"), "Refresh: 2; url=x"), "one moment"),
    ],
)
def test_pages_are_told_apart(asked: str, answered: Answer, kind: str) -> None:
    assert kind_of(asked, answered) == kind


# -- the crowd and the report ------------------------------------------------------------------------------------------


def test_a_crowd_comes_within_the_time_and_rounds_share_nobody() -> None:
    people = crowd(60, 10.0, 1)
    assert all(0.0 <= person.begins <= 10.0 for person in people)
    assert sum(person.strict for person in people) == 3
    assert {person.device for person in people}.isdisjoint(person.device for person in crowd(60, 10.0, 2))
    assert all(len(person.device) == len("SEP001122334455") for person in people)
    assert people == crowd(60, 10.0, 1)


FINE = {"logins in UCM": 1.0, "logins of somebody else": 0.0, "waiting when all had ended": 0.0}


def one_round(told: Told, **facts: float) -> Round:
    kept = {"kept after its lifetime": 0.0, "the shift change": 12.0, "load average": 1.0}
    kept |= {"delay, quiet": 0.1, "delay, loaded": 0.2}
    return Round([told], [0.001] * 20, [0.002] * 20, [0.001] * 20, [], {**FINE, **kept, **facts})


def test_it_went_well_only_if_everybody_is_logged_in_and_nothing_is_left() -> None:
    told = Told(ADA, logged_in=True, seconds=9.0)
    assert went_well(one_round(told))
    assert not went_well(one_round(replace(told, logged_in=False)))
    for name in FINE:
        assert not went_well(one_round(told, **{name: 2.0}))
    assert not went_well(one_round(told, **{"kept after its lifetime": 1.0}))


def test_pages_are_listed_by_kind_in_the_order_of_a_login() -> None:
    told = Told(ADA, pages=[("login", 0.3), ("form", 0.1), ("form", 0.2)], logged_in=True)
    lines = pages_text([told]).splitlines()
    assert lines[2].startswith("| form | 2 | 150 |")
    assert lines[3] == "| login | 1 | 300 | 300 | 300 |"


def test_what_people_were_told_is_counted() -> None:
    told = Told(ADA, logged_in=True, seconds=9.0, begun_again=2, errors=["No", "No"])
    shown = people_text([one_round(told)])
    assert "| began anew | 2 |" in shown
    assert "| told: No | 2 |" in shown


def test_the_stream_is_compared_with_itself_before_and_afterwards() -> None:
    assert "| validation, 95 % | 1.0 ms | 2.0 ms | 2.00 (goal 1.5) |" in stream_text([one_round(Told(ADA))])


def test_a_part_of_the_stream_is_told_by_when_it_began() -> None:
    found = Stream([(1.0, 0.1), (2.0, 0.2), (3.0, 0.3)], [(1.0, 0.01), (2.0, 0.02)])
    assert found.between(1.5, 3.0) == [0.2]
    assert found.delays_between(1.5, 3.0) == [0.02]


def test_one_figure_is_its_own_percentile() -> None:
    assert p95([0.3]) == 0.3
